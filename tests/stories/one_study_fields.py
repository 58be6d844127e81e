"""Rows of `test_one_study` of the command fields: `fit_fields` on the same arrays."""

import tempfile
from pathlib import Path

import jax
import numpy as np

import intertwine as it

NAMED = dict(inputs="a", targets="b", space="plane:5:p4")
OF_AN_EPOCH = ("loss", "rmse", "validation_loss", "validation_rmse", "learning_rate")
FILE = Path(tempfile.gettempdir()) / "one-study-fields.npz"


def flags():
    return ["fields", "--data", str(FILE), "--inputs", "a", "--targets", "b", "--space", "plane:5:p4",
            "--network", "product:1", "--epochs", "3", "--validation", "0.2"]  # fmt: skip


def written():
    x = np.random.default_rng(0).normal(size=(10, 5, 5))
    np.savez(FILE, a=x, b=x**2, units=["b=K"])
    return flags()


def by_function():
    fit = it.fit_fields("product:1", FILE, **NAMED, epochs=3, validation=0.2, key=jax.random.key(0))
    return of(fit.model, {name: np.array([row[name] for row in fit.history]) for name in OF_AN_EPOCH})


def from_folder(folder):
    run = it.load(folder)
    return of(run.model, {name: run.metrics[name] for name in OF_AN_EPOCH})


def of(model, columns):
    return columns | {"said": model.predict(it.data.load_fields(FILE)).values["b"]}


ROWS = {"fields": (written, by_function, from_folder)}
