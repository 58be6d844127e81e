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
from intertwine.quantum.entanglement.space_vectors import SpaceVector, modes_of
from intertwine.quantum.entanglement.vectors import StateVector, any_vector, is_vector, network_of
from intertwine.quantum.hilbert_moves import is_plain
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
    that it is written in (`Operator.turned`), None where that is not known. notes: caveats. hilbert: the
    space of bosons, fermions, atoms or larger spins, None for spins ½."""

    configurations: Int8[np.ndarray, "C D N"]
    log_psi: LogPsi
    model: Any
    magnetizations: tuple[int, ...] | None
    independent: bool = False
    turned: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    hilbert: HilbertSpace | None = None

    @property
    def size(self) -> int:
        """The number of modes."""
        return self.configurations.shape[-1]

    def modes(self, region: tuple[int, ...]) -> tuple[int, ...]:
        """The modes of the sites of a region."""
        return region if self.hilbert is None else modes_of(self.hilbert, region)


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
    if isinstance(model, StateVector | SpaceVector) or is_vector(model):
        if sampler is not None:
            raise fail("sampler", "None for a vector of amplitudes", sampler, "it is drawn from exactly")
        state = any_vector(model, hilbert)
        if isinstance(state, SpaceVector):
            return _of_space_vector(state, samples, key)
        return _of_vector(state, samples, key)
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
    held = None if is_plain(where.hilbert) else where.hilbert
    return Drawn(
        rows, _evaluation(network), network, where.magnetizations, independent, where.turned, notes, held
    )


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


def _of_space_vector(state: SpaceVector, samples: int, key: Array) -> Drawn:
    space, configurations = state.space, state.space.configurations()
    with np.errstate(divide="ignore"):
        logs = np.append(np.log(state.amplitudes.astype(np.complex128)), -np.inf)

    def log_psi(rows: np.ndarray) -> np.ndarray:
        return logs[space.numbers_of(rows)]  # −1, the last one, outside

    rows = configurations[_numbers(state.amplitudes, samples, key)]
    return Drawn(rows, log_psi, None, None, True, hilbert=space)


def _numbers(amplitudes: np.ndarray, samples: int, key: Array) -> np.ndarray:
    """Numbers of configurations drawn from |ψ|², (chains, draws)."""
    chains = min(chains_for(samples), samples // 2)
    p = np.abs(amplitudes) ** 2
    seeds = np.asarray(jax.random.bits(key, (4,), np.uint32))
    shape = (chains, -(-samples // chains))
    return np.random.default_rng(seeds).choice(len(p), shape, p=p / p.sum())


def _of_vector(state: StateVector, samples: int, key: Array) -> Drawn:
    values = np.int64(1) << np.arange(state.size - 1, -1, -1)
    with np.errstate(divide="ignore"):
        logs = np.log(state.amplitudes.astype(np.complex128))

    def log_psi(configurations: np.ndarray) -> np.ndarray:
        return logs[(configurations < 0) @ values]

    numbers = _numbers(state.amplitudes, samples, key)
    rows = (1 - 2 * ((numbers[..., None] & values) != 0)).astype(np.int8)
    return Drawn(rows, log_psi, None, None, True)
