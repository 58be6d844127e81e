"""What learning from structures takes where nothing is given: one place for `fit_structures` and the
commands."""

from __future__ import annotations

from functools import cache
from typing import Any

from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.defaults import WARMUP
from intertwine.learning.schedules import Linear, Warmup

EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, AVERAGE = 100, 5, 5e-3, 0.0, 0.99
NETWORK, SPACE = "nequip:16", "points:5.0"
RESIDUE_NETWORK, RESIDUE_SPACE = "residues:16", "points:12.0:16"
"""Of proteins by residue, whose Cα are 3.8 Å apart."""
TEST_SHARE = 0.1
"""Of a file's structures, held out of a command to be tested with at the end."""
FEW, FEW_HELD, RARE = 4, 10, 3
"""Fewer structures than the first are all learnt from; fewer held out than the second are said to be few; an
element of fewer than the third is said to be rare."""
ALONE = 0.1
"""More points without a neighbour, as a share of all, are told."""


def structure_optimiser(
    updates: int,
    *,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
) -> OptaxGradient:
    """AdamW of so many updates, whose rate rises over the share `warmup` of them and falls along a line to 0.

    Second moments are remembered over a hundred updates, and long gradients are cut to the norm 10: forces of
    structures that are far from the others are large.

    >>> rate = structure_optimiser(100).learning_rate
    >>> [round(rate(k), 6) for k in (0, 2, 50, 100)]
    [0.000833, 0.00245, 0.0025, 0.0]
    """
    return OptaxGradient(
        _clipped(weight_decay), Warmup(Linear(learning_rate, 0.0, updates), round(warmup * updates))
    )


@cache
def _clipped(weight_decay: float) -> Any:
    """One object a decay, so that fits share compiled programs."""
    import optax

    return optax.chain(optax.clip_by_global_norm(10.0), optax.adamw(1.0, b2=0.99, weight_decay=weight_decay))
