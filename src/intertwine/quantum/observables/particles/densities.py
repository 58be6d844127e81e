r"""Densities, and structure factors of densities and of spins.

    n_j = Σ_σ ⟨n_jσ⟩        N(q) = (1/L) ⟨|Σ_j e^{−iq·r_j} (n_j − ⟨n_j⟩)|²⟩
                            S(q) = (1/L) ⟨|Σ_j e^{−iq·r_j} S^z_j|²⟩

S^z = (n↑ − n↓)/2 for electrons, s − n for spins (level n). At a density of one kind of position,
(1/n_momenta) Σ_q N(q) is the mean of ⟨n_j²⟩ − ⟨n_j⟩².
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.quantum.observables.correlations import Correlations, products_by_displacement
from intertwine.quantum.observables.particles.held import Held, Measured, Values, held
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


def densities(
    state: PyTree,
    space: HilbertSpace | None = None,
    species: str | None = None,
    samples: int = 4096,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> Measured:
    """⟨n_j⟩ of every site, float64 (L,), of one species or (None) of all together.

    state: a vector over `space.configurations()` (as `it.exact.ground_state` gives), then no key is needed;
    or a model or run, which is sampled in its space. space: needed for vectors. samples, key, sampler: as of
    `it.expect`.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(3, pbc=False), (1, 1))
    >>> energy, psi = it.exact.ground_state(it.hubbard(space))
    >>> densities(psi, space).mean.round(6).tolist()
    [0.633333, 0.733333, 0.633333]
    """
    one = held(state, space, samples, key, sampler)
    return one.measured(_densities(one.space, species))


def density_structure_factor(
    state: PyTree,
    space: HilbertSpace | None = None,
    samples: int = 4096,
    *,
    connected: bool = True,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> Correlations:
    """N(q) of the momenta, and ⟨n_i n_j⟩ of the displacements of the lattice, with error bars.

    connected: without ⟨n_i⟩⟨n_j⟩. Other arguments as of `densities`; the space has a lattice.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(4), 2)
    >>> energy, psi = it.exact.ground_state(it.tv(space, V=0.0, twist=3.141592653589793))
    >>> density_structure_factor(psi, space).structure_factor.round(6).tolist()     # free: |q|/2π
    [0.0, 0.25, 0.5, 0.25]
    """
    one = held(state, space, samples, key, sampler)
    values = _densities(one.space, None)
    mean = one.measured(values).mean if connected else np.zeros(one.space.sites)
    return _structure(one, lambda rows: values(rows) - mean[:, None])


def spin_structure_factor(
    state: PyTree,
    space: HilbertSpace | None = None,
    samples: int = 4096,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> Correlations:
    """S(q) of the momenta, and ⟨S^z_i S^z_j⟩ of the displacements of the lattice, with error bars; S, not
    Pauli matrices. Arguments as of `densities`; the space is one of spins or electrons with a lattice.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(4), (1, 1))
    >>> energy, psi = it.exact.ground_state(it.hubbard(space, U=0.0))
    >>> spin_structure_factor(psi, space).structure_factor.round(6).tolist()
    [0.0, 0.125, 0.125, 0.125]
    """
    one = held(state, space, samples, key, sampler)
    return _structure(one, _spins(one.space))


def _structure(one: Held, field: Values) -> Correlations:
    lattice = one.place
    index = np.asarray(lattice.displacement_index)
    momenta = np.asarray(lattice.momenta, dtype=np.float64)
    phases = np.exp(-1j * np.asarray(lattice.positions, dtype=np.float64) @ momenta.T)
    C = int(index.max()) + 1

    def values(rows: np.ndarray) -> np.ndarray:
        x = field(rows).T
        power = np.abs(x @ phases) ** 2 / x.shape[1]
        return np.concatenate([products_by_displacement(x, index), power], axis=1).T

    found = one.measured(values)
    displacement = np.asarray(lattice.displacements, dtype=np.float64)
    return Correlations(
        displacement, found.mean[:C], found.error[:C], momenta, found.mean[C:], found.error[C:]
    )


def species_modes(space: HilbertSpace, species: str | None) -> list[np.ndarray]:
    """The modes of each site (L,), of one species or of all that have one on every site."""
    names = [name for name, _ in space.species]
    if species is not None and species not in names:
        raise fail("species", f"None, or one of {', '.join(n for n in names if n)}", species)
    own = [
        np.array(modes)
        for name, modes in space.species
        if (species is None or name == species) and len(modes) == space.sites
    ]
    if not own:
        raise fail("space", "one with a mode of the species on every site", space)
    return own


def _densities(space: HilbertSpace, species: str | None) -> Values:
    modes: Any = species_modes(space, species)

    def values(rows: np.ndarray) -> np.ndarray:
        levels = space.levels_of(rows)
        return np.sum([levels[:, m] for m in modes], axis=0).T.astype(np.float64)

    return values


def _spins(space: HilbertSpace) -> Values:
    names = [name for name, _ in space.species]
    if "up" in names and "down" in names:
        up, down = (list(dict(space.species)[name]) for name in ("up", "down"))

        def electrons(rows: np.ndarray) -> np.ndarray:
            levels = space.levels_of(rows)
            return (levels[:, up] - levels[:, down]).T / 2

        return electrons
    if space.kind != "spins":
        raise fail("space", "one of spins or of electrons", space)
    s = (np.array(space.levels) - 1) / 2
    return lambda rows: (s - space.levels_of(rows)).T
