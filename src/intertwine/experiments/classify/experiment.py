"""The command `classify`: train an equivariant network on labelled images, test it, write the run folder.

A line of `metrics.jsonl` is an epoch. The state after a line, with the configuration and the data,
determines everything that follows: a run that was killed goes on from its last checkpoint to the numbers
that it would have had. `network.bin` holds the trained network, with the statistics of its batch norms
(`trained.load_classifier`), which are part of the state.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import numpy as np

from intertwine._caveats import caveat
from intertwine._version import __version__
from intertwine.data.dataset import Dataset
from intertwine.experiments.classify import measures as classify_measures
from intertwine.experiments.classify.images import LabelledImages, augmented, labelled_images
from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.experiments.classify.words import announce, headline, words
from intertwine.experiments.datasets import data_record, load_data
from intertwine.experiments.memory_needs import for_classifying
from intertwine.layers.networks.network_names import network_from_name
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import save_network
from intertwine.layers.norms.calibration import calibrated
from intertwine.learning.batches import Batches
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import mean_loss
from intertwine.learning.labels.labelled import Labelled
from intertwine.learning.schedules import Cosine, Warmup
from intertwine.learning.stages import Stage, Training
from intertwine.learning.study import Scalars
from intertwine.learning.supervised import Supervised
from intertwine.learning.supervised_fit import STATISTICS
from intertwine.models.network import Network
from intertwine.records import caveats
from intertwine.records.classify import SCHEMA
from intertwine.runs.dataset import number_or_nan, parameter_variables, versions
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.run_folder import NETWORK, write_aside_with
from intertwine.spaces.grid import Grid

_LAST_RATE = 1e-3


class Problem(NamedTuple):
    """Everything that a configuration and its data determine. memory: bytes that the run needs."""

    configuration: ClassifyConfiguration
    data: Dataset
    images: LabelledImages
    training: Training
    key: jax.Array
    memory: int


def build(c: ClassifyConfiguration) -> Problem:
    """The data, the network and its training; `InputError` for what does not go together."""
    data = load_data(c.data)
    images = labelled_images(c, data)
    memory = for_classifying(
        c,
        Grid(c.group).group.order,
        images.side,
        images.train.images.shape[-1],
        len(data.train),
        images.classes,
    )
    network_key, training_key, key = jax.random.split(jax.random.key(c.seed), 3)
    network = network_from_name(
        c.network.name, c.group, channels=images.train.images.shape[-1], image_size=images.side,
        classes=images.names if images.named else images.classes, dropout=c.network.dropout,
        key=network_key,
    ).reading_bytes(data.grey)  # fmt: skip
    return Problem(c, data, images, _training(c, images, Network.of(network), training_key), key, memory)


def _training(c: ClassifyConfiguration, images: LabelledImages, network: Network, key: jax.Array) -> Training:
    o, train = c.optimiser, images.train
    per_epoch = Batches(tuple(train), min(o.batch, len(train.images))).per_epoch
    updates = o.epochs * per_epoch
    rate = Warmup(Cosine(o.learning_rate, _LAST_RATE * o.learning_rate, updates), round(o.warmup * updates))

    def batches(_: Any, epoch: int, key: jax.Array) -> Batches:
        shown = augmented(c, train.images, epoch)
        return Batches((shown, train.labels), min(o.batch, len(shown)), seed=c.seed & 0xFFFFFFFF)

    objective = Supervised("cross-entropy", o.smoothing)
    mover = OptaxGradient(_adamw(o.weight_decay), rate)
    return Training((Stage("", o.epochs, per_epoch, lambda _: network, objective, mover, batches),), key)


@cache
def _adamw(weight_decay: float) -> Any:
    """One object a decay, so that runs share compiled programs; biases and norms are not drawn to zero."""
    import optax

    def weights(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf.ndim > 2, tree)

    return optax.adamw(1.0, weight_decay=weight_decay, mask=weights)


class Classify(Experiment):
    """A classifying run made ready."""

    def __init__(self, configuration: ClassifyConfiguration):
        self.problem = build(configuration)
        self.source, self.memory = data_record(self.problem.data), self.problem.memory
        self.study, self.every = self.problem.training, configuration.checkpoint_every

    def announce(self) -> None:
        announce(self.problem)

    def measured(self, state: Any, scalars: Scalars, line: int) -> Scalars:
        """What the training measured, and the validation images."""
        held = self.problem.images.validation
        if held is None:
            return scalars
        network = Network.of(_trained(self.problem, state)).at_rest()
        objective = Supervised("cross-entropy", self.problem.configuration.optimiser.smoothing)
        found = mean_loss(network, objective, Labelled(held.images, held.labels))
        return scalars | {f"validation_{name}": value for name, value in found.items()}

    def describe(self, record: Scalars) -> str:
        return words(record)

    def finish(self, state: Any, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        return _finish(self.problem, state, history, seconds)


def _trained(problem: Problem, state: Any) -> Any:
    """The network with batch-norm statistics of training images, at rest (`fit_supervised` says why)."""
    images = problem.images.train.images
    chosen = np.linspace(0, len(images) - 1, min(len(images), STATISTICS)).astype(int)
    network = problem.training.model(state).module
    return calibrated(network, images[chosen], batch=problem.configuration.optimiser.batch)


def _finish(
    problem: Problem, state: Any, history: list[dict[str, Any]], seconds: Callable[[], float]
) -> Finished:
    """The last measures and the files that tell of them."""
    c, images = problem.configuration, problem.images
    print("accuracy, turned images and equivariance of the trained network ...", flush=True)
    network = _trained(problem, state)
    tested = images.test or images.validation or images.train
    log_p = classify_measures.log_probabilities(network, tested.images)
    watched = None
    if images.validation is not None:
        held = images.validation
        log_q = classify_measures.log_probabilities(network, held.images)
        watched = classify_measures.accuracy_record(log_q, held.labels)
    record = {
        "kind": c.kind,
        "version": __version__,
        "network": c.network.name,
        "group": c.group,
        "parameters": parameter_count(network),
        "epochs": c.optimiser.epochs,
        "precision": c.precision,
        "seed": c.seed,
        "data": data_record(problem.data),
        "learnt_from": len(images.train.labels),
        "tested_on": "test" if images.test else "validation" if images.validation else "train",
        "test": classify_measures.accuracy_record(log_p, tested.labels),
        "baseline": classify_measures.commonest_class(log_p, tested.labels, images.train.labels),
        "validation": watched,
        "classes": list(images.names),
        "confusion": classify_measures.confusion(log_p, tested.labels),
        "angles": classify_measures.by_angle(network, tested),
        "equivariance": classify_measures.equivariance(
            network, images.side, jax.random.fold_in(problem.key, 0)
        ),
    }
    if images.named and problem.data.classes is None:
        words = (
            f"the labels are not 0, 1, …: the classes are numbered in the order {', '.join(images.names[:8])}"
        )
        record["warnings"] = [caveat("data", words)]
    record["warnings"] = caveats.of_classifying(record)
    record["seconds"] = seconds()
    record["versions"] = versions()
    return Finished(
        record,
        lambda: _dataset(network, log_p, tested, history, record),
        headline(record),
        lambda folder: write_aside_with(folder.path / NETWORK, lambda aside: save_network(aside, network)),
    )


def _dataset(network: Any, log_p: np.ndarray, tested: Any, history: list[dict[str, Any]], record: Any) -> Any:
    """`result.nc` as an `xarray.Dataset`."""
    import xarray

    wrong = classify_measures.mistakes(log_p, tested)
    axes = {"wrong_images": ("wrong", "row", "column", "channel")}
    variables: dict[str, Any] = {
        "filters": (("filter", "element", "k0", "k1"), classify_measures.filters(network)),
        "log_probability": (("example", "class"), log_p.astype(np.float32)),
        "label": ("example", tested.labels),
    }
    variables |= {name: (axes.get(name, ("wrong",)), values) for name, values in wrong.items()}
    for name in SCHEMA.numbers:
        variables[name] = ("line", np.array([number_or_nan(line.get(name)) for line in history]))
    variables |= parameter_variables(network)
    title = f"{record['network']} on {record['group']}, {record['data']['name']}"
    return xarray.Dataset(variables, attrs={"title": title, "source": f"intertwine {__version__}"})
