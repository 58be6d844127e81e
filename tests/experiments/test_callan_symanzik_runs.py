"""`intertwine renormalize --callan-symanzik`: the numbers, the folder, its page, and what is refused."""

import json

import numpy as np
import pytest

from intertwine.cli import main
from intertwine.experiments.renormalize.callan_symanzik import couplings_of
from intertwine.runs.kinds import configuration_of

FEW = ["--samples", "1600", "--bins", "8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("equation") / "run"
    words = ["--system", "ising:16", "--at", "0.3,0.36,0.5,0.55", *FEW]
    assert main(["renormalize", "--callan-symanzik", *words, "--out", str(out)]) == 0
    return out


def test_the_folder(folder):
    result = json.loads((folder / "result.json").read_text())
    found = result["callan_symanzik"]
    assert found["coupling"] == [0.3, 0.36, 0.5, 0.55] and len(found["gamma_error"]) == 4
    assert result["study"] == "callan-symanzik" and result["rule"] is None and result["samples"] == 6400
    assert abs(found["zero"]["mean"] - 0.44) < 5 * found["zero"]["error"]
    assert abs(result["exponents"]["y_T"]["mean"] - 1) < 5 * result["exponents"]["y_T"]["error"]
    assert (
        result["exponents"]["y_T"]["exact"] == 1 and abs(result["exponents"]["eta"]["exact"] - 0.25) < 1e-12
    )
    assert result["headline"].startswith("β = 0 at K = 0.4") and "(K_c 0.440687)" in result["headline"]
    assert any(line.startswith("assumption: at K = ") for line in result["warnings"])
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert abs(last["y_T"] - result["exponents"]["y_T"]["mean"]) < 1e-12 and last["gamma"] > 0


def test_the_page(folder):
    page = (folder / "report.html").read_text()
    for words in (
        "The Callan-Symanzik equation",
        "β and γ",
        "What the equation leaves",
        "exact, infinite lattice",
    ):
        assert words in page


def test_default_couplings_lie_where_the_lattice_is_long():
    c = configuration_of({"kind": "renormalize", "study": "callan-symanzik", "system": {"name": "ising:64"}})
    K = np.array(couplings_of(c))
    assert np.allclose(K, [0.38078, 0.39042, 0.40075, 0.46066, 0.48062], atol=1e-4)
    cube = configuration_of(
        {"kind": "renormalize", "study": "callan-symanzik", "system": {"name": "cubic:16"}}
    )
    assert 0.15 < couplings_of(cube)[0] < 0.2 < 0.2217 < couplings_of(cube)[-1] < 0.27
    ring = {"name": "chain:64", "coupling": 1.0}
    c = configuration_of({"kind": "renormalize", "study": "callan-symanzik", "system": ring})
    assert np.allclose(couplings_of(c), [0.8, 0.9, 1.0, 1.1, 1.2])


def test_anisotropic_bonds_and_other_systems(tmp_path):
    """∂G/∂K is the covariance with all that K multiplies."""
    words = [
        "--system",
        "ising:12",
        "--anisotropy",
        "2",
        "--at",
        "0.2,0.45",
        "--samples",
        "800",
        "--bins",
        "8",
    ]
    out = tmp_path / "run"
    assert main(["renormalize", "--callan-symanzik", *words, "--out", str(out)]) == 0
    result = json.loads((out / "result.json").read_text())
    found = result["callan_symanzik"]
    assert found["coupling"] == [0.45] and found["beta"][0] > 0
    assert any(line.startswith("unjudged: K = 0.2 is left out") for line in result["warnings"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--at", "0.4"], "equation.couplings: expected 'auto' or 2 to 16"),
        (["--at", "0.4,0.4"], "equation.couplings: expected 'auto' or 2 to 16"),
        (["--at", "-0.4,0.4"], "equation.couplings: expected couplings of one sign"),
        (["--window", "12-4"], "equation.window: expected 'auto' or two growing distances"),
        (["--system", "ising:64", "--window", "4-7"], "window: expected 5 distances or more"),
        (["--system", "ising:8"], "system.name: expected sides of 12 or more with --callan-symanzik"),
        (["--system", "ea:16", "--at", "0.3,0.4"], "system.name: expected a system without frozen signs"),
        (["--field", "0.1"], "system.field: expected 0.0 with --callan-symanzik"),
        (["--system", "triangular:24", "--at=-0.3,-0.2"], "couplings: expected K ≥ 0 where neighbours"),
        (["--samples", "100"], "equation.samples: expected 8 bins or more"),
        (["--exponents"], "--exponents: expected one study"),
    ],
)
def test_what_is_refused(words, expected, capsys):
    assert main(["renormalize", "--callan-symanzik", *words]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
