r"""Visible units held at given values: conditional sampling and inpainting.

A clamped Boltzmann machine is the machine on the free units with p(x_free | x_clamped): block Gibbs sampling
with the clamped columns put back after every draw of the visible layer samples it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.data.arrays import as_array, is_missing
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

Clamped = np.ndarray | tuple[ArrayLike, ArrayLike]
"""Rows that are nan where a column is free, or (a mask or column numbers, values)."""


class Clamp(NamedTuple):
    """mask: which columns are held, (N,) or (chains, N). values: of all columns, (N,) or (chains, N); free
    ones are not read."""

    mask: Bool[Array, "... N"]
    values: Float[Array, "... N"]

    def hold(self, v: Float[Array, "... chains N"]) -> Float[Array, "... chains N"]:
        """`v` with the clamped columns at their values."""
        return jnp.where(self.mask, self.values, v)


def clamp_of(clamped: Clamped | None, layer: UnitLayer, chains: int, dtype: DTypeLike) -> Clamp | None:
    """The clamp that `clamped` = (mask (N,) or column numbers (k,), values) describes, or rows (N,) or
    (chains, N) that are nan where a column is free; None for None.

    values: (N,) or (chains, N) for all columns, of which the clamped ones are read, or (k,) or (chains, k)
    for the clamped columns only, in ascending order for a mask and in the order of the numbers.

    Raises InputError for columns out of range or repeated, half a Potts unit, values that the units cannot
    have, and shapes that do not fit.

    >>> clamp = clamp_of(([2, 0], [1.0, 0.0]), UnitLayer.of("binary", 3), 5, jnp.float32)
    >>> clamp.mask.tolist(), clamp.values.tolist()
    ([True, False, True], [0.0, 0.0, 1.0])
    """
    if clamped is None:
        return None
    if isinstance(clamped, np.ndarray):
        return _by_rows(as_array(clamped, "clamped"), layer, chains, dtype)
    try:
        where, values = clamped
    except (TypeError, ValueError):
        raise fail("clamped", "a pair (mask or column numbers, values)", type(clamped).__name__) from None
    columns = _columns(where, layer.size)
    given = np.asarray(values)
    if given.dtype.kind not in "biuf" or given.ndim not in (1, 2):
        raise fail("clamped", "values that are an array (k,) or (chains, k)", f"shape {given.shape}")
    if given.shape[-1] == layer.size:
        given = given[..., columns]
    if given.shape[-1] != len(columns) or (given.ndim == 2 and given.shape[0] != chains):
        expected = f"values of shape ({len(columns)},) or ({chains}, {len(columns)})"
        raise fail("clamped", expected, f"shape {given.shape}", "one value for each clamped column")
    mask = np.zeros(layer.size, bool)
    mask[columns] = True
    full = np.broadcast_to(_lowest(layer, mask), (*given.shape[:-1], layer.size)).copy()
    full[..., columns] = given
    layer.check(full, "clamped")
    return Clamp(jnp.asarray(mask), jnp.asarray(full, dtype))


def _by_rows(rows: np.ndarray, layer: UnitLayer, chains: int, dtype: DTypeLike) -> Clamp:
    """The clamp that holds what is not nan, row by row."""
    if rows.ndim not in (1, 2) or (rows.ndim == 2 and len(rows) != chains):
        expected = f"rows ({layer.size},) or ({chains}, {layer.size}), nan where free"
        raise fail("clamped", expected, f"shape {rows.shape}", "one row per chain")
    layer.check(rows, "clamped", missing=True)
    held = ~is_missing(rows)
    return Clamp(jnp.asarray(held), jnp.asarray(np.where(held, rows, 0), dtype))


def _columns(where: ArrayLike, size: int) -> np.ndarray:
    numbers = np.asarray(where)
    if numbers.dtype == bool and numbers.shape == (size,):
        numbers = np.flatnonzero(numbers)
    good = numbers.ndim == 1 and numbers.size > 0 and numbers.dtype.kind in "iu"
    if not good or numbers.min() < -size or numbers.max() >= size:
        raise fail("clamped", f"a mask ({size},) with a True, or column numbers below {size}", where)
    numbers = numbers % size
    if len(set(numbers.tolist())) < len(numbers):
        raise fail("clamped", "each column once", where)
    return numbers


def _lowest(layer: UnitLayer, mask: np.ndarray) -> np.ndarray:
    """Allowed values for the columns that are not clamped, (N,); an error for half a Potts unit."""
    values, begin = np.zeros(layer.size), 0
    for kind, columns in layer.parts:
        row = unit_kind(kind)
        if row.columns > 1:
            groups = mask[begin : begin + columns].reshape(-1, row.columns)
            if (groups.any(1) != groups.all(1)).any():
                raise fail("clamped", f"all {row.columns} columns of a {kind} unit, or none", "some of them")
        if row.states:
            values[begin : begin + columns] = np.tile(row.states[0], columns // row.columns)
        begin += columns
    return values
