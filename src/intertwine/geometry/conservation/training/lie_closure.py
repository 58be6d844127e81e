r"""How many independent functions of its parameters gradient flow conserves: parameters minus the dimension
of the Lie algebra that its directions generate, at a generic point.

    W = {∇_θ⟨w, f(θ, x)⟩},    Lie(W) ∋ [X, Y] = DY·X − DX·Y,    count = D − dim Lie(W)(θ)

(Frobenius; Marcotte, Gribonval & Peyré, NeurIPS 2023, Theorem 2.12). Brackets [X_1, [X_2, … X_n]] of random
directions span the algebra; where those of one more level add nothing, it is closed. For two linear layers,
n inputs, m outputs and r units between, the count is r(r + 1)/2 where n + m ≥ r, else (n + m)(2r + 1 − n −
m)/2; for ReLU units r.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from intertwine.geometry.conservation.null_space import LEAST_GAP
from intertwine.geometry.conservation.training.fields import TrainingFields

MOST_PARAMETERS = 300
"""Above it the algebra is not computed."""

MOST_LEVELS = 5

POINTS = 3
"""Random parameters at which it is computed."""

_RANK = 1e-8

Brackets = Callable[[Array, list[Array], list[Array]], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class LieClosure:
    """count: parameters minus the dimension. dimensions: of the span of brackets to each level. closed:
    whether the last level added nothing. gap: the smallest singular value that counts over the threshold or
    the largest one that does not."""

    count: int
    dimensions: tuple[int, ...]
    closed: bool
    gap: float

    @property
    def judged(self) -> bool:
        return self.closed and self.gap >= LEAST_GAP


def lie_closure(fields: TrainingFields, draws: np.random.Generator) -> LieClosure:
    """Of the directions of a network, at the most generic of some random parameters (where units of others
    are dead more is conserved); called where JAX has 64 bits."""
    brackets = _brackets(fields)
    found = [_closure_at(fields, brackets, draws) for _ in range(POINTS)]
    return min(found, key=lambda closure: closure.count)


def _closure_at(fields: TrainingFields, brackets: Brackets, draws: np.random.Generator) -> LieClosure:
    flat = jnp.asarray(np.concatenate([x[0].ravel() for x in fields.moved(1, draws)]))
    size = len(flat)
    rows = np.zeros((0, size))
    dimensions: list[int] = []
    gap, usual, stretch = np.inf, 1.0, 1.0
    for level in range(1, MOST_LEVELS + 1):
        count = size + 8
        x = [jnp.asarray(fields.examples_drawn(count, draws)) for _ in range(level)]
        w = [jnp.asarray(fields.weights_drawn(count, draws)) for _ in range(level)]
        found, sizes = map(np.asarray, brackets(flat, x, w))
        if level == 1:
            usual = float(np.median(np.linalg.norm(found, axis=1)))
        elif level == 2:
            stretch = float(np.median(sizes)) / max(usual, 1e-300)
        expected = usual * stretch ** (level - 1)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        kept = np.isfinite(found).all(axis=1) & (lengths[:, 0] > _RANK * expected)
        rows = np.concatenate([rows, found[kept] / lengths[kept]])
        dimension, gap, rows = _span(rows)
        dimensions.append(dimension)
        if dimension == size or (level > 1 and dimensions[-2] == dimension):
            break
    closed = dimensions[-1] == size or (len(dimensions) > 1 and dimensions[-1] == dimensions[-2])
    return LieClosure(size - dimensions[-1], tuple(dimensions), closed, gap)


def _span(rows: Float[np.ndarray, "n D"]) -> tuple[int, float, Float[np.ndarray, "r D"]]:
    """(rank, gap, an orthonormal basis)."""
    if not len(rows):
        return 0, np.inf, rows
    _, singular, right = np.linalg.svd(rows, full_matrices=False)
    singular = singular / max(singular[0], 1e-300)
    dimension = int((singular > _RANK).sum())
    below = max(float(singular[dimension]) if dimension < len(singular) else 0.0, _RANK)
    return dimension, float(singular[dimension - 1]) / below, right[:dimension]


def _brackets(fields: TrainingFields) -> Brackets:
    """A function of parameters (D,) and as many batches x and w of n each as directions are nested: (brackets
    (n, D), the sizes of what they are differences of)."""
    _, unravel = ravel_pytree(fields.arrays)

    def field(k: int, theta: Array, draw: list[Array]) -> Array:
        def scalar(theta: Array) -> Array:
            return fields.scalar(unravel(theta), draw[2 * k], draw[2 * k + 1])

        return jax.grad(scalar)(theta)

    def bracket(k: int, theta: Array, draw: list[Array]) -> tuple[Array, Array]:
        at_outer = field(k, theta, draw)
        if 2 * k + 2 == len(draw):
            return at_outer, jnp.linalg.norm(at_outer)
        (at_inner, _), (one, _) = jax.jvp(lambda t: bracket(k + 1, t, draw), (theta,), (at_outer,))
        _, other = jax.jvp(lambda t: field(k, t, draw), (theta,), (at_inner,))
        return one - other, jnp.linalg.norm(one) + jnp.linalg.norm(other)

    @jax.jit
    def found(theta: Array, x: list[Array], w: list[Array]) -> tuple[Array, Array]:
        draws = [array for pair in zip(x, w, strict=True) for array in pair]
        return jax.lax.map(lambda one: bracket(0, theta, one), draws, batch_size=64)

    return found
