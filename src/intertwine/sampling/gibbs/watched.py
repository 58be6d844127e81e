r"""Runs of Gibbs samplers with traces of every sweep, from which τ, R̂ and ESS of the samples are computed.

Watched along every chain (the model's replica, for tempered ones): the free energy of the even side and the
projection of the visible units on the strongest direction of their weights (`gibbs.Trace`). At most 256
chains and 4096 sweeps of a run are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine.models.machines.layered import LayeredMachine, State
from intertwine.sampling.gibbs.clamped import Clamp
from intertwine.sampling.gibbs.replicas import Ladder, Replicas, tempered_sweep
from intertwine.sampling.gibbs.sweeps import Trace, as_stored, strongest_direction, traced
from intertwine.sampling.protocols import Watched

MOST_CHAINS = 256
MOST_SWEEPS = 4096

Rungs = tuple[Replicas, Array]
"""The replicas of ladders, and which pairs swap next."""
Chains = TypeVar("Chains", State, Rungs)


def watch_sweeps(
    machine: LayeredMachine,
    clamp: Clamp | None,
    state: State,
    key: Array,
    draws: int,
    burn_in: int,
    steps: int,
) -> Watched:
    """`draws` draws of chains of block Gibbs."""

    def advance(state: State, key: Array, sweeps: int) -> tuple[State, Trace]:
        return traced(machine, clamp, state, key, sweeps=sweeps)

    return _run(advance, state, lambda s: s[0], key, draws, burn_in, steps)


def watch_rungs(
    ladder: Ladder, clamp: Clamp | None, start: Replicas, parity: Array, key: Array, draws: int, steps: int
) -> Watched:
    """`draws` draws of the hardest rung of ladders, the first after `steps` sweeps too."""

    def advance(state: Rungs, key: Array, sweeps: int) -> tuple[Rungs, Trace]:
        replicas, parity = state
        replicas, trace = _traced_ladder(ladder, clamp, replicas, parity, key, sweeps=sweeps)
        return (replicas, (parity + sweeps) % 2), trace

    return _run(advance, (start, parity), lambda s: s[0].layers[0][-1], key, draws, steps, steps)


def _run(
    advance: Callable[[Chains, Array, int], tuple[Chains, Trace]],
    state: Chains,
    visible: Callable[[Chains], Array],
    key: Array,
    draws: int,
    burn_in: int,
    steps: int,
) -> Watched:
    """Burn in, then draw every `steps` sweeps."""
    total = burn_in + (draws - 1) * steps
    stride = max(1, -(-total // MOST_SWEEPS))
    drawn, kept, begun, since = [], [], 0, 0
    for draw in range(draws):
        sweeps = burn_in if draw == 0 else steps
        if sweeps:
            state, trace = advance(state, jax.random.fold_in(key, draw), sweeps)
            offset = -since % stride
            since += sweeps
            part = [np.asarray(x[offset::stride, :MOST_CHAINS], np.float64).T for x in trace]
            begun += part[0].shape[1] if draw == 0 else 0
            kept.append(part)
        drawn.append(np.asarray(visible(state)))
    names = ("free_energy", "projection")
    series = {name: np.concatenate(x, 1) for name, x in zip(names, zip(*kept, strict=True), strict=False)}
    for name, values in series.items():
        late = values[:, begun:] if values.shape[1] - begun >= 16 else values[:, values.shape[1] // 2 :]
        series[name] = -late if name == "free_energy" else late
    rows = np.stack(drawn, 1)
    return Watched(rows, series, stride, burn_in, steps, np.empty(rows.shape[:2]))


@partial(jax.jit, static_argnames=("sweeps",))
def _traced_ladder(
    ladder: Ladder, clamp: Clamp | None, replicas: Replicas, parity: Array, key: Array, *, sweeps: int
) -> tuple[Replicas, Trace]:
    direction = strongest_direction(ladder.machine)

    def step(replicas: Replicas, inputs: tuple) -> tuple[Replicas, Trace]:
        index, step_key = inputs
        after, _, weight = tempered_sweep(ladder, clamp, replicas, (parity + index) % 2, key=step_key)
        # the weight is that after the swaps and before the sweep; the projection that after the sweep
        return after, Trace(weight[-1], after.layers[0][-1] @ direction)

    return jax.lax.scan(step, replicas, (jnp.arange(sweeps), jax.random.split(key, sweeps)))


def finished(machine: LayeredMachine, found: Watched) -> Watched:
    """With the projections of the configurations, which are stored as their units are."""
    drawn = found.configurations
    rows = np.asarray(as_stored(machine.layers[0], drawn))
    return found._replace(configurations=rows, projections=drawn @ np.asarray(strongest_direction(machine)))
