from .chord_fit import CentralCharge as CentralCharge, central_charge as central_charge
from .entropies import (
    mutual_information as mutual_information,
    reduced_density_matrix as reduced_density_matrix,
    renyi as renyi,
    spectrum as spectrum,
    von_neumann as von_neumann,
)
from .partial_transpose import negativity as negativity
from .replica_matrix import SampledSpectrum as SampledSpectrum, sampled_spectrum as sampled_spectrum
from .sampled_entropy import SampledEntropy as SampledEntropy
from .second_renyi import renyi2 as renyi2
from .structure.bound import EntropyBound as EntropyBound, bound as bound
from .topological_entropy import TopologicalEntropy as TopologicalEntropy, topological as topological
from .vectors import StateVector as StateVector, state_vector as state_vector
