r"""RBMs that are stabiliser states exactly, by hand-set weights.

A bit of a spin is n = (1 − s)/2. Two identities do everything:

    controlled-Z      (−1)^{n_i n_j} = c e^{iπ/4 (s_i s_j − s_i − s_j)},
                      e^{iπ/4 s s'} ∝ cosh w(s + s'),     cosh 2w = i,     w = (arsinh 1 + iπ/2)/2
    a parity check    m = Σ_{i ∈ f} n_i even:  cos(πm/2) e^{iπm/2} = 1,   odd: 0

so that a graph state takes a hidden unit for each edge, and a state of a CSS code one for each Z check, with
weights iπ/4 on its sites: the even superposition of all configurations that pass the checks. A string Π Z on
top sets the signs of X checks. Up to a Clifford rotation of single spins every stabiliser state is a graph
state. The plaquettes of the toric code alone, without the second factor, are the machine of Deng, Li & Das
Sarma (Phys. Rev. B 96, 195145 (2017)); and units on distant pairs their state with a volume law (Phys. Rev. X
7, 021021 (2017)). Complex RBMs for stabiliser states: Zhang, Wei, Wu & Li, J. Phys. A 51, 135203 (2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import parameter_dtype
from intertwine.quantum.entanglement.stabilisers.binary_rank import binary_solution
from intertwine.quantum.entanglement.stabilisers.stabilisers import (
    as_bits,
    checked_edges,
    css_stabilisers,
    toric_code_checks,
)

_QUARTER = 0.25j * np.pi
_EDGE = (np.arcsinh(1.0) + 0.5j * np.pi) / 2


def graph_state(edges: Iterable[Sequence[int]], size: int) -> RBM:
    """The graph state Π_{edges} CZ |+…+⟩ as a complex RBM, a hidden unit for each edge.

    edges: pairs of sites, for example `lattice.bonds()`: the cluster state. size: N. Raises InputError for
    edges that are no pairs of different sites, or given twice.

    >>> from intertwine.quantum.entanglement.vectors import state_vector
    >>> psi = state_vector(graph_state([(0, 1)], 2)).amplitudes
    >>> (psi / psi[0]).round(6).real.tolist()
    [1.0, 1.0, 1.0, -1.0]
    """
    pairs = checked_edges(edges, size)
    weights = np.zeros((size, max(1, len(pairs))), complex)
    field = np.zeros(size, complex)
    for k, pair in enumerate(pairs):
        weights[list(pair), k] = _EDGE
        field[list(pair)] -= _QUARTER
    return _machine(field, np.zeros(weights.shape[1], complex), weights)


def css_state(
    z_checks: Iterable[Iterable[int]],
    size: int,
    *,
    z_signs: Iterable[int] | None = None,
    x_checks: Iterable[Iterable[int]] = (),
    x_signs: Iterable[int] | None = None,
) -> RBM:
    """A state of a CSS code as a complex RBM with a hidden unit for each Z check: Π Z = z_signs on every set
    of `z_checks`, and Π X = x_signs on every set of `x_checks`.

    Signs are ±1, all +1 where they are not given. What the checks leave open is fixed by Π X = +1 of whatever
    else commutes. Without X checks of sign −1 it is the even superposition of all configurations with these
    parities. Raises InputError for checks that do not commute, and for signs that contradict one another.

    >>> css_state([(0, 1), (1, 2)], 3).hidden                     # the GHZ state
    2
    """
    z = as_bits(z_checks, size, "z_checks")
    x = as_bits(x_checks, size, "x_checks")
    css_stabilisers([np.flatnonzero(row) for row in x], [np.flatnonzero(row) for row in z], size)
    odd = _signs("z_signs", z_signs, len(z))
    if len(z) and binary_solution(z, odd) is None:
        raise fail("z_signs", "signs that some configuration has", "a product of checks with another sign")
    weights = np.where(z.T == 1, _QUARTER, 0j) if len(z) else np.zeros((size, 1), complex)
    ones = z.sum(axis=1)
    bias = -_QUARTER * ones + 2 * _QUARTER * odd if len(z) else np.zeros(1, complex)
    field = -_QUARTER * z.sum(axis=0) + 0j
    turned = _x_signs(x, z, _signs("x_signs", x_signs, len(x)))
    return _machine(field - 2 * _QUARTER * turned, bias, weights)


def toric_code(Lx: int, Ly: int) -> RBM:
    """The toric code on Lx × Ly vertices, 2 Lx Ly spins on the edges, as the RBM with weights iπ/4 from each
    spin to the units of its two plaquettes and no biases.

    Edges are numbered as in `toric_code_checks`. All stars Π X and plaquettes Π Z are +1; the X loops that go
    around are +1 or −1 by the lattice.

    >>> toric_code(2, 2).weights.shape
    (8, 4)
    """
    _, plaquettes = toric_code_checks(Lx, Ly)
    weights = np.where(as_bits(plaquettes, 2 * Lx * Ly, "plaquettes").T == 1, _QUARTER, 0j)
    return _machine(np.zeros(len(weights), complex), np.zeros(len(plaquettes), complex), weights)


def volume_law_state(size: int) -> RBM:
    """A state whose half has the largest entropy of all, N/2 ln 2, by N non-zero weights: hidden units with
    weights iπ/4 on the pairs (j, j + N/2), which bind each pair in a Bell state. S(l) = l ln 2 up to l = N/2
    for l neighbours.

    size: N, even. Deng, Li & Das Sarma, Phys. Rev. X 7, 021021 (2017).

    >>> import math
    >>> from intertwine.quantum.entanglement.entropies import von_neumann
    >>> round(von_neumann(volume_law_state(8), range(3)) / math.log(2), 9)
    3.0
    """
    size = positive_int("size", size, "give an even number of sites")
    if size % 2:
        raise fail("size", "an even number of sites", size)
    half = size // 2
    weights = np.concatenate([np.eye(half), np.eye(half)]) * _QUARTER
    return _machine(np.zeros(size, complex), np.zeros(half, complex), weights)


def _machine(field: np.ndarray, bias: np.ndarray, weights: np.ndarray) -> RBM:
    """The RBM, in JAX's present precision."""
    dtype = parameter_dtype(complex)
    return RBM.from_parameters(*(jnp.asarray(part, dtype) for part in (field, bias, weights)))


def _signs(argument: str, signs: Iterable[int] | None, count: int) -> np.ndarray:
    """1 where a sign is −1."""
    given = np.ones(count, int) if signs is None else np.array(list(signs))
    if given.shape != (count,) or not np.isin(given, (-1, 1)).all():
        raise fail(argument, f"{count} signs ±1, one for each check", given)
    return (given < 0).astype(np.uint8)


def _x_signs(x: np.ndarray, z: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Sites where Z acts, so that exactly the X checks that are `odd` change their sign."""
    if not odd.any():
        return np.zeros(x.shape[1], np.uint8)
    found = binary_solution(x, odd)
    if found is None:
        raise fail("x_signs", "signs that some state has", "a product of checks with another sign")
    return found
