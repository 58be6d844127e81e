"""What the page shows of images on a sphere or a mesh: some of those tested, where they lie, what they are
and what the network takes them for."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine.learning.labels.labelled import Labelled
from intertwine.spaces.names import NamedSpace
from intertwine.spaces.sphere.sphere import Sphere

SHOWN = 4


def pictures(named: NamedSpace, data: Labelled, guesses: np.ndarray) -> dict[str, Any]:
    """Variables of `result.nc`: shown_images (shown, *places) of the first channel, shown_labels,
    shown_predictions, with latitude and longitude (of HEALPix on a Gauss grid), or position and face."""
    space: Any = named.space
    few = np.asarray(data.x[:SHOWN], np.float32)[..., :1]
    found: dict[str, Any] = {
        "shown_labels": ("shown", data.y[:SHOWN]),
        "shown_predictions": ("shown", guesses[:SHOWN].astype(np.int32)),
    }
    if isinstance(space, Sphere):
        grid = space
        if space.grid == "healpix":
            grid = Sphere(space.bandlimit)
            few = np.asarray(grid.synthesis(space.analysis(few)))
        columns = grid.size[1]
        found["latitude"] = ("row", 90 - np.degrees(grid.colatitudes))
        found["longitude"] = (
            "column",
            (np.degrees(grid.first_longitude) + np.arange(columns) * 360 / columns),
        )
        axes: tuple[str, ...] = ("shown", "row", "column")
    else:
        found["position"] = (("vertex", "xyz"), np.asarray(space.positions))
        found["face"] = (("triangle", "corner"), np.asarray(space.faces).astype(np.int32))
        axes = ("shown", "vertex")
    return found | {"shown_images": (axes, few[..., 0])}
