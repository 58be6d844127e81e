r"""The variational likelihood of a deep Boltzmann machine, as an objective of the loop.

    L = −⟨B(v)⟩_data,      B(v) = E_q[−E] + H(q) − ln Z,
    −∂L/∂W_l = ⟨m_l m_{l+1}ᵀ⟩_data − ⟨x_l x_{l+1}ᵀ⟩_model,      −∂L/∂b_l = ⟨m_l⟩_data − ⟨x_l⟩_model

with the means m_l of the mean-field posterior of each row (m_0 = v), found by a few sweeps, and persistent
chains for the model (Salakhutdinov & Hinton 2009; Younes 1989). At a fixed point of the mean field that is
the gradient of the bound, since B is stationary in q. The chains hold the odd layers; a step draws the even
ones and then the odd ones. The model's averages of a pair of layers are those of a draw of the lower one and
the mean of the upper one given that draw: draws of upper layers, nearly free at first, would only add noise.

A factorial q knows no correlation of two layers within a row, and sees only the price of weights that would
make one: near W_1 = 0 it lets them die away, and the machine is left with one hidden layer. `structured`,
the default, takes the means of the mean field for the odd layers only, and the even ones above exactly given
draws of the odd ones,

    q(x) = Π_{l odd} q(x_l) · Π_{l = 2, 4, ...} p(x_l | x_{l−1}, x_{l+1}),

another lower bound on ln p(v) (`structured_bound`): for the same q(x_l), l odd, it is never below B.

Centred with offsets μ_l, running means of m_l (Montavon & Müller 2012; Melchior, Fischer & Wiskott, JMLR
17(99), 2016), machines learn jointly without pre-training. Seen from the uncentred parameters,

    ΔW_l = ⟨m_l m_{l+1}ᵀ⟩_d − ⟨x_l x_{l+1}ᵀ⟩_m − μ_l (Δx_{l+1})ᵀ − (Δx_l) μ_{l+1}ᵀ,
    Δb_l = Δx_l − ΔW_{l−1}ᵀ μ_{l−1} − ΔW_l μ_{l+1}.

The mean field of a row starts from the offsets, so that its first half-sweep costs no product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.objectives.mean_field import (
    Layers,
    driven,
    lower_fields,
    means,
    upper_fields,
    upward,
)
from intertwine.boltzmann.objectives.transport import Wasserstein
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import layered, sample_layers
from intertwine.models.parameters import parameters

SLIDE = 0.01
"""Weight of a new batch in the running means, once there have been 100."""
WARM_UP = 100
"""Gibbs sweeps of the chains before the first update."""


class DeepState(NamedTuple):
    """chains: the odd layers (C, size) of the persistent chains. offsets: running means of every layer over
    the data. count: batches seen."""

    chains: Layers
    offsets: Layers
    count: Array


class Difference(NamedTuple):
    """Of one pair of layers: data minus model of E[x_l], E[x_{l+1}] and E[x_l x_{l+1}ᵀ]."""

    below: Array
    above: Array
    product: Array


@dataclass(frozen=True)
class DeepLikelihood:
    """The objective. Frozen and hashable: static in the compiled loop. Batches are v (B, N).

    chains, steps: persistent chains, and Gibbs sweeps of them an update. sweeps: of the mean field.
    structured: whether the upper layers follow draws of the odd ones (see the head of this file).
    centred: see the head of this file. weight_decay: ½ weight_decay Σ W² is added to L.
    sparsity: None, or (target, strength): strength · (running mean − target) is added to the gradient with
    respect to the field on every hidden unit (Hinton 2010).
    transport: where the divergence of transport takes the place of the likelihood, of which kl times is left:
    Cov(x_l x_{l+1}ᵀ, φ(v)) over the chains, whose visible units are the v of the potentials.

    >>> DeepLikelihood(chains=50).value_name
    'reconstruction_error'
    """

    chains: int = 100
    steps: int = 1
    sweeps: int = 3
    structured: bool = True
    centred: bool = True
    weight_decay: float = 0.0
    sparsity: tuple[float, float] | None = None
    transport: Wasserstein | None = None
    value_name = "reconstruction_error"

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "about as many as the rows of a batch")
        positive_int("steps", self.steps, "1 is usual")
        positive_int("sweeps", self.sweeps, "3 to 10 are usual")
        if not 0 <= self.weight_decay < float("inf"):
            raise fail("weight_decay", "a finite number ≥ 0", self.weight_decay, "for example 1e-4")
        if self.sparsity is not None and not (len(self.sparsity) == 2 and self.sparsity[1] >= 0):
            raise fail(
                "sparsity", "None or (target mean, strength ≥ 0)", self.sparsity, "such as (0.1, 0.01)"
            )

    def init(self, model: DBM, *, key: Array) -> DeepState:
        """Chains from the fields of the biases alone, warmed up; offsets from a pass upwards."""
        v = model.layers[0].mean(model.biases[0])
        drive = driven(model, v)
        even = upward(model, drive)
        odd = means(model, lower_fields(model, drive, even), 1)
        offsets = _interleaved(v, odd, even)
        return DeepState(_warm(model, self.chains, key), offsets, jnp.zeros((), jnp.int32))

    def gradient(
        self, model: DBM, state: DeepState, batch: Array, *, key: Array
    ) -> tuple[Any, DeepState, dict[str, Array]]:
        """(∂L/∂λ, the new state, {"reconstruction_error"}) on a batch v (B, N)."""
        first, second = jax.random.split(key)
        data, pairs = self.posterior(model, state.offsets, batch, key=first)
        chains, differences = self._differences(model, state.chains, pairs, batch, second)
        offsets = self._slid(state, tuple(m.mean(0) for m in data))
        weights = [d.product for d in differences]
        biases = _bias_differences(differences)
        if self.centred:
            weights = [
                d.product - jnp.outer(mu, d.above) - jnp.outer(d.below, nu)
                for d, mu, nu in zip(differences, offsets[:-1], offsets[1:], strict=True)
            ]
            for level, (weight, mu, nu) in enumerate(zip(weights, offsets[:-1], offsets[1:], strict=True)):
                biases[level] = biases[level] - weight @ nu
                biases[level + 1] = biases[level + 1] - mu @ weight
        if self.sparsity is not None:
            target, strength = self.sparsity
            biases[1:] = [b - strength * (nu - target) for b, nu in zip(biases[1:], offsets[1:], strict=True)]
        if self.weight_decay:
            weights = [
                change - self.weight_decay * weight
                for change, weight in zip(weights, model.weights, strict=True)
            ]
        descent = tuple(-b for b in biases), tuple(-w for w in weights)
        gradient = eqx.tree_at(lambda m: (m.biases, m.weights), parameters(model), descent)
        image = model.layers[0].mean(model.biases[0] + data[1] @ model.weights[0].T)
        error = jnp.square(batch - image)[: max(1, len(batch) // 10)].mean()
        return gradient, DeepState(chains, offsets, state.count + 1), {"reconstruction_error": error}

    def posterior(
        self, model: DBM, offsets: Layers, v: Array, *, key: Array
    ) -> tuple[Layers, list[tuple[Array, Array]]]:
        """(v, m_1, ..., m_L) after `sweeps` sweeps from the offsets, and what stands for (x_l, x_{l+1}) in
        the average of their product, for each matrix."""
        drive, even = driven(model, v), offsets[2::2]
        for turn in range(self.sweeps if model.depth > 1 else 1):
            if turn > 0:
                even = means(model, upper_fields(model, odd), 2)
            fields = lower_fields(model, drive, even)
            odd = means(model, fields, 1)
        drawn = sample_layers(model.layers[1::2], fields, key=key) if self.structured else odd
        even = means(model, upper_fields(model, drawn), 2)
        found = [_interleaved(v, x, even) for x in (odd, drawn)]
        return found[0], [(v, odd[0]), *pairwise(found[1][1:])]

    def _differences(
        self, model: DBM, chains: Layers, data: list[tuple[Array, Array]], v: Array, key: Array
    ) -> tuple[Layers, list[Difference]]:
        machine = layered(model)
        odd = chains
        for step in range(self.steps):
            before, keys = odd, jax.random.split(jax.random.fold_in(key, step))
            even_fields = machine.fields(odd, 0)
            even = sample_layers(machine.side(0), even_fields, key=keys[0])
            odd_fields = machine.fields(even, 1)
            odd = sample_layers(machine.side(1), odd_fields, key=keys[1])
        odd_means, even_means = means(model, odd_fields, 1), means(model, even_fields, 0)
        found, share = [], None
        if self.transport is not None:
            share = self.transport.shares(model.layers[0], even[0], None, v, None)
        for level in range(model.depth):
            if level % 2 == 0:
                pair = even[level // 2], odd_means[level // 2]
            else:
                pair = before[level // 2], even_means[level // 2 + 1]
            difference = _difference(*data[level], *pair)
            if self.transport is not None and share is not None:
                pull = Difference(share @ pair[0], share @ pair[1], (pair[0] * share[:, None]).T @ pair[1])
                kl = self.transport.kl
                difference = Difference(*(kl * x - y for x, y in zip(difference, pull, strict=True)))
            found.append(difference)
        return odd, found

    def _slid(self, state: DeepState, seen: Layers) -> Layers:
        share = jnp.maximum(SLIDE, 1 / (1 + state.count.astype(seen[0].dtype))).astype(seen[0].dtype)
        return tuple(mu + share * (m - mu) for mu, m in zip(state.offsets, seen, strict=True))


def _difference(below: Array, above: Array, model_below: Array, model_above: Array) -> Difference:
    data_share, model_share = 1 / len(below), 1 / len(model_below)
    scaled = jnp.concatenate([above * data_share, model_above * -model_share])
    return Difference(
        below.mean(0) - model_below.mean(0), scaled.sum(0), jnp.concatenate([below, model_below]).T @ scaled
    )


def _interleaved(v: Array, odd: Layers, even: Layers) -> Layers:
    found = [v] * (1 + len(odd) + len(even))
    found[1::2], found[2::2] = odd, even
    return tuple(found)


def _bias_differences(differences: list[Difference]) -> list[Array]:
    """Of each layer once: the lowest from its own pair, the others as the upper one of theirs."""
    return [differences[0].below, *(d.above for d in differences)]


@partial(jax.jit, static_argnames="chains")
def _warm(model: DBM, chains: int, key: Array) -> Layers:
    machine = layered(model)
    begin, rest = jax.random.split(key)
    fields = tuple(jnp.broadcast_to(b, (chains, len(b))) for b in model.biases[1::2])

    def sweep(i: Array, odd: Layers) -> Layers:
        keys = jax.random.split(jax.random.fold_in(rest, i))
        even = machine.sample_side(machine.fields(odd, 0), 0, key=keys[0])
        return machine.sample_side(machine.fields(even, 1), 1, key=keys[1])

    return jax.lax.fori_loop(0, WARM_UP, sweep, sample_layers(machine.side(1), fields, key=begin))
