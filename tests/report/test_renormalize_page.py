"""The page of a renormalization run: the numbers it must show, pictures, damage in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from intertwine._checks import InputError
from intertwine.report import write_report
from intertwine.report.renormalize import figures as renormalize_figures
from intertwine.report.renormalize.plates import _upright
from intertwine.report.renormalize.read import read

from .make_renormalize_run import FAMILIES, make_renormalize_run, spins
from .test_learn_page import decoded
from .test_page import ATTACK, elements, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_renormalize_run(tmp_path_factory.mktemp("runs") / "onsager")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "shown",
    [
        "Renormalization: ising:square:64x64 by majority:2",
        "y_T = 0.997 ± 0.010 (exact 1) after 4 steps of majority:2.",
        "1.8745 ± 0.0011; exact 1.875",
        "−1.42380 ± 0.00060; exact −1.4239384",
        "fixed point reached (two steps agree)",
        "Level 0: 64 × 64",
        "Level 4: 4 × 4",
        "wall time 31.0 s",
        "intertwine resume onsager",
        "step couplings y_T y_H",
    ],
)
def test_page_says(page: str, shown: str) -> None:
    assert shown in words(page)


def test_figures_and_pictures_are_on_the_page(page: str) -> None:
    found = elements(page)
    plots = [a["id"] for _, a in found if a.get("class") == "plot"]
    assert plots == [f"{name}-plot" for name in ("exponents", "flow", "couplings", "running")]
    pictures = [a["src"] for tag, a in found if tag == "img"]
    assert len(pictures) == 5
    pixels = decoded(str(pictures[0]))
    np.testing.assert_array_equal(pixels[..., 0] > 128, spins(64) == 1)
    assert all(a["role"] == "img" and a["aria-label"] for _, a in found if a.get("class") == "tiles")
    identifiers = [a["id"] for _, a in found if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def test_page_of_a_network(tmp_path: Path) -> None:
    page = write_report(make_renormalize_run(tmp_path / "run", "network")).read_text(encoding="utf-8")
    found = elements(page)
    plots = [a["id"] for _, a in found if a.get("class") == "plot"]
    assert plots == [f"{name}-plot" for name in ("trace", "network-flow", "shells", "running")]
    assert len([a for tag, a in found if tag == "img"]) == 20
    assert "A network as a step: rbm-64-ising-8" in words(page)
    assert "2.41 ± 0.02" in words(page)


def test_no_fixed_point_and_a_far_energy_are_notices(tmp_path: Path) -> None:
    folder = make_renormalize_run(tmp_path / "run")
    result = json.loads((folder / "result.json").read_text())
    result |= {"fixed_point": False, "reason": "no relevant even direction is left: y_T = 0.10 ± 0.01"}
    result["observables"]["energy"]["mean"] = -1.41
    (folder / "result.json").write_text(json.dumps(result))
    said = words(write_report(folder).read_text(encoding="utf-8"))
    assert "No fixed point: no relevant even direction is left: y_T = 0.10 ± 0.01." in said
    assert "The energy lies 23.2 errors from the exact value" in said


def test_page_of_an_unfinished_run(tmp_path: Path) -> None:
    folder = make_renormalize_run(tmp_path / "run", lines=20)
    for name in ("result.json", "result.nc"):
        (folder / name).unlink()
    said = words(write_report(folder).read_text(encoding="utf-8"))
    assert "This run has not finished: 20 lines so far" in said
    assert "result.json is not there" in said and "to finish this run" in said


def test_opened_again_the_page_is_the_same(folder: Path) -> None:
    assert write_report(folder).read_bytes() == write_report(folder).read_bytes()


def test_markup_in_the_folder_stays_text(tmp_path: Path) -> None:
    folder = make_renormalize_run(tmp_path / "<b>run&")
    result = json.loads((folder / "result.json").read_text())
    result |= {"headline": ATTACK, "rule": ATTACK, "facts": {ATTACK: ATTACK}, "warnings": [ATTACK]}
    result |= {"cards": [[ATTACK, ATTACK, ATTACK]], "versions": {ATTACK: ATTACK}, "reason": ATTACK}
    result["system"]["name"] = ATTACK
    (folder / "result.json").write_text(json.dumps(result))
    change_dataset(folder, lambda d: d.assign_attrs(families=ATTACK, caption_flow=ATTACK))
    text = write_report(folder).read_text(encoding="utf-8")
    assert ATTACK in words(text)
    assert not any(name.startswith("on") for _, a in elements(text) for name in a)
    assert not any(tag == "b" for tag, _ in elements(text))


def change_dataset(folder: Path, change) -> None:
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as stored:
        dataset = stored.load()
    change(dataset).to_netcdf(folder / "result.nc", engine="h5netcdf", mode="w")


DAMAGE = {
    "result is a list": ("result.json", b"[]"),
    "result is cut": ("result.json", b'{"study": '),
    "exponents are words": ("result.json", b'{"exponents": {"y_T": {"mean": "one"}}}'),
    "observables are a list": ("result.json", b'{"observables": [1]}'),
    "a warning is a number": ("result.json", b'{"warnings": [1]}'),
    "facts are a word": ("result.json", b'{"facts": "none"}'),
    "metrics are no JSON": ("metrics.jsonl", b"nothing\n{}\n"),
    "the dataset is not netCDF": ("result.nc", b"not netCDF"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_file_is_one_clear_line(case: str, tmp_path: Path) -> None:
    folder = make_renormalize_run(tmp_path / "run", lines=5)
    name, content = DAMAGE[case]
    (folder / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read(folder)
    message = str(error.value)
    assert message.startswith(f"{name}: expected ") and "got" in message
    assert "\n" not in message and len(message) < 500


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(y_T=("x", np.ones(3))),
        lambda d: d.assign(y_T_error=(("level", "other"), np.ones((4, 2)))),
        lambda d: d.assign(picture_0=(("row_0", "column_of_0"), np.full((64, 64), np.nan))),
        lambda d: d.assign(flow=("start", ["x"] * 5)),
    ],
    ids=["another shape", "errors of another shape", "not finite", "words"],
)
def test_dataset_of_the_wrong_kind(change, tmp_path: Path) -> None:
    folder = make_renormalize_run(tmp_path / "run", lines=5)
    change_dataset(folder, change)
    with pytest.raises(InputError, match=r"result\.nc: expected "):
        read(folder)


class TestFigures:
    def test_exponents_have_a_line_a_number_of_couplings(self) -> None:
        arrays = {"y_T": np.ones((3, 2)), "y_T_error": np.full((3, 2), 0.1)}
        figure = renormalize_figures.exponents(arrays, {"y_T": 1.0, "y_H": None})
        assert figure is not None and [t.name for t in figure.data] == ["1 coupling", "2 couplings", "exact"]
        np.testing.assert_allclose(figure.data[0].error_y.array, 0.1)

    def test_flows_end_where_their_couplings_do(self) -> None:
        paths = np.ones((2, 4, 2))
        paths[1, 2:] = np.nan
        figure = renormalize_figures.flow(paths, FAMILIES, ["a", "b"], main=0)
        assert figure is not None
        lengths = [len(t.x) for t in figure.data if t.mode == "lines+markers"]
        assert lengths == [4, 2]

    def test_cobwebs_lie_between_the_curve_and_the_diagonal(self) -> None:
        x = np.linspace(0, 1, 11)
        figure = renormalize_figures.transformation(x, x**2, None, np.array([[0.5, 0.25, 0.0625]]))
        steps = next(t for t in figure.data if t.name == "from K = 0.5")
        assert list(steps.x) == [0.5, 0.5, 0.25, 0.25, 0.0625]
        assert list(steps.y) == [0.5, 0.25, 0.25, 0.0625, 0.0625]

    def test_without_numbers_there_is_no_figure(self) -> None:
        nothing = np.full((2, 2), np.nan)
        assert renormalize_figures.exponents({}, {}) is None
        assert renormalize_figures.exponents({"y_T": nothing}, {}) is None
        assert renormalize_figures.flow(nothing[..., None], (), ["", ""]) is None
        assert renormalize_figures.running({"step": np.arange(2.0)}, {}) is None
        assert renormalize_figures.histogram(np.full(3, np.nan), "x") is None
        assert renormalize_figures.network_flow({}) is None


def test_a_triangular_patch_is_drawn_upright() -> None:
    """Row r is moved by r half sites around the torus."""
    rows = np.array([[1, -1, -1], [1, -1, -1]])
    drawn = _upright(rows)
    assert drawn.shape == (4, 6)
    np.testing.assert_array_equal(drawn[0], [1, 1, -1, -1, -1, -1])
    np.testing.assert_array_equal(drawn[2], [-1, 1, 1, -1, -1, -1])
