"""What a renormalization run leaves: `result.json`, the numbers, and `result.nc`, the arrays (xarray).

`records.renormalize` has the agreed entries and arrays; result.nc has besides every number of metrics.jsonl:
seconds, line_y_T, line_energy … (line).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from jaxtyping import PyTree

from intertwine._version import __version__
from intertwine.experiments.renormalize.names import NETWORK
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.learning.study import Scalars, Study
from intertwine.records.caveats import of_renormalization
from intertwine.records.renormalize import array_of
from intertwine.runs.dataset import number_or_nan, versions


@dataclass(frozen=True)
class Outcome:
    """The end of a study. record: for `result.json`. arrays: the agreed ones that there are, and attributes,
    for `result.nc`. words: what is told; warnings: what to beware of, lines of `caveat`, also for
    `result.json`.
    """

    record: dict[str, Any]
    arrays: dict[str, np.ndarray]
    words: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


S = TypeVar("S", bound=Study[Any, Any])


class Subject(Protocol[S]):
    """A study made from the settings, and its words. announcement: what is told first."""

    study: S

    @property
    def announcement(self) -> str: ...

    def describe(self, record: Scalars) -> str:
        """A line of metrics in words, for the progress."""
        ...

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """What was found, from the state after the last line and all lines."""
        ...


def result_record(c: RenormalizeConfiguration, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """`result.json`."""
    system: dict[str, Any] = {}
    if c.study != "network":
        from intertwine.experiments.renormalize.system import coupling_of, critical_coupling

        named = c.named
        system = {
            "name": named.full.rpartition(":")[0] if c.study == "exponents" else named.full,
            "model": named.model,
            "states": named.states,
            "lattice": named.lattice if c.study == "exponents" else named.lattice_name,
            "coupling": coupling_of(c) if math.isfinite(coupling_of(c)) else None,
            "critical_coupling": critical_coupling(c),
            "field": c.system.field,
            "next": c.system.next,
            "anisotropy": c.system.anisotropy,
            "bonds": c.system.own_bonds or None,
            "configurations": c.system.own_configurations or None,
        }
    return {
        "kind": c.kind,
        "version": __version__,
        "study": c.study,
        "approximate": c.approximate,
        "system": system,
        "rule": None if c.study in ("exponents", "callan-symanzik", "curvature") else c.rule.name,
        "rule_family": NETWORK if c.study == "network" else c.rule.family,
        "precision": c.precision,
        "seed": c.seed,
        "callan_symanzik": None,
        **outcome.record,
        "warnings": of_renormalization(outcome.record | {"warnings": outcome.warnings}),
        "seconds": seconds,
        "versions": versions(),
    }


def dataset(c: RenormalizeConfiguration, outcome: Outcome, history: list[dict[str, Any]]) -> Any:
    """`result.nc` as an `xarray.Dataset`."""
    import xarray

    variables: dict[str, Any] = {}
    for name, values in outcome.arrays.items():
        agreed = array_of(name)
        assert agreed is not None, f"{name} is not in records.renormalize"
        words = outcome.attributes.get("title_" + name.partition("_")[2], agreed.words)
        words = words if name.startswith("column_") else agreed.words
        variables[name] = (agreed.dimensions, values, {"long_name": words, "units": "1"})
    for name in sorted({key for line in history for key in line}):
        column = np.array([number_or_nan(line.get(name)) for line in history])
        if np.isfinite(column).any():
            words = {"long_name": name.replace("_", " "), "units": "s" if name == "seconds" else "1"}
            plain = {"step": "line", "seconds": "seconds"}.get(name, f"line_{name}")
            variables[plain] = ("line", column, words)
    attributes = {
        "title": f"{c.study} of {c.rule.name if c.study == 'network' else c.named.full}",
        "convention": "p = Ψ/Z, ln Ψ = K Σ s s' + …, K = J/T; y = ln|λ|/ln b",
        "source": f"intertwine {__version__}",
        **outcome.attributes,
    }
    return xarray.Dataset(variables, attrs=attributes)
