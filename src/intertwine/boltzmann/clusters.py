r"""Data in clusters far apart, and what they ask of the learning.

Chains of Gibbs sampling follow a machine only while they cross between its modes. Whether those of data will
be far apart is seen before: a mixture of products of columns (`models.product_mixture`), fitted to half of
the rows, explains the other half far better than independent columns do. Where it says more than half of
what is left to say, and at least 20 nats a row, chains jump between its modes (`methods.ModeJumps`), the
learning rate begins lower, and passes that are not said are enough for it (`course`).
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from intertwine.boltzmann.baseline import independent_columns
from intertwine.boltzmann.beginning import seen
from intertwine.learning.batches import Batches
from intertwine.models.product_mixture import ProductMixture, fitted_mixture
from intertwine.models.unit_layer import UnitLayer

MODES, ROWS = 16, 2000
"""Of the mixture, and rows that it is fitted to and judged by."""
LEAST_NATS, LEAST_SHARE = 20.0, 0.5


def clusters(layer: UnitLayer, batches: Batches) -> ProductMixture | None:
    """The mixture of the clusters that the data lie in, or None where they do not, or are
    continuous, or have missing entries.

    >>> rng = np.random.default_rng(0)
    >>> rows = rng.integers(0, 2, (3, 100))[rng.integers(0, 3, 400)] ^ (rng.random((400, 100)) < 0.03)
    >>> clusters(UnitLayer.of("binary", 100), Batches(rows.astype(np.uint8), 100)).count > 2
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
