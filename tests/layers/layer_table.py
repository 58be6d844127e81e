"""Every typed layer once: each inherits every law of `test_layer_laws`.

A row builds a layer for a dtype; `shape` is that of the space axes of its input (empty: one fibre).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.layers.conv import Conv
from intertwine.layers.dropout import Dropout
from intertwine.layers.fields import field_type
from intertwine.layers.linear import Linear
from intertwine.layers.mask import Mask
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.nonlinear.fourier import FourierPointwise
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.norm_nonlinearity import NormNonlinearity
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.nonlinear.tensor_product import TensorProduct
from intertwine.layers.norms.normalisation import BatchNorm, LayerNorm
from intertwine.layers.pooling.group_pooling import GlobalPool, GroupPool, Invariants
from intertwine.layers.pooling.pooling import AveragePool, BlurPool, MaxPool, NormPool
from intertwine.layers.pooling.resample import Upsample
from intertwine.spaces.grid import Grid
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.symmetry import dihedral, irreps, regular

KEY = jax.random.key(7)


class Row(NamedTuple):
    build: object
    space: object
    shape: tuple


P4M, P6M, CUBE, LINE = Grid("p4m"), Grid("p6m"), Grid("cubic:o"), Grid("line:m")
CORNERS = HomogeneousSpace(dihedral(4).generate([4]))


def _type(space, names):
    return field_type(space, names)


MIXED = _type(P4M, "2 scalar + vector + regular + symmetric tensor + pseudoscalar + quotient s")
REGULAR, VECTORS = _type(P4M, "3 regular"), _type(P4M, "scalar + 2 vector")
STRESS = _type(P4M, "scalar + vector + symmetric tensor")
HEX = _type(P6M, "scalar + 2 regular")
HEX_MIXED = _type(P6M, "regular + vector + irrep 2")
CORNER = 2 * regular(CORNERS.fibre_group)
D4 = dihedral(4)
ONE = irreps(D4, "real")[0] + irreps(D4, "real")[-1]


def _randomised(layer, dtype):
    """The layer with all its parameters random, so that zero biases hide nothing."""
    draw = np.random.default_rng(5).normal
    return jax.tree.map(
        lambda x: x + 0.3 * draw(size=x.shape).astype(dtype) if eqx.is_inexact_array(x) else x, layer
    )


class InTraining(eqx.Module):
    """A batch norm by the statistics of what it is given."""

    norm: BatchNorm

    def __call__(self, x, *, key=None):
        return self.norm.normalised(x)[0]

    rep_in = property(lambda self: self.norm.rep_in)
    rep_out = property(lambda self: self.norm.rep_out)


def _norm(rep, dtype):
    return _randomised(BatchNorm(rep, dtype=dtype), dtype)


def _rested(dtype):
    x = jnp.asarray(np.random.default_rng(2).normal(1, 1, (8, 3, 3, MIXED.dimension)), dtype)
    return _norm(MIXED, dtype).calibrated(x)


ROWS = {
    "pointwise": Row(lambda t: Pointwise(REGULAR, "elu"), P4M, (5, 5)),
    "odd pointwise": Row(lambda t: Pointwise(VECTORS, "tanh"), P4M, (5, 5)),
    "gated": Row(lambda t: Gated(MIXED), P4M, (5, 5)),
    "gated hexagonal": Row(lambda t: Gated(HEX_MIXED, "gelu"), P6M, (5, 5)),
    "norm": Row(lambda t: _randomised(NormNonlinearity(MIXED, dtype=t), t), P4M, (5, 5)),
    "tensor product": Row(
        lambda t: TensorProduct(VECTORS, _type(P4M, "2 vector"), STRESS, dtype=t, key=KEY), P4M, (3, 3)
    ),
    "tensor square": Row(
        lambda t: TensorProduct(
            _type(P6M, "2 vector"), None, _type(P6M, "scalar + irrep 2"), dtype=t, key=KEY
        ),
        P6M,
        (3, 3),
    ),
    "fourier circle": Row(lambda t: FourierPointwise.circle(P4M, 3, 2), P4M, (3, 3)),
    "fourier circle hexagonal": Row(lambda t: FourierPointwise.circle(P6M, 2, 2, "relu"), P6M, (3, 3)),
    "fourier group": Row(lambda t: FourierPointwise.over_group(ONE, 2, "relu"), None, ()),
    "linear": Row(lambda t: _randomised(Linear(REGULAR, VECTORS, dtype=t, key=KEY), t), P4M, (4, 4)),
    "batch norm": Row(lambda t: InTraining(_norm(MIXED, t)), P4M, (5, 5)),
    "batch norm at rest": Row(_rested, P4M, (5, 5)),
    "batch norm G/H": Row(lambda t: InTraining(_norm(CORNER, t)), CORNERS, ()),
    "layer norm": Row(lambda t: _randomised(LayerNorm(MIXED, dtype=t), t), P4M, (5, 5)),
    "dropout at rest": Row(lambda t: Dropout(MIXED, 0.5, inference=True), P4M, (4, 4)),
    "max pool": Row(lambda t: MaxPool(P4M, REGULAR), P4M, (6, 6)),
    "max pool odd": Row(lambda t: MaxPool(P4M, REGULAR), P4M, (7, 7)),
    "max pool hexagonal": Row(lambda t: MaxPool(P6M, HEX), P6M, (7, 7)),
    "max pool cube": Row(lambda t: MaxPool(CUBE, regular(CUBE.group)), CUBE, (4, 4, 4)),
    "average pool": Row(lambda t: AveragePool(P4M, MIXED), P4M, (6, 6)),
    "average pool by 3": Row(lambda t: AveragePool(P4M, MIXED, stride=3), P4M, (8, 8)),
    "norm pool": Row(lambda t: NormPool(P4M, VECTORS), P4M, (6, 6)),
    "norm pool hexagonal": Row(lambda t: NormPool(P6M, HEX_MIXED), P6M, (7, 7)),
    "blur pool": Row(lambda t: BlurPool(P4M, MIXED), P4M, (8, 8)),
    "blur pool hexagonal": Row(lambda t: BlurPool(P6M, HEX_MIXED), P6M, (7, 7)),
    "blur pool line": Row(lambda t: BlurPool(LINE, LINE.scalar + LINE.vector), LINE, (9,)),
    "group pool": Row(lambda t: GroupPool(REGULAR), P4M, (3, 3)),
    "coset pool": Row(lambda t: GroupPool(REGULAR, P4M.group.generate([2]), how="mean"), P4M, (3, 3)),
    "quotient pool": Row(
        lambda t: GroupPool(_type(P4M, "quotient s + regular"), P4M.group.generate([2, 4])), P4M, (3, 3)
    ),
    "group pool G/H": Row(lambda t: GroupPool(CORNER), CORNERS, ()),
    "invariants": Row(lambda t: Invariants(MIXED), P4M, (3, 3)),
    "global max": Row(lambda t: GlobalPool(P4M, REGULAR), P4M, (5, 5)),
    "global mean": Row(lambda t: GlobalPool(P6M, HEX_MIXED, how="mean"), P6M, (5, 5)),
    "global pool G/H": Row(lambda t: GlobalPool(CORNERS, 3 * CORNERS.scalar), CORNERS, ()),
    "mask": Row(lambda t: Mask(P6M, HEX), P6M, (5, 5)),
    "upsample": Row(lambda t: Upsample(P4M, MIXED), P4M, (4, 4)),
    "upsample nearest": Row(lambda t: Upsample(P4M, MIXED, 3, method="nearest"), P4M, (4, 4)),
    "sequential": Row(
        lambda t: Sequential(
            [
                ("conv", Conv(P4M, P4M.scalar, Gated(VECTORS).rep_in, 3, dtype=t, key=KEY)),
                ("gated", Gated(VECTORS)),
                ("pool", NormPool(P4M, VECTORS)),
                ("invariants", Invariants(VECTORS)),
            ]
        ),
        P4M,
        (6, 6),
    ),
}


def field(row, layer, dtype, lead=(2,)):
    """A random field of the layer's input type, 0 outside the hexagon of triangular grids."""
    sizes = row.shape if row.space is None or row.shape else (row.space.size,)
    x = np.random.default_rng(1).normal(size=(*lead, *sizes, layer.rep_in.dimension)).astype(dtype)
    if getattr(row.space, "hexagonal", False):
        x = x * row.space.mask(sizes)[..., None]
    return jnp.asarray(x, dtype)
