r"""Numbers of a whole system: particles, magnetization, the squares of the total and of the staggered spin.

S² = (Σ_i S_i)²          of eigenvalue S(S + 1)          M_s² = (Σ_i ε_i S_i)² / N², ε_i = ±1 by sublattice
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import Part, assembled, checked_space
from intertwine.quantum.operators.algebra.modes import Species
from intertwine.quantum.operators.algebra.spins import modes_of_spin, spin_matrices
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def total_number(space: HilbertSpace, species: Species = None) -> QuantumOperator:
    """Σ n of all modes, or of those of one species.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> total_number(Fermions(2, spin=True), "up").to_dense().diagonal()[::4].tolist()
    [0.0, 1.0, 1.0, 2.0]
    """
    checked_space(space)
    modes = list(range(space.size))
    if species is not None:
        first = space.mode(0, species)
        modes = list(next(group for _, group in space.species if first == group[0]))
    levels = sorted({space.levels[m] for m in modes})
    parts = []
    for d in levels:
        mine = np.array([m for m in modes if space.levels[m] == d])[:, None]
        parts.append((np.diag(np.arange(float(d))), mine, np.ones(len(mine))))
    return assembled(space, parts)


def magnetization(space: HilbertSpace, species: Species = None) -> QuantumOperator:
    """Σ_i S^z_i, of spins or of electrons (of both, or one of them, as `spin_z` says).

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> magnetization(Spins(2)).to_dense().diagonal().tolist()
    [1.0, 0.0, 0.0, -1.0]
    """
    spins = _spins(space, species)
    along = spin_matrices(space, tuple(spins[0]))["z"]
    return assembled(space, [(along, spins, np.ones(len(spins)))])


def total_spin_squared(space: HilbertSpace, species: Species = None) -> QuantumOperator:
    """S² = (Σ_i S_i)², of eigenvalue S(S + 1).

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> np.linalg.eigvalsh(total_spin_squared(Spins(2)).to_dense()).round(12).tolist()
    [0.0, 2.0, 2.0, 2.0]
    """
    spins = _spins(space, species)
    return _squared(space, spins, np.ones(len(spins)))


def staggered_magnetization_squared(
    space: HilbertSpace, signs: Shaped[np.ndarray, " N"] | None = None, species: Species = None
) -> QuantumOperator:
    """M_s² = (Σ_i ε_i S_i)²/N², the order parameter of an antiferromagnet.

    signs: ε_i = ±1 of each site; None: the sublattices of the place, which must be bipartite.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> from intertwine.spaces.lattices import Chain
    >>> np.linalg.eigvalsh(staggered_magnetization_squared(Spins(Chain(2))).to_dense()).round(12).tolist()
    [0.25, 0.25, 0.25, 0.75]
    """
    spins = _spins(space, species)
    if signs is None:
        if not hasattr(space.place, "sublattices"):
            raise fail("signs", f"±1 for each of {len(spins)} sites", None, "the space has no lattice")
        signs = np.asarray(space.place.sublattices())
    given = np.asarray(signs)
    if given.shape != (len(spins),) or not np.all(np.abs(given) == 1):
        raise fail("signs", f"±1 for each of {len(spins)} sites", signs)
    return _squared(space, spins, given.astype(float)) / len(spins) ** 2


def _spins(space: HilbertSpace, species: Species) -> np.ndarray:
    """The modes of every spin, (N, 1) or (N, 2)."""
    checked_space(space)
    first = modes_of_spin(space, 0, species)
    count = next(len(group) for _, group in space.species if first[0] == group[0])
    return np.array([modes_of_spin(space, i, species) for i in range(count)])


def _squared(space: HilbertSpace, spins: np.ndarray, weights: np.ndarray) -> QuantumOperator:
    """(Σ_i w_i S_i)²."""
    s = spin_matrices(space, tuple(spins[0]))
    flip = np.kron(s["+"], s["-"]) / 2
    i, j = np.triu_indices(len(spins), 1)
    pairs = np.concatenate([spins[i], spins[j]], axis=1)
    own = (s["+"] @ s["-"] + s["-"] @ s["+"]) / 2 + s["z"] @ s["z"]
    parts: list[Part] = [(np.asarray(own), spins, weights**2)]
    parts.append((np.kron(s["z"], s["z"]) + flip + flip.T, pairs, 2 * weights[i] * weights[j]))
    return assembled(space, parts)
