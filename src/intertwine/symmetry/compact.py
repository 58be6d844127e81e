r"""SO(2), O(2), SO(3), O(3) and their real irreducible representations.

Elements are orthogonal matrices (..., n, n). Irreducible representations, all real orthogonal:

    SO(2)   k = 0: 1.  k ≥ 1: the rotation by kθ (complex type: its commutant has dimension 2)
    O(2)    (0, ±1): 1 and the determinant.  k ≥ 1: R(θ) ↦ R(kθ), s ↦ diag(1, −1)
    SO(3)   l ≥ 0: the Wigner matrices D^l, in the basis (m = −l..l) of `wigner`
    O(3)    (l, p), p = ±1: D^l times p for each inversion; vectors are (1, −1), axial vectors (1, 1)

Integrals over a group are sums over few elements: a class function that is a trigonometric polynomial
of degree D in the angle is integrated exactly by D + 3 angles with Weyl's weight, 1 for SO(2) and 1 −
cos θ for SO(3) (Weyl, The Classical Groups, 1939). A representation restricted to a finite subgroup is
a `Rep`, which `decompose` splits.

SO(2) and O(2) are the structure groups of surfaces: their irreps are called by what such fields are, scalar,
pseudoscalar and spin k, the k-fold turn of (Re, Im).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.symmetry._compact_irreps import (
    CompactIrrep,
    character_of,
    dimension_of,
    matrix_of,
    name_of,
    order_of,
    parts_of_product,
    plane_maps,
)
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups.finite_group import FiniteGroup, as_group
from intertwine.symmetry.groups.rotations import (
    axis_rotation,
    checked_orthogonal,
    plane_rotation,
    random_rotations,
)
from intertwine.symmetry.representation import Rep
from intertwine.symmetry.wigner import checked_degree, clebsch_gordan_so3

_NAMES = ("SO(2)", "O(2)", "SO(3)", "O(3)")


@dataclass(frozen=True)
class CompactGroup:
    """SO(2), O(2), SO(3) or O(3).

    Raises InputError for other names.

    >>> O3 = CompactGroup("O(3)")
    >>> vector = O3.irrep(1, -1)
    >>> vector.tensor(vector)
    (0, +) + (1, +) + (2, +)
    """

    name: str

    def __post_init__(self) -> None:
        one_of("name", self.name, _NAMES)

    @property
    def dimension(self) -> int:
        """n of the n × n matrices."""
        return int(self.name[-2])

    @property
    def has_reflections(self) -> bool:
        """Whether elements may have determinant −1."""
        return self.name[0] == "O"

    @property
    def trivial(self) -> CompactRep:
        """ρ(g) = 1."""
        return self.irrep(0)

    def random_elements(self, count: int, *, key: Array) -> Float[np.ndarray, "count n n"]:
        """Uniform elements; every second one reflects, where the group does.

        >>> import jax
        >>> CompactGroup("O(2)").random_elements(3, key=jax.random.key(0)).shape
        (3, 2, 2)
        """
        if self.dimension == 3:
            elements, mirror = random_rotations(count, key=key), -np.eye(3)
        else:
            angle = 2 * np.pi * np.asarray(jax.random.uniform(key, (positive_int("count", count),)))
            elements, mirror = plane_rotation(angle), np.diag([1.0, -1.0])
        if self.has_reflections:
            elements[1::2] = elements[1::2] @ mirror
        return elements

    def irrep(self, frequency: int, parity: int = 1) -> CompactRep:
        """The irreducible representation k or l, with its parity.

        >>> CompactGroup("SO(3)").irrep(2).dimension
        5
        """
        return CompactRep(self, ((self._label(frequency, parity), 1),))

    def _label(self, frequency: int, parity: int) -> CompactIrrep:
        k = checked_degree("frequency", frequency)
        allowed = (1, -1) if self.name == "O(3)" or (self.name == "O(2)" and k == 0) else (1,)
        if parity not in allowed:
            expected = " or ".join(str(p) for p in allowed)
            remedy = "a reflected irrep of O(2) with k ≥ 1 is the same irrep" if self.name == "O(2)" else ""
            raise fail("parity", f"{expected} for frequency {k} of {self.name}", parity, remedy)
        return CompactIrrep(k, int(parity))

    def class_points(self, degree: int) -> tuple[Float[np.ndarray, "q n n"], Float[np.ndarray, " q"]]:
        """Elements and weights whose weighted sum integrates every class function of at most `degree` over G.

        >>> elements, weights = CompactGroup("SO(3)").class_points(4)
        >>> spin = CompactGroup("SO(3)").irrep(2).character(elements)
        >>> round(float(weights @ spin**2), 12)
        1.0
        """
        count = checked_degree("degree", degree) + 3
        angle = 2 * np.pi * np.arange(count) / count
        if self.dimension == 2:
            elements, weights = plane_rotation(angle), np.full(count, 1 / count)
            if self.has_reflections:
                elements = np.concatenate([elements, np.diag([1.0, -1.0])[None]])
                weights = np.append(weights / 2, 0.5)
            return elements, weights
        elements, weights = axis_rotation([0.0, 0.0, 1.0], angle), (1 - np.cos(angle)) / count
        if self.has_reflections:
            elements, weights = np.concatenate([elements, -elements]), np.concatenate([weights, weights]) / 2
        return elements, weights

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False)
class CompactRep:
    """A sum of irreducible representations of a compact group: made by `irrep`, `+`, `*` and `tensor`.

    irreps: pairs (`CompactIrrep`, multiplicity), in the order of the components, copies one after
    another.

    It offers what layers ask of a `Rep`: `blocks`, `dtype`, `permutation` and the like.

    >>> SO3 = CompactGroup("SO(3)")
    >>> two = 2 * SO3.irrep(1) + SO3.irrep(0)
    >>> two, two.dimension, two.matrix(np.eye(3)).shape
    (2·1 + 0, 7, (7, 7))
    """

    group: CompactGroup
    irreps: tuple[tuple[CompactIrrep, int], ...]

    dtype: ClassVar[np.dtype] = np.dtype(np.float64)
    """All of them are real."""
    is_orthogonal: ClassVar[bool] = True
    """All of them have an invariant norm."""

    @classmethod
    def direct_sum(cls, blocks: Sequence[tuple[CompactRep, int]]) -> CompactRep:
        """The sum of `blocks`, pairs (ρ, multiplicity) of one group; equal neighbours are joined."""
        total = blocks[0][1] * blocks[0][0]
        for rep, m in blocks[1:]:
            total = total + m * rep
        return total

    @property
    def dimension(self) -> int:
        """d."""
        return sum(m * dimension_of(self.group, irrep) for irrep, m in self.irreps)

    @property
    def blocks(self) -> tuple[tuple[CompactRep, int], ...]:
        """The irreducible blocks (ρ, multiplicity) in the order of the channels; an irrep is its own."""
        if len(self.irreps) == 1 and self.irreps[0][1] == 1:
            return ((self, 1),)
        return tuple((CompactRep(self.group, ((irrep, 1),)), m) for irrep, m in self.irreps)

    @property
    def is_trivial(self) -> bool:
        """Whether every ρ(g) is the identity."""
        return all(irrep == (0, 1) for irrep, _ in self.irreps)

    @property
    def is_permutation(self) -> bool:
        """Whether every ρ(g) permutes the basis: only where it leaves it alone."""
        return self.is_trivial

    @property
    def is_signed_permutation(self) -> bool:
        """Whether every ρ(g) permutes the basis up to signs: scalars and pseudoscalars."""
        return all(irrep.frequency == 0 for irrep, _ in self.irreps)

    @property
    def permutation(self) -> Int32[np.ndarray, "1 1"] | None:
        """As of a `Rep`, one row for all elements: of the trivial irrep; None for others."""
        return frozen(np.zeros((1, 1), np.int32)) if self.irreps == (((0, 1), 1),) else None

    def matrix(self, elements: ArrayLike) -> Float[np.ndarray, "... d d"]:
        """ρ(g) of elements (..., n, n); InputError for matrices outside the group."""
        g = checked_orthogonal(elements, self.group.dimension, not self.group.has_reflections)
        out, start = np.zeros((*g.shape[:-2], self.dimension, self.dimension)), 0
        for irrep, m in self.irreps:
            block = matrix_of(self.group, irrep, g)
            for _ in range(m):
                end = start + block.shape[-1]
                out[..., start:end, start:end] = block
                start = end
        return out

    def character(self, elements: ArrayLike) -> Float[np.ndarray, "..."]:
        """χ(g), from the angle of g."""
        g = checked_orthogonal(elements, self.group.dimension, not self.group.has_reflections)
        return np.sum([m * character_of(self.group, irrep, g) for irrep, m in self.irreps], axis=0)

    def multiplicity(self, frequency: int, parity: int = 1) -> int:
        """How often an irreducible representation occurs."""
        label = self.group._label(frequency, parity)
        return sum(m for irrep, m in self.irreps if irrep == label)

    def hom_dim(self, other: CompactRep) -> int:
        """dim Hom_G, real, by Weyl's integral of the product of characters."""
        _same(self, other)
        top = sum(max(irrep.frequency for irrep, _ in rep.irreps) for rep in (self, other))
        elements, weights = self.group.class_points(top)
        return round(float(weights @ (self.character(elements) * other.character(elements))))

    def tensor(self, other: CompactRep) -> CompactRep:
        """ρ ⊗ σ as the sum of its irreducible parts (`clebsch_gordan_compact` has the maps).

        >>> CompactGroup("SO(2)").irrep(1).tensor(CompactGroup("SO(2)").irrep(1))
        2·scalar + spin 2
        """
        _same(self, other)
        counts: dict[CompactIrrep, int] = {}
        for a, m in self.irreps:
            for b, n in other.irreps:
                for c, k in parts_of_product(self.group, a, b):
                    counts[c] = counts.get(c, 0) + m * n * k
        return CompactRep(self.group, tuple((c, counts[c]) for c in sorted(counts, key=order_of)))

    def restrict(self, subgroup: FiniteGroup, matrices: ArrayLike) -> Rep:
        """The representation of a finite group whose elements are `matrices` (h, n, n), in its order.

        >>> from intertwine.symmetry import character_table, icosahedral, icosahedral_rotations
        >>> five = CompactGroup("SO(3)").irrep(2).restrict(icosahedral(), icosahedral_rotations())
        >>> character_table(icosahedral()).multiplicities(five).tolist()
        [0, 0, 0, 0, 1]
        """
        finite: FiniteGroup = as_group(subgroup, "subgroup")
        given = np.asarray(matrices, dtype=float)
        n = self.group.dimension
        if given.shape != (finite.order, n, n):
            raise fail("matrices", f"shape ({finite.order}, {n}, {n})", f"shape {given.shape}")
        Rep(finite, given)  # they are a representation, or InputError
        reps = []
        for irrep, m in self.irreps:
            one = CompactRep(self.group, ((irrep, 1),))
            reps.append((Rep(finite, one.matrix(given), repr(one)), m))
        return Rep.direct_sum(reps)

    def __add__(self, other: CompactRep) -> CompactRep:
        _same(self, other)
        joined = list(self.irreps)
        for irrep, m in other.irreps:
            if joined[-1][0] == irrep:
                joined[-1] = (irrep, joined[-1][1] + m)
            else:
                joined.append((irrep, m))
        return CompactRep(self.group, tuple(joined))

    def __mul__(self, multiplicity: int) -> CompactRep:
        count = positive_int("multiplicity", multiplicity)
        if len(self.irreps) == 1:
            return CompactRep(self.group, ((self.irreps[0][0], self.irreps[0][1] * count),))
        return CompactRep(self.group, self.irreps * count)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return " + ".join((f"{m}·" if m > 1 else "") + name_of(self.group, irrep) for irrep, m in self.irreps)


class CompactCoupling(NamedTuple):
    """Parts of a tensor product: `isometries` (m, d_c, d_a, d_b), C (a ⊗ b)(g) = c(g) C, C Cᵀ = 1."""

    irrep: CompactIrrep
    isometries: np.ndarray


def clebsch_gordan_compact(a: CompactRep, b: CompactRep) -> tuple[CompactCoupling, ...]:
    """The irreducible parts of a ⊗ b and the maps onto them, for irreducible a and b.

    >>> vector = CompactGroup("SO(3)").irrep(1)
    >>> [(part.irrep.frequency, part.isometries.shape) for part in clebsch_gordan_compact(vector, vector)]
    [(0, (1, 1, 3, 3)), (1, (1, 3, 3, 3)), (2, (1, 5, 3, 3))]
    """
    _same(a, b)
    for argument, rep in (("a", a), ("b", b)):
        if len(rep.irreps) != 1 or rep.irreps[0][1] != 1:
            raise fail(argument, "an irreducible representation", rep, "couple the blocks of a sum in pairs")
    first, second = a.irreps[0][0], b.irreps[0][0]
    parts = []
    for irrep, _ in sorted(parts_of_product(a.group, first, second), key=lambda part: order_of(part[0])):
        if a.group.dimension == 3:
            table = clebsch_gordan_so3(first.frequency, second.frequency, irrep.frequency)
            maps = np.moveaxis(table, -1, 0)[None]
        else:
            maps = plane_maps(a.group, first, second, irrep)
        parts.append(CompactCoupling(irrep, frozen(np.ascontiguousarray(maps))))
    return tuple(parts)


def _same(a: CompactRep, b: object) -> None:
    if not isinstance(b, CompactRep) or a.group != b.group:
        raise fail("representation", f"one of {a.group!r}", b)
