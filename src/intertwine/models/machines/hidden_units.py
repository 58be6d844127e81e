r"""Layers of two-state units: what an RBM and a symmetric RBM share.

A unit h with angle θ contributes Σ_h e^{hθ}: 2 cosh θ for states ±1 (`spin`), 1 + e^θ for states 0, 1
(`binary`). Flipping visible site f changes v_f by −2 v_f (spin) or 1 − 2 v_f (binary), and the angles by δ =
Σ_f Δv_f W_f: O(M) for a flip. This module owns the difference between the two units.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int, Num, Shaped

from intertwine._checks import InputError, fail
from intertwine.models.numerics import sum_log_2cosh, tanh

Units = Literal["spin", "binary"]


class HiddenCache(NamedTuple):
    """What is kept for one configuration: the angles θ (M,) and their Σ_k ln Σ_h e^{hθ_k}, ()."""

    angles: Num[Array, "M"]
    log_hidden: Num[Array, ""]


def log_hidden(angles: Num[Array, "... M"], units: str = "spin") -> Num[Array, "..."]:
    """Σ_k ln Σ_h e^{hθ_k} over the last axis."""
    if units == "spin":
        return sum_log_2cosh(angles)
    half = angles / 2
    return half.sum(-1) + sum_log_2cosh(half)


def mean_unit(angles: Num[Array, "..."], units: str = "spin") -> Num[Array, "..."]:
    """E[h] = ∂ ln Σ_h e^{hθ} / ∂θ: tanh θ, or 1/(1 + e^{−θ})."""
    return tanh(angles) if units == "spin" else 0.5 * (1 + tanh(angles / 2))


def flip_changes(
    v: Shaped[Array, "N"], sites: Int[Array, "F"], dtype: jnp.dtype, units: str = "spin"
) -> Float[Array, "F"]:
    """Δv of the flipped sites in the real type `dtype`; 0 for padding (a site equal to N)."""
    before = jnp.take(v, sites, mode="fill", fill_value=0).astype(dtype)
    return -2 * before if units == "spin" else jnp.where(sites < v.shape[0], 1 - 2 * before, 0)


def weighted_rows(changes: Float[Array, "F"], table: Num[Array, "N ..."], sites: Int[Array, "F"]) -> Array:
    """Σ_f Δv_f table[f]; the rows of padding sites count as 0."""
    rows = jnp.take(table, sites, axis=0, mode="fill", fill_value=0)
    return (changes.reshape(changes.shape + (1,) * (table.ndim - 1)) * rows).sum(0)


def check_configuration(s: Shaped[Array, "N"], size: int) -> None:
    """Raise unless `s` is one configuration of `size` sites (shapes are static: free inside jit)."""
    if getattr(s, "shape", None) != (size,):
        found = getattr(s, "shape", type(s).__name__)
        raise InputError(
            f"configuration: expected one array of shape ({size},), got {found}; a model takes one "
            "configuration: use jax.vmap(model) for many."
        )


def check_columns(argument: str, values: Shaped[Array, "... N"], size: int) -> None:
    """Raise unless the last axis of `values` has `size` columns (shapes are static: free inside jit)."""
    shape = getattr(values, "shape", ())
    if len(shape) == 0 or shape[-1] != size:
        remedy = "a row holds one value for each unit of the machine"
        raise fail(argument, f"configurations of {size} columns", f"shape {tuple(shape)}", remedy)
