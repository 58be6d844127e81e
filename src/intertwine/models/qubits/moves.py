r"""What a layer of gates does to a state vector, in few passes over it.

    single       the product of the gates of one wire, U = … U₂ U₁, and of these of up to four wires that
                 are close together, ⊗_w U_w: one matrix product
    phases       all that is diagonal and next to one another: ψ(s) e^{−i Σ θ z(s)/2}, z products of spins
    exchange     cnot and swap move amplitudes: ψ'(b) = ψ(π(b)), a table of whole numbers for all of them
    rotations    cos(θ/2) ψ − i sin(θ/2) Pψ of words of Pauli matrices on several wires, one after another
    matrix       a unitary on some wires

A gate joins an earlier pass of its kind where all that lies between acts on other wires, so that a layer of
rotations and controlled signs of N qubits is two passes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float, Int32

from intertwine.models.qubits.gates import FIXED, Gate, Layer, name_of

WIDTH = 4
"""Wires of one matrix product."""
PAULI = {
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]], complex),
}


class Move(NamedTuple):
    """One pass. kind: see the head of this file. gates: with the place of each in its layer."""

    kind: str
    gates: tuple[tuple[int, Gate], ...]

    @property
    def wires(self) -> frozenset[int]:
        return frozenset(w for _, gate in self.gates for w in gate.wires)


def kind_of(gate: Gate) -> str:
    """The kind of pass that a gate belongs to."""
    if gate.name == "cz" or (gate.is_rotation and len(gate.wires) > 1 and set(gate.word) == {"Z"}):
        return "phases"
    if gate.name in ("cnot", "swap"):
        return "exchange"
    if len(gate.wires) == 1:
        return "single"
    return "rotations" if gate.is_rotation else "matrix"


@lru_cache(maxsize=256)
def moves_of(gates: tuple[Gate, ...]) -> tuple[Move, ...]:
    """The passes of a layer.

    >>> from intertwine.models.qubits.gates import cz, ry, rz
    >>> [m.kind for m in moves_of((ry(0), ry(1), cz(0, 1), rz(2), ry(2)))]
    ['single', 'phases']
    """
    found: list[Move] = []
    for place, gate in enumerate(gates):
        kind, wires = kind_of(gate), frozenset(gate.wires)
        joined = None
        if kind != "matrix":
            for k in range(len(found) - 1, -1, -1):
                if found[k].kind == kind:
                    joined = k
                    break
                if found[k].wires & wires:
                    break
        if joined is None:
            found.append(Move(kind, ((place, gate),)))
        else:
            found[joined] = Move(kind, (*found[joined].gates, (place, gate)))
    return tuple(found)


@lru_cache(maxsize=256)
def slots(layer: Layer) -> dict[int, int]:
    """The parameter of each gate that has one: {place of the gate: number of λ}."""
    numbers: dict[str, int] = {}
    found = {}
    for place, gate in enumerate(layer.gates):
        if gate.parameter is not None:
            found[place] = numbers.setdefault(name_of(gate, place), len(numbers))
    return found


def angles(layer: Layer, parameters: Float[Array, "P"]) -> dict[int, Array]:
    """θ of each rotation, by its place in the layer."""
    where = slots(layer)
    found = {}
    for place, gate in enumerate(layer.gates):
        if gate.is_rotation:
            own = where.get(place)
            value = jnp.asarray(gate.angle, parameters.dtype)
            found[place] = value if own is None else gate.factor * parameters[own] + value
    return found


def applied(
    layer: Layer, size: int, parameters: Float[Array, "P"], psi: Complex[Array, "D"]
) -> Complex[Array, "D"]:
    """The state after one repetition of a layer, (2^N,)."""
    theta = angles(layer, parameters)
    for move in moves_of(layer.gates):
        psi = _PASSES[move.kind](move, size, theta, psi)
    return psi


def _single(move: Move, size: int, theta: dict[int, Array], psi: Array) -> Array:
    """The product of the matrices of a few wires that are close together, as one real matrix product."""
    for first, u in _products(move, theta, psi.dtype):
        d = u.shape[0]
        both = jnp.block([[u.real.T, u.imag.T], [-u.imag.T, u.real.T]])
        x = jnp.stack([psi.real, psi.imag]).reshape(2, 2**first, d, -1)
        y = x.transpose(1, 3, 0, 2).reshape(-1, 2 * d) @ both
        y = y.reshape(2**first, -1, 2, d).transpose(2, 0, 3, 1).reshape(2, -1)
        psi = jax.lax.complex(y[0], y[1])
    return psi


def _products(move: Move, theta: dict[int, Array], dtype: jnp.dtype) -> list[tuple[int, Array]]:
    """(first wire, matrix of it and those after it) for each group of wires: matrices of one size are made
    side by side, so that there is little to compile."""
    wires, table, turned, fixed = _plan(move)
    several = [jnp.asarray(fixed, dtype)]
    if turned:
        half = jnp.stack([theta[place] for place in turned]) / 2
        words = np.stack([PAULI[word] for word in turned.values()])
        cos, sin = jnp.cos(half)[:, None, None], jnp.sin(half)[:, None, None]
        several.append((cos * np.eye(2) - 1j * sin * words).astype(dtype))
    matrices = jnp.concatenate(several)
    u = matrices[table[0]]
    for row in table[1:]:
        u = jnp.einsum("wab,wbc->wac", matrices[row], u)
    found: dict[int, Array] = {}
    for width in sorted({len(group) for group in wires}):
        alike = [group for group in wires if len(group) == width]
        parts = u[np.array([[place for _, place in group] for group in alike])]
        product = parts[:, 0]
        for k in range(1, width):
            product = jnp.einsum("gab,gcd->gacbd", product, parts[:, k])
            product = product.reshape(len(alike), 2 ** (k + 1), -1)
        found |= {group[0][0]: product[k] for k, group in enumerate(alike)}
    return sorted(found.items())


@lru_cache(maxsize=256)
def _plan(move: Move) -> tuple[list[list[tuple[int, int]]], np.ndarray, dict[int, str], np.ndarray]:
    """Groups of wires, each a list of (wire, its column in the table); the table (longest row of gates,
    wires + 1) of numbers of matrices, number 0 and the last column the identity; {place of a rotation: its
    letter}, and the matrices that do not turn, which come first."""
    by_wire: dict[int, list[tuple[int, Gate]]] = {}
    for place, gate in move.gates:
        by_wire.setdefault(gate.wires[0], []).append((place, gate))
    touched = sorted(by_wire)
    turned = {place: gate.word for place, gate in move.gates if gate.is_rotation}
    fixed, numbers = [np.eye(2, dtype=complex)], {}
    for place, gate in move.gates:
        if not gate.is_rotation:
            numbers[place] = len(fixed)
            fixed.append(np.array(gate.matrix or FIXED[gate.name], complex))
    numbers |= {place: len(fixed) + k for k, place in enumerate(turned)}
    table = np.zeros((max(map(len, by_wire.values())), len(touched) + 1), np.int32)
    for column, wire in enumerate(touched):
        for row, (place, _) in enumerate(by_wire[wire]):
            table[row, column] = numbers[place]
    groups, at = [], 0
    while at < len(touched):
        first = touched[at]
        inside = [w for w in touched[at:] if w < first + WIDTH]
        column = {w: at + k for k, w in enumerate(inside)}
        groups.append([(w, column.get(w, len(touched))) for w in range(first, inside[-1] + 1)])
        at += len(inside)
    return groups, table, turned, np.stack(fixed)


def _phases(move: Move, size: int, theta: dict[int, Array], psi: Array) -> Array:
    """ψ e^{−iΣθz/2}, gates of one angle together, and the signs of controlled ones."""
    numbers = jnp.arange(2**size, dtype=jnp.int32)
    total, odd = None, None
    for place, gate in move.gates:
        if gate.name == "cz":
            both = _bit(numbers, gate.wires[0], size) & _bit(numbers, gate.wires[1], size)
            odd = both if odd is None else odd ^ both
            continue
        parity = _bit(numbers, gate.wires[0], size)
        for wire in gate.wires[1:]:
            parity = parity ^ _bit(numbers, wire, size)
        turned = theta[place] * (1 - 2 * parity).astype(theta[place].dtype)
        total = turned if total is None else total + turned
    if total is not None:
        half = total / 2
        psi = psi * (jnp.cos(half) - 1j * jnp.sin(half)).astype(psi.dtype)
    return psi if odd is None else psi * (1 - 2 * odd).astype(psi.real.dtype)


def _bit(numbers: Int32[Array, "D"], wire: int, size: int) -> Int32[Array, "D"]:
    return (numbers >> (size - 1 - wire)) & 1


def _exchange(move: Move, size: int, theta: dict[int, Array], psi: Array) -> Array:
    """Amplitudes moved."""
    table = jnp.asarray(_table(tuple(gate for _, gate in move.gates), size))
    return psi.at[table].get(unique_indices=True, mode="promise_in_bounds")


@lru_cache(maxsize=16)
def _table(gates: tuple[Gate, ...], size: int) -> Int32[np.ndarray, "D"]:
    """Where each amplitude comes from: the gates, each its own inverse, the last one first."""
    numbers = np.arange(2**size, dtype=np.int32)
    for gate in reversed(gates):
        a, b = (size - 1 - wire for wire in gate.wires)
        if gate.name == "cnot":
            numbers = numbers ^ (((numbers >> a) & 1) << b)
        else:
            different = ((numbers >> a) ^ (numbers >> b)) & 1
            numbers = numbers ^ (different << a) ^ (different << b)
    return numbers


def _rotations(move: Move, size: int, theta: dict[int, Array], psi: Array) -> Array:
    """cos(θ/2) ψ − i sin(θ/2) Pψ one after another, with (Pψ)(b) = phase · (−1)^{b·z} ψ(b ⊕ x) for the bits z
    of Y and Z, x of X and Y; one compiled loop."""
    words = [(gate.word, gate.wires) for _, gate in move.gates]
    x, z = (np.array([_mask(w, size, letters) for w in words], np.int32) for letters in ("XY", "YZ"))
    phase = jnp.asarray(np.array([-1j * (-1j) ** word.count("Y") for word, _ in words]), psi.dtype)
    half = jnp.stack([theta[place] for place, _ in move.gates]) / 2
    numbers = jnp.arange(2**size, dtype=jnp.int32)

    def turn(state: Array, gate: tuple[Array, ...]) -> tuple[Array, None]:
        x, z, cos, sin = gate
        sign = (1 - 2 * (jax.lax.population_count(numbers & z) & 1)).astype(cos.dtype)
        other = state.at[numbers ^ x].get(unique_indices=True, mode="promise_in_bounds")
        return cos * state + sin * (sign * other), None

    turns = (jnp.asarray(x), jnp.asarray(z), jnp.cos(half), jnp.sin(half) * phase)
    return jax.lax.scan(turn, psi, turns)[0]


def _mask(word: tuple[str, tuple[int, ...]], size: int, letters: str) -> int:
    """The bits of the wires whose letter is among `letters`."""
    pairs = zip(*word, strict=True)
    return sum(1 << (size - 1 - wire) for letter, wire in pairs if letter in letters)


def _matrix(move: Move, size: int, theta: dict[int, Array], psi: Array) -> Array:
    """A unitary on some wires."""
    ((_, gate),) = move.gates
    k = len(gate.wires)
    U = jnp.asarray(np.array(gate.matrix), psi.dtype).reshape((2,) * (2 * k))
    x = jnp.tensordot(U, psi.reshape((2,) * size), (tuple(range(k, 2 * k)), gate.wires))
    return jnp.moveaxis(x, tuple(range(k)), gate.wires).reshape(-1)


_PASSES = {
    "single": _single,
    "phases": _phases,
    "exchange": _exchange,
    "rotations": _rotations,
    "matrix": _matrix,
}
