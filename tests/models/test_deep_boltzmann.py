"""Deep Boltzmann machines against enumeration, for every kind of unit and several depths."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import layered
from thinned import thinned

MACHINES = {
    "binary 5-4-3": dict(sizes=(5, 4, 3)),
    "one hidden layer": dict(sizes=(5, 4)),
    "three hidden layers": dict(sizes=(4, 3, 4, 2)),
    "four hidden layers": dict(sizes=(3, 2, 3, 2, 2)),
    "few above": dict(sizes=(4, 6, 2)),
    "spins": dict(sizes=(4, 3, 3), units="spin", hidden_units="spin"),
    "mixed": dict(sizes=(5, 3, 4), units=(("binary", 2), ("potts:3", 3)), hidden_units=["spin", "potts:2"]),
    "Gaussian data": dict(sizes=(3, 3, 2), units="gaussian"),
}


def machine(name, scale=0.6, seed=3):
    blank = DBM(**MACHINES[name], scale=scale, key=jax.random.key(seed))
    keys = jax.random.split(jax.random.key(seed + 1), len(blank.biases))
    biases = [scale * jax.random.normal(k, b.shape) for k, b in zip(keys, blank.biases, strict=True)]
    return DBM.from_parameters(
        biases, blank.weights, units=blank.units, hidden_units=list(blank.hidden_units)
    )


def some_states(model, rows=6, seed=5):
    rng = np.random.default_rng(seed)
    found = []
    for layer in model.layers:
        if layer.is_discrete:
            states = layer.states()
            found.append(jnp.asarray(states[rng.integers(len(states), size=rows)], jnp.float64))
        else:
            found.append(jnp.asarray(rng.normal(size=(rows, layer.size))))
    return found


@pytest.mark.parametrize("name", thinned(MACHINES))
def test_energy_is_that_of_the_dense_bipartite_machine(name):
    model = machine(name)
    states, rbm = some_states(model), machine(name).as_bipartite()
    even, odd = jnp.concatenate(states[0::2], -1), jnp.concatenate(states[1::2], -1)
    np.testing.assert_allclose(model.energy(states), rbm.energy(even, odd), atol=1e-12)
    np.testing.assert_allclose(
        layered(model).log_weight(tuple(states[0::2])), -rbm.free_energy(even), atol=1e-12
    )


@pytest.mark.parametrize("name", thinned(MACHINES))
def test_unnormalised_likelihood_is_the_sum_over_hidden_states(name):
    model = machine(name)
    hidden = list(itertools.product(*(layer.states() for layer in model.layers[1:])))
    columns = [jnp.asarray(np.stack(x), jnp.float64) for x in zip(*hidden, strict=True)]
    for v in some_states(model)[0][:3]:
        rows = jnp.broadcast_to(v, (len(hidden), model.size))
        exact = jax.nn.logsumexp(-model.energy([rows, *columns]))
        np.testing.assert_allclose(model(v), exact, atol=1e-10)


@pytest.mark.parametrize("name", thinned(MACHINES))
def test_fields_are_changes_of_the_energy(name):
    model = machine(name)
    states = some_states(model)
    for level in range(len(model.layers)):
        field = model.field(level, states)

        def linear(x, level=level):
            replaced = [x if k == level else s for k, s in enumerate(states)]
            return (-model.energy(replaced)).sum()

        slope = jax.grad(lambda x, level=level: linear(x) + model.layers[level].base(x).sum())
        np.testing.assert_allclose(slope(states[level]), field, atol=1e-12)


@pytest.mark.parametrize("name", thinned(["binary 5-4-3", "three hidden layers", "mixed"]))
def test_layers_are_drawn_from_their_conditionals(name):
    model = machine(name)
    states = [jnp.broadcast_to(x[0], (20_000, x.shape[1])) for x in some_states(model)]
    even = model.sample_even(states, key=jax.random.key(1))
    odd = model.sample_odd(states, key=jax.random.key(2))
    for level in range(len(model.layers)):
        drawn = (even, odd)[level % 2][level]
        expected = model.layers[level].mean(model.field(level, states))[0]
        error = np.maximum(np.asarray(drawn).std(0), 1e-3) / np.sqrt(20_000)
        assert (np.abs(drawn.mean(0) - expected) < 4.5 * error).all()
        kept = (odd, even)[level % 2][level]
        assert (kept == states[level]).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: DBM((4,), key=jax.random.key(0)), "at least two layers"),
        (lambda: DBM(7, key=jax.random.key(0)), "the columns of every layer"),
        (lambda: DBM((4, 0), key=jax.random.key(0)), "positive integer"),
        (lambda: DBM((4, 3), hidden_units=["spin", "spin"], key=jax.random.key(0)), "hidden_units"),
        (lambda: DBM((4, 3), units="bits", key=jax.random.key(0)), "units"),
        (lambda: DBM((4, 3), dtype=complex, key=jax.random.key(0)), "a real type"),
        (lambda: DBM.from_parameters([jnp.zeros(2), jnp.zeros(3)], []), "1 matrices"),
        (lambda: DBM.from_parameters([jnp.zeros(2), jnp.zeros(3)], [jnp.zeros((3, 2))]), "weights"),
        (lambda: DBM((4, 30, 30), key=jax.random.key(0))(jnp.zeros(4)), "2\\^20"),
        (lambda: DBM((4, 3), key=jax.random.key(0)).energy([jnp.zeros(4)]), "one per layer"),
    ],
)
def test_wrong_input_is_one_clear_line(wrong, words):
    with pytest.raises(InputError, match=words):
        wrong()
