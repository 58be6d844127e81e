r"""The Gaussian machine, whose learning is solved mode by mode (Decelle, Fissore & Furtlehner 2018).

Gaussian units of width 1 on both sides, E = ½v² + ½h² − vᵀWh, no biases: v has the covariance (1 − WWᵀ)⁻¹,
and the gradient flow of the likelihood is dW/dt = (C − (1 − WWᵀ)⁻¹) W, C = ⟨vvᵀ⟩ of the data. Where the
columns of W begin along eigenvectors of C they stay there, and each weight has an equation of its own,

    dw/dt = w (c − 1/(1 − w²)),      u = w²,      a = c − 1,

    t(u) = [ln(u/u₀) − ln((a − c u)/(a − c u₀))/c] / 2a,      u_∞ = 1 − 1/c for c > 1, else 0.

A mode of the data is learned where its variance is above that of a visible unit by itself, one after another,
the largest first. The time is t = learning rate × updates, the gradient that of the mean over rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

Numbers = Float[np.ndarray, "..."]


def gaussian_final(c: ArrayLike) -> Numbers:
    """u_∞ = w_∞² of modes of variance c: 1 − 1/c above 1, else 0.

    >>> gaussian_final([4.0, 2.0, 0.5]).tolist()
    [0.75, 0.5, 0.0]
    """
    found = _positive("c", c)
    return np.where(found > 1, 1 - 1 / np.maximum(found, 1), 0.0)


def gaussian_time(u: ArrayLike, c: ArrayLike, u0: ArrayLike) -> Numbers:
    """t(u), when a mode of variance c that began at u₀ = w(0)² has reached u; inf where it never does.

    >>> round(float(gaussian_time(0.375, 4.0, 1e-6)), 9)
    2.167994628
    """
    u, c, u0 = np.broadcast_arrays(np.asarray(u, np.float64), _positive("c", c), _positive("u0", u0))
    found = np.full(u.shape, np.inf)
    # between where it began and where it ends, and on the way there
    end = np.where(c > 1, 1 - 1 / np.maximum(c, 1), 0.0)
    on_way = (u > 0) & ((u - u0) * (end - u) >= 0) & (u != end) & (u0 < 1) & (u < 1)
    flat = on_way & (np.abs(c - 1) < 1e-12)
    rest = on_way & ~flat
    a = (c - 1)[rest]
    logs = np.log(u[rest] / u0[rest]) - np.log((a - c[rest] * u[rest]) / (a - c[rest] * u0[rest])) / c[rest]
    found[rest] = logs / (2 * a)
    # at c = 1: du/dt = −2u²/(1 − u)
    found[flat] = 0.5 * (1 / u[flat] - 1 / u0[flat] + np.log(u[flat] / u0[flat]))
    return found


def gaussian_half_time(c: ArrayLike, u0: ArrayLike) -> Numbers:
    """When a mode has half of its final strength u_∞; inf for modes that are not learned.

    >>> gaussian_half_time([4.0, 2.0, 1.0], 1e-6).round(6).tolist()
    [2.167995, 6.387894, inf]
    """
    found = _positive("c", c)
    return np.where(found > 1, gaussian_time(gaussian_final(found) / 2, found, u0), np.inf)


def gaussian_mode(t: ArrayLike, c: ArrayLike, u0: ArrayLike) -> Numbers:
    """u(t) of a mode of variance c from u₀ on: the inverse of `gaussian_time`, to rounding.

    >>> round(float(gaussian_mode(2.167994627793163, 4.0, 1e-6)), 9)
    0.375
    """
    t, c, u0 = np.broadcast_arrays(np.asarray(t, np.float64), _positive("c", c), _positive("u0", u0))
    if (t < 0).any() or (u0 >= 1).any():
        raise fail("t and u0", "times ≥ 0, and u0 below 1", f"from {t.min()}, {u0.max()}")
    end = gaussian_final(c)
    low, high = np.minimum(u0, end), np.maximum(u0, end)
    low, high = np.maximum(low, 1e-300), high.copy()
    for _ in range(200):  # bisection in ln u, then in u: no start can fail
        middle = np.where(high > 2 * low, np.sqrt(low * high), 0.5 * (low + high))
        late = gaussian_time(middle, c, u0) > t
        rising = end > u0
        high = np.where(late == rising, middle, high)
        low = np.where(late == rising, low, middle)
    return np.where(t == 0, u0, 0.5 * (low + high))


def gaussian_steps(w0: ArrayLike, c: ArrayLike, rate: float, updates: int) -> Float[np.ndarray, "T ..."]:
    """w after 0, 1, … updates of steepest descent with the whole data and the exact gradient: the same
    equation in steps, w ← w + rate · w (c − 1/(1 − w²)), to which no step is too long for a comparison.

    >>> gaussian_steps([1e-3], [4.0], 0.1, 2).round(9).ravel().tolist()
    [0.001, 0.0013, 0.00169]
    """
    w, c = np.broadcast_arrays(np.asarray(w0, np.float64), _positive("c", c))
    found = np.empty((updates + 1, *w.shape))
    found[0] = w
    for k in range(updates):
        w = w + rate * w * (c - 1 / (1 - w * w))
        found[k + 1] = w
    return found


def _positive(name: str, value: ArrayLike) -> Any:
    array = np.asarray(value, np.float64)
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise fail(name, "finite positive numbers", value, "an eigenvalue of the data's covariance, w(0)²")
    return array
