"""Exact diagonalization in symmetry sectors, and what is known exactly.

ground_energy, ground_state, spectrum    Lanczos in sectors (`sector`, `basis`, `kernels`, `lanczos`,
`solve`) known_energy                             closed forms and the literature (`closed_forms`,
`known`)
"""

from intertwine.quantum.exact.known import KnownEnergy, known_energy
from intertwine.quantum.exact.lanczos import NotConverged
from intertwine.quantum.exact.sector import Sector, complete_sectors
from intertwine.quantum.exact.solve import ground_energy, ground_state, spectrum

__all__ = [
    "KnownEnergy",
    "NotConverged",
    "Sector",
    "complete_sectors",
    "ground_energy",
    "ground_state",
    "known_energy",
    "spectrum",
]
