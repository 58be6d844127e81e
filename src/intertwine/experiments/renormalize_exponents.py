r"""The study `exponents`: ν and η by finite-size scaling at the critical point.

On L × L sites at K_c of the infinite lattice (Fisher & Barber 1972; Binder 1981; Ferrenberg & Landau, Phys.
Rev. B 44, 5081, 1991), with S = ∂ ln Ψ/∂K and m² the square of the order parameter,

    ⟨m²⟩ ~ L^{−(d − 2 + η)},      U = ⟨m⁴⟩/⟨m²⟩²,      −∂ ln U/∂K ~ L^{1/ν}
    ∂ ln⟨m^k⟩/∂K = ⟨m^k S⟩/⟨m^k⟩ − ⟨S⟩

(in U the smooth background of each logarithm, a constant, cancels).

A line of metrics is a batch on every size. The exponents are slopes of straight lines in ln L; the smallest
sizes are left out while the lines do not describe them (χ² of more than 2 a degree of freedom, at least three
sizes kept). Errors are those of the jackknife over batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from intertwine.experiments.renormalize_configuration import RenormalizeConfiguration
from intertwine.experiments.renormalize_results import Outcome
from intertwine.experiments.renormalize_system import (
    build_model,
    build_sampler,
    coupling_of,
    exact_exponents,
)
from intertwine.experiments.renormalize_words import said
from intertwine.models.potts import Potts

SIZES = (8, 12, 16, 24, 32, 48)
LARGEST_MISFIT = 2.0


class State(NamedTuple):
    """chains: the samplers', by size. sums: means of S, m², m⁴, m² S, m⁴ S, float64 (sizes, bins, 5)."""

    chains: tuple[Any, ...]
    sums: np.ndarray


class Line(NamedTuple):
    """ln y = slope · ln L + constant from the sizes of index `first` on; misfit: χ² a degree of freedom."""

    slope: float
    error: float
    constant: float
    first: int
    misfit: float


def build(c: RenormalizeConfiguration) -> Exponents:
    """The study of the configuration."""
    return Exponents(c)


class Exponents:
    """Batches on every size."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c, self.lines = c, c.sampler.bins
        words = c.scaling.sizes
        self.sizes = SIZES if words == "auto" else tuple(int(size) for size in words.split("-"))
        self.models = [build_model(c, (size, size)) for size in self.sizes]
        self.sampler = build_sampler(c)
        self.draws = c.scaling.samples // (c.sampler.chains * c.sampler.bins)
        self.key = jax.random.key(c.seed)

    @property
    def announcement(self) -> str:
        sizes = ", ".join(map(str, self.sizes))
        name = self.c.named.full.rpartition(":")[0]
        return (
            f"{name} at K = {coupling_of(self.c):.6g}, L = {sizes}; {self.c.scaling.samples} samples of each"
        )

    @property
    def template(self) -> State:
        """A state of the structure of every other, without the burn-in."""
        return self._fresh(replace(self.sampler, burn_in=1))

    def start(self) -> State:
        """The state before the first batch: chains of every size after their burn-in."""
        return self._fresh(self.sampler)

    def _fresh(self, sampler: Any) -> State:
        keys = jax.random.split(jax.random.fold_in(self.key, 0), len(self.sizes))
        chains = tuple(sampler.init(model, key=key) for model, key in zip(self.models, keys, strict=True))
        return State(chains, np.zeros((len(self.sizes), self.lines, 5)))

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, dict[str, Any]]]:
        """(state, scalars) after each further batch."""
        for line in range(done, self.lines):
            chains, sums = list(state.chains), state.sums.copy()
            for k, model in enumerate(self.models):
                key = jax.random.fold_in(jax.random.fold_in(self.key, line + 1), k)
                samples, chains[k] = self.sampler.sample(model, chains[k], self.draws, key=key)
                spins = np.asarray(samples.configurations).reshape(-1, model.size)
                sums[k, line] = moments(model, spins)
            state = State(tuple(chains), sums)
            yield state, self._measured(sums[:, : line + 1])

    def _measured(self, sums: np.ndarray) -> dict[str, Any]:
        """The exponents from the batches so far, from the fourth on."""
        if sums.shape[1] < 4:
            return {}
        slope, order = self.fits(sums)
        return {"y_T": slope.slope, "y_T_error": slope.error, "y_H": 2 + order.slope / 2,
                "y_H_error": order.error / 2}  # fmt: skip

    def describe(self, record: dict[str, Any]) -> str:
        """The exponents so far, in words."""
        if record.get("y_T") is None:
            return "first batches"
        eta = 4 - 2 * record["y_H"]
        nu, error = 1 / record["y_T"], record["y_T_error"] / record["y_T"] ** 2
        return f"ν {said(nu, error)}  η {said(eta, 2 * record['y_H_error'])}"

    def fits(self, sums: np.ndarray) -> tuple[Line, Line]:
        """The lines of −∂ ln U/∂K and of ⟨m²⟩."""
        slope, line = (straight_line(self.sizes, *jackknife(sums, of)) for of in (log_slope, order))
        return slope, line

    def finish(self, state: State) -> Outcome:
        """ν and η beside the exact ones."""
        slope, line = self.fits(state.sums)
        exact = exact_exponents(self.c.named)
        found = {
            "y_T": (slope.slope, slope.error),
            "y_H": (2 + line.slope / 2, line.error / 2),
            "nu": (1 / slope.slope, slope.error / slope.slope**2),
            "eta": (-line.slope, line.error),
        }
        exponents = {
            name: {"mean": m, "error": e, "exact": None if exact is None else getattr(exact, name)}
            for name, (m, e) in found.items()
        }
        headline = " and ".join(
            f"{label} = {said(*found[name])}"
            + ("" if exact is None else f" (exact {getattr(exact, name):.6g})")
            for name, label in (("nu", "ν"), ("eta", "η"))
        )
        names = {"slope": (slope, log_slope, "−∂ ln U/∂K"), "order": (line, order, "⟨m²⟩")}
        arrays: dict[str, Any] = {"column_size": ("size", np.array(self.sizes, float), "L")}
        attributes: dict[str, Any] = {"row_of": "size", "title_size": "L"}
        for name, (fit, of, title) in names.items():
            values, errors = jackknife(state.sums, of)
            arrays[f"column_{name}"] = ("size", values, title)
            arrays[f"error_{name}"] = ("size", errors, "one standard deviation")
            fitted = np.exp(fit.constant) * np.array(self.sizes, float) ** fit.slope
            arrays[f"fit_{name}"] = ("size", fitted, f"fitted line of {title}")
            attributes |= {f"title_{name}": title, f"log_{name}": 2}
        attributes["caption_slope"] = (
            "−∂ ln U/∂K with U = ⟨m⁴⟩/⟨m²⟩² at K_c against L, both logarithmic: a straight line of the slope"
            f" 1/ν = {said(slope.slope, slope.error)}, fitted from L = {self.sizes[slope.first]} on."
        )
        attributes["caption_order"] = (
            f"⟨m²⟩ at K_c against L, both logarithmic: a straight line of the slope −η ="
            f" {said(line.slope, line.error)}, fitted from L = {self.sizes[line.first]} on."
        )
        record = {
            "samples": self.c.scaling.samples * len(self.sizes),
            "exponents": exponents,
            "headline": headline + f", from L = {self.sizes[0]} to {self.sizes[-1]}.",
            "facts": {
                "sizes": ", ".join(map(str, self.sizes)),
                "fit of ν": f"from L = {self.sizes[slope.first]}, χ² a degree {slope.misfit:.2f}",
                "fit of η": f"from L = {self.sizes[line.first]}, χ² a degree {line.misfit:.2f}",
            },
            "notices": [
                f"The line of {title} does not describe its points: χ² is {fit.misfit:.1f} a degree."
                for fit, _, title in names.values()
                if fit.misfit > LARGEST_MISFIT
            ],
        }
        return Outcome(record, arrays, [record["headline"]], record["notices"], attributes)


def moments(model: Any, spins: np.ndarray) -> np.ndarray:
    """Means of S, m², m⁴, m² S, m⁴ S over configurations (n, N)."""
    bonds = model.lattice.bonds()
    if isinstance(model, Potts):
        S = (spins[:, bonds[:, 0]] == spins[:, bonds[:, 1]]).sum(1).astype(np.float64)
        shares = np.stack([(spins == a).mean(1) for a in range(model.states)], -1)
        square = (model.states * (shares**2).sum(1) - 1) / (model.states - 1)
    else:
        S = (spins[:, bonds[:, 0]] * spins[:, bonds[:, 1]]).sum(1, dtype=np.int64).astype(np.float64)
        square = spins.mean(1, dtype=np.float64) ** 2
    columns = S, square, square**2, square * S, square**2 * S
    return np.array([column.mean() for column in columns])


def log_slope(mean: np.ndarray) -> np.ndarray:
    """−∂ ln U/∂K of the means (..., 5)."""
    return 2 * mean[..., 3] / mean[..., 1] - mean[..., 4] / mean[..., 2] - mean[..., 0]


def order(mean: np.ndarray) -> np.ndarray:
    """⟨m²⟩ of the means (..., 5)."""
    return mean[..., 1]


def jackknife(sums: np.ndarray, of: Any) -> tuple[np.ndarray, np.ndarray]:
    """A function of means and its error, by size, from bins (sizes, bins, columns)."""
    bins = sums.shape[1]
    without = of((sums.sum(1, keepdims=True) - sums) / (bins - 1))
    return of(sums.mean(1)), np.sqrt((bins - 1) * without.var(1))


def straight_line(sizes: tuple[int, ...], values: np.ndarray, errors: np.ndarray) -> Line:
    """The weighted fit of ln y = slope · ln L + constant, smallest sizes left out where it must be.

    >>> sizes = (4, 8, 16, 32)
    >>> fit = straight_line(sizes, 3 * np.array(sizes) ** -0.25, np.full(4, 1e-3))
    >>> round(fit.slope, 6), fit.first
    (-0.25, 0)
    """
    if not (np.isfinite(values).all() and (values > 0).all()):
        return Line(math.nan, math.nan, math.nan, 0, math.nan)
    x, y, sigma = np.log(np.array(sizes, float)), np.log(values), np.maximum(errors / values, 1e-12)
    for first in range(len(sizes) - 2):
        a = np.stack([x[first:], np.ones(len(x) - first)], 1) / sigma[first:, None]
        covariance = np.linalg.inv(a.T @ a)
        found = covariance @ a.T @ (y[first:] / sigma[first:])
        degrees = len(x) - first - 2
        misfit = float((((y[first:] / sigma[first:]) - a @ found) ** 2).sum() / degrees)
        if misfit <= LARGEST_MISFIT:
            break
    scale = math.sqrt(max(1.0, misfit))
    return Line(float(found[0]), scale * math.sqrt(float(covariance[0, 0])), float(found[1]), first, misfit)
