"""The RBM with a label unit against enumeration of its free energies and of its joint distribution."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import ExactKL
from intertwine.boltzmann.training.classifier import (
    Hybrid,
    LabelScores,
    labelled_rbm,
    learn_classifier,
    sample_given_label,
)
from intertwine.learning.labels.class_scores import accuracy, class_probabilities, predict
from intertwine.models.machines.rbm import RBM
from thinned import thinned

KINDS = {
    "binary": ("binary", "binary"),
    "spins": ("spin", "spin"),
    "mixed": ((("binary", 2), ("potts:2", 2)), "rectified"),
    "continuous": ("gaussian", "binary"),
}
ROWS, COLUMNS, CLASSES = 8, 4, 3


def _rbm(name, key):
    units, hidden_units = KINDS[name]
    return labelled_rbm(COLUMNS, CLASSES, 3, units=units, hidden_units=hidden_units, scale=0.5, key=key)


def _data(rbm, key):
    layer = LabelScores(rbm).input_layer
    x = np.asarray(layer.sample(jnp.zeros((ROWS, COLUMNS)), key=key))
    return x, np.arange(ROWS) % CLASSES


@pytest.mark.parametrize("name", KINDS)
def test_scores_are_free_energies(name, key):
    rbm = _rbm(name, key)
    x, y = _data(rbm, key)
    scores = LabelScores(rbm)
    every = np.concatenate([np.repeat(x, CLASSES, axis=0), np.tile(np.eye(CLASSES), (ROWS, 1))], axis=1)
    free = np.asarray(jax.jit(lambda m, v: m.free_energy(v))(rbm, every)).reshape(ROWS, CLASSES)
    expected = np.exp(-free) / np.exp(-free).sum(1, keepdims=True)
    np.testing.assert_allclose(class_probabilities(scores, x), expected, atol=1e-12)
    np.testing.assert_array_equal(predict(scores, x), expected.argmax(1))
    assert accuracy(scores, x, y) == (expected.argmax(1) == y).mean()


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (0.7, 0.3)])
def test_gradients_of_the_exact_likelihoods(weights, key):
    """∂ of discriminative ⟨−ln p(y|x)⟩ + generative ⟨−ln p(x, y)⟩ by differentiation of full sums."""
    rbm = _rbm("binary", key)
    x, y = _data(rbm, key)
    objective = Hybrid(*weights, kl=KL(ExactKL(), centred=False))
    batch = (jnp.asarray(x), jnp.asarray(y))
    compiled = eqx.filter_jit(objective.gradient)
    gradient, _, scalars = compiled(rbm, objective.init(rbm, key=key), batch, key=key)
    states = jnp.asarray(rbm.visible_layer.states(), float)
    joined = LabelScores(rbm).joined(*batch)

    def value(model):
        log_z = jax.nn.logsumexp(-model.free_energy(states))
        of_labels = jnp.stack(
            [-model.free_energy(joined.at[:, COLUMNS:].set(one)) for one in jnp.eye(CLASSES)], axis=1
        )
        log_y = jax.nn.log_softmax(of_labels)[jnp.arange(ROWS), y]
        log_xy = -model.free_energy(joined) - log_z
        return -(weights[0] * log_y + weights[1] * log_xy).mean()

    expected = eqx.filter_jit(eqx.filter_grad(value))(rbm)
    for ours, theirs in zip(jax.tree.leaves(gradient), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    loss = -np.log(class_probabilities(LabelScores(rbm), x)[np.arange(ROWS), y]).mean()
    assert float(scalars["loss"]) == pytest.approx(loss)


def _stripes(rows, seed):
    """Class c has bits 2c and 2c + 1 on with probability 0.9, the others with 0.1."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, rows)
    on = np.repeat(np.eye(CLASSES)[y], 2, axis=1) > 0
    return (rng.uniform(size=on.shape) < np.where(on, 0.9, 0.1)).astype(np.uint8), y


@pytest.mark.parametrize("weights", thinned([((1.0, 0.0),), ((0.0, 1.0),), ((1.0, 0.1),)]))
def test_it_learns_classes(weights, key):
    (x, y), held = _stripes(400, 0), _stripes(400, 1)
    rbm = labelled_rbm(6, CLASSES, 8, key=key)
    fit = learn_classifier(
        rbm,
        x,
        y,
        discriminative=weights[0],
        generative=weights[1],
        epochs=60,
        batch=20,
        validation=held,
        key=key,
    )
    best = fit.history[fit.best - 1]
    on = np.repeat(np.eye(CLASSES), 2, axis=1) > 0  # Bayes: the sum over the bits of each class
    bayes = (np.argmax(held[0] @ on.T.astype(int), axis=1) == held[1]).mean()
    assert best["validation_accuracy"] > bayes - 0.03
    assert accuracy(LabelScores(fit.model), *held) == pytest.approx(best["validation_accuracy"])


def test_examples_of_a_class(key):
    """p(x|y) of chains with the label clamped, against enumeration: four standard errors."""
    rbm = labelled_rbm(COLUMNS, CLASSES, 3, scale=1.0, key=key)
    chains = 2000
    drawn = sample_given_label(rbm, np.full(chains, 2), steps=200, key=key)
    x = np.asarray(drawn)[:, :COLUMNS]
    states = jnp.asarray(rbm.visible_layer.states(), float)
    mine = states[states[:, -1] == 1]
    p = np.asarray(jax.nn.softmax(-rbm.free_energy(mine)))
    mean = p @ np.asarray(mine)[:, :COLUMNS]
    error = np.sqrt(mean * (1 - mean) / chains)
    assert (np.abs(x.mean(0) - mean) < 4 * error).all()
    assert (np.asarray(drawn)[:, COLUMNS:] == [0, 0, 1]).all()


BAD = {
    "grey": ((np.full((4, 4), 0.5), [0, 1, 2, 0]), {}, "x: expected values of binary units"),
    "nan": ((np.full((4, 4), np.nan), [0, 1, 2, 0]), {}, "x: expected finite numbers"),
    "no rows": ((np.zeros((0, 4)), []), {}, "x: expected at least one row"),
    "width": ((np.zeros((4, 5)), [0, 1, 2, 0]), {}, "x: expected rows of 4 columns"),
    "label": ((np.zeros((4, 4)), [0, 1, 3, 0]), {}, "y: expected labels from 0 to 2"),
    "no labels": ((np.zeros((4, 4)), None), {}, "y: expected labels"),
    "no objective": (
        (np.zeros((4, 4)), [0, 1, 2, 0]),
        {"discriminative": 0, "generative": 0},
        "generative: ",
    ),
    "negative": ((np.zeros((4, 4)), [0, 1, 2, 0]), {"discriminative": -1}, "discriminative: expected"),
    "method": ((np.zeros((4, 4)), [0, 1, 2, 0]), {"method": 3}, "method: expected"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case, key):
    data, options, message = BAD[case]
    with pytest.raises(InputError, match=message):
        learn_classifier(_rbm("binary", key), *data, key=key, **options)


def test_machines_without_a_label(key):
    for rbm in (RBM(4, 2, units="binary", key=key), RBM(3, 2, units="potts:3", key=key), 3):
        with pytest.raises(InputError, match="rbm: expected an RBM"):
            LabelScores(rbm)
    with pytest.raises(InputError, match="classes: expected"):
        labelled_rbm(4, 1, 2, key=key)
    with pytest.raises(InputError, match="labels: expected labels from 0 to 2"):
        sample_given_label(_rbm("binary", key), [3], key=key)
