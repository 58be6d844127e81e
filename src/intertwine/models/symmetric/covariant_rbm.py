r"""A symmetric RBM in a one-dimensional representation χ of its group: ψ(g s) = χ(g) ψ(s) exactly.

    ψ(s) = ψ₀(s) Φ(s),      Φ(s) = Σ_g χ(g) φ(g⁻¹ s),      φ(s) = Π_f 2 cosh(d_f + V_f·s),

with ψ₀ an invariant RBM. Then Φ(h s) = Σ_g χ(g) φ(g⁻¹h s) = χ(h) Φ(s) (substitute g → h g): the projection of
Choo, Carleo, Regnault & Neupert, PRL 121, 167204 (2018) and Nomura, J. Phys.: Condens. Matter 33, 174003
(2021), put on a small head only. In kets, U_g |s⟩ = |g s⟩ has the eigenvalue χ(g)*: a translation by r with χ
= e^{+ik·r} is momentum k in the convention T_r = e^{−ik·r}. With `spin_flip` = ±1 the sum runs over g and
g·(s → −s) with ψ(−s) = ±ψ(s).

Configurations that the symmetry forces to ψ = 0 get a finite, very low log ψ and no gradient
(`numerics.log_weighted_sum`). Real parameters give kind `complex` (a sign is a phase iπ), complex ones
`holomorphic`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Int, Num, Shaped

from intertwine.models.machines.hidden_units import check_configuration
from intertwine.models.numerics import log_weighted_sum, real_dot, real_dtype, sum_log_2cosh
from intertwine.models.parameters import normal
from intertwine.models.protocols import Kind
from intertwine.models.symmetric.invariant_rbm import InvariantRBM, moved_filters
from intertwine.symmetry._phases import roots_of_unity


class CovariantRBM(eqx.Module):
    """The symmetric RBM with a character or an odd spin flip; build it with `SymmetricRBM`."""

    invariant: InvariantRBM
    head_bias: Num[Array, "A"]
    head_weights: Num[Array, "A N"]
    phases: Int[Array, "g"]
    roots: int = eqx.field(static=True)
    spin_flip: int | None = eqx.field(static=True)

    def __init__(
        self, invariant: InvariantRBM, phases: np.ndarray, roots: int, spin_flip: int | None, key: Array
    ):
        keys = jax.random.split(key)
        dtype, (features, size) = invariant.weights.dtype, invariant.weights.shape
        self.invariant = invariant
        self.head_bias = normal(keys[0], (features,), dtype, 1.0)
        self.head_weights = normal(keys[1], (features, size), dtype, size**-0.5)
        self.phases, self.roots, self.spin_flip = jnp.asarray(phases), roots, spin_flip

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.invariant.size

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.head_weights) else "complex"

    @property
    def character(self) -> Complex[Array, "g"]:
        """χ(g) of each group element."""
        dtype = jnp.result_type(self.head_weights.dtype, jnp.complex64)
        return jnp.asarray(roots_of_unity(self.roots), dtype)[self.phases]

    def __call__(self, s: Shaped[Array, "N"]) -> Complex[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1, complex."""
        check_configuration(s, self.size)
        v = s.astype(real_dtype(self.head_weights.dtype))
        fields = real_dot(v, moved_filters(self.head_weights, self.invariant.inverses))
        fields = fields.reshape(self.head_bias.shape[0], -1).T
        logs, coefficients = sum_log_2cosh(self.head_bias + fields), self.character
        if self.spin_flip is not None:
            logs = jnp.concatenate([logs, sum_log_2cosh(self.head_bias - fields)])
            coefficients = jnp.concatenate([coefficients, self.spin_flip * coefficients])
        return self.invariant(s) + log_weighted_sum(logs, coefficients)
