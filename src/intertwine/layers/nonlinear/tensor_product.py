r"""Tensor products of two fields, projected on a third type.

    y_c = Σ_{a, b, t} w^t_{cab} Q^t(x_a ⊗ z_b),      Q^t a basis of Hom_H(ρ ⊗ σ, τ) for each triple of blocks

a, b, c number the copies of the blocks ρ, σ, τ. For irreps Q^t are the Clebsch-Gordan projections. The
layer is bilinear and equivariant without any function on components (Kondor, Lin & Trivedi, NeurIPS
2018).
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import blocks, check_channels, checked_rep, direct_sum, gathered, join
from intertwine.symmetry.fibre_maps import AnyRep, bilinear_maps
from intertwine.symmetry.lie.rep import LieRep


class TensorProduct(eqx.Module):
    """The product of two parts of a field, or of a field with itself.

    left, right: the types of the two factors; rep_in = left + right, the channels of both. right = None
    multiplies a field of type left with itself. rep_out: the type of the result.

    weights: for each triple of different blocks with Hom ≠ 0, (dim Hom, copies out, copies left, copies
    right).

    Raises InputError for types of different groups, complex ones, of finite groups not orthogonal ones, and
    where Hom_H(left ⊗ right, rep_out) = 0.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4m")
    >>> dot = TensorProduct(grid.vector, grid.vector, grid.scalar, key=jax.random.key(0))
    >>> dot(jnp.array([1.0, 2.0]), jnp.array([-2.0, 1.0])).shape, dot.weights[0].shape
    ((1,), (1, 1, 1, 1))
    """

    weights: tuple[Float[Array, "t m_out m_left m_right"], ...]
    left: AnyRep = eqx.field(static=True)
    right: AnyRep | None = eqx.field(static=True)
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)

    def __init__(
        self, left: AnyRep, right: AnyRep | None, rep_out: AnyRep, *, dtype: DTypeLike = float, key: Array
    ):
        self.left, self.right, self.rep_out = (
            checked_rep(left, "left"),
            right,
            checked_rep(rep_out, "rep_out"),
        )
        other = left if right is None else checked_rep(right, "right")
        self.rep_in = left if right is None else direct_sum([*left.blocks, *other.blocks])
        for argument, rep in (("left", left), ("right", other), ("rep_out", rep_out)):
            if rep.group != left.group:
                raise fail(argument, f"a representation of {left.group!r}", f"{rep!r} of {rep.group!r}")
            if rep.dtype != np.float64 or not (isinstance(rep, LieRep) or rep.is_orthogonal):
                raise fail(argument, "a real orthogonal representation", rep)
        left, other, out = (gathered(rep)[0] for rep in (left, other, rep_out))
        shapes = []
        for c in blocks(out):
            ways = [
                (len(bilinear_maps(a.rep, b.rep, c.rep)), c.copies, a.copies, b.copies)
                for a in blocks(left)
                for b in blocks(other)
            ]
            total = max(1, sum(t * a * b for t, _, a, b in ways))
            shapes += [(shape, (c.rep.dimension / total) ** 0.5) for shape in ways]
        if not any(shape[0] for shape, _ in shapes):
            raise fail("rep_out", "a type that the product contains", f"Hom(left ⊗ right, {rep_out!r}) = 0")
        keys = jax.random.split(key, len(shapes))
        self.weights = tuple(
            spread * jax.random.normal(k, shape, dtype)
            for k, (shape, spread) in zip(keys, shapes, strict=True)
            if shape[0]
        )

    def __call__(
        self,
        x: Float[Array, "... C_left"],
        z: Float[Array, "... C_right"] | None = None,
        *,
        key: Array | None = None,
    ) -> Float[Array, "... C_out"]:
        """The product of x and z, or of the two parts of x, or of x with itself; `key` is not used."""
        if z is None:
            check_channels(x, self.rep_in)
            z = x if self.right is None else x[..., self.left.dimension :]
            x = x if self.right is None else x[..., : self.left.dimension]
        other = self.left if self.right is None else self.right
        check_channels(x, self.left)
        check_channels(z, other, "z")
        weights = iter(self.weights)
        (left, at_left), (other, at_other), (out, place) = map(gathered, (self.left, other, self.rep_out))
        x = x if at_left is None else x[..., np.argsort(at_left)]
        z = z if at_other is None else z[..., np.argsort(at_other)]
        parts = []
        for c in blocks(out):
            lead = jnp.broadcast_shapes(x.shape[:-1], z.shape[:-1])
            total = jnp.zeros((*lead, c.copies, c.rep.dimension), jnp.result_type(x, z))
            for a in blocks(left):
                for b in blocks(other):
                    basis = bilinear_maps(a.rep, b.rep, c.rep)
                    if len(basis):
                        q = jnp.asarray(basis, x.dtype)
                        product = jnp.einsum("...ai,...bj,tkij->...tabk", a.of(x), b.of(z), q)
                        total += jnp.einsum("...tabk,tcab->...ck", product, next(weights).astype(x.dtype))
            parts.append(total)
        y = join(parts, parts[0].shape[:-2])
        return y if place is None else y[..., place]
