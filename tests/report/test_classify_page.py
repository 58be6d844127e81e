"""The page of a classifying run: the numbers it must show, figures that are right, damage in one line."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from intertwine._checks import InputError
from intertwine.report import write_report
from intertwine.report.classify import figures as classify_figures
from intertwine.report.classify.read import read
from intertwine.report.pictures import colour_pictures

from .make_classify_run import arrays, make_classify_run, result
from .test_page import elements, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classify_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "shown",
    [
        "Classifying: cnn:4 on c8, digits",
        "98.04 ± 0.97 % of 204 test images are right.",
        "97.5 ± 1.2 %",
        "8734",
        "3 taken for 5",
        "equivariance, resampled elements 0.03",
        "2.8 × 10⁻⁶",
    ],
)
def test_page_says(page: str, shown: str) -> None:
    assert shown in words(page)


def test_pictures_and_figures_are_on_the_page(page: str) -> None:
    found = elements(page)
    plots = [a["id"] for _, a in found if a.get("class") == "plot"]
    assert plots == [f"{name}-plot" for name in ("curves", "angles", "equivariance", "confusion")]
    pictures = [a["src"] for tag, a in found if tag == "img"]
    assert len(pictures) == 4 * 8 + 4 and all(p and p.startswith("data:image/png") for p in pictures)


def test_coloured_pictures_hold_the_colours() -> None:
    image = np.random.default_rng(0).uniform(size=(1, 3, 5, 3))
    image[0, 0, 0], image[0, 0, 1] = 0.0, 1.0
    data = base64.b64decode(colour_pictures(image)[0].removeprefix("data:image/png;base64,"))
    assert struct.unpack(">IIBB", data[16:26]) == (5, 3, 8, 2)
    begin = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[begin - 4 : begin])
    lines = np.frombuffer(zlib.decompress(data[begin + 4 : begin + 4 + length]), np.uint8).reshape(3, 16)
    assert not lines[:, 0].any()
    np.testing.assert_array_equal(lines[:, 1:].reshape(3, 5, 3), np.rint(255 * image[0]))


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    page = write_report(make_classify_run(tmp_path / "run", epochs=3, finished=False)).read_text("utf-8")
    assert "This run has not finished: 3 epochs so far" in words(page)
    assert [a["id"] for _, a in elements(page) if a.get("class") == "plot"] == ["curves-plot"]


def test_figures_draw_what_they_are_given() -> None:
    run = result()
    table = classify_figures.confusion(np.array(run["confusion"]), run["classes"]).to_plotly_json()["data"][0]
    assert table["z"][3][5] == pytest.approx(4 / 24) and table["z"][0][0] == 1.0
    figure = classify_figures.equivariance(run["equivariance"])
    assert figure is not None
    exact, others, single = figure.to_plotly_json()["data"]
    assert exact["y"][2] == pytest.approx(4e-7 * 7) and others["y"][0] == pytest.approx(3e-2)
    assert single["y"] == [classify_figures.SINGLE] * 3
    angles = {name: np.array(values) for name, values in run["angles"].items()}
    line = classify_figures.by_angle(**angles).to_plotly_json()["data"][2]
    assert line["x"][-1] == 360 and line["y"][-1] == line["y"][0] == pytest.approx(98.0)
    assert classify_figures.curves({}) is None and classify_figures.equivariance([]) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confusion": [[1, 2]]}, "confusion to be a square table"),
        ({"confusion": [[1.5]]}, "confusion to be a square table"),
        ({"confusion": [[1, 2], [3]]}, "confusion to be a square table"),
        ({"confusion": [[-1]]}, "confusion to be a square table"),
        ({"equivariance": [{"layer": "x"}]}, "equivariance to have rows"),
        ({"equivariance": 3}, "equivariance to be a list"),
        ({"angles": {"degrees": [0.0], "accuracy": [], "error": []}}, "angles to have as many degrees"),
        ({"test": {"accuracy": "high"}}, "test.accuracy"),
        ({"test": 3}, "test"),
        ({"classes": "0123"}, "classes to be a list"),
    ],
)
def test_damage_is_told_in_one_line(tmp_path: Path, change: dict, message: str) -> None:
    folder = make_classify_run(tmp_path / "run")
    (folder / "result.json").write_text(json.dumps(result() | change), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read(folder)
    assert "\n" not in str(error.value) and str(error.value).startswith("result.json")


@pytest.mark.parametrize(
    ("name", "values", "axes"),
    [
        ("filters", np.full((1, 1, 2, 2), np.nan), ("filter", "element", "k0", "k1")),
        ("wrong_labels", np.zeros(7), ("others",)),
        ("filters", np.zeros(3), ("others",)),
    ],
)
def test_damaged_arrays(tmp_path: Path, name: str, values: np.ndarray, axes: tuple) -> None:
    folder = make_classify_run(tmp_path / "run")
    (folder / "result.nc").unlink()
    xr.Dataset({**arrays().drop_vars(name), name: (axes, values)}).to_netcdf(
        folder / "result.nc", engine="h5netcdf"
    )
    with pytest.raises(InputError, match=r"^result.nc"):
        read(folder)
