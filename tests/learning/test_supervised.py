"""The supervised objective against finite differences, closed forms and scikit-learn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import (
    accuracy,
    class_probabilities,
    class_scores,
    confusion_matrix,
    predict,
)
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.supervised import Supervised
from intertwine.learning.supervised_fit import fit_supervised, supervised_study
from intertwine.learning.traces import count_traces
from intertwine.models.network import FunctionNetwork, Network
from thinned import thinned

ROWS, COLUMNS, CLASSES = 12, 3, 4


def _mlp(key, dropout=False):
    layers = [eqx.nn.Linear(COLUMNS, 5, key=key), eqx.nn.Lambda(jnp.tanh)]
    layers += [eqx.nn.Dropout(0.5)] if dropout else []
    return eqx.nn.Sequential([*layers, eqx.nn.Linear(5, CLASSES, key=jax.random.fold_in(key, 1))])


def _batch():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(ROWS, COLUMNS)), rng.integers(0, CLASSES, ROWS)
    return x, labels, rng.dirichlet(np.ones(CLASSES), ROWS), rng.normal(size=(ROWS, CLASSES))


OBJECTIVES = {
    "labels": (Supervised(), 1),
    "smoothed labels, decay": (Supervised(smoothing=0.2, decay=0.3), 1),
    "soft labels": (Supervised(smoothing=0.1), 2),
    "squared error": (Supervised("squared-error", decay=0.1), 3),
    "gaussian noise": (Supervised("squared-error", noise=0.7), 3),
}


@pytest.mark.parametrize("name", thinned(OBJECTIVES))
def test_gradient_against_finite_differences(name, key):
    objective, which = OBJECTIVES[name]
    data = _batch()
    batch = (jnp.asarray(data[0]), jnp.asarray(data[which]))
    network = Network.of(_mlp(key))
    gradient, _, scalars = objective.gradient(network, (), batch, key=key)
    flat, unravel = jax.flatten_util.ravel_pytree(eqx.filter(network, eqx.is_inexact_array))
    static = eqx.filter(network, eqx.is_inexact_array, inverse=True)

    @jax.jit
    @jax.vmap
    def value(parameters):
        return objective._value(eqx.combine(unravel(parameters), static), batch, key)[0]

    steps = 1e-6 * jnp.eye(len(flat))
    numeric = (value(flat + steps) - value(flat - steps)) / 2e-6
    np.testing.assert_allclose(jax.flatten_util.ravel_pytree(gradient)[0], numeric, atol=1e-8)
    assert scalars["loss"] == pytest.approx(objective.losses(network.outputs(batch[0]), batch[1]).mean())


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_loss_is_the_negative_log_likelihood(name, key):
    objective, which = OBJECTIVES[name]
    data = _batch()
    f = np.asarray(Network.of(_mlp(key)).outputs(jnp.asarray(data[0])))
    if objective.classifies:
        log_p = f - np.log(np.exp(f).sum(1, keepdims=True))
        target = np.eye(CLASSES)[data[1]] if which == 1 else data[2]
        target = (1 - objective.smoothing) * target + objective.smoothing / CLASSES
        expected = -(target * log_p).sum(1)
    else:
        squares = ((f - data[3]) ** 2).sum(1)
        sigma = objective.noise
        expected = squares / 2
        if sigma is not None:
            expected = squares / (2 * sigma**2) + CLASSES * np.log(sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(
        objective.losses(jnp.asarray(f), jnp.asarray(data[which])), expected, rtol=1e-12
    )


@pytest.mark.parametrize("name", ["labels", "squared error", "gaussian noise"])
def test_the_metric_is_the_fisher_matrix_of_the_outputs(name, key):
    """Jᵀ(diag p − ppᵀ)J, or JᵀJ/σ², averaged over the batch."""
    from intertwine.learning.log_derivatives import log_derivatives
    from intertwine.learning.supervised_fit import conditional

    objective, which = OBJECTIVES[name]
    data = _batch()
    network = Network.of(_mlp(key))
    model = conditional(network, objective, data[0])
    batch = (jnp.asarray(data[0]), jnp.asarray(data[which]))
    evaluation, _ = objective.evaluate(model, (), batch, key=key)
    metric = log_derivatives(model, evaluation.samples, evaluation.weights).metric()

    parameters, static = eqx.partition(network, eqx.is_inexact_array)
    flat, unravel = jax.flatten_util.ravel_pytree(parameters)
    outputs = lambda p: eqx.combine(unravel(p), static).outputs(batch[0])  # noqa: E731
    jacobian, f = np.asarray(jax.jacobian(outputs)(flat)), np.asarray(outputs(flat))
    if objective.classifies:
        p = np.exp(f) / np.exp(f).sum(1, keepdims=True)
        inner = np.einsum("bc,cd->bcd", p, np.eye(CLASSES)) - p[:, :, None] * p[:, None, :]
    else:
        inner = np.broadcast_to(np.eye(CLASSES) / (objective.noise or 1.0) ** 2, (ROWS, CLASSES, CLASSES))
    expected = np.einsum("bcp,bcd,bdq->pq", jacobian, inner, jacobian) / ROWS
    np.testing.assert_allclose(metric, expected, atol=1e-12)
    assert float(evaluation.estimate.mean) == pytest.approx(
        float(objective.losses(jnp.asarray(f), batch[1]).mean())
    )


# ------------------------------------------------------------------------------------------- the whole fit


def test_logistic_regression_reaches_the_optimum_of_scikit_learn(key):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, COLUMNS))
    y = (x @ rng.normal(size=(COLUMNS, 3)) + rng.normal(size=(200, 3))).argmax(1)
    decay = 0.02  # scikit-learn: ½‖w‖² + C Σ loss, C = 1/(n decay)
    peer = linear_model.LogisticRegression(C=1 / (200 * decay), tol=1e-12, max_iter=10_000).fit(x, y)
    optimiser = OptaxGradient(optax.sgd(0.5, momentum=0.95))
    fit = fit_supervised(
        eqx.nn.Linear(COLUMNS, 3, key=key),
        x,
        y,
        decay=decay,
        optimiser=optimiser,
        epochs=600,
        batch=200,
        key=key,
    )
    np.testing.assert_allclose(fit.model.weight, peer.coef_, atol=1e-6)
    np.testing.assert_allclose(class_probabilities(fit.model, x), peer.predict_proba(x), atol=1e-6)
    assert accuracy(fit.model, x, y) == peer.score(x, y)
    np.testing.assert_array_equal(predict(fit.model, x), peer.predict(x))


def test_regression_reaches_least_squares(key):
    x, _, _, y = _batch()
    optimiser = OptaxGradient(optax.sgd(0.3))
    linear = FunctionNetwork(lambda p, x: x @ p, jnp.zeros((COLUMNS, CLASSES)))
    fit = fit_supervised(
        linear, x, y, loss="squared-error", optimiser=optimiser, epochs=600, batch=ROWS, key=key
    )
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(fit.model.parameters, expected, atol=1e-8)


def test_natural_gradient_is_gauss_newton_and_fisher_scoring(key):
    """Linear least squares in one step of the exact Fisher matrix; softmax regression in a few."""
    x, labels, _, y = _batch()
    optimiser = NaturalGradient(learning_rate=1.0, shift=1e-10, max_norm=None)
    linear = FunctionNetwork(lambda p, x: x @ p, jnp.zeros((COLUMNS, CLASSES)))
    fit = fit_supervised(
        linear, x, y, loss="squared-error", optimiser=optimiser, epochs=1, batch=ROWS, key=key
    )
    np.testing.assert_allclose(fit.model.parameters, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-6)

    many, targets = np.tile(x, (2, 1)), np.concatenate([labels, (labels + 1) % CLASSES])  # not separable
    fit = fit_supervised(linear, many, targets, optimiser=optimiser, epochs=8, batch=2 * ROWS, key=key)
    batch = (jnp.asarray(many), jnp.asarray(targets))
    gradient, _, _ = Supervised().gradient(Network.of(fit.model), (), batch, key=key)
    assert max(float(jnp.abs(g).max()) for g in jax.tree.leaves(gradient)) < 1e-6
    assert fit.history[-1]["loss"] < fit.history[0]["loss"] == pytest.approx(np.log(CLASSES))


def _blobs(rows, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, rows)
    return (rng.normal(size=(rows, COLUMNS)) + 1.5 * np.eye(CLASSES, COLUMNS)[y]).astype(np.float32), y


def test_early_stopping_keeps_the_best_parameters(key):
    (x, y), held = _blobs(30, 0), _blobs(200, 1)
    wide = eqx.nn.MLP(COLUMNS, CLASSES, 64, 1, key=key)
    optimiser = OptaxGradient(optax.adam(0.03))
    fit = fit_supervised(
        wide, x, y, validation=held, patience=4, epochs=200, batch=10, optimiser=optimiser, key=key
    )
    losses = [row["validation_loss"] for row in fit.history]
    assert len(losses) < 200 and fit.best == int(np.argmin(losses)) + 1 == len(losses) - 4
    log_p = np.log(class_probabilities(fit.model, held[0]))
    assert -log_p[np.arange(200), held[1]].mean() == pytest.approx(min(losses), rel=1e-5)
    again = fit_supervised(
        wide, x, y, validation=held, epochs=fit.best, batch=10, optimiser=optimiser, key=key
    )
    same = jax.tree.map(
        lambda a, b: np.array_equal(a, b) if eqx.is_array(a) else True, fit.model, again.model
    )
    assert all(jax.tree.leaves(same))


def test_dropout_has_a_key_in_training_and_none_in_prediction(key):
    x, y = _blobs(64, 0)
    fit = fit_supervised(_mlp(key, dropout=True), x, y, epochs=2, batch=16, key=key)
    np.testing.assert_array_equal(class_scores(fit.model, x), class_scores(fit.model, x))
    objective, network = Supervised(), Network.of(fit.model)
    gradient = jax.jit(objective.gradient)
    losses = {
        float(gradient(network, (), (jnp.asarray(x), jnp.asarray(y)), key=k)[2]["loss"])
        for k in jax.random.split(key, 3)
    }
    assert len(losses) == 3


def test_scores_in_chunks_and_confusion(key):
    x, y = _blobs(37, 2)
    network = _mlp(key)
    whole = np.asarray(jax.vmap(network)(jnp.asarray(x, float)))
    for chunk in (1, 8, 64):
        np.testing.assert_allclose(class_scores(network, x, chunk=chunk), whole, atol=1e-12)
    table = confusion_matrix(network, x, y)
    assert table.sum() == 37 and np.trace(table) / 37 == pytest.approx(accuracy(network, x, y))
    np.testing.assert_array_equal(table.sum(1), np.bincount(y, minlength=CLASSES))


@pytest.mark.parametrize("labels", ["integers", "soft"])
def test_float32_float64_and_stored_bytes_learn_the_same(labels, key):
    x, y = _blobs(60, 3)
    y = np.eye(CLASSES)[y] if labels == "soft" else y
    bytes_ = np.clip(x * 20 + 100, 0, 255).astype(np.uint8)
    fits = [
        fit_supervised(_mlp(key), z, y, epochs=1, batch=20, key=key) for z in (bytes_, bytes_.astype(float))
    ]
    assert fits[0].history[0]["loss"] == pytest.approx(fits[1].history[0]["loss"], rel=1e-12)
    single = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_array(a) else a, _mlp(key))
    fit = fit_supervised(single, x, y, epochs=1, batch=20, key=key)
    assert all(a.dtype == jnp.float32 for a in jax.tree.leaves(eqx.filter(fit.model, eqx.is_array)))


def test_averaged_weights_and_history(key):
    x, y = _blobs(50, 4)
    seen = []
    fit = fit_supervised(
        _mlp(key),
        x,
        y,
        optimiser=WeightAverage(OptaxGradient(optax.sgd(0.1)), 0.9),
        validation=0.2,
        watch="accuracy",
        epochs=3,
        batch=10,
        key=key,
        progress=seen.append,
    )
    assert seen == fit.history and fit.state.step == 3 * 4
    wanted = {"epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"}
    assert set(fit.history[-1]) == wanted
    moved = jax.tree.leaves(eqx.filter(fit.state.model.module, eqx.is_array))
    kept = jax.tree.leaves(eqx.filter(fit.model, eqx.is_array))
    assert not all(np.array_equal(a, b) for a, b in zip(moved, kept, strict=True))


def test_a_second_fit_compiles_nothing(key):
    x, y = _blobs(40, 5)
    optimiser = OptaxGradient(optax.adam(1e-3))
    run = lambda: fit_supervised(  # noqa: E731
        _mlp(key), x, y, optimiser=optimiser, validation=0.25, epochs=1, batch=10, key=key
    )
    run()
    with count_traces() as traces:
        run()
    assert traces.compiled == 0, traces.compiled_names


X, Y = np.zeros((5, COLUMNS)), np.zeros(5, int)
BAD = {
    "no rows": ((X[:0], Y[:0]), {}, "x: expected at least one row"),
    "nan": ((np.where(np.eye(5, COLUMNS) > 0, np.nan, X), Y), {}, r"x: expected finite numbers, got nan at"),
    "one axis": ((X[0], Y), {}, "x: expected rows of columns"),
    "wrong width": ((X[:, :2], Y), {}, "model: expected a network of examples of shape"),
    "strings": ((X.astype(str), Y), {}, "x: expected an array of"),
    "no labels": ((X, None), {}, "y: expected labels"),
    "missing labels": ((X, np.full(5, np.nan)), {}, "y: expected finite numbers, got nan at row 0"),
    "fewer labels": ((X, Y[:3]), {}, "y: expected 5 rows"),
    "label too large": ((X, Y + CLASSES), {}, "y: expected labels from 0 to 3"),
    "negative label": ((X, Y - 1), {}, "y: expected labels from 0 to 3"),
    "fractional label": ((X, Y + 0.5), {}, "y: expected labels from 0 to 3"),
    "no probabilities": ((X, np.ones((5, CLASSES))), {}, "y: expected class probabilities"),
    "wrong values": ((X, X), {"loss": "squared-error"}, "y: expected 4 values per row"),
    "loss": ((X, Y), {"loss": "hinge"}, "loss: expected one of"),
    "smoothing": ((X, Y), {"smoothing": 1.0}, "smoothing: expected"),
    "decay": ((X, Y), {"decay": -1.0}, "decay: expected"),
    "noise": ((X, Y), {"noise": 0.0}, "noise: expected"),
    "epochs": ((X, Y), {"epochs": 0}, "epochs: expected a positive integer"),
    "batch": ((X, Y), {"batch": 0}, "batch: expected a positive integer"),
    "share": ((X, Y), {"validation": 1.0}, "validation: expected"),
    "validation kind": ((X, Y), {"validation": "all"}, "validation: expected"),
    "validation width": ((X, Y), {"validation": (X[:, :2], Y)}, r"validation\[0\]: expected"),
    "patience alone": ((X, Y), {"patience": 2}, "patience: expected None"),
    "watch": ((X, Y), {"watch": "f1"}, "watch: expected"),
    "key": ((X, Y), {"key": 3}, "key: expected a JAX random key"),
    "grey": ((X + 2, Y), {"binarise": True}, "data: expected probabilities"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case, key):
    data, options, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        fit_supervised(_mlp(key), *data, **({"key": key} | options))
    assert "\n" not in str(caught.value)


def test_what_is_no_network(key):
    for model in (3.0, lambda x: x, {"w": jnp.ones(2)}):
        with pytest.raises(InputError, match="model: expected a network with parameters"):
            fit_supervised(model, X, Y, key=key)
    with pytest.raises(InputError, match="at least two outputs"):
        fit_supervised(eqx.nn.Linear(COLUMNS, 1, key=key), X, Y, key=key)


def test_words_are_labels(key):
    """Any network takes words, numbered in their own order, and `fit.classes` says which is which."""
    x = np.linspace(-1, 1, 40)[:, None]
    words = ["warm" if v > 0 else "cold" for v in x[:, 0]]
    model = eqx.nn.Linear(1, 2, key=key)
    options = dict(epochs=20, batch=20, validation=(x, words), key=key)
    fit = fit_supervised(model, x, words, optimiser=OptaxGradient(optax.adam(0.1)), **options)
    assert fit.classes == ("cold", "warm") and fit.history[-1]["validation_accuracy"] > 0.9
    assert predict(fit.model, x[[0, -1]], classes=fit.classes).tolist() == ["cold", "warm"]
    assert accuracy(fit.model, x, words, classes=fit.classes) > 0.9
    assert confusion_matrix(fit.model, x, np.array(words), classes=fit.classes).trace() > 36
    for labels, classes, message in (
        (words, None, "labels 0, 1, … for a network that knows no names, got words such as 'cold'"),
        (["cold", "hot"] * 20, fit.classes, "labels among 'cold', 'warm', got 'hot'"),
    ):
        with pytest.raises(InputError, match=f"^y: expected {message}"):
            accuracy(fit.model, x, labels, classes=classes)
    with pytest.raises(InputError, match=r"^y: expected labels of 2 classes"):
        fit_supervised(model, x, ["cold", "warm", "hot", "mild"] * 10, key=key)


def test_whole_numbers_are_the_names_of_classes_that_have_such(key):
    """A network whose classes are called "1", "2" (labels of a file) is judged by those labels."""
    net = it.network_from_name("cnn:1", "p4", image_size=5, classes=("1", "2"), key=key)
    x, y = np.random.default_rng(0).normal(size=(6, 5, 5, 1)), np.array([1, 2, 1, 2, 1, 1])
    assert it.accuracy(net, x, y) == np.mean(it.predict(net, x) == y.astype(str))


def test_images_are_shown_anew_in_every_epoch(key):
    """By a function of one's own, or by name; the same twice; what changes the shape is refused."""
    x = np.random.default_rng(0).random((12, 5, 5, 1), np.float32)
    y, seen = np.arange(12) % 2, []
    net = eqx.nn.Sequential([eqx.nn.Lambda(jnp.ravel), eqx.nn.Linear(25, 2, key=key)])
    options = dict(epochs=3, batch=4, key=key)

    def shown(images, epoch):
        seen.append(epoch)
        return images * (1 + epoch)

    own = fit_supervised(net, x, y, augment=shown, **options)
    plain = fit_supervised(net, x, y, **options)
    assert seen == [0, 1, 2]
    assert own.history[0]["loss"] == plain.history[0]["loss"] != own.history[1]["loss"]
    assert own.history[1]["loss"] != plain.history[1]["loss"]
    for name in ("rotations", "deformations"):
        first, again = (fit_supervised(net, x, y, augment=name, **options) for _ in range(2))
        assert [row["loss"] for row in first.history] == [row["loss"] for row in again.history]
    with pytest.raises(InputError, match=r"^augment: expected a function that keeps the shape"):
        fit_supervised(net, x, y, augment=lambda images, epoch: images[:, :4], **options)
    with pytest.raises(InputError, match=r"^augment: expected one of 'none', 'rotations'"):
        fit_supervised(net, x, y, augment="blur", **options)


def test_each_class_is_held_out_by_its_share_and_a_fit_is_a_model(key):
    x = np.random.default_rng(0).normal(size=(100, COLUMNS))
    y = np.repeat([0, 1, 2, 3], [70, 10, 10, 10])
    study = supervised_study(_mlp(key), x, y, validation=0.2, key=key)
    assert np.bincount(study.held.y).tolist() == [14, 2, 2, 2]
    fit = fit_supervised(_mlp(key), x, y, validation=0.2, epochs=1, key=key)
    np.testing.assert_array_equal(class_scores(fit, x), class_scores(fit.model, x))
    further = fit_supervised(fit, x, y, epochs=1, key=key)
    assert np.isfinite(further.history[0]["loss"])
