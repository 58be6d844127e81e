r"""ln Z of a machine with Gaussian units on both sides, a Gaussian integral.

    E = Σ v²/2σ² + ½h² − vᵀWh − a·v − b·h,      S = 1 − Wᵀσ²W,      β = b + Wᵀσ²a,

    ln Z = ½ (N + M) ln 2π + ½ Σ ln σ² − ½ ln det S + ½ aᵀσ²a + ½ βᵀS⁻¹β

where the singular values of σW are below 1; beyond, the integral diverges and ln Z is nan. Its derivatives
are the exact averages of learning: ⟨vhᵀ⟩ at zero biases is σ²W S⁻¹.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine.models.machines.layered import LayeredMachine


def is_gaussian(machine: LayeredMachine) -> bool:
    """Whether the machine is two layers of Gaussian units."""
    return len(machine.layers) == 2 and all(layer.spec == "gaussian" for layer in machine.layers)


def gaussian_log_z(machine: LayeredMachine) -> Float[Array, ""]:
    """ln Z in nats, nan where it diverges: pure, for `jit` and `grad`."""
    (a, b), (w,), dtype = machine.biases, machine.weights, machine.dtype
    visible, hidden = (layer.variance(dtype) for layer in machine.layers)
    if w.shape[0] < w.shape[1]:  # the smaller side is left
        a, b, w, visible, hidden = b, a, w.T, hidden, visible
    narrow = jnp.sqrt(visible)[:, None] * w * jnp.sqrt(hidden)
    s = jnp.eye(w.shape[1], dtype=dtype) - narrow.T @ narrow
    factor = jnp.linalg.cholesky(s)
    field = jnp.sqrt(hidden) * (b + (visible * a) @ w)
    solved = jax.scipy.linalg.solve_triangular(factor, field, lower=True)
    logs = 0.5 * (jnp.log(visible).sum() + jnp.log(hidden).sum()) - jnp.log(jnp.diag(factor)).sum()
    units = 0.5 * sum(w.shape) * math.log(2 * math.pi)
    return units + logs + 0.5 * (visible * a * a).sum() + 0.5 * (solved * solved).sum()
