r"""Motions of space and orders of points: what acts on clouds, E(d) × S_n.

    positions   x_i ↦ R x_{π(i)} + t            fields   f_i ↦ ρ(R) f_{π(i)}

In the convention of Points harmonics have the polar axis y: Y_l(x) = S_l(P x), P x = (x_2, x_0, x_1), of the
library's S_l, and ρ(R) = D(P R Pᵀ): a field of degree 1 has the components (x, y, z) of a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from intertwine.symmetry import CompactGroup, CompactRep
from intertwine.symmetry.groups.rotations import checked_orthogonal
from intertwine.symmetry.wigner import VECTOR_ORDER

POLAR = np.eye(3)[list(VECTOR_ORDER)].T
"""P, a rotation that carries the polar axis y to z."""


class Motion(NamedTuple):
    """rotation: (d, d), orthogonal. shift: (d,) in the unit of positions. order: (n,), point i of the result
    is point order[i]; None where they keep their places."""

    rotation: Float[np.ndarray, "d d"]
    shift: Float[np.ndarray, " d"]
    order: Int[np.ndarray, " n"] | None = None


def matrix(rotation: ArrayLike, rep: CompactRep) -> Float[np.ndarray, "... D D"]:
    """ρ(R) on fields of type `rep`, of orthogonal matrices (..., d, d).

    >>> turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> bool(np.allclose(matrix(turn, CompactGroup("O(3)").irrep(1, -1)), turn))
    True
    """
    g = np.asarray(rotation, np.float64)
    return rep.matrix(POLAR @ g @ POLAR.T if rep.group.dimension == 3 else g)


def as_motion(element: ArrayLike | Motion, group: CompactGroup) -> Motion:
    """A motion, of one or of an orthogonal matrix (d, d); InputError for anything else."""
    if isinstance(element, Motion):
        return element
    return Motion(
        checked_orthogonal(element, group.dimension, not group.has_reflections), np.zeros(group.dimension)
    )


def random_motions(
    group: CompactGroup, count: int, size: float, points: int | None, *, key: Array
) -> Sequence[Motion]:
    """Motions by uniform elements of the group, shifts of about `size`, and orders of so many points."""
    turns, shifts, orders = jax.random.split(key, 3)
    rotations = group.random_elements(count, key=turns)
    steps = size * np.asarray(jax.random.normal(shifts, (count, group.dimension)), np.float64)
    found = []
    for rotation, step, order in zip(rotations, steps, jax.random.split(orders, count), strict=True):
        moved = None if points is None else np.asarray(jax.random.permutation(order, points))
        found.append(Motion(rotation, step, moved))
    return found


def motion_name(motion: Motion) -> str:
    """ "a turn by 31°, mirrored, moved, in another order", for errors."""
    rotation = np.asarray(motion.rotation, np.float64)
    d, sign = len(rotation), 1.0 if np.linalg.det(rotation) > 0 else -1.0
    trace = float(np.trace(rotation))
    words = []
    if d == 3:
        words.append(f"a turn by {np.degrees(np.arccos(np.clip((sign * trace - 1) / 2, -1, 1))):.0f}°")
        words += ["with the inversion"] if sign < 0 else []
    elif sign > 0:
        words.append(f"a turn by {np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0])):.0f}°")
    else:
        words.append("a reflection")
    words += ["a shift"] if np.any(motion.shift) else []
    words += ["another order of the points"] if motion.order is not None else []
    return ", ".join(words)
