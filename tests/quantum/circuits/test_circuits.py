"""Energies, gradients and the geometry of circuits, against closed forms and published values."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum import circuits

KEY = jax.random.key(0)


def with_angles(circuit, *angles):
    return eqx.tree_at(lambda c: c.parameters, circuit, tuple(jnp.asarray(a) for a in angles))


def test_energy_and_gradient_are_those_of_the_dense_matrix_and_of_shifted_circuits():
    H = it.heisenberg(it.Chain(5)) + it.Operator.from_strings(5, [(0.3, {0: "Y", 3: "Z"}), (0.7, {2: "X"})])
    psi = it.qubits.hardware_efficient(it.Chain(5), 2, scale=0.7, key=jax.random.key(1))
    E, gradient = circuits.energy_and_gradient(H, psi)
    vector = np.asarray(psi.vector())
    np.testing.assert_allclose(E, (vector.conj() @ H.to_dense() @ vector).real, atol=1e-12)
    found = it.qubits.parameter_shift(psi, lambda c: circuits.energy(H, c))
    assert found.evaluations == 60
    for a, b in zip(found.gradient, gradient, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_shifted_gates_that_share_a_parameter():
    H, psi = it.tfim(it.Chain(4), h=0.8), it.qubits.qaoa(it.Chain(4), 2, scale=0.3, key=KEY)
    _, gradient = circuits.energy_and_gradient(H, psi)
    found = it.qubits.parameter_shift(psi, lambda c: circuits.energy(H, c))
    np.testing.assert_allclose(found.gradient[0], gradient[0], atol=1e-10)


def test_an_energy_from_shots_gives_a_gradient_with_its_noise():
    psi = it.Circuit(2, [it.qubits.ry(0), it.qubits.ry(1)], parameters=[[0.4, 1.1]])
    keys = iter(jax.random.split(jax.random.key(5), 4))

    def shots(circuit):
        return float(np.mean(np.asarray(circuit.draw(4000, key=next(keys))) @ [1.0, 0.5]))

    found = it.qubits.parameter_shift(psi, shots).gradient[0][0]
    np.testing.assert_allclose(found, [-np.sin(0.4), -0.5 * np.sin(1.1)], atol=4.5 * 1.2 / np.sqrt(8000))


def test_geometric_tensor_of_one_qubit():
    psi = it.Circuit(1, [it.qubits.ry(0), it.qubits.rz(0)], parameters=[[0.7, 0.4]])
    np.testing.assert_allclose(
        circuits.geometric_tensor(psi).real, np.diag([0.25, np.sin(0.7) ** 2 / 4]), atol=1e-10
    )
    np.testing.assert_allclose(circuits.berry_curvature(psi)[0, 1], np.sin(0.7) / 2, atol=1e-10)


def test_geometric_tensor_of_a_ring():
    ring = with_angles(it.qubits.qaoa(it.Chain(4), 1, key=KEY), [[0.3, 0.2]])
    found = circuits.geometric_tensor(ring).real
    np.testing.assert_allclose(found, [[4, 0], [0, 4.2879627]], atol=5e-8)
    assert abs(found[0, 0] - 4) < 1e-10


@pytest.mark.parametrize(("size", "depth", "share"), [(6, 1, 3 / 4), (6, 2, 5 / 6), (10, 3, 7 / 8)])
def test_cuts_of_a_ring(size, depth, share):
    """(2p+1)/(2p+2) of the bonds, by natural gradients of exact sums."""
    lattice = it.Chain(size)
    H = it.Operator.from_strings(size, [(1.0, {k: "Z", (k + 1) % size: "Z"}) for k in range(size)])
    psi = it.qubits.qaoa(lattice, depth, key=KEY)
    run = it.ground_state(H, psi, steps=200, learning_rate=0.1, shift=1e-3, key=KEY, compare=False)
    cut = (1 - float(circuits.energy(H, run.model)) / size) / 2
    assert abs(cut - share) < 1e-12


def test_hva_is_exact_at_half_the_length():
    H = it.tfim(it.Chain(8), h=1.0)
    run = it.ground_state(H, "hva:4", key=KEY)
    assert abs(run.energy.mean + 10.251661790966025) < 1e-10
    assert run.energy.error == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "energy"), [(1, -9.656854249492383), (2, -9.952135486850349), (3, -10.054678984251687)]
)
def test_hva_of_smaller_depth(depth, energy):
    H = it.tfim(it.Chain(8), h=1.0)
    run = it.ground_state(H, f"hva:{depth}", steps=400, key=KEY, compare=False)
    assert abs(run.energy.mean - energy) < 1e-9


def test_what_measures_and_draws_takes_a_circuit():
    H, psi = it.tfim(it.Chain(4), h=0.7), it.qubits.hardware_efficient(4, 1, scale=0.5, key=KEY)
    E = float(circuits.energy(H, psi))
    assert abs(it.expect(H, psi, key=KEY).mean - E) < 1e-10
    drawn = it.expect(H, psi, 4000, sampler=it.Autoregressive(), key=KEY)
    assert abs(drawn.mean - E) < 4.5 * drawn.error
    assert it.sample(psi, 10, key=KEY).shape == (10, 4)
    assert it.entanglement.von_neumann(psi, region=[0, 1]) > 0


def test_what_does_not_fit_is_said():
    psi = it.Circuit(2, [it.qubits.h(0)])
    with pytest.raises(it.InputError, match="one of 3 qubits"):
        circuits.energy(it.tfim(it.Chain(3)), psi)
    with pytest.raises(it.InputError, match="Hermitian"):
        circuits.energy(it.Operator.from_strings(2, [(1j, {0: "Z"})]), psi)
    with pytest.raises(it.InputError, match="finite number"):
        it.qubits.parameter_shift(it.Circuit(1, [it.qubits.rx(0)], parameters=[[0.1]]), lambda c: np.nan)
