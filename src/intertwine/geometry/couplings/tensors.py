r"""The Levi-Civita connection and the curvature of an exponential family, from its cumulants.

    g_ij = ∂_i ∂_j ln Z = Cov(S_i, S_j),    T_ijk = ∂_i ∂_j ∂_k ln Z,    Γ_ijk = ½ T_ijk    (indices lowered)
    R_ijkl = ¼ g^{mn} (T_ikm T_jln − T_ilm T_jkn),     R = ¼ (T_ijk T^ijk − v_k v^k),   v_k = g^{ij} T_ijk

(Amari 1985; Janyszek & Mrugala, Phys. Rev. A 39, 6515, 1989): derivatives of the third order are enough,
since those of the fourth cancel. The sign is the one in which spheres are positive; Ruppeiner (Rev. Mod.
Phys. 67, 605, 1995) writes −R.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail

DEPENDENT = 1e-11
"""The smallest eigenvalue of a matrix of correlations below which sums depend on each other."""

CLOSE = 1e-6
"""Below it, digits are lost."""

_ROUNDINGS = 16
"""Units in the last place by which cumulants may be wrong."""


def scalar_curvature(
    metric: Float[np.ndarray, "... n n"], third: Float[np.ndarray, "... n n n"]
) -> Float[np.ndarray, "..."]:
    """R of g (..., n, n) and T (..., n, n, n), positive for spheres; 0 for one coupling, nan where g is not
    positive.

    >>> p, S = np.array([0.5, 0.3, 0.2]), np.eye(3)[:, :2]         # a trinomial: a sphere of radius 2
    >>> S = S - p @ S
    >>> g, T = np.einsum("a,ai,aj", p, S, S), np.einsum("a,ai,aj,ak", p, S, S, S)
    >>> round(float(scalar_curvature(g, T)), 12)
    0.5
    """
    if metric.shape[-1] == 2:
        return _terms_of_two(metric, third).sum(-1)
    white = whitened(metric, third)
    trace = np.einsum("...iik->...k", white)
    return ((white**2).sum((-1, -2, -3)) - (trace**2).sum(-1)) / 4


def rounding(metric: Float[np.ndarray, "n n"], third: Float[np.ndarray, "n n n"], kept: bool) -> float:
    """What rounding may change in R. kept: whether cumulants have all of their digits, however small.

    >>> rounding(np.eye(2), np.zeros((2, 2, 2)), True)
    0.0
    """
    if kept and len(metric) == 2:
        size = np.abs(_terms_of_two(metric, third)).sum()
    else:
        white = whitened(metric, third)
        size = ((white**2).sum() + (np.einsum("iik->k", white) ** 2).sum()) / 4
    return float(_ROUNDINGS * np.finfo(np.float64).eps * size)


def _terms_of_two(metric: np.ndarray, third: np.ndarray) -> np.ndarray:
    """R of two couplings as the terms of −½ g^{mn} (T_11m T_22n − T_12m T_12n)/det g, of sums of variance 1:
    what cancels in the general form, T_111² above all, is not there."""
    scale = np.sqrt(np.einsum("...ii->...i", metric))
    with np.errstate(divide="ignore", invalid="ignore"):
        c = metric[..., 0, 1] / (scale[..., 0] * scale[..., 1])
        t = third / (scale[..., :, None, None] * scale[..., None, :, None] * scale[..., None, None, :])
    a, b, d, e = t[..., 0, 0, 0], t[..., 0, 0, 1], t[..., 0, 1, 1], t[..., 1, 1, 1]
    det = np.where(1 - c * c > 0, 1 - c * c, np.nan)
    terms = np.stack([a * d, -b * b, b * e, -d * d, -c * a * e, c * b * d], -1)
    return -terms / (2 * det * det)[..., None]


def whitened(metric: np.ndarray, third: np.ndarray) -> Float[np.ndarray, "... n n n"]:
    """T in a frame that is orthonormal for g; nan where g is not positive."""
    scale = np.sqrt(np.einsum("...ii->...i", metric))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = metric / (scale[..., :, None] * scale[..., None, :])
        third = third / (scale[..., :, None, None] * scale[..., None, :, None] * scale[..., None, None, :])
    good = np.isfinite(correlation).all((-1, -2))
    values, vectors = np.linalg.eigh(np.where(good[..., None, None], correlation, np.eye(metric.shape[-1])))
    good = good & (values[..., 0] > 0)
    root = vectors / np.sqrt(np.where(good[..., None], values, np.nan))[..., None, :]
    for _ in range(3):  # each index in turn, the last one first
        third = np.einsum("...ijk,...kl->...lij", third, root)
    return third


def christoffel(
    metric: Float[np.ndarray, "n n"], third: Float[np.ndarray, "n n n"]
) -> Float[np.ndarray, "n n n"]:
    """Γ^k_ij (k, i, j) of the Levi-Civita connection: ½ g^{kl} T_lij.

    >>> christoffel(np.array([[2.0]]), np.array([[[4.0]]])).item()
    1.0
    """
    n = len(metric)
    return np.linalg.solve(metric, third.reshape(n, n * n)).reshape(n, n, n) / 2


def smallest(metric: Float[np.ndarray, "n n"]) -> float:
    """The smallest eigenvalue of the correlations of a metric; 0 where something does not vary."""
    scale = np.sqrt(np.maximum(np.diagonal(metric), 0))
    if not np.isfinite(metric).all() or not scale.all():
        return 0.0
    return float(np.linalg.eigvalsh(metric / np.outer(scale, scale))[0])


def check_independent(metric: Float[np.ndarray, "n n"], names: tuple[str, ...]) -> float:
    """`smallest`, or InputError where some sums follow from others."""
    least = smallest(metric)
    if least > DEPENDENT:
        return least
    scale = np.sqrt(np.maximum(np.diagonal(metric), 0))
    if not scale.all():
        what = f"{names[int(np.argmin(scale))]!r}, whose sum does not vary"
    else:
        vector = np.linalg.eigh(metric / np.outer(scale, scale))[1][:, 0]
        kept = [repr(names[i]) for i in np.flatnonzero(np.abs(vector) > 1e-3 * np.abs(vector).max())]
        what = f"{', '.join(kept)}, whose sums depend on each other here"
    raise fail("couplings", "couplings whose sums are independent", what, "leave one of them out")
