r"""Learning a deep Boltzmann machine: `learn_deep_boltzmann`.

    fit = learn_deep_boltzmann(DBM((784, 500, 1000), key=key), images, epochs=100, binarise=True, key=key)
    fit.model, fit.history, fit.state

Joint training of all layers in the one loop, with the objective `DeepLikelihood`: mean field for the data,
persistent chains for the model (Salakhutdinov & Hinton 2009). Centred machines learn from scratch (Montavon &
Müller 2012); with `pretrain=10` each layer is trained first in 10 passes over the data, from the lowest up,
with the doubling that makes the parts fit (`doubling`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.defaults import AVERAGE, BATCH
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.training.learn import learn
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.stages import Fit
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.results import as_model


def learn_deep_boltzmann(
    model: DBM,
    data: ArrayLike,
    *,
    method: PCD | None = None,
    sweeps: int = 3,
    structured: bool = True,
    pretrain: int | None = None,
    epochs: int | None = None,
    batch: int = BATCH,
    learning_rate: Schedule | None = None,
    optimiser: Optimiser | None = None,
    centred: bool = True,
    weight_decay: float = 0.0,
    sparsity: tuple[float, float] | None = None,
    average: float | None = AVERAGE,
    binarise: bool = False,
    begin: str = "auto",
    key: Array,
    seed: int | None = None,
    state: PyTree = None,
    progress: Callable[[Any, dict[str, Any]], object] | None = None,
) -> Fit:
    r"""Train `model` so that the variational bound on ln p(data) rises.

    method: PCD(chains, steps), the chains of the model's averages. sweeps: of the mean field, at each visit.
    structured: whether the posterior's upper layers follow draws of the lower ones (see `DeepLikelihood`).
    pretrain: passes over the data with which each layer is trained first, from the weights of `model` and the
        means of what it sees on. 0: the joint training begins at `model`. None: as many as of the joint
        training, and 0 where learning begins at `model` (`begin`), which has learned already.
    epochs: passes of the joint training; 10, and enough for 2000 updates, unless given.
    The others are those of `learn`, which takes a DBM as well: `learn(model, data, layer_epochs=pretrain)` is
    the same, with the epochs of the layers in its history; here it has those of the joint training, and
    `progress` is called after them. The history's scalars: `epoch`, `reconstruction_error` (mean square a
    column), `learning_rate`, `update_norm`, `seconds`. The bound itself needs ln Z: see `variational_bound`.

    Raises InputError for data that the units cannot have and settings out of range, and `Diverged` with the
    last good state where a run goes wrong.

    >>> import jax, numpy as np
    >>> key = jax.random.key(0)
    >>> rows = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], np.uint8), 50, axis=0)
    >>> fit = learn_deep_boltzmann(DBM((3, 2, 2), scale=0.1, key=key), rows, epochs=100, batch=10, key=key)
    >>> bool(fit.model(np.array([0, 0, 1])) > fit.model(np.array([0, 1, 1])))
    True
    """
    if not isinstance(as_model(model), DBM):
        raise fail("model", "a DBM", type(as_model(model)).__name__, "learn takes RBMs and DBNs")

    def told(now: Any, row: dict[str, Any]) -> None:
        if progress is not None and row["layer"] == 0:
            progress(now, row)

    fit = learn(
        model, data, method=method, epochs=epochs, batch=batch, learning_rate=learning_rate,
        optimiser=optimiser, centred=centred, weight_decay=weight_decay, sparsity=sparsity, average=average,
        binarise=binarise, begin=begin, key=key, seed=seed, state=state, progress=told,
        layer_epochs=pretrain, sweeps=sweeps, structured=structured,
    )  # fmt: skip
    return fit._replace(history=[row for row in fit.history if row["layer"] == 0])
