r"""One configuration of each orbit of a group, with its probability: exact means, cheaper by the group.

Where |ψ(g s)| = |ψ(s)| for all g of a group K of site permutations (and for the spin flip, where asked), and
the operator commutes with K, local energies and log-derivatives are the same along an orbit, so that

    ⟨f⟩ = Σ_orbits |K s| |ψ(s)|² f(s) / Σ_orbits |K s| |ψ(s)|²,      one s of each orbit.

A wave function in a one-dimensional irrep of K is such a ψ (Sandvik, AIP Conf. Proc. 1297, 135 (2010),
sec. 4).
"""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int, Int32, Int64, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.models.protocols import LogAmplitude
from intertwine.sampling.enumeration import (
    Enumeration,
    EnumerationState,
    log_density,
)
from intertwine.sampling.protocols import Samples
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class OrbitEnumeration:
    """One configuration of every orbit, with the weight of all of it: exact means, no error bars.

    permutations: int (g, N), every element of K, (g s)_{g(i)} = s_i, as `PermutationGroup.permutations`.
    magnetization: Σ_i s_i of the configurations, or None for all of them. spin_flip: whether s and −s count
    as the same; with a magnetization only with 0. hilbert: the Hilbert space whose configurations they are,
    and which the permutations of its modes keep; None for spins. It is for models whose |ψ|² and operators
    that have that symmetry: it does not check them.

    `sample` returns one chain whose draws are the representatives, whatever number of draws is asked for.
    Raises InputError for what is no permutation, for permutations that are no group, beyond 22 sites, for a
    magnetization that cannot be, and for a model of another size.

    >>> from intertwine.spaces.lattices import Chain
    >>> ring = OrbitEnumeration(Chain(8).space_group.permutations, magnetization=0, spin_flip=True)
    >>> ring.configurations.shape, int(ring.sizes.sum())         # 7 necklaces for 70 configurations
    ((7, 8), 70)
    """

    configurations: np.ndarray
    """int8 ±1 (n, N), one of each orbit."""
    sizes: np.ndarray
    """int64 (n,), how many configurations its orbit has."""
    magnetization: int | None
    """Σ_i s_i of the configurations, or None for all."""
    permutations: np.ndarray
    """int (g, N), the group."""
    spin_flip: bool
    """Whether s and −s count as the same."""

    def __init__(
        self,
        permutations: ArrayLike,
        *,
        magnetization: int | None = None,
        spin_flip: bool = False,
        hilbert: HilbertSpace | None = None,
    ):
        rows = np.asarray(permutations)
        integers = rows.ndim == 2 and rows.size > 0 and np.issubdtype(rows.dtype, np.integer)
        if not integers or not (np.sort(rows) == np.arange(rows.shape[1])).all():
            expected = "rows (g, N) that are permutations of 0 … N − 1"
            raise fail("permutations", expected, permutations, "say group.permutations")
        if not isinstance(spin_flip, bool) or (spin_flip and magnetization not in (None, 0)):
            expected = "True or False, and False where the magnetization is not 0"
            raise fail("spin_flip", expected, spin_flip, "−s has the opposite magnetization")
        size, self.magnetization = rows.shape[1], magnetization
        self.permutations, self.spin_flip = rows, spin_flip
        self.hilbert = hilbert
        configurations = Enumeration(magnetization, hilbert).configurations(size)
        if hilbert is None:
            radix = np.int64(1) << np.arange(size - 1, -1, -1)
            down = (configurations < 0).astype(np.int64)
        else:
            radix, down = _radix(hilbert), hilbert.levels_of(configurations).astype(np.int64)
        numbers = down @ radix
        values = radix[rows]
        lowest = numbers
        for row in values:
            lowest = np.minimum(lowest, down @ row)
        if spin_flip:
            lowest = np.minimum(lowest, lowest[::-1])  # −s stands as far from the end as s from the start
        last = len(numbers) - 1
        places = (np.minimum(np.searchsorted(numbers, down @ row), last) for row in values)
        if any((lowest[place] != lowest).any() for place in places):
            expected = "the elements of a group"
            raise fail("permutations", expected, "rows that are not closed", "add the products of its rows")
        chosen, orbits, self.sizes = np.unique(lowest, return_inverse=True, return_counts=True)
        self.configurations = configurations[np.searchsorted(numbers, chosen)]
        self._numbers, self._orbits, self._chosen = numbers, orbits.astype(np.int32), chosen

    def __repr__(self) -> str:
        n, size = self.configurations.shape
        return f"OrbitEnumeration({n} orbits of {self.sizes.sum()} configurations of {size} sites)"

    def connected(self, flips: Int[np.ndarray, "F w"]) -> Int32[np.ndarray, "n F"]:
        """The orbit that each representative is in after each set of flips, int32 (n, F), its own where no
        configuration of the magnetization is left. flips: int (F, w), sites, padded with N.

        >>> ring = OrbitEnumeration([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
        >>> ring.configurations.tolist()
        [[1, 1, 1], [1, 1, -1], [1, -1, -1], [-1, -1, -1]]
        >>> ring.connected(np.array([[0, 3], [0, 1]])).tolist()
        [[1, 2], [2, 3], [3, 2], [2, 1]]
        """
        size = self.configurations.shape[1]
        bits = np.append(np.int64(1) << np.arange(size - 1, -1, -1), 0)
        moved = self._chosen[:, None] ^ np.bitwise_or.reduce(bits[np.asarray(flips)], axis=1)
        place = np.minimum(np.searchsorted(self._numbers, moved), len(self._numbers) - 1)
        own = np.arange(len(self._chosen), dtype=np.int32)[:, None]
        return np.where(self._numbers[place] == moved, self._orbits[place], own)

    def orbits_of(self, configurations: Shaped[np.ndarray, "n N"]) -> Int32[np.ndarray, " n"]:
        """The orbit of each configuration of the Hilbert space; −1 for those that it has not."""
        assert self.hilbert is not None
        place = self.hilbert.numbers_of(configurations)
        return np.where(place >= 0, self._orbits[place], -1).astype(np.int32)

    def unfolded(self) -> Enumeration:
        """All configurations of every orbit: for observables that need not have the symmetry."""
        return Enumeration(self.magnetization, self.hilbert)

    def init(self, model: LogAmplitude, *, key: Array) -> EnumerationState:
        """The state: the number of sites."""
        if model.size != self.configurations.shape[1]:
            raise fail("model", f"one of {self.configurations.shape[1]} sites", f"one of {model.size} sites")
        return EnumerationState(jnp.asarray(model.size, jnp.int32))

    def sample(
        self, model: LogAmplitude, state: EnumerationState, draws: int, *, key: Array
    ) -> tuple[Samples, EnumerationState]:
        """The representatives (1, n, N) with weights (1, n); `draws` and `key` do not matter."""
        positive_int("draws", draws)
        configurations = jnp.asarray(self.configurations)
        weights = jax.nn.softmax(log_density(model, configurations) + np.log(self.sizes))
        return Samples(configurations[None], weights[None], jnp.ones(())), state


def _radix(space: HilbertSpace) -> Int64[np.ndarray, " N"]:
    """What each level counts in the number of a configuration, mode 0 the most significant digit."""
    if prod(space.levels) > 2**62:
        expected = "a space whose modes have at most 2^62 configurations without bounds"
        raise fail("hilbert", expected, space, "take Enumeration(hilbert=...)")
    return np.array([prod(space.levels[i + 1 :]) for i in range(space.size)], np.int64)
