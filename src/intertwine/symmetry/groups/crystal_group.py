r"""Crystallographic groups Z^d ⋊ H and their finite tori.

An element (t, h) moves the points of Z^d by x ↦ h x + t, h an integer matrix of a finite point group H,
so that

    (t, h)(t', h') = (t + h t', h h'),        (t, h)⁻¹ = (−h⁻¹ t, h⁻¹)

(the symmorphic groups of the International Tables for Crystallography A, in lattice coordinates).
Periods L_a with h (L_0 Z × L_1 Z × …) ⊂ L_0 Z × L_1 Z × … make it a finite group, Z_{L_0} × Z_{L_1} × …
⋊ H. Z^d itself is H = 1.

Space groups of lattices of the library are `PermutationGroup`s of their sites, glides included;
`site_stabiliser` gives G and the subgroup H that fixes a site, as G/H and induction want them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups._product_table import MOST_ELEMENTS
from intertwine.symmetry.groups.finite_group import FiniteGroup, Subgroup
from intertwine.symmetry.groups.named_groups import cyclic, direct_product, semidirect_product
from intertwine.symmetry.groups.permutation_group import PermutationGroup


class Isometry(NamedTuple):
    """Elements x ↦ h x + t. translation: t, int (..., d). point: h, int (...) rows of the point group."""

    translation: np.ndarray
    point: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class CrystalGroup:
    """Z^d ⋊ H, d = 1, 2, 3 or more.

    matrices: int (h, d, d), the matrices of H in lattice coordinates (columns are images of the lattice
    vectors). point_group: H with their order of elements; by default made from the matrices.

    Raises InputError for matrices that are not whole numbers, that leave their set, or that do not
    multiply like `point_group`.

    >>> p4 = CrystalGroup([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]])
    >>> turn = p4.element([1, 0], 1)
    >>> p4.multiply(turn, turn).translation.tolist(), p4.act(turn, [[2, 0], [0, 5]]).tolist()
    ([1, 1], [[1, 2], [-4, 0]])
    >>> p4.torus(3).group.order
    36
    """

    matrices: Int[np.ndarray, "h d d"]
    point_group: FiniteGroup = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        given = np.asarray(self.matrices)
        square = given.ndim == 3 and given.shape[1] == given.shape[2] and given.size > 0
        if not square or not np.issubdtype(given.dtype, np.number) or (given != np.rint(given)).any():
            got = f"shape {given.shape} of {given.dtype}"
            raise fail("matrices", "whole numbers of shape (h, d, d)", got, "use lattice coordinates")
        matrices = frozen(given.astype(np.int64))
        object.__setattr__(self, "matrices", matrices)
        known = _table(matrices) if self.point_group is None else self.point_group
        if not isinstance(known, FiniteGroup) or known.order != len(matrices):
            raise fail("point_group", f"a FiniteGroup of order {len(matrices)}", known)
        products = np.einsum("aij,bjk->abik", matrices, matrices)
        if not np.array_equal(products, matrices[known.product_table]):
            raise fail("matrices", "matrices that multiply like point_group", "others", "check their order")
        object.__setattr__(self, "point_group", known)

    @classmethod
    def translations(cls, dimension: int) -> CrystalGroup:
        """Z^d itself.

        >>> CrystalGroup.translations(2).torus((3, 4)).group.is_abelian
        True
        """
        return cls(np.eye(positive_int("dimension", dimension), dtype=np.int64)[None])

    @property
    def dimension(self) -> int:
        """d."""
        return self.matrices.shape[1]

    def element(self, translation: ArrayLike, point: int | None = None) -> Isometry:
        """The elements (t, h), t int (..., d) and h rows of the point group (by default its identity)."""
        t = np.asarray(translation)
        if t.ndim == 0 or t.shape[-1] != self.dimension or not np.issubdtype(t.dtype, np.integer):
            raise fail("translation", f"integers (..., {self.dimension})", f"shape {t.shape} of {t.dtype}")
        h = np.asarray(self.point_group.identity if point is None else point)
        if not np.issubdtype(h.dtype, np.integer) or (h < 0).any() or (h >= len(self.matrices)).any():
            raise fail("point", f"rows of the point group, from 0 to {len(self.matrices) - 1}", point)
        shape = np.broadcast_shapes(t.shape[:-1], h.shape)
        return Isometry(
            np.broadcast_to(t, (*shape, self.dimension)).astype(np.int64), np.broadcast_to(h, shape)
        )

    def multiply(self, left: Isometry, right: Isometry) -> Isometry:
        """(t, h)(t', h') = (t + h t', h h'), elements that broadcast."""
        return Isometry(
            self.act(left, right.translation), self.point_group.product_table[left.point, right.point]
        )

    def inverse(self, element: Isometry) -> Isometry:
        """(−h⁻¹ t, h⁻¹)."""
        back = self.point_group.inverse[element.point]
        return Isometry(-np.einsum("...ij,...j->...i", self.matrices[back], element.translation), back)

    def act(self, element: Isometry, points: ArrayLike) -> Int[np.ndarray, "... d"]:
        """h x + t of points x, int (..., d), that broadcast with the element."""
        x = np.asarray(points)
        return np.einsum("...ij,...j->...i", self.matrices[element.point], x) + element.translation

    def torus(self, lengths: int | Sequence[int]) -> Torus:
        """The quotient by the translations with periods `lengths` (one for all axes, or one each).

        Raises InputError where the point group does not map the periods to periods.
        """
        given = (lengths,) * self.dimension if np.ndim(lengths) == 0 else tuple(lengths)  # type: ignore[arg-type]
        if len(given) != self.dimension:
            raise fail("lengths", f"one length or {self.dimension}", lengths)
        periods = np.array([positive_int("lengths", n) for n in given])
        if (self.matrices * periods % periods[:, None]).any():
            remedy = "make the lengths of axes that are exchanged equal"
            raise fail("lengths", "periods that the point group maps to periods", lengths, remedy)
        n, h = int(np.prod(periods)), len(self.matrices)
        if n * h > MOST_ELEMENTS:
            raise fail("lengths", f"a torus group of at most {MOST_ELEMENTS} elements", f"{n}·{h}")
        sites = np.indices(tuple(periods)).reshape(self.dimension, -1).T
        moved = np.einsum("hij,nj->hni", self.matrices, sites) % periods
        action = np.ravel_multi_index(tuple(np.moveaxis(moved, -1, 0)), tuple(periods))
        normal = reduce(direct_product, [cyclic(int(length)) for length in periods])
        group = semidirect_product(normal, self.point_group, action)
        return Torus(self, tuple(int(length) for length in periods), group)

    def __repr__(self) -> str:
        return f"CrystalGroup(Z^{self.dimension} ⋊ {self.point_group.name or len(self.matrices)})"


@dataclass(frozen=True, eq=False)
class Torus:
    """Z_{L_0} × Z_{L_1} × … ⋊ H: made by `CrystalGroup.torus`.

    group: the finite group; element (t, h) is row (number of t)·|H| + h, t numbered with the last axis
    fastest.

    >>> chain = CrystalGroup([[[1]], [[-1]]]).torus(6)
    >>> chain.group.order, chain.point_group.order, chain.translations.order
    (12, 2, 6)
    >>> chain.site_action[chain.row([1], 1)].tolist()               # x ↦ 1 − x
    [1, 0, 5, 4, 3, 2]
    """

    crystal: CrystalGroup
    lengths: tuple[int, ...]
    group: FiniteGroup

    @property
    def point_group(self) -> Subgroup:
        """H, the stabiliser of the origin, in its own order."""
        return self.group.subgroup(np.arange(len(self.crystal.matrices)))

    @property
    def translations(self) -> Subgroup:
        """The normal subgroup of translations."""
        h = len(self.crystal.matrices)
        return self.group.subgroup(np.arange(self.group.order // h) * h + self.crystal.point_group.identity)

    @property
    def site_action(self) -> Int32[np.ndarray, "g n"]:
        """int32 (g, n): where each element moves each site, sites numbered with the last axis fastest."""
        sites = np.indices(self.lengths).reshape(len(self.lengths), -1).T
        elements = self.element(np.arange(self.group.order)[:, None])
        return self._number(self.crystal.act(elements, sites)).astype(np.int32)

    def row(self, translation: ArrayLike, point: int | None = None) -> Int[np.ndarray, "..."]:
        """The rows of the elements (t, h), translations modulo the lengths."""
        element = self.crystal.element(translation, point)
        return self._number(element.translation) * len(self.crystal.matrices) + element.point

    def element(self, row: ArrayLike) -> Isometry:
        """The elements (t, h), 0 ≤ t < L, of rows."""
        t, h = np.divmod(np.asarray(row), len(self.crystal.matrices))
        return Isometry(np.stack(np.unravel_index(t, self.lengths), axis=-1), h)

    def _number(self, points: np.ndarray) -> np.ndarray:
        wrapped = np.moveaxis(points % np.array(self.lengths), -1, 0)
        return np.asarray(np.ravel_multi_index(tuple(wrapped), self.lengths))


def site_stabiliser(space_group: PermutationGroup, site: int = 0) -> Subgroup:
    """The elements of a space group that fix a site, as a subgroup H of the finite group G = `.parent`.

    Rows of G are those of `space_group`; where it joins all sites, G/H are the sites.

    >>> square = PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]])
    >>> corner = site_stabiliser(square, 2)
    >>> corner.order, corner.parent.order, corner.index
    (2, 8, 4)
    """
    if not isinstance(space_group, PermutationGroup):
        raise fail("space_group", "a PermutationGroup", space_group, "for example lattice.space_group")
    whole = isinstance(site, int | np.integer) and not isinstance(site, bool)
    if not whole or not 0 <= site < space_group.size:
        raise fail("site", f"a site from 0 to {space_group.size - 1}", site)
    fixed = np.flatnonzero(space_group.permutations[:, site] == site)
    return FiniteGroup.of(space_group).subgroup(fixed)


def _table(matrices: np.ndarray) -> FiniteGroup:
    """The group of distinct matrices, in their order."""
    place = {m.tobytes(): k for k, m in enumerate(matrices)}
    products = np.einsum("aij,bjk->abik", matrices, matrices)
    flat = products.reshape(-1, *matrices.shape[1:])
    rows = [place.get(np.ascontiguousarray(m).tobytes(), -1) for m in flat]
    if len(place) < len(matrices) or min(rows) < 0:
        got = "repeated ones" if len(place) < len(matrices) else "products outside"
        raise fail("matrices", "the distinct matrices of a finite group", got, "give all of H")
    return FiniteGroup(np.array(rows).reshape(len(matrices), -1))
