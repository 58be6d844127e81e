r"""Lyapunov spectrum of random layers: by how much deep networks stretch, direction by direction.

    λ_i = lim (1/L) ln s_i(J_L … J_1),      J_l = W_l diag σ'(z_l),   W_ij normal of variance C_W/n

For linear layers the products of Gaussian (Ginibre) matrices have (Newman, Comm. Math. Phys. 103, 121, 1986)

    λ_i = ½ (ln 2C_W/n + ψ((n − i + 1)/2)),      i = 1 … n,

so that at criticality (C_W = 1) the largest is about −1/2n. For other activations
networks are drawn, and J is orthogonalised layer by layer (Benettin et al. 1980).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine._shown import Shown, with_error
from intertwine.layers.depth.activation import Activation
from intertwine.layers.nonlinear.pointwise import Function
from intertwine.models.parameters import check_key
from intertwine.rg.depth.fixed_point import checked_variances


@dataclass(frozen=True, eq=False, repr=False)
class LyapunovSpectrum(Shown):
    """exponents, errors: λ per layer, largest first, and one standard error, float64 (k,); 0 where exact.
    exact: Newman's law for linear layers, else None. warnings: lines `code: sentence`."""

    activation: str
    width: int
    exponents: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]
    exact: Float[np.ndarray, " k"] | None
    depth: int
    draws: int
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        how = f"{self.draws} networks of {self.depth} layers" if self.draws else "exact"
        rows = [f"Lyapunov exponents of {self.activation} layers of width {self.width} ({how})"]
        few = range(len(self.exponents)) if len(self.exponents) <= 8 else [*range(6), len(self.exponents) - 1]
        for k in few:
            of_law = "" if self.exact is None or not self.draws else f"   law {self.exact[k]:+.5f}"
            rows.append(f"{k + 1:>4} {with_error(self.exponents[k], self.errors[k], '+.5f'):>22}{of_law}")
        return beneath("\n".join(rows), self.warnings)


def ginibre_exponents(width: int, C_W: float = 1.0) -> Float[np.ndarray, " n"]:
    """λ_1 … λ_n of products of Gaussian matrices (n, n) of variance C_W/n.

    >>> ginibre_exponents(16)[[0, 1, 8, 15]].round(6).tolist()
    [-0.0319, -0.066342, -0.411662, -2.021476]
    """
    from scipy.special import digamma

    n = positive_int("width", width)
    weights, _ = checked_variances(C_W, 0.0)
    return (math.log(2 * weights / n) + digamma((n - np.arange(n)) / 2)) / 2


def lyapunov_spectrum(
    activation: Function = "linear",
    *,
    width: int,
    C_W: float = 1.0,
    C_b: float = 0.0,
    kernel: float = 1.0,
    depth: int = 200,
    draws: int = 32,
    exponents: int | None = None,
    key: Array | None = None,
) -> LyapunovSpectrum:
    """The Lyapunov exponents of random layers of `width`.

    activation: a name or a function of JAX arrays; linear layers without a `key` have the law alone. C_W,
    C_b, kernel: as of `random_layers`. depth, draws: layers of a network and networks; errors are from the
    spread of networks. exponents: how many, from the largest; None is all, or one where σ' is 0 on part of
    the line (ReLU): its products lose rank, and the others fall without end.

    >>> lyapunov_spectrum(width=16).exponents[0].round(6)
    np.float64(-0.0319)
    """
    one = Activation.of(activation)
    n, depth, draws = positive_int("width", width), positive_int("depth", depth), positive_int("draws", draws)
    C_W, C_b = checked_variances(C_W, C_b)
    linear = one.scale_invariant and one.slopes[0] == one.slopes[1]
    law = ginibre_exponents(n, C_W * one.slopes[0] ** 2) if linear else None
    flat = bool((one.with_slope(np.linspace(-3, 3, 61))[1] == 0).sum() > 5)
    k = (1 if flat else n) if exponents is None else positive_int("exponents", exponents)
    if k > n:
        raise fail("exponents", f"at most {n}, the width", k)
    if law is not None and key is None:
        return LyapunovSpectrum(one.name, n, law[:k], np.zeros(k), law[:k], depth, 0)
    if draws < 2:
        raise fail("draws", "at least 2 networks", draws, "32 is usual")
    logs = _logs(one, n, k, C_W, C_b, kernel, depth, draws, check_key(key))
    mean, error = logs.mean(0), logs.std(0, ddof=1) / math.sqrt(draws)
    lost = int((~np.isfinite(logs)).any(0).sum())
    warnings: tuple[str, ...] = ()
    if lost:
        words = f"{lost} of {k} exponents are −∞ in some network: σ' = 0 for so many units of a layer"
        warnings = (caveat("assumption", f"{words}; take fewer exponents, layers or a greater width"),)
    tell(warnings)
    exact = None if law is None else law[:k]
    return LyapunovSpectrum(
        one.name, n, mean, np.where(np.isfinite(mean), error, np.nan), exact, depth, draws, warnings
    )


def _logs(
    one: Activation, n: int, k: int, C_W: float, C_b: float, kernel: float, depth: int, draws: int, key: Array
) -> np.ndarray:
    """ln |r_ii| of each network, means over its layers, (draws, k)."""
    random = np.random.default_rng(key_words(key))
    z = math.sqrt(kernel) * random.standard_normal((draws, n))
    frame = np.linalg.qr(random.standard_normal((draws, n, k)))[0]
    total = np.zeros((draws, k))
    for _ in range(depth):
        weights = random.standard_normal((draws, n, n)) * math.sqrt(C_W / n)
        value, slope = one.with_slope(z)
        frame, triangle = np.linalg.qr(weights @ (slope[:, :, None] * frame))
        diagonal = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
        with np.errstate(divide="ignore"):
            total += np.log(diagonal)
        z = (weights @ value[:, :, None])[..., 0] + math.sqrt(C_b) * random.standard_normal((draws, n))
        if one.scale_invariant and C_b == 0:  # only the direction matters, and the length falls or grows
            length = np.linalg.norm(z, axis=1, keepdims=True)
            z = np.where(length > 0, z / np.where(length > 0, length, 1), 0) * math.sqrt(n)
    with np.errstate(invalid="ignore"):
        return total / depth
