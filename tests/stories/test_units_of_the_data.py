"""A run of standardised columns, and a network that read bytes, are taken in the units of their data."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.experiments.learn.trained import Trained
from intertwine.layers.networks.network_names import network_from_name
from intertwine.models.machines.rbm import RBM

KEY = jax.random.key(0)
OFFSET, SCALE = np.array([180.0, 70.0, -3.0]), np.array([10.0, 8.0, 0.5])
COMMON, OWN = np.random.default_rng(0).normal(size=(60, 1)), np.random.default_rng(1).normal(size=(60, 3))
CORRELATED = COMMON + 0.5 * OWN
ROWS = CORRELATED * SCALE + OFFSET
VOLUME = np.log(SCALE).sum()


def run_of(units="gaussian"):
    weights = jnp.asarray(np.random.default_rng(2).normal(size=(3, 2)))
    machine = RBM.from_parameters(jnp.zeros(3), jnp.zeros(2), weights, units=units, hidden_units="binary")
    log_z = it.log_partition(machine, it.Exact())
    result = {
        "units": units,
        "log_z": log_z._asdict() if hasattr(log_z, "_asdict") else dataclasses.asdict(log_z),
        "data": {"columns": 3},
        "log_likelihood": {"train": {"mean": -8.5}},
        "warnings": [],
    }
    return Trained(machine, None, {}, result, OFFSET, SCALE)


@pytest.fixture(scope="module")
def run():
    return run_of()


def by_hand(run, rows):
    """ln p of rows of the data by the sum over the hidden units."""
    x = (rows - OFFSET) / SCALE
    hidden = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    fields = np.asarray(run.model.weights, np.float64) @ hidden.T  # (3, 4)
    joint = x @ fields - (x**2).sum(1, keepdims=True) / 2
    log_z = np.logaddexp.reduce((fields**2).sum(0) / 2) + 1.5 * np.log(2 * np.pi)
    return np.logaddexp.reduce(joint, axis=1) - log_z - VOLUME


def test_likelihoods_are_densities_of_the_columns(run):
    found = it.log_likelihood(run, ROWS, run.log_z)
    assert abs(found.mean - by_hand(run, ROWS).mean()) < 1e-6
    alone = it.log_likelihood(run.model, (ROWS - OFFSET) / SCALE, run.log_z)
    assert abs(found.mean - (alone.mean - VOLUME)) < 1e-6 and abs(found.error - alone.error) < 1e-9
    whole, inside = it.pseudo_likelihood(run, ROWS), it.pseudo_likelihood(run.model, (ROWS - OFFSET) / SCALE)
    assert abs(whole.mean - (inside.mean - VOLUME)) < 1e-6


def test_rows_with_missing_entries_are_completed_in_place(run):
    found = it.complete(run, [[195.0, np.nan, np.nan]], chains=40, steps=500, key=KEY)
    assert found.mean[0, 0] == 195.0 and (found.draws[:, 0, 0] == 195.0).all()
    grid = np.linspace(30, 110, 401)
    rows = np.array([[195.0, a, b] for a in grid for b in np.linspace(-7, 1, 161)])
    p = np.exp(by_hand(run, rows))
    exact = (p[:, None] * rows).sum(0) / p.sum()
    assert np.abs(found.mean[0] - exact)[1:].max() < 0.15 * SCALE[1:].max()
    assert abs(found.mean[0, 1] - exact[1]) < 1.0 and abs(found.mean[0, 2] - exact[2]) < 0.07


def test_samples_and_clamped_values_are_rows_of_the_data(run):
    drawn = it.sample(run, 400, sampler=it.Gibbs(steps=20), key=KEY)
    inside = it.sample(run.model, 400, sampler=it.Gibbs(steps=20), key=KEY)
    np.testing.assert_allclose(np.asarray(drawn), np.asarray(inside) * SCALE + OFFSET)
    mask = np.array([False, True, False])
    for clamped in (([1], [78.0]), (mask, np.array([78.0])), (mask, np.array([0.0, 78.0, 0.0]))):
        held = it.sample(run, 40, sampler=it.Gibbs(steps=20, clamped=clamped), key=KEY)
        np.testing.assert_allclose(held[:, 1], 78.0, rtol=1e-5)


def test_learning_goes_on_with_rows_of_the_data(run):
    fit = it.learn(run, ROWS, epochs=1, batch=60, key=KEY)
    inside = it.learn(run.model, (ROWS - OFFSET) / SCALE, epochs=1, batch=60, key=KEY)
    np.testing.assert_array_equal(fit.model.weights, inside.model.weights)
    log_z = it.log_partition(fit, it.Exact())
    assert abs(it.log_likelihood(fit, ROWS, log_z).mean - by_hand(fit, ROWS).mean()) < 1.0
    with pytest.raises(it.InputError, match="data: expected columns of the means and widths"):
        it.learn(run, it.data.load(ROWS + 1, test_share=0), epochs=1, key=KEY)


def test_rows_that_are_standardised_already_are_told(run):
    with pytest.warns(it._caveats.Caveat, match="rows lie .* widths of a column .* not standardised"):
        it.log_likelihood(run, CORRELATED, run.log_z)


def test_what_would_lose_the_units_is_refused(run):
    with pytest.raises(it.InputError, match="model: expected a machine of columns as they are") as error:
        it.fine_tune(run, ROWS, np.arange(60) % 2, key=KEY)
    assert "array" not in str(error.value)


def test_a_run_shows_itself_in_a_line(run):
    assert repr(run) == f"Trained(RBM of 3 gaussian columns, ln Z {run.log_z.mean:.6g}, " + (
        "-8.5 nats a row of the rows learnt from)"
    )


def test_a_machine_is_no_classifier_and_no_spin_model(run):
    for ask in (it.predict, it.class_scores, it.class_probabilities):
        with pytest.raises(it.InputError, match="a network, which scores classes, got RBM;"):
            ask(run, ROWS)
    with pytest.raises(it.InputError, match=r"spins: expected configurations .* got RBM; draw from it"):
        it.rg.mcrg(run, samples=1000)
    with pytest.raises(it.InputError, match="model: expected a run that has a model"):
        it.sample(run._replace(model=None), 5, key=KEY)


IMAGES = np.random.default_rng(3).integers(0, 256, (12, 6, 6, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    made = network_from_name("cnn:1", group="p1", channels=1, classes=("a", "b", "c"), image_size=6, key=KEY)
    return made.reading_bytes(True)


def test_bytes_in_another_type_are_refused(network):
    expected = it.class_scores(network, IMAGES)
    np.testing.assert_allclose(it.class_scores(network, IMAGES / 255), expected, rtol=1e-5, atol=1e-6)
    for kind in (float, np.int64):
        with pytest.raises(it.InputError, match=r"x: expected bytes, or numbers of \[0, 1\].*x / 255"):
            it.predict(network, IMAGES.astype(kind))
        with pytest.raises(it.InputError, match=r"x: expected bytes, or numbers of \[0, 1\].*x / 255"):
            it.fit_supervised(network, IMAGES.astype(kind), np.arange(12) % 3, epochs=1, key=KEY)


def test_one_example_has_one_answer(network):
    every = it.class_scores(network, IMAGES)
    np.testing.assert_allclose(it.class_scores(network, IMAGES[3]), every[3], rtol=1e-5, atol=1e-6)
    label = it.predict(network, IMAGES[3])
    assert label == it.predict(network, IMAGES)[3] and np.ndim(label) == 0
    assert it.accuracy(network, IMAGES[3], str(label)) == 1.0
    with pytest.raises(it.InputError, match=r"rows of columns|examples of shape"):
        it.predict(network, np.zeros(5))
