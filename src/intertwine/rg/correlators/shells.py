r"""Products of all pairs of spins, averaged over shells of displacements.

    G(r) = (1/N) Σ_i s_i s_{i+r},     Σ_i s_i s_{i+r} = FT⁻¹ |FT s|²

one Fourier transform a configuration, padded along open directions; then the mean over all displacements of a
shell k − ½ ≤ r < k + ½ (in distances of nearest neighbours), whatever their direction. r of a shell is the
geometric mean of its distances. Shells end at half the shortest way around the torus.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False)
class Shells:
    """Displacements of a lattice by distance.

    distances: r of every shell, float64 (R,), in the unit of the lattice. counts: displacements in each.
    numbers: the shell of every displacement in the order of the transform, R for those beyond. weights: one
    over the pairs of each displacement and the displacements of its shell. padded: cells of the transform.
    side: twice the largest distance there may be, the shortest way around a torus.
    """

    lattice: Lattice
    distances: Float[np.ndarray, " R"]
    counts: Int64[np.ndarray, " R"]
    numbers: Int64[np.ndarray, " D"]
    weights: Float[np.ndarray, " D"]
    padded: tuple[int, ...]
    side: float

    @classmethod
    def of(cls, lattice: Lattice) -> Shells:
        """The shells of a lattice up to half the shortest way around it, or up to its side where it is open.

        >>> from intertwine.spaces.lattices import Chain
        >>> Shells.of(Chain(9)).distances
        array([1., 2., 3., 4.])
        """
        extent, periodic = np.array(lattice.extent), np.array(lattice.periodic)
        padded = np.where(periodic, extent, 2 * extent)
        cells = np.stack(np.meshgrid(*(np.arange(n) for n in padded), indexing="ij"), -1)
        folded = np.where(2 * cells > padded, cells - padded, cells).reshape(-1, len(extent))
        images = np.array(list(itertools.product(*((-1, 0, 1) if p else (0,) for p in periodic))))
        places = np.zeros((1, len(extent))) if lattice.site_offsets is None else lattice.site_offsets
        between = (places[None] - places[:, None]).reshape(-1, len(extent))  # of sites a, c of a cell
        apart = ((folded[:, None] + images * extent)[:, None] @ lattice.basis_vectors) + between[:, None]
        apart = np.linalg.norm(apart, axis=-1).min(-1)  # (cells, b²)
        pairs = np.prod(np.where(periodic, extent, np.maximum(extent - np.abs(folded), 0)), -1)
        pairs = np.broadcast_to(pairs[:, None], apart.shape)
        around = [n for n in images if n.any()]
        ways = [float(np.linalg.norm((n * extent) @ lattice.basis_vectors)) for n in around]
        sides = np.linalg.norm(lattice.basis_vectors, axis=1) * extent
        limit = min([w / 2 for w in ways] + [s / 2 for s, p in zip(sides, periodic, strict=True) if not p])
        unit = lattice.shell_distance() if lattice.shells else 1.0
        limit = float(limit)
        largest = max(int(limit / unit + 1e-9), 0)
        numbers = np.floor(apart / unit + 0.5 + 1e-9).astype(int) - 1
        inside = (numbers >= 0) & (numbers < largest) & (pairs > 0) & (apart <= limit * (1 + 1e-9))
        numbers = np.where(inside, numbers, largest).ravel()
        counts = np.bincount(numbers, minlength=largest + 1)[:largest]
        log_r = np.log(np.where(apart > 0, apart, 1.0)).ravel()
        summed = np.bincount(numbers, log_r, minlength=largest + 1)[:largest]
        share = 1 / (np.maximum(pairs.ravel(), 1) * np.append(np.maximum(counts, 1), 1)[numbers])
        distances = np.exp(summed / np.maximum(counts, 1))
        return cls(lattice, distances, counts, numbers, share, tuple(int(n) for n in padded), 2 * limit)

    def correlated(self, fields: Float[np.ndarray, "n N f"]) -> Float[np.ndarray, "n R"]:
        """G(r) of every configuration: Σ_f of the products of the components of pairs, averaged."""
        n, _, parts = fields.shape
        cells = len(self.padded)
        shaped = fields.reshape(n, *self.lattice.extent, self.lattice.basis_size, parts)
        axes = tuple(range(1, cells + 1))
        waves = np.fft.rfftn(shaped, self.padded, axes)
        power = np.einsum("n...af,n...cf->n...ac", waves.conj(), waves)
        found = np.fft.irfftn(power, self.padded, axes).reshape(n, -1)
        found *= self.weights
        shells = len(self.distances)
        return np.stack([np.bincount(self.numbers, row, minlength=shells + 1)[:shells] for row in found])
