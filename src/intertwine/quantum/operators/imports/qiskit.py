"""Operators of qiskit: a `SparsePauliOp` as spins ½, qubit i on site i.

Qiskit writes qubit 0 last ("XYZ" has Z on qubit 0) and numbers basis states with it as the least significant
bit; here site 0 is the most significant one. So `from_qiskit(op).to_dense()` is
`op.to_operator().reverse_qargs().data`. A qubit in |0⟩ is a spin up, s = +1.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.place import Place


@runtime_checkable
class SparsePauliOp(Protocol):
    """What is asked of qiskit's class of that name."""

    paulis: Any
    coeffs: Any
    num_qubits: Any


def from_qiskit(operator: SparsePauliOp, place: Place | None = None) -> Operator:
    """The operator of a `qiskit.quantum_info.SparsePauliOp` (`pip install qiskit`), qubit i on site i.

    place: the lattice or graph of its sites, whose symmetries networks may then use. Raises `InputError` for
    other objects, and for coefficients that are parameters without a value.

    >>> from qiskit.quantum_info import SparsePauliOp                             # doctest: +SKIP
    >>> from_qiskit(SparsePauliOp(["IIZ", "XXI"], [1.0, 0.5])).strings()          # doctest: +SKIP
    [((1+0j), {0: 'Z'}), ((0.5+0j), {1: 'X', 2: 'X'})]
    """
    if not isinstance(operator, SparsePauliOp):
        remedy = "make one with qiskit.quantum_info.SparsePauliOp (pip install qiskit)"
        raise fail("operator", "a SparsePauliOp of qiskit", operator, remedy)
    size = int(operator.num_qubits)
    x, z = (np.asarray(table, bool).reshape(-1, size) for table in (operator.paulis.x, operator.paulis.z))
    try:
        c = np.asarray(operator.coeffs).astype(np.complex128)
    except (TypeError, ValueError):
        got, remedy = "parameters without a value", "assign_parameters first"
        raise fail("operator", "numbers as coefficients", got, remedy) from None
    if not np.isfinite(c).all():
        raise fail("operator", "finite coefficients", "NaN or infinity")
    phase = (-1j) ** (np.asarray(operator.paulis.phase, int) % 4)
    terms = pauli.PauliSum(x, z, c * phase * (-1j) ** (pauli.y_counts(x, z) % 4))
    return Operator.from_masks(size, pauli.canonical(terms), lattice=place)
