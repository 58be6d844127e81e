"""Commands that take a model take the folder of a run."""

import json

import jax
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
    key = jax.random.split(jax.random.key(3))[1]
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
    assert len(told.splitlines()) == 1 and "model.start: expected a run on 8 sites" in told
