r"""Discrete elements beside a connected group: which are tried, and which of those found are further ones.

Tried are −1, the reflection of each coordinate, exchanges of two coordinates, the cyclic shift of all, and
whatever is given. An element is in the connected group where g e^X is e^Y with small X and any Y of the
algebra; a few random X are tried, so that an element may be listed that is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

MOST_COORDINATES = 12
"""Up to so many coordinates elements are tried by themselves."""

Candidates = Mapping[str, ArrayLike] | Sequence[ArrayLike]
"""Matrices (d, d) or permutations (d,) of the coordinates, with names or without."""


def candidates(dimension: int, given: Candidates | None) -> dict[str, np.ndarray]:
    """Name → matrix; `InputError` for what is no matrix or permutation of the coordinates."""
    found: dict[str, np.ndarray] = {}
    if given is None:
        return _usual(dimension) if dimension <= MOST_COORDINATES else {}
    pairs = given.items() if isinstance(given, Mapping) else ((f"g{k + 1}", g) for k, g in enumerate(given))
    for name, one in pairs:
        array = np.asarray(one)
        if array.shape == (dimension,) and sorted(array.tolist()) == list(range(dimension)):
            array = np.eye(dimension)[array.astype(int)]
        if array.shape != (dimension, dimension) or array.dtype.kind not in "biuf":
            expected = f"matrices ({dimension}, {dimension}) or permutations of {dimension} coordinates"
            raise fail("candidates", expected, array)
        if not np.isfinite(array).all() or np.linalg.matrix_rank(array) < dimension:
            raise fail("candidates", "invertible matrices", f"{name} is not")
        found[str(name)] = array.astype(np.float64)
    return found


def _usual(d: int) -> dict[str, np.ndarray]:
    eye = np.eye(d)
    found = {"−1": -eye}
    if d > 1:
        found |= {f"x{i + 1} → −x{i + 1}": eye - 2 * np.outer(eye[i], eye[i]) for i in range(d)}
        for i, j in combinations(range(d), 2):
            order = np.arange(d)
            order[[i, j]] = j, i
            found[f"x{i + 1} ↔ x{j + 1}"] = eye[order]
    if d > 2:
        found["cyclic shift"] = eye[np.roll(np.arange(d), 1)]
    return found


def further(
    tried: dict[str, np.ndarray], holds: Callable[[np.ndarray], bool], generators: Float[np.ndarray, "n d d"]
) -> tuple[list[np.ndarray], list[str]]:
    """(elements that hold and are in no component of an earlier one, their names)."""
    components: list[np.ndarray] = [np.eye(generators.shape[-1])] if generators.size else []
    kept: list[np.ndarray] = []
    names: list[str] = []
    for name, one in tried.items():
        if not holds(one):
            continue
        if not any(_connected(one @ np.linalg.inv(other), generators) for other in components):
            products = [one] if not components else [one @ other for other in components]
            if len(components) < 64:
                components += [p for p in products if not any(np.allclose(p, c) for c in components)]
            if not any(np.allclose(one, other) for other in kept):
                kept.append(one)
                names.append(name)
    return kept, names


def _connected(element: np.ndarray, generators: np.ndarray) -> bool:
    """Whether the element is seen to be in the connected group of the generators."""
    if np.allclose(element, np.eye(len(element)), atol=1e-8):
        return True
    if not generators.size or np.linalg.det(element) < 0:
        return False
    from scipy.linalg import expm, logm

    flat = generators.reshape(len(generators), -1)
    basis, _ = np.linalg.qr(flat.T)
    draws = np.random.default_rng(0)
    for _ in range(4):
        near = np.tensordot(draws.normal(size=len(flat)) * 0.3, generators, 1)
        found = logm(element @ expm(near))
        if not np.isfinite(found).all() or np.abs(np.imag(found)).max() > 1e-6:
            continue
        log = np.real(found).ravel()
        if np.linalg.norm(log - basis @ (basis.T @ log)) < 1e-6 * np.linalg.norm(log):
            return True
    return False
