r"""Where an annealed path to a trained machine should begin, found without the data.

A path keeps all modes of the machine in reach only if it begins with units that have the machine's own means
(for a trained machine, those of its data: Salakhutdinov & Murray 2008). Chains of Gibbs sampling do not tell
these means: they stay in the modes that they meet first. Weighted ends of annealed walks do, since E[w f] =
Z ⟨f⟩ for any path. So short walks begin with two guesses, uniform units and units with the visible biases of
the machine; all their ends in one pool, weighted, give the means; a third walk from there improves them. The
weights are flattened, w^t with t ≤ 1, until a fifth of the chains counts.

Where the machine has modes far apart, no such walk reaches more than the widest of them, and its weights do
not show it. There the path begins with a mixture over all modes that are found (`sampling.modes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from intertwine.boltzmann.partition.annealing import anneal, begin, effective_size, log_partition_of_base
from intertwine.boltzmann.partition.spacing import schedule
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.layered import LayeredMachine, State
from intertwine.models.machines.tempered import tempered_path
from intertwine.sampling.modes import Modes, find_modes

_SHARE = 0.2
_FLOOR = 0.02


class FittedBase(NamedTuple):
    """base: visible biases (N,), or a mixture over the modes. modes: they, None where there is one only.
    walks: the log weights (chains,) of walks from other bases, ln Z_0 included."""

    base: Any
    modes: Modes | None
    walks: tuple[np.ndarray, ...]


def fitted_base(
    machine: LayeredMachine, *, chains: int, steps: int, key: Array, starts: Sequence[Any] = ()
) -> FittedBase:
    """Independent units with nearly the means of the machine, from three walks of `steps` temperatures; or a
    mixture of them over its modes, looked for from the ends of these walks too, and from `starts`, arrays
    (rows, N)."""
    log_weights, means, ends = [], [], []
    guesses = [np.zeros(machine.size), np.asarray(machine.biases[0])]
    for number in range(3):
        path = tempered_path(machine, guesses[number])
        state = begin(path, chains, jax.random.fold_in(key, 2 * number))
        there = anneal(path, schedule(steps), state, key=jax.random.fold_in(key, 2 * number + 1))
        log_weights.append(log_partition_of_base(path) + there.log_weights())
        means.append(np.asarray(_visible_means(machine, there.state)))
        ends.append(np.asarray(there.state[0]))
        if number > 0:
            weights = flattened(np.concatenate(log_weights), least=_SHARE * chains)
            guesses.append(base_rate(machine.layers[0], weights @ np.concatenate(means), floor=_FLOOR))
    modes = find_modes(machine, starts=[np.concatenate(ends), *starts], key=jax.random.fold_in(key, 6))
    base = guesses[-1] if modes is None else modes.mixture
    return FittedBase(base, modes, tuple(log_weights))


def flattened(log_weights: np.ndarray, least: float) -> np.ndarray:
    """Shares ∝ w^t, sum 1, with the largest t ≤ 1 (to a tenth) for which they are worth `least` chains.

    >>> flattened(np.array([0.0, 0.0, -50.0]), least=1.5).round(3).tolist()
    [0.5, 0.5, 0.0]
    """
    flat = np.where(np.isfinite(log_weights), log_weights, -1e300)
    flat = flat - flat.max()
    while effective_size(flat) < least:
        flat = 0.9 * flat
    w = np.exp(flat)
    return w / w.sum()


@jax.jit
def _visible_means(machine: LayeredMachine, state: State) -> Array:
    """E[v] in the fields of the means of the odd layers, of every chain."""
    odd = tuple(layer.mean(f) for layer, f in zip(machine.side(1), machine.fields(state, 1), strict=True))
    return machine.layers[0].mean(machine.fields(odd, 0)[0])
