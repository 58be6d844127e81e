r"""Products of fields at a site: what makes longer loops of shorter ones.

    W'_i = Σ_jk α_ijk V_j W_k         V, W ∈ {1, W_1, W_1†, …, W_m, W_m†}        adjoint × adjoint
    ψ'_i = Σ_jk β_ijk W_j ψ_k         ψ ∈ {ψ_1, …}                               adjoint × fundamental
    W'_i += Σ_jk γ_ijk ψ_j ψ_k†                                                  fundamental × fundamental†

with complex weights. The first is L-Bilin of Favoni, Ipp, Müller & Schuh (2022), with the unit matrix and the
Hermitian conjugates among the factors, so that linear terms and shortcuts are in it.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import check_channels
from intertwine.layers.executors.on_links import check_links, link_type
from intertwine.spaces.link_fields import complex_numbers, dagger, parts, times, together
from intertwine.spaces.links import Links
from intertwine.symmetry.gauge_rep import GaugeRep


class GaugeBilinear(eqx.Module):
    """Products of the fields of `rep_in`, summed with weights into those of `rep_out`.

    links: the space. rep_in: begins with the links. rep_out: the links and adjoint or fundamental fields.
    scale: of the initial weights. dtype: real; weights are pairs (Re, Im).

    Raises InputError for types without adjoint or fundamental fields, or scalars in rep_out (`Traces` makes
    them).

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "SU(2)")
    >>> layer = GaugeBilinear(links, "links + adjoint", "links + 2 adjoint", key=jax.random.key(0))
    >>> layer.weights["adjoint"].shape                                # outputs × (1, W, W†) × (1, W, W†)
    (2, 3, 3, 2)
    """

    weights: dict[str, Float[Array, "i j k 2"]]
    space: Links = eqx.field(static=True)
    rep_in: GaugeRep = eqx.field(static=True)
    rep_out: GaugeRep = eqx.field(static=True)

    def __init__(
        self,
        links: Links,
        rep_in: GaugeRep | str,
        rep_out: GaugeRep | str,
        *,
        scale: float = 1.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        into, out = link_type(links, rep_in, "rep_in"), link_type(links, rep_out, "rep_out")
        check_links(links, into, out)
        m, k = into.count("adjoint"), into.count("fundamental")
        if not (m or k):
            raise fail("rep_in", "adjoint or fundamental fields", into, "put Plaquettes before it")
        if out.count("scalar") or (out.count("fundamental") and not k):
            remedy = "Traces makes scalars, and fundamental fields come from such"
            raise fail("rep_out", "adjoint or fundamental fields", out, remedy)
        self.space, self.rep_in, self.rep_out = links, into, out
        shapes = {
            "adjoint": (out.count("adjoint"), 2 * m + 1, 2 * m + 1),
            "fundamental": (out.count("fundamental"), 2 * m + 1, k),
            "pairs": (out.count("adjoint"), k, k),
        }
        kept = {name: shape for name, shape in shapes.items() if 0 not in shape}
        keys = jax.random.split(key, len(kept))
        self.weights = {
            name: scale / (2 * shape[1] * shape[2]) ** 0.5 * jax.random.normal(one, (*shape, 2), dtype)
            for one, (name, shape) in zip(keys, kept.items(), strict=True)
        }

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *extent, C_in) → (..., *extent, C_out); `key` is not used."""
        check_channels(x, self.rep_in)
        found = parts(self.rep_in, x)
        made: dict[str, Any] = {"link": found["link"]}
        weights = {name: complex_numbers(w)[..., 0] for name, w in self.weights.items()}
        psi, factors = found.get("fundamental", x), _factors(found, x, self.space.group.dimension)
        if "adjoint" in weights:
            left = jnp.einsum("ijk,...jab->...ikab", weights["adjoint"], factors)
            made["adjoint"] = times(left, factors[..., None, :, :, :]).sum(-3)
        if "pairs" in weights:
            left = jnp.einsum("ijk,...ja->...ika", weights["pairs"], psi)
            pairs = jnp.einsum("...ika,...kb->...iab", left, jnp.conj(psi))
            made["adjoint"] = made["adjoint"] + pairs if "adjoint" in made else pairs
        if "fundamental" in weights:
            left = jnp.einsum("ijk,...jab->...ikab", weights["fundamental"], factors)
            made["fundamental"] = jnp.einsum("...ikab,...kb->...ia", left, psi)
        return together(self.rep_out, made, x.ndim - 1)


def _factors(found: dict[str, Any], x: Array, n: int) -> Array:
    """1, W, W†, (..., *extent, 2m + 1, n, n)."""
    kind = jnp.result_type(x.dtype, jnp.complex64)
    one = jnp.broadcast_to(jnp.eye(n, dtype=kind), (*x.shape[:-1], 1, n, n))
    W = found.get("adjoint")
    return one if W is None else jnp.concatenate([one, W, dagger(W)], -3)
