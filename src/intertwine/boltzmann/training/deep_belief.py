r"""Learning a deep belief network: `learn_deep_belief`, greedy layers and up-down fine-tuning.

    fit = learn_deep_belief(DBN((784, 500, 784), key=key), images, epochs=60, binarise=True, key=key)
    fit.model, fit.history, fit.state

The layers are trained from the lowest up, each as an RBM on the hidden units of the one below (`stack`),
starting as that one turned upside down where its sizes allow. Each then raises, or keeps, the bound

    E_q[ln p(v, h) − ln q(h|v)] ≤ ln p(v)      (`belief_bound`)

on the mean log-likelihood (Hinton, Osindero & Teh 2006). `up_down` epochs of the wake-sleep algorithm
(`up_down`) then move all layers together, and the recognition weights away from the generative ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.defaults import AVERAGE, BATCH, EPOCHS
from intertwine.boltzmann.training.learn import learn, taught
from intertwine.boltzmann.training.rows import batches_of, order_of
from intertwine.boltzmann.training.stages import stage_above
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.learning.stages import Fit, Training
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model

if TYPE_CHECKING:
    from intertwine.learning.optimiser import Optimiser

Progress = Callable[[Any, dict[str, Any]], Any]


def learn_deep_belief(
    model: DBN,
    data: ArrayLike,
    *,
    epochs: int | Sequence[int] | None = None,
    trained: Sequence[RBM] = (),
    transpose: bool = True,
    means: bool = False,
    refresh: int = 1,
    up_down: int | None = None,
    method: object = None,
    batch: int = BATCH,
    binarise: bool = False,
    progress: Progress | None = None,
    key: Array,
    **settings: Any,
) -> Fit:
    r"""Train `model` greedily, then by `up_down` epochs of fine-tuning: `learn` of a DBN, with the settings
    of its layers in front.

    model: gives the sizes, the kinds of units and the initial parameters; each layer is its recognition
        weights and the two biases beside them, the topmost its RBM.
    data: (rows, N). epochs: of every layer, or a number for each; 10, and enough for 2000 updates, unless
        given. trained: machines for the lowest layers that are trained already and stay as they are.
    up_down: epochs of fine-tuning, 0 for none; None: as many as of a layer.
    transpose: a layer that can starts as the one below turned upside down, not as in `model`.
    means, refresh: what a layer learns of the one below (`learn_above`).
    method, settings: as for `learn`, for every layer; the top RBM's method in `up_down`. Unless given,
        PCD(), whose chains are warmed up where a layer starts as a trained machine. learning_rate,
        optimiser: of the layers.
    progress: called after each epoch with the state and the scalars, among them `layer` from 1 up, 0 for the
        up-down epochs.

    The history has these scalars of all epochs. The state is that of the last stage.

    Raises InputError for data that the units cannot have and settings out of range.

    >>> import jax, numpy as np
    >>> key = jax.random.key(0)
    >>> rows = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], np.uint8), 50, axis=0)
    >>> fit = learn_deep_belief(DBN((3, 2, 3), key=key), rows, epochs=100, batch=10, key=key)
    >>> bool(fit.model.log_probability([[0, 0, 1], [1, 1, 0]]).mean() > -1.2)      # from −3 ln 2
    True
    """
    _check(as_model(model))
    whole = epochs if up_down is None and isinstance(epochs, int) else up_down
    of_layers = {f"layer_{name}": settings.pop(given, None) for name, given in _OF_LAYERS.items()}
    return learn(
        model, data, epochs=whole, method=method, batch=batch, binarise=binarise, progress=progress, key=key,
        layer_epochs=epochs, trained=trained, transpose=transpose, means=means, refresh=refresh,
        **of_layers, **settings,
    )  # fmt: skip


_OF_LAYERS = {"rate": "learning_rate", "optimiser": "optimiser"}


def learn_up_down(
    model: DBN,
    data: ArrayLike,
    *,
    method: object = None,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    learning_rate: Any = None,
    optimiser: Optimiser | None = None,
    recognition: float = 1.0,
    generative: float = 1.0,
    centred: bool = True,
    weight_decay: float = 0.0,
    average: float | None = AVERAGE,
    binarise: bool = False,
    key: Array,
    seed: int | None = None,
    state: PyTree = None,
    progress: Progress | None = None,
) -> Fit:
    r"""Fine-tune all layers of `model` together by the contrastive wake-sleep algorithm (`up_down`).

    learning_rate: by default along a straight line from 0.01 to a thousandth of it. recognition, generative:
    shares of it for the recognition and the directed generative layers. method, centred, weight_decay: of the
    RBM on top. The rest as for `learn`.

    Raises InputError for data that the units cannot have and settings out of range, and `Diverged` with the
    last good state where a run goes wrong.
    """
    _check(as_model(model))
    return learn(
        model, data, method=method, epochs=epochs, batch=batch, learning_rate=learning_rate,
        optimiser=optimiser, centred=centred, weight_decay=weight_decay, average=average, binarise=binarise,
        key=key, seed=seed, state=state, progress=progress, layer_epochs=0, recognition=recognition,
        generative=generative,
    )  # fmt: skip


def learn_above(
    rbm: RBM,
    layers: Sequence[DirectedLayer],
    data: ArrayLike,
    *,
    epochs: int = EPOCHS,
    refresh: int = 1,
    means: bool = False,
    binarise: bool = False,
    batch: int = BATCH,
    seed: int | None = None,
    progress: Progress | None = None,
    key: Array,
    **settings: Any,
) -> Fit:
    """Train `rbm` on the hidden units that `layers` make of `data`; without layers, on the data themselves.

    refresh: epochs after which the hidden units are drawn anew. means: learn their means instead (values
    between those that the units can have, drawn at every visit where the units are binary).
    The rest, and settings (learning_rate, optimiser, method, weight_decay, ...), as for `learn`.
    """
    if not layers:
        return learn(
            rbm, data, epochs=epochs, binarise=binarise, batch=batch, seed=seed, progress=progress, key=key,
            **settings,
        )  # fmt: skip
    key = check_key(key)
    batches = batches_of(data, batch, seed=order_of(key) if seed is None else seed, binarise=binarise)
    teaching = Teaching(epochs=epochs, **settings)
    stage = stage_above(rbm, lambda _: layers, batches, teaching, refresh=refresh, means=means, key=key)
    return taught(Training((stage,), most=None), progress)


def _check(model: PyTree) -> None:
    if not isinstance(model, DBN):
        raise fail("model", "a DBN", type(model).__name__, "for example it.DBN((784, 500, 500), key=key)")
