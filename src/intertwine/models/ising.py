r"""The Ising model on any lattice, as a distribution over spins ±1.

    p(s) = Ψ(s)/Z,      ln Ψ(s) = K Σ_{⟨ij⟩} s_i s_j + h Σ_i s_i      (−energy/T; Ising 1925)

over the lattice's nearest-neighbour bonds, each pair of sites once; K = J/T and h = H/T have no unit. K > 0
is ferromagnetic. It is a probability by its Ψ, never a wave function: samplers of |Ψ|² refuse it, since they
would sample half the temperature; `it.sample` takes the square root for them (`square_root`).
"""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Shaped

from intertwine._checks import fail
from intertwine.models.hidden_units import check_configuration, flip_changes
from intertwine.models.parameters import parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.spaces.lattice import Lattice

CRITICAL_SQUARE = 0.5 * math.log(1 + math.sqrt(2))
"""K_c of the square lattice (Onsager 1944)."""


class Ising(eqx.Module):
    """Spins on a lattice with one coupling K and a field h.

    lattice: where the spins are; its nearest neighbours are linked. K, h: real numbers. dtype: float or an
    exact real floating type.

    Raises InputError for numbers that are not finite, and what is no lattice.

    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(4, 4), K=0.5)
    >>> float(ising(jnp.ones(16))), float(ising.energy(jnp.ones(16)))          # 32 bonds
    (16.0, -32.0)
    """

    coupling: Float[Array, ""]
    field: Float[Array, ""]
    lattice: Lattice = eqx.field(static=True)

    distribution = "boltzmann"

    def __init__(self, lattice: Lattice, K: float, h: float = 0.0, *, dtype: Any = float):
        if not isinstance(lattice, Lattice):
            raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
        kind = parameter_dtype(dtype)
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise fail("dtype", "a real type", kind.name)
        for name, value in (("K", K), ("h", h)):
            if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
                raise fail(name, "a finite number", value)
            if not math.isfinite(value):
                raise fail(name, "a finite number", value)
        self.lattice = lattice
        self.coupling, self.field = jnp.asarray(K, kind), jnp.asarray(h, kind)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.lattice.size

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Float[Array, ""]:
        """ln Ψ of one configuration (N,)."""
        check_configuration(s, self.size)
        return -self.coupling * self.energy(s) + self.field * s.astype(self.field.dtype).sum()

    def energy(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """−Σ_{⟨ij⟩} s_i s_j of configurations (..., N), in units of J."""
        bonds, x = self.lattice.bonds(), s.astype(self.coupling.dtype)
        return -(x[..., bonds[:, 0]] * x[..., bonds[:, 1]]).sum(-1)

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> tuple[()]:
        """Nothing needs to be kept."""
        check_configuration(s, self.size)
        return ()

    def log_ratio(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Float[Array, ""]:
        """ln Ψ(s') − ln Ψ(s) from the bonds of the flipped sites: O(F z)."""
        changes = flip_changes(s, sites, self.coupling.dtype)
        near = jnp.take(_neighbours(self.lattice), sites, axis=0, mode="fill", fill_value=self.size)
        around = jnp.take(s, near, mode="fill", fill_value=0).astype(changes.dtype).sum(-1)
        linked = (near[:, :, None] == sites).astype(changes.dtype).sum(1)
        between = (changes[:, None] * linked * changes).sum() / 2
        return (changes * (self.coupling * around + self.field)).sum() + self.coupling * between

    def flip(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> tuple[()]:
        """Nothing needs to be kept."""
        return cache


def _neighbours(lattice: Lattice) -> Int[Array, "N z"]:
    """The neighbours of every site, padded with N."""
    ends = np.concatenate([lattice.bonds(), lattice.bonds()[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    counts = np.bincount(ends[:, 0], minlength=lattice.size)
    table = np.full((lattice.size, max(int(counts.max()), 1)), lattice.size, np.int32)
    place = np.arange(len(ends)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[ends[:, 0], place] = ends[:, 1]
    return jnp.asarray(table)
