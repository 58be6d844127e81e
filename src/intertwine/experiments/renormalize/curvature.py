"""The study `curvature`: the scalar curvature of the couplings around the system's K, and where it peaks
(`geometry.couplings.scan`). A line of metrics is a coupling; small systems have exact values beside.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    build_model,
    build_sampler,
    coupling_of,
    critical_coupling,
)
from intertwine.geometry.couplings.scan import CurvatureStudy
from intertwine.learning.study import Scalars


def build(c: RenormalizeConfiguration) -> CurvatureOfCouplings:
    """The study of the configuration."""
    return CurvatureOfCouplings(c)


class CurvatureOfCouplings(Subject[CurvatureStudy]):
    """Couplings from (1 − span) K to (1 + span) K."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c, s = c, c.curvature
        K = coupling_of(c)
        values = np.sort(K * np.linspace(1 - s.span, 1 + s.span, s.points))
        couplings = ("nearest", "field") if s.second == "field" else ("nearest:0", "nearest:1")
        self.study = CurvatureStudy(
            values,
            lambda K: build_model(c, coupling=K),
            couplings,
            samples=s.samples or None,
            sampler=build_sampler(c),
            key=jax.random.key(c.seed),
        )

    @property
    def announcement(self) -> str:
        c, values = self.c, self.study.K
        how = f"{c.curvature.samples} samples of each" if c.curvature.samples else "exactly"
        second = "the field" if c.curvature.second == "field" else "bonds of both directions"
        where = f"from K = {values[0]:.5g} to {values[-1]:.5g}"
        return f"curvature of {c.named.full} at {len(values)} couplings {where}, with {second}; {how}"

    def describe(self, record: dict[str, Any]) -> str:
        """A coupling in words."""
        error = record["curvature_error"]
        value = said(record["curvature"], error)
        exact = "" if record.get("exact") is None else f" (exact {record['exact']:.5g})"
        return f"K = {record['start']:.5f}  R {value}{exact}".replace("-", "−")

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """|R| against K, and its peak beside K_c."""
        c = self.c
        found = self.study.finish(state, history)
        peak, critical = found.peak, critical_coupling(c)
        there = not math.isnan(peak.coupling)
        at = said(peak.coupling, peak.coupling_error)
        height = said(peak.height, peak.height_error)
        headline = f"|R| of a site peaks at K = {at} with {height}"
        if not there:
            headline = "|R| of a site has no peak between these couplings"
        if there and critical is not None:
            headline += f" (infinite lattice: K_c = {critical:.6g})"
        record = {
            "samples": c.curvature.samples * len(found.K),
            "exponents": {},
            "headline": f"{headline}, {c.named.full}.",
            "peak": {
                "coupling": _number(peak.coupling), "coupling_error": _number(peak.coupling_error),
                "height": _number(peak.height), "height_error": _number(peak.height_error),
            },
            "cards": [["Peak at K", at, "" if critical is None else f"K_c {critical:.7g} at L = ∞"],
                      ["|R| there", height, "of a site"]],
            "facts": {
                "sign": "spheres positive; Ruppeiner's papers write −R",
                "sign of R": "positive" if np.nanmean(np.sign(found.value)) > 0 else "negative for most K",
            },
        }  # fmt: skip
        arrays: dict[str, Any] = {"column_coupling": found.K, "column_curvature": np.abs(found.value)}
        if c.curvature.samples:
            arrays["error_curvature"] = found.error
            if np.isfinite(found.exact).all():
                arrays["fit_curvature"] = np.abs(found.exact)
        marked = {} if critical is None else {"mark_curvature": critical}
        names = "K and h" if c.curvature.second == "field" else "K of either direction"
        attributes = {
            "row_of": "coupling",
            "title_coupling": "K = J/T",
            "title_curvature": "|R| of a site",
            "fitted_curvature": "exact",
            **marked,
            "caption_curvature": f"The scalar curvature of the manifold of couplings ({names}), from third"
            " cumulants; bars: one standard error, by the jackknife. Independent spins are flat,"
            " and the peak finds the transition without an order parameter (Ruppeiner 1995)."
            + (" Dotted: K_c of the infinite lattice." if marked else ""),
        }
        return Outcome(record, arrays, [record["headline"]], list(found.warnings), attributes)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
