"""Stacks unrolled as networks: the same means, labels and values learned, dropout, further inputs."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.training.deep_belief import learn_deep_belief
from intertwine.boltzmann.training.fine_tune import FeedForward, beside, fine_tune
from intertwine.boltzmann.training.stack import upward_layers
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import accuracy, class_scores
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from thinned import thinned

FAST = OptaxGradient(optax.adam(0.02))


def xor(rows=200, seed=0):
    """Parity of three bits, with two bits of noise beside them."""
    x = np.random.default_rng(seed).integers(0, 2, (rows, 5)).astype(np.uint8)
    return x, x[:, :3].sum(1) % 2


def network(seed=0, hidden_units="binary", scale=1.0):
    return DBN((5, 12, 8), hidden_units=hidden_units, scale=scale, key=jax.random.key(seed))


@pytest.mark.parametrize("units", thinned(["binary", "spin", "rectified"]))
def test_features_are_the_recognition_means(units, key):
    dbn = network(hidden_units=units)
    net = FeedForward((*dbn.recognition, *upward_layers([dbn.top])), 3)
    x = xor()[0][:6]
    expected = jax.jit(DBN.recognition_means)(dbn, jnp.asarray(x))[-1]
    found = jax.jit(FeedForward.features)(net, jnp.asarray(x, float))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert net(jnp.asarray(x[0], float)).tolist() == [0, 0, 0]


def test_labels_are_learned_and_the_best_epoch_is_kept(key):
    x, y = xor()
    test = xor(seed=1)
    settings = {"epochs": 60, "batch": 20, "optimiser": FAST, "key": key}
    fit = fine_tune(network(), x, y, validation=test, watch="accuracy", **settings)
    assert accuracy(fit.model, *test) == 1
    assert fit.model.head.outputs == 2
    assert fit.best <= len(fit.history)


def test_values_are_learned(key):
    x, _ = xor()
    y = np.stack([x[:, 0] - 2.0 * x[:, 1], x[:, 2] * 1.0], axis=1)
    fit = fine_tune(network(), x, y, loss="squared-error", epochs=60, batch=20, optimiser=FAST, key=key)
    assert fit.history[-1]["loss"] < 0.05 < fit.history[0]["loss"]


def test_layers_of_every_source_give_the_same_network(key):
    first = RBM(5, hidden=4, units="binary", hidden_units="binary", key=key)
    second = RBM(4, hidden=3, units="binary", hidden_units="binary", key=key)
    x, y = xor()
    settings = {"epochs": 5, "batch": 50, "optimiser": FAST, "key": key}
    fits = [
        fine_tune(source, x, y, **settings)
        for source in ([first, second], DBN.from_rbms([first, second]), upward_layers([first, second]))
    ]
    scores = [class_scores(fit.model, x) for fit in fits]
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])
    more = fine_tune(fits[0].model, x, y, **settings)
    assert more.history[0]["loss"] < fits[0].history[0]["loss"]


def test_dropout_is_in_learning_only(key):
    dbn = network()
    x = jnp.ones(5)
    inner = FeedForward(dbn.recognition, 2, dropout=0.5)
    drawn = jax.vmap(lambda k: inner._hidden(x, k))(jax.random.split(key, 4000))
    mean = np.asarray(inner.features(x))
    error = mean / np.sqrt(4000)  # a unit is 0 or twice itself
    assert (np.abs(drawn.mean(0) - mean) < 4 * error).all()
    assert set(np.unique(np.round(np.asarray(drawn[:, 0]) / mean[0], 6))) == {0.0, 2.0}


def test_extra_inputs_stand_beside_the_data(key):
    """A layer whose second block of weights reads the answer."""
    x, y = xor()
    weights = jnp.concatenate([jnp.zeros((5, 2)), 9 * jnp.eye(2)])
    layer = DirectedLayer(weights, -4.5 * jnp.ones(2), UnitLayer.of("binary", 2))
    extra = np.eye(2)[y]
    held = (x[:20], y[:20], extra[:20])
    settings = {"epochs": 20, "batch": 20, "optimiser": FAST, "key": key}
    fit = fine_tune([layer], x, y, extra=extra, validation=held, **settings)
    assert accuracy(fit.model, beside(x, extra), y) == 1
    assert fit.history[-1]["validation_accuracy"] == 1


@pytest.mark.slow
def test_fine_tuned_digits_beat_a_random_start(key):
    """scikit-learn's digits (8 × 8), 1,000 of them unlabelled, 100 labelled: the trained stack knows more."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    labels, test = slice(1000, 1100), slice(1100, None)
    dbn = DBN((64, 80, 64), dtype="float32", scale=0.05, key=key)
    fit = learn_deep_belief(dbn, x[:1000], epochs=25, batch=25, refresh=5, binarise=True, key=key)
    settings = {"epochs": 60, "batch": 20, "optimiser": OptaxGradient(optax.adam(3e-3)), "key": key}
    tuned = fine_tune(fit.model, x[labels], y[labels], **settings)
    untrained = fine_tune(dbn, x[labels], y[labels], **settings)
    scores = [accuracy(f.model, x[test], y[test]) for f in (tuned, untrained)]
    assert scores[0] > 0.78 and scores[0] > scores[1] + 0.15


BAD = {
    "no machine": (lambda k: fine_tune(3, *xor(), key=k), "model"),
    "bytes": (lambda k: fine_tune(network(), xor()[0] * 255, xor()[1], key=k), "x"),
    "columns": (lambda k: fine_tune(network(), xor()[0][:, :4], xor()[1], key=k), "x"),
    "extra": (lambda k: fine_tune(network(), *xor(), extra=np.ones((3, 1)), key=k), "extra"),
    "labels missing": (lambda k: fine_tune(network(), xor()[0], np.full(200, np.nan), key=k), "y"),
    "no labels": (lambda k: fine_tune(network(), xor()[0], None, key=k), "y"),
    "dropout": (lambda k: fine_tune(network(), *xor(), dropout=1.0, key=k), "dropout"),
    "no layers": (lambda k: FeedForward([], 2), "layers"),
    "layers": (lambda k: FeedForward((network().recognition[0],) * 2, 2), "layers[1]"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, key):
    call, argument = BAD[case]
    with pytest.raises(InputError, match=argument.replace("[", r"\[")) as caught:
        call(key)
    assert "\n" not in str(caught.value)
