r"""Point-wise non-linearities: y_c = σ(x_c), one function for every channel.

They commute with ρ where ρ(g) permutes the channels (trivial, regular, quotient and other permutation
types); an odd σ also where it permutes them up to signs. On anything else, such as an irrep of dimension
two, they break the symmetry: the layer refuses, and `Gated`, `NormNonlinearity`, `TensorProduct` or
`FourierPointwise` are the layers to take (Cohen & Welling, Steerable CNNs, 2017; Weiler & Cesa 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import blocks, check_channels, checked_rep, kind
from intertwine.symmetry.fibre_maps import AnyRep

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "leaky_relu": jax.nn.leaky_relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "soft_sign": jax.nn.soft_sign,
    "square": jnp.square,
    "identity": lambda x: x,
}

Function = str | Callable[[Array], Array]
"""A function of each number of an array, or its name in `FUNCTIONS`."""


class Pointwise(eqx.Module):
    """σ on every channel of a permutation representation.

    rep: the type of input and output. function: a name of `FUNCTIONS` or any function of an array that
    acts on each number alone.

    Raises InputError, with the reason, for a type that is not permuted (up to signs, for odd functions).

    >>> import numpy as np
    >>> from intertwine.symmetry import Rep, cyclic, regular
    >>> Pointwise(regular(cyclic(4)), "relu")(jnp.array([-1.0, 2.0, 0.0, -3.0])).tolist()
    [0.0, 2.0, 0.0, 0.0]
    >>> turn = Rep(cyclic(4), [np.linalg.matrix_power([[0, -1], [1, 0]], k) for k in range(4)], "vector")
    >>> Pointwise(2 * turn, "relu")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: rep: expected a representation that permutes the channels, got vector
    (signed permutation) in 2·vector; relu of single components does not commute with it: only an odd
    function such as tanh does, or take Gated or NormNonlinearity.
    """

    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    function: Function = eqx.field(static=True)

    def __init__(self, rep: AnyRep, function: str | Callable[[Array], Array] = "relu"):
        self.rep_in = self.rep_out = checked_rep(rep)
        self.function = checked_function(function)
        name = self.function if isinstance(self.function, str) else "this function"
        check_pointwise(rep, function_of(self.function), name)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """σ(x); `key` is not used."""
        check_channels(x, self.rep_in)
        return function_of(self.function)(x)


def checked_function(function: object) -> Any:
    """What layers keep of a function of arrays: its name where it has one here, so that layers are copied,
    pickled and compared by it, or itself; InputError for anything else."""
    if callable(function):
        known = [name for name, one in FUNCTIONS.items() if one is function]
        return known[0] if known else function
    if not isinstance(function, str) or function not in FUNCTIONS:
        raise fail("function", "a function or one of " + ", ".join(FUNCTIONS), function)
    return function


def function_of(function: Function) -> Callable[[Array], Array]:
    """The function that a layer keeps (`checked_function`)."""
    return FUNCTIONS[function] if isinstance(function, str) else function


def check_pointwise(rep: AnyRep, function: Callable[[Array], Array], name: str) -> None:
    """Raise, with the reason, unless `function` of every channel commutes with `rep`."""
    for part, _, _, _ in blocks(rep):
        word = kind(part)
        if word in ("trivial", "permutation") or (word == "signed permutation" and _odd(function)):
            continue
        reason = f"{name} of single components does not commute with it"
        if word == "signed permutation":
            reason += ": only an odd function such as tanh does, or take Gated or NormNonlinearity"
        else:
            reason += ": take Gated, NormNonlinearity, TensorProduct or FourierPointwise"
        got = f"{part!r} ({word})" + (f" in {rep!r}" if repr(rep) != repr(part) else "")
        raise fail("rep", "a representation that permutes the channels", got, reason)


def _odd(function: Callable[[Array], Array]) -> bool:
    x = jnp.linspace(-4.0, 4.0, 101, dtype=jnp.float32)
    return bool(jnp.abs(function(x) + function(-x)).max() < 1e-5)
