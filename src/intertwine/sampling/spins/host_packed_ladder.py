"""Compiled parallel tempering of packed Ising systems: rungs are neighbouring bits of a word.

A swap of two neighbouring rungs exchanges two neighbouring bits in every word of the lattice; all swaps of a
round are done in one pass, x ← x ⊕ t ⊕ 2t with t = (x ⊕ x/2) ∧ mask.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.host_random import uniform
from intertwine.sampling.spins.host_packed import count_differing, count_up, sweep, unpack


@kernel
def run_ladder(
    spins: np.ndarray,
    place: np.ndarray,
    near: np.ndarray,
    signs: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    kinds: np.ndarray,
    bonds: np.ndarray,
    bond_signs: np.ndarray,
    tables: np.ndarray,
    work: np.ndarray,
    coupling: np.ndarray,
    fields: np.ndarray,
    betas: np.ndarray,
    chains: int,
    swaps: np.ndarray,
    parity: np.ndarray,
    generator: np.ndarray,
    came_from: np.ndarray,
    lanes: np.ndarray,
    drawn: np.ndarray,
    steps: int,
    log_weight: np.ndarray,
    magnetization: np.ndarray,
    accepted: np.ndarray,
    trips: np.ndarray,
):
    """`draws` rounds of `steps` sweeps of the ladders of one word, each sweep followed by swaps.

    The first rows are those of `host_packed.run_sums`. fields: (classes,). betas: (R,), ascending; chain c
    has the lanes c R … c R + R − 1. swaps: whether there are any, `parity` of the first. generator: uint64
    (1, 4). came_from: int8 (64,), 1 if the state was last at the flat end, −1 at the other, changed. lanes,
    drawn: int8 (lanes, draws, N), the systems that are kept after each round; None for none. log_weight,
    magnetization: (draws, 64) after each round. accepted, (R−1,): probabilities of swaps, summed; trips:
    (1,), round trips, summed.
    """  # fmt: skip
    rungs = len(betas)
    block, differing = np.empty(256, np.uint64), np.zeros(64, np.int64)
    up, total = np.zeros(64, np.int64), np.zeros(64, np.int64)
    weight = np.zeros(64)
    for d in range(len(log_weight)):
        for step in range(steps):
            sweep(spins, near, signs, starts, kinds, tables, work)
            if swaps or step == steps - 1:
                differing[:] = 0
                count_differing(spins, bonds, bond_signs, block, differing)
                weight[:] = coupling * (bonds.shape[1] - 2.0 * differing)
                total[:] = 0
                for k in range(len(kinds)):
                    up[:] = 0
                    count_up(spins, starts[k], ends[k], up)
                    total += 2 * up - (ends[k] - starts[k])
                    weight += fields[k] * (2 * up - (ends[k] - starts[k]))
            if swaps:
                mask = _swaps(weight, total, came_from, betas, chains, parity, generator, accepted)
                if mask != 0:
                    for s in range(len(spins) - 1):
                        t = (spins[s] ^ (spins[s] >> np.uint64(1))) & mask
                        spins[s] ^= t ^ (t << np.uint64(1))
                parity = 1 - parity
                for c in range(chains):
                    top = c * rungs + rungs - 1
                    trips[0] += came_from[top] == 1
                    came_from[top] = -1
                    came_from[c * rungs] = 1
        log_weight[d] = weight
        magnetization[d] = total
        if drawn is not None:
            unpack(spins, place, lanes, drawn[:, d])


@inner
def _swaps(
    weight: np.ndarray,
    total: np.ndarray,
    came_from: np.ndarray,
    betas: np.ndarray,
    chains: int,
    parity: np.ndarray,
    generator: np.ndarray,
    accepted: np.ndarray,
):
    """Decides the swaps of the pairs of a parity, and swaps all but the spins; returns the lower lanes of
    the accepted pairs as a word."""
    rungs, mask = len(betas), np.uint64(0)
    for c in range(chains):
        for r in range(parity, rungs - 1, 2):
            a = c * rungs + r
            gain = (betas[r] - betas[r + 1]) * (weight[a + 1] - weight[a])
            chance = np.exp(min(gain, 0.0))
            accepted[r] += chance
            if uniform(generator, 0) < chance:
                mask |= np.uint64(1) << np.uint64(a)
                weight[a], weight[a + 1] = weight[a + 1], weight[a]
                total[a], total[a + 1] = total[a + 1], total[a]
                came_from[a], came_from[a + 1] = came_from[a + 1], came_from[a]
    return mask
