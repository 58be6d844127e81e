r"""Sums of many operators at once, commutators and anticommutators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.quantum.operators.protocols import QuantumOperator


def total(operators: Iterable[QuantumOperator]) -> QuantumOperator:
    """The sum of many operators: what `sum` gives, in one step rather than one for each.

    >>> from intertwine.quantum.operators.algebra.modes import number
    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> particles = total(number(Fermions(3, 2), i) for i in range(3))
    >>> particles.to_dense().diagonal().tolist()
    [2.0, 2.0, 2.0]
    """
    rows: list[Any] = list(operators)
    if not rows:
        raise fail("operators", "one operator at least", "none")
    if isinstance(rows[0], LevelOperator):
        return rows[0].joined(rows[1:])
    for t, row in enumerate(rows):
        if not isinstance(row, Operator):
            raise fail(f"operators[{t}]", "an operator", row)
        if row.size != rows[0].size:
            expected = f"an operator on {rows[0].size} sites, as the first one is"
            raise fail(f"operators[{t}]", expected, f"one on {row.size} sites")
    frame = next((row.turned for row in rows if row.turned), ())
    space, lattices = None, []
    for row in rows:
        space = pauli.same_space(space, row.hilbert)
        if row.lattice is not None and row.lattice not in lattices:
            lattices.append(row.lattice)
    masks = [row.in_frame(frame).masks() for row in rows]
    joined = PauliSum(*(np.concatenate(field) for field in zip(*masks, strict=True)))
    return Operator.from_masks(
        rows[0].size,
        pauli.canonical(joined),
        lattice=lattices[0] if len(lattices) == 1 else None,
        turned=frame,
        hilbert=space,
    )


def commutator(a: QuantumOperator, b: QuantumOperator) -> QuantumOperator:
    """[A, B] = A B − B A.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.quantum.operators.algebra.modes import annihilate, number
    >>> modes = Fermions(2)
    >>> commutator(number(modes, 0), annihilate(modes, 0)).is_close(-annihilate(modes, 0))
    True
    """
    return a @ b - b @ a


def anticommutator(a: QuantumOperator, b: QuantumOperator) -> QuantumOperator:
    """{A, B} = A B + B A.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.quantum.operators.algebra.modes import annihilate, create
    >>> modes = Fermions(2)
    >>> anticommutator(annihilate(modes, 0), create(modes, 1)).n_strings
    0
    """
    return a @ b + b @ a
