r"""The first layer of a network on points: hidden fields from what is given.

    x = (a, …)  ↦  (a, W x)

a are the scalars of the input (the species, one-hot, or charges): they go on unchanged through the layers,
in front of the hidden fields, as what weights depend on. An input without scalars has a = 1.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.blocks import blocks, check_channels
from intertwine.layers.points.hidden_types import checked_compact, scalars_of
from intertwine.layers.points.mixing import Mixing
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep


class Embedding(eqx.Module):
    """The scalars of a field in front, and `hidden` fields of all of it.

    rep_in: of the field. hidden: of the fields after it. rep_out: max(S, 1) scalars + hidden, S the scalars
    of rep_in. attributes: max(S, 1).

    Raises InputError where nothing in rep_in leads to hidden.

    >>> import jax
    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> layer = Embedding(3 * O3.irrep(0) + O3.irrep(1, -1), 8 * O3.irrep(0), key=jax.random.key(0))
    >>> layer(jnp.ones((5, 6))).shape, layer.attributes
    ((5, 11), 3)
    """

    mixing: Mixing
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(self, rep_in: AnyRep, hidden: CompactRep, *, dtype: DTypeLike = float, key: Array):
        self.rep_in = checked_compact(rep_in, "inputs")
        into, out = self._with_ones, hidden
        self.mixing = Mixing(into, out, dtype=dtype, key=key)
        self.rep_out = self.attributes * hidden.group.trivial + hidden

    @property
    def attributes(self) -> int:
        """How many scalars stand in front."""
        return max(scalars_of(self.rep_in), 1)

    @property
    def _with_ones(self) -> CompactRep:
        return self.rep_in if scalars_of(self.rep_in) else self.rep_in.group.trivial + self.rep_in

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """(attributes, hidden fields); `key` is not used."""
        check_channels(x, self.rep_in)
        found = [block.of(x)[..., 0] for block in blocks(self.rep_in) if block.rep.is_trivial]
        if not found:
            found = [jnp.ones((*x.shape[:-1], 1), x.dtype)]
            x = jnp.concatenate([*found, x], axis=-1)
        return jnp.concatenate([*found, self.mixing(x)], axis=-1)
