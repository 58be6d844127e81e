"""What a classifying run holds in memory."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine.experiments.memory_needs import refuse_beyond

if TYPE_CHECKING:
    from intertwine.experiments.classify.settings import ClassifyConfiguration
    from intertwine.layers.networks.sequential import Sequential

KERNEL = 7
"""The widest last kernel of a classifier."""


def checked_memory(
    c: ClassifyConfiguration, order: int, side: int, channels: int, rows: int, classes: int
) -> int:
    """A classifying run on `rows` images of side × side points: the dense kernels of every convolution with
    their gradients, the fields of a batch at every layer, the images and their turned copies.

    order: of the point group.
    """
    from intertwine.layers.networks.network_names import check_network_name

    item = 8 if c.precision == "float64" else 4
    family, width = check_network_name(c.network.name)
    if family == "e2":
        shares, kernels = (1, 4 / 3, 1.5, 1.5, 8 / 3, 4), (9, 7, 7, 7, 7, 5)
        fields = [channels, *(max(1, round(share * width)) * order for share in shares)]
    else:
        kernels = (3,) * 6 + (min(side, KERNEL),)
        fields = [channels, *(width * order,) * 6, classes * order]
    dense = sum(k * k * a * b for k, (a, b) in zip(kernels, pairwise(fields), strict=True))
    points = [side**2 * (1 if layer <= 2 else 0.25) * f for layer, f in enumerate(fields)]
    batch = min(c.optimiser.batch, rows)
    images = rows * side**2 * channels * 4
    scores = 8 * (classes**2 + rows * classes)
    needed = item * (3 * dense + 3 * batch * sum(points)) + 3 * images + scores
    return refuse_beyond(needed, "take a narrower network, smaller images or a smaller batch")


def memory_on_space(c: ClassifyConfiguration, network: Sequential, images: np.ndarray) -> int:
    """The same for a network on a sphere or a mesh: the images, the fields of a batch after every layer (of a
    level its convolution's, norm's and non-linearity's) with their gradients."""
    item = 8 if c.precision == "float64" else 4
    batch, needed = min(c.optimiser.batch, len(images)), 2 * images.nbytes
    space: Any = network.space
    for _, layer in network.layers:
        space = getattr(_last(layer), "space_out", space)
        points = math.prod(space.shape)
        needed += item * 2 * 3 * batch * points * max(layer.rep_in.dimension, layer.rep_out.dimension)
    return refuse_beyond(
        needed, "take a lower band limit or a coarser mesh, a narrower network or a smaller batch"
    )


def _last(layer: Any) -> Any:
    """The layer of a sequence that leads to another space, or the layer itself."""
    inner = [part for _, part in getattr(layer, "layers", ()) if hasattr(part, "space_out")]
    return inner[-1] if inner else layer
