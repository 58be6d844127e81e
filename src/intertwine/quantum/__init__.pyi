from . import (
    circuits as circuits,
    dynamics as dynamics,
    entanglement as entanglement,
    exact as exact,
    observables as observables,
    operators as operators,
    vmc as vmc,
)
from .dynamics.correlations import (
    correlators as correlators,
    dynamic_structure_factor as dynamic_structure_factor,
    light_cone as light_cone,
    loschmidt_echo as loschmidt_echo,
    two_time as two_time,
)
from .dynamics.evolution import Evolution as Evolution
from .dynamics.evolve import evolution as evolution, evolve as evolve
from .dynamics.local_unitary import locally_turned as locally_turned
from .dynamics.network_correlations import (
    TwoTimes as TwoTimes,
    two_time_correlations as two_time_correlations,
)
from .dynamics.starts import product_infidelity as product_infidelity, product_state as product_state
from .dynamics.trajectory import Trajectory as Trajectory
from .imaginary_time.network import PathIntegral as PathIntegral, path_integral as path_integral
from .operators.hamiltonians import (
    bose_hubbard as bose_hubbard,
    heisenberg as heisenberg,
    hubbard as hubbard,
    j1j2 as j1j2,
    kitaev as kitaev,
    rydberg as rydberg,
    tfim as tfim,
    toric as toric,
    toric_code as toric_code,
    tv as tv,
    xxz as xxz,
    xyz as xyz,
)
from .operators.operator import Operator as Operator
from .vmc.excited import lowest_in_sector as lowest_in_sector
from .vmc.expect import expect as expect
from .vmc.ground_state import ground_state as ground_state
from .vmc.search import GroundStateRun as GroundStateRun, GroundStateSearch as GroundStateSearch
