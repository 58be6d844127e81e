r"""Compiled kernels on bit patterns: orbits of basis states, and rows of the Hamiltonian in a
symmetry-adapted basis.

For a group G of site permutations, with or without spin inversion, and a one-dimensional character χ, the
projector P = |G|⁻¹ Σ_g χ(g)* g has Hχ-sector basis states |r̃⟩ = P|r⟩/√n_r, r being the least state of its
orbit and n_r = ⟨r|P|r⟩ (Sandvik, AIP Conf. Proc. 1297, 135 (2010), sec. 4). With s = r flipped on a flip set
and r' = h s the least state of its orbit,

    ⟨r̃|H|r̃'⟩ = Σ ⟨r|H|s⟩ χ(h) √(n_{r'}/n_r).

Permutations act through one table per byte of the pattern. All kernels release the interpreter lock; `basis`
runs them in threads over rows. This module imports numba: reach it lazily.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_compiled: Any = numba.njit(nogil=True, cache=True, fastmath=False, error_model="numpy")


@_compiled
def image(s: int, g: int, tables: np.ndarray, inversions: np.ndarray):
    """g applied to the pattern s."""
    t = np.int64(0)
    for byte in range(tables.shape[1]):
        t |= tables[g, byte, (s >> (8 * byte)) & 255]
    return t ^ inversions[g]


@_compiled
def representative(s: int, tables: np.ndarray, inversions: np.ndarray):
    """The least pattern of the orbit of s, and the element that takes s there."""
    best, element = s, 0
    for g in range(1, tables.shape[0]):
        t = image(s, g, tables, inversions)
        if t < best:
            best, element = t, g
    return best, element


@_compiled
def next_same_weight(s: int):
    """The next larger pattern with as many bits set (Gosper)."""
    low = s & -s
    ripple = s + low
    return ripple | (((s ^ ripple) >> 2) // low)


@_compiled
def orbits(
    first: int,
    count: int,
    fixed_weight: bool,
    tables: np.ndarray,
    inversions: np.ndarray,
    characters: np.ndarray,
    states: np.ndarray,
    norms: np.ndarray,
):
    """Fills `states` and `norms` with the representatives among `count` patterns from `first` on, ascending.

    Element 0 of the group must be the identity. Returns how many there are (at most len(states) are written).
    """
    order = tables.shape[0]
    found = 0
    s = np.int64(first)
    for _ in range(count):
        weight = characters[0].real
        least = True
        for g in range(1, order):
            t = image(s, g, tables, inversions)
            if t < s:
                least = False
                break
            if t == s:
                weight += characters[g].real
        if least and weight > 1e-9 * order:
            if found < states.shape[0]:
                states[found] = s
                norms[found] = weight / order
            found += 1
        if fixed_weight:
            if s == 0:
                break
            s = next_same_weight(s)
        else:
            s += 1
    return found


@_compiled
def locate(s: int, states: np.ndarray, starts: np.ndarray, shift: int):
    """The index of s in the sorted `states`, or −1; starts[p] is where prefix p = s >> shift begins."""
    p = s >> shift
    low, high = starts[p], starts[p + 1]
    while low < high:
        middle = (low + high) >> 1
        if states[middle] < s:
            low = middle + 1
        else:
            high = middle
    if low < states.shape[0] and states[low] == s:
        return low
    return -1


@_compiled
def odd(bits: int):
    """Whether an odd number of the (at most 62) bits is set."""
    bits ^= bits >> 32
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    return (np.int64(0x6996) >> (bits & 15)) & 1 == 1


@_compiled
def element(s: int, k: int, pointers: np.ndarray, signs: np.ndarray, values: np.ndarray):
    """⟨s|H|s ^ flip k⟩."""
    total = values[0] * 0.0
    for t in range(pointers[k], pointers[k + 1]):
        if odd(s & signs[t]):
            total -= values[t]
        else:
            total += values[t]
    return total


@_compiled
def count_row_elements(
    begin: int,
    end: int,
    states: np.ndarray,
    full: int,
    flips: np.ndarray,
    pointers: np.ndarray,
    signs: np.ndarray,
    values: np.ndarray,
    counts: np.ndarray,
):
    """counts[i]: how many elements of row i do not vanish."""
    for i in range(begin, end):
        s = np.int64(i) if full else states[i]
        counts[i] = 0
        for k in range(flips.shape[0]):
            if element(s, k, pointers, signs, values) != 0:
                counts[i] += 1


@_compiled
def entry(
    s: int,
    k: int,
    norm: float,
    value: complex,
    flips: np.ndarray,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    full: int,
    tables: np.ndarray,
    inversions: np.ndarray,
    characters: np.ndarray,
):
    """The column and the value that flip k of the representative s contributes; (0, 0) outside the sector."""
    t = s ^ flips[k]
    if full:
        return t, value * characters[0]
    r, g = representative(t, tables, inversions)
    j = locate(r, states, starts, shift)
    if j < 0:
        return np.int64(0), value * characters[0] * 0.0
    return j, value * characters[g] * np.sqrt(norms[j] / norm)


@_compiled
def fill_rows(
    begin: int,
    end: int,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    full: int,
    tables: np.ndarray,
    inversions: np.ndarray,
    characters: np.ndarray,
    flips: np.ndarray,
    pointers: np.ndarray,
    signs: np.ndarray,
    values: np.ndarray,
    row_starts: np.ndarray,
    columns: np.ndarray,
    data: np.ndarray,
):
    """Rows begin..end−1 of the CSR matrix."""
    for i in range(begin, end):
        s = np.int64(i) if full else states[i]
        norm = 1.0 if full else norms[i]
        at = row_starts[i]
        for k in range(flips.shape[0]):
            value = element(s, k, pointers, signs, values)
            if value != 0:
                column, weight = entry(
                    s,
                    k,
                    norm,
                    value,
                    flips,
                    states,
                    norms,
                    starts,
                    shift,
                    full,
                    tables,
                    inversions,
                    characters,
                )
                columns[at] = column
                data[at] = weight
                at += 1


@_compiled
def apply_rows(
    begin: int,
    end: int,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    full: int,
    tables: np.ndarray,
    inversions: np.ndarray,
    characters: np.ndarray,
    flips: np.ndarray,
    pointers: np.ndarray,
    signs: np.ndarray,
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
):
    """y = H x on rows begin..end−1, without storing H."""
    for i in range(begin, end):
        s = np.int64(i) if full else states[i]
        norm = 1.0 if full else norms[i]
        total = x[0] * characters[0] * values[0] * 0.0
        for k in range(flips.shape[0]):
            value = element(s, k, pointers, signs, values)
            if value != 0:
                column, weight = entry(
                    s,
                    k,
                    norm,
                    value,
                    flips,
                    states,
                    norms,
                    starts,
                    shift,
                    full,
                    tables,
                    inversions,
                    characters,
                )
                total += weight * x[column]
        y[i] = total


@_compiled
def expand(
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    inversions: np.ndarray,
    characters: np.ndarray,
    weight_bits: int,
    x: np.ndarray,
    out: np.ndarray,
):
    """out[s] = ⟨s|Σ_r x_r r̃⟩ for every pattern s < len(out); weight_bits < 0: any number of bits set."""
    for index in range(out.shape[0]):
        s = np.int64(index)
        if weight_bits >= 0:
            bits, rest = 0, s
            while rest:
                rest &= rest - 1
                bits += 1
            if bits != weight_bits:
                continue
        r, g = representative(s, tables, inversions)
        j = locate(r, states, starts, shift)
        if j >= 0:
            out[index] = x[j] * characters[g] * np.sqrt(norms[j])
