r"""A network on points: layers one after another, outputs read off after the last or after several.

    y = Σ_t R_t(h_t),   h_t = L_t(h_{t−1}),   h_0 = x

A layer is called `layer(x, at=cloud)`, or `layer(x)` where it treats every point alone. With pooling the
outputs are summed or averaged over the points of each structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import check_channels
from intertwine.layers.placed import called
from intertwine.layers.points.point_conv import checked_cloud
from intertwine.layers.points.pooling import PointPool
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep


class PointNetwork(eqx.Module):
    """Layers from fields to fields, and a read-out after each (or None).

    space: a `Points`. layers: pairs (name, layer). readouts: pairs (name, layer) or None, one for each layer,
    of the same output type; the last is one. pool: None, "sum" or "mean". recipe: what `save_network` writes.

    Raises InputError for types that do not fit. `point_network` makes networks by name.

    >>> import jax, jax.numpy as jnp, numpy as np
    >>> from intertwine.layers.networks.points.point_network import point_network
    >>> points = Points(3.0)
    >>> network = point_network("painn:4", points, 2, "3 scalar + vector", key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> network(jnp.ones((len(cloud.positions), 2)), at=cloud).shape[-1], [name for name, _ in network.layers]
    (6, ['embedding', 'block1', 'block2', 'block3', 'readout'])
    """

    modules: tuple[Any, ...]
    readouts: tuple[Any, ...]
    pool: PointPool | None
    space: Points = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    readout_names: tuple[str, ...] = eqx.field(static=True)
    recipe: Any = eqx.field(static=True)

    def __init__(
        self,
        space: Points,
        layers: Sequence[tuple[str, Any]],
        readouts: Sequence[tuple[str, Any] | None],
        *,
        pool: str | None = None,
        recipe: object = None,
    ):
        if not layers or len(layers) != len(readouts) or readouts[-1] is None:
            raise fail("readouts", "one for each layer, the last not None", readouts)
        for (first, a), (second, b) in pairwise(layers):
            if a.rep_out != b.rep_in:
                got = f"{first} gives {a.rep_out!r} and {second} takes {b.rep_in!r}"
                raise fail("layers", "layers whose types fit", got)
        for (name, layer), readout in zip(layers, readouts, strict=True):
            fits = readout is None or (
                readout[1].rep_in == layer.rep_out and readout[1].rep_out == readouts[-1][1].rep_out
            )
            if not fits:
                assert readout is not None
                raise fail("readouts", f"one that takes {layer.rep_out!r} of {name}", readout[1].rep_in)
        self.space, self.recipe = space, recipe
        self.names, self.modules = tuple(name for name, _ in layers), tuple(layer for _, layer in layers)
        self.readout_names = tuple("" if pair is None else pair[0] for pair in readouts)
        self.readouts = tuple(None if pair is None else pair[1] for pair in readouts)
        self.pool = None if pool is None else PointPool(space, self.rep_out, how=pool)

    @property
    def layers(self) -> list[tuple[str, Any]]:
        """Pairs (name, layer) in the order in which they are called."""
        found = []
        rows = zip(self.names, self.modules, self.readout_names, self.readouts, strict=True)
        for name, layer, readout_name, readout in rows:
            found.append((name, layer))
            if readout is not None:
                found.append((readout_name, readout))
        return found

    @property
    def rep_in(self) -> CompactRep:
        """The type of the input."""
        return self.modules[0].rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The type of the output."""
        return self.readouts[-1].rep_out

    def __call__(
        self, x: Float[Array, "n C_in"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "n C_out"]:
        """The outputs at every point, (S, C_out) with pooling; `key` is not used."""
        check_channels(x, self.rep_in)
        at = checked_cloud(at, self.space, x)
        total = None
        for layer, readout in zip(self.modules, self.readouts, strict=True):
            x = called(layer, x, at)
            if readout is not None:
                y = called(readout, x, at)
                total = y if total is None else total + y
        assert total is not None
        return total if self.pool is None else self.pool(total, at=at)
