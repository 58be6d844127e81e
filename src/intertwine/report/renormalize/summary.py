"""The words of a renormalization run's page: title, one sentence, what to beware of, numbers, result."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import sentence_of
from intertwine.records.caveats import of_renormalization
from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.renormalize.read import RenormalizeRun

_EXPONENTS = {"y_T": "y_T", "y_H": "y_H", "nu": "ν", "eta": "η", "beta": "β"}
_OBSERVABLES = {
    "energy": "energy per site", "abs_magnetization": "|magnetization|", "correlation_length": "ξ",
}  # fmt: skip
_STUDIES = {
    "flow": "Renormalization", "exponents": "Critical exponents", "network": "A network as a step",
    "callan-symanzik": "The Callan-Symanzik equation", "curvature": "Curvature of couplings",
}  # fmt: skip
_WITHOUT_RULE = ("exponents", "callan-symanzik", "curvature")


def title(run: RenormalizeRun) -> str:
    """What was computed, for a heading."""
    system = run.result.get("system", {}).get("name") or _configured(run, "system") or ""
    given = run.result.get("rule") if run.finished else _configured(run, "rule")
    rule = "" if run.study in _WITHOUT_RULE else str(given or "").rpartition("/")[2]
    words = [str(part) for part in (system if run.study != "network" else "", rule) if part]
    return f"{_STUDIES.get(run.study, 'Renormalization')}: " + (" by ".join(words) or run.name)


def lead(run: RenormalizeRun) -> str:
    """The run in one sentence."""
    if not run.finished:
        plural = "" if run.steps == 1 else "s"
        return f"This run has not finished: {run.steps} line{plural} so far, and no final estimate yet."
    return str(run.result.get("headline") or "This run has finished.")


def notices(run: RenormalizeRun) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    if not run.finished:
        return said
    return said + [sentence_of(line) for line in of_renormalization(run.result)]


def cards(run: RenormalizeRun) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        at = "no line yet" if not run.steps else f"after line {run.steps}"
        second = "gamma" if run.study == "callan-symanzik" else "y_H"
        shown = [
            (label, run.last(name), run.last(f"{name}_error"))
            for label, name in (("y_T", "y_T"), ("γ" if second == "gamma" else second, second))
        ]
        return [(name, with_error(mean, error), at) for name, mean, error in shown]
    found = []
    for table, names in (("exponents", _EXPONENTS), ("observables", _OBSERVABLES)):
        for name, label in names.items():
            values = run.value(table, name)
            if values["mean"] is None:
                continue
            exact = values["exact"]
            found.append(
                (label, _short(values["mean"], values["error"]),
                 "" if exact is None else f"exact {plain(exact, 7)}")
            )  # fmt: skip
    headline = run.result.get("cards")
    if isinstance(headline, list):
        own = [card for card in headline if _is_card(card)]
        found = [(str(name), str(value), str(remark)) for name, value, remark in own] + found
    return found[:5] or [("Lines", plain(float(run.steps)), "of metrics")]


def table(run: RenormalizeRun) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, system = run.result, run.result["system"]
    found: list[tuple[str, str]] = []
    if system.get("name"):
        found.append(("system", str(system["name"])))
        if system["coupling"] is not None:
            found.append(("K = J/T", plain(system["coupling"], 10)))
        known = "to 5e-9" if str(system.get("lattice")).startswith("cubic") else "exact"
        if system["critical_coupling"] is not None:
            found.append((f"K_c, {known}", plain(system["critical_coupling"], 10)))
        found += [(label, plain(system[name], 8)) for name, label in (("field", "h"), ("next", "K of next"))
                  if system[name]]  # fmt: skip
        if system.get("anisotropy") not in (None, 1, 1.0):
            found.append(("K along the last direction over K", _word(system["anisotropy"])))
        files = (("bonds", "couplings of"), ("configurations", "configurations of"))
        found += [(label, str(system[name])) for name, label in files if system.get(name)]
    if result.get("rule"):
        found.append(("rule", str(result["rule"])))
    if result["samples"] is not None:
        found.append(("samples", plain(result["samples"])))
    for tables, names in (("exponents", _EXPONENTS), ("observables", _OBSERVABLES)):
        for name, label in names.items():
            values = run.value(tables, name)
            if values["mean"] is not None:
                exact = "" if values["exact"] is None else f"; exact {plain(values['exact'], 8)}"
                found.append((label, with_error(values["mean"], values["error"]) + exact))
    if isinstance(result.get("fixed_point"), bool) or result.get("reason"):
        reason = f" ({result['reason']})" if result.get("reason") else ""
        verdict = {"True": "reached", "False": "none"}.get(str(result.get("fixed_point")), "not judged")
        found.append(("fixed point", verdict + reason))
    found += [(str(name), _word(value)) for name, value in result["facts"].items()]
    return [*found, ("wall time", duration(result["seconds"]))]


def _configured(run: RenormalizeRun, section: str) -> Any:
    value = run.config.get(section)
    return value.get("name") if isinstance(value, dict) else value


def _word(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain(float(value), 8)
    return str(value)


def _short(mean: float, error: float | None) -> str:
    return plain(mean, 6) if error is None else with_error(mean, error)


def _is_card(card: object) -> bool:
    return isinstance(card, list) and len(card) == 3
