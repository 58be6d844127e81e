from .graph.graph import Graph as Graph
from .hilbert.bounds import Bound as Bound
from .hilbert.hilbert_space import HilbertSpace as HilbertSpace
from .hilbert.kinds import (
    Bosons as Bosons,
    Dimers as Dimers,
    Fermions as Fermions,
    Qudits as Qudits,
    Rydberg as Rydberg,
    Spins as Spins,
)
from .lattice import Lattice as Lattice
from .lattices import (
    BCC as BCC,
    FCC as FCC,
    Chain as Chain,
    Cubic as Cubic,
    Diamond as Diamond,
    Honeycomb as Honeycomb,
    Hypercubic as Hypercubic,
    Kagome as Kagome,
    Ladder as Ladder,
    Lieb as Lieb,
    LinkSites as LinkSites,
    Pyrochlore as Pyrochlore,
    Shuriken as Shuriken,
    Square as Square,
    Triangular as Triangular,
    lattice_from_name as lattice_from_name,
)
from .links import Links as Links
from .mesh.coarse import coarser as coarser
from .mesh.mesh import Mesh as Mesh, mesh_from_name as mesh_from_name
from .names import NamedSpace as NamedSpace, space_from_name as space_from_name
from .points.cloud import Cloud as Cloud
from .points.gather import collected as collected, gathered as gathered
from .points.motions import Motion as Motion
from .points.points import Points as Points
from .points.radial import Radial as Radial
from .sphere.sphere import Sphere as Sphere
