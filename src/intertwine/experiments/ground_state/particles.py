r"""What a ground-state run says of electrons, bosons, atoms and spins in a Hilbert space.

    density_j         ⟨n_j⟩ of each site (spins: ⟨S^z_j⟩)
    N(q), S(q)        (1/L) ⟨|Σ_j e^{−iq·r_j} (n_j − ⟨n_j⟩)|²⟩, and the same of S^z_j
    double            Σ_j ⟨n_j↑ n_j↓⟩/L of electrons; Σ_j ⟨n_j (n_j − 1)⟩/L of bosons

from the last configurations; n_k = ⟨c†_k c_k⟩ by local values. Host code in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from intertwine._checks import InputError
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.experiments.ground_state.build import Problem
    from intertwine.models.protocols import LogAmplitude
    from intertwine.quantum.operators.protocols import QuantumOperator
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

POSITIVE = "no sign problem: all off-diagonal elements are negative or 0, the ground state is positive"
_MOST_N_K, _SAMPLES = 64, 1024


class Field(NamedTuple):
    """Values with errors over "site" or "momentum". words: the quantity."""

    axis: str
    values: np.ndarray
    errors: np.ndarray
    words: str


def signs_in_words(operator: QuantumOperator) -> str:
    """What the off-diagonal elements say of the signs of the ground state.

    >>> import intertwine as it
    >>> signs_in_words(it.tfim(it.Chain(4)))
    'no sign problem: all off-diagonal elements are negative or 0, the ground state is positive'
    """
    if operator.is_stoquastic:
        return POSITIVE
    space = getattr(operator, "hilbert", None)
    if space is not None and space.has_fermions:
        return (
            "fermions: hops around one another change the sign, so that the ground state has signs; "
            "a determinant or another antisymmetric factor carries them"
        )
    if not operator.is_real:
        return "complex elements: the ground state has phases, which a complex wave function can have"
    return (
        "a sign problem: some off-diagonal elements are positive, so that the ground state may have signs, "
        "which a complex wave function can have"
    )


def space_in_words(space: HilbertSpace) -> str:
    """Particles, levels and constraints.

    >>> import intertwine as it
    >>> space_in_words(it.Fermions(it.Chain(4), (2, 1)))
    'electrons on 4 sites, particles up = 2, particles down = 1'
    >>> space_in_words(it.Bosons(4, 4, most=2))
    'bosons on 4 sites, particles = 4, at most 2 at a site'
    """
    inside = repr(space).partition("(")[2].rpartition(", dimension")[0]
    kind, _, rest = inside.partition(", ")
    sites, _, numbers = rest.partition(", ")
    words = f"{kind} on {sites}" + (f", {numbers}" if numbers else "")
    if space.kind == "bosons":
        return f"{words}, at most {max(space.levels) - 1} at a site"
    if space.kind == "spins" and not space.binary:
        return f"{words}, spin {(max(space.levels) - 1) / 2:g}"
    return words


def observables_in_space(
    lattice: Lattice, space: HilbertSpace, configurations: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, dict[str, float]]:
    """Totals over the lattice: name → mean, error, tau, r_hat. configurations: (chains, draws, N)."""
    density, spin, double = _by_site(space, configurations)
    values: dict[str, np.ndarray] = {}
    if spin is not None:
        values["total_spin_z"] = spin.sum(-1)
        values |= _neighbours("spin_z_neighbours", lattice, spin)
    if density is not None:
        values["particles"] = density.sum(-1)
        values |= _neighbours("density_neighbours", lattice, density)
    if double is not None:
        values["double_occupancy"] = double.mean(-1)
    return {name: _numbers(estimate(column, weights)) for name, column in values.items()}


def fields_in_space(
    lattice: Lattice, space: HilbertSpace, configurations: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, Field]:
    """Densities of the sites and structure factors over the momenta of the lattice."""
    density, spin, _ = _by_site(space, configurations)
    out: dict[str, Field] = {}
    if density is not None:
        out["density"] = Field("site", *_means(density, weights), "⟨n⟩ of each site")
    if spin is not None:
        out["spin_z"] = Field("site", *_means(spin, weights), "⟨S^z⟩ of each site")
    if not getattr(lattice, "dimension", 0):
        return out
    phases = np.exp(-1j * np.asarray(lattice.positions, float) @ np.asarray(lattice.momenta, float).T)
    if density is not None:
        apart = density - out["density"].values
        words = "density structure factor (1/L) ⟨|Σ_j exp(−iq·x_j) (n_j − ⟨n_j⟩)|²⟩"
        out["density_structure_factor"] = Field("momentum", *_means(_power(apart, phases), weights), words)
    if spin is not None:
        words = "spin structure factor (1/L) ⟨|Σ_j exp(−iq·x_j) S^z_j|²⟩"
        out["spin_structure_factor"] = Field("momentum", *_means(_power(spin, phases), weights), words)
    return out


def momentum_distribution(problem: Problem, model: LogAmplitude) -> dict[str, Field]:
    """n_k of each species of particles, where the lattice has momenta and is small; {} elsewhere."""
    space, lattice = problem.space, problem.lattice
    makes_sense = space is not None and space.kind in ("electrons", "fermions", "bosons")
    if not makes_sense or not any(getattr(lattice, "periodic", ())) or lattice.size > _MOST_N_K:
        return {}
    try:
        from intertwine.quantum.observables.particles.one_body import momentum_distribution as measured
    except ImportError:
        return {}
    key, out = jax.random.fold_in(problem.search.final_key, 1), {}
    for name, _ in space.species:  # type: ignore[union-attr]
        try:
            found: Any = measured(model, None, name or None, _SAMPLES, key=key)
        except (InputError, ValueError):
            return {}
        words = "⟨c†_k c_k⟩" + (f", spin {name}" if name else "")
        column = "momentum_distribution" + (f"_{name}" if name else "")
        out[column] = Field("momentum", np.real(found.mean), np.real(found.error), words)
    return out


def _by_site(
    space: HilbertSpace, configurations: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """(n_j, S^z_j, double occupancy) of each site, (chains, draws, L), None where there are none."""
    levels = space.levels_of(configurations).astype(np.float64)
    names = [name for name, _ in space.species]
    if names == ["up", "down"]:
        up, down = (levels[..., list(modes)] for _, modes in space.species)
        return up + down, (up - down) / 2, up * down
    if len(names) > 1:  # mixed systems: the levels of the first group
        levels = levels[..., list(space.species[0][1])]
    if space.kind == "spins":
        return None, (np.array(space.levels[: levels.shape[-1]]) - 1) / 2 - levels, None
    return levels, None, levels * (levels - 1) if space.kind == "bosons" else None


def _neighbours(name: str, lattice: Lattice, values: np.ndarray) -> dict[str, np.ndarray]:
    """The mean product over the bonds, by name; {} where there are none."""
    bonds = np.asarray(lattice.bonds()).reshape(-1, 2)
    if not len(bonds):
        return {}
    total = np.zeros(values.shape[:-1])
    for i, j in bonds:
        total += values[..., i] * values[..., j]
    return {name: total / len(bonds)}


def _power(values: np.ndarray, phases: np.ndarray) -> np.ndarray:
    return np.abs(values @ phases) ** 2 / values.shape[-1]


def _means(values: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    found = [estimate(values[:, :, k], weights) for k in range(values.shape[2])]
    return np.array([float(e.mean) for e in found]), np.array([float(e.error) for e in found])


def _numbers(found: Estimate) -> dict[str, float]:
    return {name: float(getattr(found, name)) for name in ("mean", "error", "tau", "r_hat")}
