"""Fidelities, connected correlators, strings and loops, structure factors, extrapolations: exact answers."""

import jax
import numpy as np
import pytest
from dense_oracle import all_spins, dense_string

import intertwine as it
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange
from intertwine.sampling.space import Space, placed

KEY = jax.random.key(4)
NUMBERS = np.random.default_rng(3)


def nearby(distance, size=8, magnetization=None):
    """Two complex vectors some way apart."""
    a, b = np.exp(0.5 * NUMBERS.normal(size=(2, 2**size)) + 1j * NUMBERS.normal(size=(2, 2**size)))
    if magnetization is not None:
        inside = all_spins(size).sum(axis=1) == magnetization
        a, b = a * inside, b * inside
    return a, a + distance * b


@pytest.mark.parametrize("distance", [0.0, 0.02, 0.5, 3.0])
def test_fidelity_of_vectors(distance):
    """Z-scores over keys; errors that fall with the infidelity."""
    a, b = nearby(distance)
    exact = abs(np.vdot(a, b)) ** 2 / (np.vdot(a, a) * np.vdot(b, b)).real
    assert it.observables.fidelity(a, b).mean == pytest.approx(exact, abs=1e-12)
    assert abs(it.observables.overlap(a, b)) ** 2 == pytest.approx(exact, abs=1e-12)
    found = [it.observables.fidelity(a, b, samples=2048, key=jax.random.key(s)) for s in range(12)]
    if distance == 0:
        assert all(abs(f.mean - 1) < 1e-12 and f.error < 1e-12 for f in found)
        return
    z = np.array([(f.mean - exact) / f.error for f in found])
    assert np.abs(z).max() < 4 and abs(z.mean()) < 4 / np.sqrt(12) and 0.3 < z.std() < 1.8
    assert found[0].error < 3 * np.sqrt((1 - exact) / 2048) + 1e-12


def test_fidelity_of_networks_in_their_spaces():
    """One of Σ s = 0 with a Marshall rotation, one of all configurations; the other way around too."""
    ring = it.heisenberg(it.Chain(8))
    inside = placed(
        it.RBM(8, hidden=5, scale=0.2, key=KEY),
        Space(Metropolis(Exchange(), chains=32), (0,), ring.turned),
    )
    outside = placed(
        it.RBM(8, hidden=5, dtype=complex, scale=0.3, key=KEY),
        Space(Metropolis(it.SingleFlip(), chains=32), None, ()),
    )
    a, b = (it.entanglement.state_vector(model).amplitudes for model in (inside, outside))
    exact = abs(np.vdot(a, b)) ** 2
    assert it.observables.fidelity(inside, outside).mean == pytest.approx(exact)
    for pair in ((inside, outside), (outside, inside)):
        found = it.observables.fidelity(*pair, samples=8192, key=KEY)
        assert abs(found.mean - exact) < 4 * found.error + 1e-12
    same = it.observables.fidelity(inside, inside, samples=64, key=KEY)
    assert same.mean == pytest.approx(1) and same.error < 1e-9


def test_overlap_with_a_vector():
    model = it.RBM(6, hidden=4, dtype=complex, scale=0.3, key=KEY)
    psi = it.entanglement.state_vector(model).amplitudes
    other = NUMBERS.normal(size=64)
    expected = np.vdot(psi, other) / np.linalg.norm(other)
    assert it.observables.overlap(model, other) == pytest.approx(expected)
    with pytest.raises(it.InputError, match="b: expected a state of 6 sites"):
        it.observables.overlap(model, np.ones(4))
    with pytest.raises(it.InputError, match="key: expected"):
        it.observables.fidelity(model, model, samples=64)


@pytest.mark.parametrize("letters", [("Z", "Z"), ("X", "Z"), ("X", "X")])
def test_connected_correlators(letters):
    """⟨AB⟩ − ⟨A⟩⟨B⟩ by matrices; its error is that of the difference."""
    model = it.RBM(6, hidden=8, dtype=complex, scale=0.25, key=KEY)
    psi = it.entanglement.state_vector(model).amplitudes
    strings = [{1: letters[0]}, {4: letters[1]}]
    A, B = (it.Operator.from_strings(6, [(1.0, string)]) for string in strings)
    a, b = (dense_string(6, string) for string in strings)
    exact = np.vdot(psi, a @ b @ psi) - np.vdot(psi, a @ psi) * np.vdot(psi, b @ psi)
    sampler = Metropolis(it.SingleFlip(), chains=32)
    found = it.observables.connected(A, B, model, samples=8192, key=KEY, sampler=sampler)
    assert abs(found.mean - exact.real) < 4 * found.error < 0.2


def test_connected_correlators_in_a_frame():
    """X X of a rotated antiferromagnet is the physical one."""
    ring = it.heisenberg(it.Chain(6))
    where = Space(it.Enumeration(magnetization=0), (0,), ring.turned)
    model = placed(it.RBM(6, hidden=5, scale=0.2, key=KEY), where)
    psi = it.entanglement.state_vector(model).amplitudes
    X = [it.Operator.from_strings(6, [(1.0, {i: "X"})]) for i in (0, 1)]
    exact = np.vdot(psi, dense_string(6, {0: "X", 1: "X"}) @ psi).real
    found = it.observables.connected(*X, model, samples=4096, key=KEY)
    assert exact < 0 and abs(found.mean - exact) < 4 * found.error


def test_strings_and_loops_are_products():
    string = it.observables.string_operator(5, [0, 2, 3, 4], inside="Y", ends="X")
    expected = dense_string(5, {0: "X", 2: "Y", 3: "Y", 4: "X"})
    np.testing.assert_allclose(string.to_dense(), expected)
    lattice = it.Square(3, 4)
    loop = it.observables.wilson_loop(lattice, direction=0, letter="X")
    assert loop.strings() == [(1, {0: "X", 4: "X", 8: "X"})]
    assert it.observables.wilson_loop(4, [0, 1, 3]).strings() == [(1, {0: "Z", 1: "Z", 3: "Z"})]
    honeycomb = it.observables.wilson_loop(it.Honeycomb(3, 3), direction=1)
    assert list(honeycomb.strings()[0][1]) == [0, 2, 4]


def test_loops_of_the_toric_code():
    """Around the torus of 3 × 3, Z loops commute with the stars and are ±1 in a state of one sector."""
    lattice = it.Lattice([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.0], [0.0, 0.5]], (2, 2))
    loop = it.observables.wilson_loop(lattice, direction=0)
    star = it.Operator.from_strings(8, [(1.0, {0: "X", 4: "X", 1: "X", 3: "X"})])
    difference = (loop @ star).to_dense() - (star @ loop).to_dense()
    assert np.abs(difference).max() == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda o: o.string_operator(5, [0, 1]), "sites: expected at least 3"),
        (lambda o: o.string_operator(5, [0, 1, 7]), "sites: expected sites 0 to 4"),
        (lambda o: o.string_operator(5, [0, 1, 2], inside="Q"), "inside: expected one of"),
        (lambda o: o.string_operator(0, [0, 1, 2]), "where: expected a lattice"),
        (lambda o: o.wilson_loop(4), "sites: expected the sites of the loop"),
        (lambda o: o.wilson_loop(it.Square(3, 3, pbc=False)), "direction: expected a periodic"),
        (lambda o: o.wilson_loop(it.Chain(4), direction=1), "direction: expected a periodic"),
        (lambda o: o.at_zero_variance([1.0], [1.0]), "energies: expected at least 2"),
        (lambda o: o.at_zero_variance([1.0, 2.0]), "variances: expected one for each"),
        (lambda o: o.at_zero_variance([1.0, 2.0], [1.0]), "variances: expected one for each"),
        (lambda o: o.structure_factor(np.ones(16), it.Chain(5), 64, key=KEY), "lattice: expected 4 sites"),
    ],
)
def test_bad_observables_are_one_error(call, words):
    with pytest.raises(it.InputError, match=words):
        call(it.observables)


def test_structure_factor_of_a_ring():
    """Against the correlations of the exact vector."""
    _, psi = it.exact.ground_state(it.heisenberg(it.Chain(8)))
    spins = all_spins(8).astype(float)
    q = it.Chain(8).momenta[:, 0]
    exact = np.abs(psi) ** 2 @ np.abs(spins @ np.exp(-1j * np.outer(np.arange(8), q))) ** 2 / 8
    found = it.observables.structure_factor(psi, it.Chain(8), 4096, key=KEY)
    error = np.maximum(found.structure_factor_error, 1e-12)
    assert np.abs((found.structure_factor - exact) / error).max() < 4


def test_zero_variance():
    """A line with noise: the error covers, by the given errors and by the scatter."""
    V = np.array([0.5, 1.0, 2.0, 3.0])
    noise = 0.01 * np.random.default_rng(0).normal(size=(500, 4))
    for errors in (np.full(4, 0.01), None):
        found = [it.observables.at_zero_variance(-4 + 0.3 * V + n, V, errors) for n in noise]
        z = np.array([(f.mean + 4) / f.error for f in found])
        assert abs(np.median(z)) < 0.2 and 0.5 < np.quantile(np.abs(z), 0.68) < 1.6
    rng = np.random.default_rng(1)
    rows = [it.estimate(rng.normal(-4 + 0.3 * v, v**0.5, (8, 400))) for v in V]
    found = it.observables.at_zero_variance(rows)
    assert abs(found.mean + 4) < 4 * found.error and float(found) == found.mean
