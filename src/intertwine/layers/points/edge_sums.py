r"""Sums over the neighbours of every point, block by block: what is made of an edge is never kept.

    s(i) = f(x(j_1), …, x(j_K), a(i); p),       j_k the neighbours of i: a sum of messages, say

A message has many more numbers than what it is made of (the fields of two points, an edge vector, the weights
p of a small network), so that a layer's memory is that of its messages. Here f is evaluated on blocks of
centres, one after another, and its derivative evaluates it once more, by blocks as well: what stays for the
way back are the arguments. The pull-back of such a sum is one of the same kind,

    (x, a, p, s̄)  ↦  x̄(i, k) of every edge, ā(i), and p̄ summed over the blocks,

therefore derivatives of all orders (forces, and the gradient of their error) are made by the same function.
x̄ of an edge goes back to the point that it came from by `collected`, without scattering. Derivatives are
taken backwards (`jax.grad`, also of itself)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, PyTree

from intertwine.spaces.points.gather import collected

if TYPE_CHECKING:
    from intertwine.spaces.points.cloud import Cloud

BLOCK = 512
"""About how many edges are alive at a time."""

Messages = Callable[[Any, Array, Any, Any], tuple[Any, Any]]


class Tables(NamedTuple):
    """Who is whose neighbour: `site`, `near`, `back` of a `Cloud`."""

    site: Int[Array, "n K"]
    near: Bool[Array, "n K"]
    back: Int[Array, "n B"]

    @property
    def points(self) -> int:
        """n."""
        return self.site.shape[0]

    @property
    def neighbours(self) -> int:
        """K."""
        return self.site.shape[1]


def tables_of(cloud: Cloud) -> Tables:
    """The tables of a cloud."""
    return Tables(cloud.site, cloud.near, cloud.back)


def edge_sums(
    messages: Messages, tables: Tables, x: PyTree, own: PyTree, shared: PyTree, *, block: int = BLOCK
) -> PyTree:
    """`messages` on all centres, evaluated and differentiated by blocks of centres.

    messages: (x (B, K, …) of the neighbours, near (B, K), own (B, …), shared) → (results (B, …), ()), which
        must not depend on x where `near` is False, nor give NaN there, or for rows of zeros in `own`. A
        function that stays the same object, or a `partial` of one, is compiled once.
    x: arrays (n, …), from which neighbours are taken; own: arrays (n, …) of the centres, such as edge vectors
        (n, K, 3); shared: arrays that all edges share. All are floats and have derivatives of all orders.

    Returns the results, (n, …).
    """
    found: Any = _run(_Sized(messages, block), tables, x, own, shared)
    return found[0]


class _Sized(NamedTuple):
    messages: Messages
    block: int


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(sized: _Sized, tables: Tables, x: Any, own: Any, shared: Any) -> tuple[Any, Any]:
    """(results of the centres, sums over all blocks)."""
    messages = sized.messages
    n, k = tables.site.shape
    count = max(1, min(n, -(-n * k // sized.block)))
    if count == 1:
        return messages(_rows(x, tables.site), tables.near, own, shared)
    size = -(-n // count)
    count = -(-n // size)

    def cut(a: Array) -> Array:
        short = count * size - n
        a = jnp.concatenate([a, jnp.zeros((short, *a.shape[1:]), a.dtype)]) if short else a
        return a.reshape(count, size, *a.shape[1:])

    def step(total: Any, part: tuple[Array, Array, Any]) -> tuple[Any, Any]:
        site, near, mine = part
        results, sums = messages(_rows(x, site), near, mine, shared)
        return jax.tree.map(jnp.add, total, sums), results

    parts = jax.tree.map(cut, (tables.site, tables.near, own))
    first = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), parts)
    outputs = jax.eval_shape(lambda p: messages(_rows(x, p[0]), p[1], p[2], shared), first)
    zero = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), outputs[1])
    sums, results = jax.lax.scan(step, zero, parts)
    return jax.tree.map(lambda a: a.reshape(count * size, *a.shape[2:])[:n], results), sums


def _rows(x: Any, site: Array) -> Any:
    return jax.tree.map(lambda a: jnp.take(a, site, axis=0, mode="clip"), x)


def _forward(sized: _Sized, tables: Tables, x: Any, own: Any, shared: Any) -> tuple[Any, Any]:
    return _run(sized, tables, x, own, shared), (tables, x, own, shared)


def _backward(sized: _Sized, kept: Any, slopes: tuple[Any, Any]) -> tuple[Any, ...]:
    tables, x, own, shared = kept
    pulled = _Sized(partial(_pulled, sized.messages), sized.block)
    found: Any = _run(pulled, tables, x, (own, slopes[0]), (shared, slopes[1]))
    (edges, mine), sums = found
    return None, jax.tree.map(lambda m: collected(m, tables), edges), mine, sums


def _pulled(messages: Messages, x: Any, near: Array, own: Any, shared: Any) -> tuple[Any, Any]:
    """The pull-back of `messages`: slopes of the results stand among `own`, those of sums among `shared`."""
    (own, slopes), (shared, slope_of_sums) = own, shared
    _, pull = jax.vjp(lambda *given: messages(given[0], near, *given[1:]), x, own, shared)
    edges, mine, sums = pull((slopes, slope_of_sums))
    return (edges, mine), sums


_run.defvjp(_forward, _backward)
