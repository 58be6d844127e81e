r"""Finite groups by their product table.

An element is a row number; `product_table[g, h]` is the row of gh (first h, then g). That a table is a group
is proved once: it has an identity, every row and column is a permutation, and Light's test of associativity,
(x s) y = x (s y) for all x, y and the s of a generating set (Clifford & Preston, The Algebraic Theory of
Semigroups I, 1961, § 1.2).

Cosets gH have the smallest row as representative; double cosets K\G/H likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.symmetry._images import checked_rows, components, frozen, generate_rows
from intertwine.symmetry.groups._product_table import (
    MOST_ELEMENTS,
    checked_table,
    closure,
    generating,
    identity_of,
)
from intertwine.symmetry.groups.permutation_group import PermutationGroup


@dataclass(frozen=True, eq=False, repr=False)
class FiniteGroup:
    r"""A finite group: an immutable host object, hashable and comparable by its table.

    product_table: int (g, g), with g up to 20,000. name: how it is printed.

    Raises InputError for a table that is no group, and says which axiom fails.

    >>> signs = FiniteGroup([[0, 1], [1, 0]], "signs")
    >>> signs.order, signs.identity, signs.inverse.tolist(), signs.is_abelian
    (2, 0, [0, 1], True)
    >>> FiniteGroup([[0, 1], [1, 1]])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: product_table: expected every element once in each row and column, got
    row 1 = [1, 1]; a group's table is a Latin square.
    """

    product_table: Int32[np.ndarray, "g g"]
    name: str = ""
    identity: int = field(init=False)
    generators: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        table = checked_table(self.product_table)
        object.__setattr__(self, "product_table", table)
        object.__setattr__(self, "identity", identity_of(table))
        generators = generating(table, self.identity)
        object.__setattr__(self, "generators", generators)
        for s in generators:
            if not np.array_equal(table[table[:, s]], table[:, table[s]]):
                raise fail("product_table", "an associative product", f"(x·{s})·y ≠ x·({s}·y) for some x, y")

    @classmethod
    def from_permutations(cls, generators: ArrayLike, name: str = "") -> FiniteGroup:
        """The group that permutations (k, n) of n points generate; element 0 is the identity.

        Products: (p q)[i] = p[q[i]].

        >>> FiniteGroup.from_permutations([[1, 2, 0], [1, 0, 2]]).order
        6
        """
        rows = generate_rows(checked_rows(generators, "generators", distinct=False), MOST_ELEMENTS)
        if rows is None:
            raise fail("generators", f"a group of at most {MOST_ELEMENTS} elements", "more")
        return cls.of(rows, name)

    @classmethod
    def of(cls, permutations: ArrayLike | PermutationGroup, name: str = "") -> FiniteGroup:
        """The abstract group of a `PermutationGroup`, or of the rows (g, n) of one, in the same order.

        >>> from intertwine.symmetry.groups.permutation_group import PermutationGroup
        >>> FiniteGroup.of(PermutationGroup.generate([[1, 2, 3, 0]])).order
        4
        """
        given: Any = permutations
        known = given if isinstance(given, PermutationGroup) else PermutationGroup(given)
        return cls(known.product_table, name)

    @classmethod
    def from_matrices(cls, generators: ArrayLike, name: str = "") -> tuple[FiniteGroup, np.ndarray]:
        """The group that square matrices (k, d, d) generate, and its matrices (g, d, d), identity first.

        Raises InputError where they generate more than 20,000 elements (an infinite group, or rounding).

        >>> group, matrices = FiniteGroup.from_matrices([[[0.0, -1.0], [1.0, 0.0]]])
        >>> group.order, matrices.shape
        (4, (4, 2, 2))
        """
        steps = np.array(generators)
        if steps.ndim != 3 or steps.shape[1] != steps.shape[2] or not np.isfinite(steps).all():
            raise fail("generators", "finite square matrices (k, d, d)", f"shape {steps.shape}")
        elements = [np.eye(steps.shape[1], dtype=steps.dtype)]
        place = {_key(elements[0]): 0}
        history = [(0, 0)]  # each element as an earlier one times a step
        images: list[list[int]] = [[] for _ in steps]  # where each step sends each element from the right
        for row, element in enumerate(elements):  # grows while walked
            for k, step in enumerate(steps):
                product = element @ step
                found = place.setdefault(_key(product), len(elements))
                images[k].append(found)
                if found == len(elements):
                    if len(elements) >= MOST_ELEMENTS or np.abs(product).max() > 1e6:
                        raise fail("generators", "matrices that generate a finite group", "more elements")
                    history.append((row, k))
                    elements.append(product)
        columns = [np.array(column, dtype=np.int32) for column in images]
        table = np.empty((len(elements),) * 2, np.int32)
        table[:, 0] = np.arange(len(elements))
        for row, (earlier, k) in enumerate(history[1:], 1):
            table[:, row] = columns[k][table[:, earlier]]
        if (np.sort(table, axis=1) != table[0]).any():
            raise fail("generators", "invertible matrices", "a set that is closed but no group")
        return cls(table, name), np.array(elements)

    @property
    def order(self) -> int:
        """The number of elements g."""
        return len(self.product_table)

    @cached_property
    def inverse(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the row of each element's inverse."""
        return frozen(np.argmax(self.product_table == self.identity, axis=1).astype(np.int32))

    @cached_property
    def is_abelian(self) -> bool:
        """Whether all elements commute."""
        return bool(np.array_equal(self.product_table, self.product_table.T))

    @cached_property
    def class_of(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the number of each element's conjugacy class, classes numbered by their first row."""
        everything = np.arange(self.order)
        t, inverse = self.product_table, self.inverse
        labels = components(self.order, [t[t[s, everything], inverse[s]] for s in self.generators])
        return frozen(np.unique(labels, return_inverse=True)[1].astype(np.int32))

    def conjugacy_classes(self) -> tuple[Int32[np.ndarray, " n"], ...]:
        """The classes {x g x⁻¹} as sorted rows, by their first row.

        >>> from intertwine.symmetry import dihedral
        >>> [len(c) for c in dihedral(4).conjugacy_classes()]
        [1, 2, 1, 2, 2]
        """
        return tuple(
            np.flatnonzero(self.class_of == c).astype(np.int32) for c in range(self.class_of.max() + 1)
        )

    @cached_property
    def element_orders(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the smallest n ≥ 1 with xⁿ = e."""
        orders = np.zeros(self.order, np.int32)
        power, n = np.arange(self.order), 1
        while not orders.all():
            orders[(power == self.identity) & (orders == 0)] = n
            power, n = self.product_table[power, np.arange(self.order)], n + 1
        return frozen(orders)

    def multiply(self, left: np.ndarray | int, right: np.ndarray | int) -> Int32[np.ndarray, " *shape"]:
        """The rows of gh for rows `left` = g and `right` = h that broadcast."""
        return self.product_table[left, right]

    def subgroup(self, members: Sequence[int] | np.ndarray) -> Subgroup:
        """The subgroup of the rows `members` (in that order); InputError where they are no subgroup.

        >>> from intertwine.symmetry import dihedral
        >>> dihedral(4).subgroup([0, 1, 2, 3]).order
        4
        """
        rows = np.asarray(members)
        valid = rows.ndim == 1 and rows.size > 0 and np.issubdtype(rows.dtype, np.integer)
        if not valid or rows.min() < 0 or rows.max() >= self.order or len(np.unique(rows)) < len(rows):
            raise fail("members", f"distinct rows from 0 to {self.order - 1}", members)
        place = np.full(self.order, -1, np.int32)
        place[rows] = np.arange(len(rows))
        table = place[self.product_table[np.ix_(rows, rows)]]
        if (table < 0).any():
            got = f"{len(rows)} elements whose products leave them"
            raise fail("members", "a subgroup", got, "use generate, which adds the missing products")
        return Subgroup(self, frozen(rows.astype(np.int32)), FiniteGroup(table))

    def generate(self, rows: Sequence[int]) -> Subgroup:
        """The subgroup that the elements `rows` generate, its members sorted.

        >>> from intertwine.symmetry import dihedral
        >>> dihedral(4).generate([2]).members.tolist()
        [0, 2]
        """
        chosen = np.asarray(list(rows), dtype=np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= self.order):
            raise fail("rows", f"elements from 0 to {self.order - 1}", list(rows))
        return self.subgroup(np.flatnonzero(closure(self.product_table, self.identity, chosen)))

    @cached_property
    def whole(self) -> Subgroup:
        """The group as a subgroup of itself."""
        return self.subgroup(np.arange(self.order))

    @cached_property
    def _hash(self) -> int:
        return hash((self.order, self.product_table.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FiniteGroup):
            return NotImplemented
        return self is other or (
            self._hash == other._hash and np.array_equal(self.product_table, other.product_table)
        )

    def __repr__(self) -> str:
        return f"FiniteGroup({self.name or 'order ' + str(self.order)})"


@dataclass(frozen=True, eq=False, repr=False)
class Subgroup:
    """A subgroup H ⊂ G: made by `FiniteGroup.subgroup` or `generate`.

    parent: G. members: int32 (h,) rows of G. group: H by itself, element k being `members[k]` of G.
    """

    parent: FiniteGroup
    members: Int32[np.ndarray, " h"]
    group: FiniteGroup

    @property
    def order(self) -> int:
        """The number of elements of H."""
        return len(self.members)

    @property
    def index(self) -> int:
        """[G : H], the number of cosets."""
        return self.parent.order // self.order

    @cached_property
    def place(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the number in H of each element of G, −1 outside H."""
        place = np.full(self.parent.order, -1, np.int32)
        place[self.members] = np.arange(self.order)
        return frozen(place)

    @cached_property
    def coset_of(self) -> Int32[np.ndarray, " g"]:
        """int32 (g,): the number of the left coset gH of each g; cosets by their smallest row, H first."""
        first = self.parent.product_table[:, self.members].min(axis=1)
        first = np.where(first == first[self.parent.identity], -1, first)
        return frozen(np.unique(first, return_inverse=True)[1].astype(np.int32))

    @cached_property
    def section(self) -> Int32[np.ndarray, " n"]:
        """int32 (n,): an element s_x of each left coset x, the identity of H itself."""
        _, first = np.unique(self.coset_of, return_index=True)
        first[0] = self.parent.identity
        return frozen(first.astype(np.int32))

    @cached_property
    def action(self) -> Int32[np.ndarray, "g n"]:
        """int32 (g, n): the coset g x of each coset x."""
        return frozen(self.coset_of[self.parent.product_table[:, self.section]])

    @cached_property
    def cocycle(self) -> Int32[np.ndarray, "g n"]:
        """int32 (g, n): h(g, x) = s_{gx}⁻¹ g s_x, as an element of H."""
        g = self.parent
        moved = g.product_table[:, self.section]
        return frozen(self.place[g.product_table[g.inverse[self.section[self.action]], moved]])

    @cached_property
    def is_normal(self) -> bool:
        """Whether gH = Hg for all g."""
        g = self.parent
        inside = self.place >= 0
        conjugates = [g.product_table[g.product_table[s, self.members], g.inverse[s]] for s in g.generators]
        return all(bool(inside[c].all()) for c in conjugates)

    def double_cosets(self, left: Subgroup) -> tuple[Int32[np.ndarray, " n"], ...]:
        """The double cosets K g H of `left` = K and this H, as sorted rows of G, by their first row.

        >>> from intertwine.symmetry import dihedral
        >>> G = dihedral(4)
        >>> mirror = G.generate([4])
        >>> [len(d) for d in mirror.double_cosets(mirror)]
        [2, 4, 2]
        """
        if left.parent != self.parent:
            raise fail("left", "a subgroup of the same group", left)
        labels = self.action[left.members].min(axis=0)[self.coset_of]
        found = [np.flatnonzero(labels == c).astype(np.int32) for c in np.unique(labels)]
        return tuple(sorted(found, key=lambda rows: int(rows[0])))

    def __hash__(self) -> int:
        return hash((self.parent, self.members.tobytes()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subgroup):
            return NotImplemented
        return self.parent == other.parent and np.array_equal(self.members, other.members)

    def __repr__(self) -> str:
        return f"Subgroup(order {self.order} of {self.parent!r})"


AnyGroup = FiniteGroup | Subgroup | PermutationGroup
"""What says a finite group."""


def as_group(group: AnyGroup, argument: str = "group") -> FiniteGroup:
    """A `FiniteGroup` from one, a `Subgroup` or a `PermutationGroup`; InputError for anything else."""
    if isinstance(group, FiniteGroup):
        return group
    if isinstance(group, Subgroup):
        return group.group
    if hasattr(group, "product_table"):
        return FiniteGroup.of(group)
    raise fail(argument, "a FiniteGroup", group, "for example intertwine.symmetry.dihedral(4)")


def _key(matrix: np.ndarray) -> bytes:
    return (np.rint(np.stack([np.real(matrix), np.imag(matrix)]) * 1e6) + 0.0).tobytes()
