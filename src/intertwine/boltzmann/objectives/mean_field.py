r"""The mean-field posterior of a deep Boltzmann machine, and the lower bound on ln p(v) that it gives.

Of all q(x_1, ..., x_L) = Π_l Π_units q(x) with units in their own fields θ_l and means m_l = E[x|θ_l], the
one with the largest

    B(v) = E_q[−E(v, x_1, ..., x_L)] + H(q) = ln p*(v) − KL(q ‖ p(·|v)) ≤ ln p*(v)

is a fixed point of θ_l = b_l + W_{l−1}ᵀ m_{l−1} + W_l m_{l+1} (Salakhutdinov & Hinton 2009). Layers of one
parity do not touch each other, so that all odd layers are set at once to their best values given the even
ones, and the other way round: B never falls in such a sweep, and no damping is needed. With the odd layers at
their best,

    B(v) = b_0·v − base(v) + Σ_{l odd} A_l(θ_l) + Σ_{l = 2, 4, ...} [A_l(θ_l) + (b_l − θ_l)·m_l],

for every kind of unit: the base energies cancel against the entropies.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.results import taken

Layers = tuple[Array, ...]


class MeanFieldPosterior(NamedTuple):
    """What `mean_field_posterior` found.

    fields, means: θ_l and m_l of the hidden layers 1, ..., L, each (..., size). bound: B(v), nats, (...).
    sweeps: how many were made. change: of the bound in the last sweep, at most, nats; compare it with the
        tolerance that was asked for.
    """

    fields: Layers
    means: Layers
    bound: Float[Array, "..."]
    sweeps: Any
    change: Any


def mean_field_posterior(
    model: DBM, data: ArrayLike, *, sweeps: int = 100, tolerance: float = 1e-4, start: Layers | None = None
) -> MeanFieldPosterior:
    """The mean-field posterior of each row of `data` (rows, N) or of one configuration (N,).

    sweeps: at most; it stops where no row's bound rises by more than `tolerance` nats. start: means of the
    hidden layers to begin with (those of a posterior nearby), else a pass upwards.

    Raises InputError for data that the visible units cannot hold.

    >>> model = DBM((4, 3, 2), scale=0.5, key=jax.random.key(0))
    >>> found = mean_field_posterior(model, jnp.ones((5, 4)))
    >>> found.means[1].shape, bool((found.bound <= model(jnp.ones(4)) + 1e-5).all())
    ((5, 2), True)
    """
    model, scaling = taken(model)
    data = scaling.inside(data)
    model.visible_layer.check(data, "data")
    positive_int("sweeps", sweeps, "give the largest number of sweeps")
    if not tolerance >= 0:
        raise fail("tolerance", "a number ≥ 0, in nats", tolerance, "1e-4 is usual")
    v = jnp.asarray(data, model.dtype)
    even = None if start is None else tuple(start)[1::2]
    found = _converged(model, v, even, sweeps, tolerance)
    return found._replace(bound=found.bound - scaling.log_volume) if scaling.scale is not None else found


@jax.jit
def _converged(
    model: DBM, v: Array, even: Layers | None, sweeps: int, tolerance: float
) -> MeanFieldPosterior:
    drive = driven(model, v)
    if even is None:
        even = upward(model, drive)
    own = (model.biases[0] * v).sum(-1) - model.layers[0].base(v)

    def bound_of(odd_fields: Layers, even_fields: Layers) -> Array:
        return own + _bound(model, odd_fields, even_fields)

    def again(carry: tuple) -> Array:
        return (carry[0] < sweeps) & (carry[-1] > tolerance)

    def sweep(carry: tuple) -> tuple:
        count, odd_fields, _, bound, _ = carry
        even_fields = upper_fields(model, means(model, odd_fields, 1))
        odd_fields = lower_fields(model, drive, means(model, even_fields, 2))
        risen = bound_of(odd_fields, even_fields)
        return count + 1, odd_fields, even_fields, risen, jnp.max(jnp.abs(risen - bound))

    odd_fields = lower_fields(model, drive, even)
    even_fields = upper_fields(model, means(model, odd_fields, 1))
    odd_fields = lower_fields(model, drive, means(model, even_fields, 2))
    first = bound_of(odd_fields, even_fields)
    far = jnp.asarray(jnp.inf if model.depth > 1 else 0.0, model.dtype)  # one hidden layer: exact at once
    carry = (jnp.int32(1), odd_fields, even_fields, first, far)
    count, odd_fields, even_fields, bound, change = jax.lax.while_loop(again, sweep, carry)
    found = _interleaved(odd_fields, even_fields)
    of_means = _interleaved(means(model, odd_fields, 1), means(model, even_fields, 2))
    return MeanFieldPosterior(found, of_means, bound, count, change)


@jax.jit
def mean_field_means(model: DBM, v: Float[Array, "... N"], sweeps: int) -> Layers:
    """m_1, ..., m_L after `sweeps` sweeps, without the bound; v may be means of the visible units."""
    drive = driven(model, v.astype(model.dtype))

    def sweep(_: Array, even: Layers) -> Layers:
        return means(model, upper_fields(model, means(model, lower_fields(model, drive, even), 1)), 2)

    even = jax.lax.fori_loop(0, sweeps, sweep, upward(model, drive))
    return _interleaved(means(model, lower_fields(model, drive, even), 1), even)


def driven(model: DBM, v: Float[Array, "... N"]) -> Float[Array, "... K"]:
    """b_1 + W_0ᵀ v: what the data put on the first hidden layer, the same in every sweep."""
    return model.biases[1] + v @ model.weights[0]


def lower_fields(model: DBM, drive: Array, even: Layers) -> Layers:
    """θ of the hidden layers 1, 3, ... given the means of the layers 2, 4, ..."""
    found = []
    for k, level in enumerate(range(1, model.depth + 1, 2)):
        field = drive if level == 1 else model.biases[level] + even[k - 1] @ model.weights[level - 1]
        found.append(field if level == model.depth else field + even[k] @ model.weights[level].T)
    return tuple(found)


def upper_fields(model: DBM, odd: Layers) -> Layers:
    """θ of the hidden layers 2, 4, ... given the means of the layers 1, 3, ..."""
    found = []
    for k, level in enumerate(range(2, model.depth + 1, 2)):
        field = model.biases[level] + odd[k] @ model.weights[level - 1]
        found.append(field if level == model.depth else field + odd[k + 1] @ model.weights[level].T)
    return tuple(found)


def means(model: DBM, fields: Layers, first: int) -> Layers:
    """E[x|θ] of the layers first, first + 2, ..."""
    return tuple(layer.mean(f) for layer, f in zip(model.layers[first::2], fields, strict=True))


def upward(model: DBM, drive: Array) -> Layers:
    """A first guess of the means of the layers 2, 4, ...: one pass upwards in which every layer that has one
    above counts what comes from below twice (Salakhutdinov & Hinton 2009)."""
    found, field = [], drive
    for level in range(1, model.depth + 1):
        if level > 1:
            field = model.biases[level] + found[-1] @ model.weights[level - 1]
        twice = field if level == model.depth else 2 * field - model.biases[level]
        found.append(model.layers[level].mean(twice))
    return tuple(found[1::2])


def _bound(model: DBM, odd_fields: Layers, even_fields: Layers) -> Array:
    odd = zip(model.layers[1::2], odd_fields, strict=True)
    total = sum(layer.log_partition(field) for layer, field in odd)
    even = zip(model.layers[2::2], model.biases[2::2], even_fields, strict=True)
    for layer, bias, field in even:
        total = total + layer.log_partition(field) + ((bias - field) * layer.mean(field)).sum(-1)
    return total  # type: ignore[return-value]


def _interleaved(odd: Layers, even: Layers) -> Layers:
    pairs = [*odd, *even]
    pairs[0::2], pairs[1::2] = odd, even
    return tuple(pairs)
