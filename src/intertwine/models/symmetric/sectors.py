r"""Momentum and point-group sectors: the irreps of a lattice's space group, by name.

The translations T are normal in the space group G. For a momentum q the little group G_q are the elements
that keep the character t ↦ e^{−iq·R_t}; of its irreps those count that are this character times 1 on T, the
small irreps. Each is induced to an irrep of G, of dimension (momenta in the star of q) × (its own), and
every irrep of G comes once, from one momentum of each star (Mackey 1949; Bradley & Cracknell, The
Mathematical Theory of Symmetry in Solids, 1972, ch. 3):

    X(g) = |G_q|⁻¹ Σ_x X_q(x⁻¹ g x)                         over the x ∈ G with x⁻¹gx ∈ G_q.

Where G_q is the product of T and the point group P_q of q, small irreps are e^{−iq·R} ρ with ρ an irrep of
P_q; they are counted so that irrep 0 has ρ = 1. Glides and screws need no special care.

A sector's kets transform by X, T_R |ψ⟩ = e^{−iq·R}|ψ⟩ for a single momentum. What models take is `character`
= X*: Σ_g X(g)* ψ₀(g⁻¹s), and for dimension 1 ψ(g s) = X(g)* ψ(s).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.symmetry.characters import character_table
from intertwine.symmetry.groups.finite_group import FiniteGroup, Subgroup, as_group
from intertwine.symmetry.groups.permutation_group import PermutationGroup
from intertwine.symmetry.irreducible import irreps

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False)
class SpaceGroupSector:
    """One irrep of a lattice's space group.

    lattice: whose. momentum: float64 (d,), Cartesian, one of its star. irrep: which small irrep. name: both
    in words. dimension: of the irrep of the space group. star: the number of momenta in the star.
    character: (order,), X* of every element, in the order of `lattice.space_group`.
    """

    lattice: Any
    momentum: np.ndarray
    irrep: int
    name: str
    dimension: int
    star: int
    character: np.ndarray
    _little: Subgroup = field(repr=False)
    _table_row: int = field(repr=False)

    def row(self, component: int = 0) -> np.ndarray:
        """D_ii* of every element, (order,): projects onto one row of the irrep, states of this momentum that
        transform like one basis vector of the small irrep. As good as `character`, and free of the
        degeneracy.

        >>> from intertwine.spaces.lattices import Chain
        >>> bool(np.allclose(sector(Chain(4), np.pi / 2).row()[:4], [1, 1j, -1, -1j]))
        True
        """
        degree = self.dimension // self.star
        if isinstance(component, bool) or component not in range(degree):
            raise fail("component", f"one of the {degree} components of the small irrep", component)
        values = np.zeros(self.lattice.space_group.order, complex)
        small = irreps(self._little.group)[self._table_row].matrices[:, component, component]
        values[self._little.members] = np.conj(small)
        return values

    @property
    def little(self) -> np.ndarray:
        """The numbers of the elements of the little group in `lattice.space_group`, int (·,)."""
        return np.asarray(self._little.members)

    def __repr__(self) -> str:
        return f"SpaceGroupSector({self.lattice.name}, {self.name}, dimension={self.dimension})"


def sector(lattice: Lattice, momentum: ArrayLike | None = None, irrep: int | str = 0) -> SpaceGroupSector:
    """The sector of a momentum and of an irrep of its little group.

    momentum: Cartesian, in radians over the lattice constant, as rows of `lattice.momenta` (a number on a
    chain); any of its star, up to reciprocal vectors. None: 0.
    irrep: its number, or its name ("A1", "B2", "E", ... where the point group of the momentum is planar).

    Raises InputError for a momentum that the lattice does not have and an irrep that its little group does
    not have.

    >>> from intertwine.spaces.lattices import Square
    >>> even = sector(Square(4, 4), (0, np.pi), 1)
    >>> even.name, even.dimension, even.character.shape
    ('(0, π) A2', 2, (128,))
    """
    q = np.zeros(lattice.dimension) if momentum is None else np.atleast_1d(_numbers(momentum, lattice))
    found = _at(lattice, _turns(lattice, q))
    names = [s.name.rsplit(" ", 1)[1] for s in found]
    if isinstance(irrep, str):
        if irrep not in names:
            raise fail("irrep", "one of " + ", ".join(names), irrep)
        return found[names.index(irrep)]
    if isinstance(irrep, bool) or not isinstance(irrep, int | np.integer) or irrep not in range(len(found)):
        raise fail("irrep", f"a number below {len(found)}, or one of " + ", ".join(names), irrep)
    return found[irrep]


def sector_called(lattice: Lattice, name: str) -> np.ndarray:
    """The coefficients that project onto the sector of a name: `row` of the irrep called so, of another
    component than 0 with "row 1", ... after it.

    Raises InputError, with the names of the sectors, for any other.

    >>> from intertwine.spaces.lattices import Chain
    >>> sector_called(Chain(4), "π A")[:4].round(6).tolist()
    [1.0, -1.0, 1.0, -1.0]
    """
    irrep, _, component = name.strip().partition(" row ")
    momentum, _, letter = irrep.rpartition(" ")
    turns = _all_turns(lattice)
    for q, words in ((_momentum(lattice, t), _in_words(lattice, _momentum(lattice, t))) for t in turns):
        if words == momentum:
            row: Any = sector(lattice, q, letter).row(int(component) if component.isdecimal() else 0)
            return row.real if np.abs(row.imag).max() < 1e-9 else row
    names = [s.name for s in sectors(lattice)]
    raise fail("sector", "the name of a sector such as " + ", ".join(names[:8]), name)


def sectors(lattice: Lattice) -> tuple[SpaceGroupSector, ...]:
    """All sectors, one momentum of each star, in the order of `lattice.momenta`: Σ dimension² = |G|.

    >>> from intertwine.spaces.lattices import Chain
    >>> [s.name for s in sectors(Chain(4))]
    ['0 A', '0 B', 'π/2 A', 'π A', 'π B']
    """
    group, seen, found = lattice.space_group, set(), []
    for turns in _all_turns(lattice):
        if turns.tobytes() in seen:
            continue
        seen |= {row.tobytes() for row in _images(lattice, turns)}
        found += _at(lattice, turns)
    assert sum(s.dimension**2 for s in found) == group.order
    return tuple(found)


def _numbers(momentum: ArrayLike, lattice: Lattice) -> np.ndarray:
    expected = f"{lattice.dimension} real numbers, in radians over the lattice constant"
    try:
        q = np.asarray(momentum, float)
    except (TypeError, ValueError):
        raise fail("momentum", expected, momentum) from None
    if np.atleast_1d(q).shape != (lattice.dimension,) or not np.isfinite(q).all():
        raise fail("momentum", expected, momentum)
    return q


# A momentum is kept as integers: e^{−iq·R} = exp(−2πi turns/n) for each translation, n of them.


def _turns(lattice: Lattice, q: np.ndarray) -> np.ndarray:
    """int64 (n,): q·R of every translation in units of 2π/n, modulo n."""
    n = lattice.translations.order
    extent = [
        size if periodic else 1 for size, periodic in zip(lattice.extent, lattice.periodic, strict=True)
    ]
    if not extent:  # sites without positions
        return np.zeros(n, np.int64)
    cells = np.stack(np.unravel_index(np.arange(n), extent), axis=1)
    along = lattice.basis_vectors @ q  # q·a for each lattice vector
    steps = along / (2 * np.pi) * np.array(extent)
    periodic = np.array(lattice.periodic, bool)
    if (
        np.abs(steps - np.rint(steps))[periodic].max(initial=0) > 1e-6
        or np.abs(q @ _open(lattice)).max() > 1e-9
    ):
        expected = "a momentum of the lattice, a row of lattice.momenta (0 along open directions)"
        raise fail("momentum", expected, q.tolist())
    share = np.where(periodic, np.rint(steps), 0) / np.array(extent)
    return np.rint(n * (cells @ share)).astype(np.int64) % n


def _open(lattice: Lattice) -> np.ndarray:
    """(d, 1 + open directions): the open lattice vectors as columns, after a zero."""
    columns = lattice.basis_vectors[~np.array(lattice.periodic, bool)]
    return np.concatenate([np.zeros((1, lattice.dimension)), columns]).T


def _all_turns(lattice: Lattice) -> list[np.ndarray]:
    along_open = ~np.array(lattice.periodic, bool)
    out = []
    for q in lattice.momenta:
        if not along_open.any() or np.abs((lattice.basis_vectors @ q)[along_open]).max() < 1e-9:
            out.append(_turns(lattice, q))
    return out


@lru_cache(maxsize=16)
def _frame(lattice: Lattice) -> tuple[FiniteGroup, np.ndarray, np.ndarray]:
    """G, the rows of its translations, and (g, n) where x⁻¹ t x is among them."""
    group: PermutationGroup = lattice.space_group
    rows = group.rows_of(lattice.translations.permutations)
    number = np.full(group.order, -1)
    number[rows] = np.arange(len(rows))
    everything = np.arange(group.order)
    moved = group.multiply(group.multiply(group.inverse[:, None], rows), everything[:, None])
    return as_group(group), rows, number[moved]


def _images(lattice: Lattice, turns: np.ndarray) -> np.ndarray:
    """(g, n): the momenta x q of all elements."""
    return turns[_frame(lattice)[2]]


def _at(lattice: Lattice, turns: np.ndarray) -> list[SpaceGroupSector]:
    group, rows, _ = _frame(lattice)
    images = _images(lattice, turns)
    little = group.subgroup(np.flatnonzero((images == turns).all(axis=1)))
    table = character_table(little.group)
    values = table.values[:, little.group.class_of]  # (r, |G_q|)
    place = little.place[rows]
    phases = np.exp(-2j * np.pi * turns / len(rows))
    small = np.flatnonzero(np.abs(values[:, place] - table.degrees[:, None] * phases).max(axis=1) < 1e-6)
    point = _point_rows(lattice, little)
    order = sorted(small, key=lambda r: (table.degrees[r], *_falling(values[r][little.place[point]])))
    names = _names(lattice, point, values[order][:, little.place[point]])
    star = group.order // little.order
    q = _momentum(lattice, turns)
    found = []
    for number, (r, name) in enumerate(zip(order, names, strict=True)):
        character: Any = np.conj(_induced(group, little, values[r]))
        if np.abs(character.imag).max() < 1e-9:
            character = character.real
        label = f"{_in_words(lattice, q)} {name}"
        degree = int(table.degrees[r])
        found.append(
            SpaceGroupSector(lattice, q, number, label, star * degree, star, character, little, int(r))
        )
    return found


def _induced(group: FiniteGroup, little: Subgroup, values: np.ndarray) -> np.ndarray:
    """The character of the induced irrep, by one representative of each class."""
    full = np.zeros(group.order, complex)
    full[little.members] = values
    everything = np.arange(group.order)
    representatives = np.array([members[0] for members in group.conjugacy_classes()])
    conjugates = group.multiply(group.multiply(group.inverse[:, None], representatives), everything[:, None])
    return (full[conjugates].sum(axis=0) / little.order)[group.class_of]


def _momentum(lattice: Lattice, turns: np.ndarray) -> np.ndarray:
    for q, known in zip(
        lattice.momenta, map(lambda q: _safe_turns(lattice, q), lattice.momenta), strict=True
    ):
        if known is not None and np.array_equal(known, turns):
            return q
    raise AssertionError("a momentum that is none of the lattice: please report this")


def _safe_turns(lattice: Lattice, q: np.ndarray) -> np.ndarray | None:
    along_open = ~np.array(lattice.periodic, bool)
    if along_open.any() and np.abs((lattice.basis_vectors @ q)[along_open]).max() > 1e-9:
        return None
    return _turns(lattice, q)


# ------------------------------------------------------------------------------------------------------ names


def _point_rows(lattice: Lattice, little: Subgroup) -> np.ndarray:
    """Rows of the space group: the elements of the point group in the little group, the identity first."""
    rows = lattice.space_group.rows_of(lattice.point_group.permutations)
    return rows[np.isin(rows, little.members)]


def _falling(values: np.ndarray) -> list[float]:
    return [float(x) for v in values for x in (-np.real(v).round(6), -np.imag(v).round(6))]


def _names(lattice: Lattice, point: np.ndarray, values: np.ndarray) -> list[str]:
    """Mulliken's letters for planar point groups: A and B for ±1 under the main rotation, E for dimension 2;
    numbered where a letter comes more than once. Else, and off Γ where elements are missing, "irrep j"."""
    group = lattice.space_group
    degrees = np.real(values[:, 0]).round().astype(int)
    plain = [f"irrep{j}" for j in range(len(values))]
    planar = lattice.dimension <= 2 and degrees.max() <= 2 and np.abs(np.imag(values)).max() <= 1e-6
    if not planar or (degrees**2).sum() != len(point):
        return plain
    orders = _frame(lattice)[0].element_orders[point]
    fixed = (group.permutations[point] == np.arange(group.size)).sum(axis=1)
    main = np.lexsort((fixed, -orders))[0]
    letters = ["E" if d == 2 else "A" if values[j, main].real > 0 else "B" for j, d in enumerate(degrees)]
    return [
        letter + (str(letters[: j + 1].count(letter)) if letters.count(letter) > 1 else "")
        for j, letter in enumerate(letters)
    ]


def _in_words(lattice: Lattice, q: np.ndarray) -> str:
    """The phases q·a along the lattice vectors, in units of π."""
    words = []
    for share in (lattice.basis_vectors @ q / np.pi) % 2:
        value = Fraction(float(share)).limit_denominator(10_000)
        top = "" if value.numerator == 1 else str(value.numerator)
        words.append(
            "0"
            if value in (0, 2)
            else f"{top}π" + ("" if value.denominator == 1 else f"/{value.denominator}")
        )
    return (words or ["0"])[0] if len(words) < 2 else "(" + ", ".join(words) + ")"
