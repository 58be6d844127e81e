r"""Sums over the neighbours of every point, block by block: what is made of an edge is never kept.

    s(i) = f(x(j_1), …, x(j_K), a(i); p),       j_k the neighbours of i: a sum of messages, say

A message has many more numbers than what it is made of (the fields of two points, an edge vector, the weights
p of a small network), so that a layer's memory is that of its messages. Here f is evaluated on blocks of
centres, one after another, and its derivative evaluates it once more, by blocks as well: what stays for the
way back are the arguments. Functions of this kind have inputs and outputs of three sorts,

    x      of the points that edges lead to        ends     of edges, added up where they end
    own    of the centres                          results  of the centres
    shared by all                                  sums     over all

and the pull-back of one is another: slopes of x are ends, slopes of ends stand among x, and so on. Therefore
derivatives of all orders (forces, and the gradient of their error) are made by the same function. They are
taken backwards (`jax.grad`, also of itself). On a CPU the ends of a block are added in their order;
elsewhere, where that would give other digits at each call, `collected` reads them from a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Int, PyTree

from intertwine.spaces.points.gather import collected

if TYPE_CHECKING:
    from intertwine.spaces.points.cloud import Cloud

BLOCK = 256
"""About how many edges are alive at a time on a CPU, whose cache is to hold what is made of them."""
_BLOCK_ELSEWHERE = 2**16

Messages = Callable[[Any, Array, Any, Any], tuple[Any, Any]]
_Made = Callable[[Any, Array, Any, Any], tuple[Any, Any, Any]]


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
    messages: Messages, tables: Tables, x: PyTree, own: PyTree, shared: PyTree, *, block: int | None = None
) -> PyTree:
    """`messages` on all centres, evaluated and differentiated by blocks of centres.

    messages: (x (B, K, …) of the neighbours, near (B, K), own (B, …), shared) → (results (B, …), ()), which
        must not depend on x where `near` is False, nor be NaN there, or for rows of zeros in `own`. A
        function of a module, or a `partial` of one: arrays come as arguments.
    x: arrays (n, …), from which neighbours are taken; own: arrays (n, …) of the centres, such as edge vectors
        (n, K, 3); shared: arrays that all edges share. All are floats and have derivatives of all orders.
    block: about how many edges at a time (None: what suits the machine).

    Returns the results, (n, …).
    """
    if block is None:
        block = BLOCK if jax.default_backend() == "cpu" else _BLOCK_ELSEWHERE
    found: Any = _run(_Sized(partial(_only_results, messages), block), tables, x, own, shared)
    return found[1]


def _only_results(messages: Messages, x: Any, near: Array, own: Any, shared: Any) -> tuple[Any, Any, Any]:
    return (), *messages(x, near, own, shared)


class _Sized(NamedTuple):
    """made: (ends of edges (B, K, …), results of centres (B, …), sums). block: how many edges at a time."""

    made: _Made
    block: int


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(sized: _Sized, tables: Tables, x: Any, own: Any, shared: Any) -> tuple[Any, Any, Any]:
    """(ends added up at the points (n, …), results (n, …), sums over all blocks)."""
    made = sized.made
    n, k = tables.site.shape
    size = _block_of(n, k, sized.block)
    count = -(-n // size)
    if count == 1:
        ends, results, sums = made(_rows(x, tables.site), tables.near, own, shared)
        return _collected(ends, tables), results, sums

    def cut(a: Array) -> Array:
        short = count * size - n
        a = jnp.concatenate([a, jnp.zeros((short, *a.shape[1:]), a.dtype)]) if short else a
        return a.reshape(count, size, *a.shape[1:])

    def whole(a: Array) -> Array:
        return a.reshape(count * size, *a.shape[2:])[:n]

    adds = jax.default_backend() == "cpu"
    parts = jax.tree.map(cut, (tables.site, tables.near, own))
    first = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), parts)
    shapes = jax.eval_shape(lambda p: made(_rows(x, p[0]), p[1], p[2], shared), first)
    zero_ends = jax.tree.map(lambda a: jnp.zeros((n, *a.shape[2:]), a.dtype), shapes[0]) if adds else ()
    zero_sums = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes[2])

    def step(totals: Any, part: tuple[Array, Array, Any]) -> tuple[Any, Any]:
        (at_points, total), (site, near, mine) = totals, part
        ends, results, sums = made(_rows(x, site), near, mine, shared)
        total = jax.tree.map(jnp.add, total, sums)
        if adds:
            flat = site.reshape(-1)
            at_points = jax.tree.map(
                lambda a, e: a.at[flat].add(e.reshape(-1, *e.shape[2:]), mode="clip"), at_points, ends
            )
            ends = ()
        return (at_points, total), (ends, results)

    (at_points, sums), (ends, results) = jax.lax.scan(step, (zero_ends, zero_sums), parts)
    if not adds:
        at_points = _collected(jax.tree.map(whole, ends), tables)
    return at_points, jax.tree.map(whole, results), sums


def _collected(ends: Any, tables: Tables) -> Any:
    cloud: Any = tables
    return jax.tree.map(lambda m: collected(m, cloud), ends)


def _block_of(n: int, k: int, edges: int) -> int:
    """How many centres: n in equal parts where it can be, since what is filled up must be copied.

    >>> _block_of(1000, 10, 512), _block_of(997, 10, 512), _block_of(30, 10, 512)
    (50, 50, 30)
    """
    about = max(1, edges // max(1, k))
    if n <= about:
        return n
    parts = [size for size in range(max(1, about // 2), min(n, 2 * about) + 1) if n % size == 0]
    if parts:
        return min(parts, key=lambda size: abs(np.log(size / about)))
    return -(-n // -(-n // about))


def _rows(x: Any, site: Array) -> Any:
    return jax.tree.map(lambda a: jnp.take(a, site, axis=0, mode="clip"), x)


def _forward(sized: _Sized, tables: Tables, x: Any, own: Any, shared: Any) -> tuple[Any, Any]:
    return _run(sized, tables, x, own, shared), (tables, x, own, shared)


def _backward(sized: _Sized, kept: Any, slopes: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    tables, x, own, shared = kept
    pulled = _Sized(partial(_pulled, sized.made), sized.block)
    found: Any = _run(pulled, tables, (x, slopes[0]), (own, slopes[1]), (shared, slopes[2]))
    return None, *found


def _pulled(made: _Made, x: Any, near: Array, own: Any, shared: Any) -> tuple[Any, Any, Any]:
    """The pull-back of `made`."""
    (x, of_ends), (own, of_results), (shared, of_sums) = x, own, shared
    _, pull = jax.vjp(lambda *given: made(given[0], near, *given[1:]), x, own, shared)
    return pull((of_ends, of_results, of_sums))


_run.defvjp(_forward, _backward)
