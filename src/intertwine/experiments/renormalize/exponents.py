"""The study `exponents`: ν and η by finite-size scaling at the critical point (`rg.scaling.finite_size`).

A line of metrics is a batch on every size, a bin of the jackknife. Of three Potts states corrections to
scaling are known to fall as L^{−4/5} (den Nijs 1982), of the Ising model in three dimensions as L^{−0.83}
(Hasenbusch 2010), and are counted.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from intertwine._caveats import caveat, code_of
from intertwine._checks import InputError, fail
from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    build_model,
    build_sampler,
    coupling_of,
    exact_exponents,
)
from intertwine.learning.study import Scalars
from intertwine.rg.defaults import SIZES, SIZES_3D
from intertwine.rg.montecarlo.fixed_point_verdict import known_of_potts, slow_corrections
from intertwine.rg.scaling.finite_size import FiniteSize, FiniteSizeScaling, Moments, chi_squared
from intertwine.rg.scaling.moments import moving

SLOPE = "−∂ ln U/∂ ln K"
IN_3D = "ν 0.629971(4), η 0.036298(2) (conformal bootstrap, JHEP 08, 036, 2016)"


def build(c: RenormalizeConfiguration) -> Exponents:
    """The study of the configuration."""
    return Exponents(c)


class Exponents(Subject[FiniteSizeScaling]):
    """Batches on every size."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        d = self.dimension = len(c.named.extent)
        sizes = sizes_of(c)
        self.omega = slow_corrections(c.named.potts_states, d)
        self.study = FiniteSizeScaling(
            sizes,
            [build_model(c, (size,) * d) for size in sizes],
            build_sampler(c),
            samples=c.scaling.samples,
            bins=c.sampler.bins,
            omega=self.omega,
            key=jax.random.key(c.seed),
        )

    @property
    def announcement(self) -> str:
        sizes = ", ".join(map(str, self.study.sizes))
        name = self.c.named.full.rpartition(":")[0]
        return (
            f"{name} at K = {coupling_of(self.c):.6g}, L = {sizes}; {self.c.scaling.samples} samples of each"
        )

    def describe(self, record: dict[str, Any]) -> str:
        """The exponents so far, in words."""
        if record.get("y_T") is None:
            return "first batches"
        eta = self.dimension + 2 - 2 * record["y_H"]
        nu, error = 1 / record["y_T"], record["y_T_error"] / record["y_T"] ** 2
        return f"ν {said(nu, error)}  η {said(eta, 2 * record['y_H_error'])}"

    def _found(self, state: Moments, history: list[Scalars]) -> FiniteSize:
        """What the study found; `InputError` in the words of the settings where that is nothing."""
        try:
            return self.study.finish(state, history)
        except InputError as error:
            known = known_of_potts(self.c.named.potts_states, self.dimension)
            trouble = moving(self.study.sizes, state.sums) or (known if "first order" in known else "")
            if not trouble:
                raise
            expected, got = "the critical point in the study of exponents", f"{coupling_of(self.c):.6g}"
            raise fail("system.coupling", expected, got, trouble) from error

    def outcome(self, state: Moments, history: list[Scalars]) -> Outcome:
        """ν and η beside the exact ones."""
        result = self._found(state, history)
        slope, line, moves = result.growth, result.decay, result.moving
        trouble = moves or (
            known_of_potts(self.c.named.potts_states, self.dimension) if result.first_order else ""
        )
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
            "samples": self.c.scaling.samples * len(result.sizes),
            "exponents": exponents,
            **({"fixed_point": False, "reason": why} if trouble else {}),
            "headline": headline + f", from L = {result.sizes[0]} to {result.sizes[-1]}.",
            "facts": {
                "sizes": ", ".join(map(str, result.sizes)),
                "fit of ν": f"from L = {result.sizes[slope.first]}, {chi_squared(slope)}",
                "fit of η": f"from L = {result.sizes[line.first]}, {chi_squared(line)}",
                **({"literature": IN_3D} if self.dimension == 3 and not trouble else {}),
            },
        }
        arrays, attributes = self._figures(result)
        own = ("no-fixed-point", "assumption")  # told by the record, and in the words of the command
        caveats = [line for line in result.warnings if code_of(line) not in own or line in result.notes]
        caveats += [] if trouble else self._caveats()
        return Outcome(record, arrays, [record["headline"]], caveats, attributes)

    def _caveats(self) -> list[str]:
        """What is known beforehand of the system."""
        said = []
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

    def _figures(self, found: FiniteSize) -> tuple[dict[str, Any], dict[str, Any]]:
        """The points, their errors and what was fitted to them; titles and captions."""
        L = np.array(found.sizes, float)
        arrays: dict[str, Any] = {"column_size": L}
        attributes: dict[str, Any] = {
            "row_of": "size",
            "title_size": "L",
            "caption_running": "How the numbers came about: the exponents from all batches so far; bars: one"
            " standard error.",
        }
        for name, fit, values, errors, title, words in (
            (
                "slope", found.growth, found.slope, found.slope_error, SLOPE,
                "−∂ ln U/∂ ln K with U = ⟨m⁴⟩/⟨m²⟩²",
            ),
            ("order", found.decay, found.square, found.square_error, "⟨m²⟩", "⟨m²⟩"),
        ):  # fmt: skip
            fitted = np.exp(fit.constant) * L**fit.exponent
            if self.omega is not None:
                fitted = fitted * np.exp(fit.correction * L**-self.omega)
            arrays |= {f"column_{name}": values, f"error_{name}": errors, f"fit_{name}": fitted}
            counted = "" if self.omega is None else f" and corrections L^−{self.omega:g}"
            attributes |= {f"title_{name}": title, f"log_{name}": 2}
            attributes[f"caption_{name}"] = (
                f"{words} at K_c against L, both logarithmic; dashed: L to the power"
                f" {said(fit.exponent, fit.error)}{counted}, fitted from L = {found.sizes[fit.first]} on."
            )
        return arrays, attributes


def sizes_of(c: RenormalizeConfiguration) -> tuple[int, ...]:
    """The sides of the study."""
    if c.scaling.sizes != "auto":
        return tuple(int(size) for size in c.scaling.sizes.split("-"))
    return SIZES_3D if len(c.named.extent) == 3 else SIZES
