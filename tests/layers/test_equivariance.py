"""Planted bugs are caught, each with its reason: refused where a layer is built, or by the law."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.layers import (
    Bias,
    Conv,
    Pointwise,
    assert_equivariant,
    equivariance_errors,
    network_from_name,
)
from intertwine.spaces.grid import Grid
from intertwine.symmetry import cyclic, irreps, regular

KEY = jax.random.key(0)
P4 = Grid("p4")
VECTORS = {"space": P4, "rep_in": P4.vector, "rep_out": P4.vector, "key": KEY}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bias(P4.vector), "a bias exists only on trivial irreps"),
        (lambda: Pointwise(P4.vector, "relu"), "relu of single components does not commute"),
        (
            lambda: Pointwise(irreps(cyclic(3), "real")[1], "relu"),
            "relu of single components does not commute",
        ),
        (lambda: Pointwise(irreps(cyclic(3), "real")[1], "tanh"), "does not commute"),
    ],
    ids=["bias on a vector", "relu on a vector", "relu on an irrep", "tanh on an irrep"],
)
def test_a_wrong_pairing_is_refused_when_the_layer_is_built(build, message):
    with pytest.raises(InputError, match=message):
        build()


def _sound():
    layer = Conv(P4, P4.vector, P4.vector, 3, padding="same", key=KEY)
    return lambda x: layer(x)


BUGS = {
    "a bias on a vector": (lambda f: lambda x: f(x) + jnp.array([1.0, 0.0]), "a bias on vector"),
    "relu on an irrep": (lambda f: lambda x: jax.nn.relu(f(x)), "a point-wise function such as relu"),
    "axes exchanged": (
        lambda f: lambda x: f(jnp.swapaxes(x, 1, 2)),
        "a wrong order of the axes: it transposes",
    ),
    "components exchanged": (
        lambda f: lambda x: f(x)[..., ::-1],
        "a wrong order of the axes: component 0 of vectors",
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_the_law_catches_a_planted_bug_with_its_reason(name):
    sound = _sound()
    rows = assert_equivariant(sound, **VECTORS)
    assert {row.element for row in rows} == {0, 1, 2, 3, -1}
    plant, reason = BUGS[name]
    with pytest.raises(AssertionError, match=f"(?s)whole is not equivariant.*Likely reason: .*({reason})"):
        assert_equivariant(plant(sound), **VECTORS)


def test_a_stride_off_the_centre_is_caught():
    layer = Conv(P4, P4.scalar, P4.scalar, 3, stride=2, key=KEY)
    assert_equivariant(layer, shape=(9, 9), key=KEY)
    with pytest.raises(AssertionError, match=r"(?s)not equivariant.*stride"):
        assert_equivariant(layer, shape=(8, 8), key=KEY)


def test_a_bug_inside_a_network_names_its_layer():
    network = network_from_name("cnn:2", "p4", image_size=10, key=KEY)
    plain = Grid("p1")
    inner = Conv(plain, 8 * plain.scalar, 8 * plain.scalar, 3, bias=False, key=KEY)
    rep = 2 * regular(P4.group)

    class Disguised(eqx.Module):
        """A plain convolution that says it is equivariant."""

        inner: Conv
        space: Grid = eqx.field(static=True)
        rep_in: object = eqx.field(static=True)
        rep_out: object = eqx.field(static=True)

        def __call__(self, x, *, key=None):
            return self.inner(x)

    disguised = Disguised(inner, P4, rep, rep)
    broken = eqx.tree_at(
        lambda net: net["conv2"], network, disguised, is_leaf=lambda leaf: isinstance(leaf, Conv)
    )
    assert_equivariant(network, key=KEY, tol=1e-4)
    with pytest.raises(AssertionError, match="conv2 is not equivariant"):
        assert_equivariant(broken, key=KEY, tol=1e-4)


def test_elements_off_the_grid_are_told_apart():
    c8 = Grid("c8")
    layer = Conv(c8, c8.scalar, regular(c8.group), 5, key=KEY)
    rows = equivariance_errors(layer, key=KEY, shape=(21, 21))
    exact = [row.error for row in rows if row.exact and row.element >= 0]
    others = [row.error for row in rows if not row.exact]
    assert len(exact) == len(others) == 4
    assert max(exact) < 5e-6 < min(others) and max(others) < 0.5
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(layer, key=KEY, shape=(21, 21), resampled_tol=1e-6)


SCALARS = {"space": P4, "rep_in": P4.scalar, "rep_out": P4.scalar}
FROM_CENTRE = np.add.outer((np.arange(13) - 6) ** 2, (np.arange(13) - 6) ** 2)[None, :, :, None]
RANDOM = np.random.default_rng(0)
HIDDEN_BUGS = {
    "noise": (lambda x: x + RANDOM.normal(size=x.shape), "two calls with the same input differ"),
    "dropout": (lambda x: x * (RANDOM.random(x.shape) > 0.5), "two calls with the same input differ"),
    "nan": (lambda x: x * np.nan, "nan or infinite"),
    "a weight that is zero at the centre": (lambda x: x * FROM_CENTRE, "depend on the position"),
    "a mask of the inside": (lambda x: x * (FROM_CENTRE > 20), "depend on the position"),
    "rectified, weights by position": (lambda x: np.maximum(-x, 0) * (1 + FROM_CENTRE), "depend on the pos"),
    "rounded, weights by position": (
        lambda x: np.round(1000 * x) * (1 + np.arange(13))[None, :, None, None],
        "",
    ),
}


@pytest.mark.parametrize("name", HIDDEN_BUGS)
@pytest.mark.parametrize("seed", range(4))
def test_bugs_that_hide_from_a_single_probe_are_caught(name, seed):
    function, reason = HIDDEN_BUGS[name]
    with pytest.raises(AssertionError, match=f"(?s)whole is not equivariant.*{reason}"):
        assert_equivariant(function, **SCALARS, key=jax.random.key(seed))


@pytest.mark.parametrize("size", [11, 13, 16])
def test_shifts_are_judged_where_a_stride_leaves_the_centre_out(size):
    stride = 3 if size == 16 else 2
    rows = assert_equivariant(lambda x: x[:, ::stride, ::stride], **SCALARS, shape=(size, size), key=KEY)
    assert sum(row.element < 0 for row in rows) == 2


def test_shifts_that_cannot_be_judged_are_told():
    with pytest.warns(Caveat, match="unjudged: shifts were not judged"):
        assert_equivariant(lambda x: x / (1 + np.abs(x).max(axis=(1, 2), keepdims=True)), **SCALARS, key=KEY)
