"""Spaces: where configurations live, with their symmetry."""

from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import (
    Chain,
    Cubic,
    Honeycomb,
    Kagome,
    Square,
    Triangular,
    lattice_from_name,
)

__all__ = ["Chain", "Cubic", "Honeycomb", "Kagome", "Lattice", "Square", "Triangular", "lattice_from_name"]
