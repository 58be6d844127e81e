r"""Null spaces of positive matrices G = Σ AᵀA, dense, or by Chebyshev filters where they are large.

A polynomial that is 1 at 0 and small on [a, λ_max] is applied to random vectors until nothing but the null
space is left; a follows from the smallest value that is not zero (Zhou, Saad, Tiago & Chelikowsky, J.
Comput. Phys. 219, 172, 2006). Casimir operators have few and well separated values, so that this takes few
products.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail

_DENSE = 1500
_ZERO = 1e-11
"""Values below this share of the largest are zeros of a matrix known to rounding."""
_DEGREE, _ROUNDS = 24, 60


def null_space(gram: PyTree, scale: float, tolerance: float) -> np.ndarray:
    """Orthonormal columns that span the null space of a positive matrix, dense or sparse (z, z).

    scale: what a value of G is like that is not zero. tolerance: of the factors A; a value is zero below its
    square.

    Raises InputError where no gap tells zeros from other values.
    """
    size = gram.shape[0]
    zero = max(_ZERO, (30 * tolerance) ** 2)
    if size > _DENSE:
        found = _filtered(gram, zero, scale)
        if found is not None:
            return found
    dense = gram if isinstance(gram, np.ndarray) else gram.toarray()
    values, vectors = np.linalg.eigh(dense)
    count = _zeros(values, zero, scale)
    return vectors[:, :count]


def _zeros(values: np.ndarray, zero: float, scale: float) -> int:
    """How many of the values, in rising order, are zeros."""
    largest = max(float(values[-1]), scale)
    count = int((values <= zero * largest).sum())
    if count < len(values) and values[count] < 30 * zero * largest:
        got = f"relative values {(max(values[count], 0) / largest) ** 0.5:.1e} of the constraints"
        remedy = "some equation is nearly fulfilled: give more digits, or a tolerance above their error"
        raise fail("generators", "matrices that tell invariants from other vectors", got, remedy)
    return count


def _filtered(gram: PyTree, zero: float, scale: float) -> np.ndarray | None:
    """The null space of a large matrix, or None where the filter does not tell it apart."""
    size = gram.shape[0]
    largest = max(float(abs(gram).sum(axis=1).max()), scale)
    random = np.random.default_rng(0)
    block, low = 32, largest / 50
    basis = np.linalg.qr(random.normal(size=(size, block)).astype(gram.dtype))[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(_chebyshev(gram, basis, low, largest))[0]
        values, turn = np.linalg.eigh(basis.conj().T @ (gram @ basis))
        basis = basis @ turn
        small = int((values <= 1e-6 * largest).sum())
        if small > 0.8 * basis.shape[1]:  # there may be more
            if basis.shape[1] * 4 > size:
                return None
            new = random.normal(size=(size, basis.shape[1])).astype(gram.dtype)
            basis = np.linalg.qr(np.concatenate([basis, new], axis=1))[0]
            continue
        gap = float(values[small])
        rest = gram @ basis[:, : small + 1] - basis[:, : small + 1] * values[: small + 1]
        off = np.linalg.norm(rest, axis=0)
        if gap < low and off[small] < 0.5 * gap:  # there is a value near this one, and none below it
            low = max(0.5 * gap, 1e-4 * largest)
        told = gap > low and bool((values[:small] <= zero * largest).all())
        if told and off[:small].max(initial=0.0) <= 1e-13 * largest:
            return basis[:, :small]
    return None


def _chebyshev(gram: PyTree, block: np.ndarray, low: float, high: float) -> np.ndarray:
    """T_m((c − G)/e) block, scaled to 1 at G = 0."""
    centre, half = (high + low) / 2, (high - low) / 2
    sigma = half / -centre
    first = sigma
    before, now = block, (gram @ block - centre * block) * (first / half)
    for _ in range(_DEGREE - 1):
        following = 1 / (2 / first - sigma)
        after = (gram @ now - centre * now) * (2 * following / half) - sigma * following * before
        before, now, sigma = now, after, following
    return now
