r"""What all autoregressive wave functions are: a product of conditionals, each normalised.

    ψ(s) = Π_t ψ_t(s_t | s_<t),    |ψ_t(n | s_<t)|² = softmax_n z_t(n),    arg ψ_t = π w_t(n)/√(1 + w_t(n)²)

(Sharir, Levine, Wies, Carleo & Shashua, PRL 124, 020503 (2020); Hibat-Allah, Ganahl, Hayward, Melko &
Carrasquilla, PRR 2, 023358 (2020)). z_t and w_t are linear in the features of a network that sees the modes
visited before t only. So Σ_s |ψ(s)|² = 1 exactly, and s_0, s_1, … drawn one after another from their
conditionals are an independent sample of |ψ|². Levels that cannot be completed to a configuration of the
space have ψ_t = 0 (`places.following`): the same holds inside any space of numbers and constraints.

A network gives its features twice: `features` of whole configurations, and `walk`, one mode after another
with a cache of what is known, so that neither a sample nor an amplitude that is known up to t costs more than
one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, Int8, Num, PyTree, Shaped

from intertwine._checks import positive_int
from intertwine.models.autoregressive.places import following
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dtype
from intertwine.models.parameters import normal, parameter_dtype
from intertwine.models.protocols import Kind, Steps
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_IMPOSSIBLE = -1e30
_HEAD = 0.1


class Walk(NamedTuple):
    """A network one mode after another, B configurations at a time.

    begin: B → cache, arrays (B, …). step: (cache, t, levels (B,) chosen at t − 1) → (cache, features (B, F))
    of step t. A cache that has gone to the end serves again from any t on: what later steps left in it is not
    read.
    """

    begin: Callable[[int], Any]
    step: Callable[[Any, Array, Array], tuple[Any, Array]]


class Head(eqx.Module):
    """From features to z and w of every level: weights (F, C), bias (N, C), C = d for real ψ, else 2d."""

    weights: Float[Array, "F C"]
    bias: Float[Array, "N C"]

    def __init__(self, space: HilbertSpace, features: int, dtype: DTypeLike, *, key: Array):
        kind = parameter_dtype(dtype)
        columns = max(space.levels) * (2 if jnp.issubdtype(kind, jnp.complexfloating) else 1)
        spread = _HEAD / np.sqrt(features)
        self.weights = normal(key, (features, columns), real_dtype(kind), float(spread))
        self.bias = jnp.zeros((space.size, columns), real_dtype(kind))


class AutoregressiveModel(eqx.Module):
    """A wave function of conditionals; derive from it and give `features` and `walk`.

    head: from features to conditionals. space: the Hilbert space in which it is normalised. order: its modes
    as they are visited. Parameters are real; `kind` is "real" for ψ > 0, "complex" with phases.
    """

    head: eqx.AbstractVar[Head]
    space: eqx.AbstractVar[HilbertSpace]
    order: eqx.AbstractVar[tuple[int, ...]]

    def features(self, levels: Int[Array, "B N"]) -> Float[Array, "B N F"]:
        """The features of every step, from the levels in the order of the visit."""
        raise NotImplementedError

    def walk(self) -> Walk:
        """The same, one step after another."""
        raise NotImplementedError

    @property
    def hilbert(self) -> HilbertSpace:
        """The Hilbert space that it is a state of."""
        return self.space

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.space.size

    @property
    def kind(self) -> Kind:
        return "real" if self.head.bias.shape[1] == max(self.space.levels) else "complex"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) as the space writes it; −∞ outside the space."""
        check_configuration(s, self.size)
        levels = self._levels(s)
        logs = self._logs(levels)
        return jnp.sum(jnp.take_along_axis(logs, levels[:, None], axis=1))

    def conditionals(self, s: Shaped[Array, "N"]) -> Float[Array, "N d"]:
        """p(n | s_<t) of every step t (in the order of the visit) and level n, for one configuration (N,)."""
        return jnp.exp(2 * jnp.real(self._logs(self._levels(s))))

    def steps(self) -> Steps:
        """ψ one mode after another (`protocols.Stepwise`)."""
        walk, table = self.walk(), following(self.space, self.order)
        head, tables = self.head, None if table is None else jnp.asarray(table)

        def begin(count: int) -> tuple[Any, Array]:
            return walk.begin(count), jnp.zeros((count, self.size + 1 if table is not None else 0), jnp.int32)

        def step(cache: tuple[PyTree, Array], t: Array, before: Array) -> tuple[tuple[Any, Array], Array]:
            inner, nodes = cache
            inner, features = walk.step(inner, t, before)
            outputs = features @ head.weights + head.bias[t]
            if tables is None:
                return (inner, nodes), _log_conditionals(outputs, None, self.kind)
            last = jnp.maximum(t - 1, 0)
            now = jnp.where(t > 0, tables[last, nodes[:, last], before], 0)
            now = jnp.maximum(now, 0)
            nodes = kept(nodes, now, t)
            return (inner, nodes), _log_conditionals(outputs, tables[t, now] >= 0, self.kind)

        return Steps(begin, step)

    def draw(self, count: int, *, key: Array) -> Int8[Array, "count N"]:
        """`count` independent configurations of |ψ|², int8 (count, N) as the space writes them."""
        count = positive_int("count", count)
        walk = self.steps()

        def one(carry: tuple[PyTree, Array], t: Array) -> tuple[tuple[Any, Array], Array]:
            cache, before = carry
            cache, logs = walk.step(cache, t, before)
            chosen = jax.random.categorical(jax.random.fold_in(key, t), 2 * jnp.real(logs))
            return (cache, chosen.astype(jnp.int32)), chosen.astype(jnp.int8)

        start = walk.begin(count), jnp.zeros(count, jnp.int32)
        _, levels = jax.lax.scan(one, start, jnp.arange(self.size))
        return self.space.written(levels[np.argsort(self.order)].T)

    def _levels(self, s: Array) -> Array:
        return self.space.levels_of(jnp.asarray(s))[jnp.asarray(self.order)]

    def _logs(self, levels: Array) -> Array:
        """log ψ_t of every level, (N, d)."""
        outputs = self.features(levels[None])[0] @ self.head.weights + self.head.bias
        table = following(self.space, self.order)
        if table is None:
            return _log_conditionals(outputs, None, self.kind)
        tables = jnp.asarray(table)

        def one(node: Array, row: tuple[Array, Array]) -> tuple[Array, Array]:
            ways, level = row
            return jnp.maximum(ways[node, level], 0), ways[node] >= 0

        _, allowed = jax.lax.scan(one, jnp.zeros((), jnp.int32), (tables, levels))
        return _log_conditionals(outputs, allowed, self.kind)


def _log_conditionals(outputs: Array, allowed: Array | None, kind: Kind) -> Array:
    """log ψ_t (…, d) from the outputs of the head (…, C)."""
    d = outputs.shape[-1] // (1 if kind == "real" else 2)
    scores = outputs[..., :d]
    if allowed is not None:
        scores = jnp.where(allowed, scores, _IMPOSSIBLE)
    halves = 0.5 * jax.nn.log_softmax(scores)
    if allowed is not None:
        halves = jnp.where(allowed, halves, -jnp.inf)
    if kind == "real":
        return halves
    phases = outputs[..., d:]
    return jax.lax.complex(halves, jnp.pi * phases / jnp.sqrt(1.0 + phases**2))


def one_hot(levels: Int[Array, "..."], d: int, dtype: DTypeLike) -> Float[Array, "... e"]:
    """What a network reads of a level: ±1 where there are two, else (0, …, 1, …, 0)."""
    if d == 2:
        return (1 - 2 * levels[..., None]).astype(dtype)
    return jax.nn.one_hot(levels, d, dtype=dtype)


def kept(cache: Array, value: Array, t: Array) -> Array:
    """cache (B, N, …) with `value` (B, …) at step t."""
    return jax.lax.dynamic_update_slice_in_dim(cache, value[:, None], t, axis=1)


def glorot(key: Array, shape: tuple[int, ...], inputs: int, dtype: DTypeLike) -> Float[Array, "..."]:
    """Normal weights of variance 1/inputs."""
    return normal(key, shape, real_dtype(parameter_dtype(dtype)), float(1 / np.sqrt(inputs)))
