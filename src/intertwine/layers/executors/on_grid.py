"""Convolutions on grids: one correlation, and zeros outside the hexagon of a triangular grid."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.executors.correlate import correlate
from intertwine.layers.executors.protocol import Plan
from intertwine.layers.kernel import region_of
from intertwine.layers.mask import inside


class GridExecutor:
    """(K f)(x) = Σ_y κ(y) f(x + y): `correlate` with the dense kernel."""

    correlates = True

    def check(self, plan: Plan) -> None:
        """InputError without a width, for "spectral", and for "same" with even widths."""
        if plan.support is None:
            raise fail("support", "the width of the kernel", None, "for example 3")
        if plan.executor == "spectral":
            raise fail(
                "executor", "'auto' or 'gather' here", "'spectral'", "it is for fields on a group, H = 1"
            )
        if plan.padding == "same":
            widths = plan.space.window(region_of(plan.support)).shape
            if not all(n % 2 for n in widths):
                raise fail("padding", "'valid' or a number for even widths", "'same'", "or take an odd width")

    def apply(
        self, plan: Plan, kernel: Float[Array, "points C_in C_out"], x: Float[Array, "... C_in"]
    ) -> Float[Array, "... C_out"]:
        """Fields (..., X_0, …, C_in), any leading axes; InputError for arrays smaller than the window."""
        space = plan.space
        masked = plan.padding != "periodic"
        dense = self.dense(plan, kernel).astype(x.dtype)
        widths, sizes = dense.shape[: space.axes], x.shape[-1 - space.axes : -1]
        if plan.padding == "valid" and any(n < k for n, k in zip(sizes, widths, strict=True)):
            raise fail(
                "x", f"arrays of at least {widths} points", f"{sizes}", "pad, or take a smaller kernel"
            )
        return correlate(inside(x, space) if masked else x, dense, stride=plan.stride, padding=plan.padding)

    def dense(self, plan: Plan, kernel: Float[Array, "points C_in C_out"]) -> Float[Array, "... C_in C_out"]:
        """The array that is correlated: (k_0, …, C_in, C_out), with zeros between the taps."""
        window = plan.space.window(region_of(plan.support))
        cells = int(np.prod(window.shape))
        if len(window.taps) < cells:
            place = np.zeros((cells, len(window.taps)))
            place[window.taps, np.arange(len(window.taps))] = 1
            kernel = jnp.tensordot(jnp.asarray(place, kernel.dtype), kernel, 1)
        return kernel.reshape(*window.shape, *kernel.shape[1:])

    def keeps_centre(self, plan: Plan, shape: tuple[int, ...]) -> bool:
        """Whether the outputs lie symmetrically about the centre."""
        widths = plan.space.window(region_of(plan.support)).shape
        centred = []
        for n, k in zip(shape, widths, strict=True):
            half = (k - 1) // 2
            before = {"valid": 0, "same": half, "periodic": half}.get(plan.padding, plan.padding)  # type: ignore[call-overload]
            after = k // 2 if plan.padding == "periodic" else before
            steps = (n + before + after - k) // plan.stride
            # the first window begins as far from the centre as the last one ends
            symmetric = plan.stride * steps + k - 2 * before == n
            centred.append(symmetric and not (plan.space.hexagonal and steps % 2))
        return all(centred)
