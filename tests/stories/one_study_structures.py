"""Rows of `test_one_study` of the command fields on structures: `fit_structures` on the same file."""

import tempfile
from pathlib import Path

import jax
import numpy as np

import intertwine as it
from learning.pair_network import clusters

FILE = Path(tempfile.gettempdir()) / "one-study-structures.xyz"
OF_AN_EPOCH = ("loss", "forces_error", "validation_loss", "validation_energy_error", "learning_rate")
NETWORK = dict(layers=1, space="points:3.0", epochs=3, batch=3, validation=0.2)


def written():
    clusters(12, sizes=(4, 6), species=(1, 8)).to_file(FILE)
    return [
        "fields", "--data", str(FILE), "--targets", "energy,forces", "--network", "painn:2", "--layers", "1",
        "--space", "points:3.0", "--epochs", "3", "--batch", "3", "--validation", "0.2", "--test-share", "0",
    ]  # fmt: skip


def by_function():
    fit = it.fit_structures("painn:2", FILE, targets="energy,forces", **NETWORK, key=jax.random.key(0))
    return of(fit.model, {name: np.array([row[name] for row in fit.history]) for name in OF_AN_EPOCH})


def from_folder(folder):
    run = it.load(folder)
    return of(run.model, {name: run.metrics[name] for name in OF_AN_EPOCH})


def of(model, columns):
    return columns | {"forces": model.forces(FILE)}


ROWS = {"fields, structures": (written, by_function, from_folder)}
