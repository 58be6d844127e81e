r"""What gradient flow conserves when a network is trained, and by exactly how much a finite step breaks it.

Gradient flow θ̇ = −∂L/∂θ conserves h where ∇h is orthogonal to every direction that it can take
(`fields`). Here the h are linear or quadratic, h(θ) = aᵀθ + θᵀAθ (`gram_dictionary`), found as a null
space over random parameters, data and losses, and counted against the Lie algebra (`lie_closure`).

A step of gradient descent, from mini-batches as well, changes a quadratic h by exactly

    h(θ − ηg) − h(θ) = η² gᵀAg        as θᵀAg = 0,

a linear one not at all. With weight decay λ of all parameters, in the loss or beside it, θ ← (1 − ηλ)θ − ηg:

    quadratic   h ← (1 − ηλ)² h + η² gᵀAg,        linear   h ← (1 − ηλ) h

which along the flow is h e^{−2λt} (Kunin et al., ICLR 2021; |w|² of a scale-invariant unit is the case A =
1). Momentum and adaptive rates take steps that are not along g, and conserve nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, one_of
from intertwine._shown import Shown
from intertwine.geometry.conservation.formulas import without_identities, written
from intertwine.geometry.conservation.near import near_misses
from intertwine.geometry.conservation.null_space import LEAST_GAP, NullSpace, null_space
from intertwine.geometry.conservation.training.fields import TrainingFields, training_fields
from intertwine.geometry.conservation.training.gram_dictionary import (
    GramDictionary,
    gram_dictionary,
    named_arrays,
)
from intertwine.geometry.conservation.training.lie_closure import MOST_PARAMETERS, LieClosure, lie_closure
from intertwine.models.network import Network
from intertwine.models.parameters import parameters
from intertwine.models.results import as_model

LOSSES = ("any", "cross-entropy", "squared-error")

_SHOWN = 10
_RANK = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class TrainingLaws(Shown):
    """coefficients: float64 (n, K), a law a row, over the functions of `dictionary`. independent: how many
    are, by the rank of their gradients. closure: the count by the Lie algebra of what flow can do; None where
    the network is too large for it. null: how the laws were found. parameters: how many the network has.
    loss: which losses they hold for. warnings: what qualifies them.
    """

    dictionary: GramDictionary
    coefficients: Float[np.ndarray, "n K"]
    independent: int
    closure: LieClosure | None
    null: NullSpace
    parameters: int
    loss: str
    warnings: tuple[str, ...]

    @property
    def count(self) -> int | None:
        """How many independent functions of the parameters are conserved, of any kind; None if unjudged."""
        return None if self.closure is None or not self.closure.judged else self.closure.count

    @property
    def formulas(self) -> tuple[str, ...]:
        """The laws in words."""
        return tuple(written(row, self.dictionary.words, most=6) for row in self.coefficients)

    def __call__(self, model: PyTree) -> Float[np.ndarray, " n"]:
        """The value of each law, of a network of the same arrays, of a result that has one, or of a gradient
        (a pytree like the parameters)."""
        linear, quadratic = self._parts(model)
        return linear + quadratic

    def after_step(
        self, model: PyTree, gradient: PyTree, rate: float, *, decay: float = 0.0
    ) -> Float[np.ndarray, " n"]:
        """What each law is after θ ← (1 − rate·decay) θ − rate·gradient, exactly, from its values of the
        network and of the gradient of the loss alone."""
        linear, quadratic = self._parts(model)
        kept = 1 - rate * decay
        return kept * linear + kept**2 * quadratic + rate**2 * self._parts(gradient)[1]

    def drift(self, first: PyTree, last: PyTree) -> float:
        """The largest change of a law between two networks, over the size of its terms."""
        return self.since(first)(last)["conserved_drift"]

    def since(self, first: PyTree) -> Callable[[PyTree], dict[str, float]]:
        """What `fit_supervised(track=...)` measures of the network after each epoch: `conserved_drift`, the
        largest change of a law since `first` over the size of its terms, and `conserved_change`, the
        root mean square of the changes of all."""
        begun = self(first)
        before = np.abs(self.coefficients) @ np.abs(self._functions(first))

        def measured(model: PyTree) -> dict[str, float]:
            change = self(model) - begun
            if not change.size:
                return {"conserved_drift": 0.0, "conserved_change": 0.0}
            whole = float(np.sqrt(np.mean(change**2)))
            size = np.maximum(before, np.abs(self.coefficients) @ np.abs(self._functions(model)))
            size = np.maximum(size, 1e-300)
            return {"conserved_drift": float(np.max(np.abs(change) / size)), "conserved_change": whole}

        return measured

    def along(self, models: Sequence[PyTree]) -> Float[np.ndarray, "t n"]:
        """The laws along a run: of each of its networks."""
        return np.array([self(model) for model in models])

    def __str__(self) -> str:
        found, n = len(self.coefficients), self.parameters
        law = "law" if found == 1 else "laws"
        head = f"gradient flow of {n} parameters conserves {found} linear and quadratic {law}, "
        head += f"{self.independent} independent"
        if self.closure is not None:
            dims = " → ".join(map(str, self.closure.dimensions))
            counted = "?" if self.count is None else str(self.count)
            head += f"; {counted} of any kind ({n} − {self.closure.dimensions[-1]}, brackets span {dims})"
        lines = [head, *(f"  {text}" for text in self.formulas[:_SHOWN])]
        if found > _SHOWN:
            lines.append(f"  and {found - _SHOWN} more")
        which = "any loss of the outputs" if self.loss != "cross-entropy" else "cross-entropy"
        lines.append(f"for {which}; rounding {self.null.threshold:.1e}, gap {self.null.gap:.1e}")
        return beneath("\n".join(lines), self.warnings)

    def _functions(self, model: PyTree) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(self.dictionary.values(self._arrays(model)))

    def _parts(self, model: PyTree) -> tuple[np.ndarray, np.ndarray]:
        """(linear part, quadratic part) of each law."""
        values, sums = self._functions(model), self.dictionary.sums
        return self.coefficients[:, :sums] @ values[:sums], self.coefficients[:, sums:] @ values[sums:]

    def _arrays(self, model: PyTree) -> list[Array]:
        given = as_model(model)
        module = given.module if isinstance(given, Network) else given
        _, arrays = named_arrays(parameters(module))
        shapes = tuple(x.shape for x in arrays)
        if shapes != self.dictionary.shapes:
            raise fail("model", f"arrays of shapes {self.dictionary.shapes}", f"{shapes}")
        return [jnp.asarray(np.asarray(x), jnp.float64) for x in arrays]


def training_laws(
    model: PyTree,
    inputs: ArrayLike | tuple[int, ...] | None = None,
    *,
    loss: str = "any",
    count: bool | None = None,
    seed: int = 0,
) -> TrainingLaws:
    """Of a network; see `it.conserved`. count: whether the algebra is computed; None: where there are at most
    `MOST_PARAMETERS` parameters."""
    one_of("loss", loss, LOSSES)
    draws = np.random.default_rng(seed)
    with jax.enable_x64(True):
        fields = training_fields(model, inputs, loss)
        words = gram_dictionary(fields.names, [x.shape for x in fields.arrays])
        conditions, values = _sampled(fields, words, draws)
        null = null_space(conditions, values)
        rows = without_identities(null.combinations, values, words.groups)
        rank = _rank(fields, words, rows, draws)
        wanted = fields.count <= MOST_PARAMETERS if count is None else count
        closure = lie_closure(fields, draws) if wanted else None
    said = _caveats(fields, words, null, rank, closure)
    laws = TrainingLaws(words, rows, rank, closure, null, fields.count, loss, ())
    tell(said, stacklevel=3)
    return replace(laws, warnings=tuple(said))


def _sampled(
    fields: TrainingFields, words: GramDictionary, draws: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(the rate of each function along random directions (n, K), its values there)."""

    @jax.jit
    def some(thetas: list[Array], xs: Array, ws: Array) -> tuple[Array, Array]:
        def one(theta: list[Array], x: Array, w: Array) -> tuple[Array, Array]:
            direction = jax.grad(fields.scalar)(theta, x, w)
            values, rates = jax.jvp(words.values, (theta,), (direction,))
            return rates, values

        return jax.vmap(one)(thetas, xs, ws)

    need = 2 * len(words.words) + 20
    chunk = int(np.clip(1e7 // max(1, fields.count * 6), 1, 128))
    rates, values = [], []
    for _ in range(-(-need // chunk)):
        drawn = (
            fields.moved(chunk, draws),
            fields.examples_drawn(chunk, draws),
            fields.weights_drawn(chunk, draws),
        )
        rate, value = some(*drawn)
        rates.append(np.asarray(rate))
        values.append(np.asarray(value))
    return np.concatenate(rates), np.concatenate(values)


def _rank(fields: TrainingFields, words: GramDictionary, rows: np.ndarray, draws: np.random.Generator) -> int:
    """The rank of the gradients of the laws at generic parameters."""
    if not len(rows):
        return 0
    theta = [x[0] for x in fields.moved(1, draws)]

    @jax.jit
    def gram(theta: list[Array], rows: Array) -> Array:
        def one(row: Array) -> Array:
            gradient = jax.grad(lambda t: row @ words.values(t))(theta)
            return jnp.concatenate([g.ravel() for g in gradient])

        found = jax.lax.map(one, rows)
        found = found / jnp.linalg.norm(found, axis=1, keepdims=True)
        return found @ found.T

    eigenvalues = np.linalg.eigvalsh(np.asarray(gram(theta, jnp.asarray(rows))))
    return int((eigenvalues > _RANK * eigenvalues[-1]).sum())


def _caveats(
    fields: TrainingFields, words: GramDictionary, null: NullSpace, rank: int, closure: LieClosure | None
) -> list[str]:
    said = []
    if not null.judged:
        sentence = (
            f"the gap of {null.gap:.2g} between what is conserved and what is not is below {LEAST_GAP:g}"
        )
        said.append(caveat("unjudged", f"{sentence}: the number of laws may be another"))
    said += near_misses(null, exact=True)
    if words.left_out:
        more = f" and {len(words.left_out) - 3} more" if len(words.left_out) > 3 else ""
        said.append(caveat("data", f"laws were not looked for in {'; '.join(words.left_out[:3])}{more}"))
    if closure is None:
        words_of_size = f"the number of all laws of {fields.count} parameters was not counted"
        said.append(
            caveat("unjudged", f"{words_of_size}: ask for it with count=True, or of a narrower network")
        )
    elif not closure.closed:
        said.append(caveat("unjudged", f"brackets still add directions at level {len(closure.dimensions)}"))
    elif closure.judged and closure.count > rank:
        more = closure.count - rank
        said.append(caveat("data", f"{more} conserved functions are not linear or quadratic sums of slices"))
    return said
