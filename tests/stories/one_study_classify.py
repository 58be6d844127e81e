"""Rows of `test_one_study` of the command classify: `fit_supervised` on the same images."""

import tempfile
import warnings
from pathlib import Path

import jax
import numpy as np

import intertwine as it
from data.make_files import mnist_folder
from intertwine._caveats import Caveat

FLAGS = [
    "classify",
    "--network",
    "cnn:1",
    "--group",
    "p4",
    "--epochs",
    "3",
    "--batch",
    "200",
    "--patience",
    "1",
]
OF_AN_EPOCH = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")


def by_function(augment=None):
    data = it.data.load("digits")
    network_key, key = jax.random.split(jax.random.key(0))
    net = it.network_from_name("cnn:1", "p4", image_size=8, classes=10, dropout=0.1, key=network_key)
    fit = it.fit_supervised(
        net.reading_bytes(True), data.as_images(data.train), data.train_labels, epochs=3, batch=200,
        patience=1, validation=0.1, augment=augment, key=key,
    )  # fmt: skip
    of_epochs = {name: np.array([row[name] for row in fit.history]) for name in OF_AN_EPOCH}
    scores = it.class_scores(fit, data.as_images(data.test))
    return of_epochs | {"scores": scores, "best": np.array(fit.best)}


def from_folder(folder):
    run, data = it.load(folder), it.data.load("digits")
    of_epochs = {name: run.metrics[name] for name in OF_AN_EPOCH}
    scores = it.class_scores(run, data.as_images(data.test))
    return of_epochs | {"scores": scores, "best": np.array(run.result["best"])}


SPHERE = [
    "classify", "--data", "spherical-mnist:NR-R:4", "--space", "sphere:3", "--network", "zonal:2",
    "--epochs", "2", "--batch", "8",
]  # fmt: skip


def digits_on_the_sphere():
    folder = Path(tempfile.mkdtemp())
    mnist_folder(folder)
    return it.data.load("spherical-mnist:NR-R:4", folder=folder), folder


def on_the_sphere():
    data, _ = digits_on_the_sphere()
    network_key, key = jax.random.split(jax.random.key(0))
    space = "sphere:3:driscoll-healy:8x8"
    net = it.field_network("zonal:2", space, classes=10, dropout=0.1, key=network_key)
    fit = it.fit_supervised(
        net.reading_bytes(True), data.as_images(data.train), data.train_labels, epochs=2, batch=8,
        validation=0.1, key=key,
    )  # fmt: skip
    of_epochs = {name: np.array([row[name] for row in fit.history]) for name in OF_AN_EPOCH}
    return of_epochs | {"scores": it.class_scores(fit, data.as_images(data.test))}


def from_sphere_folder(folder):
    run, (data, _) = it.load(folder), digits_on_the_sphere()
    of_epochs = {name: run.metrics[name] for name in OF_AN_EPOCH}
    return of_epochs | {"scores": it.class_scores(run, data.as_images(data.test))}


GROUP = ["classify", "--data", "group:Z5", "--network", "quadratic:16", "--epochs", "200", "--data-seed", "3"]
LOOKS = ("loss", "accuracy", "validation_accuracy", "symmetry_error")


def of_a_group():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Caveat)
        fit = it.fit_group_table("Z5", "quadratic:16", epochs=200, seed=3, key=jax.random.key(0))
    return {name: np.array([row[name] for row in fit.history]) for name in LOOKS} | told(fit)


def from_group_folder(folder):
    run = it.load(folder)
    return {name: run.metrics[name] for name in LOOKS} | told(run)


def told(run):
    found = it.layers.emergent_symmetry(run)
    return {"energy": found.energy, "weights": found.weights, "left": np.asarray(run.model.left)}


ROWS = {
    "classify": (FLAGS, by_function, from_folder),
    "classify, a group": (GROUP, of_a_group, from_group_folder),
}
TURNED = {
    "classify, turned": (
        [*FLAGS, "--augment", "rotations+shifts"],
        lambda: by_function("rotations+shifts"),
        from_folder,
    ),
    "classify, on the sphere": (
        lambda: [*SPHERE, "--data-folder", str(digits_on_the_sphere()[1])],
        on_the_sphere,
        from_sphere_folder,
    ),
}
