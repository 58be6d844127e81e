"""Several ground-state runs in one folder: one for each seed, and for each sector.

--seeds 4                            seeds seed, seed + 1, …
--seeds 1,2,3
--sector "k=0,A; k=π,A"              a run for each; `each` for all sectors of the lattice
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intertwine.runs.fields import Told

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration

EACH = "each"


def sectors_of(c: GroundStateConfiguration) -> list[str]:
    """The words of the sectors that the settings name, one or several."""
    if c.model.sector.strip() != EACH:
        return [words.strip() for words in c.model.sector.split(";") if words.strip()]
    from intertwine.experiments.ground_state.operators import lattice_of
    from intertwine.models.symmetric.sectors import sectors

    found = (s.name.rpartition(" ") for s in sectors(lattice_of(c)))
    return [f"k={momentum}, {irrep}" for momentum, _, irrep in found]


def parts_of(c: GroundStateConfiguration) -> dict[str, GroundStateConfiguration]:
    """The runs that settings of several seeds or sectors stand for, by name; {} for those of one."""
    sectors = sectors_of(c)
    if c.seeds == "none" and len(sectors) == 1:
        return {}
    if isinstance(c.seeds, int):
        seeds = list(range(c.seed, c.seed + c.seeds))
    else:
        seeds = c.seeds if isinstance(c.seeds, list) else [c.seed]
    found = {}
    for number, words in enumerate(sectors, start=1):
        for seed in seeds:
            name = [f"sector-{number}"] if len(sectors) > 1 else []
            name += [f"seed-{seed}"] if c.seeds != "none" else []
            model = c.model.model_copy(update={"sector": words})
            found["-".join(name)] = c.model_copy(update={"seed": seed, "seeds": "none", "model": model})
    return found


def table_of(c: GroundStateConfiguration, records: dict[str, dict[str, Any]]) -> Told:
    """Energy, error, V-score, exact energy and seconds of each run; the lowest of each sector is marked."""
    rows = [_row(name, record) for name, record in records.items()]
    lowest: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = lowest.get(row["sector"])
        if row["energy"] is not None and (before is None or row["energy"] < before["energy"]):
            lowest[row["sector"]] = row
    for row in rows:
        row["lowest"] = any(row is other for other in lowest.values())
    if len(lowest) > 1:
        rows.sort(key=lambda row: (row["energy"] is None, row["energy"]))
    known = [row for row in rows if row["energy"] is not None]
    best = min(known, key=lambda row: row["energy"])["run"] if known else None
    warnings = [f"{line} ({name})" for name, record in records.items() for line in record["warnings"]]
    return Told(rows, best, _lines(rows, best), _few(warnings))


def _row(name: str, record: dict[str, Any]) -> dict[str, Any]:
    energy, exact = record["energy"], record.get("exact") or {}
    return {
        "run": name,
        "sector": record.get("sector"),
        "seed": record.get("seed"),
        "energy": energy["mean"],
        "error": energy["error"],
        "v_score": record["v_score"],
        "exact": exact.get("energy"),
        "relative_error": record.get("relative_error"),
        "seconds": record.get("seconds"),
    }


def _lines(rows: list[dict[str, Any]], best: str | None) -> list[str]:
    width = max([3, *(len(str(row["run"])) for row in rows)])
    several = len({row["sector"] for row in rows}) > 1
    words = max([6, *(len(str(row["sector"])) for row in rows)]) if several else 0
    head = f"{'run':{width}}  " + (f"{'sector':{words}}  " if several else "")
    lines = [head + f"{'energy':>14}  {'error':>8}  {'V-score':>8}  {'from exact':>10}  seconds"]
    for row in rows:
        line = f"{row['run']:{width}}  " + (f"{row['sector']!s:{words}}  " if several else "")
        line += f"{_shown(row['energy'], '.6f'):>14}  {_shown(row['error'], '.1e'):>8}  "
        line += f"{_shown(row['v_score'], '.1e'):>8}  {_shown(row['relative_error'], '.1e'):>10}"
        line += f"  {_shown(row['seconds'], '.0f'):>7}" + ("  lowest" if row["run"] == best else "")
        lines.append(line.replace(" -", " −"))
    return lines


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _few(lines: list[str], most: int = 12) -> list[str]:
    return (
        lines
        if len(lines) <= most
        else [*lines[:most], f"unjudged: {len(lines) - most} more lines like these"]
    )
