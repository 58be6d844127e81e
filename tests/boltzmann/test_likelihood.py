"""Likelihoods against enumeration, quadrature and the definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boltzmann_rows import DISCRETE, dbm, rbm, visible_states
from scipy import integrate

from intertwine._checks import InputError
from intertwine.boltzmann.likelihood.likelihood import (
    free_energy_gap,
    kl_divergence,
    log_likelihood,
    log_unnormalised,
    reconstruction_error,
)
from intertwine.boltzmann.likelihood.pseudo_likelihood import pseudo_likelihood
from intertwine.boltzmann.objectives.exact import exact_log_partition, exact_probabilities
from intertwine.boltzmann.partition.log_partition import Exact, log_partition
from intertwine.models.machines.rbm import RBM
from thinned import thinned


def draws(model, rows=40):
    return np.asarray(model.visible_layer.sample(jnp.zeros((rows, model.size)), key=jax.random.key(5)))


@pytest.mark.parametrize("name", DISCRETE)
def test_log_likelihood_is_the_mean_log_probability(name):
    model = rbm(name)
    p = exact_probabilities(model)
    found = log_likelihood(model, np.asarray(visible_states(model)), log_partition(model, Exact()))
    assert float(found.mean) == pytest.approx(np.log(p).mean(), abs=1e-9)
    assert float(found.error) == pytest.approx(np.log(p).std(ddof=1) / np.sqrt(len(p)), rel=1e-9)


def test_log_likelihood_of_a_deep_machine_and_of_a_memory_map(tmp_path):
    model = dbm("two hidden layers")
    v = np.asarray(visible_states(model)).astype(np.uint8)
    v = np.concatenate([v] * 70)[:2150]  # not a multiple of the rows looked at together
    np.save(tmp_path / "rows.npy", v)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    log_z = exact_log_partition(model)
    expected = np.asarray(jax.vmap(model)(jnp.asarray(v, jnp.float64))) - log_z
    assert float(log_likelihood(model, mapped, log_z).mean) == pytest.approx(expected.mean(), abs=1e-9)


@pytest.mark.slow
def test_the_error_of_log_z_enters():
    model = rbm("binary-binary")
    found = log_partition(model, key=jax.random.key(0))
    with_error = log_likelihood(model, draws(model), found).error
    without = log_likelihood(model, draws(model), found.mean).error
    assert float(with_error) == pytest.approx(np.hypot(float(without), found.error))


def brute_pseudo_likelihood(model, v):
    """Σ over units of ln p(v_i | v_{−i}) from ln Ψ of all values of one unit, nothing else."""
    begin, total = 0, 0.0
    for kind, columns in model.visible_layer.parts:
        width = int(kind.partition(":")[2] or 1)
        for first in range(begin, begin + columns, width):
            if width > 1:
                options = np.eye(width)
            else:
                options = np.array([[0.0], [1.0]]) if kind == "binary" else np.array([[-1.0], [1.0]])
            scores = []
            for value in options:
                moved = v.copy()
                moved[first : first + width] = value
                scores.append(float(model(jnp.asarray(moved))))
            total += float(model(jnp.asarray(v))) - np.logaddexp.reduce(scores)
        begin += columns
    return total


@pytest.mark.parametrize("name", thinned([*DISCRETE, "binary-gaussian", "spin-rectified"]))
def test_pseudo_likelihood_of_discrete_units(name):
    model, v = rbm(name), draws(rbm(name), 5)
    expected = np.mean([brute_pseudo_likelihood(model, row) for row in v])
    assert float(pseudo_likelihood(model, v).mean) == pytest.approx(expected, abs=1e-9)


MIXED = (("gaussian", 2), ("potts:2", 2))


@pytest.mark.parametrize(
    "hidden",
    [MIXED, *(pytest.param(name, marks=pytest.mark.slow) for name in ("binary", "spin", "gaussian"))],
)
def test_pseudo_likelihood_of_gaussian_units_is_the_density(hidden):
    model = RBM(
        3, 4, units="gaussian", hidden_units=hidden, scale=0.3, dtype="float64", key=jax.random.key(1)
    )
    v = np.random.default_rng(0).normal(size=(2, 3))
    expected = 0.0
    for row in v:
        for i in range(3):

            def log_weight(x, row=row, i=i):
                return float(model(jnp.asarray(np.where(np.arange(3) == i, x, row))))

            top = log_weight(row[i])
            area = integrate.quad(lambda x, t=top, f=log_weight: np.exp(f(x) - t), -12, 12, epsabs=1e-12)[0]
            expected -= np.log(area) / len(v)
    assert float(pseudo_likelihood(model, v).mean) == pytest.approx(expected, abs=1e-9)


def test_pseudo_likelihood_has_the_right_scale():
    """Independent units: it is the log-likelihood itself, whatever the number of units and their values."""
    for units in ("binary", "spin", "gaussian", "potts:3"):
        model = RBM(
            12, 4, units=units, hidden_units="binary", scale=0.7, dtype="float64", key=jax.random.key(2)
        )
        free = RBM.from_parameters(
            model.visible_bias, model.hidden_bias, 0 * model.weights, units=units, hidden_units="binary"
        )
        v = draws(free, 7)
        exact = log_likelihood(free, v, exact_log_partition(free)).mean
        assert float(pseudo_likelihood(free, v).mean) == pytest.approx(float(exact), abs=1e-9)


def test_pseudo_likelihood_does_not_change_with_the_values_of_two_states():
    spins = rbm("spin-spin")
    a, b, w = (np.asarray(x) for x in (spins.visible_bias, spins.hidden_bias, spins.weights))
    binary = RBM.from_parameters(
        2 * (a - w.sum(1)), 2 * (b - w.sum(0)), 4 * w, units="binary", hidden_units="binary"
    )
    v = draws(spins)
    ours = pseudo_likelihood(spins, v).mean
    assert float(pseudo_likelihood(binary, (v + 1) / 2).mean) == pytest.approx(float(ours), abs=1e-10)


def test_free_energy_gap_is_the_difference_of_log_likelihoods():
    model = rbm("binary-binary")
    train, held_out = draws(model, 50), 1 - draws(model, 30)
    found = free_energy_gap(model, train, held_out)
    gap = log_likelihood(model, train, 0.0).mean - log_likelihood(model, held_out, 0.0).mean
    assert float(found.mean) == pytest.approx(float(gap), abs=1e-12) and found.error > 0


def test_kl_divergence():
    model = rbm("mixed-potts")
    p = exact_probabilities(model)
    assert kl_divergence(p, model) == pytest.approx(0, abs=1e-12)
    q = np.random.default_rng(0).dirichlet(np.ones(len(p)))
    q[:3] = 0
    q /= q.sum()
    expected = np.sum(q[3:] * np.log(q[3:] / p[3:]))
    assert kl_divergence(q, model) == pytest.approx(expected, abs=1e-12)


def test_reconstruction_error_of_a_perfect_memory():
    model = RBM.from_parameters(
        -20 * jnp.ones(3), -20 * jnp.ones(3), 40 * jnp.eye(3), units="binary", hidden_units="binary"
    )
    v = np.asarray(visible_states(model))
    assert float(reconstruction_error(model, v, key=jax.random.key(0)).mean) < 1e-12


def test_rows_and_their_checks():
    model = rbm("binary-binary")
    v = draws(model, 1001)
    np.testing.assert_allclose(
        log_unnormalised(model, v), np.asarray(-model.free_energy(jnp.asarray(v))), atol=1e-12
    )
    for data, words in (
        (np.full((2, 6), 0.5), "values of binary units"),
        (np.zeros((2, 5)), "rows of 6 columns"),
        (np.full((2, 6), np.nan), "finite numbers"),
        (np.zeros((0, 6)), "at least one row"),
    ):
        with pytest.raises(InputError, match=words):
            log_likelihood(model, data, 0.0)
        with pytest.raises(InputError, match=words):
            pseudo_likelihood(model, data)
    with pytest.raises(InputError, match="log_z: expected a finite number"):
        log_likelihood(model, v, float("nan"))
    with pytest.raises(InputError, match="sum 1"):
        kl_divergence(np.ones(64), model)
    with pytest.raises(InputError, match="conditional probabilities can be summed"):
        pseudo_likelihood(rbm("rectified-spin"), np.ones((1, 6)))
