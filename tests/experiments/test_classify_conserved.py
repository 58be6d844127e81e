"""`intertwine classify --conserved`: what gradient flow conserves, tracked along the run."""

import json

import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main


@pytest.mark.slow
def test_a_run_tracks_what_gradient_flow_conserves(tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--network", "cnn:1", "--group", "p1", "--epochs", "2", "--batch", "300", "--conserved"]
    assert main(["classify", *flags, "--out", str(run)]) == 0
    found = json.loads((run / "result.json").read_text())["conserved"]
    assert found["laws"] >= found["independent"] > 0 and found["formulas"]
    drift = it.load(run).metrics["conserved_drift"]
    assert drift.shape == (2,) and np.all((drift > 0) & (drift < 1))
    assert np.isclose(drift[-1], found["drift"])
    assert "gradient flow conserves" in capsys.readouterr().out
    assert "What gradient flow conserves" in (run / "report.html").read_text()


def test_other_data_than_images_are_told(tmp_path, capsys):
    flags = ["--data", "group:Z5", "--network", "quadratic:8", "--conserved"]
    assert main(["classify", *flags, "--out", str(tmp_path / "run")]) == 2
    assert "optimiser.conserved" in capsys.readouterr().err
