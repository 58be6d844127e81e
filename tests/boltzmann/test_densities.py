"""Normalised densities that learn from rows: autoregressive networks, and circuits as Born machines."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.boltzmann.objectives.density import DensityLikelihood

KEY = jax.random.key(0)
ISING = it.Ising(it.Square(3, 3), K=0.4)


def law():
    """The configurations of nine Ising spins, and their probabilities."""
    rows = it.Spins(9).configurations()
    logs = np.array(jax.vmap(ISING)(jnp.asarray(rows)))
    p = np.exp(logs - logs.max())
    return rows, p / p.sum()


def drawn(count):
    rows, p = law()
    return rows[np.random.default_rng(0).choice(len(rows), count, p=p)]


def test_the_gradient_by_finite_differences():
    network = it.MaskedDense(4, layers=1, features=4, key=KEY)
    rows = jnp.asarray(it.Spins(4).configurations()[::3])
    found, _, scalars = DensityLikelihood().gradient(network, (), rows, key=KEY)
    leaves, made = jax.tree.flatten(eqx.filter(network, eqx.is_inexact_array))
    step = [jax.random.normal(jax.random.fold_in(KEY, k), leaf.shape) for k, leaf in enumerate(leaves)]
    ahead, behind = (
        eqx.apply_updates(network, jax.tree.unflatten(made, [sign * 1e-5 * s for s in step]))
        for sign in (1, -1)
    )
    values = [DensityLikelihood().gradient(m, (), rows, key=KEY)[2] for m in (ahead, behind)]
    slope = (values[0]["negative_log_likelihood"] - values[1]["negative_log_likelihood"]) / 2e-5
    inner = sum(jnp.sum(g * s) for g, s in zip(jax.tree.leaves(found), step, strict=True))
    assert abs(float(inner - slope)) < 1e-7
    assert abs(float(scalars["negative_log_likelihood"])) > 0.1


def test_a_network_learns_the_spins():
    """To the entropy of the data, and a little above where it learns their noise; draws are of its law."""
    rows, p = law()
    data = drawn(4000)
    network = it.MaskedDense(9, layers=1, features=8, key=KEY)
    fit = it.learn(network, data, epochs=40, batch=100, key=KEY)
    q = np.exp(np.array(jax.vmap(fit.model)(jnp.asarray(rows))) * 2)
    assert abs(q.sum() - 1) < 1e-10
    before = np.exp(np.array(jax.vmap(network)(jnp.asarray(rows))) * 2)
    kl, first = np.sum(p * np.log(p / q)), np.sum(p * np.log(p / before))
    assert kl < 0.05 < first
    mean = it.log_likelihood(fit.model, data)
    assert abs(float(mean.mean) + float(fit.history[-1]["negative_log_likelihood"])) < 0.1
    draws = np.asarray(it.sample(fit.model, 4000, key=KEY))
    draws = draws.reshape(-1, 9)
    energy = lambda s: -0.5 * np.mean([np.array(jax.vmap(ISING)(jnp.asarray(s)))])  # noqa: E731
    assert abs(energy(draws) - np.sum(q * -0.5 * np.array(jax.vmap(ISING)(jnp.asarray(rows))))) < 0.1


def test_bits_are_spins_and_weights_count():
    data = drawn(500)
    fits = [
        it.learn(it.MaskedDense(9, layers=1, features=4, key=KEY), rows, epochs=1, batch=100, key=KEY)
        for rows in (data, (data + 1) // 2, (data, np.ones(len(data))))
    ]
    first, second, third = (np.array(it.log_likelihood(fit.model, data).mean) for fit in fits)
    assert first == second and abs(first - third) < 1e-12


def test_occupied_modes_are_ones():
    """Rows of occupation numbers and configurations, occupied −1, are the same data, also at half filling."""
    space = it.Fermions(4, 2)
    network = it.MaskedDense(space, layers=1, features=4, key=KEY)
    rows = np.repeat([[1, 1, 0, 0], [0, 1, 1, 0]], [30, 10], axis=0)
    fits = [it.learn(network, data, epochs=400, batch=40, key=KEY).model for data in (rows, 1 - 2 * rows)]
    first, second = (np.array(it.log_likelihood(fit, rows).mean) for fit in fits)
    assert first == second
    draws = np.asarray(it.sample(fits[0], 500, key=KEY).configurations).reshape(-1, 4)
    assert np.mean(draws[:, 1] == -1) > 0.6 > np.mean(draws[:, 3] == -1)


def test_a_born_machine_learns():
    """A circuit takes the law of two spins that are always alike, which a product cannot."""
    rows = np.repeat([[1, 1, -1], [-1, -1, 1]], [60, 40], axis=0)
    circuit = it.qubits.hardware_efficient(3, 2, scale=0.5, key=KEY)
    fit = it.learn(circuit, rows, epochs=150, batch=100, key=KEY)
    entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert abs(float(it.log_likelihood(fit.model, rows).mean) + entropy) < 0.02


def test_held_out_rows_are_followed():
    data = drawn(400)
    network = it.MaskedDense(9, layers=1, features=4, key=KEY)
    fit = it.learn(network, data[:300], epochs=2, batch=100, validation=data[300:], key=KEY)
    last = fit.history[-1]
    assert last["validation_negative_log_likelihood"] > 0 and "likelihood_gap" in last


def test_what_does_not_fit_is_said():
    network = it.MaskedDense(4, layers=1, features=4, key=KEY)
    for data, words in (
        (np.ones((5, 3)), "4 columns"),
        (np.full((5, 4), 0.5), "configurations of"),
        (np.full((5, 4), 3.0), "configurations of"),
    ):
        with pytest.raises(InputError, match=words):
            it.learn(network, data, key=KEY)
    rows = np.ones((5, 4), np.int8)
    with pytest.raises(InputError, match="likelihood is exact"):
        it.learn(network, rows, method=it.PCD(), key=KEY)
    with pytest.raises(InputError, match="log_partition"):
        it.log_likelihood(it.RBM(4, hidden=2, units="binary", key=KEY), rows)
