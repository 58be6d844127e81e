r"""What learning from labels takes where nothing is given: one place for `fit_supervised`, `learn_classifier`
and the command `classify`.

AdamW (Loshchilov & Hutter 2019) with decoupled decay of the arrays with three axes or more (the kernels of
convolutions); its rate rises along a line over the share `WARMUP` of all updates and falls along half a
cosine to the share `LAST_RATE` of its largest value.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jaxtyping import PyTree

from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.schedules import Cosine, Warmup

EPOCHS, BATCH = 30, 64
LEARNING_RATE, LAST_RATE, WARMUP = 1e-2, 1e-3, 0.05
WEIGHT_DECAY = 1e-4


def default_optimiser(
    updates: int,
    *,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
) -> OptaxGradient:
    """The optimiser of a fit of so many updates. learning_rate: the largest. warmup: a share of the updates.

    >>> rate = default_optimiser(100).learning_rate
    >>> [round(rate(k), 6) for k in (0, 5, 50, 100)]
    [0.001667, 0.009939, 0.005005, 1e-05]
    """
    falling = Cosine(learning_rate, LAST_RATE * learning_rate, updates)
    return OptaxGradient(_adamw(weight_decay), Warmup(falling, round(warmup * updates)))


@cache
def _adamw(weight_decay: float) -> Any:
    """One object a decay, so that fits share compiled programs; biases and norms are not drawn to zero."""
    import jax
    import optax

    def kernels(tree: PyTree) -> Any:
        return jax.tree.map(lambda leaf: leaf.ndim > 2, tree)

    return optax.adamw(1.0, weight_decay=weight_decay, mask=kernels)
