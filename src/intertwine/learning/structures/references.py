r"""Reference energies and the scale of energies: what is taken off before a network learns.

    E_s ≈ Σ_i e(element of i)          least squares over the structures, the smallest e where several fit
    scale = rms of a component of the forces, in eV/Å, times 1 Å; without forces the rms of (E_s − Σ e)/√n_s

The energy of a point that the network says counts in this scale, so that forces have the size 1 (Batzner et
al., Nature Communications 13, 2453 (2022)).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.targets import ENERGY, FORCES


def counts_of(structures: Structures, elements: tuple[int, ...]) -> Float[np.ndarray, "S elements"]:
    """How many points of each element every structure has."""
    place = np.minimum(np.searchsorted(np.array(elements), structures.species), len(elements) - 1)
    known = np.array(elements)[place] == structures.species
    found = np.zeros((len(structures), len(elements)))
    np.add.at(found, (structures.structure[known], place[known]), 1.0)
    return found


def reference_energies(structures: Structures, elements: tuple[int, ...]) -> Float[np.ndarray, " elements"]:
    """e of each element, in the unit of the energies; zeros without energies.

    >>> molecules, energies = [["H", "O"], ["H", "H", "O"]], [-3.0, -4.0]
    >>> two = Structures.of([np.eye(3)[:2], np.eye(3)], molecules, values={"energy": energies})
    >>> reference_energies(two, (1, 8)).round(12).tolist()
    [-1.0, -2.0]
    """
    if ENERGY not in structures.values:
        return np.zeros(len(elements))
    energies = np.asarray(structures.values[ENERGY], float)
    known = np.isfinite(energies)
    if not known.any():
        return np.zeros(len(elements))
    counts = counts_of(structures, elements)[known]
    share = 1 / counts.sum(1, keepdims=True)  # structures of any size count alike
    return np.linalg.lstsq(counts * share, energies[known] * share[:, 0], rcond=1e-8)[0]


def energy_scale(structures: Structures, elements: tuple[int, ...], references: np.ndarray) -> float:
    """The scale, in the unit of the energies."""
    if FORCES in structures.values:
        forces = np.asarray(structures.values[FORCES], float)
        size = float(np.sqrt(np.nanmean(forces**2))) if np.isfinite(forces).any() else 0.0
        if size > 0:
            return size
    if ENERGY not in structures.values:
        return 1.0
    rest = np.asarray(structures.values[ENERGY], float) - counts_of(structures, elements) @ references
    rest = rest[np.isfinite(rest)] / np.sqrt(structures.sizes[np.isfinite(rest)])
    size = float(np.sqrt((rest**2).mean())) if rest.size else 0.0
    return size if size > 1e-12 else 1.0
