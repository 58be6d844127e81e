"""What pieces of an epoch measured, as one line, and the model that a training has learned."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine.learning.averaging import WeightAverage
from intertwine.learning.loop import TrainState


def epoch_scalars(pieces: list[dict[str, float]]) -> dict[str, float]:
    """The scalars of an epoch from those of its chunks: sums of seconds and updates, the last place and
    rate, and means of the rest by updates.

    >>> pieces = [{"updates": 3, "seconds": 1.0, "loss": 2.0}, {"updates": 1, "seconds": 0.5, "loss": 4.0}]
    >>> epoch_scalars(pieces)
    {'updates': 4, 'seconds': 1.5, 'loss': 2.5}
    """
    found: dict[str, float] = {}
    for name in dict.fromkeys(name for piece in pieces for name in piece):
        having = [piece for piece in pieces if name in piece]
        values = [piece[name] for piece in having]
        if name in ("updates", "seconds"):
            found[name] = sum(values)
        elif name in ("step", "epoch", "learning_rate"):
            found[name] = values[-1]
        else:
            found[name] = float(np.average(values, weights=[piece.get("updates", 1) for piece in having]))
    return found


def learned(state: TrainState, mover: PyTree) -> Any:
    """The model of a state: with the averaged parameters where there is an average."""
    if isinstance(mover, WeightAverage):
        return mover.averaged(state.model, state.optimiser_state)
    return state.model
