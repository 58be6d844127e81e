"""Exact sums against brute force over every configuration of all layers, to 1e-9 in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boltzmann_rows import DEEP, DISCRETE, ENUMERABLE, brute_log_z, dbm, rbm, visible_states

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.exact import (
    exact_log_partition,
    exact_log_unnormalised,
    exact_probabilities,
    is_enumerable,
    log_z,
)
from intertwine.boltzmann.partition.log_partition import Exact, log_partition
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from thinned import thinned


@pytest.mark.parametrize("name", ENUMERABLE)
def test_log_z_of_every_kind(name):
    model = rbm(name)
    found = log_partition(model, Exact())
    assert found.mean == pytest.approx(brute_log_z(model), abs=1e-9)
    assert found.lower == found.mean == found.upper and found.trusted and found.error == 0


@pytest.mark.parametrize("name", DEEP)
def test_log_z_of_deep_machines(name):
    assert exact_log_partition(dbm(name)) == pytest.approx(brute_log_z(dbm(name)), abs=1e-9)


@pytest.mark.parametrize("name", ["spin-binary", "gaussian-binary", "mixed-potts"])
def test_gradient_is_the_moments(name):
    """∂ ln Z/∂λ of the formula's own sum by finite differences."""
    model = rbm(name)
    gradient = jax.grad(log_z)(model)
    rng = np.random.default_rng(0)
    direction = jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape)), model)
    step = 1e-4
    ends = [jax.tree.map(lambda x, d, s=s: x + s * step * d, model, direction) for s in (1, -1)]
    numeric = (exact_log_partition(ends[0]) - exact_log_partition(ends[1])) / (2 * step)
    inner = sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), gradient, direction)))
    assert float(inner) == pytest.approx(numeric, rel=1e-6)


def test_moments_of_a_deep_machine():
    model = dbm("three hidden layers")
    automatic = jax.grad(lambda m: jax.nn.logsumexp(jax.vmap(m)(visible_states(model))))(model)
    ours = jax.grad(log_z)(model)
    pairs = zip(jax.tree.leaves(automatic), jax.tree.leaves(ours), strict=True)
    assert max(float(jnp.abs(a - b).max()) for a, b in pairs) < 1e-12


@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities(name):
    model = rbm(name)
    log_psi = np.asarray(jax.vmap(model)(visible_states(model)))
    expected = np.exp(log_psi - brute_log_z(model))
    np.testing.assert_allclose(exact_probabilities(model), expected, atol=1e-12)


@pytest.mark.parametrize("name", thinned(DEEP))
def test_unnormalised_probability_of_deep_machines(name):
    """Summed over visible configurations it is Z; single examples against the model."""
    model = dbm(name)
    if model.layers[0].is_discrete:
        total = np.logaddexp.reduce(exact_log_unnormalised(model, np.asarray(visible_states(model))))
        assert total == pytest.approx(brute_log_z(model), abs=1e-9)
    v = np.asarray(model.layers[0].sample(jnp.zeros((3, model.size)), key=jax.random.key(0)))
    own = exact_log_unnormalised(model, v)
    np.testing.assert_allclose(own, [float(model(jnp.asarray(x))) for x in v], atol=1e-9)


def test_the_blocks_of_a_large_sum():
    """2^16 configurations in many blocks, in float32: the sum is float64 all the same."""
    key = jax.random.key(1)
    model = RBM(300, hidden=16, units="spin", hidden_units="binary", scale=0.1, dtype="float32", key=key)
    machine = layered(model)
    h = np.asarray(machine.layers[1].states(), float)
    theta = np.asarray(model.visible_bias, float) + h @ np.asarray(model.weights, float).T
    w = h @ np.asarray(model.hidden_bias, float) + np.log(2 * np.cosh(theta)).sum(1)
    assert exact_log_partition(model) == pytest.approx(np.logaddexp.reduce(w), abs=1e-9)


def test_units_zero_one_against_plus_minus_one():
    """The same distribution in both units: v = (1 + s)/2 changes the parameters by halves, not ln Z. States
    with 0 before 1 and +1 before −1 are each other's backwards."""
    spins = rbm("spin-spin")
    a, b, w = (np.asarray(x) for x in (spins.visible_bias, spins.hidden_bias, spins.weights))
    binary = RBM.from_parameters(
        2 * (a - w.sum(1)), 2 * (b - w.sum(0)), 4 * w, units="binary", hidden_units="binary"
    )
    shift = w.sum() - a.sum() - b.sum()
    assert exact_log_partition(binary) + shift == pytest.approx(exact_log_partition(spins), abs=1e-9)
    np.testing.assert_allclose(exact_probabilities(binary)[::-1], exact_probabilities(spins), atol=1e-12)


def test_what_cannot_be_enumerated_is_said():
    key = jax.random.key(0)
    with pytest.raises(InputError, match=r"at most 2\^24 configurations.*it.AIS"):
        exact_log_partition(RBM(40, hidden=30, units="binary", key=key))
    with pytest.raises(InputError, match="infinitely many and infinitely many"):
        exact_log_partition(RBM(3, hidden=2, units="gaussian", hidden_units="rectified", key=key))
    assert is_enumerable(rbm("spin-spin")) and not is_enumerable(rbm("spin-spin"), most=8)
