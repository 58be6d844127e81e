r"""A set of flipped modes as hops within one block: which fermions leave where, and the sign of the order.

Fermions that leave m_1 < m_2 < … go to m'_1 < m'_2 < …, one after another, each into the row of the list in
which the one before it stood; sorting the list again costs (−1)^{occupied modes between m_i and m'_i}.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, Num, Shaped

from intertwine.models.fermions.filling import Filling


class Hops(NamedTuple):
    """left, entered: int32 (h,) modes. valid: which of them are hops. possible: whether as many leave as
    enter. sign: the logarithm of the sign of the order, 0 or iπ."""

    left: Int[Array, "h"]
    entered: Int[Array, "h"]
    valid: Bool[Array, "h"]
    possible: Bool[Array, ""]
    sign: Num[Array, ""]


def hops_within(filling: Filling, block: int, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Hops:
    """The hops in `block` when `sites` (padded with N) are flipped in s."""
    a, b = filling.starts[block], filling.stops[block]
    h = min(sites.shape[0], filling.particles[block]) or 1
    inside = (sites >= a) & (sites < b)
    before = jnp.take(s, sites, mode="fill", fill_value=0)
    leaves, enters = inside & (before < 0), inside & (before > 0)
    ordered = (
        jnp.sort(jnp.where(leaves, sites, filling.size))[:h],
        jnp.sort(jnp.where(enters, sites, filling.size))[:h],
    )
    left, entered = (jnp.pad(x, (0, h - x.shape[0]), constant_values=filling.size) for x in ordered)
    count = jnp.count_nonzero(leaves)
    valid = jnp.arange(h) < count
    modes = jnp.arange(a, b)
    occupied, odd = s[a:b] < 0, jnp.zeros((), jnp.int32)
    for i in range(h):
        low, high = jnp.minimum(left[i], entered[i]), jnp.maximum(left[i], entered[i])
        between = jnp.count_nonzero(occupied & (modes > low) & (modes < high))
        odd = odd + jnp.where(valid[i], between, 0)
        moved = (occupied & (modes != left[i])) | (modes == entered[i])
        occupied = jnp.where(valid[i], moved, occupied)
    possible = (count == jnp.count_nonzero(enters)) & (count <= h)
    safe = jnp.minimum(left, filling.size - 1), jnp.minimum(entered, filling.size - 1)
    return Hops(*safe, valid, possible, 1j * math.pi * (odd % 2))


def where_fits(filling: Filling, s: Shaped[Array, "N"], value: Num[Array, ""]) -> Num[Array, ""]:
    """`value`, and −∞ for a configuration with other numbers."""
    return jnp.where(filling.fits(s), value, jnp.asarray(-jnp.inf, value.dtype))
