r"""The space group of a finite lattice, found from its geometry.

Sites are points of R^d/T (see `geometry`). The space group is the set of isometries x ↦ R x + t of R^d/T that
permute the sites, as permutations; isometries that act alike on a small torus are one element. For every
candidate R (`isometries`) a reference site is sent to every site that is not its translate, which fixes t;
the map is kept if it carries every site onto a site. Nothing is assumed of the point group, so any basis,
extent and boundary will do. Where the cell has marks besides its sites, they must be carried onto one another
too: the links of a square lattice have more isometries, as bare points, than the lattice that they belong to.

On small tori this is less than all automorphisms of the bond graph (the 4 × 4 square torus is also a 4-cube
with 384 automorphisms; 128 of them are isometries): geometry counts.

The point group is the stabiliser of one point of highest symmetry: of the points fixed by single isometries,
and by pairs of two-fold ones (which is all that d ≤ 3 needs: every point group there is that of an element's
fixed point, axis or plane, or contains two two-fold axes that cross), the one with most isometries; of these
a site if there is one, then the first.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.spaces.geometry import Geometry
from intertwine.spaces.isometries import point_set_automorphisms, torus_automorphisms
from intertwine.symmetry import PermutationGroup

_LARGEST_TABLE = 2**28


class SpaceGroup(NamedTuple):
    """What the search found.

    group: all isometries, identity first, then the other translations of the Bravais lattice, then the rest.
    point_group: those that fix `origin`, a Cartesian point (d,).
    """

    group: PermutationGroup
    point_group: PermutationGroup
    origin: np.ndarray


class _Coset(NamedTuple):
    """One isometry x ↦ x M + t (row vectors) and, with all Bravais translations, its coset."""

    linear: np.ndarray
    shift: np.ndarray
    sites: np.ndarray


def translation_permutations(geometry: Geometry) -> np.ndarray:
    """int32 (n, N): translation k moves cells by `unravel_index(k, extents of the periodic directions)`."""
    steps = np.indices([n if p else 1 for n, p in zip(geometry.extent, geometry.periodic, strict=True)])
    shifts = steps.reshape(len(geometry.extent), -1).T
    folded, _ = geometry.wrap(geometry.cells[None] + shifts[:, None])
    n_basis = len(geometry.site_offsets)
    sites = geometry.number(folded)[..., None] * n_basis + np.arange(n_basis)
    return sites.reshape(len(shifts), -1).astype(np.int32)


def _cosets(geometry: Geometry, translations: np.ndarray) -> list[_Coset]:
    """All isometries that permute the sites, one for each coset of the Bravais translations."""
    positions, tolerance = geometry.positions(), geometry.tolerance
    wrapping = geometry.wrapping
    inverse = np.linalg.pinv(wrapping) if len(wrapping) else np.zeros((len(geometry.extent), 0))
    onto_torus = inverse @ wrapping
    off_torus = np.eye(len(geometry.extent)) - onto_torus
    centre = positions.mean(axis=0) @ off_torus
    across = (positions - centre) @ off_torus
    bins = np.rint(across / (10 * tolerance) + 0.37).astype(np.int64)  # 0.37: no symmetric point on an edge
    distinct = across[np.unique(bins, axis=0, return_index=True)[1]]
    targets = np.unique(translations.min(axis=0))
    marks = None if geometry.marks is None else geometry._replace(site_offsets=geometry.marks)
    marked = np.zeros((0, positions.shape[1])) if marks is None else marks.positions()
    found: list[_Coset] = []
    for along, outside in itertools.product(
        torus_automorphisms(wrapping, tolerance), point_set_automorphisms(distinct, tolerance)
    ):
        linear = inverse @ along + outside
        moved = centre + (positions - centre) @ linear
        for target in targets:
            shift = positions[target] - moved[0]
            if np.linalg.norm(shift - shift @ onto_torus) > 2 * tolerance:
                continue  # would move the centroid across the torus
            shift = shift @ onto_torus
            sites = geometry.locate(moved + shift)
            if marks is not None:
                image = centre + (marked - centre) @ linear + shift
                if (marks.locate(image) < 0).any():
                    continue
            if (sites >= 0).all() and len(np.unique(sites)) == len(sites):
                found.append(_Coset(linear, centre - centre @ linear + shift, sites))
    everyone = np.arange(len(positions))
    return sorted(found, key=lambda coset: not np.array_equal(coset.sites, everyone))  # the identity first


def _solutions(maps: np.ndarray, shifts: np.ndarray, tolerance: float) -> np.ndarray:
    """The x with x (1 − M) = t, for `maps` 1 − M (d, m) and each t of `shifts` (n, m) that has one."""
    x = shifts @ np.linalg.pinv(maps)
    return x[np.abs(x @ maps - shifts).max(axis=1) < tolerance]


def _nearby_translations(geometry: Geometry) -> np.ndarray:
    """Bravais translations (n, d) that reach every class of fixed points: Λ/(1 − R)Λ has exponent ≤ 6."""
    chosen = np.flatnonzero(geometry.periodic)
    reach = range(-3, 4) if len(chosen) < 4 else range(-1, 2)
    multiples = np.array(list(itertools.product(reach, repeat=len(chosen))), dtype=int)
    multiples = multiples[np.argsort(np.abs(multiples).sum(axis=1), kind="stable")]
    return multiples @ geometry.basis_vectors[chosen]


def _fixed_points(cosets: list[_Coset], geometry: Geometry) -> np.ndarray:
    """Cartesian points (n, d), one of the fixed set of each isometry, up to Bravais translations."""
    near, identity = _nearby_translations(geometry), np.eye(len(geometry.extent))
    return np.vstack([_solutions(identity - c.linear, c.shift + near, geometry.tolerance) for c in cosets])


def _crossings(cosets: list[_Coset], geometry: Geometry) -> np.ndarray:
    """Points (n, d) where two two-fold axes of three dimensions cross, up to Bravais translations."""
    d, identity = len(geometry.extent), np.eye(len(geometry.extent))
    near = _nearby_translations(geometry)[: 3**d]
    first, second = np.repeat(near, len(near), 0), np.tile(near, (len(near), 1))
    points = [np.zeros((0, d))]
    twofold = [
        c
        for c in cosets
        if abs(np.trace(c.linear) - (2 - d)) < 1e-6 and np.abs(c.linear @ c.linear - identity).max() < 1e-6
    ]
    for one, two in itertools.combinations(twofold if d > 2 else [], 2):
        maps = np.hstack([identity - one.linear, identity - two.linear])
        shifts = np.hstack([one.shift + first, two.shift + second])
        points.append(_solutions(maps, shifts, geometry.tolerance))
    return np.vstack(points)


def _best_point(cosets: list[_Coset], geometry: Geometry) -> np.ndarray:
    """The point (d,) with most isometries (see the module)."""
    bound = len({tuple((c.linear.round(5) + 0.0).ravel()) for c in cosets})
    best, most = geometry.site_offsets[0], 0
    for search in (lambda *_: geometry.site_offsets, _fixed_points, _crossings):
        cells = search(cosets, geometry) @ np.linalg.inv(geometry.basis_vectors)
        cells = np.where(geometry.periodic, cells - np.floor(cells + 1e-9), cells)
        _, first = np.unique(cells.round(5), axis=0, return_index=True)
        for point in cells[np.sort(first)] @ geometry.basis_vectors:
            count = int((~np.isnan(_stabiliser(point, cosets, geometry)[:, 0])).sum())
            if count > most:
                best, most = point, count
        if most == bound:
            break
    return best


def _stabiliser(point: np.ndarray, cosets: list[_Coset], geometry: Geometry) -> np.ndarray:
    """For each coset the Bravais translation (row of the cells along periodic directions) that brings the
    image of `point` back to it, as a site-independent cell shift (n, d); NaN where there is none."""
    back = np.array([point - (point @ c.linear + c.shift) for c in cosets])
    cells = back @ np.linalg.inv(geometry.basis_vectors)
    whole = np.rint(cells)
    fits = np.linalg.norm((cells - whole) @ geometry.basis_vectors, axis=1) < 10 * geometry.tolerance
    fits &= (whole[:, ~np.array(geometry.periodic)] == 0).all(axis=1)
    return np.where(fits[:, None], whole, np.nan)


def find_space_group(geometry: Geometry) -> SpaceGroup:
    """The space group and the point group of `geometry`."""
    translations = translation_permutations(geometry)
    cosets = _cosets(geometry, translations)
    # Equal cosets have equal members: these send site 0 to the same target, and translations move every site.
    members = list({coset.sites.tobytes(): coset.sites for coset in cosets}.values())
    if len(members) * translations.size > _LARGEST_TABLE:
        got = f"{len(members) * len(translations)} elements on {translations.shape[1]} sites"
        raise fail("lattice", "a space group that fits in memory", got, "take a smaller lattice")
    group = PermutationGroup(np.vstack([translations[:, sites] for sites in members]))

    origin = _best_point(cosets, geometry)
    extent = tuple(n if p else 1 for n, p in zip(geometry.extent, geometry.periodic, strict=True))
    fixing = []
    for coset, shift in zip(cosets, _stabiliser(origin, cosets, geometry), strict=True):
        if not np.isnan(shift[0]):
            number = int(np.ravel_multi_index(tuple(shift.astype(int) % extent), extent))
            fixing.append(translations[number][coset.sites])
    _, first = np.unique(np.array(fixing), axis=0, return_index=True)
    return SpaceGroup(group, PermutationGroup(np.array(fixing)[np.sort(first)]), origin)
