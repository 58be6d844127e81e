r"""Layers one after another, as one equivariant network.

`__call__` takes one example and `outputs` a batch, as everywhere in the library. Both predict: dropout rests
unless a key is given, and batch norms take the statistics that they keep, so that what is said of an example
does not depend on the others. In training they take those of the batch (`calibration.train_outputs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.layers.networks.numbers import as_numbers
from intertwine.layers.norms.calibration import calibrated
from intertwine.layers.placed import called
from intertwine.symmetry.fibre_maps import AnyRep


class Sequential(eqx.Module):
    """y = layer_n(… layer_1(x)), with types that fit.

    layers: pairs (name, layer), or layers alone, which get names such as "conv1"; a layer is called as
    `layer(x, key=...)`, or `layer(x, at=cloud, key=...)` on clouds of points, and says its types rep_in and
    rep_out and, where it has one, its space. recipe: what `save` writes to build the network again, or None.
    classes: the names of the outputs of a classifier. grey: whether bytes (uint8) are read as numbers of
    [0, 1], 255 as 1; else as they are.

    Raises InputError for no layers, names twice, and types that do not fit.

    >>> import jax.numpy as jnp
    >>> from intertwine.layers.pooling.group_pooling import GroupPool
    >>> from intertwine.layers.nonlinear.pointwise import Pointwise
    >>> from intertwine.symmetry import cyclic, regular
    >>> rep = regular(cyclic(4))
    >>> net = Sequential([("relu", Pointwise(rep)), ("pool", GroupPool(rep))])
    >>> net.outputs(jnp.array([[1.0, -1.0, 3.0, 0.0]])).tolist(), net["relu"].rep_out.dimension
    ([[3.0]], 4)
    """

    modules: tuple[Any, ...]
    names: tuple[str, ...] = eqx.field(static=True)
    recipe: Any = eqx.field(static=True)
    classes: tuple[str, ...] | None = eqx.field(static=True)
    grey: bool = eqx.field(static=True)

    def __init__(
        self,
        layers: Sequence[Any],
        recipe: object = None,
        classes: Sequence[str] | None = None,
        grey: bool = False,
    ):
        if isinstance(layers, eqx.Module) or not isinstance(layers, Sequence) or not layers:
            raise fail("layers", "a list of one layer or more", "none" if layers == [] else layers)
        layers = [_named(layer, number) for number, layer in enumerate(layers, 1)]
        self.names = tuple(name for name, _ in layers)
        self.modules = tuple(layer for _, layer in layers)
        self.recipe, self.classes = recipe, None if classes is None else tuple(map(str, classes))
        self.grey = bool(grey)
        if len(set(self.names)) < len(self.names):
            raise fail("layers", "names that differ", list(self.names))
        for (first, a), (second, b) in pairwise(layers):
            if a.rep_out != b.rep_in:
                got = f"{first} gives {a.rep_out!r} and {second} takes {b.rep_in!r}"
                raise fail("layers", "layers whose types fit", got)

    @property
    def layers(self) -> list[tuple[str, Any]]:
        """Pairs (name, layer)."""
        return list(zip(self.names, self.modules, strict=True))

    def __getitem__(self, name: str) -> Any:
        """The layer called `name`."""
        if name not in self.names:
            raise fail("name", "one of " + ", ".join(self.names), name)
        return self.modules[self.names.index(name)]

    @property
    def rep_in(self) -> AnyRep:
        """The type of the input."""
        return self.modules[0].rep_in

    @property
    def rep_out(self) -> AnyRep:
        """The type of the output."""
        return self.modules[-1].rep_out

    @property
    def space(self) -> Any:
        """The space of the input: that of the first layer that has one, or None."""
        found = (getattr(layer, "space", None) for layer in self.modules)
        return next((space for space in found if space is not None), None)

    def __call__(
        self, x: Float[Array, "... C"], *, at: object = None, key: Array | None = None
    ) -> Float[Array, "..."]:
        """One example (*space, C) → its outputs; `at`, the cloud that a field (n, C) lives on, goes to layers
        that take it, `key` to layers that draw (dropout)."""
        return self.outputs(x[None], key=key)[0] if at is None else self.outputs(x, at=at, key=key)

    def outputs(
        self, x: Float[Array, "B ... C"], *, at: object = None, key: Array | None = None
    ) -> Float[Array, "B ..."]:
        """A batch (B, *space, C) → (B, ...); of no examples, no outputs. At a cloud, which has all structures
        of a batch one after another, (n, C) → (n, ...)."""
        if x.ndim and not x.shape[0]:
            one = jax.eval_shape(self.outputs, jax.ShapeDtypeStruct((1, *x.shape[1:]), x.dtype))
            return jnp.zeros((0, *one.shape[1:]), one.dtype)
        keys = [None] * len(self.modules) if key is None else jax.random.split(key, len(self.modules))
        if x.dtype == jnp.uint8:
            x = as_numbers(x, self, _precision(self))
        for layer, k in zip(self.modules, keys, strict=True):
            x = called(layer, x, at, k)
        return x

    def named(self, classes: Sequence[str]) -> Sequential:
        """The network whose outputs have these names (see `fit_supervised`)."""
        recipe = self.recipe if self.recipe is None else replace(self.recipe, classes=tuple(classes))
        return Sequential(self.layers, recipe, classes, self.grey)

    def reading_bytes(self, grey: bool) -> Sequential:
        """The network that reads bytes as numbers of [0, 1], or as they are."""
        return Sequential(self.layers, self.recipe, self.classes, grey)

    def calibrated(self, x: Array, *, batch: int = 500) -> Sequential:
        """The network with the batch-norm statistics of the examples x (N, *space, C)."""
        return calibrated(self, x, batch=batch)


def _precision(network: PyTree) -> Any:
    """The type of the network's parameters; that of new arrays for a network without any."""
    leaves = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    return jnp.result_type(*leaves) if leaves else jnp.result_type(float)


def _named(layer: PyTree, number: int) -> tuple[str, Any]:
    """A pair (name, layer), of a pair or of a layer."""
    pair = isinstance(layer, tuple) and len(layer) == 2 and isinstance(layer[0], str)
    name, layer = layer if pair else (f"{type(layer).__name__.lower()}{number}", layer)
    if not callable(layer) or not isinstance(getattr(layer, "rep_in", None), AnyRep):
        remedy = "give pairs (name, layer), or layers alone"
        raise fail(f"layers[{number - 1}]", "a layer with types rep_in and rep_out", layer, remedy)
    return name, layer
