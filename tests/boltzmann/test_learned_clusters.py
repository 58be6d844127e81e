"""Data of several modes: clusters apart are told from modes that rows lie between, and begun at."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.boltzmann.clusters import at_clusters, clusters
from intertwine.boltzmann.course import course
from intertwine.learning.batches import Batches
from intertwine.models.machines.product_mixture import ProductMixture
from intertwine.models.machines.unit_layer import UnitLayer

KEY = jax.random.key(0)


def of_clusters(count=4, columns=60, rows=600, noise=0.04, shares=None, seed=0):
    """(rows, middles): noisy copies of `count` random rows of bits."""
    rng = np.random.default_rng(seed)
    middles = rng.integers(0, 2, (count, columns))
    drawn = middles[rng.choice(count, rows, p=shares)] ^ (rng.random((rows, columns)) < noise)
    return drawn.astype(np.uint8), middles


def nearest(rows, middles):
    found = (np.asarray(rows)[:, None, :] != middles).sum(-1).argmin(1)
    return np.bincount(found, minlength=len(middles)) / len(rows)


def hidden_weights(machine):
    """(hidden configurations, their ln weight with the visible units summed)."""
    values = (-1, 1) if machine.hidden_units == "spin" else (0, 1)
    hidden = np.array(list(product(values, repeat=machine.hidden)), np.float32)
    fields = machine.visible_angles(hidden)
    level = np.asarray(machine.visible_layer.log_partition(fields), np.float64)
    return fields, hidden @ np.asarray(machine.hidden_bias, np.float64) + level


def log_z(machine):
    return np.logaddexp.reduce(hidden_weights(machine)[1])


@pytest.mark.parametrize("seed", [0, 1])
def test_clusters_apart_are_counted_with_their_shares(seed):
    rows, middles = of_clusters(shares=[0.1, 0.2, 0.3, 0.4], seed=seed)
    found = clusters(UnitLayer.of("binary", 60), Batches(rows)).apart
    assert found.count == 4
    own = nearest((np.asarray(found.fields) > 0).astype(int), middles)
    np.testing.assert_array_equal(own, 0.25)
    shares = np.sort(np.exp(np.asarray(found.log_shares)))
    np.testing.assert_allclose(shares, np.sort(nearest(rows, middles)), atol=1e-6)


def test_the_lobes_of_a_critical_magnet_are_not_apart():
    rows = np.asarray(it.sample(it.Ising(it.Square(8, 8), K=0.5 * np.log(1 + 2**0.5)), 800, key=KEY))
    found = clusters(UnitLayer.of("spin", 64), Batches(rows.reshape(-1, 64).astype(np.int8)))
    assert found is not None and found.apart is None


ALIKE = [
    pytest.param(*x, marks=pytest.mark.slow)
    for x in (("binary", "spin"), ("spin", "binary"), ("potts:3", "spin"))
]


@pytest.mark.parametrize(
    ("units", "hidden"), [("binary", "binary"), ("spin", "spin"), ("potts:3", "binary"), *ALIKE]
)
def test_learning_begins_at_the_mixture_of_the_clusters(units, hidden):
    """ln p of draws of the mixture, by enumeration of the hidden units."""
    rng = np.random.default_rng(0)
    middles = rng.integers(0, 3 if units == "potts:3" else 2, (3, 60))
    signs = 3.0 * np.eye(3)[middles].reshape(3, 180) if units == "potts:3" else 3.0 * middles - 1.5
    layer, fields = UnitLayer.of(units, signs.shape[1]), jnp.asarray(signs, jnp.float32)
    apart = ProductMixture(fields, jnp.log(jnp.array([0.2, 0.3, 0.5])), layer)
    machine = it.RBM(layer.size, 5, units=units, hidden_units=hidden, scale=0.0, key=KEY)
    machine = at_clusters(machine, apart)
    rows = apart.sample((50,), key=KEY)
    found = -np.asarray(machine.free_energy(rows)) - log_z(machine)
    np.testing.assert_allclose(found, np.asarray(apart.log_probability(rows)), atol=0.01)


@pytest.mark.slow
def test_too_few_hidden_units_begin_at_the_means_and_learn_more_slowly():
    rows, _ = of_clusters()
    few, enough = (it.RBM(60, m, units="binary", hidden_units="binary", key=KEY) for m in (3, 4))
    assert course(few, Batches(rows)).apart is None and course(few, Batches(rows)).rate == 0.02
    assert course(enough, Batches(rows)).apart.count == 4 and course(enough, Batches(rows)).rate == 0.05


@pytest.mark.slow
def test_clusters_of_few_columns_are_begun_at():
    """30 columns, 11 nats beyond independent columns: chains that do not jump gave one cluster 68% of 22%."""
    rows, middles = of_clusters(columns=30, rows=1000, noise=0.02, shares=[0.4, 0.3, 0.2, 0.1], seed=3)
    machine = it.RBM(30, 12, units="binary", hidden_units="binary", key=KEY)
    model = it.learn(machine, rows, epochs=60, key=KEY).model
    fields, weight = hidden_weights(model)
    cluster = np.abs((np.asarray(fields) > 0)[:, None] - middles).sum(-1).argmin(1)
    shares = np.bincount(cluster, np.exp(weight - np.logaddexp.reduce(weight)), minlength=4)
    wanted = nearest(rows, middles)
    assert (np.abs(shares - wanted) < 3 * np.sqrt(wanted * (1 - wanted) / len(rows))).all()
    assert it.log_likelihood(model, rows, it.log_partition(model, it.Exact())).warnings == ()
    few = it.RBM(30, 3, units="binary", hidden_units="binary", key=KEY)
    assert isinstance(course(few, Batches(rows)).method, it.PCD)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_clusters_are_learnt_with_their_shares_by_the_estimator(seed):
    """By default settings: the weight of the hidden configurations by enumeration, all of it in clusters."""
    rows, middles = of_clusters(columns=100, rows=1000, seed=seed)
    machine = it.BoltzmannMachine(8, n_iter=100, random_state=seed).fit(rows)
    fields, weight = hidden_weights(machine.model_)
    weight = np.exp(weight - np.logaddexp.reduce(weight))
    means = 1 / (1 + np.exp(-np.asarray(fields, np.float64)))
    away = np.abs(means[:, None] - middles).mean(-1)
    assert weight[away.min(1) > 0.15].sum() < 0.01
    shares = np.bincount(away.argmin(1), weight, minlength=4)
    wanted = nearest(rows, middles)
    assert (np.abs(shares - wanted) < 3 * np.sqrt(wanted * (1 - wanted) / len(rows))).all()
    source = 100 * (0.96 * np.log(0.96) + 0.04 * np.log(0.04)) - np.log(4)
    assert machine.score(of_clusters(columns=100, rows=2000, seed=seed)[0]) > source - 1.0


@pytest.mark.slow
def test_the_function_begins_there_too():
    rows, _ = of_clusters(columns=100, rows=1000)
    machine = it.RBM(100, 8, units="binary", hidden_units="binary", key=KEY)
    fit = it.learn(machine, rows, epochs=20, key=KEY)
    assert -float(np.mean(fit.model.free_energy(rows))) - log_z(fit.model) > -22.0  # columns alone: about −60
    again = it.learn(fit.model, rows, epochs=1, learning_rate=1e-6, key=KEY).model
    np.testing.assert_allclose(again.weights, fit.model.weights, atol=1e-3)  # what has learnt stays
