r"""Parallel tempering over stored models: sampling a trained machine with its earlier selves.

    rungs: independent units → λ_1 → λ_2 → … → λ_K = the model

Models met along a training trajectory change little from one to the next, through first-order transitions in
temperature too, so that their swaps are accepted where those of a ladder of temperatures are not (Béreux,
Decelle, Furtlehner, Rosset & Seoane, ICLR 2025). Where two stored models are closer than they need be, one is
left out: rungs are kept at equal steps of the rejections summed along the ladder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.models.machines.layered import LayeredMachine, Layers, layered
from intertwine.models.results import as_model
from intertwine.sampling.gibbs.clamped import Clamp, clamp_of
from intertwine.sampling.gibbs.replicas import ModelLadder, fresh_replicas
from intertwine.sampling.gibbs.sweeps import DEFAULT_CHAINS
from intertwine.sampling.gibbs.tempered_gibbs import (
    OnRungs,
    TemperedState,
    run_ladder,
)

MEASURE_SWEEPS = 200
"""Sweeps in which the swaps of all models given are measured, to leave some out."""


@dataclass(frozen=True, eq=False)
class TrajectoryGibbs(OnRungs):
    """Tempering over `models`, machines of the same layers from the first to the last of a training; the
    model that is sampled is the hard end, p = Ψ/Z.

    models: earlier models, such as `stored_models(state, model)` or those of checkpoints. steps: sweeps
    between draws, each with a round of swaps. chains: as for `TemperedGibbs`. burn_in: sweeps before the
    first draw; None for `steps`. acceptance: models are left out as long as swaps stay about as frequent as
    this; None to keep all. clamped: as for `Gibbs`.

    Raises InputError for an empty list, and models whose layers differ from those of the model sampled.

    >>> from intertwine.models.machines.rbm import RBM
    >>> key = jax.random.key(0)
    >>> early, rbm = (RBM(6, hidden=4, scale=scale, key=key) for scale in (0.1, 0.5))
    >>> sampler = TrajectoryGibbs([early], steps=5, chains=8)
    >>> samples, state = sampler.sample(rbm, sampler.init(rbm, key=key), 3, key=key)
    >>> samples.configurations.shape
    (8, 3, 6)
    """

    models: Sequence[Layers]
    steps: int = 100
    chains: int | None = None
    burn_in: int | None = None
    acceptance: float | None = 0.3
    clamped: Any = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        if not isinstance(self.models, list | tuple) or not self.models:
            raise fail("models", "a list of at least one earlier model", self.models)
        object.__setattr__(self, "models", [as_model(model) for model in self.models])
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        if self.chains is not None:
            positive_int("chains", self.chains, "give the number of ladders, or None")
        if self.acceptance is not None and not 0 < self.acceptance < 1:
            raise fail("acceptance", "a number between 0 and 1, or None", self.acceptance)

    def init(self, model: Layers, *, key: Array) -> TemperedState:
        """Fresh replicas after `burn_in` sweeps. `betas` of the state are the numbers of the models kept: 0
        for independent units, 1 … K for the models given, K + 1 for the model."""
        machine, clamp, chains = self.prepared(model)
        first, second, third = jax.random.split(key, 3)
        kept = jnp.arange(len(self.models) + 2)
        ladder = self._ladder(machine, kept)
        replicas = fresh_replicas(ladder, clamp, chains, key=first)
        if self.acceptance is not None and len(self.models) > 1:
            replicas, _ = run_ladder(ladder, clamp, replicas, 0, second, MEASURE_SWEEPS)
            replicas, counts = run_ladder(ladder, clamp, replicas, 0, third, MEASURE_SWEEPS)
            rejected = 1 - np.asarray(counts.accepted / jnp.maximum(counts.tried, 1))
            chosen = thinned(rejected, 1 - self.acceptance)
            replicas = jax.tree.map(lambda x: x[np.asarray(chosen)], replicas)
            kept = jnp.asarray(chosen)
            ladder = self._ladder(machine, kept)
        count = self.steps if self.burn_in is None else self.burn_in
        replicas, _ = run_ladder(ladder, clamp, replicas, 0, jax.random.fold_in(key, 1), count)
        blank = jnp.full(len(kept) - 1, jnp.nan, machine.dtype)
        return TemperedState(replicas, kept, blank, blank[0], jnp.zeros((), jnp.int32))

    def prepared(self, model: Layers, chains: int | None = None) -> tuple[LayeredMachine, Clamp | None, int]:
        """The machine of layers, the clamp and the number of chains, all checked."""
        machine = layered(model)
        for earlier in self.models:
            if layered(earlier).layers != machine.layers:
                got = [layer.parts for layer in layered(earlier).layers]
                raise fail("models", "machines of the same layers as the model that is sampled", got)
        count = self.chains or min(chains or DEFAULT_CHAINS, DEFAULT_CHAINS)
        return machine, clamp_of(self.clamped, machine.layers[0], count, machine.dtype), count

    def ladder(self, machine: LayeredMachine, state: TemperedState) -> ModelLadder:
        """The rungs of a state."""
        return self._ladder(machine, state.betas)

    def _ladder(self, machine: LayeredMachine, kept: Array) -> ModelLadder:
        rungs = [*(layered(m) for m in self.models), machine]
        rungs = [jax.tree.map(lambda x: x.astype(machine.dtype), rung) for rung in rungs]
        easy = LayeredMachine(
            rungs[0].biases, tuple(jnp.zeros_like(w) for w in rungs[0].weights), rungs[0].layers
        )
        chosen = [[easy, *rungs][int(k)] for k in kept]
        return ModelLadder(jax.tree.map(lambda *x: jnp.stack(x), *chosen))


def thinned(rejected: np.ndarray, most: float) -> list[int]:
    """The rungs to keep, ends included, of a ladder whose neighbours reject `rejected` (R−1,) of the swaps,
    so that rejections add up to about `most` from one to the next.

    >>> thinned([0.1, 0.1, 0.1, 0.6, 0.1], 0.35)
    [0, 3, 4, 5]
    """
    kept, summed = [0], 0.0
    for rung, share in enumerate(np.asarray(rejected, float)):
        if summed + share > most and kept[-1] != rung:
            kept.append(rung)
            summed = 0.0
        summed += float(share)
    return [*kept, len(np.asarray(rejected))]
