"""A command is three small files and a row: it gets run, resume, report, load and help."""

import contextlib
import io
import json

import jax
import numpy as np
import pytest
import xarray

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.records.kinds import KINDS, Kind
from intertwine.runs import running
from intertwine.runs.interruption import Interrupted
from intertwine.runs.kinds import configuration_of
from intertwine.runs.progress import Silent

from .toy.experiment import walk

HERE = "tests.experiments.toy" if __package__ == "tests.experiments" else f"{__package__}.toy"


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    row = Kind(
        "Walk at random; without options: 20 steps.",
        f"{HERE}.settings:ToySettings",
        f"{HERE}.experiment:Toy",
        f"{HERE}.records:SCHEMA",
        f"{HERE}.experiment:load_walk",
    )
    monkeypatch.setitem(KINDS, "toy", row)


class StopsAt(Silent):
    def __init__(self, line):
        self.line = line

    def step(self, record):
        if record["step"] == self.line:
            raise KeyboardInterrupt


def test_help_has_every_setting_with_default_and_group(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["toy", "--help"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "Walk at random",
        "--steps",
        "how many; default 20",
        "--drift",
        "--seed",
        "─ Walk ",
        "─ Run ",
    ):
        assert words in shown
    assert main(["--help"]) == 0
    assert "Walk at random" in capsys.readouterr().out


def test_a_run_gives_what_the_function_gives_with_a_page(tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["toy", "--steps", "12", "--seed", "3", "--out", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "step 12/12  place" in told and " m\n" in told
    result = json.loads((folder / "result.json").read_text())
    assert result["place"] == walk(12, key=jax.random.key(3)) == it.load(folder)
    assert result["schema"] == 3
    with xarray.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        assert len(data["place"]) == 12
    page = (folder / "report.html").read_text()
    assert "Place at the end" in page and "Place of the walker, in m" in page
    assert main(["report", str(folder)]) == 0
    assert main(["run", str(folder / "config.toml"), "--out", str(tmp_path / "again")]) == 0
    assert it.load(tmp_path / "again") == result["place"]


def test_wrong_flags_and_files_are_told_in_a_line(tmp_path, capsys):
    assert main(["toy", "--steps", "many"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: walk.steps: expected an integer from 1 to 1000, got 'many'; for example 20"
    )
    path = tmp_path / "walk.toml"
    path.write_text('kind = "toy"\n[walk]\nstepz = 3\n')
    assert main(["run", str(path)]) == 2
    assert "did you mean steps?" in capsys.readouterr().err


@pytest.mark.parametrize("line", [0, 4, 10])
def test_an_interrupted_run_ends_with_the_same_numbers(line, tmp_path):
    settings = configuration_of({"kind": "toy", "walk": {"steps": 12}})
    with contextlib.redirect_stdout(io.StringIO()):
        running.start(settings, tmp_path / "whole", show=lambda *_: Silent())
        with pytest.raises(Interrupted, match="intertwine resume"):
            running.start(settings, tmp_path / "stopped", show=lambda *_: StopsAt(line))
        running.resume(tmp_path / "stopped", show=lambda *_: Silent())
    whole, stopped = (
        (tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("whole", "stopped")
    )
    places = [[json.loads(row)["place"] for row in rows] for rows in (whole, stopped)]
    assert places[0] == places[1] and len(places[0]) == 12
    np.testing.assert_equal(it.load(tmp_path / "stopped"), places[0][-1])


def test_results_of_a_newer_schema_are_refused_in_a_line(tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["toy", "--steps", "3", "--out", str(folder)]) == 0
    path = folder / "result.json"
    path.write_text(path.read_text().replace('"schema": 3', '"schema": 4'))
    capsys.readouterr()
    assert main(["report", str(folder)]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "results of schema 3 or before, got schema 4" in told


def test_an_unfinished_run_of_an_older_format_is_refused_in_a_line(tmp_path, capsys):
    settings = configuration_of({"kind": "toy"})
    folder = tmp_path / "run"
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(Interrupted):
        running.start(settings, folder, show=lambda *_: StopsAt(4))
    mark = folder / ".intertwine"
    mark.write_text(mark.read_text().replace('"format": 2', '"format": 1'))
    assert main(["resume", str(folder)]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "format 1" in told and "intertwine run" in told
    with pytest.raises(InputError):
        running.resume(folder)
