"""Pooling layers refuse what they cannot pool, each with one error; their values: the laws of layers."""

import jax.numpy as jnp
import pytest

from intertwine._checks import InputError
from intertwine.layers.pooling.pooling import AveragePool, BlurPool, MaxPool, NormPool
from intertwine.spaces.grid import Grid
from intertwine.symmetry import Rep, cyclic, regular

P4 = Grid("p4")
SHEAR = Rep(cyclic(2), [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, -1.0]]], "shear")


@pytest.mark.parametrize("layer", [MaxPool, AveragePool, NormPool, BlurPool])
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((P4, 3), {}, "^rep: expected a representation"),
        (("p4", P4.scalar), {}, "^space: expected a Grid"),
        ((P4, regular(cyclic(3))), {}, "^rep: expected a representation of"),
        ((P4, P4.scalar, 0), {}, "^width: expected a positive integer"),
        ((P4, P4.scalar), {"stride": 1.5}, "^stride: expected a positive integer"),
    ],
)
def test_arguments(layer, arguments, options, message):
    with pytest.raises(InputError, match=message):
        layer(*arguments, **options)


def test_types_that_the_pooling_does_not_commute_with():
    with pytest.raises(InputError, match=r"^rep: expected a representation that permutes"):
        MaxPool(P4, P4.vector)
    with pytest.raises(InputError, match=r"^rep: expected an orthogonal"):
        NormPool(Grid("p2"), SHEAR)


def test_fields_that_do_not_fit():
    with pytest.raises(InputError, match=r"^x: expected 4 channels"):
        MaxPool(P4, regular(P4.group))(jnp.ones((6, 6, 3)))
    with pytest.raises(InputError, match=r"^x: expected at least 3"):
        MaxPool(P4, P4.scalar, 3)(jnp.ones((2, 2, 1)))
