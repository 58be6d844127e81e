r"""Types of fields of a matrix group: sums of products of representations.

    G.vector V, G.trivial, G.adjoint, G.tensor(p, q) = V^{⊗p} ⊗ V*^{⊗q}, G.rep(generators, discrete)
    a + b, 3 * a, a.tensor(b), a ** 2, a.dual(), a.symmetric(k), a.antisymmetric(k)

A block is a product, components in the order of np.kron; sums keep their blocks, copies one after another, as
those of `Rep` and `CompactRep`. The maps of two blocks that commute with the group are the invariants of
W ⊗ V* (`invariants`). They are kept in memory and, by a hash of all that determines them, on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Float, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import frozen
from intertwine.symmetry.disk_cache import cached, content_hash
from intertwine.symmetry.lie.algebra import independent
from intertwine.symmetry.lie.atom import Atom
from intertwine.symmetry.lie.element import LieElement
from intertwine.symmetry.lie.invariants import Factor, invariant_tensors

if TYPE_CHECKING:
    from intertwine.symmetry.lie.group import LieGroup

_VERSION = 1
_ROUNDED = 1e-9
_SMALL = 64
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Product = tuple[Atom, ...]
"""Factors of a block; none is the trivial representation."""


class LieRep:
    """A sum of products of representations of a matrix group, an immutable host object that is equal to one
    of equal matrices. Made by a `LieGroup` and `+`, `*`, `**`, `tensor`, `dual`, `symmetric`,
    `antisymmetric`.

    It offers what layers ask of a `Rep`: `blocks`, `dtype`, `permutation` and the like.

    >>> from intertwine.symmetry import lorentz
    >>> V = lorentz().vector
    >>> two = 2 * V + V.tensor(V) + V.antisymmetric(2)
    >>> two, two.dimension, two.hom_dim(V), (V**4).invariants.shape
    (2·V + V² + Λ²(V), 30, 2, (4, 256))
    """

    dtype: ClassVar[np.dtype] = np.dtype(np.float64)
    """All of them are real."""

    def __init__(self, group: LieGroup, summands: Sequence[tuple[Product, int]]):
        self.group = group
        joined: list[tuple[Product, int]] = []
        for product, m in summands:
            product = tuple(atom for atom in product if atom.dimension > 1 or not atom.is_trivial)
            if product and _all_of(product, "is_trivial"):  # so many trivial channels
                product, m = (), m * int(np.prod([atom.dimension for atom in product]))
            if joined and _digests(joined[-1][0]) == _digests(product):
                joined[-1] = (joined[-1][0], joined[-1][1] + m)
            else:
                joined.append((product, m))
        self.summands: tuple[tuple[Product, int], ...] = tuple(joined)

    @classmethod
    def direct_sum(cls, blocks: Sequence[tuple[LieRep, int]]) -> LieRep:
        """The sum of `blocks`, pairs (ρ, multiplicity) of one group; equal neighbours are joined."""
        first = blocks[0][0]
        for rep, _ in blocks[1:]:
            _same(first, rep)
        return cls(first.group, [part for rep, m in blocks for part in _times(rep, m)])

    @cached_property
    def dimension(self) -> int:
        """d."""
        return sum(m * int(np.prod([a.dimension for a in product])) for product, m in self.summands)

    @cached_property
    def blocks(self) -> tuple[tuple[LieRep, int], ...]:
        """The blocks (ρ, multiplicity) in the order of the channels; one that is no sum is its own."""
        if len(self.summands) == 1 and self.summands[0][1] == 1:
            return ((self, 1),)
        return tuple((LieRep(self.group, [(product, 1)]), m) for product, m in self.summands)

    @cached_property
    def is_trivial(self) -> bool:
        """Whether every ρ(g) is the identity."""
        return all(_all_of(product, "is_trivial") for product, _ in self.summands)

    @cached_property
    def is_orthogonal(self) -> bool:
        """Whether every ρ(g) is orthogonal: what a norm needs."""
        return all(_all_of(product, "is_orthogonal") for product, _ in self.summands)

    @property
    def is_permutation(self) -> bool:
        """Whether every ρ(g) permutes the basis: said only where it leaves it alone."""
        return self.is_trivial

    @cached_property
    def is_signed_permutation(self) -> bool:
        """The same up to signs: scalars, and blocks of dimension 1 that only discrete elements turn, by
        ±1."""
        for block, _ in self.blocks:
            signs = block.dimension == 1 and not np.abs(block.generators).max(initial=0) > _ROUNDED
            if not block.is_trivial and not (signs and np.allclose(np.abs(block.discrete), 1)):
                return False
        return True

    @property
    def permutation(self) -> Int32[np.ndarray, "1 1"] | None:
        """As of a `Rep`, one row for all elements: of one trivial channel; None for others."""
        trivial = self.dimension == 1 and self.is_trivial
        return frozen(np.zeros((1, 1), np.int32)) if trivial else None

    @cached_property
    def generators(self) -> Float[np.ndarray, "k d d"]:
        """The generators in this representation."""
        return self._assembled(len(self.group.generators), [_added(p) for p, _ in self.summands])

    @cached_property
    def discrete(self) -> Float[np.ndarray, "m d d"]:
        """The discrete elements in this representation."""
        return self._assembled(len(self.group.discrete), [_multiplied(p) for p, _ in self.summands])

    def matrix(self, element: LieElement | ArrayLike) -> Float[np.ndarray, "d d"]:
        """ρ(g) of one element: a `LieElement`, or a matrix (n, n) of the group.

        Raises InputError for a matrix where the representation is known by its generators alone.
        """
        g = element if isinstance(element, LieElement) else self._checked_element(element)
        parts = []
        for product, _ in self.summands:
            found = np.ones((1, 1))
            for atom in product:
                found = np.kron(found, atom.matrix(g))
            parts.append(found[None])
        return self._assembled(1, parts)[0]

    def _checked_element(self, element: ArrayLike) -> np.ndarray:
        g, n = np.asarray(element, float), self.group.dimension
        if g.shape != (n, n) or not np.isfinite(g).all():
            raise fail("element", f"a LieElement, or a finite matrix ({n}, {n})", element)
        return g

    def _assembled(self, count: int, parts: list[np.ndarray]) -> np.ndarray:
        out, start = np.zeros((count, self.dimension, self.dimension)), 0
        for part, (_, m) in zip(parts, self.summands, strict=True):
            for _ in range(m):
                end = start + part.shape[-1]
                out[:, start:end, start:end] = part
                start = end
        return frozen(out)

    @cached_property
    def invariants(self) -> Float[np.ndarray, "r d"]:
        """An orthonormal basis of the vectors that every element leaves alone."""
        out, start = [], 0
        for block, m in self.blocks:
            found = _block_invariants(block)
            for _ in range(m):
                rows = np.zeros((len(found), self.dimension))
                rows[:, start : start + block.dimension] = found
                out.append(rows)
                start += block.dimension
        return frozen(np.concatenate(out))

    def intertwiners(self, other: LieRep) -> Float[np.ndarray, "r d_other d"]:
        """An orthonormal basis of the linear maps W from this type to another, W ρ(g) = σ(g) W.

        >>> from intertwine.symmetry import special_orthogonal
        >>> V = special_orthogonal(3).vector
        >>> (V * 2).intertwiners(V).shape, (V**2).intertwiners(V).shape
        ((2, 3, 6), (1, 3, 9))
        """
        _same(self, other)
        maps, row = [], 0
        for out, m in other.blocks:
            for _ in range(m):
                column = 0
                for into, n in self.blocks:
                    for _ in range(n):
                        found = lie_maps(into, out)
                        wide = np.zeros((len(found), other.dimension, self.dimension))
                        wide[:, row : row + out.dimension, column : column + into.dimension] = found
                        maps.append(wide)
                        column += into.dimension
                row += out.dimension
        return frozen(np.concatenate(maps))

    def hom_dim(self, other: LieRep) -> int:
        """dim Hom_G."""
        _same(self, other)
        return sum(m * n * len(lie_maps(a, b)) for a, m in self.blocks for b, n in other.blocks)

    def tensor(self, other: LieRep) -> LieRep:
        """ρ ⊗ σ: of blocks with the basis e_i ⊗ e_j in the order of np.kron, of sums block by block."""
        _same(self, other)
        pairs = [(p + q, m * n) for p, m in self.summands for q, n in other.summands]
        return LieRep(self.group, pairs)

    def dual(self) -> LieRep:
        """ρ*(g) = ρ(g⁻¹)ᵀ."""
        return LieRep(self.group, [(tuple(a.dual for a in p), m) for p, m in self.summands])

    def symmetric(self, power: int) -> LieRep:
        """The symmetric tensors Sym^k of one block, in an orthonormal basis by increasing indices."""
        return self._power(power, antisymmetric=False)

    def antisymmetric(self, power: int) -> LieRep:
        """The antisymmetric tensors Λ^k of one block, k ≤ d."""
        return self._power(power, antisymmetric=True)

    def _power(self, power: int, *, antisymmetric: bool) -> LieRep:
        k = positive_int("power", power)
        if len(self.summands) != 1 or self.summands[0][1] > 1:
            raise fail("type", "one block", self, "take powers of the blocks and their tensor products")
        if antisymmetric and k > self.dimension:
            raise fail("power", f"at most {self.dimension}, the dimension", k)
        product: Product = self.summands[0][0]
        if k == 1 or not product:
            return self
        one = product[0] if len(product) == 1 else Atom(repr(self), self.generators, self.discrete)
        return LieRep(self.group, [((one.power(k, antisymmetric),), 1)])

    def __pow__(self, power: int) -> LieRep:
        k = 0 if power == 0 else positive_int("power", power)
        found = LieRep(self.group, [((), 1)])
        for _ in range(k):
            found = found.tensor(self)
        return found

    def __add__(self, other: LieRep) -> LieRep:
        if not isinstance(other, LieRep):
            return NotImplemented
        return LieRep.direct_sum([(self, 1), (other, 1)])

    def __mul__(self, multiplicity: int) -> LieRep:
        count = positive_int("multiplicity", multiplicity, "3 * rho is three copies; use tensor for products")
        return LieRep(self.group, _times(self, count))

    __rmul__ = __mul__

    @cached_property
    def digest(self) -> str:
        """A hash of the content: group, blocks and their matrices."""
        found = hashlib.sha256(self.group.digest.encode())
        for product, m in self.summands:
            found.update(f"{m}×{_digests(product)};".encode())
        return found.hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LieRep):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __repr__(self) -> str:
        return " + ".join((f"{m}·" if m > 1 else "") + _name(product) for product, m in self.summands)


@lru_cache(maxsize=2048)
def lie_maps(into: LieRep, out: LieRep) -> Float[np.ndarray, "n d_out d_in"]:
    """An orthonormal basis of Hom_G of two blocks.

    >>> from intertwine.symmetry import lorentz
    >>> V = lorentz().vector
    >>> len(lie_maps(V, V)), len(lie_maps(V**2, V**2))
    (1, 4)
    """
    found = _block_invariants(out.tensor(into.dual()))
    return frozen(found.reshape(-1, out.dimension, into.dimension))


@lru_cache(maxsize=2048)
def lie_bilinear_maps(
    left: LieRep, right: LieRep, out: LieRep
) -> Float[np.ndarray, "t d_out d_left d_right"]:
    """An orthonormal basis of the bilinear maps Q(ρx, σz) = τ Q(x, z) of blocks.

    >>> from intertwine.symmetry import special_orthogonal
    >>> V = special_orthogonal(3).vector
    >>> abs(lie_bilinear_maps(V, V, V)[0] * 6**0.5).round(3)[2].tolist()           # the cross product
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    found = _block_invariants(out.tensor(left.dual()).tensor(right.dual()))
    return frozen(found.reshape(-1, out.dimension, left.dimension, right.dimension))


@lru_cache(maxsize=512)
def invariant_forms(block: LieRep) -> Float[np.ndarray, "f d d"]:
    """A basis of the symmetric forms xᵀ B x of one block that the group leaves alone, the largest entry 1.

    >>> from intertwine.symmetry import lorentz
    >>> invariant_forms(lorentz().vector)[0].diagonal().round(9).tolist()
    [1.0, -1.0, -1.0, -1.0]
    """
    found = lie_bilinear_maps(block, block, LieRep(block.group, [((), 1)]))[:, 0]
    even = found + found.swapaxes(1, 2)
    kept = independent(even[np.abs(even).max(axis=(1, 2)) > 1e-6], 1e-6)
    for i, form in enumerate(kept):
        flat = form.reshape(-1)
        kept[i] = form / flat[int(np.argmax(np.abs(flat) > 0.99 * np.abs(flat).max()))]
    return frozen(kept)


@lru_cache(maxsize=2048)
def _block_invariants(block: LieRep) -> np.ndarray:
    group, product = block.group, block.summands[0][0]
    if not product or all(atom.is_trivial for atom in product):
        return frozen(np.eye(block.dimension))
    parts = [a for atom in product for a in (atom.generators, atom.discrete)]
    name = f"lie-{content_hash(*parts, group.generic, group.tolerance, _VERSION)}"
    factors = [Factor(atom.generators, atom.discrete) for atom in product]
    found = cached(name, lambda: {"basis": invariant_tensors(factors, group.generic, group.tolerance)})
    return frozen(found["basis"])


def _times(rep: LieRep, count: int) -> list[tuple[Product, int]]:
    """The summands of so many copies of a type, one after another."""
    if len(rep.summands) == 1:
        product, m = rep.summands[0]
        return [(product, m * count)]
    return list(rep.summands) * count


def _added(product: Product) -> np.ndarray:
    """Generators of a product, Σ_f 1 ⊗ … X^(f) … ⊗ 1."""
    if not product:
        return np.zeros((1, 1, 1))
    found = product[0].generators
    for atom in product[1:]:
        left, right = np.eye(found.shape[1]), np.eye(atom.dimension)
        found = np.array(
            [np.kron(a, right) + np.kron(left, b) for a, b in zip(found, atom.generators, strict=True)]
        ).reshape(-1, len(left) * len(right), len(left) * len(right))
    return found


def _multiplied(product: Product) -> np.ndarray:
    """Discrete elements of a product."""
    if not product:
        return np.ones((1, 1, 1))
    found = product[0].discrete
    for atom in product[1:]:
        size = found.shape[1] * atom.dimension
        pairs = zip(found, atom.discrete, strict=True)
        found = np.array([np.kron(a, b) for a, b in pairs]).reshape(-1, size, size)
    return found


def _all_of(product: Product, law: str) -> bool:
    """Whether a law of matrices holds for a product: for its factors, or for it as a whole where it is
    small."""
    if all(getattr(atom, law) for atom in product):
        return True
    if len(product) < 2 or np.prod([atom.dimension for atom in product]) > _SMALL:
        return False
    return getattr(Atom("", _added(product), _multiplied(product)), law)


def _digests(product: Product) -> str:
    return ",".join(atom.digest for atom in product)


def _name(product: Product) -> str:
    words = []
    for name, copies in groupby(atom.name for atom in product):
        count = len(list(copies))
        words.append(name if count == 1 else f"{name}{str(count).translate(_SUPERSCRIPTS)}")
    return " ⊗ ".join(words) or "scalar"


def _same(a: LieRep, b: object) -> None:
    if not isinstance(b, LieRep) or a.group != b.group:
        got = f"{b!r} of {b.group!r}" if isinstance(b, LieRep) else b
        raise fail("representation", f"one of {a.group!r}", got)
