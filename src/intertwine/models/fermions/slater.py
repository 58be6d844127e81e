r"""Slater determinants: fermions in orbitals, the ground states of free ones.

    |Ψ⟩ = Π_blocks Π_a (Σ_m Φ_ma c†_m) |0⟩,      ψ(n) = ⟨n|Ψ⟩ = Π_blocks det Φ[occupied modes, :]

(Slater 1929), with |n⟩ = c†_{m_1} c†_{m_2} … |0⟩ in the order of the modes, so that no sign is lost. A block
are modes whose particles are counted together: spin up and spin down, each with orbitals of its own (the
unrestricted Hartree-Fock form), or shared ones (restricted). A hop is a rank-one change,

    det Φ'/det Φ = Σ_a Φ_{m' a} (Φ⁻¹)_{a m},

one dot product from the kept inverse (Sherman & Morrison 1950; Ceperley, Chester & Kalos, PRB 16, 3081
(1977)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine._checks import fail
from intertwine.models.fermions import hops
from intertwine.models.fermions.determinants import log_determinant, safe_inverse
from intertwine.models.fermions.filling import Filling, filling_of
from intertwine.models.fermions.forms import DeterminantForm, product_pairs
from intertwine.models.fermions.orbitals import free_orbitals
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class SlaterCache(NamedTuple):
    """inverses: Φ[occupied]⁻¹ (n, n) of each block. rows: int32 (N,), the row in which each occupied mode
    stands."""

    inverses: tuple[Num[Array, "n n"], ...]
    rows: Int[Array, "N"]


class Slater(eqx.Module):
    """A product of Slater determinants, one for each conserved number of fermions.

    space: fermions of fixed numbers, `Fermions(lattice, (5, 5))` or `Fermions(lattice, 13)`.
    orbitals: (modes, particles) of each block; None for those of free fermions on the lattice.
    shared: one set of orbitals for all blocks (the same number of modes; the first orbitals where particles
        are fewer).
    scale: standard deviation of what is added to the orbitals, over √modes: breaks symmetries.
    dtype: float, complex or an exact floating type. key: for `scale` > 0.

    ψ of a configuration with other numbers is 0. Real orbitals give the kind "signed", complex ones
    "holomorphic".

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> space = Fermions(Chain(4), (1, 1))
    >>> psi = Slater(space)
    >>> [float(abs(jnp.exp(psi(s)))).__round__(4) for s in space.configurations()[:2]]    # uniform
    [0.25, 0.25]
    """

    orbitals: tuple[Num[Array, "modes n"], ...]
    filling: Filling = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        orbitals: Sequence[Num[np.ndarray, "modes n"]] | None = None,
        *,
        shared: bool = False,
        scale: float = 0.0,
        dtype: DTypeLike = float,
        key: Array | None = None,
    ):
        self.filling = filling_of(space)
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        given = free_orbitals(space) if orbitals is None else tuple(np.asarray(o) for o in orbitals)
        shapes = list(zip(self.filling.widths, self.filling.particles, strict=True))
        if shared:
            if len(set(self.filling.widths)) != 1:
                raise fail("shared", "blocks of equally many modes", str(self.filling.widths))
            given = (max(given, key=lambda o: o.shape[1]),)
            shapes = [(self.filling.widths[0], max(self.filling.particles))]
        if [o.shape for o in given] != shapes:
            raise fail("orbitals", f"arrays of shapes {shapes}", str([o.shape for o in given]))
        if kind.kind != "c" and any(np.iscomplexobj(o) for o in given):
            raise fail("dtype", "complex for complex orbitals", str(kind))
        leaves = [jnp.asarray(o, kind) for o in given]
        if spread:
            keys = jax.random.split(check_key(key), len(leaves))
            leaves = [
                o + normal(k, o.shape, kind, spread / len(o) ** 0.5)
                for o, k in zip(leaves, keys, strict=True)
            ]
        self.orbitals = tuple(leaves)

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.filling.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.orbitals[0]) else "signed"

    @property
    def has_determinants(self) -> bool:
        return len(self.filling.particles) <= 2

    def block_orbitals(self, block: int) -> Num[Array, "modes n"]:
        """Φ of a block."""
        return self.orbitals[min(block, len(self.orbitals) - 1)][:, : self.filling.particles[block]]

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of one configuration (N,) of ±1, −1 being occupied."""
        check_configuration(s, self.size)
        return hops.where_fits(self.filling, s, self.ordered(self.filling.occupied(s), s))

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"] | None = None) -> Num[Array, ""]:
        """ln ⟨0| … c_{m_2} c_{m_1} |Ψ⟩ of occupied modes in this order, block after block."""
        total = jnp.zeros((), jnp.result_type(self.orbitals[0], jnp.complex64))
        for b, place in enumerate(self.filling.places):
            total = total + log_determinant(self.block_orbitals(b)[modes[place] - self.filling.starts[b]])
        return total

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> SlaterCache:
        """The inverses: O(n³)."""
        check_configuration(s, self.size)
        modes, inverses = self.filling.occupied(s), []
        rows = jnp.zeros(self.size, jnp.int32)
        for b, place in enumerate(self.filling.places):
            own = modes[place]
            A = self.block_orbitals(b)[own - self.filling.starts[b]]
            inverses.append(safe_inverse(A, log_determinant(A).real))
            rows = rows.at[own].set(jnp.arange(len(own), dtype=jnp.int32))
        return SlaterCache(tuple(inverses), rows)

    def log_ratio(self, cache: SlaterCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """ln ψ(s')/ψ(s), a dot product for each hop: O(n F); −∞ where the numbers change."""
        total = jnp.zeros((), jnp.result_type(self.orbitals[0], jnp.complex64))
        for b, inverse in enumerate(cache.inverses):
            hop = hops.hops_within(self.filling, b, s, sites)
            K, _ = self._changed(b, inverse, cache.rows, hop)
            total = (
                total + hop.sign.astype(total.dtype) + jnp.where(hop.possible, log_determinant(K), -jnp.inf)
            )
        return total

    def flip(self, cache: SlaterCache, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> SlaterCache:
        """The inverses after the hops: O(n² F)."""
        inverses, rows = [], cache.rows
        for b, inverse in enumerate(cache.inverses):
            hop = hops.hops_within(self.filling, b, s, sites)
            K, U = self._changed(b, inverse, cache.rows, hop)
            place = cache.rows[hop.left]
            unit = jnp.where(hop.valid[:, None], jnp.eye(inverse.shape[0], dtype=U.dtype)[place], 0)
            change = jnp.linalg.solve(K, jnp.where(hop.valid[:, None], U, 0) - unit)
            columns = jnp.where(hop.valid, inverse[:, place], 0)
            inverses.append(inverse - columns @ change)
            rows = rows.at[jnp.where(hop.valid, hop.entered, self.size)].set(place, mode="drop")
        return SlaterCache(tuple(inverses), rows)

    def _changed(self, b: int, inverse: Array, rows: Array, hop: hops.Hops) -> tuple[Array, Array]:
        """The matrix K whose determinant is the ratio, and U = Φ[entered] Φ⁻¹."""
        V = self.block_orbitals(b)[
            jnp.clip(hop.entered - self.filling.starts[b], 0, self.filling.widths[b] - 1)
        ]
        U = V @ inverse
        K = U[:, rows[hop.left]]
        both = hop.valid[:, None] & hop.valid[None, :]
        return jnp.where(both, K, jnp.eye(len(K), dtype=K.dtype)), U

    # Factored

    def factors(self, samples: Shaped[Array, "S N"]) -> Slater:
        """∂ ln ψ/∂Φ_ma = (Φ⁻¹)_{a, row of m} of occupied modes, 0 of others."""
        shared = len(self.orbitals) < len(self.filling.particles)
        found: list[Array] = []
        lists = jax.vmap(self.filling.occupied)(samples)
        for b, place in enumerate(self.filling.places):
            own = lists[:, place] - self.filling.starts[b]
            inverses = jnp.linalg.inv(self.block_orbitals(b)[own])
            sound = jnp.isfinite(inverses).all((1, 2), keepdims=True)
            inverses = jnp.where(sound, inverses, 0)
            hot = (own[:, None, :] == jnp.arange(self.filling.widths[b])[:, None]).astype(inverses.dtype)
            found.append(jnp.einsum("smp,sap->sma", hot, inverses))
        if shared:
            n = self.orbitals[0].shape[1]
            wide = [jnp.pad(x, ((0, 0), (0, 0), (0, n - x.shape[2]))) for x in found]
            found = [sum(wide[1:], wide[0])]
        return eqx.tree_at(lambda m: m.orbitals, parameters(self), tuple(Direct(x) for x in found))

    # forms for compiled kernels

    def determinant_form(self) -> DeterminantForm:
        """For two blocks Φ↑ Φ↓ᵀ as a pair function, for one block its orbitals."""
        return product_pairs(self.filling, [self.block_orbitals(b) for b in range(len(self.filling.starts))])
