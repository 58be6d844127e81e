"""What a sampled flow found, as the record, arrays and words of its run folder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intertwine._caveats import R_HAT_LIMIT, caveat, disagreement
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import Exponents, coupling_of, words_of

Measured = dict[str, dict[str, Any]]


def flow_outcome(
    c: RenormalizeConfiguration,
    result: Any,
    exact: Exponents | None,
    observables: Measured,
    families: tuple[str, ...],
    couplings: tuple[np.ndarray, np.ndarray] | None,
    paths: tuple[np.ndarray, np.ndarray],
    pictures: list[np.ndarray],
    sizes: list[str],
    matched_to: str,
) -> Outcome:
    """result: an `MCRG`. couplings: of the system by level, with errors, if they were matched. paths: the K
    of every start, the system's own last, and the flows from the others with their errors (2, start, level,
    family). sizes: of the lattices, in words. matched_to: to which configurations the couplings are.
    """
    measured = exponents_record(result, exact)
    exponents = measured if result.fixed_point else {}
    record = {
        "levels": c.levels,
        "samples": c.sampler.samples,
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
        _arrays(result, couplings, paths, pictures),
        words=[*result.table(), *_flow_lines(couplings, families, matched_to), record["headline"]],
        warnings=[*_caveats(couplings, sizes, observables), *result.notes],
        attributes={
            "families": ",".join(families),
            "main_start": len(paths[0]) - 1,
            "sizes": ",".join(sizes),
            "states": c.named.states,
            "sheared": int(c.named.lattice == "triangular"),
        },
    )


def exponents_record(result: Any, exact: Exponents | None) -> Measured:
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


def _headline(c: RenormalizeConfiguration, result: Any, exponents: Measured) -> str:
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
    result: Any,
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


def _caveats(
    couplings: tuple[np.ndarray, np.ndarray] | None, sizes: list[str], observables: Measured
) -> list[str]:
    """What to beware of: chains that disagree, couplings that the samples do not determine."""
    remedy = "take a longer --burn-in and --thin, or cluster samplers"
    worst = worst_r_hat(observables) if disagree(observables) else None
    said = list(disagreement(worst, "the energy and the magnetization", remedy))
    rows = [] if couplings is None else zip(sizes, couplings[0], strict=True)
    ended = [size for size, row in rows if not np.isfinite(row).all()]
    if ended:
        words = f"the couplings on {', '.join(ended)} could not be matched"
        reason = "the lattice is too small for the families, or its spins are ordered"
        said.append(caveat("unjudged", f"{words}: {reason}"))
    return said


def worst_r_hat(observables: Measured) -> float:
    """The largest R-hat of the observables; NaN where there is none (one chain)."""
    known = (values.get("r_hat", math.nan) for values in observables.values())
    return max((value for value in known if not math.isnan(value)), default=math.nan)


def unfit(observables: Measured) -> str:
    """Why chains are not to be judged by, or ""."""
    worst = worst_r_hat(observables)
    if math.isnan(worst):
        return "one chain, or few batches, cannot show that chains have mixed"
    return f"the chains have not mixed (R-hat {worst:.3g})" if disagree(observables) else ""


def disagree(observables: Measured) -> bool:
    """Whether R-hat of any is larger than its bins may have."""
    return any(
        values.get("r_hat", math.nan) > values.get("r_hat_limit", R_HAT_LIMIT)
        for values in observables.values()
    )


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


def _arrays(
    result: Any,
    couplings: tuple[np.ndarray, np.ndarray] | None,
    paths: tuple[np.ndarray, np.ndarray],
    pictures: list[np.ndarray],
) -> dict[str, Any]:
    of = ("level", "number")
    arrays: dict[str, Any] = {}
    for name, words in (("y_T", "thermal exponent"), ("y_H", "magnetic exponent")):
        arrays[name] = (of, np.asarray(getattr(result, name)), f"{words} by step and number of couplings")
        arrays[f"{name}_error"] = (of, np.asarray(getattr(result, f"{name}_error")), "one standard deviation")
    if couplings is not None:
        flow, spread = (np.concatenate([paths[1][k], couplings[k][None]]) for k in range(2))
        arrays["coupling"] = (("scale", "family"), couplings[0], "couplings of the system by level")
        arrays["coupling_error"] = (("scale", "family"), couplings[1], "one standard deviation")
        arrays["flow"] = (("start", "scale", "family"), flow, "couplings by level from every start")
        arrays["flow_error"] = (("start", "scale", "family"), spread, "one standard deviation")
        arrays["start_coupling"] = ("start", paths[0], "K of every start")
    for level, picture in enumerate(pictures):
        of = (f"row_{level}", f"column_of_{level}")
        arrays[f"picture_{level}"] = (of, picture, f"one configuration at level {level}")
    return arrays
