r"""The Ising model as an RBM, exactly: one hidden unit per bond.

    Σ_h e^{h w (s ± s')} = 2 cosh w(s ± s'),    cosh 2w = e^{2|K|}
    ln 2cosh w(s ± s') = K s s' + |K| + ln 2        (+ for K > 0, − for K < 0)

so that ln Ψ_RBM = ln Ψ_Ising + Σ_bonds (|K| + ln 2). This network reaches KL = 0 and does not coarse-grain:
it has as many hidden units as there are bonds.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising


def bond_rbm(ising: Ising) -> RBM:
    """The RBM of spins with ln Ψ_RBM(s) = ln Ψ_Ising(s) + Σ_bonds (|K| + ln 2).

    Any lattice, couplings of both signs, fields (the visible bias) and pairs of further neighbours. Weights
    (N, B), one column for each of `ising.pairs()`, in the type of the model's couplings.

    Raises InputError for models with terms of three spins or more.

    >>> from intertwine.spaces.lattices import Chain
    >>> rbm = bond_rbm(Ising(Chain(4), 0.5))
    >>> jnp.cosh(2 * rbm.weights.max()).round(4) == jnp.exp(1.0).round(4)
    Array(True, dtype=bool)
    """
    ising = as_model(ising)
    if not isinstance(ising, Ising):
        raise fail("ising", "an Ising model", ising)
    if ising.multi_spin:
        raise fail("ising", "a model of pairs and fields", "terms of three spins or more")
    bonds, couplings = ising.pairs()
    beyond = np.expm1(2 * np.abs(couplings))  # arccosh(1 + x), also where x is small
    w = np.log1p(beyond + np.sqrt(beyond * (beyond + 2))) / 2
    columns = np.arange(len(bonds))
    weights = np.zeros((ising.size, len(bonds)))
    np.add.at(weights, (bonds[:, 0], columns), w)
    np.add.at(weights, (bonds[:, 1], columns), np.where(couplings < 0, -w, w))
    field = np.array(np.broadcast_to(np.asarray(ising.field, float), (ising.size,)))
    for terms, strength in zip(ising.terms, np.asarray(ising.strengths, float), strict=True):
        if terms.order == 1:
            np.add.at(field, np.asarray(terms.sites)[:, 0], strength)
    kind = ising.coupling.dtype
    zeros = jnp.zeros(len(bonds), kind)
    return RBM.from_parameters(jnp.asarray(field, kind), zeros, jnp.asarray(weights, kind))
