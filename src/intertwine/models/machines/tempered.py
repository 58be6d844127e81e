r"""The path from a simple machine to a trained one: what annealing and tempering share.

    p_β(x) ∝ p_A(x)^{1−β} p_B(x)^β,      E_β = (1 − β) E_A + β E_B,      0 ≤ β ≤ 1,

for all layers x of two machines with the same units (Neal 2001; Salakhutdinov & Murray 2008). Energies are
linear in the parameters and the base energies of the units are not tempered (their weights (1 − β) + β add up
to 1), so p_β is the machine with the parameters

    λ_β = (1 − β) λ_A + β λ_B,

for every kind of unit; Gaussian units keep their widths. The usual A is the *base-rate*
machine: independent units, no weights. Then one product with W serves every β of a replica, an annealing step
and a swap: fields are (1 − β) f_A + β f_B.

A may also be a mixture Σ_k π_k q_k(v) of products, which covers modes far apart. The path is then that of
machines with one more hidden unit, a Potts unit z whose state k is the mode:

    E_A = −(c_z + f_z · v),   c_k = ln π_k − A(f_k),        E_B that of the model, whatever z,

so that p_0(v) = q(v), p_1(v) = p_B(v), Z_1 = K Z_B, and all else is as before. Between them no mode arises
that neither has: A(θ) is convex, so that ln ∫ q_k^{1−β} q_l^β ≤ 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.models.machines.layered import LayeredMachine, State, layered, sample_layers
from intertwine.models.machines.product_mixture import ProductMixture
from intertwine.models.machines.unit_layer import UnitLayer


class PathPoint(NamedTuple):
    """The state of one side and all that p_β needs of it for every β; leading axes (...) of chains.

    own: (base A, base B): a·x of both ends, without the base energies of the units, (...).
    units: Σ base(x) of the units of this side, (...).
    fields: (on the other side from A, from B), a tuple over its layers of (..., n).
    """

    own: tuple[Array, Array]
    units: Array
    fields: tuple[State, State]


class TemperedPath(eqx.Module):
    """The path p_β from `base` (β = 0: independent units with biases only) to `model` (β = 1).

    base: one bias vector a layer of the model. mixture: instead of the visible ones, a mixture; the last
    columns of the first odd layer of `model` are then its label. Make it with `tempered_path`.
    """

    base: tuple[Float[Array, "n"], ...]
    model: LayeredMachine
    mixture: ProductMixture | None = None

    def at(self, state: State, side: int = 0) -> PathPoint:
        """Everything about a state of `side` (..., n) that a β can be applied to: the only product with W."""
        layers = self.model.side(side)
        own = [
            sum((x * b).sum(-1) for x, b in zip(state, biases[side::2], strict=True))
            for biases in (self.base, self.model.biases)
        ]
        units = sum(layer.base(x) for layer, x in zip(layers, state, strict=True))
        fields = (self._base_fields(state, side), self.model.fields(state, 1 - side))
        return PathPoint((own[0], own[1]), units, fields)  # type: ignore[arg-type]

    def _base_fields(self, state: State, side: int) -> State:
        """The fields on the other side from A: as many as chains where A is a mixture."""
        base = self.base[1 - side :: 2]
        if self.mixture is None:
            return base
        shape, modes = state[0].shape[:-1], self.mixture.count
        if side == 0:
            on_label = state[0] @ self.mixture.fields.T + self._label_bias()
            hidden = jnp.broadcast_to(base[0][:-modes], (*shape, len(base[0]) - modes))
            first = jnp.concatenate([hidden, on_label], -1)
        else:
            first = state[0][..., -modes:] @ self.mixture.fields
        return (first, *(jnp.broadcast_to(b, (*shape, len(b))) for b in base[1:]))

    def _label_bias(self) -> Float[Array, "K"]:
        """c_k = ln π_k − A(f_k)."""
        assert self.mixture is not None
        return self.mixture.log_shares - self.model.layers[0].log_partition(self.mixture.fields)

    def fields(self, point: PathPoint, beta: Array) -> State:
        """The fields on the other side at β; `beta` is a number or an array (...) like the chains."""
        b = jnp.asarray(beta, self.model.dtype)[..., None]
        return tuple((1 - b) * f0 + b * f1 for f0, f1 in zip(*point.fields, strict=True))

    def log_weight(self, point: PathPoint, beta: Array, side: int = 0) -> Float[Array, "..."]:
        """ln Σ over the other side of e^{−E_β}, nats, of a `point` of `side`: the unnormalised ln p_β."""
        b = jnp.asarray(beta, self.model.dtype)
        linear = (1 - b) * point.own[0] + b * point.own[1] - point.units
        layers = self.model.side(1 - side)
        return linear + sum(
            layer.log_partition(f) for layer, f in zip(layers, self.fields(point, beta), strict=True)
        )

    def draw(self, point: PathPoint, beta: Array, side: int = 0, *, key: Array) -> State:
        """The other side given a `point` of `side` at β."""
        return sample_layers(self.model.side(1 - side), self.fields(point, beta), key=key)

    def start(self, shape: tuple[int, ...], side: int = 0, *, key: Array) -> State:
        """Independent exact draws of `side` from the base, β = 0, with leading axes `shape`."""
        label, rest = jax.random.split(key)
        fields = [jnp.broadcast_to(b, (*shape, len(b))) for b in self.base[side::2]]
        if self.mixture is not None and side == 0:
            fields[0] = self.mixture.fields[self.mixture.labels(shape, key=label)]
        elif self.mixture is not None:
            fields[0] = fields[0].at[..., -self.mixture.count :].set(self.mixture.log_shares)
        return sample_layers(self.model.side(side), tuple(fields), key=rest)

    def log_partition_base(self) -> Float[Array, ""]:
        """ln Z_0 of the base, all sides summed, nats: exact. Less ln K for a mixture of K modes, whose label
        the model does not know."""
        ends = list(zip(self.model.layers, self.base, strict=True))
        if self.mixture is None:
            return sum(layer.log_partition(b) for layer, b in ends)  # type: ignore[return-value]
        # all parts of the first odd layer, of which the label gives ln K at zero field
        others = sum(layer.log_partition(b) for layer, b in ends[1:])
        visible = self.model.layers[0].log_partition(self.mixture.fields)
        labels = jax.nn.logsumexp(self._label_bias() + visible)
        return others - 2 * jnp.log(self.mixture.count) + labels  # type: ignore[return-value]

    def machine(self, beta: Array) -> LayeredMachine:
        """p_β as a machine."""
        b = jnp.asarray(beta, self.model.dtype)
        biases = tuple((1 - b) * b0 + b * b1 for b0, b1 in zip(self.base, self.model.biases, strict=True))
        weights = [b * w for w in self.model.weights]
        if self.mixture is not None:
            modes = self.mixture.count
            weights[0] = weights[0].at[:, -modes:].add((1 - b) * self.mixture.fields.T)
            labels = biases[1].at[-modes:].add((1 - b) * self._label_bias())
            biases = (biases[0], labels, *biases[2:])
        return LayeredMachine(biases, tuple(weights), self.model.layers)


def tempered_path(model: LayeredMachine, base: PyTree = None) -> TemperedPath:
    """The path to `model` (an RBM or a DBM) from independent units.

    base: None for units without a field (uniform, where they are discrete), an array (N,) of visible biases
    (such as `base_rate(layer, data_mean)`), one bias vector for every layer, or a `ProductMixture`.

    Raises InputError for models that have no layers, and biases of other lengths.

    >>> from intertwine.models.machines.rbm import RBM
    >>> path = tempered_path(RBM(4, hidden=3, units="binary", key=jax.random.key(0)))
    >>> round(float(path.log_partition_base()), 4)                       # 7 ln 2
    4.852
    >>> point = path.at(path.start((5,), key=jax.random.key(1)))
    >>> path.log_weight(point, jnp.linspace(0.0, 1.0, 5)).shape          # a β for each chain
    (5,)
    """
    machine = layered(model)
    if isinstance(base, ProductMixture):
        return _from_mixture(machine, base)
    zeros = tuple(jnp.zeros_like(b) for b in machine.biases)
    if base is None:
        return TemperedPath(zeros, machine)
    given = base if isinstance(base, tuple | list) else (base, *zeros[1:])
    vectors = tuple(jnp.asarray(b, machine.dtype) for b in given)
    wanted = [b.shape for b in zeros]
    if [b.shape for b in vectors] != wanted:
        raise fail("base", f"bias vectors of shapes {wanted}", [b.shape for b in vectors])
    return TemperedPath(vectors, machine)


def _from_mixture(machine: LayeredMachine, mixture: ProductMixture) -> TemperedPath:
    """The path from a mixture: the model with a label beside its first odd layer that it does not use."""
    if mixture.layer != machine.layers[0]:
        raise fail("base", f"a mixture of {machine.layers[0].parts}", mixture.layer.parts)
    mixture = jax.tree.map(lambda x: jnp.asarray(x, machine.dtype), mixture.padded())
    modes, dtype = mixture.count, machine.dtype
    hidden = UnitLayer((*machine.layers[1].parts, (f"potts:{modes}", modes)))
    first = jnp.pad(machine.weights[0], ((0, 0), (0, modes)))
    second = tuple(jnp.pad(w, ((0, modes), (0, 0))) for w in machine.weights[1:2])
    biases = (machine.biases[0], jnp.pad(machine.biases[1], (0, modes)), *machine.biases[2:])
    joined = LayeredMachine(
        biases,
        (first, *second, *machine.weights[2:]),
        (machine.layers[0], hidden, *machine.layers[2:]),
    )
    zeros = tuple(jnp.zeros(len(b), dtype) for b in biases)
    return TemperedPath(zeros, joined, mixture)


def interpolate(base: PyTree, model: LayeredMachine, beta: Array) -> Any:
    """The model p_β ∝ base^{1−β} model^β between two machines of one structure: parameters
    (1 − β) λ_A + β λ_B, for any kind of unit; of widths, 1/σ².

    >>> from intertwine.models.machines.rbm import RBM
    >>> a, b = (RBM(4, hidden=3, key=jax.random.key(k)) for k in (0, 1))
    >>> bool((interpolate(a, b, 1.0).weights == b.weights).all())
    True
    """

    def between(x: PyTree, y: PyTree) -> Any:
        if not eqx.is_inexact_array(x):
            return x
        b = jnp.asarray(beta, x.real.dtype)
        return (1 - b) * x + b * y

    def layer(x: PyTree, y: PyTree) -> Any:
        if not isinstance(x, UnitLayer) or x.log_variance is None:
            return between(x, y)
        b = jnp.asarray(beta, x.log_variance.dtype)
        precision = (1 - b) * jnp.exp(-x.log_variance) + b * jnp.exp(-y.log_variance)
        return UnitLayer(x.parts, -jnp.log(precision))

    return jax.tree.map(layer, base, model, is_leaf=lambda x: isinstance(x, UnitLayer))
