"""What a sampled flow found, as the record, arrays and words of its run folder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intertwine._caveats import caveat, disagreement
from intertwine.experiments.renormalize_configuration import RenormalizeConfiguration
from intertwine.experiments.renormalize_results import Outcome
from intertwine.experiments.renormalize_system import Exponents

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
) -> Outcome:
    """result: an `MCRG`. couplings: of the system by level, with errors, if they were matched. paths: the K
    of every start, the system's own last, and the flows from the others (start, level, family). sizes: of
    the lattices, in words.
    """
    exponents = exponents_record(result, exact)
    record = {
        "levels": c.levels,
        "samples": c.sampler.samples,
        "observables": observables,
        "exponents": exponents,
        "fixed_point": bool(result.fixed_point),
        "reason": str(result.reason),
        "headline": _headline(c, result, exponents),
        "facts": {"couplings kept": ", ".join(result.even), "sizes": ", ".join(sizes)},
    }
    return Outcome(
        record,
        _arrays(result, couplings, paths, pictures),
        words=[*str(result).splitlines(), record["headline"]],
        warnings=_caveats(couplings, sizes, observables) + _in_field(c),
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
    parts = []
    for name, label in (("y_T", "y_T"), ("y_H", "y_H")):
        values = exponents[name]
        words = f"{label} = {said(values['mean'], values['error'])}"
        if values["exact"] is not None:
            words += f" (exact {values['exact']:g})"
        parts.append(words)
    step = f"after {c.levels} step{'s' * (c.levels > 1)} of {c.rule.name.rpartition('/')[2]}"
    tail = "" if result.fixed_point else "; the flow has no fixed point"
    return f"{' and '.join(parts)} {step}, with {len(result.even)} even couplings{tail}."


def _caveats(
    couplings: tuple[np.ndarray, np.ndarray] | None, sizes: list[str], observables: Measured
) -> list[str]:
    """What to beware of: chains that disagree, couplings that the samples do not determine."""
    worst = max(values.get("r_hat", 1.0) for values in observables.values())
    remedy = "take a longer --burn-in and --thin, or cluster samplers"
    said = list(disagreement(worst, "the energy and the magnetization", remedy))
    rows = [] if couplings is None else zip(sizes, couplings[0], strict=True)
    ended = [size for size, row in rows if not np.isfinite(row).all()]
    if ended:
        words = f"the couplings on {', '.join(ended)} could not be matched"
        reason = "the lattice is too small for the families, or its spins are ordered"
        said.append(caveat("unjudged", f"{words}: {reason}"))
    return said


def _in_field(c: RenormalizeConfiguration) -> list[str]:
    if c.system.field == 0:
        return []
    words = "in a field even and odd operators mix: y_T and y_H are not those of two separate sectors"
    return [caveat("assumption", words)]


def said(mean: float, error: float) -> str:
    """A number with its error.

    >>> said(-0.99712, 0.0043), said(1.5, float("nan")), said(float("nan"), 0.1)
    ('−0.9971 ± 0.0043', '1.5', 'not determined')
    """
    if math.isnan(mean):
        return "not determined"
    if not (math.isfinite(mean) and math.isfinite(error) and error > 0):
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
        flow = np.concatenate([paths[1], couplings[0][None]])
        arrays["coupling"] = (("scale", "family"), couplings[0], "couplings of the system by level")
        arrays["coupling_error"] = (("scale", "family"), couplings[1], "one standard deviation")
        arrays["flow"] = (("start", "scale", "family"), flow, "couplings by level from every start")
        arrays["start_coupling"] = ("start", paths[0], "K of every start")
    for level, picture in enumerate(pictures):
        of = (f"row_{level}", f"column_of_{level}")
        arrays[f"picture_{level}"] = (of, picture, f"one configuration at level {level}")
    return arrays
