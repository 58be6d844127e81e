r"""Lie algebras of matrices: spans, brackets, structure constants.

    [X_i, X_j] = Σ_k c_ij^k X_k,      κ_ij = tr(ad X_i ad X_j) = Σ_kl c_ik^l c_jl^k

A list of matrices generates the smallest space that holds them and their brackets. κ, the Killing form, is
negative definite where the group is compact and semisimple; for the Lorentz group it has three signs of each
kind. (Knapp, Lie Groups Beyond an Introduction, 2002, chapter I.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

_MOST = 400
"""The dimension of the largest algebra that is generated."""


def real_form(matrices: ArrayLike) -> Float[np.ndarray, "... 2n 2n"]:
    """Complex matrices (..., n, n) on pairs (Re z_1, Im z_1, Re z_2, …).

    >>> real_form([[1j]]).tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    z = np.asarray(matrices, np.complex128)
    i = np.array([[0.0, -1.0], [1.0, 0.0]])
    pairs = z.real[..., :, None, :, None] * np.eye(2)[:, None] + z.imag[..., :, None, :, None] * i[:, None]
    return pairs.reshape(*z.shape[:-2], 2 * z.shape[-2], 2 * z.shape[-1])


def as_array(argument: str, matrices: ArrayLike) -> np.ndarray:
    """What is given as an array, or the error for what is none."""
    try:
        return np.asarray(matrices)
    except ValueError:
        raise fail(argument, "matrices (k, n, n)", "arrays of different shapes") from None


def checked_matrices(argument: str, matrices: ArrayLike, size: int | None) -> np.ndarray:
    """`matrices` as float64 (k, n, n), n = `size` where that is known; complex ones in their real form."""
    given = as_array(argument, matrices)
    if given.size == 0 and size is not None:
        return np.zeros((0, size, size))
    square = given.ndim == 3 and given.shape[1] == given.shape[2] and given.size > 0
    if not square or given.dtype.kind not in "biufc":
        remedy = "give a list of square matrices" if given.ndim != 2 else "put one matrix in a list"
        raise fail(argument, "matrices (k, n, n)", f"shape {given.shape}", remedy)
    if not np.isfinite(given).all():
        raise fail(argument, "finite numbers", "some that are not")
    real = real_form(given) if given.dtype.kind == "c" else given.astype(np.float64)
    if size is not None and real.shape[1] != size:
        raise fail(
            argument, f"matrices ({size}, {size})", f"shape {real.shape}", "all act on the same vectors"
        )
    return real


def independent(matrices: Float[np.ndarray, "k n n"], tolerance: float) -> Float[np.ndarray, "m n n"]:
    """The matrices that do not depend on those before them."""
    kept: list[np.ndarray] = []
    basis = np.zeros((0, matrices[0].size)) if len(matrices) else np.zeros((0, 0))
    for matrix in matrices:
        size = np.linalg.norm(matrix)
        rest = _off(basis, matrix.reshape(-1))
        if size > 0 and np.linalg.norm(rest) > tolerance * size:
            kept.append(matrix)
            rest = _off(basis, rest)
            basis = np.vstack([basis, rest / np.linalg.norm(rest)])
    return np.array(kept).reshape(-1, *matrices.shape[1:])


def _off(basis: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return vector - basis.T @ (basis @ vector)


def coordinates(
    generators: Float[np.ndarray, "k n n"], matrices: Float[np.ndarray, "... n n"]
) -> tuple[Float[np.ndarray, "... k"], Float[np.ndarray, "..."]]:
    """(the coordinates of matrices in the span of independent generators, the norms of what is off it)."""
    basis = generators.reshape(len(generators), -1)
    flat = matrices.reshape(-1, matrices.shape[-1] ** 2)
    found = np.zeros((len(flat), 0))
    if len(basis):
        found = np.linalg.lstsq(basis.T, flat.T, rcond=None)[0].T
    rest = np.linalg.norm(flat - found @ basis, axis=1)
    lead = matrices.shape[:-2]
    return found.reshape(*lead, len(basis)), rest.reshape(lead)


def brackets(generators: Float[np.ndarray, "k n n"]) -> Float[np.ndarray, "k k n n"]:
    """[X_i, X_j]."""
    products = generators[:, None] @ generators[None]
    return products - products.swapaxes(0, 1)


class Unclosed(NamedTuple):
    """The bracket [X_i, X_j] that is farthest from the span, relative to |X_i| |X_j|."""

    residual: float
    i: int
    j: int


def closure(generators: Float[np.ndarray, "k n n"]) -> tuple[Float[np.ndarray, "k k k"], Unclosed]:
    """(c_ij^k by least squares, how far the worst bracket is from the span)."""
    k = len(generators)
    if not k:
        return np.zeros((0, 0, 0)), Unclosed(0.0, 0, 0)
    constants, rest = coordinates(generators, brackets(generators))
    sizes = np.linalg.norm(generators, axis=(1, 2))
    relative = rest / np.outer(sizes, sizes)
    i, j = divmod(int(relative.argmax()), k)
    return constants, Unclosed(float(relative[i, j]), min(i, j), max(i, j))


def generated_algebra(generators: ArrayLike, *, tolerance: float = 1e-9) -> Float[np.ndarray, "k n n"]:
    """The generators and as many of their repeated brackets as are independent of them.

    tolerance: what counts as dependent, relative to each matrix.

    Raises InputError for what are no square matrices, and where more than 400 are needed.

    >>> x, y = np.zeros((2, 3, 3))
    >>> x[0, 1] = y[1, 2] = 1.0
    >>> generated_algebra([x, y]).shape                            # the Heisenberg algebra
    (3, 3, 3)
    """
    found = independent(checked_matrices("generators", generators, None), tolerance)
    while True:
        new = brackets(found).reshape(-1, *found.shape[1:])
        sizes = np.linalg.norm(new, axis=(1, 2))
        new = new[sizes > tolerance * np.linalg.norm(found, axis=(1, 2)).max(initial=1e-300) ** 2]
        grown = independent(np.concatenate([found, new]), max(tolerance, 1e-9))
        if len(grown) == len(found):
            return found
        if len(grown) > _MOST:
            raise fail("generators", f"matrices that generate at most {_MOST} dimensions", f"{len(grown)}")
        found = grown


def structure_constants(generators: ArrayLike) -> Float[np.ndarray, "k k k"]:
    """c_ij^k of independent matrices that close, [i, j, k].

    >>> from intertwine.symmetry import special_orthogonal
    >>> structure_constants(special_orthogonal(3).generators)[0, 2].round(9).tolist()      # [L_z, L_x] = L_y
    [0.0, -1.0, 0.0]
    """
    return closure(checked_matrices("generators", generators, None))[0]


def killing_form(generators: ArrayLike) -> Float[np.ndarray, "k k"]:
    """κ_ij = tr(ad X_i ad X_j).

    >>> from intertwine.symmetry import lorentz
    >>> (np.linalg.eigvalsh(killing_form(lorentz().generators)) > 0).tolist()          # signature (3, 3)
    [False, False, False, True, True, True]
    """
    return trace_form(structure_constants(generators))


def trace_form(structure: Float[np.ndarray, "k k k"]) -> Float[np.ndarray, "k k"]:
    """κ of structure constants [i, j, k]."""
    return np.einsum("ikl,jlk->ij", structure, structure)
