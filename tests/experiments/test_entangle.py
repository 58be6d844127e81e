"""The command `entangle`, as a user calls it: exact states, runs, samples, and its errors."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.runs.run_folder import read_metrics


def record(folder):
    return json.loads((folder / "result.json").read_text())


def test_without_options(tmp_path):
    """The critical Ising ring of 16 sites, against free fermions; c = 1/2 within its error."""
    folder = tmp_path / "run"
    assert main(["entangle", "--out", str(folder)]) == 0
    found, run = record(folder), it.load(folder)
    ring = it.exact.IsingRing(16).ground_state()
    for name, order in (("von_neumann", 1), ("renyi2", 2)):
        exact = [ring.entropy(n, order) for n in range(1, 9)]
        np.testing.assert_allclose(run.metrics[name], exact, atol=1e-9)
    c = found["central_charge"]
    assert abs(c["mean"] - 0.5) < c["error"] < 0.01 and found["warnings"] == []
    assert run.spectrum[0] == pytest.approx(np.exp(-0.3502776262615), abs=1e-9)  # its largest eigenvalue
    page = (folder / "report.html").read_text()
    assert "Entanglement spectrum" in page and "Central charge" in page


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ground") / "run"
    flags = "--lattice chain:8 --hamiltonian tfim --h 1.0 --model symmetric-rbm:2 --steps 100 --samples 256"
    assert main(["ground-state", *flags.split(), "--out", str(folder)]) == 0
    return folder


def test_of_a_run_exactly_and_from_samples(ground, tmp_path):
    exact, sampled = tmp_path / "exact", tmp_path / "sampled"
    assert main(["entangle", str(ground), "--out", str(exact)]) == 0
    flags = ["--samples", "2048", "--largest", "3", "--out", str(sampled)]
    assert main(["entangle", str(ground), *flags]) == 0
    truth, found = it.load(exact).metrics, it.load(sampled).metrics
    assert len(truth["renyi2"]) == 4 and len(found["renyi2"]) == 3
    assert (np.abs(found["renyi2"] - truth["renyi2"][:3]) < 4 * found["error"] + 1e-3).all()
    assert (truth["renyi2"] <= truth["bound"] + 1e-12).all() and np.isfinite(truth["bound"]).all()
    ring = it.exact.IsingRing(8).ground_state()
    assert truth["von_neumann"][-1] == pytest.approx(ring.entropy(4), abs=0.02)
    assert record(exact)["central_charge"] is None  # three chords are too few to say an error


def test_caveats_are_those_of_a_run_without_a_break(ground):
    """Those of regions that were measured before an interruption too."""
    model = it.load(ground).model
    study = it.entanglement.EntropyScan(model, [range(1), range(4)], 8, key=jax.random.key(0))
    lines = list(study.iterate(study.start(), 0))
    history = [row for _, row in lines]
    again = it.entanglement.EntropyScan(model, [range(1), range(4)], 8, key=jax.random.key(0))
    assert again.finish(lines[-1][0], history).warnings == study.finish(lines[-1][0], history).warnings


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["no/such/run"], "state.run: expected 'none', or the folder of a ground-state, evolve or learn run"),
        (["RUN", "--lattice", "chain:6"], "lattice: expected no lattice with a run"),
        (["RUN", "--h", "2"], "hamiltonian: expected no hamiltonian with a run"),
        (["--lattice", "chain:22"], "lattice: expected at most 20 sites without a run"),
        (["--lattice", "chain:6", "--largest", "6"], "regions.largest: expected fewer than the 6 sites"),
    ],
)
def test_bad_input_is_one_line(arguments, words, ground, tmp_path, capsys):
    arguments = [str(ground) if word == "RUN" else word for word in arguments]
    capsys.readouterr()
    assert main(["entangle", *arguments, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and words in told and not (tmp_path / "run").exists()


def test_lines_are_regions(tmp_path):
    folder = tmp_path / "run"
    assert (
        main(["entangle", "--lattice", "chain:6", "--hamiltonian", "heisenberg", "--out", str(folder)]) == 0
    )
    assert [line["sites"] for line in read_metrics(folder)] == [1.0, 2.0, 3.0]
    assert read_metrics(folder)[0]["von_neumann"] == pytest.approx(np.log(2))


def test_a_degenerate_level_is_told(tmp_path):
    """An odd Heisenberg ring has four lowest states; one of them is measured."""
    folder = tmp_path / "run"
    flags = ["--lattice", "chain:5", "--hamiltonian", "heisenberg"]
    assert main(["entangle", *flags, "--out", str(folder)]) == 0
    assert any("degenerate" in line for line in record(folder)["warnings"])
