r"""Runs of Gibbs samplers with traces of every sweep, from which τ, R̂ and ESS of the samples are computed.

Watched along every chain (the model's replica, for tempered ones): the free energy of the even side and the
projection of the visible units on the strongest direction of their weights (`gibbs.Trace`). At most 256
chains and 4096 sweeps of a run are kept.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine.sampling.gibbs.clamped import Clamp
from intertwine.sampling.gibbs.gibbs import Gibbs, Trace, as_stored, strongest_direction, traced
from intertwine.sampling.gibbs.replicas import Replicas, tempered_sweep

MOST_CHAINS = 256
MOST_SWEEPS = 4096


class Watched(NamedTuple):
    """configurations: (chains, draws, N). traces: name → (chains, kept), after the burn-in where there is
    more than one draw, else of its last half. stride: sweeps between kept ones. burn_in, steps: sweeps before
    the first draw and between draws. projections: of the configurations, (chains, draws)."""

    configurations: np.ndarray
    traces: dict[str, np.ndarray]
    stride: int
    burn_in: int
    steps: int
    projections: np.ndarray


def watch_gibbs(sampler: Gibbs, model: Any, count: int, *, key: Array) -> Watched:
    """At least `count` configurations from fresh chains."""
    machine, clamp, chains = sampler.prepared(model, count)
    first, rest = jax.random.split(key)
    state = sampler.fresh(machine, clamp, chains, key=first)

    def advance(state: Any, key: Array, sweeps: int) -> tuple[Any, Trace]:
        return traced(machine, clamp, state, key, sweeps=sweeps)

    burn_in = sampler.steps if sampler.burn_in is None else sampler.burn_in
    draws = -(-count // chains)
    found = _run(advance, state, lambda s: s[0], rest, draws, burn_in, sampler.steps)
    return _finished(machine, found)


def watch_ladder(sampler: Any, model: Any, count: int, *, key: Array) -> Watched:
    """The same for `TemperedGibbs` and `TrajectoryGibbs`, whose `init` has done the burn-in."""
    machine, clamp, chains = sampler.prepared(model, count)
    if sampler.chains is None:
        sampler = _with_chains(sampler, chains)
    first, rest = jax.random.split(key)
    start = sampler.init(model, key=first)
    ladder = sampler.ladder(machine, start)

    def advance(state: Any, key: Array, sweeps: int) -> tuple[Any, Trace]:
        replicas, parity = state
        replicas, trace = _traced_ladder(ladder, clamp, replicas, parity, key, sweeps=sweeps)
        return (replicas, (parity + sweeps) % 2), trace

    draws = -(-count // chains)
    state = (start.replicas, start.parity)
    found = _run(advance, state, lambda s: s[0].layers[0][-1], rest, draws, sampler.steps, sampler.steps)
    before = sampler.steps if sampler.burn_in is None else sampler.burn_in  # of `init`
    return _finished(machine, found._replace(burn_in=before + found.burn_in))


def _run(advance: Any, state: Any, visible: Any, key: Array, draws: int, burn_in: int, steps: int) -> Watched:
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
    ladder: Any, clamp: Clamp | None, replicas: Replicas, parity: Any, key: Array, *, sweeps: int
) -> tuple[Replicas, Trace]:
    direction = strongest_direction(ladder.machine)

    def step(replicas: Replicas, inputs: tuple) -> tuple[Replicas, Trace]:
        index, step_key = inputs
        after, _, weight = tempered_sweep(ladder, clamp, replicas, (parity + index) % 2, key=step_key)
        # the weight is that after the swaps and before the sweep; the projection that after the sweep
        return after, Trace(weight[-1], after.layers[0][-1] @ direction)

    return jax.lax.scan(step, replicas, (jnp.arange(sweeps), jax.random.split(key, sweeps)))


def _finished(machine: Any, found: Watched) -> Watched:
    """With the projections of the configurations, which are stored as their units are."""
    drawn = found.configurations
    rows = np.asarray(as_stored(machine.layers[0], drawn))  # type: ignore[arg-type]
    return found._replace(configurations=rows, projections=drawn @ np.asarray(strongest_direction(machine)))


def _with_chains(sampler: Any, chains: int) -> Any:
    from dataclasses import replace

    return replace(sampler, chains=chains)
