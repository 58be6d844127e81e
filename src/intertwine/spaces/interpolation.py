r"""Turning arrays by angles that the grid does not have: interpolation about the centre of the array.

f'(x) = f(A⁻¹ x) by cubic splines (`scipy.ndimage`), 0 outside. It is exact for nothing; the error of a
band-limited image falls as the fourth power of the spacing.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def turned(field: np.ndarray, linear: np.ndarray, cell: np.ndarray, order: int = 3) -> np.ndarray:
    """Fields (..., X, Y, C) moved by an orthogonal matrix `linear` (2, 2) about their centre.

    >>> quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> abs(turned(np.eye(2)[..., None], quarter, np.eye(2))[..., 0].round(9)).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    from scipy.ndimage import affine_transform

    back = np.linalg.solve(cell.T, linear.T @ cell.T)  # lattice coordinates of A⁻¹ x
    centre: Any = (np.array(field.shape[-3:-1]) - 1) / 2
    flat = field.reshape(-1, *field.shape[-3:])
    out = np.empty_like(flat)
    for b, image in enumerate(flat):
        for c in range(image.shape[-1]):
            out[b, ..., c] = affine_transform(image[..., c], back, centre - back @ centre, order=order)
    return out.reshape(field.shape)
