"""The training loop: exact resumption, no retraces, the guard, schedules, and optax."""

import math

import jax
import numpy as np
import optax
import pytest

from intertwine._checks import InputError
from intertwine.learning import schedules
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.guard import Diverged, Guard
from intertwine.learning.loop import TrainState, iterate, start, train
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.traces import count_traces
from intertwine.models.machines.rbm import RBM
from intertwine.quantum.operators.hamiltonians import tfim
from intertwine.quantum.vmc.energy import EnergyObjective
from intertwine.sampling.enumeration import Enumeration
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import SingleFlip
from intertwine.spaces.lattices import Chain

SIZE = 8


def _problem(dtype=float, backend="auto"):
    objective = EnergyObjective(tfim(Chain(SIZE)), Metropolis(SingleFlip(), chains=16, backend=backend), 256)
    return RBM(SIZE, hidden=SIZE, dtype=dtype, key=jax.random.key(0)), objective


def _same(a, b):
    def numbers(x):
        is_key = isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(x) if is_key else x)

    return all(
        np.array_equal(numbers(x), numbers(y)) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True)
    )


@pytest.mark.parametrize(
    "optimiser", [NaturalGradient(0.05, 1e-2, momentum=0.5), OptaxGradient(optax.adam(1e-2))]
)
def test_interrupted_run_ends_with_the_same_numbers(optimiser, key):
    model, objective = _problem()
    whole, history = train(model, objective, optimiser, steps=7, key=key)
    state = start(model, objective, optimiser, key=key)
    *_, (state, _) = iterate(state, objective, optimiser, steps=3)
    leaves, tree = jax.tree.flatten(state)  # what a checkpoint keeps
    state = jax.tree.unflatten(tree, leaves)
    later = list(iterate(state, objective, optimiser, steps=4))
    state, rest = later[-1][0], [scalars for _, scalars in later]
    assert state.step == whole.step == 7
    assert _same(state, whole)
    for ours, theirs in zip(rest, history[3:], strict=True):
        assert {k: v for k, v in ours.items() if k != "seconds"} == {
            k: v for k, v in theirs.items() if k != "seconds"
        }


@pytest.mark.parametrize("backend", ["auto", "jax"])
@pytest.mark.parametrize("dtype", [float, complex])
def test_nothing_is_traced_after_the_first_steps(dtype, backend, key):
    model, objective = _problem(dtype, backend)
    optimiser = NaturalGradient(schedules.Exponential(0.1, 0.01, 10), schedules.Cosine(1e-2, 1e-3, 10))
    steps = iterate(start(model, objective, optimiser, key=key), objective, optimiser, steps=8)
    next(steps)
    with count_traces() as first:
        next(steps)
    with count_traces() as traces:
        for _ in steps:
            pass
    assert first.compiled_names == []
    assert traces.traced_names == [] and traces.compiled_names == []


def test_scalars_of_a_step(key):
    model, objective = _problem()
    ((_, scalars),) = iterate(start(model, objective, o := NaturalGradient(), key=key), objective, o, steps=1)
    wanted = (
        "step energy error variance tau r_hat ess acceptance v_score learning_rate shift update_norm seconds"
    )
    assert set(wanted.split()) <= set(scalars)
    assert all(isinstance(value, int | float) for value in scalars.values())


def test_optax_descends(key):
    model = RBM(SIZE, hidden=SIZE, dtype=complex, key=jax.random.key(0))
    objective = EnergyObjective(tfim(Chain(SIZE)), Enumeration())
    _, history = train(model, objective, OptaxGradient(optax.adam(2e-2)), steps=200, key=key)
    assert history[-1]["energy"] < -10.24  # exact: −10.2517


@pytest.mark.slow
@pytest.mark.usefixtures("optimised")
def test_divergence_by_learning_rate_stops_with_a_good_state(key):
    model, objective = _problem()
    with pytest.raises(Diverged, match=r"diverged at step \d+.*smaller learning_rate") as caught:
        train(model, objective, NaturalGradient(learning_rate=1e6, shift=1e-6), steps=100, key=key)
    assert isinstance(caught.value.state, TrainState)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(caught.value.state.model))


def _feed(guard, values, **scalars):
    for k, value in enumerate(values):
        guard.check(f"state {k}", value, {"step": k, "error": 0.1} | {n: s[k] for n, s in scalars.items()})


def test_guard_passes_a_noisy_descent():
    rng = np.random.default_rng(0)
    _feed(Guard(), -20 * (1 - np.exp(-np.arange(300) / 30)) + 0.3 * rng.normal(size=300))


def test_guard_stops_an_explosion_with_the_state_before_it():
    with pytest.raises(Diverged, match="far above the best") as caught:
        _feed(Guard(patience=5), [-1.0, -10.0, -20.0, -20.1, *[-5.0] * 10])
    assert caught.value.state == "state 3" and caught.value.step == 8


def test_guard_stops_a_stuck_sampler_and_what_is_not_finite():
    with pytest.raises(Diverged, match="accepts"):
        _feed(Guard(patience=5), [-1.0] * 10, acceptance=[1e-5] * 10)
    with pytest.raises(Diverged, match="value is nan") as caught:
        _feed(Guard(), [-1.0, -2.0, math.nan])
    assert caught.value.state == "state 1"
    with pytest.raises(Diverged, match="update is not finite"):
        _feed(Guard(), [-1.0], update_norm=[math.inf])


def test_steps_must_be_a_number(key):
    model, objective = _problem()
    state = TrainState(0, model, None, None, key)
    with pytest.raises(InputError, match="steps"):
        next(iterate(state, objective, NaturalGradient(), steps=-1))


def test_schedules_end_where_they_say():
    assert schedules.Exponential(1.0, 0.1, 10)(10) == 0.1
    assert schedules.Cosine(1.0, 0.1, 10)(10) == pytest.approx(0.1)
    assert schedules.Cosine(1.0, 0.1, 10, warmup=3)(0) == 0.25
    assert schedules.at(optax.linear_schedule(1.0, 0.0, 4), 2) == 0.5
