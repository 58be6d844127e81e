r"""Neural backflow: orbitals that depend on where all the fermions are.

    ψ(n) = Π_blocks det [Φ + δ(n)][occupied, :],      δ(n)_{ma} = Σ_k V_{k,ma} tanh(b_k + Σ_i W_ik s_i)

(Luo & Clark, PRL 122, 226401 (2019)). With V = 0 it is the Slater determinant; correlated hops of the
fermions around each other change its signs.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from intertwine.models.fermions.filling import Filling
from intertwine.models.fermions.slater import Slater
from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import real_dot, real_dtype, tanh
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype
from intertwine.models.protocols import Kind

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class Backflow(eqx.Module):
    """Slater determinants whose orbitals a network of one hidden layer moves.

    space: fermions of fixed numbers. hidden: units of the layer. orbitals: Φ of each block, None for those of
    free fermions. scale: standard deviation of V times √hidden and of what is added to Φ times √modes.
    dtype: float ("signed"), complex ("holomorphic") or an exact floating type.

    ψ of a configuration with other numbers is 0.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> psi = Backflow(Fermions(Chain(6), (2, 1)), hidden=8, key=jax.random.key(0))
    >>> psi.kind, [v.shape for v in psi.changes]
    ('signed', [(8, 6, 2), (8, 6, 1)])
    """

    orbitals: tuple[Num[Array, "modes n"], ...]
    weights: Num[Array, "N H"]
    bias: Num[Array, "H"]
    changes: tuple[Num[Array, "H modes n"], ...]
    filling: Filling = eqx.field(static=True)

    def __init__(
        self,
        space: HilbertSpace,
        hidden: int,
        orbitals: Sequence[Num[np.ndarray, "modes n"]] | None = None,
        *,
        scale: float = 0.1,
        dtype: DTypeLike = float,
        key: Array,
    ):
        kind, spread = parameter_dtype(dtype), check_scale(scale)
        H = positive_int("hidden", hidden, "give the units of the hidden layer")
        first, second, third, *rest = jax.random.split(check_key(key), 5)
        slater = Slater(space, orbitals, scale=spread, dtype=kind, key=first)
        self.filling, self.orbitals = slater.filling, slater.orbitals
        self.weights = normal(second, (self.filling.size, H), kind, self.filling.size**-0.5)
        self.bias = normal(third, (H,), kind, 0.1)
        keys = jax.random.split(rest[0], max(1, len(self.orbitals)))
        self.changes = tuple(
            normal(k, (H, *o.shape), kind, spread / (H * len(o)) ** 0.5)
            for k, o in zip(keys, self.orbitals, strict=True)
        )

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
        """ln ψ of occupied modes in this order, block after block, s their configuration."""
        units = tanh(self.bias + real_dot(s.astype(real_dtype(self.bias.dtype)), self.weights))
        total = jnp.zeros((), jnp.result_type(self.bias, jnp.complex64))
        parts = zip(self.orbitals, self.changes, self.filling.places, self.filling.starts, strict=True)
        for orbitals, changes, place, start in parts:
            moved = orbitals + jnp.tensordot(units, changes, 1)
            total = total + log_determinant(moved[modes[place] - start])
        return total
