r"""Electrons in pairs: a function F(i, j) of two positions for every pair of up and down.

    |Ψ⟩ = (Σ_ij F_ij c†_i↑ c†_j↓)^n |0⟩,      ψ(n) = det F[occupied up, occupied down]

(Anderson, Science 235, 1196 (1987); Bouchaud, Georges & Lhuillier, J. Physique 49, 553 (1988)); a symmetric F
makes singlets. F = Σ_a φ_a φ_aᵀ over n orbitals is the Slater determinant, of full rank it is the BCS state
with fixed number. Fermions of the larger species that find no partner stand in orbitals U of their own, as
more columns of the determinant.
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
from intertwine.models.fermions.determinants import log_determinant
from intertwine.models.fermions.filling import Filling, filling_of
from intertwine.models.fermions.forms import DeterminantForm, blocks, no_factor
from intertwine.models.fermions.orbitals import free_orbitals
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class Pairing(eqx.Module):
    """A pair function between two species of fermions.

    space: fermions of two fixed numbers, `Fermions(lattice, (5, 5))`.
    pairs: F (modes of the larger species, modes of the other), None for the one of free fermions.
    singlet: whether F is kept symmetric: a total spin of 0 for equal numbers.
    scale: standard deviation of what is added to F, over the number of modes of a species.
    dtype: float, complex or an exact floating type. key: for `scale` > 0.

    ψ of a configuration with other numbers is 0.

    >>> from intertwine.models.fermions.slater import Slater
    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> space = Fermions(Chain(6), (3, 3))
    >>> s = space.random(1, key=jax.random.key(0))[0]
    >>> bool(jnp.isclose(Pairing(space)(s).real, Slater(space)(s).real, atol=1e-3))
    True
    """

    pairs: Num[Array, "L M"]
    unpaired: Num[Array, "L u"]
    filling: Filling = eqx.field(static=True)
    singlet: bool = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        pairs: Num[np.ndarray, "L M"] | None = None,
        *,
        singlet: bool = False,
        scale: float = 0.0,
        dtype: DTypeLike = float,
        key: Array | None = None,
    ):
        self.filling, self.singlet = filling_of(space), singlet
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        if len(self.filling.particles) != 2:
            raise fail("space", "two species of fermions", repr(space), "take Pfaffian for one species")
        r, c = blocks(self.filling)
        if singlet and len(set(self.filling.widths)) != 1:
            raise fail("singlet", "species of equally many modes", str(self.filling.widths))
        free = free_orbitals(space)
        n = self.filling.particles[c or 0]
        given = free[r][:, :n] @ free[c or 0].T if pairs is None else np.asarray(pairs)
        shape = (self.filling.widths[r], self.filling.widths[c or 0])
        if given.shape != shape:
            raise fail("pairs", f"an array of shape {shape}", f"shape {given.shape}")
        made = [jnp.asarray(given, kind), jnp.asarray(free[r][:, n:], kind)]
        if spread:
            keys = jax.random.split(check_key(key))
            made = [x + normal(k, x.shape, kind, spread / len(x)) for k, x in zip(keys, made, strict=True)]
        self.pairs, self.unpaired = made

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.filling.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.pairs) else "signed"

    @property
    def has_determinants(self) -> bool:
        return True

    def pair_function(self) -> Num[Array, "L M"]:
        """F."""
        return (self.pairs + self.pairs.T) / 2 if self.singlet else self.pairs

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of one configuration (N,) of ±1, −1 being occupied."""
        check_configuration(s, self.size)
        return hops.where_fits(self.filling, s, self.ordered(self.filling.occupied(s), s))

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"] | None = None) -> Num[Array, ""]:
        """ln ψ of occupied modes in this order, block after block."""
        r, c = blocks(self.filling)
        own, other = (
            modes[self.filling.places[b]] - self.filling.starts[b] for b in (r, 1 if c is None else c)
        )
        F = self.pair_function()[own[:, None], other[None, :]]
        return log_determinant(jnp.concatenate([F, self.unpaired[own]], axis=1))

    def determinant_form(self) -> DeterminantForm:
        """One determinant."""
        r, c = blocks(self.filling)
        one = jnp.ones(1, self.pairs.dtype)
        factor = no_factor(self.size, self.pairs.dtype)
        return DeterminantForm(
            factor, self.pair_function()[None], self.unpaired[None], one, self.filling, r, c
        )
