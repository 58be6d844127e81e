r"""The equivariant linear map of one fibre: y = W x + b with W ρ(h) = σ(h) W and σ(h) b = b, at every
point.

It is `Conv` with a kernel of one point. Between trivial channels it is the dense layer of a classifier's
head.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.blocks import check_channels, checked_rep
from intertwine.layers.kernel import EquivariantKernel
from intertwine.spaces.point import one_point
from intertwine.symmetry.fibre_maps import AnyRep


class Linear(eqx.Module):
    """W ∈ Hom_H(ρ, σ) on the channels.

    rep_in, rep_out: of the same group. bias: whether invariant vectors of rep_out get one. gain: of the
    initial weights, 1 before nothing, 2 before a rectifier.

    Raises InputError for representations of different groups, or where Hom_H(ρ, σ) = 0.

    >>> import jax
    >>> from intertwine.symmetry import dihedral, trivial
    >>> G = dihedral(4)
    >>> Linear(2 * trivial(G), 3 * trivial(G), key=jax.random.key(0))(jnp.ones((5, 2))).shape
    (5, 3)
    """

    kernel: EquivariantKernel
    bias: Bias | None
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)

    def __init__(
        self,
        rep_in: AnyRep,
        rep_out: AnyRep,
        *,
        bias: bool = True,
        gain: float = 1.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.rep_in, self.rep_out = checked_rep(rep_in, "rep_in"), checked_rep(rep_out, "rep_out")
        point = one_point(rep_in.group)
        kind = jnp.zeros((), dtype).dtype
        self.kernel = EquivariantKernel(point, rep_in, rep_out, None, gain=gain, dtype=kind, key=key)
        self.bias = Bias(rep_out, dtype=kind) if bias and has_invariants(rep_out) else None

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """W x + b at every point; `key` is not used."""
        check_channels(x, self.rep_in)
        out = x @ self.kernel()[0].astype(x.dtype)
        return out if self.bias is None else self.bias(out)
