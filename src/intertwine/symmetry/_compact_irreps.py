"""Irreducible representations of SO(2), O(2), SO(3), O(3) one at a time: matrices, characters, products.

What they are and their bases: `compact`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from intertwine.symmetry.groups.rotations import plane_angle, plane_rotation, rotation_angle
from intertwine.symmetry.wigner import wigner_d


class CompactKind(Protocol):
    """What the formulas ask of a group."""

    @property
    def dimension(self) -> int: ...

    @property
    def has_reflections(self) -> bool: ...


class CompactIrrep(NamedTuple):
    """frequency: k of SO(2), O(2), or l of SO(3), O(3). parity: ±1, of reflections (O(2), k = 0) or of the
    inversion (O(3)); 1 elsewhere."""

    frequency: int
    parity: int = 1


def order_of(irrep: CompactIrrep) -> tuple[int, int]:
    """Sorted by frequency, even before odd."""
    return irrep.frequency, -irrep.parity


def name_of(group: CompactKind, irrep: CompactIrrep) -> str:
    """How it is printed."""
    if group.dimension == 2:
        word = "scalar" if irrep.parity > 0 else "pseudoscalar"
        return word if irrep.frequency == 0 else f"spin {irrep.frequency}"
    return (
        f"({irrep.frequency}, {'+' if irrep.parity > 0 else '-'})" if group.has_reflections else str(irrep[0])
    )


def dimension_of(group: CompactKind, irrep: CompactIrrep) -> int:
    """Its dimension."""
    if group.dimension == 3:
        return 2 * irrep.frequency + 1
    return 1 if irrep.frequency == 0 else 2


def matrix_of(group: CompactKind, irrep: CompactIrrep, g: np.ndarray) -> np.ndarray:
    """ρ(g) of checked elements (..., n, n)."""
    if group.dimension == 3:
        sign = np.sign(np.linalg.det(g))[..., None, None]
        return wigner_d(irrep.frequency, g * sign) * np.where(sign < 0, irrep.parity, 1)
    angle, sign = plane_angle(g)
    if irrep.frequency == 0:
        return np.where(sign < 0, irrep.parity, 1.0)[..., None, None]
    turned = plane_rotation(irrep.frequency * angle)
    return turned * np.stack([np.ones_like(sign), sign], axis=-1)[..., None, :]


def character_of(group: CompactKind, irrep: CompactIrrep, g: np.ndarray) -> np.ndarray:
    """χ(g), from the angle of g."""
    k = irrep.frequency
    if group.dimension == 3:
        sign = np.sign(np.linalg.det(g))
        angle = rotation_angle(g * sign[..., None, None])
        terms = np.cos(np.arange(-k, k + 1) * angle[..., None])
        return terms.sum(axis=-1) * np.where(sign < 0, irrep.parity, 1)
    angle, sign = plane_angle(g)
    if k == 0:
        return np.where(sign < 0, irrep.parity, 1.0)
    return np.where(sign < 0, 0.0, 2 * np.cos(k * angle))


def parts_of_product(
    group: CompactKind, a: CompactIrrep, b: CompactIrrep
) -> Sequence[tuple[CompactIrrep, int]]:
    """The parts of a ⊗ b and their multiplicities."""
    k, n, parity = a.frequency, b.frequency, a.parity * b.parity
    if group.dimension == 3:
        return [(CompactIrrep(c, parity), 1) for c in range(abs(k - n), k + n + 1)]
    if k == 0 or n == 0:
        return [(CompactIrrep(k + n, parity if k + n == 0 else 1), 1)]
    if k != n:
        return [(CompactIrrep(abs(k - n)), 1), (CompactIrrep(k + n), 1)]
    if group.has_reflections:
        return [(CompactIrrep(0, 1), 1), (CompactIrrep(0, -1), 1), (CompactIrrep(2 * k), 1)]
    return [(CompactIrrep(0), 2), (CompactIrrep(2 * k), 1)]


def plane_maps(group: CompactKind, a: CompactIrrep, b: CompactIrrep, c: CompactIrrep) -> np.ndarray:
    """(m, d_c, d_a, d_b): products of complex numbers x_0 + i x_1, z w and z w*, by components."""
    k, n = a.frequency, b.frequency
    if k == 0 or n == 0:
        d = max(dimension_of(group, a), dimension_of(group, b))
        turn = np.eye(d) if a.parity * b.parity > 0 or d == 1 else np.array([[0.0, 1.0], [-1.0, 0.0]])
        return turn[None, :, None, :] if k == 0 else turn[None, :, :, None]
    if c.frequency == k + n:
        return np.array([[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [1.0, 0.0]]])[None] / 2**0.5
    conjugate = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, -1.0], [1.0, 0.0]]]) / 2**0.5  # z w*
    if k < n:
        conjugate = conjugate * np.array([1.0, -1.0])[:, None, None]  # z* w
    if k != n:
        return conjugate[None]
    if group.has_reflections:
        return conjugate[None, :1] if c.parity > 0 else conjugate[None, 1:]
    return conjugate[:, None]
