"""The same settings and key give the same numbers by function and by command, bit by bit.

A row: the command's flags, what the function gives, what stands in the run folder, both as name → array.
"""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main


def arrays(history, *names):
    return {name: np.array([row[name] for row in history], float) for name in names}


CLASSIFY = ["--network", "cnn:1", "--group", "p4", "--epochs", "3", "--batch", "200", "--patience", "1"]
OF_AN_EPOCH = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")


def classify_by_function(augment=None):
    data = it.data.load("digits")
    network_key, key = jax.random.split(jax.random.key(0))
    net = it.network_from_name("cnn:1", "p4", image_size=8, classes=10, dropout=0.1, key=network_key)
    fit = it.fit_supervised(
        net.reading_bytes(True), data.as_images(data.train), data.train_labels, epochs=3, batch=200,
        patience=1, validation=0.1, augment=augment, key=key,
    )  # fmt: skip
    scores = it.class_scores(fit, data.as_images(data.test))
    return arrays(fit.history, *OF_AN_EPOCH) | {"scores": scores, "best": np.array(fit.best)}


def classify_by_folder(folder):
    run, data = it.load(folder), it.data.load("digits")
    of_epochs = {name: run.metrics[name] for name in OF_AN_EPOCH}
    scores = it.class_scores(run, data.as_images(data.test))
    return of_epochs | {"scores": scores, "best": np.array(run.result["best"])}


ROWS = {
    "classify": (["classify", *CLASSIFY], classify_by_function, classify_by_folder),
    "classify, turned": (
        ["classify", *CLASSIFY, "--augment", "rotations+shifts"],
        lambda: classify_by_function("rotations+shifts"),
        classify_by_folder,
    ),
}
"""name → (flags of the command, by the function, from the folder)."""


@pytest.mark.parametrize("name", ROWS)
def test_function_and_command_give_the_same_numbers(name, tmp_path, monkeypatch):
    flags, by_function, from_folder = ROWS[name]
    before = jax.config.jax_enable_x64
    try:
        assert main([*flags, "--out", str(tmp_path / "run")]) == 0
        found, expected = from_folder(tmp_path / "run"), by_function()  # in the precision of the command
    finally:
        jax.config.update("jax_enable_x64", before)
    assert found.keys() == expected.keys()
    for quantity, values in expected.items():
        np.testing.assert_array_equal(found[quantity], values, err_msg=quantity)
