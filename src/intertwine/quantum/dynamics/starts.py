r"""Product states to start from, as networks that can move.

An RBM with zero weights and fields a_i = ½ ln(u_i/d_i) is the product state ⊗(u_i|↑⟩ + d_i|↓⟩), but no
derivative with respect to a weight is left, ∂ log ψ/∂W_ij = s_i tanh(θ_j) = 0: correlations cannot begin.
Small random weights move, and spoil the state: ln cosh θ = θ²/2 − θ⁴/12 + …. So hidden units come in groups
of n with the weights

    W_{·j} = ω_j w,     ω_j = e^{iπj/n},  j = 0 … n−1,      Σ_j ω_j^{2k} = 0  for 0 < k < n,

in which every order of Σ_j ln cosh(ω_j θ) below θ^{2n} cancels, while the derivatives ω_j tanh(ω_j θ) s_i
stay independent, of the order of θ. With n = 4 weights that make θ ~ 0.1 change log ψ by 10⁻⁹. The scale of
the weights is the largest one that keeps the infidelity of the state below what is asked for.

A network of group convolutions whose last layer is zero is |+x⟩, whatever its other layers are, and moves by
its last layer; small random numbers there let its features part.

A zero of the product (a spin along z) is met by a finite field, |u/d| = e^{2A}, of a stated infidelity: with
ψ = 0 no logarithm and no derivative exists. What is made remembers how far it is from the product (a mark, as
that of `sampling.space`), and `evolve` begins its bound with that.
"""

from __future__ import annotations

import copy
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_number
from intertwine.models.jastrow import Jastrow
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.invariant_rbm import InvariantRBM
from intertwine.quantum.dynamics.certificate import distance_of
from intertwine.quantum.exact.product import product_vector, spinors
from intertwine.quantum.vmc.local_energy import log_amplitudes

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

GROUP = 4
_MARK = "_start_distance"
_TESTED = 1024
_EXACT_SITES = 12
_LARGEST = 0.3


def product_state(
    model: LogAmplitude,
    state: str | ArrayLike,
    *,
    infidelity: float = 1e-10,
    zeros: float = 1e-6,
    key: Array,
) -> Any:
    """`model` with parameters that make it the product state `state`, and that can move from there.

    model: an `RBM` or `SymmetricRBM` (without a character), `Jastrow` or `MeanField`, whose parameters are
    replaced, or a `GCNN` of two layers or more, without a character, whose last layer is, for +x. state: a
    name ("+x", "-x", "+y", "-y", "up", "down", "neel"), angles (N,) or (N, 2), or spinors
    (`exact.product_vector`). infidelity: of the weights, at most. zeros: that of the finite fields that stand
    for ψ = 0, at most. key: of the random weights.

    Raises InputError for other models, states that a symmetric model or one of real parameters cannot have,
    and infidelities that are not positive.

    >>> import intertwine as it
    >>> key = jax.random.key(0)
    >>> psi = product_state(it.RBM(4, hidden=8, dtype=complex, key=key), "+x", key=key)
    >>> product_infidelity(psi, "+x") < 1e-6, bool(abs(psi.weights).max() > 0.01)
    (True, True)
    """
    model = as_model(model)
    positive_number("infidelity", infidelity)
    positive_number("zeros", zeros)
    target = spinors(model.size, state)
    least = np.sqrt(zeros / (2 * model.size))
    floor = np.where(np.abs(target) < least, least, target)
    field = 0.5 * np.log(floor[:, 0] / floor[:, 1])
    rng = np.random.default_rng(np.asarray(jax.random.bits(check_key(key), (4,), np.uint32)))
    bare = _with_field(model, field)
    spins = np.where(rng.random((_TESTED, model.size)) < _up(floor), 1, -1).astype(np.int8)
    tested = jnp.asarray(spins)
    alone = np.asarray(log_amplitudes(bare, tested))
    lost = distance_of(_apart(target, floor))
    stirred, scale = bare, _LARGEST
    pattern = _pattern(bare, rng)
    if pattern is None:
        return standing_for(bare, lost)
    for _ in range(60):
        stirred = _with_weights(bare, scale * pattern)
        change = _spread(np.asarray(log_amplitudes(stirred, tested)) - alone)
        if change <= 0.5 * infidelity:
            break
        scale *= 0.8
    return standing_for(stirred, lost + distance_of(change))


def standing_for(model: LogAmplitude, distance: float) -> Any:
    """`model`, marked as standing for a state at this distance, √(2 − 2|⟨φ|ψ⟩|)."""
    marked = copy.copy(model)
    object.__setattr__(marked, _MARK, float(distance))
    return marked


def start_distance(model: PyTree) -> float:
    """The distance of `model` from the state that it stands for; 0 for one that stands for itself.

    >>> import intertwine as it
    >>> key = jax.random.key(0)
    >>> up = it.product_state(it.MeanField(4, dtype=complex, key=key), "up", zeros=1e-4, key=key)
    >>> abs(start_distance(up) - product_infidelity(up, "up") ** 0.5) < 1e-6
    True
    """
    return getattr(model, _MARK, 0.0)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """1 − |⟨a|b⟩|² of two products of spinors (N, 2), without cancellation."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    lost = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) ** 2  # 1 − |⟨a_i|b_i⟩|² of each
    return float(-np.expm1(np.sum(np.log1p(-np.minimum(lost, 1 - 1e-15)))))


def product_infidelity(model: LogAmplitude, state: str | ArrayLike, *, key: Array | None = None) -> float:
    """1 − |⟨product|ψ⟩|² of `model` and the product state `state`: exact to 12 sites, beyond from 16,384
    configurations of the product state (key: theirs).

    >>> import intertwine as it
    >>> even = MeanField(3, scale=0.0, key=jax.random.key(0))
    >>> round(product_infidelity(even, "+x"), 12), round(product_infidelity(even, "up"), 12)
    (0.0, 0.875)
    """
    from intertwine.sampling.enumeration import all_configurations

    model = as_model(model)
    n = model.size
    if n <= _EXACT_SITES:
        log_psi = np.asarray(log_amplitudes(model, jnp.asarray(all_configurations(n))), complex)
        psi = np.exp(log_psi - np.max(np.real(log_psi)))
        return float(max(0.0, 1 - np.abs(np.vdot(product_vector(n, state), psi / np.linalg.norm(psi))) ** 2))
    target = spinors(n, state)
    seed = jax.random.key(0) if key is None else check_key(key)
    rng = np.random.default_rng(np.asarray(jax.random.bits(seed, (4,), np.uint32)))
    spins = np.where(rng.random((16_384, n)) < _up(target), 1, -1).astype(np.int8)
    with np.errstate(divide="ignore"):
        logs = np.where(spins > 0, np.log(target[:, 0]), np.log(target[:, 1])).sum(axis=1)
    return _spread(np.asarray(log_amplitudes(model, jnp.asarray(spins))) - logs)


def _up(spinor: np.ndarray) -> np.ndarray:
    p = np.abs(spinor) ** 2
    return p[:, 0] / p.sum(axis=1)


def _spread(change: np.ndarray) -> float:
    """1 − |⟨e^x⟩|²/⟨|e^x|²⟩ of log ratios x, without cancellation where they are small."""
    x = np.expm1(change - change.mean())
    return float(np.var(x) / np.mean(np.abs(1 + x) ** 2))


def _in_dtype(values: np.ndarray, dtype: Any, what: str) -> Array:
    if not jnp.issubdtype(dtype, jnp.complexfloating):
        if np.max(np.abs(np.imag(values)), initial=0.0) > 1e-12:
            raise fail("state", "a state with positive amplitudes for real parameters", what, "dtype=complex")
        values = np.real(values)
    return jnp.asarray(values, dtype)


@singledispatch
def _with_field(model: LogAmplitude, field: np.ndarray) -> Any:
    """`model` as the product state of that field, without weights."""
    name = type(model).__name__
    expected = "an RBM, a SymmetricRBM without a character, a GCNN, a Jastrow or a MeanField"
    raise fail("model", expected, name)


@_with_field.register
def _(model: MeanField, field: np.ndarray) -> Any:
    return eqx.tree_at(lambda m: m.field, model, _in_dtype(field, model.field.dtype, "complex fields"))


@_with_field.register
def _(model: Jastrow, field: np.ndarray) -> Any:
    tied = _of_orbits(field, np.asarray(model.orbits))
    new = jnp.zeros_like(model.couplings), _in_dtype(tied, model.field.dtype, "complex fields")
    return eqx.tree_at(lambda m: (m.couplings, m.field), model, new)


@_with_field.register
def _(model: RBM, field: np.ndarray) -> Any:
    if not all(layer.parts == (("spin", n),) for layer, n in _layers(model)):
        raise fail("model", "an RBM of spins", "one of other units")
    new = (
        _in_dtype(field, model.visible_bias.dtype, "complex fields"),
        jnp.zeros_like(model.hidden_bias),
        jnp.zeros_like(model.weights),
    )
    return eqx.tree_at(lambda m: (m.visible_bias, m.hidden_bias, m.weights), model, new)


@_with_field.register
def _(model: InvariantRBM, field: np.ndarray) -> Any:
    orbits = np.asarray(model.orbits)
    tied = _of_orbits(field, orbits)
    cleared = eqx.tree_at(lambda m: m.weights, model, jnp.zeros_like(model.weights))
    if model.visible_bias is None or model.hidden_bias is None:
        if np.max(np.abs(field)) > 1e-12:
            raise fail("state", "an even state (+x) for a model with spin_flip=1", "one with a field")
        return cleared
    stored = tied * np.sqrt(np.bincount(orbits))
    new = _in_dtype(stored, model.visible_bias.dtype, "complex fields"), jnp.zeros_like(model.hidden_bias)
    return eqx.tree_at(lambda m: (m.visible_bias, m.hidden_bias), cleared, new)


@_with_field.register
def _(model: GCNN, field: np.ndarray) -> Any:
    if model.layers < 2 or not model.coefficients.trivial or model.spin_flip == -1:
        raise fail("model", "a GCNN of two layers or more without a character", repr(model))
    if np.max(np.abs(field)) > 1e-12:
        raise fail("state", "+x for a GCNN", "one with a field", "take an RBM")
    last = model.kernels[-1], model.biases[-1]
    return eqx.tree_at(lambda m: (m.kernels[-1], m.biases[-1]), model, tuple(map(jnp.zeros_like, last)))


def _layers(model: RBM) -> list[tuple[Any, int]]:
    return [(model.visible_layer, model.size), (model.hidden_layer, model.hidden)]


def _of_orbits(field: np.ndarray, orbits: np.ndarray) -> np.ndarray:
    first = np.array([field[orbits == o][0] for o in range(int(orbits.max()) + 1)])
    if np.max(np.abs(first[orbits] - field)) > 1e-9:
        remedy = "take one of fewer symmetries, for example an RBM"
        raise fail(
            "state", "a state with the symmetry of the model", "one that differs within an orbit", remedy
        )
    return first


def _pattern(model: PyTree, rng: np.random.Generator) -> np.ndarray | None:
    """Weights (units, N) of scale 1 in groups of the module, or of a last layer; None for models without."""
    if isinstance(model, GCNN):
        return rng.normal(size=model.kernels[-1].shape) / np.prod(model.kernels[-1].shape[::2]) ** 0.5
    if not isinstance(model, RBM | InvariantRBM):
        return None
    units = model.hidden if isinstance(model, RBM) else model.features
    alone = not jnp.iscomplexobj(model.weights)
    groups = units if alone else max(1, round(units / GROUP))
    rows = []
    for members in np.array_split(np.arange(units), groups):
        n = len(members)
        base = rng.normal(size=model.size)
        rows += [base if alone else base * np.exp(1j * np.pi * j / n) for j in range(n)]
    return np.array(rows)


def _with_weights(model: PyTree, pattern: np.ndarray) -> Any:
    if isinstance(model, RBM):
        return eqx.tree_at(lambda m: m.weights, model, jnp.asarray(pattern.T, model.weights.dtype))
    if isinstance(model, GCNN):
        return eqx.tree_at(lambda m: m.kernels[-1], model, jnp.asarray(pattern, model.kernels[-1].dtype))
    stored = pattern * model.permutations.shape[0] ** 0.5
    return eqx.tree_at(lambda m: m.weights, model, jnp.asarray(stored, model.weights.dtype))
