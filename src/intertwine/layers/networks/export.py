r"""A network as plain convolutions: kernels and biases as arrays, norms folded into them.

    γ (κ ⋆ x + b − μ)/√(σ² + ε) + β  =  (s κ) ⋆ x + s (b − μ) + β,        s = γ/√(σ² + ε)

What comes out has the same types, the same layers but for batch norms and dropout, and the same outputs as
the network. Its kernels (k_0, …, C_in, C_out) are what any library for convolutions takes.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine._results import as_model
from intertwine.layers.blocks import check_channels, copy_of, orbit_of
from intertwine.layers.conv import Conv, Padding
from intertwine.layers.dropout import Dropout
from intertwine.layers.executors.correlate import correlate
from intertwine.layers.linear import Linear
from intertwine.layers.mask import inside
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.networks.unet import UNet
from intertwine.layers.norms.normalisation import BatchNorm
from intertwine.spaces.protocols import Space
from intertwine.symmetry.representation import Rep


class PlainConv(eqx.Module):
    """A correlation with an array and a bias; made by `export`.

    kernel: (k_0, …, C_in, C_out), or (C_in, C_out) where there is no space. bias: (C_out,). stride, padding:
    as of `Conv`.
    """

    kernel: Float[Array, "... C_in C_out"]
    bias: Float[Array, " C_out"]
    space: Space | None = eqx.field(static=True)
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    padding: Padding = eqx.field(static=True)

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields of type rep_in to fields of type rep_out; `key` is not used."""
        check_channels(x, self.rep_in)
        kernel, bias = self.kernel.astype(x.dtype), self.bias.astype(x.dtype)
        if self.space is None:
            return x @ kernel + bias
        if self.padding == "periodic":
            return correlate(x, kernel, stride=self.stride, padding=self.padding) + bias
        out = correlate(inside(x, self.space), kernel, stride=self.stride, padding=self.padding)
        return inside(out + bias, self.space)


def export(network: eqx.Module) -> Any:
    """`network` with plain convolutions, norms folded into them and dropout left out.

    network: a `Sequential`, a `UNet`, a `Conv` on a grid or a `Linear`. Layers on spaces G/H stay as they
    are.

    Raises InputError for anything else.

    >>> from intertwine.layers.networks.network_names import network_from_name
    >>> net = network_from_name("cnn:2", "p4", image_size=9, key=jax.random.key(0))
    >>> plain = export(net)
    >>> plain["conv1"].kernel.shape, "norm1" in plain.names
    ((3, 3, 1, 8), False)
    """
    network = as_model(network)
    if isinstance(network, UNet):
        down, up = (tuple(map(export, blocks)) for blocks in (network.down, network.up))
        return UNet(down, network.pools, network.ups, up, export(network.head), None)
    if isinstance(network, Sequential):
        return Sequential(_folded(network.layers), classes=network.classes, grey=network.grey)
    if isinstance(network, Linear) or (isinstance(network, Conv) and network.correlates):
        return _plain(network)
    raise fail("network", "a Sequential, a UNet, a Conv on a grid or a Linear", network)


def _folded(layers: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, layer in layers:
        if isinstance(layer, Dropout):
            continue
        if isinstance(layer, BatchNorm) and found and isinstance(found[-1][1], PlainConv):
            before, conv = found.pop()
            found.append((before, _with_norm(conv, layer)))
            continue
        on_grid = isinstance(layer, Conv) and layer.correlates
        nested = isinstance(layer, Sequential | UNet | Linear)
        found.append((name, export(layer) if on_grid or nested else layer))
    return found


def _plain(layer: Conv | Linear) -> PlainConv:
    kernel = layer.dense_kernel() if isinstance(layer, Conv) else layer.kernel()[0]
    bias = jnp.zeros(layer.rep_out.dimension, kernel.dtype) if layer.bias is None else layer.bias.vector
    space = layer.space if isinstance(layer, Conv) else None
    assert isinstance(layer.rep_in, Rep) and isinstance(layer.rep_out, Rep)  # fields on grids
    stride, padding = (layer.stride, layer.padding) if isinstance(layer, Conv) else (1, "valid")
    return PlainConv(kernel, bias, space, layer.rep_in, layer.rep_out, stride, padding)


def _with_norm(conv: PlainConv, norm: BatchNorm) -> PlainConv:
    kept, rep = norm.statistics, norm.rep_in
    scale = (norm.scale * jax.lax.rsqrt(kept.variance.astype(norm.scale.dtype) + norm.epsilon))[copy_of(rep)]
    orbit = orbit_of(rep)
    if norm.shift.size:
        shift, mean = (jnp.where(orbit >= 0, v[np.maximum(orbit, 0)], 0) for v in (norm.shift, kept.mean))
    else:
        shift = mean = jnp.zeros_like(conv.bias)
    return eqx.tree_at(
        lambda c: (c.kernel, c.bias), conv, (conv.kernel * scale, (conv.bias - mean) * scale + shift)
    )
