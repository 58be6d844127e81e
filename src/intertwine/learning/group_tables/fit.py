r"""A network learns the multiplication table of a group: `fit_group_table`.

    fit = it.fit_group_table("S4", key=jax.random.key(0))
    print(it.layers.emergent_symmetry(fit))

The command is `intertwine classify --data group:S4`: the same study, the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine.data.sets.group_tables import as_table_group, table_pairs
from intertwine.layers.networks.table_network import table_network
from intertwine.learning.gradient import OptaxGradient, as_optimiser
from intertwine.learning.group_tables import defaults
from intertwine.learning.group_tables.study import TableFit, TableStudy
from intertwine.learning.schedules import Cosine
from intertwine.learning.study import carry_out
from intertwine.learning.supervised import Loss, Supervised
from intertwine.models.parameters import check_key
from intertwine.symmetry.groups.finite_group import FiniteGroup


def fit_group_table(
    group: FiniteGroup | str,
    network: PyTree = defaults.NETWORK,
    *,
    share: float = defaults.SHARE,
    epochs: int | None = None,
    batch: int = defaults.WHOLE,
    learning_rate: float = defaults.LEARNING_RATE,
    weight_decay: float = defaults.WEIGHT_DECAY,
    optimiser: PyTree = None,
    loss: Loss = "squared-error",
    seed: int = 0,
    key: Array,
    progress: Callable[[dict[str, Any]], object] | None = None,
) -> TableFit:
    r"""Learn the products of a share of the pairs of a group's elements, and look at all pairs on the way.

    group: a `FiniteGroup` of 2 to 256 elements, or its name: "S4", "cyclic:97", "D5", "Q8", "C2xC4".
    network: "quadratic:W" or "relu:W" (`layers.networks.table_network`), or an equinox module: a pair of
        elements (2,) → scores (g,).
    share: of the |G|² pairs, learnt from; seed: which.
    epochs, batch: passes over them (96,000/|G|, from 1,000 to 4,000, unless given), rows of a batch (all of
        them). learning_rate, weight_decay: of AdamW (Loshchilov & Hutter 2019) on all weights, falling along
        half a cosine; optimiser: in their place.
    loss: "squared-error" of scores and one-hot products, or "cross-entropy".
    key: of the first weights. progress: called with each line of the history.

    Where the held-out pairs are not right in the end, or the scores not symmetric, a `Caveat` says so.

    Raises InputError for groups, shares, networks and settings that cannot be.

    >>> import jax
    >>> fit = fit_group_table("Z13", "quadratic:64", share=0.8, epochs=1000, key=jax.random.key(0))
    >>> fit.history[-1]["validation_accuracy"], len(fit.history)
    (1.0, 101)
    """
    study = table_study(
        group, network, share=share, epochs=epochs, batch=batch, learning_rate=learning_rate,
        weight_decay=weight_decay, optimiser=optimiser, loss=loss, seed=seed, key=check_key(key),
    )  # fmt: skip
    fit = carry_out(study, progress=None if progress is None else lambda _, row: progress(row))
    tell(fit.warnings)
    return fit


def table_study(
    group: FiniteGroup | str,
    network: PyTree = defaults.NETWORK,
    *,
    share: float = defaults.SHARE,
    epochs: int | None = None,
    batch: int = defaults.WHOLE,
    learning_rate: float = defaults.LEARNING_RATE,
    weight_decay: float = defaults.WEIGHT_DECAY,
    optimiser: PyTree = None,
    loss: Loss = "squared-error",
    seed: int = 0,
    dtype: DTypeLike = float,
    key: Array,
) -> TableStudy:
    """What `fit_group_table` carries out, and the command too."""
    known = as_table_group(group)
    pairs = table_pairs(known.order, share, seed)
    objective = Supervised(loss)
    epochs = defaults.epochs_of(known.order) if epochs is None else epochs
    epochs = positive_int("epochs", epochs, "give the passes over the pairs")
    batch = positive_int("batch", batch, "give the rows of a mini-batch")
    first, key = jax.random.split(key)
    if isinstance(network, str):
        network = table_network(network, known.order, dtype=dtype, key=first)
    elif getattr(network, "order", known.order) != known.order:
        raise fail(
            "network", f"one of {known.order} elements", f"one of {network.order}", "say 'quadratic:256'"
        )
    if optimiser is None:
        for name, value in (("learning_rate", learning_rate), ("weight_decay", weight_decay)):
            if not (isinstance(value, int | float) and 0 <= value < np.inf) or (name[0] == "l" and not value):
                raise fail(name, "a finite number ≥ 0" if name[0] == "w" else "a positive number", value)
        updates = epochs * (len(pairs[0]) // min(batch, len(pairs[0])))
        falling = Cosine(float(learning_rate), defaults.LAST_RATE * float(learning_rate), updates)
        optimiser = OptaxGradient(_adamw(float(weight_decay)), falling)
    return TableStudy(
        network,
        known,
        pairs,
        objective,
        as_optimiser(optimiser),
        epochs=epochs,
        batch=batch,
        seed=seed,
        key=key,
    )


@cache
def _adamw(weight_decay: float) -> Any:
    """One object a decay, so that fits share compiled programs; all weights decay."""
    import optax

    return optax.adamw(1.0, weight_decay=weight_decay)
