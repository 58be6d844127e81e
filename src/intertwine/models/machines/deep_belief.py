r"""The deep belief network: directed layers that are generated from a restricted Boltzmann machine on top.

    p(v, h¹, …, hᴸ) = p(v|h¹) p(h¹|h²) ⋯ p(hᴸ⁻²|hᴸ⁻¹) · p_RBM(hᴸ⁻¹, hᴸ)
    q(h¹, …, hᴸ⁻¹|v) = q(h¹|v) q(h²|h¹) ⋯ q(hᴸ⁻¹|hᴸ⁻²)

      hᴸ    ═══ RBM ═══   undirected: the memory
      hᴸ⁻¹  ↓ p    ↑ q    generative and recognition weights, equal in a stack of RBMs, apart after
      ⋮                   fine-tuning
      v

(Hinton, Osindero & Teh, Neural Comput. 18, 1527, 2006). The top units hᴸ are summed out, so that the states
of the network here are (v, h¹, …, hᴸ⁻¹), and what is not known is one number, ln Z of the RBM on top:

    ln p(v, h¹, …, hᴸ⁻¹) = Σ_k ln p(hᵏ|hᵏ⁺¹) + ln Ψ_RBM(hᴸ⁻¹) − ln Z.

Units of every kind (`unit_kinds`) in every layer. With one hidden layer it is the RBM itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine import _checks
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import Spec, UnitLayer
from intertwine.models.parameters import check_key, parameter_dtype

MOST_PAIRS = 2**26
"""Pairs of configurations of two neighbouring layers that are enumerated, at most."""

States = tuple[Float[Array, "... K"], ...]
"""Values of (v, h¹, …, hᴸ⁻¹): every layer but the topmost, which is summed out."""


class DBN(eqx.Module):
    r"""A deep belief network with layers of `sizes` columns from the visible one up.

    sizes: (N, M¹, …, Mᴸ), at least two. units, hidden_units: kinds of the visible and of the hidden layers;
    hidden_units is one kind for all, or a sequence with one description for each hidden layer.
    dtype: a real floating type. scale: standard deviation of the initial parameters.

    generative[k]: p(hᵏ|hᵏ⁺¹). recognition[k]: q(hᵏ⁺¹|hᵏ). top: the RBM of (hᴸ⁻¹, hᴸ). A new network has
    recognition weights that are its generative ones transposed, as a stack of RBMs has.

    Raises InputError for sizes that are not two or more positive integers, unknown units and complex types.

    >>> import jax
    >>> dbn = DBN((6, 4, 3), key=jax.random.key(0))
    >>> dbn.sizes, [arrow.outputs for arrow in dbn.generative], dbn.top.size
    ((6, 4, 3), [6], 4)
    """

    generative: tuple[DirectedLayer, ...]
    recognition: tuple[DirectedLayer, ...]
    top: RBM

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        units: Spec = "binary",
        hidden_units: Spec | Sequence[Spec] = "binary",
        dtype: DTypeLike = float,
        scale: float = 0.05,
        key: Array,
    ):
        extents = _sizes(sizes)
        specs = (units, *_specs(hidden_units, len(extents) - 1))
        if parameter_dtype(dtype).kind == "c":
            raise _checks.fail("dtype", "a real floating type", dtype, "a belief network is a distribution")
        keys = jax.random.split(check_key(key), len(extents) - 1)
        rbms = [
            RBM(
                extents[k], hidden=extents[k + 1], units=specs[k], hidden_units=specs[k + 1], dtype=dtype,
                scale=scale, key=keys[k],
            )
            for k in range(len(extents) - 1)
        ]  # fmt: skip
        self.generative, self.recognition, self.top = _stacked(rbms)

    @classmethod
    def from_rbms(cls, rbms: Sequence[RBM]) -> DBN:
        """The network of a greedy stack: each RBM below the last gives p = its p(v|h) and q = its p(h|v).

        Raises InputError where a machine's visible layer is not the hidden layer of the one below.

        >>> import jax
        >>> first = RBM(6, hidden=4, units="binary", hidden_units="binary", key=jax.random.key(0))
        >>> second = RBM(4, hidden=6, units="binary", hidden_units="binary", key=jax.random.key(1))
        >>> DBN.from_rbms([first, second]).sizes
        (6, 4, 6)
        """
        generative, recognition, top = _stacked(rbms)
        return cls.from_parts(generative, recognition, top)

    @classmethod
    def from_parts(
        cls, generative: Sequence[DirectedLayer], recognition: Sequence[DirectedLayer], top: RBM
    ) -> DBN:
        """The network with given layers, from the lowest up; the shapes and kinds must fit."""
        if len(generative) != len(recognition):
            raise _checks.fail("recognition", f"{len(generative)} layers, as generative", len(recognition))
        above = [arrow.layer for arrow in generative[1:]] + [top.visible_layer]
        for k, (down, up) in enumerate(zip(generative, recognition, strict=True)):
            ends = (down.layer.size, down.inputs)
            if (up.inputs, up.outputs) != ends:
                got = f"{up.inputs} to {up.outputs} columns"
                raise _checks.fail(f"recognition[{k}]", f"{ends[0]} to {ends[1]} columns", got)
            if up.layer != above[k]:
                raise _checks.fail(f"recognition[{k}]", f"units {above[k].spec!r}", repr(up.layer.spec))
        blank = object.__new__(cls)
        for name, value in (("generative", generative), ("recognition", recognition)):
            object.__setattr__(blank, name, tuple(value))
        object.__setattr__(blank, "top", top)
        return blank

    @property
    def layers(self) -> tuple[UnitLayer, ...]:
        """The units of (v, h¹, …, hᴸ)."""
        below = tuple(arrow.layer for arrow in self.generative)
        return (*below, self.top.visible_layer, self.top.hidden_layer)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The columns of (v, h¹, …, hᴸ)."""
        return tuple(layer.size for layer in self.layers)

    @property
    def size(self) -> int:
        """The number of visible columns N."""
        return self.layers[0].size

    @property
    def visible_layer(self) -> UnitLayer:
        """The visible units."""
        return self.layers[0]

    @property
    def units(self) -> Spec:
        """The kind of the visible units, or ((kind, columns), ...)."""
        return self.visible_layer.spec

    # Generation

    def log_joint(self, states: States) -> Float[Array, "..."]:
        """ln p(v, h¹, …, hᴸ⁻¹) + ln Z of the top RBM, nats; batched over leading axes."""
        total = -self.top.free_energy(states[-1])
        for k, arrow in enumerate(self.generative):
            total = total + arrow.log_probability(states[k], states[k + 1])
        return total

    def descend(self, top: Float[Array, "... K"], *, key: Array) -> States:
        """(v, h¹, …, hᴸ⁻¹) drawn downwards from hᴸ⁻¹ = `top`: ancestral sampling below the RBM."""
        states = [top]
        for k, arrow in reversed(list(enumerate(self.generative))):
            states.append(arrow.sample(states[-1], key=jax.random.fold_in(key, k)))
        return tuple(reversed(states))

    def descend_means(self, top: Float[Array, "... K"]) -> Float[Array, "... N"]:
        """The visible means below hᴸ⁻¹ = `top`, with the layers between at their means."""
        for arrow in reversed(self.generative):
            top = arrow.mean(top)
        return top

    def draw(
        self, count: int, *, steps: int = 1000, key: Array, top: Float[Array, "C K"] | None = None
    ) -> Float[Array, "C N"]:
        """`count` visible configurations: `steps` sweeps of block Gibbs in the top RBM, each sample a chain
        of its own, then down. top: (count, Mᴸ⁻¹) where the chains start (else each from uniform fields).

        >>> import jax
        >>> DBN((6, 4, 3), key=jax.random.key(0)).draw(5, steps=10, key=jax.random.key(1)).shape
        (5, 6)
        """
        count = _checks.positive_int("count", count, "give the number of samples")
        steps = _checks.positive_int("steps", steps, "give the number of Gibbs sweeps of the top RBM")
        begin, chain, down = jax.random.split(check_key(key), 3)
        if top is None:
            fields = jnp.zeros((count, self.top.size), self.top.weights.dtype)
            top = self.top.visible_layer.sample(fields, key=begin)
        return _drawn(self, top, steps, chain, down)

    # Recognition

    def recognise(self, v: Float[Array, "... N"], *, key: Array) -> States:
        """(v, h¹, …, hᴸ⁻¹) with h ~ q(h|v): one stochastic pass upwards."""
        states = [v.astype(self.top.weights.dtype)]
        for k, arrow in enumerate(self.recognition):
            states.append(arrow.sample(states[-1], key=jax.random.fold_in(key, k)))
        return tuple(states)

    def recognition_means(self, v: Float[Array, "... N"]) -> States:
        """(v, E h¹, …, E hᴸ⁻¹, E hᴸ), each layer's means put into the next: the deterministic pass."""
        states = [v.astype(self.top.weights.dtype)]
        for arrow in self.recognition:
            states.append(arrow.mean(states[-1]))
        return (*states, self.top.hidden_given_visible(states[-1]))

    def log_recognition(self, states: States) -> Float[Array, "..."]:
        """ln q(h¹, …, hᴸ⁻¹|v), nats."""
        total = jnp.zeros(states[0].shape[:-1], self.top.weights.dtype)
        for k, arrow in enumerate(self.recognition):
            total = total + arrow.log_probability(states[k + 1], states[k])
        return total

    # Exact, small networks

    def log_partition(self) -> Float[Array, ""]:
        """ln Z of the top RBM, by enumeration of its visible layer."""
        return jax.nn.logsumexp(self._top_values())

    def log_probability(self, v: Array) -> Float[Array, "..."]:
        """ln p(v), exact, by enumeration of the layers h¹, …, hᴸ⁻¹; nats.

        Raises InputError for continuous hidden layers and for more than 2^26 pairs of configurations of
        neighbouring layers.

        >>> import jax
        >>> dbn = DBN((3, 2, 2), key=jax.random.key(0))
        >>> round(float(jnp.exp(dbn.log_probability(dbn.visible_layer.states())).sum()), 5)
        1.0
        """
        self.visible_layer.check(v, "v")
        above = self.top.visible_layer
        for layer in reversed(self.layers[:-2]):
            rows = np.asarray(v).size // self.size if layer is self.layers[0] else layer.state_count
            if (pairs := rows * above.state_count) > MOST_PAIRS:
                remedy = "use the lower bound (it.belief_bound)"
                raise _checks.fail(
                    "model", "discrete hidden layers with at most 2^26 pairs of configurations", pairs, remedy
                )
            above = layer
        return _log_probability(self, np.asarray(v))

    def _states(self, layer: UnitLayer) -> Float[Array, "K size"]:
        return jnp.asarray(layer.states(), self.top.weights.dtype)

    def _top_values(self) -> Float[Array, "K"]:
        return -self.top.free_energy(self._states(self.top.visible_layer))


@jax.jit
def _log_probability(model: DBN, v: Array) -> Float[Array, "..."]:
    v = v.astype(model.top.weights.dtype)
    values = model._top_values()
    log_p = values - jax.nn.logsumexp(values)
    if not model.generative:
        return -model.top.free_energy(v) - jax.nn.logsumexp(values)
    above = model._states(model.top.visible_layer)
    for arrow in reversed(model.generative[1:]):
        here = model._states(arrow.layer)
        log_p = _through(arrow, here, above, log_p)
        above = here
    rows = v.reshape(-1, model.size)
    return _through(model.generative[0], rows, above, log_p).reshape(v.shape[:-1])


def _through(arrow: DirectedLayer, here: Array, above: Array, log_p: Array) -> Float[Array, "K"]:
    """ln Σ_above p(here|above) p(above) for each row of `here`."""
    theta = arrow.angles(above)
    own = log_p - arrow.layer.log_partition(theta)
    return jax.nn.logsumexp(here @ theta.T + own, axis=-1) - arrow.layer.base(here)


@jax.jit
def _drawn(model: DBN, top: Array, steps: int, chain: Array, down: Array) -> Array:
    def sweep(i: Array, h: Array) -> Array:
        up, back = jax.random.split(jax.random.fold_in(chain, i))
        return model.top.sample_visible(model.top.sample_hidden(h, key=up), key=back)

    return model.descend(jax.lax.fori_loop(0, steps, sweep, top), key=down)[0]


def _stacked(rbms: Sequence[RBM]) -> tuple[tuple[DirectedLayer, ...], tuple[DirectedLayer, ...], RBM]:
    rbms = tuple(rbms)
    if not rbms or not all(isinstance(rbm, RBM) and rbm.kind == "real" for rbm in rbms):
        raise _checks.fail("rbms", "one or more RBMs with real parameters, the lowest first", rbms)
    for k in range(1, len(rbms)):
        below, above = rbms[k - 1].hidden_layer, rbms[k].visible_layer
        if below != above:
            got = f"{above.size} columns of {above.spec!r}"
            raise _checks.fail(f"rbms[{k}]", f"visible units {below.size} columns of {below.spec!r}", got)
    down = tuple(DirectedLayer(r.weights.T, r.visible_bias, r.visible_layer) for r in rbms[:-1])
    up = tuple(DirectedLayer(r.weights, r.hidden_bias, r.hidden_layer) for r in rbms[:-1])
    return down, up, rbms[-1]


def _sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    remedy = "give the columns of each layer from the visible one up, for example (784, 500, 500)"
    try:
        found = tuple(_checks.positive_int("sizes", size, remedy) for size in sizes)
    except TypeError:
        raise _checks.fail("sizes", "two or more positive integers", sizes, remedy) from None
    if len(found) < 2:
        raise _checks.fail("sizes", "two or more positive integers", sizes, remedy)
    return found


def _specs(hidden_units: Spec | Sequence[Spec], count: int) -> tuple[Any, ...]:
    if isinstance(hidden_units, str):
        return (hidden_units,) * count
    try:
        specs = tuple(hidden_units)
    except TypeError:
        specs = ()
    if len(specs) != count:
        raise _checks.fail("hidden_units", f"one kind, or one description for each of {count} hidden layers",
                           hidden_units, "for example 'binary'")  # fmt: skip
    return specs
