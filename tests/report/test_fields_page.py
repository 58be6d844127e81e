"""The page of a run of fields: its figures hold the fields, at the places where they lie."""

import json
import re

import numpy as np
import pytest

from intertwine.report import write_report
from intertwine.report.fields import figures

from .make_fields_run import make_fields_run, places


def drawn(page: str) -> dict[str, dict]:
    """The figures of a page by the name of their plate."""
    found = re.findall(r'<script type="application/json" id="([\w-]+)-data">(.*?)</script>', page, re.S)
    return {name: json.loads(text) for name, text in found}


@pytest.mark.parametrize("kind", ["globe", "pixels", "mesh"])
def test_figures_hold_the_fields(kind, tmp_path):
    plates = drawn(write_report(make_fields_run(tmp_path / kind, kind)).read_text())
    there, z = places(kind)
    if kind == "mesh":
        (surface,) = plates["mesh-z"]["data"]
        np.testing.assert_allclose(surface["intensity"], 1.1 * z, atol=1e-3)
        at = np.stack([surface[axis] for axis in "xyz"], axis=-1)
        np.testing.assert_allclose(at, there["position"][1], atol=1e-3)
        np.testing.assert_array_equal(np.stack([surface[c] for c in "ijk"], -1), there["face"][1])
        return
    maps, (ball,) = plates["maps-z"]["data"], plates["globe-z"]["data"]
    latitude = np.array(maps[0]["y"])
    height = np.sin(np.radians(latitude))[:, None] + 0 * np.array(maps[0]["x"])
    near = 1e-3 if kind == "globe" else 0.2  # a pixel's centre is not that of the place which is drawn
    for values, share in zip(maps, (1.0, 1.1, 0.1), strict=True):
        np.testing.assert_allclose(np.array(values["z"], float), share * height, atol=near)
    points = np.stack([np.array(ball[axis], float) for axis in "xyz"], axis=-1)
    np.testing.assert_allclose((points**2).sum(-1), 1, atol=2e-3)
    colour = np.array(ball["surfacecolor"], float)
    np.testing.assert_allclose(colour, 1.1 * points[..., 2], atol=max(near, 0.12))
    np.testing.assert_allclose(points[[0, -1], 0, 2], [1, -1])  # closed
    np.testing.assert_allclose(points[:, 0], points[:, -1], atol=2e-3)


def test_a_level_that_hides_the_rest_is_taken_off():
    """Heights are determined but for their level: the picture shows what the wind tells."""
    latitude = np.linspace(90, -90, 19)
    true = np.sin(np.radians(latitude))[:, None] * np.ones(36)
    off = 0.01 * np.cos(np.arange(36) * np.pi / 18)
    for level, title in ((500.0, "difference, less 500"), (0.02, "difference")):
        figure = figures.maps(true, true + off + level, latitude, np.arange(36) * 10.0)
        assert [note.text for note in figure.layout.annotations][2] == title
        drawn = np.array(figure.data[2].z, float)
        np.testing.assert_allclose(drawn, off + level * (title == "difference") + 0 * true, atol=1e-4)


def test_nearest_pixels():
    """Of pixels in any order, the one whose centre is closest; all are seen."""
    there, _ = places("pixels")
    latitude, longitude = (there[name][1] for name in ("latitude", "longitude"))
    order = np.random.default_rng(0).permutation(len(latitude))
    pixel, north, east = figures.nearest(latitude[order], longitude[order])
    assert set(pixel.ravel()) == set(range(len(latitude)))
    phi, lam = np.radians([latitude[order], longitude[order]])
    for row, column in ((0, 0), (3, 5), (len(north) - 1, len(east) - 1)):
        a, b = np.radians([north[row], east[column]])
        cosine = np.sin(a) * np.sin(phi) + np.cos(a) * np.cos(phi) * np.cos(lam - b)
        assert cosine[pixel[row, column]] > cosine.max() - 1e-12
