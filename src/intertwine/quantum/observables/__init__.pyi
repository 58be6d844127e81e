from .correlations import Correlations as Correlations
from .overlaps import fidelity as fidelity, overlap as overlap
from .particles.densities import (
    densities as densities,
    density_structure_factor as density_structure_factor,
    spin_structure_factor as spin_structure_factor,
)
from .particles.held import (
    Measured as Measured,
    OverDisplacements as OverDisplacements,
    OverMomenta as OverMomenta,
)
from .particles.one_body import (
    momentum_distribution as momentum_distribution,
    one_body_density_matrix as one_body_density_matrix,
)
from .particles.pairing import pairing_correlations as pairing_correlations
from .products_apart import connected as connected
from .strings import string_operator as string_operator, wilson_loop as wilson_loop
from .structure import structure_factor as structure_factor
from .zero_variance import Extrapolated as Extrapolated, at_zero_variance as at_zero_variance
