r"""A restricted Boltzmann machine as a classifier: the label is a visible unit with C states.

    p(y|x) = e^{−F(x, y)} / Σ_c e^{−F(x, c)},     −F(x, y) = a·x + d_y + Σ_k A_k(b_k + (Wᵀx)_k + U_{yk}) + …

exact, with C free energies that share Wᵀx (Larochelle & Bengio, ICML 2008). Three ways to learn, one loop:

    generative       ⟨−ln p(x, y)⟩           `KL` over the joined units: CD, PCD, ...
    discriminative   ⟨−ln p(y|x)⟩            the supervised objective on the class scores
    hybrid           discriminative + α generative

One hidden layer thus serves as density, as classifier, and as a sampler of examples of a given class.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, PyTree, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.defaults import AVERAGE, first_rate
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.training.descent import descent
from intertwine.learning.batches import blocks, check_probabilities
from intertwine.learning.gradient import as_optimiser
from intertwine.learning.labels.defaults import BATCH, EPOCHS, default_optimiser
from intertwine.learning.labels.held_out import held_out
from intertwine.learning.labels.labelled import examples, labelled
from intertwine.learning.study import carry_out
from intertwine.learning.supervised import Supervised
from intertwine.learning.supervised_study import SupervisedFit, SupervisedStudy, key_and_seed
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import Spec, UnitLayer
from intertwine.models.network import Network
from intertwine.models.results import as_model, unscaled
from intertwine.sampling.draw import sample
from intertwine.sampling.gibbs.gibbs import Gibbs

if TYPE_CHECKING:
    from intertwine.learning.optimiser import Optimiser


def labelled_rbm(
    size: int,
    classes: int,
    hidden: int,
    *,
    units: Spec = "binary",
    hidden_units: Spec = "binary",
    scale: float = 0.01,
    dtype: DTypeLike = float,
    key: Array,
) -> RBM:
    """An RBM whose visible layer is `size` columns of `units` and, after them, a label with `classes` states.

    >>> labelled_rbm(4, 3, hidden=5, key=jax.random.key(0)).units
    (('binary', 4), ('potts:3', 3))
    """
    size = positive_int("size", size, "give the number of columns of an example")
    classes = positive_int("classes", classes, "give the number of labels")
    if classes < 2:
        raise fail("classes", "at least 2", classes)
    parts = (*UnitLayer.of(units, size).parts, (f"potts:{classes}", classes))
    return RBM(
        size + classes, hidden, units=parts, hidden_units=hidden_units, scale=scale, dtype=dtype, key=key
    )


class LabelScores(eqx.Module):
    """The class scores −F(x, c) of an RBM whose last visible unit is the label, but for what all c share.

    A network of x: `it.class_scores(LabelScores(rbm), x)`, `it.predict`, `it.accuracy` and
    `it.confusion_matrix` take it, and `fit_supervised` learns it.

    Raises InputError for a machine whose last visible part is not one Potts unit.

    >>> rbm = labelled_rbm(4, 3, hidden=5, key=jax.random.key(0))
    >>> LabelScores(rbm)(jnp.array([1.0, 0, 1, 1])).shape
    (3,)
    """

    rbm: RBM

    def __init__(self, rbm: RBM):
        rbm = unscaled(rbm, "rbm")
        if not isinstance(rbm, RBM) or rbm.kind != "real":
            raise fail("rbm", "an RBM with real parameters", rbm, "make one with labelled_rbm")
        *rest, (kind, columns) = rbm.visible_layer.parts
        if not rest or kind != f"potts:{columns}":
            expected = "an RBM whose last visible unit is the label, (..., ('potts:C', C))"
            raise fail("rbm", expected, f"units {rbm.units!r}", "make one with labelled_rbm")
        self.rbm = rbm

    @property
    def classes(self) -> int:
        return self.rbm.visible_layer.parts[-1][1]

    @property
    def size(self) -> int:
        """Columns of x."""
        return self.rbm.size - self.classes

    @property
    def input_layer(self) -> UnitLayer:
        """The units of x."""
        return UnitLayer(self.rbm.visible_layer.parts[:-1])

    def __call__(self, x: Shaped[Array, "N"]) -> Float[Array, "C"]:
        return self.outputs(x[None])[0]

    def outputs(self, x: Shaped[Array, "B N"], *, key: Array | None = None) -> Float[Array, "B C"]:
        """The scores of many examples."""
        rbm, n = self.rbm, self.size
        if x.shape[-1] != n:
            raise fail("x", f"rows of {n} columns", f"shape {x.shape}")
        shared = rbm.hidden_bias + x.astype(rbm.weights.dtype) @ rbm.weights[:n]
        angles = shared[:, None, :] + rbm.weights[n:]
        return rbm.visible_bias[n:] + rbm.hidden_layer.log_partition(angles)

    def joined(self, x: Shaped[Array, "B N"], y: Shaped[Array, "B"]) -> Float[Array, "B N+C"]:
        """The visible units of examples and labels."""
        dtype = self.rbm.weights.dtype
        label = jax.nn.one_hot(y, self.classes, dtype=dtype) if y.ndim == 1 else y.astype(dtype)
        return jnp.concatenate([x.astype(dtype), label], axis=-1)


@dataclass(frozen=True)
class Hybrid:
    """discriminative ⟨−ln p(y|x)⟩ + generative ⟨−ln p(x, y)⟩: the mini-batch objective; batches are (x, y).

    kl: how the model's average is taken (see `KL`). supervised: its smoothing and decay.
    """

    discriminative: float = 1.0
    generative: float = 0.01
    kl: KL = field(default_factory=KL)
    supervised: Supervised = field(default_factory=Supervised)
    value_name = "loss"

    def __post_init__(self) -> None:
        for name in ("discriminative", "generative"):
            if not 0 <= getattr(self, name) < math.inf:
                raise fail(name, "a finite number ≥ 0", getattr(self, name))
        if not self.discriminative + self.generative > 0:
            raise fail("generative", "a positive number where discriminative is 0", self.generative)

    def init(self, model: RBM, *, key: Array) -> Any:
        return self.kl.init(model, key=key) if self.generative else ()

    def gradient(
        self, model: RBM, state: PyTree, batch: tuple[Array, Array], *, key: Array
    ) -> tuple[Any, Any, dict[str, Array]]:
        """(∂L/∂λ, state, {"loss": ⟨−ln p(y|x)⟩, "accuracy"})."""
        scores = LabelScores(model)
        found, _, scalars = self.supervised.gradient(scores, (), batch, key=key)
        gradient = jax.tree.map(lambda g: self.discriminative * g, found.rbm)
        if self.generative:
            joined = scores.joined(*batch)
            further, state, _ = self.kl.gradient(model, state, joined, key=jax.random.fold_in(key, 1))
            gradient = jax.tree.map(lambda g, more: g + self.generative * more, gradient, further)
        return gradient, state, scalars


def learn_classifier(
    rbm: RBM,
    x: ArrayLike,
    y: ArrayLike,
    *,
    discriminative: float = 1.0,
    generative: float = 0.01,
    method: object = None,
    centred: bool = True,
    optimiser: Optimiser | None = None,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    patience: int | None = None,
    watch: str = "loss",
    smoothing: float = 0.0,
    decay: float = 0.0,
    binarise: bool = False,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> SupervisedFit:
    r"""Teach an RBM with a label unit (`labelled_rbm`) examples x with their labels y.

    x: (rows, N) values of the visible units but the label. y: labels 0 … C−1 (rows,).
    discriminative, generative: the weights of the two objectives; (1, 0) is purely discriminative, (0, 1)
        purely generative. method, centred: of the generative part, PCD() by default (see `KL`).
    optimiser: that of `fit_supervised` by default; for purely generative learning plain descent with a
        falling rate and averaged parameters, as in `learn`.
    epochs, batch, validation, patience, watch, smoothing, decay, binarise, progress: see `fit_supervised`;
        the loss that is watched is ⟨−ln p(y|x)⟩.

    The fit's model is the RBM; `LabelScores(fit.model)` gives scores, `sample_given_label` examples of a
    class.

    Raises InputError for data that the units cannot have, and labels that are missing or no class.

    >>> rbm = labelled_rbm(2, 2, hidden=6, key=jax.random.key(0))
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 25)
    >>> fit = learn_classifier(rbm, x, x[:, 0], epochs=100, batch=20, key=jax.random.key(1))
    >>> fit.history[-1]["accuracy"]
    1.0
    """
    rbm = unscaled(rbm, "rbm")
    scores = LabelScores(rbm)
    epochs = positive_int("epochs", epochs, "give the passes over the data")
    kl, supervised = (
        KL(PCD() if method is None else method, centred),
        Supervised("cross-entropy", smoothing, decay),
    )
    objective = Hybrid(float(discriminative), float(generative), kl, supervised)
    data = labelled(x, y, scores.classes, classes=True)
    _check_inputs(scores, data.x, binarise, "x")
    key, seed = key_and_seed(key)
    data, held = held_out(data, validation, scores.classes, supervised, seed)
    if held is not None:
        _check_inputs(scores, held.x, binarise, "validation[0]")
    batch = min(positive_int("batch", batch, "give the rows of a mini-batch"), len(data.x))
    if optimiser is None:
        updates = epochs * (len(data.x) // batch)
        optimiser = default_optimiser(updates)
        if not discriminative:
            optimiser = descent(None, None, AVERAGE, updates, first_rate(rbm))
    study = _OfScores(
        rbm, objective, data, held, as_optimiser(optimiser), epochs=epochs, batch=batch, seed=seed, key=key,
        patience=patience, watch=watch, binarise=binarise,
    )  # fmt: skip
    return carry_out(study, progress=None if progress is None else lambda _, row: progress(row))


class _OfScores(SupervisedStudy):
    """The study of an RBM, measured by its class scores."""

    def network(self, model: RBM) -> Network:
        return Network.of(LabelScores(model))

    def result(self, model: RBM) -> RBM:
        return model


def sample_given_label(rbm: RBM, labels: ArrayLike, *, steps: int = 1000, key: Array) -> np.ndarray:
    """x ~ p(x | y), one example for each of `labels`, (rows, N + C): a chain of block Gibbs each, `steps`
    sweeps, the label clamped. The last C columns are the label's: x is `[:, :-C]`.

    Warns (`NotMixed`) where the chains of a label have not mixed. Raises InputError for labels that are no
    class.

    >>> rbm = labelled_rbm(4, 3, hidden=5, key=jax.random.key(0))
    >>> sample_given_label(rbm, [0, 2], steps=200, key=jax.random.key(1))[:, -3:].tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    rbm = as_model(rbm)
    scores = LabelScores(rbm)
    blank = np.zeros((np.size(labels), 1))
    y = labelled(blank, labels, scores.classes, classes=True, argument=("x", "labels")).y
    columns, most = np.arange(scores.size, rbm.size), int(np.bincount(y).max())
    found: Any = None
    for label in np.unique(y):  # label by label: chains of different labels have no common distribution
        held = (columns, np.eye(scores.classes)[label])
        drawn = sample(
            rbm, most, sampler=Gibbs(steps=steps, clamped=held), key=jax.random.fold_in(key, int(label))
        )
        found = np.empty((len(y), rbm.size), drawn.dtype) if found is None else found
        found[y == label] = np.asarray(drawn)[: (y == label).sum()]
    return found


def _check_inputs(scores: LabelScores, x: np.ndarray, binarise: bool, argument: str) -> None:
    x = examples(x, argument)
    if x.ndim != 2 or x.shape[1] != scores.size:
        raise fail(argument, f"rows of {scores.size} columns", f"shape {x.shape}")
    if binarise:
        check_probabilities(x, argument)
        return
    for _, rows in blocks(x):
        scores.input_layer.check(rows, argument)
