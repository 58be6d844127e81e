from . import groups as groups
from .characters import CharacterTable as CharacterTable, character_table as character_table
from .compact import (
    CompactCoupling as CompactCoupling,
    CompactGroup as CompactGroup,
    CompactIrrep as CompactIrrep,
    CompactRep as CompactRep,
    clebsch_gordan_compact as clebsch_gordan_compact,
)
from .decomposition import (
    Coupling as Coupling,
    Decomposition as Decomposition,
    clebsch_gordan as clebsch_gordan,
    decompose as decompose,
)
from .fibre_maps import (
    AnyRep as AnyRep,
    FibreGroup as FibreGroup,
    bilinear_maps as bilinear_maps,
    commuting_maps as commuting_maps,
    invariant_vectors as invariant_vectors,
    trivial_type as trivial_type,
)
from .gauge_rep import GaugeRep as GaugeRep, gauge_invariants as gauge_invariants, gauge_maps as gauge_maps
from .groups.crystal_group import (
    CrystalGroup as CrystalGroup,
    Isometry as Isometry,
    Torus as Torus,
    site_stabiliser as site_stabiliser,
)
from .groups.finite_group import FiniteGroup as FiniteGroup, Subgroup as Subgroup
from .groups.gauge_group import GaugeGroup as GaugeGroup, gauge_group as gauge_group
from .groups.group_names import group_from_name as group_from_name
from .groups.named_groups import (
    alternating as alternating,
    cyclic as cyclic,
    dicyclic as dicyclic,
    dihedral as dihedral,
    direct_product as direct_product,
    full_tetrahedral as full_tetrahedral,
    full_tetrahedral_matrices as full_tetrahedral_matrices,
    icosahedral as icosahedral,
    icosahedral_rotations as icosahedral_rotations,
    octahedral as octahedral,
    octahedral_rotations as octahedral_rotations,
    quaternion as quaternion,
    semidirect_product as semidirect_product,
    symmetric as symmetric,
    tetrahedral as tetrahedral,
    tetrahedral_rotations as tetrahedral_rotations,
    with_inversion as with_inversion,
)
from .groups.permutation_group import PermutationGroup as PermutationGroup
from .intertwiner_basis import Intertwiners as Intertwiners, intertwiners as intertwiners
from .irreducible import frobenius_schur as frobenius_schur, irreps as irreps
from .kernel_dimensions import (
    dimension_by_characters as dimension_by_characters,
    dimension_by_double_cosets as dimension_by_double_cosets,
    dimension_by_null_space as dimension_by_null_space,
)
from .lie.algebra import (
    generated_algebra as generated_algebra,
    killing_form as killing_form,
    real_form as real_form,
    structure_constants as structure_constants,
)
from .lie.element import LieElement as LieElement
from .lie.group import LieGroup as LieGroup
from .lie.named import (
    euclidean as euclidean,
    galilei as galilei,
    general_linear as general_linear,
    lorentz as lorentz,
    orthogonal as orthogonal,
    pseudo_orthogonal as pseudo_orthogonal,
    scaling as scaling,
    special_linear as special_linear,
    special_orthogonal as special_orthogonal,
    special_unitary as special_unitary,
    symplectic as symplectic,
    unitary as unitary,
)
from .lie.rep import LieRep as LieRep
from .mackey import hom_space as hom_space, mackey_dim as mackey_dim
from .one_dimensional import (
    commutator_subgroup as commutator_subgroup,
    linear_characters as linear_characters,
)
from .representation import (
    Rep as Rep,
    hom_dim as hom_dim,
    induce as induce,
    permutation as permutation,
    quotient as quotient,
    regular as regular,
    trivial as trivial,
)
from .wigner import clebsch_gordan_so3 as clebsch_gordan_so3, wigner_d as wigner_d
