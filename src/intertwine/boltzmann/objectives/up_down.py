r"""Up-down fine-tuning of a deep belief network: the contrastive wake-sleep algorithm, as an objective.

    wake     h ~ q(h|v) for data v; each p(hᵏ|hᵏ⁺¹) climbs ln p, and the RBM on top climbs ln p(hᴸ⁻¹)
    sleep    the chains of the RBM on top are carried down to v; each q(hᵏ⁺¹|hᵏ) climbs ln q of what made v

    −∂L/∂(generative, top) = ⟨∂ ln p(v, h)⟩_{data, q}     the gradient of the bound E_q[ln p − ln q]
    −∂L/∂(recognition)     = ⟨∂ ln q(h|v)⟩_{p(v, h)}      of −KL(p(h|v)‖q(h|v)), over the model's own v

(Hinton, Dayan, Frey & Neal, Science 268, 1158, 1995; Hinton, Osindero & Teh 2006). The wake phase is exact
gradient ascent of the bound for fixed q, but for the average of the RBM on top, which is its method's
business (`methods`: contrastive divergence, or persistent chains, whose dreams are then those of the model).
With the method `Wasserstein` the top descends the divergence of transport from the dreams to the data,
measured on v; the directed layers learn as before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import Samples
from intertwine.models.machines.deep_belief import DBN, States
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.parameters import parameters

_WAKE, _DREAM = 0x77616B65, 0x64726561


@dataclass(frozen=True)
class UpDown:
    """The objective. Frozen and hashable: static in the compiled loop; the model is a `DBN`.

    top: the objective of the RBM on top, `KL(method, ...)`, with a method that has samples.
    recognition: share of the sleep phase in the learning rate, 0 keeps q as it is. generative: the same of
        the directed generative layers.

    Raises InputError for another top objective or shares that are negative.

    >>> from intertwine.boltzmann.objectives.methods import PCD
    >>> UpDown(KL(PCD(chains=50))).value_name
    'reconstruction_error'
    """

    top: KL = field(default_factory=KL)
    recognition: float = 1.0
    generative: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.top, KL) or self.top.value_name != "reconstruction_error":
            raise fail("top", "KL(method) with a method that samples, such as PCD(chains=100)", self.top)
        for name in ("recognition", "generative"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise fail(name, "a finite share of the learning rate, ≥ 0", value, "for example 1.0")

    @property
    def value_name(self) -> str:
        return "reconstruction_error"

    def init(self, model: DBN, *, key: Array) -> Any:
        return self.top.init(model.top, key=key)

    def gradient(
        self, model: DBN, state: PyTree, batch: Array, *, key: Array
    ) -> tuple[Any, Any, dict[str, Array]]:
        """(−∂ of both phases like `parameters(model)`, the top's state, scalars) on a batch v (B, N)."""
        found, state = phases(self, model, state, batch, key=key)
        minus = jax.tree.map(jnp.negative, (found.generative, found.recognition))
        of_generative = jax.tree.map(lambda x: self.generative * x, minus[0])
        of_recognition = jax.tree.map(lambda x: self.recognition * x, minus[1])
        gradient = DBN.from_parts(of_generative, of_recognition, found.top)
        return parameters(gradient), state, found.scalars

    def measure(self, model: DBN, state: PyTree, batch: Array, *, key: Array) -> dict[str, Array]:
        """`reconstruction_error`: mean square a column between v and its mean-field image from hᴸ⁻¹;
        `log_weight`: mean of ln p(v, h) − ln q(h|v) + ln Z of the batch, the bound but for ln Z, nats."""
        v = batch[0] if isinstance(batch, tuple) else batch
        states = model.recognise(v, key=key)
        image = model.descend_means(states[-1])
        return {
            "reconstruction_error": jnp.square(states[0] - image).mean(),
            "log_weight": (model.log_joint(states) - model.log_recognition(states)).mean(),
        }


class Phases(NamedTuple):
    """Directions of ascent of the directed layers, the gradient (of descent) of the top, and its scalars."""

    generative: tuple[DirectedLayer, ...]
    recognition: tuple[DirectedLayer, ...]
    top: Any
    scalars: dict[str, Array]


def phases(objective: UpDown, model: DBN, state: PyTree, v: Array, *, key: Array) -> tuple[Phases, Any]:
    """One wake and one sleep phase."""
    wake, rest, dream = (jax.random.fold_in(key, tag) for tag in (_WAKE, 0, _DREAM))
    up = model.recognise(v, key=wake)

    def dreamt(negative: Samples) -> States:
        return model.descend(_dreams(negative, key=dream), key=jax.random.fold_in(dream, 1))

    of_top, state, scalars, negative = objective.top.change(
        model.top, state, up[-1], rest, lambda drawn: (model.visible_layer, v, dreamt(drawn)[0])
    )
    down = dreamt(negative)
    generative, recognition = wake_gradient(model, up), sleep_gradient(model, down)
    return Phases(generative, recognition, of_top, scalars), state


def _dreams(negative: Samples, *, key: Array) -> Array:
    """Equally likely values of hᴸ⁻¹: samples with weights are drawn again."""
    if negative.weights is None:
        return negative.v
    count = len(negative.weights)
    return negative.v[jax.random.categorical(key, jnp.log(negative.weights), shape=(count,))]


def wake_gradient(model: DBN, states: States) -> tuple[DirectedLayer, ...]:
    """∂/∂(generative weights) of the mean of Σ_k ln p(hᵏ|hᵏ⁺¹) over `states` (B, ·)."""
    return tuple(arrow.gradient(states[k], states[k + 1]) for k, arrow in enumerate(model.generative))


def sleep_gradient(model: DBN, states: States) -> tuple[DirectedLayer, ...]:
    """∂/∂(recognition weights) of the mean of Σ_k ln q(hᵏ⁺¹|hᵏ) over `states` (B, ·)."""
    return tuple(arrow.gradient(states[k + 1], states[k]) for k, arrow in enumerate(model.recognition))
