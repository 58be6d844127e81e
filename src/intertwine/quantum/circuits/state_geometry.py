r"""The quantum geometric tensor of a state: how far apart, and how curved, states of neighbouring λ are.

    Q_kl = ⟨∂_kψ|∂_lψ⟩ − ⟨∂_kψ|ψ⟩⟨ψ|∂_lψ⟩,      Re Q the metric (Fubini & Study),  2 Im Q the Berry curvature

(Provost & Vallee 1980; Berry 1984; Stokes et al., Quantum 4, 269 (2020)). Re Q is S of stochastic
reconfiguration (`learning.log_derivatives`) summed over all configurations, and a quarter of the quantum
Fisher information. R_z(φ) R_y(θ)|0⟩ has diag(1/4, sin²θ/4) in (θ, φ), and the Berry curvature sin(θ)/2.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float, PyTree

from intertwine._checks import fail
from intertwine._memory import check_memory
from intertwine.learning.log_derivatives import column_count, log_derivatives
from intertwine.models.protocols import LogAmplitude, is_density
from intertwine.models.results import as_model
from intertwine.models.units import as_spins
from intertwine.sampling.enumeration import all_configurations, log_density


def geometric_tensor(model: PyTree) -> Complex[Array, "P P"]:
    """Q of a circuit or any other wave function of up to 22 spins, over all configurations.

    Rows are the parameters as `jax.tree.leaves(model)` has them, one after another; for complex parameters of
    a model that is not holomorphic, real and imaginary parts side by side (and Im Q is not given there).

    >>> import intertwine as it
    >>> psi = it.Circuit(1, [it.qubits.ry(0), it.qubits.rz(0)], parameters=[[0.5, 0.3]])
    >>> bool(abs(geometric_tensor(psi)[1, 1].real - jnp.sin(0.5) ** 2 / 4) < 1e-6)
    True
    """
    network = as_model(model)
    if not is_density(network):
        raise fail("model", "a wave function, such as it.Circuit(...)", model)
    network = as_spins(network)
    spins = jnp.asarray(all_configurations(network.size))
    check_memory(32.0 * spins.shape[0] * column_count(network), "take fewer parameters or qubits", "model")
    return _tensor(network, spins)


def berry_curvature(model: PyTree) -> Float[Array, "P P"]:
    """F_kl = ∂_k A_l − ∂_l A_k = 2 Im Q_kl with A_k = −i⟨ψ|∂_kψ⟩, antisymmetric; see `geometric_tensor`.

    >>> import intertwine as it
    >>> psi = it.Circuit(1, [it.qubits.ry(0), it.qubits.rz(0)], parameters=[[0.5, 0.3]])
    >>> round(float(berry_curvature(psi)[0, 1]), 4)                       # sin(0.5)/2
    0.2397
    """
    return 2 * geometric_tensor(model).imag


@jax.jit
def _tensor(model: LogAmplitude, spins: Array) -> Array:
    operator = log_derivatives(model, spins, jax.nn.softmax(log_density(model, spins)))
    return operator.tensor()
