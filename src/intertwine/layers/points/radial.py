r"""Functions of a distance: bases, and cut-offs that end smoothly.

    bessel      φ_n(r) = √(2/3) R sin(nπ r/R) / r,  n = 1, 2, …      (Gasteiger, Groß & Günnemann 2020)
    gaussian    exp(−(r − μ_n)² / 2σ²), μ_n from 0 to R, σ their spacing      (Schütt et al. 2018)
    learned     such Gaussians whose places and widths are weights

R is the cut-off. Bessel functions are orthogonal on the ball of radius R with mean square 1 there, in
whatever unit; Gaussians are scaled to about the same. All are multiplied with a cut-off function that is 1 at
0 and 0 from R on, so that energies and forces have no step when a neighbour comes or goes:

    polynomial  1 − (p+1)(p+2)/2 u^p + p(p+2) u^(p+1) − p(p+1)/2 u^(p+2),  u = r/R: two continuous derivatives
    cosine      (1 + cos πu)/2: one                                      (Behler & Parrinello 2007)

Without a cut-off (nearest neighbours alone) R is a typical distance, the basis is taken at R u with
u = r/(r + R), and nothing is cut."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import one_of, positive_int, positive_number

BASES = ("bessel", "gaussian", "learned")
CUTOFFS = ("polynomial", "cosine")
_POWER = 6


class RadialBasis(eqx.Module):
    """A basis of functions of a distance, times a smooth cut-off.

    cutoff: R > 0, in the unit of the distances; functions: how many; basis, smooth: by name, as above;
    cut: False where there is no cut-off and R is a typical distance.

    Raises InputError for other names and numbers.

    >>> basis = RadialBasis(5.0, 8)
    >>> basis(jnp.array([1.0, 5.0, 7.0])).shape, float(abs(basis(jnp.array(5.0))).max())
    ((3, 8), 0.0)
    """

    weights: tuple[Float[Array, " functions"], ...]
    cutoff: float = eqx.field(static=True)
    functions: int = eqx.field(static=True)
    basis: str = eqx.field(static=True)
    smooth: str = eqx.field(static=True)
    cut: bool = eqx.field(static=True)

    def __init__(
        self,
        cutoff: float,
        functions: int = 8,
        *,
        basis: str = "bessel",
        smooth: str = "polynomial",
        cut: bool = True,
        dtype: DTypeLike = float,
    ):
        self.cutoff = positive_number("cutoff", cutoff)
        self.functions = positive_int("functions", functions)
        self.basis, self.smooth = one_of("basis", basis, BASES), one_of("smooth", smooth, CUTOFFS)
        self.cut = cut
        centres, widths = _gaussians(self.cutoff, self.functions)
        kind = jnp.zeros((), dtype).dtype
        learned = (jnp.asarray(centres, kind), jnp.asarray(np.log(widths), kind))
        self.weights = learned if basis == "learned" else ()

    def __call__(self, distance: Float[Array, "..."]) -> Float[Array, "... functions"]:
        """The functions times the cut-off: 0 from R on."""
        return self.plain(distance) * self.envelope(distance)[..., None]

    def plain(self, distance: Float[Array, "..."]) -> Float[Array, "... functions"]:
        """The functions without the cut-off."""
        kind = distance.dtype
        r = distance if self.cut else self.cutoff * distance / (distance + self.cutoff)
        if self.basis == "bessel":
            return _bessel(r, self.cutoff, self.functions)
        if self.weights:
            centres, widths = self.weights[0].astype(kind), jnp.exp(self.weights[1]).astype(kind)
        else:
            centres, widths = (jnp.asarray(a, kind) for a in _gaussians(self.cutoff, self.functions))
        scale = (self.functions / np.pi**0.5) ** 0.5
        return scale * jnp.exp(-(((r[..., None] - centres) / widths) ** 2) / 2)

    def envelope(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        """The cut-off alone."""
        return smooth_cutoff(distance, self.cutoff, self.smooth) if self.cut else jnp.ones_like(distance)


def lengths(vectors: Float[Array, "... d"]) -> Float[Array, "..."]:
    """|r|, with derivative 0 at the zero vector."""
    square = (vectors * vectors).sum(-1)
    there = square > 0
    return jnp.where(there, jnp.sqrt(jnp.where(there, square, 1.0)), 0.0)


def smooth_cutoff(
    distance: Float[Array, "..."], cutoff: float, smooth: str = "polynomial"
) -> Float[Array, "..."]:
    """1 at 0, 0 from `cutoff` on, by one of the functions above.

    >>> smooth_cutoff(jnp.array([0.0, 2.5, 5.0, 9.0]), 5.0, "cosine").round(6).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    u = jnp.minimum(distance / cutoff, 1.0)
    inside = distance < cutoff
    if one_of("smooth", smooth, CUTOFFS) == "cosine":
        return jnp.where(inside, (1 + jnp.cos(np.pi * u)) / 2, 0.0)
    p = _POWER
    tail = (p + 1) * (p + 2) / 2 - p * (p + 2) * u + p * (p + 1) / 2 * u**2
    return jnp.where(inside, 1 - u**p * tail, 0.0)


def _bessel(r: Array, cutoff: float, functions: int) -> Array:
    """Also at 0, by the limit nπ/R of sin(nπ r/R)/r."""
    near = r < 1e-3 * cutoff  # there sin x ≈ x (1 − x²/6 + x⁴/120) for the first functions
    order = jnp.asarray(np.arange(1, functions + 1) * np.pi, r.dtype)
    safe = jnp.where(near, 1.0, r / cutoff)[..., None]
    x = order * jnp.where(near, r / cutoff, 0.0)[..., None]
    limit = order * (1 - x**2 / 6 * (1 - x**2 / 20 * (1 - x**2 / 42)))
    return (2 / 3) ** 0.5 * jnp.where(near[..., None], limit, jnp.sin(order * safe) / safe)


def _gaussians(cutoff: float, functions: int) -> tuple[np.ndarray, np.ndarray]:
    centres = np.linspace(0, cutoff, functions)
    return centres, np.full(functions, cutoff / max(1, functions - 1))
