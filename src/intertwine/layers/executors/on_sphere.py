r"""Convolutions on the sphere: a product with a real matrix for each degree.

    f ↦ (E, B)_lm ↦ (E, B)_lm κ_l ↦ K f,      κ_l ∈ R^{C_in × C_out}

The transforms are the cost; degrees and orders are one batch of products.
"""

from __future__ import annotations

from jax import Array
from jaxtyping import Complex, Float

from intertwine.layers.executors.protocol import FiniteExecutor, Plan
from intertwine.spaces.sphere.real_product import real_product


class SphereExecutor(FiniteExecutor):
    """Kernels (l, C_in, C_out) on a `Sphere`."""

    def apply(
        self, plan: Plan, kernel: Float[Array, "l C_in C_out"], x: Float[Array, "... C_in"]
    ) -> Float[Array, "... C_out"]:
        """Fields (..., *space, C_in)."""
        found = plan.space.analysis(x, plan.rep_in)
        return plan.space.synthesis(by_degree(found, kernel), plan.rep_out)


def by_degree(
    coefficients: Complex[Array, "... l m C_in"], kernel: Float[Array, "l C_in C_out"]
) -> Complex[Array, "... l m C_out"]:
    """Σ_i c_{lmi} κ_{lio}."""
    return real_product("...lmi,lio->...lmo", coefficients, kernel)
