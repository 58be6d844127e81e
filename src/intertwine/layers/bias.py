r"""A bias that commutes with the group: a weight on each invariant vector of the representation, b ∈ V^H.

A trivial block has one, a permutation block one for each orbit (the sum over the orbit), a non-trivial
irrep none: there a bias would choose a direction.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail
from intertwine.symmetry.fibre_maps import AnyRep, invariant_vectors


class Bias(eqx.Module):
    """x ↦ x + b with b invariant, one weight for each copy of a block and invariant vector in it, zero at
    first.

    rep: of the field, which has at least one invariant vector (else InputError: that is a bias on a
    non-trivial irrep).

    >>> from intertwine.symmetry import cyclic, regular, Rep
    >>> Bias(3 * regular(cyclic(4))).weights[0].shape
    (3, 1)
    >>> Bias(Rep(cyclic(2), [[[1.0]], [[-1.0]]], "sign"))
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: rep: expected a representation with an invariant vector, got sign; a bias
    exists only on trivial irreps: leave it out.
    """

    weights: tuple[Float[Array, "m n"], ...]
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)

    def __init__(self, rep: AnyRep, *, dtype: DTypeLike = float):
        if not has_invariants(rep):
            remedy = "a bias exists only on trivial irreps: leave it out"
            raise fail("rep", "a representation with an invariant vector", rep, remedy)
        self.rep_in = self.rep_out = rep
        self.weights = tuple(jnp.zeros((m, len(invariant_vectors(block))), dtype) for block, m in rep.blocks)

    @property
    def vector(self) -> Float[Array, " C"]:
        """b."""
        parts = [
            (w @ jnp.asarray(invariant_vectors(block), w.dtype)).reshape(-1)
            for w, (block, _) in zip(self.weights, self.rep_out.blocks, strict=True)
        ]
        return jnp.concatenate(parts)

    def __call__(self, x: Shaped[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x + b, of fields (..., C)."""
        return x + self.vector.astype(x.dtype)


def has_invariants(rep: AnyRep) -> bool:
    """Whether some vector of the representation is invariant."""
    return any(len(invariant_vectors(block)) for block, _ in rep.blocks)
