"""A complete run of fields as an object to go on with, and what it says of another file.

network.bin    the network          mesh.obj    the mesh, where the space is one
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.data.field_files import write_fields
from intertwine.data.fields import Fields, Healpix
from intertwine.experiments.fields import measures
from intertwine.experiments.fields.settings import FieldsConfiguration
from intertwine.layers.networks.saved_network import load_network
from intertwine.learning.fields.field_model import FieldModel, Scale, Variable
from intertwine.records import caveats
from intertwine.records.folder import MESH, NETWORK
from intertwine.runs.complete import complete
from intertwine.spaces.names import space_from_name


@dataclass(frozen=True, eq=False, repr=False)
class TrainedFields:
    """What a run of fields found. model: the `FieldModel`, with `predict`. settings: of the run. metrics:
    name → float64, an entry an epoch. result: result.json."""

    model: FieldModel
    settings: FieldsConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the run's numbers."""
        return tuple(self.result["warnings"])

    def predict(self, fields: Fields | str | Path) -> Fields:
        """`FieldModel.predict`."""
        return self.model.predict(fields)

    def __repr__(self) -> str:
        return f"TrainedFields({self.model!r}, {headline(self.result)})"


def headline(result: dict[str, Any]) -> str:
    """The errors of a record in words."""
    parts = []
    for name, found in result["errors"].items():
        unit = f" {found['unit']}" if found["unit"] not in ("", "1") else ""
        about = f"the fields have rms {found['rms']:.4g}{about_means(found)}"
        parts.append(f"{name}: rms error {found['rmse']:.4g}{unit} ({about})")
    return ", ".join(parts)


def about_means(found: dict[str, Any]) -> str:
    """What the rms of a target is taken about, in words; nothing of vectors."""
    return " about their means" if found.get("kind", "scalar").endswith("scalar") else ""


def load_fields_run(folder: str | Path) -> TrainedFields:
    """The complete run in `folder`; `InputError` where there is none, of another kind, or of a precision that
    JAX is not set to."""
    run = complete(folder, "fields", ("errors", "model", "warnings"), (NETWORK,))
    mesh = run.path / MESH
    name = f"mesh:{mesh}" if mesh.is_file() else run.result["space"]
    network = load_network(run.path / NETWORK, space=name)
    return TrainedFields(model_of(run.result["model"], network, name), run.settings, run.metrics, run.result)


def model_record(model: FieldModel) -> dict[str, Any]:
    """What result.json says of a map besides its network."""
    scales = (("input_scale", model.input_scale), ("target_scale", model.target_scale))
    return {
        "inputs": [list(v) for v in model.inputs],
        "targets": [list(v) for v in model.targets],
        "rotation": model.rotation,
    } | {name: {"shift": s.shift.tolist(), "scale": s.scale.tolist()} for name, s in scales}


def model_of(record: dict[str, Any], network: Any, space: str) -> FieldModel:
    """The map of a record and its network."""
    scales = [
        Scale(*(np.array(record[n][k]) for k in ("shift", "scale"))) for n in ("input_scale", "target_scale")
    ]
    into, out = (tuple(Variable(*v) for v in record[name]) for name in ("inputs", "targets"))
    named = space_from_name(space)
    return FieldModel(network, named, space, into, out, bool(record["rotation"]), *scales)


def ending(fields: Fields) -> str:
    """Of a file that can hold fields like these."""
    return ".fits" if isinstance(fields.layout, Healpix) else ".nc" if fields.layout else ".npz"


def apply_run(trained: TrainedFields, fields: Fields, out: Path) -> list[str]:
    """Write what a run says of the fields of a file, and what is to be said of that: the errors, where the
    file has the targets. `InputError` for other grids, units and variables."""
    model = trained.model
    fields = fields.at(model.space.shape)
    said = model.predict(fields, "data")
    write_fields(out, said)
    words = [f"{fields.samples} samples of {', '.join(said.values)}: {out}"]
    there = [v for v in model.targets if all(part in fields.values for part in v.name.split(":"))]
    found = [Variable.of(v.name, fields) for v in there]
    if found == list(model.targets):
        words.insert(0, headline({"errors": measures.errors(model, fields, said)}))
        words += [f"warning: {line}" for line in caveats.of_applied(trained.result, fields.checksum)]
    elif found:
        words += [f"no errors: {_difference(trained.model, there, found)}"]
    return words + [f"warning: {line}" for line in trained.warnings]


def _difference(model: FieldModel, there: list[Variable], found: list[Variable]) -> str:
    """Why the targets in a file are not those that were learnt, in words."""
    for wanted, got in zip(there, found, strict=True):
        if wanted != got:
            here, learnt = (f"a {v.kind} in {v.unit or 'no unit'}" for v in (got, wanted))
            return f"{wanted.name} is {here} in the file, learnt was {learnt}"
    lacking = [v.name for v in model.targets if v not in there]
    return f"the file lacks {', '.join(lacking)}"
