r"""Functions of gates and scalars that keep the second moment, and a small head of two maps with a gate.

    silu(x) · 1.6765,   sigmoid(x) · 1.8462:     ⟨σ(x)²⟩ = 1 for x normal of variance 1

so that fields of variance 1 stay such through many layers (as in NequIP and MACE).
"""

from __future__ import annotations

import equinox as eqx
import jax
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.points.hidden_types import copies
from intertwine.layers.points.mixing import Mixing
from intertwine.symmetry.compact import CompactRep


def unit_silu(x: Array) -> Array:
    """1.6765 x sigmoid(x)."""
    return 1.6765 * jax.nn.silu(x)


def unit_sigmoid(x: Array) -> Array:
    """1.8462 sigmoid(x)."""
    return 1.8462 * jax.nn.sigmoid(x)


def gated(rep: CompactRep) -> Gated | Pointwise:
    """The non-linearity whose output is `rep`: silu of scalars, and sigmoids as gates of the rest.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> gated(2 * O3.irrep(0) + 3 * O3.irrep(1, -1)).rep_in.dimension
    14
    """
    return Pointwise(rep, unit_silu) if rep.is_trivial else Gated(rep, unit_silu, unit_sigmoid)


class GatedHead(eqx.Module):
    """Mixing, gate, mixing: what reads outputs off a field.

    rep_in: of the field; it has scalars. rep_out: of the outputs. width: copies of each irrep in between.
    gain: the variance of the outputs at the start.

    Raises InputError for outputs with an irrep that the field does not have.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> head = GatedHead(4 * O3.irrep(0) + 4 * O3.irrep(1, -1), O3.irrep(1, -1), 2, key=jax.random.key(0))
    >>> head(jax.numpy.ones((5, 16))).shape
    (5, 3)
    """

    first: Mixing
    gate: Gated | Pointwise
    last: Mixing

    def __init__(
        self,
        rep_in: CompactRep,
        rep_out: CompactRep,
        width: int,
        *,
        gain: float = 1.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        have = {part for part, _ in rep_in.blocks}
        wanted = [part for part, _ in rep_out.blocks if not part.is_trivial]
        for part in wanted:
            if part not in have:
                remedy = "raise degree or layers (pseudoscalars take three), or take another network"
                raise fail("outputs", f"irreps that the last fields have, {rep_in!r}", part, remedy)
        group = rep_in.group
        hidden = copies([group.trivial, *dict.fromkeys(wanted)], width)
        self.gate = gated(hidden)
        one, two = jax.random.split(key)
        self.first = Mixing(rep_in, self.gate.rep_in, bias=True, dtype=dtype, key=one)
        self.last = Mixing(hidden, rep_out, bias=True, gain=gain, dtype=dtype, key=two)

    @property
    def rep_in(self) -> CompactRep:
        """That of the field."""
        return self.first.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """That of the outputs."""
        return self.last.rep_out

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """The outputs at every point; `key` is not used."""
        return self.last(self.gate(self.first(x)))
