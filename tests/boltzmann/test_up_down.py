"""Wake and sleep gradients against enumeration; up-down fine-tuning raises the exact bound."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import CD, PCD, ExactKL
from intertwine.boltzmann.objectives.up_down import UpDown, phases
from intertwine.boltzmann.training.deep_belief import learn_up_down
from intertwine.models.machines.deep_belief import DBN

CASES = {"binary": ((4, 3, 3, 2), "binary"), "potts": ((3, 4, 3), "potts:3")}


def network(name, scale=0.8):
    sizes, units = CASES[name]
    dbn = DBN(sizes, units=units, scale=scale, key=jax.random.key(2))
    other = DBN(sizes, units=units, scale=scale, key=jax.random.key(3))
    return DBN.from_parts(dbn.generative, other.recognition, dbn.top)


def all_states(dbn, v):
    """Every (v, h¹, …, hᴸ⁻¹) with v from the rows `v`: a tuple of arrays, v varying slowest."""
    tables = [np.asarray(v, float)] + [np.asarray(layer.states(), float) for layer in dbn.layers[1:-1]]
    rows = np.array(list(itertools.product(*[range(len(t)) for t in tables])), int)
    return tuple(jnp.asarray(t[rows[:, i]]) for i, t in enumerate(tables))


@jax.jit
def bound(dbn, states, log_z_states):
    """Mean over the rows v of E_q[ln p(v, h) − ln q(h|v)], by enumeration."""
    log_q = jax.lax.stop_gradient(dbn.log_recognition(states))
    q = jnp.exp(log_q)
    log_z = jax.nn.logsumexp(-dbn.top.free_energy(log_z_states))
    return (q * (dbn.log_joint(states) - log_z - log_q)).sum() / q.sum()


@jax.jit
def dreamt(dbn, states):
    """E_p[ln q(h|v)], by enumeration of all states of the model."""
    log_p = jax.lax.stop_gradient(jax.nn.log_softmax(dbn.log_joint(states)))
    return (jnp.exp(log_p) * dbn.log_recognition(states)).sum()


def z_scores(draws, exact):
    """(mean − exact) in standard errors, flattened; entries that never move must be exact."""
    flat = [np.asarray(x).reshape(len(x), -1) for x in jax.tree.leaves(draws)]
    draws = np.concatenate(flat, axis=1)
    exact = np.concatenate([np.asarray(x).ravel() for x in jax.tree.leaves(exact)])
    error = draws.std(0, ddof=1) / np.sqrt(len(draws))
    return (draws.mean(0) - exact) / np.maximum(error, 1e-9)


@pytest.mark.parametrize("name", ["binary", pytest.param("potts", marks=pytest.mark.slow)])
def test_wake_and_sleep_gradients_are_unbiased(name, key):
    """Over many seeds; the RBM on top takes CD with steps enough to forget where it began."""
    dbn = network(name)
    v = np.asarray(dbn.visible_layer.states())[[0, 2, -1]]
    objective = UpDown(KL(CD(steps=40), centred=False))
    state = objective.init(dbn, key=key)
    batch = jnp.tile(jnp.asarray(v, float), (8, 1))

    @jax.jit
    def one(k):
        found, _ = phases(objective, dbn, state, batch, key=k)
        return found.generative, found.recognition, found.top

    draws = jax.lax.map(one, jax.random.split(key, 1500), batch_size=250)
    tops = jnp.asarray(dbn.top.visible_layer.states(), float)
    exact = jax.jit(jax.grad(bound))(dbn, all_states(dbn, v), tops)
    asleep = jax.jit(jax.grad(dreamt))(dbn, all_states(dbn, dbn.visible_layer.states()))
    scores = [
        z_scores(draws[0], exact.generative),
        z_scores(draws[1], asleep.recognition),
        z_scores(jax.tree.map(jnp.negative, draws[2]), exact.top),
    ]
    count = sum(s.size for s in scores)
    assert count > 30
    assert max(np.abs(s).max() for s in scores) < 4
    assert (np.concatenate(scores) ** 2).sum() / count < 1.8


def test_the_gradient_is_descent_and_shares_scale_it(key):
    dbn = network("binary")
    batch = jnp.asarray(dbn.visible_layer.states(), float)
    full = UpDown(KL(PCD(chains=7)))
    none = UpDown(KL(PCD(chains=7)), recognition=0.0, generative=0.5)
    state = full.init(dbn, key=key)
    found, _, scalars = jax.jit(full.gradient)(dbn, state, batch, key=key)
    part, _, _ = jax.jit(none.gradient)(dbn, state, batch, key=key)
    up, _ = jax.jit(phases, static_argnums=0)(full, dbn, state, batch, key=key)
    np.testing.assert_allclose(found.generative[0].weights, -up.generative[0].weights, atol=1e-12)
    np.testing.assert_allclose(part.generative[0].weights, -0.5 * up.generative[0].weights, atol=1e-12)
    assert not np.asarray(part.recognition[0].weights).any()
    assert not scalars


@pytest.mark.slow
def test_up_down_raises_the_exact_bound(key):
    """From a random network: bars of two rows; the bound rises by more than a nat and stays a bound."""
    bars = np.array([[a, a, b, b] for a in (0, 1) for b in (0, 1)], np.uint8)
    dbn = DBN((4, 4, 3), scale=0.1, key=key)
    tops = jnp.asarray(dbn.top.visible_layer.states(), float)
    states = all_states(dbn, bars)
    before = float(bound(dbn, states, tops))
    fit = learn_up_down(
        dbn, np.repeat(bars, 50, axis=0), epochs=200, batch=10, learning_rate=0.3, method=PCD(50), key=key
    )
    after = float(bound(fit.model, states, tops))
    log_p = float(fit.model.log_probability(bars).mean())
    assert after > before + 1
    assert after <= log_p <= -np.log(4)
    assert {"reconstruction_error", "log_weight", "epoch"} <= set(fit.history[-1])


def test_a_run_that_was_interrupted_ends_with_the_same_numbers(key):
    rows = np.asarray(network("binary").visible_layer.states(), np.uint8)
    rows = np.repeat(rows, 5, axis=0)
    settings = {"batch": 20, "learning_rate": 0.05, "key": key}
    whole = learn_up_down(network("binary"), rows, epochs=4, **settings)
    half = learn_up_down(network("binary"), rows, epochs=2, **settings)
    rest = learn_up_down(network("binary"), rows, epochs=4, state=half.state, **settings)
    for a, b in zip(jax.tree.leaves(whole.model), jax.tree.leaves(rest.model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(half.history) == len(rest.history) == 2


BAD = {
    "a method without samples": (lambda: UpDown(KL(ExactKL())), "top"),
    "no objective": (lambda: UpDown(PCD()), "top"),
    "a negative share": (lambda: UpDown(recognition=-1.0), "recognition"),
    "bad values": (
        lambda: learn_up_down(network("binary"), np.full((4, 4), 2), key=jax.random.key(0)),
        "data",
    ),
    "weights of rows": (
        lambda: learn_up_down(network("binary"), (np.ones((4, 4)), np.ones(4)), key=jax.random.key(0)),
        "data",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case):
    call, argument = BAD[case]
    with pytest.raises(InputError, match=argument) as caught:
        call()
    assert "\n" not in str(caught.value)
