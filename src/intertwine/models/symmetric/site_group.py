r"""The symmetry group behind tied parameters: how a model is told which group, and which orbits it has.

A lattice brings its groups (`space_group`, `translations`); a `PermutationGroup` is taken as it is.
Permutations act as (g s)[p_g[i]] = s[i], so (g⁻¹ s)[i] = s[p_g[i]].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of
from intertwine.symmetry._phases import roots_of_unity
from intertwine.symmetry.groups.permutation_group import PermutationGroup

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


def site_group(
    lattice: Lattice | PermutationGroup, group: PermutationGroup | str | None = None
) -> PermutationGroup:
    """The group meant by `lattice` (or a group) and `group` ("space", "translations", a group or None).

    >>> swap = PermutationGroup([[0, 1], [1, 0]])
    >>> site_group(swap) is swap
    True
    """
    if isinstance(lattice, PermutationGroup):
        if group is not None and not isinstance(group, PermutationGroup):
            raise fail("group", "None where a PermutationGroup is given in place of a lattice", group)
        return lattice if group is None else _same_size(group, lattice.size)
    if not hasattr(lattice, "space_group"):
        raise fail(
            "lattice", "a lattice or a PermutationGroup", lattice, "for example Chain(20) or Square(6, 6)"
        )
    if isinstance(group, PermutationGroup):
        return _same_size(group, lattice.size)
    if group is None:
        group = "space"
    if not isinstance(group, str):
        raise fail("group", "'space', 'translations' or a PermutationGroup", group)
    one_of("group", group, ("space", "translations"), "or give a PermutationGroup")
    return lattice.space_group if group == "space" else lattice.translations


def _same_size(group: PermutationGroup, size: int) -> PermutationGroup:
    if group.size != size:
        raise fail("group", f"permutations of the {size} sites", f"permutations of {group.size} sites")
    return group


def site_orbits(group: PermutationGroup) -> np.ndarray:
    """int32 (N,): the number of each site's orbit, 0, 1, …"""
    return np.unique(group.permutations.min(axis=0), return_inverse=True)[1].astype(np.int32)


def pair_orbits(group: PermutationGroup) -> np.ndarray:
    """int32 (N, N): the number of the orbit of the pair {i, j}, and the number of orbits on the diagonal."""
    n = group.size
    first = np.full((n, n), n * n, np.int64)
    for p in group.permutations.astype(np.int64):
        low, high = np.minimum(p[:, None], p[None]), np.maximum(p[:, None], p[None])
        np.minimum(first, low * n + high, out=first)
    first[np.diag_indices(n)] = n * n
    return np.unique(first, return_inverse=True)[1].reshape(n, n).astype(np.int32)


def character_phases(character: ArrayLike, group: PermutationGroup) -> tuple[np.ndarray, int]:
    """Integers k (g,) and q with χ(g) = exp(2πi k_g / q), checked to be a one-dimensional character.

    >>> character_phases([1, -1], PermutationGroup([[0, 1], [1, 0]]))
    (array([0, 1], dtype=int32), 2)
    """
    remedy = "take a row of group.characters_1d()"
    values: Any = _numbers(character, group, remedy)
    steps = np.rint(np.angle(values) / (2 * np.pi) * group.order).astype(np.int64) % group.order
    exact = roots_of_unity(group.order)[steps]
    everything = np.arange(group.order)
    homomorphism = all(
        not ((steps[group.multiply(everything, g)] - steps - steps[g]) % group.order).any()
        for g in group.generators
    )
    if not homomorphism or not np.abs(values - exact).max() < 1e-5:
        raise fail(
            "character", "a one-dimensional character, χ(gh) = χ(g) χ(h)", "numbers that are none", remedy
        )
    common = np.gcd.reduce(np.append(steps, group.order))
    return (steps // common).astype(np.int32), int(group.order // common)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """One number for each element of a group (g,), complex128 or float64; a constant, no parameter.

    trivial: whether all are 1. Compared and hashed by content, so that it can be a static field.
    """

    values: np.ndarray

    @cached_property
    def trivial(self) -> bool:
        return bool(np.all(self.values == 1))

    @cached_property
    def _hash(self) -> int:
        return hash((self.values.dtype.str, self.values.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coefficients):
            return NotImplemented
        return self is other or np.array_equal(self.values, other.values)


def _numbers(character: ArrayLike | None, group: PermutationGroup, remedy: str) -> Any:
    """One complex number for each element, (g,), or the error."""
    try:
        values = np.asarray(character, dtype=complex)
    except (TypeError, ValueError):
        raise fail("character", f"{group.order} complex numbers", character, remedy) from None
    if values.shape != (group.order,):
        expected = f"one number for each of the {group.order} elements of the group"
        raise fail("character", expected, f"an array of shape {values.shape}", remedy)
    return values


def irreducible_coefficients(character: ArrayLike | None, group: PermutationGroup) -> Coefficients:
    """The coefficients c of a projection Σ_g c(g) ψ₀(g⁻¹s), checked: None (all 1), a character of an irrep,
    or a diagonal matrix element of a unitary one.

    Both obey c = (d/|G|) c ∗ c, (c ∗ c)(g) = Σ_h c(h) c(h⁻¹g), with d the dimension: for a character c(e) =
    d, for a matrix element c(e) = 1 and |G| = d Σ_g |c(g)|². That is what makes the sum a projector.

    >>> irreducible_coefficients([1, -1], PermutationGroup([[0, 1], [1, 0]])).trivial
    False
    """
    remedy = "take a row of group.characters_1d(), or sector(lattice, ...).character"
    if character is None:
        return Coefficients(np.ones(group.order))
    values: Any = _numbers(character, group, remedy)
    if np.allclose(np.abs(values), 1):
        phases, roots = character_phases(values, group)
        values = roots_of_unity(roots)[phases]
    elif not _projects(values, group):
        expected = "a character of an irrep, or a diagonal matrix element of a unitary one"
        raise fail("character", expected, "numbers that are none", remedy)
    return Coefficients(values.real.copy() if np.all(values.imag == 0) else values)


def _projects(values: np.ndarray, group: PermutationGroup) -> bool:
    """Whether c = (d/|G|) c ∗ c with d = c(e) for a class function and d = |G|/Σ|c|² otherwise."""
    norm = float(np.sum(np.abs(values) ** 2))
    if not np.isfinite(norm) or norm == 0:
        return False
    first = values[group.identity]
    dimension = first if abs(norm / group.order - 1) < 1e-6 else group.order / norm
    everything = np.arange(group.order)
    squared = np.zeros(group.order, complex)
    for h in everything:
        squared += values[h] * values[group.multiply(int(group.inverse[h]), everything)]
    return bool(np.abs(dimension / group.order * squared - values).max() < 1e-6)
