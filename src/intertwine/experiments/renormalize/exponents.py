r"""The study `exponents`: ν and η by finite-size scaling at the critical point.

`rg.finite_size` has the mathematics: on L^d sites at K_c of the infinite lattice ⟨m²⟩ ~ L^{−(d − 2 + η)}, and
the slope of the cumulant −∂ ln U/∂ ln K ~ L^{1/ν}. A line of metrics is a batch on every size, a bin of the
jackknife. Of three Potts states corrections to scaling are known to fall as L^{−4/5} (den Nijs 1982), of the
Ising model in three dimensions as L^{−0.83} (Hasenbusch 2010), and are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from intertwine._caveats import caveat
from intertwine._checks import InputError, fail
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    build_model,
    build_sampler,
    coupling_of,
    exact_exponents,
)
from intertwine.learning.study import Scalars, Study
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.montecarlo.fixed_point_verdict import known_of_potts, slow_corrections
from intertwine.rg.scaling.finite_size import (
    LARGEST_MISFIT,
    PowerLaw,
    chi_squared,
    correlated,
    cumulant_slope,
    jackknife,
    moving,
    power_law,
)
from intertwine.rg.terms.host_terms import equal_sums, product_sums
from intertwine.sampling.draw import frustrating

SLOPE = "−∂ ln U/∂ ln K"
SIZES = (8, 12, 16, 24, 32, 48)
SIZES_3D = (6, 8, 12, 16, 24)
IN_3D = "ν 0.629971(4), η 0.036298(2) (conformal bootstrap, JHEP 08, 036, 2016)"


class State(NamedTuple):
    """chains: the samplers', by size. sums: `moments` of every bin, float64 (sizes, bins, 5)."""

    chains: tuple[Any, ...]
    sums: np.ndarray


def build(c: RenormalizeConfiguration) -> Exponents:
    """The study of the configuration."""
    return Exponents(c)


class Exponents(Study[State, Outcome]):
    """Batches on every size."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c, self.lines = c, c.sampler.bins
        words = c.scaling.sizes
        d = self.dimension = len(c.named.extent)
        auto = SIZES_3D if d == 3 else SIZES
        self.sizes = auto if words == "auto" else tuple(int(size) for size in words.split("-"))
        self.models = [build_model(c, (size,) * d) for size in self.sizes]
        self.sampler = build_sampler(c)
        self.draws = c.scaling.samples // (c.sampler.chains * c.sampler.bins)
        self.key = jax.random.key(c.seed)
        self.omega = slow_corrections(c.named.potts_states, d)

    @property
    def announcement(self) -> str:
        sizes = ", ".join(map(str, self.sizes))
        name = self.c.named.full.rpartition(":")[0]
        return (
            f"{name} at K = {coupling_of(self.c):.6g}, L = {sizes}; {self.c.scaling.samples} samples of each"
        )

    def template(self, done: int) -> State:
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
        try:
            slope, line = self.fits(sums)
        except InputError:  # too few batches for a slope above zero
            return {}
        y_H = self.dimension + line.exponent / 2
        return {"y_T": slope.exponent, "y_T_error": slope.error, "y_H": y_H, "y_H_error": line.error / 2}

    def describe(self, record: dict[str, Any]) -> str:
        """The exponents so far, in words."""
        if record.get("y_T") is None:
            return "first batches"
        eta = self.dimension + 2 - 2 * record["y_H"]
        nu, error = 1 / record["y_T"], record["y_T_error"] / record["y_T"] ** 2
        return f"ν {said(nu, error)}  η {said(eta, 2 * record['y_H_error'])}"

    def fits(self, sums: np.ndarray) -> tuple[PowerLaw, PowerLaw]:
        """The lines of −∂ ln U/∂ ln K and of ⟨m²⟩."""
        slope, line = (
            power_law(self.sizes, *jackknife(sums, of), omega=self.omega) for of in (cumulant_slope, order)
        )
        return slope, line

    def finish(self, state: State, history: list[Scalars]) -> Outcome:
        """ν and η beside the exact ones."""
        known = known_of_potts(self.c.named.potts_states, self.dimension)
        moves = moving(self.sizes, state.sums)
        trouble = moves or (known if "first order" in known else "")
        try:
            slope, line = self.fits(state.sums)
        except InputError as error:
            if trouble:
                expected, got = "the critical point in the study of exponents", f"{coupling_of(self.c):.6g}"
                raise fail("system.coupling", expected, got, trouble) from error
            raise
        exact = exact_exponents(self.c.named)
        found = {
            "y_T": (slope.exponent, slope.error),
            "y_H": (self.dimension + line.exponent / 2, line.error / 2),
            "nu": (1 / slope.exponent, slope.error / slope.exponent**2),
            "eta": (2 - self.dimension - line.exponent, line.error),
        }
        if trouble:
            found = {}
        exponents = {
            name: {"mean": m, "error": e, "exact": None if exact is None else getattr(exact, name)}
            for name, (m, e) in found.items()
        }
        headline = " and ".join(
            f"{label} = {said(*found[name])}"
            + ("" if exact is None else f" (exact {getattr(exact, name):.6g})")
            for name, label in (("nu", "ν"), ("eta", "η"))
            if not trouble
        )
        why = f"the system is not critical: {trouble}" if moves else trouble
        if trouble:
            named = self.announcement.partition(",")[0]
            state_of = "is not critical" if moves else "has a transition of first order"
            headline = f"{named} {state_of}: there are no exponents"
        record = {
            "samples": self.c.scaling.samples * len(self.sizes),
            "exponents": exponents,
            **({"fixed_point": False, "reason": why} if trouble else {}),
            "headline": headline + f", from L = {self.sizes[0]} to {self.sizes[-1]}.",
            "facts": {
                "sizes": ", ".join(map(str, self.sizes)),
                "fit of ν": f"from L = {self.sizes[slope.first]}, {chi_squared(slope)}",
                "fit of η": f"from L = {self.sizes[line.first]}, {chi_squared(line)}",
                **({"literature": IN_3D} if self.dimension == 3 and not trouble else {}),
            },
        }
        arrays, attributes = self._figures(state.sums, slope, line)
        caveats = [
            *frustrating(self.models[0], self.sampler),
            *([] if trouble else self._caveats(slope, line)),
            *([caveat("untrusted", slow)] if (slow := correlated(self.sizes, state.sums)) else []),
        ]
        return Outcome(record, arrays, [record["headline"]], caveats, attributes)

    def _caveats(self, slope: PowerLaw, line: PowerLaw) -> list[str]:
        said = [
            caveat(
                "bad-fit",
                f"the line of {title} does not describe its points: χ² is {fit.misfit:.1f} a degree",
            )
            for fit, title in ((slope, SLOPE), (line, "⟨m²⟩"))
            if fit.misfit > LARGEST_MISFIT
        ]
        known = known_of_potts(self.c.named.potts_states, self.dimension)
        if known:
            said.append(caveat("assumption", known))
        if self.omega is not None and self.dimension == 3:
            words = f"corrections to scaling fall only as L^−{self.omega:g}; to count them widens the errors"
            more = "small sizes have further ones, by which η can be off by more than its error"
            said.append(caveat("assumption", f"{words}, and {more}"))
        elif self.omega is not None:
            system = self.c.named.full.rpartition(":")[0]
            sharper = f"blocking is sharper: intertwine renormalize --system {system}:64 --samples 100000"
            words = f"corrections to scaling fall only as L^−{self.omega:g}; to count them widens the errors"
            said.append(caveat("assumption", f"{words}; {sharper}"))
        return said

    def _figures(
        self, sums: np.ndarray, slope: PowerLaw, line: PowerLaw
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The points, their errors and what was fitted to them; titles and captions."""
        L = np.array(self.sizes, float)
        arrays: dict[str, Any] = {"column_size": ("size", L, "L")}
        attributes: dict[str, Any] = {
            "row_of": "size",
            "title_size": "L",
            "caption_running": "How the numbers came about: the exponents from all batches so far; bars: one"
            " standard error.",
        }
        for name, fit, of, title, words in (
            ("slope", slope, cumulant_slope, SLOPE, "−∂ ln U/∂ ln K with U = ⟨m⁴⟩/⟨m²⟩²"),
            ("order", line, order, "⟨m²⟩", "⟨m²⟩"),
        ):
            values, errors = jackknife(sums, of)
            fitted = np.exp(fit.constant) * L**fit.exponent
            if self.omega is not None:
                fitted = fitted * np.exp(fit.correction * L**-self.omega)
            arrays[f"column_{name}"] = ("size", values, title)
            arrays[f"error_{name}"] = ("size", errors, "one standard deviation")
            arrays[f"fit_{name}"] = ("size", fitted, f"fitted line of {title}")
            counted = "" if self.omega is None else f" and corrections L^−{self.omega:g}"
            attributes |= {f"title_{name}": title, f"log_{name}": 2}
            attributes[f"caption_{name}"] = (
                f"{words} at K_c against L, both logarithmic; dashed: L to the power"
                f" {said(fit.exponent, fit.error)}{counted}, fitted from L = {self.sizes[fit.first]} on."
            )
        return arrays, attributes


def moments(model: Any, spins: np.ndarray) -> np.ndarray:
    """Means of ln Ψ, m², m⁴, m² ln Ψ, m⁴ ln Ψ over configurations (n, N)."""
    bonds, N = linked_bonds(model.lattice)[0], model.size
    if isinstance(model, Potts):
        weight = float(model.coupling) * equal_sums(spins, bonds, model.states).sum(1)
        shares = equal_sums(spins, np.arange(N, dtype=np.int32)[:, None], model.states) / N
        square = (model.states * (shares**2).sum(1) - 1) / (model.states - 1)
    else:
        weight = float(model.coupling) * product_sums(spins, bonds)
        for terms, strength in zip(model.terms, np.asarray(model.strengths), strict=True):
            weight += float(strength) * product_sums(spins, terms.sites)
        square = (spins.sum(1, dtype=np.int64) / N) ** 2
    columns = weight, square, square**2, square * weight, square**2 * weight
    return np.array([column.mean() for column in columns])


def order(mean: np.ndarray) -> np.ndarray:
    """⟨m²⟩ of the means (..., 5)."""
    return mean[..., 1]
