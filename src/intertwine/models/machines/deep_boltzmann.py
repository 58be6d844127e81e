r"""The deep Boltzmann machine: layers x_0 = v, x_1, ..., x_L, each linked to the next.

    E(x_0, ..., x_L) = Σ_l (base(x_l) − b_l·x_l) − Σ_l x_lᵀ W_l x_{l+1},      p(v) = Σ_{x_1...x_L} e^{−E}/Z

(Salakhutdinov & Hinton, AISTATS 2009). There are no links inside a layer, and none from an even layer to
another even one, so that all even layers are drawn at once given the odd ones and the reverse:

    θ_l = b_l + W_{l−1}ᵀ x_{l−1} + W_l x_{l+1}

It is an RBM between the even and the odd layers whose weights have blocks of zeros (`as_bipartite`).
`layered` is that view at the cost of the real products: what samples or anneals an RBM does so with a deep
machine through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine import _checks
from intertwine.models.machines.layered import State, layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import Spec, UnitLayer
from intertwine.models.numerics import real_dot
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind

MOST_STATES = 2**20
"""Configurations of hidden layers that are enumerated, at most."""
_AT_ONCE = 4096
"""Configurations of hidden layers looked at at once when they are enumerated."""


class DBM(eqx.Module):
    r"""A deep Boltzmann machine.

    sizes: columns of every layer from the visible one up, at least two layers.
    units: the visible units. hidden_units: the kind of all hidden units, or a list with one kind (or pairs
    (kind, columns)) for each hidden layer.
    scale: standard deviation of the initial weights; biases start at zero.

    Raises InputError for fewer than two layers, sizes that are not positive integers, unknown units.

    >>> import jax
    >>> dbm = DBM((4, 3, 2), key=jax.random.key(0))
    >>> dbm.size, dbm.depth, [w.shape for w in dbm.weights]
    (4, 2, [(4, 3), (3, 2)])
    >>> float(dbm(jnp.array([1.0, 0.0, 1.0, 1.0]))) > 0           # ln p*(v), hidden layers summed over
    True
    """

    biases: tuple[Float[Array, "K"], ...]
    weights: tuple[Float[Array, "K K1"], ...]
    layers: tuple[UnitLayer, ...]

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        units: Spec = "binary",
        hidden_units: Spec | Sequence[Spec] = "binary",
        dtype: DTypeLike = float,
        scale: float = 0.01,
        key: Array,
    ):
        self.layers = _layers(sizes, units, hidden_units)
        kind = parameter_dtype(dtype)
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise _checks.fail(
                "dtype", "a real type", kind.name, "a deep Boltzmann machine is a distribution"
            )
        spread, keys = check_scale(scale), jax.random.split(check_key(key), len(self.layers) - 1)
        widths = [layer.size for layer in self.layers]
        self.biases = tuple(jnp.zeros(width, kind) for width in widths)
        shapes = pairwise(widths)
        self.weights = tuple(normal(k, shape, kind, spread) for k, shape in zip(keys, shapes, strict=True))

    @classmethod
    def from_parameters(
        cls,
        biases: Sequence[Float[Array, "K"]],
        weights: Sequence[Float[Array, "K K1"]],
        *,
        units: Spec = "binary",
        hidden_units: Spec | Sequence[Spec] = "binary",
    ) -> DBM:
        """The machine with given parameters: a bias a layer, a matrix between each layer and the next.

        >>> DBM.from_parameters([jnp.zeros(3), jnp.zeros(2)], [jnp.ones((3, 2))]).sizes
        (3, 2)
        """
        arrays = [jnp.asarray(b) for b in biases], [jnp.asarray(w) for w in weights]
        for k, bias in enumerate(arrays[0]):
            _checks.shape(f"biases[{k}]", bias, ("K",), "give one number per unit")
        sizes = tuple(bias.shape[0] for bias in arrays[0])
        if len(arrays[1]) != len(sizes) - 1:
            raise _checks.fail(
                "weights", f"{len(sizes) - 1} matrices for {len(sizes)} layers", len(arrays[1])
            )
        for k, weight in enumerate(arrays[1]):
            _checks.shape(
                f"weights[{k}]", weight, sizes[k : k + 2], "rows: the lower layer; columns: the upper"
            )
        dtype = jnp.result_type(*arrays[0], *arrays[1], jnp.float32)
        blank = cls(
            sizes, units=units, hidden_units=hidden_units, dtype=dtype, scale=0, key=jax.random.key(0)
        )
        cast = tuple(tuple(x.astype(dtype) for x in group) for group in arrays)
        return eqx.tree_at(lambda m: (m.biases, m.weights), blank, cast)

    @property
    def size(self) -> int:
        """The number of visible columns."""
        return self.layers[0].size

    @property
    def sizes(self) -> tuple[int, ...]:
        """The columns of every layer, from the visible one up."""
        return tuple(layer.size for layer in self.layers)

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        return len(self.weights)

    @property
    def units(self) -> Spec:
        """The kind of the visible units, or ((kind, columns), ...)."""
        return self.layers[0].spec

    @property
    def hidden_units(self) -> tuple[Spec, ...]:
        """The kind of the units of each hidden layer."""
        return tuple(layer.spec for layer in self.layers[1:])

    @property
    def visible_layer(self) -> UnitLayer:
        return self.layers[0]

    @property
    def dtype(self) -> jnp.dtype:
        return self.biases[0].dtype

    @property
    def kind(self) -> Kind:
        return "real"

    def field(self, level: int, states: Sequence[Any]) -> Float[Array, "... K"]:
        """θ of layer `level` from its neighbours among `states` (one array a layer, others are not read)."""
        total = self.biases[level]
        if level > 0:
            total = total + real_dot(states[level - 1].astype(total.dtype), self.weights[level - 1])
        if level < self.depth:
            total = total + real_dot(states[level + 1].astype(total.dtype), self.weights[level].T)
        return total

    def energy(self, states: Sequence[Shaped[Array, "... K"]]) -> Float[Array, "..."]:
        """E(x_0, ..., x_L), nats; one array (..., size of the layer) a layer.

        >>> dbm = DBM.from_parameters([jnp.ones(2), jnp.zeros(1)], [jnp.ones((2, 1))])
        >>> float(dbm.energy([jnp.array([1, 1]), jnp.array([1])]))
        -4.0
        """
        if len(states) != len(self.layers):
            raise _checks.fail("states", f"{len(self.layers)} arrays, one per layer", len(states))
        states = [x.astype(self.dtype) for x in states]
        total = sum(
            layer.base(x) - (bias * x).sum(-1)
            for layer, bias, x in zip(self.layers, self.biases, states, strict=True)
        )
        for below, weight, above in zip(states[:-1], self.weights, states[1:], strict=True):
            total = total - (real_dot(below, weight) * above).sum(-1)
        return total  # type: ignore[return-value]

    def __call__(self, v: Shaped[Array, "N"]) -> Float[Array, ""]:
        """ln p*(v) = ln Σ_{x_1...x_L} e^{−E}, nats, of one configuration, by enumeration of every second
        hidden layer (of those with fewer configurations; the others are summed in closed form).

        Raises InputError where that is more than 2^20 configurations: then use `variational_bound`.
        """
        v = v.astype(self.dtype)
        machine, sides = layered(self), (_joined(self.layers[2::2]), _joined(self.layers[1::2]))
        if min(side.state_count for side in sides) > MOST_STATES:
            raise _checks.fail(
                "model",
                "every second hidden layer with at most 2^20 configurations, to enumerate them",
                f"{min(side.state_count for side in sides):.3g}",
                "use the variational bound, or annealed importance sampling",
            )

        def given_even(state: State) -> Array:
            return machine.log_weight((v, *state))

        def given_odd(state: State) -> Array:
            return self.log_weight_of_odd(v, state)

        even = sides[0].state_count <= sides[1].state_count
        widths = self.sizes[2::2] if even else self.sizes[1::2]
        return _log_sum(sides[0] if even else sides[1], widths, given_even if even else given_odd, self.dtype)

    def log_weight_of_odd(self, v: Shaped[Array, "... N"], odd: State) -> Float[Array, "..."]:
        """ln Σ over the layers 2, 4, ... of e^{−E}, nats, of visible units and the layers 1, 3, ..."""
        fields, v = layered(self).fields(odd, 0), v.astype(self.dtype)
        own = zip(self.layers[1::2], self.biases[1::2], odd, strict=True)
        total = (v * fields[0]).sum(-1) - self.layers[0].base(v)
        total = total + sum((b * x).sum(-1) - layer.base(x) for layer, b, x in own)
        above = zip(self.layers[2::2], fields[1:], strict=True)
        return total + sum(layer.log_partition(f) for layer, f in above)

    def as_bipartite(self) -> RBM:
        """The same distribution as an RBM with dense weights between the even layers joined, visible ones
        first, and the odd layers joined: for small machines (`layered` costs only the real products).

        >>> rbm = DBM((4, 3, 2), key=jax.random.key(0)).as_bipartite()
        >>> rbm.size, rbm.hidden
        (6, 3)
        """
        even, odd = range(0, len(self.layers), 2), range(1, len(self.layers), 2)
        blocks = [[self._block(k, m) for m in odd] for k in even]
        return RBM.from_parameters(
            jnp.concatenate(self.biases[0::2]),
            jnp.concatenate(self.biases[1::2]),
            jnp.block(blocks),
            units=_joined(self.layers[0::2]).spec,
            hidden_units=_joined(self.layers[1::2]).spec,
        )

    def _block(self, below: int, above: int) -> Array:
        if above == below + 1:
            return self.weights[below]
        if above == below - 1:
            return self.weights[above].T
        return jnp.zeros((self.sizes[below], self.sizes[above]), self.dtype)

    def sample_even(self, states: Sequence[Any], *, key: Array) -> list[Array]:
        """`states` with every even layer (0, 2, ...) drawn given the odd ones."""
        return self._drawn(states, 0, key)

    def sample_odd(self, states: Sequence[Any], *, key: Array) -> list[Array]:
        """`states` with every odd layer (1, 3, ...) drawn given the even ones."""
        return self._drawn(states, 1, key)

    def _drawn(self, states: Sequence[Any], first: int, key: Array) -> list[Array]:
        found, keys = list(states), jax.random.split(key, len(self.layers))
        for level in range(first, len(self.layers), 2):
            found[level] = self.layers[level].sample(self.field(level, states), key=keys[level])
        return found


def _joined(layers: Sequence[UnitLayer]) -> UnitLayer:
    """Layers side by side as one; parts of one kind are merged. No layers: no columns."""
    parts: list[tuple[str, int]] = []
    for kind, columns in (part for layer in layers for part in layer.parts):
        if parts and parts[-1][0] == kind:
            parts[-1] = (kind, parts[-1][1] + columns)
        else:
            parts.append((kind, columns))
    return UnitLayer(tuple(parts))


def _log_sum(
    layer: UnitLayer, widths: Sequence[int], value: Callable[[State], Array], dtype: DTypeLike
) -> Array:
    """ln Σ over the configurations of `layer`, split into layers of `widths`, of e^value."""
    if not widths:
        return value(())
    states, ends = layer.states(), np.cumsum(widths)[:-1]
    whole = -len(states) % _AT_ONCE if len(states) > _AT_ONCE else 0
    rows = np.concatenate([states, np.repeat(states[:1], whole, 0)]) if whole else states
    size = min(_AT_ONCE, len(states))

    def block(x: Array) -> Array:
        return value(tuple(jnp.split(x.astype(dtype), ends, axis=-1)))

    values = jax.lax.map(block, jnp.asarray(rows).reshape(-1, size, layer.size)).reshape(-1)
    return jax.nn.logsumexp(values[: len(states)])


def _layers(sizes: Sequence[int], units: Spec, hidden_units: Any) -> tuple[UnitLayer, ...]:
    try:
        sizes = tuple(sizes)
    except TypeError:
        raise _checks.fail(
            "sizes", "the columns of every layer", sizes, "for example (784, 500, 1000)"
        ) from None
    if len(sizes) < 2:
        raise _checks.fail("sizes", "at least two layers", sizes, "for example (784, 500, 1000)")
    widths = [_checks.positive_int(f"sizes[{k}]", size) for k, size in enumerate(sizes)]
    kinds = [hidden_units] * (len(widths) - 1) if isinstance(hidden_units, str) else list(hidden_units)
    if len(kinds) != len(widths) - 1:
        raise _checks.fail("hidden_units", f"one kind, or a list of {len(widths) - 1}", hidden_units)
    hidden = [UnitLayer.of(k, w, "hidden_units") for k, w in zip(kinds, widths[1:], strict=True)]
    return (UnitLayer.of(units, widths[0]), *hidden)
