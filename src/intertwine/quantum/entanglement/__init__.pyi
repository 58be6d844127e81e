from .entropies import (
    mutual_information as mutual_information,
    reduced_density_matrix as reduced_density_matrix,
    renyi as renyi,
    spectrum as spectrum,
    von_neumann as von_neumann,
)
from .partial_transpose import negativity as negativity
from .sampled_entropy import SampledEntropy as SampledEntropy
from .swap_estimator import renyi2 as renyi2
from .vectors import StateVector as StateVector, state_vector as state_vector
