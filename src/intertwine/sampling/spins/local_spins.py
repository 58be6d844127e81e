"""Tables for the heat bath of single systems: Ising models with any terms, Potts and clock models."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.term_tables import pair_table, term_table
from intertwine.sampling.host_random import chain_states


def local_draws(
    model: Ising | Potts | Clock, spins: np.ndarray, draws: int, steps: int, key: Array
) -> np.ndarray:
    """Configurations int8 (chains, draws, N), `steps` sweeps apart, after those of `spins` (chains, N)."""
    from intertwine.sampling.spins import host_local_spins as host

    chains, size = spins.shape
    drawn = np.empty((chains, draws, size), np.int8)
    states = chain_states(key, chains)
    padded = np.concatenate([spins, np.zeros((chains, 1), np.int8)], 1)
    kernel, tables = (host.run_ising, _ising(model)) if isinstance(model, Ising) else _states(model)

    def of_chains(first: int, last: int) -> None:
        part = slice(first, last)
        kernel(*tables, padded[part], states[part], drawn[part], draws, steps)

    _threads.over_ranges(of_chains, chains)
    return drawn


def _ising(model: Ising) -> tuple[Any, ...]:
    """Pairs with their couplings, fields, and the larger terms of every site."""
    size = model.size
    pairs = model.pair_families
    near, numbers = pair_table(model.lattice, pairs)
    weights = np.append(model.pairs()[1], 0.0)[numbers]
    field = np.broadcast_to(np.asarray(model.field, np.float64), (size,))
    found = [(f, term_table(model.lattice, f)) for f in model.families if f not in pairs]
    strengths = dict(zip(model.families, np.asarray(model.strengths, np.float64), strict=True))
    width = max((t.shape[2] for _, t in found), default=1)
    columns = [np.pad(t, ((0, 0), (0, 0), (0, width - t.shape[2])), constant_values=-1) for _, t in found]
    others = np.concatenate([np.zeros((size, 0, width), np.int32), *columns], 1)
    owners = np.repeat(np.arange(len(found)), [t.shape[1] for _, t in found])
    values = np.array([strengths[f] for f, _ in found], np.float64)
    return near, weights, np.ascontiguousarray(field), others, values, owners


def _states(model: Potts | Clock) -> tuple[Any, tuple[Any, ...]]:
    """The kernel of q states, and ln Ψ of pairs and sites."""
    from intertwine.sampling.spins.host_local_spins import run_states

    q = model.states
    coupling, field = float(model.coupling), np.zeros(q)
    steps = np.arange(q)[:, None] - np.arange(q)
    if isinstance(model, Potts):
        table, field[0] = coupling * (steps == 0), float(model.field)
    else:
        table = coupling * np.cos(2 * np.pi / q * steps)
    return run_states, (pair_table(model.lattice)[0], table, field)
