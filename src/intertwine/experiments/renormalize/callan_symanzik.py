"""The study `callan-symanzik`: β(K) and γ(K) from correlations at several couplings (`rg.correlators.scan`).

A line of metrics is a batch at every coupling, a bin of the jackknife.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.sampled_results import said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    build_lattice,
    build_model,
    build_sampler,
    coupling_of,
    critical_coupling,
    exact_exponents,
)
from intertwine.learning.study import Scalars
from intertwine.models.spins.ising import Ising
from intertwine.rg.correlators.result import CallanSymanzik
from intertwine.rg.correlators.scan import CallanSymanzikScan, Scanned, around, bond_weights


def build(c: RenormalizeConfiguration) -> Equation:
    """The study of the configuration."""
    return Equation(c)


class Equation(Subject[CallanSymanzikScan]):
    """Batches at every coupling."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        self.couplings = couplings_of(c)
        models = [_at(c, K) for K in self.couplings]
        weights = bond_weights(lambda K: _at(c, K), models[0]) if isinstance(models[0], Ising) else 1.0
        self.study = CallanSymanzikScan(
            self.couplings,
            models,
            build_sampler(c.model_copy(update={"system": _system_at(c, self.couplings[0])})),
            weights=weights,
            samples=c.equation.samples,
            bins=c.sampler.bins,
            window=c.equation.ends,
            key=jax.random.key(c.seed),
        )

    @property
    def announcement(self) -> str:
        shown = ", ".join(f"{K:.5g}" for K in self.couplings)
        return f"{self.c.named.full} at K = {shown}; {self.c.equation.samples} samples at each"

    def describe(self, record: dict[str, Any]) -> str:
        """The slope of β and γ at its zero so far, in words."""
        if record.get("y_T") is None:
            return "first batches"
        gamma = said(record["gamma"], record["gamma_error"])
        return f"y_T {said(record['y_T'], record['y_T_error'])}  γ {gamma}"

    def outcome(self, state: Scanned, history: list[Scalars]) -> Outcome:
        """β, γ and what is left, beside what is known exactly."""
        found = self.study.finish(state, history)
        exact = exact_exponents(self.c.named) if self.c.system.next == 0 else None
        dimension = len(self.c.named.extent)
        known = critical_coupling(self.c)
        zero, slope = found.critical(), found.y_T()
        exponents: dict[str, dict[str, float | None]] = {}
        if zero is not None and slope is not None:
            gamma = found.gamma_at()
            eta = 2 * gamma[0] + 2 - dimension, 2 * gamma[1]
            exponents = {
                name: {
                    "mean": pair[0],
                    "error": pair[1],
                    "exact": None if exact is None else getattr(exact, name),
                }
                for name, pair in (("y_T", slope), ("eta", eta))
            }
            headline = f"β = 0 at K = {said(*zero)}"
            headline += "" if known is None else f" (K_c {known:.6g})"
            headline += f", with the slope y_T = {said(*slope)} and γ = {said(*gamma)}"
            headline += (
                "" if exact is None else f" (exact {exact.y_T:.6g} and {(exact.eta + dimension - 2) / 2:.6g})"
            )
        else:
            shown = ", ".join(said(*pair) for pair in zip(found.beta, found.beta_error, strict=True))
            headline = f"β does not change its sign between K = {self.couplings[0]:.5g} and"
            headline += f" {self.couplings[-1]:.5g}: {shown}"
        worst = int(np.argmax(found.residual))
        left = f"{found.residual[worst]:.2g} of the change of ln G at most"
        left += f" ({found.residual_error[worst]:.1g} by chance)"
        record = {
            "samples": self.c.equation.samples * len(self.couplings),
            "exponents": exponents,
            "headline": f"{headline}. The equation leaves {left}.",
            "callan_symanzik": _entry(found),
            "facts": {
                "β = 0 at K": "nowhere" if zero is None else said(*zero),
                "windows": ", ".join(f"{low:.3g} to {high:.3g}" for low, high in found.window),
                "residual": left,
            },
        }
        arrays = _arrays(found, self._curve(found))
        return Outcome(
            record, arrays, str(found).split("\nwarning: ")[0].splitlines(), list(found.warnings), {}
        )

    def _curve(self, found: CallanSymanzik) -> tuple[np.ndarray, np.ndarray] | None:
        """The exact β of the infinite lattice, where it is known: the square one, and the chain."""
        named, s = self.c.named, self.c.system
        if named.model != "ising" or named.lattice not in ("square", "chain") or s.next or s.anisotropy != 1:
            return None
        K = np.linspace(found.couplings[0], found.couplings[-1], 101)
        size = np.maximum(np.abs(K), 1e-12)
        if named.lattice == "chain":
            return K, np.copysign(np.sinh(2 * size) / 2 * np.log(np.tanh(size)), K)
        return K, np.copysign(np.tanh(2 * size) / 2, K) * np.log(np.sinh(2 * size))


def couplings_of(c: RenormalizeConfiguration) -> tuple[float, ...]:
    """The couplings of the study, increasing."""
    if c.equation.couplings != "auto":
        return tuple(sorted(float(K) for K in c.equation.couplings.split(",")))
    lattice = build_lattice(c.named)
    return tuple(sorted(around(coupling_of(c), min(c.named.extent), lattice.dimension)))


def _system_at(c: RenormalizeConfiguration, K: float) -> Any:
    return c.system.model_copy(update={"coupling": K})


def _at(c: RenormalizeConfiguration, K: float) -> Any:
    return build_model(c.model_copy(update={"system": _system_at(c, K)}))


def _entry(found: CallanSymanzik) -> dict[str, Any]:
    """The numbers of result.json, a list over the couplings each; None where there is none."""
    columns = (
        "beta",
        "beta_error",
        "gamma",
        "gamma_error",
        "residual",
        "residual_error",
        "chi_squared",
        "p_value",
    )
    entry: dict[str, Any] = {"coupling": found.couplings.tolist()}
    entry |= {
        name: [x if math.isfinite(x) else None for x in getattr(found, name).tolist()] for name in columns
    }
    entry |= {"window": found.window.tolist(), "holds": list(found.holds), "long": found.clear.tolist()}
    pairs = (("zero", found.critical()), ("slope", found.y_T()))
    entry |= {name: None if pair is None else {"mean": pair[0], "error": pair[1]} for name, pair in pairs}
    gamma = None if entry["zero"] is None else found.gamma_at()
    return entry | {"gamma_at_zero": None if gamma is None else {"mean": gamma[0], "error": gamma[1]}}


def _arrays(found: CallanSymanzik, curve: tuple[np.ndarray, np.ndarray] | None) -> dict[str, np.ndarray]:
    arrays = {
        "equation_coupling": found.couplings,
        "equation_beta": found.beta,
        "equation_beta_error": found.beta_error,
        "equation_gamma": found.gamma,
        "equation_gamma_error": found.gamma_error,
        "equation_distance": found.distances,
        "equation_residual": found.residuals,
    }
    return arrays if curve is None else arrays | {"curve_coupling": curve[0], "curve_beta": curve[1]}
