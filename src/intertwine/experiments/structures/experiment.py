"""The commands `fields` and `classify` on structures: the study of `fit_structures`, and what its folder
says of it.

A line of `metrics.jsonl` is an epoch. `network.bin` holds the trained network, result.json its elements,
reference energies, scales and units (`trained.load_structures_run`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine._version import __version__
from intertwine.data.structures.structures import Structures
from intertwine.experiments.classify.measures import accuracy_record, commonest_class, confusion
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.experiments.structures import measures
from intertwine.experiments.structures.chosen import NONE, loaded, resolved
from intertwine.experiments.structures.dataset import dataset
from intertwine.experiments.structures.settings import AUTO
from intertwine.experiments.structures.trained import headline, model_record
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import save_network
from intertwine.learning.fields.fit_fields import with_errors
from intertwine.learning.structures.fit_structures import fitted, grouping, padded_sizes, structure_task
from intertwine.learning.structures.packing import Rung
from intertwine.learning.structures.structure_model import StructureModel
from intertwine.learning.structures.study import StructureState, StructureStudy
from intertwine.learning.study import Scalars
from intertwine.records import caveats
from intertwine.records.structures import of_structures
from intertwine.runs.dataset import versions
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.run_folder import NETWORK, RunFolder, write_aside_with
from intertwine.spaces.points.names import name_of_points

if TYPE_CHECKING:
    from intertwine.experiments.structures.chosen import Configuration
    from intertwine.learning.structures.targets import Target


class StructuresExperiment(Experiment):
    """A run on structures made ready: the data, the network and the study; `InputError` for what does not go
    together."""

    study: StructureStudy

    def __init__(self, c: Configuration):
        if c.space.name == AUTO:
            c = resolved(c)
        self.configuration, self.every = c, c.checkpoint_every
        o, p = c.optimiser, c.points
        self.learnt, self.test = structures_of(c)
        smoothing = getattr(o, "smoothing", 0.0)
        self.task = structure_task(
            c.network.name, self.learnt, targets=_targets(c, self.learnt), inputs=_inputs(c),
            space=c.space.name, degree=_number(p.degree), layers=_number(p.layers), weights=p.weights_by_name,
            epochs=o.epochs, minutes=p.minutes or None, batch=o.batch, learning_rate=o.learning_rate,
            warmup=o.warmup, weight_decay=o.weight_decay, average=p.average, smoothing=smoothing,
            validation=o.validation, by=_by(c), patience=o.patience or None, key=jax.random.key(c.seed),
        )  # fmt: skip
        self.study = self.task.study
        classes = [t for t in self.study.objective.targets if t.kind == "classes"]
        if c.kind == "classify" and len(classes) != 1:
            got = ", ".join(f"{t.name}, which are real numbers" for t in self.study.objective.targets)
            remedy = "such numbers are targets of intertwine fields"
            raise fail("data.labels", "one label, in words or whole numbers", got, remedy)
        if c.kind == "fields" and classes:
            raise fail("data.targets", "numbers", f"the labels {classes[0].name}", "say intertwine classify")
        if self.test is not None:  # before it is learned, not after
            self.study.blank.rows(self.test, "data.test", values=True)
        self.source = _record(self.learnt, self.test)
        self.memory = _memory(c, self.study.blank, self.task.rungs)

    def announce(self) -> None:
        """The structures, the network, the padded sizes, and how long it will learn."""
        c, p = self.configuration, self.configuration.points
        print(repr(self.learnt))
        held = 0 if self.task.held is None else len(self.task.held)
        tested = "" if self.test is None else f", {len(self.test)} to test with"
        groups = f", by {self.task.grouped}" if self.task.grouped else ""
        print(f"{len(self.task.kept)} structures to learn from, {held} to watch{tested}{groups}")
        print(f"padded to {padded_sizes(self.task.rungs)}")
        count = parameter_count(self.study.blank.network)
        long = f"{p.minutes:g} minutes" if p.minutes else f"{self.study.lines} epochs"
        print(f"{c.network.name} on {c.space.name}, {count} parameters; {long}", flush=True)

    def measured(self, state: StructureState, scalars: Scalars, line: int) -> Scalars:
        return with_errors(scalars) if self.configuration.kind == "fields" else scalars

    def describe(self, record: Scalars) -> str:
        units = {t.name: t.unit for t in self.study.objective.targets}
        said = [f"loss {record['loss']:.4g}"]
        for prefix, before in (("", ""), ("validation_", "held out ")):
            found = [
                f"{before}{name} {record[f'{prefix}{name}_error']:.4g} {unit}".rstrip()
                for name, unit in units.items()
                if record.get(f"{prefix}{name}_error") is not None
            ]
            if record.get(f"{prefix}accuracy") is not None:
                found.append(f"{before}accuracy {100 * record[f'{prefix}accuracy']:.2f} %")
            said += found if prefix or not self.task.held else []
        return "  ".join(said)

    def finish(self, state: StructureState, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        """The last measures and the files that tell of them."""
        c, task = self.configuration, self.task
        print("errors and turned structures of the trained network ...", flush=True)
        fit = fitted(task, self.study.finish(state, history))
        model = fit.model
        named = "test" if self.test is not None else "validation" if task.held is not None else "train"
        tested = self.test or task.held or task.kept
        said = model.predict(tested)
        fresh = jax.random.fold_in(self.study.key, 2**31 - 1)  # no update has this number
        record: dict[str, Any] = {
            "kind": c.kind,
            "version": __version__,
            "tested_on": named,
            "structures": {"learnt_from": len(task.kept), "tested": len(tested)},
            "space": name_of_points(model.space),
            "network": c.network.name,
            "parameters": parameter_count(model.network),
            "padded": [rung._asdict() for rung in task.rungs],
            "grouped": task.grouped,
            "model": model_record(model),
            "data": self.source,
            "epochs": len(history),
            "best": fit.best,
            "precision": c.precision,
            "seed": c.seed,
        }
        if c.kind == "fields":
            record |= {"errors": measures.errors(model, tested, said, task.kept), "sampled": False}
        else:
            record |= _classes(model, tested, said, task.kept, task.held)
        record |= measures.under_turns(model, tested, fresh)
        sizes = [int(tested.sizes.min()), int(tested.sizes.max())]
        record["warnings"] = of_structures(record | {"warnings": list(fit.warnings), "sizes": sizes})
        record["seconds"] = seconds()
        record["versions"] = versions()

        def write(folder: RunFolder) -> None:
            write_aside_with(folder.path / NETWORK, lambda path: save_network(path, model.network))

        return Finished(record, lambda: dataset(model, tested, said, history, c.kind), words(record), write)


def structures_of(c: Configuration) -> tuple[Structures, Structures | None]:
    """(structures to learn from, structures to test with or None): of another file, or held out of this
    one."""
    whole = loaded(c, c.data.name, "data.name")
    other = getattr(c.data, "test", NONE)
    if other != NONE:
        test = loaded(c, other, "data.test")
        if test.checksum and test.checksum == whole.checksum:
            raise fail(
                "data.test", "structures that are not learnt from", "the same file", "say --test-share 0.1"
            )
        return whole, test
    share = float(c.data.test_share)
    if not share or len(whole) < _FEWEST:
        return whole, None
    return whole.split(share, by=grouping(_by(c), whole), seed=c.seed)


_FEWEST = 10
"""Of fewer structures none are held out to be tested with at the end."""


def _by(c: Configuration) -> str | None:
    return None if c.points.by == NONE else c.points.by


def _number(value: int | str) -> int | None:
    """A setting that may be auto."""
    return None if isinstance(value, str) else value


def _targets(c: Configuration, structures: Structures) -> str:
    """Names of the targets."""
    if c.kind == "fields":
        return c.data.targets  # type: ignore[union-attr]
    name = c.data.labels  # type: ignore[union-attr]
    if name not in (AUTO, NONE) and name in structures.values:
        return name
    there = [n for n in structures.names if n not in ("file", "chain")]
    if len(there) == 1:
        return there[0]
    listed = ", ".join([*there, *(n for n in structures.values if n not in there)][:12]) or "none"
    got = "none said" if name in (AUTO, NONE) else repr(name)
    raise fail("data.labels", f"a label of the data ({listed})", got, "say --labels NAME")


def _inputs(c: Configuration) -> str:
    return c.data.inputs if c.kind == "fields" else c.points.inputs  # type: ignore[union-attr]


def _classes(
    model: StructureModel, tested: Structures, said: Structures, kept: Structures, held: Structures | None
) -> dict[str, Any]:
    """What the record of classify says of the classes."""
    target: Target = model.targets[0]

    def known(structures: Structures, found: Structures) -> tuple[np.ndarray, np.ndarray]:
        labels = measures.labels_of(target, structures)
        return measures.log_probabilities(target, found)[labels >= 0], labels[labels >= 0]

    log_p, labels = known(tested, said)
    watched = None if held is None else accuracy_record(*known(held, model.predict(held)))
    own = measures.labels_of(target, kept)
    whole = measures.labels_of(target, tested)
    right = np.asarray(said.values[target.name]) == whole
    return {
        "test": accuracy_record(log_p, labels),
        "baseline": commonest_class(log_p, labels, own[own >= 0]),
        "validation": watched,
        "classes": list(target.classes),
        "confusion": confusion(log_p, labels),
        "angles": None,
        "label": target.name,
        "of": "points" if target.per_point else "structures",
        "by_kind": measures.accuracy_by_kind(target, tested, right),
    }


def words(record: PyTree) -> list[str]:
    """The errors or the accuracy, those of the baselines, and what turns change."""
    said = [f"{caveats.TESTED[record['tested_on']]} {headline(record)}"]
    for name, found in record.get("errors", {}).items():
        if table := found.get("by_element"):
            parts = ", ".join(f"{element} {row['mae']:.4g}" for element, row in table.items())
            said.append(f"{name}, mean absolute error by element: {parts} {found['unit']}".rstrip())
        if known := found["baselines"]:
            parts = ", ".join(f"{what} {value:.4g}" for what, value in known.items())
            said.append(f"{name}, baselines (root mean square): {parts} {found['unit']}".rstrip())
    if baseline := record.get("baseline"):
        name = record["classes"][baseline["class"]]
        said.append(f"always saying {name}, the commonest: {100 * baseline['accuracy']:.2f} %")
    errors = [row["error"] for row in record["equivariance"] if row["error"] is not None]
    if errors:
        said.append(f"under random turns the predictions change by {max(errors):.1e} of the largest")
    return said


def _record(structures: Structures, test: Structures | None) -> dict[str, Any]:
    """What `data.json` says."""
    sizes = structures.sizes
    return {
        "name": structures.source,
        "source": structures.source,
        "checksum": structures.checksum,
        "structures": len(structures),
        "held_out": 0 if test is None else len(test),
        "points": [int(sizes.min()), int(sizes.max())],
        "of": structures.kind,
        "elements": [str(word) for word in dict.fromkeys(structures.symbols.tolist())],
        "values": list(structures.values),
        "units": dict(structures.units),
        "periodic": bool(structures.periodic.any()),
        "notes": list(structures.warnings),
    }


def _memory(c: Configuration, model: StructureModel, rungs: tuple[Rung, ...]) -> int:
    """The fields of a batch at every layer, with the slopes of both derivatives, and its edges."""
    item = 8 if c.precision == "float64" else 4
    layers = getattr(model.network, "layers", [])
    widest = max((layer.rep_out.dimension for _, layer in layers if hasattr(layer, "rep_out")), default=64)
    needed = max(
        item
        * rung.points
        * (widest * (16 * max(len(layers), 1) + 2 * rung.neighbours) + 64 * rung.neighbours)
        for rung in rungs
    )
    return refuse_beyond(needed, "take a smaller batch, a narrower network or a shorter cutoff")
