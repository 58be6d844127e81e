"""Structures in memory: their parts, splits and joins; units; points on top of each other, frames twice."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.data import Structures, load_structures
from intertwine.data.structures.coincidences import check_coincidences, repeated_frames
from intertwine.data.structures.quantities import QUANTITIES, derived, parse_unit


def some(seed=0, sizes=(3, 5, 2, 4)):
    """Atoms in boxes, with numbers and words of structures and of atoms."""
    random = np.random.default_rng(seed)
    total = sum(sizes)
    return Structures.of(
        [random.uniform(0, 5, (n, 3)) for n in sizes],
        [random.choice(["H", "C", "O"], n) for n in sizes],
        cells=np.eye(3) * 5 + np.arange(len(sizes))[:, None, None] * np.eye(3),
        periodic=np.array([True, True, False]),
        values={
            "energy": random.normal(size=len(sizes)),
            "forces": random.normal(size=(total, 3)),
            "phase": ["gas", "gas", "ice", "gas"][: len(sizes)],
            "site": random.choice(["a", "b"], total),
            "stress": random.normal(size=(len(sizes), 3, 3)),
        },
        units={"energy": "eV", "forces": "eV/Å", "stress": "eV/Å^3", "positions": "Å"},
    )


def test_parts_are_those_of_the_arrays():
    found = some()
    assert len(found) == 4 and found.total == 14 and found.sizes.tolist() == [3, 5, 2, 4]
    assert found.per_point == {"forces", "site"} and found.dimension == 3
    assert found.structure.tolist() == [0] * 3 + [1] * 5 + [2] * 2 + [3] * 4
    taken = found.take([2, 0, 2])
    assert taken.sizes.tolist() == [2, 3, 2]
    for place, k in enumerate([2, 0, 2]):
        for one, other in zip(taken[place], found[k], strict=True):
            np.testing.assert_array_equal(one, other)
        for name in found.values:
            np.testing.assert_array_equal(taken.of_structure(name, place), found.of_structure(name, k))
    assert taken.words("phase").tolist() == ["ice", "gas", "ice"]
    assert [len(one.positions) for one in found] == [3, 5, 2, 4]
    np.testing.assert_array_equal(found.take(found.sizes > 3).positions, found.take([1, 3]).positions)
    np.testing.assert_array_equal(found[-1].positions, found.take(slice(3, 4)).positions)


def test_splits_keep_groups_and_leave_nothing_out():
    found = Structures.of(np.zeros((20, 1, 3)), ["He"], values={"run": np.arange(20) // 4})
    rest, held = found.split(0.2, by="run", seed=3)
    assert len(rest) == 16 and len(held) == 4
    assert not set(rest.values["run"]) & set(held.values["run"])
    rest, held = found.split(5, seed=1)
    assert len(held) == 5 and len(rest) == 15
    again = found.split(5, seed=1)[1]
    np.testing.assert_array_equal(held.values["run"], again.values["run"])


def test_joined_parts_have_what_all_have():
    first, second = some(0), some(1, (2, 2)).without("energy")
    found = Structures.joined([first, second])
    assert len(found) == 6 and found.total == 18
    np.testing.assert_array_equal(found.take([4, 5]).positions, second.positions)
    assert set(found.values) == {"forces", "phase", "site", "stress"}
    assert "energy (missing in part 1)" in found.warnings[0]
    assert found.words("site").tolist() == [*first.words("site"), *second.words("site")]
    plain = Structures.of(np.zeros((1, 1, 3)), ["H"])
    joined = Structures.joined([first, plain])
    assert joined[4].cell is None and not joined[4].periodic.any()
    cloud = Structures.of(np.zeros((1, 1, 3)))
    with pytest.raises(InputError, match="files of one kind"):
        Structures.joined([first, cloud])
    for wrong in (second, [first, "second"], 3):
        with pytest.raises(InputError, match="structures"):
            first.joined(wrong)


BAD_VALUES = {
    "ragged": ({"x": [[1], [2, 3]]}, "x: expected rows of one shape"),
    "objects": ({"x": [None, 1]}, "x: expected real numbers or words"),
    "none": ({"x": None}, "x: expected real numbers or words, got None"),
    "complex": ({"x": [1j, 1]}, "got type complex128"),
    "dates": ({"x": np.array(["2020", "2021"], "M8[Y]")}, "got type datetime64"),
    "number": ({3: [1, 2]}, "names that are words, got 3"),
    "blank": ({"": [1, 2]}, "names that are words"),
    "list": ([1, 2], "a mapping of name"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_values_are_numbers_or_words(case):
    values, told = BAD_VALUES[case]
    with pytest.raises(InputError, match=told):
        Structures.of(np.zeros((2, 1, 3)), ["He"], values=values)


def test_words_of_one_are_in_the_singular():
    one = Structures.of(np.zeros((1, 1, 3)), ["Xe"])
    assert str(one) == "Structures(1 structure of 1 atom: Xe)"
    assert str(Structures.of(np.zeros((2, 1, 2)))) == "Structures(2 structures of 1 point: point)"


UNITS = [
    ("energy", "kcal/mol", 0.043364104241800934),
    ("energy", "kJ mol^-1", 0.010364269656262),
    ("energy", "Hartree", 27.211386245988),
    ("energy", "cm^-1", 1.239841984332e-4),
    ("energy", "Ry", 13.605693122994),
    ("forces", "Hartree/bohr", 51.42206747),
    ("forces", "kcal/mol/Angstrom", 0.043364104241800934),
    ("forces", "meV / Å", 1e-3),
    ("stress", "GPa", 1 / 160.2176634),
    ("stress", "kbar", 1 / 1602.176634),
    ("positions", "nm", 10.0),
    ("positions", "a.u.", 0.529177210903),
    ("dipole", "Debye", 0.2081943327093559),
    ("dipole", "e*bohr", 0.529177210903),
    ("charges", "e", 1.0),
]


@pytest.mark.parametrize(("quantity", "unit", "factor"), UNITS)
def test_units_are_those_of_codata(quantity, unit, factor):
    assert parse_unit("units", unit, quantity).factor == pytest.approx(factor, rel=2e-9)


@pytest.mark.parametrize("unit", ["", "eV", "furlong", "eV//Å", "eV/Å^99", "eV Å", "1/", "eV/", "/", "eV-Å"])
def test_what_is_no_unit_of_forces_is_refused(unit):
    with pytest.raises(InputError, match="a unit of forces"):
        parse_unit("units", unit, "forces")


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("energy", "kcal"), ("energy", "kJ"), ("forces", "kcal/Å"), ("virial", "cal"), ("energy", "eV/mol"),
        ("forces", "Hartree/mol/bohr"), ("energy", "MeV"), ("stress", "mPa"), ("energies", "kcal"),
    ],
)  # fmt: skip
def test_units_that_nobody_means_are_refused(quantity, unit):
    with pytest.raises(InputError, match=r"/mol for|a unit of"):
        parse_unit("units", unit, quantity)


def test_a_kilocalorie_is_one_of_a_mole():
    with pytest.raises(InputError, match=r"expected kcal/mol for energy, got 'kcal'.* say 'kcal/mol'"):
        parse_unit("units", "kcal", "energy")
    for unit in ("kcal/mole", "kcal mol^-1", "kcal/mol/atom", "kcal*mol**-1"):
        assert parse_unit("units", unit, "energy").factor == pytest.approx(0.043364104241800934, rel=1e-9)
    assert parse_unit("units", "J", "energy").factor == pytest.approx(1 / 1.602176634e-19)


def test_every_quantity_has_its_own_unit():
    for name, (unit, _) in QUANTITIES.items():
        assert parse_unit("units", unit, name).factor == 1.0
    assert derived({"energy": "a.u.", "positions": "bohr"}, "forces") == "Hartree/bohr"
    assert derived({"positions": "bohr"}, "forces") is None


def nearest(one):
    """The shortest distance of two points, over images to either side."""
    steps = [np.zeros(3)]
    if one.cell is not None:
        steps = [np.array(s) @ one.cell for s in np.ndindex(3, 3, 3)]
        steps = [s - one.cell.sum(axis=0) for s in steps]
    x = one.positions
    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    return min(np.linalg.norm(x[i] - x[j] + s) for i, j in pairs for s in steps)


@pytest.mark.parametrize("n", [4, 60])
def test_atoms_on_top_of_each_other_are_found_across_a_skew_cell(n):
    random = np.random.default_rng(n)
    cell = np.array([[4.0, 0, 0], [3.0, 5.0, 0], [-1.0, 2.0, 6.0]]) * (n / 4)
    inside = random.uniform(0, 1, (n, 3)) @ cell
    species = ["C"] * n
    good = Structures.of([inside], species, cells=cell)
    check_coincidences("here", good)
    assert nearest(good[0]) > 1e-3
    for image in ([0, 0, 0], [1, 0, 0], [1, -1, 1]):
        moved = inside.copy()
        moved[-1] = inside[0] + image @ cell + 1e-5
        bad = Structures.of([inside, moved], species, cells=cell)
        with pytest.raises(InputError, match=f"atom 0 of structure 1 on top of atom {n - 1} of structure 1"):
            check_coincidences("here", bad)
    open_ = Structures.of([moved], species)  # without the cell they are far from each other
    check_coincidences("here", open_)


def test_frames_that_come_twice_are_counted():
    found = some()
    assert repeated_frames(found) == 0
    assert repeated_frames(found.take([0, 1, 0, 2, 0])) == 2


def test_points_in_the_plane_and_without_species():
    found = Structures.of(np.random.default_rng(0).normal(size=(4, 6, 2)))
    assert found.kind == "points" and found.dimension == 2 and "4 structures of 6 points" in repr(found)
    kinds = Structures.of(np.zeros((2, 1, 2)), [["b"], ["a"]], kind="points", species_names=("a", "b"))
    assert kinds.symbols.tolist() == ["b", "a"]


WRONG = {
    "no structures": (lambda: Structures.of([]), "one structure or more"),
    "an empty one": (lambda: Structures.of([np.zeros((0, 3))]), "arrays \\(n, 3\\)"),
    "axes": (lambda: Structures.of([np.zeros((3, 4))]), "arrays \\(n, 3\\)"),
    "nan": (lambda: Structures.of([[[0, 0, np.nan]]], ["H"]), "finite positions"),
    "element": (lambda: Structures.of([[[0, 0, 0]]], ["Xx"]), "symbols of elements, got 'Xx'"),
    "number": (lambda: Structures.of([[[0, 0, 0]]], [200]), "atomic numbers from 1 to 118, got 200"),
    "lengths": (lambda: Structures.of(np.zeros((2, 2, 3)), [["H"], ["H"]]), "one symbol or number for every"),
    "cell": (lambda: Structures.of([[[0, 0, 0]]], ["H"], cells=np.ones((3, 3))), "independent vectors"),
    "flat cell": (lambda: Structures.of([[[0, 0, 0]]], ["H"], cells=np.eye(2)), "rows are vectors"),
    "no cell": (lambda: Structures.of([[[0, 0, 0]]], ["H"], periodic=True), "a cell for periodic"),
    "energy": (lambda: some().with_values({"energy": np.zeros(14)}), "4 rows, one per structure"),
    "forces": (lambda: some().with_values({"forces": np.zeros((4, 3))}), "14 rows, one per point"),
    "a value": (lambda: some().with_values({"x": np.zeros(5)}), "4 rows, one per structure, or 14"),
    "rows": (lambda: some().take([4]), "numbers of structures, 0 to 3"),
    "no rows": (lambda: some().take([]), "numbers of structures"),
    "share": (lambda: some().split(0.0), "a share that leaves"),
    "group": (lambda: some().split(0.5, by="forces"), "one number or word a structure"),
    "name": (lambda: some().split(0.5, by="where"), "values of the structures"),
    "words": (lambda: some().words("energy"), "labels in words"),
    "ending": (lambda: some().to_file("x.png"), "a file .xyz, .extxyz or .npz"),
    "kind": (lambda: load_structures("x.xyz", points="cells"), "one of 'atoms', 'residues'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line(case):
    call, expected = WRONG[case]
    with pytest.raises(InputError, match=expected) as told:
        call()
    assert "\n" not in str(told.value)
