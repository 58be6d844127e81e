r"""The state vector of any model of up to 24 spins: ψ(s) over all 2^N configurations, normalised.

Site 0 is the most significant bit of a configuration's number, and bit 0 is s = +1. A model that carries a
space (`sampling.space`) has no amplitude outside its magnetizations, and its vector is turned back from the
frame of its Hamiltonian (Marshall's rotation) into the laboratory, as `it.expect` does for observables.

A model that is a `SpinForm` with hidden units is evaluated as a matrix over the halves of its sites,

    Π_k 2cosh(α_k(a) + β_k(b)) = Π_k (e^{α_k} e^{β_k} + e^{−α_k} e^{−β_k}),

which takes a multiply-add for each unit and amplitude and no transcendental function (`pair_products`); any
other model through its call, a batch of configurations at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Num, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine._memory import in_words
from intertwine.models.protocols import SpinFormed, spin_form, tabulated
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.quantum.entanglement.pair_products import all_amplitudes
from intertwine.quantum.entanglement.space_vectors import SpaceVector, sites_of, vector_in
from intertwine.quantum.hilbert_moves import is_plain
from intertwine.quantum.vmc.expect import state_of
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.sharding import on_host
from intertwine.sampling.space import Space
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_SITES = 24
_BATCH = 1 << 14
_ALIKE = 1e-13


class StateVector(NamedTuple):
    """amplitudes: float64 or complex128 (2^N,), of norm 1. size: N. magnetization: Σ_i s_i of all
    configurations with an amplitude, None where they have several. flip: ±1 where ψ(−s) = ±ψ(s), else 0."""

    amplitudes: Num[np.ndarray, "n"]
    size: int
    magnetization: int | None
    flip: int


def state_vector(model: PyTree) -> StateVector:
    """The normalised amplitudes of `model` over all configurations, and the sectors they are in.

    model: a wave function, a run or fit that holds one, or 2^N amplitudes themselves (real or complex, any
    norm); of atoms and spins of one magnetization those outside their space are 0.

    Raises InputError for more than 24 spins (with the memory that they would need), a vector whose length is
    no power of two, one that vanishes, numbers that are not finite, and states of bosons, fermions and larger
    spins, which no such vector holds.

    >>> state = state_vector([0.0, 3.0, 4.0, 0.0])
    >>> state.amplitudes.tolist(), state.size, state.magnetization
    ([0.0, 0.6, 0.8, 0.0], 2, 0)
    """
    if isinstance(model, StateVector):
        return model
    if is_vector(model):
        return _in_sectors(_checked_vector(model))
    if isinstance(model, SpaceVector) or in_levels(space_of_state(model)):
        expected, remedy = "a state of spins ½", "von_neumann, renyi, spectrum and renyi2 take others"
        raise fail("model", expected, f"one in {space_of_state(model)!r}", remedy)
    network, where = network_of(model)
    if network.size > MOST_SITES:
        raise too_many(network.size)
    vector = _amplitudes(as_spins(network), network.size)
    if (held := space_of_state(model)) is not None:
        inside = np.zeros(len(vector), bool)
        inside[_numbers(held.configurations())] = True
        vector = np.where(inside, vector, 0)
    if where is not None and where.magnetizations is not None:
        sums = network.size - 2 * np.bitwise_count(np.arange(len(vector))).astype(int)
        vector = np.where(np.isin(sums, where.magnetizations), vector, 0)
    vector = _normalised(vector, "model")
    if where is not None and where.turned:
        turned = int(np.sum(np.int64(1) << (network.size - 1 - np.array(where.turned, np.int64))))
        vector = vector * (1.0 - 2.0 * (np.bitwise_count(np.arange(len(vector)) & turned) & 1))
    return _in_sectors(vector)


def any_vector(model: PyTree, space: HilbertSpace | None = None) -> StateVector | SpaceVector:
    """The amplitudes of a state of any kind: of spins ½ over all configurations, else over those of its
    Hilbert space. space: where amplitudes, or a network that does not say it, are."""
    if isinstance(model, SpaceVector | StateVector):
        return model
    held = space if space is not None and not is_plain(space) else space_of_state(model)
    if held is None or (space is None and not in_levels(held)):
        return state_vector(model)
    return vector_in(model if is_vector(model) else network_of(model)[0], held)


def space_of_state(model: PyTree) -> HilbertSpace | None:
    """The Hilbert space that a state carries; None for spins ½."""
    if isinstance(model, SpaceVector):
        return model.space
    if isinstance(model, StateVector) or is_vector(model):
        return None
    where = network_of(model)[1]
    held = None if where is None else where.hilbert
    return None if is_plain(held) else held


def in_levels(space: HilbertSpace | None) -> bool:
    """Whether a state is one of more than two-level sites that do not anticommute."""
    return space is not None and (not space.binary or space.has_fermions or sites_of(space) != space.size)


def _numbers(spins: np.ndarray) -> np.ndarray:
    """The numbers of configurations ±1."""
    return (spins < 0) @ (np.int64(1) << np.arange(spins.shape[1] - 1, -1, -1))


def is_vector(model: PyTree) -> bool:
    """Whether `model` is an array of amplitudes rather than a network."""
    return isinstance(model, list | tuple | np.ndarray | jnp.ndarray) and not hasattr(model, "_fields")


def network_of(model: PyTree) -> tuple[Any, Space | None]:
    """(the network, its space or None) of a model, fit or run; InputError for anything else."""
    network, where = state_of(model)
    if not callable(network) or not hasattr(network, "size"):
        network, where = state_of(as_model(model))
    if not callable(network) or not hasattr(network, "size"):
        expected = "a wave function, a run that holds one, or 2^N amplitudes"
        raise fail("model", expected, model, "for example it.RBM(...), or it.load(folder)")
    return network, where


def size_of(model: PyTree, space: HilbertSpace | None = None) -> int:
    """The number of sites of a model, a run or a vector."""
    if isinstance(model, StateVector | SpaceVector):
        return model.size
    held = space_of_state(model) if space is None or is_plain(space) else space
    if held is not None:
        return sites_of(held)
    return _sites(model) if is_vector(model) else int(network_of(model)[0].size)


def too_many(size: int) -> Exception:
    """The error of more spins than a vector is made of."""
    needed = 16.0 * 2.0**size
    remedy = "take renyi2 or sampled_spectrum with samples= and key=, at any size"
    got = f"{size} spins, whose vector and its decomposition take about {in_words(4 * needed)}"
    return fail("model", f"at most {MOST_SITES} spins for an exact decomposition", got, remedy)


def _sites(vector: ArrayLike) -> int:
    shape = np.shape(vector)
    size = int(shape[0]).bit_length() - 1 if len(shape) == 1 and shape[0] else 0
    if size < 1 or shape != (2**size,):
        remedy = "of a Hilbert space of its own give space="
        raise fail("model", "a vector of 2^N amplitudes", f"an array of shape {shape}", remedy)
    if size > MOST_SITES:
        raise too_many(size)
    return size


def _checked_vector(given: ArrayLike) -> np.ndarray:
    _sites(given)
    vector = np.asarray(given)
    if vector.dtype.kind not in "iufc":
        raise fail("model", "a vector of numbers", f"an array of type {vector.dtype}")
    return _normalised(vector, "model")


def _normalised(vector: np.ndarray, argument: str) -> np.ndarray:
    """In double precision, real where it is, and of norm 1."""
    vector = vector.astype(np.complex128 if np.iscomplexobj(vector) else np.float64)
    largest = float(np.max(np.abs(vector))) if np.isfinite(vector).all() else np.nan
    if not 0 < largest < np.inf:
        got = "only zeros" if largest == 0 else "amplitudes that are not finite"
        raise fail(argument, "a state with finite amplitudes, not all 0", got)
    vector = vector / largest
    return vector / np.linalg.norm(vector)


def _in_sectors(vector: np.ndarray) -> StateVector:
    size = len(vector).bit_length() - 1
    down = np.bitwise_count(np.flatnonzero(vector))
    one = down.min() == down.max()
    flip = 0
    for sign in (1, -1):
        if np.linalg.norm(vector[: len(vector) // 2] - sign * vector[: len(vector) // 2 - 1 : -1]) < _ALIKE:
            flip = sign
    return StateVector(vector, size, size - 2 * int(down[0]) if one else None, flip)


def _amplitudes(model: Any, size: int) -> np.ndarray:
    """ψ of all configurations up to a factor, (2^N,)."""
    if size > 1 and isinstance(model, SpinFormed):
        found = all_amplitudes(spin_form(model), size)
        if found is not None:
            return found
    logs = logs_of_all(model, size)
    sizes = np.real(logs)
    if np.isnan(logs).any() or np.isposinf(sizes).any():
        raise fail("model", "finite amplitudes", "log ψ that is not a number for some configurations")
    there = ~np.isneginf(sizes)
    top = float(np.max(sizes, where=there, initial=-np.inf)) if there.any() else 0.0
    found = np.exp(np.where(there, logs - top, 0))
    return np.where(there, found, 0)


def logs_of_all(model: PyTree, size: int) -> np.ndarray:
    """log ψ of all configurations, batch by batch of one shape."""
    batch, model = min(2**size, _BATCH), tabulated(model)
    parts = []
    for start in range(0, 2**size, batch):
        numbers = np.arange(start, start + batch)
        bits = (numbers[:, None] >> np.arange(size - 1, -1, -1)) & 1
        part = on_host(log_amplitudes(model, jnp.asarray((1 - 2 * bits).astype(np.int8))))
        parts.append(part.astype(np.complex128 if np.iscomplexobj(part) else np.float64))
    return np.concatenate(parts)
