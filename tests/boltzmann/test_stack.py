"""Greedy stacks: hidden units of data, machines turned upside down, layers that raise the bound."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.training.deep_belief import learn_above, learn_deep_belief
from intertwine.boltzmann.training.stack import (
    can_transpose,
    representation,
    transposed,
    upward_layers,
)
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.rbm import RBM


def machine(size=5, hidden=4, units="binary", hidden_units="binary", scale=0.8, seed=0):
    key = jax.random.key(seed)
    return RBM(size, hidden=hidden, units=units, hidden_units=hidden_units, scale=scale, key=key)


def test_representation_has_the_conditional_means(key):
    rbm, above = machine(), machine(4, 3, seed=1)
    v = np.repeat([[1, 0, 0, 1, 1], [0, 1, 0, 0, 1]], 20_000, axis=0).astype(np.int8)
    found = representation(upward_layers([rbm]), v, key=key)
    assert found.dtype == np.int8 and found.shape == (40_000, 4)
    mean = np.asarray(rbm.hidden_given_visible(jnp.asarray(v[[0, -1]])))
    error = np.sqrt(mean * (1 - mean) / 20_000)
    assert (np.abs(found.reshape(2, -1, 4).mean(1) - mean) < 4 * error).all()
    twice = representation(upward_layers([rbm, above]), v[:1500], means=True, key=key)
    expected = above.hidden_given_visible(rbm.hidden_given_visible(jnp.asarray(v[:1500])))
    np.testing.assert_allclose(twice, expected, atol=1e-12)


def test_grey_rows_are_drawn_first(key):
    rbm = RBM.from_parameters(jnp.zeros(2), jnp.full(2, -50.0), 100 * jnp.eye(2), units="binary",
                              hidden_units="binary")  # fmt: skip
    grey = np.tile(np.array([[51, 204]], np.uint8), (20_000, 1))
    found = representation(upward_layers([rbm]), grey, binarise=True, key=key)
    assert np.abs(found.mean(0) - [0.2, 0.8]).max() < 4 * np.sqrt(0.16 / 20_000)


def test_many_rows_go_to_a_file_with_the_same_numbers(key):
    layers = upward_layers([machine()])
    v = np.random.default_rng(0).integers(0, 2, (2345, 5), np.uint8)
    here = representation(layers, v, key=key)
    there = representation(layers, v, in_memory=100, key=key)
    assert isinstance(there, np.memmap) and not isinstance(here, np.memmap)
    np.testing.assert_array_equal(here, there)


def test_continuous_hidden_units_keep_their_type(key):
    layers = upward_layers([machine(hidden_units="rectified")])
    found = representation(layers, np.eye(5), key=key)
    assert found.dtype == np.float64 and (found >= 0).all()


@pytest.mark.parametrize("more", [0, 3])
def test_transposed_keeps_the_law_of_the_hidden_units(more, key):
    rbm = machine()
    above = transposed(rbm, 5 + more, scale=0.0, key=key)
    h = jnp.asarray(above.visible_layer.states(), float)
    v = jnp.asarray(rbm.visible_layer.states(), float)
    joint = -jax.vmap(lambda y: jax.vmap(lambda x: rbm.energy(x, y))(v))(h)
    expected = jax.nn.log_softmax(jax.nn.logsumexp(joint, axis=1))
    np.testing.assert_allclose(jax.nn.log_softmax(-above.free_energy(h)), expected, atol=1e-12)


def test_which_machines_can_be_turned_upside_down():
    below = machine(5, 4)
    assert can_transpose(below, machine(4, 5)) and can_transpose(below, machine(4, 9))
    assert not can_transpose(below, machine(4, 3))
    assert not can_transpose(below, machine(4, 5, hidden_units="spin"))
    mixed = machine(5, 4, units=(("potts:3", 3), ("binary", 2)))
    assert can_transpose(mixed, machine(4, 5, hidden_units=(("potts:3", 3), ("binary", 2))))


def rows_of_shifts():
    """Cyclic shifts of two patterns on 8 sites."""
    patterns = [[1, 1, 1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 1, 0, 0, 0]]
    rows = np.array([np.roll(p, k) for p in patterns for k in range(8)], np.uint8)
    return np.repeat(rows, 25, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("means", [False, True])
def test_a_second_layer_raises_the_likelihood(means, key):
    """From the transposed start: never below the first machine, here well above it."""
    rows = rows_of_shifts()
    dbn = DBN((8, 6, 8), scale=0.1, key=key)
    first = learn_deep_belief(
        DBN((8, 6), scale=0.1, key=key), rows, epochs=40, up_down=0, batch=20, method=PCD(50), key=key
    )
    rbm = first.model.top
    single = float(first.model.log_probability(rows).mean())
    settings = {
        "epochs": [1, 100],
        "up_down": 0,
        "batch": 20,
        "method": PCD(50),
        "means": means,
        "refresh": 7,
    }
    rows_seen = []
    fit = learn_deep_belief(
        dbn, rows, trained=[rbm], progress=lambda _, row: rows_seen.append(row["layer"]), key=key, **settings
    )
    assert float(fit.model.log_probability(rows).mean()) > single + 0.02
    assert rows_seen == [2] * 100 and len(fit.history) == 100
    assert [row["epoch"] for row in fit.history] == list(range(1, 101))
    np.testing.assert_array_equal(fit.model.generative[0].weights, rbm.weights.T)


@pytest.mark.slow
def test_stages_of_a_whole_run(key):
    rows = rows_of_shifts()
    dbn = DBN((8, 6, 4), scale=0.1, key=key)
    fit = learn_deep_belief(dbn, rows, epochs=2, up_down=3, batch=50, key=key)
    assert [row["layer"] for row in fit.history] == [1, 1, 2, 2, 0, 0, 0]
    assert fit.model.sizes == (8, 6, 4)
    assert (fit.model.recognition[0].weights != fit.model.generative[0].weights.T).any()
    again = learn_deep_belief(dbn, rows, epochs=2, up_down=3, batch=50, key=key)
    for a, b in zip(jax.tree.leaves(fit.model), jax.tree.leaves(again.model), strict=True):
        np.testing.assert_array_equal(a, b)


BAD = {
    "another width": (lambda k: representation(upward_layers([machine()]), np.ones((3, 4)), key=k), "data"),
    "no probabilities": (
        lambda k: representation(upward_layers([machine()]), np.full((3, 5), 2.0), binarise=True, key=k),
        "data",
    ),
    "too few units": (lambda k: transposed(machine(), 4, key=k), "hidden"),
    "more units of many kinds": (
        lambda k: transposed(machine(units=(("binary", 2), ("spin", 3))), 7, key=k),
        "hidden",
    ),
    "no network": (lambda k: learn_deep_belief(machine(), np.ones((3, 5)), key=k), "model"),
    "epochs": (
        lambda k: learn_deep_belief(DBN((5, 2, 2), key=k), np.ones((3, 5)), epochs=[1], key=k),
        "epochs",
    ),
    "no epochs": (lambda k: learn_above(machine(), (), np.ones((3, 5)), epochs=0, key=k), "epochs"),
    "trained of another size": (
        lambda k: learn_deep_belief(DBN((5, 2, 2), key=k), np.ones((3, 5)), trained=machine(), key=k),
        "trained",
    ),
    "missing values": (
        lambda k: learn_deep_belief(
            DBN((5, 4, 2), key=k), np.full((3, 5), np.nan), trained=[machine()], key=k
        ),
        "data",
    ),
    "bad values": (lambda k: learn_deep_belief(DBN((5, 2, 2), key=k), np.full((3, 5), 3), key=k), "data"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, key):
    call, argument = BAD[case]
    with pytest.raises(InputError, match=argument) as caught:
        call(key)
    assert "\n" not in str(caught.value)
