r"""The trace condition of an RBM against a Hamiltonian.

Mehta & Schwab (2014, arXiv:1410.3831) take T(v, h) = H(v) − E(v, h), with H = −ln Ψ of the data. Then

    ln Σ_h e^{T(v,h)} = H(v) − F(v) ,      F = the free energy of the RBM

It is the same for all v where, and only where, KL(P‖p) = 0. (T = ln p(h|v), another choice, satisfies
Σ_h e^T = 1 for every RBM, and says nothing of the data.)
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail
from intertwine.models.ising import Ising
from intertwine.models.rbm import RBM
from intertwine.models.spin_enumeration import enumerate_distribution

_MOST_SPINS = 20


@dataclasses.dataclass(frozen=True)
class TraceCondition:
    """ln Σ_h e^T over all v: mean and standard deviation under the Hamiltonian, extremes; KL(P‖p), nats."""

    mean: float
    spread: float
    smallest: float
    largest: float
    kl: float

    def __str__(self) -> str:
        return (
            f"ln Σ_h exp T: mean {self.mean:.6g}, spread {self.spread:.3g}, "
            f"from {self.smallest:.6g} to {self.largest:.6g}; KL(P‖p) = {self.kl:.3g} nats"
        )


def trace_condition(rbm: RBM, hamiltonian: Ising) -> TraceCondition:
    """ln Σ_h e^{H(v) − E(v,h)} over all configurations of at most 20 spins, and KL(P‖p) beside it.

    Raises InputError for other units than spins, other sizes, complex parameters.

    >>> from intertwine.rg.bond_rbm import bond_rbm
    >>> from intertwine.spaces.lattices import Chain
    >>> ising = Ising(Chain(4), 0.5)
    >>> trace_condition(bond_rbm(ising), ising).spread < 1e-5
    True
    """
    if not isinstance(rbm, RBM) or rbm.kind != "real" or rbm.units != "spin":
        raise fail("rbm", "an RBM with real parameters and visible spins", rbm)
    if not isinstance(hamiltonian, Ising) or hamiltonian.size != rbm.size:
        raise fail("hamiltonian", f"an Ising model of {rbm.size} spins", hamiltonian)
    if rbm.size > _MOST_SPINS:
        raise fail("rbm", f"at most {_MOST_SPINS} visible spins", f"{rbm.size}")
    rows, p, log_z = enumerate_distribution(hamiltonian)[:3]
    rows = jnp.asarray(rows)
    target = np.asarray(_log_weights(hamiltonian, rows), float)
    values = -np.asarray(_free_energies(rbm, rows), float) - target
    apart = values - values[0]  # small numbers, so that a spread of zero is not lost in rounding
    shift = float(p @ apart)
    mean, spread = float(values[0]) + shift, float(np.sqrt(p @ (apart - shift) ** 2))
    # KL = ln ⟨e^x⟩ − ⟨x⟩ under P, with x = ln Σ_h e^T
    kl = float(np.logaddexp.reduce(target - float(log_z) + apart - shift))
    return TraceCondition(mean, spread, float(values.min()), float(values.max()), kl)


@jax.jit
def _free_energies(rbm: RBM, rows: jax.Array) -> jax.Array:
    return rbm.free_energy(rows)


@jax.jit
def _log_weights(model: Ising, rows: jax.Array) -> jax.Array:
    return jax.vmap(model)(rows)
