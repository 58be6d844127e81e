r"""One network as it is: kernel and susceptibilities, layer by layer, over examples.

Of the pre-activations z of a layer (all its neurons and places) for examples x, x':

    K = ⟨z²⟩,     C = ⟨z(x) z(x')⟩,     D = ⟨(∂_δ z)²⟩,     P = ⟨z ∂_x z⟩

∂_δ the derivative along a random direction orthogonal to x, ∂_x along x itself. From a layer to the next
χ_⊥ = D'/D and χ_∥ = P'/P, with whatever lies between: activations, norms, pooling, sums with earlier layers.
At infinite width these are the susceptibilities of the recursion (`critical`). Batch norms take the
statistics of the examples, and keep them while the input moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree, Shaped

from intertwine._checks import InputError, fail
from intertwine.layers.depth.products import Found, layers_of, whole
from intertwine.layers.networks.numbers import as_numbers
from intertwine.layers.norms.calibration import batch_norms, calibrated


class Layers(NamedTuple):
    """float64: kernel, spread D, growth P of each layer and example (L, B); products C (L, B, B); data (L, B)
    the mean square of what the weights multiply, bare (L, B) that of z without its bias; fourth ⟨z⁴⟩ (L,
    B)."""

    kernel: Float[np.ndarray, "L B"]
    spread: Float[np.ndarray, "L B"]
    growth: Float[np.ndarray, "L B"]
    products: Float[np.ndarray, "L B B"]
    data: Float[np.ndarray, "L B"]
    bare: Float[np.ndarray, "L B"]
    fourth: Float[np.ndarray, "L B"]


class Program(NamedTuple):
    """A network as arrays and the rest. leaves: its arrays. names: of these, as paths. apply: (leaves, x) →
    outputs of one example."""

    leaves: list[Array]
    names: list[str]
    apply: Callable[[list[Array], Array], Any]

    def of(self, network: PyTree) -> Program:
        """The same program with the arrays of another network of this structure; `InputError` for another."""
        leaves = [leaf for leaf in jax.tree.leaves(network) if eqx.is_array(leaf)]
        if [leaf.shape for leaf in leaves] != [leaf.shape for leaf in self.leaves]:
            got = "arrays of other shapes in another draw"
            raise fail("network", "a function that makes networks of one structure", got)
        return self._replace(leaves=leaves)


def program_of(network: PyTree) -> Program:
    """A network made ready to be looked into; `InputError` for what has no parameters or is not callable."""
    module = eqx.nn.inference_mode(network)
    arrays, rest = eqx.partition(module, eqx.is_array)
    paths, structure = jax.tree_util.tree_flatten_with_path(arrays)
    if not callable(module) or not any(eqx.is_inexact_array(leaf) for _, leaf in paths):
        remedy = "give an equinox module, or FunctionNetwork(function, parameters)"
        raise fail("network", "a network with parameters", network, remedy)

    def apply(leaves: list[Array], x: Array) -> Any:
        return eqx.combine(jax.tree.unflatten(structure, leaves), rest)(x)

    names = [_name(network, jax.tree_util.keystr(path)) for path, _ in paths]
    return Program([leaf for _, leaf in paths], names, apply)


def with_leaves(network: PyTree, leaves: list[Array]) -> Any:
    """The network with other arrays, in the order of `Program.leaves`."""
    old, structure = jax.tree.flatten(network)
    new = iter(leaves)
    return jax.tree.unflatten(structure, [next(new) if eqx.is_array(leaf) else leaf for leaf in old])


def _name(network: PyTree, path: str) -> str:
    """A path in few words: of a row of layers with names the name, of Flax the module's."""
    names = getattr(network, "names", ())
    if (first := re.match(r"\.modules\[(\d+)\]", path)) and int(first[1]) < len(names):
        path = names[int(first[1])] + path[first.end() :]
    path = re.sub(r"\['(\w+)'\]", r".\1", path)
    path = re.sub(r"\.(params|parameters|kernel|weight|value)\b", "", path)
    path = re.sub(r"\.weights\[0\]$", "", path)
    return path.strip(".") or "weights"


def prepared(network: PyTree, x: Shaped[Array | np.ndarray, "B ..."]) -> tuple[Any, Array]:
    """(the network with these examples' statistics in its batch norms, the examples as it reads them)."""
    numbers = jnp.asarray(as_numbers(np.asarray(x), network, jnp.result_type(float)))
    return (calibrated(network, numbers) if batch_norms(network) else network), numbers


def traced(program: Program, x: Array) -> Found:
    """The layers for one example, without computing them; `InputError` where there are none."""
    found: list[Found] = []

    def run(leaves: list[Array], example: Array) -> list[Array]:
        found.append(layers_of(program.apply, leaves, example))
        return [layer.z for layer in found[-1].layers]

    try:
        jax.eval_shape(run, program.leaves, x)
    except InputError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
        raise fail("network", f"a network of examples of shape {x.shape}", reason) from error
    if not found[-1].layers:
        got = "no product of data with parameters that is seen"
        if found[-1].unseen:
            got += f" ({found[-1].unseen} inside loops)"
        raise fail("network", "a network with layers", got, "write loops over layers out")
    return found[-1]


def measure(program: Program, x: Float[Array, "B ..."], *, key: Array) -> Layers:
    """The layers' numbers over examples x."""
    compiled = _compiled(program.apply)
    values = compiled(program.leaves, x, jax.random.normal(key, x.shape, x.dtype))
    return Layers(*(np.asarray(value, np.float64) for value in values))


@lru_cache(maxsize=16)
def _compiled(apply: Callable[[list[Array], Array], PyTree]) -> Any:
    def of_example(leaves: list[Array], x: Array, direction: Array) -> tuple[Array, ...]:
        def run(x: Array) -> tuple[list[Array], list[tuple[Array, Array]]]:
            layers = layers_of(apply, leaves, x).layers
            squares = [((whole(y.data) ** 2).mean(), (whole(y.bare) ** 2).mean()) for y in layers]
            return [whole(y.z) for y in layers], squares

        flat = x.reshape(-1)
        length = jnp.maximum((flat * flat).sum(), jnp.finfo(x.dtype).tiny)
        aside = direction - (direction.reshape(-1) @ flat / length) * x
        (z, squares), linear = jax.linearize(run, x)
        both, _ = jax.vmap(linear)(jnp.stack([aside, x]))
        kernel = jnp.stack([(a * a).mean() for a in z])
        spread = jnp.stack([(a[0] * a[0]).mean() for a in both])
        growth = jnp.stack([(a * b[1]).mean() for a, b in zip(z, both, strict=True)])
        data, bare = (jnp.stack([pair[k] for pair in squares]) for k in (0, 1))
        fourth = jnp.stack([(a**4).mean() for a in z])
        return z, kernel, spread, growth, data, bare, fourth

    def of_all(leaves: list[Array], x: Array, directions: Array) -> tuple[Array, ...]:
        z, *tables = jax.vmap(of_example, (None, 0, 0))(leaves, x, directions)
        products = jnp.stack([a @ a.T / a.shape[1] for a in z])
        kernel, spread, growth, *others = (table.T for table in tables)
        return kernel, spread, growth, products, *others

    return jax.jit(of_all)


FORGOTTEN = 1e-5
"""Where K changes by less than this share with the length of the input, it does not depend on it (norms)."""
