"""The tempered path against the machines with interpolated parameters, for every kind of unit."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.layered import LayeredMachine, layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.tempered import interpolate, tempered_path
from intertwine.models.machines.unit_layer import UnitLayer
from thinned import thinned

KINDS = ("binary", "spin", "gaussian", "rectified", "potts:3")
PAIRS = tuple(zip(KINDS, ("binary", "rectified", "spin", "binary", "potts:2"), strict=True))
BETAS = jnp.linspace(0, 1, 5)


@pytest.mark.parametrize("units, hidden_units", thinned(PAIRS))
def test_log_weights_are_those_of_the_interpolated_machine(units, hidden_units, key):
    """ln p_β from one product with W = ln Ψ of the RBM with parameters (1 − β) λ_A + β λ_B, 1e-12."""
    rbm = RBM(6, hidden=4, units=units, hidden_units=hidden_units, scale=0.4, key=key)
    field = jnp.asarray(np.random.default_rng(0).normal(size=6))
    start = RBM.from_parameters(
        field, jnp.zeros(4), jnp.zeros((6, 4)), units=units, hidden_units=hidden_units
    )

    @jax.jit
    def differences(rbm):
        path = tempered_path(rbm, field)
        (v,) = path.start((len(BETAS),), key=key)
        point = path.at((v,))
        wanted = jax.vmap(lambda b, x: interpolate(start, rbm, b)(x))(BETAS, v)
        (h,) = path.draw(point, BETAS, key=key)
        turned = jax.vmap(lambda b, x: path.machine(b).log_weight((x,), 1))(BETAS, h)
        other = path.log_weight(path.at((h,), side=1), BETAS, side=1)
        return path.log_weight(point, BETAS) - wanted, other - turned

    for difference in differences(rbm):
        assert abs(difference).max() < 1e-12


def _deep(units, key):
    sizes = (6, 4, 6, 2)
    layers = tuple(UnitLayer.of(u, n) for u, n in zip(units, sizes, strict=True))
    keys = iter(jax.random.split(key, 7))
    weights = tuple(0.5 * jax.random.normal(next(keys), s) for s in pairwise(sizes))
    return LayeredMachine(tuple(0.3 * jax.random.normal(next(keys), (n,)) for n in sizes), weights, layers)


def _energy(machine, states):
    total = sum(
        layer.base(x) - x @ b for layer, b, x in zip(machine.layers, machine.biases, states, strict=True)
    )
    return total - sum(
        ((x @ w) * y).sum(-1) for x, w, y in zip(states[:-1], machine.weights, states[1:], strict=True)
    )


@pytest.mark.parametrize(
    "units", (("binary", "spin", "potts:3", "binary"), ("potts:2", "binary", "spin", "spin"))
)
@pytest.mark.parametrize("side", thinned((0, 1)))
def test_a_side_of_a_deep_machine_is_the_other_summed_out(units, side, key):
    machine = _deep(units, key)
    layers = machine.layers
    own = tuple(layer.sample(jnp.zeros(layer.size), key=key) for layer in machine.side(side))
    a, b = (jnp.asarray(layer.states(), float) for layer in machine.side(1 - side))
    first, second = np.repeat(a, len(b), 0), np.tile(b, (len(a), 1))
    full: list = [None] * len(layers)
    full[1 - side :: 2] = [first, second]
    full[side::2] = [jnp.broadcast_to(x, (len(first), len(x))) for x in own]
    wanted = jax.nn.logsumexp(-_energy(machine, full))
    assert abs(machine.log_weight(own, side) - wanted) < 1e-12
    path = tempered_path(machine)
    assert abs(path.log_weight(path.at(own, side), 1.0, side) - wanted) < 1e-12


@pytest.mark.parametrize("units", KINDS)
def test_base_rate_has_the_means_of_the_data(units):
    layer = UnitLayer.of(units, 6)
    mean = np.full(6, 1 / 3)
    assert abs(layer.mean(jnp.asarray(base_rate(layer, mean))) - mean).max() < 1e-9


def test_base_rate_is_finite_for_constant_columns():
    assert np.isfinite(base_rate(UnitLayer.of("binary", 2), [0.0, 1.0])).all()
    assert np.isfinite(base_rate(UnitLayer.of("rectified", 2), [0.0, 1.0])).all()


def test_bad_input(key):
    with pytest.raises(InputError, match="Metropolis"):
        layered(RBM(4, hidden=2, dtype=complex, key=key))
    with pytest.raises(InputError, match="base"):
        tempered_path(RBM(4, hidden=2, key=key), jnp.zeros(3))
    with pytest.raises(InputError, match="mean"):
        base_rate(UnitLayer.of("binary", 2), [0.5, np.nan])
