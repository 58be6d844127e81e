r"""Convolutions on clouds of points: what a kernel sees of the neighbours, then one product.

A kernel is given in coordinates (l m, n) of harmonics and radial functions (`spaces.points`), so that all it
needs to know of the field are the sums over neighbours

    Z_{lm,n}(i) = Σ_k φ_n(|r_ik|) Y_lm(r_ik) f(j_k),        (K f)(i) = Σ_{lm,n} κ_{lm,n} Z_{lm,n}(i),

both of them products of matrices. φ_n are Bessel functions times a cut-off that ends with two continuous
derivatives (`layers.points.radial`); where there are nearest neighbours alone, functions of r/(r + 1) in the
unit of the positions. Blocks of centres are made one after another, and again on the way back (`edge_sums`):
nothing of Z is kept. The point itself is not among its neighbours: `Linear` is for that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.layers.points.products.edge_sums import edge_sums, tables_of
from intertwine.layers.points.radial import RadialBasis, lengths
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.points import Points
from intertwine.spaces.points.radial import radial_region


class PointExecutor(FiniteExecutor):
    """Convolutions on `Points`."""

    def check(self, plan: Plan) -> None:
        """InputError for regions in other words, strides and paddings."""
        super().check(plan)
        radial_region(plan.support)

    def apply(  # type: ignore[override]
        self,
        plan: Plan,
        kernel: Float[Array, "coordinates C_in C_out"],
        x: Float[Array, "... C_in"],
        at: Cloud,
    ) -> Float[Array, "... C_out"]:
        """Fields (..., n, C_in) on the points of `at`."""
        kernel = kernel.astype(x.dtype).reshape(-1, kernel.shape[-1])  # (coordinates·C_in, C_out)
        vectors, tables = at.vectors().astype(x.dtype), tables_of(at)
        around = partial(
            _around, radial_functions(plan.space, plan.support), radial_region(plan.support).degree
        )

        def one(field: Array) -> Array:
            return edge_sums(around, tables, field, vectors, kernel)

        if x.ndim == 2:
            return one(x)
        return jax.vmap(one)(x.reshape(-1, *x.shape[-2:])).reshape(*x.shape[:-1], -1)


def radial_functions(space: Points, region: object) -> RadialBasis:
    """The functions of the distance that a region of the space stands for."""
    return RadialBasis(space.reach, radial_region(region).functions, cut=space.cutoff is not None)


def _around(
    radial: RadialBasis, degree: int, x: Array, near: Array, own: Any, shared: Any
) -> tuple[Any, Any]:
    """A block of centres."""
    distance = lengths(own)
    functions = jnp.where(near[..., None], radial(distance), 0.0)
    seen = harmonics(own, degree)[..., :, None] * functions[..., None, :]
    seen = seen.reshape(*near.shape, -1).swapaxes(-1, -2)  # (B, coordinates, K)
    z = jnp.matmul(seen, x, precision="highest")
    return jnp.matmul(z.reshape(z.shape[0], -1), shared, precision="highest"), ()
