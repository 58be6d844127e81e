"""Rows of `test_one_study`: machines that learn by `it.learn` and by the command `learn`."""

import jax
import numpy as np

import intertwine as it
from intertwine.models.parameters import parameters

FEW = ["--rows", "120", "--samples", "400", "--sample-steps", "5"]


def by_function(name, seed=0, **settings):
    data = it.data.load("ising:3", rows=120)
    return parts(it.learn(name, data, key=jax.random.key(seed), **settings).model)


def of_objects():
    """A machine of one's own, as the name stands for it."""
    data, (own, key) = it.data.load("ising:3", rows=120), jax.random.split(jax.random.key(0))
    machine = it.RBM(9, hidden=4, units=data.units, hidden_units="binary", scale=0.01, key=own)
    return parts(it.learn(machine, data, epochs=4, begin="data", key=key).model)


def parts(model):
    leaves = jax.tree.leaves_with_path(parameters(model))
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def row(name, settings, flags, seed=0):
    command = ["learn", "--data", "ising:3", "--model", name, *FEW, *flags]
    function = lambda: by_function(name, seed, **settings)  # noqa: E731
    return command, function, lambda folder: parts(it.load(folder).model)


BY_DEFAULT = {"learn, rbm, no setting": row("rbm:4", {}, ["--seed", "3"], 3)}
"""A thousand passes over the rows."""
ROWS = {
    "learn, rbm": row("rbm:4", {"epochs": 20}, ["--seed", "3", "--epochs", "20"], 3),
    "learn, dbm": row("dbm:4-3", {"epochs": 2, "layer_epochs": 3}, ["--epochs", "2", "--layer-epochs", "3"]),
    "learn, dbn": row("dbn:4-9", {"epochs": 2}, ["--epochs", "2"]),
    "learn, a machine given": (row("rbm:4", {}, ["--epochs", "4"])[0], of_objects,
                               lambda folder: parts(it.load(folder).model)),
}  # fmt: skip
