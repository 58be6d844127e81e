"""Planted bugs are caught, each with its reason: refused where a layer is built, or by the law."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

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
