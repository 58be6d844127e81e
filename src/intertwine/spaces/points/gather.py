r"""From points to edges and back, without scattering: two linear maps, each the transpose of the other.

    gathered    (G x)(i, k) = x(j),  j the k-th neighbour of i; 0 where there is none
    collected   (Gᵀ m)(j) = Σ m(i, k) over the edges (i, k) that end at j

Both read from tables (`site`, and `back`, which says for every point the edges that end there), so that
neither they nor their derivatives of any order add into places in turn, which is slow on a CPU and gives
other digits at each call on a GPU. Derivatives are taken backwards (`jax.grad`, also of itself), since that
is what `custom_vjp` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Shaped

from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.spaces.points.cloud import Cloud


def gathered(x: Shaped[Array, "n C"], cloud: Cloud) -> Shaped[Array, "n K C"]:
    """The values of the neighbours of every point; 0 where there is none.

    x: (n, C), or (n, ...) with any axes behind, which the result has as well. Raises InputError for another
    number of points.

    >>> from intertwine.spaces.points.points import Points
    >>> pair = Points(2.0).cloud([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    >>> gathered(jnp.array([[1.0], [2.0], [4.0]]), pair)[..., 0].tolist()
    [[2.0], [1.0], [0.0]]
    """
    if x.ndim < 2 or x.shape[0] != cloud.points:
        raise fail("x", f"a field ({cloud.points}, C) on the points of the cloud", f"shape {x.shape}")
    return _gathered(x, cloud.site, cloud.near, cloud.back)


def collected(m: Shaped[Array, "n K C"], cloud: Cloud) -> Shaped[Array, "n C"]:
    """The sum over the edges that end at each point: the transpose of `gathered`.

    m: (n, K, C), or (n, K, ...); what stands at places without a neighbour does not count. Raises InputError
    for another number of edges.

    >>> from intertwine.spaces.points.points import Points
    >>> row = Points(1.5).cloud([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    >>> collected(jnp.ones((3, row.neighbours, 1)), row)[..., 0].tolist()
    [1.0, 2.0, 1.0]
    """
    edges = (cloud.points, cloud.neighbours)
    if m.ndim < 3 or m.shape[:2] != edges:
        raise fail("m", f"values {(*edges, 'C')} on the edges of the cloud", f"shape {m.shape}")
    return _collected(m, cloud.site, cloud.near, cloud.back)


@jax.custom_vjp
def _gathered(x: Array, site: Array, near: Array, back: Array) -> Array:
    rows = jnp.take(x, site, axis=0, mode="clip")
    return jnp.where(near.reshape(*near.shape, *[1] * (x.ndim - 1)), rows, jnp.zeros((), x.dtype))


@jax.custom_vjp
def _collected(m: Array, site: Array, near: Array, back: Array) -> Array:
    flat = m.reshape(m.shape[0] * m.shape[1], *m.shape[2:])

    def add(
        total: Array, place: Array
    ) -> tuple[Array, None]:  # a sum over an axis is ten times slower on a CPU
        return total + jnp.take(flat, place, axis=0, mode="fill", fill_value=0), None

    return jax.lax.scan(add, jnp.zeros((back.shape[0], *m.shape[2:]), m.dtype), back.T)[0]


_Tables = tuple[Array, Array, Array]


def _gathered_forward(x: Array, *tables: Array) -> tuple[Array, tuple[Array, ...]]:
    return _gathered(x, *tables), tables


def _gathered_back(tables: _Tables, slope: Array) -> tuple[Array, None, None, None]:
    return _collected(slope, *tables), None, None, None


def _collected_forward(m: Array, *tables: Array) -> tuple[Array, tuple[Array, ...]]:
    return _collected(m, *tables), tables


def _collected_back(tables: _Tables, slope: Array) -> tuple[Array, None, None, None]:
    return _gathered(slope, *tables), None, None, None


_gathered.defvjp(_gathered_forward, _gathered_back)
_collected.defvjp(_collected_forward, _collected_back)
