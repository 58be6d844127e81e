r"""States of bosons, fermions, atoms and larger spins as vectors over the configurations of their Hilbert
space, and their Schmidt decomposition.

A region is a set of sites, with all the modes that are there. ψ(a, b), a the levels of its modes and b those
of the others, is taken apart into the blocks that configurations join, as conserved numbers do. Of fermions
the modes of the region come first, in the order of the space,

    ψ(a, b) = (−1)^{Σ n_j n_i, j outside before i inside} ψ(n),

so that ρ_A is the state of the fermions of A, whatever lies between them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int64, Num, PyTree

from intertwine._checks import fail
from intertwine._memory import in_words
from intertwine._threads import single_threaded_blas
from intertwine.models.units import as_spins
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.sharding import on_host
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_CONFIGURATIONS = 1 << 24
_BATCH = 1 << 14


class SpaceVector(NamedTuple):
    """amplitudes: float64 or complex128 (n,), of norm 1, over `space.configurations()`. levels: int8 (n, N)
    of these. space: the Hilbert space."""

    amplitudes: Num[np.ndarray, "n"]
    levels: Num[np.ndarray, "n N"]
    space: HilbertSpace

    @property
    def size(self) -> int:
        """The number of sites."""
        return sites_of(self.space)


def sites_of(space: HilbertSpace) -> int:
    """The sites that a region is made of: those of the lattice where each species has a mode at all of them,
    else the modes.

    >>> from intertwine.spaces.hilbert.kinds import Bosons, Fermions
    >>> sites_of(Fermions(4, (2, 2))), sites_of(Bosons(4, 3))
    (4, 4)
    """
    return space.sites if all(len(modes) == space.sites for _, modes in space.species) else space.size


def modes_of(space: HilbertSpace, region: tuple[int, ...]) -> tuple[int, ...]:
    """The modes at the sites of a region, ascending.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> modes_of(Fermions(4, (2, 2)), (0, 1))
    (0, 1, 4, 5)
    """
    if sites_of(space) == space.size:
        return tuple(sorted(region))
    return tuple(sorted(modes[site] for _, modes in space.species for site in region))


def vector_in(model: PyTree, space: HilbertSpace) -> SpaceVector:
    """The state of a network, or of amplitudes (n,), over the configurations of `space`."""
    _require_few(space)
    configurations = space.configurations()
    if isinstance(model, np.ndarray | jnp.ndarray | list | tuple) and not hasattr(model, "_fields"):
        found = np.asarray(model)
        if found.shape != (space.dimension,) or found.dtype.kind not in "iufc":
            expected = f"{space.dimension} amplitudes, over the configurations of {space!r}"
            raise fail("model", expected, f"an array of shape {found.shape} and type {found.dtype}")
        found = found.astype(np.complex128 if np.iscomplexobj(found) else np.float64)
    else:
        network: Any = model
        if network.size != space.size:
            raise fail("model", f"one of {space.size} modes", f"one of {network.size}")
        found = _amplitudes(as_spins(network), configurations)
    largest = float(np.max(np.abs(found), initial=0.0)) if np.isfinite(found).all() else np.nan
    if not 0 < largest < np.inf:
        got = "only zeros" if largest == 0 else "amplitudes that are not finite"
        raise fail("model", "a state with finite amplitudes, not all 0", got)
    found = found / largest
    return SpaceVector(found / np.linalg.norm(found), space.levels_of(configurations), space)


def _require_few(space: HilbertSpace) -> None:
    if space.dimension <= MOST_CONFIGURATIONS:
        return
    needed = in_words((64.0 + space.size) * float(space.dimension))
    got = f"{space.dimension:,}, whose vector and its decomposition take about {needed}"
    remedy = "take renyi2 or sampled_spectrum with samples= and key=, at any size"
    expected = f"at most {MOST_CONFIGURATIONS:,} configurations for an exact decomposition"
    raise fail("model", expected, got, remedy)


def _amplitudes(model: PyTree, configurations: np.ndarray) -> np.ndarray:
    """ψ of the configurations up to a factor, batch by batch of one shape."""
    count, batch, parts = len(configurations), min(len(configurations), _BATCH), []
    for start in range(0, count, batch):
        part = configurations[start : start + batch]
        filled = np.pad(part, ((0, batch - len(part)), (0, 0)), mode="edge")
        parts.append(on_host(log_amplitudes(model, jnp.asarray(filled)))[: len(part)])
    logs = np.concatenate(parts)
    logs = logs.astype(np.complex128 if np.iscomplexobj(logs) else np.float64)
    sizes = np.real(logs)
    if np.isnan(logs).any() or np.isposinf(sizes).any():
        raise fail("model", "finite amplitudes", "log ψ that is not a number for some configurations")
    there = ~np.isneginf(sizes)
    top = float(np.max(sizes, where=there, initial=-np.inf)) if there.any() else 0.0
    found = np.where(there, np.exp(np.where(there, logs - top, 0)), 0)
    return np.real(found) if not np.any(np.abs(np.imag(found)) > 1e-14) else found


def split(
    state: SpaceVector, region: tuple[int, ...]
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"], Num[np.ndarray, " n"], np.ndarray]:
    """(row, column, ψ(a, b), levels of the rows) of every configuration, for the sites `region`."""
    space, levels = state.space, state.levels
    inside = np.array(modes_of(space, region))
    outside = np.setdiff1d(np.arange(space.size), inside)
    rows, row = np.unique(levels[:, inside], axis=0, return_inverse=True)
    _, column = np.unique(levels[:, outside], axis=0, return_inverse=True)
    values = state.amplitudes
    if space.has_fermions:
        values = values * signs(space, inside, outside, levels[:, inside], levels[:, outside])
    return row.ravel(), column.ravel(), values, rows


def signs(
    space: HilbertSpace, inside: np.ndarray, outside: np.ndarray, a: np.ndarray, b: np.ndarray
) -> Num[np.ndarray, " n"]:
    """The sign of each configuration (a, b) where the fermions of the region are moved to the front."""
    return 1 - 2 * (np.sum((b.astype(np.int32) @ crossings(space, inside, outside)) * a, axis=1) % 2)


def crossings(space: HilbertSpace, inside: np.ndarray, outside: np.ndarray) -> Num[np.ndarray, "o i"]:
    """1 where a fermionic mode outside stands before one inside, else 0."""
    fermionic = np.array(space.fermionic, bool)
    both = fermionic[outside][:, None] & fermionic[inside]
    return (both & (outside[:, None] < inside)).astype(np.int32)


def schmidt_in_space(state: SpaceVector, region: tuple[int, ...]) -> Num[np.ndarray, " k"]:
    """The eigenvalues of ρ_A, descending, to the precision of singular values.

    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> schmidt_in_space(vector_in([0.6, 0.0, 0.8], Bosons(2, 2)), (0,)).round(12).tolist()
    [0.64, 0.36]
    """
    from scipy import linalg
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    row, column, values, _ = split(state, region)
    height, width = int(row.max()) + 1, int(column.max()) + 1
    there = values != 0
    row, column, values = row[there], column[there], values[there]
    joined = coo_matrix((np.ones(len(row)), (row, column + height)), shape=(height + width,) * 2)
    _, label = connected_components(joined, directed=False)
    order = np.argsort(label[row], kind="stable")
    cuts = np.flatnonzero(np.diff(label[row][order])) + 1
    found = []
    with single_threaded_blas():
        for part in np.split(order, cuts):
            own, r = np.unique(row[part], return_inverse=True)
            others, c = np.unique(column[part], return_inverse=True)
            block = np.zeros((len(own), len(others)), values.dtype)
            block[r, c] = values[part]
            found.append(np.square(linalg.svdvals(block, check_finite=False)))
    squares = np.sort(np.concatenate(found))[::-1]
    squares = squares[squares > 1e-26 * squares[0]]
    return squares / squares.sum()


def reduced_in_space(state: SpaceVector, region: tuple[int, ...]) -> Num[np.ndarray, "d d"]:
    """ρ_A over all levels of the modes of `region`, the first mode most significant."""
    row, column, values, rows = split(state, region)
    matrix = np.zeros((int(row.max()) + 1, int(column.max()) + 1), values.dtype)
    matrix[row, column] = values
    levels = np.array(state.space.levels)[list(modes_of(state.space, region))]
    radix = np.append(np.cumprod(levels[::-1])[::-1][1:], 1)
    number = rows.astype(np.int64) @ radix
    rho = np.zeros((int(np.prod(levels)),) * 2, values.dtype)
    rho[np.ix_(number, number)] = matrix @ matrix.conj().T
    return rho


def allowed(
    space: HilbertSpace, inside: np.ndarray, outside: np.ndarray, a: np.ndarray, b: np.ndarray
) -> Bool:
    """Whether the levels a (n, ·) of the modes `inside` and b (m, ·) of those `outside` are a configuration
    of the space together: bool (n, m)."""
    place = np.full(space.size, -1)
    place[inside] = np.arange(len(inside))
    other = np.full(space.size, -1)
    other[outside] = np.arange(len(outside))
    found = np.ones((len(a), len(b)), bool)
    for bound in space.bounds:
        modes, weights = np.array(bound.modes), np.array(bound.weights)
        here = place[modes] >= 0
        first = a[:, place[modes[here]]].astype(np.int64) @ weights[here]
        second = b[:, other[modes[~here]]].astype(np.int64) @ weights[~here]
        if here.all() or not here.any():
            continue  # each of the two is part of a configuration
        total = first[:, None] + second
        total = total % bound.modulus if bound.modulus is not None else total
        found &= (total >= bound.low) & (total <= bound.high)
    return found
