"""Learning runs: the same numbers after an interruption at any line, of every family and method; what the
folder holds against exact values; data that changed are refused.
"""

import contextlib
import io
import itertools
import json
import random
import signal

import numpy as np
import pytest
import xarray

from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.experiments.learn import experiment as learn
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.runs import checkpoints, running
from intertwine.runs.interruption import Interrupted
from intertwine.runs.kinds import configuration_of
from intertwine.runs.progress import Silent

from .runs import assert_same, begin, lines, stop_at

SMALL = {
    "kind": "learn",
    "precision": "float64",
    "checkpoint_every": 2,
    "data": {"name": "ising:3", "rows": 60},
    "model": {"name": "rbm:4"},
    "method": {"chains": 8},
    "optimiser": {"epochs": 6, "layer_epochs": 2, "batch": 20},
    "likelihood": {"every": 2, "temperatures": 20, "chains": 8, "final_temperatures": 20, "final_chains": 8},
    "samples": {"count": 64, "chains": 8, "steps": 5, "thin": 2},
}


def configuration(**changes) -> LearnConfiguration:
    """`SMALL` with sections changed."""
    tables = {name: dict(value) if isinstance(value, dict) else value for name, value in SMALL.items()}
    for section, values in changes.items():
        tables[section] = tables.get(section, {}) | values if isinstance(values, dict) else values
    return configuration_of(tables)


class StopsAt(Silent):
    """Progress that is interrupted after a line."""

    def __init__(self, line):
        self.line = line

    def step(self, record):
        if record["step"] == self.line:
            raise KeyboardInterrupt


def silent(*_):
    return Silent()


def quietly(function, *arguments, **options):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments, **options)


def stopped_and_resumed(c, folder, stops):
    """Interrupt a run after each of the lines `stops`, resuming in between, and then let it end."""
    for number, stop in enumerate(stops):
        go_on = running.resume if number else running.start
        given = (folder,) if number else (c, folder)
        with pytest.raises(Interrupted, match="intertwine resume"):
            quietly(go_on, *given, show=lambda *_, stop=stop: StopsAt(stop))
    quietly(running.resume, folder, show=silent)


RUNS = {  # the first draws its page, the others are spared it
    "pcd": ({}, [3]),
    "cd, grey, no average": (
        {
            "data": {"name": "GREY"}, "method": {"name": "cd", "steps": 2},
            "optimiser": {"epochs": 4, "average": 0.0, "sparsity": 0.2, "schedule": "cosine"},
        },
        [0, 2],
    ),
    "pt": ({"method": {"name": "pt", "chains": 4, "temperatures": 3}}, [3]),
    "trajectory": ({"method": {"name": "trajectory", "chains": 4, "temperatures": 3}}, [4]),
    "exact": ({"method": {"name": "exact"}, "optimiser": {"centred": False, "weight_decay": 1e-3}}, [2]),
    "dbn": ({"model": {"name": "dbn:4-3"}, "optimiser": {"epochs": 2}}, [2, 4]),
    "dbm": ({"model": {"name": "dbm:4-3"}, "optimiser": {"epochs": 2}}, [2]),
}  # fmt: skip


def with_files(changes, folder):
    """`changes` with the name GREY replaced by a file of grey rows."""
    if changes.get("data", {}).get("name") != "GREY":
        return changes
    rows = np.random.default_rng(0).integers(0, 256, (60, 9), dtype=np.uint8)
    np.save(folder / "grey.npy", rows)
    return changes | {"data": {"name": str(folder / "grey.npy"), "shape": "3x3"}}


@pytest.mark.slow  # the studies are interrupted in test_studies_resume
@pytest.mark.parametrize("name", RUNS)
def test_an_interrupted_run_ends_with_the_same_numbers(name, tmp_path, monkeypatch):
    changes, stops = RUNS[name]
    if name != "pcd":
        monkeypatch.setattr(running, "report", lambda folder: None)
    c = configuration(**with_files(changes, tmp_path))
    quietly(running.start, c, tmp_path / "whole", show=silent)
    stopped_and_resumed(c, tmp_path / "stopped", stops)
    assert_same(tmp_path / "stopped", tmp_path / "whole")
    result = json.loads((tmp_path / "whole" / "result.json").read_text())
    assert result["bound"] == name.startswith("db")
    if name == "pcd":
        assert (tmp_path / "whole" / "report.html").stat().st_size > 1_000_000


FLAGS = [
    "learn", "--data", "ising:3", "--rows", "60", "--model", "rbm:4", "--chains", "8", "--batch", "20",
    "--epochs", "60", "--samples", "400", "--sample-steps", "5", "--ais-temperatures", "20",
    "--checkpoint-every", "5", "--precision", "float64",
]  # fmt: skip


@pytest.mark.slow
def test_killed_and_resumed(tmp_path, capsys):
    """kill -9 of a process; the resumed run against one that was never killed."""
    killed = tmp_path / "killed"
    target = random.Random(7).randint(12, 40)
    code, _, err = stop_at(begin([*FLAGS, "--out", str(killed)]), killed, target)
    assert code == -signal.SIGKILL, err
    assert 12 <= lines(killed) < 60
    saved = checkpoints.steps(killed / "checkpoints")[-1]
    assert main(["resume", str(killed)]) == 0
    assert f"resumed from step {saved} of 60" in capsys.readouterr().out
    assert main([*FLAGS, "--out", str(tmp_path / "whole")]) == 0
    assert_same(killed, tmp_path / "whole")
    assert main(["resume", str(killed)]) == 0
    assert "complete" in capsys.readouterr().out
    assert main(["report", str(killed)]) == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of a small machine, its result and its arrays."""
    folder = tmp_path_factory.mktemp("learn") / "run"
    c = configuration(optimiser={"epochs": 40}, data={"name": "ising:3", "rows": 200})
    quietly(running.start, c, folder, show=silent)
    with xarray.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        arrays = data.load()
    return folder, json.loads((folder / "result.json").read_text()), arrays


@pytest.mark.slow
def test_likelihoods_against_enumeration(finished):
    """ln Z, the free energies and the likelihoods of result.json from the parameters in result.nc."""
    _, result, arrays = finished
    a, b = arrays["parameter_visible_bias"].values, arrays["parameter_hidden_bias"].values
    w = arrays["parameter_weights"].values
    states = np.array(list(itertools.product([-1.0, 1.0], repeat=9)))
    free = -(states @ a + np.logaddexp(0, b + states @ w).sum(1))
    log_z = np.logaddexp.reduce(-free)
    assert abs(result["log_z"]["mean"] - log_z) < 1e-9 and result["log_z"]["method"] == "exact"
    data = learn.load_data(configuration(data={"name": "ising:3", "rows": 200}).data)
    rows = data.held_out()
    expected = (rows @ a + np.logaddexp(0, b + rows @ w).sum(1)).mean() - log_z
    assert abs(result["log_likelihood"]["test"]["mean"] - expected) < 1e-9
    np.testing.assert_allclose(arrays["free_energy_test"].mean(), -(expected + log_z), atol=1e-9)
    p = np.exp(-free - log_z)
    assert (p * -np.log(p)).sum() > 0
    assert expected <= -data.known.entropy + 4 * result["log_likelihood"]["test"]["error"]
    np.testing.assert_allclose(
        arrays["singular_value"][-1, :4], np.linalg.svd(w, compute_uv=False)[:4], rtol=1e-6
    )


def test_samples_follow_the_machine(finished):
    """The mean free energy of the samples against its exact mean under the machine."""
    _, result, arrays = finished
    a, b = arrays["parameter_visible_bias"].values, arrays["parameter_hidden_bias"].values
    w = arrays["parameter_weights"].values
    states = np.array(list(itertools.product([-1.0, 1.0], repeat=9)))
    free = -(states @ a + np.logaddexp(0, b + states @ w).sum(1))
    p = np.exp(-free - np.logaddexp.reduce(-free))
    sampling = result["sampling"]
    assert abs(sampling["mean"] - (p * free).sum()) < 4 * sampling["error"]
    assert arrays["observable"].shape == (8, 8)
    assert set(np.unique(arrays["sample"])) == {-1, 1}


def test_known_observables_are_compared(finished):
    _, result, _ = finished
    found = result["observables"]
    assert set(found) == {"energy", "abs_magnetization", "specific_heat"}
    for values in found.values():
        assert values["exact"] is not None and values["distance"] >= 0
        assert abs(values["data"]["mean"] - values["exact"]) < 5 * values["data"]["error"]


def test_changed_data_are_refused(tmp_path, capsys):
    rows = np.random.default_rng(1).integers(0, 2, (60, 6), dtype=np.uint8)
    np.save(tmp_path / "rows.npy", rows)
    c = configuration(data={"name": str(tmp_path / "rows.npy")})
    with pytest.raises(Interrupted):
        quietly(running.start, c, tmp_path / "run", show=lambda *_: StopsAt(3))
    np.save(tmp_path / "rows.npy", 1 - rows)
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert main(["resume", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "the data of this run" in told
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before
    (tmp_path / "rows.npy").unlink()
    assert main(["resume", str(tmp_path / "run")]) == 2
    assert "where nothing is" in capsys.readouterr().err


BAD_DATA = {
    "one row": np.zeros((1, 4)),
    "an infinity": np.array([[0.0, np.inf], [1, 1], [0, 1]]),
    "a column of NaN": np.array([[0.0, np.nan], [1, np.nan], [0, np.nan]]),
    "words": np.array([["a", "b"], ["c", "d"]]),
    "no row": np.zeros((0, 4)),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_are_one_line_and_write_nothing(case, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", BAD_DATA[case])
    assert main(["learn", "--data", str(tmp_path / "rows.npy"), "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1 and told.err.startswith("error: ") and "got" in told.err
    assert told.out == "" and not (tmp_path / "run").exists()


def test_constant_columns_are_a_warning(tmp_path, capsys):
    rows = np.random.default_rng(1).integers(0, 2, (60, 6), dtype=np.uint8)
    rows[:, 2] = 1
    np.save(tmp_path / "rows.npy", rows)
    c = configuration(data={"name": str(tmp_path / "rows.npy")}, optimiser={"epochs": 2})
    running.start(c, tmp_path / "run", show=silent)
    told = capsys.readouterr()
    assert told.err == "warning: 1 of 6 columns are constant in the rows to learn from\n"
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert np.isfinite(result["log_likelihood"]["test"]["mean"])


@pytest.mark.parametrize(
    "changes, names",
    [
        ({"data": {"name": "ising:4", "units": "potts:3"}}, "ising"),
        (
            {"data": {"name": "ising:8"}, "model": {"name": "rbm:64"}, "method": {"name": "exact"}},
            "method.name",
        ),
        ({"data": {"name": "mnist"}}, "data"),
    ],
)
def test_what_does_not_go_together_is_refused_before_the_folder(changes, names, tmp_path, monkeypatch):
    monkeypatch.delenv("INTERTWINE_DATA", raising=False)
    with pytest.raises(InputError, match=names):
        running.start(configuration(**changes), tmp_path / "run", show=silent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_divergence_is_told_and_the_last_good_state_kept(tmp_path, capsys):
    rows = np.random.default_rng(1).normal(size=(60, 6)) * [1, 2, 3, 4, 5, 6]
    np.save(tmp_path / "rows.npy", rows)
    flags = [*FLAGS, "--data", str(tmp_path / "rows.npy"), "--hidden-units", "rectified"]
    assert main([*flags, "--learning-rate", "9", "--out", str(tmp_path / "run")]) == 1
    *notes, told = capsys.readouterr().err.splitlines()
    assert all(line.startswith("warning: columns are standardised") for line in notes)
    assert "diverged at step" in told
    assert checkpoints.steps(tmp_path / "run" / "checkpoints")


@pytest.mark.slow
def test_the_default_run_learns_the_critical_ising_model(tmp_path):
    """1,000 samples of 8 × 8 spins at T_c: energy, |magnetization| and specific heat within three errors."""
    assert main(["learn", "--out", str(tmp_path / "run")]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    for name, values in result["observables"].items():
        assert values["distance"] < 3, name
    assert result["log_z"]["trusted"]


@pytest.mark.slow
def test_passes_that_are_not_said_are_enough_for_few_rows(tmp_path):
    def training(rows, columns, **optimiser):
        np.save(tmp_path / "rows.npy", np.random.default_rng(0).integers(0, 2, (rows, columns)))
        asked = {"data": {"name": str(tmp_path / "rows.npy")}, "optimiser": optimiser}
        c = configuration_of({"kind": "learn", **asked})
        return learn.Learn(c).problem.training.stages[-1]

    stage = training(40, 6)
    assert stage.per_epoch * stage.epochs >= 2000
    assert training(1000, 6).epochs == 223  # of 9 mini-batches of the 900 rows that are learnt from
    assert training(40, 6, epochs=3).epochs == 3


@pytest.mark.slow
def test_a_table_of_one_column_has_its_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savetxt("heights.csv", np.random.default_rng(0).normal(170, 8, 60), header="height", comments="")
    given = ["--data", "heights.csv", "--model", "rbm:2", "--epochs", "2", "--samples", "400"]
    assert main(["learn", *given, "--sample-steps", "5", "--out", "run"]) == 0
    assert (tmp_path / "run" / "report.html").exists() and "not written" not in capsys.readouterr().err
