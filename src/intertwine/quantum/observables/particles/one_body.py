r"""The one-body density matrix and the momentum distribution.

    ρ_ij = ⟨c†_i c_j⟩,      n_k = (1/L) Σ_ij e^{ik·(r_i − r_j)} ρ_ij

of fermions or bosons. Tr ρ is the number of particles and, with one site in a cell, Σ_k n_k too; free
fermions have n_k = 1 or 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.quantum.observables.particles.densities import species_modes
from intertwine.quantum.observables.particles.held import Held, Measured, OverMomenta, Values, held
from intertwine.quantum.operators.algebra.local import local
from intertwine.quantum.operators.algebra.modes import lowering
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


def one_body_density_matrix(
    state: PyTree,
    space: HilbertSpace | None = None,
    species: str | None = None,
    samples: int = 4096,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> Measured:
    """⟨c†_i c_j⟩ between all sites, complex (L, L), Hermitian, of one species or (None) summed over all, with
    error bars. Arguments as of `densities`; the space is one of particles.

    >>> import intertwine as it
    >>> space = it.Bosons(it.Chain(4), 2)
    >>> energy, psi = it.exact.ground_state(it.bose_hubbard(space, U=0.0))
    >>> one_body_density_matrix(psi, space).mean.real.round(6).tolist()[0]      # all in one orbital
    [0.5, 0.5, 0.5, 0.5]
    """
    one = held(state, space, samples, key, sampler)
    return one.measured(_hermitian(one, species), real=False)


def momentum_distribution(
    state: PyTree,
    space: HilbertSpace | None = None,
    species: str | None = None,
    samples: int = 4096,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> OverMomenta:
    """n_k of the momenta of the lattice, of one species or (None) summed over all, with error bars.

    Arguments as of `densities`; the space is one of particles with a lattice.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(6), 3)
    >>> energy, psi = it.exact.ground_state(it.tv(space, V=0.0))
    >>> np.abs(momentum_distribution(psi, space).mean).round(6).tolist()       # k = 0, π/3, 2π/3, …
    [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """
    one = held(state, space, samples, key, sampler)
    momenta = np.asarray(one.place.momenta, dtype=np.float64)
    waves = np.exp(1j * np.asarray(one.place.positions, dtype=np.float64) @ momenta.T)
    elements = _hermitian(one, species)
    L = len(waves)

    def values(rows: np.ndarray) -> np.ndarray:
        return np.real(np.einsum("iq,ijn,jq->qn", waves, elements(rows), waves.conj(), optimize=True)) / L

    return OverMomenta(momenta, *one.measured(values))


def _hermitian(one: Held, species: str | None) -> Values:
    """The local values of c†_i c_j, (L, L, n), made Hermitian: (a_ij + a_ji*)/2."""
    space = one.space
    if space.kind == "spins":
        raise fail("space", "one of particles", space, "spins have spin_structure_factor")
    groups = species_modes(space, species)
    pairs = [(i, j) for i in range(space.sites) for j in range(space.sites) if i != j]
    i, j = np.array(pairs).T if pairs else np.zeros((2, 0), int)
    parts = []
    for modes in groups:
        d = space.levels[int(modes[0])]
        hop = np.kron(lowering(d).T, lowering(d))
        parts.append(one.local([local(space, hop, (int(modes[a]), int(modes[b]))) for a, b in pairs]))

    def values(rows: np.ndarray) -> np.ndarray:
        out = np.zeros((space.sites, space.sites, len(rows)), complex)
        for part in parts:
            found = part(rows)
            out[i, j] += found / 2
            out[j, i] += found.conj() / 2
        levels = space.levels_of(rows)
        diagonal = np.arange(space.sites)
        out[diagonal, diagonal] = np.sum([levels[:, modes] for modes in groups], axis=0).T
        return out

    return values
