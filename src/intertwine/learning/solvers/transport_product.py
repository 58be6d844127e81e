r"""The transport metric of a distribution of configurations, from samples.

    G_W = Jᵀ L(p)⁺ J,   J = ∂p/∂λ,      φᵀ L(p) φ = Σ_edges θ(p_x, p_y) (φ_x − φ_y)²

is the metric of optimal transport on the graph of configurations whose edges are flips of one unit (Maas, J.
Funct. Anal. 261, 2250, 2011; Li & Montúfar, Inf. Geom. 1, 181, 2018; Li & Zhao, Inf. Geom. 6, 203, 2023), of
unit length each, with mobility θ = (p_x + p_y)/2. By duality δᵀG_Wδ = max_φ 2 φᵀJδ − φᵀLφ; with potentials φ
among the log-derivatives O = ∂ln p/∂λ themselves it is, from below,

    G = F A⁻¹ F ≤ G_W,    F = Cov(O, O),    A = ½ E Σ_i [O(s^i) − O(s)] [O(s^i) − O(s)]ᵀ

with s^i for s with unit i flipped, an average over samples that needs no ratio of probabilities, exact for
independent units. Of Gaussian units
A = E Σ_i ∂_i O ∂_i Oᵀ with derivatives in v, exact for Gaussian distributions: there it is the metric of
Bures.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree, Shaped

from intertwine._checks import fail
from intertwine.learning.log_derivatives import unravel

_AT_ONCE = 8192
"""Flipped configurations whose derivatives exist at a time."""


def transport_kind(model: PyTree) -> str:
    """ "spin", "binary" or "gaussian", or InputError for models of other units or with complex parameters."""
    units = getattr(model, "units", "spin")
    layer = getattr(model, "visible_layer", None)
    if layer is not None and getattr(layer, "log_variance", None) is not None:
        units = "gaussian"
    if getattr(model, "kind", "real") != "real" or units not in ("spin", "binary", "gaussian"):
        raise fail(
            "model", "real parameters, and spin, binary or gaussian units, all alike", f"units {units!r}"
        )
    return str(units)


@partial(jax.jit, static_argnames=("kind",))
def transport_product(
    model: PyTree, samples: Shaped[Array, "S N"], weights: Array | None, vector: Float[Array, "P"], kind: str
) -> Any:
    """A `vector`, (P,), over samples of p ∝ e^model with probabilities (S,), or 1/S each.

    >>> from intertwine.models.mean_field import MeanField
    >>> free = MeanField(3, key=jax.random.key(0))
    >>> s = jnp.array([[1, 1, -1], [1, -1, -1]], jnp.int8)
    >>> transport_product(free, s, None, jnp.array([1.0, 0.0, 0.0]), "spin").round(5).tolist()      # A = 2
    [2.0, 0.0, 0.0]
    """
    parameters, static = eqx.partition(model, eqx.is_inexact_array)
    leaves = jax.tree.leaves(parameters)
    real = jnp.result_type(*leaves)
    count, size = samples.shape
    weights = jnp.full((count,), 1 / count, real) if weights is None else weights.astype(real)
    tangent = unravel(model, vector)

    def value(q: PyTree, s: Array) -> Any:
        return eqx.combine(q, static)(s)

    def differences(q: PyTree, s: Array) -> Any:
        """√½ (ln Ψ(s^i) − ln Ψ(s)), or ∂_i ln Ψ, of all i."""
        if kind == "gaussian":
            return jax.grad(value, argnums=1)(q, s)
        flipped = jnp.where(jnp.eye(size, dtype=bool), -s if kind == "spin" else 1 - s, s)
        return (jax.vmap(value, (None, 0))(q, flipped.astype(s.dtype)) - value(q, s)) / jnp.sqrt(2.0)

    def chunk(s: Array, w: Array) -> Any:
        def all_of(q: PyTree) -> Any:
            return jax.vmap(differences, (None, 0))(q, s)

        found = jax.jvp(all_of, (parameters,), (tangent,))[1]
        return jax.vjp(all_of, parameters)[1](w[:, None] * found)[0]

    rows = max(1, min(count, _AT_ONCE // (size + 1)))
    padded = -(-count // rows) * rows
    index = jnp.arange(padded) % count
    some = jnp.where(jnp.arange(padded) < count, weights[index], 0).reshape(-1, rows)

    def add(total: PyTree, part: tuple[Array, Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, chunk(*part)), None

    blocks = samples[index].reshape(-1, rows, size)
    total, _ = jax.lax.scan(add, jax.tree.map(jnp.zeros_like, parameters), (blocks, some))
    return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(total)])
