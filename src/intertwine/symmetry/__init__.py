"""Symmetry: groups, representations, characters, induction, intertwiners. The ground floor."""

from intertwine.symmetry.characters import CharacterTable, character_table
from intertwine.symmetry.compact import (
    CompactCoupling,
    CompactGroup,
    CompactIrrep,
    CompactRep,
    clebsch_gordan_compact,
)
from intertwine.symmetry.decomposition import Coupling, Decomposition, clebsch_gordan, decompose
from intertwine.symmetry.groups.crystal_group import CrystalGroup, Isometry, Torus, site_stabiliser
from intertwine.symmetry.groups.finite_group import FiniteGroup, Subgroup
from intertwine.symmetry.groups.named_groups import (
    alternating,
    cyclic,
    dicyclic,
    dihedral,
    direct_product,
    full_tetrahedral,
    full_tetrahedral_matrices,
    icosahedral,
    icosahedral_rotations,
    octahedral,
    octahedral_rotations,
    quaternion,
    semidirect_product,
    symmetric,
    tetrahedral,
    tetrahedral_rotations,
    with_inversion,
)
from intertwine.symmetry.groups.permutation_group import PermutationGroup
from intertwine.symmetry.intertwiner_basis import Intertwiners, intertwiners
from intertwine.symmetry.irreducible import frobenius_schur, irreps
from intertwine.symmetry.kernel_dimensions import (
    dimension_by_characters,
    dimension_by_double_cosets,
    dimension_by_null_space,
)
from intertwine.symmetry.mackey import hom_space, mackey_dim
from intertwine.symmetry.one_dimensional import commutator_subgroup, linear_characters
from intertwine.symmetry.representation import Rep, hom_dim, induce, permutation, quotient, regular, trivial
from intertwine.symmetry.wigner import clebsch_gordan_so3, wigner_d

__all__ = [
    "CharacterTable",
    "CompactCoupling",
    "CompactGroup",
    "CompactIrrep",
    "CompactRep",
    "Coupling",
    "CrystalGroup",
    "Decomposition",
    "FiniteGroup",
    "Intertwiners",
    "Isometry",
    "PermutationGroup",
    "Rep",
    "Subgroup",
    "Torus",
    "alternating",
    "character_table",
    "clebsch_gordan",
    "clebsch_gordan_compact",
    "clebsch_gordan_so3",
    "commutator_subgroup",
    "cyclic",
    "decompose",
    "dicyclic",
    "dihedral",
    "dimension_by_characters",
    "dimension_by_double_cosets",
    "dimension_by_null_space",
    "direct_product",
    "frobenius_schur",
    "full_tetrahedral",
    "full_tetrahedral_matrices",
    "hom_dim",
    "hom_space",
    "icosahedral",
    "icosahedral_rotations",
    "induce",
    "intertwiners",
    "irreps",
    "linear_characters",
    "mackey_dim",
    "octahedral",
    "octahedral_rotations",
    "permutation",
    "quaternion",
    "quotient",
    "regular",
    "semidirect_product",
    "site_stabiliser",
    "symmetric",
    "tetrahedral",
    "tetrahedral_rotations",
    "trivial",
    "wigner_d",
    "with_inversion",
]
