"""The page of a learning run: the numbers it must show, pictures that are right, damage in one line."""

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
from intertwine.report.learn import figures as learn_figures
from intertwine.report.learn.read import read
from intertwine.report.pictures import INK, SIGNED, png, signed_pictures, unit_pictures

from .make_learn_run import make_learn_run
from .test_page import ATTACK, elements, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_learn_run(tmp_path_factory.mktemp("runs") / "critical ising")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "shown",
    [
        "Learning: rbm:32 on ising:8x8:2.26919",
        "−18.47 ± 0.25 nats per row, 0.397 below the best possible −18.073069",
        "its bracket from annealing: −18.97 to −18.07",
        "141.700 ± 0.050",
        "AIS, 10000 temperatures × 100 chains",
        "24 sweeps",
        "R-hat 1.01",
        "2 of 64 columns are constant in the rows to learn from.",
        "energy of samples −1.4804 ± 0.0054; exact −1.49159",
        "rows held out 1000",
        "intertwine resume 'critical ising'",
        "optimiser.epochs 60",
    ],
)
def test_page_says(page: str, shown: str) -> None:
    assert shown in words(page)


def test_pictures_and_figures_are_on_the_page(page: str) -> None:
    found = elements(page)
    plots = [a["id"] for _, a in found if a.get("class") == "plot"]
    names = ("likelihood", "free-energies", "mixing", "progress", "spectrum", "optimiser")
    assert plots == [f"{name}-plot" for name in names]
    pictures = [a["src"] for tag, a in found if tag == "img"]
    assert len(pictures) == 64 + 64 + 32 and all(p and p.startswith("data:image/png") for p in pictures)
    groups = [a for _, a in found if a.get("class") == "tiles"]
    assert len(groups) == 3 and all(a["role"] == "img" and a["aria-label"] for a in groups)
    identifiers = [a["id"] for _, a in found if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def decoded(uri: str) -> np.ndarray:
    """The RGBA pixels (height, width, 4) of a picture as `png` writes it, read by the format's definition."""
    data = base64.b64decode(uri.partition(",")[2])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        (length,), kind = struct.unpack(">I", data[place : place + 4]), data[place + 4 : place + 8]
        content = data[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + content)
        chunks[kind] = content
        place += 12 + length
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    rgb = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    palette = np.hstack([rgb, np.frombuffer(chunks[b"tRNS"], np.uint8)[:, None]])
    return palette[lines[:, 1:]]


def test_pictures_show_the_units() -> None:
    rows = np.array([[0, 1, 1, 0, 0, 1]])
    pixels = decoded(unit_pictures(rows, (2, 3), "binary")[0])
    assert pixels.shape == (2, 3, 4)
    np.testing.assert_array_equal(pixels[..., 0] > 128, rows.reshape(2, 3) == 1)
    np.testing.assert_array_equal(decoded(unit_pictures(2 * rows - 1, (2, 3), "spin")[0]), pixels)
    constant = decoded(unit_pictures(np.zeros((1, 6)), (2, 3), "gaussian")[0])
    assert (constant == constant[0, 0]).all()


def test_pictures_show_the_sign_of_weights() -> None:
    weights = np.array([[-1.0, 0.0, 1.0], [0.5, -0.5, 0.0]])
    first, second = (decoded(uri)[0] for uri in signed_pictures(weights, (1, 3)))
    assert first[0, 3] == 255 and first[1, 3] == 0 and first[2, 3] == 255
    assert first[0, 0] > first[0, 2] and first[2, 2] > first[2, 0]  # orange, blue
    assert abs(int(second[0, 3]) - 128) < 8 and second[2, 3] == 0
    assert len(SIGNED) == 65 and len(INK) == 64
    assert decoded(png(np.array([[64]], np.uint8), SIGNED))[0, 0, 3] == 255


def test_rows_that_are_no_images_are_lines_of_a_picture(tmp_path: Path) -> None:
    page = write_report(make_learn_run(tmp_path / "run", shape=None)).read_text(encoding="utf-8")
    assert sum(tag == "img" for tag, _ in elements(page)) == 2  # samples and examples
    assert "Rows as lines of a picture" in words(page) and "Learned filters" not in words(page)
    assert "Free energies" in words(page)


def test_same_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = write_report(folder).read_bytes()
    assert write_report(make_learn_run(tmp_path / folder.name)).read_bytes() == first
    assert len(first) < 6_000_000


def test_unfinished_run(tmp_path: Path) -> None:
    folder = make_learn_run(tmp_path / "run", epochs=30)
    for name in ("result.json", "result.nc"):
        (folder / name).unlink()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30, "epo')
    text = words(write_report(folder).read_text(encoding="utf-8"))
    assert "This run has not finished: 30 lines so far" in text
    assert "at epoch 30" in text and "Learning: rbm:32 on ising:8" in text
    assert "result.nc is not there: samples, filters and free energies cannot be shown." in text


def change_result(folder: Path, **values) -> None:
    path = folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_notices(tmp_path: Path) -> None:
    folder = make_learn_run(tmp_path / "run")
    table = json.loads((folder / "result.json").read_text())
    table["log_z"] |= {"trusted": False, "reason": "100 chains are worth 5.8", "upper": None}
    table["sampling"]["r_hat"] = 1.4
    table["log_likelihood"]["train"]["mean"] = -15.0
    table["observables"]["energy"]["distance"] = 5.0
    change_result(folder, **table)
    text = words(write_report(folder).read_text(encoding="utf-8"))
    for told in (
        "not to be trusted: 100 chains are worth 5.8",
        "the chains disagree",
        "by heart",
        "5.0 errors from",
    ):
        assert told in text


DAMAGE = {
    "config is not TOML": ("config.toml", b"[model\n"),
    "a line in the middle is cut": ("metrics.jsonl", b'{"step": 0, "ene\n{"step": 1}\n'),
    "a likelihood is a word": ("metrics.jsonl", b'{"step": 0, "log_likelihood": "high"}\n'),
    "singular values are a number": ("metrics.jsonl", b'{"step": 0, "singular_values": 3}\n'),
    "singular values are words": ("metrics.jsonl", b'{"step": 0, "singular_values": ["a"]}\n'),
    "result is a list": ("result.json", b"[]"),
    "result's likelihood is a number": ("result.json", b'{"log_likelihood": 3}'),
    "result's likelihood of rows is a number": ("result.json", b'{"log_likelihood": {"test": 3}}'),
    "result's mean is a word": ("result.json", b'{"log_likelihood": {"test": {"mean": "low"}}}'),
    "result's observable is a list": ("result.json", b'{"observables": {"energy": [1]}}'),
    "result's data are a word": ("result.json", b'{"data": "mnist"}'),
    "result's log Z is true": ("result.json", b'{"log_z": {"mean": true}}'),
    "the dataset is not netCDF": ("result.nc", b"not netCDF"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_file_is_one_clear_line(case: str, tmp_path: Path) -> None:
    folder = make_learn_run(tmp_path / "run", epochs=10)
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
        lambda d: d.assign(sample=("x", np.ones(3))),
        lambda d: d.assign(filter=(("filter", "unit"), np.full(d["filter"].shape, np.nan))),
        lambda d: d.assign(free_energy_train=("row_train", ["x"] * 1000)),
        lambda d: d.assign_attrs(sweeps_between_draws="ten"),
    ],
    ids=["another shape", "not finite", "words", "a word for the sweeps"],
)
def test_dataset_of_the_wrong_kind(change, tmp_path: Path) -> None:
    folder = make_learn_run(tmp_path / "run", epochs=10)
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as stored:
        dataset = stored.load()
    change(dataset).to_netcdf(folder / "result.nc", engine="h5netcdf", mode="w")
    with pytest.raises(InputError, match=r"result\.nc: expected "):
        read(folder)


def test_markup_in_the_folder_stays_text(tmp_path: Path) -> None:
    folder = make_learn_run(tmp_path / "<b>run&", epochs=10)
    (folder / "config.toml").write_text(f'kind = "learn"\n[model]\n{json.dumps(ATTACK)} = 1\n')
    table = json.loads((folder / "result.json").read_text())
    table["data"] |= {"name": ATTACK, "units": ATTACK, "checksum": ATTACK, "notes": [ATTACK]}
    table["log_z"] |= {"method": ATTACK, "reason": ATTACK, "trusted": False}
    table["observables"] = {ATTACK: table["observables"]["energy"]}
    change_result(folder, **table | {"model": ATTACK, "versions": {ATTACK: ATTACK}})
    text = write_report(folder).read_text(encoding="utf-8")
    assert ATTACK in words(text)
    assert not any(name.startswith("on") for _, a in elements(text) for name in a)
    assert not any(tag == "b" for tag, _ in elements(text))
    assert all((a.get("src") or "").startswith("data:image/png") for tag, a in elements(text) if tag == "img")


class TestFigures:
    METRICS = {  # noqa: RUF012
        "step": np.arange(4.0), "epoch": np.arange(1.0, 5.0),
        "log_likelihood": np.array([np.nan, -20.0, np.nan, -19.0]),
        "log_likelihood_lower": np.array([np.nan, -20.5, np.nan, np.nan]),
        "log_likelihood_upper": np.array([np.nan, -19.0, np.nan, np.nan]),
    }  # fmt: skip

    def test_likelihood_with_its_bracket_and_the_final_estimate(self) -> None:
        final = {"mean": -18.5, "lower": -18.8, "upper": None}
        figure = learn_figures.likelihood(self.METRICS, final, best=-18.0)
        assert figure is not None
        trace = next(t for t in figure.data if t.name == "rows held out")
        assert list(trace.x) == [2.0, 4.0, 4.0] and list(trace.y) == [-20.0, -19.0, -18.5]
        np.testing.assert_allclose(trace.error_y.array, [1.0, 0.0, 0.0])
        np.testing.assert_allclose(trace.error_y.arrayminus, [0.5, 0.0, 0.3])
        assert any(t.y[0] == -18.0 for t in figure.data)

    def test_without_numbers_there_is_no_figure(self) -> None:
        empty = {"step": np.arange(2.0), "epoch": np.arange(2.0)}
        assert learn_figures.likelihood(empty) is None
        assert learn_figures.progress(empty) is None
        assert learn_figures.optimiser(empty) is None
        assert learn_figures.spectrum(np.zeros(0), np.zeros((0, 3))) is None
        assert learn_figures.free_energies(np.full(3, np.nan), None, None) is None

    def test_histograms_are_densities(self) -> None:
        rng = np.random.default_rng(0)
        figure = learn_figures.free_energies(rng.normal(size=5000), rng.normal(1, 1, 4000), None)
        assert figure is not None and len(figure.data) == 2
        for trace in figure.data:
            x, y = np.array(trace.x), np.array(trace.y)
            assert abs(y.sum() * (x[1] - x[0]) - 1) < 0.01
