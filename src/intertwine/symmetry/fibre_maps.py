r"""Maps that commute with the structure group of a fibre, for types of finite, compact and matrix groups
alike.

    invariant_vectors(ρ)        V^H                  what a bias may add
    commuting_maps(ρ, σ)        Hom_H(ρ, σ)          linear maps of one fibre
    bilinear_maps(ρ, σ, τ)      Hom_H(ρ ⊗ σ, τ)      products of two

Of irreducible representations of a compact group they are known in closed form: by Schur's lemma Hom(ρ, σ)
is zero or End(ρ), which is R, or C for the rotations by kθ of SO(2), spanned by 1 and the turn by 90°;
bilinear maps are the Clebsch-Gordan projections followed by End(τ). For finite groups they are the vectors
that all matrices fix, for matrix groups those that all generators take to zero (`lie`). (Bröcker & tom
Dieck, Representations of Compact Lie Groups, 1985, II.6.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry._images import frozen
from intertwine.symmetry.compact import CompactGroup, CompactRep, clebsch_gordan_compact
from intertwine.symmetry.gauge_rep import GaugeRep, gauge_invariants
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.groups.gauge_group import GaugeGroup
from intertwine.symmetry.groups.sections import fixed_vectors
from intertwine.symmetry.lie.group import LieGroup
from intertwine.symmetry.lie.rep import LieRep, lie_bilinear_maps, lie_maps
from intertwine.symmetry.representation import Rep, trivial

AnyRep = Rep | CompactRep | GaugeRep | LieRep
"""A type of fields."""
FibreGroup = FiniteGroup | CompactGroup | GaugeGroup | LieGroup
"""A group whose representations are types of fields."""


def trivial_type(group: FibreGroup) -> AnyRep:
    """ρ(h) = 1.

    >>> trivial_type(CompactGroup("SO(2)"))
    scalar
    """
    if isinstance(group, GaugeGroup):
        return GaugeRep(group, (("scalar", 1),))
    return group.trivial if isinstance(group, CompactGroup | LieGroup) else trivial(group)


@lru_cache(maxsize=512)
def invariant_vectors(block: AnyRep) -> Float[np.ndarray, "n d"]:
    """Invariant vectors of a block, the largest entry of each 1.

    >>> invariant_vectors(CompactGroup("SO(2)").irrep(1)).shape
    (0, 2)
    """
    if block.permutation is not None:
        first = block.permutation.min(axis=0)
        return (first == np.unique(first)[:, None]).astype(float)
    if isinstance(block, CompactRep):
        return _invariants_of_sum(block)
    if isinstance(block, GaugeRep):
        return gauge_invariants(block)
    found = block.invariants if isinstance(block, LieRep) else fixed_vectors(block.matrices, block.dimension)
    return found / np.abs(found).max(axis=1, keepdims=True) if len(found) else found


def _invariants_of_sum(rep: CompactRep) -> np.ndarray:
    fixed = np.concatenate([np.full(m * part.dimension, part.is_trivial) for part, m in rep.blocks])
    return np.eye(rep.dimension)[fixed]


@lru_cache(maxsize=512)
def commuting_maps(into: CompactRep | LieRep, out: CompactRep | LieRep) -> Float[np.ndarray, "n d_out d_in"]:
    """An orthonormal basis of Hom_H(into, out) of irreducible representations of a compact group, or of any
    two blocks of a matrix group.

    >>> SO2, O2 = CompactGroup("SO(2)"), CompactGroup("O(2)")
    >>> [len(commuting_maps(group.irrep(3), group.irrep(3))) for group in (SO2, O2)]
    [2, 1]
    """
    if isinstance(into, LieRep) and isinstance(out, LieRep):
        return lie_maps(into, out)
    if into != out:
        return frozen(np.zeros((0, out.dimension, into.dimension)))
    maps = [np.eye(into.dimension)]
    if isinstance(into, CompactRep) and into.group.name == "SO(2)" and into.dimension == 2:
        maps.append(np.array([[0.0, -1.0], [1.0, 0.0]]))
    return frozen(np.array(maps) / into.dimension**0.5)


@lru_cache(maxsize=1024)
def bilinear_maps(left: AnyRep, right: AnyRep, out: AnyRep) -> Float[np.ndarray, "t d_out d_left d_right"]:
    """An orthonormal basis of the bilinear maps y_k = Q_kij x_i z_j with Q(ρx, σz) = τ Q(x, z), of blocks.

    >>> SO2 = CompactGroup("SO(2)")
    >>> len(bilinear_maps(SO2.irrep(1), SO2.irrep(1), SO2.irrep(2)))      # the product of complex numbers
    2
    """
    if isinstance(left, CompactRep):
        assert isinstance(right, CompactRep) and isinstance(out, CompactRep)
        return _coupled(left, right, out)
    if isinstance(left, LieRep):
        assert isinstance(right, LieRep) and isinstance(out, LieRep)
        return lie_bilinear_maps(left, right, out)
    if not isinstance(left, Rep) or not isinstance(right, Rep) or not isinstance(out, Rep):
        raise fail("rep", "types of a finite or a compact group", left, "GaugeBilinear multiplies on links")
    d = out.dimension * left.dimension * right.dimension
    moved = np.einsum("gkm,gip,gjq->gkijmpq", out.matrices, left.matrices, right.matrices)
    found = fixed_vectors(moved.reshape(-1, d, d), d)
    return found.reshape(-1, out.dimension, left.dimension, right.dimension)


def _coupled(left: CompactRep, right: CompactRep, out: CompactRep) -> np.ndarray:
    label = out.irreps[0][0]
    parts = [part.isometries for part in clebsch_gordan_compact(left, right) if part.irrep == label]
    shape = (out.dimension, left.dimension, right.dimension)
    if not parts:
        return np.zeros((0, *shape))
    after = np.einsum("nkc,mcij->mnkij", commuting_maps(out, out), np.concatenate(parts))
    return after.reshape(-1, *shape)
