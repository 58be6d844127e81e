r"""Potts and clock models on any lattice, as distributions over states 0 … q − 1.

    Potts   ln Ψ(s) = K Σ_{⟨ij⟩} δ(s_i, s_j) + h Σ_i δ(s_i, 0)          (Potts 1952; Wu, RMP 54, 235, 1982)
    clock   ln Ψ(s) = K Σ_{⟨ij⟩} cos(2π (s_i − s_j)/q)

over the bonds of nearest neighbours (`linked_bonds`). Two states are the Ising model (K_Potts = 2 K,
K_clock = K). On the square lattice the Potts model is critical at e^K = 1 + √q (Potts 1952), on the
triangular one where x = e^K solves x³ − 3x + 2 = q (Kim & Joseph 1974); with two and three states both are
continuous, q = 3 with ν = 5/6 and η = 4/15.
"""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail, finite_number, one_of, positive_int
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.parameters import parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.spaces.lattice import Lattice


class Potts(eqx.Module):
    """q states on each site, favoured to be equal on neighbours for K > 0.

    lattice: where the sites are. q: the number of states, 2 to 127. K, h: real numbers, coupling and field on
    state 0. dtype: float or an exact real floating type. Raises InputError for other values.

    >>> from intertwine.spaces.lattices import Square
    >>> potts = Potts(Square(4, 4), 3, K=0.5)
    >>> float(potts(jnp.zeros(16, jnp.int8))), float(potts.energy(jnp.zeros(16, jnp.int8)))
    (16.0, -32.0)
    """

    coupling: Float[Array, ""]
    field: Float[Array, ""]
    lattice: Lattice = eqx.field(static=True)
    states: int = eqx.field(static=True)

    distribution = "boltzmann"

    def __init__(self, lattice: Lattice, q: int, K: float, h: float = 0.0, *, dtype: DTypeLike = float):
        self.lattice, self.states = _checked(lattice, q)
        kind = _real(dtype)
        self.coupling, self.field = (
            jnp.asarray(finite_number("K", K), kind),
            jnp.asarray(finite_number("h", h), kind),
        )

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.lattice.size

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Float[Array, ""]:
        """ln Ψ of one configuration (N,) of states."""
        check_configuration(s, self.size)
        return -self.coupling * self.energy(s) + self.field * (s == 0).sum()

    def energy(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """−Σ_{⟨ij⟩} δ(s_i, s_j) of configurations (..., N)."""
        bonds = linked_bonds(self.lattice)[0]
        return -(s[..., bonds[:, 0]] == s[..., bonds[:, 1]]).sum(-1).astype(self.coupling.dtype)

    def order(self, s: Shaped[Array, "... N"]) -> Float[Array, "... q"]:
        """ρ_a, the share of each state, of configurations (..., N)."""
        return jnp.stack([(s == a).mean(-1, dtype=self.coupling.dtype) for a in range(self.states)], -1)

    def order_squared(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """m² = (q Σ_a ρ_a² − 1)/(q − 1) of configurations (..., N), ρ_a being the share of state a."""
        return (self.states * jnp.square(self.order(s)).sum(-1) - 1) / (self.states - 1)


class Clock(eqx.Module):
    """q directions in the plane on each site.

    lattice: where the sites are. q: the number of directions, 2 to 127. K: a real number. dtype: float or an
    exact real floating type. Raises InputError for other values.

    >>> from intertwine.spaces.lattices import Chain
    >>> clock = Clock(Chain(4), 4, K=0.5)
    >>> float(clock(jnp.array([0, 0, 2, 2], jnp.int8)))                       # two bonds along, two against
    0.0
    """

    coupling: Float[Array, ""]
    lattice: Lattice = eqx.field(static=True)
    states: int = eqx.field(static=True)

    distribution = "boltzmann"
    directions = True
    """The states are directions of a clock."""

    def __init__(self, lattice: Lattice, q: int, K: float, *, dtype: DTypeLike = float):
        self.lattice, self.states = _checked(lattice, q)
        self.coupling = jnp.asarray(finite_number("K", K), _real(dtype))

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.lattice.size

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Float[Array, ""]:
        """ln Ψ of one configuration (N,) of states."""
        check_configuration(s, self.size)
        return -self.coupling * self.energy(s)

    def energy(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """−Σ_{⟨ij⟩} cos(2π(s_i − s_j)/q) of configurations (..., N)."""
        bonds, cosines = linked_bonds(self.lattice)[0], self._cosines()
        steps = jnp.abs(s[..., bonds[:, 0]].astype(jnp.int32) - s[..., bonds[:, 1]].astype(jnp.int32))
        return -cosines[steps].sum(-1)

    def order(self, s: Shaped[Array, "... N"]) -> Float[Array, "... 2"]:
        """(Σ_i cos θ_i, Σ_i sin θ_i)/N of configurations (..., N), θ = 2π s/q."""
        angles = np.arange(self.states) * (2 * np.pi / self.states)
        kind, states = self.coupling.dtype, s.astype(jnp.int32)
        return jnp.stack([jnp.asarray(f(angles), kind)[states].mean(-1) for f in (np.cos, np.sin)], -1)

    def order_squared(self, s: Shaped[Array, "... N"]) -> Float[Array, "..."]:
        """m² = |Σ_i e^{2πi s_i/q}|²/N² of configurations (..., N)."""
        return jnp.square(self.order(s)).sum(-1)

    def _cosines(self) -> Float[Array, "q"]:
        return jnp.asarray(np.cos(np.arange(self.states) * (2 * np.pi / self.states)), self.coupling.dtype)


def potts_critical(q: int, lattice: str = "square") -> float:
    """K_c of the Potts model of q states on the infinite square or triangular lattice.

    Raises InputError for fewer than two states and other lattices.

    >>> round(potts_critical(3), 7), round(potts_critical(2, "triangular") / 2, 7)
    (1.0050525, 0.2746531)
    """
    if positive_int("q", q) < 2:
        raise fail("q", "two states or more", q)
    if one_of("lattice", lattice, ("square", "triangular")) == "square":
        return math.log(1 + math.sqrt(q))
    roots = np.roots([1.0, 0.0, -3.0, 2.0 - q])
    return math.log(float(roots[abs(roots.imag) < 1e-9].real.max()))


def _checked(lattice: Lattice, q: int) -> tuple[Lattice, int]:
    if not isinstance(lattice, Lattice):
        raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
    if not lattice.shells:
        raise fail("lattice", "a lattice of two sites or more", lattice.name)
    if not 2 <= positive_int("q", q) <= 127:
        raise fail("q", "2 to 127 states", q)
    return lattice, int(q)


def _real(dtype: DTypeLike) -> Any:
    kind = parameter_dtype(dtype)
    if jnp.issubdtype(kind, jnp.complexfloating):
        raise fail("dtype", "a real type", kind.name)
    return kind
