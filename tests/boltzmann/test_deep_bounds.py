"""The bounds of deep Boltzmann machines against exact likelihoods, and annealing against exact ln Z."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.likelihood.bound import (
    bound_values,
    importance_bound,
    structured_bound,
    variational_bound,
)
from intertwine.boltzmann.objectives.mean_field import mean_field_posterior
from intertwine.boltzmann.partition.log_partition import AIS, Exact, log_partition
from intertwine.boltzmann.training.deep_boltzmann import learn_deep_boltzmann
from intertwine.models.machines.deep_boltzmann import DBM

KINDS = {
    "binary": dict(sizes=(6, 4, 3)),
    "one hidden layer": dict(sizes=(6, 4)),
    "three hidden layers": dict(sizes=(5, 4, 3, 3)),
    "four hidden layers": dict(sizes=(4, 3, 3, 2, 2)),
    "spins": dict(sizes=(5, 4, 3), units="spin", hidden_units="spin"),
    "mixed": dict(sizes=(5, 4, 3), units=(("binary", 2), ("potts:3", 3)), hidden_units=["potts:2", "spin"]),
}


def random_machine(sizes, scale, seed=0, **kinds):
    blank = DBM(sizes, scale=scale, key=jax.random.key(seed), **kinds)
    keys = jax.random.split(jax.random.key(seed + 100), len(sizes))
    biases = [scale * jax.random.normal(k, b.shape) for k, b in zip(keys, blank.biases, strict=True)]
    return DBM.from_parameters(biases, blank.weights, **kinds)


def exact_values(model):
    states = jnp.asarray(model.visible_layer.states(), model.dtype)
    return np.asarray(jax.jit(jax.vmap(model))(states))


def trained_12_8_6():
    rng = np.random.default_rng(0)
    stripes = np.repeat(rng.integers(0, 2, (400, 4)), 3, axis=1)
    noise = rng.random(stripes.shape) < 0.05
    model = DBM((12, 8, 6), scale=0.1, key=jax.random.key(1))
    return learn_deep_boltzmann(model, stripes ^ noise, epochs=100, batch=50, key=jax.random.key(2)).model


@pytest.fixture(scope="module")
def machines_12_8_6():
    found = {f"scale {s}": random_machine((12, 8, 6), s, seed=k) for k, s in enumerate((0.1, 0.5, 1.0, 2.0))}
    return found | {"trained": trained_12_8_6()}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("scale 0.1", "scale 0.5")]


@pytest.mark.parametrize("name", [*SLOW, "scale 1.0", "scale 2.0", "trained"])
def test_the_bound_is_never_above_the_likelihood(machines_12_8_6, name):
    model = machines_12_8_6[name]
    exact = exact_values(model)
    np.testing.assert_allclose(jax.nn.logsumexp(exact), log_partition(model, Exact()).mean, atol=1e-9)
    for sweeps in (1, 3, 100):
        bound = bound_values(model, model.visible_layer.states(), sweeps=sweeps)
        assert (bound <= exact + 1e-9).all()
    assert np.abs(bound - exact).mean() < 0.5 * max(1.0, np.ptp(exact) / 10)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_depth_is_bounded(kind):
    model = random_machine(scale=1.0, **KINDS[kind])
    exact = exact_values(model)
    bound = bound_values(model, model.visible_layer.states(), tolerance=1e-12)
    assert (bound <= exact + 1e-9).all()
    if model.depth == 1:
        np.testing.assert_allclose(bound, exact, atol=1e-9)


def test_the_bound_is_what_the_means_say():
    """B = E_q[−E] + H(q) with the factorial q of the returned means."""
    model = random_machine((6, 4, 3, 3), 1.0)
    v = jnp.asarray(model.visible_layer.states(), jnp.float64)
    found = mean_field_posterior(model, v, tolerance=1e-13, sweeps=1000)
    m = found.means
    entropy = sum(-(x * jnp.log(x) + (1 - x) * jnp.log1p(-x)).sum(-1) for x in m)
    np.testing.assert_allclose(-model.energy([v, *m]) + entropy, found.bound, atol=1e-10)
    for level in range(1, 4):
        field = model.field(level, [v, *m])
        np.testing.assert_allclose(field, found.fields[level - 1], atol=1e-5)


@pytest.mark.parametrize("kind", ["four hidden layers", "mixed"])
def test_sweeps_never_lower_the_bound(kind):
    model = random_machine(scale=1.5, **KINDS[kind])
    states = model.visible_layer.states()
    values = [bound_values(model, states, sweeps=k, tolerance=0.0) for k in range(1, 12)]
    assert (np.diff(values, axis=0) >= -1e-10).all()


def test_a_warm_start_needs_fewer_sweeps():
    model = random_machine((12, 8, 6), 1.0)
    states = model.visible_layer.states()[:500]
    cold = mean_field_posterior(model, states, tolerance=1e-8, sweeps=1000)
    warm = mean_field_posterior(model, states, tolerance=1e-8, sweeps=1000, start=cold.means)
    assert warm.sweeps <= 2 < cold.sweeps
    np.testing.assert_allclose(warm.bound, cold.bound, atol=1e-6)


@pytest.mark.parametrize("kind", ["three hidden layers", "mixed"])
def test_each_bound_is_below_the_next(kind):
    model = random_machine(scale=1.2, **KINDS[kind])
    log_z = log_partition(model, Exact())
    states = model.visible_layer.states()
    exact = exact_values(model).mean() - log_z.mean
    bound = variational_bound(model, states, log_z, tolerance=1e-9).mean
    with_key = dict(tolerance=1e-9, key=jax.random.key(3))
    follow = structured_bound(model, states, log_z, draws=1000, **with_key).mean
    many = importance_bound(model, states, log_z, draws=3000, **with_key).mean
    assert bound < follow < many
    assert abs(exact - many) < 0.03


@pytest.mark.parametrize("sizes", [(12, 8, 6), (8, 6, 6, 4)], ids=str)
@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in (1, 2))])
def test_annealing_brackets_ln_z_of_deep_machines(sizes, seed):
    model = random_machine(sizes, 0.7, seed=seed)
    exact = log_partition(model, Exact()).mean
    found = log_partition(model, AIS(temperatures=300, chains=100), key=jax.random.key(seed))
    assert found.lower <= exact <= found.upper
    assert abs(found.mean - exact) < 5 * found.error + 0.01


def test_annealing_brackets_ln_z_of_a_trained_machine(machines_12_8_6):
    model = machines_12_8_6["trained"]
    exact = log_partition(model, Exact()).mean
    found = log_partition(model, AIS(temperatures=1000, chains=100), key=jax.random.key(0))
    assert found.lower <= exact <= found.upper


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.full((2, 6), np.nan), "finite"),
        (np.full((2, 6), 2), "binary"),
        (np.zeros((2, 5)), "6 columns"),
        (np.zeros((0, 6)), "at least one row"),
    ],
)
def test_bad_data_are_one_clear_line(data, words):
    model = random_machine((6, 4, 3), 0.5)
    with pytest.raises(InputError, match=words):
        variational_bound(model, data, 0.0)
