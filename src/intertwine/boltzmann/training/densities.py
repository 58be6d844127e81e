r"""Normalised densities learn from rows: one stage, exact gradients (`objectives.density`).

Rows are configurations of the model's Hilbert space as it writes them (spins ±1, levels), or 0 and 1 for the
spins −1 and +1, for empty and occupied modes. Adam with a rate that falls along a straight line, unless an
optimiser is given.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.defaults import passes
from intertwine.boltzmann.likelihood.densities import are_configurations, bits_of
from intertwine.boltzmann.objectives.density import DensityLikelihood
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.learning.batches import Batches, blocks
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.schedules import Linear
from intertwine.learning.stages import Stage
from intertwine.models.protocols import Tabulates

RATE, ANGLE_RATE, LAST = 3e-3, 3e-2, 1e-2
"""Of Adam at the first update, of networks and of circuits, and the share of it at the last."""
_UNSAID = Teaching()


def density_stages(model: PyTree, batches: Batches, teaching: Teaching, *, key: Array) -> tuple[Stage, ...]:
    """One stage. Raises InputError for rows outside the model's Hilbert space, and settings of machines."""
    for name in ("method", "standardised", "weight_decay", "l1", "sparsity"):
        if getattr(teaching, name) != getattr(_UNSAID, name):
            expected = "left out for a normalised density"
            raise fail(name, expected, getattr(teaching, name), "its likelihood is exact")
    bits = _bits(model, batches)
    epochs = passes(batches.per_epoch) if teaching.epochs is None else teaching.epochs
    epochs = positive_int("epochs", epochs, "give the passes over the data")
    optimiser = teaching.optimiser
    if optimiser is None:
        first = ANGLE_RATE if isinstance(model, Tabulates) else RATE
        rate = Linear(first, LAST * first, epochs * batches.per_epoch)
        optimiser = OptaxGradient(_adam(), rate if teaching.learning_rate is None else teaching.learning_rate)
    mover = Teaching(optimiser=optimiser, average=teaching.average).descent(epochs * batches.per_epoch, RATE)
    stage = Stage(
        "", epochs, batches.per_epoch, lambda _: model, DensityLikelihood(bits), mover,
        lambda _machines, _number, _key: batches, refresh=0, key=key,
    )  # fmt: skip
    return (stage,)


@cache
def _adam() -> Any:
    """One object, so that all runs share compiled programs."""
    import optax

    return optax.adam(1.0)


def _bits(model: PyTree, batches: Batches) -> int:
    """How the rows are written (`bits_of`); InputError for rows outside the space."""
    space, rows = model.hilbert, batches.arrays[0]
    if batches.missing or batches.binarise:
        raise fail("data", "rows without missing or grey entries", "others", "fill or draw them first")
    if rows.ndim != 2 or rows.shape[1] != space.size:
        raise fail("data", f"rows of {space.size} columns", f"shape {rows.shape}")
    bits = bits_of(space, not any((block < 0).any() for _, block in blocks(rows)))
    for begin, block in blocks(rows):
        if not are_configurations(space, np.asarray(block), bits):
            got = f"others, in rows {begin} to {begin + len(block) - 1}"
            raise fail("data", f"configurations of {space!r}", got, "as the space writes them, or 0 and 1")
    return bits
