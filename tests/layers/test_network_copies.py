"""Networks are copied, pickled and averaged; types by name; errors that say what to do."""

import copy
import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers import (
    AveragePool,
    Conv,
    Gated,
    GlobalPool,
    Invariants,
    LayerNorm,
    Mask,
    MaxPool,
    NormNonlinearity,
    NormPool,
    Pointwise,
    Sequential,
    Upsample,
)
from thinned import thinned

KEY = jax.random.key(0)
P4, P6 = it.Grid("p4"), it.Grid("p6")


def _networks():
    yield it.network_from_name("cnn:1", "p4", image_size=9, key=KEY)
    yield it.network_from_name("unet:1", "p4m", channels="vector", image_size=8, key=KEY)
    rep = P4.scalar + P4.vector
    yield Sequential(
        [Conv(P4, "scalar", Gated(rep).rep_in, 3, key=KEY), Gated(rep), NormNonlinearity(rep, "gelu")]
    )
    yield Sequential([Pointwise(P4.scalar, jax.nn.relu)])


@pytest.mark.parametrize("number", thinned(range(4)))
def test_a_copy_is_the_network(number):
    net = list(_networks())[number]
    for other in (copy.deepcopy(net), copy.copy(net), pickle.loads(pickle.dumps(net))):
        assert jax.tree.structure(other) == jax.tree.structure(net)
        assert bool(eqx.tree_equal(other, net))
        mine, rest = eqx.partition(net, eqx.is_inexact_array)
        averaged = jax.tree.map(lambda a, b: (a + b) / 2, mine, eqx.filter(other, eqx.is_inexact_array))
        assert bool(eqx.tree_equal(eqx.combine(averaged, rest), net))


def test_types_by_name_wherever_there_is_a_space():
    named = Conv(P4, "scalar", "regular + vector", 3, key=KEY)
    assert named.rep_out == it.layers.field_type(P4, "regular + vector")
    for layer in (MaxPool, AveragePool, NormPool, Upsample, Mask, GlobalPool):
        assert layer(P4, "2 scalar").rep_in == 2 * P4.scalar
    it.assert_equivariant(lambda x: 2 * x, space=P4, rep_in="vector", rep_out="vector", key=KEY)
    sites = it.HomogeneousSpace.sites(it.Square(2, 2))
    assert Conv(sites, "scalar", "regular", key=KEY).rep_in == sites.scalar


def test_layers_without_names():
    net = Sequential(
        [Conv(P4, "scalar", "regular", 3, key=KEY), Pointwise(it.layers.field_type(P4, "regular"))]
    )
    assert net.names == ("conv1", "pointwise2")


ERRORS = {
    "type of a layer without a space": (lambda: Pointwise("scalar"), "field_type"),
    "no layer": (lambda: Sequential([3]), r"layers\[0\]: expected a layer"),
    "no list": (lambda: Sequential(Pointwise(P4.scalar)), "a list of one layer or more"),
    "unknown name": (lambda: Conv(P4, "scaler", "scalar", 3, key=KEY), "expected a sum of scalar"),
    "even hexagons": (lambda: it.network_from_name("cnn:1", "p6", image_size=28, key=KEY), "odd number"),
    "even arrays of hexagons": (
        lambda: Conv(P6, "scalar", "scalar", 3, key=KEY)(jnp.ones((8, 8, 1))),
        "use odd sizes",
    ),
    "small images": (lambda: it.network_from_name("cnn:1", "p4", image_size=2, key=KEY), "at least 3 points"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_to_do(name):
    build, message = ERRORS[name]
    with pytest.raises(it.InputError, match=message):
        build()


@pytest.mark.parametrize("size", [3, 5, 9, 11])
def test_small_images_have_networks(size):
    net = it.network_from_name("cnn:1", "p4", image_size=size, classes=2, key=KEY)
    shape = eqx.filter_eval_shape(net.outputs, jnp.zeros((3, size, size, 1))).shape
    assert shape == (3, 2)


def test_the_mask_belongs_to_the_grid():
    """Two padded layers, norms and pooling on a triangular grid: exact without a word about masks."""
    rep = it.layers.field_type(P6, "2 regular")
    net = Sequential(
        [
            Conv(P6, "scalar", rep, 3, padding="same", key=KEY),
            it.layers.BatchNorm(rep),
            Pointwise(rep),
            Conv(P6, rep, rep, 3, padding=2, key=KEY),
            MaxPool(P6, rep),
            Conv(P6, rep, "scalar + vector", 3, key=KEY),
        ]
    )
    x = np.random.default_rng(0).normal(1, 1, (4, 13, 13, 1))  # not masked by hand
    _, trained = it.layers.train_outputs(net, jnp.asarray(x))
    for h in (1, 2):
        turned = P6.act(h, x * P6.mask((13, 13))[..., None], P6.scalar)
        y, z = trained.outputs(jnp.asarray(x)), trained.outputs(jnp.asarray(turned))
        np.testing.assert_allclose(z, P6.act(h, np.asarray(y), net.rep_out), atol=1e-12)
        _, other = it.layers.train_outputs(net, jnp.asarray(turned))
        kept = [it.layers.norms.calibration.batch_norms(n)[0].statistics for n in (trained, other)]
        np.testing.assert_allclose(kept[0].variance, kept[1].variance, rtol=1e-12)
    it.assert_equivariant(trained, key=KEY, shape=(13, 13))


def test_networks_on_triangular_grids_have_a_size_of_their_own():
    net = it.network_from_name("cnn:1", "p6", key=KEY)
    assert net.recipe.image_size == 29
    assert not any(isinstance(layer, Mask) for layer in net.modules)


@pytest.mark.parametrize(
    ("group", "width", "options", "n"),
    [
        ("p4", 3, {"stride": 3, "padding": "periodic"}, 9),
        ("p4", 3, {"stride": 3, "padding": "periodic"}, 10),
        ("p4", 2, {"padding": "periodic"}, 8),
        ("p4", 3, {"padding": "periodic"}, 8),
        ("p4", 3, {"stride": 2, "padding": 1}, 9),
        ("p4", 3, {"stride": 2, "padding": "same"}, 8),
        ("p4", 2, {"stride": 2}, 8),
    ],
)
def test_keeps_centre_says_what_is_measured(group, width, options, n):
    layer = Conv(it.Grid(group), "scalar", "regular", width, key=KEY, **options)
    rows = it.equivariance_errors(layer, key=KEY, shape=(n, n))
    turns = max(row.error for row in rows if row.element >= 0)
    assert layer.keeps_centre((n, n)) == (turns < 1e-9)


@pytest.mark.slow
def test_complex_fields_keep_their_imaginary_part():
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 2))
    z = x[..., :1] + 1j * x[..., 1:]
    layer = Conv(P4, "scalar", "regular", 3, bias=False, key=KEY)
    np.testing.assert_allclose(layer(z), layer(x[..., :1]) + 1j * layer(x[..., 1:]), atol=1e-12)
    np.testing.assert_allclose(layer(1j * x[..., :1]), 1j * layer(x[..., :1]), atol=1e-12)
    group = it.HomogeneousSpace.sites(it.Square(2, 2))
    on_sites = Conv(group, "scalar", "regular", bias=False, key=KEY)
    y = np.random.default_rng(0).normal(size=(4, 1))
    np.testing.assert_allclose(on_sites(1j * y), 1j * on_sites(y), atol=1e-12)
    # norms are |z|, not the root of z²
    vector = np.array([3.0, 4.0j])
    np.testing.assert_allclose(NormNonlinearity(P4.vector, "square")(vector), 5 * vector, rtol=1e-6)
    np.testing.assert_allclose(Invariants(P4.vector)(vector), [5.0], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_half_precision_stays_and_is_finite(dtype):
    rep = it.layers.field_type(P4, "2 scalar + regular + vector")
    large = 300 * jnp.ones((4, 4, rep.dimension), dtype)
    layers = [
        NormNonlinearity(rep),
        LayerNorm(rep),
        it.layers.BatchNorm(rep),
        Invariants(rep),
        NormPool(P4, rep),
    ]
    for layer in layers:
        for x in (jnp.zeros_like(large), large):
            y = layer(x)
            assert y.dtype == dtype and np.isfinite(np.asarray(y, float)).all(), layer
    assert float(jnp.abs(NormNonlinearity(P4.vector)(jnp.zeros(2, dtype))).max()) == 0


@pytest.mark.slow
def test_a_mixed_sum_costs_no_more_than_its_blocks():
    """16 (ρ + σ) is the map of 16 ρ + 16 σ, with its channels in another order."""
    regular, vector = it.layers.field_type(P4, "regular"), P4.vector
    mixed, sorted_ = 16 * (regular + vector), 16 * regular + 16 * vector
    layers = [Conv(P4, rep, rep, 3, key=KEY) for rep in (mixed, sorted_)]
    assert len(layers[0].kernel.weights) == len(layers[1].kernel.weights) == 4
    x = np.random.default_rng(0).normal(size=(5, 5, mixed.dimension))
    order = np.arange(mixed.dimension).reshape(16, 6)
    order = np.concatenate([order[:, :4].reshape(-1), order[:, 4:].reshape(-1)])
    np.testing.assert_allclose(layers[0](x)[..., order], layers[1](x[..., order]), atol=1e-12)

    # and so for products
    few, together = 2 * (P4.scalar + P4.vector), 2 * P4.scalar + 2 * P4.vector
    products = [it.layers.TensorProduct(rep, None, rep, key=KEY) for rep in (few, together)]
    place = np.array([0, 3, 1, 2, 4, 5])
    y = np.random.default_rng(0).normal(size=(4, 6))
    np.testing.assert_allclose(products[0](y)[:, place], products[1](y[:, place]), atol=1e-12)
