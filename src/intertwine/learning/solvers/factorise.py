r"""(A + shift·1) x = b for a Hermitian positive A, by Cholesky.

On a single CPU device the factorisation is LAPACK's own, called on the array where it lies: XLA's costs two
to three times as much there; with one thread (`single_threaded_blas`). A large matrix is factorised by
columns of blocks, from left to right,

    C_j = A_j − L_{j,<j} L_{j,<j}ᴴ,      L_jj L_jjᴴ = C_jj,      L_ij = C_ij L_jj⁻ᴴ,

(Golub & Van Loan, Matrix Computations, ch. 4.2): LAPACK takes the blocks of the diagonal, and the threads of
the library share the rows of blocks below. Elsewhere (GPU, several devices) it is XLA's. Either way a matrix
that is not positive definite, or not finite, is reported by `solved = False`, never by NaN in x.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Num

from intertwine._threads import over_ranges, single_threaded_blas

_IN_BLOCKS, _COLUMNS, _ROWS = 1500, 128, 256
"""Matrices of this size are cut into blocks of so many columns and rows."""


class Solution(NamedTuple):
    """x, and whether the factorisation succeeded."""

    x: Any
    solved: bool


def on_host(array: Array) -> bool:
    """Whether `array` lies whole on one CPU device of this process."""
    devices = list(array.devices())
    return len(devices) == 1 and devices[0].platform == "cpu" and array.is_fully_addressable


def solve_shifted(matrix: Num[Array, "n n"], rhs: Num[Array, "n"], shift: float) -> Solution:
    """x with (matrix + shift·1) x = rhs.

    >>> import jax.numpy as jnp
    >>> x, solved = solve_shifted(jnp.array([[3.0, 0.0], [0.0, 8.0]]), jnp.array([4.0, 18.0]), 1.0)
    >>> x.tolist(), solved
    ([1.0, 2.0], True)
    >>> solve_shifted(-jnp.eye(2), jnp.ones(2), 0.1).solved
    False
    """
    if on_host(matrix):
        return solve_lower(np.asarray(matrix), np.asarray(rhs), shift)
    x, finite = _solve_xla(matrix, rhs, shift)
    return Solution(x, bool(finite))


def solve_lower(matrix: Num[np.ndarray, "n n"], rhs: np.ndarray, shift: float) -> Solution:
    """`solve_shifted` for a row-major host matrix of which the lower half is read, and kept: the factor is
    made in a copy.

    >>> solve_lower(np.array([[3.0, 9.0], [1.0, 8.0]]), np.array([5.0, 10.0]), 1.0).x.round(12).tolist()
    [1.0, 1.0]
    """
    from scipy.linalg import lapack

    # a row-major lower half is the column-major upper half of Aᵀ = A*, hence the conjugations
    potrf, potrs = lapack.get_lapack_funcs(("potrf", "potrs"), (matrix, rhs))
    work = matrix.copy()
    work.ravel()[:: matrix.shape[0] + 1] += shift
    with single_threaded_blas():
        if matrix.shape[0] < _IN_BLOCKS:
            upper, info = potrf(work.T, lower=0, clean=0, overwrite_a=1)
        else:
            upper, info = work.T, _factorise_blocks(work)
        if info != 0:
            return Solution(None, False)
        x, _ = potrs(upper, rhs.conj(), lower=0)
    x = x.conj() if np.iscomplexobj(x) else x
    return Solution(jnp.asarray(x), bool(np.all(np.isfinite(x))))


def _factorise_blocks(a: Num[np.ndarray, "n n"]) -> int:
    """L in the lower half of the row-major Hermitian `a`; not 0 where it is not positive definite.

    Blocks are the same for any number of threads, so the numbers are as well.
    """
    from scipy.linalg import lapack

    potrf, trtri = lapack.get_lapack_funcs(("potrf", "trtri"), (a,))
    size = a.shape[0]
    for start in range(0, size, _COLUMNS):
        end = min(start + _COLUMNS, size)
        row = a[start:end, :start].conj().T

        def subtract(first: int, last: int, start: int = start, end: int = end, row: Any = row) -> None:
            for block in range(first, last):
                at = slice(start + block * _ROWS, min(start + (block + 1) * _ROWS, size))
                a[at, start:end] -= a[at, :start] @ row

        blocks = -(-(size - start) // _ROWS)
        if start:
            over_ranges(subtract, blocks, 4)
        factor, info = potrf(a[start:end, start:end], lower=1, clean=1)
        if info != 0:
            return info
        a[start:end, start:end] = factor
        inverse = np.ascontiguousarray(trtri(factor, lower=1)[0].conj().T)

        def scale(first: int, last: int, start: int = start, end: int = end, inverse: Any = inverse) -> None:
            for block in range(first, last):
                at = slice(end + block * _ROWS, min(end + (block + 1) * _ROWS, size))
                a[at, start:end] = a[at, start:end] @ inverse

        if end < size:
            over_ranges(scale, -(-(size - end) // _ROWS), 4)
    return 0


@jax.jit
def _solve_xla(matrix: Array, rhs: Array, shift: Array) -> tuple[Array, Array]:
    shifted = matrix + shift * jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    factor = jax.scipy.linalg.cho_factor(shifted, lower=True)
    x = jax.scipy.linalg.cho_solve(factor, rhs)
    return x, jnp.all(jnp.isfinite(x))
