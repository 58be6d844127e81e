r"""Entropies of a region, exactly, to 24 spins; nats.

    S = −Tr ρ ln ρ,      S_q = ln Tr ρ^q / (1 − q),      I(A : B) = S_A + S_B − S_AB

S₀ is the logarithm of the rank, S₁ = S, S_∞ = −ln λ_max. ρ_A is never built: see `schmidt`. Eigenvalues below
10⁻²⁶ of the largest are rounding, and count for no order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Num, PyTree

from intertwine._checks import fail
from intertwine._memory import check_memory
from intertwine.quantum.entanglement.regions import checked_region, disjoint, rest
from intertwine.quantum.entanglement.schmidt import schmidt_matrix, schmidt_values
from intertwine.quantum.entanglement.space_vectors import SpaceVector, modes_of, reduced_in_space
from intertwine.quantum.entanglement.vectors import any_vector, size_of
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def von_neumann(model: PyTree, region: Iterable[int], *, space: HilbertSpace | None = None) -> float:
    """−Tr ρ ln ρ of the sites `region` in the state `model`, nats.

    model: a wave function, a run that holds one (measured in its own Hilbert space), or 2^N amplitudes (site
    0 the most significant bit); at most 24 spins, or 2^24 configurations. region: site numbers in any order;
    of electrons both spins of a site belong to it. space: the Hilbert space of amplitudes over
    `space.configurations()`, or of a network that does not carry it.

    Raises InputError for more spins (it says the memory that they would need), and for a region that is
    empty, leaves the lattice or repeats a site.

    >>> bell = [0.0, 1.0, -1.0, 0.0]
    >>> round(von_neumann(bell, [0]), 12)
    0.69314718056
    """
    return entropy_of(_values(model, region, space), 1.0)


def renyi(model: PyTree, region: Iterable[int], order: float, *, space: HilbertSpace | None = None) -> float:
    """The Rényi entropy ln Tr ρ^q / (1 − q) of order q ≥ 0 of `region`, nats.

    order: 0 (the logarithm of the rank), 1 (von Neumann), math.inf (−ln of the largest eigenvalue) or any
    number between. model, region, space and errors as of `von_neumann`.

    >>> [round(renyi([0.6, 0.0, 0.0, 0.8], [0], q), 6) for q in (0, 0.5, 1, 2, math.inf)]
    [0.693147, 0.672944, 0.653418, 0.617669, 0.446287]
    """
    order = checked_order(order)
    return entropy_of(_values(model, region, space, small=order < 1), order)


def spectrum(
    model: PyTree, region: Iterable[int], *, space: HilbertSpace | None = None
) -> Float[np.ndarray, " k"]:
    """The eigenvalues of ρ of `region`, descending, summing to 1; those that are only rounding are left out.

    The entanglement spectrum is −ln of it. model, region, space and errors as of `von_neumann`.

    >>> spectrum([0.6, 0.0, 0.0, 0.8], [0]).round(12).tolist()
    [0.64, 0.36]
    """
    return _values(model, region, space, small=True)


def reduced_density_matrix(
    model: PyTree, region: Iterable[int], *, space: HilbertSpace | None = None
) -> Num[np.ndarray, "d d"]:
    """ρ of `region`, (2^l, 2^l) with the first site of `region` the most significant bit: real or complex;
    of modes with several levels (Π d, Π d) over these, in the order of the space.

    model, region, space and errors as of `von_neumann`; more than 13 sites are refused where they do not fit.

    >>> reduced_density_matrix([0.6, 0.0, 0.0, 0.8], [0]).round(12).tolist()
    [[0.36, 0.0], [0.0, 0.64]]
    """
    sites = checked_region(region, size_of(model, space))
    state, rows = any_vector(model, space), 2.0 ** len(sites)
    if isinstance(state, SpaceVector):
        rows = math.prod(float(state.space.levels[mode]) for mode in modes_of(state.space, sites))
    check_memory(3 * 16.0 * rows**2, "take a smaller region, or spectrum", "region")
    if isinstance(state, SpaceVector):
        return reduced_in_space(state, sites)
    matrix = schmidt_matrix(state, sites)
    return matrix @ matrix.conj().T


def mutual_information(
    model: PyTree, A: Iterable[int], B: Iterable[int], *, space: HilbertSpace | None = None
) -> float:
    """S_A + S_B − S_AB of two disjoint regions, nats: all correlations between them, of any kind.

    model, space and errors as of `von_neumann`; overlapping regions are refused.

    >>> ghz = np.eye(8)[0] + np.eye(8)[7]
    >>> round(mutual_information(ghz, [0], [1]), 12)
    0.69314718056
    """
    first, second = disjoint(A, B, size_of(model, space))
    state = any_vector(model, space)
    parts = (von_neumann(state, sites) for sites in (first, second))
    return max(0.0, math.fsum(parts) - von_neumann(state, (*first, *second)))


def entropy_of(values: np.ndarray, order: float) -> float:
    """The Rényi entropy of eigenvalues that sum to 1.

    >>> round(entropy_of(np.array([0.5, 0.5]), 3.0), 12)
    0.69314718056
    """
    values = values[values > 0]
    if order == 0:
        return math.log(len(values))
    if math.isinf(order):
        return max(0.0, -math.log(values.max()))
    if abs(order - 1) < 1e-9:
        return max(0.0, -math.fsum(values * np.log(values)))
    largest = float(values.max())  # powers of it alone may underflow
    log_trace = order * math.log(largest) + math.log(math.fsum((values / largest) ** order))
    return max(0.0, log_trace / (1 - order))


def checked_order(order: float) -> float:
    """`order` as a float ≥ 0, or inf."""
    if isinstance(order, bool) or not isinstance(order, int | float | np.number) or not order >= 0:
        raise fail("order", "a number ≥ 0, or math.inf", order, "1 is von Neumann's, 2 the purity's")
    return float(order)


def _values(
    model: PyTree, region: Iterable[int], space: HilbertSpace | None, *, small: bool = False
) -> np.ndarray:
    sites = checked_region(region, size_of(model, space))
    state = any_vector(model, space)
    return schmidt_values(state, _smaller(sites, state.size), small=small)


def _smaller(sites: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The region or the rest, whichever has fewer sites: their spectra are the same."""
    return sites if 2 * len(sites) <= size or len(sites) == size else rest(sites, size)
