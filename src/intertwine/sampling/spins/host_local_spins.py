"""Compiled heat bath of single systems, with any couplings and any number of states: a site after another.

ln Ψ is linear in what a site does: of an `Ising` model 2 s_i times the local field, of `Potts` and `Clock`
models a sum of one row of a table a neighbour. The new state is drawn from its conditional probabilities by
one uniform number with 53 random bits.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import kernel
from intertwine.sampling.host_random import uniform


@kernel
def run_ising(
    near: np.ndarray,
    weights: np.ndarray,
    field: np.ndarray,
    others: np.ndarray,
    strengths: np.ndarray,
    owners: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    draws: int,
    steps: int,
):
    """`draws` configurations of every chain, `steps` sweeps apart.

    near: int32 (N, z), padded with N; weights: (N, z), the couplings of these pairs. field: (N,). others:
    int32 (N, t, k−1), the other sites of each larger term, padded with −1 where a term has fewer and with N
    where a site has fewer terms; owners: (t,), the family of each column; strengths: (families,). spins:
    int8 (chains, N + 1), changed, 0 at the end. states: uint64 (chains, 4). drawn: int8 (chains, draws, N) or
    None.
    """
    size = near.shape[0]
    for chain in range(spins.shape[0]):
        s = spins[chain]
        for d in range(draws):
            for _ in range(steps):
                for i in range(size):
                    around = field[i]
                    for z in range(near.shape[1]):
                        around += weights[i, z] * s[near[i, z]]
                    for t in range(others.shape[1]):
                        product = strengths[owners[t]]
                        for j in range(others.shape[2]):
                            site = others[i, t, j]
                            if site >= 0:
                                product *= s[site]
                        around += product
                    s[i] = 1 if uniform(states, chain) * (1.0 + np.exp(-2.0 * around)) < 1.0 else -1
            if drawn is not None:
                drawn[chain, d] = s[:size]


@kernel
def run_states(
    near: np.ndarray,
    table: np.ndarray,
    field: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    draws: int,
    steps: int,
):
    """The same for q states: table (q, q), ln Ψ of a pair of neighbours; field (q,), ln Ψ of a site."""
    size, q = near.shape[0], len(field)
    weight = np.empty(q)
    for chain in range(spins.shape[0]):
        s = spins[chain]
        for d in range(draws):
            for _ in range(steps):
                for i in range(size):
                    weight[:] = field
                    for z in range(near.shape[1]):
                        j = near[i, z]
                        if j < size:
                            for a in range(q):
                                weight[a] += table[s[j], a]
                    top = weight.max()
                    total = 0.0
                    for a in range(q):
                        total += np.exp(weight[a] - top)
                        weight[a] = total
                    mark = uniform(states, chain) * total
                    new = 0
                    while new < q - 1 and weight[new] <= mark:
                        new += 1
                    s[i] = new
            if drawn is not None:
                drawn[chain, d] = s[:size]
