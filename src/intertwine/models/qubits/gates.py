r"""Gates of qubits, and layers of them.

    rotations    R_P(θ) = e^{−iθP/2} = cos(θ/2) − i sin(θ/2) P,     P a word of Pauli matrices on some wires
    fixed        h, x, y, z, s, t, cnot, cz, swap, and any unitary matrix

(Nielsen & Chuang 2000, ch. 4.) |0⟩ is s = +1, |1⟩ is s = −1, wire 0 is the most significant bit, as in the
matrices of operators. The angle of a rotation is θ = factor · λ + angle, with λ a parameter of the circuit:
one of its own, one that gates of a layer share by name, or none. With factor 2 the rotation is e^{−iλP}.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, finite_number, positive_int

_R = 1 / math.sqrt(2)
FIXED: dict[str, tuple[tuple[complex, ...], ...]] = {
    "h": ((_R, _R), (_R, -_R)),
    "x": ((0, 1), (1, 0)),
    "y": ((0, -1j), (1j, 0)),
    "z": ((1, 0), (0, -1)),
    "s": ((1, 0), (0, 1j)),
    "t": ((1, 0), (0, complex(_R, _R))),
}
"""The matrices of fixed gates of one wire."""
MOST_WIRES = 6
"""Wires of a gate that is given as a matrix."""


class Gate(NamedTuple):
    """One gate, as data: made by the functions of this module.

    name: "rotation", "unitary", "cnot", "cz", "swap" or a name of `FIXED`. wires: the qubits. word: the Pauli
    letters of a rotation, one a wire. parameter: the name of its λ; "" for one of its own, None for none.
    angle, factor: θ = factor · λ + angle. matrix: rows of a unitary.
    """

    name: str
    wires: tuple[int, ...]
    word: str = ""
    parameter: str | None = None
    angle: float = 0.0
    factor: float = 1.0
    matrix: tuple[tuple[complex, ...], ...] = ()

    @property
    def is_rotation(self) -> bool:
        return self.name == "rotation"


class Layer(NamedTuple):
    """Gates one after another, `repeat` times, each time with parameters of their own.

    >>> layer([ry(0), ry(1), cz(0, 1)], repeat=3).parameters
    ('ry 0', 'ry 1')
    """

    gates: tuple[Gate, ...]
    repeat: int = 1

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of λ of one repetition, in the order in which they come first."""
        names: dict[str, None] = {}
        for place, gate in enumerate(self.gates):
            if gate.parameter is not None:
                names[name_of(gate, place)] = None
        return tuple(_told_apart(names))


def name_of(gate: Gate, place: int) -> str:
    """What the λ of a gate is known by in its layer: its name, or its place if it is the gate's own."""
    return gate.parameter or f"\0{place} r{gate.word.lower()} {','.join(map(str, gate.wires))}"


def _told_apart(names: dict[str, None]) -> list[str]:
    """Names of gates' own parameters as they are read: the place only where two would be alike."""
    shown = [n.split(" ", 1)[1] if n.startswith("\0") else n for n in names]
    return [s if shown.count(s) == 1 else f"{s} #{shown[:k].count(s) + 1}" for k, s in enumerate(shown)]


def layer(gates: Iterable[Gate], repeat: int = 1) -> Layer:
    """A `Layer` of gates, `repeat` times. Raises InputError for what is no gate."""
    found = tuple(gates)
    for gate in found:
        if not isinstance(gate, Gate):
            raise fail("gates", "gates such as it.qubits.ry(0) and it.qubits.cz(0, 1)", gate)
    return Layer(found, positive_int("repeat", repeat, "give how often the layer is repeated"))


def rotation(
    word: str, wires: Iterable[int], parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0
) -> Gate:
    """e^{−iθP/2} with P the Pauli letters `word` on `wires`, θ = factor · λ + angle.

    parameter: "" for a λ of its own, a name for one that all gates of the layer with that name share, None
    for the fixed angle.

    >>> rotation("XY", (0, 2), "beta").word
    'XY'
    """
    wires = _wires(wires)
    if not isinstance(word, str) or len(word) != len(wires) or set(word) - set("XYZ") or not word:
        raise fail("word", f"{len(wires)} letters of X, Y and Z, one a wire", word)
    if parameter is not None and not isinstance(parameter, str):
        raise fail("parameter", "a name, or None for a fixed angle", parameter, "give the angle as angle=")
    factor = finite_number("factor", factor)
    if parameter is not None and factor == 0:
        raise fail("factor", "a number other than 0", factor, "take parameter=None for a fixed angle")
    return Gate("rotation", wires, word, parameter, finite_number("angle", angle), factor)


def rx(wire: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθX/2}; see `rotation`."""
    return rotation("X", (wire,), parameter, angle=angle, factor=factor)


def ry(wire: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθY/2}; see `rotation`."""
    return rotation("Y", (wire,), parameter, angle=angle, factor=factor)


def rz(wire: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθZ/2}; see `rotation`."""
    return rotation("Z", (wire,), parameter, angle=angle, factor=factor)


def rxx(a: int, b: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθXX/2}; see `rotation`."""
    return rotation("XX", (a, b), parameter, angle=angle, factor=factor)


def ryy(a: int, b: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθYY/2}; see `rotation`."""
    return rotation("YY", (a, b), parameter, angle=angle, factor=factor)


def rzz(a: int, b: int, parameter: str | None = "", *, angle: float = 0.0, factor: float = 1.0) -> Gate:
    """e^{−iθZZ/2}; see `rotation`."""
    return rotation("ZZ", (a, b), parameter, angle=angle, factor=factor)


def h(wire: int) -> Gate:
    """Hadamard's gate (X + Z)/√2."""
    return Gate("h", _wires((wire,)))


def x(wire: int) -> Gate:
    """Pauli X."""
    return Gate("x", _wires((wire,)))


def y(wire: int) -> Gate:
    """Pauli Y."""
    return Gate("y", _wires((wire,)))


def z(wire: int) -> Gate:
    """Pauli Z."""
    return Gate("z", _wires((wire,)))


def s(wire: int) -> Gate:
    """diag(1, i)."""
    return Gate("s", _wires((wire,)))


def t(wire: int) -> Gate:
    """diag(1, e^{iπ/4})."""
    return Gate("t", _wires((wire,)))


def cnot(control: int, target: int) -> Gate:
    """X on `target` where `control` is 1."""
    return Gate("cnot", _wires((control, target)))


def cz(a: int, b: int) -> Gate:
    """−1 where both are 1."""
    return Gate("cz", _wires((a, b)))


def swap(a: int, b: int) -> Gate:
    """The two qubits exchanged."""
    return Gate("swap", _wires((a, b)))


def unitary(matrix: ArrayLike, wires: Iterable[int]) -> Gate:
    """Any unitary on `wires`: (2^k, 2^k) for k of them, the first the most significant bit.

    Raises InputError where it is not unitary (to 1e-6), or of another shape.

    >>> unitary([[0, 1j], [1j, 0]], (1,)).wires
    (1,)
    """
    wires = _wires(wires)
    remedy = "give the rows of U, the first wire the most significant bit"
    if len(wires) > MOST_WIRES:
        raise fail("wires", f"at most {MOST_WIRES} wires of a gate given as a matrix", f"{len(wires)}")
    try:
        U = np.asarray(matrix, np.complex128)
    except (TypeError, ValueError):
        raise fail("matrix", "a unitary matrix", matrix, remedy) from None
    if U.shape != (2 ** len(wires),) * 2:
        expected = f"a matrix of shape {(2 ** len(wires),) * 2} for {len(wires)} wires"
        raise fail("matrix", expected, f"shape {U.shape}", remedy)
    if not np.allclose(U @ U.conj().T, np.eye(len(U)), atol=1e-6):  # also where it is not a number
        worst = float(np.abs(U @ U.conj().T - np.eye(len(U))).max())
        raise fail("matrix", "a unitary matrix", f"one with |U U† − 1| up to {worst:.2g}")
    return Gate("unitary", wires, matrix=tuple(map(tuple, U.tolist())))


def _wires(wires: Iterable[int]) -> tuple[int, ...]:
    """Different whole numbers ≥ 0."""
    found = []
    for wire in wires:
        if isinstance(wire, bool) or not isinstance(wire, int | np.integer) or wire < 0:
            raise fail("wires", "numbers of qubits, from 0 up", wire)
        found.append(int(wire))
    if len(set(found)) < len(found) or not found:
        raise fail("wires", "different qubits for one gate", tuple(found))
    return tuple(found)
