"""The commands `fields`, `classify`, `apply` and `predict` on structures: runs, loaded models, what is
refused."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.data.structures.structures import Structures
from intertwine.experiments.fields.settings import FieldsConfiguration
from intertwine.experiments.structures import measures
from intertwine.experiments.structures.chosen import resolved
from intertwine.experiments.structures.measures import turned
from intertwine.experiments.structures.trained import headline
from intertwine.learning.structures.targets import targets_of
from intertwine.records.structures import of_structures
from learning.pair_network import clusters

SMALL = ["--network", "painn:4", "--layers", "1", "--space", "points:3.0", "--precision", "float64"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of files: clusters, some to test with, their labels; and a run of each command."""
    folder, before = tmp_path_factory.mktemp("structures"), jax.config.jax_enable_x64
    data = clusters(44, sizes=(5, 8), species=(1, 8))
    inner = np.array(["in", "out"])[(np.linalg.norm(data.positions - 1.2, axis=1) > 1.3).astype(int)]
    data = data.with_values({"trajectory": np.arange(44) // 4})
    data.take(slice(32)).to_file(folder / "learn.xyz")
    data.take(slice(32, 44)).to_file(folder / "test.xyz")
    data.with_values({"place": inner}).to_file(folder / "labels.npz")
    energies = ["fields", "--data", str(folder / "learn.xyz"), "--target", "energy,forces", "--epochs", "12"]
    energies += ["--test", str(folder / "test.xyz"), *SMALL, "--out", str(folder / "energies")]
    labels = ["classify", "--data", str(folder / "labels.npz"), "--target", "place", "--epochs", "6", *SMALL]
    labels += ["--out", str(folder / "classes"), "--inputs", "none", "--split-by", "none"]
    assert main(energies) == 0 and main(labels) == 0
    yield folder
    jax.config.update("jax_enable_x64", before)


def result(folder):
    return json.loads((folder / "result.json").read_text())


def test_a_run_says_its_errors_by_element_and_its_baselines(place):
    found = result(place / "energies")
    energy, forces = (found["errors"][name] for name in ("energy", "forces"))
    assert energy["unit"] == "eV" and forces["unit"] == "eV/Å" and found["tested_on"] == "test"
    assert set(energy["baselines"]) == {"reference energies", "mean energy"}
    assert set(forces["by_element"]) == {"H", "O"} and forces["count"] == sum((5, 8)) * 6
    test = it.data.load_structures(place / "test.xyz")
    np.testing.assert_allclose(
        forces["baselines"]["zero forces"], np.sqrt((test.values["forces"] ** 2).mean())
    )
    said = it.load(place / "energies").model.forces(test)
    np.testing.assert_allclose(forces["mae"], np.abs(said - test.values["forces"]).mean(), rtol=1e-12)
    assert forces["rmse"] < forces["baselines"]["zero forces"]
    assert found["grouped"] == "trajectory" and found["space"] == "points:3.0"
    turns = found["rotations"]["rmse"]["forces"]
    np.testing.assert_allclose(turns, turns[0], rtol=1e-9)
    assert max(row["error"] for row in found["equivariance"]) < 1e-10
    assert [size["largest"] for size in found["padded"]] == [8]


def test_a_page_shows_parity_elements_curves_and_a_structure(place):
    page = (place / "energies" / "report.html").read_text()
    for words in (
        "forces by element",
        "Error of forces",
        "A structure",
        "Turned structures",
        "parity-energy",
    ):
        assert words in page
    page = (place / "classes" / "report.html").read_text()
    for words in ("Confusion", "Accuracy", "circles, where the data say another class"):
        assert words in page


def test_what_was_chosen_stands_in_the_configuration(place):
    c = FieldsConfiguration.model_validate({"data": {"name": str(place / "learn.xyz")}})
    chosen = resolved(c)
    assert chosen.space.name == "points:5.0" and chosen.network.name == "nequip:16"
    assert (chosen.data.inputs, chosen.data.targets, chosen.data.test_share) == ("species", "auto", 0.1)
    given = {"epochs": 7, "weight_decay": 0.5}
    c = FieldsConfiguration.model_validate({"data": {"name": str(place / "learn.xyz")}, "optimiser": given})
    assert resolved(c).optimiser.epochs == 7 and resolved(c).optimiser.weight_decay == 0.5
    assert resolved(resolved(c)) == resolved(c)


def test_a_loaded_run_says_the_same_and_moves_atoms(place):
    run, test = it.load(place / "energies"), it.data.load_structures(place / "test.xyz")
    one = test.take([1])
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms(numbers=one.species, positions=one.positions, calculator=it.ase_calculator(run))
    np.testing.assert_allclose(atoms.get_potential_energy(), run.model.energy(one)[0], rtol=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), run.model.forces(one), atol=1e-12)
    with pytest.raises(ase.calculators.calculator.PropertyNotImplementedError, match="periodic"):
        atoms.get_stress()
    with pytest.raises(InputError, match="atoms: expected elements among H, O, got C"):
        ase.Atoms("C", calculator=it.ase_calculator(run)).get_potential_energy()
    with pytest.raises(InputError, match="has learned energies"):
        it.ase_calculator(it.load(place / "classes"))
    assert repr(run).startswith("TrainedStructures(StructureModel(species → energy, forces on Points(3")


def test_apply_and_predict_write_structures(place, capsys):
    folder, out = str(place / "energies"), place / "said.xyz"
    assert main(["apply", folder, str(place / "test.xyz"), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "forces: mean absolute error" in told and "was learnt from" not in told
    said, run = it.data.load_structures(out), it.load(folder)
    np.testing.assert_array_equal(said.values["forces"], run.predict(place / "test.xyz").values["forces"])
    out = place / "classes.npz"
    assert (
        main(["predict", str(place / "classes"), "--data", str(place / "labels.npz"), "--out", str(out)]) == 0
    )
    assert "accuracy" in capsys.readouterr().out
    said = it.data.load_structures(out)
    words = it.predict(it.load(place / "classes"), place / "labels.npz")
    assert said.words("place").tolist() == words.tolist() and "p(place)" in said.values
    assert main(["apply", folder, str(place / "test.xyz"), "--out", str(place / "a.csv")]) == 2
    assert "a file .xyz" in capsys.readouterr().err


def test_other_elements_and_sizes(place, capsys):
    folder = str(place / "energies")
    clusters(2, species=(6,)).to_file(place / "carbon.xyz")
    assert main(["apply", folder, str(place / "carbon.xyz"), "--out", str(place / "no.xyz")]) == 2
    error = capsys.readouterr().err
    assert "elements among H, O, got C" in error and error.count("\n") == 1
    clusters(1, sizes=(12,), species=(1, 8)).to_file(place / "large.xyz")
    assert main(["apply", folder, str(place / "large.xyz"), "--out", str(place / "large-said.xyz")]) == 0
    assert "structures of 12 to 12 points, where those learnt from have 5 to 8" in capsys.readouterr().out


def test_what_is_refused_in_one_line(place, capsys):
    file = str(place / "learn.xyz")
    for command, words in (
        (["fields", "--data", file, "--network", "cnn:4"], "network.name: expected a network of structures"),
        (["fields", "--data", file, "--network", "nequip:x"], "network.name: expected one of"),
        (["fields", "--data", file, "--targets", "charges"], "targets: expected values of the data"),
        (["fields", "--data", file, "--rotation"], "rotation: expected False where the data are structures"),
        (["fields", "--data", file, "--space", "points:-1"], "space.name: expected points:R"),
        (["fields", "--data", file, "--space", "sphere:8"], "data"),
        (["fields", "--data", file, "--weights", "energy=x"], "points.weights"),
        (
            ["fields", "--data", file, "--test", file],
            "data.test: expected structures that are not learnt from",
        ),
        (["fields", "--network", "nequip:4"], "network.name: expected a network of fields"),
        (["fields", "--data", str(place / "none.xyz")], "data.name"),
        (["classify", "--data", file], "data.labels: expected a label of the data"),
        (["classify", "--data", file, "--labels", "energy"], "energy, which are real numbers"),
        (["fields", "--data", file, "--network", "schnet:4"], "of structures painn:W, nequip:W"),
        (["classify", "--data", file, "--labels", "trajectory", "--augment", "rotations"], "augment"),
        (["fields", "--data", str(place / "labels.npz"), "--targets", "place"], "say intertwine classify"),
    ):
        code = main([*command, "--out", str(place / "refused")])
        error = capsys.readouterr().err
        assert code == 2 and words in error and error.count("\n") == 1, (command, error)
    assert not (place / "refused").exists()


def test_numbers_of_points_are_judged_by_their_elements():
    """The baseline is the mean of each element; what is told is of points."""
    data = clusters(6, sizes=(4,), species=(1, 8))
    charge = np.where(data.species == 1, 0.9, -0.9) + 0.01 * np.arange(data.total)
    data = data.with_values({"charge": charge}, per_point=["charge"])
    target = targets_of("charge", data)[0]
    found = measures._errors(None, target, data, np.zeros(data.total), data)
    spread = np.concatenate([charge[data.species == z] - charge[data.species == z].mean() for z in (1, 8)])
    np.testing.assert_allclose(found["baselines"]["mean by element"], np.sqrt((spread**2).mean()))
    assert "(a point;" in headline({"errors": {"charge": found}})


def test_turned_structures_are_turned_as_a_whole():
    cells = np.diag([3.0, 4.0, 5.0])[None]
    data = Structures.of([np.eye(3)], [[1, 1, 8]], cells=cells, values={"forces": np.eye(3)})
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = turned(data, quarter, ("forces",))
    np.testing.assert_array_equal(found.positions[0], [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(found.values["forces"][1], [-1.0, 0.0, 0.0])
    np.testing.assert_array_equal(found.cells[0][1], [-4.0, 0.0, 0.0])


def test_caveats_of_structures():
    row = {"layer": "whole", "element": 1, "name": "turned 1", "error": 1e-3, "exact": True}
    errors = {"energy": {"rmse": 2.0, "rms": 3.0, "baselines": {"mean energy": 1.0}}}
    record = {"errors": errors, "tested_on": "train", "equivariance": [row], "precision": "float64"}
    codes = [line.partition(":")[0] for line in of_structures(record)]
    assert codes == ["no-test-data", "below-baseline", "not-equivariant"]
    few = {"tested_on": "test", "structures": {"tested": 3}, "sizes": [3, 9], "model": {"sizes": [4, 9]}}
    assert [line.partition(":")[0] for line in of_structures(few)] == ["unjudged", "assumption"]
