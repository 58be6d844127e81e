r"""How a machine is taught where nothing is said: decided in one place for the function, the estimators and
the command, from the units and the data.

    Gaussian columns with widths, two-state hidden units      jumps to where the data are
    discrete columns in clusters far apart (`clusters`)       jumps between them, a lower rate, more updates
    others                                                    persistent chains
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine.boltzmann.beginning import normal_beginning, seen
from intertwine.boltzmann.clusters import MODES, ROWS, clusters
from intertwine.boltzmann.defaults import (
    CHAINS,
    CLUSTER_RATE,
    CLUSTER_UPDATES,
    LEAST_UPDATES,
    STEPS,
    first_rate,
    passes,
)
from intertwine.boltzmann.methods import PCD, ModeJumps
from intertwine.learning.batches import Batches
from intertwine.models.product_mixture import fitted_mixture


class Course(NamedTuple):
    """method; where the learning rate begins; passes over the data."""

    method: Any
    rate: float
    epochs: int


def course(
    model: Any, batches: Batches, *, method: Any = None, chains: int = CHAINS, steps: int = STEPS
) -> Course:
    """The defaults of learning these data: all, or those that are left where the `method` is given.

    >>> import jax
    >>> from intertwine.models.rbm import RBM
    >>> rbm = RBM(4, hidden=2, units="binary", key=jax.random.key(0))
    >>> course(rbm, Batches(np.eye(4, dtype=np.uint8)[np.arange(1000) % 4]))
    Course(method=PCD(chains=100, steps=1, warm_up=0), rate=0.1, epochs=200)
    """
    rate, updates = first_rate(model), LEAST_UPDATES
    if method is not None:
        pass
    elif model.visible_layer.log_variance is not None and model.hidden_layer.is_two_state:
        method = _between_normals(model, batches, chains, steps)
    elif (mixture := clusters(model.visible_layer, batches)) is not None:
        method = ModeJumps(chains, steps, mixture)
        rate, updates = min(CLUSTER_RATE, rate), CLUSTER_UPDATES
    else:
        method = PCD(chains, steps)
    return Course(method, rate, passes(batches.per_epoch, updates))


def _between_normals(model: Any, batches: Batches, chains: int, steps: int) -> ModeJumps:
    """Chains that jump to where the data are, by a mixture of normal distributions with the widths at which
    learning begins: modes are cut out of one normal distribution, whatever their distance."""
    rows, weights = seen(batches, ROWS)
    known = ~np.isnan(rows)
    mean = np.where(known, rows, 0).sum(0) / np.maximum(known.sum(0), 1)
    rows = np.where(known, rows, mean)
    layer = normal_beginning(model, rows, weights).visible_layer
    return ModeJumps(chains, steps, fitted_mixture(layer, rows, MODES), levels=1)
