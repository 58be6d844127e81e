"""Compiled cluster steps: clusters by union-find, or grown one at a time.

Union keeps the smaller site as the root, so that one walk in the order of the sites finds every root. What a
model does not have is None and is not compiled: couplings of their own on bonds, fields.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_random import uniform


@inner
def _join(parent: np.ndarray, i: int, j: int):
    """One cluster of those of i and j; the smaller root is the root."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    while parent[j] != j:
        parent[j] = parent[parent[j]]
        j = parent[j]
    if i < j:
        parent[j] = i
    elif j < i:
        parent[i] = j


@kernel
def ising_steps(
    bonds: np.ndarray,
    coupling: np.ndarray,
    couplings: np.ndarray,
    field: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    steps: int,
):
    """Swendsen-Wang: `drawn.shape[1]` configurations of each chain, `steps` steps apart.

    bonds: int32 (B, 2). coupling: of all bonds, or couplings: float64 (B,), one each. field: None or float64
    (N,). spins: int8 ±1 (chains, N), changed. states: uint64 (chains, ≥ 4) of `host_random`. drawn: int8
    (chains, draws, N), written.
    """
    size = spins.shape[1]
    parent = np.empty(size, np.int32)
    turn = np.empty(size, np.int8)
    pull = np.zeros(size)
    freeze = 1.0 - np.exp(-2.0 * abs(coupling))
    sign = 1 if coupling > 0 else -1
    for c in range(spins.shape[0]):
        for d in range(drawn.shape[1]):
            for _ in range(steps):
                for i in range(size):
                    parent[i] = i
                for b in range(bonds.shape[0]):
                    i, j = bonds[b, 0], bonds[b, 1]
                    if couplings is not None:
                        strength = couplings[b] * spins[c, i] * spins[c, j]
                        if strength > 0.0 and uniform(states, c) < 1.0 - np.exp(-2.0 * strength):
                            _join(parent, i, j)
                    elif spins[c, i] * spins[c, j] == sign and uniform(states, c) < freeze:
                        _join(parent, i, j)
                if field is not None:
                    pull[:] = 0.0
                    for i in range(size):
                        parent[i] = parent[parent[i]]
                        pull[parent[i]] += field[i] * spins[c, i]
                for i in range(size):
                    root = parent[parent[i]]
                    parent[i] = root
                    if root == i:
                        chance = 0.5
                        if field is not None:
                            chance = 1.0 / (1.0 + np.exp(2.0 * pull[i]))
                        turn[i] = -1 if uniform(states, c) < chance else 1
                    spins[c, i] *= turn[root]
            for i in range(size):
                drawn[c, d, i] = spins[c, i]


@kernel
def potts_steps(
    bonds: np.ndarray,
    coupling: np.ndarray,
    field: np.ndarray,
    states_per_site: int,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    steps: int,
):
    """Swendsen-Wang for Potts states (coupling ≥ 0): every cluster takes a new state, each alike, or state 0
    with the weight e^{field × sites}. Other arguments as in `ising_steps`."""
    size, q = spins.shape[1], states_per_site
    parent = np.empty(size, np.int32)
    new = np.empty(size, np.int8)
    count = np.zeros(size, np.int32)
    freeze = 1.0 - np.exp(-coupling)
    for c in range(spins.shape[0]):
        for d in range(drawn.shape[1]):
            for _ in range(steps):
                for i in range(size):
                    parent[i] = i
                for b in range(bonds.shape[0]):
                    i, j = bonds[b, 0], bonds[b, 1]
                    if spins[c, i] == spins[c, j] and uniform(states, c) < freeze:
                        _join(parent, i, j)
                if field != 0.0:
                    count[:] = 0
                    for i in range(size):
                        parent[i] = parent[parent[i]]
                        count[parent[i]] += 1
                for i in range(size):
                    root = parent[parent[i]]
                    parent[i] = root
                    if root == i:
                        zero = 1.0 / q
                        if field != 0.0:
                            zero = 1.0 / (1.0 + (q - 1) * np.exp(-field * count[i]))
                        u = uniform(states, c)
                        rest = (u - zero) / (1.0 - zero) * (q - 1)
                        new[i] = 0 if u < zero else min(1 + int(rest), q - 1)
                    spins[c, i] = new[root]
            for i in range(size):
                drawn[c, d, i] = spins[c, i]


@kernel
def reflected_steps(
    bonds: np.ndarray,
    weight: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    steps: int,
):
    """Swendsen-Wang with a random reflection s → k − s (mod q) a step (Wolff's embedding): bonds freeze with
    probability 1 − e^{−gain}, gain = what reflecting one of the two ends would cost, and every cluster is
    reflected or not. weight: float64 (q,), ln Ψ of a bond by the difference of its states."""
    size, q = spins.shape[1], weight.shape[0]
    parent = np.empty(size, np.int32)
    turn = np.empty(size, np.int8)
    for c in range(spins.shape[0]):
        for d in range(drawn.shape[1]):
            for _ in range(steps):
                k = min(int(uniform(states, c) * q), q - 1)
                for i in range(size):
                    parent[i] = i
                for b in range(bonds.shape[0]):
                    i, j = bonds[b, 0], bonds[b, 1]
                    here, there = spins[c, i], spins[c, j]
                    gain = weight[(here - there) % q] - weight[(k - here - there) % q]
                    if gain > 0.0 and uniform(states, c) < 1.0 - np.exp(-gain):
                        _join(parent, i, j)
                for i in range(size):
                    root = parent[parent[i]]
                    parent[i] = root
                    if root == i:
                        turn[i] = 1 if uniform(states, c) < 0.5 else 0
                    if turn[root]:
                        spins[c, i] = (k - spins[c, i]) % q
            for i in range(size):
                drawn[c, d, i] = spins[c, i]


@kernel
def ising_clusters(
    near: np.ndarray,
    coupling: np.ndarray,
    couplings: np.ndarray,
    field: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    clusters: np.ndarray,
    turned: np.ndarray,
):
    """Wolff: single clusters, `clusters` of them between draws, each turned over (in a field: with the
    chance 1/(1 + e^{2 Σ h s})).

    near: int32 (N, z), padded with N. coupling: of all pairs, or couplings: float64 (N, z). turned: float64
    (chains,), the sum of the sizes of the clusters, written. Other arguments as in `ising_steps`.
    """
    size = spins.shape[1]
    stack = np.empty(size, np.int32)
    freeze = 1.0 - np.exp(-2.0 * abs(coupling))
    sign = 1 if coupling > 0 else -1
    inside = np.zeros(size, np.bool_)
    for c in range(spins.shape[0]):
        total = 0.0
        for d in range(drawn.shape[1]):
            for _ in range(clusters):
                first = min(int(uniform(states, c) * size), size - 1)
                stack[0] = first
                inside[first] = True
                length, k = 1, 0
                while k < length:
                    i = stack[k]
                    k += 1
                    for z in range(near.shape[1]):
                        j = near[i, z]
                        if j == size or inside[j]:
                            continue
                        if couplings is not None:
                            strength = couplings[i, z] * spins[c, i] * spins[c, j]
                            join = strength > 0.0 and uniform(states, c) < 1.0 - np.exp(-2.0 * strength)
                        else:
                            join = spins[c, i] * spins[c, j] == sign and uniform(states, c) < freeze
                        if join:
                            inside[j] = True
                            stack[length] = j
                            length += 1
                pull = 0.0
                if field is not None:
                    for k in range(length):
                        pull += field[stack[k]] * spins[c, stack[k]]
                over = field is None or uniform(states, c) * (1.0 + np.exp(2.0 * pull)) < 1.0
                for k in range(length):
                    inside[stack[k]] = False
                    if over:
                        spins[c, stack[k]] *= -1
                total += length
            for i in range(size):
                drawn[c, d, i] = spins[c, i]
        turned[c] = total


@kernel
def reflected_clusters(
    near: np.ndarray,
    weight: np.ndarray,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    clusters: np.ndarray,
    turned: np.ndarray,
):
    """Wolff for Potts and clock states: one cluster is grown and reflected by a random s → k − s (mod q).
    Arguments as in `reflected_steps` and `ising_clusters`."""
    size, q = spins.shape[1], weight.shape[0]
    stack = np.empty(size, np.int32)
    inside = np.zeros(size, np.bool_)
    for c in range(spins.shape[0]):
        total = 0.0
        for d in range(drawn.shape[1]):
            for _ in range(clusters):
                mirror = min(int(uniform(states, c) * q), q - 1)
                first = min(int(uniform(states, c) * size), size - 1)
                stack[0] = first
                inside[first] = True
                length, k = 1, 0
                while k < length:
                    i = stack[k]
                    k += 1
                    for z in range(near.shape[1]):
                        j = near[i, z]
                        if j == size or inside[j]:
                            continue
                        here, there = spins[c, i], spins[c, j]
                        gain = weight[(here - there) % q] - weight[(mirror - here - there) % q]
                        if gain > 0.0 and uniform(states, c) < 1.0 - np.exp(-gain):
                            inside[j] = True
                            stack[length] = j
                            length += 1
                for k in range(length):
                    i = stack[k]
                    inside[i] = False
                    spins[c, i] = (mirror - spins[c, i]) % q
                total += length
            for i in range(size):
                drawn[c, d, i] = spins[c, i]
        turned[c] = total
