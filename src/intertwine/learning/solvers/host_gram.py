r"""The Gram matrix T = ŌŌᴴ of many samples on a CPU, its lower half only, tile by tile.

    T_st = √w_s (Σ_b G^b_st − m_s − m_t* + c) √w_t,      m = G w,  c = wᵀm,  G^b = (LLᴴ)∘(RRᴴ) or VVᴴ

for the blocks of `log_derivatives`. A factorisation reads no more than one half, and a tile that is made
whole before the next stays in the cache: the matrix is written once, where the arrays of one product after
another would be written and read ten times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Num

from intertwine._threads import over_ranges, single_threaded_blas
from intertwine.models.protocols import Outer

if TYPE_CHECKING:
    from intertwine.learning.log_derivatives import LogDerivatives

_TILE = 256


def lower_gram(operator: LogDerivatives) -> Num[np.ndarray, "S S"]:
    """T of `operator`, kinds "real" and "holomorphic", row-major; what lies above the diagonal is not set.

    >>> import jax
    >>> from intertwine.learning.log_derivatives import log_derivatives
    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM(3, hidden=4, key=jax.random.key(0))
    >>> found = log_derivatives(rbm, np.array([[1, 1, 1], [1, -1, 1], [-1, 1, 1]], np.int8))
    >>> bool(np.allclose(np.tril(lower_gram(found)), np.tril(found.gram()), atol=1e-6))
    True
    """
    blocks = [tuple(np.asarray(part) for part in block) for block in operator.blocks]
    outer = [isinstance(block, Outer) for block in operator.blocks]
    weights = np.asarray(operator.weights)
    means = np.asarray(operator.gram_times_weights())
    roots, centre = np.sqrt(weights), np.sum(weights * means)
    size = len(weights)
    out = np.empty((size, size), np.result_type(means, *(part for block in blocks for part in block)))
    tiles = [(i, j) for i in range(0, size, _TILE) for j in range(0, i + 1, _TILE)]

    def fill(first: int, last: int) -> None:
        for i, j in tiles[first:last]:
            rows, columns = slice(i, min(i + _TILE, size)), slice(j, min(j + _TILE, size))
            tile = (centre - means[columns].conj()) - means[rows, None]
            for parts, is_outer in zip(blocks, outer, strict=True):
                one = parts[0][rows] @ parts[0][columns].conj().T
                tile += one * (parts[1][rows] @ parts[1][columns].conj().T) if is_outer else one
            tile *= roots[rows, None]
            tile *= roots[columns]
            out[rows, columns] = tile

    with single_threaded_blas():
        over_ranges(fill, len(tiles), 4)
    return out
