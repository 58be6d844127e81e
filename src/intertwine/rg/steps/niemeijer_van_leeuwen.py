r"""Cumulant renormalization of the triangular lattice in triangles (Niemeijer & van Leeuwen 1973).

Three spins of a triangle make a cell spin by majority, b = √3. Energies within cells are H_0, those between
cells are V, and with averages ⟨·⟩ over H_0 at given cell spins (Phys. Rev. Lett. 31, 1411, 1973; Physica 71,
17, 1974)

    −H' = ⟨V⟩ + ½ (⟨V²⟩ − ⟨V⟩²) + …

Within a cell f = ⟨s_a⟩ s' = (e^{3K} + e^{−K})/Q and g = ⟨s_a s_b⟩ = (e^{3K} − e^{−K})/Q,
Q = e^{3K} + 3e^{−K}.

    first order    K' = 2 f² K,    h' = 3 f h
    second order   K'_D = f² Σ_δ n_{Dδ} K_δ + K_1² f² Σ_j Σ (⟨s_b s_c⟩ − f²)

for couplings K_1, K_2, K_3 of first, second and third neighbours. n_{Dδ} counts the pairs of sites at
distance δ in two cells at distance D; the last sum is over cells j next to both, a bond into j ending at b,
the other at c. K_2 and K_3 are of second order themselves, so they enter V once. In a field the cross term of
h and K_1 adds h K_1 f (1 + 2g − 3f²) for each of the 12 bonds of a cell to h' = 3 f h.

First order: K* = 0.335614, where f = 1/√2. Second: K* = (0.27887, −0.01425, −0.01523).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.rg.steps.flow import FixedPoint, Flow, critical_coupling, fixed_point, flow

if TYPE_CHECKING:
    from intertwine.rg.steps.step import Couplings

_CELL = ((0, 0), (1, 0), (0, 1))
"""The sites of a cell, in the basis of two unit vectors at 60°."""

_SITE_SHELLS, _CELL_SHELLS = (1, 3, 4), (3, 9, 12)
"""Squared distances of first, second and third neighbours, of sites and of cells."""


@dataclass(frozen=True)
class NiemeijerVanLeeuwen:
    """The recursion at one order; made by `niemeijer_van_leeuwen`. A `Step` of `rg.flow`.

    order: 1 or 2. with_field: whether "field" is the last coupling.
    """

    order: int
    with_field: bool

    @property
    def block(self) -> float:
        """b = √3."""
        return math.sqrt(3)

    @property
    def names(self) -> tuple[str, ...]:
        """The couplings: "nearest", at second order "next" and "third", and "field" where there is one."""
        even = ("nearest",) if self.order == 1 else ("nearest", "next", "third")
        return (*even, "field") if self.with_field else even

    def step(self, couplings: Couplings) -> Float[Array, " n"]:
        """K' (n,) of couplings (n,), a function of JAX."""
        return _recursion(jnp.asarray(couplings), self.order, self.with_field)

    def flow(self, couplings: Couplings, levels: int = 10) -> Flow:
        """The couplings level by level; `couplings`: (n,) or a dict by name, or a number K_1."""
        number = isinstance(couplings, int | float)
        return flow({"nearest": couplings} if number else couplings, self, levels)

    @cached_property
    def fixed_point(self) -> FixedPoint:
        """The unstable fixed point, zero field, with its eigenvalues."""
        guess = [0.33] if self.order == 1 else [0.28, -0.015, -0.015]
        return fixed_point(self, [*guess, 0.0] if self.with_field else guess)

    @cached_property
    def critical_coupling(self) -> float:
        """K_c of the model of nearest neighbours alone: its point on the critical surface (exact: ln 3/4)."""
        return float(critical_coupling(self, {"nearest": 0.1}, {"nearest": 0.8})[0])

    @property
    def y_T(self) -> float:
        """The thermal exponent ln λ/ln √3 of the largest even eigenvalue."""
        even = len(self.names) - self.with_field
        largest = np.linalg.eigvals(self.fixed_point.matrix[:even, :even]).real.max()
        return math.log(largest) / math.log(self.block)

    @property
    def nu(self) -> float:
        """ν = 1/y_T."""
        return 1 / self.y_T

    @property
    def y_H(self) -> float:
        """The magnetic exponent ln(∂h'/∂h)/ln √3; InputError without a field."""
        if not self.with_field:
            raise fail("field", "a step with a field", False, "niemeijer_van_leeuwen(field=True)")
        return math.log(self.fixed_point.matrix[-1, -1]) / math.log(self.block)


def niemeijer_van_leeuwen(order: int = 1, *, field: bool = False) -> NiemeijerVanLeeuwen:
    """The cumulant step of the triangular lattice at `order` 1 or 2, with a `field` or without.

    Raises InputError for other orders.

    >>> first = niemeijer_van_leeuwen(field=True)
    >>> round(float(first.fixed_point.couplings[0]), 6), round(first.y_T, 4), round(first.y_H, 4)
    (0.335614, 0.8822, 1.3691)
    >>> niemeijer_van_leeuwen(2).fixed_point.couplings.round(4)
    array([ 0.2789, -0.0142, -0.0152])
    """
    if order not in (1, 2) or isinstance(order, bool):
        raise fail("order", "1 or 2", order)
    return NiemeijerVanLeeuwen(int(order), bool(field))


@partial(jax.jit, static_argnames=("order", "with_field"))
def _recursion(K: Array, order: int, with_field: bool) -> Array:
    """The couplings of the cell spins."""
    same = jnp.exp(-4 * K[0])  # e^{−K}/e^{3K}
    f, g = (1 + same) / (1 + 3 * same), (1 - same) / (1 + 3 * same)
    pairs, chains = _geometry()
    if order == 1:
        even = [pairs[0, 0] * f**2 * K[0]]
    else:
        second = K[0] ** 2 * f**2 * (chains[0] * (1 - f**2) + chains[1] * (g - f**2))
        even = list(f**2 * (jnp.asarray(pairs) @ K[:3]) + second)
    if not with_field:
        return jnp.stack(even)
    cross = 6 * pairs[0, 0] * K[0] * f * (1 + 2 * g - 3 * f**2) if order == 2 else 0.0
    return jnp.stack([*even, (3 * f + cross) * K[-1]])


@lru_cache(maxsize=1)
def _geometry() -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "2 3"]]:
    """(n, m): n[D, δ], pairs of sites at distance δ in two cells at distance D; m[0, D] and m[1, D], how many
    chains of two bonds lead from one to the other through a third cell, by one of its sites and by two."""
    cells = [(i - j, i + 2 * j) for i, j in itertools.product(range(-4, 5), repeat=2)]
    near = [c for c in cells if _squared(c) == _CELL_SHELLS[0]]
    pairs, chains = np.zeros((3, 3)), np.zeros((2, 3))
    for n, shell in enumerate(_CELL_SHELLS):
        other = next(c for c in cells if _squared(c) == shell)
        for m, distance in enumerate(_SITE_SHELLS):
            pairs[n, m] = len(_bonds(other, distance))
        for middle in near:
            onward = (other[0] - middle[0], other[1] - middle[1])
            if onward not in near:
                continue
            for (_, b), (c, _) in itertools.product(_bonds(middle, 1), _bonds(onward, 1)):
                chains[int(b != c), n] += 1
    return pairs, chains


def _bonds(cell: tuple[int, int], distance: int) -> list[tuple[int, int]]:
    """Pairs (a, b): site a of the cell at the origin and site b of `cell`, at this squared distance."""
    return [
        (a, b)
        for (a, s), (b, t) in itertools.product(enumerate(_CELL), repeat=2)
        if _squared((cell[0] + t[0] - s[0], cell[1] + t[1] - s[1])) == distance
    ]


def _squared(vector: tuple[int, int]) -> int:
    x, y = vector
    return x * x + x * y + y * y
