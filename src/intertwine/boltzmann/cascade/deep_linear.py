r"""Deep linear networks learn mode by mode too (Saxe, McClelland & Ganguli 2014).

A network y = W₂W₁x, learned by gradient flow on ½⟨‖y − target‖²⟩ with white inputs ⟨xxᵀ⟩ = 1, from small
balanced weights along the singular vectors of the input-output correlation ⟨target xᵀ⟩, has strengths s(t) of

    ds/dt = 2 s (σ − s),      s(t) = σ e^{2σt} / (e^{2σt} − 1 + σ/s₀),

σ the singular value: a plateau, then a step at t ≈ ln(σ/s₀)/2σ. The equation of a Gaussian machine near its
transition is the same: strong modes of the data are learned first.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail


def deep_linear_mode(t: ArrayLike, sigma: ArrayLike, s0: ArrayLike) -> Float[np.ndarray, "..."]:
    """s(t) of a mode of singular value σ that began at s₀; t is learning rate × updates.

    Raises InputError unless σ and s₀ are positive.

    >>> deep_linear_mode([0.0, 1.0, 10.0], 2.0, 0.01).round(6).tolist()
    [0.01, 0.430588, 2.0]
    """
    t, sigma, s0 = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (t, sigma, s0)))
    if not ((sigma > 0).all() and (s0 > 0).all()):
        raise fail("sigma and s0", "positive numbers", f"down to {min(sigma.min(), s0.min())}")
    return sigma / (1 + (sigma / s0 - 1) * np.exp(-2 * sigma * t))


def deep_linear_half_time(sigma: ArrayLike, s0: ArrayLike) -> Float[np.ndarray, "..."]:
    """When s = σ/2: ln(σ/s₀ − 1)/2σ.

    >>> round(float(deep_linear_mode(deep_linear_half_time(3.0, 1e-3), 3.0, 1e-3)), 9)
    1.5
    """
    sigma, s0 = (np.asarray(x, np.float64) for x in (sigma, s0))
    return np.log(sigma / s0 - 1) / (2 * sigma)
