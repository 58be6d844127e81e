"""Convolutions on finite spaces G/H: by gathering, or, on groups, irrep by irrep where that is cheaper."""

from __future__ import annotations

import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.executors.gather import GatherExecutor, check_points
from intertwine.layers.executors.protocol import Plan, check_no_steps
from intertwine.layers.executors.spectral import MOST_ELEMENTS, group_fourier, spectral_convolution


class CosetExecutor(GatherExecutor):
    """`GatherExecutor`, and the spectral one for fields on a group, H = 1."""

    def check(self, plan: Plan) -> None:
        """InputError for strides and paddings, and for "spectral" with H ≠ 1."""
        check_no_steps(plan)
        if plan.executor == "spectral" and plan.space.fibre_group.order > 1:
            raise fail(
                "executor", "'auto' or 'gather' here", "'spectral'", "it is for fields on a group, H = 1"
            )

    def apply(
        self, plan: Plan, kernel: Float[Array, "points C_in C_out"], x: Float[Array, "... n C_in"]
    ) -> Float[Array, "... n C_out"]:
        """Fields (..., n, C_in); InputError for another number of points."""
        if not _spectral(plan, len(kernel)):
            return super().apply(plan, kernel, x)
        check_points(plan, x)
        space = plan.space
        points = np.arange(space.size) if plan.support is None else np.array(plan.support)
        out = spectral_convolution(
            x[..., np.argsort(space.section), :], kernel.astype(x.dtype), space.group, space.section[points]
        )
        return out[..., space.section, :]


def _spectral(plan: Plan, points: int) -> bool:
    """Whether the spectral executor runs: with "auto" where it takes fewer products."""
    space = plan.space
    if plan.executor != "auto" or space.fibre_group.order > 1 or space.size > MOST_ELEMENTS:
        return plan.executor == "spectral"
    n, c_in, c_out = space.size, plan.rep_in.dimension, plan.rep_out.dimension
    if n * points <= n**2 * (1 / c_in + 1 / c_out):
        return False
    return group_fourier(space.group).products + n**2 * (1 / c_in + 1 / c_out) < n * points
