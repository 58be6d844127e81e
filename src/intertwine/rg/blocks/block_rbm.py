r"""The block RBM: one hidden spin per block of b^d spins, all weights w.

    p(h_B = 1 | v) = 1 / (1 + e^{−2 w Σ_{i∈B} v_i}),    T(v, h) = ln p(h|v)

As w grows it becomes the majority rule with random ties.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.rg.blocks.blocks import block_sites
from intertwine.spaces.lattice import Lattice


def block_rbm(lattice: Lattice, b: int = 2, w: float = 1.0) -> RBM:
    """The RBM of spins with weight w from each block's hidden unit to the block's b^d spins; no biases.

    Raises InputError where blocks do not tile the lattice, and for a weight that is no finite number.

    >>> from intertwine.spaces.lattices import Square
    >>> block_rbm(Square(4, 4)).weights.shape
    (16, 4)
    """
    if isinstance(w, bool) or not isinstance(w, int | float | np.floating) or not math.isfinite(w):
        raise fail("w", "a finite number", w)
    sites = block_sites(lattice, b)
    weights = np.zeros((lattice.size, len(sites)))
    weights[sites, np.arange(len(sites))[:, None]] = w
    return RBM.from_parameters(jnp.zeros(lattice.size), jnp.zeros(len(sites)), jnp.asarray(weights))
