"""Sums over a group of a function that is the same under a part of it: one term for each coset."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.symmetric.site_group import Coefficients
from intertwine.symmetry.groups.permutation_group import PermutationGroup


class Cosets(NamedTuple):
    """rows: one element g of each coset gT. weights: Σ_{t∈T} χ(gt). alike: the order of T."""

    rows: tuple[int, ...]
    weights: tuple[complex, ...]
    alike: int


def cosets_of(group: PermutationGroup, coefficients: Coefficients, moves: ArrayLike | None) -> Cosets:
    """The cosets of the symmetries T of a model, as far as they are in `group`; moves: (t, N) or None.

    Raises InputError where χ vanishes on all cosets: no function with the symmetries T has that character.

    >>> from intertwine.models.symmetric.site_group import irreducible_coefficients
    >>> ring = PermutationGroup.generate([[1, 2, 3, 0]])
    >>> cosets_of(ring, irreducible_coefficients(None, ring), np.array([[0, 1, 2, 3], [2, 3, 0, 1]])).weights
    (2.0, 2.0)
    """
    inside = np.array([group.identity])
    if moves is not None:
        found = np.unique(group.rows_of(np.asarray(moves)))
        found = found[found >= 0]
        closed = np.isin(group.multiply(found[:, None], found), found).all() if len(found) else False
        inside = found if closed else inside
    products = group.multiply(np.arange(group.order)[:, None], inside)  # (g, t)
    rows = np.unique(products.min(axis=1))
    weights = coefficients.values[products[rows]].sum(axis=1)
    kept = np.abs(weights) > 1e-9 * len(inside)
    if not kept.any():
        expected = f"one that the model's own {len(inside)} symmetries leave"
        raise fail("character", expected, "another", "take the trivial one, or a model without them")
    return Cosets(tuple(rows[kept].tolist()), tuple(weights[kept].tolist()), len(inside))
