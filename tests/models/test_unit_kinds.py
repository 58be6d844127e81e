"""Every unit kind against enumeration of its states, or quadrature where it has infinitely many."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from intertwine._checks import InputError
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer
from thinned import thinned

DISCRETE = ("binary", "spin", "potts:2", "potts:4")
CONTINUOUS = ("gaussian", "rectified")
FIELDS = (-40.0, -4.1, -3.9, -1.0, 0.0, 0.7, 30.0)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_kinds_are_their_sums(name):
    kind = unit_kind(name)
    states = np.array(kind.states, float)
    theta = np.random.default_rng(0).normal(size=(5, kind.columns), scale=3)
    log_weights = theta @ states.T
    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    expected = np.log(weights.sum(1)) + log_weights.max(1)
    np.testing.assert_allclose(kind.log_partition(jnp.asarray(theta)), expected, atol=1e-12)
    mean = weights @ states / weights.sum(1, keepdims=True)
    np.testing.assert_allclose(kind.mean(jnp.asarray(theta)), mean, atol=1e-12)
    np.testing.assert_array_equal(kind.base(jnp.asarray(states)), np.zeros(len(states)))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_kinds_are_their_integrals(name, field):
    kind = unit_kind(name)
    middle = max(field, 0.0) if kind.lowest == 0 else field
    shift = field * middle - middle**2 / 2

    def weight(x):
        return np.exp(field * x - x * x / 2 - shift)

    width = 60 / max(1.0, -field) if kind.lowest == 0 and field < 0 else 14.0
    limits = (max(kind.lowest, middle - 14), middle + width)
    options = {"epsabs": 1e-13, "epsrel": 1e-11, "limit": 200}
    total = integrate.quad(weight, *limits, **options)[0]
    offset = integrate.quad(lambda x: (x - middle) * weight(x), *limits, **options)[0] / total
    theta = jnp.array([field])
    assert float(kind.log_partition(theta)) == pytest.approx(np.log(total) + shift, abs=1e-10)
    assert float(kind.mean(theta)[0]) == pytest.approx(middle + offset, abs=1e-10)


@pytest.mark.parametrize("name", DISCRETE + CONTINUOUS)
def test_mean_is_the_derivative_of_the_log_partition(name):
    kind = unit_kind(name)
    theta = jnp.asarray(np.random.default_rng(1).normal(size=4 * kind.columns, scale=4))
    np.testing.assert_allclose(jax.grad(kind.log_partition)(theta), kind.mean(theta), atol=1e-10)


@pytest.mark.parametrize("name", thinned(DISCRETE + CONTINUOUS))
def test_samples_have_the_mean_and_the_variance(name):
    kind = unit_kind(name)
    fields = jnp.asarray(np.random.default_rng(2).normal(size=6 * kind.columns, scale=3))
    draws = kind.sample(jax.random.key(3), jnp.broadcast_to(fields, (40_000, fields.size)))
    UnitLayer.of(name, fields.size).check(draws)
    variance = jnp.diagonal(jax.jacobian(kind.mean)(fields))
    error = jnp.sqrt(variance / len(draws)) + 1e-12
    assert float(jnp.max(jnp.abs(draws.mean(0) - kind.mean(fields)) / error)) < 4.5
    np.testing.assert_allclose(draws.var(0), variance, rtol=0.06, atol=2e-3)


def test_float32_agrees_with_float64():
    theta = np.linspace(-60, 60, 4001)
    for name in ("binary", "spin", "gaussian", "rectified"):
        kind = unit_kind(name)
        single = kind.mean(jnp.asarray(theta, jnp.float32))
        np.testing.assert_allclose(single, kind.mean(jnp.asarray(theta)), rtol=4e-5, atol=1e-6)


def test_mixed_layer_is_its_parts():
    layer = UnitLayer.of((("binary", 2), ("potts:3", 3), ("gaussian", 1)), 6)
    theta = jnp.asarray(np.random.default_rng(4).normal(size=(7, 6)))
    parts = [UnitLayer.of(k, n) for k, n in layer.parts]
    pieces = [theta[:, :2], theta[:, 2:5], theta[:, 5:]]
    pairs = list(zip(parts, pieces, strict=True))
    expected = sum(p.log_partition(x) for p, x in pairs)
    np.testing.assert_allclose(layer.log_partition(theta), expected, rtol=1e-14)
    np.testing.assert_array_equal(layer.mean(theta), jnp.concatenate([p.mean(x) for p, x in pairs], axis=1))
    layer.check(layer.sample(theta, key=jax.random.key(0)))
    assert layer.spec == layer.parts and layer.count == 4 and not layer.is_discrete


def test_states_of_a_mixed_layer_are_all_different():
    layer = UnitLayer.of((("binary", 2), ("potts:3", 6), ("spin", 1)), 9)
    states = layer.states()
    assert len(np.unique(states, axis=0)) == layer.state_count == 4 * 9 * 2
    layer.check(states)


@pytest.mark.parametrize(
    ("spec", "size", "words"),
    [
        ("ising", 3, "units: expected one of binary, spin, gaussian, rectified, potts:q, got ising"),
        ("potts:1", 3, "units: expected one of"),
        ("potts:3", 4, "units: expected a number of columns that 3 divides for potts:3, got 4"),
        ((("binary", 2),), 3, "units: expected columns that add up to 3"),
        (7, 3, "units: expected one of"),
    ],
)
def test_bad_layers(spec, size, words):
    with pytest.raises(InputError, match=words):
        UnitLayer.of(spec, size)


@pytest.mark.parametrize(
    ("spec", "data", "words"),
    [
        ("binary", [[0, 2]], "got 2 at \\(0, 1\\); binary units take 0 or 1"),
        ("spin", [[0, 1]], "spin units take -1 or 1"),
        ("binary", [[0.0, np.nan]], "expected finite numbers, got nan at \\(0, 1\\)"),
        ("rectified", [[-0.1, 0.0]], "numbers >= 0"),
        ("potts:2", [[1, 1]], "not one-hot"),
        ("binary", [[0, 1, 1]], "rows of 2 columns"),
        ("binary", [["a", "b"]], "expected real numbers"),
    ],
)
def test_bad_values(spec, data, words):
    with pytest.raises(InputError, match=words):
        UnitLayer.of(spec, 2).check(data)


def test_enumeration_refuses_what_it_cannot_do():
    with pytest.raises(InputError, match="finitely many values"):
        UnitLayer.of("gaussian", 2).states()
    with pytest.raises(InputError, match="at most 2\\^24"):
        UnitLayer.of("binary", 25).states()
