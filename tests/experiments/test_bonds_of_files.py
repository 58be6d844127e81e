"""`intertwine ground-state` beside files of edges and of terms: weights, couplings line by line, sites."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main

SMALL = ["--model", "rbm:1", "--steps", "2", "--samples", "16", "--chains", "8", "--final-samples", "16"]
EDGES = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)]
WEIGHTS = [1.0, -0.7, 1.3, 0.5, 1.1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{j},{w}" for (i, j), w in zip(EDGES, WEIGHTS, strict=True)]
    (tmp_path / "edgesw.csv").write_text("\n".join(["source,target,weight", *rows]))
    (tmp_path / "edges.csv").write_text("\n".join(f"{i},{j}" for i, j in EDGES))
    (tmp_path / "w.txt").write_text("\n".join(map(str, WEIGHTS)))
    (tmp_path / "four.txt").write_text("1 2 3 4")
    (tmp_path / "terms.txt").write_text(
        "1.0 * n0\n1.5 * n1\n-0.3 * c^0 c4 + h.c.\n-0.3 * c^1 c2 + h.c.\n-1 * n3"
    )
    (tmp_path / "spins.txt").write_text("-1.0 * Z0 Z1\n-0.5 * X2\n")
    with jax.enable_x64(True):
        yield tmp_path


def run(capsys, *words):
    """The result and what the terminal said."""
    code = main(["ground-state", *words, *SMALL, "--out", "run"])
    told = capsys.readouterr()
    assert code == 0, told.err
    with open("run/result.json", encoding="utf-8") as file:
        return json.load(file), told.out


def ground(H):
    return np.linalg.eigvalsh(H.to_dense())[0]


def test_the_weights_of_a_file_are_its_couplings(capsys):
    result, said = run(capsys, "--graph", "edgesw.csv", "--hamiltonian", "heisenberg")
    assert result["exact"]["energy"] == pytest.approx(
        ground(it.heisenberg(it.Graph(EDGES), J=WEIGHTS)), abs=1e-8
    )
    assert result["weights"] == "J times the weight of each edge" and result["weights"] in said
    assert not [line for line in result["warnings"] if "weights" in line]
    loaded = it.load("run")
    again = it.heisenberg(it.Graph.from_file("edgesw.csv"))
    assert ground(again) == pytest.approx(loaded.result["exact"]["energy"], abs=1e-8)


def test_weights_beside_an_array_of_couplings_are_told(capsys):
    result, said = run(capsys, "--graph", "edgesw.csv", "--hamiltonian", "tfim", "--J", "w.txt")
    assert result["exact"]["energy"] == pytest.approx(ground(it.tfim(it.Graph(EDGES), J=WEIGHTS)), abs=1e-8)
    assert result["weights"] is None and "weights in graph:edgesw.csv are not used" in said
    assert any("J is given for each bond" in line for line in result["warnings"])


def test_a_file_of_couplings_goes_by_the_lines_of_the_file_of_edges(capsys):
    """Edges 0-1, 1-2, 2-0 …: the third number is that of 0-2, not of 1-2."""
    words = ["--graph", "edges.csv", "--hamiltonian", "hubbard", "--fermions", "2,1", "--t", "w.txt"]
    result, said = run(capsys, *words, "--model", "slater")
    hops = [
        f"{-w} * c^{i}_{s} c{j}_{s} + h.c."
        for (i, j), w in zip(EDGES, WEIGHTS, strict=True)
        for s in ("up", "down")
    ]
    U = [f"4 * n{i}_up n{i}_down" for i in range(5)]
    H = it.operators.read_terms("\n".join(hops + U), it.Fermions(5, (2, 1)))
    assert result["exact"]["energy"] == pytest.approx(it.exact.ground_energy(H), abs=1e-8)
    assert "t of the bonds: 0-1 1, 1-2 −0.7, 0-2 1.3, 2-3 0.5, 3-4 1.1" in said


def test_terms_without_a_lattice_have_their_own_sites(capsys):
    result, said = run(capsys, "--hamiltonian", "terms.txt", "--fermions", "2", "--model", "slater")
    assert (result["lattice"], result["size"]) == ("chain:5", 5) and "5 sites" in said
    with open("terms.txt", encoding="utf-8") as file:
        H = it.operators.read_terms(file.read(), it.Fermions(5, 2))
    assert result["exact"]["energy"] == pytest.approx(it.exact.ground_energy(H), abs=1e-8)


def test_sites_that_no_term_names_are_told(capsys):
    result, said = run(capsys, "--hamiltonian", "spins.txt", "--lattice", "chain:4")
    assert (
        any("end at site 2, chain:4 has 4" in line for line in result["warnings"]) and "end at site 2" in said
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--graph", "edges.csv", "--J", "four.txt"], "an array of 5, one for each bond, got 4"),
        (
            ["--hamiltonian", "terms.txt", "--fermions", "2", "--lattice", "chain:3"],
            "lattice: expected at least 5 sites",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_one_line(words, told, capfd):
    assert main(["ground-state", *words, "--out", "none"]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and told in lines[0], lines
