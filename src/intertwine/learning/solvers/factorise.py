r"""(A + shift·1) x = b for a Hermitian positive A, by Cholesky.

On a single CPU device the factorisation is LAPACK's own, called on the array where it lies: XLA's costs two
to three times as much there; with one thread (`single_threaded_blas`). Elsewhere (GPU, several devices) it is
XLA's. Either way a matrix that is not positive definite, or not finite, is reported by `solved = False`,
never by NaN in x.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Num

from intertwine._threads import single_threaded_blas


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
        return _solve_lapack(np.asarray(matrix), np.asarray(rhs), shift)
    x, finite = _solve_xla(matrix, rhs, shift)
    return Solution(x, bool(finite))


def _solve_lapack(matrix: np.ndarray, rhs: np.ndarray, shift: float) -> Solution:
    from scipy.linalg import lapack

    potrf, potrs = lapack.get_lapack_funcs(("potrf", "potrs"), (matrix, rhs))
    # row-major lower = column-major upper of the transpose: LAPACK gets Aᵀ = A*, hence the conjugations below
    work = matrix.T.copy(order="F")
    work.ravel(order="K")[:: matrix.shape[0] + 1] += shift
    with single_threaded_blas():
        factor, info = potrf(work, lower=1, clean=0, overwrite_a=1)
        if info != 0:
            return Solution(None, False)
        x, _ = potrs(factor, rhs.conj(), lower=1)
    x = x.conj() if np.iscomplexobj(x) else x
    return Solution(jnp.asarray(x), bool(np.all(np.isfinite(x))))


@jax.jit
def _solve_xla(matrix: Array, rhs: Array, shift: Array) -> tuple[Array, Array]:
    shifted = matrix + shift * jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    factor = jax.scipy.linalg.cho_factor(shifted, lower=True)
    x = jax.scipy.linalg.cho_solve(factor, rhs)
    return x, jnp.all(jnp.isfinite(x))
