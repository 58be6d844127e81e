"""A newcomer learns clusters: a machine by the function, ln Z against enumeration, samples and their shares;
then the same by the command and by the estimator, loaded again and measured again."""

from __future__ import annotations

import json
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray

import intertwine as it
from intertwine.cli import main

KEY = jax.random.key(1)
SIZE, COUNT, NOISE, ROWS = 100, 3, 0.03, 500


@pytest.fixture(scope="module")
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Three patterns of 100 bits, and 500 rows near them, 3 % of the bits flipped."""
    rng = np.random.default_rng(3)
    patterns = rng.integers(0, 2, (COUNT, SIZE))
    rows = patterns[rng.integers(0, COUNT, ROWS)] ^ (rng.random((ROWS, SIZE)) < NOISE)
    return patterns, rows.astype(np.uint8)


def shares(patterns: np.ndarray, rows: object) -> np.ndarray:
    far = (np.asarray(rows)[:, None] != patterns).sum(-1)
    return np.bincount(far.argmin(1), minlength=len(patterns)) / len(far)


def source(size: int = SIZE) -> float:
    """The best log-likelihood, nats: minus the entropy of the source."""
    return float(-np.log(COUNT) + size * (NOISE * np.log(NOISE) + (1 - NOISE) * np.log1p(-NOISE)))


@pytest.mark.slow
def test_by_the_function(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    patterns, rows = clusters
    rbm = it.RBM(SIZE, hidden=8, units="binary", hidden_units="binary", dtype="float32", key=KEY)
    fit = it.learn(rbm, rows, epochs=300, learning_rate=0.03, key=KEY)
    assert "jumped" in fit.history[-1]
    exact = it.log_partition(fit.model, it.Exact())
    found = it.log_partition(fit.model, it.AIS(temperatures=300, known=rows), key=KEY)
    assert found.trusted and found.lower <= exact.mean <= found.upper
    likelihood = it.log_likelihood(fit.model, rows, found)
    assert likelihood.mean > source() - 4 and likelihood.warnings == ()
    drawn = it.sample(fit.model, 500, key=KEY)
    assert drawn.mixed
    error = np.sqrt(1 / 3 * 2 / 3 * (1 / 500 + 1 / ROWS))
    assert np.abs(shares(patterns, drawn) - shares(patterns, rows)).max() < 4 * error + 0.02


@pytest.mark.slow
def test_by_the_command(
    clusters: tuple[np.ndarray, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    patterns, rows = clusters
    np.save(tmp_path / "rows.npy", rows)
    words = ["learn", "--data", str(tmp_path / "rows.npy"), "--model", "rbm:8", "--epochs", "600"]
    few = ["--samples", "1000", "--likelihood-every", "0", "--sample-steps", "200"]
    assert main([*words, *few, "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    assert "independent columns" in told and "below-baseline" not in told
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert record["log_likelihood"]["test"]["mean"] > source() - 4
    assert record["independent_columns"]["test"]["mean"] < source() - 10
    of_samples = np.sort(record["modes"]["of_samples"])
    assert np.abs(of_samples - np.sort(shares(patterns, rows))).max() < 0.1
    with xarray.open_dataset(tmp_path / "run" / "result.nc") as arrays:
        names = ("visible_bias", "hidden_bias", "weights")
        parameters = [arrays[f"parameter_{name}"].to_numpy() for name in names]
    loaded = it.RBM.from_parameters(*parameters, units="binary", hidden_units="binary")
    again = it.log_likelihood(loaded, rows, it.log_partition(loaded, it.Exact()))
    assert abs(again.mean - record["log_likelihood"]["train"]["mean"]) < 0.5


@pytest.mark.slow
def test_by_the_estimator(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    pytest.importorskip("sklearn")
    patterns, rows = clusters
    machine = it.BoltzmannMachine(8, random_state=0).fit(rows)
    assert machine.score(rows) > source() - 2.5
    error = np.sqrt(1 / 3 * 2 / 3 * (1 / 500 + 1 / ROWS))
    drawn = machine.sample(500, random_state=1)
    assert np.abs(shares(patterns, drawn) - shares(patterns, rows)).max() < 4 * error + 0.02
