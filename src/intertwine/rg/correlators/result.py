"""What the Callan-Symanzik equation says of a system: β and γ by coupling, and how well it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from intertwine._caveats import beneath, caveat
from intertwine._checks import fail, finite_number
from intertwine._shown import Shown, with_error

UNLIKELY = 1e-3
"""Residuals that chance exceeds less often are not compatible with zero."""

TOLERANCE = 0.02
"""Residuals up to this share of the change of ln G are those of corrections to scaling: on the square lattice
the window of samples leaves 0.001, the diagonal from r = 8 on 2e-5."""

MOVED = 2.0
"""The choice of the window is told where it moves β or γ by more errors than this."""


def verdict(residual: float, error: float, p_value: float) -> bool | None:
    """Whether a residual is one of corrections alone: True, False, or None where it cannot be told.

    >>> verdict(1e-3, 2e-3, 0.4), verdict(0.2, 0.01, 1e-6), verdict(0.2, 0.2, 0.5), verdict(0.2, 0.0, np.nan)
    (True, False, None, False)
    """
    if residual + 2 * error < TOLERANCE:
        return True
    beyond = p_value < UNLIKELY or (error == 0 and math.isnan(p_value))
    return False if beyond and residual > TOLERANCE else None


@dataclass(frozen=True, eq=False, repr=False)
class CallanSymanzik(Shown):
    """β(K) and γ(K) of [r∂_r − β∂_K + 2γ] G(r, K) = 0, β = dK/dl towards large scales.

    couplings: K, float64 (n,), increasing. beta, gamma, their errors: (n,), one σ by jackknife, 0 of exact
    correlators. distances: r, (R,). window: the first and the last r of the fit, (n, 2). residuals: what the
    equation leaves at each r, in units of G, (n, R), NaN outside. residual: the share of the change of ln G
    over the window that is not explained, (n,); residual_error: the share that chance alone leaves.
    chi_squared, degrees: of smooth departures of the residual from 0, and p_value: how often chance exceeds
    it (F distribution); NaN where exact. moved: how far β and γ move as either end of the window moves by a
    quarter, (n, 2). clear: whether the lattice is long compared with ξ (of rows without derivatives: whether
    differences are centred). notes: further lines of `warnings`.
    """

    couplings: Float[np.ndarray, " n"]
    beta: Float[np.ndarray, " n"]
    beta_error: Float[np.ndarray, " n"]
    gamma: Float[np.ndarray, " n"]
    gamma_error: Float[np.ndarray, " n"]
    distances: Float[np.ndarray, " R"]
    window: Float[np.ndarray, "n 2"]
    residuals: Float[np.ndarray, "n R"]
    residual: Float[np.ndarray, " n"]
    residual_error: Float[np.ndarray, " n"]
    chi_squared: Float[np.ndarray, " n"]
    degrees: Int64[np.ndarray, " n"]
    p_value: Float[np.ndarray, " n"]
    moved: Float[np.ndarray, "n 2"]
    clear: Bool[np.ndarray, " n"]
    notes: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the correlators were exact."""
        return not self.beta_error.any()

    @property
    def holds(self) -> tuple[bool | None, ...]:
        """Whether one β and one γ explain all distances of the window, a coupling: True where the residual is
        below 2 % of the change of ln G, two errors included; False where it is above, and beyond chance; None
        where that cannot be told."""
        return tuple(
            verdict(*row) for row in zip(self.residual, self.residual_error, self.p_value, strict=True)
        )

    def critical(self) -> tuple[float, float] | None:
        """(K_c, one σ): where β vanishes, by a parabola through the couplings (of two, a line); None where it
        does not change its sign. Couplings at which the lattice is short are left out where the others lie on
        both sides of the zero."""
        found = self._zero()
        return None if found is None else (found[0], self._spread(found))

    def y_T(self) -> tuple[float, float] | None:
        """(y_T, one σ): the slope of β where it vanishes; None where it does not."""
        found = self._zero()
        if found is None:
            return None
        root, coefficients, covariance = found
        slope, curve = np.polyder(np.poly1d(coefficients)), np.polyder(np.poly1d(coefficients), 2)
        powers = np.arange(len(coefficients) - 1, -1, -1)
        own = powers * (root - self._centre) ** np.maximum(powers - 1, 0)
        at = root - self._centre
        moves = -(at**powers) / slope(at)
        gradient = own + curve(at) * moves
        return float(slope(at)), math.sqrt(max(0.0, float(gradient @ covariance @ gradient)))

    def gamma_at(self, K: float | None = None) -> tuple[float, float]:
        """(γ, one σ) at K, by a parabola through the couplings; None for the zero of β. At a critical point
        2γ = d − 2 + η.

        Raises InputError for K outside the couplings, and where β has no zero.
        """
        if K is None:
            found = self.critical()
            if found is None:
                raise fail("K", "a coupling, since β does not change its sign", None)
            K = found[0]
        K = finite_number("K", K)
        if not self.couplings[0] <= K <= self.couplings[-1]:
            raise fail("K", f"a coupling from {self.couplings[0]:.6g} to {self.couplings[-1]:.6g}", K)
        coefficients, covariance = self._parabola(self.gamma, self.gamma_error, self._kept)
        powers = (K - self._centre) ** np.arange(len(coefficients) - 1, -1, -1)
        return float(powers @ coefficients), math.sqrt(max(0.0, float(powers @ covariance @ powers)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies β and γ, a line each."""
        said = [*self.notes, *self._short(), *self._misfits(), *self._untold(), *self._window_matters()]
        if len(self.couplings) == 1:
            words = "one coupling: β and γ are told there alone, and neither a zero of β nor its slope"
            said.append(caveat("unjudged", words))
        return tuple(said)

    def __str__(self) -> str:
        lines = [f"{'K':>10} {'β = dK/dl':>20} {'γ':>18} {'residual':>18} {'p':>7}  window"]
        for k, K in enumerate(self.couplings):
            digits = ("+.7f", ".5f") if self.exact else ("+.5f", ".4f")
            beta, gamma = (f"{self.beta[k]:{digits[0]}}", f"{self.gamma[k]:{digits[1]}}")
            rest, p = f"{self.residual[k]:.1e}", "exact"
            if not self.exact:
                beta = with_error(self.beta[k], self.beta_error[k], digits[0])
                gamma = with_error(self.gamma[k], self.gamma_error[k], digits[1])
                rest = f"{self.residual[k]:.1e} ({self.residual_error[k]:.1e})"
                p = "—" if math.isnan(self.p_value[k]) else f"{self.p_value[k]:.2g}"
            low, high = self.window[k]
            mark = "" if self.exact or self.clear[k] else " *"
            lines.append(f"{K:10.6f} {beta:>20} {gamma:>18} {rest:>18} {p:>7}  {low:.3g} to {high:.3g}{mark}")
        if (zero := self.critical()) is not None and (slope := self.y_T()) is not None:
            values = (zero, slope, self.gamma_at())
            digits = ".6f" if self.exact else ".5f"
            told = [f"{v:{digits}}" if self.exact else with_error(v, error, digits) for v, error in values]
            lines.append(f"β = 0 at K = {told[0]}, slope y_T = {told[1]}, γ = {told[2]} there")
        lines.append("residual: share of the change of ln G with r that is not explained (by chance alone)")
        return beneath("\n".join(lines), self.warnings)

    # ---- zeros

    @property
    def _centre(self) -> float:
        return float(self.couplings.mean())

    @property
    def _kept(self) -> np.ndarray:
        """The couplings that the zero is read from."""
        inside = self.beta[self.clear]
        if len(inside) >= 3 and (inside < 0).any() and (inside > 0).any():
            return self.clear
        return np.ones(len(self.beta), bool)

    def _parabola(
        self, values: np.ndarray, errors: np.ndarray, kept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients, highest power first, in K − centre, and their covariance."""
        K, values = self.couplings[kept] - self._centre, values[kept]
        sigma = errors[kept] if errors[kept].all() else np.ones(len(K))
        table = np.vander(K, min(3, len(K))) / sigma[:, None]
        inverse = np.linalg.pinv(table)
        return inverse @ (values / sigma), inverse @ inverse.T * bool(errors[kept].all())

    def _zero(self) -> tuple[float, np.ndarray, np.ndarray] | None:
        """(K_c, coefficients, covariance), the zero between couplings of opposite sign."""
        kept = self._kept
        K, beta = self.couplings[kept], self.beta[kept]
        changes = np.flatnonzero(np.sign(beta[1:]) * np.sign(beta[:-1]) <= 0)
        if not len(changes):
            return None
        coefficients, covariance = self._parabola(self.beta, self.beta_error, kept)
        roots = np.roots(coefficients)
        roots = roots[np.abs(roots.imag) < 1e-9].real + self._centre
        first = changes[0]
        slack = K[first + 1] - K[first]
        roots = roots[(roots >= K[first] - slack) & (roots <= K[first + 1] + slack)]
        if not len(roots):
            return None
        middle = (K[first] + K[first + 1]) / 2
        return float(roots[np.argmin(np.abs(roots - middle))]), coefficients, covariance

    def _spread(self, found: tuple[float, np.ndarray, np.ndarray]) -> float:
        root, coefficients, covariance = found
        at = root - self._centre
        gradient = at ** np.arange(len(coefficients) - 1, -1, -1) / np.polyval(np.polyder(coefficients), at)
        return math.sqrt(max(0.0, float(gradient @ covariance @ gradient)))

    # ---- caveats

    def _short(self) -> list[str]:
        if self.exact or self.clear.all():
            return []
        where = ", ".join(f"{K:.6g}" for K in self.couplings[~self.clear])
        left = " (the zero of β is read from the others)" if not self._kept.all() else ""
        words = (
            f"at K = {where} the lattice is short compared with the correlation length, and β and γ are those"
            f" of the finite lattice{left}: take couplings further from the critical point, or a larger"
            " lattice"
        )
        return [caveat("assumption", words)]

    def _misfits(self) -> list[str]:
        bad = self.p_value < UNLIKELY
        if not bad.any():
            return []
        worst = int(np.argmax(np.where(bad, self.residual, -1)))
        where = ", ".join(f"{K:.6g}" for K in self.couplings[bad])
        words = (
            f"at K = {where} β and γ do not satisfy the equation at all distances of the window: a residual"
            f" of {self.residual[worst]:.2g} of the change of ln G is beyond chance,"
            f" {self.residual_error[worst]:.1g}; corrections to scaling at the window's lower end, or the"
            " finite lattice at its upper end, are seen"
        )
        return [caveat("bad-fit", words)]

    def _untold(self) -> list[str]:
        unknown = [K for K, holds in zip(self.couplings, self.holds, strict=True) if holds is None]
        if not unknown:
            return []
        where = ", ".join(f"{K:.6g}" for K in unknown)
        words = f"at K = {where} errors are too large to tell whether the equation holds to {TOLERANCE:.0%}"
        return [
            caveat("unjudged", f"{words} of the change of ln G: draw more samples, or look nearer to K_c")
        ]

    def _window_matters(self) -> list[str]:
        errors = np.stack([self.beta_error, self.gamma_error], 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = self.moved / np.where(errors > 0, errors, np.nan)
        if self.exact:
            return []
        far = np.nan_to_num(share, nan=0.0).max(1) > MOVED
        if not far.any():
            return []
        worst = int(np.argmax(np.where(far, share.max(1), -1)))
        words = (
            f"the choice of the window moves β by {self.moved[worst, 0]:.1g} and γ by"
            f" {self.moved[worst, 1]:.1g} at K = {self.couplings[worst]:.6g}, more than their errors, which"
            " are those of chance alone"
        )
        return [caveat("assumption", words)]
