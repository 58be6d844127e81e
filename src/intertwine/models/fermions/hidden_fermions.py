r"""Hidden fermions: more of them than are seen, whose places are a function of those that are.

    ψ(n) = det [ Φ[occupied, :] ; X(n) ],      Φ (N, n + Ñ),   X(n) (Ñ, n + Ñ) a network of n

(Robledo Moreno, Carleo, Georges & Stokes, PNAS 119, e2122059119 (2022)): a Slater determinant of visible and
hidden fermions, the hidden ones projected onto a configuration that follows the visible ones. It is universal
as Ñ grows. The network here has one hidden layer of tanh. At the start X = [0 | 1], which leaves the Slater
determinant of the n visible ones.
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

from intertwine._checks import positive_int
from intertwine.models.fermions import hops
from intertwine.models.fermions.determinants import log_determinant
from intertwine.models.fermions.filling import Filling, filling_of
from intertwine.models.fermions.orbitals import free_orbitals
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dot, real_dtype, tanh
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class HiddenFermions(eqx.Module):
    """A determinant of visible and hidden fermions.

    space: fermions of fixed numbers. hidden: Ñ, hidden fermions. width: units of the network's layer, 2N by
    default. scale: standard deviation of what is added to free orbitals and to [0 | 1], over the root of the
    number of modes and of units. dtype: float ("signed"), complex ("holomorphic") or an exact floating type.

    ψ of a configuration with other numbers is 0.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> psi = HiddenFermions(Fermions(Chain(6), (2, 1)), hidden=2, key=jax.random.key(0))
    >>> psi.kind, psi.orbitals.shape, psi.changes.shape
    ('signed', (12, 5), (24, 2, 5))
    """

    orbitals: Num[Array, "N m"]
    hidden: Num[Array, "h m"]
    weights: Num[Array, "N W"]
    bias: Num[Array, "W"]
    changes: Num[Array, "W h m"]
    filling: Filling = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        hidden: int,
        *,
        width: int | None = None,
        scale: float = 0.1,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.filling = filling_of(space)
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        h = positive_int("hidden", hidden, "give the number of hidden fermions")
        N, n = self.filling.size, self.filling.total
        W = 2 * N if width is None else positive_int("width", width, "give the units of the network")
        visible = np.zeros((N, n + h))
        for orbitals, a, place in zip(
            free_orbitals(space), self.filling.starts, self.filling.places, strict=True
        ):
            visible[a : a + len(orbitals), place] = orbitals
        apart = np.concatenate([np.zeros((h, n)), np.eye(h)], axis=1)
        keys = jax.random.split(check_key(key), 5)
        self.orbitals = jnp.asarray(visible, kind) + normal(keys[0], visible.shape, kind, spread / N**0.5)
        self.hidden = jnp.asarray(apart, kind) + normal(keys[1], apart.shape, kind, spread)
        self.weights = normal(keys[2], (N, W), kind, N**-0.5)
        self.bias = normal(keys[3], (W,), kind, 0.1)
        self.changes = normal(keys[4], (W, *apart.shape), kind, spread / W**0.5)

    @property
    def size(self) -> int:
        """The number of modes N."""
        return self.filling.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.bias) else "signed"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of one configuration (N,) of ±1, −1 being occupied."""
        check_configuration(s, self.size)
        return hops.where_fits(self.filling, s, self.ordered(self.filling.occupied(s), s))

    def ordered(self, modes: Int[Array, "n"], s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """ln ψ of occupied modes in this order, s their configuration."""
        units = tanh(self.bias + real_dot(s.astype(real_dtype(self.bias.dtype)), self.weights))
        rows = self.hidden + jnp.tensordot(units, self.changes, 1)
        return log_determinant(jnp.concatenate([self.orbitals[modes], rows]))
