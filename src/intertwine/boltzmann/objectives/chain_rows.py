"""The visible rows of a training's own chains: what the machine makes while it learns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine.boltzmann.objectives.deep_likelihood import DeepLikelihood
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import CD, Samples
from intertwine.boltzmann.objectives.up_down import UpDown
from intertwine.models.machines.layered import layered, sample_layers


def rows_of_chains(objective: object, model: PyTree, state: PyTree, *, key: Array) -> np.ndarray | None:
    """Rows (C, N) that the chains in the objective's `state` give after one more sweep; None where there are
    no chains of the model (CD, exact sums, copies of layers).

    >>> from intertwine.boltzmann.objectives.methods import PCD
    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm, key = RBM(4, hidden=2, units="binary", key=jax.random.key(0)), jax.random.key(1)
    >>> likelihood = KL(PCD(chains=8))
    >>> rows_of_chains(likelihood, rbm, likelihood.init(rbm, key=key), key=key).shape
    (8, 4)
    """
    if isinstance(objective, DeepLikelihood):
        machine = layered(model)
        return np.asarray(sample_layers(machine.side(0), machine.fields(state.chains, 0), key=key)[0])
    if isinstance(objective, UpDown):
        first, second = jax.random.split(key)
        top = rows_of_chains(objective.top, model.top, state, key=first)
        return None if top is None else np.asarray(model.descend(jnp.asarray(top), key=second)[0])
    method = objective.method if isinstance(objective, KL) else None
    if method is None or isinstance(method, CD):
        return None
    none = jnp.zeros((0, model.size), model.weights.dtype)
    if getattr(method, "exact", False):
        return None
    negative, _, _ = method.negative(model, state.chains, none, key=key)
    return np.asarray(negative.v) if isinstance(negative, Samples) and negative.weights is None else None
