r"""Finite homogeneous spaces G/H, and fields on them.

A point x is a coset gH with a chosen element s_x in it (a section of G → G/H). A field of type ρ, a
representation of H, is a function f(gh) = ρ(h⁻¹) f(g) on G, kept by its values at the s_x: an array
(..., n, C). Then

    (g f)(g x) = ρ(h(g, x)) f(x),      h(g, x) = s_{gx}⁻¹ g s_x,      h(g g', x) = h(g, g'x) h(g', x)

with the cocycle h. H = 1 is G itself, H = G a point. The sites of a lattice under its space group are
such a space, H being the stabiliser of a site.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int32, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.spaces.protocols import Field
from intertwine.symmetry import FiniteGroup, PermutationGroup, Rep, Subgroup, site_stabiliser, trivial
from intertwine.symmetry.intertwiner_basis import Orbits, Support

if TYPE_CHECKING:
    from intertwine.spaces.protocols import Region


class Neighbourhood(NamedTuple):
    """What a layer at point y sees. sites: int (n_out, z), the points s_y z of a support z of the base
    point.

    transport: int (n_out, z), h(s_y, z): ρ of its inverse brings a fibre vector at s_y z to the frame of z.
    """

    sites: np.ndarray
    transport: np.ndarray


class HomogeneousSpace:
    r"""G/H for a subgroup H of a finite group.

    stabiliser: H, a `Subgroup`. section: int (n,), an element of G in each coset, cosets numbered as
    wanted; by default the smallest element, H first (with the identity).

    Raises InputError for anything but a subgroup, and for a section that does not meet every coset once.

    >>> from intertwine.symmetry import dihedral
    >>> G = dihedral(4)
    >>> corners = HomogeneousSpace(G.generate([4]))           # the corners of a square
    >>> corners.size, corners.action[1].tolist()
    (4, [1, 2, 3, 0])
    """

    executor = "intertwine.layers.executors.on_cosets:CosetExecutor"
    """What `Conv` computes with."""
    common_frame = False
    """Fibres at different points are carried by different elements of H."""
    axes = 1
    """The axes of a field before its channels."""

    def __init__(self, stabiliser: Subgroup, *, section: ArrayLike | None = None):
        if not isinstance(stabiliser, Subgroup):
            raise fail(
                "stabiliser", "a Subgroup", stabiliser, "make it with group.subgroup or group.generate"
            )
        self.stabiliser, self.group, self.fibre_group = stabiliser, stabiliser.parent, stabiliser.group
        chosen = stabiliser.section if section is None else np.asarray(section)
        cosets = stabiliser.coset_of[chosen] if chosen.ndim == 1 else np.zeros(0)
        if not np.array_equal(np.sort(cosets), np.arange(stabiliser.index)):
            raise fail("section", f"an element in each of the {stabiliser.index} cosets", section)
        self.section: Int32[np.ndarray, " n"] = chosen.astype(np.int32)

    @classmethod
    def of(cls, group: FiniteGroup) -> HomogeneousSpace:
        """The group itself, H = 1: fields are functions on G with values in R^C.

        >>> from intertwine.symmetry import cyclic
        >>> HomogeneousSpace.of(cyclic(5)).size
        5
        """
        return cls(group.subgroup([group.identity]), section=np.arange(group.order))

    @classmethod
    def sites(cls, symmetry: PermutationGroup) -> HomogeneousSpace:
        """The sites of a lattice, or of a `PermutationGroup`, that the group carries into one another,
        numbered as there; H is the stabiliser of site 0.

        Raises InputError where there are several orbits of sites.

        >>> from intertwine.spaces.lattices import Kagome
        >>> kagome = HomogeneousSpace.sites(Kagome(3, 3))
        >>> kagome.size, kagome.group.order, kagome.fibre_group.order
        (27, 108, 4)
        """
        known = symmetry if isinstance(symmetry, PermutationGroup) else getattr(symmetry, "space_group", None)
        if not isinstance(known, PermutationGroup):
            raise fail("symmetry", "a lattice or a PermutationGroup", symmetry)
        orbits = known.orbits()
        if len(orbits) > 1:
            remedy = "take a group that joins them, or one space for each orbit"
            raise fail(
                "symmetry", "a group that carries every site to every other", f"{len(orbits)} orbits", remedy
            )
        images = known.permutations[:, 0]
        section = np.array([int(np.argmax(images == site)) for site in range(known.size)])
        return cls(site_stabiliser(known), section=section)

    @property
    def size(self) -> int:
        """The number of points n = [G : H]."""
        return self.stabiliser.index

    @property
    def shape(self) -> tuple[int]:
        """The sizes of a field's axes before its channels, (n,)."""
        return (self.size,)

    @cached_property
    def base(self) -> int:
        """The point H."""
        return int(np.flatnonzero(self.stabiliser.coset_of[self.section] == 0)[0])

    @cached_property
    def _number(self) -> np.ndarray:
        """The point of each coset of `stabiliser`."""
        return np.argsort(self.stabiliser.coset_of[self.section])

    @cached_property
    def action(self) -> Int32[np.ndarray, "g n"]:
        """int32 (g, n): the point g x."""
        moved = self.group.product_table[:, self.section]
        return self._number[self.stabiliser.coset_of[moved]].astype(np.int32)

    @cached_property
    def cocycle(self) -> Int32[np.ndarray, "g n"]:
        """int32 (g, n): h(g, x) as an element of H."""
        g = self.group
        back = g.inverse[self.section[self.action]]
        return self.stabiliser.place[g.product_table[back, g.product_table[:, self.section]]]

    @cached_property
    def scalar(self) -> Rep:
        """The trivial representation of H: fields of numbers."""
        return trivial(self.fibre_group)

    def support(self, region: Region | None = None, *, target: HomogeneousSpace | None = None) -> Support:
        """What `intertwiners` needs: the points of `region` (None: all), which the stabiliser of the
        target's base point (this space's own by default) must map to itself."""
        target = self if target is None else target
        if target.group != self.group:
            raise fail("target", "a space of the same group", target)
        points = self._points(region)
        place = np.full(self.size, -1, np.int32)
        place[points] = np.arange(len(points))
        movers = target.stabiliser.members
        action = place[self.action[movers][:, points]]
        if (action < 0).any():
            remedy = "add the images, or leave it out for all points"
            raise fail(
                "support", "points that the stabiliser maps to themselves", f"{points.tolist()}", remedy
            )
        return Support(
            self.fibre_group, target.fibre_group, (Orbits(action, self.cocycle[movers][:, points].copy()),)
        )

    def _points(self, region: Region) -> np.ndarray:
        points = np.arange(self.size) if region is None else np.asarray(region)
        whole = points.ndim == 1 and points.size > 0 and np.issubdtype(points.dtype, np.integer)
        if not whole or points.min() < 0 or points.max() >= self.size or len(np.unique(points)) < points.size:
            raise fail("support", f"distinct points from 0 to {self.size - 1}", region)
        return points

    def neighbourhood(
        self, region: Region | None = None, *, target: HomogeneousSpace | None = None
    ) -> Neighbourhood:
        """The points that each point of the target sees, in the order of the support's points."""
        target = self if target is None else target
        points = self._points(region)
        movers = target.section
        return Neighbourhood(self.action[movers][:, points], self.cocycle[movers][:, points])

    def act(self, element: int, field: Shaped[Field, "... C"], rep: Rep) -> Shaped[Field, "... C"]:
        """(g f)(g x) = ρ(h(g, x)) f(x) of fields (..., n, C), NumPy or JAX.

        >>> from intertwine.symmetry import cyclic
        >>> ring = HomogeneousSpace.of(cyclic(3))
        >>> ring.act(1, np.array([[1.0], [2.0], [3.0]]), ring.scalar)[:, 0].tolist()
        [3.0, 1.0, 2.0]
        """
        if np.shape(field)[-2:] != (self.size, rep.dimension) or rep.group != self.fibre_group:
            expected = f"shape (..., {self.size}, {rep.dimension}) and a rep of H"
            raise fail("field", expected, f"shape {np.shape(field)}, {rep!r}")
        back = np.argsort(self.action[element])
        if rep.is_trivial:
            return field[..., back, :]
        matrices = rep.matrices[self.cocycle[element][back]].astype(field.dtype)
        return (matrices @ field[..., back, :, None])[..., 0]

    def __hash__(self) -> int:
        return hash((self.stabiliser, self.section.tobytes()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HomogeneousSpace):
            return NotImplemented
        return self.stabiliser == other.stabiliser and np.array_equal(self.section, other.section)

    def __repr__(self) -> str:
        return f"HomogeneousSpace({self.group!r} / order {self.stabiliser.order})"
