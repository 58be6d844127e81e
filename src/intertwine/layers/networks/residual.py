r"""Residual blocks: y = x + f(x), f a row of layers from a type to itself (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.networks.sequential import Sequential
from intertwine.symmetry.fibre_maps import AnyRep


class Residual(eqx.Module):
    """The input added to what layers make of it.

    layers: pairs (name, layer), or layers alone, as of `Sequential`, from a type to the same.

    Raises InputError where the types differ.

    >>> import jax, jax.numpy as jnp
    >>> from intertwine.layers.nonlinear.pointwise import Pointwise
    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = Residual([Pointwise(regular(cyclic(2)), "relu")])
    >>> layer(jnp.array([1.0, -1.0])).tolist()
    [2.0, -1.0]
    """

    inner: Sequential

    def __init__(self, layers: Sequence[Any]):
        self.inner = Sequential(layers)
        if self.inner.rep_in != self.inner.rep_out:
            got = f"{self.inner.rep_in!r} to {self.inner.rep_out!r}"
            raise fail("layers", "layers from a type to the same", got, "add a Linear or Conv at the end")

    @property
    def rep_in(self) -> AnyRep:
        """The type of the input."""
        return self.inner.rep_in

    @property
    def rep_out(self) -> AnyRep:
        """The same."""
        return self.inner.rep_out

    @property
    def space(self) -> Any:
        """That of the layers."""
        return self.inner.space

    def __call__(
        self, x: Float[Array, "... C"], *, at: object = None, key: Array | None = None
    ) -> Float[Array, "... C"]:
        """Fields of the same type; `at` goes to layers that take it, `key` to layers that draw."""
        return x + self.inner.outputs(x, at=at, key=key)
