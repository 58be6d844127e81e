r"""Which modes fermions fill, and how many of them: read from a Hilbert space, static under `jax.jit`.

A basis state is |n⟩ = c†_{m_1} c†_{m_2} … |0⟩ with occupied modes m_1 < m_2 < … in the order of the modes.
Modes whose number of particles is conserved together are a block (spin up; spin down). Where a permutation p
of the modes moves a state, its operators come out of order: g|n⟩ = ± |g n⟩ with the sign of the permutation
that sorts p(m_1), p(m_2), …  A list of occupied modes in any order says both, the configuration and the sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Int, Shaped

from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


@dataclass(frozen=True)
class Filling:
    """size: the number N of modes. starts, stops: the modes of each block. particles: its fermions.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> filling_of(Fermions(4, (2, 1)))
    Filling(size=8, starts=(0, 4), stops=(4, 8), particles=(2, 1))
    """

    size: int
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    particles: tuple[int, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of modes of each block."""
        return tuple(b - a for a, b in zip(self.starts, self.stops, strict=True))

    @property
    def total(self) -> int:
        """All fermions."""
        return sum(self.particles)

    @property
    def places(self) -> tuple[slice, ...]:
        """Where the fermions of each block stand in the list of all of them."""
        ends = np.cumsum((0, *self.particles)).tolist()
        return tuple(slice(a, b) for a, b in pairwise(ends))

    def fits(self, s: Shaped[Array, "N"]) -> Bool[Array, ""]:
        """Whether a configuration ±1 has these numbers."""
        ok = jnp.ones((), bool)
        for a, b, n in zip(self.starts, self.stops, self.particles, strict=True):
            ok = ok & (jnp.count_nonzero(s[a:b] < 0) == n)
        return ok

    def occupied(self, s: Shaped[Array, "N"]) -> Int[Array, "n"]:
        """The occupied modes (total,) of a configuration ±1, block after block, ascending; what it says of a
        configuration with other numbers has no meaning."""
        parts = []
        for a, b, n in zip(self.starts, self.stops, self.particles, strict=True):
            order = jnp.argsort(s[a:b] > 0, stable=True)
            parts.append(a + order[:n].astype(jnp.int32))
        return jnp.concatenate(parts) if parts else jnp.zeros(0, jnp.int32)

    def configuration(self, modes: Int[Array, "n"], rest: Shaped[Array, "N"]) -> Any:
        """The configuration ±1 (N,) with these modes occupied; modes of no block are those of `rest`."""
        out = rest
        for a, b in zip(self.starts, self.stops, strict=True):
            out = out.at[a:b].set(1)
        return out.at[modes].set(-1)


def filling_of(space: HilbertSpace) -> Filling:
    """The filling of a space whose fermions all belong to conserved numbers.

    Raises InputError for a space without fermions, and for fermions whose number is free.
    """
    if not getattr(space, "has_fermions", False):
        raise fail("space", "a Hilbert space with fermions", space, "for example Fermions(lattice, (5, 5))")
    blocks = []
    for bound in space.numbers:
        whole = bound.modulus is None and set(bound.weights) == {1}
        if whole and all(space.fermionic[i] for i in bound.modes):
            blocks.append((min(bound.modes), max(bound.modes) + 1, bound.low, len(bound.modes)))
    blocks.sort()
    inside = [i for a, b, _, _ in blocks for i in range(a, b)]
    fermions = [i for i, f in enumerate(space.fermionic) if f]
    if inside != fermions or any(b - a != count for a, b, _, count in blocks):
        expected = "fermions of fixed numbers, each species in successive modes"
        raise fail("space", expected, repr(space), "give the numbers, as in Fermions(lattice, (5, 5))")
    starts, stops, particles, _ = zip(*blocks, strict=True)
    return Filling(space.size, starts, stops, particles)
