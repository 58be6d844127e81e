r"""Decomposition of a representation into irreducible ones, with the change of basis; Clebsch-Gordan.

For a unitary irreducible σ of degree d, the maps

    T_v = (d/|G|) Σ_g ρ(g) v ⊗ (σ(g) e_0)*,        ρ(g) T_v = T_v σ(g),

span Hom_G(σ, V) as v runs over V (Serre 1977, § 2.7). The commutant of an irreducible representation
has no Hermitian element but numbers, over the reals too, so that T†T is a number: a T_v is a multiple
of an isometry. Copies are taken one after another, each from the basis vector v with the longest T_v
left, and made orthogonal to those before. The copies of all σ are the columns of Q,

    Q⁻¹ ρ(g) Q = m_1·σ_1 ⊕ m_2·σ_2 ⊕ …

A representation that is not unitary is made so first, by an average of the scalar product over the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Num

from intertwine._checks import fail, one_of
from intertwine.symmetry._images import frozen
from intertwine.symmetry.characters import character_table
from intertwine.symmetry.irreducible import Field, irreps
from intertwine.symmetry.representation import Rep

_LIMIT = 1e-9


@dataclass(frozen=True, eq=False)
class Decomposition:
    """What `decompose` returns.

    rep: ρ. irreps: those that occur. multiplicities: how often. basis: Q (d, d), with
    Q⁻¹ ρ(g) Q = `sum.matrix(g)`; orthogonal (unitary) where ρ is.
    """

    rep: Rep
    irreps: tuple[Rep, ...]
    multiplicities: tuple[int, ...]
    basis: Num[np.ndarray, "d d"]

    @property
    def sum(self) -> Rep:
        """m_1·σ_1 + m_2·σ_2 + …"""
        return Rep.direct_sum(list(zip(self.irreps, self.multiplicities, strict=True)))

    def embeddings(self, k: int) -> Num[np.ndarray, "m d e"]:
        """The m intertwiners of `irreps[k]`, of dimension e, into ρ: ρ(g) T = T σ(g).

        >>> from intertwine.symmetry import dihedral, regular
        >>> decompose(regular(dihedral(3))).embeddings(2).shape
        (2, 6, 2)
        """
        if not 0 <= k < len(self.irreps):
            raise fail("k", f"a number from 0 to {len(self.irreps) - 1}", k)
        widths = [m * rep.dimension for rep, m in zip(self.irreps, self.multiplicities, strict=True)]
        start, d = sum(widths[:k]), self.irreps[k].dimension
        columns = self.basis[:, start : start + widths[k]]
        return columns.reshape(len(columns), -1, d).swapaxes(0, 1)


def decompose(rep: Rep, field: Field | None = None) -> Decomposition:
    """ρ as a sum of irreducible representations, and the basis in which it is one.

    field: "real" or "complex"; by default that of the matrices. Irreducible representations stand in
    the order of `irreps(rep.group, field)`.

    Raises InputError for field="real" where ρ is complex.

    >>> from intertwine.symmetry import dihedral, regular
    >>> found = decompose(regular(dihedral(3)))
    >>> found.sum, bool(np.allclose(found.basis.T @ found.basis, np.eye(6)))
    (trivial + A2 + 2·irrep 1, True)
    """
    if not isinstance(rep, Rep):
        raise fail("rep", "a Rep", rep)
    complex_given = rep.dtype.kind == "c"
    chosen: Field = field if field is not None else ("complex" if complex_given else "real")
    if one_of("field", chosen, ("complex", "real")) == "real" and complex_given:
        raise fail("field", "'complex' for complex matrices", "'real'")
    known = irreps(rep.group, chosen)
    counts = _multiplicities(rep, known, chosen)
    unitary, root = _made_unitary(rep)
    kept = [(sigma, m) for sigma, m in zip(known, counts, strict=True) if m]
    basis = np.concatenate([_copies(unitary, sigma, m) for sigma, m in kept], axis=1)
    basis = basis if root is None else root @ basis
    found = Decomposition(rep, tuple(s for s, _ in kept), tuple(m for _, m in kept), frozen(basis))
    _check(found)
    return found


def _multiplicities(rep: Rep, known: tuple[Rep, ...], field: Field) -> list[int]:
    complex_counts = character_table(rep.group).multiplicities(rep)
    if field == "complex":
        return complex_counts.tolist()
    counts = []
    for sigma in known:
        norm = np.vdot(sigma.character, sigma.character).real / rep.group.order  # 1, 2 or 4
        counts.append(round(float(np.vdot(sigma.character, rep.character).real / rep.group.order / norm)))
    return counts


def _made_unitary(rep: Rep) -> tuple[Rep, np.ndarray | None]:
    """An equivalent unitary representation S⁻¹ρS and S; None where ρ is unitary."""
    if rep.is_orthogonal:
        return rep, None
    average = np.einsum("gki,gkj->ij", rep.matrices.conj(), rep.matrices) / rep.group.order
    values, vectors = np.linalg.eigh(average)
    root = vectors / np.sqrt(values) @ vectors.conj().T
    return rep.changed(root), root


def _copies(rep: Rep, sigma: Rep, multiplicity: int) -> np.ndarray:
    """Orthonormal columns (n, m·d): the copies of σ in ρ one after another."""
    group, n, d = rep.group, rep.dimension, sigma.dimension
    weights = sigma.matrices[:, :, 0].conj() * (d / group.order)  # (g, d): (σ(g) e_0)*
    maps = np.zeros((n, d, n), np.result_type(rep.dtype, sigma.dtype))  # row, column of T_v, v
    if rep.permutation is not None:
        moved = (rep.permutation * n + np.arange(n)).ravel()
        for a in range(d):
            for part, unit in ((weights[:, a].real, 1), (weights[:, a].imag, 1j)):
                if part.any():
                    summed = np.bincount(moved, np.repeat(part, n), n * n).reshape(n, n)
                    maps[:, a] += summed * unit
    else:
        maps += np.einsum("gij,ga->iaj", rep.matrices, weights, optimize=True)
    found = np.zeros((n, 0), maps.dtype)
    left = maps[:, 0].copy()
    for _ in range(multiplicity):
        pivot = int(np.argmax(np.linalg.norm(left, axis=0).round(6)))  # the first of equals
        copy = maps[:, :, pivot]
        for _ in range(2):
            copy = copy - found @ (found.conj().T @ copy)
        copy = copy * (d**0.5 / np.linalg.norm(copy))
        left = left - copy @ (copy.conj().T @ left)
        found = np.concatenate([found, copy], axis=1)
    return found


def _check(found: Decomposition) -> None:
    total, q = found.sum, found.basis
    if q.shape != (found.rep.dimension,) * 2:
        raise AssertionError(f"{q.shape[1]} of {len(q)} dimensions found: please report this")
    for s in found.rep.group.generators:
        gap = np.abs(found.rep.matrix(s) @ q - q @ total.matrix(s)).max() / np.abs(q).max()
        if gap > _LIMIT:
            raise AssertionError(f"a decomposition that is off by {gap:.2g}: please report this")


class Coupling(NamedTuple):
    """The parts of one kind in a ⊗ b: `isometries` (m, d, d_a, d_b), maps C from a ⊗ b to `irrep`,

    Σ_ij C[n, :, i, j] (a(g) u)_i (b(g) w)_j = irrep(g) Σ_ij C[n, :, i, j] u_i w_j,   C C† = 1.
    """

    irrep: Rep
    isometries: np.ndarray


def clebsch_gordan(a: Rep, b: Rep, field: Field | None = None) -> tuple[Coupling, ...]:
    """The irreducible parts of a ⊗ b, with the Clebsch-Gordan coefficients that project on them.

    a, b: orthogonal or unitary representations of one group.

    >>> from intertwine.symmetry import dihedral, irreps
    >>> vector = irreps(dihedral(3))[2]
    >>> [(part.irrep, part.isometries.shape) for part in clebsch_gordan(vector, vector)]
    [(trivial, (1, 1, 2, 2)), (A2, (1, 1, 2, 2)), (irrep 1, (1, 2, 2, 2))]
    """
    for argument, rep in (("a", a), ("b", b)):
        if not isinstance(rep, Rep) or not rep.is_orthogonal:
            raise fail(argument, "an orthogonal or unitary representation", rep)
    found = decompose(a.tensor(b), field)
    parts = []
    for k, sigma in enumerate(found.irreps):
        maps = found.embeddings(k).conj().swapaxes(1, 2)
        shape = (*maps.shape[:2], a.dimension, b.dimension)
        parts.append(Coupling(sigma, frozen(np.ascontiguousarray(maps.reshape(shape)))))
    return tuple(parts)
