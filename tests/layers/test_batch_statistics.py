"""Batch norms keep their statistics: predictions never depend on what else is in the batch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine.layers import BatchNorm, Conv, GlobalPool, Pointwise, parameter_count, train_outputs
from intertwine.layers.norms.calibration import batch_norms, with_batch_norms
from intertwine.layers.norms.normalisation import Statistics
from intertwine.learning.averaging import WeightAverage

KEY = jax.random.key(3)
NETWORKS = {"cnn:2": "p4m", "z2cnn": None, "p4cnn": None, "p4mcnn": None, "e2:1": "c4", "unet:1": "p4"}
SIZE, CLASSES = 7, 3


def images(rows, seed=0):
    """Three kinds of small pictures, a bar, a corner and a point, turned by any quarter, with noise."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((3, SIZE, SIZE))
    drawn[0, 1:6, 3] = drawn[1, 3, 3:6] = drawn[1, 3:6, 3] = 1
    drawn[2, 3, 3] = 3
    labels = np.arange(rows) % CLASSES
    turned = [np.rot90(drawn[c], rng.integers(4)) for c in labels]
    x = np.array(turned) * rng.uniform(0.5, 2, (rows, 1, 1)) + 0.05 * rng.normal(size=(rows, SIZE, SIZE))
    return x[..., None].astype(np.float32), labels


def network(dtype=jnp.float32):
    options = dict(image_size=SIZE, classes=CLASSES, dropout=0.1, dtype=dtype)
    return it.network_from_name("cnn:2", "p4", **options, key=KEY)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * name.startswith("e2")) for name in NETWORKS]
)
def test_one_by_one_is_in_batches_of_any_mixture(name):
    size = 12 if name.startswith("e2") else 7
    net = it.network_from_name(name, NETWORKS[name], image_size=size, classes=3, dtype=jnp.float32, key=KEY)
    rng = np.random.default_rng(0)
    kept = []
    for norm in batch_norms(net):
        mean, variance = rng.normal(size=norm.shift.shape), rng.uniform(0.5, 2, norm.scale.shape)
        kept.append(norm.with_statistics(Statistics(mean.astype(np.float32), variance.astype(np.float32))))
    net = with_batch_norms(net, kept)
    x = rng.normal(1, 2, (4, size, size, 1)).astype(np.float32)
    one = it.class_scores(net, x, chunk=1)
    many = it.class_scores(net, x)
    mixed = it.class_scores(net, np.concatenate([x[2:], 100 * x[:2]]))[:2]
    scale = max(1, np.abs(many).max())
    assert np.isfinite(scale) and np.ptp(many) > 0
    assert np.abs(one - many).max() < 1e-6 * scale
    assert np.abs(mixed - many[2:]).max() < 1e-6 * scale


@pytest.fixture(scope="module")
def fitted():
    x, labels = images(120)
    adamw = it.OptaxGradient(optax.adamw(1e-2, weight_decay=0.1))
    options = dict(batch=24, validation=images(60, 1), optimiser=adamw, key=KEY)
    return it.fit_supervised(network(), x, labels, epochs=12, **options), options


@pytest.mark.slow
def test_training_keeps_statistics_that_predict(fitted, tmp_path):
    fit, options = fitted
    test, labels = images(30, 2)
    assert fit.history[-1]["validation_accuracy"] > 0.95
    assert it.accuracy(fit.model, test, labels) > 0.95
    assert it.accuracy(fit.model, test, labels, chunk=1) == it.accuracy(fit.model, test, labels)

    # saved, loaded, the same bit by bit; and called by itself, without modes
    it.layers.save_network(tmp_path / "net", fit.model)
    loaded = it.layers.load_network(tmp_path / "net")
    assert np.array_equal(it.class_scores(loaded, test), it.class_scores(fit.model, test))
    np.testing.assert_allclose(loaded(test[0]), it.class_scores(fit.model, test)[0], rtol=1e-4, atol=1e-5)

    # learning goes on from there, with dropout and the statistics of now, also from a network at rest
    resting = eqx.nn.inference_mode(loaded)
    further = it.fit_supervised(resting, *images(120), epochs=2, **options)
    assert min(row["validation_accuracy"] for row in further.history) > 0.95
    before, after = (batch_norms(m)[0].statistics.mean for m in (loaded, further.model))
    assert float(jnp.abs(before - after).max()) > 0


@pytest.mark.slow
def test_dropout_does_not_shift_what_is_predicted():
    """Whole features dropped before a batch norm widen what it sees in training: predictions go without."""
    light = np.repeat([0.5, -0.5], 40)
    pictures = light[:, None, None, None] + np.random.default_rng(0).normal(size=(80, 9, 9, 1))
    net = it.network_from_name("cnn:4", "p4", image_size=9, classes=2, dropout=0.3, key=KEY)
    fit = it.fit_supervised(net, pictures, (light > 0).astype(int), epochs=60, batch=20, key=KEY)
    assert fit.history[-1]["accuracy"] > 0.85
    assert it.accuracy(fit.model, pictures, (light > 0).astype(int)) > 0.95  # running means: 0.75


@pytest.mark.slow
def test_statistics_are_no_parameters(fitted):
    fit, _ = fitted
    learned = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(fit.model, eqx.is_inexact_array)))
    assert it.count_parameters(fit.model) == parameter_count(fit.model) == learned
    assert it.count_parameters(fit.model) == it.count_parameters(network())
    # decay of everything that learns leaves the statistics alone
    decayed = it.fit_supervised(
        fit.model,
        *images(24),
        epochs=1,
        batch=24,
        optimiser=it.OptaxGradient(optax.chain(optax.add_decayed_weights(1.0), optax.sgd(0.5))),
        key=KEY,
    )
    found = [float(norm.statistics.variance.min()) for norm in batch_norms(decayed.model)]
    assert min(found) > 0
    assert (
        int(batch_norms(decayed.state.model.module)[0].running.batches)
        == int(batch_norms(fit.model)[0].running.batches) + 1
    )


def test_running_means_are_those_of_the_batches():
    """w = max(0.1, 2/(t + 2)), on a layer whose input no parameter moves."""
    grid = it.Grid("p4")
    norm = BatchNorm(grid.scalar)
    batches = np.random.default_rng(0).normal(2, 3, (30, 4, 5, 1))
    mean, variance = 0.0, 1.0
    for t, x in enumerate(batches):
        _, norm = train_outputs(norm, jnp.asarray(x))
        w = max(0.1, 2 / (t + 2))
        mean, variance = (1 - w) * mean + w * x.mean(), (1 - w) * variance + w * x.var(ddof=1)
    np.testing.assert_allclose(norm.statistics.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(norm.statistics.variance, variance, rtol=1e-12)


class Own(eqx.Module):
    """A module of one example, as one writes it oneself."""

    conv: Conv
    norm: BatchNorm
    relu: Pointwise
    pool: GlobalPool

    def __init__(self):
        grid = it.Grid("p4")
        self.conv = Conv(grid, grid.scalar, 3 * grid.scalar, 3, key=KEY)
        self.norm, self.relu = BatchNorm(3 * grid.scalar), Pointwise(3 * grid.scalar)
        self.pool = GlobalPool(grid, 3 * grid.scalar)

    def __call__(self, x):
        return self.pool(self.relu(self.norm(self.conv(x)))).reshape(3)


@pytest.mark.slow
@pytest.mark.usefixtures("optimised")
def test_a_module_of_ones_own_learns_with_the_batch_and_predicts_without():
    x, _ = images(12)
    outputs, moved = train_outputs(Own(), jnp.asarray(x, float))
    own = Own()
    normalised, _ = own.norm.normalised(own.conv(jnp.asarray(x, float)))
    np.testing.assert_allclose(outputs, own.pool(own.relu(normalised)), atol=1e-12)
    one, many = it.class_scores(moved, x, chunk=1), it.class_scores(moved, x)
    np.testing.assert_allclose(one, many, atol=1e-12)
    fit = it.fit_supervised(own, *images(60), epochs=1, batch=20, key=KEY)
    assert int(fit.state.model.module.norm.running.batches) == 3


@pytest.mark.slow
@pytest.mark.usefixtures("optimised")
def test_averaged_parameters_have_statistics_of_their_own():
    x, labels = images(60)
    optimiser = WeightAverage(it.OptaxGradient(optax.adam(1e-2)), 0.9)
    fit = it.fit_supervised(Own(), x, labels, epochs=2, batch=20, optimiser=optimiser, key=KEY)
    expected = it.layers.calibrated(fit.model, jnp.asarray(x, float), batch=60).norm.statistics
    np.testing.assert_allclose(fit.model.norm.statistics.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(fit.model.norm.statistics.variance, expected.variance, rtol=0.1)


def test_a_network_changed_as_a_whole_is_told():
    half = jax.tree.map(lambda a: a / 2 if eqx.is_array(a) else a, Own())
    with pytest.raises(it.InputError, match=r"statistics.*is_inexact_array"):
        half(jnp.ones((SIZE, SIZE, 1)))


def test_half_precision_stays(key):
    norm = BatchNorm(2 * it.Grid("p4").scalar, dtype=jnp.float32)
    x = 300 * jax.random.normal(key, (50, 2), jnp.float16)
    y, statistics = norm.normalised(x)
    assert y.dtype == norm(x).dtype == jnp.float16
    assert np.isfinite(np.asarray(statistics.variance)).all() and float(y.var()) == pytest.approx(1, abs=0.05)
