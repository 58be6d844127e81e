r"""The trace condition: whether a network's hidden layer is an exact renormalization step of a Hamiltonian.

Mehta & Schwab (arXiv:1410.3831, 2014) read T(v, h) = H(v) − E(v, h) off an RBM, H = −ln Ψ being the
Hamiltonian of the data. A renormalization step keeps Z: Σ_h e^T = 1 for every v, up to one constant. Since

    x(v) = ln Σ_h e^{T(v,h)} = H(v) − F(v),      KL(P‖p) = ln ⟨e^x⟩_P − ⟨x⟩_P ≥ 0,

with P = e^{−H}/Z_P and the network's free energy F, p = e^{−F}/Z_p, x is one number for all v exactly where
KL(P‖p) = 0 (Gibbs' inequality): the spread of x measures the fit as the divergence does, and to second order
KL ≈ Var_P(x)/2. The other reading, T = ln p(h|v), has Σ_h e^T = 1 for every network (`network_map`), and says
nothing of the data; against its own free energy a network always holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.geometry.spectrum import log_weights, spin_view
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.sampling.enumeration import all_configurations

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM

MOST_SPINS = 20
"""Configurations of more spins are not enumerated."""


@dataclass(frozen=True, repr=False)
class TraceCondition(Shown):
    """x = ln Σ_h e^T over configurations, in nats.

    mean, spread: of x under the Hamiltonian, the latter a standard deviation. model_spread: of x under the
    network. smallest, largest: over the configurations that were looked at. kl: KL(P‖p), and kl_error: one σ
    of independent samples, 0 where all configurations were summed. exact: whether they were. configurations:
    how many.
    """

    mean: float
    spread: float
    model_spread: float
    smallest: float
    largest: float
    kl: float
    kl_error: float
    exact: bool
    configurations: int

    def holds(self, tolerance: float = 1e-6) -> bool:
        """Whether the spread of ln Σ_h e^T is at most `tolerance` nats under the Hamiltonian."""
        return self.spread <= tolerance

    def __str__(self) -> str:
        seen = f"all {self.configurations}" if self.exact else f"{self.configurations} sampled"
        error = "" if self.exact else f" ± {self.kl_error:.1g}" if math.isfinite(self.kl_error) else " ± ?"
        verdict = (
            "the condition holds: up to a constant, the hidden layer is an exact renormalization step"
            if self.holds()
            else "the condition fails: T = H − E changes the weights of configurations"
        )
        return (
            f"ln Σ_h e^T over {seen} configurations: mean {self.mean:.6g}, spread "
            f"{self.spread:.3g} (under the network {self.model_spread:.3g}), from {self.smallest:.6g} to "
            f"{self.largest:.6g}; KL(P‖p) = {self.kl:.3g}{error} nats\n{verdict}"
        )


def trace_condition(
    model: RBM, hamiltonian: Ising | None = None, *, samples: ArrayLike | None = None
) -> TraceCondition:
    """ln Σ_h e^{H(v) − E(v,h)} over configurations, and KL(P‖p) beside it.

    model: an RBM or DBM with real parameters and visible units of two states. hamiltonian: of the same sites,
    H = −ln Ψ; None: the network's own free energy, for which the condition holds always. samples: spins ±1
    (n, N) of the Hamiltonian's distribution, for more than 20 sites; None: all configurations.

    Raises InputError for other models, sizes, and samples.

    >>> from intertwine.rg.networks.bond_rbm import bond_rbm
    >>> from intertwine.spaces.lattices import Chain
    >>> ising = Ising(Chain(4), 0.5)
    >>> trace_condition(bond_rbm(ising), ising).holds(1e-5)
    True
    """
    model = as_model(model)
    view = spin_view(model)
    hamiltonian = as_model(hamiltonian)
    if hamiltonian is not None and not (isinstance(hamiltonian, Ising) and hamiltonian.size == view.size):
        raise fail("hamiltonian", f"an Ising model of {view.size} spins, or None", hamiltonian)
    rows = all_configurations(_enumerable(view.size)) if samples is None else _spins(samples, view.size)
    own = log_weights(view, rows)
    target = own if hamiltonian is None else log_weights(hamiltonian, rows)
    x = own - target
    p = _normalised(target) if samples is None else np.full(len(rows), 1 / len(rows))
    return _measured(x, p, samples is None)


def _measured(x: np.ndarray, p: Float[np.ndarray, " n"], exact: bool) -> TraceCondition:
    apart = x - x[0]  # small numbers, so that a spread of zero is not lost in rounding
    shift = float(p @ apart)
    apart = apart - shift
    grown = np.expm1(apart - apart.max()) + 1
    scale = float(p @ grown)
    kl = float(np.log(scale) + apart.max())
    if apart.max() - apart.min() < 1e-3:  # ln ⟨e^x⟩ of numbers so near 0 by their series
        kl = float(np.log1p(p @ (np.expm1(apart) - apart)))
    q = p * grown / scale
    model_mean = float(q @ apart)
    # the two terms of KL fluctuate together: the error is that of e^x/⟨e^x⟩ − x
    error = 0.0 if exact else float(np.std(grown / scale - apart, ddof=1) / np.sqrt(len(x)))
    return TraceCondition(
        mean=float(x[0]) + shift,
        spread=float(np.sqrt(p @ apart**2)),
        model_spread=float(np.sqrt(max(q @ (apart - model_mean) ** 2, 0.0))),
        smallest=float(x.min()),
        largest=float(x.max()),
        kl=kl,
        kl_error=error,
        exact=exact,
        configurations=len(x),
    )


def _normalised(log_p: np.ndarray) -> np.ndarray:
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


def _enumerable(size: int) -> int:
    if size > MOST_SPINS:
        raise fail(
            "samples", f"spins (n, {size}) for more than {MOST_SPINS} sites", "None", "it.sample draws them"
        )
    return size


def _spins(samples: ArrayLike, size: int) -> np.ndarray:
    rows = np.asarray(samples)
    if rows.ndim != 2 or rows.shape[1] != size or len(rows) < 2:
        raise fail("samples", f"spins (n ≥ 2, {size})", f"shape {rows.shape}")
    if not np.isin(rows, (-1, 1)).all():
        raise fail("samples", "spins ±1", "other values", "2 v − 1 makes spins of bits")
    return rows.astype(np.int8)
