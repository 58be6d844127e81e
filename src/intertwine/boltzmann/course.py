r"""The default training of a machine, chosen in one place for the function, the estimators and the command,
from the units and the data.

    Gaussian columns with widths, two-state hidden units    jumps to where the data are
    discrete columns of several modes (`clusters`)          jumps between them, a lower rate, more updates
    the same in clusters apart, a hidden unit for each      and begun at the clusters
    the same with fewer hidden units                        a rate that is lower still
    others                                                  persistent chains
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

from intertwine.boltzmann.beginning import begun, known_means, normal_beginning, seen
from intertwine.boltzmann.clusters import MODES, ROWS, at_clusters, clusters
from intertwine.boltzmann.defaults import (
    APART_RATE,
    CHAINS,
    LEAST_UPDATES,
    MODES_RATE,
    MODES_UPDATES,
    STEPS,
    first_rate,
    passes,
)
from intertwine.boltzmann.objectives.methods import PCD, ModeJumps
from intertwine.learning.batches import Batches
from intertwine.models.machines.product_mixture import ProductMixture, fitted_mixture


class Course(NamedTuple):
    """method; where the learning rate begins; passes over the data; the mixture of the clusters that learning
    begins at, if any."""

    method: Any
    rate: float
    epochs: int
    apart: ProductMixture | None = None

    def begun(self, model: PyTree, batches: Batches, begin: str = "auto") -> Any:
        """Where the learning of `model` begins: as `beginning.begun` has it, or at the clusters, unless the
        model stays as it is."""
        there = begun(model, batches, begin)
        if there is model or self.apart is None:
            return there
        return at_clusters(there, self.apart)


def course(
    model: PyTree, batches: Batches, *, method: object = None, chains: int = CHAINS, steps: int = STEPS
) -> Course:
    """The defaults of learning these data: all, or those that are left where the `method` is given.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM(4, hidden=2, units="binary", key=jax.random.key(0))
    >>> course(rbm, Batches(np.eye(4, dtype=np.uint8)[np.arange(1000) % 4]))
    Course(method=PCD(chains=100, steps=1, warm_up=0), rate=0.1, epochs=200, apart=None)
    """
    rate, updates, apart = first_rate(model), LEAST_UPDATES, None
    if method is not None:
        pass
    elif model.visible_layer.log_variance is not None and model.hidden_layer.is_two_state:
        method = _between_normals(model, batches, chains, steps)
    elif (found := clusters(model.visible_layer, batches)) is not None:
        method, apart = ModeJumps(chains, steps, found.mixture), found.apart
        lost = apart is not None and at_clusters(model, apart) is None
        apart = None if lost else apart
        if lost and not found.far:
            return course(model, batches, method=PCD(chains, steps))
        rate, updates = min(APART_RATE if lost else MODES_RATE, rate), MODES_UPDATES
    else:
        method = PCD(chains, steps)
    return Course(method, rate, passes(batches.per_epoch, updates), apart)


def _between_normals(model: PyTree, batches: Batches, chains: int, steps: int) -> ModeJumps:
    """Chains that jump to where the data are, by a mixture of normal distributions with the widths at which
    learning begins: modes are cut out of one normal distribution, whatever their distance."""
    rows, weights = seen(batches, ROWS)
    rows = np.where(np.isnan(rows), known_means(rows), rows)
    layer = normal_beginning(model, rows, weights).visible_layer
    return ModeJumps(chains, steps, fitted_mixture(layer, rows, MODES), levels=1)
