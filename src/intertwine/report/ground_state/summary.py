"""The words of the page: title, one sentence, what to beware of, headline numbers, tables, commands."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import sentence_of
from intertwine.records.caveats import of_ground_state
from intertwine.report.ground_state.read import Run
from intertwine.report.numbers import ABSENT, duration, plain, with_error

OBSERVABLES = {
    "zz_neighbours": "⟨Z Z⟩ of neighbours",
    "total_z": "⟨Σ Z⟩",
    "total_z_squared": "⟨(Σ Z)²⟩",
    "particles": "particles",
    "total_spin_z": "⟨Σ S^z⟩",
    "spin_z_neighbours": "⟨S^z S^z⟩ of neighbours",
    "density_neighbours": "⟨n n⟩ of neighbours",
    "double_occupancy": "double occupancy of a site",
}
"""The observables of result.json in words."""


def _word(run: Run, name: str) -> str:
    value = run.result.get(name)
    return "" if value is None else str(value)


def title(run: Run) -> str:
    """What was computed, for a heading."""
    kind = run.result.get("kind", "ground-state")
    what = "Ground state" if kind == "ground-state" else str(kind)
    hamiltonian = run.config.get("hamiltonian")
    configured = hamiltonian.get("name") if isinstance(hamiltonian, dict) else hamiltonian
    subject = _word(run, "hamiltonian") or str(configured or run.name)
    lattice = _word(run, "lattice") or str(run.config.get("lattice") or "")
    return f"{what}: {subject}" + (f" on {lattice}" if lattice and lattice not in subject else "")


def lead(run: Run) -> str:
    """The run in one sentence."""
    if not run.finished:
        plural = "" if run.steps == 1 else "s"
        return f"This run has not finished: {run.steps} step{plural} so far, and no final estimate yet."
    energy = run.result["energy"]
    sentence = f"Energy {with_error(energy['mean'], energy['error'])}"
    exact = run.exact
    if exact is None or energy["mean"] is None:
        return (
            f"{sentence}. No exact energy is known for this system: the V-score stands in for the distance."
        )
    above = energy["mean"] - exact
    side = "above" if above >= 0 else "below"
    sentence += f", {plain(abs(above), 2)} {side} the exact {plain(exact, 10)}"
    if energy["error"]:
        sentence += f" ({abs(above) / energy['error']:.1f} standard errors)"
    return sentence + "."


def notices(run: Run) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    if not run.finished:
        return said
    return said + [sentence_of(line) for line in of_ground_state(run.result)]


def cards(run: Run) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        step = run.last("step")
        at = "no step yet" if step is None else f"at step {int(step)}"
        return [
            ("Energy", with_error(run.last("energy"), run.last("error")), at),
            ("V-score", plain(run.last("v_score"), 3), at),
            ("Acceptance", plain(run.last("acceptance"), 3), at),
        ]
    result, energy, exact = run.result, run.result["energy"], run.exact
    mean, size, relative = energy["mean"], result["size"], result["relative_error"]
    source = str((result.get("exact") or {}).get("source") or "")
    if relative is None and exact and mean is not None:
        relative = abs((mean - exact) / exact)
    unknown, remark = "not known", "|E − E₀| / |E₀|"
    if exact and energy["error"]:
        remark += f", known to ± {plain(energy['error'] / abs(exact), 2)}"
    return [
        (
            "Energy",
            with_error(mean, energy["error"]),
            f"{plain(mean / size, 8)} per site" if size and mean is not None else "",
        ),
        ("Exact energy", unknown if exact is None else plain(exact, 10), source),
        ("Relative error", unknown if relative is None else plain(relative, 2), remark),
        ("V-score", plain(result["v_score"], 2), "N Var(H) / (E − E_∞)², 0 for an eigenstate"),
    ]


def table(run: Run) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, energy = run.result, run.result["energy"]
    return [
        ("hamiltonian", _word(run, "hamiltonian") or ABSENT),
        ("lattice", _word(run, "lattice") or ABSENT),
        ("sites", plain(result["size"])),
        ("model", _word(run, "model") or ABSENT),
        ("parameters", plain(result["parameters"])),
        ("steps", plain(result["steps"])),
        ("configurations", _space(result)),
        *([("couplings", str(result["weights"]))] if result.get("weights") else []),
        *([("signs", str(result["signs"]))] if result.get("signs") else []),
        *_observables(run),
        ("energy variance", plain(energy["variance"], 4)),
        ("samples of the estimate", plain(energy["samples"])),
        ("effective sample size", plain(energy["ess"], 5)),
        ("autocorrelation time τ", plain(energy["tau"], 3)),
        ("R-hat", plain(energy["r_hat"], 5)),
        ("wall time", duration(result["seconds"])),
    ]


def _space(result: dict[str, Any]) -> str:
    """The configurations on which the state is defined."""
    if isinstance(result.get("space"), str):
        return f"{result['space']}; dimension {plain(optional_number(result.get('dimension')), 6)}"
    kept = result.get("magnetization")
    if not isinstance(kept, list) or not all(isinstance(m, int) for m in kept):
        return ABSENT if "magnetization" not in result else "all"
    return "Σ s = " + " or ".join(plain(m) for m in kept)


def optional_number(value: object) -> float | None:
    """`value` where it is a number, else None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _observables(run: Run) -> list[tuple[str, str]]:
    """Magnetization and nearest-neighbour correlations, with their errors, where the run has them."""
    rows = run.result.get("observables") or {}
    return [
        (words, with_error(rows[name]["mean"], rows[name]["error"]))
        for name, words in OBSERVABLES.items()
        if name in rows
    ]
