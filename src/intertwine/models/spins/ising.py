r"""The Ising model with any couplings on any lattice, as a distribution over spins ±1.

    p(s) = Ψ(s)/Z,      −H(s) = ln Ψ(s) = Σ_{⟨ij⟩} K_ij s_i s_j + Σ_i h_i s_i + Σ_α K_α S_α(s)

over the lattice's nearest-neighbour bonds (twice where a bond goes around a torus of two sites twice) and any
further families of terms (`spin_terms`: farther pairs, four-spin, three-spin ...; Ising 1925). K = J/T and h
are without unit, K > 0 is ferromagnetic. It is a probability by its Ψ, never a wave function: samplers of
|Ψ|² refuse it, since they would sample half the temperature; `it.sample` takes the square root for them
(`square_root`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.machines.hidden_units import check_configuration, flip_changes
from intertwine.models.parameters import parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.spins.spin_terms import Shape, Terms, linked_bonds, spin_terms
from intertwine.models.spins.term_tables import pair_table, term_table
from intertwine.spaces.graph.graph import Graph
from intertwine.spaces.lattice import Lattice

CRITICAL_SQUARE = 0.5 * math.log(1 + math.sqrt(2))
"""K_c of the square lattice (Onsager 1944)."""

CRITICAL_TRIANGULAR = 0.25 * math.log(3)
"""K_c of the triangular lattice (Houtappel 1950)."""

CRITICAL_HONEYCOMB = 0.5 * math.log(2 + math.sqrt(3))
"""K_c of the honeycomb lattice (Houtappel 1950)."""

CRITICAL_KAGOME = 0.25 * math.log(3 + 2 * math.sqrt(3))
"""K_c of the kagome lattice (Kano & Naya 1953)."""


class Ising(eqx.Module):
    """Spins on a lattice with couplings K, fields h, and any further terms.

    lattice: where the spins are; its nearest neighbours are linked. K: a number, or an array (B,), one for
    each of `lattice.bonds()` (spin glasses); a number is multiplied by the weights of a graph that has
    them. h: a number, or an array (N,). further: families of
    `spin_terms` with their couplings, for example {"next": 0.1, "plaquette": 0.05}. dtype: float or an exact
    real floating type.

    Raises InputError for numbers that are not finite, arrays of another length, unknown or repeated families,
    and what is no lattice.

    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(4, 4), K=0.5, further={"plaquette": 0.1})
    >>> float(ising.energy(jnp.ones(16))), round(float(ising(jnp.ones(16))), 6)       # 32 bonds, 16 squares
    (-32.0, 17.6)
    """

    coupling: Float[Array, "*B"]
    field: Float[Array, "*N"]
    strengths: Float[Array, "F"]
    lattice: Any = eqx.field(static=True)
    families: tuple[str | Shape, ...] = eqx.field(static=True)

    distribution = "boltzmann"

    def __init__(
        self,
        lattice: Lattice | Graph,
        K: ArrayLike,
        h: ArrayLike = 0.0,
        *,
        further: Mapping[Any, float] | None = None,
        dtype: DTypeLike = float,
    ):
        if not isinstance(lattice, Lattice | Graph):
            raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
        kind = parameter_dtype(dtype)
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise fail("dtype", "a real type", kind.name)
        bonds = len(lattice.bonds()) if lattice.shells else 0
        self.lattice = lattice
        couplings = _numbers("K", K, bonds, "bonds")
        weights = lattice.bond_weights() if isinstance(lattice, Graph) and bonds else None
        if weights is not None and np.ndim(couplings) == 0:
            couplings = couplings * weights
        self.coupling = jnp.asarray(couplings, kind)
        self.field = jnp.asarray(_numbers("h", h, lattice.size, "sites"), kind)
        further = {} if further is None else further
        if not isinstance(further, Mapping):
            raise fail("further", 'couplings by family, such as {"next": 0.1}', further)
        found = [spin_terms(lattice, name) for name in further]
        for terms in found:
            if terms.name in ("nearest", "shell:1", "field"):
                raise fail("further", "families other than nearest and field", terms.name, "use K and h")
        names = [terms.name for terms in found]
        if len(set(names)) < len(names):
            raise fail("further", "each family once", ", ".join(names))
        values = [_numbers(f"further[{name}]", value, None, "") for name, value in further.items()]
        self.families = tuple(further)
        self.strengths = jnp.asarray(np.array(values, float), kind)

    @classmethod
    def of(cls, lattice: Lattice, couplings: Mapping[Any, float], *, dtype: DTypeLike = float) -> Ising:
        """The model with the couplings of a dict by family, "nearest" and "field" among them.

        >>> from intertwine.spaces.lattices import Square
        >>> Ising.of(Square(4, 4), {"nearest": 0.4, "next": 0.1, "field": 0.01}).couplings
        {'nearest': 0.4, 'field': 0.01, 'next': 0.1}
        """
        if not isinstance(couplings, Mapping):
            raise fail("couplings", 'numbers by family, such as {"nearest": 0.4}', couplings)
        rest = {name: value for name, value in couplings.items() if name not in ("nearest", "field")}
        K, h = couplings.get("nearest", 0.0), couplings.get("field", 0.0)
        return cls(lattice, K, h, further=rest, dtype=dtype)

    @property
    def couplings(self) -> dict[Any, float]:
        """The couplings by family. Raises InputError where bonds or sites have couplings of their own."""
        if self.coupling.ndim or self.field.ndim:
            raise fail("model", "one coupling a family", "couplings of their own on bonds or sites")
        found: dict[Any, float] = {"nearest": float(self.coupling), "field": float(self.field)}
        strengths = np.asarray(self.strengths, float).tolist()
        return found | dict(zip(self.families, strengths, strict=True))

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.lattice.size

    @property
    def kind(self) -> Kind:
        return "real"

    @property
    def terms(self) -> tuple[Terms, ...]:
        """The further families, in the order of `strengths`."""
        return tuple(spin_terms(self.lattice, name) for name in self.families)

    @property
    def multi_spin(self) -> bool:
        """Whether there are terms of three spins or more, for which there are no clusters."""
        return any(terms.order > 2 for terms in self.terms)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """(bonds int32 (B, 2), couplings float64 (B,)): all pairs, nearest and farther ones together."""
        near, numbers = linked_bonds(self.lattice)
        each = np.asarray(self.coupling, float)
        sites, values = [near], [each[numbers] if each.ndim else np.full(len(near), each)]
        for terms, strength in zip(self.terms, np.asarray(self.strengths, float), strict=True):
            if terms.order == 2:
                sites.append(terms.sites)
                values.append(np.full(len(terms.sites), strength))
        return np.concatenate(sites), np.concatenate(values)

    def __call__(self, s: Shaped[Array, "N"]) -> Float[Array, ""]:
        """ln Ψ = −H of one configuration (N,)."""
        check_configuration(s, self.size)
        x = s.astype(self.coupling.dtype)
        bonds = linked_bonds(self.lattice)[0]
        total = (self._bond_strengths() * (x[bonds[:, 0]] * x[bonds[:, 1]])).sum() + (self.field * x).sum()
        for terms, strength in zip(self.terms, self.strengths, strict=True):
            total += strength * x[terms.sites].prod(-1).sum()
        return total

    def energy(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """−Σ_{⟨ij⟩} s_i s_j of configurations (..., N) over nearest neighbours, whatever their couplings."""
        bonds, x = linked_bonds(self.lattice)[0], s.astype(self.coupling.dtype)
        return -(x[..., bonds[:, 0]] * x[..., bonds[:, 1]]).sum(-1)

    def order(self, s: Shaped[Array, "... N"]) -> Float[Array, "... 1"]:
        """m = Σ_i s_i / N of configurations (..., N), one component."""
        return s.astype(self.coupling.dtype).mean(-1, keepdims=True)

    def order_squared(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """m² = (Σ_i s_i / N)² of configurations (..., N)."""
        return jnp.square(s.astype(self.coupling.dtype).mean(-1))

    # Incremental

    def start(self, s: Shaped[Array, "N"]) -> tuple[()]:
        """Nothing needs to be kept."""
        check_configuration(s, self.size)
        return ()

    def log_ratio(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Float[Array, ""]:
        """ln Ψ(s') − ln Ψ(s) from the terms of the flipped sites."""
        changes = flip_changes(s, sites, self.coupling.dtype)
        near, number = (jnp.asarray(table) for table in pair_table(self.lattice, self.pair_families))
        strength = jnp.concatenate([self._pair_strengths(), jnp.zeros(1, self.coupling.dtype)])
        near, number = (jnp.take(t, sites, axis=0, mode="fill", fill_value=-1) for t in (near, number))
        weight = jnp.where(number >= 0, strength[number], 0)
        around = (weight * jnp.take(s, near, mode="fill", fill_value=0).astype(weight.dtype)).sum(-1)
        linked = (jnp.where(near[:, :, None] == sites, weight[:, :, None], 0)).sum(1)
        field = jnp.take(jnp.broadcast_to(self.field, (self.size,)), sites, mode="fill", fill_value=0)
        pairs = (changes * (around + field)).sum() + (changes[:, None] * linked * changes).sum() / 2
        return pairs + self._larger_ratio(s, sites)

    def flip(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> tuple[()]:
        """Nothing needs to be kept."""
        return cache

    @property
    def pair_families(self) -> tuple[str | Shape, ...]:
        """The further families that are pairs, in the order of `pairs()`."""
        return tuple(n for n, t in zip(self.families, self.terms, strict=True) if t.order == 2)

    def _bond_strengths(self) -> Float[Array, "M"]:
        """The coupling of every nearest-neighbour bond, in the order of `linked_bonds`."""
        numbers, K = linked_bonds(self.lattice)[1], self.coupling
        return K[numbers] if K.ndim else jnp.broadcast_to(K, numbers.shape)

    def _pair_strengths(self) -> Float[Array, "B"]:
        """The coupling of every pair, in the order of `pairs()`."""
        parts = [self._bond_strengths()]
        for terms, strength in zip(self.terms, self.strengths, strict=True):
            if terms.order == 2:
                parts.append(jnp.broadcast_to(strength, (len(terms.sites),)))
        return jnp.concatenate(parts)

    def _larger_ratio(self, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Float[Array, ""]:
        """The part of `log_ratio` of terms of other orders, one flipped site after another."""
        larger = [
            (name, k)
            for k, (name, t) in enumerate(zip(self.families, self.terms, strict=True))
            if t.order != 2
        ]
        if not larger:
            return jnp.zeros((), self.coupling.dtype)
        tables = [(jnp.asarray(term_table(self.lattice, name)), self.strengths[k]) for name, k in larger]

        def turned(x: Array, site: Array) -> tuple[Array, Array]:
            change = jnp.zeros((), x.dtype)
            for table, strength in tables:
                others = jnp.take(table, site, axis=0, mode="fill", fill_value=self.size)
                products = jnp.take(x, others, mode="fill", fill_value=0).prod(-1).sum()
                change -= 2 * strength * jnp.take(x, site, mode="fill", fill_value=0) * products
            return x.at[site].multiply(-1, mode="drop"), change

        return jax.lax.scan(turned, s.astype(self.coupling.dtype), sites)[1].sum()


def _numbers(name: str, value: ArrayLike, length: int | None, what: str) -> np.ndarray:
    """A finite number, or `length` of them, as float64."""
    expected = "a finite number" + (
        f", or an array of {length}, one for each of its {what}" if length else ""
    )
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise fail(name, expected, value) from None
    wrong = isinstance(value, bool | str) or found.shape not in ((), (length,))
    if wrong or not np.isfinite(found).all():
        raise fail(name, expected, value if found.ndim == 0 else f"shape {found.shape}")
    return found
