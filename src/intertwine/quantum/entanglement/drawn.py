r"""Configurations of |ψ|² for the sampled measures, drawn as `it.expect` draws them.

A state that carries its space is sampled there, by the moves that trained it, so that a state of one
magnetization is measured inside it. A vector of amplitudes, and a state whose sampler enumerates, give
independent configurations; these are dealt to as many chains as there would be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Int8, PyTree

from intertwine._caveats import caveat
from intertwine._checks import fail, positive_int
from intertwine.models.units import as_spins
from intertwine.quantum.entanglement.vectors import StateVector, is_vector, network_of, state_vector
from intertwine.quantum.space_choice import chains_for, measuring_space
from intertwine.quantum.vmc.energy import thermalised
from intertwine.quantum.vmc.expect import check_key
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.autoregressive import own_sampler
from intertwine.sampling.protocols import DrawsIndependently
from intertwine.sampling.sharding import on_host

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_BATCH = 1024
_PARTS = 16
"""Parts that one chain alone is cut into."""

LogPsi = Callable[[Int8[np.ndarray, "S N"]], Complex[np.ndarray, "S"]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """configurations: int8 (chains, draws, N). log_psi: log ψ of configurations (S, N), complex (S,), −inf
    where there is no amplitude. model: the network over spins, None for a vector. magnetizations: the Σ s of
    the state, None for all. independent: whether draws of a chain are. turned: the frame
    that it is written in (`Operator.turned`), None where that is not known. notes: caveats."""

    configurations: Int8[np.ndarray, "C D N"]
    log_psi: LogPsi
    model: Any
    magnetizations: tuple[int, ...] | None
    independent: bool = False
    turned: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return self.configurations.shape[-1]


def draw(
    model: PyTree,
    samples: int,
    key: Array,
    sampler: Sampler | None = None,
    hilbert: HilbertSpace | None = None,
) -> Drawn:
    """At least `samples` configurations of `model`, a vector, a wave function or a run.

    hilbert: the space of a model that does not say it.

    >>> drawn = draw([0.6, 0.0, 0.0, 0.8], 100, jax.random.key(0))
    >>> drawn.configurations.shape, bool((drawn.configurations[..., 0] == drawn.configurations[..., 1]).all())
    ((12, 9, 2), True)
    """
    samples = positive_int("samples", samples, "give the number of configurations, for example 4096")
    if samples < 4:
        raise fail("samples", "at least 4", samples, "pairs of chains need them; 4096 is usual")
    check_key(key)
    if isinstance(model, StateVector) or is_vector(model):
        if sampler is not None:
            raise fail("sampler", "None for a vector of amplitudes", sampler, "it is drawn from exactly")
        return _of_vector(state_vector(model), samples, key)
    network, where = network_of(model)
    network = as_spins(network)
    if where is None and sampler is None:
        sampler = own_sampler(network)
    where = measuring_space(where, sampler, network.size, samples, hilbert)
    notes: tuple[str, ...] = ()
    independent = isinstance(where.sampler, DrawsIndependently)
    if isinstance(where.sampler, DrawsIndependently):
        chains = min(chains_for(samples), samples // 2)
        draws = -(-samples // chains)
        found = where.sampler.independent(network, chains * draws, key=key)
        if found.log_weights is not None:
            expected = "one whose configurations count alike"
            raise fail("sampler", expected, f"{type(where.sampler).__name__}, which weights them")
        rows = np.asarray(found.configurations, np.int8).reshape(chains, draws, -1)
    else:
        start_key, draw_key = jax.random.split(key)
        state, notes = thermalised(where.sampler, network, key=start_key)
        chains = int(getattr(where.sampler, "chains", 1))
        drawn, _ = where.sampler.sample(network, state, -(-samples // chains), key=draw_key)
        if drawn.weights is not None:
            remedy = "take Metropolis, or leave samples out for the exact value"
            raise fail("sampler", "one that draws configurations", where.sampler, remedy)
        rows = on_host(drawn.configurations).astype(np.int8)
        if len(rows) == 1:
            length = rows.shape[1] // min(_PARTS, rows.shape[1])
            rows = rows[:, : length * min(_PARTS, rows.shape[1])].reshape(-1, length, rows.shape[2])
            words = "one chain, cut into parts that count as chains: whether it met all configurations is"
            notes = (*notes, caveat("unjudged", f"{words} not known; take several chains"))
    return Drawn(rows, _evaluation(network), network, where.magnetizations, independent, where.turned, notes)


def _evaluation(model: Any) -> LogPsi:
    """log ψ by the model's call, in batches of one shape."""

    def log_psi(configurations: np.ndarray) -> np.ndarray:
        out = np.empty(len(configurations), np.complex128)
        for start in range(0, len(configurations), _BATCH):
            part = configurations[start : start + _BATCH]
            filled = np.pad(part, ((0, _BATCH - len(part)), (0, 0)), mode="edge")
            out[start : start + _BATCH] = on_host(log_amplitudes(model, jnp.asarray(filled)))[: len(part)]
        return out

    return log_psi


def _of_vector(state: StateVector, samples: int, key: Array) -> Drawn:
    values = np.int64(1) << np.arange(state.size - 1, -1, -1)
    with np.errstate(divide="ignore"):
        logs = np.log(state.amplitudes.astype(np.complex128))

    def log_psi(configurations: np.ndarray) -> np.ndarray:
        return logs[(configurations < 0) @ values]

    chains = min(chains_for(samples), samples // 2)
    draws = -(-samples // chains)
    p = np.abs(state.amplitudes) ** 2
    seeds = np.asarray(jax.random.bits(key, (4,), np.uint32))
    numbers = np.random.default_rng(seeds).choice(len(p), (chains, draws), p=p / p.sum())
    rows = (1 - 2 * ((numbers[..., None] & values) != 0)).astype(np.int8)
    return Drawn(rows, log_psi, None, None, True)
