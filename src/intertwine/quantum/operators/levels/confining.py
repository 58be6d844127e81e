r"""P A P of a `LevelOperator`: a move that changes a conserved number has no element, one that touches a
constraint only where it holds before and after."""

from __future__ import annotations

import numpy as np

from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.levels.terms import Move, Terms, shifted
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def projected_levels(operator: LevelOperator, space: HilbertSpace) -> LevelOperator:
    """P A P on `space`, see `projection.projected`.

    >>> from intertwine.quantum.operators.algebra.modes import create
    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> projected_levels(create(Bosons(2, most=2), 0), Bosons(2, 2)).n_terms
    0
    """
    out = Terms(space.levels, space.fermionic)
    for key, table in operator.tables().items():
        modes, steps = key.modes, dict(key.move)
        touched = [bound for bound in space.bounds if set(bound.modes) & set(steps)]
        if not all(_kept(bound, steps) for bound in touched if bound.is_number):
            continue
        for bound in touched:
            if not _kept(bound, steps):
                modes, table = out.widened(modes, table, bound.modes)
                table = table * _inside(space, modes, key.move, bound)
        out.add(key.move, modes, out.string(key.move) ^ frozenset(key.signs), table)
    return LevelOperator.from_tables(space, out.tables(), name=operator.name, turned=operator.turned)


def _kept(bound: Bound, steps: dict[int, int]) -> bool:
    change = sum(w * steps.get(i, 0) for i, w in zip(bound.modes, bound.weights, strict=True))
    return (change if bound.modulus is None else change % bound.modulus) == 0


def _inside(space: HilbertSpace, modes: tuple[int, ...], move: Move, bound: Bound) -> np.ndarray:
    """Whether the bound holds before and after, over the levels of `modes`."""
    shape = [space.levels[m] for m in modes]
    levels = np.zeros((*shape, space.size), int)
    for axis, mode in enumerate(modes):
        levels[..., mode] = np.arange(shape[axis]).reshape(
            [-1 if a == axis else 1 for a in range(len(shape))]
        )
    before = bound.holds(levels).astype(float)
    return before * shifted(before, modes, move)
