"""Mini-batch updates in one compiled loop: the same numbers as one at a time, or after interruptions."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from intertwine._checks import InputError
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.batches import Batches, binarised
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.guard import Diverged
from intertwine.learning.loop import iterate, start
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.schedules import Linear
from intertwine.learning.stream import OverBatches
from intertwine.learning.traces import count_traces

ROWS, COLUMNS = 23, 3


class Line(eqx.Module):
    weights: jax.Array


@dataclass(frozen=True)
class Squares:
    """½ ‖x w − y‖² a row, with noise from the key: the smallest mini-batch objective."""

    noise: float = 0.0
    value_name: str = "loss"

    def init(self, model, *, key):
        return jnp.zeros((), jnp.int32)

    def gradient(self, model, state, batch, *, key):
        x, y = batch
        residual = x @ model.weights - y
        gradient = x.T @ residual / len(y) + self.noise * jax.random.normal(key, model.weights.shape)
        return Line(gradient), state + 1, {"loss": 0.5 * jnp.mean(residual**2)}


def _data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, COLUMNS))
    return x, x @ np.array([1.0, -2.0, 0.5])


def _run(most, splits, optimiser, batch=5, key=None):
    stream = OverBatches(Squares(noise=0.1), Batches(_data(), batch, most=most))
    state = start(Line(jnp.zeros(COLUMNS)), stream, optimiser, key=jax.random.key(3))
    for updates in splits:
        *_, (state, _) = iterate(state, stream, optimiser, steps=updates)
        leaves, tree = jax.tree.flatten(state)  # what a checkpoint keeps
        state = jax.tree.unflatten(tree, leaves)
    return state


def _bare(state):
    return jax.tree.map(np.asarray, state._replace(key=None))


OPTIMISERS = {
    "sgd": OptaxGradient(optax.sgd(1.0), learning_rate=Linear(0.2, 0.01, 20)),
    "adam": OptaxGradient(optax.adam(0.05)),
    "averaged": WeightAverage(OptaxGradient(optax.sgd(0.1)), decay=0.9),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_chunks_and_interruptions_do_not_change_the_numbers(name):
    whole = _bare(_run(4, [21], OPTIMISERS[name]))
    for most, splits in [(1, [21]), (3, [2, 19]), (4, [5, 5, 11])]:
        other = _bare(_run(most, splits, OPTIMISERS[name]))
        assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, (whole, other)), strict=True))
    assert whole.step == 21 and whole.objective_state.position == 21


def test_the_compiled_loop_does_what_optax_does_by_hand():
    optimiser = OPTIMISERS["sgd"]
    state = _run(4, [10], optimiser)
    objective, batches = Squares(noise=0.1), Batches(_data(), 5)
    model, run_key = Line(jnp.zeros(COLUMNS)), state.key
    for k in range(10):
        batch = jax.tree.map(jnp.asarray, batches.at(k))
        gradient, _, _ = objective.gradient(model, 0, batch, key=jax.random.fold_in(run_key, k))
        model = Line(model.weights - optimiser.learning_rate(k) * gradient.weights)
    np.testing.assert_allclose(state.model.weights, model.weights, rtol=1e-6)


def test_no_retrace_for_chunks_of_any_length():
    optimiser = OptaxGradient(optax.sgd(0.1))
    stream = OverBatches(Squares(), Batches(_data(), 5, most=3))
    state = start(Line(jnp.zeros(COLUMNS)), stream, optimiser, key=jax.random.key(0))
    *_, (state, _) = iterate(state, stream, optimiser, steps=4)
    with count_traces() as traces:
        *_, (state, _) = iterate(state, stream, optimiser, steps=9)
    assert traces.compiled == 0 and traces.traced == 0


def test_it_learns_and_reports():
    optimiser = OptaxGradient(optax.sgd(0.3))
    stream = OverBatches(Squares(), Batches(_data(), 5))
    state = start(Line(jnp.zeros(COLUMNS)), stream, optimiser, key=jax.random.key(0))
    scalars = [s for _, s in iterate(state, stream, optimiser, steps=400)]
    assert scalars[-1]["loss"] < 1e-6 < scalars[0]["loss"]
    assert scalars[-1]["epoch"] == 100 and sum(s["updates"] for s in scalars) == 400


def test_a_diverging_run_stops_with_its_last_good_state():
    optimiser = OptaxGradient(optax.sgd(1e4))
    stream = OverBatches(Squares(), Batches(_data(), 5))
    state = start(Line(jnp.zeros(COLUMNS)), stream, optimiser, key=jax.random.key(0))
    with pytest.raises(Diverged) as caught:
        for _ in iterate(state, stream, optimiser, steps=4000):
            pass
    assert np.isfinite(caught.value.state.model.weights).all()


def test_an_optimiser_that_needs_samples_says_so():
    stream = OverBatches(Squares(), Batches(_data(), 5))
    with pytest.raises(InputError, match="optimiser: "):
        stream.evaluate(Line(jnp.zeros(COLUMNS)), stream.init(None, key=jax.random.key(0)), key=None)
    assert not hasattr(NaturalGradient(), "update")


# ------------------------------------------------------------------------------------------------- batches


def test_an_epoch_visits_every_row_once_and_orders_differ():
    batches = Batches(np.arange(20), 5, seed=1)
    first = np.concatenate([batches.at(k) for k in range(4)])
    second = np.concatenate([batches.at(k) for k in range(4, 8)])
    assert sorted(first) == sorted(second) == list(range(20))
    assert not np.array_equal(first, second)
    assert np.array_equal(batches.at(6), Batches(np.arange(20), 5, seed=1).at(6))
    assert not np.array_equal(batches.at(0), Batches(np.arange(20), 5, seed=2).at(0))


def test_memory_maps_give_the_batches_of_arrays(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (50, 7)).astype(np.uint8)
    np.save(tmp_path / "x.npy", values)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    ours, theirs = Batches(mapped, 8), Batches(values, 8)
    assert isinstance(ours.arrays[0], np.memmap)
    assert all(np.array_equal(ours.at(k), theirs.at(k)) and ours.at(k).dtype == np.uint8 for k in range(13))


def test_binarised_values_have_the_mean_of_their_greys(key):
    greys = np.array([0, 64, 255], np.uint8)
    drawn = binarised(np.broadcast_to(greys, (20_000, 3)), jnp.float32, key=key)
    error = np.sqrt(64 / 255 * (1 - 64 / 255) / 20_000)
    np.testing.assert_allclose(drawn.mean(0), greys / 255, atol=4 * error)
    assert (drawn[:, 0] == 0).all() and (drawn[:, 2] == 1).all()


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (np.zeros((0, 3)), {}, "data: expected at least one row"),
        (np.array(["a"]), {}, "data: expected an array of booleans"),
        ((np.zeros((4, 2)), np.zeros(3)), {}, r"data\[1\]: expected 4 rows"),
        (np.zeros((4, 2)), {"batch": 0}, "batch: expected a positive integer"),
        (np.array([[0.5], [1.5]]), {"binarise": True}, r"probabilities from 0 to 1.* got 1.5 at \(1, 0\)"),
        (np.array([[0.5], [np.inf]]), {"binarise": True}, "got inf"),
        (np.array([[1], [-1]]), {"binarise": True}, "floats from 0 to 1 or uint8"),
    ],
)
def test_bad_data_give_one_clear_line(data, options, said):
    with pytest.raises(InputError, match=said):
        Batches(data, **options)


def test_one_row_is_a_batch():
    assert Batches(np.ones((1, 2)), 100).per_epoch == 1
