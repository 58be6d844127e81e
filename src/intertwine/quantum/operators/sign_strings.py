r"""Long products of signs: what fermions bring into sums of Pauli strings (Jordan & Wigner 1928).

A hop of a fermion carries Π_{i<k<j} Z_k. All terms of a flip set share it up to a few sites, so it is kept
once, as the ends of its intervals: with the running products c_b = Π_{i<b} s_i the product over an interval
is that of c at its two ends.
"""

from __future__ import annotations

import numpy as np

from intertwine.quantum.operators.pauli import PauliSum, canonical, padded

_NARROW = 6


def permuted(terms: PauliSum, places: np.ndarray, fermionic: np.ndarray | None = None) -> PauliSum:
    """Site i becomes places[i]. fermionic: bool (N,), which sites are modes of fermions, whose operators
    anticommute: with M_i = X_i Π_{k<i} Z_k the products M_{i_1} M_{i_2} … are carried to those of the new
    modes, and bringing these into their order has a sign.

    >>> modes = np.ones(3, bool)
    >>> from intertwine.quantum.operators.pauli import from_strings
    >>> hop = from_strings(3, [(1.0, "XXI")])
    >>> permuted(hop, np.array([0, 2, 1]), modes).z.astype(int).tolist()          # X_0 Z_1 X_2
    [[0, 1, 0]]
    """
    x, z, h = terms
    if fermionic is not None and fermionic.any():
        z = z ^ _strings_behind(x, fermionic)
    moved = PauliSum(np.empty_like(x), np.empty_like(z), h)
    moved.x[:, places], moved.z[:, places] = x, z
    if fermionic is None or not fermionic.any():
        return canonical(moved)
    flipped = padded(x & fermionic)
    turned = np.append(places, len(places))[flipped]
    pairs = np.triu(turned[:, :, None] > turned[:, None, :], 1)
    swaps = np.count_nonzero(pairs, axis=(1, 2))
    back = moved.z ^ _strings_behind(moved.x, fermionic)
    return canonical(PauliSum(moved.x, back, h * (1.0 - 2.0 * (swaps % 2))))


def _strings_behind(x: np.ndarray, fermionic: np.ndarray) -> np.ndarray:
    """For each row the fermionic modes with an odd number of flipped fermionic ones behind them."""
    odd = np.cumsum((x & fermionic)[:, ::-1], axis=1)[:, ::-1] % 2 == 1
    behind = np.zeros_like(x)
    behind[:, :-1] = odd[:, 1:]
    return behind & fermionic


def common_signs(z: np.ndarray, which: np.ndarray, count: int) -> np.ndarray:
    """For each of `count` flip sets the sign mask, bool (count, N), that all its terms share up to a few
    sites: z ^ common is narrow where z is wide (the string of a fermion's hop). Nothing where z touches at
    most 6 sites.

    z: bool (T, N). which: int (T,), the flip set of each term.
    """
    common = np.zeros((count, z.shape[1]), bool)
    if len(z) == 0 or np.count_nonzero(z, axis=1).max() <= 1:
        return common
    wide, reference = np.zeros_like(common), np.zeros_like(common)
    reference[which[::-1]] = z[::-1]
    np.logical_or.at(wide, which, z)
    left = np.zeros_like(common)
    np.logical_or.at(left, which, z ^ reference[which])
    before, after = np.count_nonzero(wide, axis=1), np.count_nonzero(left, axis=1)
    chosen = (before > _NARROW) & (after < before)
    common[chosen] = reference[chosen]
    return common


def ends(masks: np.ndarray) -> np.ndarray:
    """The ends of the intervals of each row of bool (K, N): int32 (K, R), padded with 0, in 0..N; R = 0 where
    all rows are empty. With the running products c_b = Π_{i<b} s_i a row's Π s_i is the product of c at its
    ends.

    >>> ends(np.array([[False, True, True, False], [True, False, False, True]]))
    array([[1, 3, 0],
           [1, 3, 4]], dtype=int32)
    """
    none = np.zeros((len(masks), 1), bool)
    steps = np.concatenate([none, masks], axis=1) ^ np.concatenate([masks, none], axis=1)
    steps[:, 0] = False  # c_0 = 1
    counts = np.count_nonzero(steps, axis=1)
    out = np.zeros((len(masks), int(np.max(counts, initial=0))), np.int32)
    k, place = np.nonzero(steps)
    out[k, np.arange(len(k)) - np.repeat(np.cumsum(counts) - counts, counts)] = place
    return out


def between(places: np.ndarray, size: int) -> np.ndarray:
    """The inverse of `ends`: bool (K, size)."""
    places = np.asarray(places)
    steps = np.zeros((len(places), size + 1), int)
    np.add.at(steps, (np.arange(len(places))[:, None], places), 1)
    steps[:, 0] = np.sum(steps[:, 1:], axis=1) % 2
    return np.cumsum(steps, axis=1)[:, :size] % 2 == 1
