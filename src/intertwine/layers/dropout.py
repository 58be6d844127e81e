r"""Dropout of whole blocks.

A copy of ρ_i is kept with probability 1 − p and then divided by it, or dropped with all its components
(Srivastava et al., JMLR 15, 1929 (2014); of whole fields, Tompson et al. 2015). Components of one copy
live or die together, so the layer's distribution is equivariant, and in inference it is the identity.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine._random_bits import random_bits
from intertwine.layers.blocks import check_channels, checked_rep, copy_of
from intertwine.symmetry.fibre_maps import AnyRep

_STEPS = 2**16


class Dropout(eqx.Module):
    """Drops copies of the blocks of a type.

    rep: the type of input and output. rate: the probability p to drop, 0 ≤ p < 1, in steps of 1/65,536.
    shared: over how many axes before the channels one choice holds: 0 (default), each point by itself;
    the number of axes of the space, whole fields at once.
    inference: whether nothing is dropped even with a key; `equinox.nn.inference_mode` sets it.

    A key says that this is training: called without one, the layer is in inference and gives x.

    Raises InputError for another rate.

    >>> import jax
    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = Dropout(2 * regular(cyclic(3)), 0.5)
    >>> layer(jnp.ones(6), key=jax.random.key(0)).tolist()
    [0.0, 0.0, 0.0, 2.0, 2.0, 2.0]
    >>> layer(jnp.ones(6)).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    rate: float = eqx.field(static=True)
    shared: int = eqx.field(static=True)
    inference: bool

    def __init__(self, rep: AnyRep, rate: float = 0.3, *, shared: int = 0, inference: bool = False):
        self.rep_in = self.rep_out = checked_rep(rep)
        self.rate = _rate(rate)
        if isinstance(shared, bool) or not isinstance(shared, int | np.integer) or shared < 0:
            raise fail(
                "shared", "a number of axes ≥ 0", shared, "0 drops at each point, 2 whole planar fields"
            )
        self.shared, self.inference = int(shared), bool(inference)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x with copies dropped, or x itself in inference (without a key) or for rate 0."""
        check_channels(x, self.rep_in)
        if self.inference or self.rate == 0 or key is None:
            return x
        if self.shared > x.ndim - 1:
            raise fail("x", f"at least {self.shared} axes before the channels", f"shape {x.shape}")
        lead = x.shape[: x.ndim - 1 - self.shared] + (1,) * self.shared
        copy = copy_of(self.rep_in)
        copies = int(copy[-1]) + 1
        drop = round(self.rate * _STEPS)
        bits = random_bits(key, (*lead, copies)) >> 16
        scale = jnp.where(bits >= drop, jnp.asarray(_STEPS / (_STEPS - drop), x.dtype), 0)
        if copies < len(copy):
            scale = _spread(scale, self.rep_in)
        return x * scale


def _spread(scale: Array, rep: AnyRep) -> Array:
    """(..., copies) → (..., C), every number as often as its copy has components."""
    parts, start = [], 0
    for part, m in rep.blocks:
        one = scale[..., start : start + m, None]
        wide = jnp.broadcast_to(one, (*one.shape[:-1], part.dimension))
        parts.append(wide.reshape(*one.shape[:-2], -1))
        start += m
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


def _rate(rate: float) -> float:
    try:
        value = float(rate)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 <= value < 1 - 1 / _STEPS:
        raise fail("rate", "a probability from 0 to below 1", rate, "0.3 is usual")
    return value
