"""Convolutions of this library, XLA, torch or escnn as one side of `group_convolution.py`.

    python benchmarks/peers/convolution_worker.py '{"library": "intertwine"}'
    PEER_PYTHON benchmarks/peers/convolution_worker.py '{"library": "escnn"}'

For each line of JSON read from standard input, {"kind", "group", "size", "channels", "batch", "what"}, it
prints one with the seconds of one call; what is compiled and warm is kept between questions. kind:

    group     ours, regular fields of the group       escnn    its R2Conv between regular fields
    plain     ours with H = 1                          torch    Conv2d, channels first
    xla       lax.conv_general_dilated, NHWC           torch-last   Conv2d, channels last in memory
    network   ours, seven layers                       network  the same layers in escnn (H = 1: in torch)
    product   a product of two 2048² matrices, either side

what: "forward", or "step": the output and its derivatives by the input and the weights along a fixed
cotangent; for networks the derivatives of the cross-entropy by the weights. escnn's forward is in its
evaluation mode, where the expanded kernel is kept. escnn is at https://github.com/QUVA-Lab/escnn.
"""

from __future__ import annotations

import json
import sys
import time
from functools import lru_cache
from types import SimpleNamespace

THREADS = 2


def jax_call(kind, group, size, channels, batch, what):
    """A call without arguments that returns when its result is there."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), 3)
    if kind == "product":
        a = jax.random.normal(keys[0], (2048, 2048), jnp.float32)
        multiply = jax.jit(jnp.matmul)
        return lambda: multiply(a, a).block_until_ready()
    if kind == "network":
        return jax_network(group, size, channels, batch)
    x = jax.random.normal(keys[0], (batch, size, size, channels), jnp.float32)
    weights, apply = jax_layer(kind, group, channels, keys[1])
    if what == "forward":
        call = jax.jit(apply)
        return lambda: call(weights, x).block_until_ready()

    def both(weights, x, cotangent):
        y, back = jax.vjp(apply, weights, x)
        return y, back(cotangent)

    cotangent = jax.random.normal(keys[2], jax.eval_shape(apply, weights, x).shape, jnp.float32)
    call = jax.jit(both)
    return lambda: jax.block_until_ready(call(weights, x, cotangent))


def jax_layer(kind, group, channels, key):
    """(weights, function of weights and fields)."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from intertwine.layers.conv import Conv
    from intertwine.spaces.grid import Grid
    from intertwine.symmetry import regular

    if kind == "xla":
        weights = 0.05 * jax.random.normal(key, (3, 3, channels, channels), jnp.float32)
        layout = ("NHWC", "HWIO", "NHWC")
        return weights, lambda w, x: jax.lax.conv_general_dilated(
            x, w, (1, 1), "VALID", dimension_numbers=layout
        )
    grid = Grid("p1" if kind == "plain" else group)
    rep = (channels // grid.group.order) * regular(grid.group)
    layer = Conv(grid, rep, rep, 3, bias=False, dtype=jnp.float32, key=key)
    weights, rest = eqx.partition(layer, eqx.is_array)
    return weights, lambda w, x: eqx.combine(w, rest)(x)


def jax_network(group, size, channels, batch):
    """Derivatives of the cross-entropy of `cnn:W` by its weights; channels: of the hidden layers."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax

    from intertwine.layers.networks.network_names import network_from_name
    from intertwine.spaces.grid import Grid

    keys = jax.random.split(jax.random.key(0), 3)
    width = channels // Grid(group).group.order
    net = network_from_name(
        f"cnn:{width}", group, image_size=size, dropout=0.0, dtype=jnp.float32, key=keys[0]
    )
    x = jax.random.normal(keys[1], (batch, size, size, 1), jnp.float32)
    labels = jax.random.randint(keys[2], (batch,), 0, 10)

    @eqx.filter_jit
    @eqx.filter_value_and_grad
    def call(net, x, labels):
        return optax.softmax_cross_entropy_with_integer_labels(net.outputs(x), labels).mean()

    return lambda: jax.block_until_ready(call(net, x, labels))


@lru_cache(maxsize=8)
def escnn_types(group, channels):
    """Regular fields with so many channels, and the scalar field."""
    from escnn import gspaces, nn

    number = int("".join(c for c in group if c.isdigit()))
    space = (gspaces.flipRot2dOnR2 if group.endswith("m") else gspaces.rot2dOnR2)(number)
    copies = channels // space.fibergroup.order()
    make = [space.regular_repr] * copies
    return SimpleNamespace(hidden=nn.FieldType(space, make), scalar=nn.FieldType(space, [space.trivial_repr]))


def torch_call(kind, group, size, channels, batch, what):
    """A call without arguments, as `jax_call`."""
    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    if kind == "product":
        a = torch.randn(2048, 2048)
        return lambda: a @ a
    if kind == "network":
        return torch_network(group, size, channels, batch)
    x = torch.randn(batch, channels, size, size)
    if kind == "escnn":
        from escnn import nn

        fields = escnn_types(group, channels).hidden
        layer = nn.R2Conv(fields, fields, 3, bias=False)

        def apply(x):
            return layer(nn.GeometricTensor(x, fields)).tensor

    else:
        apply = layer = torch.nn.Conv2d(channels, channels, 3, bias=False)
        if kind == "torch-last":
            layer.to(memory_format=torch.channels_last)
            x = x.contiguous(memory_format=torch.channels_last)
    if what == "forward":
        layer.eval()

        def forward():
            with torch.no_grad():
                return apply(x)

        return forward
    layer.train()
    x.requires_grad_()
    cotangent = torch.randn_like(apply(x))

    def step():
        x.grad = None
        layer.zero_grad(set_to_none=True)
        apply(x).backward(cotangent)

    return step


def torch_network(group, size, channels, batch):
    """The layers of `cnn:W`, in escnn, or in torch for H = 1."""
    import torch

    x, labels = torch.randn(batch, 1, size, size), torch.randint(0, 10, (batch,))
    if group == "p1":
        net, wrap = torch_layers(channels), lambda x: x
    else:
        from escnn import nn

        fields = escnn_types(group, channels)
        net = escnn_layers(fields)

        def wrap(x):
            return nn.GeometricTensor(x, fields.scalar)

    def step():
        net.zero_grad(set_to_none=True)
        scores = net(wrap(x))
        scores = getattr(scores, "tensor", scores).flatten(1)
        torch.nn.functional.cross_entropy(scores, labels).backward()

    return step


def torch_layers(channels):
    from torch import nn

    layers, before = [], 1
    for number in range(1, 7):
        layers += [nn.Conv2d(before, channels, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if number == 2 else []
        before = channels
    return nn.Sequential(*layers, nn.Conv2d(channels, 10, 4))


def escnn_layers(fields):
    from escnn import nn

    layers, before, hidden = [], fields.scalar, fields.hidden
    for number in range(1, 7):
        layers += [nn.R2Conv(before, hidden, 3, bias=False), nn.InnerBatchNorm(hidden), nn.ReLU(hidden)]
        layers += [nn.PointwiseMaxPool2D(hidden, 2)] if number == 2 else []
        before = hidden
    last = nn.FieldType(hidden.gspace, [hidden.gspace.regular_repr] * 10)
    return nn.SequentialModule(*layers, nn.R2Conv(hidden, last, 4), nn.GroupPooling(last))


def main() -> None:
    settings = json.loads(sys.argv[1])
    build = lru_cache(maxsize=None)(jax_call if settings["library"] == "intertwine" else torch_call)
    warm = set()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        call = build(**question)
        if line not in warm:
            warm.add(line)
            call()
            call()
        begin = time.perf_counter()
        call()
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    main()
