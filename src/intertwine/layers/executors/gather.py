r"""Convolutions on any finite space: gather, bring to a common frame, one product.

    (K f)(y) = Σ_z κ(z) ρ(h(s_y, z))⁻¹ f(s_y z)

All that is asked of the space is its `neighbourhood`: the points that each point sees, in the order of the
support's points, and the elements of H that carry their fibres there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.spaces.homogeneous import Neighbourhood
from intertwine.symmetry import FiniteGroup, Rep


class SeeingSpace(Protocol):
    """A finite space of `size` points in one axis, each of which sees others."""

    @property
    def size(self) -> int: ...

    @property
    def fibre_group(self) -> FiniteGroup: ...

    def neighbourhood(self, region: np.ndarray | None) -> Neighbourhood:
        """What each point sees; `region` as for `support`."""
        ...


class GatherExecutor(FiniteExecutor):
    """Gathers, carries and multiplies on any `SeeingSpace`."""

    def apply(
        self, plan: Plan, kernel: Float[Array, "points C_in C_out"], x: Float[Array, "... n C_in"]
    ) -> Float[Array, "... n C_out"]:
        """Fields (..., n, C_in); InputError for another number of points."""
        check_points(plan, x)
        kernel = kernel.astype(x.dtype)
        assert isinstance(plan.rep_in, Rep)  # H is finite here
        flat = transported(x, plan.space, plan.rep_in, plan.support)
        return flat @ kernel.reshape(-1, kernel.shape[-1])


def check_points(plan: Plan, x: Array) -> None:
    """InputError unless x is a field on the points of the space."""
    if x.shape[-2] != plan.space.size:
        raise fail("x", f"a field on {plan.space.size} points", f"shape {x.shape}")


def transported(
    x: Float[Array, "... n C"], space: SeeingSpace, rep: Rep, support: tuple[int, ...] | None
) -> Float[Array, "... n seen"]:
    """What each point sees in its own frame, (..., n, points·C)."""
    around = _gather_table(space, rep, support)
    if around is not None:
        flat = x.reshape(*x.shape[:-2], -1)
        return flat[..., around].reshape(*x.shape[:-2], space.size, -1)
    sites, transport = space.neighbourhood(None if support is None else np.array(support))
    seen = x[..., sites, :]
    parts, start = [], 0
    for block, m in rep.blocks:
        end = start + m * block.dimension
        part = seen[..., start:end].reshape(*seen.shape[:-1], m, block.dimension)
        back = jnp.asarray(block.matrices[space.fibre_group.inverse][transport], x.dtype)
        parts.append(jnp.einsum("yzij,...yzmj->...yzmi", back, part).reshape(*seen.shape[:-1], -1))
        start = end
    return jnp.concatenate(parts, axis=-1).reshape(*x.shape[:-2], space.size, -1)


@lru_cache(maxsize=64)
def _gather_table(space: SeeingSpace, rep: Rep, support: tuple[int, ...] | None) -> np.ndarray | None:
    """int (n, points·C): for permutation representations, where in (n·C) each component comes from."""
    if not rep.is_permutation:
        return None
    sites, transport = space.neighbourhood(None if support is None else np.array(support))
    columns, start = [], 0
    for block, m in rep.blocks:
        assert block.permutation is not None
        # (ρ(h)⁻¹ v)_i = v_{h(i)}
        inner = block.permutation[transport]
        for _ in range(m):
            columns.append(inner + start)
            start += block.dimension
    channel = np.concatenate(columns, axis=-1)
    return (sites[..., None] * rep.dimension + channel).reshape(space.size, -1)
