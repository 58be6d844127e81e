r"""Spin correlations and structure factor from configurations, with error bars.

    C(r) = ⟨s_i s_j⟩ averaged over the pairs with r_j − r_i = r (translates of each other)
    S(q) = (1/N) ⟨|Σ_j e^{−iq·r_j} s_j|²⟩

s = ±1 are eigenvalues of Z (a Marshall rotation leaves them as they are). Host code in float64.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine.sampling.statistics.estimate import estimate

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

MAX_PRODUCTS = 2_000_000_000
MAX_KEPT = 200_000_000
_BLOCK = 16_000_000


class Correlations(NamedTuple):
    """displacement (C, d), correlation and error (C,); momentum (Q, d), structure factor and error (Q,)."""

    displacement: np.ndarray
    correlation: np.ndarray
    correlation_error: np.ndarray
    momentum: np.ndarray
    structure_factor: np.ndarray
    structure_factor_error: np.ndarray


def correlations(
    lattice: Lattice, configurations: np.ndarray, weights: np.ndarray | None = None
) -> Correlations:
    """Correlations of `configurations`, int8 (chains, draws, N), spins ±1, on `lattice`.

    weights: None, or (chains, draws) numbers that sum to 1 (exact sums). Where samples times pairs exceed two
    thousand million, or samples times displacements a tenth of that, C(r) is taken from every k-th draw.

    >>> from intertwine.spaces.lattices import Chain
    >>> neel = np.tile(np.array([1, -1, 1, -1], np.int8), (2, 8, 1))
    >>> found = correlations(Chain(4), neel)
    >>> found.correlation, found.structure_factor.round(12)
    (array([ 1., -1.,  1., -1.]), array([0., 0., 4., 0.]))
    """
    chains, draws, N = configurations.shape
    index = np.asarray(lattice.displacement_index)
    work = max(N * N / MAX_PRODUCTS, (int(index.max()) + 1) / MAX_KEPT)
    stride = 1 if weights is not None else max(1, ceil(chains * draws * work))
    thinned = configurations[:, ::stride].reshape(-1, N)
    products = products_by_displacement(thinned, index)
    correlation, correlation_error = _means(products.reshape(chains, -1, products.shape[-1]), weights)
    momenta = np.asarray(lattice.momenta, dtype=np.float64)
    phases = np.exp(-1j * np.asarray(lattice.positions, dtype=np.float64) @ momenta.T)
    power = np.stack([np.abs(chain.astype(np.float64) @ phases) ** 2 / N for chain in configurations])
    factor, factor_error = _means(power, weights)
    displacement = np.asarray(lattice.displacements, dtype=np.float64)
    return Correlations(displacement, correlation, correlation_error, momenta, factor, factor_error)


def products_by_displacement(samples: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(S, C): for each sample the mean of s_i s_j over the pairs of each displacement class."""
    S, N = samples.shape
    order = np.argsort(index, axis=None, kind="stable")
    first, second = order // N, order % N
    counts = np.bincount(index.ravel())
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    out = np.empty((S, len(counts)))
    dtype = np.int32 if np.issubdtype(samples.dtype, np.integer) else np.float64
    block = max(1, _BLOCK // index.size)
    for begin in range(0, S, block):
        part = samples[begin : begin + block]
        products = part[:, first] * part[:, second]
        out[begin : begin + block] = np.add.reduceat(products, starts, axis=1, dtype=dtype)
    return out / counts


def _means(values: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and error, over (chains, draws), of each column."""
    estimates = [estimate(values[:, :, k], weights) for k in range(values.shape[2])]
    return np.array([float(e.mean) for e in estimates]), np.array([float(e.error) for e in estimates])
