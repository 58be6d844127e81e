"""Chains of packed Ising systems on the host: words shared out over threads (`host_packed`)."""

from __future__ import annotations

import numpy as np

from intertwine import _threads
from intertwine.sampling.spins.packed_plan import PackedPlan, threshold_words


def packed_draws(
    plan: PackedPlan, coupling: float, spins: np.ndarray, draws: int, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """Configurations int8 (chains, draws, N) after those of `spins` (chains, N)."""
    from intertwine.sampling.spins import host_packed as host

    chains, size = spins.shape
    drawn = np.empty((chains, draws, size), np.int8)
    words = packed_words(plan, spins)
    work = generators(len(words), rng)
    tables = threshold_words(plan, coupling, np.ones(1), host.DIGITS)[0]
    starts, lanes = class_starts(plan), np.arange(host.LANES)

    def of_words(first: int, last: int) -> None:
        for w in range(first, last):
            rows = drawn[w * host.LANES : (w + 1) * host.LANES]
            host.run(
                words[w], plan.place, plan.near, plan.signs, starts, plan.kinds, tables, work[w],
                lanes[: len(rows)], rows, steps,
            )  # fmt: skip

    _threads.over_ranges(of_words, len(words))
    return drawn


def packed_sums(
    plan: PackedPlan, coupling: float, spins: np.ndarray, draws: int, steps: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ln Ψ (chains, draws), Σ_i s_i (chains, draws), the spins (chains, N) after them)."""
    from intertwine.sampling.spins import host_packed as host

    words = packed_words(plan, spins)
    work = generators(len(words), rng)
    tables = threshold_words(plan, coupling, np.ones(1), host.DIGITS)[0]
    starts = class_starts(plan)
    differing = np.zeros((len(words), draws, host.LANES), np.int64)
    up = np.zeros((len(words), draws, len(plan.kinds), host.LANES), np.int64)

    def of_words(first: int, last: int) -> None:
        for w in range(first, last):
            host.run_sums(
                words[w], plan.near, plan.signs, starts, plan.ends, plan.kinds, plan.bonds, plan.bond_signs,
                tables, work[w], steps, differing[w], up[w],
            )  # fmt: skip

    _threads.over_ranges(of_words, len(words))
    up = np.moveaxis(up, 2, -1)
    found = plan.log_weights(coupling, differing, up), 2 * up.sum(-1) - len(plan.place)
    log_weight, magnetization = (np.moveaxis(x, 1, -1).reshape(-1, draws)[: len(spins)] for x in found)
    return log_weight, magnetization, unpacked(plan, words, len(spins))


def packed_words(plan: PackedPlan, spins: np.ndarray) -> np.ndarray:
    """Spins ±1 (chains, N) as bits, uint64 (words, slots + 1)."""
    from intertwine.sampling.spins import host_packed as host

    words = np.zeros((-(-len(spins) // host.LANES), plan.slots + 1), np.uint64)
    for w in range(len(words)):
        host.pack(spins[w * host.LANES : (w + 1) * host.LANES], plan.place, words[w])
    return words


def unpacked(plan: PackedPlan, words: np.ndarray, chains: int) -> np.ndarray:
    """The spins ±1 of the first systems, int8 (chains, N)."""
    from intertwine.sampling.spins import host_packed as host

    spins = np.empty((chains, len(plan.place)), np.int8)
    for w in range(len(words)):
        rows = spins[w * host.LANES : (w + 1) * host.LANES]
        host.unpack(words[w], plan.place, np.arange(len(rows)), rows)
    return spins


def generators(words: int, rng: np.random.Generator) -> np.ndarray:
    """Work space with seeded generators for each word, uint64 (words, WORK)."""
    from intertwine.sampling.spins.host_packed import WORK

    return rng.integers(0, 2**64, (words, WORK), dtype=np.uint64)


def class_starts(plan: PackedPlan) -> np.ndarray:
    """The first slot of each class, and the number of slots: (classes + 1,)."""
    return np.append(plan.starts, plan.slots)
