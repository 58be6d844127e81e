r"""The groups that turn clouds of points, and what they do to fields: O(3), SO(3), O(2), SO(2), point groups.

In the convention of Points harmonics have the polar axis y: Y_l(x) = S_l(P x), P x = (x_2, x_0, x_1), of the
library's S_l, and ρ(R) = D(P R Pᵀ): a field of degree 1 has the components (x, y, z) of a vector. Of a finite
point group types are `Rep`, and harmonics of degree l are the restriction of those of O(d), with the parity
(−1)^l."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.spaces.point_groups import point_group
from intertwine.spaces.points.motions import POLAR, Motion
from intertwine.symmetry import AnyRep, CompactGroup, CompactRep, FiniteGroup, Rep
from intertwine.symmetry.groups.rotations import checked_orthogonal
from intertwine.symmetry.intertwiner_basis import Orbits, Support

_COMPACT = ("O(3)", "SO(3)", "O(2)", "SO(2)")
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Turns:
    """H and its matrices on R^d. group: compact, or finite. dimension: d. entries: of a finite group the
    matrices (h, d, d) as bytes."""

    group: CompactGroup | FiniteGroup
    dimension: int
    entries: bytes = b""

    @property
    def linear(self) -> Float[np.ndarray, "h d d"] | None:
        """The matrices of a finite group, None of a compact one."""
        d = self.dimension
        return None if isinstance(self.group, CompactGroup) else np.frombuffer(self.entries).reshape(-1, d, d)

    @property
    def has_reflections(self) -> bool:
        """Whether elements may have determinant −1."""
        if isinstance(self.group, CompactGroup):
            return self.group.has_reflections
        assert self.linear is not None
        return bool((np.linalg.det(self.linear) < 0).any())

    def matrix(self, rotation: ArrayLike, rep: AnyRep) -> np.ndarray:
        """ρ(R) on fields of type `rep`, of matrices (..., d, d); InputError for those outside the group.

        >>> turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> bool(np.allclose(turns_of("O(3)", None).matrix(turn, CompactGroup("O(3)").irrep(1, -1)), turn))
        True
        """
        g = np.asarray(rotation, np.float64)
        if isinstance(rep, CompactRep):
            return rep.matrix(POLAR @ g @ POLAR.T if self.dimension == 3 else g)
        assert isinstance(rep, Rep)
        return np.asarray(rep.matrices)[self._rows(g)]

    def _rows(self, rotation: np.ndarray) -> np.ndarray:
        """The elements of a finite group that matrices are."""
        assert self.linear is not None
        d = self.dimension
        if rotation.shape[-2:] != (d, d):
            raise fail("element", f"orthogonal matrices (..., {d}, {d})", f"shape {rotation.shape}")
        gaps = np.abs(rotation[..., None, :, :] - self.linear).max(axis=(-1, -2))
        if not (gaps.min(-1) < _ROUNDING).all():
            raise fail("element", f"matrices of the {len(self.linear)} elements of the point group", "others")
        return gaps.argmin(-1)

    def harmonic(self, degree: int) -> CompactRep | Rep:
        """The type of harmonics of a degree."""
        return _harmonic(self, degree)

    def support(self, functions: int, degree: int) -> Support:
        """Of a finite group: radial functions are points that stay where they are, the harmonics of each
        degree are mixed; sampling brings them in the order of `Points.kernel_basis`."""
        group = self.group
        if not isinstance(group, FiniteGroup):
            raise fail("space", "points with a finite point group", group, "kernel_basis has these kernels")
        still = np.broadcast_to(np.arange(functions, dtype=np.int32), (group.order, functions)).copy()
        carried = np.arange(group.order, dtype=np.int32)[:, None].repeat(functions, 1)
        places = harmonic_places(self.dimension, degree)
        kinds, order = [], []
        for k, (start, stop) in enumerate(places):
            rep = self.harmonic(k)
            assert isinstance(rep, Rep)
            kinds.append(Orbits(still, carried, np.asarray(rep.matrices)))
            order.append((np.arange(start, stop) * functions + np.arange(functions)[:, None]).ravel())
        rows = np.concatenate(order)
        sampling = np.zeros((len(rows), len(rows)))
        sampling[rows, np.arange(len(rows))] = 1.0
        return Support(group, group, tuple(kinds), sampling)

    def motion(self, element: ArrayLike | Motion) -> Motion:
        """A motion, of one or of an orthogonal matrix (d, d); InputError for anything else."""
        if isinstance(element, Motion):
            return element
        d = self.dimension
        return Motion(checked_orthogonal(element, d, not self.has_reflections), np.zeros(d))

    def random(self, count: int, size: float, points: int | None, *, key: Array) -> Sequence[Motion]:
        """Motions by uniform elements of the group (of a finite one its generators first), shifts of about
        `size`, and orders of so many points."""
        turns, shifts, orders = jax.random.split(key, 3)
        if isinstance(self.group, CompactGroup):
            rotations = self.group.random_elements(count, key=turns)
        else:
            assert self.linear is not None
            others = np.asarray(jax.random.permutation(turns, self.group.order))
            rows = list(dict.fromkeys([*self.group.generators, *others.tolist()]))[:count]
            rotations = self.linear[rows]
        steps = size * np.asarray(jax.random.normal(shifts, (len(rotations), self.dimension)), np.float64)
        found = []
        for rotation, step, order in zip(rotations, steps, jax.random.split(orders, len(steps)), strict=True):
            moved = None if points is None else np.asarray(jax.random.permutation(order, points))
            found.append(Motion(rotation, step, moved))
        return found


def harmonic_places(dimension: int, degree: int) -> list[tuple[int, int]]:
    """Where the harmonics of each degree begin and end, (degree + 1)² in space, 2·degree + 1 in the plane.

    >>> harmonic_places(3, 2), harmonic_places(2, 2)
    ([(0, 1), (1, 4), (4, 9)], [(0, 1), (1, 3), (3, 5)])
    """
    if dimension == 3:
        return [(k * k, (k + 1) ** 2) for k in range(degree + 1)]
    return [(max(0, 2 * k - 1), 2 * k + 1) for k in range(degree + 1)]


def turns_of(group: str | CompactGroup | FiniteGroup, matrices: ArrayLike | None) -> Turns:
    """The group of a name, or of a finite group with its matrices (h, d, d), orthogonal, d = 2 or 3.

    Raises InputError for others.

    >>> turns_of("SO(2)", None).dimension, len(turns_of("cubic:oh", None).linear)
    (2, 48)
    """
    if isinstance(group, FiniteGroup):
        if matrices is None:
            raise fail("matrices", f"the matrices ({group.order}, d, d) of the group's elements", None)
        vector = Rep(group, matrices, "vector")
        if vector.dimension not in (2, 3) or not vector.is_orthogonal:
            got = f"{vector.dimension} × {vector.dimension} ones" if vector.is_orthogonal else "others"
            raise fail("matrices", "orthogonal matrices of the plane or of space", got)
        linear = np.asarray(vector.matrices, np.float64)
        return Turns(group, vector.dimension, np.ascontiguousarray(linear).tobytes())
    if matrices is not None:
        raise fail("matrices", "None where the group is a name", "matrices")
    if isinstance(group, CompactGroup) or group in _COMPACT:
        compact = group if isinstance(group, CompactGroup) else CompactGroup(group)
        return Turns(compact, compact.dimension)
    if not isinstance(group, str) or group.startswith("line"):
        raise fail("group", _names(), group)
    try:
        found = point_group(group)
    except ValueError:
        raise fail("group", _names(), group) from None
    return turns_of(found.group, found.linear)


def _names() -> str:
    return ", ".join(_COMPACT) + ", a point group such as 'cubic:oh' or 'c6', or a FiniteGroup with matrices"


@lru_cache(maxsize=256)
def _harmonic(turns: Turns, degree: int) -> CompactRep | Rep:
    group = turns.group
    if isinstance(group, CompactGroup):
        odd = group.name == "O(3)" and degree % 2
        return group.irrep(degree, -1 if odd else 1)
    whole = CompactGroup("O(3)" if turns.dimension == 3 else "O(2)")
    of_all = Turns(whole, turns.dimension)
    assert turns.linear is not None
    return Rep(group, of_all.matrix(turns.linear, of_all.harmonic(degree)), f"degree {degree}")
