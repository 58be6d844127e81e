"""`renormalize --curvature`: the numbers of the library, its page, and what is refused."""

import json

import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main


def test_exact_values_of_a_small_system(tmp_path):
    out = tmp_path / "run"
    words = ["--system", "chain:12", "--coupling", "0.5", "--field", "0.2", "--samples", "0"]
    assert main(["renormalize", "--curvature", *words, "--curvature-points", "5", "--out", str(out)]) == 0
    result = json.loads((out / "result.json").read_text())
    assert any("no peak" in line for line in result["warnings"]) and result["peak"]["coupling"] is None
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    ring = it.Ising(it.Chain(12), 0.0)
    for line in lines:
        assert abs(line["curvature"] - it.geometry.curvature(ring, at=(line["start"], 0.2)).value) < 1e-4
    assert "Curvature of couplings" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--system", "clock:4:8"], "two couplings"),
        (["--system", "ising:64", "--samples", "0"], "samples"),
        (["--system", "ising:8", "--samples", "10"], "1000"),
        (["--system", "chain:8"], "coupling"),
        (["--system", "triangular:8", "--second", "bonds"], "square"),
        (["--system", "ising:8", "--anisotropy", "2"], "anisotropy"),
        (["--system", "ising:8", "--exponents"], "one study"),
    ],
)
def test_what_is_refused(words, said, capsys, tmp_path):
    assert main(["renormalize", "--curvature", *words, "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and "\n" not in error


def test_a_scan_finds_the_transition():
    K = np.linspace(0.3, 0.6, 7)
    found = it.geometry.curvature_scan(lambda K: it.Ising(it.Square(6, 6), K), K)
    assert abs(found.peak.coupling - 0.4407) < 0.04 and not found.warnings
    flat = it.geometry.curvature_scan(lambda K: it.Ising(it.Chain(8), K), K / 4)
    assert np.isnan(flat.peak.coupling) and "no peak" in flat.warnings[0]
    with pytest.raises(it.InputError, match="growing"):
        it.geometry.curvature_scan(lambda K: it.Ising(it.Chain(8), K), K[::-1])
