"""Pair interactions as arrays: what transfer matrices and tensors are made of."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

Interaction = tuple[Float[np.ndarray, "q q"], Float[np.ndarray, " q"]]


def interaction(K: ArrayLike, field: ArrayLike = 0.0) -> Interaction:
    """(u, v) with ln Ψ(s) = Σ_{⟨ij⟩} u(s_i, s_j) + Σ_i v(s_i), states numbered 0 … q − 1, float64.

    K: a number, the coupling of Ising spins (state 0 is spin +1), or an array u (q, q), symmetric:
    `K * np.eye(q)` is the Potts model. field: a number h for Ising spins, h s; or an array v (q,), or 0.

    Raises InputError for other shapes, numbers that are not finite, and entries beyond ±50.

    >>> u, v = interaction(0.5, 0.1)
    >>> u.tolist(), v.tolist()
    ([[0.5, -0.5], [-0.5, 0.5]], [0.1, -0.1])
    """
    pair, site = _array("K", K), _array("field", field)
    if pair.ndim == 0:
        pair = pair * np.array([[1.0, -1.0], [-1.0, 1.0]])
        site = site * np.array([1.0, -1.0]) if site.ndim == 0 else site
    if pair.ndim != 2 or pair.shape[0] != pair.shape[1] or len(pair) < 2 or not np.allclose(pair, pair.T):
        raise fail("K", "a number, or a symmetric array (q, q) with q ≥ 2", f"shape {pair.shape}")
    if site.ndim == 0 and site == 0:
        site = np.zeros(len(pair))
    if site.shape != (len(pair),):
        raise fail("field", f"an array ({len(pair)},), one number a state", f"shape {site.shape}")
    return pair, site


def _array(name: str, value: ArrayLike) -> np.ndarray:
    try:
        found = np.array(value, np.float64)
    except (TypeError, ValueError):
        raise fail(name, "a number or an array of numbers", value) from None
    if isinstance(value, bool) or found.size == 0 or not (np.abs(found) <= 50).all():
        raise fail(name, "finite numbers of at most 50 in modulus", value)
    return found
