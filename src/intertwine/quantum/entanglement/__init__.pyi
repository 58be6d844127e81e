from .chord_fit import CentralCharge as CentralCharge, central_charge as central_charge
from .entropies import (
    mutual_information as mutual_information,
    reduced_density_matrix as reduced_density_matrix,
    renyi as renyi,
    spectrum as spectrum,
    von_neumann as von_neumann,
)
from .entropy_scan import EntropyCurve as EntropyCurve, EntropyScan as EntropyScan, scan as scan
from .partial_transpose import negativity as negativity
from .replica_matrix import SampledSpectrum as SampledSpectrum, sampled_spectrum as sampled_spectrum
from .sampled_entropy import SampledEntropy as SampledEntropy
from .second_renyi import renyi2 as renyi2
from .stabilisers.exact_machines import (
    css_state as css_state,
    graph_state as graph_state,
    toric_code as toric_code,
    volume_law_state as volume_law_state,
)
from .stabilisers.stabilisers import (
    Stabilisers as Stabilisers,
    css_stabilisers as css_stabilisers,
    graph_stabilisers as graph_stabilisers,
    stabiliser_entropy as stabiliser_entropy,
    toric_code_checks as toric_code_checks,
    toric_code_stabilisers as toric_code_stabilisers,
)
from .structure.bound import EntropyBound as EntropyBound, bound as bound
from .structure.level_statistics import GapRatio as GapRatio, gap_ratio as gap_ratio
from .topological_entropy import TopologicalEntropy as TopologicalEntropy, topological as topological
from .vectors import StateVector as StateVector, state_vector as state_vector
