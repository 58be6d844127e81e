"""What a sampled flow found, as the record, arrays and words of its run folder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import once
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import Exponents, coupling_of, exact_energy, words_of
from intertwine.rg.montecarlo.observables import Measured
from intertwine.rg.montecarlo.renormalization import CouplingFlow


def flow_outcome(
    c: RenormalizeConfiguration, found: CouplingFlow, exact: Exponents | None, warnings: list[str]
) -> Outcome:
    """exact: the exponents of the class, where they may be expected. warnings: beside those of what was
    found."""
    result, observables = found.mcrg, found.observables
    energy = observables["energy"] | {"exact": exact_energy(c)}
    observables = observables | {"energy": energy}
    sizes = [lattice.name.partition(":")[2] for lattice in found.lattices]
    couplings = None if found.couplings is None else (found.couplings[-1], found.errors[-1])  # type: ignore[index]
    matched_to = share_of(len(found.kept), found.samples)
    measured = exponents_record(result, exact)
    exponents = measured if result.fixed_point else {}
    record = {
        "levels": c.levels,
        "samples": found.samples,
        "samples_of_couplings": len(found.kept) if couplings else None,
        "observables": observables,
        "exponents": exponents,
        "last_step": {name: measured[name] for name in ("y_T", "y_H")},
        "fixed_point": result.fixed_point,
        "reason": str(result.reason),
        "headline": _headline(c, result, exponents),
        "facts": _facts(c, result, observables, couplings, sizes, matched_to),
    }
    return Outcome(
        record,
        _arrays(found),
        words=[*result.table(), *_flow_lines(couplings, found.families, matched_to), record["headline"]],
        warnings=once([*result.notes, *found.notes, *warnings]),
        attributes={
            "families": ",".join(found.families),
            "main_start": len(found.K) - 1,
            "sizes": ",".join(sizes),
            "states": c.named.states,
            "sheared": int(c.named.lattice == "triangular"),
        },
    )


def exponents_record(result: PyTree, exact: Exponents | None) -> Measured:
    """y_T and y_H of the last step with the most couplings, ν, η, β, each with its error and exact value."""
    found: Measured = {}
    for name in ("y_T", "y_H"):
        found[name] = {
            "mean": float(getattr(result, name)[-1, -1]),
            "error": float(getattr(result, f"{name}_error")[-1, -1]),
        }
    for name in ("nu", "eta", "beta"):
        found[name] = {"mean": float(getattr(result, name)), "error": float(getattr(result, f"{name}_error"))}
    for name, values in found.items():
        values["exact"] = None if exact is None else float(getattr(exact, name))
    return found


def _headline(c: RenormalizeConfiguration, result: PyTree, exponents: Measured) -> str:
    rule, where = c.rule.short, words_of(c)
    if result.fixed_point is None:
        return f"Whether {where} flows to a fixed point of {rule} cannot be told, so no exponents are."
    if not result.fixed_point:
        return f"{where} does not flow to a fixed point of {rule}: there are no exponents."
    parts = []
    for name, label in (("y_T", "y_T"), ("y_H", "y_H")):
        values = exponents[name]
        words = f"{label} = {said(values['mean'], values['error'])}"
        if values["exact"] is not None:
            words += f" (exact {values['exact']:g})"
        parts.append(words)
    step = f"after {c.levels} step{'s' * (c.levels > 1)} of {rule}"
    return f"{' and '.join(parts)} {step}, with {len(result.even)} even couplings."


def share_of(some: int, every: int) -> str:
    """How many configurations, in words.

    >>> share_of(1000, 20_000), share_of(400, 400)
    ('from 1,000 of the 20,000 configurations', 'from all 400 configurations')
    """
    share = f"all {every:,}" if some == every else f"{some:,} of the {every:,}"
    return f"from {share} configurations"


def _flow_lines(
    couplings: tuple[np.ndarray, np.ndarray] | None, families: tuple[str, ...], matched_to: str
) -> list[str]:
    """The coupling of the first family by level."""
    if couplings is None:
        return []
    rows = [(K[0], e[0]) for K, e in zip(*couplings, strict=True) if math.isfinite(K[0])]
    shown = " → ".join(said(K, e) for K, e in rows)
    return [f"K of {families[0]} by level, {matched_to}: {shown}"] if rows else []


def _facts(
    c: RenormalizeConfiguration,
    result: PyTree,
    observables: Measured,
    couplings: tuple[np.ndarray, np.ndarray] | None,
    sizes: list[str],
    matched_to: str,
) -> dict[str, str]:
    found = {"couplings kept": ", ".join(result.even), "sizes": ", ".join(sizes)}
    if not result.fixed_point:
        for name in ("y_T", "y_H"):
            by_step = zip(getattr(result, name)[:, -1], getattr(result, f"{name}_error")[:, -1], strict=True)
            found[f"{name} by step, no exponent"] = "; ".join(said(y, error) for y, error in by_step)
    if observables["correlation_length"].get("connected"):
        found["ξ"] = "of the connected correlations: the spins are ordered"
    if couplings is not None:
        found[f"K by level, {matched_to}"] = " → ".join(
            said(K[0], e[0]) for K, e in zip(*couplings, strict=True) if math.isfinite(K[0])
        )
    pure = c.alike and c.system.field == 0 and c.system.next == 0 and math.isfinite(coupling_of(c))
    if pure and c.named.lattice == "chain" and c.rule.family == "decimation":
        K, b = coupling_of(c), int(c.rule.parameter)
        exact = [math.atanh(math.tanh(K) ** (b**n)) for n in range(len(sizes))]
        found["K by level, exact (tanh K' = tanh^b K)"] = " → ".join(f"{value:.4f}" for value in exact)
    return found


def said(mean: float, error: float) -> str:
    """A number with its error.

    >>> said(-0.99712, 0.0043), said(1.5, float("nan")), said(float("nan"), 0.1), said(1.5, 0.0)
    ('−0.9971 ± 0.0043', '1.5 ± ?', 'not determined', '1.5')
    """
    if math.isnan(mean):
        return "not determined"
    if not math.isfinite(error):
        return f"{mean:.4g} ± ?".replace("-", "−")
    if not (math.isfinite(mean) and error > 0):
        return f"{mean:.6g}".replace("-", "−")
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{mean:.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _arrays(found: CouplingFlow) -> dict[str, np.ndarray]:
    arrays: dict[str, Any] = {}
    for name in ("y_T", "y_T_error", "y_H", "y_H_error"):
        arrays[name] = np.asarray(getattr(found.mcrg, name))
    if found.couplings is not None and found.errors is not None:
        arrays["coupling"], arrays["coupling_error"] = found.couplings[-1], found.errors[-1]
        arrays["flow"], arrays["flow_error"] = found.couplings, found.errors
        arrays["start_coupling"] = found.K
    for level, (picture, lattice) in enumerate(zip(found.pictures, found.lattices, strict=True)):
        height = lattice.extent[0] if lattice.dimension > 1 else 1
        arrays[f"picture_{level}"] = picture.reshape(height, -1)
    return arrays
