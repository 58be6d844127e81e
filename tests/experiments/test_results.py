"""What a run leaves: correlations against brute force, the files against their agreed form."""

import itertools
import json

import numpy as np
import pytest
import xarray

import intertwine as it
from intertwine.cli import main
from intertwine.quantum.observables.correlations import correlations
from intertwine.records.ground_state import SCHEMA
from intertwine.spaces.lattices import lattice_from_name

from .runs import command

LATTICES = [
    "chain:6",
    "chain:5:open",
    "square:3x2",
    "kagome:2x1",
    "honeycomb:2x2",
    "square:2x3:periodic-open",
]


@pytest.mark.parametrize("name", LATTICES)
def test_correlations_against_brute_force(name):
    """C(r) and S(q) of random configurations, written out as double sums over sites."""
    lattice = lattice_from_name(name)
    N = lattice.size
    s = np.random.default_rng(5).choice(np.array([-1, 1], np.int8), size=(4, 8, N))
    found = correlations(lattice, s)
    flat = s.reshape(-1, N).astype(float)
    pairs = flat.T @ flat / len(flat)
    index = lattice.displacement_index
    brute = [pairs[index == c].mean() for c in range(len(lattice.displacements))]
    np.testing.assert_allclose(found.correlation, brute, atol=1e-14)
    r = lattice.positions
    for q, value in zip(lattice.momenta, found.structure_factor, strict=True):
        total = sum(
            pairs[i, j] * np.exp(1j * q @ (r[j] - r[i])) for i, j in itertools.product(range(N), repeat=2)
        )
        np.testing.assert_allclose(value, total.real / N, atol=1e-12)
    assert found.correlation[0] == 1 and found.correlation_error[0] == 0
    assert np.all(found.structure_factor_error > 0) or name == "chain:6"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run"
    assert main(command(path, 40)) == 0
    return path


def test_metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(40))
    assert all(set(SCHEMA.names) <= set(line) for line in lines)
    assert all(line[name] is not None for line in lines for name in SCHEMA.names)


def test_result(folder):
    result = json.loads((folder / "result.json").read_text())
    assert set(result["energy"]) == {"mean", "error", "variance", "tau", "r_hat", "ess", "samples"}
    assert result["kind"] == "ground-state" and result["lattice"] == "chain:6"
    assert result["steps"] == 40 and result["size"] == 6 and result["parameters"] == 6 + 6 + 36
    assert result["energy"]["samples"] == 128
    exact = result["exact"]["energy"]
    assert exact == pytest.approx(-11.211102550927978, abs=1e-9)  # Lanczos and Bethe ansatz, ring of 6
    assert result["relative_error"] == abs(result["energy"]["mean"] - exact) / abs(exact) < 0.02
    assert {"python", "jax", "numpy", "intertwine"} <= set(result["versions"])


def test_dataset(folder):
    with xarray.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        assert dict(data.sizes) | {"displacement": 6, "momentum": 6, "site": 6, "step": 40} == dict(
            data.sizes
        )
        assert float(data["spin_correlation"][0]) == 1.0
        assert float(data["spin_correlation"].sum()) == pytest.approx(0.0, abs=1e-12)  # zero magnetization
        assert float(data["structure_factor"][0]) == pytest.approx(0.0, abs=1e-12)
        assert int(np.argmax(data["structure_factor"].values)) == 3  # q = π: an antiferromagnet
        assert all("units" in data[name].attrs for name in data.data_vars)
        assert data["energy"].sizes == {"step": 40}
        assert data["parameter_weights"].shape == (6, 6)


def test_the_final_files_are_the_only_ones(folder):
    wanted = {
        ".intertwine",
        ".lock",
        "checkpoints",
        "config.toml",
        "metrics.jsonl",
        "report.html",
        "result.json",
        "result.nc",
    }
    assert {p.name for p in folder.iterdir()} == wanted


def test_a_run_folder_knows_its_space(folder, key):
    """⟨Z Z⟩ and ⟨(Σ Z)²⟩ from the loaded run, its model, result.json and the page agree."""
    run, record = it.load(folder), json.loads((folder / "result.json").read_text())
    assert record["magnetization"] == [0] and run.space.magnetizations == (0,)
    assert run.energy.mean == record["energy"]["mean"] and len(run.history["energy"]) == 40
    rows = record["observables"]
    assert rows["total_z_squared"]["mean"] == 0 and rows["total_z_squared"]["error"] == 0
    operator = it.Operator.from_strings
    bonds = sum(operator(6, [(1 / 6, {i: "Z", (i + 1) % 6: "Z"})]) for i in range(6))
    total = sum(operator(6, [(1.0, {i: "Z"})]) for i in range(6))
    for found in (run.expect(bonds), it.expect(bonds, run.model, key=key)):
        error = np.hypot(found.error, rows["zz_neighbours"]["error"])
        assert abs(found.mean - rows["zz_neighbours"]["mean"]) < 4 * error
    assert run.expect(total @ total).mean == 0
    page = (folder / "report.html").read_text()
    assert "⟨(Σ Z)²⟩" in page and "⟨Z Z⟩ of neighbours" in page
    on = it.ground_state(it.heisenberg(it.Chain(6)), run.model, 1, 64, final_samples=64, key=key)
    assert abs(on.energy.mean - run.energy.mean) < 1.0
    with pytest.raises(it.InputError, match="existing run folder"):
        it.load(folder / "nothing")
