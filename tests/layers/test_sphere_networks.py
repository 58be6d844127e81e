"""Networks of the sphere by name: convolutions between spheres, invariant classifiers, U-Nets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import Conv, Resample, SphereConv, field_network, load_network, save_network
from intertwine.layers.networks.sphere_classifiers import band_limits
from intertwine.learning.labels.augmentation import augmentation

KEY = jax.random.key(3)


def test_a_convolution_between_spheres_is_one_before_pooling():
    """On the lower band limit: resample, convolve, resample."""
    fine, coarse = it.Sphere(5, size=(7, 12)), it.Sphere(3, "driscoll-healy")
    layer = SphereConv(fine, coarse, "scalar + vector", "2 scalar + vector", 0.9, key=KEY)
    whole = Conv(fine.limited(3), "scalar + vector", "2 scalar + vector", 0.9, key=KEY)
    pool = Resample(fine, coarse, layer.rep_out)
    x = fine.random_field(layer.rep_in, 2, key=KEY)
    found, expected = jax.jit(lambda x: (layer(x), pool(whole(x))))(x)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    it.assert_equivariant(layer, key=KEY, tol=1e-11, elements=list(fine.random_elements(2, key=KEY)))
    with pytest.raises(InputError, match="space_out: expected a Sphere"):
        SphereConv(fine, it.Mesh.icosphere(0), "scalar", "scalar", key=KEY)


SLOW = {"spin:4": 1e-2, "so3:4": 3e-2, "cg:2": 1e-2}  # norms at L = 2 leave the most


@pytest.mark.parametrize(
    ("name", "limit"),
    [("zonal:2", 2e-3), *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOW.items())],
)
def test_scores_do_not_change_under_rotations(name, limit):
    """Linear parts exactly, non-linearities to what they make beyond the next band limit."""
    network = field_network(name, "sphere:12:driscoll-healy:26x30", classes=3, key=KEY)
    turns = list(network.space.random_elements(2, key=KEY))
    rows = it.assert_equivariant(network, key=KEY, tol=0.2, elements=turns, batch=1)
    assert max(row.error for row in rows if row.layer == "whole") < limit
    first = 1e-11 if name != "cg:2" else 1e-9
    assert max(row.error for row in rows if row.layer == "level1") < first
    if name == "cg:2":
        assert max(row.error for row in rows if row.layer == "level2") < 1e-9


def test_band_limits_fall_and_parameters_stay_few():
    assert band_limits(24) == [20, 10, 10, 5] and band_limits(1) == [1, 1, 1, 1]
    shapes = jax.eval_shape(lambda: field_network("so3:10", "sphere:24", classes=10, key=KEY))
    assert 30_000 < it.layers.parameter_count(shapes) < 60_000


def test_saved_with_its_bytes(tmp_path):
    network = field_network("zonal:1", "sphere:4:driscoll-healy:9x10", classes=["a", "b"], key=KEY)
    save_network(tmp_path / "net", network.reading_bytes(True))
    again = load_network(tmp_path / "net")
    assert again.grey and again.classes == ("a", "b") and again.space.shape == (9, 10)


UNETS = {
    "plane": ("plane:9x8:p4", 1e-10), "icosphere": ("icosphere:2", 1e-10), "sphere": ("sphere:6", 4e-3),
    "healpix": ("healpix:3", 2e-2),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("space", UNETS)
def test_unets_on_every_space(space, tmp_path):
    name, limit = UNETS[space]
    network = field_network("unet:1", name, inputs="scalar + vector", outputs="vector", key=KEY)
    more = {"shape": (8, 8)} if space == "plane" else {}
    rows = it.assert_equivariant(network, key=KEY, tol=limit, **more)
    pools = [row.error for row in rows if row.layer.startswith(("pool", "up0"))]
    assert pools and max(pools) < max(limit, 1e-9)
    x = np.random.default_rng(0).normal(size=(2, *it.space_from_name(name).shape, 3))
    outputs, trained = it.layers.train_outputs(network, jnp.asarray(x), key=KEY)
    save_network(tmp_path / "net", trained)
    assert outputs.shape == (*x.shape[:-1], 2)
    np.testing.assert_array_equal(
        load_network(tmp_path / "net").outputs(jnp.asarray(x)), trained.outputs(jnp.asarray(x))
    )


def test_what_is_refused():
    on_sphere = field_network("linear", "sphere:4", outputs="scalar", key=KEY)
    for call, word in [
        (lambda: field_network("so3:4", "icosphere:1", classes=3, key=KEY), "a sphere for 'so3:4'"),
        (lambda: field_network("so3:4", "sphere:4", outputs="scalar", key=KEY), "a classifier"),
        (lambda: field_network("unet:4", "sphere:4", classes=3, key=KEY), "fields to fields"),
        (lambda: field_network("so3", "sphere:4", classes=3, key=KEY), "so3:W"),
        (lambda: augmentation("rotations", seed=0, network=on_sphere), "or a function for images on Sphere"),
        (lambda: it.space_from_name("sphere:8:gauss:4x4"), "at least 8 × 15 points"),
        (lambda: it.space_from_name("sphere:8:gauss:16"), "RxC"),
    ]:
        with pytest.raises(InputError, match=word):
            call()
