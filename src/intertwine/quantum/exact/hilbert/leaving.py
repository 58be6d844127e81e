"""Whether an operator keeps the numbers of a space: particles, magnetization, parity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.exact.hilbert.moves import moves_of
from intertwine.quantum.exact.hilbert.packing import packing_of
from intertwine.quantum.exact.hilbert.symmetries import some_patterns, targets_of
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator


def number_broken(H: QuantumOperator, space: HilbertSpace) -> Bound | None:
    """A conserved number of the space that H changes, or None. Elements that lead out of constraints (a
    blockade) are taken as 0, but a number is either kept or not.

    >>> import intertwine as it
    >>> chain = it.Fermions(3, 1)
    >>> number_broken(it.Operator.from_strings(3, [(1.0, "XII")]), chain).name
    'particles'
    >>> number_broken(it.Operator.from_strings(3, [(1.0, "XXI"), (1.0, "YYI")]), chain)
    """
    if not space.numbers:
        return None
    packing = packing_of(space)
    moves = moves_of(H, packing, space.levels)[1]
    states = some_patterns(space)
    found = [targets_of(states, k, moves) for k in range(moves.count)]
    tolerance = 1e-12 * max([1e-300, *(float(np.max(np.abs(v), initial=0.0)) for v, _ in found)])
    sums: dict[bytes, list[np.ndarray]] = {}
    for values, targets in found:  # several tables may lead to the same patterns, and cancel
        one = sums.setdefault(targets.tobytes(), [np.zeros(len(states), complex), targets])
        one[0] = one[0] + values
    there = [targets[np.abs(values) > tolerance] for values, targets in sums.values()]
    reached = np.unique(np.concatenate([*there, np.zeros(0, np.int64)]))
    levels = packing.unpacked(reached)
    return next((bound for bound in space.numbers if not np.all(bound.holds(levels))), None)


def require_kept(H: QuantumOperator, space: HilbertSpace) -> None:
    """InputError where H leaves the space."""
    broken = number_broken(H, space)
    if broken is not None:
        value = broken.low if broken.told is None else broken.told
        remedy = "take a space without that number, or add the term that brings it back"
        raise fail(
            "H", f"an operator that keeps {broken.name} = {value}", "one that leaves the space", remedy
        )
