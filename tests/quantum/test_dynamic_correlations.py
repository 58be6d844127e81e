"""Echoes, light cones, two-time correlations and S(k, ω) against dense matrices."""

import jax
import numpy as np
import pytest
from scipy.linalg import expm

import intertwine as it

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


def test_bad_input():
    with pytest.raises(it.InputError, match="periodic chain"):
        q.correlators(it.Chain(5, pbc=False))
    with pytest.raises(it.InputError, match="16 sites"):
        q.two_time(it.tfim(it.Chain(17)), "+x", [0.1])
    with pytest.raises(it.InputError, match="samples"):
        q.loschmidt_echo(it.RBM(25, hidden=2, key=KEY))
