"""Every default of learning a distribution, in one place: `it.learn`, the estimators and the command read it.

A setting that is None (or "auto") is decided by `course.course`, from these numbers, the units and the data,
so that the three doors choose the same on the same data.
"""

from __future__ import annotations

from jaxtyping import PyTree

DISCRETE_RATE, CONTINUOUS_RATE = 0.1, 0.005
"""Where the learning rate begins, for machines of discrete units, and of others (whose energies have no
bounds); it falls along a straight line to LAST_RATE of that."""
LAST_RATE = 1e-3
WIDTHS_RATE = 0.01
"""The same for Gaussian columns with widths and two-state hidden units: steps are measured in widths."""

LEAST_UPDATES = 2000
"""Updates, at least, for passes that are not said: few rows are few updates per pass."""

MODES_RATE = 0.05
"""The same for discrete data of several modes (`clusters`)."""
APART_RATE = 0.02
"""The same where these lie apart and the hidden units are too few for one each: an update moves their shares
in the model at once, by the rate times all units that tell them apart, and above this they are thrown to and
fro."""

DEEP_RATE, UP_DOWN_RATE = 0.05, 0.01
"""The same for deep Boltzmann machines of discrete units and their layers, and for up-down fine-tuning."""
WARM_UP = 1000
"""Sweeps of the chains of a machine that has learned before, ahead of its first update."""

EPOCHS, BATCH = 10, 100
"""Passes over the data, at least, and rows a mini-batch."""
MODES_UPDATES = 6000
"""Updates, at least, of data of several modes, for passes that are not said."""

AVERAGE = 0.999
"""Share of the past that the averaged parameters keep at an update."""

CHAINS, STEPS = 100, 1
"""Persistent chains, and sweeps of theirs an update."""

SCALE = 0.01
"""Standard deviation of the weights at the beginning."""

MEAN_ROWS = 10_000
"""Rows of the data, spread over all, whose means the visible units begin at (`beginning`)."""
UNSEEN = 1 / 3
"""Rows that a value counts for there which none has."""


def is_discrete(model: PyTree) -> bool:
    """Whether all units of a machine of layers have finitely many values."""
    layers = getattr(model, "layers", None) or (model.visible_layer, model.hidden_layer)
    return all(layer.is_discrete for layer in layers)


def first_rate(model: PyTree) -> float:
    """Where the learning rate of `model` begins."""
    visible, hidden = (getattr(model, name, None) for name in ("visible_layer", "hidden_layer"))
    if getattr(visible, "log_variance", None) is not None and hidden is not None and hidden.is_two_state:
        return WIDTHS_RATE
    return DISCRETE_RATE if is_discrete(model) else CONTINUOUS_RATE


def passes(per_epoch: int, updates: int = LEAST_UPDATES) -> int:
    """Passes over data of `per_epoch` mini-batches where nothing is said: EPOCHS, and enough for so many
    updates."""
    return max(EPOCHS, -(-updates // per_epoch))
