r"""Exact character tables of finite groups.

The irreducible characters are the common eigenvectors of the class sums acting on class functions
(Burnside),

    Σ_{x ∈ C_j} χ(x g) = ω_j χ(g),        ω_j = |C_j| χ(g_j)/χ(1).

Floating point finds them, integers prove them:

1. A random Hermitian combination of the class sums has one eigenvector for each character; an abelian
   group's characters are built generator by generator instead.
2. The eigenvalues of ρ_χ(g), g of order n, are n-th roots of unity, exp(2πi k/n) with multiplicity
   m_k = (1/n) Σ_j χ(g^j) exp(−2πi jk/n): the characters are rounded to these whole numbers, once for each
   cyclic subgroup that is in no larger one.
3. Modulo a prime p = 1 mod (exponent of G), p > |G|, the whole numbers become the table's residues. The
   eigenvector equations hold there exactly for enough classes to tell all characters apart, so the rows are
   the characters modulo p up to a factor; Σ |C_l| |χ_l|² = |G| and 0 < χ(1) ≤ √|G| < p/2 fix the factor, and
   0 ≤ m_k ≤ χ(1) < p the whole numbers.

(Dixon, Numer. Math. 10, 446, 1967; Schneider, J. Symb. Comput. 9, 601, 1990.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Complex, Int64
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.symmetry._cyclotomic import power_basis, splitting_prime
from intertwine.symmetry._images import frozen
from intertwine.symmetry._phases import abelian_phases, roots_of_unity
from intertwine.symmetry.groups.finite_group import FiniteGroup, as_group
from intertwine.symmetry.representation import Rep

if TYPE_CHECKING:
    from intertwine.symmetry.groups.finite_group import AnyGroup

_ATTEMPTS = 5
_TYPES = {1: "real", 0: "complex", -1: "quaternionic"}


@dataclass(frozen=True, eq=False, repr=False)
class CharacterTable:
    """The irreducible characters of a finite group: made by `character_table`.

    group: G. Columns are its classes, in the order of `G.conjugacy_classes()`, with `sizes`,
    `representatives` and element `orders`, int (r,). Rows are the characters: by degree, then by
    falling real part (the trivial one is first), then by falling imaginary part, class after class;
    conjugate characters are neighbours.

    degrees: int (r,). values: complex128 (r, r), rounded from the whole numbers of `eigenvalues`.
    indicators: int (r,), ν = (1/|G|) Σ_g χ(g²): 1 real, 0 complex, −1 quaternionic.
    prime, root, residues: the table modulo a prime, exp(2πi/e) ↦ root, e the exponent of G.
    """

    group: FiniteGroup
    sizes: Int64[np.ndarray, " r"]
    representatives: Int64[np.ndarray, " r"]
    orders: Int64[np.ndarray, " r"]
    degrees: Int64[np.ndarray, " r"]
    values: Complex[np.ndarray, "r r"]
    indicators: Int64[np.ndarray, " r"]
    prime: int
    root: int
    residues: Int64[np.ndarray, "r r"]
    _lift: _Lift

    def __len__(self) -> int:
        return len(self.degrees)

    def __repr__(self) -> str:
        return f"CharacterTable({self.group!r}, degrees {self.degrees.tolist()})"

    @property
    def types(self) -> tuple[str, ...]:
        """ "real", "complex" or "quaternionic" of each character.

        >>> from intertwine.symmetry import quaternion
        >>> character_table(quaternion()).types
        ('real', 'real', 'real', 'real', 'quaternionic')
        """
        return tuple(_TYPES[int(nu)] for nu in self.indicators)

    @cached_property
    def conjugates(self) -> Int64[np.ndarray, " r"]:
        """int64 (r,): the row of each character's complex conjugate."""
        inverse = self.group.class_of[self.group.inverse[self.representatives]]
        return frozen(_conjugates(self.residues, inverse))

    def eigenvalues(self, column: int) -> Int64[np.ndarray, "r n"]:
        """How often exp(2πi k/n) is an eigenvalue of ρ_χ(g), g in class `column` and of order n: exact.

        >>> from intertwine.symmetry import cyclic
        >>> character_table(cyclic(3)).eigenvalues(1).tolist()
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        """
        if not 0 <= column < len(self):
            raise fail("column", f"a class from 0 to {len(self) - 1}", column)
        counts, power = self._lift.counts[self._lift.cover[column]], int(self._lift.power[column])
        n, of_cover = int(self.orders[column]), counts.shape[1]
        target = np.arange(of_cover) * power % of_cover // (of_cover // n)
        return counts @ (target[:, None] == np.arange(n)).astype(np.int64)

    def coefficients(self, column: int) -> Int64[np.ndarray, "r d"]:
        """χ on class `column` as whole coefficients of 1, ζ, ζ², …, ζ = exp(2πi/n), n its elements' order.

        d = φ(n), so that two values are equal exactly when their coefficients are.

        >>> from intertwine.symmetry import cyclic
        >>> character_table(cyclic(3)).coefficients(1).tolist()     # 1, ζ, ζ² = −1 − ζ
        [[1, 0], [0, 1], [-1, -1]]
        """
        return self.eigenvalues(column) @ power_basis(int(self.orders[column]))

    def multiplicities(self, character: ArrayLike | Rep) -> Int64[np.ndarray, " r"]:
        """How often each irreducible representation is in one with this character: a `Rep` or numbers (g,).

        Raises InputError where the numbers are no character.

        >>> from intertwine.symmetry import dihedral, regular
        >>> character_table(dihedral(3)).multiplicities(regular(dihedral(3))).tolist()
        [1, 1, 2]
        """
        if isinstance(character, Rep) and character.group != self.group:
            raise fail("character", f"a representation of {self.group!r}", f"one of {character.group!r}")
        numbers = np.asarray(character.character if isinstance(character, Rep) else character)
        if numbers.shape != (self.group.order,):
            raise fail("character", f"a number for each of {self.group.order} elements", numbers.shape)
        on_classes = numbers[self.representatives]
        counts = (self.values.conj() * self.sizes) @ on_classes / self.group.order
        whole = np.rint(counts.real)
        wrong = (
            np.abs(counts - whole).max() > 1e-6
            or np.abs(numbers - on_classes[self.group.class_of]).max() > 1e-6
        )
        if wrong or whole.min() < 0:
            raise fail("character", "the character of a representation", "another function")
        return whole.astype(np.int64)


@dataclass(frozen=True)
class _Lift:
    """Class l is that of the power `power[l]` of an element of class `cover[l]`, whose `counts` (r, n) are
    the multiplicities of the eigenvalues exp(2πi k/n)."""

    cover: np.ndarray
    power: np.ndarray
    counts: dict[int, np.ndarray]


def character_table(group: AnyGroup) -> CharacterTable:
    """The exact character table of a finite group (`FiniteGroup`, `Subgroup` or `PermutationGroup`).

    >>> from intertwine.symmetry import alternating
    >>> table = character_table(alternating(5))
    >>> table.degrees.tolist(), table.values[1].real.round(3).tolist()
    ([1, 3, 3, 4, 5], [3.0, 0.0, -1.0, 1.618, -0.618])
    """
    return _table(as_group(group))


@lru_cache(maxsize=64)
def _table(group: FiniteGroup) -> CharacterTable:
    classes = _Classes.of(group)
    for attempt in range(_ATTEMPTS):
        found = _lifted(classes, _approximate(classes, attempt))
        if found is not None and _proved(classes, *found):
            return _assembled(classes, *found)
    raise AssertionError(f"no character table of {group!r} in {_ATTEMPTS} attempts: please report this")


@dataclass(frozen=True)
class _Classes:
    """hits: (g, r), the class of x z_l, z_l the representative of class l. powers: of each class, (n,), the
    classes of the powers of its representative."""

    group: FiniteGroup
    sizes: np.ndarray
    representatives: np.ndarray
    orders: np.ndarray
    inverse: np.ndarray
    hits: np.ndarray
    prime: int
    root: int

    @classmethod
    def of(cls, group: FiniteGroup) -> _Classes:
        representatives = np.unique(group.class_of, return_index=True)[1]
        orders = group.element_orders[representatives].astype(np.int64)
        exponent = int(np.lcm.reduce(orders))
        prime, root = splitting_prime(exponent, max(group.order, 4))
        sizes = np.bincount(group.class_of).astype(np.int64)
        inverse = group.class_of[group.inverse[representatives]]
        hits = group.class_of[group.product_table[:, representatives]]
        return cls(group, sizes, representatives, orders, inverse, hits, prime, root)

    def powers(self, column: int) -> np.ndarray:
        elements = [self.group.identity]
        for _ in range(int(self.orders[column]) - 1):
            elements.append(int(self.group.product_table[elements[-1], self.representatives[column]]))
        return self.group.class_of[elements]


def _approximate(classes: _Classes, attempt: int) -> np.ndarray:
    """The characters on the classes, (r, r), in floating point."""
    group, r = classes.group, len(classes.sizes)
    if group.is_abelian:
        steps = [group.product_table[:, s] for s in group.generators]
        phases = abelian_phases(group.order, group.identity, steps)
        return roots_of_unity(group.order)[phases[:, classes.representatives]]
    rng = np.random.default_rng(attempt)
    weights = (rng.normal(size=r) + 1j * rng.normal(size=r)) / np.sqrt(classes.sizes)
    weights = (weights + weights[classes.inverse].conj())[group.class_of]  # c(x⁻¹) = c(x)*: a Hermitian sum
    places = (np.arange(r) * r + classes.hits).ravel()
    parts = [np.bincount(places, np.repeat(w, r), r * r) for w in (np.real(weights), np.imag(weights))]
    matrix = (parts[0] + 1j * parts[1]).reshape(r, r)
    root = np.sqrt(classes.sizes)
    _, vectors = np.linalg.eigh(root[:, None] * matrix / root)
    characters = vectors.T / root * group.order**0.5
    at_identity = characters[:, group.class_of[group.identity]]
    return characters * (np.abs(at_identity) / at_identity)[:, None]


def _lifted(classes: _Classes, characters: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Lift] | None:
    """Values, residues and whole multiplicities of approximate characters; None where they are not whole."""
    r, p = len(classes.sizes), classes.prime
    exponent = int(np.lcm.reduce(classes.orders))
    values, residues = np.zeros((r, r), complex), np.full((r, r), -1, np.int64)
    cover, power = np.full(r, -1), np.zeros(r, np.int64)
    counts: dict[int, np.ndarray] = {}
    for column in np.argsort(-classes.orders, kind="stable"):
        if cover[column] >= 0:
            continue
        n, of_powers = int(classes.orders[column]), classes.powers(column)
        spectrum = np.fft.fft(characters[:, of_powers], axis=1) / n
        whole = np.rint(spectrum.real)
        if np.abs(spectrum - whole).max() > 1e-2 or whole.min() < 0:
            return None
        theta = np.ones(n, np.int64)
        for k in range(1, n):
            theta[k] = theta[k - 1] * pow(classes.root, exponent // n, p) % p
        table = theta[np.outer(np.arange(n), np.arange(n)) % n]
        images = np.rint(whole @ table.astype(float)).astype(np.int64) % p
        values[:, of_powers] = np.fft.ifft(whole, axis=1) * n
        known = cover[of_powers] >= 0
        residues[:, of_powers[~known]] = images[:, ~known]
        if (residues[:, of_powers] != images).any():
            return None
        counts[int(column)] = whole.astype(np.int64)
        power[of_powers[~known]] = np.flatnonzero(~known)
        cover[of_powers[~known]] = column
    return _tidied(values), residues, _Lift(cover, power, counts)


def _tidied(values: np.ndarray) -> np.ndarray:
    """Without the rounding of the transforms where a part is a whole number."""
    parts = []
    for part in (np.real(values), np.imag(values)):
        whole = np.rint(part)
        parts.append(np.where(np.abs(part - whole) < 1e-12, whole, part) + 0.0)
    return parts[0] + 1j * parts[1]


def _proved(classes: _Classes, values: np.ndarray, residues: np.ndarray, lift: _Lift) -> bool:
    """Whether `residues` are the characters modulo the prime, by the eigenvector equations of class sums."""
    group, p, r = classes.group, classes.prime, len(classes.sizes)
    degrees = residues[:, group.class_of[group.identity]]
    norms = (residues * residues[:, classes.inverse] % p) @ classes.sizes % p
    if degrees.min() < 1 or (degrees**2).sum() != group.order or (norms != group.order % p).any():
        return False
    inverse_degrees = np.array([pow(int(d), -1, p) for d in degrees])
    labels, count = np.zeros(r, np.int64), 1
    for column in np.argsort(classes.sizes, kind="stable"):
        omega = classes.sizes[column] * residues[:, column] % p * inverse_degrees % p
        told, finer = np.unique(labels * p + omega, return_inverse=True)
        if len(told) == count:
            continue
        hits = classes.hits[group.class_of == column]
        places = (hits * r + np.arange(r)).ravel()
        counts = np.bincount(places, minlength=r * r).reshape(r, r)
        summed = np.rint(residues.astype(float) @ counts.astype(float)).astype(np.int64) % p
        if (summed != omega[:, None] * residues % p).any():
            return False
        labels, count = finer, len(told)
    return count == r


def _conjugates(residues: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """The row of each row's conjugate, χ*(g) = χ(g⁻¹)."""
    rows = {row.tobytes(): k for k, row in enumerate(residues)}
    return np.array([rows[row.tobytes()] for row in residues[:, inverse]])


def _assembled(classes: _Classes, values: np.ndarray, residues: np.ndarray, lift: _Lift) -> CharacterTable:
    group, p = classes.group, classes.prime
    degrees = residues[:, group.class_of[group.identity]]
    parts = [-np.real(values).round(6), -np.imag(values).round(6)]
    order = np.lexsort((np.concatenate([degrees[:, None], *parts], axis=1) + 0.0).T[::-1])
    residues, values, degrees = residues[order], values[order], degrees[order]
    conjugates = _conjugates(residues, classes.inverse)
    first = conjugates < np.arange(len(conjugates))
    values[first] = values[conjugates[first]].conj() + 0.0  # exactly conjugate, to the last digit
    squares = group.class_of[group.product_table[classes.representatives, classes.representatives]]
    sums = residues[:, squares] @ classes.sizes % p * pow(group.order, -1, p) % p
    indicators = np.where(sums == p - 1, -1, sums)
    if not np.isin(indicators, (-1, 0, 1)).all():
        raise AssertionError(f"Frobenius-Schur indicators {indicators} of {group!r}: please report this")
    lift = _Lift(lift.cover, lift.power, {column: frozen(m[order]) for column, m in lift.counts.items()})
    arrays = (classes.sizes, classes.representatives, classes.orders, degrees, values, indicators)
    for array in (*arrays, residues):
        frozen(array)
    return CharacterTable(group, *arrays, classes.prime, classes.root, residues, lift)
