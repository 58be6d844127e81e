r"""Pairs of any two fermions: Pfaffians, which hold triplet and singlet pairs, with spin and without.

    |Ψ⟩ = (½ Σ_ij A_ij c†_i c†_j)^{n/2} |0⟩,      ψ(n) = Pf A[occupied, occupied],      A antisymmetric

(Bajdich, Mitas, Drobný, Wagner & Schmidt, PRL 96, 130201 (2006)) over all modes of all species. For an odd
number of fermions the last one stands in an orbital u: the matrix is bordered by u.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine._checks import fail
from intertwine.models.fermions import hops
from intertwine.models.fermions.determinants import log_pfaffian
from intertwine.models.fermions.filling import Filling, filling_of
from intertwine.models.fermions.orbitals import free_orbitals
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class Pfaffian(eqx.Module):
    """A pair function between all fermionic modes.

    space: fermions of fixed numbers. pairs: A (N, N) antisymmetric, None for the one of free fermions.
    scale: standard deviation of what is added to A, over N. dtype: float, complex or an exact floating type.
    key: for `scale` > 0.

    ψ of a configuration with other numbers is 0.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> psi = Pfaffian(Fermions(Chain(4), 2))
    >>> psi.upper.shape, psi.kind
    ((6,), 'signed')
    """

    upper: Num[Array, "pairs"]
    single: Num[Array, "N odd"]
    filling: Filling = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        pairs: Num[np.ndarray, "N N"] | None = None,
        *,
        scale: float = 0.0,
        dtype: DTypeLike = float,
        key: Array | None = None,
    ):
        self.filling = filling_of(space)
        if self.filling.starts[0] != 0 or self.filling.stops[-1] != space.size:
            raise fail("space", "fermions alone", repr(space))
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        columns = _all_orbitals(free_orbitals(space), self.filling)
        even = columns.shape[1] // 2 * 2
        first, second = columns[:, 0:even:2], columns[:, 1:even:2]
        given = first @ second.T - second @ first.T if pairs is None else np.asarray(pairs)
        N = self.filling.size
        if given.shape != (N, N) or not np.allclose(given, -given.T):
            raise fail("pairs", f"an antisymmetric matrix of shape ({N}, {N})", f"shape {given.shape}")
        made = [jnp.asarray(given[np.triu_indices(N, 1)], kind), jnp.asarray(columns[:, even:], kind)]
        if spread:
            keys = jax.random.split(check_key(key))
            made = [x + normal(k, x.shape, kind, spread / N) for k, x in zip(keys, made, strict=True)]
        self.upper, self.single = made

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.filling.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.upper) else "signed"

    def pair_function(self) -> Num[Array, "N N"]:
        """A."""
        upper = jnp.zeros((self.size, self.size), self.upper.dtype)
        upper = upper.at[np.triu_indices(self.size, 1)].set(self.upper)
        return upper - upper.T

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of one configuration (N,) of ±1, −1 being occupied."""
        check_configuration(s, self.size)
        return hops.where_fits(self.filling, s, self.ordered(self.filling.occupied(s), s))

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"] | None = None) -> Num[Array, ""]:
        """ln ψ of occupied modes in this order."""
        A = self.pair_function()[modes[:, None], modes[None, :]]
        if self.filling.total % 2:
            u = self.single[modes]
            A = jnp.block([[A, u], [-u.T, jnp.zeros((1, 1), A.dtype)]])
        return log_pfaffian(A)


def _all_orbitals(orbitals: tuple[np.ndarray, ...], filling: Filling) -> np.ndarray:
    """Orbitals of all blocks over all modes (N, n), those of two blocks in turn."""
    columns = []
    for a in range(max(filling.particles)):
        for b, block in enumerate(orbitals):
            if a < block.shape[1]:
                whole = np.zeros(filling.size, block.dtype)
                whole[filling.starts[b] : filling.stops[b]] = block[:, a]
                columns.append(whole)
    return np.stack(columns, axis=1) if columns else np.zeros((filling.size, 0))
