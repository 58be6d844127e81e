r"""Points of a Bravais lattice with a basis: where sites are, which site is at a point, and the nearest
images.

Site (n, b) sits at r = Σ_a n_a a_a + c_b, with lattice vectors a_a, cell indices 0 ≤ n_a < L_a and offsets
c_b. Sites are numbered cell by cell, row-major (the first extent slowest), the basis last. Along a periodic
direction n_a and n_a + L_a are the same cell: points live in R^d/T, T being the lattice of the *wrapping
vectors* L_a a_a of the periodic directions.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

RESOLUTION = 1e-6
"""Lengths that differ by less than this share of the shortest lattice vector are equal."""


class Geometry(NamedTuple):
    """basis_vectors (d, d) rows a_a, site_offsets (n_b, d) Cartesian, extent and periodic of length d. marks:
    None, or (m, d), points of the cell besides the sites that symmetries carry onto one another."""

    basis_vectors: np.ndarray
    site_offsets: np.ndarray
    extent: tuple[int, ...]
    periodic: tuple[bool, ...]
    marks: np.ndarray | None = None

    @property
    def tolerance(self) -> float:
        """The length below which two points are the same."""
        return RESOLUTION * float(np.linalg.norm(self.basis_vectors, axis=1).min())

    @property
    def cells(self) -> np.ndarray:
        """int64 (n_cells, d): the cell indices, row-major."""
        return np.indices(self.extent).reshape(len(self.extent), -1).T

    @property
    def wrapping(self) -> np.ndarray:
        """(p, d): the wrapping vectors L_a a_a of the p periodic directions."""
        chosen = np.flatnonzero(self.periodic)
        return self.basis_vectors[chosen] * np.array(self.extent)[chosen, None]

    def positions(self) -> np.ndarray:
        """float64 (N, d)."""
        points = (self.cells @ self.basis_vectors)[:, None] + self.site_offsets[None]
        return points.reshape(-1, self.basis_vectors.shape[0])

    def wrap(self, cells: np.ndarray) -> tuple[np.ndarray, Any]:
        """Cells (..., d) folded along periodic directions, and whether they are inside the open ones."""
        extent = np.array(self.extent)
        folded = np.where(self.periodic, cells % extent, cells)
        return folded, np.all((folded >= 0) & (folded < extent), axis=-1)

    def number(self, cells: np.ndarray) -> np.ndarray:
        """The row-major numbers of cells (..., d) that are inside."""
        return cells @ np.array([int(np.prod(self.extent[a + 1 :])) for a in range(len(self.extent))])

    def locate(self, points: np.ndarray) -> np.ndarray:
        """The sites at `points` (..., d), int64; −1 where there is none."""
        relative = (points[..., None, :] - self.site_offsets) @ np.linalg.inv(self.basis_vectors)
        cells = np.rint(relative)
        near = np.linalg.norm((relative - cells) @ self.basis_vectors, axis=-1) < self.tolerance
        folded, inside = self.wrap(cells.astype(np.int64))
        hit = near & inside
        sites = self.number(folded) * len(self.site_offsets) + np.arange(len(self.site_offsets))
        return np.where(hit, sites, -1).max(axis=-1)


def nearest_images(vectors: np.ndarray, wrapping: np.ndarray) -> np.ndarray:
    r"""The shortest v + Σ_a m_a T_a, m ∈ Z^p, of each v in `vectors` (n, d); T_a are the rows of `wrapping`.

    For p ≤ 3 by descent along the Voronoi vectors of T: v is a shortest image where none of them shortens it,
    and they are the partial sums of an obtuse superbase (Conway & Sloane, Proc. R. Soc. A 436, 55 (1992)).
    For p > 3, after rounding |v_∥| ≤ ρ = ½ Σ|T_a|, and all m with |m_a + f_a| ≤ |T*_a| ρ are tried (T* the
    dual basis, |f_a| ≤ ½). Among equally short images the first met is kept.
    """
    if len(wrapping) == 0:
        return vectors
    dual = np.linalg.pinv(wrapping)
    best = vectors - np.rint(vectors @ dual) @ wrapping
    radius = 0.5 * np.linalg.norm(wrapping, axis=1).sum()
    if len(wrapping) <= 3:
        superbase = _obtuse_superbase(wrapping)
        choices = np.array(list(itertools.product((0, 1), repeat=len(superbase)))[1:-1])
        steps = choices @ superbase
    else:
        bounds = np.floor(0.5 + 1e-9 + np.linalg.norm(dual, axis=0) * radius).astype(int)
        steps = np.array(list(itertools.product(*(range(-b, b + 1) for b in bounds)))) @ wrapping
    length = np.einsum("nd,nd->n", best, best)
    margin = 1e-9 * radius**2  # equally short up to rounding is not shorter
    while True:
        before = best
        for step in steps:
            image = best + step
            new = np.einsum("nd,nd->n", image, image)
            shorter = new < length - margin
            best, length = np.where(shorter[:, None], image, best), np.where(shorter, new, length)
        if np.array_equal(best, before):
            return best


def _obtuse_superbase(wrapping: np.ndarray) -> np.ndarray:
    """Selling's (p+1, d) vectors, p ≤ 3: sum 0, no acute angle, any p of them a basis of the lattice."""
    base = np.vstack([wrapping, -wrapping.sum(axis=0)])
    while True:
        gram = np.triu(base @ base.T, 1)
        i, j = np.unravel_index(int(np.argmax(gram)), gram.shape)
        if gram[i, j] <= 1e-9 * np.einsum("ad,ad->a", wrapping, wrapping).min():
            return base
        others = [k for k in range(len(base)) if k not in (i, j)]
        base[others] += base[i] * (2 / len(others))
        base[i] = -base[i]
