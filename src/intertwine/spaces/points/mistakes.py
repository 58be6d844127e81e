r"""What is often done wrong on clouds of points, each tried on the function itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine.spaces.points.motions import POLAR, Motion
from intertwine.spaces.protocols import Mistake

if TYPE_CHECKING:
    from intertwine.spaces.points.points import Points

_CLEAR = 1e-4
"""Relative errors above this are no rounding."""


def reason(points: Points, function: Callable[[Any], Any], x: np.ndarray, rep_in: Any, rep_out: Any) -> str:
    """Which part of a motion a function of rows (B, n, d + C) does not commute with, "" for proper
    rotations."""
    d, n = points.dimension, x.shape[1] if x.ndim == 3 else 1
    y = np.asarray(function(x))
    still, none = np.eye(d), np.zeros(d)

    def fails(motion: Motion) -> bool:
        found = np.asarray(function(points.act(motion, x, rep_in)))
        gap = np.abs(found - points.act(motion, y, rep_out)).max(initial=0.0)
        return not gap <= _CLEAR * max(float(np.abs(y).max(initial=0.0)), 1e-30)

    if fails(Motion(still, none, np.arange(n)[::-1])):
        return "another order of the points changes more than the order: it takes them by their numbers"
    if fails(Motion(still, points.reach * (1.0 + np.arange(d)))):
        return "it changes under translations: it sees the positions themselves; take at.vectors()"
    if points.linear is not None or not points.turns.has_reflections:
        return ""
    turn = Motion(_turn(d), none)
    if not fails(turn) and fails(Motion(-still if d == 3 else np.diag([1.0, -1.0]), none)):
        return (
            "it commutes with rotations and not with reflections: a product of odd parity, such as x × y, is "
            "taken for an even one; use pseudo types, or group='SO(3)' and the like"
        )
    return ""


def polar_mistake() -> Mistake:
    """Components of harmonics with another polar axis."""

    def turned(matrix: np.ndarray) -> Callable[[np.ndarray, Any], np.ndarray]:
        def change(field: np.ndarray, rep: Any) -> np.ndarray:
            lead = field.shape[-1] - rep.dimension
            channels = field[..., lead:] @ rep.matrix(matrix).T.astype(field.dtype)
            return np.concatenate([field[..., :lead], channels], -1)

        return change

    words = "components in the order (y, z, x) of harmonics with polar axis z, where (x, y, z) is asked for,"
    return Mistake(words, turned(POLAR.T), turned(POLAR))


def _turn(d: int) -> np.ndarray:
    """A rotation about no axis in particular."""
    matrix, _ = np.linalg.qr(np.array([[1.0, 0.4, -0.3], [-0.2, 1.0, 0.7], [0.5, -0.6, 1.0]])[:d, :d])
    return (
        matrix * np.sign(np.linalg.det(matrix)) if d == 3 else matrix @ np.diag([1.0, np.linalg.det(matrix)])
    )
