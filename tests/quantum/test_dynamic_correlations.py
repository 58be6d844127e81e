"""Echoes, light cones, two-time correlations and S(k, ω) against dense matrices."""

import dataclasses

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy.linalg import expm

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.quantum.dynamics import network_correlations

KEY = jax.random.key(0)
q = it.quantum


def test_two_times_against_dense_matrices():
    H = it.tfim(it.Chain(4), J=1.0, h=0.7)
    psi = it.exact.product_vector(4, [0.3, 1.0, 0.2, 2.0])
    Z = [it.Operator.from_strings(4, [(1.0, {i: "Z"})]).to_dense() for i in range(4)]
    found = q.two_time(H, psi, [0.0, 0.4])
    U = expm(-0.4j * H.to_dense())
    wanted = [[np.vdot(psi, U.conj().T @ Z[i] @ U @ Z[j] @ psi) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(found[1], wanted, atol=1e-11)
    np.testing.assert_allclose(np.diag(found[0]), 1.0, atol=1e-12)


def test_structure_factor_has_its_lines_and_sum_rule():
    ring = it.Chain(6)
    H = it.tfim(ring, J=0.4, h=1.0)
    energy, ground = it.exact.ground_state(H)
    momenta, frequencies, S = q.dynamic_structure_factor(H, ground, span=8.0, count=81, width=0.5)
    C = q.two_time(H, ground, [0.0])[0]
    equal = [
        np.mean([np.exp(-1j * k * (i - j)) * C[i, j] for i in range(6) for j in range(6)]) * 6
        for k in momenta
    ]
    sums = np.sum(S, axis=1) * (frequencies[1] - frequencies[0]) / (2 * np.pi)
    np.testing.assert_allclose(sums, np.real(equal), rtol=2e-2)
    gap = it.exact.spectrum(H, 2)[1] - energy
    assert abs(frequencies[np.argmax(S[0])] - gap) < 0.1


def test_a_light_cone_opens():
    ring = it.Chain(6)
    psi = it.product_state(it.SymmetricRBM(ring, features=4, dtype=complex, key=KEY), "+x", key=KEY)
    H = it.tfim(ring, J=1.0, h=1.0)
    run = it.evolve(H, psi, [0.1, 0.4], observables=q.correlators(ring), key=KEY)
    cone = q.light_cone(run)
    states = it.exact.IsingRing(6, h=1.0).quench([0.1, 0.4])
    np.testing.assert_allclose(cone, [[s.ZZ(d) for d in (1, 2, 3)] for s in states], atol=1e-3)
    assert np.all(np.abs(np.diff(cone[0])) > 0) and cone[0, 0] > 20 * abs(cone[0, 2])


def test_echoes_are_observables():
    a, b = (it.RBM(4, hidden=2, dtype=complex, scale=0.2, key=jax.random.key(k)) for k in (1, 2))
    exactly, found = q.loschmidt_echo(a)(b), q.loschmidt_echo(a, 2048, key=KEY)(b)
    assert exactly.error == 0 and abs(found.mean - exactly.mean) < 4 * found.error < 0.2
    run = it.evolve(it.tfim(it.Chain(4)), a, [0.05], observables={"echo": q.loschmidt_echo(a)}, key=KEY)
    psi = it.exact.evolve(
        it.tfim(it.Chain(4)), q.entanglement.vectors.state_vector(a).amplitudes, [0.0, 0.05]
    )
    np.testing.assert_allclose(run["echo"], abs(np.vdot(*psi)) ** 2, atol=1e-3)


@pytest.fixture(scope="module")
def in_time():
    """⟨Z_i(t) Z_0⟩ of a network on a ring of 6, and its start."""
    psi = it.product_state(it.SymmetricRBM(it.Chain(6), 4, dtype=complex, key=KEY), [(0.9, 0.4)] * 6, key=KEY)
    H = it.tfim(it.Chain(6), h=0.7)
    return H, psi, q.two_time_correlations(H, psi, [0.0, 0.1, 0.2, 0.3], key=KEY)


def test_two_times_of_a_network(in_time):
    H, psi, found = in_time
    wanted = q.two_time(H, it.entanglement.state_vector(psi).amplitudes, found.times)[:, :, 0]
    assert np.all(np.abs(found.values - wanted) <= found.bound[:, None]) and found.bound[-1] < 1e-3
    assert np.max(np.abs(found.values - wanted)) < 1e-4 and found.trusted_until == 0.3
    assert np.ptp(np.angle(wanted[-1])) > 0.1 and found.warnings == ()


def test_structure_factor_of_a_network(in_time):
    H, psi, found = in_time
    vector = it.entanglement.state_vector(psi).amplitudes
    _, frequencies, S = q.dynamic_structure_factor(H, vector, span=0.3, count=4, width=4.0)
    k, ours, estimate = found.structure_factor(width=4.0)
    np.testing.assert_allclose(ours, frequencies, atol=1e-9)
    np.testing.assert_allclose(estimate, S, atol=1e-3)
    assert len(k) == 6 and np.max(S) > 1
    with pytest.raises(it.InputError, match="evenly spaced"):
        dataclasses.replace(found, times=found.times + 0.1).structure_factor(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("letter, size", [("X", 6), ("Y", 6), ("Z", 8)])
def test_two_times_of_other_letters(letter, size):
    bare = it.RBM(size, hidden=2 * size, dtype=complex, key=KEY)
    psi = it.product_state(bare, np.linspace(0.5, 1.5, size), key=KEY)
    H = it.tfim(it.Chain(size), h=0.7)
    found = q.two_time_correlations(H, psi, [0.0, 0.2], letter, site=2, key=KEY)
    wanted = q.two_time(H, it.entanglement.state_vector(psi).amplitudes, found.times, letter)[:, :, 2]
    assert np.all(np.abs(found.values - wanted) <= found.bound[:, None]) and found.bound[-1] < 1e-2


@pytest.mark.slow
def test_two_times_from_samples():
    psi = it.product_state(it.RBM(6, hidden=12, dtype=complex, key=KEY), [(0.9, 0.4)] * 6, key=KEY)
    H = it.tfim(it.Chain(6), h=0.7)
    with pytest.warns(Caveat, match="unjudged"):
        found = q.two_time_correlations(H, psi, [0.0, 0.2], "X", key=KEY, samples=512, observe=4096)
    wanted = q.two_time(H, it.entanglement.state_vector(psi).amplitudes, found.times, "X")[:, :, 0]
    assert np.all(np.abs(found.values - wanted) <= 4 * found.errors + found.bound[:, None] + 1e-9)
    assert 0 < np.max(found.errors) < 0.05 and not found.judged


def test_overlaps_of_samples_of_both():
    """States of other norms, far apart: z-scores over repeated draws."""
    a, b = (it.RBM(4, hidden=3, dtype=complex, scale=0.5, key=jax.random.key(k)) for k in (1, 2))
    b = eqx.tree_at(lambda m: m.visible_bias, b, b.visible_bias + 0.3)
    X = [it.Operator.from_strings(4, [(1.0, {i: "X"})]) for i in range(4)]
    H, scores = it.tfim(it.Chain(4)), []
    studies = [it.quantum.evolution(H, m, [0.1], key=KEY, samples=1024) for m in (a, b)]
    starts = [study.start() for study in studies]
    wanted = network_correlations._summed(X, a, b)
    for k in range(8):
        key = jax.random.key(k)
        found, error = network_correlations._sampled(
            X, studies[0], starts[0], studies[1], starts[1], 1024, key
        )
        scores.append(np.abs(found - wanted) / error)
    assert 0.4 < np.sqrt(np.mean(np.square(scores))) < 1.6


def test_bad_input():
    with pytest.raises(it.InputError, match="periodic chain"):
        q.correlators(it.Chain(5, pbc=False))
    with pytest.raises(it.InputError, match="16 sites"):
        q.two_time(it.tfim(it.Chain(17)), "+x", [0.1])
    with pytest.raises(it.InputError, match="samples"):
        q.loschmidt_echo(it.RBM(25, hidden=2, key=KEY))
    psi = it.RBM(4, hidden=2, dtype=complex, key=KEY)
    for change, words in (
        ({"letter": "W"}, "letter"),
        ({"site": 4}, "site: expected one of 0 to 3"),
        ({"H": lambda t: it.tfim(it.Chain(4))}, "H: expected an Operator"),
        ({"method": "projected"}, "options"),
    ):
        given = {"H": it.tfim(it.Chain(4)), "model": psi, "times": [0.1], "key": KEY} | change
        with pytest.raises(it.InputError, match=words):
            q.two_time_correlations(**given)
