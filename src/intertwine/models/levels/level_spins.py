r"""Levels as spins: every model of spins ±1 is one of modes with several levels.

A mode with the levels n ∈ {0, …, d − 1} is written as d − 1 spins that go down one after another,

    σ_v = +1 for n ≤ v, else −1,      v = 0, …, d − 2,      n = Σ_v (1 − σ_v)/2,

so that any function of n is linear in the spins, and a step n → n ± 1 is the flip of one of them. For d = 2
it is the spin of the library: +1 level 0, −1 level 1. An RBM of these spins is the one with a weight for each
mode, level and hidden unit, as with multi-valued (Potts) visible units (Salakhutdinov, Mnih & Hinton, ICML
2007); a Jastrow factor has a coupling for each pair of modes and levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Int8, Int32, Shaped

from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


@dataclass(frozen=True)
class Encoding:
    """The spins that stand for modes of `levels` (d_i). Hashable: static under `jax.jit`.

    >>> levels = Encoding((3, 2))
    >>> levels.size, levels.spins(jnp.array([1, 0])).tolist()
    (3, [-1, 1, 1])
    """

    levels: tuple[int, ...]

    @cached_property
    def first(self) -> Int32[np.ndarray, " N"]:
        """The first spin of each mode."""
        return np.concatenate([[0], np.cumsum(np.array(self.levels) - 1)[:-1]]).astype(np.int32)

    @cached_property
    def mode(self) -> Int32[np.ndarray, " E"]:
        """The mode of each spin."""
        return np.repeat(np.arange(len(self.levels)), np.array(self.levels) - 1).astype(np.int32)

    @cached_property
    def step(self) -> Int32[np.ndarray, " E"]:
        """v of each spin."""
        return (np.arange(self.size) - self.first[self.mode]).astype(np.int32)

    @property
    def modes(self) -> int:
        """The number of modes N."""
        return len(self.levels)

    @cached_property
    def size(self) -> int:
        """The number of spins E = Σ_i (d_i − 1)."""
        return int(np.sum(np.array(self.levels) - 1))

    def spins(self, levels: Shaped[Array, "... N"]) -> Int8[Array, "... E"]:
        """The spins of configurations of levels."""
        return jnp.where(levels[..., self.mode] <= self.step, 1, -1).astype(jnp.int8)

    def flipped(
        self, before: Int[Array, "F"], modes: Int[Array, "F"], after: Int[Array, "F"]
    ) -> Int32[Array, "G"]:
        """The spins that flip where `modes` go from the levels `before` to `after`, padded with E; G is F
        times the largest d − 1. A mode equal to N flips none."""
        most = max(self.levels) - 1
        low, high = jnp.minimum(before, after), jnp.maximum(before, after)
        v = low[:, None] + jnp.arange(most)
        first = jnp.asarray(self.first).at[modes].get(mode="clip")
        inside = (v < high[:, None]) & (modes < self.modes)[:, None]
        return jnp.where(inside, first[:, None] + v, self.size).reshape(-1).astype(jnp.int32)

    def permuted(self, modes: Int[np.ndarray, "g N"]) -> Int32[np.ndarray, "g E"]:
        """Permutations of modes with equal levels as permutations of the spins.

        >>> Encoding((3, 3)).permuted(np.array([[1, 0]])).tolist()
        [[2, 3, 0, 1]]
        """
        return (self.first[modes[:, self.mode]] + self.step).astype(np.int32)

    def as_modes(self, spins: Int[np.ndarray, "g E"]) -> Int32[np.ndarray, "g N"]:
        """The permutations of the modes of permutations of the spins: the inverse of `permuted`."""
        return self.mode[spins[:, self.first]]


def encoding(space: HilbertSpace) -> Encoding:
    """The spins that stand for the modes of a space.

    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> encoding(Bosons(4, 3)).size
    12
    """
    return Encoding(space.levels)
