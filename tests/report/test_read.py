"""Reading a run folder: what is there is read, what is damaged is one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from intertwine._checks import InputError
from intertwine.report.ground_state.read import read

from .make_run import make_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", "square:4x4", steps=20)


def test_whole_folder(folder: Path) -> None:
    run = read(folder)
    assert run.finished
    assert run.missing == {}
    assert run.steps == 20
    assert run.exact == -35.617546
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for name in rows[0]:
        np.testing.assert_array_equal(run.metrics[name], [row[name] for row in rows])
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as dataset:
        np.testing.assert_array_equal(run.correlation.values, dataset["spin_correlation"])
        np.testing.assert_array_equal(run.correlation.vectors, dataset["displacement_vector"])
        np.testing.assert_array_equal(run.structure_factor.errors, dataset["structure_factor_error"])


@pytest.mark.parametrize("name", ["config.toml", "metrics.jsonl", "result.json", "result.nc"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert list(read(folder).missing) == [name]


def test_missing_value_of_a_step_is_a_gap(folder: Path) -> None:
    (folder / "metrics.jsonl").write_text(
        '{"step": 0, "energy": -1.0, "tau": null}\n{"step": 1, "tau": 2.0}\n'
    )
    metrics = read(folder).metrics
    np.testing.assert_array_equal(metrics["energy"], [-1.0, np.nan])
    np.testing.assert_array_equal(metrics["tau"], [np.nan, 2.0])
    assert "r_hat" not in metrics


DAMAGE = {
    "config is not TOML": ("config.toml", b"[model\n"),
    "config is not text": ("config.toml", b"\xff\xfe\x00"),
    "a line in the middle is cut": ("metrics.jsonl", b'{"step": 0, "ene\n{"step": 1}\n'),
    "a whole last line is not JSON": ("metrics.jsonl", b'{"step": 0}\n{"step": }'),
    "a line is a list": ("metrics.jsonl", b"[1, 2]\n"),
    "a step is a word": ("metrics.jsonl", b'{"step": "one"}\n'),
    "a step is missing": ("metrics.jsonl", b'{"energy": 1.0}\n'),
    "an energy is a word": ("metrics.jsonl", b'{"step": 0, "energy": "low"}\n'),
    "an energy is a truth value": ("metrics.jsonl", b'{"step": 0, "energy": true}\n'),
    "a number beyond a double": ("metrics.jsonl", b'{"step": 0, "energy": 1' + b"0" * 400 + b"}\n"),
    "a number beyond the parser": ("metrics.jsonl", b'{"step": 0, "energy": 1' + b"0" * 5000 + b"}\n"),
    "metrics nested too deep": ("metrics.jsonl", b"[" * 100_000 + b"\n"),
    "result is empty": ("result.json", b""),
    "result is a list": ("result.json", b"[]"),
    "result's energy is a number": ("result.json", b'{"energy": 3}'),
    "result's mean is a word": ("result.json", b'{"energy": {"mean": "low"}}'),
    "result's exact is a number": ("result.json", b'{"exact": 1.0}'),
    "result's versions are a list": ("result.json", b'{"versions": [1]}'),
    "the dataset is not netCDF": ("result.nc", b"not netCDF"),
    "the dataset is empty": ("result.nc", b""),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_file_is_one_clear_line(folder: Path, case: str) -> None:
    name, content = DAMAGE[case]
    (folder / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read(folder)
    message = str(error.value)
    assert message.startswith(f"{name}: expected ")
    assert "got" in message and "intertwine resume run" in message
    assert "\n" not in message
    assert len(message) < 500


def test_truncated_dataset(folder: Path) -> None:
    whole = (folder / "result.nc").read_bytes()
    (folder / "result.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"result\.nc: expected a netCDF-4 file"):
        read(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(spin_correlation=("displacement", ["x"] * d.sizes["displacement"])),
        lambda d: d.assign(structure_factor=(("momentum", "two"), np.ones((d.sizes["momentum"], 2)))),
        lambda d: d.assign(structure_factor=("other", np.ones(3))),
    ],
    ids=["words", "a matrix", "another length"],
)
def test_dataset_of_the_wrong_shape(folder: Path, change) -> None:
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as stored:
        dataset = change(stored.load())
    dataset.to_netcdf(folder / "result.nc", engine="h5netcdf", mode="w")
    with pytest.raises(InputError, match=r"result\.nc: expected "):
        read(folder)


def test_dataset_without_correlations_is_told(folder: Path) -> None:
    xr.Dataset({"other": ("x", [1.0])}).to_netcdf(folder / "result.nc", engine="h5netcdf", mode="w")
    run = read(folder)
    assert run.correlation is None and run.structure_factor is None
    assert len(run.missing) == 2


def test_not_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a run folder with"):
        read(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected an existing run folder"):
        read(tmp_path / "file")
