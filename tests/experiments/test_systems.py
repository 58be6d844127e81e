"""`intertwine ground-state` for systems of one's own: graphs, files of numbers, sectors, several runs."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.experiments.ground_state.build import build
from intertwine.runs.kinds import configuration_of

SMALL = ["--model", "rbm:1", "--steps", "12", "--samples", "64", "--chains", "8", "--final-samples", "128"]
TRIANGLE = "source,target\n0,1\n1,2\n2,0\n2,3\n"


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def run(*words):
    return main(["ground-state", *map(str, words)])


def test_a_graph_and_a_field_stand_in_the_settings(tmp_path):
    """The files may go: the folder has what they held."""
    edges, field = tmp_path / "edges.csv", tmp_path / "h.npy"
    edges.write_text(TRIANGLE)
    np.save(field, [0.1, 0.2, 0.3, 0.4])
    out = tmp_path / "run"
    asked = ["--graph", edges, "--hamiltonian", "tfim", "--h", "0.7", "--field", field, *SMALL]
    assert run(*asked, "--out", out) == 0
    edges.unlink()
    field.unlink()
    loaded = it.load(out)
    H = build(loaded.settings).hamiltonian
    mine = it.tfim(it.Graph([(0, 1), (1, 2), (2, 0), (2, 3)]), h=0.7, field=[0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(H.to_dense(), mine.to_dense(), atol=1e-14)
    exact = json.loads((out / "result.json").read_text())["exact"]["energy"]
    assert abs(exact - np.linalg.eigvalsh(mine.to_dense())[0]) < 1e-9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--h", "nowhere.npy"], "hamiltonian.h"),
        (["--h", "many"], "hamiltonian.h"),
        (["--h", "bad.txt"], "bad.txt, line 3"),
        (["--h", "two.txt"], "hamiltonian.h"),
        (["--graph", "bad.csv"], "bad.csv, line 2"),
        (["--graph", "nowhere.csv"], "nowhere.csv"),
        (["--hamiltonian", "nowhere.terms"], "hamiltonian"),
        (["--hamiltonian", "hubbard"], "space"),
        (["--hamiltonian", "hubbard", "--fermions", "5"], "space"),
        (["--hamiltonian", "hubbard", "--fermions", "5,x"], "space.fermions"),
        (["--hamiltonian", "hubbard", "--fermions", "5,5"], "space.fermions"),
        (["--hamiltonian", "tv", "--fermions", "2", "--bosons", "2"], "space"),
        (["--bosons", "3"], "space.bosons"),
        (["--sector", "k=1,A"], "model.sector"),
        (["--sector", "k=π,Z"], "model.sector"),
        (["--sector", "k=0", "--model", "rbm:1"], "model.sector"),
        (["--sector", "k=0,flip=1", "--hamiltonian", "tfim", "--field", "0.1"], "sector"),
        (["--seeds", "1,1"], "seeds"),
        (["--hamiltonian", "broken.txt"], "broken.txt, line 2"),
        (["--hamiltonian", "half.txt"], "a Hermitian operator"),
        (["--hamiltonian", "leaves.txt", "--fermions", "2"], "leaves the space"),
        (["--lattice", "chain:40", "--hamiltonian", "tv", "--fermions", "20", "--exact", "yes"], "GB"),
        (["--seeds", "0"], "seeds"),
        (["--patience", "0"], "optimiser.patience"),
        (["--stop-v-score", "-1"], "optimiser.stop_v_score"),
    ],
)
def test_what_does_not_fit_is_one_line(words, told, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_text("0.1\n0.2\nx\n")
    (tmp_path / "two.txt").write_text("0.1 0.2")
    (tmp_path / "bad.csv").write_text("0,1\n1,\n")
    (tmp_path / "broken.txt").write_text("1.0 X0 X1\n1.0 X0 Q1\n")
    (tmp_path / "half.txt").write_text("1.0j X0 X1\n")
    (tmp_path / "leaves.txt").write_text("1.0 c^0 + h.c.\n")
    own = {"--hamiltonian", "--sector", "--seeds", "--bosons"} & set(words)
    usual = [] if own else ["--hamiltonian", "tfim"]
    assert run("--lattice", "chain:4", *usual, *words, "--out", "run") == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and told in lines[0], lines
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_excited_states_by_sector_in_one_table(tmp_path):
    """Momenta of the laboratory, also in Marshall's frame with an odd number of spins down."""
    out = tmp_path / "run"
    words = "k=0, B, flip=-1; k=π/3, flip=1; k=π, flip=1"
    assert run("--lattice", "chain:6", "--sector", words, "--steps", 150, "--out", out) == 0
    ring = it.heisenberg(it.Chain(6), marshall=False)
    rows = json.loads((out / "result.json").read_text())["several"]
    for row in rows:
        momentum, flip, irrep = (0, -1, "B") if "k=0" in row["sector"] else (1, 1, "A")
        sector = it.exact.Sector(0, flip, momentum, irrep)
        exact = it.exact.ground_energy(ring, sector=sector)
        assert abs(row["exact"] - exact) < 1e-9 and abs(row["energy"] / exact - 1) < 1e-3
    assert {row["run"] for row in rows} == {"sector-1", "sector-2"}  # the third has no states


def test_several_seeds_with_one_table_and_the_best_of_them(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--lattice", "chain:4", "--hamiltonian", "tfim", *SMALL, "--seeds", "3,5", "--out", out]
    assert run(*words) == 0
    record = json.loads((out / "result.json").read_text())
    energies = {row["run"]: row["energy"] for row in record["several"]}
    assert record["best"] == min(energies, key=energies.get)
    alone = tmp_path / "alone"
    assert run(*words[:-4], "--seed", 5, "--out", alone) == 0
    assert json.loads((alone / "result.json").read_text())["energy"]["mean"] == energies["seed-5"]
    best = it.load(out)
    assert float(best.energy.mean) == energies[record["best"]] and len(best.table) == 2
    (out / "result.json").unlink()
    (out / "parts" / "seed-5" / "result.json").unlink()  # as after an interruption
    capsys.readouterr()
    assert main(["resume", str(out)]) == 0
    again = json.loads((out / "result.json").read_text())["several"]
    assert {row["run"]: row["energy"] for row in again} == energies
    assert "seed-3  " in capsys.readouterr().out
    assert run(*words, "--overwrite") == 0


def test_a_search_ends_where_the_energy_falls_no_more(tmp_path):
    """By the command and by the function, with the same numbers; resumed, it has ended."""
    out = tmp_path / "run"
    words = ["--lattice", "chain:4", "--hamiltonian", "tfim", "--model", "rbm:1", "--steps", 300]
    few = ["--samples", 64, "--final-samples", 128, "--patience", 10]
    assert run(*words, *few, "--out", out) == 0
    loaded = it.load(out)
    mine = it.ground_state(
        it.tfim(it.Chain(4)), "rbm:1", 300, 64, final_samples=128, patience=10, key=jax.random.key(0)
    )
    assert 10 < len(mine.history["energy"]) < 300
    np.testing.assert_array_equal(loaded.metrics["energy"], mine.history["energy"])
    assert float(loaded.energy.mean) == float(mine.energy.mean)
    (out / "result.json").unlink()
    assert main(["resume", str(out)]) == 0
    assert float(it.load(out).energy.mean) == float(mine.energy.mean)


def test_the_settings_of_particles():
    asked = {"kind": "ground-state", "lattice": "chain:4", "hamiltonian": "hubbard"}
    space = build_space(asked | {"space": {"fermions": "2,1"}})
    assert space == it.Fermions(it.Chain(4), (2, 1))
    space = build_space(asked | {"hamiltonian": "bose-hubbard", "space": {"bosons": 3, "most": 2}})
    assert space == it.Bosons(it.Chain(4), 3, most=2)
    space = build_space(asked | {"hamiltonian": "rydberg"})
    assert space == it.Rydberg(it.Chain(4))
    asked |= {"hamiltonian": "heisenberg", "space": {"spin": 1}, "sampler": {"magnetization": 2}}
    assert build_space(asked) == it.Spins(it.Chain(4), 1, 2)


def build_space(tables):
    from intertwine.experiments.ground_state.spaces import build_space

    return build_space(configuration_of(tables), it.Chain(4))
