r"""Migdal-Kadanoff renormalization: bonds are moved together, then every b-th site is kept.

On a hypercubic lattice of d dimensions, b^{d−1} parallel bonds are moved onto one, and b bonds in a row are
summed exactly over the sites between them (Migdal, JETP 42, 743, 1975; Kadanoff, Ann. Phys. 100, 359, 1976):

    Ising   K' = artanh tanh^b (b^{d−1} K)                          b = d = 2: K' = ½ ln cosh 4K
    Potts   t' = t^b with t = (e^J − 1)/(e^J + q − 1),  J = b^{d−1} K

It is exact for d = 1, and on the hierarchical lattices that are built by the inverse step. A field h is
shared among the 2d bonds of a site and moves with them: the bond weight e^{K s s' + h (s + s')/2d} is raised
to the power b^{d−1} and multiplied b times as a matrix.

For b → 1 bonds move by infinitesimal amounts, and with l the logarithm of the length scale

    dK/dl = (d − 1) K + ½ sinh 2K ln tanh K

whose zero for d = 2 is Onsager's K_c exactly, with y_T = 2 − √2 ln(1 + √2) = 0.7535.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import logsumexp
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail, positive_int
from intertwine.rg.steps.flow import FixedPoint, Flow, fixed_point, flow

if TYPE_CHECKING:
    from intertwine.rg.steps.step import Couplings

_LARGEST = 10.0
"""Couplings beyond this are ordered to rounding; the search for a fixed point ends here."""

_MOST_BONDS = 4096
"""Beyond, K* is too close to 0 to be found to eight digits."""


@dataclass(frozen=True)
class MigdalKadanoff:
    """The recursion of one model; made by `migdal_kadanoff`. A `Step` of `rg.flow`.

    block: b. dimension: d. states: q of the Potts model, or None for Ising spins. with_field: whether there
    is a second coupling, "field".
    """

    block: int
    dimension: int
    states: int | None
    with_field: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The couplings: ("nearest",), or ("nearest", "field")."""
        return ("nearest", "field") if self.with_field else ("nearest",)

    def step(self, couplings: Couplings) -> Float[Array, " n"]:
        """K' (n,) of couplings (n,), a function of JAX."""
        return _recursion(jnp.asarray(couplings), self)

    def flow(self, couplings: Couplings, levels: int = 10) -> Flow:
        """The couplings level by level; `couplings`: a number K, (n,) or a dict by name."""
        number = isinstance(couplings, int | float)
        return flow({"nearest": couplings} if number else couplings, self, levels)

    @cached_property
    def fixed_point(self) -> FixedPoint:
        """The unstable fixed point at K > 0 without a field; InputError where there is none (d = 1)."""
        grid = np.geomspace(1e-6, _LARGEST, 1000)
        with jax.enable_x64(True):
            rows = jnp.stack([jnp.asarray(grid)] + [jnp.zeros(len(grid))] * self.with_field, axis=1)
            gain = np.asarray(jax.vmap(self.step)(rows))[:, 0] - grid
        rising = np.flatnonzero((gain[:-1] < 0) & (gain[1:] >= 0))
        if not len(rising):
            raise fail(
                "d", "a dimension with a fixed point at 0 < K < 10", self.dimension, "d = 1 has no transition"
            )
        guess = np.zeros(len(self.names))
        guess[0] = grid[rising[0]]
        return fixed_point(self, guess)

    @property
    def y_T(self) -> float:
        """The thermal exponent ln(∂K'/∂K)/ln b."""
        return math.log(self.fixed_point.matrix[0, 0]) / math.log(self.block)

    @property
    def nu(self) -> float:
        """ν = 1/y_T."""
        return 1 / self.y_T

    @property
    def y_H(self) -> float:
        """The magnetic exponent ln(∂h'/∂h)/ln b; InputError without a field."""
        if not self.with_field:
            raise InputError("y_H: expected a step with a field; make it with migdal_kadanoff(field=True).")
        return math.log(self.fixed_point.matrix[1, 1]) / math.log(self.block)


def migdal_kadanoff(
    b: int = 2, d: int = 2, *, states: int | None = None, field: bool = False
) -> MigdalKadanoff:
    """The Migdal-Kadanoff step for Ising spins, or for the Potts model of `states` states.

    b: the linear factor, 2 to 64. d: the dimension, 1 to 6, with b^{d−1} ≤ 4096. states: q, 2 to 1000.
    field: a second coupling h (Ising spins only).

    Raises InputError for other values.

    >>> migdal = migdal_kadanoff()
    >>> print(migdal.fixed_point)
    coupling       K*    eigenvalue        y
    nearest    0.30469       1.67857   0.7472
    >>> round(migdal.nu, 6), round(migdal_kadanoff(field=True).y_H, 4)
    (1.338266, 1.8791)
    """
    if not 2 <= positive_int("b", b, "the linear factor of a step") <= 64:
        raise fail("b", "an integer from 2 to 64", b)
    if positive_int("d", d) > 6:
        raise fail("d", "a dimension from 1 to 6", d)
    if b ** (d - 1) > _MOST_BONDS:
        raise fail("b, d", f"b^(d−1) of at most {_MOST_BONDS} bonds moved onto one", f"{b}, {d}")
    if states is not None and not 2 <= positive_int("states", states) <= 1000:
        raise fail("states", "2 to 1000 states", states)
    if field and states is not None:
        raise fail("field", "False for the Potts model", field, "a field is there for Ising spins")
    return MigdalKadanoff(int(b), int(d), None if states is None else int(states), bool(field))


@dataclass(frozen=True)
class InfinitesimalMigdal:
    """The limit b → 1 for Ising spins in d dimensions; made by `migdal_infinitesimal`. K: the fixed point."""

    dimension: int
    K: float

    @property
    def y_T(self) -> float:
        """The slope of the beta function at the fixed point, d + cosh 2K ln tanh K."""
        return self.dimension + math.cosh(2 * self.K) * math.log(math.tanh(self.K))

    @property
    def nu(self) -> float:
        """ν = 1/y_T."""
        return 1 / self.y_T

    def beta(self, K: ArrayLike) -> Float[np.ndarray, "..."]:
        """dK/dl = (d − 1)K + ½ sinh 2K ln tanh K at K > 0, (...), float64.

        >>> migdal_infinitesimal().beta([0.3, 0.6]).round(4)
        array([-0.0926,  0.1308])
        """
        K = np.asarray(K, np.float64)
        if not ((K > 0) & (K <= _LARGEST)).all():
            raise fail("K", "couplings in (0, 10]", K)
        return (self.dimension - 1) * K + np.sinh(2 * K) * np.log(np.tanh(K)) / 2


def migdal_infinitesimal(d: int = 2) -> InfinitesimalMigdal:
    """Migdal's recursion in infinitesimal steps, d = 2 to 6.

    Raises InputError for other dimensions.

    >>> limit = migdal_infinitesimal()
    >>> abs(limit.K - math.log(1 + math.sqrt(2)) / 2) < 1e-12, round(limit.y_T, 4)
    (True, 0.7535)
    """
    if not 2 <= positive_int("d", d) <= 6:
        raise fail("d", "a dimension from 2 to 6", d)
    rule = InfinitesimalMigdal(int(d), 0.5)
    for _ in range(50):  # Newton's method; the beta function is convex, so it comes down to its zero
        rule = replace(rule, K=rule.K - float(rule.beta(rule.K)) / rule.y_T)
    return rule


@partial(jax.jit, static_argnames="rule")
def _recursion(couplings: Array, rule: MigdalKadanoff) -> Array:
    """The couplings after bonds are moved and joined."""
    moved = rule.block ** (rule.dimension - 1) * couplings
    if rule.with_field:
        return _with_field(moved, rule.block, rule.dimension)
    return _potts(moved, rule.block, rule.states) if rule.states else _potts(2 * moved, rule.block, 2) / 2


def _potts(J: Array, b: int, states: int) -> Array:
    """b Potts bonds J in a row. A bond is the logarithms of its weights of equal and of different ends."""
    others = math.log(states - 1)

    def join(first: Array, second: Array) -> Array:
        equal = jnp.logaddexp(first[0] + second[0], others + first[1] + second[1])
        mixed = jnp.logaddexp(first[0] + second[1], first[1] + second[0])
        if states > 2:
            mixed = jnp.logaddexp(mixed, math.log(states - 2) + first[1] + second[1])
        return jnp.stack([equal - mixed, jnp.zeros_like(mixed)])

    return _power(jnp.stack([J, jnp.zeros_like(J)]), b, join)[0]


def _with_field(moved: Array, b: int, d: int) -> Array:
    """b Ising bonds e^{J s s' + g (s + s')/2d} in a row, moved = (J, g); the field back on the sites."""
    J, g = moved[0], moved[1] / (2 * d)
    bond = jnp.array([[1.0, -1.0], [-1.0, 1.0]]) * J + jnp.array([[2.0, 0.0], [0.0, -2.0]]) * g

    def join(first: Array, second: Array) -> Array:
        both = logsumexp(first[:, :, None] + second[None], axis=1)
        return both - both[0, 1]

    found = _power(bond, b, join)
    return jnp.stack([(found[0, 0] + found[1, 1]) / 4, d * (found[0, 0] - found[1, 1]) / 2])


def _power(bond: Array, b: int, join: Callable[[Array, Array], Array]) -> Array:
    """`bond` joined b times, by squaring."""
    if b == 1:
        return bond
    half = _power(join(bond, bond), b // 2, join)
    return join(half, bond) if b % 2 else half
