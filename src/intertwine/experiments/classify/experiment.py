"""The command `classify`: the study of `fit_supervised` on labelled images, and what its folder says of it.

A line of `metrics.jsonl` is an epoch. `network.bin` holds the trained network, with the statistics of its
batch norms (`trained.load_classifier`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import Caveat, caveat
from intertwine._checks import InputError
from intertwine._version import __version__
from intertwine.experiments.classify import measures
from intertwine.experiments.classify.conserved import conserved_record, conserved_words
from intertwine.experiments.classify.images import labelled_images
from intertwine.experiments.classify.memory import checked_memory, memory_on_space
from intertwine.experiments.classify.pictures import pictures
from intertwine.experiments.classify.settings import CRITICAL, ClassifyConfiguration
from intertwine.experiments.classify.trained import learnt_before
from intertwine.experiments.datasets import data_record, load_data
from intertwine.geometry.conservation.training.laws import TrainingLaws, training_laws
from intertwine.layers.depth.start import Profile, profiles
from intertwine.layers.networks.field_network import field_network
from intertwine.layers.networks.network_names import network_from_name
from intertwine.layers.networks.numbers import as_numbers
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import save_network
from intertwine.learning.labels.defaults import default_optimiser
from intertwine.learning.labels.labelled import Labelled
from intertwine.learning.study import Scalars, carry_out
from intertwine.learning.supervised_fit import supervised_study
from intertwine.learning.supervised_study import SupervisedState, SupervisedStudy
from intertwine.records import caveats
from intertwine.records.classify import SCHEMA
from intertwine.runs.begun import NONE, begins_with
from intertwine.runs.complete import series
from intertwine.runs.dataset import parameter_variables, versions
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.run_folder import MESH, NETWORK, write_aside, write_aside_with
from intertwine.spaces.grid import Grid
from intertwine.spaces.mesh.reading import mesh_text
from intertwine.spaces.names import space_from_name

if TYPE_CHECKING:
    import xarray


class Classify(Experiment):
    """A classifying run made ready: the data, the network and the study; `InputError` for what does not go
    together."""

    study: SupervisedStudy

    def __init__(self, c: ClassifyConfiguration):
        self.configuration, self.every = c, c.checkpoint_every
        self.data = load_data(c.data, c.space.name)
        self.images = images = labelled_images(c, self.data)
        self.source = data_record(self.data)
        channels = images.train.x.shape[-1]
        network_key, key = jax.random.split(jax.random.key(c.seed))
        options: dict[str, Any] = dict(
            classes=images.names if images.named else images.classes, dropout=c.network.dropout,
            key=network_key,
        )  # fmt: skip
        network: Any
        if images.space is None:
            side, order = images.places[0], Grid(c.group).group.order
            self.memory = checked_memory(c, order, side, channels, len(self.data.train), images.classes)
            network = network_from_name(
                c.network.name, c.group, channels=channels, image_size=side, **options
            )
        else:
            network = field_network(c.network.name, images.space, inputs=channels, **options)
            self.memory = memory_on_space(c, network, images.train.x)
        self.network = network.reading_bytes(self.data.grey)
        start = c.network.start
        if start not in (NONE, CRITICAL):
            self.network, key = learnt_before(start, self.network), jax.random.key(c.seed)
            self.source |= {"begins_with": begins_with("network.start", start, NETWORK)}
        self.key = key
        self.laws = self._laws(channels) if c.optimiser.conserved else None
        self.study = self._study("critical" if start == CRITICAL else "given")
        if self.laws is not None:
            self.study.track = self.laws.since(self.study.network(self.study.begin).module)

    def _study(self, start: str) -> SupervisedStudy:
        """The study of the run, from one start or the other."""
        o, images = self.configuration.optimiser, self.images
        return supervised_study(
            self.network, images.train.x, images.labels_of(images.train), epochs=o.epochs, batch=o.batch,
            optimiser=partial(
                default_optimiser, learning_rate=o.learning_rate, warmup=o.warmup, weight_decay=o.weight_decay
            ),
            validation=o.validation or None, patience=o.patience or None, watch=o.watch,
            smoothing=o.smoothing, augment=o.augment, start=start, key=self.key,
        )  # fmt: skip

    def _laws(self, channels: int) -> TrainingLaws:
        """What gradient flow of the network conserves, for any images."""
        print("what gradient flow of the network conserves ...", flush=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Caveat)  # they are in the folder
            return training_laws(
                self.network, (*self.images.places, channels), loss="cross-entropy", count=False
            )

    def announce(self) -> None:
        """The images, the network, and how long it will learn."""
        c, images = self.configuration, self.images
        tested = "" if images.test is None else f", {len(images.test.y)} to test with"
        rows, places = len(self.data.train), " × ".join(map(str, images.places))
        print(f"{self.data.name}: {rows} images of {places} points{tested}")
        held = 0 if self.study.held is None else len(self.study.held.y)
        shares = f"{len(self.study.data.y)} images to learn from, {held} to watch, {images.classes} classes"
        named = f"{c.network.name} on {images.space or c.group}, {parameter_count(self.network)} parameters"
        print(f"{named}; {shares}; {c.optimiser.epochs} epochs", flush=True)
        if self.study.critical is not None:
            print(str(self.study.critical).partition("\n")[0], flush=True)

    def describe(self, record: Scalars) -> str:
        return words(record)

    def finish(
        self, state: SupervisedState, history: list[Scalars], seconds: Callable[[], float]
    ) -> Finished:
        """The last measures and the files that tell of them."""
        c, images, study = self.configuration, self.images, self.study
        print("accuracy, turned images and equivariance of the trained network ...", flush=True)
        fit = study.finish(state, history)
        network = fit.model
        named = "test" if images.test else "validation" if study.held else "train"
        tested = _in_numbers(images.test or study.held or study.data, network)
        log_p = measures.log_probabilities(network, tested.x)
        watched = None
        if study.held is not None:
            log_q = measures.log_probabilities(network, study.held.x)
            watched = measures.accuracy_record(log_q, study.held.y)
        fresh = jax.random.fold_in(study.key, 2**31 - 1)  # no update has this number
        record = {
            "kind": c.kind,
            "version": __version__,
            "network": c.network.name,
            "group": c.group if images.space is None else None,
            "space": images.space,
            "parameters": parameter_count(network),
            "epochs": len(history),
            "best": fit.best,
            "precision": c.precision,
            "seed": c.seed,
            "data": self.source,
            "learnt_from": len(study.data.y),
            "tested_on": named,
            "test": measures.accuracy_record(log_p, tested.y),
            "baseline": measures.commonest_class(log_p, tested.y, study.data.y),
            "validation": watched,
            "classes": list(images.names),
            "confusion": measures.confusion(log_p, tested.y),
        } | measures.under_turns(network, tested, images.space, fresh)
        if self.laws is not None:
            record["conserved"] = conserved_record(self.laws, history)
        record["depth"] = self._depth(network, fresh)
        if self.study.critical is not None and c.network.compare:
            record["depth"]["ordinary"] = self._ordinary()
        record["warnings"] = caveats.of_classifying(
            record | {"warnings": [*self._renumbered(), *self._of_start()]}
        )
        record["seconds"] = seconds()
        record["versions"] = versions()

        def write(folder: Any) -> None:
            write_aside_with(folder.path / NETWORK, lambda path: save_network(path, network))
            if (images.space or "").startswith("mesh:"):
                write_aside(folder.path / MESH, mesh_text(network.space.positions, network.space.faces))

        return Finished(
            record, lambda: _dataset(network, log_p, tested, history, record), headline(record), write
        )

    def _depth(self, network: PyTree, key: jax.Array) -> dict[str, Any]:
        """Kernel and susceptibilities by layer, at the start and at the end of the training."""
        study, x = self.study, self.study.data.x
        networks = {"start": study.network(study.begin).module, "end": network}
        if study.critical is not None:
            networks["given"] = self.network
        try:
            found = profiles(list(networks.values()), x, key=jax.random.fold_in(key, 1))
        except InputError as error:
            return {"layers": [], "reason": str(error)}
        rows: dict[str, Any] = {name: of_layers(p) for name, p in zip(networks, found, strict=True)}
        rows |= {"layers": list(found[0].layers), "critical": None}
        if (start := study.critical) is not None:
            point = start.critical
            rows["critical"] = "measured" if point is None else str(point).partition("\n")[0]
        return rows

    def _ordinary(self) -> dict[str, Any]:
        """What the same training reaches from the ordinary start, on the same images."""
        print("the same training from the ordinary start, to compare ...", flush=True)
        study = self._study("given")
        network = carry_out(study).model
        tested = _in_numbers(self.images.test or study.held or study.data, network)
        return measures.accuracy_record(measures.log_probabilities(network, tested.x), tested.y)

    def _of_start(self) -> list[str]:
        """The caveats of a start at criticality."""
        return [] if self.study.critical is None else list(self.study.critical.warnings)

    def _renumbered(self) -> list[str]:
        """The caveat of labels that are numbers, but not 0, 1, …."""
        if not self.images.named or self.data.classes is not None:
            return []
        names = ", ".join(self.images.names[:8])
        words = f"the labels are not 0, 1, …: the classes are numbered in the order {names}"
        return [caveat("data", words)]


def _in_numbers(data: Labelled, network: PyTree) -> Labelled:
    """The images as float32, as the network reads them."""
    return Labelled(as_numbers(np.asarray(data.x), network, np.float32), data.y)


def _dataset(
    network: PyTree, log_p: np.ndarray, tested: Labelled, history: list[Scalars], record: Mapping[str, Any]
) -> xarray.Dataset:
    """`result.nc`."""
    import xarray

    axes = {"wrong_images": ("wrong", "row", "column", "channel")}
    variables: dict[str, Any] = {
        "log_probability": (("example", "class"), log_p.astype(np.float32)),
        "label": ("example", tested.y),
    }
    wrong = measures.mistakes(log_p, tested)
    if record["space"] is None:
        variables["filters"] = (("filter", "element", "k0", "k1"), measures.filters(network))
    else:
        variables |= pictures(space_from_name(record["space"]), tested, log_p.argmax(axis=1))
        if wrong["wrong_images"].ndim != 4:
            wrong.pop("wrong_images")
    variables |= {name: (axes.get(name, ("wrong",)), values) for name, values in wrong.items()}
    columns = series(history, SCHEMA)
    variables |= {name: ("line", columns[name]) for name in SCHEMA.numbers}
    variables |= parameter_variables(network)
    title = f"{record['network']} on {record['space'] or record['group']}, {record['data']['name']}"
    return xarray.Dataset(variables, attrs={"title": title, "source": f"intertwine {__version__}"})


def of_layers(profile: Profile) -> dict[str, list[float | None]]:
    """The numbers of a profile as lists, None where there is none."""
    tables = {
        "kernel": profile.kernel, "parallel": profile.parallel, "perpendicular": profile.perpendicular,
        "coupling": profile.coupling,
    }  # fmt: skip
    return {name: [float(v) if np.isfinite(v) else None for v in row] for name, row in tables.items()}


def words(record: Scalars) -> str:
    """A line of metrics.

    >>> words({"loss": 0.5, "accuracy": 0.9, "validation_accuracy": None})
    'loss 0.5000  accuracy 90.00 %'
    """
    found = f"loss {record['loss']:.4f}  accuracy {100 * record['accuracy']:.2f} %"
    if record.get("validation_accuracy") is not None:
        found += f"  validation {100 * record['validation_accuracy']:.2f} %"
    return found


def headline(record: dict[str, Any]) -> list[str]:
    """The accuracy, and how equivariant the network is."""
    found = record["test"]
    share, error = 100 * found["accuracy"], 100 * found["error"]
    which, count = caveats.TESTED[record["tested_on"]], found["count"]
    said = [f"{which} accuracy {share:.2f} ± {error:.2f} % of {count} images (error {100 - share:.2f} %)"]
    if record.get("conserved"):
        said.append(conserved_words(record["conserved"]))
    if (ordinary := (record.get("depth") or {}).get("ordinary")) is not None:
        other = f"{100 * ordinary['accuracy']:.2f} ± {100 * ordinary['error']:.2f} %"
        said.append(f"from the ordinary start, the same training: {other}")
    whole = [row for row in record["equivariance"] if row["layer"] == "whole"]
    if turned := record.get("rotations"):
        shares = [100 * share for share in turned["accuracy"]]
        count, few = len(shares) - 1, turned["count"]
        said.append(
            f"of {few} images as they are {shares[0]:.2f} %, turned by {count} random rotations"
            f" {min(shares[1:]):.2f} to {max(shares[1:]):.2f} % ± {100 * turned['error']:.2f} %"
        )
    exactly = "rotations and frames" if record.get("space") else "elements that map the grid to itself"
    for exact, name in ((True, exactly), (False, "others, resampled")):
        errors = [row["error"] for row in whole if row["exact"] is exact and row["error"] is not None]
        if errors:
            said.append(f"equivariance of the whole network: {max(errors):.1e} over {name}")
    return said
