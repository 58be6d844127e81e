r"""Linear algebra over GF(2), rows packed in words of 64 bits: a thousand columns take milliseconds."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8, UInt64


def packed(rows: UInt8[np.ndarray, "G n"]) -> UInt64[np.ndarray, "G w"]:
    """Rows of bits as words."""
    rows = np.asarray(rows, np.uint8)
    filled = np.ascontiguousarray(np.pad(rows, ((0, 0), (0, -rows.shape[1] % 64))))
    return np.ascontiguousarray(np.packbits(filled, axis=1, bitorder="little")).view(np.uint64)


def binary_rank(rows: UInt8[np.ndarray, "G n"]) -> int:
    """The rank of a matrix of bits over GF(2).

    >>> binary_rank(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))
    2
    """
    words, rank = packed(rows), 0
    for column in range(rows.shape[1]):
        if rank == len(words):
            break
        word, bit = column // 64, np.uint64(column % 64)
        has = (words[rank:, word] >> bit) & np.uint64(1)
        if not has.any():
            continue
        pivot = rank + int(has.argmax())
        words[[rank, pivot]] = words[[pivot, rank]]
        below = rank + 1 + np.flatnonzero((words[rank + 1 :, word] >> bit) & np.uint64(1))
        words[below] ^= words[rank]
        rank += 1
    return rank


def binary_solution(
    matrix: UInt8[np.ndarray, "G n"], values: UInt8[np.ndarray, "G"]
) -> UInt8[np.ndarray, "n"] | None:
    """One x with matrix·x = values over GF(2), or None.

    >>> binary_solution(np.array([[1, 1, 0], [0, 1, 1]]), np.array([1, 0])).tolist()
    [1, 0, 0]
    """
    rows = np.concatenate([matrix, np.asarray(values)[:, None]], axis=1).astype(np.uint8)
    n, rank, pivots = matrix.shape[1], 0, []
    for column in range(n):
        has = np.flatnonzero(rows[rank:, column])
        if not len(has):
            continue
        rows[[rank, rank + has[0]]] = rows[[rank + has[0], rank]]
        others = np.flatnonzero(rows[:, column])
        rows[others[others != rank]] ^= rows[rank]
        pivots.append(column)
        rank += 1
        if rank == len(rows):
            break
    if rows[rank:, n].any():
        return None
    x = np.zeros(n, np.uint8)
    x[pivots] = rows[:rank, n]
    return x
