"""Runs whose data have moved, whose files are damaged, or whose folder's name another run has taken."""

import json
import shutil

import equinox as eqx
import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main, starting

FEW = ["--samples", "400", "--epochs", "4", "--model", "rbm:3", "--batch", "50"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on a file that is no longer there."""
    place = tmp_path_factory.mktemp("gone")
    rows = np.random.default_rng(0).integers(0, 2, (200, 5)).astype(np.uint8)
    np.save(place / "rows.npy", rows)
    assert main(["learn", "--data", str(place / "rows.npy"), *FEW, "--out", str(place / "run")]) == 0
    (place / "elsewhere").mkdir()
    (place / "rows.npy").rename(place / "elsewhere" / "rows.npy")
    return place / "run"


def test_a_complete_run_needs_its_data_no_more(folder, tmp_path):
    run = it.load(folder)
    assert it.sample(run, 10, key=jax.random.key(0)).shape == (10, 5)
    assert main(["sample", str(folder), "--count", "10", "--out", str(tmp_path / "drawn.npy")]) == 0
    assert main(["score", str(folder), "--data", str(tmp_path / "drawn.npy")]) == 0
    assert main(["report", str(folder)]) == 0


def test_a_run_goes_on_with_data_in_another_place(folder, tmp_path, capsys):
    """The place may be written into config.toml; the data are known by their checksum."""
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    before = json.loads((run / "result.json").read_text())
    (run / "result.json").unlink()
    capsys.readouterr()
    assert main(["resume", str(run)]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "data.name: expected" in told and "config.toml" in told
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace("/rows.npy", "/elsewhere/rows.npy"))
    assert main(["resume", str(run)]) == 0
    assert json.loads((run / "result.json").read_text())["log_z"] == before["log_z"]
    assert main(["resume", str(run)]) == 0  # complete, and of these settings
    (run / "config.toml").write_text(
        config.replace("/rows.npy", "/elsewhere/rows.npy").replace("seed = 0", "seed = 1")
    )
    assert main(["resume", str(run)]) == 2


def test_a_damaged_result_is_made_again(folder, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace("/rows.npy", "/elsewhere/rows.npy"))
    whole = (run / "result.json").read_text()
    (run / "result.json").write_text(whole[: len(whole) // 2])
    assert main(["resume", str(run)]) == 0
    assert json.loads((run / "result.json").read_text())["log_z"] == json.loads(whole)["log_z"]


def test_lost_metrics_are_told(folder, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace("/rows.npy", "/elsewhere/rows.npy"))
    (run / "result.json").unlink()
    (run / "metrics.jsonl").unlink()
    capsys.readouterr()
    assert main(["resume", str(run)]) == 0
    told = capsys.readouterr()
    assert "resumed from step 0" in told.out and "metrics.jsonl" in told.err


SMALL = [
    "--lattice",
    "chain:4",
    "--steps",
    "2",
    "--samples",
    "64",
    "--final-samples",
    "64",
    "--model",
    "rbm:1",
]


def test_a_name_that_another_run_takes_meanwhile(tmp_path, monkeypatch):
    """Between the look and the claim: the next free name is taken, the other run left as it is."""
    monkeypatch.chdir(tmp_path)
    assert main(["ground-state", *SMALL, "--out", "taken"]) == 0
    before = (tmp_path / "taken" / "metrics.jsonl").read_bytes()
    monkeypatch.setattr(starting, "_free_folders", lambda _: (tmp_path / name for name in ("taken", "next")))
    assert main(["ground-state", *SMALL]) == 0
    assert (tmp_path / "next" / "result.json").exists()
    assert (tmp_path / "taken" / "metrics.jsonl").read_bytes() == before


def test_a_float32_run_is_loaded_in_a_session_of_float64(tmp_path):
    run = tmp_path / "run"
    assert main(["ground-state", *SMALL, "--precision", "float32", "--out", str(run)]) == 0
    jax.config.update("jax_enable_x64", True)
    loaded = it.load(run)
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(eqx.filter(loaded.model, eqx.is_array)))
    H = it.heisenberg(it.Chain(4))
    assert np.isfinite(it.expect(H, loaded, samples=64, key=jax.random.key(0)).mean)
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(it.InputError, match="without checkpoints/, where its model is"):
        it.load(run)


@pytest.mark.parametrize(
    "content, words",
    [
        ('[data]\nname = "ising:4"\n', "did you mean kind = 'learn'"),
        ('[network]\nname = "cnn:2"\n', "network is of"),
    ],
)
def test_a_settings_file_without_its_kind(content, words, tmp_path, capsys):
    (tmp_path / "x.toml").write_text(content)
    assert main(["run", str(tmp_path / "x.toml"), "--out", str(tmp_path / "run")]) == 2
    assert words in capsys.readouterr().err


def test_a_settings_file_of_windows(tmp_path):
    """With the mark of byte order that some editors write."""
    body = 'kind = "ground-state"\nlattice = "chain:4"\nmodel = "rbm:1"\n'
    body += "[optimiser]\nsteps = 2\nsamples = 64\n[final]\nsamples = 64\n"
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbf" + body.encode())
    assert main(["run", str(tmp_path / "x.toml"), "--out", str(tmp_path / "run")]) == 0
