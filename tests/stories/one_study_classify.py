"""Rows of `test_one_study` of the command classify: `fit_supervised` on the same images."""

import jax
import numpy as np

import intertwine as it

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


ROWS = {"classify": (FLAGS, by_function, from_folder)}
TURNED = {
    "classify, turned": (
        [*FLAGS, "--augment", "rotations+shifts"],
        lambda: by_function("rotations+shifts"),
        from_folder,
    ),
}
