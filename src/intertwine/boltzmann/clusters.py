r"""Data in clusters far apart, and what they ask of the learning.

Chains of Gibbs sampling follow a machine only while they cross between its modes. Whether those of data will
be far apart is seen before: a mixture of products of columns (`models.product_mixture`), fitted to half of
the rows, explains the other half far better than independent columns do. Where it says more than half of
what is left to say, and at least 20 nats a row, chains jump between its modes (`methods.ModeJumps`), the
learning rate begins lower, and passes that are not said are enough for it (`defaults`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from intertwine.boltzmann.baseline import independent_columns
from intertwine.boltzmann.beginning import seen
from intertwine.boltzmann.defaults import (
    CHAINS,
    CLUSTER_RATE,
    CLUSTER_UPDATES,
    EPOCHS,
    STEPS,
    first_rate,
)
from intertwine.boltzmann.methods import PCD, ModeJumps
from intertwine.learning.batches import Batches
from intertwine.models.product_mixture import ProductMixture, fitted_mixture
from intertwine.models.unit_layer import UnitLayer

MODES, ROWS = 16, 2000
"""Of the mixture, and rows that it is fitted to and judged by."""
LEAST_NATS, LEAST_SHARE = 20.0, 0.5


class Course(NamedTuple):
    """How a machine is taught where nothing is said: method, where the learning rate begins, passes over the
    data."""

    method: Any
    rate: float
    epochs: int


def course(model: Any, batches: Batches, chains: int = CHAINS, steps: int = STEPS) -> Course:
    """The defaults for these data."""
    mixture = clusters(model.visible_layer, batches)
    if mixture is None:
        return Course(PCD(chains, steps), first_rate(model), EPOCHS)
    epochs = max(EPOCHS, -(-CLUSTER_UPDATES // batches.per_epoch))
    return Course(ModeJumps(chains, steps, mixture), min(CLUSTER_RATE, first_rate(model)), epochs)


def clusters(layer: UnitLayer, batches: Batches) -> ProductMixture | None:
    """The mixture of the clusters that the data lie in, or None where they do not, or are
    continuous, or have missing entries.

    >>> rng = np.random.default_rng(0)
    >>> rows = rng.integers(0, 2, (3, 100))[rng.integers(0, 3, 400)] ^ (rng.random((400, 100)) < 0.03)
    >>> clusters(UnitLayer.of("binary", 100), Batches(rows.astype(np.uint8), BATCH)).count > 2
    True
    """
    if not layer.is_discrete or batches.missing or batches.rows < 8 * MODES:
        return None
    rows = seen(batches, ROWS)[0]
    if batches.binarise:
        rows = (rows > np.random.default_rng(0).random(rows.shape)).astype(np.float64)
    half = len(rows) // 2
    order = np.random.default_rng(1).permutation(len(rows))
    train, test = rows[order[:half]], rows[order[half:]]
    mixture = fitted_mixture(layer, train, MODES)
    together = float(np.asarray(mixture.log_probability(jnp.asarray(test, jnp.float32))).mean())
    alone = float(independent_columns(layer, test, train).mean())
    if together - alone < max(LEAST_NATS, -LEAST_SHARE * alone):
        return None
    return fitted_mixture(layer, rows, MODES)
