"""The rows that a machine learns from: as mini-batches, and checked against its visible units."""

from __future__ import annotations

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.data.dataset import Dataset, one_row
from intertwine.learning.batches import Batches, blocks, check_known


def batches_of(data: PyTree, batch: int, *, seed: int, binarise: bool) -> Batches:
    """Mini-batches of arrays, of a `Dataset`, or `data` if they are some already."""
    if isinstance(data, Batches):
        return data
    if isinstance(data, Dataset):
        if len(data.train) < 2:
            raise one_row(data.name, data.train)
        rows = data.train if data.weights is None else (data.train, data.weights)
        return Batches(rows, batch, seed=seed, binarise=data.grey)
    return Batches(data, batch, seed=seed, binarise=binarise)


def order_of(key: Array) -> int:
    """The seed of the order of the rows that belongs to a key.

    >>> order_of(jax.random.key(7))
    7
    """
    return int(jax.random.key_data(key).ravel()[-1])


def check_rows(model: PyTree, batches: Batches, *, missing: bool = False) -> None:
    """Raise InputError unless every row holds values that the visible units can have, a block at a time; nan
    as well where entries may be `missing`."""
    rows, weights = batches.arrays[0], batches.arrays[1:]
    if len(weights) > 1:
        raise fail("data", "rows, or (rows, weights)", f"{len(batches.arrays)} arrays")
    if rows.ndim != 2:
        raise fail("data", f"an array (rows, {model.size})", f"shape {rows.shape}", "flatten each example")
    if batches.missing and not missing:
        remedy = "fill them in, for example with it.complete of an RBM, which learns from such rows"
        raise fail("data", "rows without missing entries for this machine", "nan among them", remedy)
    check_known(rows)
    if weights and not (np.isfinite(weights[0]).all() and (weights[0] >= 0).all() and weights[0].sum() > 0):
        raise fail("weights", "finite numbers ≥ 0 with a positive sum", weights[0])
    if batches.binarise:
        if not all(kind.partition(":")[0] in ("binary", "potts") for kind, _ in model.visible_layer.parts):
            raise fail("binarise", "binary visible units", model.units)
        if rows.shape[1] != model.size:
            raise fail("data", f"rows of {model.size} columns", f"shape {rows.shape}")
        return
    for begin, block in blocks(rows):
        try:
            model.visible_layer.check(block, "data", missing=missing)
        except ValueError as error:
            byte = block.dtype == np.uint8
            between = block.dtype.kind == "f" and bool(((block >= 0) & (block <= 1) | np.isnan(block)).all())
            grey = model.units == "binary" and block.shape[-1] == model.size and (byte or between)
            hint = "; grey values are drawn as binary ones with binarise=True" if grey else ""
            where = f" (in rows {begin} to {begin + len(block) - 1})" if begin else ""
            raise type(error)(str(error).rstrip(".") + where + hint + ".") from None


def check_rows_alone(model: PyTree, batches: Batches) -> None:
    """The same for machines that take neither weights of rows nor missing entries."""
    if not batches.single:
        raise fail("data", "rows alone", "rows and weights", "repeat rows, or take an RBM")
    check_rows(model, batches)
