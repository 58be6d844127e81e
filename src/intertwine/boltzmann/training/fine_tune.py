r"""Discriminative fine-tuning: a trained stack unrolled as a feed-forward network, with outputs on top.

    x⁰ = x,      xᵏ⁺¹ = E[h|θ] with θ = bᵏ + xᵏ Wᵏ,      outputs = c + xᴸ U

sigmoid layers for binary hidden units, tanh for spins, softmax groups for Potts units, the mean of a
rectified unit for those; the stack gives W and b, U starts at 0, and all of it then learns labels or values
by the supervised objective (Hinton & Salakhutdinov, Science 313, 504, 2006), with dropout if wanted
(Srivastava et al., JMLR 15, 1929, 2014). Further inputs may stand beside x in front of the first layer: the
mean-field posterior of a deep Boltzmann machine's second layer (Salakhutdinov & Hinton 2009).
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.training.deep_network import unrolled_layers, upper_means
from intertwine.boltzmann.training.stack import upward_layers
from intertwine.learning.batches import blocks, host_array
from intertwine.learning.labels.labelled import examples
from intertwine.learning.supervised_fit import fit_supervised
from intertwine.learning.supervised_study import SupervisedFit
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.results import unscaled


class FeedForward(eqx.Module):
    r"""The means of `layers`, one above another, and a linear read-out.

    layers: of the lowest inputs first. head: the read-out; its units are Gaussian ones, whose mean is linear.
    input_dropout, dropout: shares of the inputs, and of every hidden layer, that are dropped while learning.

    Raises InputError for layers that do not fit, and shares outside [0, 1).

    >>> rbm = RBM(4, hidden=3, key=jax.random.key(0))
    >>> net = FeedForward(upward_layers([rbm]), 2)
    >>> net(jnp.ones(4)).tolist()
    [0.0, 0.0]
    """

    layers: tuple[DirectedLayer, ...]
    head: DirectedLayer
    input_dropout: eqx.nn.Dropout
    dropout: eqx.nn.Dropout

    def __init__(
        self,
        layers: Sequence[DirectedLayer],
        outputs: int,
        *,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ):
        self.layers = _chained(layers)
        outputs = positive_int("outputs", outputs, "give the number of classes, or of values")
        last = self.layers[-1]
        weights = jnp.zeros((last.outputs, outputs), last.weights.dtype)
        self.head = DirectedLayer(weights, weights[0], UnitLayer.of("gaussian", outputs))
        self.dropout = eqx.nn.Dropout(_share("dropout", dropout))
        self.input_dropout = eqx.nn.Dropout(_share("input_dropout", input_dropout))

    @property
    def size(self) -> int:
        """The number of inputs."""
        return self.layers[0].inputs

    def __call__(self, x: Float[Array, "N"], *, key: Array | None = None) -> Float[Array, "K"]:
        """The outputs of one example; with a key, units are dropped unless in inference mode."""
        return self.head.mean(self._hidden(x, key))

    def features(self, x: Float[Array, "... N"]) -> Float[Array, "... M"]:
        """The topmost hidden layer, nothing dropped."""
        for layer in self.layers:
            x = layer.mean(x)
        return x

    def _hidden(self, x: Array, key: Array | None) -> Array:
        if key is None:
            return self.features(x)
        x = self.input_dropout(x, key=jax.random.fold_in(key, 0))
        for k, layer in enumerate(self.layers):
            x = self.dropout(layer.mean(x), key=jax.random.fold_in(key, k + 1))
        return x


def fine_tune(
    model: PyTree,
    x: ArrayLike,
    y: ArrayLike,
    *,
    outputs: int | None = None,
    extra: ArrayLike | None = None,
    loss: str = "cross-entropy",
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    validation: PyTree = None,
    binarise: bool = False,
    key: Array,
    **settings: object,
) -> SupervisedFit:
    r"""Learn labels or values with the layers of a trained machine: `model` unrolled, all weights free.

    model: a DBN (its recognition pass and the top RBM's hidden units), a DBM (its mean-field network, see
        `deep_network`), an RBM, a sequence of RBMs or of `DirectedLayer`s from the lowest up, or a
        `FeedForward` to go on with.
    x, y: labelled rows (see `fit_supervised`): what the visible units can be, or means of them (grey values
        from 0 to 1). binarise: x are probabilities, bytes in units of 1/255 or floats, and every visit of an
        example draws new binary values.
    outputs: classes or values; found from y unless given. extra: further inputs (rows, E) beside x, for which
        the first layer has weights. For a DBM they are `upper_means(model, x)` unless given, and so are those
        of held-out data; new data need them too: `beside(x, upper_means(model, x))`.
    validation: (x, y), or (x, y, extra), or the share of the rows that is held out.
    settings: of `fit_supervised` (optimiser, epochs, batch, patience, watch, smoothing, decay, progress).

    The fit's model takes rows of x, with the extra inputs beside them (`beside`): `it.class_scores(fit.model,
    x)`, `it.predict`, `it.accuracy`.

    Raises InputError for data, labels or settings that do not fit.

    >>> rbm = RBM(2, hidden=3, units="binary", hidden_units="binary", scale=1.0, key=jax.random.key(1))
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 25), np.array([0, 1, 1, 1] * 25)
    >>> import optax
    >>> from intertwine.learning.gradient import OptaxGradient
    >>> fast = OptaxGradient(optax.adam(0.05))
    >>> fit = fine_tune(rbm, x, y, optimiser=fast, epochs=30, batch=20, key=jax.random.key(0))
    >>> round(fit.history[-1]["accuracy"], 6)
    1.0
    """
    model = unscaled(model)
    layers, visible = _unrolled(model)
    if isinstance(model, DBM) and model.depth > 1 and extra is None:
        extra = upper_means(model, x)
        if isinstance(validation, tuple | list) and len(validation) == 2:
            validation = (*validation, upper_means(model, validation[0]))
    rows = beside(x, extra)
    if visible is not None and not binarise:
        _check_range(visible, host_array(x))
    if isinstance(model, FeedForward):
        network = model
    else:
        count = _outputs(y, loss) if outputs is None else outputs
        network = FeedForward(layers, count, dropout=dropout, input_dropout=input_dropout)
    if rows.shape[1] != network.size:
        expected = f"{network.size} columns, those of extra included"
        raise fail("x", expected, f"{rows.shape[1]}", "do the first layer's weights know the extra inputs?")
    if isinstance(validation, tuple | list) and len(validation) == 3:
        validation = (beside(validation[0], validation[2]), validation[1])
    return fit_supervised(
        network, rows, y, loss=loss, validation=validation, binarise=binarise, key=key, **settings  # type: ignore[arg-type]
    )  # fmt: skip


def beside(x: ArrayLike, extra: ArrayLike | None) -> np.ndarray:
    """(rows, N + E): x with the extra inputs, as the network takes them; x itself without any.

    >>> beside([[1, 2]], [[3.0]]).tolist()
    [[1.0, 2.0, 3.0]]
    """
    x = examples(x)
    if extra is None:
        return x
    extra = examples(extra, "extra")
    if x.ndim != 2 or extra.ndim != 2 or len(x) != len(extra):
        raise fail("extra", f"rows of further inputs, {len(x)} of them, as x has", f"shape {extra.shape}")
    return np.concatenate([x, extra], axis=1, dtype=np.result_type(np.float32, extra.dtype))


def _unrolled(model: PyTree) -> tuple[tuple[DirectedLayer, ...], UnitLayer | None]:
    """The layers from the lowest up, and the visible units where they are known."""
    if isinstance(model, FeedForward):
        return model.layers, None
    if isinstance(model, DBN):
        return (*model.recognition, *upward_layers([model.top])), model.visible_layer
    if isinstance(model, DBM):
        return unrolled_layers(model), model.visible_layer
    parts = [model] if isinstance(model, RBM) else model
    try:
        parts = tuple(parts)
    except TypeError:
        parts = ()
    if parts and all(isinstance(part, RBM) and part.kind == "real" for part in parts):
        return upward_layers(parts), parts[0].visible_layer
    if parts and all(isinstance(part, DirectedLayer) for part in parts):
        return parts, None  # type: ignore[return-value]
    raise fail("model", "a DBN, a DBM, real RBMs, or layers of a network", type(model).__name__)


def _chained(layers: Sequence[DirectedLayer]) -> tuple[DirectedLayer, ...]:
    layers = tuple(layers)
    if not layers:
        raise fail("layers", "at least one layer", layers)
    for k in range(1, len(layers)):
        if layers[k].inputs != layers[k - 1].outputs:
            expected = f"{layers[k - 1].outputs} inputs, the outputs of the layer below"
            raise fail(f"layers[{k}]", expected, layers[k].inputs)
    return layers


def _share(argument: str, value: float) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share < 1:
        raise fail(argument, "a share from 0 to below 1", value, "0.5 for hidden layers and 0.2 for inputs")
    return share


def _outputs(y: ArrayLike, loss: str) -> int:
    """How many outputs labels or values need."""
    y = host_array(y, "y")
    if loss != "cross-entropy" or y.ndim > 1:
        return int(np.prod(y.shape[1:], dtype=np.int64))
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise fail("y", "labels 0 … C−1", "numbers that are not finite", "are labels missing?")
    return max(2, int(y.max()) + 1)


def _check_range(visible: UnitLayer, x: np.ndarray) -> None:
    """Raise unless x could be means of the visible units."""
    if visible.spec not in ("binary", "spin"):
        return
    low = 0 if visible.spec == "binary" else -1
    for _, rows in blocks(x):
        if rows.min() < low or rows.max() > 1:
            remedy = "divide bytes by 255, or draw binary values with binarise=True"
            raise fail("x", f"values from {low} to 1", f"{rows.min()} to {rows.max()}", remedy)
