"""Whole networks as plain convolutions, and labels at every place."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine.layers import BatchNorm, Conv, Dropout, PlainConv, export
from intertwine.layers.norms.calibration import batch_norms, with_batch_norms
from intertwine.layers.norms.normalisation import Statistics
from thinned import thinned

KEY = jax.random.key(5)


def _trained(net):
    """Random parameters and statistics, so that zeros and ones hide nothing."""
    rng = np.random.default_rng(0)
    net = jax.tree.map(lambda a: a + 0.1 * rng.normal(size=a.shape) if eqx.is_inexact_array(a) else a, net)
    kept = [
        norm.with_statistics(
            Statistics(
                jnp.asarray(rng.normal(size=norm.shift.shape)),
                jnp.asarray(rng.uniform(0.5, 2, norm.scale.shape)),
            )
        )
        for norm in batch_norms(net)
    ]
    return with_batch_norms(net, kept)


NETWORKS = {
    "cnn": lambda: it.network_from_name("cnn:1", "p4", image_size=9, classes=3, key=KEY),
    "hexagonal": lambda: it.network_from_name("cnn:1", "p6", image_size=9, classes=3, key=KEY),
    "unet": lambda: it.network_from_name(
        "unet:1", "p4m", channels="vector", image_size=8, classes="scalar + vector", key=KEY
    ),
}


@pytest.mark.parametrize("name", thinned(NETWORKS))
def test_an_exported_network_is_the_network(name):
    net = _trained(NETWORKS[name]())
    plain = export(net)
    size = 8 if name == "unet" else 9
    x = np.random.default_rng(1).normal(size=(3, size, size, net.rep_in.dimension))
    run = eqx.filter_jit(lambda net, x: net.outputs(x))
    np.testing.assert_allclose(run(plain, x), run(net, x), atol=1e-10)
    layers = jax.tree.leaves(plain, is_leaf=lambda leaf: isinstance(leaf, eqx.Module) and leaf is not plain)
    leaves = jax.tree.leaves(
        plain, is_leaf=lambda leaf: isinstance(leaf, Conv | BatchNorm | Dropout | PlainConv)
    )
    assert layers and not any(isinstance(leaf, Conv | BatchNorm | Dropout) for leaf in leaves)
    assert sum(isinstance(leaf, PlainConv) for leaf in leaves) >= 5


def test_one_layer_is_a_convolution_of_any_library():
    layer = Conv(it.Grid("p4"), "scalar", "regular", 3, padding="same", key=KEY)
    plain = export(layer)
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 1))
    numbers = ("NHWC", "HWIO", "NHWC")
    expected = jax.lax.conv_general_dilated(x, plain.kernel, (1, 1), "SAME", dimension_numbers=numbers)
    np.testing.assert_allclose(layer(x), expected + plain.bias, atol=1e-12)
    with pytest.raises(it.InputError, match="network: expected a Sequential"):
        export(lambda x: x)


def _shapes(rows, seed):
    """Pictures with one bright square, and for each pixel whether it belongs to it."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((rows, 8, 8), int)
    for picture, (i, j) in zip(mask, rng.integers(0, 5, (rows, 2)), strict=True):
        picture[i : i + 3, j : j + 3] = 1
    return (mask[..., None] + 0.1 * rng.normal(size=(rows, 8, 8, 1))).astype(np.float32), mask


@pytest.mark.slow
def test_segmentation():
    """A class for each pixel: the loss is the mean cross-entropy of pixels, and a U-Net learns it."""
    x, y = _shapes(40, 0)
    net = it.network_from_name("unet:1", "p4", classes="2 scalar", image_size=8, dtype=jnp.float32, key=KEY)
    scores = it.class_scores(net, x[:3])
    assert scores.shape == (3, 8, 8, 2) and it.predict(net, x[:3]).shape == (3, 8, 8)
    log_p = jax.nn.log_softmax(scores)
    expected = -np.take_along_axis(np.asarray(log_p), y[:3, ..., None], axis=-1)[..., 0].mean((1, 2))
    losses = it.Supervised().losses(jnp.asarray(scores.reshape(3, -1)), jnp.asarray(y[:3]))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    fit = it.fit_supervised(
        net, x, y, epochs=8, batch=10, validation=_shapes(20, 1),
        optimiser=it.OptaxGradient(optax.adam(1e-2)), key=KEY,
    )  # fmt: skip
    assert fit.history[-1]["validation_accuracy"] > 0.95
    test, truth = _shapes(10, 2)
    assert it.accuracy(fit.model, test, truth) > 0.95
    assert it.confusion_matrix(fit.model, test, truth).sum() == truth.size
    with pytest.raises(it.InputError, match="y: expected labels from 0 to 1"):
        it.fit_supervised(net, x, 2 * y, key=KEY)
    with pytest.raises(it.InputError, match="y: expected"):
        it.fit_supervised(net, x, y[:, :4], key=KEY)
