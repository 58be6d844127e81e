r"""The symmetry-adapted basis of one sector, and the Hamiltonian in it (sparse, or row by row without storing
it).

The dimension is known before anything is enumerated: it is the trace of the projector (Burnside's lemma),
dim = |G|⁻¹ Σ_g χ(g)* tr(g), and tr(g) counts the patterns that g leaves alone, a product over the cycles of
g. So what is too large is refused at once, with the memory that it would need.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.matrices import bit_terms

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

MEMORY_LIMIT = 10e9
"""Bytes that one diagonalization may take."""

_STORED_LIMIT = 4e9
_KRYLOV = 24
_CHUNKS = 64


class Symmetry(NamedTuple):
    """A group of permutations and inversions with a character, and the number of down spins if that is fixed.

    permutations: int (g, N), the identity first; inversions: bool (g,); characters: complex (g,); down: int
    or None.
    """

    permutations: np.ndarray
    inversions: np.ndarray
    characters: np.ndarray
    down: int | None

    @classmethod
    def none(cls, size: int) -> Symmetry:
        """No symmetry: the full space of 2^N states."""
        return cls(np.arange(size)[None], np.zeros(1, bool), np.ones(1, complex), None)

    @property
    def is_real(self) -> bool:
        """Whether all characters are ±1."""
        return bool(np.all(np.abs(np.imag(self.characters)) < 1e-12))

    @property
    def is_full(self) -> bool:
        """Whether the sector is the whole space."""
        return len(self.permutations) == 1 and self.down is None

    def with_inversion(self, sign: int) -> Symmetry:
        """The same with spin inversion added, even (+1) or odd (−1)."""
        return Symmetry(
            np.concatenate([self.permutations] * 2),
            np.concatenate([self.inversions, ~self.inversions]),
            np.concatenate([self.characters, sign * self.characters]),
            self.down,
        )

    def dimension(self) -> int:
        """The number of basis states of the sector, without enumerating them."""
        total = sum(
            character.conjugate() * _fixed_patterns(_cycle_lengths(row), bool(inverted), self.down)
            for row, inverted, character in zip(
                self.permutations, self.inversions, self.characters, strict=True
            )
        )
        return round(complex(total).real / len(self.permutations))


def _cycle_lengths(permutation: np.ndarray) -> tuple[int, ...]:
    seen = np.zeros(len(permutation), bool)
    lengths = []
    for start in range(len(permutation)):
        length, i = 0, start
        while not seen[i]:
            seen[i] = True
            i = int(permutation[i])
            length += 1
        if length:
            lengths.append(length)
    return tuple(sorted(lengths))


@lru_cache(maxsize=4096)
def _fixed_patterns(cycles: tuple[int, ...], inverted: bool, down: int | None) -> int:
    """How many patterns (with `down` bits set) a permutation with these cycles leaves unchanged."""
    if inverted:  # spins alternate along every cycle
        alternating = all(length % 2 == 0 for length in cycles) and down in (None, sum(cycles) // 2)
        return 2 ** len(cycles) if alternating else 0
    if down is None:
        return 2 ** len(cycles)
    ways = [1] + [0] * down
    for length in cycles:
        for total in range(down, length - 1, -1):
            ways[total] += ways[total - length]
    return ways[down]


class Basis(NamedTuple):
    """Sorted representatives and norms of a sector, with what the kernels need to find them."""

    size: int
    dimension: int
    full: bool
    states: np.ndarray
    norms: np.ndarray
    starts: np.ndarray
    shift: int
    tables: np.ndarray
    inversions: np.ndarray
    characters: np.ndarray
    down: int | None

    def kernel_arguments(self) -> tuple[Any, ...]:
        """In the order of the row kernels."""
        return (
            self.states,
            self.norms,
            self.starts,
            self.shift,
            self.full,
            self.tables,
            self.inversions,
            self.characters,
        )

    def expanded(self, vector: np.ndarray) -> np.ndarray:
        """A vector of the sector as amplitudes over all 2^N states."""
        if self.full:
            return vector
        from intertwine.quantum.exact import kernels

        out = np.zeros(2**self.size, np.result_type(vector, self.characters))
        kernels.expand(
            self.states,
            self.norms,
            self.starts,
            self.shift,
            self.tables,
            self.inversions,
            self.characters,
            -1 if self.down is None else self.down,
            vector,
            out,
        )
        return out


def build_basis(size: int, symmetry: Symmetry) -> Basis:
    """Enumerates the representatives of the sector."""
    from intertwine.quantum.exact import kernels

    dimension = symmetry.dimension()
    characters = (
        np.real(symmetry.characters).copy() if symmetry.is_real else symmetry.characters.astype(complex)
    )
    inversions = np.where(symmetry.inversions, 2**size - 1, 0).astype(np.int64)
    tables = _byte_tables(symmetry.permutations)
    full = symmetry.is_full
    states = np.zeros(0 if full else dimension, np.int64)
    norms = np.zeros(len(states))
    if not full:
        first, count = 0, 2**size
        if symmetry.down is not None:
            first, count = 2**symmetry.down - 1, _fixed_patterns((1,) * size, False, symmetry.down)
        found = kernels.orbits(
            first, count, symmetry.down is not None, tables, inversions, characters, states, norms
        )
        if found != dimension:
            raise AssertionError(f"{found} representatives, but the projector's trace is {dimension}")
    bits = min(size, 18)
    prefixes = np.arange(2**bits + 1, dtype=np.int64) << (size - bits)
    starts = np.searchsorted(states, prefixes).astype(np.int64)
    return Basis(
        size,
        dimension,
        full,
        states,
        norms,
        starts,
        size - bits,
        tables,
        inversions,
        characters,
        symmetry.down,
    )


def _byte_tables(permutations: np.ndarray) -> np.ndarray:
    """tables[g, b, v]: where the bits v of byte b (least significant first) go under g, int64 (g, bytes,
    256)."""
    order, size = permutations.shape
    n_bytes = (size + 7) // 8
    tables = np.zeros((order, n_bytes, 256), np.int64)
    values = np.arange(256)
    for site in range(size):
        bit = size - 1 - site
        target = np.int64(1) << (size - 1 - permutations[:, site].astype(np.int64))
        on = (values >> (bit % 8)) & 1 == 1
        tables[:, bit // 8, :] |= np.where(on[None, :], target[:, None], 0)
    return tables


def require_memory(operator: Operator, dimension: int, real: bool, vectors: int = _KRYLOV) -> None:
    """Raises `InputError` where a sector of this dimension would not fit, saying what it would need."""
    item = 8 if real else 16
    needed = dimension * (item * (vectors + 4) + 16)
    if needed > MEMORY_LIMIT:
        raise fail(
            "H",
            f"a symmetry sector that fits in {MEMORY_LIMIT / 1e9:.0f} GB",
            f"dimension {dimension:.3g} on {operator.size} sites, about {needed / 1e9:.3g} GB",
            "use a smaller lattice, or ground_state, which samples",
        )


def sector_matrix(operator: Operator, basis: Basis) -> Any:
    """H in the sector: a scipy CSR matrix, or a LinearOperator that recomputes rows where that would exceed 4
    GB."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import LinearOperator

    from intertwine.quantum.exact import kernels

    terms = bit_terms(operator)
    dtype = np.result_type(terms.values, basis.characters)
    if len(terms.values) == 0:
        return csr_matrix((basis.dimension, basis.dimension), dtype=dtype)
    arguments = (*basis.kernel_arguments(), terms.flips, terms.pointers, terms.signs, terms.values)
    counts = np.zeros(basis.dimension, np.int64)
    in_threads(kernels.count_row_elements, basis.dimension, basis.states, basis.full, *terms, counts)
    row_starts = np.concatenate([[0], np.cumsum(counts)])
    elements = int(row_starts[-1])
    if elements * (8 + dtype.itemsize) > _STORED_LIMIT:

        def product(x: np.ndarray) -> np.ndarray:
            y = np.empty(basis.dimension, dtype)
            in_threads(kernels.apply_rows, basis.dimension, *arguments, np.ascontiguousarray(x).ravel(), y)
            return y

        shape = (basis.dimension, basis.dimension)
        return LinearOperator(shape, matvec=product, dtype=dtype)  # type: ignore[call-arg]
    columns = np.empty(elements, np.int64 if elements > 2**31 - 1 else np.int32)
    data = np.empty(elements, dtype)
    in_threads(kernels.fill_rows, basis.dimension, *arguments, row_starts, columns, data)
    return csr_matrix((data, columns, row_starts), shape=(basis.dimension, basis.dimension))


def in_threads(kernel: Callable[..., object], rows: int, *arguments: object) -> None:
    """Runs kernel(begin, end, *arguments) over chunks of rows, in threads where there are enough."""
    if rows < 4096:
        kernel(0, rows, *arguments)
        return
    edges = np.linspace(0, rows, _CHUNKS + 1).astype(int)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(kernel, int(a), int(b), *arguments) for a, b in pairwise(edges)]
        for job in jobs:
            job.result()
