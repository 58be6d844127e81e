"""Files of structures: extended XYZ and npz of many kinds, ASE's, trajectories; units; damaged files."""

import builtins
import gzip
import io
import sys
import warnings

import ase
import ase.db
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from data.test_structures import some
from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.data import Structures, from_ase, load_structures, to_ase
from intertwine.data.structures.loading import is_structure_file

KCAL = 0.043364104241800934


def quiet(*arguments, **named):
    """Loaded, and its caveats as one text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Caveat)
        found = load_structures(*arguments, **named)
    return found, " | ".join(found.warnings)


def silent(*arguments, **named):
    """Loaded without a caveat."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caveat)
        return load_structures(*arguments, **named)


def same(first, second):
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.species, second.species)
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.testing.assert_array_equal(first.periodic, second.periodic)
    if first.cells is None:
        assert second.cells is None
    else:
        np.testing.assert_array_equal(first.cells, second.cells)
    assert first.kind == second.kind and first.per_point == second.per_point and first.names == second.names
    assert first.units == second.units and set(first.values) == set(second.values)
    for name, value in first.values.items():
        np.testing.assert_array_equal(value, second.values[name])
        assert value.dtype.kind == second.values[name].dtype.kind


@pytest.mark.parametrize("ending", ["xyz", "npz"])
def test_what_is_written_is_read_bit_by_bit(ending, tmp_path):
    random = np.random.default_rng(1)
    found = some().with_values(
        {
            "charges": random.normal(size=14),
            "dipole": random.normal(size=(4, 3)),
            "gap": 10.0 ** random.uniform(-300, 300, 4),
            "count": np.arange(4),
            "large": 2**63 - 1 - np.arange(4),
            "good": np.array([True, False, True, True]),
            "hessian": random.normal(size=(14, 3, 3)),
            "moments": random.normal(size=(4, 2, 2)),
            "one": random.normal(size=(4, 1)),
            "tag": np.arange(14),
            "fixed": np.arange(14) % 2 == 0,
            "name": ["x y", 'with "quotes"', "back\\slash", "é = 3"],
        },
        units={"charges": "e", "dipole": "e Å", "gap": "eV"},
    )
    found.to_file(tmp_path / f"some.{ending}")
    same(found, silent(tmp_path / f"some.{ending}"))
    assert [p.name for p in tmp_path.iterdir()] == [f"some.{ending}"]


def test_any_name_and_kind_goes_into_an_archive(tmp_path):
    cloud = Structures.of(
        np.random.default_rng(0).normal(size=(3, 5, 2)), np.tile(["a", "b", "b", "a", "c"], (3, 1)),
        kind="points", species_names=("a", "b", "c"),
        values={"file": ["x", "y", "x"], "allow_pickle": [1, 2, 3]},
    )  # fmt: skip
    cloud.to_file(tmp_path / "cloud.npz")
    same(cloud, silent(tmp_path / "cloud.npz"))
    with pytest.raises(InputError, match="atoms in three dimensions"):
        cloud.to_file(tmp_path / "cloud.xyz")


def test_ase_reads_what_is_written_and_writes_what_is_read(tmp_path):
    found = some()
    found.to_file(tmp_path / "some.xyz")
    frames = ase.io.read(tmp_path / "some.xyz", ":")
    for k, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.positions, found[k].positions)
        np.testing.assert_array_equal(frame.cell.array, found[k].cell)
        np.testing.assert_array_equal(frame.pbc, found[k].periodic)
        np.testing.assert_array_equal(frame.numbers, found[k].species)
        assert frame.get_potential_energy() == found.values["energy"][k]
        np.testing.assert_array_equal(frame.get_forces(), found.of_structure("forces", k))
        assert frame.info["phase"] == found.words("phase")[k]
    ase.io.write(tmp_path / "theirs.xyz", frames)
    theirs, told = quiet(tmp_path / "theirs.xyz")
    np.testing.assert_allclose(theirs.positions, found.positions, atol=1e-8)
    np.testing.assert_allclose(theirs.values["forces"], found.values["forces"], atol=1e-8)
    np.testing.assert_allclose(theirs.cells, found.cells)
    assert theirs.words("phase").tolist() == found.words("phase").tolist()
    assert "assumed" not in told  # the words on units went the whole way


WATER = """3
{comment}
O 0.0 0.0 0.119
H 0.0 0.763 -0.477
H 0.0 -0.763 -0.477
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_plain_files_have_positions_and_at_most_a_number(tmp_path):
    found = silent(write(tmp_path / "a.xyz", WATER.format(comment="water, by hand")))
    assert not found.values and found.symbols.tolist() == ["O", "H", "H"] and found.cells is None
    found = silent(
        write(
            tmp_path / "a.xyz",
            WATER.format(comment="-76.4") + WATER.format(comment=" 2 ").replace("0.119", "0.12"),
        )
    )
    assert found.values["comment"].tolist() == [-76.4, 2.0]
    numbers = WATER.format(comment="").replace("O", "8").replace("H", "1")
    assert silent(write(tmp_path / "a.xyz", numbers)).symbols.tolist() == ["O", "H", "H"]
    more = "1\n\nHe 0 0 0 0.5 0.5\n\n\n"
    found, told = quiet(write(tmp_path / "a.xyz", more))
    assert "columns beyond symbol and position left out" in told and not found.values
    with gzip.open(tmp_path / "b.xyz.gz", "wt") as file:
        file.write(WATER.format(comment=""))
    assert silent(tmp_path / "b.xyz.gz").total == 3


COMMENTS = {
    'energy=-1.5 config="a b" Lattice="4 0 0 1 5 0 0 0 6"': {"energy": -1.5, "config": "a b"},
    "energy=-1.50D+00 config=x pbc='T F T' Lattice={4 0 0 1 5 0 0 0 6}": {"energy": -1.5, "config": "x"},
    'E = -3 "two words"=4 dipole=[1, 2.5, 3] good=T flag': {
        "energy": -3, "two words": 4, "good": True, "flag": True,
    },
    'REF_energy=-2 energy=1 virial="1 2 3 4 5 6 7 8 9" pbc=[true,true,true] Lattice="2,0,0,0,2,0,0,0,2"': {
        "energy": 1, "REF_energy": -2,
    },
}  # fmt: skip


@pytest.mark.parametrize("comment", COMMENTS)
def test_entries_of_the_comment_line(comment, tmp_path):
    text = WATER.format(comment=comment).replace("-0.763", "0.1").replace("-0.477", "0.5")
    found, _ = quiet(write(tmp_path / "a.xyz", text))
    for name, value in COMMENTS[comment].items():
        got = found.words(name)[0] if isinstance(value, str) else found.values[name][0]
        assert got == value
    if "1 5 0" in comment:
        assert found.cells[0].tolist() == [[4, 0, 0], [1, 5, 0], [0, 0, 6]]
        assert found.periodic[0].tolist() == [True, "pbc" not in comment, True]
    if "virial" in comment:
        np.testing.assert_allclose(found.values["stress"][0], -np.arange(1, 10).reshape(3, 3).T / 8)
        assert found.units["stress"] == "eV/Å^3" and "virial" not in found.values
    if "dipole" in comment:
        assert found.values["dipole"].tolist() == [[1, 2.5, 3]]


def test_energies_and_lengths_are_converted_and_said(tmp_path):
    random = np.random.default_rng(2)
    R, F, E = random.normal(size=(6, 4, 3)) * 2, random.normal(size=(6, 4, 3)), random.normal(size=6)
    np.savez(tmp_path / "md.npz", R=R, F=F, E=E, z=[6, 1, 1, 8])
    found, told = quiet(tmp_path / "md.npz")
    assert "assumed: positions as Å, energy as eV, forces as eV/Å" in told
    np.testing.assert_array_equal(found.values["energy"], E)
    found = silent(tmp_path / "md.npz", units={"E": "kcal/mol", "positions": "bohr"})
    np.testing.assert_allclose(found.values["energy"], E * KCAL, rtol=1e-12)
    np.testing.assert_allclose(found.values["forces"].reshape(F.shape), F * KCAL / 0.529177210903, rtol=1e-12)
    np.testing.assert_allclose(found.positions.reshape(R.shape), R * 0.529177210903, rtol=1e-12)
    assert found.units == {"positions": "Å", "energy": "eV", "forces": "eV/Å"}
    np.savez(tmp_path / "said.npz", R=R, F=F, E=E, z=[6, 1, 1, 8], r_unit="Ang", e_unit="kcal/mol", name="x")
    np.testing.assert_allclose(silent(tmp_path / "said.npz").values["energy"], E * KCAL, rtol=1e-12)
    np.savez(
        tmp_path / "r.npz",
        coords=R,
        forces=F,
        energies=E,
        nuclear_charges=[6, 1, 1, 8],
        old_indices=np.arange(6),
    )
    found, told = quiet(tmp_path / "r.npz")
    assert "rMD17" in told and "assumed" not in told
    np.testing.assert_allclose(found.values["energy"], E * KCAL, rtol=1e-12)
    with pytest.raises(InputError, match=r"values of md\.npz"):
        load_structures(tmp_path / "md.npz", units={"heat": "eV"})
    with pytest.raises(InputError, match="a unit of energy"):
        load_structures(tmp_path / "md.npz", units={"energy": "eV/Å"})
    xyz = WATER.format(comment='energy=-2 units="energy=Hartree"')
    assert silent(write(tmp_path / "u.xyz", xyz)).values["energy"][0] == pytest.approx(-54.422772491976)


def test_energies_of_all_electrons_tell_their_unit(tmp_path):
    R = np.random.default_rng(0).normal(size=(2, 9, 3)) * 2
    np.savez(tmp_path / "e.npz", R=R, E=[-97208.0, -97210.0], z=[6, 6, 8, 1, 1, 1, 1, 1, 1])
    assert 'say units={"energy": "kcal/mol"}' in quiet(tmp_path / "e.npz")[1]
    np.savez(tmp_path / "e.npz", R=R, E=[-4215.0, -4215.1], z=[6, 6, 8, 1, 1, 1, 1, 1, 1])
    assert "all electrons" not in quiet(tmp_path / "e.npz")[1]


def test_archives_of_padded_ragged_and_single_structures(tmp_path):
    found = some()
    mask = np.arange(5) < found.sizes[:, None]
    padded = {
        name: np.zeros((4, 5, *shape)) for name, shape in (("R", (3,)), ("Z", ()), ("F", (3,)), ("q", ()))
    }
    q = np.arange(14.0)
    for name, value in (
        ("R", found.positions),
        ("Z", found.species),
        ("F", found.values["forces"]),
        ("q", q),
    ):
        padded[name][mask] = value
    np.savez(tmp_path / "p.npz", **padded, E=found.values["energy"], cell=found.cells, pbc=found.periodic)
    read, _ = quiet(tmp_path / "p.npz", units={"energy": "eV", "positions": "Å"})
    np.testing.assert_array_equal(read.values["q"], q)
    assert read.per_point == {"forces", "q"}
    np.savez(
        tmp_path / "f.npz", positions=found.positions, symbols=found.symbols, sizes=found.sizes,
        lattice=found.cells, periodic=found.periodic, forces=found.values["forces"],
        energy=found.values["energy"],
    )  # fmt: skip
    flat, _ = quiet(tmp_path / "f.npz")
    for other in (read, flat):
        np.testing.assert_array_equal(other.positions, found.positions)
        np.testing.assert_array_equal(other.species, found.species)
        np.testing.assert_array_equal(other.offsets, found.offsets)
        np.testing.assert_array_equal(other.cells, found.cells)
        np.testing.assert_array_equal(other.values["forces"], found.values["forces"])
    np.savez(
        tmp_path / "s.npz", positions=found[1].positions, numbers=found[1].species, energy=-1.0, box=[9, 9, 9]
    )
    single, _ = quiet(tmp_path / "s.npz")
    assert len(single) == 1 and single.values["energy"].tolist() == [-1.0] and single.cells[0, 2, 2] == 9
    np.savez(
        tmp_path / "c.npz", positions=np.random.default_rng(0).normal(size=(7, 6, 3)), label=list("aabbabb")
    )
    cloud = silent(tmp_path / "c.npz")
    assert cloud.kind == "points" and cloud.words("label").tolist() == list("aabbabb")
    assert cloud.units.get("positions", "") == ""


def test_a_vector_of_three_atoms_is_told(tmp_path):
    R = np.random.default_rng(0).normal(size=(5, 3, 3))
    np.savez(
        tmp_path / "w.npz",
        R=R,
        z=[8, 1, 1],
        dipole=R[:, 0],
        drift=R[:, 1],
        F=R,
        q=R[..., 0],
        units=["F=eV/Å"],
    )
    found, told = quiet(tmp_path / "w.npz")
    assert found.per_point == {"forces"} and found.values["dipole"].shape == (5, 3)
    assert "drift of shape (5, 3) is taken for one vector a structure" in told


def test_lengths_and_angles_are_a_cell(tmp_path):
    np.savez(tmp_path / "a.npz", positions=[[0.1, 0.2, 0.3]], numbers=[2], cell=[3.0, 4, 5, 80, 95, 105])
    cell = quiet(tmp_path / "a.npz")[0].cells[0]
    np.testing.assert_allclose(cell, ase.cell.Cell.new([3, 4, 5, 80, 95, 105]).array, atol=1e-12)


def test_positions_outside_are_wrapped_and_told(tmp_path):
    random = np.random.default_rng(3)
    cell = np.array([[4.0, 0, 0], [3.0, 5.0, 0], [-1.0, 2.0, 6.0]])
    inside = random.uniform(0.05, 0.95, (6, 3)) @ cell
    shifted = inside.copy()
    shifted[:3] += np.array([[1, 0, 0], [-2, 3, 0], [0, 0, 1]]) @ cell
    Structures.of([shifted], ["He"] * 6, cells=cell, units={"positions": "Å"}).to_file(tmp_path / "a.xyz")
    found, told = quiet(tmp_path / "a.xyz")
    assert "3 positions outside of their periodic cells are wrapped" in told
    np.testing.assert_allclose(found.positions, inside, atol=1e-12)
    np.testing.assert_array_equal(found.positions[3:], inside[3:])
    Structures.of([shifted], ["He"] * 6, cells=cell, periodic=[True, True, False]).to_file(tmp_path / "b.npz")
    open_, _ = quiet(tmp_path / "b.npz")
    np.testing.assert_allclose(open_.positions[:2], inside[:2], atol=1e-12)
    np.testing.assert_array_equal(open_.positions[2], shifted[2])


def test_frames_twice_and_values_that_some_lack_are_told(tmp_path):
    one, other = WATER.format(comment="energy=1 gap=2"), WATER.format(comment="energy=1")
    found, told = quiet(
        write(tmp_path / "a.xyz", one + other + WATER.format(comment="energy=2").replace("0.119", "0.2"))
    )
    assert "1 of 3 structures is another again" in told and "gap (missing in 2 of 3 frames)" in told
    assert set(found.values) == {"energy"}
    found, told = quiet(write(tmp_path / "a.xyz", WATER.format(comment="energy=1 gap=nan")))
    assert "gap is missing (nan) in 1 of 1 row" in told


def with_calculator(atoms, seed=0):
    random = np.random.default_rng(seed)
    atoms.calc = SinglePointCalculator(
        atoms, energy=random.normal(), forces=random.normal(size=(len(atoms), 3)),
        stress=random.normal(size=6), dipole=random.normal(size=3), charges=random.normal(size=len(atoms)),
    )  # fmt: skip
    return atoms


@pytest.mark.parametrize("name", ["a.traj", "a.db", "POSCAR", "a.cif", "a.xsf"])
def test_files_of_ase(name, tmp_path):
    random = np.random.default_rng(0)
    frames = [ase.Atoms("H2O", random.uniform(0.5, 3, (3, 3)), cell=[4, 5, 6], pbc=True) for _ in range(3)]
    frames = [with_calculator(frame, k) for k, frame in enumerate(frames)]
    if name == "a.db":
        with ase.db.connect(tmp_path / name) as base:
            for k, frame in enumerate(frames):
                base.write(frame, phase="ice", number=k)
    elif name in ("POSCAR", "a.cif"):
        frames = frames[:1]
        ase.io.write(tmp_path / name, frames[0])
    else:
        ase.io.write(tmp_path / name, frames)
    found = silent(tmp_path / name)
    assert len(found) == len(frames) and is_structure_file(tmp_path / name)
    for one, frame in zip(found, frames, strict=True):
        np.testing.assert_allclose(one.positions, frame.positions, atol=1e-6)
        np.testing.assert_array_equal(one.species, frame.numbers)
        np.testing.assert_allclose(one.cell, frame.cell.array, atol=1e-6)
    if name in ("a.traj", "a.db"):
        calculators = [frame.calc for frame in frames]
        assert found.values["energy"].tolist() == [c.results["energy"] for c in calculators]
        np.testing.assert_array_equal(
            found.values["forces"], np.concatenate([f.get_forces() for f in frames])
        )
        np.testing.assert_array_equal(found.values["stress"], [f.get_stress(voigt=False) for f in frames])
        np.testing.assert_array_equal(
            found.values["charges"], np.concatenate([f.get_charges() for f in frames])
        )
        assert found.per_point == {"forces", "charges"} and found.values["dipole"].shape == (3, 3)
    if name == "a.db":
        assert found.words("phase").tolist() == ["ice"] * 3 and found.values["number"].tolist() == [0, 1, 2]


def test_objects_of_ase_both_ways():
    found = some().with_values({"charges": np.arange(14.0), "name": list("abcd"), "tag": np.arange(14)})
    stress = found.values["stress"] + found.values["stress"].swapaxes(1, 2)
    found = found.with_values({"stress": stress})
    frames = to_ase(found)
    assert frames[1].get_potential_energy() == found.values["energy"][1] and frames[1].info["name"] == "b"
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caveat)
        again = from_ase(frames)
    np.testing.assert_array_equal(again.positions, found.positions)
    np.testing.assert_array_equal(again.cells, found.cells)
    np.testing.assert_array_equal(again.periodic, found.periodic)
    assert again.per_point == found.per_point and again.names == found.names
    for name, value in found.values.items():
        np.testing.assert_array_equal(again.values[name], value)
    with pytest.raises(InputError, match=r"objects ase\.Atoms"):
        from_ase([])


@pytest.mark.parametrize("package", ["ase", "gemmi", "MDAnalysis"])
def test_a_missing_package_is_told_with_the_extra(package, tmp_path, monkeypatch):
    files = {"ase": ["a.traj"], "gemmi": ["a.pdb"], "MDAnalysis": ["a.gro", "a.xtc"]}[package]
    for name in files:
        (tmp_path / name).write_bytes(b"something")
    original = builtins.__import__

    def without(name, *arguments, **named):
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return original(name, *arguments, **named)

    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(builtins, "__import__", without)
    paths = [tmp_path / name for name in files]
    with pytest.raises(InputError, match=rf"the package {package}, which reads .*pip install"):
        load_structures(paths if len(paths) > 1 else paths[0])


def archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


ATOMS = np.array([[[0.0, 0, 0], [1.0, 0, 0]]])
OBJECTS = np.array([None, 1], object)
DAMAGED = {
    "empty.xyz": (b"", "a file with data in it"),
    "blank.xyz": (b"\n \n", "a file with frames of atoms"),
    "words.xyz": (b"hello\nworld\n", "a number of atoms in line 1, got 'hello'"),
    "minus.xyz": (b"-3\n\n", "a number of atoms in line 1"),
    "huge.xyz": (b"99999999999\n\nH 0 0 0\n", "a number of atoms in line 1"),
    "cut.xyz": (b"3\n\nH 0 0 0\nH 0 0 1\n", "3 lines of atoms after line 2, got '?2"),
    "count.xyz": (b"1\n", "1 line of atoms after line 2, got '?0"),
    "none.xyz": (b"0\n\n", "a number of atoms in line 1"),
    "columns.xyz": (b"2\n\nH 0 0 0\nH 0 0\n", "4 columns in line 4"),
    "number.xyz": (b"2\n\nH 0 0 0\nH 0 zero 1\n", "numbers of pos in line 4, got '0 zero 1'"),
    "nan.xyz": (b"1\n\nH 0 nan 0\n", "finite positions, got a number that is not, atom 0 of structure 0"),
    "element.xyz": (b"2\n\nH 0 0 0\nQq 0 0 1\n", "symbols of elements, got 'Qq' .atom 1"),
    "again.xyz": (b"2\n\nH 0 0 0\nH 0 0 0.0001\n", "atom 0 of structure 0 on top of atom 1"),
    "lattice.xyz": (b'1\nLattice="1 2 3 4"\nH 0 0 0\n', "nine numbers of Lattice in line 2"),
    "flat.xyz": (b'1\nLattice="1 0 0 1 0 0 0 0 1"\nH 0 0 0\n', "three independent vectors"),
    "pbc.xyz": (b'1\nLattice="1 0 0 0 1 0 0 0 1" pbc="maybe"\nH 0 0 0\n', "pbc="),
    "quote.xyz": (b'1\nenergy="1\nH 0 0 0\n', "entries key=value in line 2"),
    "layout.xyz": (b"1\nProperties=species:S:1:pos:R\nH 0 0 0\n", "Properties=name"),
    "without.xyz": (b"1\nProperties=species:S:1:force:R:3\nH 0 0 0\n", "species and pos among"),
    "two.xyz": (b"1\nProperties=species:S:1:pos:R:2\nH 0 0\n", "three real columns of positions"),
    "energy.xyz": (
        b"1\nenergy=nan\nH 0 0 0\n",
        "energy: expected finite numbers, got one that is not, of structure 0",
    ),
    "forces.xyz": (
        b"1\nProperties=species:S:1:pos:R:3:forces:R:3\nH 0 0 0 1 inf 0\n",
        "forces: expected finite numbers, got one that is not, of atom 0 of structure 0",
    ),
    "energies.xyz": (b"1\nenergy=low\nH 0 0 0\n", "energy: expected numbers, got words"),
    "forces2.xyz": (b"1\nforces=3\nH 0 0 0\n", "forces"),
    "bytes.xyz": (bytes(range(256)), "a number of atoms in line 1"),
    "a.xyz.gz": (b"\x1f\x8b\x08\x00cut", "a whole file"),
    "zip.npz": (b"PK\x03\x04cut", "a whole .npz archive"),
    "positions.npz": (archive(x=np.zeros(3)), "positions among the arrays"),
    "pickle.npz": (archive(R=ATOMS, z=OBJECTS), "which is never read"),
    "complex.npz": (archive(R=ATOMS, z=[1, 1], wave=[1j]), "complex.npz: wave: expected real numbers"),
    "shape.npz": (archive(R=np.zeros((2, 4)), z=[1, 1]), "numbers .S, n, 3."),
    "nothing.npz": (archive(R=np.zeros((0, 4, 3)), z=[1] * 4), "one point or more"),
    "species.npz": (
        archive(R=ATOMS, z=[1, 1, 1]),
        "species: expected shape .2,. or .1, 2., as the positions",
    ),
    "half.npz": (archive(R=ATOMS, z=[1.5, 1]), "atomic numbers or symbols"),
    "offsets.npz": (archive(R=ATOMS[0], z=[1, 1], offsets=[0, 3]), "rising whole numbers from 0 to 2"),
    "offsets2.npz": (archive(R=ATOMS[0], z=[1, 1], offsets=[0, 0, 2]), "rising whole numbers"),
    "sizes.npz": (archive(R=ATOMS, z=[1, 1], sizes=[3]), "at most the 2 places"),
    "all.npz": (archive(R=np.concatenate([ATOMS, ATOMS]), z=[[1, 1], [0, 0]]), "none in structure 1"),
    "cell.npz": (archive(R=ATOMS, z=[1, 1], cell=np.zeros((2, 2))), "cell: expected shape"),
    "cellnan.npz": (archive(R=ATOMS, z=[1, 1], cell=np.full((3, 3), np.nan)), "finite cells"),
    "unit.npz": (archive(R=ATOMS, z=[1, 1], E=[1.0], units=["E=miles"]), "a unit of energy"),
    "force.npz": (archive(R=ATOMS, z=[1, 1], F=np.zeros((1, 2, 2))), "forces"),
    "a.traj": (b"- of Ulmcut", "a whole file of the format traj"),
    "b.traj": (b"\x80\x04\x95pickle", "begins with"),
    "a.db": (b"SQLite format 3\0cut", "a whole file of the format db"),
    "b.db": (b"hello", "begins with"),
    "POSCAR": (b"x\n1\n", "a whole file of the format vasp"),
    "a.cif": (b"data_x\n", "the format cif|with atoms"),
    "a.py": (b"import os", "a file of structures"),
    "a.xtc": (b"x", "give its topology first"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_told_in_one_line(name, tmp_path):
    content, expected = DAMAGED[name]
    (tmp_path / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Caveat)
        with pytest.raises(InputError, match=expected) as told:
            load_structures(tmp_path / name)
    assert "\n" not in str(told.value)
    assert [p.name for p in tmp_path.iterdir()] == [name] and (tmp_path / name).read_bytes() == content


def test_any_part_of_a_file_is_whole_or_refused(tmp_path):
    """Cut between frames a file has fewer of them, cut within one it is refused in one line."""
    found = some()
    found.to_file(tmp_path / "whole.xyz")
    whole = (tmp_path / "whole.xyz").read_bytes()
    lines, read = whole.splitlines(keepends=True), 0
    frames = np.cumsum([sum(map(len, lines[o + 2 * k : o + 2 * k + 2 + n])) for k, (o, n) in
                        enumerate(zip(found.offsets, found.sizes, strict=False))])  # fmt: skip
    for end in [*range(0, len(whole) - 40, 97), *frames]:
        (tmp_path / "cut.xyz").write_bytes(whole[:end])
        try:
            read += quiet(tmp_path / "cut.xyz")[0].total
        except InputError as error:
            assert "\n" not in str(error)
    assert read == np.cumsum(found.sizes).sum()


def test_a_trajectory_beside_its_topology(tmp_path):
    analysis = pytest.importorskip("MDAnalysis")
    positions = np.random.default_rng(0).uniform(0, 9, (4, 3, 3)).astype(np.float32)
    ase.io.write(tmp_path / "top.pdb", ase.Atoms("OH2", positions[0]), format="proteindatabank")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = analysis.Universe.empty(3, trajectory=True)
        universe.load_new(positions, dimensions=np.tile([10.0, 11, 12, 90, 80, 70], (4, 1)))
        universe.atoms.write(str(tmp_path / "run.dcd"), frames="all")
    found, _ = quiet([tmp_path / "top.pdb", tmp_path / "run.dcd"])
    assert len(found) == 4 and found.symbols[:3].tolist() == ["O", "H", "H"]
    np.testing.assert_allclose(found.cells[0], ase.cell.Cell.new([10, 11, 12, 90, 80, 70]).array, atol=1e-4)
    apart = np.linalg.norm(found.positions.reshape(4, 3, 3) - positions, axis=-1)
    assert (apart < 1e-5).sum() >= 6  # the others were outside of their cells


def test_charges_of_atoms_have_one_name_and_a_unit(tmp_path):
    atoms = ase.Atoms("H2O", [[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    atoms.arrays["charges"], atoms.info["charge"] = np.array([0.4, 0.4, -0.8]), 1.0
    ase.io.write(tmp_path / "q.xyz", atoms, format="extxyz")
    found, told = quiet(tmp_path / "q.xyz", units={"charges": "e"})
    assert found.values["charges"].tolist() == [0.4, 0.4, -0.8] and found.units["charges"] == "e"
    assert found.values["charge"].tolist() == [1.0] and found.per_point == {"charges"}
    assert "charge is one a structure and one a point: the latter is called charges" in told
    R = np.random.default_rng(0).normal(size=(2, 4, 3))
    np.savez(tmp_path / "q.npz", R=R, z=[6, 1, 1, 8], charge=R[..., 0])
    np.testing.assert_array_equal(quiet(tmp_path / "q.npz")[0].values["charges"], R[..., 0].reshape(-1))
    np.savez(tmp_path / "q.npz", R=R, z=[6, 1, 1, 8], charge=[1, -1])
    assert quiet(tmp_path / "q.npz")[0].values["charge"].tolist() == [1, -1]
    labels = {"charge": {"plain": 1}}
    labelled = silent(write(tmp_path / "plain.xyz", WATER.format(comment="")), labels=labels)
    assert labelled.values["charge"].tolist() == [1] and not labelled.per_point


def test_values_of_atoms_follow_those_of_structures(tmp_path):
    layout = "Properties=species:S:1:pos:R:3:energies:R:1"
    text = f"2\n{layout} energy=-3\nAr 0 0 0 -1\nAr 0 0 3 -2\n"
    kcal = {"energy": "kcal/mol"}
    for name in ("energies", "energy", "local_energy"):
        found, told = quiet(write(tmp_path / "e.xyz", text.replace("energies", name)), units=kcal)
        np.testing.assert_allclose(found.values["energies"], [-KCAL, -2 * KCAL], rtol=1e-12)
        assert found.values["energies"].sum() == pytest.approx(found.values["energy"][0])
        assert found.units["energies"] == "eV" and "assumed" not in told
    R = np.random.default_rng(0).normal(size=(2, 4, 3))
    np.savez(tmp_path / "e.npz", R=R, z=[6, 1, 1, 8], energies=R[..., 0], E=R[..., 0].sum(1))
    found, told = quiet(tmp_path / "e.npz")
    np.testing.assert_array_equal(found.values["energies"], R[..., 0].reshape(-1))
    assert "energies as eV" in told and found.per_point == {"energies"}
    text = "1\nProperties=species:S:1:pos:R:3:dipole:R:3 REF_dipole=[0,0,1]\nAr 0 0 0 1 2 3\n"
    found, _ = quiet(write(tmp_path / "d.xyz", text))
    assert found.values["atom-dipole"].tolist() == [[1, 2, 3]]
    assert found.values["dipole"].tolist() == [[0, 0, 1]]
    text = "1\nProperties=species:S:1:pos:R:3:forces:R:3\nAr 0 0 0 1 2 3\n"
    found = silent(write(tmp_path / "f.xyz", text), units={"energy": "kcal/mol"})
    np.testing.assert_allclose(found.values["forces"], [[KCAL, 2 * KCAL, 3 * KCAL]], rtol=1e-12)


def test_gradients_are_forces_of_the_other_sign(tmp_path):
    R = np.random.default_rng(0).normal(size=(3, 4, 3)) * 3
    np.savez(tmp_path / "g.npz", coords=R, z=[6, 1, 1, 8], energy=R[:, 0, 0], gradients=R)
    found, told = quiet(tmp_path / "g.npz", units={"energy": "Hartree", "positions": "bohr"})
    np.testing.assert_allclose(found.values["forces"], -51.42206747 * R.reshape(-1, 3), rtol=1e-8)
    assert "forces are -gradients" in told and found.units["forces"] == "eV/Å"
    np.savez(tmp_path / "t.npz", coords=R, z=[6, 1, 1, 8], gradient=[1.0, 2, 3])  # of temperature
    assert quiet(tmp_path / "t.npz")[0].values["gradient"].tolist() == [1, 2, 3]
    np.savez(tmp_path / "c.npz", positions=R, gradient=R, E=["a", "b", "a"], F=[1, 2, 3])  # of no energy
    cloud = silent(tmp_path / "c.npz")
    assert {"gradient", "E", "F"} == set(cloud.values) and cloud.words("E").tolist() == ["a", "b", "a"]


def test_which_of_two_energies_is_taken_is_told(tmp_path):
    text = write(tmp_path / "a.xyz", WATER.format(comment="energy=-1 REF_energy=-2"))
    found, told = quiet(text)
    assert "of energy and REF_energy, which differ, energy is taken for energy; REF_energy stays" in told
    other = found.without("energy").renamed({"REF_energy": "energy"})
    assert other.values["energy"].tolist() == [-2]
    with pytest.raises(InputError, match="'energy' for two"):
        found.renamed({"REF_energy": "energy"})
    assert (
        "differ" not in quiet(write(tmp_path / "a.xyz", WATER.format(comment="energy=-1 REF_energy=-1")))[1]
    )


def test_json_in_the_comment_line_as_ase_writes_it(tmp_path):
    atoms = ase.Atoms("He")
    atoms.info |= {
        "mat": np.arange(6).reshape(2, 3), "polar": np.arange(9.0).reshape(3, 3), "nine": np.arange(9),
        "one": np.array([1.5]), "parts": {"a": 1}, "words": ["a", "b"], "flags": np.eye(2) > 0,
    }  # fmt: skip
    arrays, others = ("mat", "polar", "nine", "flags"), ("parts", "words", "rows")
    ase.io.write(tmp_path / "theirs.xyz", atoms, format="extxyz")
    theirs = ase.io.read(tmp_path / "theirs.xyz").info
    atoms.info["rows"] = [[1], [2, 3]]  # which ASE writes and does not read
    ase.io.write(tmp_path / "a.xyz", atoms, format="extxyz")
    found, told = quiet(tmp_path / "a.xyz")
    with warnings.catch_warnings(record=True):
        of_objects = from_ase(atoms)
    for name in others:
        assert name not in found.values and name not in of_objects.values
        for line in (told, of_objects.warnings[0]):
            assert f"{name} (neither numbers nor one word a structure)" in line
    found.to_file(tmp_path / "b.xyz")
    again = ase.io.read(tmp_path / "b.xyz").info
    for name in arrays:
        np.testing.assert_array_equal(found.values[name][0], theirs[name])
        np.testing.assert_array_equal(again[name], theirs[name])
    found, _ = quiet(write(tmp_path / "a.xyz", WATER.format(comment='energy="_JSON 70.388"')))
    assert found.values["energy"].tolist() == [70.388]


def test_names_that_an_archive_uses_are_those_of_the_user_too(tmp_path):
    R = np.random.default_rng(0).normal(size=(5, 7, 3))
    np.savez(
        tmp_path / "k.npz", positions=R, kind=list("ababa"), units=np.arange(5), lattice=list("ccbcb"),
        r_unit=np.arange(5), coords=-R,
    )  # fmt: skip
    found, told = quiet(tmp_path / "k.npz")
    assert found.words("kind").tolist() == list("ababa") and found.words("lattice").tolist() == list("ccbcb")
    assert found.values["units"].tolist() == found.values["r_unit"].tolist() == list(range(5))
    assert found.values["coords"].shape == (35, 3) and "coords beside other positions" in told
    names = (
        "kind",
        "units",
        "numbers",
        "cell",
        "N",
        "offsets",
        "words of kind",
        "values of kind",
        "box",
        "R",
    )
    every = found.without("coords").with_values({name: np.arange(5) for name in names})
    every = every.with_values({"kind": list("xyxyy")})
    every.to_file(tmp_path / "every.npz")
    same(every, silent(tmp_path / "every.npz"))
    np.savez(
        tmp_path / "z.npz", R=R, z=[6] * 7, Z=np.arange(7), symbols=["C"] * 7, E=R[:, 0, 0], units="kcal/mol"
    )
    found, told = quiet(tmp_path / "z.npz")
    assert (
        "symbols" not in found.values and "Z (7,)" in told and "units 'kcal/mol' does not say of what" in told
    )
    taken = some().with_values({"pbc": ["a", "b", "a", "b"]})
    with pytest.raises(InputError, match=r"names that XYZ does not use itself, got 'pbc'; rename it"):
        taken.to_file(tmp_path / "a.xyz")
    taken.renamed({"pbc": "edges"}).to_file(tmp_path / "a.xyz")
    assert silent(tmp_path / "a.xyz").words("edges").tolist() == ["a", "b", "a", "b"]


def test_labels_in_the_place_of_values_are_told(tmp_path):
    for name in ("a", "b"):
        text = WATER.format(comment=f"phase=gas file={name}0").replace("0.119", f"0.{ord(name)}")
        write(tmp_path / f"{name}.xyz", text)
    found, told = quiet(tmp_path, labels={"phase": {"a": "solid", "b": "gas"}})
    assert found.words("phase").tolist() == ["solid", "gas"]
    assert found.words("file").tolist() == ["a.xyz", "b.xyz"] and "values file of the files" in told
    assert "labels that take the place of values in the files: phase" in told
    found, told = quiet(tmp_path, labels={"phase": {"a": "ice", "b": "gas"}})
    assert found.words("phase").tolist() == list("icegas")
    assert "phase: words of as many letters as atoms, such as 'ice', are a letter for each atom" in told


def test_what_other_programs_write_is_read_as_ase_reads_it(tmp_path):
    comment = 'Lattice="5 0 0 0 5 0 0 0 5" pbc="1 0 1" good=TRUE ENERGY=-1 Dipole="1 2 3" Properties={}'
    text = f"2\n{comment}\nHe 0 0 0\nHe 0 0 1\n".format("species:S:1:pos:I:3")
    found, _ = quiet(write(tmp_path / "a.xyz", "\ufeff" + text.replace("\n", "\r\n")))
    theirs = ase.io.read(write(tmp_path / "b.xyz", text))
    np.testing.assert_array_equal(found.positions, theirs.positions)
    assert found.periodic[0].tolist() == theirs.pbc.tolist() == [True, False, True]
    assert found.values["good"].tolist() == [theirs.info["good"]] == [True]
    assert found.values["energy"].tolist() == [-1] and found.values["dipole"].tolist() == [[1, 2, 3]]
    for wrong in ('pbc="1 2 1"', 'pbc="T F"', "pbc=maybe"):
        with pytest.raises(InputError, match="pbc="):
            load_structures(write(tmp_path / "a.xyz", text.replace('pbc="1 0 1"', wrong)))
    R = np.random.default_rng(0).normal(size=(2, 3, 3)) * 3
    np.savez(tmp_path / "a.npz", R=R, atomic_number=[8, 1, 1], Energies=[1.0, 2.0], Gradients=R)
    found, _ = quiet(tmp_path / "a.npz", units={"Energies": "eV"})
    assert found.symbols[:3].tolist() == ["O", "H", "H"] and found.values["energy"].tolist() == [1, 2]
    np.testing.assert_array_equal(found.values["forces"], -R.reshape(-1, 3))
