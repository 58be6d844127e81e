"""`intertwine classify --start critical`: the word beside folders, the function's numbers, the report."""

import json

import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.experiments.classify.experiment import Classify
from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.report.classify.read import read


def test_critical_is_a_word_and_other_starts_are_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = ClassifyConfiguration.model_validate({"network": {"start": "critical"}})
    assert made.network.start == "critical" and made.network.compare
    made.network.check_there()
    with pytest.raises(it.InputError, match=r"network\.start: expected 'none', or the folder"):
        ClassifyConfiguration.model_validate({"network": {"start": "edge"}}).network.check_there()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text('kind = "classify"\n')
    with pytest.raises(ValueError, match=r"network\.start: expected 'none' with the folder"):
        ClassifyConfiguration.model_validate({"network": {"name": "run", "start": "critical"}})
    with pytest.raises(ValueError, match=r"network\.start: expected 'none' or a folder"):
        ClassifyConfiguration.model_validate({"network": {"name": "nequip:4", "start": "critical"}})


@pytest.mark.slow
def test_the_command_and_the_function_agree(tmp_path):
    """One epoch from the critical start, the ordinary start beside it, and the panel of both."""
    out = tmp_path / "run"
    flags = ["--network", "cnn:1", "--group", "p1", "--epochs", "1", "--examples", "60", "--seed", "3"]
    assert main(["classify", *flags, "--start", "critical", "--out", str(out)]) == 0
    record = json.loads((out / "result.json").read_text())
    depth = record["depth"]
    assert depth["layers"] == [f"conv{k}" for k in range(1, 8)]
    assert depth["critical"].startswith("relu: C_b = 0, C_W = 2") and 0 <= depth["ordinary"]["accuracy"] <= 1
    assert any("batch norms undo the scale" in line for line in record["warnings"])
    before, after = (np.array(depth[when]["kernel"]) for when in ("given", "start"))
    assert not np.allclose(before, after)

    run = it.load(out)
    assert read(out).depth["ordinary"] is not None and "Kernel by depth" in (out / "report.html").read_text()
    made = Classify(run.settings)
    fit = it.fit_supervised(
        made.network, made.images.train.x, made.images.labels_of(made.images.train), epochs=1,
        validation=0.1, start="critical", key=made.key,
    )  # fmt: skip
    assert np.float32(fit.history[0]["loss"]) == np.float32(run.metrics["loss"][0])
    assert fit.start.after.kernel.tolist() == pytest.approx(depth["start"]["kernel"], rel=0.5)
