r"""Any network x → outputs as a model of the training loop.

A supervised network takes one example and returns its outputs: the scores (logits) of the classes, or the
predicted values. It is an equinox module such as `equinox.nn.MLP`, or, with `FunctionNetwork`, any function
of a parameter pytree and one example (a Flax or Haiku `apply`, or one written by hand).

Modules hold functions and flags beside arrays; compiled code takes arrays. `Network` keeps the two apart:
the arrays are leaves, everything else is static and hashed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, PyTree, Shaped

from intertwine._checks import InputError, fail
from intertwine.models.results import as_model


class FunctionNetwork(eqx.Module):
    r"""outputs(x) = function(parameters, x), or function(parameters, x, key=key) where it takes a `key`.

    function: of the parameters and one example; hashable (any `def` or `lambda` is) and pure.
    parameters: a pytree with at least one array of floats.

    >>> net = FunctionNetwork(lambda p, x: x @ p, jnp.ones((4, 2)))
    >>> net(jnp.ones(4)).tolist()
    [4.0, 4.0]
    """

    parameters: Any
    function: Callable[..., Array] = eqx.field(static=True)

    def __init__(self, function: Callable[..., Array], parameters: PyTree):
        if not callable(function):
            raise fail("function", "a function f(parameters, x) → outputs", function)
        self.function = function
        self.parameters = jax.tree.map(_as_array, parameters)

    def __call__(self, x: Shaped[Array, "..."], *, key: Array | None = None) -> Float[Array, "..."]:
        """The outputs of one example; `key` goes to functions that take one."""
        if _takes_key(self.function):
            return self.function(self.parameters, x, key=key)
        return self.function(self.parameters, x)


class Network(eqx.Module):
    r"""A network as arrays and the rest; make one with `Network.of(module)`.

    arrays: the module with only its arrays. rest: the other leaves, with None at the arrays' places.
    """

    arrays: tuple
    rest: tuple = eqx.field(static=True)
    structure: Any = eqx.field(static=True)
    takes_key: bool = eqx.field(static=True)

    @classmethod
    def of(cls, module: object) -> Network:
        """Raises InputError for what is not callable, holds no array of floats, or cannot be hashed.

        >>> Network.of(FunctionNetwork(lambda p, x: x @ p, jnp.ones((4, 2)))).shape((4,), float)
        (2,)
        >>> Network.of(abs)
        Traceback (most recent call last):
        ...
        intertwine._checks.InputError: model: expected a network with parameters, got <built-in \
function abs>; give an equinox module, or FunctionNetwork(function, parameters).
        """
        module = as_model(module)
        if isinstance(module, Network):
            return module
        leaves, structure = jax.tree.flatten(module)
        leaves = [jnp.asarray(x) if isinstance(x, np.ndarray) else x for x in leaves]
        if not callable(module) or not any(eqx.is_inexact_array(x) for x in leaves):
            remedy = "give an equinox module, or FunctionNetwork(function, parameters)"
            raise fail("model", "a network with parameters", module, remedy)
        arrays = tuple(x if eqx.is_array(x) else None for x in leaves)
        rest = tuple(None if eqx.is_array(x) else x for x in leaves)
        try:
            hash((rest, structure))
        except TypeError as error:
            raise fail("model", "a module whose static fields can be hashed", str(error)) from None
        return cls(arrays, rest, structure, _wants_key(module))

    @property
    def module(self) -> Any:
        """What `of` was given, with the parameters of now."""
        pairs = zip(self.arrays, self.rest, strict=True)
        leaves = [other if array is None else array for array, other in pairs]
        return jax.tree.unflatten(self.structure, leaves)

    def __call__(self, x: Shaped[Array, "..."], *, key: Array | None = None) -> Float[Array, "..."]:
        """The outputs of one example."""
        return self.module(x, key=key) if self.takes_key else self.module(x)

    def outputs(self, x: Shaped[Array, "B ..."], *, key: Array | None = None) -> Float[Array, "B K"]:
        """The outputs of many examples, a row each; every example has a key of its own.

        A module with `outputs(x, *, key)` of its own takes the batch as a whole: equivariant networks do,
        whose batch norms look at all of it.
        """
        module = self.module
        if hasattr(module, "outputs"):
            return module.outputs(x, key=key).reshape(len(x), -1)
        if self.takes_key and key is not None:
            found = jax.vmap(lambda one, k: self(one, key=k))(x, jax.random.split(key, len(x)))
        else:
            found = jax.vmap(self)(x)
        return found.reshape(len(x), -1)

    def at_rest(self) -> Network:
        """The network in inference: dropout and the like switched off (`equinox.nn.inference_mode`)."""
        return Network.of(eqx.nn.inference_mode(self.module))

    def shape(self, example: tuple[int, ...], dtype: DTypeLike) -> tuple[int, ...]:
        """The shape of the outputs of an example of this shape, found without running it.

        Raises InputError where the network fails on such an example.
        """
        try:
            x = jax.ShapeDtypeStruct(example, jnp.result_type(dtype))
            out = jax.eval_shape(lambda a: self.at_rest()(a, key=jax.random.key(0)), x)
        except Exception as error:
            reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
            if isinstance(error, InputError):  # a layer that knows what it takes
                raise fail("x", "examples that the network takes", f"shape {example}", str(error)) from error
            raise fail("model", f"a network of examples of shape {example}", reason) from error
        if not hasattr(out, "shape") or not jnp.issubdtype(out.dtype, jnp.floating):
            raise fail("model", "a network that returns an array of real numbers", out)
        return tuple(out.shape)


def _as_array(leaf: object) -> Any:
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray | np.generic | float) else leaf


def _wants_key(module: object) -> bool:
    if isinstance(module, FunctionNetwork):
        return _takes_key(module.function)
    return _takes_key(module)


def _takes_key(function: PyTree) -> bool:
    try:
        return "key" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
