from .lattice import Lattice as Lattice
from .lattices import (
    Chain as Chain,
    Cubic as Cubic,
    Honeycomb as Honeycomb,
    Kagome as Kagome,
    Square as Square,
    Triangular as Triangular,
    lattice_from_name as lattice_from_name,
)
