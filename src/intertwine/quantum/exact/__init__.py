"""Exact diagonalization in symmetry sectors, and what is known exactly.

ground_energy, ground_state, spectrum    Lanczos in sectors (`sector`, `basis`, `lanczos`, `solve`),
                                         of electrons, bosons, constraints, any space by `hilbert`
levels                                   the lowest levels with momentum, irrep, spin flip and total spin
known_energy                             closed forms and the literature (`closed_forms`, `known`)
evolve, trajectory, product_vector       a state vector in time, also under H(t), with its error (`evolution`,
                                         `krylov`, `driven`, `product`)
IsingRing, ramped_ising_ring             the Ising ring in time at any length (`free_fermions`)
"""

from intertwine.quantum.exact.evolution import ExactTrajectory, evolve, trajectory
from intertwine.quantum.exact.free_fermions import FermionState, IsingRing, ramped_ising_ring
from intertwine.quantum.exact.hilbert.labelled import Level, levels
from intertwine.quantum.exact.known import KnownEnergy, known_energy
from intertwine.quantum.exact.lanczos import NotConverged
from intertwine.quantum.exact.product import product_vector
from intertwine.quantum.exact.sector import Sector, complete_sectors
from intertwine.quantum.exact.solve import ground_energy, ground_state, spectrum

__all__ = [
    "ExactTrajectory",
    "FermionState",
    "IsingRing",
    "KnownEnergy",
    "Level",
    "NotConverged",
    "Sector",
    "complete_sectors",
    "evolve",
    "ground_energy",
    "ground_state",
    "known_energy",
    "levels",
    "product_vector",
    "ramped_ising_ring",
    "spectrum",
    "trajectory",
]
