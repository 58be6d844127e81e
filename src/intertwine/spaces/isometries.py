r"""Candidate linear parts of the isometries of R^d/T that may permute a finite set of points.

An isometry x ↦ R x + t of R^d/T maps T onto itself, so R splits into a part on V = span T and a part on its
orthogonal complement V⊥:

- on V, R is fixed by the images of the wrapping vectors T_a, which are vectors of T with the same Gram
  matrix;
- on V⊥, R is fixed by the images of a frame of the points' projections about their centroid, which are
  projections with the same Gram matrix (the centroid is a fixed point).

Both are finite searches, by depth first, over vectors of the right length.
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail

_MOST_VECTORS = 5_000_000


def gram_matches(frame: np.ndarray, pool: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """All tuples (k, d) of rows of `pool` (m, d) with the Gram matrix of `frame` (k, d); one if k = 0."""
    gram = frame @ frame.T
    allowed = tolerance * (1.0 + np.sqrt(np.diag(gram).max(initial=0.0)))
    found: list[np.ndarray] = []

    def extend(chosen: list[np.ndarray]) -> None:
        k = len(chosen)
        if k == len(frame):
            found.append(np.array(chosen).reshape(frame.shape))
            return
        fits = np.abs(np.einsum("md,md->m", pool, pool) - gram[k, k]) < 2 * allowed
        for j, vector in enumerate(chosen):
            fits &= np.abs(pool @ vector - gram[k, j]) < 2 * allowed
        for candidate in pool[fits]:
            extend([*chosen, candidate])

    extend([])
    return found


def torus_automorphisms(wrapping: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """The images (p, d) of the wrapping vectors under each isometry of span T that maps T onto itself."""
    if len(wrapping) == 0:
        return [wrapping]
    dual = np.linalg.norm(np.linalg.pinv(wrapping), axis=0)
    longest = np.linalg.norm(wrapping, axis=1).max()
    bounds = np.floor(dual * longest + 1e-9).astype(int)
    if np.prod(2.0 * bounds + 1) > _MOST_VECTORS:
        expected, remedy = "extents whose symmetry can be searched", "take less unequal extents"
        raise fail("extent", expected, wrapping.tolist(), remedy)
    multiples = np.indices(tuple(2 * bounds + 1)).reshape(len(bounds), -1).T - bounds
    pool = multiples @ wrapping
    norms = np.linalg.norm(pool, axis=1)
    lengths = np.linalg.norm(wrapping, axis=1)
    pool = pool[(np.abs(norms[:, None] - lengths) < tolerance).any(axis=1)]
    return gram_matches(wrapping, pool, tolerance)


def point_set_automorphisms(points: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Orthogonal maps M (d, d), acting as x ↦ x M on the span of `points` (n, d) and as 0 outside it, that
    may permute them. The frame prefers points whose distance from the origin is shared by few."""
    norms = np.linalg.norm(points, axis=1)
    shared = (np.abs(norms[:, None] - norms) < tolerance).sum(axis=1)
    order = np.lexsort((norms, shared))
    frame: list[int] = []
    span = np.zeros((0, points.shape[1]))
    for i in order:
        rest = points[i] - points[i] @ span.T @ span
        if len(frame) < points.shape[1] and np.linalg.norm(rest) > max(1e-3 * norms[i], 10 * tolerance):
            frame.append(i)
            span = np.vstack([span, rest / np.linalg.norm(rest)])
    rows = points[np.array(frame, dtype=int)]
    return [np.linalg.pinv(rows) @ images for images in gram_matches(rows, points, tolerance)]
