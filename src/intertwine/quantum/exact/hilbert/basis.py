r"""The basis of a sector of a Hilbert space, and an operator as a matrix in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine.quantum.exact.basis import in_threads
from intertwine.quantum.exact.hilbert.moves import moves_of
from intertwine.quantum.exact.hilbert.packing import Packing, packing_of, pattern_chunks, patterns
from intertwine.quantum.exact.hilbert.signed_group import SignedGroup
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator

_PREFIX = 18
_STORED = 0.4
"""Share of the memory for vectors and matrix that a stored matrix may take."""


@dataclass(frozen=True, eq=False)
class SpaceBasis:
    """states: int64 (n,), ascending; the least pattern of each orbit. norms: n_r (n,). group: with whose
    characters states transform; of one element for the whole space."""

    space: HilbertSpace
    packing: Packing
    group: SignedGroup
    states: np.ndarray
    norms: np.ndarray
    starts: np.ndarray
    shift: int
    arguments: tuple[np.ndarray, ...]

    @property
    def dimension(self) -> int:
        return len(self.states)

    @property
    def is_whole(self) -> bool:
        return self.group.order == 1

    @property
    def characters(self) -> np.ndarray:
        """float64 where they are real, else complex128."""
        return np.real(self.group.characters).copy() if self.group.is_real else self.group.characters

    def kernel_arguments(self) -> tuple[Any, ...]:
        return (self.states, self.norms, self.starts, self.shift, *self.arguments, self.characters)

    def expanded(self, vector: np.ndarray) -> np.ndarray:
        """A vector of the sector over all configurations of the space."""
        from intertwine.quantum.exact.hilbert import row_kernels

        if self.is_whole:
            return vector
        every = patterns(self.space)
        out = np.empty(len(every), np.result_type(vector, self.characters))
        vector = vector.astype(out.dtype)
        in_threads(row_kernels.expand_orbits, len(every), every, *self.kernel_arguments(), vector, out)
        return out


def space_basis(space: HilbertSpace, group: SignedGroup | None = None) -> SpaceBasis:
    """The configurations of `space`, or one state for each orbit of `group` that has its character.

    >>> import intertwine as it
    >>> space_basis(it.Fermions(6, 3)).dimension
    20
    """
    from intertwine.quantum.exact.hilbert import listing_kernels

    packing = packing_of(space)
    group = SignedGroup.trivial(space.size) if group is None else group
    arguments = group.kernel_arguments(packing, space.levels, space.fermionic)
    if group.order == 1:
        states = patterns(space)
        norms = np.ones(len(states))
    else:
        characters = np.conj(group.characters).astype(complex)
        kept, weights = [], []
        for chunk in pattern_chunks(space):
            found = np.zeros(len(chunk))
            in_threads(listing_kernels.keep_least, len(chunk), chunk, *arguments, characters, found)
            kept.append(chunk[found > 0])
            weights.append(found[found > 0])
        states, norms = np.concatenate(kept), np.concatenate(weights)
    shift = max(0, packing.bits - _PREFIX)
    prefixes = np.arange((1 << (packing.bits - shift)) + 1, dtype=np.int64) << shift
    starts = np.searchsorted(states, prefixes).astype(np.int64)
    return SpaceBasis(space, packing, group, states, norms, starts, shift, arguments)


def space_matrix(operator: QuantumOperator, basis: SpaceBasis, stored: float = 4e9) -> Any:
    """The operator in `basis`: scipy CSR where that takes at most `stored` bytes, else a LinearOperator that
    recomputes its rows."""
    from scipy.sparse import csr_matrix, diags_array
    from scipy.sparse.linalg import LinearOperator

    from intertwine.quantum.exact.hilbert import row_kernels

    n = basis.dimension
    diagonal_moves, moves = moves_of(operator, basis.packing, basis.space.levels)
    dtype = np.result_type(diagonal_moves.values, moves.values, basis.characters)
    diagonal = np.zeros(n, diagonal_moves.values.dtype)
    if diagonal_moves.count:
        in_threads(row_kernels.add_diagonal, n, basis.states, *diagonal_moves[:4], diagonal)
    if not moves.count:
        return csr_matrix(diags_array(diagonal.astype(dtype)))
    counts = np.zeros(n, np.int64)
    in_threads(row_kernels.count_elements, n, basis.states, *moves[:4], counts)
    row_starts = np.concatenate([[0], np.cumsum(counts)])
    elements = int(row_starts[-1])
    if elements * (4 + dtype.itemsize) > stored:

        def product(x: np.ndarray) -> np.ndarray:
            y = np.empty(n, dtype)
            x = np.ascontiguousarray(x).ravel().astype(dtype, copy=False)
            in_threads(row_kernels.apply_rows, n, *basis.kernel_arguments(), *moves, diagonal, x, y)
            return y

        return LinearOperator((n, n), matvec=product, dtype=dtype)  # type: ignore[call-arg]
    columns = np.empty(elements, np.int64 if elements > 2**31 - 1 else np.int32)
    data = np.empty(elements, dtype)
    in_threads(row_kernels.fill_rows, n, *basis.kernel_arguments(), *moves, row_starts, columns, data)
    matrix = csr_matrix((data, columns, row_starts), shape=(n, n))
    if np.any(diagonal):
        matrix = matrix + csr_matrix(diags_array(diagonal.astype(dtype)))
    return matrix
