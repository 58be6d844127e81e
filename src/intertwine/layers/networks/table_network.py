r"""Networks of two layers that learn the multiplication table of a group: pairs of elements → scores.

    scores(a, b) = σ(L_a + R_b) O,      σ(x) = x² (quadratic:W) or max(0, x) (relu:W)

L, R (|G|, W) are the first layer on a one-hot beside b one-hot, O (W, |G|) the second; there is no bias
(Gromov 2023, "Grokking modular arithmetic", for cyclic groups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail

TABLE_NETWORKS = ("quadratic:W", "relu:W")
_MOST = 1 << 16


@dataclass(frozen=True)
class TableRecipe:
    """The arguments of `table_network` that build a network again."""

    name: str
    order: int
    dtype: str


class TableNetwork(eqx.Module):
    """See the module. left, right: L, R (g, W). out: O (W, g). activation: "square" or "relu".

    A call takes one pair: the numbers of its two elements (2,), or one beside the other one-hot (2g,).

    >>> network = table_network("quadratic:8", 6, key=jax.random.key(0))
    >>> network(jnp.array([1, 4])).shape
    (6,)
    """

    left: Float[Array, "g W"]
    right: Float[Array, "g W"]
    out: Float[Array, "W g"]
    activation: Literal["square", "relu"] = eqx.field(static=True, default="square")
    recipe: Any = eqx.field(static=True, default=None)

    @property
    def order(self) -> int:
        """The elements of the group."""
        return self.left.shape[0]

    @property
    def width(self) -> int:
        """The hidden units W."""
        return self.left.shape[1]

    def __call__(self, x: Shaped[Array, "..."], *, key: Array | None = None) -> Float[Array, "g"]:
        """The scores of the products of one pair."""
        return self.outputs(jnp.asarray(x)[None])[0]

    def outputs(self, x: Shaped[Array, "B ..."], *, key: Array | None = None) -> Float[Array, "B g"]:
        """The scores of many pairs (B, 2), or one-hot (B, 2g)."""
        x = jnp.asarray(x)
        if x.ndim != 2 or x.shape[1] not in (2, 2 * self.order):
            raise fail("x", f"pairs (rows, 2) of elements, or one-hot (rows, {2 * self.order})", x.shape)
        if x.shape[1] == 2:
            pairs = x.astype(jnp.int32)
            first = self.left[pairs[:, 0]] + self.right[pairs[:, 1]]
        else:
            first = x.astype(self.left.dtype) @ jnp.concatenate([self.left, self.right])
        hidden = first * first if self.activation == "square" else jax.nn.relu(first)
        return hidden @ self.out


def check_table_network(name: str) -> tuple[str, int]:
    """(family, width) of a name; InputError if it is none.

    >>> check_table_network("quadratic:256")
    ('quadratic', 256)
    """
    family, _, width = name.strip().partition(":") if isinstance(name, str) else ("", "", "")
    if family in ("quadratic", "relu") and width.isdecimal() and 1 <= int(width) <= _MOST:
        return family, int(width)
    remedy = f"W is a whole number up to {_MOST}, as in quadratic:256"
    raise fail("network", "one of " + ", ".join(TABLE_NETWORKS), name, remedy)


def table_network(name: str, order: int, *, dtype: DTypeLike = float, key: Array) -> TableNetwork:
    """The network called `name` on a group of so many elements, normal weights of variance 1/inputs.

    >>> table_network("relu:16", 8, key=jax.random.key(0)).width
    16
    """
    family, width = check_table_network(name)
    kind = jnp.zeros((), dtype).dtype
    keys = jax.random.split(key, 3)
    shapes, spreads = ((order, width), (order, width), (width, order)), (2 * order, 2 * order, width)
    left, right, out = (
        jax.random.normal(k, shape, kind) * spread**-0.5
        for k, shape, spread in zip(keys, shapes, spreads, strict=True)
    )
    activation = "square" if family == "quadratic" else "relu"
    return TableNetwork(left, right, out, activation, TableRecipe(name, order, kind.name))
