"""A space with a continuous structure group, defined outside the package: layers, counts and the law with no
change there. Tangent frames around a ring, carried from point to point by given angles, all turned alike by
SO(2): the kernels at a point and its neighbours are Hom_SO(2)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import (
    BatchNorm,
    Bias,
    Dropout,
    FourierPointwise,
    Gated,
    GlobalPool,
    GroupPool,
    Invariants,
    LayerNorm,
    Linear,
    NormNonlinearity,
    Pointwise,
    TensorProduct,
    field_type,
    parameter_count,
)
from intertwine.symmetry import CompactGroup, bilinear_maps, commuting_maps, invariant_vectors
from own_smooth_space import FLAT, RING

KEY = jax.random.key(0)


@pytest.mark.parametrize("space", [RING, FLAT], ids=["SO(2)", "O(2)"])
def test_layers_commute_with_every_turn(space):
    mixed = field_type(space, "2 scalar + vector + 2 spin 2")
    net = it.Sequential(
        [
            it.Conv(space, "scalar + vector + spin 2", Gated(mixed).rep_in, key=KEY),
            Gated(mixed, "elu"),
            LayerNorm(mixed),
            it.Conv(space, mixed, mixed, key=KEY),
            NormNonlinearity(mixed),
            BatchNorm(mixed),
            Dropout(mixed),
            TensorProduct(mixed, None, field_type(space, "scalar + 2 vector + spin 2"), key=KEY),
            Linear(
                field_type(space, "scalar + 2 vector + spin 2"),
                field_type(space, "symmetric tensor"),
                key=KEY,
            ),
            Invariants(field_type(space, "symmetric tensor")),
            GlobalPool(space, "2 scalar", how="mean"),
        ]
    )
    rows = it.assert_equivariant(net, key=KEY, tol=1e-12)
    assert len(rows) == 12 * 6 and all(row.exact for row in rows)
    assert np.isfinite([row.error for row in rows]).all()


def test_numbers_of_weights_are_dimensions_of_hom():
    """κ at three places: 3 dim Hom_SO(2)(ρ, σ) weights, and a bias for each scalar."""
    one = field_type(RING, "2 scalar + 3 vector + spin 2")
    two = field_type(RING, "scalar + 2 vector + 2 spin 2")
    layer = it.Conv(RING, one, two, key=KEY)
    assert parameter_count(layer) == 3 * one.hom_dim(two) + 1
    assert one.hom_dim(two) == 2 * 1 + 2 * 3 * 2 + 2 * 1 * 2
    flat = it.Conv(FLAT, field_type(FLAT, "vector + pseudoscalar"), field_type(FLAT, "tensor"), key=KEY)
    assert parameter_count(flat) == 3 * 1 + 1


@pytest.mark.parametrize("name", ["SO(2)", "O(2)", "SO(3)", "O(3)"])
def test_maps_commute_and_are_all(name):
    """Each map against matrices of random elements; their number by Weyl's integral."""
    group = CompactGroup(name)
    odd = {
        "O(2)": [group.irrep(0, -1)] if name == "O(2)" else [],
        "O(3)": [group.irrep(1, -1)] if name == "O(3)" else [],
    }
    irreps = [group.irrep(k) for k in range(3)] + odd.get(name, [])
    elements = group.random_elements(4, key=KEY)
    assert np.abs(np.linalg.det(elements) ** 2 - 1).max() < 1e-12
    for a in irreps:
        assert len(invariant_vectors(a)) == group.trivial.hom_dim(a)
        for b in irreps:
            maps = commuting_maps(a, b)
            assert len(maps) == a.hom_dim(b)
            for c in irreps:
                products = bilinear_maps(a, b, c)
                assert len(products) == a.tensor(b).hom_dim(c)
                gram = np.tensordot(products, products, ((1, 2, 3), (1, 2, 3)))
                assert np.abs(gram - np.eye(len(products))).max(initial=0) < 1e-12
                for g in elements:
                    turned = np.einsum("tkij,ip,jq->tkpq", products, a.matrix(g), b.matrix(g))
                    expected = np.einsum("kc,tcpq->tkpq", c.matrix(g), products)
                    assert np.abs(turned - expected).max(initial=0) < 1e-12


def test_means_are_weighted_by_the_measure():
    x = jnp.arange(5.0)[:, None]
    assert float(GlobalPool(RING, "scalar", how="mean")(x)[0]) == pytest.approx(
        sum(k * (k + 1) for k in range(5)) / 15
    )


def test_fourier_points_of_functions_on_the_circle():
    layer = FourierPointwise.circle(RING, 3, 2, "square")
    assert layer.rep_in == field_type(RING, "2 scalar + 2 vector + 2 spin 2 + 2 spin 3")
    it.assert_equivariant(layer, key=KEY, tol=1e-12)  # 14 samples tell the frequencies to 6 of f² apart
    few, many = (FourierPointwise.circle(RING, 3, 2, "gelu", samples=n) for n in (14, 56))
    errors = [max(row.error for row in it.equivariance_errors(g, key=KEY)) for g in (few, many)]
    assert errors[1] < 1e-3 * errors[0]
    assert field_type(RING, "regular 2") == field_type(RING, "scalar + vector + spin 2")


def test_planted_bugs_are_named():
    vector = dict(space=RING, rep_in="vector", rep_out="vector", key=KEY)
    with pytest.raises(AssertionError, match="a bias on spin 1, which has no invariant vector"):
        it.assert_equivariant(lambda x: x + jnp.array([1.0, 0.0]), **vector)
    with pytest.raises(AssertionError, match="function of each component alone on spin 1"):
        it.assert_equivariant(jax.nn.relu, **vector)
    with pytest.raises(AssertionError, match="not equivariant"):
        it.assert_equivariant(lambda x: x * jnp.array([1.0, 2.0]), **vector)


def test_what_commutes_with_nothing_is_refused():
    vector = field_type(RING, "vector")
    for call, word in [
        (lambda: Bias(vector), "invariant vector"),
        (lambda: Pointwise(vector, "relu"), "permutes"),
        (lambda: GroupPool(vector), "finite group"),
        (lambda: GlobalPool(RING, vector, how="mean"), "local frames"),
        (lambda: field_type(RING, "pseudoscalar"), "spin k"),
        (lambda: field_type(RING, "quotient 2"), "spin k"),
        (lambda: field_type(RING, field_type(FLAT, "vector")), "representation of SO"),
        (lambda: it.Conv(RING, "scalar", "vector", key=KEY), "some equivariant kernel"),
        (lambda: it.Conv(RING, "scalar", "scalar", stride=2, key=KEY), "stride"),
        (
            lambda: it.assert_equivariant(
                lambda x: x, space=RING, rep_in="vector", rep_out="vector", elements=[], key=KEY
            ),
            "elements",
        ),
    ]:
        with pytest.raises(InputError, match=word):
            call()
