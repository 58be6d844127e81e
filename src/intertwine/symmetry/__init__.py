"""Symmetry: groups, representations, characters, induction, intertwiners. The ground floor."""

from intertwine.symmetry.finite_group import FiniteGroup, Subgroup, cyclic, dihedral
from intertwine.symmetry.permutation_group import PermutationGroup
from intertwine.symmetry.representation import (
    Rep,
    hom_dim,
    induce,
    permutation,
    quotient,
    regular,
    trivial,
)

__all__ = [
    "FiniteGroup",
    "PermutationGroup",
    "Rep",
    "Subgroup",
    "cyclic",
    "dihedral",
    "hom_dim",
    "induce",
    "permutation",
    "quotient",
    "regular",
    "trivial",
]
