r"""Compiled heat bath of 64 Ising systems in a word of 64 bits (`packed_plan`).

A uniform number of every system is made digit by digit, one random word a digit, until no system of a chunk
of words is undecided: log2 of their number and about one digit more, with 1,024 systems 11 random bits a
spin, at most 53. The probability that is compared with is exact to 2^−53. Each place of a chunk has its own
generator xoshiro256++ (Blackman & Vigna 2021), so that the loops run in vector lanes.

Sums over a lattice are counted in bytes: 8 systems in a word of 8 bytes, at most 255 terms before they are
put away.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel
from intertwine.sampling.spins.packed_plan import CHUNK as C

WORK = 9 * C
"""Words of work space: the four of every generator, three of counts, undecided systems, new spins."""

LANES = 64
DIGITS = 53
_BLOCK = 248
_SITES = 256
_BYTES = np.uint64(0x0101010101010101)


@inner
def sweep(
    spins: np.ndarray,
    near: np.ndarray,
    signs: np.ndarray,
    starts: np.ndarray,
    kinds: np.ndarray,
    tables: np.ndarray,
    work: np.ndarray,
):
    """One heat-bath update of every site of the systems of one word.

    spins: uint64 (slots + 1,), changed. starts: (classes + 1,). tables: uint64 (kinds, DIGITS, 8). work:
    uint64 (WORK,), the generators in its first 4 C words.
    """
    for k in range(len(kinds)):
        table = tables[kinds[k]]
        for s in range(starts[k], starts[k + 1], C):
            for i in range(4 * C, 7 * C):
                work[i] = 0
            for z in range(near.shape[0]):
                for i in range(C):
                    x = spins[near[z, s + i]]
                    if signs is not None:
                        x ^= signs[z, s + i]
                    a = work[4 * C + i]
                    work[4 * C + i] = a ^ x
                    x &= a
                    a = work[5 * C + i]
                    work[5 * C + i] = a ^ x
                    work[6 * C + i] ^= x & a
            for i in range(C):
                work[7 * C + i] = ~np.uint64(0)
                work[8 * C + i] = 0
            for digit in range(DIGITS):
                g0, g1, g2, g3 = table[digit, 0], table[digit, 1], table[digit, 2], table[digit, 3]
                g4, g5, g6, g7 = table[digit, 4], table[digit, 5], table[digit, 6], table[digit, 7]
                left = np.uint64(0)
                for i in range(C):
                    a, b, c, d = work[i], work[C + i], work[2 * C + i], work[3 * C + i]
                    total = a + d
                    random = ((total << np.uint64(23)) | (total >> np.uint64(41))) + a
                    c ^= a
                    d ^= b
                    work[2 * C + i] = c ^ (b << np.uint64(17))
                    work[C + i] = b ^ c
                    work[i] = a ^ d
                    work[3 * C + i] = (d << np.uint64(45)) | (d >> np.uint64(19))
                    c0, c1, c2 = work[4 * C + i], work[5 * C + i], work[6 * C + i]
                    low = g0 ^ (c0 & g1) ^ (c1 & (g2 ^ (c0 & g3)))
                    high = g4 ^ (c0 & g5) ^ (c1 & (g6 ^ (c0 & g7)))
                    threshold = low ^ (c2 & high)
                    undecided = work[7 * C + i]
                    differ = undecided & (random ^ threshold)
                    work[8 * C + i] |= differ & threshold
                    undecided &= ~differ
                    work[7 * C + i] = undecided
                    left |= undecided
                if left == 0:
                    break
            for i in range(C):
                spins[s + i] = work[8 * C + i]


@inner
def _put_away(words: np.ndarray, count: int, sums: np.ndarray):
    """Adds the bits of `words[:count]`, at most 255, to the sums of their systems, (64,)."""
    for k in range(8):
        total = np.uint64(0)
        for i in range(count):
            total += (words[i] >> np.uint64(k)) & _BYTES
        for byte in range(8):
            sums[8 * byte + k] += np.int64((total >> np.uint64(8 * byte)) & np.uint64(255))


@inner
def count_up(spins: np.ndarray, start: int, stop: int, sums: np.ndarray):
    """Adds the number of spins up in slots start..stop to `sums` (64,)."""
    for s in range(start, stop, _BLOCK):
        _put_away(spins[s:stop], min(_BLOCK, stop - s), sums)


@inner
def count_differing(
    spins: np.ndarray, bonds: np.ndarray, bond_signs: np.ndarray, block: np.ndarray, sums: np.ndarray
):
    """Adds the number of bonds that are not satisfied to `sums` (64,); block: work space."""
    for s in range(0, bonds.shape[1], _BLOCK):
        count = min(_BLOCK, bonds.shape[1] - s)
        for i in range(count):
            x = spins[bonds[0, s + i]] ^ spins[bonds[1, s + i]]
            if bond_signs is not None:
                x ^= bond_signs[s + i]
            block[i] = x
        _put_away(block, count, sums)


@kernel
def pack(configurations: np.ndarray, place: np.ndarray, spins: np.ndarray):
    """Configurations int8 (at most 64, N) as bits into spins uint64 (slots + 1,)."""
    block = np.empty(_SITES, np.uint64)
    for s in range(0, len(place), _SITES):
        count = min(_SITES, len(place) - s)
        block[:] = 0
        for lane in range(configurations.shape[0]):
            for i in range(count):
                block[i] |= np.uint64(configurations[lane, s + i] > 0) << np.uint64(lane)
        for i in range(count):
            spins[place[s + i]] = block[i]


@kernel
def unpack(spins: np.ndarray, place: np.ndarray, lanes: np.ndarray, rows: np.ndarray):
    """The spins ±1 of some systems in the order of the sites, into rows int8 (lanes, N)."""
    block = np.empty(_SITES, np.uint64)
    for s in range(0, len(place), _SITES):
        count = min(_SITES, len(place) - s)
        for i in range(count):
            block[i] = spins[place[s + i]]
        for row in range(len(lanes)):
            shift = np.uint64(lanes[row])
            for i in range(count):
                rows[row, s + i] = np.int8((block[i] >> shift) & np.uint64(1)) * np.int8(2) - np.int8(1)


@kernel
def run(
    spins: np.ndarray,
    place: np.ndarray,
    near: np.ndarray,
    signs: np.ndarray,
    starts: np.ndarray,
    kinds: np.ndarray,
    tables: np.ndarray,
    work: np.ndarray,
    lanes: np.ndarray,
    drawn: np.ndarray,
    steps: int,
):
    """Configurations of the systems `lanes` of one word into drawn int8 (lanes, draws, N), `steps` sweeps
    apart."""
    for d in range(drawn.shape[1]):
        for _ in range(steps):
            sweep(spins, near, signs, starts, kinds, tables, work)
        unpack(spins, place, lanes, drawn[:, d])


@kernel
def run_sums(
    spins: np.ndarray,
    near: np.ndarray,
    signs: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    kinds: np.ndarray,
    bonds: np.ndarray,
    bond_signs: np.ndarray,
    tables: np.ndarray,
    work: np.ndarray,
    steps: int,
    differing: np.ndarray,
    up: np.ndarray,
):
    """As `run`, but only sums are taken: int64 differing (draws, 64) bonds and up (draws, classes, 64)."""
    block = np.empty(_BLOCK, np.uint64)
    for d in range(len(differing)):
        for _ in range(steps):
            sweep(spins, near, signs, starts, kinds, tables, work)
        count_differing(spins, bonds, bond_signs, block, differing[d])
        for k in range(len(kinds)):
            count_up(spins, starts[k], ends[k], up[d, k])
