"""A complete run on structures as an object to go on with, and what it says of another file.

network.bin    the network; result.json has its elements, reference energies, scales and units
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import once
from intertwine.data.structures.elements import SYMBOLS
from intertwine.data.structures.loading import load_structures
from intertwine.data.structures.structures import Structures
from intertwine.experiments.classify.measures import accuracy_record
from intertwine.experiments.structures import measures
from intertwine.layers.networks.saved_network import load_network
from intertwine.learning.structures.inputs import Input
from intertwine.learning.structures.structure_model import Standard, StructureModel
from intertwine.learning.structures.targets import Target
from intertwine.records import caveats
from intertwine.records.folder import NETWORK
from intertwine.records.structures import below_baselines, beyond_sizes
from intertwine.runs.complete import complete
from intertwine.runs.settings import read_toml


@dataclass(frozen=True, eq=False, repr=False)
class TrainedStructures:
    """What a run on structures found. model: the `StructureModel`, with `predict`, `energy`, `forces`.
    settings: of the run. metrics: name → float64, an entry an epoch. result: result.json."""

    model: StructureModel
    settings: Any
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the run's numbers."""
        return tuple(self.result["warnings"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, of a classifying run."""
        return tuple(self.result.get("classes", ()))

    def predict(self, structures: Structures | str | Path) -> Structures:
        """`StructureModel.predict`."""
        return self.model.predict(structures)

    def __repr__(self) -> str:
        return f"TrainedStructures({self.model!r}, {headline(self.result)})"


def headline(result: PyTree) -> str:
    """The errors of a record in words, or its accuracy."""
    parts = []
    for name, found in result.get("errors", {}).items():
        unit = f" {found['unit']}" if found["unit"] not in ("", "1") else ""
        each = "a point" if found.get("per_point") else "a structure"
        each = "a component" if found["kind"] in ("forces", "vector", "stress") else each
        words = f"{name}: mean absolute error {found['mae']:.4g}{unit}, rms {found['rmse']:.4g}{unit} ({each}"
        if found.get("mae_per_point") is not None:
            words += f"; per point {found['mae_per_point']:.3g}{unit}"
        parts.append(f"{words}; rms of the values {found['rms']:.4g}{unit})")
    if test := result.get("test"):
        share, error = 100 * test["accuracy"], 100 * test["error"]
        of = f"{test['count']} {result.get('of', 'points')}"
        parts.append(f"accuracy {share:.2f} ± {error:.2f} % of {of}")
    return ", ".join(parts)


def load_structures_run(folder: str | Path) -> TrainedStructures:
    """The complete run in `folder`; `InputError` where there is none, of another kind, or of a precision that
    JAX is not set to."""
    kind = str(read_toml(Path(folder) / "config.toml").get("kind"))
    entries = ("errors",) if kind == "fields" else ("test", "classes")
    run = complete(folder, kind, (*entries, "model", "warnings"), (NETWORK,))
    network = load_network(run.path / NETWORK)
    return TrainedStructures(model_of(run.result["model"], network), run.settings, run.metrics, run.result)


def model_record(model: StructureModel) -> dict[str, Any]:
    """What result.json says of a model besides its network."""
    names = model.species_names
    return {
        "inputs": [one._asdict() for one in model.inputs],
        "targets": [target._asdict() for target in model.targets],
        "elements": list(model.elements),
        "symbols": [str(SYMBOLS[n]) if names is None else names[n] for n in model.elements],
        "references": model.references.tolist(),
        "scale": model.scale,
        "standards": {name: standard._asdict() for name, standard in model.standards.items()},
        "sizes": list(model.sizes),
        "species_names": None if names is None else list(names),
    }


def model_of(record: PyTree, network: PyTree) -> StructureModel:
    """The model of a record and its network."""
    names = record["species_names"]
    return StructureModel(
        network,
        tuple(Input(**_tuples(one)) for one in record["inputs"]),
        tuple(Target(**_tuples(one)) for one in record["targets"]),
        tuple(int(n) for n in record["elements"]),
        np.array(record["references"], float),
        float(record["scale"]),
        {name: Standard(**_tuples(one)) for name, one in record["standards"].items()},
        (int(record["sizes"][0]), int(record["sizes"][1])),
        None if names is None else tuple(names),
    )


def _tuples(table: Mapping[str, object]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def predictions(
    trained: TrainedStructures, name: str | Path, *, labels: str | None = None
) -> tuple[Structures, list[str]]:
    """(the structures of a file with what the run says of them, what is to be said of that): the errors,
    where the file has the targets. `InputError` for elements that were not learned."""
    points = trained.settings.points
    more: dict[str, Any] = {"units": points.units_by_name, "labels": labels}
    more["points"] = None if points.points == "auto" else points.points
    structures = load_structures(name, **{key: value for key, value in more.items() if value is not None})
    model = trained.model
    said = model.predict(structures, "data")
    targets = ", ".join(target.name for target in model.targets)
    words = [f"{len(structures)} structures: {targets}"]
    there = [t for t in model.targets if t.name in structures.values and _same_unit(t, structures)]
    found: dict[str, Any] = {}
    for target in there:
        if target.kind == "classes":
            truth = measures.labels_of(target, structures)
            log_p = measures.log_probabilities(target, said)
            known = truth >= 0
            if known.any():
                found["test"] = accuracy_record(log_p[known], truth[known])
                found["of"] = "points" if target.per_point else "structures"
    numbers = [t for t in there if t.kind != "classes"]
    if numbers:
        table = (
            measures.errors(model, structures, said, structures) if len(numbers) == len(model.targets) else {}
        )
        found |= {"errors": table} if table else {}
    if found:
        words.insert(0, headline(found))
        words += [f"warning: {line}" for line in caveats.of_applied(trained.result, structures.checksum)]
    lines = below_baselines(found.get("errors", {}))
    notes = [
        *lines,
        *structures.warnings,
        *beyond_sizes(_range(structures), list(model.sizes)),
        *trained.warnings,
    ]
    return said, words + [f"warning: {line}" for line in once(notes)]


def _same_unit(target: Target, structures: Structures) -> bool:
    return target.kind == "classes" or str(structures.units.get(target.name, "")) == target.unit


def _range(structures: Structures) -> list[int]:
    return [int(structures.sizes.min()), int(structures.sizes.max())]


def counted(said: Structures, target: Target) -> str:
    """How many of each class, the commonest first."""
    counts = np.bincount(np.asarray(said.values[target.name]), minlength=len(target.classes))
    order = np.argsort(-counts, kind="stable")[:10]
    return ", ".join(f"{counts[k]} {target.classes[k]}" for k in order if counts[k])
