r"""Which moves stay inside a Hilbert space: for each move the bounds that it can break.

A bound low ≤ Σ_i w_i n_i ≤ high (`spaces.hilbert.bounds`) is looked at again only after moves that can change
its sum: an exchange or a hop between modes of one weight keeps it, and so does a flip of two modes a parity.
So the moves of fermions with conserved numbers are sampled as fast as those of free spins, and a flip of an
atom looks at its neighbours alone.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Int32

from intertwine._checks import fail
from intertwine.sampling.metropolis.rules import MoveTable
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class Checks(NamedTuple):
    """The bounds that moves can break, as arrays.

    rows: (moves, K), for each move the bounds to look at, padded with the last one, which always holds.
    modes: (B, D) of each bound, padded with N. weights: (B, D), 0 where padded. low, high: (B,). modulus:
    (B,), 0 for none.
    """

    rows: Int32[np.ndarray, "moves K"]
    modes: Int32[np.ndarray, "B D"]
    weights: Int32[np.ndarray, "B D"]
    low: Int32[np.ndarray, "B"]
    high: Int32[np.ndarray, "B"]
    modulus: Int32[np.ndarray, "B"]


def checks(space: HilbertSpace | None, table: MoveTable) -> Checks | None:
    """What is to be looked at after the moves of `table`; None where all of them stay inside.

    >>> from intertwine.sampling.metropolis.rules import Exchange, SingleFlip
    >>> from intertwine.spaces.hilbert.kinds import Fermions, Rydberg
    >>> from intertwine.spaces.lattices import Chain
    >>> checks(Fermions(Chain(4), 2), Exchange(Chain(4)).table(4)) is None
    True
    >>> checks(Rydberg(Chain(4)), SingleFlip().table(4)).rows.tolist()       # two bonds of each atom
    [[0, 1], [0, 2], [2, 3], [1, 3]]
    """
    if space is None or not space.bounds:
        return None
    broken = [_can_break(space, bound, table) for bound in space.bounds]
    kept = [b for b, moves in enumerate(broken) if moves.any()]
    if not kept:
        return None
    matrix = np.stack([broken[b] for b in kept], axis=1)
    most = int(matrix.sum(1).max())
    rows = np.full((len(matrix), most), len(kept), np.int32)
    for m, row in enumerate(matrix):
        rows[m, : row.sum()] = np.flatnonzero(row)
    bounds = [space.bounds[b] for b in kept]
    wide = max(len(bound.modes) for bound in bounds)
    modes = np.full((len(kept) + 1, wide), space.size, np.int32)
    weights = np.zeros((len(kept) + 1, wide), np.int32)
    for b, bound in enumerate(bounds):
        modes[b, : len(bound.modes)], weights[b, : len(bound.modes)] = bound.modes, bound.weights
    low, high = (np.array([*(getattr(b, n) for b in bounds), 0], np.int32) for n in ("low", "high"))
    modulus = np.array([*(b.modulus or 0 for b in bounds), 0], np.int32)
    return Checks(rows, modes, weights, low, high, modulus)


def _can_break(space: HilbertSpace, bound: Bound, table: MoveTable) -> Bool[np.ndarray, " moves"]:
    """Whether each move can change the sum of the bound."""
    weights = np.zeros(space.size + 1, int)
    weights[list(bound.modes)] = bound.weights
    own = weights[table.sites]
    if table.shifts is not None:
        change = np.sum(own * table.shifts, axis=1)
        if bound.modulus is not None:
            change %= bound.modulus
        return change != 0
    touched = np.any(own != 0, axis=1)
    if bound.modulus == 2:  # a flip changes n by 1, up or down
        touched = np.sum(own, axis=1) % 2 == 1
    swapped = own[:, 0] != own[:, min(1, own.shape[1] - 1)]
    return np.where(table.exchange, swapped, touched)


def stays_inside(checked: Checks, rows: Array, levels: Array) -> Bool[Array, ""]:
    """Whether the bounds `rows` (K,) of `checked` hold for the levels (N,) of a configuration, in JAX."""
    sums = jnp.sum(
        jnp.asarray(checked.weights)[rows] * levels.at[jnp.asarray(checked.modes)[rows]].get(mode="clip"),
        axis=-1,
    )
    modulus = jnp.asarray(checked.modulus)[rows]
    sums = jnp.where(modulus > 0, sums % jnp.maximum(modulus, 1), sums)
    return jnp.all((sums >= jnp.asarray(checked.low)[rows]) & (sums <= jnp.asarray(checked.high)[rows]))


def moved_levels(space: HilbertSpace, table: MoveTable, m: int, levels: np.ndarray) -> np.ndarray:
    """The levels (n, N) after move m of `table`, on the host, whether or not they are in the space; where
    the move is null, as they are."""
    after = levels.copy()
    sites = table.sites[m][table.sites[m] < space.size]
    if table.shifts is not None:
        after[:, sites] += table.shifts[m, : len(sites)]
        d = np.asarray(space.levels)[sites]
        null = np.any((after[:, sites] < 0) | (after[:, sites] >= d), axis=1)
        after[null] = levels[null]
    elif table.exchange[m]:
        after[:, sites] = levels[:, sites[::-1]]
        null = np.any(after[:, sites] >= np.asarray(space.levels)[sites], axis=1)
        after[null] = levels[null]
    else:
        after[:, sites] = 1 - levels[:, sites]
    return after


def check_size(space: HilbertSpace | None, size: int) -> None:
    """Raise unless a model of `size` fits the space."""
    if space is not None and space.size != size:
        remedy = "build the model with size=space.size"
        raise fail("model", f"one of {space.size} modes, as {space!r} has", f"one of {size}", remedy)
