r"""Operators as matrices over the 2^N basis states.

Basis state b has site 0 in its most significant bit, and bit 0 means s = +1. Row b of a flip set with mask x
has its one element at column b ^ x, worth Σ_t c_t (−1)^{|b ∧ z_t|}, so a whole flip set is one vectorised
line. An operator on a Hilbert space with numbers or constraints is a matrix over the configurations of that
space; elements that lead out of it are 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.pauli import ROUNDING

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.protocols import QuantumOperator
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MAX_STORED = 4 * 10**8
_MAX_DENSE = 14


class BitTerms(NamedTuple):
    """Strings as integers: flip k has the terms pointers[k] … pointers[k+1]−1; flip 0 is the diagonal.

    flips: int64 (K+1,); pointers: int64 (K+2,); signs: int64 (T,); values: float64 or complex128 (T,).
    """

    flips: np.ndarray
    pointers: np.ndarray
    signs: np.ndarray
    values: np.ndarray


def bit_terms(operator: Operator) -> BitTerms:
    """The operator's strings as bit patterns (at most 62 sites), the diagonal first."""
    x, z, h = operator.masks()
    weights = np.int64(1) << np.arange(operator.size - 1, -1, -1, dtype=np.int64)
    flip, sign = x @ weights, z @ weights
    order = np.lexsort((sign, flip))
    flip, sign = flip[order], sign[order]
    values = h[order] if not operator.is_real else np.real(h[order]).copy()
    flips = np.unique(np.concatenate([np.zeros(1, np.int64), flip]))
    pointers = np.searchsorted(flip, np.append(flips, np.iinfo(np.int64).max)).astype(np.int64)
    return BitTerms(flips, pointers, sign, values)


def flip_elements(terms: BitTerms, k: int, states: np.ndarray) -> np.ndarray:
    """⟨b|H|b ^ flips[k]⟩ for the basis states `states` (int64)."""
    total = np.zeros(len(states), terms.values.dtype)
    for t in range(terms.pointers[k], terms.pointers[k + 1]):
        odd = np.bitwise_count(states & terms.signs[t]) & 1
        total += terms.values[t] * (1.0 - 2.0 * odd)
    return total


def sparse_matrix(operator: Operator) -> csr_matrix:
    """The CSR matrix of `operator`; see `Operator.to_sparse`."""
    from scipy.sparse import csr_matrix

    N, width = operator.size, len(operator.flips) + 1
    if N > 40 or 2**N * width > _MAX_STORED:
        raise fail(
            "operator",
            f"at most {_MAX_STORED:.0e} stored elements as a sparse matrix",
            f"{N} sites and {width} elements per row, {2.0**N * width:.1e} in all",
            "use it.exact, which works in symmetry sectors",
        )
    terms = bit_terms(operator)
    states = np.arange(2**N, dtype=np.int64)
    data = np.empty((2**N, width), terms.values.dtype)
    columns = np.empty((2**N, width), np.int32)
    for k in range(width):
        data[:, k] = flip_elements(terms, k, states)
        columns[:, k] = states ^ terms.flips[k]
    keep = data != 0
    pointers = np.concatenate([[0], np.cumsum(np.count_nonzero(keep, axis=1))])
    matrix = csr_matrix((data[keep], columns[keep], pointers), shape=(2**N, 2**N))
    matrix.sort_indices()
    return matrix


def matrix_in_space(operator: QuantumOperator, space: HilbertSpace) -> csr_matrix:
    """The CSR matrix over the configurations of `space`, in the order of `space.configurations()`."""
    from scipy.sparse import coo_matrix, csr_matrix

    width = operator.n_connected + 1
    if space.dimension * width > _MAX_STORED:
        raise fail(
            "operator",
            f"at most {_MAX_STORED:.0e} stored elements as a sparse matrix",
            f"{space.dimension:.4g} configurations and {width} elements per row",
            "use it.exact, which works in symmetry sectors",
        )
    configurations = space.configurations()
    count = len(configurations)
    rows, columns, values = [], [], []
    for elements, others in operator.host_rows(configurations):
        there = np.flatnonzero(elements)
        reached = there if others is None else space.numbers_of(others[there])
        inside = reached >= 0
        rows.append(there[inside].astype(np.int32))
        columns.append(reached[inside].astype(np.int32))
        values.append(elements[there[inside]])
    found = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    matrix = csr_matrix(coo_matrix(found, shape=(count, count)))
    matrix.sort_indices()
    return matrix


def rows_of_strings(operator: Operator, s: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """See `Operator.host_rows`."""
    s = np.asarray(s, np.int8)
    extended = np.concatenate([s, np.ones((len(s), 1), np.int8)], axis=1)
    yield _products(extended, operator.diagonal_signs, operator.diagonal_coefficients), None
    running = np.ones_like(extended)
    np.cumprod(s, axis=1, out=running[:, 1:])
    for k, flips in enumerate(np.asarray(operator.flips)):
        elements = _products(extended, operator.signs[k], operator.coefficients[k])
        others = extended.copy()
        others[:, flips] *= -1
        yield elements * np.prod(running[:, operator.common[k]], axis=1), others[:, :-1]


def _products(extended: np.ndarray, sites: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Σ_t c_t Π_{i∈sites_t} s_i of configurations (n, N + 1), the last column ones: (n,); 0 where the terms
    cancel up to rounding."""
    total = np.zeros(len(extended), np.asarray(coefficients).dtype)
    for c, row in zip(np.asarray(coefficients), np.asarray(sites), strict=True):
        if c:
            total += c * np.prod(extended[:, row], axis=1)
    return np.where(np.abs(total) <= ROUNDING * np.sum(np.abs(coefficients)), 0, total)


def dense_matrix(operator: QuantumOperator) -> np.ndarray:
    """The dense matrix of `operator`; see `Operator.to_dense`."""
    space = operator.hilbert
    dimension = 2**operator.size if space is None else space.dimension
    if dimension > 2**_MAX_DENSE:
        size = f"{operator.size} sites" if space is None else f"{dimension} configurations"
        expected = f"at most 2^{_MAX_DENSE} configurations for a dense matrix"
        raise fail("operator", expected, size, "use to_sparse or it.exact")
    return operator.to_sparse().toarray()
