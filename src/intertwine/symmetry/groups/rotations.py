r"""Rotations and reflections of the plane and of space as orthogonal matrices, arrays (..., n, n).

Vectors are (x_0, x_1) and (x_0, x_1, x_2) = (x, y, z). In the plane a turn by θ takes e_0 towards e_1,
and the reflection s is x_1 ↦ −x_1; each orthogonal matrix is R(θ) or R(θ) s. In space R(axis, θ) turns
counter-clockwise seen from the tip of the axis, and each rotation has Euler angles

    R = R_z(α) R_y(β) R_z(γ),        0 ≤ β ≤ π.
"""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int

_LIMIT = 1e-6


def plane_rotation(angle: ArrayLike) -> Float[np.ndarray, "... 2 2"]:
    """R(θ) for angles (...), in radians.

    >>> plane_rotation(np.pi / 2).round(12).tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    angle = np.asarray(angle, dtype=float)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2) + 0.0


def plane_angle(elements: ArrayLike) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """θ and the determinant of matrices R(θ) or R(θ) s."""
    g = np.asarray(elements, dtype=float)
    sign = np.sign(g[..., 0, 0] * g[..., 1, 1] - g[..., 0, 1] * g[..., 1, 0])
    return np.arctan2(g[..., 1, 0], g[..., 0, 0]), sign


def axis_rotation(axis: ArrayLike, angle: ArrayLike) -> Float[np.ndarray, "... 3 3"]:
    """The rotation by `angle` (...) about `axis` (..., 3), of any length but 0 (Rodrigues).

    >>> axis_rotation([0, 0, 1], np.pi / 2).round(12).tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    axis, angle = np.asarray(axis, dtype=float), np.asarray(angle, dtype=float)[..., None, None]
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    if axis.shape[-1:] != (3,) or not np.isfinite(axis).all() or (length == 0).any():
        raise fail("axis", "vectors (..., 3) that are not 0", axis)
    x, y, z = np.moveaxis(axis / length, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross) + 0.0


def euler_rotation(alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike) -> Float[np.ndarray, "... 3 3"]:
    """R_z(α) R_y(β) R_z(γ) for angles (...) that broadcast.

    >>> euler_rotation(0.0, np.pi / 2, 0.0).round(12)[:, 2].tolist()        # z goes to x
    [1.0, 0.0, 0.0]
    """
    z, y = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    return axis_rotation(z, alpha) @ axis_rotation(y, beta) @ axis_rotation(z, gamma)


def euler_angles(rotations: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """α, β, γ (...) of rotations (..., 3, 3): exact to rounding at the poles too, where γ makes up for α.

    >>> [float(a.round(12)) for a in euler_angles(euler_rotation(0.1, 0.2, 0.3))]
    [0.1, 0.2, 0.3]
    """
    r = np.asarray(rotations, dtype=float)
    beta = np.arctan2(np.hypot(r[..., 0, 2], r[..., 1, 2]), r[..., 2, 2])
    alpha = np.arctan2(r[..., 1, 2], r[..., 0, 2])
    rest = np.swapaxes(euler_rotation(alpha, beta, 0.0), -1, -2) @ r  # R_z(γ)
    gamma = np.arctan2(rest[..., 1, 0] - rest[..., 0, 1], rest[..., 0, 0] + rest[..., 1, 1])
    return alpha, beta, gamma


def rotation_angle(rotations: ArrayLike) -> Float[np.ndarray, "..."]:
    """The angle 0 ≤ θ ≤ π of rotations (..., 3, 3): their conjugacy class.

    >>> float(rotation_angle(axis_rotation([1, 2, 3], 0.5)).round(12))
    0.5
    """
    r = np.asarray(rotations, dtype=float)
    axial = np.stack([r[..., i, j] - r[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0))], axis=-1)
    return np.arctan2(np.linalg.norm(axial, axis=-1), np.trace(r, axis1=-2, axis2=-1) - 1)


def rotation_axis(rotation: ArrayLike) -> Float[np.ndarray, " 3"]:
    """The unit vector that one rotation (3, 3) turns about, counterclockwise by its `rotation_angle`; of a
    half turn the one whose first component that is not 0 is positive, of none (0, 0, 0).

    >>> rotation_axis(np.diag([-1.0, 1.0, -1.0])).tolist()
    [0.0, 1.0, 0.0]
    """
    r, angle = np.asarray(rotation, dtype=float), float(rotation_angle(rotation))
    axial = np.array([r[i, j] - r[j, i] for i, j in ((2, 1), (0, 2), (1, 0))])
    if angle < 1e-12:
        return np.zeros(3)
    if angle < 3:
        return axial / np.linalg.norm(axial)
    square = (r + r.T) / 2 - np.cos(angle) * np.eye(3)  # (1 − cos θ) a aᵀ
    axis = square[np.argmax(np.diag(square))]
    axis = axis / np.linalg.norm(axis)
    along = axial @ axis if np.linalg.norm(axial) > 1e-12 else axis[np.argmax(np.abs(axis) > 1e-9)]
    return -axis if along < 0 else axis


def random_rotations(count: int, *, key: jax.Array) -> Float[np.ndarray, "count 3 3"]:
    """Uniform rotations of space, from uniform unit quaternions.

    >>> random_rotations(5, key=jax.random.key(0)).shape
    (5, 3, 3)
    """
    drawn = np.asarray(jax.random.normal(key, (positive_int("count", count), 4)), dtype=float)
    w, x, y, z = (drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def checked_orthogonal(elements: ArrayLike, n: int, proper: bool) -> np.ndarray:
    """`elements` as float64 (..., n, n), orthogonal to 1e-6 (and of determinant 1), or `InputError`."""
    g = np.asarray(elements, dtype=float)
    if g.shape[-2:] != (n, n):
        raise fail("elements", f"matrices of shape (..., {n}, {n})", f"shape {g.shape}")
    gap = np.abs(g @ np.swapaxes(g, -1, -2) - np.eye(n)).max(initial=0)
    if not gap < _LIMIT:
        raise fail("elements", "orthogonal matrices", f"an error of {gap:.3g}")
    if proper and (np.linalg.det(g) < 0).any():
        remedy = "use O(2) or O(3) for reflections and inversions"
        raise fail("elements", "rotations, of determinant 1", "determinant −1", remedy)
    return g
