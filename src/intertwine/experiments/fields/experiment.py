"""The command `fields`: the study of `fit_fields` on a file, and what its folder says of it.

A line of `metrics.jsonl` is an epoch. `network.bin` holds the trained network, result.json its variables,
units and standardisation (`trained.load_fields_run`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from intertwine._checks import fail
from intertwine._version import __version__
from intertwine.data.field_files import load_fields
from intertwine.data.fields import Fields
from intertwine.experiments.fields import measures
from intertwine.experiments.fields.made import winds
from intertwine.experiments.fields.settings import MADE, NONE, FieldsConfiguration, selected
from intertwine.experiments.fields.trained import about_means, headline, model_record
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.layers.networks.field_network import sampled
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import save_network
from intertwine.learning.fields.field_model import FieldModel, Variable
from intertwine.learning.fields.fit_fields import FieldTask, field_study, field_task, fitted, with_errors
from intertwine.learning.fields.linear_fit import linear_fit
from intertwine.learning.fields.placing import sphere_of
from intertwine.learning.fields.variables import variables_of
from intertwine.learning.study import Scalars
from intertwine.learning.supervised_study import SupervisedState, SupervisedStudy
from intertwine.records import caveats
from intertwine.records.fields import SCHEMA
from intertwine.runs.complete import series
from intertwine.runs.dataset import parameter_variables, versions
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.run_folder import MESH, NETWORK, write_aside, write_aside_with
from intertwine.spaces.mesh.reading import mesh_text
from intertwine.spaces.sphere.sphere import Sphere

if TYPE_CHECKING:
    import xarray

SHOWN = 2
"""Samples that the page shows."""


class FieldsExperiment(Experiment):
    """A run of fields made ready: the samples, the network and the study; `InputError` for what does not go
    together."""

    study: SupervisedStudy

    def __init__(self, c: FieldsConfiguration):
        o, self.configuration, self.every = c.optimiser, c, c.checkpoint_every
        self.learnt, self.test = samples_of(c)
        made = field_study(
            c.network.name, self.learnt, inputs=c.data.inputs, targets=c.data.targets, space=c.space.name,
            rotation=c.data.rotation, nonlinearity=c.network.nonlinearity, blocks=c.network.blocks,
            global_kernels=c.network.global_kernels, dropout=c.network.dropout, method=o.method,
            epochs=o.epochs, batch=o.batch, learning_rate=o.learning_rate, warmup=o.warmup,
            weight_decay=o.weight_decay, validation=o.validation, patience=o.patience or None,
            key=jax.random.key(c.seed),
        )  # fmt: skip
        self.study, self.task, self.kept, self.held, self.at_once = self.made = made
        if self.test is not None:
            self.test = self.test.at(self.task.blank.space.shape)
            _check_test(self.task.blank, self.test)
        self.source = _record(self.learnt)
        self.memory = _memory(c, self.task)

    def announce(self) -> None:
        """The fields, the network, and how long it will learn."""
        c, blank = self.configuration, self.task.blank
        print(repr(self.learnt))
        held = 0 if self.held is None else self.held.samples
        tested = "" if self.test is None else f", {self.test.samples} to test with"
        print(f"{blank!r}: {self.kept.samples} samples to learn from, {held} to watch{tested}")
        count = parameter_count(blank.network)
        lines = self.study.lines
        print(f"{c.network.name}, {count} parameters; {lines} epoch{'s' * (lines != 1)}", flush=True)

    def measured(self, state: SupervisedState, scalars: Scalars, line: int) -> Scalars:
        return with_errors(scalars)

    def describe(self, record: Scalars) -> str:
        watched = record.get("validation_rmse")
        more = "" if watched is None else f"  held out {watched:.4g}"
        return f"rms error {record['rmse']:.4g}{more}"

    def finish(
        self, state: SupervisedState, history: list[Scalars], seconds: Callable[[], float]
    ) -> Finished:
        """The last measures and the files that tell of them."""
        c, study = self.configuration, self.study
        print("errors, turned fields and equivariance of the trained network ...", flush=True)
        fit = fitted(self.made, study.finish(state, history))
        model = fit.model
        named = "test" if self.test is not None else "validation" if self.held is not None else "train"
        tested = self.test or self.held or self.kept
        said = model.predict(tested)
        found = measures.errors(model, tested, said)
        self._with_baselines(found, model, tested)
        fresh = jax.random.fold_in(study.key, 2**31 - 1)  # no update has this number
        arrays = field_task(model, tested)
        record: dict[str, Any] = {
            "kind": c.kind,
            "version": __version__,
            "errors": found,
            "tested_on": named,
            "samples": {"learnt_from": self.kept.samples, "tested": tested.samples},
            "rotations": measures.turned(model, arrays, fresh),
            "equivariance": measures.equivariance(model.network, model.space, fresh),
            "sampled": sampled(c.network.name, model.space, c.network.nonlinearity),
            "space": model.name,
            "network": c.network.name,
            "parameters": parameter_count(model.network),
            "model": model_record(model),
            "data": self.source,
            "epochs": len(history),
            "best": fit.best,
            "precision": c.precision,
            "seed": c.seed,
        }
        record["warnings"] = caveats.of_fields(record | {"warnings": fit.warnings})
        record["seconds"] = seconds()
        record["versions"] = versions()

        def write(folder: Any) -> None:
            write_aside_with(folder.path / NETWORK, lambda path: save_network(path, model.network))
            if model.name.startswith("mesh:"):
                mesh: Any = model.space.space
                write_aside(folder.path / MESH, mesh_text(mesh.positions, mesh.faces))

        return Finished(record, lambda: _dataset(model, tested, said, history), words(record), write)

    def _with_baselines(self, found: dict[str, Any], model: FieldModel, tested: Fields) -> None:
        """The errors of the mean field, and of the best linear map that commutes, unless it is the model."""
        names = [v.name for v in model.targets]
        mean = measures.mean_field(self.kept, tested, names)
        itself = self.configuration.network.name == "linear" and self.at_once
        linear = None if itself else linear_fit(self.task).predict(tested)
        for words_, said in (("mean_field", mean), ("linear", linear)):
            of = {} if said is None else measures.errors(model, tested, said)
            for name in names:
                found[name][words_] = of[name]["rmse"] if name in of else None


def _check_test(blank: FieldModel, test: Fields) -> None:
    """InputError for samples that the map cannot be tested with: before it is learned, not after."""
    for v in blank.targets:
        variables_of(v.name.split(":"), test, "data.test")
        if (found := Variable.of(v.name, test)) != v:
            expected, got = (f"{v.name} in {unit or 'no unit'}" for unit in (v.unit, found.unit))
            raise fail(
                "data.test", expected, got, "the samples to test with are in other units, or of other types"
            )
    field_task(blank, test)


def samples_of(c: FieldsConfiguration) -> tuple[Fields, Fields | None]:
    """(samples to learn from, samples to test with or None), as the configuration says."""
    d = c.data
    if match := MADE.fullmatch(d.name):
        learnt, test = winds(int(match[1]), c.seed)
        return learnt.select(**selected(d.select)), test
    whole = load_fields(d.name)
    test = None
    if d.test != NONE or d.test_select != "all":
        other = whole if d.test == NONE else load_fields(d.test)
        if other.checksum == whole.checksum:
            rows = whole.with_values({"row": np.arange(whole.samples)[:, None]}, {}, {})
            learnt, held = (
                rows.select(**selected(words)).values["row"] for words in (d.select, d.test_select)
            )
            if both := np.intersect1d(learnt, held).size:
                got, remedy = f"{both} samples that are", "choose the others by select"
                raise fail("data.test_select", "samples that are not learnt from", got, remedy)
        test = other.select(**selected(d.test_select))
    return whole.select(**selected(d.select)), test


def words(record: dict[str, Any]) -> list[str]:
    """The errors, those of the baselines, and how equivariant the network is."""
    said = [f"{caveats.TESTED[record['tested_on']]} {headline(record)}"]
    for name, found in record["errors"].items():
        parts = [f"{what.replace('_', ' ')} {found[what]:.4g}" for what in ("mean_field", "linear")
                 if found.get(what) is not None]  # fmt: skip
        if parts:
            said.append(
                f"{name}, baselines: {', '.join(parts)}"
                + (
                    f"; the network without means {found['rmse_without_mean']:.4g}"
                    if about_means(found)
                    else ""
                )
            )
    if turned := record["rotations"]:
        for name, values in turned["rmse"].items():
            said.append(f"{name} of turned fields: rms error {min(values[1:]):.4g} to {max(values[1:]):.4g}")
    whole = [row["error"] for row in record["equivariance"] if row["layer"] == "whole"]
    if whole:
        said.append(f"equivariance of the whole network: {max(whole):.1e}")
    return said


def _record(fields: Fields) -> dict[str, Any]:
    """What `data.json` says."""
    return {
        "name": fields.source,
        "source": fields.source,
        "checksum": fields.checksum,
        "samples": fields.samples,
        "grid": str(fields.layout or " × ".join(map(str, fields.places))),
        "variables": list(fields.values),
        "units": dict(fields.units),
        "missing": fields.missing,
    }


def _memory(c: FieldsConfiguration, task: FieldTask) -> int:
    """The examples, and the fields of a batch at every layer with their gradients."""
    item = 8 if c.precision == "float64" else 4
    network = task.blank.network
    widest = max(layer.rep_out.dimension for _, layer in network.layers)
    points = task.x[0].size // task.x.shape[-1]
    layers = len(network.layers) * (4 if c.network.name.startswith("cnn") else 1)
    finer = 4 if task.blank.space.everywhere else 1
    batch = min(c.optimiser.batch, len(task.x))
    needed = item * 6 * finer * batch * points * widest * layers + 3 * (task.x.nbytes + task.y.nbytes)
    return refuse_beyond(needed, "take a coarser space, a narrower network or a smaller batch")


def _degrees(sphere: Sphere) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes of the rows and longitudes of the columns, or both of every pixel."""
    theta, phi = np.degrees(np.moveaxis(sphere.points, -1, 0))
    return (90 - theta, phi) if theta.ndim == 1 else (90 - theta[:, 0], phi[0])


def _dataset(model: FieldModel, tested: Fields, said: Fields, history: list[Scalars]) -> xarray.Dataset:
    """`result.nc`: some samples as they are and as they are said, with where they lie."""
    import xarray

    places = tuple(f"place{k}" for k in range(len(tested.places)))
    variables: dict[str, Any] = {}
    for target in model.targets:
        for words_, fields in (("true", tested), ("said", said)):
            values = measures.parts_of(target.name, fields)[:, :SHOWN]
            name = f"{words_}_{target.name.replace(':', '_')}"
            axes = (f"components_{len(values)}", "sample", *places)  # a scalar has one, a vector two or three
            variables[name] = (axes, values.astype(np.float32), {"units": target.unit})
    space = model.space.space
    arrays = space if isinstance(space, Sphere) else None  # of files that say nothing of their grid
    sphere = arrays if tested.layout is None else sphere_of(tested.layout)
    if sphere is not None:
        latitude, longitude = _degrees(sphere)
        variables |= {"latitude": (places[:1], latitude), "longitude": (places[-1:], longitude)}
    if hasattr(mesh := model.space.space, "faces"):
        variables["position"] = (("vertex", "xyz"), np.asarray(getattr(mesh, "positions", 0)))
        variables["face"] = (("triangle", "corner"), np.asarray(getattr(mesh, "faces", 0)).astype(np.int32))
    columns = series(history, SCHEMA)
    variables |= {name: ("line", columns[name]) for name in SCHEMA.numbers}
    variables |= parameter_variables(model.network)
    return xarray.Dataset(variables, attrs={"title": repr(model), "source": f"intertwine {__version__}"})
