r"""Representations of finite groups: matrices ρ(g), ρ(gh) = ρ(g) ρ(h), with what they are sums of.

    trivial(G), regular(G), quotient(H), permutation(G, action), Rep(G, matrices)
    a + b, 3 * a            sums, which remember their blocks
    a.tensor(b), a.dual(), a.restrict(H), induce(H, G, a)

A sum of blocks (ρ_1, m_1), (ρ_2, m_2), … has m_1 copies of ρ_1 one after another, then those of ρ_2: a vector
is [copy 1 of ρ_1, copy 2 of ρ_1, …]. The regular representation moves the basis vectors e_x ↦ e_{gx}, so that
its vectors are functions on G with (ρ(g) f)(x) = f(g⁻¹ x).

Representations by permutations keep the permutation: their matrices are formed when asked for. (Serre, Linear
Representations of Finite Groups, 1977.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int32, Num
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.symmetry._images import frozen
from intertwine.symmetry._whole import as_dimension
from intertwine.symmetry.groups.finite_group import FiniteGroup, Subgroup, as_group

if TYPE_CHECKING:
    from intertwine.symmetry.groups.finite_group import AnyGroup

TOLERANCE = 1e-9
_MOST_NUMBERS = 2**28


class Rep:
    r"""A representation of a finite group, an immutable host object that is equal to one of equal matrices.

    group: a `FiniteGroup`. matrices: (g, d, d), real or complex; or permutation: int (g, d) with
    e_i ↦ e_{permutation[g, i]}. name: how it is printed. Sums are made by `+` and `*`.

    Raises InputError for matrices of another shape, or that are no representation.

    >>> from intertwine.symmetry import cyclic
    >>> sign = Rep(cyclic(2), [[[1.0]], [[-1.0]]], "sign")
    >>> two = 2 * sign + trivial(cyclic(2))
    >>> two.dimension, two.character.tolist(), two
    (3, [3.0, -1.0], 2·sign + trivial)
    >>> Rep(cyclic(2), [[[1.0]], [[2.0]]])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: matrices: expected a representation, ρ(gh) = ρ(g) ρ(h), got a difference
    of 3 at g = 1, h = 1; check the order of the elements and of the products.
    """

    group: FiniteGroup
    name: str
    permutation: Int32[np.ndarray, "g d"] | None
    _given: np.ndarray | None
    _summands: tuple[tuple[Rep, int], ...]

    def __init__(
        self,
        group: AnyGroup,
        matrices: ArrayLike | None = None,
        name: str = "",
        *,
        permutation: ArrayLike | None = None,
    ):
        self.group, self.name, self._given, self._summands = as_group(group), name, None, ()
        if permutation is not None:
            self.permutation = _checked_action(self.group, permutation)
        else:
            self._given = _checked_matrices(self.group, matrices)
            self.permutation = _as_permutation(self._given)

    @classmethod
    def direct_sum(cls, blocks: Sequence[tuple[Rep, int]]) -> Rep:
        """The sum of `blocks`, pairs (ρ, multiplicity) of one group; equal neighbours are joined.

        >>> from intertwine.symmetry import cyclic
        >>> Rep.direct_sum([(trivial(cyclic(3)), 2), (regular(cyclic(3)), 1)]).dimension
        5
        """
        joined: list[tuple[Rep, int]] = []
        for rep, m in blocks:
            _same_group(blocks[0][0], rep)
            if joined and joined[-1][0] == rep:
                joined[-1] = (rep, joined[-1][1] + m)
            else:
                joined.append((rep, m))
        if len(joined) == 1 and joined[0][1] == 1:
            return joined[0][0]
        made = cls.__new__(cls)
        made.group, made.name, made.permutation, made._given = joined[0][0].group, "", None, None
        made._summands = tuple(joined)
        return made

    @cached_property
    def dimension(self) -> int:
        """d."""
        if self._summands:
            return sum(rep.dimension * m for rep, m in self._summands)
        return (self._given if self.permutation is None else self.permutation).shape[-1]  # type: ignore[union-attr]

    @property
    def blocks(self) -> tuple[tuple[Rep, int], ...]:
        """The blocks (ρ, multiplicity) in the order of the channels; one that is no sum is its own."""
        return self._summands or ((self, 1),)

    @cached_property
    def dtype(self) -> np.dtype:
        """float64, or complex128 where a matrix is complex."""
        return np.result_type(*[_block_dtype(rep) for rep, _ in self.blocks])

    @cached_property
    def matrices(self) -> Num[np.ndarray, "g d d"]:
        """ρ(g) for every g, read-only; InputError where they do not fit in memory (`matrix` forms one)."""
        if self.group.order * self.dimension**2 > _MOST_NUMBERS:
            got = f"{self.group.order} matrices of {self.dimension}²"
            raise fail("matrices", "matrices that fit in memory", got, "form them one by one with matrix(g)")
        if self._given is not None:
            return self._given
        return frozen(np.stack([self.matrix(g) for g in range(self.group.order)]))

    def matrix(self, element: int) -> Num[np.ndarray, "d d"]:
        """ρ(g) of the element with row `element`.

        >>> from intertwine.symmetry import cyclic
        >>> regular(cyclic(3)).matrix(1)[:, 0].tolist()          # e_0 goes to e_1
        [0.0, 1.0, 0.0]
        """
        if self._given is not None:
            return self._given[element]
        out = np.zeros((self.dimension, self.dimension), self.dtype)
        if self.permutation is not None:
            out[self.permutation[element], np.arange(self.dimension)] = 1
            return out
        start = 0
        for rep, multiplicity in self._summands:
            block = rep.matrix(element)
            for _ in range(multiplicity):
                end = start + rep.dimension
                out[start:end, start:end] = block
                start = end
        return out

    @cached_property
    def character(self) -> Num[np.ndarray, " g"]:
        """χ(g) = tr ρ(g)."""
        if self._summands:
            return frozen(np.sum([m * rep.character for rep, m in self._summands], axis=0))
        if self.permutation is not None:
            return frozen((self.permutation == np.arange(self.dimension)).sum(axis=1).astype(float))
        return frozen(np.trace(self.matrices, axis1=1, axis2=2).copy())

    @cached_property
    def is_permutation(self) -> bool:
        """Whether every ρ(g) permutes the basis: what a point-wise non-linearity needs."""
        if self._summands:
            return all(rep.is_permutation for rep, _ in self._summands)
        return self.permutation is not None

    @cached_property
    def is_trivial(self) -> bool:
        """Whether every ρ(g) is the identity: what a bias needs."""
        if self._summands:
            return all(rep.is_trivial for rep, _ in self._summands)
        return self.permutation is not None and bool((self.permutation == np.arange(self.dimension)).all())

    @cached_property
    def is_orthogonal(self) -> bool:
        """Whether every ρ(g) is orthogonal (unitary): what a norm needs."""
        if self._summands:
            return all(rep.is_orthogonal for rep, _ in self._summands)
        if self.permutation is not None:
            return True
        products = np.einsum("gij,gkj->gik", self.matrices, self.matrices.conj())
        return bool(np.abs(products - np.eye(self.dimension)).max() < 1e-7)

    def tensor(self, other: Rep) -> Rep:
        """ρ ⊗ σ, with basis e_i ⊗ e_j in the order of np.kron."""
        _same_group(self, other)
        name = f"{_bracket(self)} ⊗ {_bracket(other)}"
        if self.permutation is not None and other.permutation is not None:
            d = other.dimension
            action = (self.permutation[:, :, None] * d + other.permutation[:, None]).reshape(
                self.group.order, -1
            )
            return Rep(self.group, name=name, permutation=action)
        products = np.einsum("gij,gkl->gikjl", self.matrices, other.matrices)
        d = self.dimension * other.dimension
        return Rep(self.group, products.reshape(-1, d, d), name)

    def dual(self) -> Rep:
        """ρ*(g) = ρ(g⁻¹)ᵀ."""
        if self.is_permutation:
            return self
        if self._summands:
            return Rep.direct_sum([(rep.dual(), m) for rep, m in self._summands])
        return Rep(self.group, self.matrices[self.group.inverse].transpose(0, 2, 1), f"{_bracket(self)}*")

    def restrict(self, subgroup: Subgroup) -> Rep:
        """ρ of the elements of H alone, a representation of `subgroup.group`.

        >>> from intertwine.symmetry import dihedral
        >>> regular(dihedral(3)).restrict(dihedral(3).generate([1])).character.tolist()
        [6.0, 0.0, 0.0]
        """
        if not isinstance(subgroup, Subgroup) or subgroup.parent != self.group:
            raise fail("subgroup", f"a subgroup of {self.group!r}", subgroup, "make it with group.subgroup")
        if self._summands:
            return Rep.direct_sum([(rep.restrict(subgroup), m) for rep, m in self._summands])
        if self.permutation is not None:
            return Rep(subgroup.group, name=self.name, permutation=self.permutation[subgroup.members])
        return Rep(subgroup.group, self.matrices[subgroup.members], self.name)

    def changed(self, basis: ArrayLike, name: str = "") -> Rep:
        """Q⁻¹ ρ(g) Q for an invertible `basis` Q (d, d), whose columns are the new basis vectors."""
        q = np.asarray(basis)
        if q.shape != (self.dimension,) * 2 or np.linalg.matrix_rank(q) < self.dimension:
            raise fail("basis", f"an invertible matrix of {self.dimension}²", f"shape {q.shape}")
        return Rep(self.group, np.linalg.solve(q, self.matrices @ q), name or self.name)

    def __add__(self, other: Rep) -> Rep:
        if not isinstance(other, Rep):
            return NotImplemented
        _same_group(self, other)
        return Rep.direct_sum([*self.blocks, *other.blocks])

    def __mul__(self, multiplicity: int) -> Rep:
        count = positive_int("multiplicity", multiplicity, "3 * rho is three copies; use tensor for products")
        if len(self.blocks) == 1:
            rep, m = self.blocks[0]
            return Rep.direct_sum([(rep, m * count)])
        return Rep.direct_sum(list(self.blocks) * count)

    __rmul__ = __mul__

    @cached_property
    def digest(self) -> str:
        """A hash of the content: group, matrices and blocks."""
        parts = hashlib.sha256(self.group.product_table.tobytes())
        for rep, m in self.blocks:
            if self._summands:
                parts.update(f"{m}×{rep.digest};".encode())
            elif rep.permutation is not None:
                parts.update(rep.permutation.tobytes())
            else:
                parts.update((rep.matrices.round(9) + 0.0).tobytes())
        return parts.hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rep):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __repr__(self) -> str:
        if self._summands:
            return " + ".join(f"{m}·{_bracket(rep)}" if m > 1 else repr(rep) for rep, m in self._summands)
        return self.name or f"Rep(dimension {self.dimension} of {self.group!r})"


def trivial(group: AnyGroup) -> Rep:
    """ρ(g) = 1."""
    return permutation(group, np.zeros((as_group(group).order, 1), np.int32), "trivial")


def regular(group: AnyGroup) -> Rep:
    """The regular representation: e_x ↦ e_{gx}, of dimension |G|.

    >>> from intertwine.symmetry import dihedral
    >>> regular(dihedral(4)).dimension
    8
    """
    group = as_group(group)
    return Rep(group, name="regular", permutation=group.product_table)


def quotient(subgroup: Subgroup, name: str = "") -> Rep:
    """Functions on G/H: the permutation representation of G on the left cosets of `subgroup` = H.

    >>> from intertwine.symmetry import dihedral
    >>> quotient(dihedral(4).generate([4])).dimension
    4
    """
    if not isinstance(subgroup, Subgroup):
        raise fail("subgroup", "a Subgroup", subgroup, "make it with group.subgroup or group.generate")
    return Rep(subgroup.parent, name=name or f"quotient({subgroup.index})", permutation=subgroup.action)


def permutation(group: AnyGroup, action: ArrayLike, name: str = "") -> Rep:
    """The representation e_i ↦ e_{action[g, i]} of an action of the group on d points, int (g, d)."""
    return Rep(as_group(group), name=name or "permutation", permutation=action)


def induce(H: Subgroup | FiniteGroup, G: AnyGroup, rho: Rep) -> Rep:
    """Ind_H^G ρ, of dimension [G : H] d: sections of G ×_H V over G/H, the fibres of the cosets in order.

    H: a `Subgroup` of G (or G itself). rho: a representation of H.group.

    ρ_ind(g) sends the vector v at coset x to ρ(h(g, x)) v at gx, h(g, x) = s_{gx}⁻¹ g s_x.

    Raises InputError where H is no subgroup of G or rho is not one of H's.

    >>> from intertwine.symmetry import dihedral
    >>> G = dihedral(3)
    >>> H = G.generate([1])
    >>> induce(H, G, trivial(H)).character.tolist()
    [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    """
    parent = as_group(G, "G")
    subgroup = parent.whole if isinstance(H, FiniteGroup) and parent == H else H
    if not isinstance(subgroup, Subgroup) or subgroup.parent != parent:
        raise fail("H", f"a subgroup of {parent!r}", H, "make it with G.subgroup(rows) or G.generate(rows)")
    if not isinstance(rho, Rep) or rho.group != subgroup.group:
        raise fail("rho", f"a representation of H, of order {subgroup.order}", rho)
    name = f"Ind({rho!r})"
    d, n = rho.dimension, subgroup.index
    if rho.permutation is not None:
        inner = rho.permutation[subgroup.cocycle]  # (g, n, d)
        action = subgroup.action[:, :, None] * d + inner
        return Rep(parent, name=name, permutation=action.reshape(parent.order, n * d))
    matrices = np.zeros((parent.order, n, d, n, d), rho.dtype)
    g, x = np.indices(subgroup.action.shape)
    matrices[g, subgroup.action, :, x, :] = rho.matrices[subgroup.cocycle]
    return Rep(parent, matrices.reshape(parent.order, n * d, n * d), name)


def hom_dim(a: Rep, b: Rep) -> int:
    """dim Hom_G(a, b) = ⟨χ_a, χ_b⟩, by characters.

    >>> from intertwine.symmetry import dihedral
    >>> hom_dim(regular(dihedral(4)), trivial(dihedral(4)))
    1
    """
    _same_group(a, b)
    return as_dimension(np.vdot(a.character, b.character) / a.group.order)


def _block_dtype(rep: Rep) -> Any:
    return np.float64 if rep.permutation is not None else rep._given.dtype  # type: ignore[union-attr]


def _bracket(rep: Rep) -> str:
    return f"({rep!r})" if rep._summands else repr(rep)


def _same_group(a: Rep, b: object) -> None:
    if not isinstance(b, Rep) or a.group != b.group:
        raise fail("representation", f"one of {a.group!r}", b)


def _checked_action(group: FiniteGroup, action: ArrayLike) -> np.ndarray:
    rows = np.asarray(action)
    if rows.ndim != 2 or rows.shape[0] != group.order or not np.issubdtype(rows.dtype, np.integer):
        got = f"shape {rows.shape} of {rows.dtype}"
        raise fail("action", f"integers of shape ({group.order}, d)", got, "one row per element of the group")
    rows = np.array(rows, dtype=np.int32, order="C")
    if (np.sort(rows, axis=1) != np.arange(rows.shape[1])).any():
        raise fail("action", f"rows that permute 0..{rows.shape[1] - 1}", "one that does not")
    for s in group.generators or (group.identity,):
        if not np.array_equal(rows[group.product_table[:, s]], rows[:, rows[s]]):
            raise fail(
                "action", "an action, (gh)·i = g·(h·i)", "one that is not", "check the order of products"
            )
    return frozen(rows)


def _checked_matrices(group: FiniteGroup, matrices: ArrayLike | None) -> np.ndarray:
    given: Any = matrices
    array: Any
    try:
        array = np.array(given, dtype=np.complex128 if np.iscomplexobj(given) else np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 3 or array.shape[0] != group.order or array.shape[1] != array.shape[2] or not array.size:
        got = f"shape {array.shape}"
        raise fail("matrices", f"numbers of shape ({group.order}, d, d)", got, "a matrix for each element")
    if not np.isfinite(array).all():
        raise fail("matrices", "finite numbers", "nan or inf")
    limit = TOLERANCE * max(1.0, float(np.abs(array).max()) ** 2) * array.shape[1]
    for s in group.generators or (group.identity,):
        gap = np.abs(array[group.product_table[:, s]] - array @ array[s]).max(axis=(1, 2))
        if gap.max() > limit:
            got = f"a difference of {gap.max():.3g} at g = {int(gap.argmax())}, h = {s}"
            remedy = "check the order of the elements and of the products"
            raise fail("matrices", "a representation, ρ(gh) = ρ(g) ρ(h)", got, remedy)
    if np.abs(array[group.identity] - np.eye(array.shape[1])).max() > limit:
        raise fail("matrices", "ρ(e) = 1", "another matrix", "a projector is no representation")
    return frozen(array)


def _as_permutation(matrices: np.ndarray) -> np.ndarray | None:
    """The permutations (g, d) of matrices that are exactly permutations, else None."""
    ones = matrices == 1
    if not (ones.sum(axis=1) == 1).all() or not ((matrices == 0) | ones).all():
        return None
    return frozen(np.argmax(ones, axis=1).astype(np.int32))
