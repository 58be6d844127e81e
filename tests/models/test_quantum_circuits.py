"""Circuits against dense matrices: gates, layers, draws, derivatives."""

from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.qubits.gates import FIXED

PAULI = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
TWO = {"cnot": np.eye(4)[[0, 1, 3, 2]], "cz": np.diag([1, 1, 1, -1]), "swap": np.eye(4)[[0, 2, 1, 3]]}
q, KEY = it.qubits, jax.random.key(0)


def dense(gate, angle, n):
    """The matrix of a gate on n qubits."""
    if gate.is_rotation:
        letters = {w: np.array(PAULI[x]) for w, x in zip(gate.wires, gate.word, strict=True)}
        P = reduce(np.kron, [letters.get(w, np.eye(2)) for w in range(n)])
        return np.cos(angle / 2) * np.eye(2**n) - 1j * np.sin(angle / 2) * P
    U = np.array(TWO[gate.name] if gate.name in TWO else gate.matrix or FIXED[gate.name])
    k, M = len(gate.wires), np.zeros((2**n, 2**n), complex)
    for b in range(2**n):
        bits = [(b >> (n - 1 - w)) & 1 for w in range(n)]
        column = int("".join(str(bits[w]) for w in gate.wires), 2)
        for row in range(2**k):
            after = list(bits)
            for j, w in enumerate(gate.wires):
                after[w] = (row >> (k - 1 - j)) & 1
            M[int("".join(map(str, after)), 2), b] += U[row, column]
    return M


def some_gates(seed, n=4, count=20):
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        a, b, c = (int(w) for w in rng.permutation(n)[:3])
        U = np.linalg.qr(rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8)))[0]
        kinds = [
            q.rx(a), q.ry(a, angle=0.3), q.rz(a, factor=2.0), q.h(a), q.t(a), q.s(a), q.cnot(a, b),
            q.cz(a, b), q.swap(a, b), q.rzz(a, b, "g"), q.rxx(a, b, None, angle=0.7), q.ryy(a, b),
            q.rotation("XYZ", (a, b, c)), q.unitary(U, (a, b, c)), q.x(a), q.y(b), q.z(c),
        ]  # fmt: skip
        found.append(kinds[rng.integers(len(kinds))])
    return found


@pytest.mark.parametrize("start", ["zero", "plus"])
def test_the_vector_is_that_of_dense_matrices(start):
    n, gates = 4, some_gates(len(start))
    psi = it.Circuit(
        n, [q.layer(gates, 2), q.layer([q.y(0), q.h(3)])], start=start, scale=1.0, key=jax.random.key(0)
    )
    vector = np.zeros(2**n, complex) if start == "zero" else np.full(2**n, 2.0 ** (-n / 2), complex)
    vector[0] = vector[0] or 1
    for gate, angle in psi.gates():
        vector = dense(gate, angle, n) @ vector
    np.testing.assert_allclose(jax.jit(lambda c: c.vector())(psi), vector, atol=1e-12)
    np.testing.assert_allclose(jax.jit(lambda c: c.unshared().vector())(psi), vector, atol=1e-12)


def test_a_gate_twice_on_the_same_qubit_adds_its_angles():
    psi = it.Circuit(1, [q.ry(0), q.ry(0)], parameters=[[0.3, 0.4]])
    np.testing.assert_allclose(psi.vector(), [np.cos(0.35), np.sin(0.35)], atol=1e-12)
    assert psi.layers[0].parameters == ("ry 0 #1", "ry 0 #2")


def test_draws_follow_the_square_of_the_amplitudes():
    psi = q.hardware_efficient(5, 1, scale=1.0, key=jax.random.key(1))
    rows = np.asarray(psi.draw(20_000, key=jax.random.key(2)))
    numbers = (rows < 0) @ (1 << np.arange(4, -1, -1))
    p = np.abs(np.asarray(psi.vector())) ** 2
    expected = 20_000 * p
    chi = ((np.bincount(numbers, minlength=32) - expected) ** 2 / expected).sum()
    assert chi < 31 + 4.5 * np.sqrt(62)


def test_amplitudes_that_vanish_count_for_derivatives():
    psi = it.Circuit(1, [q.ry(0)], parameters=[[0.0]])
    np.testing.assert_allclose(it.quantum.circuits.geometric_tensor(psi), [[0.25]], atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_is_that_of_the_angles(dtype):
    psi = q.hardware_efficient(3, 1, dtype=dtype, key=jax.random.key(0))
    assert psi.vector().dtype == {"float32": "complex64", "float64": "complex128"}[dtype]
    assert abs(float(jnp.sum(jnp.abs(psi.vector()) ** 2)) - 1) < 1e-5


def test_qasm_says_every_gate_in_standard_gates():
    text = q.qasm(it.Circuit(2, [q.rotation("XY", (0, 1), None, angle=0.5), q.cnot(0, 1)], start="plus"))
    allowed = {"OPENQASM", "include", "qubit[2]", "h", "rx", "ry", "rz", "cx", "cz", "swap"}
    assert {line.split()[0].split("(")[0] for line in text.splitlines()} <= allowed
    with pytest.raises(it.InputError, match="given as a matrix"):
        q.qasm(it.Circuit(1, [q.unitary(np.eye(2), (0,))]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: it.Circuit(23, [q.h(0)]), "at most 22 qubits.*128 MiB"),
        (lambda: it.Circuit(2, [q.h(2)]), "wires from 0 to 1"),
        (lambda: it.Circuit(2, [q.cnot(1, 1)]), "different qubits"),
        (lambda: it.Circuit(2, ["h"]), "gates, such as"),
        (lambda: it.Circuit(2, [q.ry(0)]), "key"),
        (lambda: it.Circuit(2, [q.ry(0)], parameters=[[0.1, 0.2]]), "shape"),
        (lambda: q.unitary([[1, 1], [0, 1]], (0,)), "a unitary matrix"),
        (lambda: q.rx(0, 0.3), "give the angle as angle="),
        (
            lambda: q.hamiltonian_variational(
                2, it.heisenberg(it.Chain(2)).strings(), 1, key=jax.random.key(0)
            ),
            "transverse",
        ),
        (lambda: q.hardware_efficient(4, 0, key=jax.random.key(0)), "depth"),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(it.InputError, match=words):
        make()


def test_parameters_of_one_preset_are_those_of_its_formula():
    ring = eqx.tree_at(
        lambda c: c.parameters, q.qaoa(it.Chain(4), 1, key=jax.random.key(0)), (jnp.array([[0.3, 0.2]]),)
    )
    spins = it.Enumeration().configurations(4)
    cost = np.sum(spins * np.roll(spins, 1, axis=1), axis=1)
    X = sum(dense(q.rx(w), np.pi, 4) * 1j for w in range(4))
    values, vectors = np.linalg.eigh(X)
    mixer = vectors @ np.diag(np.exp(0.2j * values)) @ vectors.conj().T
    np.testing.assert_allclose(ring.vector(), mixer @ (np.exp(-0.3j * cost) / 4), atol=1e-12)
