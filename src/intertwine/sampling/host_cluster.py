"""The compiled Swendsen-Wang step: clusters by union-find with path halving."""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_random import uniform


@inner
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def run(bonds, coupling, field, spins, states, drawn, steps):
    """`drawn.shape[1]` configurations of each chain, `steps` cluster steps apart.

    bonds: int32 (B, 2). spins: int8 (chains, N), changed. states: uint64 (chains, 4) of `host_random`.
    drawn: int8 (chains, draws, N), written.
    """
    size = spins.shape[1]
    parent = np.empty(size, np.int32)
    total = np.empty(size, np.int32)
    turn = np.empty(size, np.int8)
    freeze = 1.0 - np.exp(-2.0 * abs(coupling))
    for c in range(spins.shape[0]):
        for d in range(drawn.shape[1]):
            for _ in range(steps):
                for i in range(size):
                    parent[i] = i
                    total[i] = 0
                    turn[i] = 0
                for b in range(bonds.shape[0]):
                    i, j = bonds[b, 0], bonds[b, 1]
                    if coupling * spins[c, i] * spins[c, j] > 0.0 and uniform(states, c) < freeze:
                        i, j = _root(parent, i), _root(parent, j)
                        if i < j:
                            parent[j] = i
                        elif j < i:
                            parent[i] = j
                for i in range(size):
                    total[_root(parent, i)] += spins[c, i]
                for i in range(size):
                    r = _root(parent, i)
                    if turn[r] == 0:
                        chance = 0.5 if field == 0.0 else 1.0 / (1.0 + np.exp(2.0 * field * total[r]))
                        turn[r] = -1 if uniform(states, c) < chance else 1
                    spins[c, i] *= turn[r]
            for i in range(size):
                drawn[c, d, i] = spins[c, i]
