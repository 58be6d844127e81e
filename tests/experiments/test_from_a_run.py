"""Commands that take a model take the folder of a run."""

import json
import shutil

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main

FLAGS = ["--samples", "256", "--final-samples", "1024"]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before") / "run"
    given = ["--lattice", "chain:6", "--hamiltonian", "tfim", "--h", "0.7", "--model", "rbm:1"]
    assert main(["ground-state", *given, *FLAGS, "--steps", "20", "--out", str(folder)]) == 0
    return folder


def test_a_ground_state_goes_on_from_a_run_as_the_function_does(before, tmp_path):
    """On the lattice and for the Hamiltonian of the run; the chains and the momentum go on too."""
    folder = tmp_path / "run"
    asked = ["--model", str(before), *FLAGS, "--steps", "10", "--seed", "3", "--out", str(folder)]
    assert main(["ground-state", *asked]) == 0
    result = json.loads((folder / "result.json").read_text())
    assert (result["lattice"], result["hamiltonian"]) == ("chain:6", "tfim")
    key = jax.random.key(3)
    H = it.tfim(it.Chain(6), h=0.7)
    run = it.ground_state(H, it.load(before), 10, 256, final_samples=1024, key=key)
    assert float(run.energy.mean) == result["energy"]["mean"]


def test_another_field_may_be_asked_of_the_same_model(before, tmp_path):
    folder = tmp_path / "run"
    asked = ["--model", str(before), "--hamiltonian", "tfim", "--h", "1.0", *FLAGS, "--steps", "60"]
    assert main(["ground-state", *asked, "--out", str(folder)]) == 0
    assert json.loads((folder / "result.json").read_text())["relative_error"] < 0.01


def test_a_run_on_other_sites_is_refused_in_a_line(before, tmp_path, capsys):
    assert main(["ground-state", "--model", str(before), "--lattice", "chain:8", "--out", "x"]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "model.start: expected a network whose weights are tied" in told


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learnt") / "run"
    asked = ["--data", "ising:3", "--rows", "200", "--epochs", "3", "--model", "rbm:4", *FEW]
    assert main(["learn", *asked, "--out", str(folder)]) == 0
    return folder


FEW = ["--samples", "400", "--batch", "50"]


def test_a_machine_learns_on_as_by_the_function(learnt, tmp_path):
    """On the data of the run, in the run's own units; the command and the function to the last bit."""
    folder = tmp_path / "on"
    asked = ["--model", str(learnt), "--epochs", "4", "--seed", "5", *FEW, "--out", str(folder)]
    assert main(["learn", *asked]) == 0
    made, before = it.load(folder), it.load(learnt)
    assert made.settings.data == before.settings.data and made.settings.model.start == str(learnt.resolve())
    key = jax.random.key(5)
    data = it.data.load("ising:3", rows=200)
    run = it.learn(before, data, epochs=4, batch=50, key=key)
    for ours, theirs in zip(jax.tree.leaves(run.model), jax.tree.leaves(made.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(made.model.weights, before.model.weights)


def test_a_run_that_began_with_another_resumes_and_notices_a_change(learnt, tmp_path, capsys):
    own, folder = tmp_path / "own", tmp_path / "on"
    shutil.copytree(learnt, own)
    asked = ["--model", str(own), "--epochs", "4", *FEW, "--out", str(folder)]
    assert main(["learn", *asked]) == 0
    before = json.loads((folder / "result.json").read_text())
    (folder / "result.json").unlink()
    assert main(["resume", str(folder)]) == 0
    assert json.loads((folder / "result.json").read_text())["log_z"] == before["log_z"]
    shutil.rmtree(own)
    assert it.load(folder).result["log_z"] == before["log_z"]  # what is complete needs its beginning no more
    shutil.copytree(folder, own)
    (folder / "result.json").unlink()
    capsys.readouterr()
    assert main(["resume", str(folder)]) == 2
    assert "model.start: expected the beginning of this run" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data, words",
    [
        (["--data", "ising:4"], "a run on 16 columns, got"),
        (["--data", "ising:3", "--units", "binary"], "a run on binary units, got"),
    ],
)
def test_data_of_another_kind_are_refused_in_a_line(learnt, data, words, tmp_path, capsys):
    asked = ["--model", str(learnt), *data, "--rows", "200", *FEW, "--out", str(tmp_path / "x")]
    assert main(["learn", *asked]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and words in told and not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_network_learns_on_as_by_the_function(tmp_path):
    """Other epochs and another seed; the same images, from the run."""
    first, folder = tmp_path / "first", tmp_path / "on"
    asked = ["--data", "digits", "--network", "cnn:1", "--group", "p1", "--epochs", "2", "--batch", "200"]
    assert main(["classify", *asked, "--out", str(first)]) == 0
    asked = ["--network", str(first), "--epochs", "2", "--seed", "7", "--batch", "200"]
    assert main(["classify", *asked, "--out", str(folder)]) == 0
    made, before = it.load(folder), it.load(first)
    assert made.settings.network.start == str(first.resolve()) and made.settings.group == "p1"
    data = it.data.load("digits")
    x, y = data.as_images(data.train), data.train_labels
    key = jax.random.key(7)
    fit = it.fit_supervised(before, x, y, epochs=2, batch=200, validation=0.1, key=key)
    assert [row["loss"] for row in fit.history] == list(made.metrics["loss"])
    assert made.metrics["loss"][0] < before.metrics["loss"][-1]


@pytest.mark.slow
def test_a_network_of_other_classes_is_refused_in_a_line(tmp_path, capsys):
    rng = np.random.default_rng(0)
    first = tmp_path / "first"
    for name, classes in (("two", 2), ("three", 3)):
        y = np.arange(60) % classes
        x = (rng.random((60, 8, 8)) + y[:, None, None]).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", images=x, labels=y)
    asked = [
        "--data",
        str(tmp_path / "two.npz"),
        "--variable",
        "images",
        "--network",
        "cnn:1",
        "--group",
        "p1",
    ]
    assert main(["classify", *asked, "--epochs", "1", "--out", str(first)]) == 0
    asked = ["--data", str(tmp_path / "three.npz"), "--variable", "images", "--network", str(first)]
    capsys.readouterr()
    assert main(["classify", *asked, "--epochs", "1", "--out", str(tmp_path / "x")]) == 2
    told = capsys.readouterr().err
    assert "network.start: expected a network of 3 classes, got 2" in told and len(told.splitlines()) == 1
