"""One architecture by name over every space: the law, scores, files, and a space of one's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import field_network, load_network, save_network
from intertwine.spaces.names import space_from_name
from own_smooth_space import RING

KEY = jax.random.key(0)
TYPES = dict(inputs="2 scalar + vector", outputs="scalar + vector")
SPACES = {"plane": "plane:5:p4", "own": RING, "icosphere": "icosphere:1"}
FAMILIES = ("linear", "product:2", "cnn:2")
QUICK = {("linear", "icosphere"), ("product:2", "own"), ("cnn:2", "plane")}
ROWS = [
    pytest.param(family, space, marks=() if (family, space) in QUICK else pytest.mark.slow)
    for family in FAMILIES
    for space in SPACES
]


# the kernels of RING join a vector with no spin 2
@pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")
@pytest.mark.parametrize(("family", "space"), ROWS)
def test_fields_to_fields_on_every_space(family, space):
    network = field_network(family, SPACES[space], **TYPES, blocks=1, key=KEY)
    it.assert_equivariant(network, key=KEY, tol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "nonlinearity", "limit"), [
    ("product:1", "auto", 1e-12), ("cnn:2", "gated", 1e-3),
    ("cnn:2", "norm", 3e-3), ("cnn:2", "fourier", 6e-3),
])  # fmt: skip
def test_on_the_sphere_products_are_exact(family, nonlinearity, limit):
    """Non-linearities act on a finer grid: products exactly, others to what their high degrees leave."""
    network = field_network(family, "sphere:8", **TYPES, blocks=1, nonlinearity=nonlinearity, key=KEY)
    turns = list(network.space.random_elements(2, key=KEY))
    rows = it.equivariance_errors(network, key=KEY, elements=turns)
    assert max(row.error for row in rows if row.layer == "whole") < limit
    if family == "product:1":
        assert max(row.error for row in rows) < limit


@pytest.mark.parametrize("nonlinearity", ["norm", "fourier"])
def test_other_nonlinearities(nonlinearity):
    network = field_network("cnn:2", RING, **TYPES, blocks=1, nonlinearity=nonlinearity, key=KEY)
    errors = [row.error for row in it.equivariance_errors(network, key=KEY)]
    assert max(errors) < (1e-10 if nonlinearity == "norm" else 1e-3)


def test_scores_do_not_change_under_moves():
    network = field_network("cnn:2", "plane:5:p4", inputs=1, classes=["cat", "dog"], blocks=1, key=KEY)
    assert network.classes == ("cat", "dog") and network.rep_out.is_trivial
    it.assert_equivariant(network, key=KEY, tol=1e-10)
    assert network.outputs(jnp.ones((2, 5, 5, 1))).shape == (2, 2)


def test_saved_and_loaded_with_the_same_numbers(tmp_path):
    fit = it.fit_supervised(
        field_network("cnn:2", "plane:4:p4", **TYPES, blocks=1, dropout=0.1, key=KEY),
        np.random.default_rng(0).normal(size=(8, 4, 4, 4)), np.zeros((8, 48)), loss="squared-error", epochs=1,
        batch=4, key=KEY,
    )  # fmt: skip
    save_network(tmp_path / "net", fit.model)
    again = load_network(tmp_path / "net")
    x = jnp.ones((1, 4, 4, 4))
    np.testing.assert_array_equal(again.outputs(x), fit.model.outputs(x))
    assert again.recipe == fit.model.recipe and again.recipe.space == "plane:4:p4"
    with pytest.raises(InputError, match="without recipe"):
        save_network(tmp_path / "own", field_network("linear", RING, **TYPES, key=KEY))


def test_what_is_refused():
    for call, word in [
        (lambda: field_network("cnn", "plane:8", **TYPES, key=KEY), "fluxes:K, cnn:W"),
        (lambda: field_network("cnn:2", "plane:8", key=KEY), "either a type of fields, or classes"),
        (lambda: field_network("cnn:2", "plane:8", **TYPES, nonlinearity="sharp", key=KEY), "gated"),
        (lambda: field_network("cnn:2", "ring:8", **TYPES, key=KEY), "plane:N"),
        (lambda: space_from_name("plane:8:o"), "point group|group"),
        (lambda: space_from_name("plane:8x8x8"), "plane:N"),
        (lambda: space_from_name("icosphere:-1"), "icosphere:N"),
        (lambda: space_from_name("mesh:no such file.obj"), "mesh file"),
    ]:
        with pytest.raises(InputError, match=word):
            call()


@pytest.mark.parametrize("space", ["icosphere:1", "plane:8", "sphere:4"])
def test_no_examples_have_no_outputs(space):
    network = it.field_network("linear", space, inputs="scalar", outputs="2 scalar", key=jax.random.key(0))
    shape = it.space_from_name(space).shape
    assert network.outputs(np.ones((0, *shape, 1))).shape == (0, *shape, 2)
