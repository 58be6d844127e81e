r"""Logarithmic negativity of two disjoint regions, also where together they are in a mixed state.

    E = ln ‖ρ_AB^{T_B}‖₁,      N = (e^E − 1)/2 the negativity

with the partial transpose T_B (Vidal & Werner, Phys. Rev. A 65, 032314 (2002)); 0 where A and B are not
entangled (and for some states that are: PPT). For a pure state of A and B alone E = 2 ln Σ_k σ_k, the Rényi
entropy of order ½. Where Σ_i s_i is fixed, ρ_AB joins states of one m_A + m_B, so that its partial transpose
joins those of one m_A − m_B: a block each. What is entangled with the rest enters through its Schmidt vectors
only: ρ_AB = Σ over the configurations of the rest, whose number never has to exceed that of A and B.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import PyTree
from scipy import linalg

from intertwine._memory import check_memory
from intertwine._threads import single_threaded_blas
from intertwine.quantum.entanglement.regions import disjoint
from intertwine.quantum.entanglement.schmidt import schmidt_matrix, schmidt_values
from intertwine.quantum.entanglement.vectors import StateVector, size_of, state_vector


def negativity(model: PyTree, A: Iterable[int], B: Iterable[int]) -> float:
    """The logarithmic negativity ln ‖ρ_AB^{T_B}‖₁ of two disjoint regions, nats; the negativity itself is
    (e^E − 1)/2.

    model: a wave function, a run that holds one, or 2^N amplitudes; at most 24 spins. A and B need not be
    everything: what is left out is traced over. Raises InputError for regions that overlap, are empty or
    leave the lattice, and for more sites of A and B together than fit in memory.

    >>> ghz = np.eye(8)[0] + np.eye(8)[7]
    >>> round(negativity(ghz, [0], [1, 2]), 12), round(negativity(ghz, [0], [1]), 12)
    (0.69314718056, 0.0)
    """
    first, second = disjoint(A, B, size_of(model))
    size = size_of(model)
    if len(first) + len(second) == size:
        values = schmidt_values(state_vector(model), min(first, second, key=len), small=True)
        return max(0.0, 2 * math.log(math.fsum(np.sqrt(values))))
    needed = 4 * 16.0 * 4.0 ** (len(first) + len(second))
    check_memory(needed, "take smaller regions", "A and B")
    state = state_vector(model)
    with single_threaded_blas():
        norm = _trace_norm(state, first, second)
    return max(0.0, math.log(norm))


def _trace_norm(state: StateVector, first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """‖ρ^{T_B}‖₁."""
    matrix = schmidt_matrix(state, (*first, *second))
    a, b = 2 ** len(first), 2 ** len(second)
    rho = (matrix @ matrix.conj().T).reshape(a, b, a, b)
    turned = rho.transpose(0, 3, 2, 1).reshape(a * b, a * b)
    if state.magnetization is None:
        return float(np.abs(linalg.eigvalsh(turned, check_finite=False)).sum())
    ups = np.bitwise_count(np.arange(a)).astype(int)[:, None] - np.bitwise_count(np.arange(b)).astype(int)
    total = 0.0
    for difference in np.unique(ups):
        there = np.flatnonzero(ups.reshape(-1) == difference)
        block = turned[np.ix_(there, there)]
        total += float(np.abs(linalg.eigvalsh(block, check_finite=False)).sum())
    return total
