r"""Hamiltonians by name (total energies), each bond once.

    tfim         −J Σ Z_i Z_j − h Σ X_i                                                spins, Pauli matrices
    heisenberg   J Σ σ_i · σ_j             xxz, xyz, j1j2 likewise; σ for spins ½, S for larger ones
    kitaev       −Σ K_γ σ^γ_i σ^γ_j, γ = x, y, z by the direction of the bond
    toric        −Σ_v Π X_l − Σ_p Π Z_l                                                spins on links
    hubbard      −t Σ (c†_iσ c_jσ + h.c.) + U Σ n_i↑ n_i↓                              electrons
    tv           −t Σ (c†_i c_j + h.c.) + V Σ n_i n_j                                  fermions without spin
    bose_hubbard −J Σ (b†_i b_j + h.c.) + U/2 Σ n_i (n_i − 1)                          bosons
    rydberg      −Ω/2 Σ X_i − Δ Σ n_i, between the projectors of the blockade          atoms

Couplings are numbers or arrays: one for each bond in the order of `lattice.bonds()`, or for each site
(disorder). Where a graph has weights, the coupling of bonds that is one number (J, J1, K, Jx, Jy, Jz of
spins, the hopping t or J of particles) is multiplied by the weight of each bond; an array stands for itself.
Open boundaries are those of the lattice; `twist` is the phase of a particle that goes around a periodic
direction.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
