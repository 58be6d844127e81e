r"""The Callan-Symanzik equation of a correlation function as a linear least-squares problem.

    [r ∂/∂r − β(K) ∂/∂K + 2γ(K)] G(r, K) = 0

(Callan, Phys. Rev. D 2, 1541, 1970; Symanzik, Commun. Math. Phys. 18, 227, 1970; on the lattice: Wilson &
Kogut, Phys. Rep. 12, 75, 1974.) At one coupling β and γ are two numbers, and the equation is to hold at every
distance of the window. Divided by G and integrated over u = ln r it has no derivative in r,

    ln G(r) = c + β X(r) − 2γ ln r + ρ(r),      X(r) = ∫ (∂ ln G/∂K) d ln r = ∫ (∂ ln G/∂K)/r dr,

and is linear in (β, γ, c). The integral is that of the cubic spline of (∂ ln G/∂K)/r, which is constant where
G = f(r/ξ) decays exponentially, and slow near a critical point. dρ/d ln r is the residual of the equation
itself, in units of G.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

TESTED = 4
"""Smooth departures that χ² looks at, at most."""


class Solution(NamedTuple):
    """beta, gamma: β and γ. rest: ρ(r), float64 (w,). share: ‖ρ‖/‖ln G − mean‖, weighted."""

    beta: float
    gamma: float
    rest: Float[np.ndarray, " w"]
    share: float


@dataclass(frozen=True, eq=False)
class Equation:
    """The equation at the distances r of a window.

    r: float64 (w,), increasing. weights: of ρ² at each, float64 (w,).
    """

    r: Float[np.ndarray, " w"]
    weights: Float[np.ndarray, " w"]
    integral: Float[np.ndarray, "w w"]
    slope: Float[np.ndarray, "w w"]

    @classmethod
    def at(cls, r: np.ndarray, weights: np.ndarray | None = None) -> Equation:
        """The equation at distances (w,), w ≥ 4, increasing.

        >>> r = np.arange(1.0, 9.0)
        >>> found = Equation.at(r).solve(r * np.log(0.6), r / 0.6)           # a chain with t = tanh K = 0.6
        >>> bool(abs(found.beta - 0.6 * np.log(0.6)) < 1e-12), abs(found.gamma) < 1e-12
        (True, True)
        """
        unit = np.eye(len(r))
        integral = CubicSpline(r, unit).antiderivative()(r) / r  # of x/r, by columns
        slope = CubicSpline(np.log(r), unit)(np.log(r), 1)
        return cls(r, np.ones_like(r) if weights is None else weights, integral, slope)

    def solve(self, log_g: Float[np.ndarray, " w"], slope: Float[np.ndarray, " w"]) -> Solution:
        """(β, γ) from ln G and ∂ ln G/∂K."""
        table = self.table(slope)
        root = np.sqrt(self.weights)
        found, *_ = np.linalg.lstsq(table * root[:, None], log_g * root)
        rest = log_g - table @ found
        apart = log_g - self.weights @ log_g / self.weights.sum()
        size = float(self.weights @ apart**2)
        share = np.sqrt(self.weights @ rest**2 / size) if size > 0 else np.nan
        return Solution(float(found[0]), float(found[1]), rest, float(share))

    def table(self, slope: Float[np.ndarray, " w"]) -> Float[np.ndarray, "w 3"]:
        """The columns of β, γ and c."""
        return np.stack([self.integral @ slope, -2 * np.log(self.r), np.ones_like(self.r)], 1)

    def residual(self, rest: Float[np.ndarray, "... w"]) -> Float[np.ndarray, "... w"]:
        """dρ/d ln r = [r∂_r − β∂_K + 2γ]G/G at every distance."""
        return rest @ self.slope.T

    def departures(self, slope: Float[np.ndarray, " w"]) -> Float[np.ndarray, "p w"]:
        """Smooth functions of ln r that the equation does not allow, orthonormal under the weights: ρ·these
        are 0 up to chance where it holds."""
        root, u = np.sqrt(self.weights), np.log(self.r)
        number = min(TESTED, len(self.r) - 3)
        scaled = 2 * (u - u[0]) / (u[-1] - u[0]) - 1
        powers = np.stack([scaled**k for k in range(2, 2 + number)], 1)
        columns = np.concatenate([self.table(slope), powers], 1) * root[:, None]
        return (np.linalg.qr(columns)[0][:, 3:] * root[:, None]).T
