r"""Names of Lie algebras of one generator, and of small simple ones by dimension and Killing signature.

so(p, q) has p q positive and p(p − 1)/2 + q(q − 1)/2 negative eigenvalues, su(p, q) 2pq and p² + q² − 1,
sl(n, R) (n + 2)(n − 1)/2 and n(n − 1)/2; sl(2, C) as a real algebra is so(1, 3).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_SIMPLE = {
    (3, (0, 3)): "so(3)",
    (3, (2, 1)): "sl(2, R)",
    (6, (3, 3)): "so(1, 3)",
    (8, (0, 8)): "su(3)",
    (8, (5, 3)): "sl(3, R)",
    (8, (4, 4)): "su(2, 1)",
    (10, (0, 10)): "so(5)",
    (10, (4, 6)): "so(1, 4)",
    (10, (6, 4)): "so(2, 3) = sp(4, R)",
    (14, (0, 14)): "g2",
    (14, (8, 6)): "split g2",
    (15, (0, 15)): "so(6) = su(4)",
    (15, (5, 10)): "so(1, 5)",
    (15, (8, 7)): "so(2, 4) = su(2, 2)",
    (15, (9, 6)): "sl(4, R)",
    (15, (6, 9)): "su(1, 3)",
    (16, (8, 8)): "sl(3, C)",
    (20, (10, 10)): "so(5, C)",
    (21, (0, 21)): "so(7) or sp(3)",
    (21, (12, 9)): "so(3, 4) or sp(6, R)",
    (24, (0, 24)): "su(5)",
    (24, (14, 10)): "sl(5, R)",
    (28, (0, 28)): "so(8)",
    (36, (0, 36)): "so(9) or sp(4)",
    (45, (0, 45)): "so(10)",
}


def of_simple(dimension: int, signature: tuple[int, int]) -> str:
    """Of a simple algebra.

    >>> of_simple(6, (3, 3)), of_simple(52, (0, 52))
    ('so(1, 3)', 'a simple algebra of dimension 52, signature (0, 52)')
    """
    unknown = f"a simple algebra of dimension {dimension}, signature {signature}"
    return _SIMPLE.get((dimension, signature), unknown)


def of_one(generator: Float[np.ndarray, "d d"]) -> str:
    """Of one matrix, by its eigenvalues: turns are u(1) (their multiples come back only where the angles are
    commensurate), all else is R.

    >>> of_one(np.array([[0.0, 1.0], [0.0, 0.0]])), of_one(np.array([[0.0, -1.0], [1.0, 0.0]]))
    ('R (shear or translation)', 'u(1)')
    """
    values = np.linalg.eigvals(generator)
    size = float(np.linalg.norm(generator))
    if np.abs(values).max() < 1e-4 * size:
        return "R (shear or translation)"
    diagonal = np.linalg.matrix_rank(_minimal(generator, values), tol=1e-4 * size**2) == 0
    if np.abs(values.real).max() < 1e-5 * size:
        return "u(1)" if diagonal else "R (turn with shear)"
    if np.abs(values.imag).max() < 1e-5 * size:
        return "R (scaling or boost)"
    return "R (spiral)"


def _minimal(generator: np.ndarray, values: np.ndarray) -> np.ndarray:
    """0 for a matrix with imaginary eigenvalues that can be brought to diagonal form: Π(A² + ω²)."""
    found = np.eye(len(generator))
    size = float(np.linalg.norm(generator))
    done: list[float] = []
    for value in np.abs(np.imag(values)):
        if all(abs(value - other) > 1e-5 * size for other in done):
            done.append(value)
            step = (
                generator
                if value < 1e-5 * size
                else generator @ generator + value**2 * np.eye(len(generator))
            )
            found = found @ step
    return found / max(1.0, size ** (2 * len(done) - 2))
