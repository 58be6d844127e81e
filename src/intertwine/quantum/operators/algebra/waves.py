r"""Operators of a momentum q.

    c_q = N^{−1/2} Σ_j e^{−iq·r_j} c_j            n_q = c†_q c_q = N^{−1} Σ_{jl} e^{iq·(r_j − r_l)} c†_j c_l
    ρ_q = N^{−1/2} Σ_j e^{−iq·r_j} n_j            S^z_q = N^{−1/2} Σ_j e^{−iq·r_j} S^z_j

so that ⟨ρ†_q ρ_q⟩ is the structure factor of the density. q: d numbers, as the rows of `lattice.momenta`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import assembled, checked_space
from intertwine.quantum.operators.algebra.modes import Species, lowering
from intertwine.quantum.operators.algebra.spins import modes_of_spin, spin_matrices
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def momentum_number(space: HilbertSpace, q: ArrayLike, species: Species = None) -> QuantumOperator:
    """n_q of one species of particles.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> np.linalg.eigvalsh(momentum_number(Fermions(Chain(4), 1), [0.0]).to_dense())[-1].round(12)
    np.float64(1.0)
    """
    modes = _modes(space, species)
    phases = _phases(space, q, len(modes))
    b = lowering(space.levels[modes[0]])
    i, j = np.triu_indices(len(modes), 1)
    factors = phases[i].conj() * phases[j]
    pairs = np.stack([modes[i], modes[j]], axis=1)
    hop = np.kron(b.T, b)
    parts = [
        (hop, pairs, factors),
        (hop.T, pairs, factors.conj()),
        (b.T @ b, modes[:, None], np.abs(phases) ** 2),
    ]
    return assembled(space, parts)


def density_wave(space: HilbertSpace, q: ArrayLike, species: Species = None) -> QuantumOperator:
    """ρ_q of one species, or of all that there are at a site where none is named.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> wave = density_wave(Fermions(Chain(2)), [np.pi])
    >>> wave.to_dense().diagonal().real.round(3).tolist()
    [0.0, -0.707, 0.707, 0.0]
    """
    checked_space(space)
    groups = [_modes(space, species)] if species is not None else [np.array(g) for _, g in space.species]
    parts = []
    for modes in groups:
        count = np.diag(np.arange(float(space.levels[modes[0]])))
        parts.append((count, modes[:, None], _phases(space, q, len(modes))))
    return assembled(space, parts)


def spin_wave(space: HilbertSpace, q: ArrayLike, species: Species = None) -> QuantumOperator:
    """S^z_q, of spins or of electrons as `spin_z` says.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> from intertwine.spaces.lattices import Chain
    >>> spin_wave(Spins(Chain(2)), [0.0]).to_dense().diagonal().real.round(3).tolist()
    [0.707, 0.0, 0.0, -0.707]
    """
    checked_space(space)
    spins = np.array([modes_of_spin(space, i, species) for i in range(space.sites)])
    along = spin_matrices(space, tuple(spins[0]))["z"]
    return assembled(space, [(along, spins, _phases(space, q, len(spins)))])


def _modes(space: HilbertSpace, species: Species) -> np.ndarray:
    first = checked_space(space).mode(0, species)
    return np.array(next(group for _, group in space.species if first == group[0]))


def _phases(space: HilbertSpace, q: ArrayLike, count: int) -> np.ndarray:
    """N^{−1/2} e^{−iq·r_j}, complex (N,)."""
    positions = getattr(space.place, "positions", None)
    if positions is None or len(positions) != count:
        raise fail("space", "one on a lattice, or on a graph with positions", space)
    d = positions.shape[1]
    try:
        wave = np.asarray(q, float)
    except (TypeError, ValueError):
        wave = np.full(1, np.nan)
    if wave.shape != (d,) or not np.all(np.isfinite(wave)):
        raise fail("q", f"{d} real numbers, as a row of lattice.momenta", q)
    return np.exp(-1j * positions @ wave) / np.sqrt(count)
