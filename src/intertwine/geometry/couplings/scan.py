r"""The curvature along a line of couplings, as a study, and where it is largest: a transition that is found
without an order parameter.

On L^d sites |R| of a site peaks near the critical coupling, and the peak moves there and grows with L. By
hyperscaling R ~ ξ^d of the infinite system (Ruppeiner 1995; Janke, Johnston & Malmini, Phys. Rev. E 66,
056119, 2002), so that the peak grows as L^d at most, with logarithms where α = 0.

A line of metrics is one coupling, whose samples are drawn anew.
"""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import Caveat, beneath, caveat, code_of, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.geometry.couplings.curvature import curvature
from intertwine.geometry.couplings.exact import is_quick
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.parameters import check_key
from intertwine.sampling.draw import AnySampler


class Peak(NamedTuple):
    """coupling, height: where |R| is largest, and its value there, by a parabola through three points, with
    their errors; nan where |R| is largest at an end."""

    coupling: float
    coupling_error: float
    height: float
    height_error: float


@dataclass(frozen=True, eq=False, repr=False)
class CurvatureScan(Shown):
    """K: float64 (n,). value, error: R of a site, spheres positive, and one standard error; 0 where exact.
    exact: R without samples, nan where it is not known. peak: of |R|. warnings: lines `code: sentence`."""

    K: Float[np.ndarray, " n"]
    value: Float[np.ndarray, " n"]
    error: Float[np.ndarray, " n"]
    exact: Float[np.ndarray, " n"]
    peak: Peak
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [f"{'K':>9} {'R of a site':>18} {'exact':>12}"]
        for K, value, error, exact in zip(self.K, self.value, self.error, self.exact, strict=True):
            known = "" if math.isnan(exact) else f"{exact:12.6g}"
            rows.append(f"{K:9.5f} {with_error(value, error, '.4g', '.2g'):>18} {known:>12}")
        p = self.peak
        if not math.isnan(p.coupling):
            where = with_error(p.coupling, p.coupling_error, ".5f", ".1g")
            rows.append(f"largest at K = {where}: |R| = {with_error(p.height, p.height_error, '.4g', '.2g')}")
        return beneath("\n".join(rows), self.warnings)


class Scanned(NamedTuple):
    """value, error, exact: (n,), nan where not there yet. doubt: (n,), 1 where the samples are not to be
    trusted, 2 where R is not told from 0, 4 where digits of the exact value are lost, or their sum."""

    value: np.ndarray
    error: np.ndarray
    exact: np.ndarray
    doubt: np.ndarray


class CurvatureStudy(Study[Scanned, CurvatureScan]):
    """Couplings one after another. model: K ↦ the model. samples: of each, None for exact values alone."""

    def __init__(
        self,
        K: ArrayLike,
        model: Callable[[float], PyTree],
        couplings: Sequence[Any],
        *,
        samples: int | None,
        sampler: AnySampler | None = None,
        key: Array | None = None,
    ):
        self.K = np.asarray(K, np.float64)
        self.model, self.couplings, self.samples = model, tuple(couplings), samples
        self.sampler, self.key, self.lines = sampler, key, len(self.K)

    def template(self, done: int) -> Scanned:
        empty = np.full(self.lines, np.nan)
        return Scanned(empty, empty.copy(), empty.copy(), np.zeros(self.lines, np.int64))

    def start(self) -> Scanned:
        """The state before the first coupling."""
        return self.template(0)

    def iterate(self, state: Scanned, done: int) -> Iterator[tuple[Scanned, Scalars]]:
        for line in range(done, self.lines):
            state = Scanned(*(part.copy() for part in state))
            K = float(self.K[line])
            model = self.model(K)
            exact = math.nan
            with python_warnings.catch_warnings():
                python_warnings.simplefilter("ignore", Caveat)  # they are told at the end, together
                if self.samples is None or is_quick(model, self.couplings):
                    known_exactly = curvature(model, self.couplings)
                    exact = known_exactly.value
                    state.doubt[line] = 4 * bool(known_exactly.warnings)
                found, error = exact, 0.0
                if self.samples is not None:
                    assert self.key is not None
                    key = jax.random.fold_in(self.key, line)
                    sampled = curvature(
                        model, self.couplings, samples=self.samples, sampler=self.sampler, key=key
                    )
                    found, error = sampled.value, sampled.error
                    codes = {code_of(said) for said in sampled.warnings}
                    swallowed = not 2 * error < abs(found)
                    mistrusted = bool(codes & {"untrusted", "chains-disagree", "assumption"})
                    state.doubt[line] += mistrusted + 2 * swallowed
            state.value[line], state.error[line], state.exact[line] = found, error, exact
            known = None if math.isnan(exact) else exact
            yield state, {"start": K, "curvature": found, "curvature_error": error, "exact": known}

    def finish(self, state: Scanned, history: list[Scalars]) -> CurvatureScan:
        peak = peak_of(self.K, state.value, state.error)
        said = []
        if (state.doubt & 1).any():
            where = ", ".join(f"{K:.5g}" for K in self.K[(state.doubt & 1) > 0])
            words = "the chains have not mixed, or samples are few for their autocorrelation"
            said.append(caveat("untrusted", f"at K = {where} {words}: errors are too small"))
        if (state.doubt & 2).any():
            where = ", ".join(f"{K:.5g}" for K in self.K[(state.doubt & 2) > 0])
            said.append(caveat("unjudged", f"at K = {where} the curvature is not told from 0 by its error"))
        if (state.doubt & 4).any():
            where = ", ".join(f"{K:.5g}" for K in self.K[(state.doubt & 4) > 0])
            said.append(caveat("untrusted", f"at K = {where} digits of the exact curvature are lost"))
        if math.isnan(peak.coupling):
            words = "|R| is largest at an end of the range, which therefore has no peak"
            said.append(caveat("unjudged", f"{words}: take other or more couplings"))
        elif self.samples is not None and not _stands_out(state, peak):
            words = "the peak of |R| does not stand out from the ends of the range by three errors"
            said.append(caveat("unjudged", f"{words}: take more samples or a wider range"))
        return CurvatureScan(self.K, state.value, state.error, state.exact, peak, tuple(said))


def curvature_scan(
    model: Callable[[float], PyTree],
    K: ArrayLike,
    couplings: Sequence[Any] = ("nearest", "field"),
    *,
    samples: int | None = None,
    sampler: AnySampler | None = None,
    progress: Callable[[Scanned, Scalars], object] | None = None,
    key: Array | None = None,
) -> CurvatureScan:
    """The curvature at several couplings, and its peak: the numbers of `intertwine renormalize --curvature`
    with the same settings and `key = jax.random.key(seed)`.

    model: K ↦ a model. K: three or more growing couplings (n,). couplings, samples, sampler, key: as of
    `curvature`, for every K. progress: called with the state and the numbers after each.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Square
    >>> found = curvature_scan(lambda K: Ising(Square(4, 4), K), np.linspace(0.25, 0.6, 8))
    >>> bool(0.35 < found.peak.coupling < 0.5), bool(np.all(found.error == 0))
    (True, True)
    """
    values = np.asarray(K, np.float64)
    if values.ndim != 1 or len(values) < 3 or not np.isfinite(values).all() or (np.diff(values) <= 0).any():
        raise fail("K", "three or more growing couplings", K)
    if samples is not None:
        samples = positive_int("samples", samples)
        key = check_key(key)
    study = CurvatureStudy(values, model, couplings, samples=samples, sampler=sampler, key=key)
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found


def peak_of(K: np.ndarray, value: np.ndarray, error: np.ndarray) -> Peak:
    """The peak of |R| by a parabola through the largest value and its neighbours.

    >>> K = np.linspace(0, 1, 6)
    >>> found = peak_of(K, 2 - (K - 0.45) ** 2, np.zeros(6))
    >>> round(found.coupling, 9), round(found.height, 9)
    (0.45, 2.0)
    """
    size = np.abs(value)
    if not np.isfinite(size).any() or not 0 < (top := int(np.nanargmax(size))) < len(K) - 1:
        return Peak(*(math.nan,) * 4)
    x, y, e = (part[top - 1 : top + 2] for part in (K, size, error))
    if not np.isfinite(y).all():
        return Peak(*(math.nan,) * 4)

    def vertex(y: np.ndarray) -> np.ndarray:
        a, b, c = np.polyfit(x - x[1], y, 2)
        return np.array([x[1] - b / (2 * a), c - b * b / (4 * a)]) if a < 0 else np.array([x[1], y[1]])

    found = vertex(y)
    slopes = np.array([(vertex(y + d) - vertex(y - d)) / 2 for d in 1e-4 * np.diag(np.maximum(e, 1e-12))])
    spread = np.sqrt(((1e4 * slopes) ** 2).sum(0)) * (e.max() > 0)
    return Peak(float(found[0]), float(spread[0]), float(found[1]), float(spread[1]))


def _stands_out(state: Scanned, peak: Peak) -> bool:
    for end in (0, -1):
        apart = peak.height - abs(float(state.value[end]))
        if not apart > 3 * math.hypot(peak.height_error, float(state.error[end])):
            return False
    return True
