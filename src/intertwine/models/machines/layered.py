r"""Machines of layers as one thing: RBMs and deep Boltzmann machines for block Gibbs sampling.

    E(x_0, …, x_L) = −Σ_l [x_lᵀ W_l x_{l+1} + b_l · x_l − base(x_l)]

has links only between neighbouring layers, so that the even layers are independent units given the odd ones,
and the other way round (Salakhutdinov & Hinton 2009): the machine is bipartite between its two *sides*. A
side is 0 (layers 0, 2, …: the visible one among them) or 1 (layers 1, 3, …). Everything that a sampler needs
is linear in the fields f_l = b_l + W_{l−1}ᵀ x_{l−1} + W_l x_{l+1}:

    p(side 1 | side 0)      units of side 1 in the fields f_l,
    ln Σ_{side 1} e^{−E}  = Σ_{l even} [b_l · x_l − base(x_l)] + Σ_{l odd} A_l(f_l).

An RBM is the machine of two layers. A *state* is the tuple of one side's layers, each (..., size): for side 0
of an RBM the tuple (v,).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeGuard

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from intertwine._checks import InputError, fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.numerics import real_dot

State = tuple[Array, ...]


class LayeredMachine(eqx.Module):
    """Biases b_l (n_l,), weights W_l (n_l, n_{l+1}), all of one real type, and the units of every layer."""

    biases: tuple[Float[Array, "n"], ...]
    weights: tuple[Float[Array, "n m"], ...]
    layers: tuple[UnitLayer, ...]

    @property
    def size(self) -> int:
        """The number of visible columns."""
        return self.layers[0].size

    @property
    def dtype(self) -> jnp.dtype:
        return self.biases[0].dtype

    def side(self, side: int) -> tuple[UnitLayer, ...]:
        """The layers of side 0 or 1."""
        return self.layers[side::2]

    def linked(self, state: State, side: int) -> State:
        """The fields on `side` without its biases: Σ of W x over the neighbours, `state` being the other
        side."""
        found = []
        for index in range(side, len(self.layers), 2):
            field: ArrayLike = 0
            if index > 0:
                field = field + real_dot(state[(index - 1) // 2], self.weights[index - 1])
            if index + 1 < len(self.layers):
                field = field + real_dot(state[(index + 1) // 2], self.weights[index].T)
            found.append(field)
        return tuple(found)

    def fields(self, state: State, side: int) -> State:
        """The fields on the layers of `side`, given the `state` of the other."""
        linked = self.linked(state, side)
        return tuple(b + f for b, f in zip(self.biases[side::2], linked, strict=True))

    def sample_side(self, fields: State, side: int, *, key: Array) -> State:
        """The layers of `side`, drawn in their fields."""
        return sample_layers(self.side(side), fields, key=key)

    def log_weight(self, state: State, side: int = 0) -> Float[Array, "..."]:
        """ln Σ over the other side of e^{−E}, nats: ln Ψ(v) for side 0 of an RBM."""
        own = zip(self.side(side), self.biases[side::2], state, strict=True)
        linear = sum((x * b).sum(-1) - layer.base(x) for layer, b, x in own)
        fields = self.fields(state, 1 - side)
        other = zip(self.side(1 - side), fields, strict=True)
        return linear + sum(layer.log_partition(f) for layer, f in other)  # type: ignore[return-value]


class Layered(Protocol):
    """A machine that says its layers: biases b_l (n_l,), weights W_l (n_l, n_{l+1}), units."""

    @property
    def biases(self) -> Sequence[Float[Array, "n"]]: ...

    @property
    def weights(self) -> Sequence[Float[Array, "n m"]]: ...

    @property
    def layers(self) -> Sequence[UnitLayer]: ...


Layers = RBM | Layered
"""What block Gibbs sampling takes: RBMs, deep Boltzmann machines and any other `Layered` model."""


def has_layers(model: object) -> TypeGuard[Layers]:
    """Whether `model` is a machine of layers.

    >>> has_layers(RBM(4, hidden=3, key=jax.random.key(0))), has_layers(None)
    (True, False)
    """
    return isinstance(model, RBM) or all(hasattr(model, x) for x in ("biases", "weights", "layers"))


def layered(model: object) -> LayeredMachine:
    """The layers of an RBM with real parameters, or of any machine with `biases`, `weights` and `layers` (a
    deep Boltzmann machine).

    Raises InputError for other models: there is no block Gibbs sampling for them.

    >>> machine = layered(RBM(4, hidden=3, units="binary", key=jax.random.key(0)))
    >>> [layer.size for layer in machine.layers]
    [4, 3]
    """
    if isinstance(model, LayeredMachine):
        return model
    if isinstance(model, RBM):
        if model.kind != "real":
            raise _no_layers(model)
        return LayeredMachine(
            (model.visible_bias, model.hidden_bias),
            (model.weights,),
            (model.visible_layer, model.hidden_layer),
        )
    if has_layers(model) and not isinstance(model, RBM):
        return LayeredMachine(tuple(model.biases), tuple(model.weights), tuple(model.layers))
    raise _no_layers(model)


def layers_of(model: object) -> LayeredMachine | None:
    """`layered(model)`, or None where it is no machine of layers."""
    return layered(model) if has_layers(model) else None


def _no_layers(model: object) -> InputError:
    return fail(
        "model",
        "a machine of layers with real parameters (RBM, DBM), for block Gibbs sampling",
        f"{type(model).__name__} of kind {getattr(model, 'kind', 'unknown')}",
        "sample other models with Metropolis",
    )


def sample_layers(layers: tuple[UnitLayer, ...], fields: State, *, key: Array) -> State:
    """Independent layers, each drawn in its fields."""
    if len(layers) == 1:
        return (layers[0].sample(fields[0], key=key),)
    keys = jax.random.split(key, len(layers))
    return tuple(layer.sample(f, key=k) for layer, f, k in zip(layers, fields, keys, strict=True))
