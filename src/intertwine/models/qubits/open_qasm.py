r"""A circuit as OpenQASM 3, for devices and other simulators.

A rotation about a word of Pauli matrices becomes one about Z: with V the changes of basis (h for X, rx(π/2)
for Y) and a ladder of cnots,  e^{−iθP/2} = V† CNOT… R_z(θ) …CNOT V.
"""

from __future__ import annotations

import math

from intertwine._checks import fail
from intertwine.models.qubits.circuit import Circuit
from intertwine.models.qubits.gates import Gate

_NAMES = {"cnot": "cx"}


def qasm(circuit: Circuit) -> str:
    """The circuit in OpenQASM 3 with its angles in radians, gates of `stdgates.inc` alone.

    Raises InputError for gates that were given as a matrix.

    >>> import intertwine as it
    >>> print(qasm(it.Circuit(2, [it.qubits.h(0), it.qubits.rzz(0, 1, None, angle=0.5)])))
    OPENQASM 3.0;
    include "stdgates.inc";
    qubit[2] q;
    h q[0];
    cx q[0], q[1];
    rz(0.5) q[1];
    cx q[0], q[1];
    """
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";', f"qubit[{circuit.size}] q;"]
    if circuit.begin == "plus":
        lines += [_line("h", (wire,)) for wire in range(circuit.size)]
    for gate, angle in circuit.gates():
        lines += _lines(gate, angle)
    return "\n".join(lines)


def _lines(gate: Gate, angle: float) -> list[str]:
    if gate.name == "unitary":
        raise fail("circuit", "gates that OpenQASM has", "one given as a matrix", "write it in other gates")
    if not gate.is_rotation:
        return [_line(_NAMES.get(gate.name, gate.name), gate.wires)]
    if len(gate.wires) == 1:
        return [_line(f"r{gate.word.lower()}({angle!r})", gate.wires)]
    there, back = [], []
    for wire, letter in zip(gate.wires, gate.word, strict=True):
        if letter == "X":
            there.append(_line("h", (wire,)))
            back.append(_line("h", (wire,)))
        elif letter == "Y":
            there.append(_line(f"rx({math.pi / 2!r})", (wire,)))
            back.append(_line(f"rx({-math.pi / 2!r})", (wire,)))
    ladder = [_line("cx", pair) for pair in zip(gate.wires, gate.wires[1:], strict=False)]
    return [*there, *ladder, _line(f"rz({angle!r})", gate.wires[-1:]), *reversed(ladder), *back]


def _line(name: str, wires: tuple[int, ...]) -> str:
    return f"{name} {', '.join(f'q[{wire}]' for wire in wires)};"
