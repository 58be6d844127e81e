r"""The directions that gradient flow can take in the parameters of a network, whatever the data and the loss.

    θ̇ = −∂L/∂θ = −Σ_b (∂f(θ, x_b)/∂θ)ᵀ ∂ℓ_b/∂f:    all of span{∇_θ ⟨w, f(θ, x)⟩ : x, w}

(Marcotte, Gribonval & Peyré, NeurIPS 2023). w is any vector of the outputs, or for cross-entropy one that
adds up to 0 over the classes, as the derivative of ln softmax does. Batch norms see the statistics of their
batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail
from intertwine.geometry.conservation.training.gram_dictionary import named_arrays
from intertwine.layers.norms.calibration import outputs_and_statistics
from intertwine.models.network import Network
from intertwine.models.parameters import parameters

BATCH = 6
"""Examples that a direction comes from."""


@dataclass(frozen=True, eq=False)
class TrainingFields:
    """The network in float64 as functions of its arrays. names, arrays: of its parameters. rest: the module
    without them. examples: their shape,
    or some. sum_free: whether w adds up to 0. width: K, the numbers of an output."""

    names: list[str]
    arrays: list[Array]
    treedef: Any
    rest: PyTree
    examples: Array | tuple[int, ...]
    sum_free: bool
    width: int = 0

    @property
    def count(self) -> int:
        """Parameters."""
        return sum(x.size for x in self.arrays)

    def outputs(self, arrays: list[Array], x: Float[Array, "B ..."]) -> Float[Array, "B K"]:
        module = eqx.combine(jax.tree.unflatten(self.treedef, arrays), self.rest)
        return outputs_and_statistics(module, x, resting=True)[0].reshape(len(x), -1)

    def examples_drawn(self, count: int, draws: np.random.Generator) -> np.ndarray:
        """Batches (count, BATCH, ...)."""
        if isinstance(self.examples, tuple):
            sizes = np.exp(draws.normal(size=(count, BATCH, *(1 for _ in self.examples))))
            return sizes * draws.normal(size=(count, BATCH, *self.examples))
        return np.asarray(self.examples)[draws.integers(0, len(self.examples), (count, BATCH))]

    def weights_drawn(self, count: int, draws: np.random.Generator) -> np.ndarray:
        """w (count, BATCH, K)."""
        found = draws.normal(size=(count, BATCH, self.width))
        return found - found.mean(axis=2, keepdims=True) if self.sum_free else found

    def scalar(self, arrays: list[Array], x: Array, w: Array) -> Array:
        """⟨w, f(θ, x)⟩ of a draw."""
        return jnp.sum(w * self.outputs(arrays, x))

    def moved(self, count: int, draws: np.random.Generator) -> list[np.ndarray]:
        """Random parameters of the sizes that each array has, (count, ...) of each; a law of the
        architecture holds at all of them, and not for a unit that happens to be dead."""
        found = []
        for x in map(np.asarray, self.arrays):
            size = float(np.sqrt(np.mean(x * x))) or 0.3
            found.append(size * draws.normal(size=(count, *x.shape)))
        return found


def training_fields(model: object, inputs: ArrayLike | tuple[int, ...] | None, loss: str) -> TrainingFields:
    """Of a network and its inputs; called where JAX has 64 bits.

    Raises InputError for what is no network, and for inputs that it does not take.
    """
    network = Network.of(model)
    wide = jax.tree.map(_wide, network.module)
    held = parameters(wide)
    names, arrays = named_arrays(held)
    if any(jnp.iscomplexobj(x) for x in arrays):
        raise fail("system", "a network with real parameters", "complex ones")
    treedef = jax.tree.structure(held)
    rest = eqx.filter(wide, eqx.is_inexact_array, inverse=True)
    examples = _examples(inputs, wide)
    fields = TrainingFields(names, arrays, treedef, rest, examples, loss == "cross-entropy")
    try:
        x = jnp.asarray(fields.examples_drawn(1, np.random.default_rng(0))[0])
        out = jax.eval_shape(fields.outputs, arrays, x)
    except Exception as error:
        if isinstance(error, InputError):
            raise
        reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
        shape = examples if isinstance(examples, tuple) else tuple(examples.shape[1:])
        raise fail("inputs", "examples that the network takes", f"shape {shape}: {reason}") from error
    if not jnp.issubdtype(out.dtype, jnp.floating):
        raise fail("system", "a network with real outputs", str(out.dtype))
    if loss == "cross-entropy" and out.shape[1] < 2:
        raise fail("loss", "'any' for a network of one output", loss)
    return replace(fields, width=out.shape[1])


def _wide(leaf: object) -> Any:
    if eqx.is_inexact_array(leaf) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"):
        host = np.asarray(leaf)
        return jnp.asarray(host, jnp.complex128 if host.dtype.kind == "c" else jnp.float64)
    return leaf


def _examples(inputs: ArrayLike | tuple[int, ...] | None, module: object) -> Array | tuple[int, ...]:
    if inputs is None:
        first = getattr(module, "in_features", getattr(module, "in_size", getattr(module, "size", None)))
        if not isinstance(first, int):
            layers = getattr(module, "layers", None)
            first = (
                getattr(layers[0], "in_features", None)
                if isinstance(layers, tuple | list) and layers
                else None
            )
        if not isinstance(first, int):
            remedy = "give inputs=(28, 28, 1), or inputs=x with examples (rows, ...)"
            raise fail("inputs", "the shape of an example, or examples", None, remedy)
        return (first,)
    if isinstance(inputs, tuple) and all(isinstance(n, int) and n > 0 for n in inputs):
        return tuple(int(n) for n in inputs)  # type: ignore[arg-type]
    found = np.asarray(inputs)
    if found.ndim < 1 or not len(found) or found.dtype.kind not in "biuf":
        raise fail("inputs", "the shape of an example, such as (784,), or examples (rows, ...)", found)
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise fail("inputs", "finite examples", "some that are not")
    return jnp.asarray(found.astype(np.float64) if found.dtype.kind in "fb" else found)
