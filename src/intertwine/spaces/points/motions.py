r"""Motions of space and orders of points: what acts on clouds, E(d) × S_n.

positions   x_i ↦ R x_{π(i)} + t            fields   f_i ↦ ρ(R) f_{π(i)}
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from intertwine.symmetry.wigner import VECTOR_ORDER

POLAR = np.eye(3)[list(VECTOR_ORDER)].T
"""P, a rotation that carries the polar axis y to z."""


class Motion(NamedTuple):
    """rotation: (d, d), orthogonal. shift: (d,) in the unit of positions. order: (n,), point i of the result
    is point order[i]; None where they keep their places."""

    rotation: Float[np.ndarray, "d d"]
    shift: Float[np.ndarray, " d"]
    order: Int[np.ndarray, " n"] | None = None


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
