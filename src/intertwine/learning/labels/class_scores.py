r"""Outputs, class probabilities and labels of a network for examples; accuracy and confusion.

All in chunks of one compiled size, with dropout and the like switched off, so that any number of examples
takes the memory of one chunk beside the answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, PyTree, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail, positive_int
from intertwine.layers.networks.numbers import check_numbers
from intertwine.learning.batches import host_array
from intertwine.learning.labels.class_names import names_of, numbered
from intertwine.learning.labels.labelled import Labelled, examples, labelled
from intertwine.learning.stream import prepared
from intertwine.learning.supervised import Supervised, correct
from intertwine.models.network import Network
from intertwine.models.protocols import is_density
from intertwine.models.results import as_model

CHUNK = 1024


def class_scores(model: PyTree, x: ArrayLike, *, chunk: int = CHUNK) -> Float[np.ndarray, "rows ... C"]:
    """The network's outputs: for classes their scores, ln p(c|x) up to a constant of each row, (rows, C), or
    (rows, *places, C) of a network that gives them at every place (a U-Net).

    model: what `fit_supervised` takes. x: (rows, ...) examples; memory maps are read a chunk at a time. One
    example alone, of the shape that the network takes, has its outputs alone, (C,).

    Raises InputError for x with no rows, numbers that are not finite, or of a shape that the network refuses.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = FunctionNetwork(lambda p, x: p * x, jnp.ones(2))
    >>> class_scores(net, np.array([[1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """
    network, x, shape, single = _asked(model, x)
    found = _scores(network, x, shape, chunk)
    return found[0] if single else found


def _asked(model: PyTree, x: ArrayLike) -> tuple[Network, np.ndarray, tuple[int, ...], bool]:
    """(the network at rest, examples (rows, ...), the shape of its outputs, whether one was given alone)."""
    network = Network.of(model).at_rest()
    if is_density(network.module):
        remedy = "it.fine_tune makes a classifier of a machine, it.learn_classifier learns one"
        raise fail("model", "a network, which scores classes", type(network.module).__name__, remedy)
    array, single = host_array(x, "x"), False
    try:
        shape = network.shape(array.shape[1:], float)
    except InputError:
        try:
            shape, single = network.shape(array.shape, float), True
        except InputError:
            examples(array)  # it says more, where they are no rows
            shape = network.shape(array.shape[1:], float)
    x = examples(array[None] if single else array)
    check_numbers(x, network.module)
    return network, x, shape, single


def _scores(network: Network, x: np.ndarray, shape: tuple[int, ...], chunk: int) -> np.ndarray:
    """The outputs, of this shape, of rows."""
    size = min(positive_int("chunk", chunk), _rounded(len(x)))
    places, outputs = places_of(shape)
    parts = [np.asarray(_outputs(network, rows))[:count] for rows, count in _padded(x, size)]
    return np.concatenate(parts).reshape(len(x), *places, outputs)


def places_of(shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """(the places that a network gives outputs at, how many at each), from the shape of its output.

    >>> places_of((8, 8, 3)), places_of((3,)), places_of((1, 1, 3))
    (((8, 8), 3), ((), 3), ((), 3))
    """
    *places, outputs = shape or (1,)
    return (tuple(places), outputs) if math.prod(places) > 1 else ((), math.prod(shape))


def class_probabilities(
    model: PyTree, x: ArrayLike, *, chunk: int = CHUNK
) -> Float[np.ndarray, "rows ... C"]:
    """p(c|x) = softmax of the scores.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = FunctionNetwork(lambda p, x: p * x, jnp.ones(2))
    >>> class_probabilities(net, np.array([[1.0, 1.0]])).tolist()
    [[0.5, 0.5]]
    """
    return np.asarray(jax.nn.softmax(_of_classes(model, x, chunk)))


def predict(
    model: PyTree, x: ArrayLike, *, chunk: int = CHUNK, classes: Sequence[object] | None = None
) -> Shaped[np.ndarray, "rows ..."]:
    """The class of the largest score: its name where names are known, its number else; of one example alone
    its class alone.

    classes: the names, for a network that does not know them (`fit_supervised`).

    A model of structures (`fit_structures`, a run that was loaded) takes structures, or a file of them: what
    comes is its labels in words, or, where it says numbers, the structures with these in place of their
    values.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = FunctionNetwork(lambda p, x: p * x, jnp.ones(2))
    >>> x = np.array([[1.0, 2.0]])
    >>> predict(net, x).tolist(), predict(net, x, classes=("cat", "dog")).tolist()
    ([1], ['dog'])
    """
    held = as_model(model)
    if hasattr(held, "answer"):
        return held.answer(x)
    names = names_of(model, classes)
    found = _of_classes(model, x, chunk).argmax(axis=-1)
    return found if names is None else np.array(names)[found]


def accuracy(
    model: PyTree, x: ArrayLike, y: ArrayLike, *, chunk: int = CHUNK, classes: Sequence[object] | None = None
) -> float:
    """The share of the examples (and places) whose label is the class of the largest score.

    y: labels 0 … C−1 or names of classes (rows,), class probabilities (rows, C), of which the largest counts,
    or a label at each place (rows, *places). classes: names, as in `predict`. Raises InputError as
    `class_scores`, and for labels that are missing or no class.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = FunctionNetwork(lambda p, x: p * x, jnp.ones(2))
    >>> accuracy(net, np.array([[1.0, 2.0], [3.0, 1.0]]), [1, 1])
    0.5
    """
    scores, data = _scored(model, x, y, chunk, classes)
    return float(np.mean(np.asarray(correct(jnp.asarray(scores), jnp.asarray(data.y)))))


def confusion_matrix(
    model: PyTree, x: ArrayLike, y: ArrayLike, *, chunk: int = CHUNK, classes: Sequence[object] | None = None
) -> Int[np.ndarray, "C C"]:
    """How many examples (and places) of class i (row) are taken for class j (column). y, classes: as in
    `accuracy`.

    >>> from intertwine.models.network import FunctionNetwork
    >>> net = FunctionNetwork(lambda p, x: p * x, jnp.ones(2))
    >>> confusion_matrix(net, np.array([[1.0, 2.0], [3.0, 1.0]]), [1, 1]).tolist()
    [[0, 0], [1, 1]]
    """
    scores, data = _scored(model, x, y, chunk, classes)
    truth = data.y if data.y.ndim < scores.ndim else data.y.argmax(-1)
    counts = np.zeros((scores.shape[-1],) * 2, np.int64)
    np.add.at(counts, (truth, scores.argmax(-1)), 1)
    return counts


def _of_classes(model: PyTree, x: ArrayLike, chunk: int) -> np.ndarray:
    """`class_scores` of two classes or more."""
    return _of_two(class_scores(model, x, chunk=chunk))


def _of_two(scores: np.ndarray) -> np.ndarray:
    if scores.shape[-1] < 2:
        raise fail("model", "a classifier, with a score for each class", "a network of one output")
    return scores


def _scored(
    model: PyTree, x: ArrayLike, y: ArrayLike, chunk: int, classes: Sequence[object] | None
) -> tuple[np.ndarray, Labelled]:
    """(scores, labels as numbers)."""
    network, x, shape, single = _asked(model, x)
    y = numbered(np.asarray([y]) if single and np.ndim(y) == 0 else y, names_of(model, classes))
    scores = _of_two(_scores(network, x, shape, chunk))
    places = labelled_places(y, scores.shape[1:])
    return scores, labelled(x, y, scores.shape[-1], classes=True, places=places)


def labelled_places(y: ArrayLike | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The places at each of which labels are given, for outputs of this shape; () for one label a row."""
    places = places_of(shape)[0]
    given = np.shape(() if y is None else y)
    return places if len(given) > 1 and given[1:] == places else ()


def mean_loss(
    network: Network, objective: Supervised, data: Labelled, *, chunk: int = CHUNK
) -> dict[str, float]:
    """{"loss", and for classes "accuracy"}, means over the examples; `network` is in inference."""
    size = min(chunk, _rounded(len(data.x)))
    losses, right = [], []
    pieces = zip(_padded(data.x, size), _padded(data.y, size), strict=True)
    for (x, count), (y, _) in pieces:
        loss, good = _measured(network, x, y, objective)
        losses.append(np.asarray(loss, np.float64)[:count])
        right.append(np.asarray(good)[:count])
    found = {"loss": float(np.concatenate(losses).mean())}
    return found | ({"accuracy": float(np.concatenate(right).mean())} if objective.classifies else {})


def _rounded(rows: int) -> int:
    """The next power of two: few sizes are compiled."""
    return 1 << (rows - 1).bit_length()


def _padded(array: np.ndarray, size: int) -> Any:
    """(rows, how many of them count) in pieces of `size`; the last one is filled up with its first row."""
    for begin in range(0, len(array), size):
        rows = array[begin : begin + size]
        count = len(rows)
        if count < size:
            rows = np.concatenate([rows, np.repeat(rows[:1], size - count, axis=0)])
        yield rows, count


@jax.jit
def _outputs(network: Network, x: Array) -> Array:
    return network.outputs(prepared(x, network, False, jax.random.key(0)))


@partial(jax.jit, static_argnames=("objective",))
def _measured(network: Network, x: Array, y: Array, objective: Supervised) -> tuple[Array, Array]:
    outputs = network.outputs(prepared(x, network, False, jax.random.key(0)))
    right = correct(outputs, y) if objective.classifies else jnp.zeros(len(x), bool)
    return objective.losses(outputs, y), right


def check_shapes(
    network: Network, x: np.ndarray, objective: Supervised, y: ArrayLike | None = None
) -> tuple[int, tuple[int, ...]]:
    """(how many outputs there are for examples like these, the places of them that y has labels at).

    Raises InputError for fewer than two classes.
    """
    shape = network.shape(x.shape[1:], float)
    places = labelled_places(y, shape) if objective.classifies else ()
    outputs = shape[-1] if places else math.prod(shape)
    if objective.classifies and outputs < 2:
        remedy = "give the last layer one output a class, or use loss='squared-error'"
        raise fail("model", "a network with at least two outputs, one per class", outputs, remedy)
    return outputs, places
