r"""Averages of functions of configurations under a distribution p = Ψ/Z, with their error bars.

Chains are drawn in blocks, of which only the values are kept, so that long runs of large configurations fit
in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine._results import as_model
from intertwine.models.parameters import check_key
from intertwine.models.protocols import LogAmplitude, SpinSystem
from intertwine.sampling.protocols import RunsChains
from intertwine.sampling.spins.default_sampler import spin_sampler
from intertwine.sampling.statistics.estimate import Estimate, estimate

_BLOCK = 1 << 24
"""Numbers that are held at once."""


def averages(
    model: LogAmplitude,
    observables: Mapping[str, Callable[[Array], Any]],
    draws: int,
    *,
    sampler: RunsChains | None = None,
    key: Array,
) -> dict[str, Any]:
    """⟨f⟩ of each function of one configuration, an `Estimate`; of functions with arrays as values, nested
    lists of them.

    model: a distribution. observables: by name. draws: configurations of every chain, `sampler.steps` apart,
    after its burn-in. sampler: one of Ψ/Z with chains, such as `GaugeHeatBath()` or `SwendsenWang()`; None:
    that of `it.sample` for spin models and gauge links.

    Raises InputError for other samplers, no observables, and draws that are not positive.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.sampling.spins.cluster import SwendsenWang
    >>> from intertwine.spaces.lattices import Chain
    >>> ising = Ising(Chain(8), K=0.5)
    >>> bond, key = {"bond": lambda s: s[0] * s[1]}, jax.random.key(0)
    >>> found = averages(ising, bond, 400, sampler=SwendsenWang(), key=key)
    >>> exact = (np.tanh(0.5) + np.tanh(0.5) ** 7) / (1 + np.tanh(0.5) ** 8)
    >>> bool(abs(found["bond"].mean - exact) < 4 * found["bond"].error)
    True
    """
    model = as_model(model)
    draws = positive_int("draws", draws, "give the number of configurations a chain")
    check_key(key)
    if sampler is None and isinstance(model, SpinSystem):
        sampler = cast(RunsChains, spin_sampler(model))
    if not isinstance(sampler, RunsChains) or getattr(sampler, "distribution", "born") != "boltzmann":
        raise fail("sampler", "one of Ψ/Z with chains, such as GaugeHeatBath()", sampler)
    named = isinstance(observables, Mapping) and len(observables) > 0
    if not named or not all(callable(f) for f in observables.values()):
        raise fail("observables", "functions of one configuration by name", observables)
    begin, run = jax.random.split(key)
    state = sampler.init(model, key=begin)

    @jax.jit
    def values(configurations: Array) -> dict[str, Array]:
        flat = configurations.reshape(-1, *configurations.shape[2:])
        found = jax.lax.map(lambda c: {name: f(c) for name, f in observables.items()}, flat)
        return jax.tree.map(lambda x: x.reshape(*configurations.shape[:2], *x.shape[1:]), found)

    one = max(int(np.size(jax.tree.leaves(state)[0])), 1)
    block = min(draws, max(_BLOCK // one, 1))
    kept: dict[str, list[np.ndarray]] = {name: [] for name in observables}
    done = 0
    while done < draws:
        take = min(block, draws - done)
        samples, state = sampler.sample(model, state, take, key=jax.random.fold_in(run, done))
        for name, found in values(samples.configurations).items():
            kept[name].append(np.asarray(found))
        done += take
    return {name: _estimates(np.concatenate(parts, 1)) for name, parts in kept.items()}


def _estimates(values: np.ndarray) -> Estimate | list[Any]:
    if values.ndim == 2:
        return estimate(values)
    return [_estimates(values[:, :, k]) for k in range(values.shape[2])]
