"""What a classifying run holds in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from intertwine.experiments.memory_needs import refuse_beyond

if TYPE_CHECKING:
    from intertwine.experiments.classify.settings import ClassifyConfiguration

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
