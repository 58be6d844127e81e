r"""Local values of states that are products of conditionals: only what follows the first change is evaluated.

    ψ(s')/ψ(s) = Π_{t ≥ t₀} ψ_t(s'_t | s'_<t) / ψ_t(s_t | s_<t),        s'_t = s_t for t < t₀

The samples are walked once, and what the network keeps of them (`models.protocols.Stepwise`) is where the
walks of all connected configurations begin. These are sorted by t₀ and walked a batch at a time, from the
first t₀ of the batch on: on average half of an evaluation each, in the space of nonvanishing elements alone.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Num, PyTree, Shaped

from intertwine.models.numerics import exp_of
from intertwine.models.protocols import Steps

BATCH = 1024
"""Connected configurations that are walked at once."""


def prefix_values(
    operator: PyTree, model: PyTree, configurations: Shaped[Array, "S N"], *, batch: int = BATCH
) -> Num[Array, "S"]:
    """E_loc of each configuration (S,). operator: anything with `connected`; model: a `Stepwise` one."""
    steps, order = model.steps(), jnp.asarray(model.order)
    joined, elements = jax.vmap(operator.connected)(configurations)
    S, K, N = joined.shape[0], joined.shape[1] - 1, joined.shape[2]
    own_levels = model.hilbert.levels_of(configurations)[:, order]
    cache, logs = _walked(steps, own_levels)
    known = jnp.concatenate([jnp.zeros((1, S), logs.dtype), jnp.cumsum(logs, axis=0)])  # of the first t
    total = elements[:, 0].astype(jnp.result_type(elements, logs))
    if K == 0:
        return total
    levels = model.hilbert.levels_of(joined[:, 1:])[..., order].astype(jnp.int8)
    there = elements[:, 1:] != 0
    first = jnp.argmax(levels != own_levels[:, None], axis=-1)
    pairs = jnp.argsort(jnp.where(there, first, N).reshape(-1))
    batch = min(batch, S * K)
    pairs = jnp.pad(pairs, (0, -(S * K) % batch))
    count = jnp.count_nonzero(there)

    def body(i: Array, total: Array) -> Array:
        chosen = jax.lax.dynamic_slice_in_dim(pairs, i * batch, batch)
        sample, which = jnp.divmod(chosen, K)
        begin = first[sample[0], which[0]]
        after = levels[sample, which].astype(jnp.int32)

        def one(t: Array, carry: tuple[PyTree, Array, Array]) -> tuple[Any, Array, Array]:
            held, before, ratio = carry
            held, found = steps.step(held, t, before)
            now = after[:, t]
            return held, now, ratio + _picked(found, now)

        start = jax.tree.map(lambda x: x[sample], cache), after[:, begin - 1], known[begin, sample]
        _, _, log_psi = jax.lax.fori_loop(begin, N, one, start)
        value = elements[sample, which + 1] * exp_of(log_psi - known[N, sample])
        real = i * batch + jnp.arange(batch) < count
        return total.at[sample].add(jnp.where(real, value, 0))

    return jax.lax.fori_loop(0, -(-count // batch), body, total)


def _walked(steps: Steps, levels: Array) -> tuple[Any, Array]:
    """The cache at the end and log ψ_t of what was chosen, (N, S)."""

    def one(carry: tuple[PyTree, Array], t: Array) -> tuple[tuple[Any, Array], Array]:
        cache, before = carry
        cache, found = steps.step(cache, t, before)
        return (cache, levels[:, t]), _picked(found, levels[:, t])

    start = steps.begin(levels.shape[0]), jnp.zeros(levels.shape[0], levels.dtype)
    (cache, _), logs = jax.lax.scan(one, start, jnp.arange(levels.shape[1]))
    return cache, logs


def _picked(logs: Array, levels: Array) -> Array:
    """log ψ_t (B, d) at the levels (B,)."""
    return jnp.take_along_axis(logs, levels[:, None], axis=1)[:, 0]
