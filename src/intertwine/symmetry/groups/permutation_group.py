r"""Finite groups of site permutations, with exact one-dimensional characters.

A row p of `permutations` moves what sits on site i to site p[i], and acts on configurations as

    (g s)[p_g[i]] = s[i],        p_{gh} = p_g ∘ p_h   (first h, then g),

so that (gh) s = g (h s). An element is named by its row. Elements are recognised by their images of a *base*,
a few sites whose images tell all elements apart (Sims 1970; Seress, Permutation Group Algorithms, 2003, ch.
4): a product costs a few table look-ups, whatever N. That the rows form a group is proved with O(log g)
generators in O(g N log g).

One-dimensional characters χ(gh) = χ(g) χ(h) are those of the abelian group G/[G, G]: they are built generator
by generator as integers k, χ = exp(2πi k/q) with q = |G/[G, G]|, so that the homomorphism is checked in
integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Complex, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import ImageIndex, checked_rows, components, frozen, generate_rows
from intertwine.symmetry._phases import abelian_phases, roots_of_unity

_LARGEST_TABLE = 20_000


@dataclass(frozen=True, eq=False, repr=False)
class PermutationGroup:
    r"""A group of permutations of N sites: an immutable host object, hashable and comparable by content.

    permutations: int (g, N), one row per element, in any order; kept as read-only int32. The rows must be
    distinct permutations of 0..N-1 that contain every product of two of them (else `InputError`).

    >>> import numpy as np
    >>> rotations = PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    >>> rotations.order, rotations.size, rotations.is_abelian
    (3, 3, True)
    >>> rotations.product_table[1, 1], rotations.inverse[1]
    (np.int32(2), np.int32(2))
    >>> rotations.apply(np.array([7, 8, 9]))[1]        # (g s)[p[i]] = s[i]
    array([9, 7, 8])
    >>> PermutationGroup([[0, 1, 2], [1, 2, 0]])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: permutations: expected the rows of a group, got 2 rows that are not closed
    under composition; add the missing products, or build the group with PermutationGroup.generate.
    """

    permutations: Int32[np.ndarray, "g N"]
    _images: ImageIndex = field(init=False)
    _generators: tuple[int, ...] = field(init=False)
    _right: tuple[np.ndarray, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = checked_rows(self.permutations)
        object.__setattr__(self, "permutations", rows)
        images = ImageIndex.build(rows)
        proof = images.prove_group() if images is not None else None
        if images is None or proof is None:
            raise fail(
                "permutations",
                "the rows of a group",
                f"{len(rows)} rows that are not closed under composition",
                "add the missing products, or build the group with PermutationGroup.generate",
            )
        object.__setattr__(self, "_images", images)
        object.__setattr__(self, "_generators", proof[0])
        object.__setattr__(self, "_right", proof[1])

    @classmethod
    def trivial(cls, size: int) -> PermutationGroup:
        """The group of the identity alone on `size` sites.

        >>> PermutationGroup.trivial(4).permutations
        array([[0, 1, 2, 3]], dtype=int32)
        """
        return cls(np.arange(positive_int("size", size), dtype=np.int32)[None])

    @classmethod
    def generate(cls, generators: ArrayLike, max_order: int = 100_000) -> PermutationGroup:
        """The group that the rows of `generators`, int (k, N), generate; identity first.

        Raises `InputError` where a row is no permutation or the order exceeds `max_order`.

        >>> PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]]).order          # the square's D4
        8
        """
        rows = checked_rows(generators, "generators", distinct=False)
        elements = generate_rows(rows, max_order)
        if elements is None:
            expected = f"a group of order at most {max_order}"
            raise fail("generators", expected, "more elements", "raise max_order")
        return cls(elements)

    @property
    def order(self) -> int:
        """The number of elements g."""
        return int(self.permutations.shape[0])

    @property
    def size(self) -> int:
        """The number of sites N."""
        return int(self.permutations.shape[1])

    @property
    def identity(self) -> int:
        """The row of the identity."""
        return self._images.identity

    @property
    def generators(self) -> tuple[int, ...]:
        """Rows of a small set of elements whose products are the whole group (empty for the trivial group).

        >>> PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).generators
        (1,)
        """
        return self._generators

    def multiply(self, left: ArrayLike, right: ArrayLike) -> Int32[np.ndarray, " *shape"]:
        """The rows of the products gh (first h, then g) of rows `left` = g and `right` = h, int arrays that
        broadcast.

        >>> PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).multiply([0, 1, 2], 2)
        array([2, 0, 1], dtype=int32)
        """
        return self._images.multiply(np.asarray(left), np.asarray(right))

    def rows_of(self, permutations: ArrayLike) -> Int32[np.ndarray, " n"]:
        """int32 (n,): the row of each of some permutations (n, N), −1 for those that are no element.

        >>> PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).rows_of([[2, 0, 1], [1, 0, 2]])
        array([ 2, -1], dtype=int32)
        """
        given = checked_rows(permutations, distinct=False)
        if given.shape[1] != self.size:
            raise fail("permutations", f"rows of {self.size} sites", f"shape {given.shape}")
        rows = self._images.find(given[:, self._images.base])
        same = (self.permutations[rows] == given).all(axis=1)
        return np.where((rows >= 0) & same, rows, -1).astype(np.int32)

    @cached_property
    def product_table(self) -> Int32[np.ndarray, "g g"]:
        """int32 (g, g): `product_table[g, h]` is the row of gh. Formed on first use; `InputError` above
        20,000 elements (`multiply` has no limit).

        >>> PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).product_table
        array([[0, 1, 2],
               [1, 2, 0],
               [2, 0, 1]], dtype=int32)
        """
        if self.order > _LARGEST_TABLE:
            raise fail("product_table", f"at most {_LARGEST_TABLE} elements", self.order, "use multiply")
        table = np.empty((self.order, self.order), np.int32)
        everything = np.arange(self.order)
        step = max(1, 2**20 // self.order)
        for start in range(0, self.order, step):
            rows = everything[start : start + step, None]
            table[rows[:, 0]] = self.multiply(rows, everything[None])
        return frozen(table)

    @cached_property
    def inverse_permutations(self) -> Int32[np.ndarray, "g N"]:
        """int32 (g, N): `inverse_permutations[g, p_g[i]] = i`, so that (g s) = s[inverse_permutations[g]].

        >>> PermutationGroup([[0, 1, 2], [1, 2, 0], [2, 0, 1]]).inverse_permutations[1]
        array([2, 0, 1], dtype=int32)
        """
        inverse = np.empty_like(self.permutations)
        sites = np.broadcast_to(np.arange(self.size, dtype=np.int32), inverse.shape)
        np.put_along_axis(inverse, self.permutations.astype(np.int64), sites, axis=1)
        return frozen(inverse)

    @cached_property
    def inverse(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the row of each element's inverse."""
        return frozen(self._images.find(self.inverse_permutations[:, self._images.base]))

    @cached_property
    def is_abelian(self) -> bool:
        """Whether all elements commute."""
        gens = np.array(self.generators, dtype=np.int64)
        return bool((self.multiply(gens[:, None], gens) == self.multiply(gens, gens[:, None])).all())

    def orbits(self) -> tuple[Int32[np.ndarray, " n"], ...]:
        """The sets of sites that the group carries into each other, each sorted, by their first site.

        >>> PermutationGroup([[0, 1, 2], [1, 0, 2]]).orbits()
        (array([0, 1], dtype=int32), array([2], dtype=int32))
        """
        first = self.permutations.min(axis=0)
        return tuple(np.flatnonzero(first == site).astype(np.int32) for site in np.unique(first))

    def conjugacy_classes(self) -> tuple[Int32[np.ndarray, " n"], ...]:
        """The classes {x g x⁻¹} as sorted rows, by their first row.

        >>> square = PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]])
        >>> [len(c) for c in square.conjugacy_classes()]
        [1, 2, 2, 1, 2]
        """
        labels = self._class_labels
        return tuple(np.flatnonzero(labels == first).astype(np.int32) for first in np.unique(labels))

    @cached_property
    def _class_labels(self) -> np.ndarray:
        everything = np.arange(self.order)
        maps = [self.multiply(self.multiply(s, everything), self.inverse[s]) for s in self.generators]
        return components(self.order, maps)

    def _generated(self, rows: np.ndarray) -> tuple[Bool[np.ndarray, " g"], list[int]]:
        """Which elements the given rows generate, and the few of them that suffice."""
        known = np.zeros(self.order, bool)
        known[self.identity] = True
        gens: list[int] = []
        for row in rows:
            if known[row]:
                continue
            gens.append(int(row))
            frontier = np.flatnonzero(known)
            while frontier.size:
                reached = np.unique(self.multiply(frontier[:, None], np.array(gens)))
                frontier = reached[~known[reached]]
                known[frontier] = True
        return known, gens

    @cached_property
    def _derived(self) -> tuple[np.ndarray, list[int]]:
        """The commutator subgroup: the normal closure of the commutators of the generators."""
        g = np.array(self.generators, dtype=np.int64)
        left = self.multiply(g[:, None], g[None])
        right = self.multiply(self.inverse[g][:, None], self.inverse[g][None])
        commutators = np.unique(self.multiply(left, right))
        conjugates = np.flatnonzero(np.isin(self._class_labels, self._class_labels[commutators]))
        known, gens = self._generated(conjugates)
        return np.flatnonzero(known), gens

    def commutator_subgroup(self) -> PermutationGroup:
        """[G, G], generated by all g h g⁻¹ h⁻¹: the kernel common to all one-dimensional characters.

        >>> PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]]).commutator_subgroup().order
        2
        """
        return self.subgroup(self._derived[0])

    def subgroup(self, indices: Sequence[int] | np.ndarray) -> PermutationGroup:
        """The subgroup of the rows `indices`, in that order; `InputError` if they are no group.

        >>> PermutationGroup.generate([[1, 2, 3, 0]]).subgroup([0, 2]).permutations
        array([[0, 1, 2, 3],
               [2, 3, 0, 1]], dtype=int32)
        """
        rows = np.asarray(indices)
        valid = rows.ndim == 1 and rows.size > 0 and np.issubdtype(rows.dtype, np.integer)
        if not valid or rows.min() < 0 or rows.max() >= self.order:
            raise fail("indices", f"a list of rows from 0 to {self.order - 1}", indices)
        return PermutationGroup(self.permutations[rows])

    def characters_1d(self) -> Complex[np.ndarray, "n g"]:
        r"""All one-dimensional characters, complex128 (n, g) with n = |G/[G, G]|; row 0 is the trivial one.

        Values are q-th roots of unity of integers k (±1 and ±i exact); χ(gh) = χ(g) χ(h) is checked in those
        integers. Rows are ordered by their phases k/q at element 0, then 1, and so on.

        >>> PermutationGroup([[0, 1], [1, 0]]).characters_1d().real
        array([[ 1.,  1.],
               [ 1., -1.]])
        >>> square = PermutationGroup.generate([[1, 2, 3, 0], [0, 3, 2, 1]])
        >>> square.characters_1d().shape                    # D4: A1, A2, B1, B2
        (4, 8)
        """
        everything = np.arange(self.order)
        labels = components(self.order, [self.multiply(everything, s) for s in self._derived[1]])
        firsts, cosets = np.unique(labels, return_inverse=True)
        quotient = len(firsts)
        steps = [cosets[self.multiply(firsts, s)] for s in self.generators]
        phases = abelian_phases(quotient, int(cosets[self.identity]), steps)[:, cosets]
        for s, moved in zip(self.generators, self._right, strict=True):
            if ((phases[:, moved] - phases - phases[:, s : s + 1]) % quotient).any():
                raise AssertionError("a one-dimensional character is not a homomorphism: please report this")
        return roots_of_unity(quotient)[phases]

    def apply(self, configurations: ArrayLike) -> Any:
        """All images (g s): from (..., N) to (..., g, N), NumPy or JAX (also under `jit`), of any dtype.

        >>> import jax.numpy as jnp
        >>> PermutationGroup([[0, 1], [1, 0]]).apply(jnp.array([1, -1], dtype=jnp.int8)).tolist()
        [[1, -1], [-1, 1]]
        """
        if np.ndim(configurations) == 0 or np.shape(configurations)[-1] != self.size:
            raise fail("configurations", f"shape (..., {self.size})", f"shape {np.shape(configurations)}")
        array: Any = configurations if hasattr(configurations, "shape") else np.asarray(configurations)
        return array[..., self.inverse_permutations]

    @cached_property
    def _hash(self) -> int:
        return hash((self.permutations.shape, self.permutations.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PermutationGroup):
            return NotImplemented
        return self is other or np.array_equal(self.permutations, other.permutations)

    def __repr__(self) -> str:
        return f"PermutationGroup(order={self.order}, size={self.size})"
