r"""Linear maps of the fibre, copies of an irrep into copies of the same (self-interaction).

    y_b = Σ_s a_s Σ_a W_{s a b} x_a,        x_a, y_b ∈ R^d copies of one irrep,   a_s scalars of the point

By Schur's lemma that is all of Hom(ρ, σ) for irreps of real type; the rotations by kθ of SO(2) have a second
map, the turn by 90°. With a the species of a point, one-hot, each species has a matrix of its own (the
self-connection of NequIP and MACE). `Linear` does the same for any types, by the whole matrix.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.blocks import blocks, check_channels, join
from intertwine.layers.points.hidden_types import checked_compact
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep, commuting_maps


class Mixing(eqx.Module):
    r"""Σ_s a_s W_s x, block by block.

    rep_in, rep_out: types of one compact group. attributes: S, how many scalars a_s the weights depend on
    (1: none). bias: of the scalars of rep_out. gain: the variance that it gives fields of variance 1 at the
    start.

    weights: for each pair of blocks of the same irrep (maps, S, copies in, copies out).

    Raises InputError for types of different groups, and where no block of rep_out is in rep_in.

    >>> import jax
    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> layer = Mixing(2 * O3.irrep(1, -1), 5 * O3.irrep(1, -1), attributes=3, key=jax.random.key(0))
    >>> layer(jnp.ones((7, 6)), jnp.ones((7, 3))).shape, layer.weights[0].shape
    ((7, 15), (1, 3, 2, 5))
    """

    weights: tuple[Float[Array, "t S m_in m_out"], ...]
    bias: Bias | None
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)
    attributes: int = eqx.field(static=True)

    def __init__(
        self,
        rep_in: AnyRep,
        rep_out: AnyRep,
        *,
        attributes: int = 1,
        bias: bool = False,
        gain: float = 1.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.rep_in, self.rep_out = checked_compact(rep_in, "rep_in"), checked_compact(rep_out, "rep_out")
        self.attributes = positive_int("attributes", attributes)
        if rep_in.group != rep_out.group:
            raise fail(
                "rep_out", f"a representation of {rep_in.group!r}", f"{rep_out!r} of {rep_out.group!r}"
            )
        weights = []
        for number, (out, m_out) in enumerate(self.rep_out.blocks):
            pairs = [(len(commuting_maps(a, out)), m, place) for place, (a, m) in enumerate(rep_in.blocks)]
            ways = sum(t * m for t, m, _ in pairs)
            for t, m_in, place in pairs:
                if t:
                    here = jax.random.fold_in(jax.random.fold_in(key, number), place)
                    drawn = jax.random.normal(here, (t, self.attributes, m_in, m_out), dtype)
                    weights.append(drawn * jnp.asarray((gain / ways) ** 0.5, drawn.dtype))
        if not weights:
            raise fail(
                "rep_out", f"irreps that are in {rep_in!r}", rep_out, "convolve first, or raise degree"
            )
        self.weights = tuple(weights)
        self.bias = (
            Bias(rep_out, dtype=jnp.zeros((), dtype).dtype) if bias and has_invariants(rep_out) else None
        )

    def __call__(
        self,
        x: Float[Array, "... C_in"],
        attributes: Float[Array, "... S"] | None = None,
        *,
        key: Array | None = None,
    ) -> Float[Array, "... C_out"]:
        """Fields of type rep_out; blocks that nothing leads to are 0. `key` is not used."""
        check_channels(x, self.rep_in)
        check_attributes(attributes, self.attributes)
        weights, parts = iter(self.weights), []
        for out in blocks(self.rep_out):
            total = None
            for a in blocks(self.rep_in):
                maps = commuting_maps(a.rep, out.rep)
                if len(maps):
                    here = self._pair(a.of(x), attributes, next(weights).astype(x.dtype), len(maps))
                    total = here if total is None else total + here
            shape = (*x.shape[:-1], out.copies, out.rep.dimension)
            parts.append(jnp.zeros(shape, x.dtype) if total is None else total)
        y = join(parts, x.shape[:-1])
        return y if self.bias is None else self.bias(y)

    def _pair(self, x: Array, attributes: Array | None, weights: Array, maps: int) -> Array:
        """Copies (..., m_in, d) to copies (..., m_out, d)."""
        if maps == 2:  # x and x turned by 90°, as twice the copies
            x = jnp.concatenate([x, jnp.stack([-x[..., 1], x[..., 0]], axis=-1)], axis=-2)
        flat = jnp.concatenate(list(weights), axis=1) if maps == 2 else weights[0]  # (S, t·m_in, m_out)
        if self.attributes > 1:
            assert attributes is not None
            x = (attributes.astype(x.dtype)[..., :, None, None] * x[..., None, :, :]).reshape(
                *x.shape[:-2], -1, x.shape[-1]
            )
        flat = flat.reshape(-1, flat.shape[-1])
        if x.shape[-1] == 1:
            return jnp.matmul(x[..., 0], flat, precision="highest")[..., None]
        return jnp.einsum("...cd,co->...od", x, flat, precision="highest")


def check_attributes(attributes: Array | None, count: int) -> None:
    """Raise unless there are as many scalars as weights depend on."""
    shape = getattr(attributes, "shape", ())
    if count > 1 and shape[-1:] != (count,):
        got = "none" if attributes is None else f"shape {shape}"
        raise fail("attributes", f"{count} scalars on the last axis", got)
