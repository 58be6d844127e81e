"""The command of learning by transport: settings by flags, the distance along a run, the page."""

import jax
import numpy as np

import intertwine as it
from intertwine.cli import main


def test_transport_is_learned_and_told(tmp_path):
    """The method by flags: its settings, the distance along the run with its floor, and the panel."""
    folder = tmp_path / "run"
    small = "--rows 200 --samples 400 --sample-steps 20 --ais-temperatures 20 --likelihood-every 0"
    words = f"learn --data ising:3 --model rbm:3 --method wasserstein --epsilon 0.5 --kl 0.2 {small}"
    words += " --epochs 3 --precision float64"
    assert main([*words.split(), "--out", str(folder)]) == 0
    run = it.load(folder)
    assert run.settings.method.epsilon == 0.5
    far = run.result["transport"]
    assert far["metric"] == "hamming"
    assert 0 < far["floor"] < far["at_floor"] + 3 * far["error"]
    assert (run.metrics["wasserstein"] > 0).all()
    assert np.ptp(run.metrics["wasserstein_floor"]) == 0
    assert "Distance from the data" in (folder / "report.html").read_text(encoding="utf-8")
    rows = it.data.load("ising:3", rows=200)
    of_run = it.geometry.wasserstein(run, rows, samples=50, key=jax.random.key(0))
    assert of_run.rows[0] == 50 and of_run.metric == "hamming" and of_run.value > 0
    fit = it.learn(
        "rbm:3", it.data.load("ising:3", rows=200), method=it.Wasserstein(0.5, kl=0.2), epochs=3,
        key=jax.random.key(0),
    )  # fmt: skip
    assert np.allclose(fit.model.weights, run.model.weights, atol=1e-5)


def test_settings_of_transport_belong_to_it(capsys):
    assert main(["learn", "--method", "pcd", "--epsilon", "0.5"]) == 2
    assert "say method 'wasserstein'" in capsys.readouterr().err
