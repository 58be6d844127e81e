"""The page of a run on structures: parity, errors by element, a structure with its bonds, arrows and
classes."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.report import write_report

from .make_structures_run import WATER, make_structures_run
from .test_fields_page import drawn


def test_energies_and_forces_are_drawn(tmp_path):
    page = write_report(make_structures_run(tmp_path / "run", "energies")).read_text()
    plates = drawn(page)
    assert list(plates) == [
        "parity-energy", "parity-forces", "elements-forces", "curve-energy_error", "curve-forces_error",
        "curve-loss", "structure", "turned",
    ]  # fmt: skip
    hydrogen, oxygen, line = plates["parity-forces"]["data"]
    assert (hydrogen["name"], oxygen["name"]) == ("H", "O") and "name" not in line
    np.testing.assert_allclose(hydrogen["y"], 1.1 * np.array(hydrogen["x"]), rtol=1e-4)
    bonds, *atoms, arrows = plates["structure"]["data"]
    joined = [value for value in bonds["x"] if value is not None]
    assert len(joined) == 4 and [a["name"] for a in atoms] == ["O", "H"]  # two bonds, none between hydrogens
    ends = np.array([v for v in arrows["z"] if v is not None]).reshape(3, 2)
    np.testing.assert_allclose(ends[:, 0], WATER[:, 2], atol=1e-4)
    for words in (
        "mean absolute error of 0.08 eV/Å",
        "energy, reference energies, rms",
        "Made for a test.",
        "0.03 eV per point",
    ):
        assert words in page, words


def test_classes_of_residues_are_drawn(tmp_path):
    page = write_report(make_structures_run(tmp_path / "run", "residues")).read_text()
    plates = drawn(page)
    assert list(plates) == ["kinds", "confusion", "curve-accuracy", "curve-loss", "structure", "turned"]
    chain, coil, helix, wrong = plates["structure"]["data"]
    assert None not in chain["x"] and len(chain["x"]) == 8  # no gap along a helix
    assert (coil["name"], helix["name"]) == ("-", "H") and len(coil["x"]) == 5 and len(wrong["x"]) == 1
    assert "87.5 ± 10.0 %" in page or "88 ± 10 %" in page


def test_an_unfinished_run_and_damaged_files(tmp_path):
    folder = make_structures_run(tmp_path / "run", "energies")
    (folder / "result.nc").write_bytes(b"no dataset")
    with pytest.raises(InputError, match=r"result.nc: expected a netCDF-4 file"):
        write_report(folder)
    for name in ("result.json", "result.nc"):
        (folder / name).unlink()
    page = write_report(folder).read_text()
    assert "has not finished: 5 epochs so far" in page and "curve-forces_error" in drawn(page)
