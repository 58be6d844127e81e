"""Convolutions in the frames of the edges: against the full tensor products, the law, derivatives.

Truth: sums over all paths of `EdgeProduct` (tested against the plain sum in `test_point_conv.py`).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.points.hidden_types import edge_irrep
from intertwine.layers.points.products.edge_product import edge_product_of
from intertwine.layers.points.products.rotated_product import RotatedProduct
from intertwine.layers.points.rotated_conv import RotatedConv
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.turns_to_axis import turns_to_axis, wigner_matrices
from intertwine.symmetry import CompactGroup, wigner_d
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import bilinear_maps

KEY = jax.random.key(5)
COPIES = 2
TYPES = {
    "O(3)": ((0, 1), (1, -1), (1, 1), (2, 1), (3, -1)),
    "SO(3)": ((0, 1), (1, 1), (3, 1)),
    "O(3), degree 6": ((0, 1), (6, 1), (5, -1)),
}
AXES = np.array([[0, 1, 0], [0, -1, 0], [1e-9, -3, 0], [1, 0, 0], [0.3, 1e-12, -1], [0.3, -1e-12, -1]])
VECTORS = np.concatenate([AXES, np.random.default_rng(0).normal(size=(4, 3))]).reshape(2, 5, 3)


def test_turns():
    """Every vector is turned to the axis, the poles and the equator too, by matrices of the group."""
    turns, matrices = jax.jit(lambda v: (turns_to_axis(v), wigner_matrices(turns_to_axis(v), 11)))(VECTORS)
    units = VECTORS / np.linalg.norm(VECTORS, axis=-1, keepdims=True)
    assert np.abs(np.einsum("...ij,...j->...i", turns, units) - [0, 1, 0]).max() < 1e-15
    order = [2, 0, 1]
    for degree in (1, 2, 6, 11):
        expected = wigner_d(degree, np.asarray(turns)[..., order, :][..., order])
        assert np.abs(np.asarray(matrices[degree]) - expected).max() < 1e-13


@pytest.mark.parametrize("name", TYPES)
def test_sums_of_all_products(name):
    group = CompactGroup(name.split(",")[0])
    irreps = tuple(group.irrep(*one) for one in TYPES[name])
    top = max(degree for degree, _ in TYPES[name])
    rotated = RotatedProduct(irreps, irreps, COPIES)
    full = edge_product_of(CompactRep.direct_sum([(rep, COPIES) for rep in irreps]), irreps, 2 * top)
    assert rotated.weights == full.weights
    draw = np.random.default_rng(1)
    x = draw.normal(size=(2, 5, full.rep_in.dimension))
    weights = draw.normal(size=(2, 5, full.weights))
    y = np.asarray(harmonics(VECTORS, 2 * top))
    expected, of_paths, used, start = [0.0 for _ in irreps], {}, 0, 0
    for i, into in enumerate(irreps):
        d = into.dimension
        planes = x[..., start : start + d * COPIES].reshape(2, 5, d, COPIES)
        start += d * COPIES
        for o, out in enumerate(irreps):
            for degree in range(2 * top + 1):
                for table in bilinear_maps(into, edge_irrep(group, degree), out):
                    w = of_paths[i, degree, o] = weights[..., used : used + COPIES]
                    used += COPIES
                    part = y[..., degree**2 : (degree + 1) ** 2]
                    a = np.einsum("oij,bkj->bkoi", table, part) * out.dimension**0.5
                    expected[o] += np.einsum("bkoi,bkic,bkc->boc", a, planes, w)
    program = jax.jit(lambda x, v, w: rotated.sums(x, wigner_matrices(turns_to_axis(v), top), w))
    for found, exact in zip(program(x, VECTORS, rotated.of_paths(of_paths)), expected, strict=True):
        assert np.abs(np.asarray(found) - exact).max() < 1e-11 * np.abs(exact).max()


def test_the_law_and_forces():
    """Also that turning at the equator, where one rotation takes over from another, shows in nothing."""
    space = it.Points(2.0)
    names = "2 scalar + vector + pseudovector + degree 3"
    layer = RotatedConv(space, names, names, radial=3, hidden=(5,), key=KEY)
    it.assert_equivariant(layer, key=KEY, tol=1e-12)
    positions = np.array([[0.0, 0, 0], [1.0, 0, 0.5], [0.3, -0.8, 0.4], [0.2, 0.9, -0.3]])
    cloud = space.cloud(positions)
    x = np.random.default_rng(2).normal(size=(4, layer.rep_in.dimension))

    program = jax.jit(jax.value_and_grad(lambda p: jnp.sin(layer(x, at=cloud.moved(p))).sum()))
    slopes, change = program(cloud.positions)[1], np.random.default_rng(6).normal(size=(4, 3))
    ahead, behind = (program(cloud.positions + s * change)[0] for s in (1e-6, -1e-6))
    assert abs((ahead - behind) / 2e-6 - (slopes * change).sum()) < 1e-6 * abs((slopes * change).sum())


def test_wrong_input():
    with pytest.raises(it.InputError, match="space: expected Points of O"):
        RotatedConv(it.Points(1.0, group="O(2)"), "scalar", "scalar", key=KEY)
    with pytest.raises(it.InputError, match="rep_out: expected irreps that the convolution leads to"):
        RotatedConv(it.Points(1.0), "scalar", "pseudoscalar", key=KEY)
