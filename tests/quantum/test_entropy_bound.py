"""The bound from structure: never below an exact entropy, least among all vertex cuts, and reached by generic
weights."""

import itertools
import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.structure import Structure, structure_of
from intertwine.quantum.entanglement.schmidt import schmidt_values
from intertwine.quantum.entanglement.structure.vertex_cut import vertex_cut
from intertwine.quantum.entanglement.vectors import StateVector
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange
from intertwine.sampling.space import Space

KEY = jax.random.key(5)
LN2 = math.log(2)


def spins(n):
    return 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1)


def rbm_vector(weights, fields, s):
    """Π_k 2cosh(b_k + s·W_k), normalised."""
    psi = np.cosh(s @ weights + fields).prod(axis=1)
    return psi / np.linalg.norm(psi)


def rbm_graph(mask):
    n, m = mask.shape
    return Structure(n, np.full(n + m, 2.0), np.argwhere(mask) + np.array([0, n]))


def largest_entropy(vector, n, region):
    """S₀ = ln rank, above which no order is: singular values to 1e-10 of the largest."""
    cube = vector.reshape((2,) * n).transpose(*region, *(i for i in range(n) if i not in region))
    sigma = np.linalg.svd(cube.reshape(2 ** len(region), -1), compute_uv=False)
    return math.log2(int(np.sum(sigma > 1e-10 * sigma[0])))


def random_masks(count, seed):
    """Sparse masks on a ring of 8 and on a 3 × 3 torus: windows with holes, or any sites at all."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        lattice = it.Square(3, 3) if k % 2 else it.Chain(8)
        n = lattice.size
        m = int(rng.integers(2, 2 * n))
        if k % 4 < 2:  # short range: sites near a centre
            index = lattice.displacement_index
            near = np.linalg.norm(lattice.displacements, axis=1)[index] <= rng.choice([1.0, 1.5])
            mask = near[:, rng.integers(0, n, m)] & (rng.random((n, m)) < 0.8)
        else:
            mask = rng.random((n, m)) < rng.uniform(0.1, 0.5)
        size = int(rng.integers(1, n))
        region = tuple(int(i) for i in rng.permutation(n)[:size]) if k % 3 else tuple(range(size))
        weights = mask * (rng.normal(size=(n, m)) + 1j * rng.normal(size=(n, m)))
        fields = rng.normal(size=m) + 1j * rng.normal(size=m)
        yield lattice, mask, region, rbm_vector(0.6 * weights, 0.5 * fields, spins(n))


def masks_never_exceed(count, seed):
    reached = 0
    for lattice, mask, region, vector in random_masks(count, seed):
        found = it.entanglement.bound(rbm_graph(mask), region, lattice)
        rank = largest_entropy(vector, lattice.size, region)
        assert rank <= found.cut
        assert found.nats == found.cut * LN2
        assert found.by_range is None or rank * LN2 <= found.by_range + 1e-12
        reached += rank == found.cut
    return reached / count


def test_masks_are_never_exceeded_and_mostly_reached():
    assert masks_never_exceed(100, 0) > 0.8


@pytest.mark.slow
def test_a_thousand_masks_are_never_exceeded():
    assert masks_never_exceed(1000, 1) > 0.8


def test_all_orders_of_one_mask():
    lattice, mask, _, vector = next(random_masks(1, 3))
    region = (0, 1, 2, 3)
    limit = it.entanglement.bound(rbm_graph(mask), region, lattice).nats
    values = schmidt_values(StateVector(vector, lattice.size, None, 0), region, small=True)
    from intertwine.quantum.entanglement.entropies import entropy_of

    orders = [entropy_of(values, q) for q in (0, 0.5, 1, 2, math.inf)]
    assert max(orders) <= limit + 1e-12 and orders == sorted(orders, reverse=True)


def window_graph(n, radius):
    mask = np.array([[min((i - j) % n, (j - i) % n) <= radius for j in range(n)] for i in range(n)])
    return rbm_graph(mask)


@pytest.mark.parametrize(
    "radius, length, cut, by_range", [(1, 1, 1, 4), (1, 3, 3, 4), (1, 6, 4, 4), (2, 4, 4, 8), (2, 6, 6, 8)]
)
def test_ring_of_twelve_against_reference(radius, length, cut, by_range):
    """Least cuts and 2R ln 2 per end, of a unit at every site (entanglement.json, rbm_bound)."""
    found = it.entanglement.bound(window_graph(12, radius), range(length))
    assert (found.cut, found.radius) == (cut, radius)
    assert found.by_range == pytest.approx(by_range * LN2, rel=1e-15)


def test_least_by_trying_all():
    rng = np.random.default_rng(2)
    for _ in range(20):
        mask = rng.random((5, 4)) < 0.4
        links = np.concatenate([np.argwhere(mask) + np.array([0, 5]), [[0, 4], [1, 3]]])
        states = np.concatenate([np.full(5, 2.0), rng.choice([2.0, 3.0, 5.0], 4)])
        graph = Structure(5, states, links, ((5, 6, 8),))
        found = vertex_cut(graph, [0, 1], [2, 3, 4])
        assert separates(graph, found, [0, 1], [2, 3, 4])
        weights = [
            np.prod(states[list(cut)])
            for size in range(5)
            for cut in itertools.combinations(range(9), size)
            if separates(graph, cut, [0, 1], [2, 3, 4])
        ]
        assert np.prod(states[list(found)]) == min(weights)


def separates(graph, cut, A, B):
    joined = {v: {v} for v in range(len(graph.states)) if v not in cut}
    for group in [*graph.links.tolist(), *graph.factors]:
        left = [v for v in group if v not in cut]
        union = set().union(*(joined[v] for v in left)) if left else set()
        for v in union:
            joined[v] = union
    return all(joined.get(a, set()).isdisjoint(set(B) - set(cut)) for a in A)


def test_range_on_a_torus_counts_windows():
    lattice = it.Square(6, 6)
    near = np.abs((lattice.positions[:, None] - lattice.positions + 3) % 6 - 3).max(axis=2) <= 1
    found = it.entanglement.bound(rbm_graph(near), range(18), lattice)
    assert found.by_range == pytest.approx(2 * 6 * 2 * LN2)  # 2R for each of 6 sites at two flat ends
    assert found.radius == 1 and found.nats <= found.by_range
    open_ends = it.Square(6, 6, pbc=False)
    near = np.abs(lattice.positions[:, None] - lattice.positions).max(axis=2) <= 1
    found = it.entanglement.bound(rbm_graph(near), range(18), open_ends)
    assert found.by_range == pytest.approx(2 * 8 * LN2)  # windows of 3 begin at −2, ..., 5


def test_models_know_their_graph():
    ring = it.Chain(8)
    assert it.entanglement.bound(it.RBM(40, hidden=3, key=KEY), range(20)).cut == 3
    assert it.entanglement.bound(it.MeanField(8, key=KEY), range(4)).cut == 0
    assert it.entanglement.bound(it.Jastrow(8, key=KEY), range(3)).cut == 3
    assert it.entanglement.bound(it.SymmetricRBM(ring, 1, key=KEY), range(4)).cut == 4
    binary = it.RBM(8, hidden=2, units="binary", hidden_units=(("binary", 1), ("gaussian", 1)), key=KEY)
    assert it.entanglement.bound(binary, range(4)).cut == 4  # a continuous unit cannot be cut
    potts = it.RBM(8, hidden=3, units="binary", hidden_units="potts:3", key=KEY)
    assert it.entanglement.bound(potts, range(4)).nats == pytest.approx(math.log(3))
    couplings = jnp.zeros((4, 4)).at[1, 2].set(1.0)
    assert structure_of(SimpleForm(couplings + couplings.T)).links.tolist() == [[1, 2]]


class SimpleForm:
    """A chain of couplings as a spin form."""

    def __init__(self, coupling):
        self.coupling = coupling

    def spin_form(self):
        from intertwine.models.protocols import SpinForm

        n = len(self.coupling)
        none, empty = jnp.zeros(0), jnp.zeros((n, 0))
        return SpinForm(jnp.zeros(()), jnp.zeros(n), self.coupling, none, empty)


def test_deep_machines():
    """Units of the second layer join what the first does not; a belief network's unit, all that it draws."""
    first = np.kron(np.eye(2), np.ones((4, 2)))  # units 0, 1 see sites 0 to 3; units 2, 3 the others
    zeros = [np.zeros(k) for k in (8, 4, 1)]
    deep = it.DBM.from_parameters(zeros, [first, np.ones((4, 1))])
    found = it.entanglement.bound(deep, range(4))
    assert found.cut == 1 and found.nodes == ("unit 0 of layer 2",) and found.radius is None
    apart = it.DBM.from_parameters(zeros, [first, np.array([[1.0], [1.0], [0], [0]])])
    assert it.entanglement.bound(apart, range(4)).cut == 0
    belief = it.DBN((8, 2, 1), key=KEY)
    assert it.entanglement.bound(belief, range(4)).cut == 2


def test_deep_entropies_are_below():
    rng = np.random.default_rng(8)
    mask = rng.random((8, 4)) < 0.5
    weights = [mask * rng.normal(size=(8, 4)), rng.normal(size=(4, 1))]
    deep = it.DBM.from_parameters([rng.normal(size=k) for k in (8, 4, 1)], weights, units="spin")
    h = spins(4)  # hidden 0, 1 as spins ±1
    v, x = spins(8), (1 + h) / 2
    b = [np.asarray(k) for k in deep.biases]
    inner = x @ b[1] + np.log1p(np.exp(x @ weights[1] + b[2])).sum(axis=1)
    vector = (np.exp(v @ b[0][:, None] + v @ weights[0] @ x.T + inner)).sum(axis=1)
    for region in ((0, 1, 2, 3), (0, 2, 4), (7, 1)):
        assert largest_entropy(vector, 8, region) <= it.entanglement.bound(deep, region).cut


def test_fixed_magnetization_adds_its_sectors():
    rbm = it.RBM(8, hidden=1, key=KEY)
    held = SimpleNamespace(model=rbm, space=Space(Metropolis(Exchange(), chains=4), magnetizations=(0,)))
    found = it.entanglement.bound(held, range(4))
    assert found.cut == 1 and found.fixed == pytest.approx(math.log2(5))
    assert it.entanglement.renyi(held, range(4), 0) <= found.nats + 1e-12
    assert "fixed magnetization" in str(found)


def test_gap_ratios_of_random_matrices():
    """Independent levels, real and complex random matrices, as eigenvalues e^{−level}."""
    rng, n, kinds = np.random.default_rng(4), 100, {"poisson": 0.3863, "goe": 0.5307, "gue": 0.5996}
    drawn = {name: [] for name in kinds}
    for _ in range(60):
        a, b = rng.normal(size=(2, n, n))
        drawn["poisson"].append(0.1 * rng.random(n))
        drawn["goe"].append(np.linalg.eigvalsh(a + a.T) / n)
        drawn["gue"].append(np.linalg.eigvalsh(a + a.T + 1j * (b - b.T)) / n)
    for name, exact in kinds.items():
        found = [it.entanglement.gap_ratio(np.exp(-levels), keep=0.8) for levels in drawn[name]]
        means = np.array([f.mean for f in found])
        error = means.std(ddof=1) / math.sqrt(len(means))
        assert abs(means.mean() - exact) < 4 * error and error < 0.006
        assert np.mean([f.error for f in found]) == pytest.approx(means.std(ddof=1), rel=0.4)
    for wrong in ([1.0, 1e-30, 1e-31], [0.25] * 4):
        with pytest.raises(it.InputError, match="values"):
            it.entanglement.gap_ratio(wrong)


def test_words():
    found = it.entanglement.bound(window_graph(12, 1), range(6))
    assert "4 sites" in str(found) and "R = 1" in str(found) and float(found) == found.nats
    nothing = it.entanglement.bound(it.MeanField(4, key=KEY), [0])
    assert "nothing joins" in str(nothing) and nothing.nats == 0
    assert it.entanglement.bound(it.RBM(4, hidden=9, key=KEY), range(4)).nats == 0  # all sites: a pure state


@pytest.mark.parametrize(
    "model, region, lattice, words",
    [
        ("rbm", [], None, "at least one site"),
        ("rbm", [4], None, "sites 0 to 3"),
        ("rbm", [0, 0], None, "every site once"),
        ("rbm", [0], "chain", "4 sites"),
        ("vector", [0], None, "whose graph is known"),
        ("gaussian", [0], None, "two states"),
    ],
)
def test_bad_input(model, region, lattice, words):
    made = {
        "rbm": lambda: it.RBM(4, hidden=2, key=KEY),
        "vector": lambda: np.ones(4),
        "gaussian": lambda: it.RBM(4, hidden=2, units="gaussian", key=KEY),
    }[model]()
    with pytest.raises(it.InputError, match=words):
        it.entanglement.bound(made, region, it.Chain(6) if lattice else None)
