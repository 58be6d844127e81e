r"""Exact sums of machines of layers, by enumeration of one side: the reference for all estimates.

The even layers are independent given the odd ones (`models.layered`), so that the sum over one side is a
formula and only the other is enumerated,

    Z = Σ_{x of the smaller side} e^{w(x)},    w(x) = Σ_l [b_l · x_l − base(x_l)] + Σ_{other l} A_l(f_l(x)),

for an RBM of any size with one small side, for deep machines of any depth whose even or odd layers are small
together, and for continuous units wherever the other side is discrete (both Gaussian: `gaussian_sums`).
The first derivatives of ln Z are the moments of the machine,

    ∂ ln Z/∂b_l = ⟨x_l⟩,      ∂ ln Z/∂W_l = ⟨x_l x_{l+1}ᵀ⟩,

and ∂ ln Z/∂ ln σ² = ⟨x²⟩/2σ² of Gaussian units with widths, which `jax.grad(log_z)` gives in a second sweep,
without storing anything of the first but the weights w.

    units ── slow table (rows of a scan) ┐
          └─ fast table (one block)      ┴─► block of states ─► w(x) ─► stable ln Σ e^w
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.objectives.gaussian_sums import gaussian_log_z, is_gaussian
from intertwine.models.machines.layered import LayeredMachine, State, layered
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import MOST_STATES, UnitLayer

if TYPE_CHECKING:
    from intertwine.models.machines.machine import Machine

_BLOCK_VALUES = 2**19
"""Fields that are held at once."""


def log_z(model: Machine | LayeredMachine) -> Float[Array, ""]:
    r"""ln Z of an RBM or a deep machine, nats, in the type of its parameters: pure, for `jit` and `grad`.

    Its gradient is the exact model average of learning: a machine like `model` with ⟨x_l⟩ in the place of
    the biases and ⟨x_l x_{l+1}ᵀ⟩ in the place of the weights.

    Raises InputError unless the even or the odd layers are discrete with at most 2^24 configurations
    together or both are Gaussian, and for models that have no layers.

    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM.from_parameters(jnp.zeros(3), jnp.zeros(2), jnp.zeros((3, 2)), units="binary")
    >>> round(float(log_z(rbm)), 4)                                              # 5 ln 2
    3.4657
    >>> jax.grad(log_z)(rbm).visible_bias.round(6).tolist()
    [0.5, 0.5, 0.5]
    """
    machine = layered(model)
    return gaussian_log_z(machine) if is_gaussian(machine) else _log_z(machine, smaller_side(machine))


def exact_log_partition(model: Machine | LayeredMachine) -> float:
    """ln Z in nats, summed in float64 whatever the type of the parameters; errors as for `log_z`."""
    machine = layered(model)
    if is_gaussian(machine):
        with jax.enable_x64(True):
            return float(jax.jit(gaussian_log_z)(_in_float64(machine)))
    side = smaller_side(machine)
    with jax.enable_x64(True):
        return float(_jitted_log_z(_in_float64(machine), side))


def exact_log_unnormalised(model: Machine | LayeredMachine, v: ArrayLike) -> np.ndarray:
    """ln p*(v) = ln Σ over all hidden units of e^{−E}, nats, of each row of v (rows, N): float64 (rows,).

    An RBM's is its ln Ψ; a deep machine's hidden units are enumerated, those of its even or of its odd
    layers. Raises InputError for wrong rows, and where neither can be enumerated.
    """
    machine = layered(model)
    machine.layers[0].check(np.atleast_2d(v), "v")
    if not is_gaussian(machine):
        _hidden_sides(machine)
    with jax.enable_x64(True):
        machine = _in_float64(machine)
        rows = np.atleast_2d(np.asarray(v, np.float64))
        step = max(1, _BLOCK_VALUES // max(16, sum(layer.size for layer in machine.layers)))
        parts = [_log_unnormalised(machine, rows[i : i + step]) for i in range(0, len(rows), step)]
        return np.concatenate([np.asarray(part) for part in parts])


def exact_probabilities(model: Machine | LayeredMachine) -> np.ndarray:
    """p(v) of every visible configuration, in the order of `visible_layer.states()`: float64, sum 1.

    Raises InputError unless the visible units are discrete and all sums can be done.

    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM.from_parameters(jnp.zeros(2), jnp.zeros(2), jnp.zeros((2, 2)), units="binary")
    >>> exact_probabilities(rbm).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    machine = layered(model)
    log_p = exact_log_unnormalised(machine, machine.layers[0].states())
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


def smaller_side(machine: LayeredMachine) -> int:
    """The side (0: even layers, 1: odd layers) with the fewer configurations.

    Raises InputError if both have more than 2^24, or infinitely many.
    """
    counts = [_count(machine.side(side)) for side in (0, 1)]
    if min(counts) > MOST_STATES:
        raise fail(
            "model",
            "a side (the even or the odd layers) of discrete units with at most 2^24 configurations",
            " and ".join("infinitely many" if math.isinf(c) else f"{c:.3g}" for c in counts),
            "estimate log Z by annealing: it.AIS()",
        )
    return int(np.argmin(counts))


def is_enumerable(model: Machine | LayeredMachine, most: float = MOST_STATES) -> bool:
    """Whether the sums can be done over at most `most` configurations, or are integrals that are known."""
    machine = layered(model)
    return is_gaussian(machine) or min(_count(machine.side(side)) for side in (0, 1)) <= most


# ------------------------------------------------------------------------------------------- the enumeration


def _count(layers: tuple[UnitLayer, ...]) -> float:
    return math.prod(layer.state_count for layer in layers)


def _in_float64(machine: LayeredMachine) -> LayeredMachine:
    return jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float64), machine)


def _tables(layers: tuple[UnitLayer, ...], width: int) -> tuple[np.ndarray, np.ndarray]:
    """(slow, fast): all states of the layers are all rows of one beside all rows of the other, in order.

    width: values that one state takes in memory; the fast table is a block of at most _BLOCK_VALUES.
    """
    units = [kind for layer in layers for kind, columns in layer.parts for _ in _each(kind, columns)]
    if not units:
        return np.zeros((1, 0), np.int8), np.zeros((1, 0), np.int8)
    most, count, cut = max(2, _BLOCK_VALUES // width), 1, len(units)
    while cut > 0 and count * len(unit_kind(units[cut - 1]).states) <= most:
        cut -= 1
        count *= len(unit_kind(units[cut]).states)
    return _states(units[:cut]), _states(units[cut:])


def _each(kind: str, columns: int) -> range:
    return range(columns // unit_kind(kind).columns)


def _states(units: list[str]) -> np.ndarray:
    if not units:
        return np.zeros((1, 0), np.int8)
    parts = tuple((kind, unit_kind(kind).columns) for kind in units)
    return UnitLayer(parts).states()


def _split(rows: Array, layers: tuple[UnitLayer, ...]) -> State:
    ends = np.cumsum([layer.size for layer in layers])
    return tuple(rows[..., end - layer.size : end] for end, layer in zip(ends, layers, strict=True))


def _blocks(layers: tuple[UnitLayer, ...], width: int, dtype: DTypeLike) -> tuple[Array, Any]:
    """The slow table, and the function from a row of it to the block of states that begin with it."""
    slow, fast = _tables(layers, width)

    def block(row: Array) -> State:
        head = jnp.broadcast_to(row.astype(dtype), (len(fast), slow.shape[1]))
        return _split(jnp.concatenate([head, jnp.asarray(fast, dtype)], axis=1), layers)

    return jnp.asarray(slow), block


def _side_blocks(machine: LayeredMachine, side: int) -> tuple[Array, Any]:
    width = sum(layer.size for layer in machine.layers)
    return _blocks(machine.side(side), width, machine.dtype)


def _log_sum(w: Array) -> Array:
    return jax.nn.logsumexp(w.ravel())


# ------------------------------------------------------------------------------------- ln Z and its gradient


@eqx.filter_custom_vjp
def _log_z(machine: LayeredMachine, side: int) -> Array:
    return _log_sum(_log_weights(machine, side))


def _log_weights(machine: LayeredMachine, side: int) -> Float[Array, "slow fast"]:
    slow, block = _side_blocks(machine, side)
    return jax.lax.map(lambda row: machine.log_weight(block(row), side), slow)


@_log_z.def_fwd
def _log_z_forward(perturbed: PyTree, machine: LayeredMachine, side: int) -> tuple[Array, Array]:
    del perturbed
    w = _log_weights(machine, side)
    found = _log_sum(w)
    return found, jnp.exp(w - found)


@_log_z.def_bwd
def _log_z_backward(
    p: Array, g: Array, perturbed: PyTree, machine: LayeredMachine, side: int
) -> LayeredMachine:
    del perturbed
    slow, block = _side_blocks(machine, side)

    def add(total: LayeredMachine, row_p: tuple[Array, Array]) -> tuple[LayeredMachine, None]:
        found = _block_moments(machine, block(row_p[0]), g * row_p[1], side)
        return jax.tree.map(jnp.add, total, found), None

    return jax.lax.scan(add, jax.tree.map(jnp.zeros_like, machine), (slow, p))[0]


def _block_moments(machine: LayeredMachine, state: State, p: Array, side: int) -> LayeredMachine:
    """Σ p x and Σ p x yᵀ over a block of states, y being the mean of the other side."""
    fields = machine.fields(state, 1 - side)
    others = tuple(layer.mean(f) for layer, f in zip(machine.side(1 - side), fields, strict=True))
    pair = (state, others) if side == 0 else (others, state)
    values = [pair[index % 2][index // 2] for index in range(len(machine.layers))]
    weighted = [p[:, None] * x for x in values]
    weights = tuple(a.T @ b for a, b in zip(weighted[:-1], values[1:], strict=True))
    layers = list(machine.layers)
    for index in range(1 - side, len(layers), 2):
        layers[index] = _width_moments(layers[index], values[index], p)
    return LayeredMachine(tuple(x.sum(0) for x in weighted), weights, tuple(layers))


def _width_moments(layer: UnitLayer, mean: Array, p: Array) -> UnitLayer:
    """Σ p ⟨x²⟩/2σ² of the Gaussian units, in the place of ln σ²; ⟨x²⟩ = E[x|θ]² + σ²."""
    if layer.log_variance is None:
        return layer
    part = mean[:, layer.gaussian_columns]
    return UnitLayer(layer.parts, 0.5 * (p @ (part * part * jnp.exp(-layer.log_variance)) + p.sum()))


@eqx.filter_jit
def _jitted_log_z(machine: LayeredMachine, side: int) -> Array:
    return _log_z(machine, side)


# ------------------------------------------------------------------------------------------------ ln p*(v)


def _hidden_sides(machine: LayeredMachine) -> tuple[float, float]:
    """Configurations of the hidden even layers and of the odd layers; InputError if neither is small."""
    counts = _count(machine.layers[2::2]), _count(machine.layers[1::2])
    if min(counts) > MOST_STATES:
        raise fail(
            "model",
            "hidden layers whose even or odd ones have at most 2^24 configurations",
            " and ".join("infinitely many" if math.isinf(c) else f"{c:.3g}" for c in counts),
            "use a bound on ln p(v)",
        )
    return counts


@jax.jit
def _log_unnormalised(machine: LayeredMachine, v: Array) -> Float[Array, "B"]:
    even, odd = _hidden_sides(machine)
    width = sum(layer.size for layer in machine.layers)
    own = v @ machine.biases[0] - machine.layers[0].base(v)
    if even <= odd:  # every example with every state of the even hidden layers; one state for an RBM
        slow, block = _blocks(machine.layers[2::2], width * max(1, len(v) // 4), machine.dtype)
        add_log = lambda total, row: (jnp.logaddexp(total, _over_even(machine, v, block(row))), None)  # noqa: E731
        start = jnp.full(len(v), -jnp.inf, v.dtype)
        return own + jax.lax.scan(add_log, start, slow)[0]
    slow, block = _blocks(machine.layers[1::2], width + len(v), machine.dtype)
    rest = LayeredMachine(
        (jnp.zeros_like(machine.biases[0]), *machine.biases[1:]), machine.weights, machine.layers
    )

    def add_odd(total: Array, row: Array) -> tuple[Array, None]:
        state = block(row)
        fields = rest.fields(state, 0)
        layers = zip(machine.layers[1::2], machine.biases[1::2], state, strict=True)
        inner = sum((x * b).sum(-1) - layer.base(x) for layer, b, x in layers)
        above = zip(machine.layers[2::2], fields[1:], strict=True)
        inner = inner + sum(layer.log_partition(f) for layer, f in above)
        return jnp.logaddexp(total, jax.nn.logsumexp(v @ fields[0].T + inner, axis=-1)), None

    return own + jax.lax.scan(add_odd, jnp.full(len(v), -jnp.inf, v.dtype), slow)[0]


def _over_even(machine: LayeredMachine, v: Array, hidden: State) -> Array:
    """ln Σ over a block of states of the even hidden layers and all odd ones, of each row of v."""
    if not hidden:
        fields = machine.fields((v,), 1)
        return sum(layer.log_partition(f) for layer, f in zip(machine.side(1), fields, strict=True))  # type: ignore[return-value]
    state = (jnp.broadcast_to(v[:, None], (len(v), len(hidden[0]), v.shape[1])), *(h[None] for h in hidden))
    state = tuple(jnp.broadcast_to(x, (len(v), len(hidden[0]), x.shape[-1])) for x in state)
    own = zip(machine.layers[2::2], machine.biases[2::2], hidden, strict=True)
    inner = sum((x * b).sum(-1) - layer.base(x) for layer, b, x in own)
    fields = machine.fields(state, 1)
    other = zip(machine.side(1), fields, strict=True)
    return jax.nn.logsumexp(inner + sum(layer.log_partition(f) for layer, f in other), axis=-1)
