r"""Greedy pre-training of a deep Boltzmann machine: RBMs whose parts fit together.

In a stack of RBMs every inner layer has two sets of evidence, from below and from above, and each machine of
the stack is trained as if it had both: *two copies* of the layer on its other side (Salakhutdinov & Hinton
2009, 2012). With c_v copies of the visible layer and c_h of the hidden one, all with the same weights,

    θ_h = b + Wᵀ Σ_copies v,        θ_v = a + W Σ_copies h.

The lowest machine has two copies of v (the data twice), the highest two copies of its hidden layer, those
between both; a machine of one hidden layer none. The deep machine takes W_l as they are, and for each inner
layer the mean b_l of its two biases. Its field there is then the mean of those of the two machines,

    b_l + W_{l−1}ᵀ x_{l−1} + W_l x_{l+1} = ½ (b_below + 2 W_{l−1}ᵀ x_{l−1}) + ½ (b_above + 2 W_l x_{l+1}),

and p(x_l|x_{l−1}, x_{l+1}) ∝ [p_below(x_l|x_{l−1}) p_above(x_l|x_{l+1})]^½ for every kind of unit: each side
gives half of the evidence, and none is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from intertwine._checks import fail
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.parameters import parameters

SLIDE = 0.01
"""Weight of a new batch in the running means, once there have been 100."""


class CopiesState(NamedTuple):
    """chains: sums over the copies of the hidden layer (C, M). offsets: running means of the sums over the
    copies, of both layers. count: batches seen."""

    chains: Array
    offsets: tuple[Array, Array]
    count: Array


@dataclass(frozen=True)
class CopiedLikelihood:
    """−⟨ln p⟩ of an RBM with copies of its layers, the data being the same in every copy of the visible one:
    centred, with persistent chains. An objective of the loop; batches are v (B, N).

    copies: (c_v, c_h).

    >>> CopiedLikelihood((2, 1)).chains
    100
    """

    copies: tuple[int, int]
    chains: int = 100
    value_name = "reconstruction_error"

    def init(self, model: RBM, *, key: Array) -> CopiesState:
        of_v, of_h = self.copies
        v = model.visible_layer.mean(model.visible_bias) * of_v
        h = model.hidden_layer.mean(_field(model.hidden_bias, v, model.weights)) * of_h
        field = jnp.broadcast_to(model.hidden_bias, (self.chains, model.hidden))
        return CopiesState(_drawn(model.hidden_layer, field, of_h, key), (v, h), jnp.zeros((), jnp.int32))

    def gradient(
        self, model: RBM, state: CopiesState, batch: Array, *, key: Array
    ) -> tuple[Any, CopiesState, dict[str, Array]]:
        """(∂L/∂λ, the new state, {"reconstruction_error"})."""
        (of_v, of_h), first, last = self.copies, *jax.random.split(key)
        hidden = model.hidden_layer
        field = _field(model.visible_bias, state.chains, model.weights.T)
        both = jnp.concatenate([batch * of_v, _drawn(model.visible_layer, field, of_v, first)])
        fields = _field(model.hidden_bias, both, model.weights)
        h, rows = hidden.mean(fields) * of_h, len(batch)
        chains = _drawn(hidden, fields[rows:], of_h, last)
        scaled = jnp.concatenate([h[:rows] / rows, h[rows:] / -self.chains])
        seen = both[:rows].mean(0), h[:rows].mean(0)
        dv, dh = seen[0] - both[rows:].mean(0), scaled.sum(0)
        share = jnp.maximum(SLIDE, 1 / (1 + state.count.astype(dv.dtype))).astype(dv.dtype)
        mu, lam = (m + share * (s - m) for m, s in zip(state.offsets, seen, strict=True))
        dw = both.T @ scaled - jnp.outer(mu, dh) - jnp.outer(dv, lam)
        ascent = (dv - dw @ lam, dh - mu @ dw, dw)
        gradient = eqx.tree_at(_leaves, parameters(model), tuple(-x for x in ascent))
        few = max(1, rows // 10)
        image = model.visible_layer.mean(_field(model.visible_bias, h[:few], model.weights.T))
        error = jnp.square(batch[:few] - image).mean()
        return gradient, CopiesState(chains, (mu, lam), state.count + 1), {"reconstruction_error": error}


def composed(rbms: Sequence[RBM]) -> DBM:
    """The deep machine of a stack of RBMs trained with copies, the lowest first.

    Raises InputError where a machine's visible layer is not the hidden layer of the one below.

    >>> parts = [RBM(4, 3, units="binary", hidden_units="binary", key=jax.random.key(0)),
    ...          RBM(3, 2, units="binary", hidden_units="binary", key=jax.random.key(1))]
    >>> composed(parts).sizes
    (4, 3, 2)
    """
    rbms = tuple(rbms)
    for k in range(1, len(rbms)):
        if rbms[k].visible_layer != rbms[k - 1].hidden_layer:
            raise fail(f"rbms[{k}]", f"visible units {rbms[k - 1].hidden_layer}", rbms[k].visible_layer)
    inner = [(low.hidden_bias + high.visible_bias) / 2 for low, high in pairwise(rbms)]
    return DBM.from_parameters(
        [rbms[0].visible_bias, *inner, rbms[-1].hidden_bias],
        [rbm.weights for rbm in rbms],
        units=rbms[0].units,
        hidden_units=[rbm.hidden_units for rbm in rbms],
    )


def _field(bias: Array, x: Array, weights: Array) -> Array:
    return bias + x @ weights


def _drawn(layer: UnitLayer, field: Array, copies: int, key: Array) -> Array:
    """The sum of `copies` draws."""
    keys = jax.random.split(key, copies)
    return sum((layer.sample(field, key=k) for k in keys[1:]), layer.sample(field, key=keys[0]))


def _leaves(model: RBM) -> tuple:
    return model.visible_bias, model.hidden_bias, model.weights
