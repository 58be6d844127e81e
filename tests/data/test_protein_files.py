"""Proteins from PDB and mmCIF: residues with their frames, gaps, alternatives, models, records; labels of
files by tables and by folders."""

import gzip
import json
import warnings

import gemmi
import numpy as np
import pytest

from data.test_structure_files import quiet, silent
from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.data import load_structures
from intertwine.data.structures.loading import is_structure_file

LINE = "{record:6}{serial:5d} {name:4}{alt:1}{residue:>3} {chain:1}{number:4d}{code:1}   "
LINE += "{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{b:6.2f}          {element:>2}\n"
HELIX = "HELIX    1   1 ALA A    2  ALA A    4  1                                   3\n"
SHEET = "SHEET    1   A 1 ALA A   6  ALA A   7  0\n"


def line(name, residue, number, x, chain="A", alt="", code="", occupancy=1.0, record="ATOM", element=None):
    element = element or name[0]
    shown = name if len(element) > 1 else f" {name}"
    return LINE.format(
        record=record, serial=1, name=shown, alt=alt, residue=residue, chain=chain, number=number, code=code,
        x=x[0], y=x[1], z=x[2], occupancy=occupancy, b=0.0, element=element,
    )  # fmt: skip


N, CA, C, CB = (np.array(x) for x in ([-1.4, 0.3, 0.2], [0.0, 0, 0], [0.5, 1.4, -0.2], [0.6, -0.9, 1.1]))
OXYGEN = np.array([0, 2.4, 0])


def residue(number, at, name="ALA", chain="A", code="", leave_out=(), **more):
    atoms = {"N": N, "CA": CA, "C": C, "O": OXYGEN} | ({} if name == "GLY" else {"CB": CB})
    return "".join(
        line(atom, name, number, x + at, chain, code=code, **more)
        for atom, x in atoms.items()
        if atom not in leave_out
    )


STEP = np.array([1.9, 2.0, -0.4])
"""From one residue to the next: its N is then within reach of the C before it."""


def chain_of(names, chain="A", begin=1, at=0):
    return "".join(residue(begin + k, (at + k) * STEP, name, chain) for k, name in enumerate(names))


def write(path, text):
    path.write_text(text)
    return path


def test_a_residue_is_at_its_alpha_carbon_with_a_frame_and_a_side_chain(tmp_path):
    text = chain_of(["ALA", "GLY", "TRP", "MSE", "UNK"])
    found = silent(write(tmp_path / "a.pdb", text + "END\n"))
    assert found.kind == "residues" and found.symbols.tolist() == ["A", "G", "W", "M", "X"]
    np.testing.assert_allclose(found.positions, np.arange(5)[:, None] * STEP, atol=6e-4)
    first = (C - CA) / np.linalg.norm(C - CA)
    second = (N - CA) - (N - CA) @ first * first
    second /= np.linalg.norm(second)
    frame = np.stack([first, second, np.cross(first, second)])
    np.testing.assert_allclose(found.values["frame"], np.broadcast_to(frame, (5, 3, 3)), atol=2e-3)
    side = CB / np.linalg.norm(CB)
    np.testing.assert_allclose(found.values["side-chain"][[0, 2, 3]], [side] * 3, atol=2e-3)
    assert not found.values["side-chain"][1].any()
    assert found.values["residue-number"].tolist() == [1, 2, 3, 4, 5]
    assert found.values["segment"].tolist() == [0] * 5 and found.words("chain").tolist() == ["A"] * 5
    assert found.units == {"positions": "Å"}
    found.to_file(tmp_path / "a.npz")
    again = silent(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.values["frame"], found.values["frame"])
    assert again.symbols.tolist() == found.symbols.tolist()


def test_a_rotation_of_the_file_rotates_the_vectors(tmp_path):
    turn = np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 1]])
    found = silent(write(tmp_path / "a.pdb", chain_of(["ALA", "GLY", "TRP"])))
    structure = gemmi.read_pdb(str(tmp_path / "a.pdb"))
    for atom in (atom for chain in structure[0] for residue in chain for atom in residue):
        atom.pos = gemmi.Position(*(turn @ atom.pos.tolist()))
    structure.write_pdb(str(tmp_path / "b.pdb"))
    turned = silent(tmp_path / "b.pdb")
    np.testing.assert_allclose(turned.positions, found.positions @ turn.T, atol=1e-9)
    np.testing.assert_allclose(turned.values["frame"], found.values["frame"] @ turn.T, atol=1e-9)
    np.testing.assert_allclose(turned.values["side-chain"], found.values["side-chain"] @ turn.T, atol=1e-9)


def test_gaps_chains_insertions_and_what_is_missing(tmp_path):
    text = residue(1, 0 * STEP) + residue(2, 1 * STEP) + residue(9, 8 * STEP)
    text += residue(9, 9 * STEP, code="A") + residue(10, 10 * STEP, leave_out=("CA",))
    text += residue(11, 11 * STEP, leave_out=("N",)) + residue(1, 20 * STEP, chain="B")
    text += line("O", "HOH", 200, [50, 0, 0], record="HETATM") + line(
        "CA", "CA", 201, [60, 0, 0], element="CA"
    )
    found, told = quiet(write(tmp_path / "a.pdb", text))
    assert found.values["residue-number"].tolist() == [1, 2, 9, 9, 11, 1]
    assert found.words("chain").tolist() == ["A"] * 5 + ["B"]
    assert found.values["segment"].tolist() == [0, 0, 1, 1, 2, 3]
    assert "1 residues without Cα left out" in told and "2 places where a chain is broken" in told
    assert "1 residues without N or C, which have no frame" in told
    assert found.values["frame"].any(axis=(1, 2)).tolist() == [True] * 4 + [False, True]


def test_alternate_locations_and_residues(tmp_path):
    text = residue(1, 0 * STEP, leave_out=("CA", "CB"))
    text += line("CA", "ALA", 1, [9, 9, 9], alt="A", occupancy=0.4) + line(
        "CA", "ALA", 1, [0, 0, 0], alt="B", occupancy=0.6
    )
    text += residue(2, STEP, "SER", occupancy=0.3, alt="A") + residue(2, STEP, "GLY", occupancy=0.7, alt="B")
    found, told = quiet(write(tmp_path / "a.pdb", text))
    np.testing.assert_allclose(found.positions, [0 * STEP, STEP], atol=1e-3)
    assert found.symbols.tolist() == ["A", "G"]
    once = residue(1, 0 * STEP) + line("SG", "ALA", 1, [4, 0, 0])
    twice = once + line("SG", "ALA", 1, [4, 0, 0])
    sides = [quiet(write(tmp_path / "b.pdb", t))[0].values["side-chain"] for t in (once, twice)]
    np.testing.assert_array_equal(*sides)  # one atom, also without a mark
    atoms, _ = quiet(write(tmp_path / "a.pdb", text), points="atoms")
    assert atoms.symbols.tolist() == ["N", "C", "O", "C", "N", "C", "C", "O"]
    assert "1 alternate locations" in told and "1 residues with others at their place" in told


def test_models(tmp_path):
    parts = [f"MODEL     {k + 1:4d}\n{chain_of(['ALA', 'GLY'], at=k)}ENDMDL\n" for k in range(3)]
    path = write(tmp_path / "a.pdb", "".join(parts))
    found, told = quiet(path)
    assert len(found) == 1 and "2 models after the first left out" in told
    every = silent(path, models="all")
    assert every.sizes.tolist() == [2, 2, 2] and every.values["model"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(every.positions[[0, 2, 4]], np.arange(3)[:, None] * STEP, atol=1e-3)


def test_atoms(tmp_path):
    text = chain_of(["ALA", "GLY"]) + line("ZN", "ZN", 9, [30, 0, 0], element="ZN", record="HETATM")
    found = silent(write(tmp_path / "a.pdb", text), points="atoms")
    assert found.symbols.tolist() == ["N", "C", "C", "O", "C", "N", "C", "C", "O", "Zn"]
    assert found.words("atom-name")[:2].tolist() == ["N", "CA"] and found.words("residue-name")[-1] == "ZN"
    ligand = silent(
        write(tmp_path / "b.pdb", line("C1", "LIG", 1, [0, 0, 0]) + line("C2", "LIG", 1, [1.5, 0, 0]))
    )
    assert ligand.kind == "atoms"
    with pytest.raises(InputError, match="amino acids with their Cα"):
        load_structures(tmp_path / "b.pdb", points="residues")


def test_atoms_of_one_name_and_numbers_that_begin_anew_are_kept(tmp_path):
    methane = line("C", "CH4", 1, [0, 0, 0])
    methane += "".join(
        line("H", "CH4", 1, x) for x in 0.63 * np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]])
    )
    water = "".join(line("O", "HOH", k % 3, [5.0 + 3 * k, 0, 0], record="HETATM") for k in range(7))
    found = silent(write(tmp_path / "a.pdb", methane + water))
    assert found.symbols.tolist() == ["C"] + ["H"] * 4 + ["O"] * 7
    sites = line("OW", "SOL", 1, [5, 0, 0], element="O") + line("MW", "SOL", 1, [5.1, 0, 0], element="X")
    found, told = quiet(write(tmp_path / "c.pdb", sites))
    assert found.symbols.tolist() == ["O"] and "1 sites without an atom" in told
    solvent = "".join(line("OW", "SOL", k, [50.0 + 3 * k, 0, 0], element="O") for k in range(99))
    assert silent(write(tmp_path / "b.pdb", chain_of(["ALA"] * 3) + solvent)).symbols.tolist() == ["A"] * 3


def test_mmcif_and_gzip_say_the_same(tmp_path):
    write(tmp_path / "a.pdb", HELIX + SHEET + chain_of(["ALA"] * 8))
    found = silent(tmp_path / "a.pdb")
    assert "".join(found.words("secondary-structure")) == "-HHH-EE-"
    structure = gemmi.read_pdb(str(tmp_path / "a.pdb"))
    structure.setup_entities()
    structure.assign_label_seq_id()
    structure.make_mmcif_document().write_file(str(tmp_path / "a.cif"))
    with gzip.open(tmp_path / "b.cif.gz", "wt") as file:
        file.write((tmp_path / "a.cif").read_text())
    for name in ("a.cif", "b.cif.gz"):
        other = silent(tmp_path / name)
        np.testing.assert_allclose(other.positions, found.positions, atol=1e-6)
        assert "".join(other.words("secondary-structure")) == "-HHH-EE-"


DAMAGED = {
    "words.pdb": ("hello\n", "atoms, got none"),
    "cut.pdb": ("ATOM      1  CA", "a PDB or mmCIF file"),
    "nan.pdb": (
        line("CA", "ALA", 1, [0, 0, 0]).replace("   0.000   0.000", "     nan   0.000"),
        "finite positions",
    ),
    "same.pdb": (residue(1, 0 * STEP) + residue(2, 0 * STEP), "residue 0 of structure 0 on top of residue 1"),
    "a.mmcif": ("data_x\nloop_\n_atom_site.Cartn_x\n'", "a PDB or mmCIF file"),
    "b.mmcif": ("hello", "a PDB or mmCIF file"),
    "c.mmcif": ("data_x\n_a.b c\n", "atoms, got none"),
    "a.pdb.gz": ("hello", "atoms, got none"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_proteins_are_told_in_one_line(name, tmp_path):
    text, expected = DAMAGED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Caveat)
        with pytest.raises(InputError, match=expected) as told:
            load_structures(write(tmp_path / name, text))
    assert "\n" not in str(told.value)


def proteins(folder):
    """Three files of 2, 3 and 2 residues."""
    folder.mkdir(exist_ok=True)
    for name, residues in (("1abc", 2), ("2abc", 3), ("3abc", 2)):
        write(folder / f"{name}.pdb", chain_of(["ALA"] * residues, begin=int(name[0])))
    return folder


def test_a_folder_with_a_table_of_labels(tmp_path):
    folder = proteins(tmp_path / "proteins")
    (folder / ".hidden.pdb").write_text("nothing")
    (folder / "README.md").write_text("not a structure")
    found, _ = quiet(folder)
    assert found.words("file").tolist() == ["1abc.pdb", "2abc.pdb", "3abc.pdb"] and found.sizes.tolist() == [
        2,
        3,
        2,
    ]
    assert is_structure_file(folder)
    write(folder / "labels.csv", "file,gap,fold\n2abc,2.5,beta\n1abc.pdb,1.5,alpha\n3abc,3.5,beta\n")
    found, _ = quiet(folder)
    assert found.values["gap"].tolist() == [1.5, 2.5, 3.5]
    assert found.words("fold").tolist() == ["alpha", "beta", "beta"]
    (folder / "labels.csv").unlink()
    table = {
        "secondary-structure": {"1abc": "H-", "2abc": "-EE", "3abc": "--"},
        "gap": {"1abc": 1, "2abc": 2, "3abc": 3},
    }
    write(folder / "labels.json", json.dumps(table))
    found, _ = quiet(folder)
    assert "".join(found.words("secondary-structure")) == "H--EE--" and found.values["gap"].tolist() == [
        1,
        2,
        3,
    ]
    assert found.per_point >= {"secondary-structure"}
    (folder / "labels.json").unlink()
    np.savez(folder / "labels.npz", **{"1abc": [0.5, 1], "2abc": [1.0, 2, 3], "3abc": [4.0, 5]})
    found, _ = quiet(folder)
    assert found.values["label"].tolist() == [0.5, 1, 1, 2, 3, 4, 5]
    found, told = quiet(folder, labels={"1abc": "a", "2abc": "b", "3abc": "a", "9abc": "a"})
    assert found.words("label").tolist() == ["a", "b", "a"] and "9abc" in told
    with pytest.raises(InputError, match=r"a label for every file, got none for 2abc\.pdb, 3abc\.pdb"):
        load_structures(folder, labels={"1abc": 1})
    with pytest.raises(InputError, match=r"2 labels of 1abc\.pdb, one for each point, got 3"):
        load_structures(folder, labels={"1abc": [1, 2, 3], "2abc": [1, 2, 3], "3abc": [1, 2]})
    with pytest.raises(InputError, match="3 rows, one for each structure, or 7"):
        load_structures(folder, labels={"gap": [1, 2]})


def test_a_folder_for_each_class(tmp_path):
    for name in ("alpha", "beta"):
        (tmp_path / name).mkdir()
        for k in range(2):
            write(
                tmp_path / name / f"{k}.pdb",
                chain_of(["ALA", "GLY"], begin=k + 1, at=k + 5 * (name == "beta")),
            )
    found, _ = quiet(tmp_path)
    assert found.words("class").tolist() == ["alpha", "alpha", "beta", "beta"]
    assert found.words("file").tolist() == ["alpha/0.pdb", "alpha/1.pdb", "beta/0.pdb", "beta/1.pdb"]


def test_a_table_with_a_line_for_each_structure_has_units(tmp_path):
    text = "".join(f"1\n\nHe 0 0 {k}\n" for k in range(3))
    path = write(tmp_path / "a.xyz", text)
    write(tmp_path / "t.csv", "energy,phase\n1,gas\n2,ice\n3,gas\n")
    found = silent(path, labels=tmp_path / "t.csv", units={"energy": "Hartree"})
    np.testing.assert_allclose(found.values["energy"], 27.211386245988 * np.array([1, 2, 3]))
    assert found.words("phase").tolist() == ["gas", "ice", "gas"]
    assert "unit of the label energy is assumed: eV" in quiet(path, labels=tmp_path / "t.csv")[1]


def test_caveats_of_many_files_are_told_once(tmp_path):
    for k in range(3):
        write(tmp_path / f"{k}.xyz", f"1\nenergy={k}\nHe 0 0 {k}\n")
    found, told = quiet(tmp_path)
    assert len(found.warnings) == 1 and "likewise in 2 more of 3 files" in told
    assert found.values["energy"].tolist() == [0, 1, 2]


def test_folders_without_structures(tmp_path):
    with pytest.raises(InputError, match="a folder with files of structures"):
        load_structures(tmp_path)
    with pytest.raises(InputError, match="one file or more"):
        load_structures([])
    with pytest.raises(InputError, match="a file or a named data set"):
        load_structures(tmp_path / "nothing.pdb")
    proteins(tmp_path)
    write(tmp_path / "labels.csv", "file,x\n1abc,1\n1abc,2\n")
    with pytest.raises(InputError, match="one line for each file, got '1abc' twice"):
        load_structures(tmp_path)
    write(tmp_path / "b.xyz", "1\n\nHe 0 0 0\n")
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(InputError, match="files of one kind"):
        load_structures(tmp_path)
