r"""The layers of any network, read from its program: products of what depends on the input with parameters.

A network is traced to JAX's intermediate language, and its operations are carried out one by one. A matrix
product or convolution of data with something made of parameters alone is a layer; what parameters add to
it at once is its bias; the sum is the layer's pre-activation z. This finds the layers of equinox modules,
Flax and Haiku functions, hand-written ones and the equivariant layers of this library alike, whose kernels
are made of weights first. Products of data with data (attention) are none, and layers inside loops (`scan`)
are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend import core
from jaxtyping import PyTree

_PRODUCTS = ("dot_general", "conv_general_dilated")
_SUMS = ("add", "add_any", "sub")
_SAME = (
    "reshape", "transpose", "convert_element_type", "squeeze", "expand_dims", "copy", "broadcast_in_dim",
    "slice", "rev",
)  # fmt: skip
_CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint", "custom_jvp_call",
          "custom_vjp_call", "custom_vjp_call_jaxpr")  # fmt: skip


@dataclass
class Layer:
    """z: the pre-activation. data: what the weights multiply. bare: z without its bias. weights, biases: the
    places of the arrays, among the leaves of the parameters, that they are made of."""

    z: Array
    data: Array
    bare: Array
    weights: frozenset[int]
    biases: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Tag:
    """What a value depends on. layer: the number of the layer whose pre-activation it is, or None."""

    leaves: frozenset[int] = frozenset()
    data: bool = False
    layer: int | None = None


@dataclass
class Found:
    """layers: in the order in which they are computed. unseen: products inside loops and branches."""

    layers: list[Layer] = field(default_factory=list)
    unseen: int = 0


def layers_of(apply: Callable[[list[Array], Array], PyTree], leaves: Sequence[Array], x: Array) -> Found:
    """The layers of `apply(leaves, x)`, with their pre-activations for this x; may itself be traced.

    >>> def network(leaves, x):
    ...     w, b, v = leaves
    ...     return jnp.tanh(w @ x + b) @ v
    >>> found = layers_of(network, [jnp.eye(2), jnp.ones(2), jnp.ones(2)], jnp.array([1.0, 2.0]))
    >>> [(layer.z.tolist(), sorted(layer.weights), sorted(layer.biases)) for layer in found.layers][0]
    ([2.0, 3.0], [0], [1])
    >>> len(found.layers)
    2
    """
    program = jax.make_jaxpr(lambda given, example: jax.tree.leaves(apply(given, example)))(list(leaves), x)
    tags = [_Tag(frozenset({k})) for k in range(len(leaves))] + [_Tag(data=True)]
    found = Found()
    _run(program.jaxpr, program.consts, [*leaves, x], tags, found)
    return found


def _run(
    program: core.Jaxpr,
    constants: Sequence[PyTree],
    values: Sequence[PyTree],
    tags: Sequence[_Tag],
    found: Found,
) -> tuple[list[Any], list[_Tag]]:
    known: dict[Any, tuple[Any, _Tag]] = {}

    def read(atom: PyTree) -> tuple[Any, _Tag]:
        return (atom.val, _Tag()) if isinstance(atom, core.Literal) else known[atom]

    for variable, constant in zip(program.constvars, constants, strict=True):
        known[variable] = constant, _Tag()
    for variable, value, tag in zip(program.invars, values, tags, strict=True):
        known[variable] = value, tag
    for equation in program.eqns:
        pairs = [read(atom) for atom in equation.invars]
        inputs, of_inputs = [value for value, _ in pairs], [tag for _, tag in pairs]
        outputs, of_outputs = _step(equation, inputs, of_inputs, found)
        for variable, value, tag in zip(equation.outvars, outputs, of_outputs, strict=True):
            known[variable] = value, tag
    ends = [read(atom) for atom in program.outvars]
    return [value for value, _ in ends], [tag for _, tag in ends]


def _step(
    equation: core.JaxprEqn, inputs: list[Array], tags: list[_Tag], found: Found
) -> tuple[list[Any], list[_Tag]]:
    name = equation.primitive.name
    both = _Tag(frozenset().union(*(tag.leaves for tag in tags)), any(tag.data for tag in tags))
    inner = _inner(equation)
    if both.data and inner is not None and _count(inner):
        if name in _CALLS:
            closed = inner if hasattr(inner, "consts") else core.ClosedJaxpr(inner, ())
            return _run(closed.jaxpr, closed.consts, inputs, tags, found)
        found.unseen += _count(inner)
    asked = equation.primitive.get_bind_params(equation.params)
    functions, parameters = asked if isinstance(asked, tuple) else ((), asked)  # older JAX, newer
    outputs = equation.primitive.bind(*functions, *inputs, **parameters)
    if not equation.primitive.multiple_results:
        outputs = [outputs]
    layer = _layer(name, inputs, tags, outputs, found)
    return outputs, [_Tag(both.leaves, both.data, layer)] * len(outputs)


def _layer(
    name: str, inputs: list[Array], tags: list[_Tag], outputs: list[Array], found: Found
) -> int | None:
    """The layer whose pre-activation the output is, which is told to `found`."""
    if name in _PRODUCTS:
        for data, weights in ((0, 1), (1, 0)):
            if tags[data].data and not tags[weights].data and tags[weights].leaves:
                found.layers.append(Layer(outputs[0], inputs[data], outputs[0], tags[weights].leaves))
                return len(found.layers) - 1
        return None
    if name in _SUMS:
        for one, other in ((0, 1), (1, 0)):
            number = tags[one].layer
            if number is not None and not tags[other].data:
                layer = found.layers[number]
                layer.z, layer.biases = outputs[0], layer.biases | tags[other].leaves
                return number
        return None
    return tags[0].layer if name in _SAME else None


def _inner(equation: core.JaxprEqn) -> Any:
    """The program inside an operation, or None."""
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if name in equation.params:
            return equation.params[name]
    branches = equation.params.get("branches", ())
    return max(branches, key=_count, default=None) or equation.params.get("body_jaxpr")


def _count(program: core.Jaxpr | core.ClosedJaxpr) -> int:
    """How many products a program has, at any depth."""
    total = 0
    for equation in getattr(program, "jaxpr", program).eqns:
        inner = _inner(equation)
        total += equation.primitive.name in _PRODUCTS
        total += 0 if inner is None else _count(inner)
    return total


def whole(z: Array) -> Array:
    """All numbers of a pre-activation as one row, in float32 or better."""
    return z.reshape(-1).astype(jnp.promote_types(z.dtype, jnp.float32))
