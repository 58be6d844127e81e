"""Correlations and their derivatives from samples, and the equation that they obey."""

import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.spins.ising_correlations import torus_correlations
from intertwine.rg.correlators.spin_correlations import Shells

LATTICES = {
    "chain": lambda: it.Chain(9),
    "square, odd": lambda: it.Square(5, 7),
    "triangular": lambda: it.Triangular(6, 6),
    "honeycomb": lambda: it.Honeycomb(4, 4),
    "kagome": lambda: it.Kagome(4, 4),
    "cubic": lambda: it.Cubic(4, 4, 4),
    "open": lambda: it.Square(5, 6, pbc=False),
    "half open": lambda: it.Square(6, 5, pbc=(True, False)),
}


@pytest.mark.parametrize("name", LATTICES)
def test_products_of_all_pairs(name):
    """The transform gives the plain mean over all pairs of a shell, each displacement counting alike."""
    lattice = LATTICES[name]()
    shells = Shells.of(lattice)
    spins = np.random.default_rng(0).choice([-1.0, 1.0], (2, lattice.size)).astype(np.float32)
    found = shells.correlated(spins[..., None])
    index, vectors = lattice.displacement_index, lattice.displacements
    length = np.linalg.norm(vectors, axis=1)
    unit = lattice.shell_distance()
    number = np.floor(length / unit + 0.5 + 1e-9).astype(int)
    for row, G in zip(spins, found, strict=True):
        products = np.outer(row, row).ravel()
        count = np.bincount(index.ravel(), minlength=len(vectors))
        each = np.bincount(index.ravel(), products, minlength=len(vectors)) / count
        for k, r in enumerate(shells.distances[:-1], 1):  # the last shell is cut at half the side
            inside = (number == k) & (length > 0)
            if name in ("honeycomb", "kagome") or "open" in name:
                continue
            assert abs(each[inside].mean() - G[k - 1]) < 1e-5
            assert abs(np.exp(np.log(length[inside]).mean()) - r) < 1e-9
    assert np.allclose(shells.correlated(np.ones((1, lattice.size, 1), np.float32)), 1, atol=1e-5)
    assert (shells.distances <= shells.side / 2 * (1 + 1e-9)).all() and (np.diff(shells.distances) > 0).all()


def test_against_enumeration():
    """G(r) and ∂G/∂K of independent draws from a torus of 4 × 4, against sums over all configurations."""
    lattice, K = it.Square(4, 4), 0.4
    drawn = it.sample(it.Ising(lattice, K), 40_000, key=jax.random.key(1))
    found = it.rg.spin_correlations(drawn, K)
    states = ((np.arange(1 << 16)[:, None] >> np.arange(16)) & 1) * 2.0 - 1
    grid = states.reshape(-1, 4, 4)
    S = (grid * np.roll(grid, 1, 1) + grid * np.roll(grid, 1, 2)).sum((1, 2))
    p = np.exp(K * S)
    p /= p.sum()
    axis = (grid[:, 0, 0] * grid[:, 0, 1]), (grid[:, 0, 0] * grid[:, 0, 2])
    corner = grid[:, 0, 0] * grid[:, 1, 1]
    near = (4 * axis[0] + 4 * corner) / 8  # 1 and √2 round to the first shell
    exact = np.array([p @ near, p @ axis[1]])
    slopes = np.array([p @ (x * S) - (p @ x) * (p @ S) for x in (near, axis[1])])
    G_error, slope_error = found.errors
    assert (abs(found.values - exact) < 4.5 * G_error).all() and (
        abs(found.derivatives - slopes) < 4.5 * slope_error
    ).all()
    assert 0 < found.order < 1 and "correlations at K = 0.4" in str(found)


def test_of_a_ring_against_its_exact_values():
    ring, K = it.Chain(40), 0.7
    drawn = it.sample(it.Ising(ring, K), 20_000, sampler=it.SwendsenWang(), key=jax.random.key(2))
    found = it.rg.callan_symanzik(drawn, K, window=(1, 8))
    t = math.tanh(K)
    spins = it.rg.spin_correlations(drawn, K)
    r = spins.distances
    exact = (t**r + t ** (40 - r)) / (1 + t**40)
    assert (abs(spins.values - exact) < 4.5 * spins.errors[0]).all()
    assert (
        abs(found.beta[0] + 0.4794768) < 4.5 * found.beta_error[0]
        and abs(found.gamma[0]) < 4.5 * found.gamma_error[0]
    )
    assert found.beta_error[0] < 0.02 and found.p_value[0] > 1e-3


def drawn_at(K, lattice, samples=4000, seed=0):
    return it.sample(it.Ising(lattice, K), samples, sampler=it.SwendsenWang(), key=jax.random.key(seed))


def test_the_square_lattice_off_criticality():
    lattice = it.Square(32, 32)
    K = [0.35, 0.49]
    found = it.rg.callan_symanzik([drawn_at(x, lattice, seed=k) for k, x in enumerate(K)], K)
    exact = [0.5 * math.tanh(2 * x) * math.log(math.sinh(2 * x)) for x in K]
    assert (abs(found.beta - exact) < 4.5 * found.beta_error + 0.03 * np.abs(exact)).all()
    assert found.clear.all() and found.critical() is not None
    assert abs(found.critical()[0] - 0.4407) < 4 * found.critical()[1] + 0.003


def test_short_lattices_are_told():
    with pytest.warns(UserWarning, match="short compared with the correlation length"):
        found = it.rg.callan_symanzik(drawn_at(0.4407, it.Square(16, 16)), 0.4407)
    assert not found.clear[0] and any(line.startswith("unjudged: one coupling") for line in found.warnings)


@pytest.mark.filterwarnings("ignore")
def test_a_short_torus_against_its_axis():
    """Shells of a short torus lie between, and at, the exact values of its axis."""
    lattice, K = it.Square(12, 12), 0.42
    exact = torus_correlations(12, 12, K)
    found = it.rg.spin_correlations(drawn_at(K, lattice, 20_000, seed=3), K)
    assert (found.values[1:] < exact.values[0]).all() and found.side == 12
    shells = np.array([found.values[0], found.values[-1]])
    assert exact.values[0] > shells[0] > exact.values[1] and abs(shells[1] / exact.values[-1] - 1) < 0.05


def test_antiferromagnets():
    """K < 0 on two sublattices is −K: the same numbers, β with the other sign."""
    lattice = it.Square(16, 16)
    up = drawn_at(0.3, lattice, 2000)
    down = up.by_chain * lattice.sublattices()
    with pytest.warns(UserWarning):
        first = it.rg.callan_symanzik(up, 0.3)
        second = it.rg.callan_symanzik(down, -0.3, lattice=lattice)
    assert np.allclose(second.beta, -first.beta, rtol=1e-4) and np.allclose(
        second.gamma, first.gamma, rtol=1e-4
    )
    assert any("sublattice" in line for line in second.warnings)
    with pytest.raises(InputError, match="K ≥ 0 where neighbours cannot all be opposite"):
        it.rg.callan_symanzik(np.ones((400, 36), np.int8), -0.2, lattice=it.Triangular(6, 6))


@pytest.mark.filterwarnings("ignore")
def test_potts_states_two_are_ising_spins():
    lattice = it.Square(16, 16)
    spins = drawn_at(0.35, lattice, 2000)
    states = (np.asarray(spins) + 1) // 2
    ising = it.rg.spin_correlations(np.asarray(spins), 0.35, lattice=lattice)
    potts = it.rg.spin_correlations(states, 0.7, lattice=lattice, states=2)
    clock = it.rg.spin_correlations(states, 0.35, lattice=lattice, states=2, clock=True)
    assert np.allclose(potts.values, ising.values, atol=1e-5) and np.allclose(
        clock.values, ising.values, atol=1e-5
    )
    assert np.allclose(potts.derivatives, ising.derivatives / 2, atol=1e-3)  # K_Potts = 2 K
    assert np.allclose(clock.derivatives, ising.derivatives, atol=2e-3)
    carried = it.sample(it.Potts(lattice, 3, 0.9), 2000, key=jax.random.key(3))
    assert it.rg.callan_symanzik(carried, 0.9).beta[0] < 0


@pytest.mark.filterwarnings("ignore")
def test_anisotropic_couplings_by_their_conjugate():
    lattice = it.Square(16, 16)
    along = np.ptp(np.unravel_index(lattice.bonds(), lattice.extent)[-1], axis=1) > 0
    model = it.Ising(lattice, np.where(along, 0.2, 0.4))
    drawn = it.sample(model, 2000, key=jax.random.key(4))
    grid = drawn.by_chain.reshape(-1, 16, 16).astype(float)
    rows = (grid * np.roll(grid, 1, 2)).sum((1, 2))  # ∂ ln Ψ/∂K of one direction
    columns = (grid * np.roll(grid, 1, 1)).sum((1, 2))
    parts = [it.rg.spin_correlations(drawn, 0.3, conjugate=x) for x in (rows, columns, rows + columns)]
    plain = it.rg.spin_correlations(drawn, 0.3)
    assert np.allclose(parts[0].derivatives + parts[1].derivatives, plain.derivatives, atol=1e-6)
    assert np.allclose(parts[2].derivatives, plain.derivatives, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correlations": np.zeros((60, 36))}, "spins: expected spins ±1"),
        ({"lattice": it.Square(5, 5)}, "spins: expected configurations (..., 25)"),
        ({"couplings": [0.1, 0.2]}, "couplings: expected 1 numbers, one a set of samples"),
        ({"couplings": np.nan}, "couplings: expected finite numbers"),
        ({"bins": 50}, "bins: expected 4 to 30 for 60 configurations"),
        ({"derivatives": 1.0}, "derivatives: expected None of samples"),
        ({"window": (0, 3)}, "window: expected two growing distances"),
    ],
)
def test_bad_input(change, words):
    spins = np.random.default_rng(0).choice([-1, 1], (60, 36)).astype(np.int8)
    given = {"correlations": spins, "couplings": 0.1, "lattice": it.Square(6, 6), "bins": 10} | change
    with pytest.raises(InputError) as error:
        it.rg.callan_symanzik(given.pop("correlations"), given.pop("couplings"), **given)
    assert str(error.value).startswith(words)


def test_noise_alone_is_refused_in_a_line():
    spins = np.random.default_rng(0).choice([-1, 1], (400, 144)).astype(np.int8)
    with pytest.raises(InputError, match="G\\(r\\) clearly above 0 at 5 distances") as error:
        it.rg.callan_symanzik(spins, 0.0, lattice=it.Square(12, 12))
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
def test_few_samples_have_fewer_bins_and_say_that_nothing_can_be_told():
    drawn = drawn_at(0.37, it.Square(16, 16), 60)
    found = it.rg.callan_symanzik(drawn, 0.37, window=(1, 6))
    assert found.beta_error[0] > 0.02 and found.holds == (None,)
    assert any("too large to tell whether the equation holds" in line for line in found.warnings)
    assert len(it.rg.spin_correlations(drawn, 0.37).count) <= 30


def test_a_field_is_told():
    """Nothing is subtracted from G: with a mean spin the equation is not the one that is fitted."""
    key = jax.random.key(0)
    for h, told in ((0.2, True), (0.0, False)):
        drawn = it.sample(it.Ising(it.Chain(16), 0.5, h), 1000, key=key)
        found = it.rg.spin_correlations(drawn, 0.5).warnings
        assert any("mean spin" in line for line in found) == told
