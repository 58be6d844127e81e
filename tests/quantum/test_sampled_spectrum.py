"""Sampled spectra against exact ones, topological cuts against stabilisers, fits of the central charge."""

import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine.quantum.entanglement.cuts import rings, sectors
from intertwine.quantum.entanglement.drawn import draw
from intertwine.quantum.entanglement.pair_ratios import pair_ratios
from intertwine.quantum.entanglement.replica_matrix import spectrum_of

KEY = jax.random.key(2)


@pytest.fixture(scope="module")
def rings_of_12():
    """Ground states of critical Ising and Heisenberg rings of 12."""
    return {
        "ising": it.exact.ground_state(it.tfim(it.Chain(12), h=1.0))[1],
        "heisenberg": it.exact.ground_state(it.heisenberg(it.Chain(12)))[1],
    }


def test_traces_are_those_of_the_matrix():
    """Eigenvalues and influences from the compressed matrix against the whole one."""
    model = it.RBM(7, hidden=6, dtype=complex, scale=0.3, key=KEY)
    drawn = draw(model, 96, KEY, it.Enumeration())
    found = spectrum_of(drawn, (0, 1, 5))
    K = pair_ratios(drawn, (0, 1, 5))(np.arange(96), np.arange(96)) / 96
    values = np.linalg.eigvals(K)
    for power in (1, 2, 3):
        assert np.sum(found.groups[0].levels[0][0] ** power) == pytest.approx(np.sum(values**power), rel=1e-9)
    assert np.sum(found.groups[0].levels[0][0]) == pytest.approx(1, abs=1e-10)
    influence = (found.groups[0].weights @ found.groups[0].levels[0][0]).real
    np.testing.assert_allclose(influence, 96 * np.diag(K @ K).real, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["ising", "heisenberg"])
def test_orders_against_exact_ones(name, rings_of_12):
    """Means over 12 keys of 2,000 samples within their error; each within 4.5 of its own."""
    psi, region = rings_of_12[name], tuple(range(6))
    found = [spectrum_of(draw(psi, 2000, jax.random.key(s)), region) for s in range(12)]
    for order in (1, 2, 3, math.inf):
        exact = it.entanglement.renyi(psi, region, order)
        each = [spectrum.renyi(order) for spectrum in found]
        z = np.array([(e.mean - exact) / e.error for e in each])
        assert np.abs(z).max() < 4.5 and np.abs(z.mean()) < 4 / math.sqrt(12), order
        assert np.abs(np.mean([e.mean for e in each]) - exact) < 0.02 * exact + 0.01
    values = np.mean([spectrum.values[:3] for spectrum in found], axis=0)
    np.testing.assert_allclose(values, it.entanglement.spectrum(psi, region)[:3], atol=0.03)


def test_von_neumann_to_two_percent(rings_of_12):
    """S = 1.18 and 0.68 from 4,000 samples."""
    for psi in rings_of_12.values():
        exact = it.entanglement.von_neumann(psi, range(6))
        found = [spectrum_of(draw(psi, 4000, jax.random.key(40 + s)), tuple(range(6))) for s in range(6)]
        errors = [spectrum.von_neumann.mean / exact - 1 for spectrum in found]
        assert np.abs(np.mean(errors)) < 0.02
        assert np.sqrt(np.mean(np.square(errors))) < 0.03


def test_groups_and_chains(monkeypatch):
    """More different columns than one matrix takes; chains of a network."""
    monkeypatch.setattr("intertwine.quantum.entanglement.replica_matrix._LARGEST", 100)
    model = it.RBM(16, hidden=8, scale=0.15, key=KEY)
    found = it.entanglement.sampled_spectrum(model, range(8), samples=1024, key=KEY)
    assert len(found.groups) > 4 and found.samples == 1024
    exact = it.entanglement.von_neumann(model, range(8))
    assert found.von_neumann.mean == pytest.approx(exact, abs=4 * found.von_neumann.error + 0.02)


def test_too_few_samples_are_told():
    random = np.random.default_rng(0).normal(size=2**14)
    with pytest.warns(Caveat):
        found = it.entanglement.sampled_spectrum(random, range(7), samples=128, key=KEY)
    assert "untrusted" in {code_of(line) for line in found.warnings}
    with pytest.raises(it.InputError, match="order: expected at least 1"):
        found.renyi(0.5)
    with pytest.raises(it.InputError, match="region: expected a part"):
        it.entanglement.sampled_spectrum(random, range(14), samples=128, key=KEY)


# ---------------------------------------------------------------------------------------- topological order


def edges(Lx, Ly):
    """The lattice of the edges of a torus, site 2(x Ly + y) from (x, y) to (x + 1, y), the next upwards."""
    return it.Lattice([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.0], [0.0, 0.5]], (Lx, Ly))


def toric_code(Lx, Ly):
    """Bit rows (n_X, n), (n_Z, n) of stars and plaquettes, with both loops of Z."""

    def h(x, y):
        return 2 * (x % Lx * Ly + y % Ly)

    cells = [(x, y) for x in range(Lx) for y in range(Ly)]
    stars = [{h(x, y), h(x - 1, y), h(x, y) + 1, h(x, y - 1) + 1} for x, y in cells]
    plaquettes = [{h(x, y), h(x, y + 1), h(x, y) + 1, h(x + 1, y) + 1} for x, y in cells]
    loops = [{h(x, 0) for x in range(Lx)}, {h(0, y) + 1 for y in range(Ly)}]
    rows = [
        np.array([[i in one for i in range(2 * Lx * Ly)] for one in group]) for group in (stars, plaquettes)
    ]
    return rows[0], np.concatenate([rows[1], [[i in one for i in range(2 * Lx * Ly)] for one in loops]])


def rank2(matrix):
    rows, rank = [int("".join("01"[int(b)] for b in row), 2) for row in matrix], 0
    while rows:
        pivot = rows.pop()
        if pivot:
            rank += 1
            low = pivot & -pivot
            rows = [row ^ pivot if row & low else row for row in rows]
    return rank


def stabiliser_entropy(code, region):
    """|A| − rank of the stabilisers inside A, in units of ln 2 (Fattal et al., quant-ph/0406168)."""
    outside = [i for i in range(code[0].shape[1]) if i not in region]
    return len(region) - sum(rank2(rows) - rank2(rows[:, outside]) for rows in code)


@pytest.mark.parametrize(
    ("extent", "ring"), [((3, 4), False), ((4, 4), False), ((6, 6), True), ((7, 8), True)]
)
def test_cuts_of_the_toric_code(extent, ring):
    code, lattice = toric_code(*extent), edges(*extent)
    for cut, units in (("kitaev-preskill", -1), ("levin-wen", -2)):
        if cut == "levin-wen" and min(extent) < 6:
            with pytest.raises(it.InputError, match="a ring wider than a cell"):
                rings(lattice)
            continue
        found = it.entanglement.topological(
            None, lattice, cut=cut, entropy=lambda region: stabiliser_entropy(code, region) * math.log(2)
        )
        assert found.value == pytest.approx(units * math.log(2), abs=1e-10)
        assert found.gamma == pytest.approx(math.log(2), abs=1e-10)
    A, B, C = sectors(lattice)
    assert len({*A, *B, *C}) == len(A) + len(B) + len(C) <= lattice.size / 2


def test_toric_code_of_18_spins_by_its_vector():
    """The sum over all products of stars applied to ↑…↑, and a state without order."""
    stars, _ = toric_code(3, 3)
    numbers = np.zeros(1, int)
    for row in stars[:-1]:
        numbers = np.concatenate([numbers, numbers ^ int("".join("01"[int(b)] for b in row), 2)])
    psi = np.zeros(2**18)
    psi[numbers] = 1
    assert it.entanglement.topological(psi, edges(3, 3)).value == pytest.approx(-math.log(2), abs=1e-10)
    product = np.ones(2**16)
    assert it.entanglement.topological(product, it.Square(4, 4), order=2).value == pytest.approx(0, abs=1e-10)


def test_open_lattices_keep_from_the_ends_and_errors_add():
    lattice = it.Square(5, 5, pbc=False)
    for part in sectors(lattice):
        assert np.abs(lattice.positions[list(part)] - 2).max() <= 2

    found = it.entanglement.topological(
        None, lattice, entropy=lambda r: it.estimate(np.ones((4, 8)) * len(r))
    )
    assert found.value == pytest.approx(0) and found.error == 0
    for bad, words in ((it.Chain(8), "two-dimensional"), (it.Square(2, 2), "room for a disc")):
        with pytest.raises(it.InputError, match=words):
            sectors(bad)
    with pytest.raises(it.InputError, match="cut: expected one of"):
        it.entanglement.topological(None, lattice, cut="disc")
    with pytest.raises(it.InputError, match="lattice: expected 4 sites"):
        it.entanglement.topological(np.ones(16), lattice)


# ---------------------------------------------------------------------------------------- central charges


def test_central_charge_of_free_fermion_values():
    """Critical Ising rings: von Neumann at N = 20, l = 2 … 10; Rényi-2 at N = 64 with the 1/chord term."""
    lengths = [2, 3, 4, 5, 6, 8, 10]
    S = [0.5908236455186, 0.6553504151953, 0.6985114611469, 0.7293634895901, 0.7518282795042]
    S += [0.7788093121377, 0.787178423022]
    found = it.entanglement.central_charge(lengths, S, 20)
    assert found.c == pytest.approx(0.5, abs=0.005) and found.residual < 1e-3
    S2 = [0.6284266979826, 0.6551506601213, 0.750690484364]
    raw = it.entanglement.central_charge([8, 10, 32], S2, 64, order=2)
    better = it.entanglement.central_charge([8, 10, 32], S2, 64, order=2, correction=True)
    assert raw.c == pytest.approx(0.51, abs=0.004) and better.c == pytest.approx(0.5, abs=0.003)


def test_errors_that_go_together():
    """A fit with the covariance: unbiased, with the spread that it says, and no larger than other weights."""
    rng, lengths, N = np.random.default_rng(1), np.arange(4, 33, 4), 64
    x = N / np.pi * np.sin(np.pi * lengths / N)
    S = 0.5 / 6 * 1.5 * np.log(x) + 0.3
    covariance = 0.01**2 * np.exp(-np.abs(np.subtract.outer(np.log(x), np.log(x))) / 2) * np.outer(x, x) / 100
    noise = rng.multivariate_normal(np.zeros(len(S)), covariance, 400)
    call = it.entanglement.central_charge
    fits = [call(lengths, S + one, N, order=2, errors=covariance) for one in noise]
    plain = [call(lengths, S + one, N, order=2).c for one in noise]
    spread = np.std([fit.c for fit in fits])
    assert spread == pytest.approx(fits[0].error, rel=0.15) and spread < 0.9 * np.std(plain)
    assert np.mean([fit.c for fit in fits]) == pytest.approx(0.5, abs=4 * spread / 20)
    diagonal = np.diag([0.1] * len(S))
    one, other = call(lengths, S, N, errors=diagonal**2), call(lengths, S, N, errors=[0.1] * len(S))
    assert one.error == pytest.approx(other.error) and one.c == pytest.approx(other.c)
    with pytest.raises(it.InputError, match="not positive"):
        call(lengths, S, N, errors=-diagonal)


def test_fits_of_central_charge():
    x = 2 * 30 / np.pi * np.sin(np.pi * np.arange(3, 28, 2) / 30)
    S = 1.0 / 12 * 1.5 * np.log(x) + 0.2 + 0.1 / x
    call = it.entanglement.central_charge
    found = call(np.arange(3, 28, 2), S, 30, order=2, periodic=False, correction=True)
    assert (found.c, found.constant, found.correction) == pytest.approx((1.0, 0.2, 0.1))
    assert float(found) == found.c == pytest.approx(found.weights @ S)
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=(400, len(S)))
    cs = [
        call(np.arange(3, 28, 2), S + n, 30, order=2, periodic=False, errors=np.full(len(S), 0.01))
        for n in noise
    ]
    assert np.std([f.c for f in cs]) == pytest.approx(cs[0].error, rel=0.15)
    free = [call(np.arange(3, 28, 2), S + n, 30, order=2, periodic=False).error for n in noise]
    assert np.mean(free) == pytest.approx(cs[0].error, rel=0.15)
    for bad, words in (
        (dict(lengths=[1, 2], entropies=[1.0], total=8), "one for each length"),
        (dict(lengths=[1], entropies=[1.0], total=8), "at least 2"),
        (dict(lengths=[1, 9], entropies=[1.0, 2.0], total=8), "shorter than the chain"),
        (dict(lengths=[2, 6], entropies=[1.0, 1.0], total=8), "different chords"),
        (dict(lengths=[2, 3], entropies=[1.0, 1.0], total=8, errors=[0.0, 1.0]), "a positive number"),
        (dict(lengths=[2, 3], entropies=[1.0, 1.0], total=8, order=0), "above 0"),
    ):
        with pytest.raises(it.InputError, match=words):
            call(**bad)


@pytest.mark.slow
def test_central_charge_of_heisenberg_half_chains():
    """Half of rings of 8 to 20: 0.99 ± 0.02 (the marginal operator keeps it below 1)."""
    sizes = np.arange(8, 21, 4)
    S = []
    for N in sizes:
        _, psi = it.exact.ground_state(it.heisenberg(it.Chain(int(N))))
        S.append(it.entanglement.von_neumann(psi, range(N // 2)))
    assert it.entanglement.central_charge(sizes // 2, S, sizes).c == pytest.approx(0.99, abs=0.02)
