r"""Renormalization of a Gaussian as a gradient flow of the relative entropy in the metric of transport.

A distribution P that diffuses towards a Gaussian q = N(0, Q) obeys a Fokker-Planck equation, which is the
steepest descent of KL(P ‖ q) in the Wasserstein metric (Jordan, Kinderlehrer & Otto, SIAM J. Math. Anal. 29,
1, 1998); the exact renormalization group of Wegner and Polchinski is of that kind (Cotler & Rezchikov, Phys.
Rev. D 108, 025003, 2023). For P = N(m, S) all is known:

    ∂_t P = ∇·(P ∇ ln(P/q)),      S(t) = Q + e^{−Q⁻¹t}(S_0 − Q)e^{−Q⁻¹t},      m(t) = e^{−Q⁻¹t} m_0,
    dKL/dt = −I,      I = E_P |∇ ln(P/q)|²,      |dP/dt|_{W_2} = √I

with I the relative Fisher information: the entropy that is lost is the work of the transport, and the length
of the way in the Wasserstein metric is ∫ √I dt, no less than the distance W_2 of its ends (`geometry.bures`).
By the logarithmic Sobolev inequality KL ≤ Q_max I/2, so that KL falls at least as e^{−2t/Q_max}.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.geometry.transport.gaussian import bures
from intertwine.rg.gaussian.arc_length import arc_length


@dataclass(frozen=True, eq=False, repr=False)
class GaussianFlow(Shown):
    """times: (T,). mean: (T, N), covariance: (T, N, N). divergence: KL(P_t ‖ q) in nats. fisher: I(t) in nats
    per unit of t; −dKL/dt. length: of the way from the first time in the Wasserstein metric. distance: W_2 of
    P_t from the first. All float64 (T,).
    """

    times: Float[np.ndarray, " T"]
    mean: Float[np.ndarray, "T N"]
    covariance: Float[np.ndarray, "T N N"]
    divergence: Float[np.ndarray, " T"]
    fisher: Float[np.ndarray, " T"]
    length: Float[np.ndarray, " T"]
    distance: Float[np.ndarray, " T"]

    @property
    def straightness(self) -> Float[np.ndarray, " T"]:
        """The distance over the length, 1 for a geodesic of transport; nan at the first time."""
        return np.divide(self.distance, self.length, np.full(len(self.times), np.nan), where=self.length > 0)

    def __str__(self) -> str:
        rows = ["       t          KL           I      length  distance"]
        columns = zip(self.times, self.divergence, self.fisher, self.length, self.distance, strict=True)
        rows += ["{:8.4g}  {:10.6g}  {:10.6g}  {:10.6g}  {:8.6g}".format(*row) for row in columns]
        return "\n".join(rows)


def gaussian_flow(
    covariance: ArrayLike, target: ArrayLike, times: ArrayLike, *, mean: ArrayLike | None = None
) -> GaussianFlow:
    """The flow of N(mean, covariance) to N(0, target), at all times.

    covariance, target: (N, N), or (N,) of a diagonal one, positive. times: (T,), rising from 0 or later; the
    way begins at the first. mean: (N,), 0 unless given.

    Raises InputError for what are no covariances, and for times that do not rise.

    >>> flow = gaussian_flow([1.0, 2.0], [0.5, 1.0], np.linspace(0, 2, 41))
    >>> falls = -np.gradient(flow.divergence, flow.times, edge_order=2)
    >>> bool(np.abs(falls - flow.fisher)[1:-1].max() < 0.02), bool((flow.length >= flow.distance).all())
    (True, True)
    """
    first, q = _covariance("covariance", covariance), _covariance("target", target)
    if first.shape != q.shape:
        raise fail("target", f"a covariance of {len(first)} columns", f"one of {len(q)}")
    m = np.zeros(len(q)) if mean is None else np.asarray(mean, np.float64)
    if m.shape != (len(q),) or not np.isfinite(m).all():
        raise fail("mean", f"{len(q)} finite numbers", f"shape {m.shape}")
    t = np.atleast_1d(np.asarray(times, np.float64))
    if t.ndim != 1 or not np.isfinite(t).all() or (np.diff(t) <= 0).any() or t[0] < 0:
        raise fail("times", "rising numbers from 0 on", times if np.size(times) < 10 else f"shape {t.shape}")
    values, vectors = np.linalg.eigh(q)
    way = _Way(values, vectors.T @ first @ vectors, vectors.T @ m)
    at = [way.at(x) for x in t]
    length = np.concatenate([[0.0], np.cumsum([way.length(a, b) for a, b in pairwise(t)])])
    covariances = np.stack([vectors @ s @ vectors.T for _, s in at])
    means = np.stack([vectors @ x for x, _ in at])
    distance = [bures((means[0], covariances[0]), (x, s)) for x, s in zip(means, covariances, strict=True)]
    divergence, fisher = (np.array([f(*x) for x in at]) for f in (way.divergence, way.fisher))
    return GaussianFlow(t, means, covariances, divergence, fisher, length, np.array(distance))


@dataclass(frozen=True)
class _Way:
    """The flow in the eigenvectors of Q: its values, S_0 and m_0 there."""

    q: np.ndarray
    covariance: np.ndarray
    mean: np.ndarray

    def at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """(m, S) at time t."""
        decay = np.exp(-t / self.q)
        rest = decay[:, None] * (self.covariance - np.diag(self.q)) * decay
        return decay * self.mean, np.diag(self.q) + rest

    def divergence(self, m: np.ndarray, s: np.ndarray) -> float:
        ratio = np.trace(s / self.q[:, None]) + (m * m / self.q).sum() - len(self.q)
        return 0.5 * float(ratio - np.linalg.slogdet(s)[1] + np.log(self.q).sum())

    def fisher(self, m: np.ndarray, s: np.ndarray) -> float:
        slope = np.diag(1 / self.q) - np.linalg.inv(s)  # ∇ ln(P/q) = slope (x − m) + m/Q
        return float(np.trace(slope @ s @ slope) + ((m / self.q) ** 2).sum())

    def length(self, begin: float, end: float) -> float:
        """Between times, with breaks that double from the quickest change of any mode to the slowest."""
        least = min(self.q.min(), np.linalg.eigvalsh(self.covariance)[0])
        first, last = np.log2(max(least, 1e-12 * self.q.max()) / 8), np.log2(40 * self.q.max())
        breaks = 2.0 ** np.linspace(first, last, 2 + int(last - first))
        scale = float(np.sqrt(np.trace(self.covariance) + self.q.sum() + self.mean @ self.mean))

        def speed(x: float) -> float:
            return float(np.sqrt(max(self.fisher(*self.at(x)), 0.0)))

        return arc_length(speed, begin, end, breaks, 1e-13 * scale)


def _covariance(argument: str, given: ArrayLike) -> np.ndarray:
    array = np.asarray(given, np.float64)
    array = np.diag(array) if array.ndim == 1 else array
    square = array.ndim == 2 and array.shape[0] == array.shape[1] and array.size > 0
    if not square or not np.isfinite(array).all():
        raise fail(argument, "a finite covariance (N, N), or (N,) of a diagonal one", f"shape {array.shape}")
    if not np.allclose(array, array.T, rtol=1e-10, atol=1e-12 * np.abs(array).max()):
        raise fail(argument, "a symmetric covariance", "one that is not", "give (S + Sᵀ)/2")
    lowest = float(np.linalg.eigvalsh(array)[0])
    if lowest <= 0:
        raise fail(argument, "a positive covariance", f"an eigenvalue of {lowest:.4g}")
    return (array + array.T) / 2
