r"""What a ground-state run says of its state besides the energy, from its last configurations.

    total_z           ⟨Σ_i Z_i⟩
    total_z_squared   ⟨(Σ_i Z_i)²⟩; 0, without an error, where the moves keep Σ_i s_i = 0
    zz_neighbours     ⟨Z_i Z_j⟩, the mean over the nearest-neighbour bonds, where there are any

Diagonal in the configurations, so that no rotation about z changes them. Host code in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


def observables(
    lattice: Lattice, configurations: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, dict[str, float]]:
    """The observables of `configurations`, int8 (chains, draws, N), as in result.json: name → mean, error,
    tau, r_hat. weights: None, or (chains, draws) numbers that sum to 1 (exact sums).

    >>> from intertwine.spaces.lattices import Chain
    >>> neel = np.tile(np.array([1, -1, 1, -1], np.int8), (2, 8, 1))
    >>> {name: row["mean"] for name, row in observables(Chain(4), neel).items()}
    {'total_z': 0.0, 'total_z_squared': 0.0, 'zz_neighbours': -1.0}
    """
    total = configurations.sum(axis=-1, dtype=np.int64).astype(np.float64)
    values = {"total_z": total, "total_z_squared": total**2}
    bonds = np.asarray(lattice.bonds()).reshape(-1, 2)
    if len(bonds):
        products = np.zeros(total.shape)
        for i, j in bonds:  # a bond at a time: memory for one number a configuration
            products += configurations[..., i] * configurations[..., j]
        values["zz_neighbours"] = products / len(bonds)
    return {name: _numbers(estimate(column, weights)) for name, column in values.items()}


def _numbers(found: Estimate) -> dict[str, float]:
    return {name: float(getattr(found, name)) for name in ("mean", "error", "tau", "r_hat")}
