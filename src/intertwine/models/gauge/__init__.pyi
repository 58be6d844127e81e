from .charge import topological_charge as topological_charge
from .dual_spins import domain_walls as domain_walls, of_dual_spins as of_dual_spins
from .exact_plane import (
    plane_loop as plane_loop,
    plane_plaquette as plane_plaquette,
    plane_topological_susceptibility as plane_topological_susceptibility,
)
from .loop_rbm import (
    LoopGCNN as LoopGCNN,
    LoopRBM as LoopRBM,
    LoopTable as LoopTable,
    of_loops as of_loops,
)
from .loops import (
    path as path,
    plaquette as plaquette,
    plaquettes as plaquettes,
    polyakov_loop as polyakov_loop,
    polyakov_loops as polyakov_loops,
    staples as staples,
    wilson_loop as wilson_loop,
    wilson_loops as wilson_loops,
)
from .wilson_action import Gauge as Gauge
