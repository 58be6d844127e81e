r"""Geodesics between couplings: the Fisher length, and the straight ways of both families beside it.

    θ̈^k + Γ^k_ij θ̇^i θ̇^j = 0,     length = ∫ √(g_ij θ̇^i θ̇^j) dt,     one coupling:  length = ∫ √g dK

The length counts how many distributions along the way can be told apart (Rao 1945); in thermodynamics it
bounds what a drive of n equal steps dissipates, W ≥ length²/(2n) in units of kT (Crooks, Phys. Rev. Lett. 99,
100602, 2007; Salamon & Berry 1983). The e-way is straight in θ, the m-way straight in the means ⟨S⟩
(Amari 1985); neither is shorter. No way inside the family is shorter than the one over all distributions,
2 arccos Σ √(p p').
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown
from intertwine.geometry.couplings.curvature import checked_couplings, function_family
from intertwine.geometry.couplings.exact import exact_family
from intertwine.geometry.couplings.families import CouplingFamily, TableFamily
from intertwine.geometry.couplings.statistics import Couplings, statistics_of
from intertwine.geometry.couplings.tensors import check_independent, christoffel
from intertwine.models.protocols import is_density
from intertwine.models.results import as_model

_POINTS = 33
_ROUGH, _FINE = 1e-3, 1e-8
_MOST_NODES = 2000
_MISSED = 1e-8
"""By which the end may be missed."""
_UNEVEN = 1e-5
"""By which the speed may change along a geodesic that is said to be one."""


@dataclass(frozen=True, eq=False, repr=False)
class Geodesic(Shown):
    """names: the n couplings. length: of the geodesic, the thermodynamic length, without unit. path: float64
    (m, n), couplings along it, equally far apart, the ends among them. e_length, m_length: of the ways
    straight in θ and in ⟨S⟩. chord: 2 arccos Σ √(p p'), the shortest way over all distributions; nan where
    the states cannot be listed. unevenness: the largest relative change of the speed along the path, a
    measure of its error. converged: whether the equation was solved. warnings: what qualifies the length."""

    names: tuple[str, ...]
    length: float
    path: Float[np.ndarray, "m n"]
    e_length: float
    m_length: float
    chord: float
    unevenness: float
    converged: bool
    warnings: tuple[str, ...] = ()

    def steps(self, count: int) -> Float[np.ndarray, "count1 n"]:
        """The couplings of a way in `count` steps of equal length, (count + 1, n): temperatures of an
        annealing or of a ladder of replicas."""
        at = np.linspace(0, 1, positive_int("count", count) + 1)
        own = np.linspace(0, 1, len(self.path))
        from scipy.interpolate import CubicSpline

        return CubicSpline(own, self.path)(at)

    def dissipation(self, count: int) -> float:
        """length²/(2 count), the least excess work of so many equilibrated steps, in units of kT, to leading
        order."""
        return self.length**2 / (2 * positive_int("count", count))

    def __str__(self) -> str:
        ends = " to ".join(
            "(" + ", ".join(f"{n} {x:.6g}" for n, x in zip(self.names, row, strict=True)) + ")"
            for row in (self.path[0], self.path[-1])
        )
        line = f"Fisher length {self.length:.9g} from {ends}; straight in θ {self.e_length:.6g}"
        line += f", in the means {self.m_length:.6g}"
        chord = "" if math.isnan(self.chord) else f"; over all distributions {self.chord:.6g}"
        return beneath((line + chord).replace("-", "−"), self.warnings)


def geodesic(
    system: PyTree | Callable[..., object],
    start: ArrayLike | Mapping[str, float],
    end: ArrayLike | Mapping[str, float],
    couplings: Couplings = None,
) -> Geodesic:
    """The shortest way between two couplings in the Fisher metric.

    system: a model with its `couplings`, of those that `curvature` takes exactly, or ln Z, a function of θ
        (n,). start, end: numbers (n,), or by name; one number for one coupling. couplings: as of `curvature`;
        one is enough. Couplings that are not named keep their value.

    Where the equation is not solved, `converged` is False, the length is that of the best way that is known,
    and a caveat says so.

    Raises InputError for ends that are equal, not finite, or where the couplings depend on each other.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Chain
    >>> open_chain = Ising(Chain(11, pbc=False), 0.0)                     # ten free bonds: g = 10/cosh² K
    >>> found = geodesic(open_chain, 0.1, 0.9, "nearest")
    >>> gudermannian = lambda K: 2 * math.atan(math.tanh(K / 2))
    >>> abs(found.length - 10**0.5 * (gudermannian(0.9) - gudermannian(0.1))) < 1e-9
    True
    """
    system = as_model(system)
    if callable(system) and not is_density(system):
        family: CouplingFamily = function_family(system, couplings, start, "start")
    elif is_density(system):
        family = exact_family(system, statistics_of(system, couplings))
    else:
        raise fail("system", "a model, or ln Z as a function of couplings", system)
    first, last = (checked_couplings(k, v, family.names) for k, v in (("start", start), ("end", end)))
    if np.array_equal(first, last):
        raise fail("end", "couplings other than those of the start", end)
    for theta in (first, last):
        check_independent(family.cumulants(theta).metric, family.names)
    chord = math.nan
    if isinstance(family, TableFamily):
        chord = 2 * math.acos(min(1.0, family.overlap(first, last)))
    e_length, e_path = _straight(family, first, last)
    m_length, m_path, reached = _mixture(family, first, last)
    if len(first) == 1:
        path = e_path
        return Geodesic(family.names, e_length, path, e_length, e_length, chord, 0.0, True)
    guess = m_path if reached and m_length < e_length else e_path
    length, path, uneven, solved = _solved(family, first, last, guess)
    said = []
    shortest = min(e_length, m_length if reached else math.inf)
    if not solved:
        words = "the geodesic equation was not solved between these couplings: the length is that of the"
        said.append(
            caveat("not-converged", f"{words} shorter straight way, an upper bound; take nearer ends")
        )
        length, path = shortest, guess
    elif length > shortest * (1 + 1e-6):
        words = f"the geodesic of length {length:.6g} is longer than a straight way of {shortest:.6g}"
        said.append(caveat("untrusted", f"{words}: it is not the shortest"))
    if not reached:
        said.append(caveat("not-converged", "the way straight in the means was not followed to its end"))
    tell(said)
    return Geodesic(family.names, length, path, e_length, m_length, chord, uneven, solved, tuple(said))


def _straight(family: CouplingFamily, first: np.ndarray, last: np.ndarray) -> tuple[float, np.ndarray]:
    """Length of the way straight in θ, and points on it equally far apart."""
    from scipy.integrate import quad, solve_ivp

    change = last - first

    def speed(t: float, _: np.ndarray | None = None) -> float:
        metric = family.cumulants(first + t * change).metric
        return math.sqrt(max(0.0, float(change @ metric @ change)))

    length = float(quad(speed, 0, 1, epsabs=1e-11, epsrel=1e-11, limit=200)[0])
    found = solve_ivp(speed, (0, 1), [0.0], rtol=1e-7, atol=1e-9, method="DOP853", dense_output=True)
    return length, first + _even(found.sol, float(found.y[0, -1]))[:, None] * change


def _mixture(family: CouplingFamily, first: np.ndarray, last: np.ndarray) -> tuple[float, np.ndarray, bool]:
    """Length of the way straight in the means, points on it equally far apart, and whether it reached the
    end."""
    from scipy.integrate import solve_ivp

    means = [family.cumulants(theta).mean for theta in (first, last)]
    change = means[1] - means[0]

    def speed(_: float, y: np.ndarray) -> np.ndarray:
        metric = family.cumulants(y[:-1]).metric
        try:
            along = np.linalg.solve(metric, change)
        except np.linalg.LinAlgError:
            along = np.full(len(change), np.nan)
        return np.append(along, math.sqrt(max(0.0, float(along @ change))))

    start = np.append(first, 0.0)
    with np.errstate(all="ignore"):
        found = solve_ivp(speed, (0, 1), start, rtol=1e-9, atol=1e-11, method="DOP853", dense_output=True)
    end = found.y[:, -1]
    reached = found.success and np.abs(end[:-1] - last).max() < 1e-6 * max(1.0, np.abs(last).max())
    if not reached:
        return math.nan, np.stack([first, last]), False
    times = _even(lambda t: found.sol(t)[-1:], float(end[-1]))
    path = np.concatenate([first[None], found.sol(times[1:-1])[:-1].T, last[None]])
    return float(end[-1]), path, True


def _even(length: Callable[[np.ndarray], np.ndarray], whole: float) -> np.ndarray:
    """Times at which the way is at equal lengths, by interpolation and two steps of bisection by secants."""
    from scipy.interpolate import PchipInterpolator

    fine = np.linspace(0, 1, 2001)
    covered = np.maximum.accumulate(length(fine)[0]) + 1e-15 * np.arange(len(fine))
    times = PchipInterpolator(covered, fine)(np.linspace(0, whole, _POINTS))
    times[0], times[-1] = 0.0, 1.0
    return np.clip(times, 0, 1)


def _solved(
    family: CouplingFamily, first: np.ndarray, last: np.ndarray, guess: np.ndarray
) -> tuple[float, np.ndarray, float, bool]:
    """(length, path, unevenness, whether solved) of the geodesic equation: as a boundary-value problem from
    `guess` on, roughly, then by shooting, or where that is too sensitive by finer collocation."""
    from scipy.integrate import solve_bvp, solve_ivp
    from scipy.optimize import root

    n = len(first)

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        found = family.cumulants(y[:n])
        connection = christoffel(found.metric, found.third)
        return np.concatenate([y[n:], -np.einsum("kij,i,j->k", connection, y[n:], y[n:])])

    def slopes(_: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([slope(0.0, column) for column in y.T], 1)

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.concatenate([a[:n] - first, b[:n] - last])

    def shot(velocity: np.ndarray) -> Any:
        start = np.concatenate([first, velocity])
        return solve_ivp(slope, (0, 1), start, rtol=1e-11, atol=1e-12, method="DOP853", dense_output=True)

    times = np.linspace(0, 1, len(guess))
    begin = np.concatenate([guess.T, np.gradient(guess, times, axis=0).T])
    failed = math.nan, guess, math.nan, False
    try:
        with np.errstate(all="ignore"):
            rough = solve_bvp(slopes, ends, times[::4], begin[:, ::4], tol=_ROUGH, max_nodes=_MOST_NODES)
            if not rough.success or not np.isfinite(rough.y).all():
                return failed
            aimed = root(lambda v: shot(v).y[:n, -1] - last, rough.y[n:, 0], tol=1e-12)
            found = shot(aimed.x)
            missed = float(np.abs(found.y[:n, -1] - last).max())
            if not missed < _MISSED * max(1.0, np.abs(last).max()):
                found = solve_bvp(slopes, ends, rough.x, rough.y, tol=_FINE, max_nodes=_MOST_NODES)
            if not found.success or not np.isfinite(found.y).all():
                return failed
    except (ValueError, np.linalg.LinAlgError, InputError):
        return failed
    values = found.sol(np.linspace(0, 1, _POINTS))
    speeds = [
        math.sqrt(max(0.0, v @ family.cumulants(t).metric @ v))
        for t, v in zip(values[:n].T, values[n:].T, strict=True)
    ]
    uneven = float(np.ptp(speeds) / np.mean(speeds))
    path = np.concatenate([first[None], values[:n, 1:-1].T, last[None]])
    return float(np.mean(speeds)), path, uneven, uneven < _UNEVEN
