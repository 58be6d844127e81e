r"""Sums of Pauli strings as pairs of bit masks: the algebra behind `Operator`.

A string with flip mask x (sites with X or Y), sign mask z (sites with Z or Y) and nY = |x ∧ z| letters Y has

    ⟨s| P |s'⟩ = (−i)^{nY} Π_{i∈z} s_i      if s' is s flipped on x, else 0,

so an operator is a list of (x, z, h) with ⟨s|H|s^{(x)}⟩ = Σ_z h_{x,z} Π_{i∈z} s_i (the binary or symplectic
form of the Pauli group; Gottesman 1997, ch. 2). For a fixed x the coefficients h_{x,·} are the Walsh-Hadamard
transform of the matrix elements, which is how a dense local matrix is decomposed here, all strings at once.

Everything here is host numpy: masks are bool (T, N), coefficients complex128 (T,).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_EPS = float(np.finfo(np.float64).eps)
ROUNDING = 8 * _EPS
"""Sums of terms that are smaller than this share of Σ|terms| are 0."""
_LETTERS = ("X", "Y", "Z")
_MAX_LOCAL = 10
_LARGEST_PRODUCT = 100_000_000


class PauliSum(NamedTuple):
    """Σ_t h_t (x_t, z_t): x, z bool (T, N), h complex (T,); canonical: no (x, z) repeats, no h is 0."""

    x: np.ndarray
    z: np.ndarray
    h: np.ndarray


def y_counts(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How many letters Y each string has, int (T,)."""
    return np.count_nonzero(x & z, axis=-1)


def empty(size: int) -> PauliSum:
    """The zero operator on `size` sites."""
    none = np.zeros((0, size), bool)
    return PauliSum(none, none, np.zeros(0, np.complex128))


def canonical(terms: PauliSum) -> PauliSum:
    """Equal strings merged, and those dropped whose sum is zero up to the rounding of its summands.

    Strings come out sorted with flips of the first sites first; the diagonal ones (no flip) are last.
    """
    x, z, h = terms
    if len(h) == 0:
        return terms
    keys = ~np.packbits(np.concatenate([x, z], axis=1), axis=1)
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    total = np.bincount(which, np.real(h)) + 1j * np.bincount(which, np.imag(h))
    scale = np.bincount(which, np.abs(h))
    total = chop(total, 4 * _EPS * scale)
    keep = total != 0
    return PauliSum(x[first][keep], z[first][keep], total[keep])


def add(a: PauliSum, b: PauliSum, factor: complex = 1.0) -> PauliSum:
    """a + factor·b in canonical form."""
    joined = PauliSum(*(np.concatenate(pair) for pair in zip(a, b._replace(h=factor * b.h), strict=True)))
    return canonical(joined)


def product(a: PauliSum, b: PauliSum) -> PauliSum:
    """a b in canonical form: ⟨s|ab|s'⟩ = Σ h_a Π_{z_a} s · h_b Π_{z_b} s^{(x_a)}; at most 10⁸ bits of
    masks.
    """
    if len(a.h) * len(b.h) * a.x.shape[1] > _LARGEST_PRODUCT:
        got = f"{len(a.h)} strings times {len(b.h)}"
        raise fail("operand", "a product of fewer strings", got, "multiply parts of it")
    sign = 1.0 - 2.0 * ((a.x.astype(np.int64) @ b.z.T.astype(np.int64)) % 2)
    x, z = (a_mask[:, None] ^ b_mask[None] for a_mask, b_mask in ((a.x, b.x), (a.z, b.z)))
    size = a.x.shape[1]
    return canonical(PauliSum(x.reshape(-1, size), z.reshape(-1, size), (np.outer(a.h, b.h) * sign).ravel()))


def from_strings(size: int, strings: Iterable[tuple[Any, Mapping[int, str] | str]]) -> PauliSum:
    """Strings (coefficient, {site: "X" | "Y" | "Z"}), or (coefficient, "XXIZ"), as masks; raises `InputError`
    where one is malformed.
    """
    rows = list(strings)
    x = np.zeros((len(rows), size), bool)
    z = np.zeros((len(rows), size), bool)
    c = np.zeros(len(rows), np.complex128)
    for t, row in enumerate(rows):
        try:
            coefficient, letters = row
            items = _spelt(f"strings[{t}]", letters, size) if isinstance(letters, str) else letters.items()
        except (TypeError, ValueError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            expected = "a pair (coefficient, {site: letter}) or (coefficient, text of letters)"
            raise fail(f"strings[{t}]", expected, row) from None
        c[t] = finite_scalar(f"strings[{t}] coefficient", coefficient)
        for site, letter in items:
            i = checked_site(f"strings[{t}]", site, size)
            if letter not in _LETTERS:
                raise fail(
                    f"strings[{t}] at site {i}",
                    "a letter 'X', 'Y' or 'Z'",
                    letter,
                    "leave a site out for the identity",
                )
            if x[t, i] or z[t, i]:
                raise fail(f"strings[{t}]", "each site once", f"site {i} twice")
            x[t, i], z[t, i] = letter != "Z", letter != "X"
    return canonical(PauliSum(x, z, c * (-1j) ** (y_counts(x, z) % 4)))


def _spelt(argument: str, text: str, size: int) -> list[tuple[int, str]]:
    """The letters of "XXII" with their sites, those of the identity left out."""
    if len(text) != size:
        raise fail(argument, f"a text of {size} letters I, X, Y, Z, one per site", text)
    return [(site, letter) for site, letter in enumerate(text) if letter != "I"]


def from_local(size: int, matrix: ArrayLike, sites: Sequence[int], label: str) -> PauliSum:
    """A 2^k × 2^k matrix on `sites` (the first is the most significant bit, as in np.kron) as strings."""
    try:
        places = [checked_site(f"{label} sites", i, size) for i in sites]
    except TypeError:
        raise fail(f"{label} sites", "a sequence of sites", sites) from None
    k = len(places)
    if len(set(places)) != k:
        raise fail(f"{label} sites", "distinct sites", places)
    if k > _MAX_LOCAL:
        raise fail(f"{label} sites", f"at most {_MAX_LOCAL} sites", k, "write it with from_strings")
    try:
        dense = np.asarray(matrix, np.complex128)
    except (TypeError, ValueError):
        raise fail(f"{label} matrix", "a matrix of numbers", matrix) from None
    if dense.shape != (2**k, 2**k):
        raise fail(f"{label} matrix", f"shape {(2**k, 2**k)} for {k} sites", f"shape {dense.shape}")
    if not np.all(np.isfinite(dense)):
        raise fail(f"{label} matrix", "finite entries", "NaN or infinity")
    x_bits, z_bits, h = decomposed(dense)
    x = np.zeros((len(h), size), bool)
    z = np.zeros((len(h), size), bool)
    x[:, places], z[:, places] = x_bits, z_bits
    return PauliSum(x, z, h)


def decomposed(dense: np.ndarray) -> PauliSum:
    """The strings of a 2^k × 2^k matrix on k sites of their own."""
    states = np.arange(len(dense))
    k = len(dense).bit_length() - 1
    rows = dense[states[None, :], states[None, :] ^ states[:, None]]  # [x, s] = ⟨s|A|s ^ x⟩
    h = walsh_hadamard(rows) / 2**k
    h = chop(h, 8 * _EPS * max(1, k) * float(np.max(np.abs(h), initial=0.0)))
    x, z = np.nonzero(h)
    bits = (states[:, None] >> np.arange(k - 1, -1, -1)[None, :]) & 1 == 1
    return PauliSum(bits[x], bits[z], h[x, z])


def walsh_hadamard(values: np.ndarray) -> np.ndarray:
    """Σ_s (−1)^{s·z} values[..., s] over the last axis (length 2^k), unnormalised, O(k 2^k).

    >>> walsh_hadamard(np.array([1.0, 2.0, 3.0, 4.0]))
    array([10., -2., -4.,  0.])
    """
    out = np.array(values)
    n, half = out.shape[-1], 1
    while half < n:
        pairs = out.reshape(*out.shape[:-1], n // (2 * half), 2, half)
        low, high = pairs[..., 0, :], pairs[..., 1, :]
        out = np.stack([low + high, low - high], axis=-2).reshape(out.shape)
        half *= 2
    return out


def same_space(a: HilbertSpace | None, b: HilbertSpace | None) -> HilbertSpace | None:
    """The space of a sum or product of operators on `a` and on `b`: the one with bounds where the other has
    none, that of `a` where they differ in names and places only.

    Raises InputError where they are made of other modes, or both have bounds and these differ.
    """
    if a is None or b is None or a == b:
        return a if b is None else b
    if (a.levels, a.fermionic) != (b.levels, b.fermionic):
        raise fail("operand", f"an operator on {a}", f"one on {b}", "build both on the same space")
    if a.bounds and b.bounds and a.bounds != b.bounds:
        raise fail("operand", f"an operator on {a}", f"one on {b}, with other numbers", "take one of them")
    if bool(a.bounds) == bool(b.bounds):
        return a if a.place is not None else b
    return a if a.bounds else b


def chop(values: np.ndarray, tolerance: ArrayLike) -> np.ndarray:
    """`values` with real and imaginary parts of at most `tolerance` set to zero."""
    re, im = np.real(values), np.imag(values)
    return np.where(np.abs(re) <= tolerance, 0.0, re) + 1j * np.where(np.abs(im) <= tolerance, 0.0, im)


def finite_scalar(argument: str, value: complex) -> complex:
    """`value` as a finite complex number, or the error that says so."""
    try:
        number = complex(value)
    except (TypeError, ValueError):
        raise fail(argument, "a number", value) from None
    if isinstance(value, bool | str) or not np.isfinite(number):
        raise fail(argument, "a finite number", value)
    return number


def checked_site(argument: str, site: int, size: int) -> int:
    """`site` as an int in 0..size−1, or the error that says so."""
    try:
        index = int(site)
        ok = index == site and not isinstance(site, bool) and 0 <= index < size
    except (TypeError, ValueError, OverflowError):
        ok = False
    if not ok:
        raise fail(argument, f"sites from 0 to {size - 1}", site)
    return index


def grouped(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows of bool (T, N), first sites first, and for each row which of them it is."""
    keys = ~np.packbits(masks, axis=1)
    if len(keys) == 0:
        return masks, np.zeros(0, np.intp)
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return masks[first], which.reshape(-1)


def padded(masks: np.ndarray) -> np.ndarray:
    """The true positions of each row of bool (T, N) as int32 (T, width ≥ 1), padded with N."""
    n = masks.shape[1]
    counts = np.count_nonzero(masks, axis=1)
    out = np.full((len(masks), max(1, int(np.max(counts, initial=0)))), n, np.int32)
    t, site = np.nonzero(masks)
    out[t, np.arange(len(t)) - np.repeat(np.cumsum(counts) - counts, counts)] = site
    return out


def unpadded(sites: np.ndarray, size: int) -> np.ndarray:
    """The inverse of `padded`: bool (T, size)."""
    masks = np.zeros((len(sites), size + 1), bool)
    masks[np.arange(len(sites))[:, None], sites] = True
    return masks[:, :size]
