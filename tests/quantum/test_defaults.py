"""What the defaults reach, and what is said where a wave function cannot reach it."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import code_of
from intertwine.cli import main
from intertwine.models.names import model_from_name
from intertwine.models.symmetric.sectors import sector_called, sectors
from intertwine.quantum.defaults import build_model, cannot_represent, choose
from intertwine.quantum.ground_sector import ground_sector
from intertwine.quantum.vmc.excited import exact_levels
from intertwine.spaces.lattices import lattice_from_name

EXACT = {
    "chain:9": -15.189199,
    "kagome:2x2": -21.779501,
    "triangular:4x4": -34.222060,
}


def codes(lines):
    return [code_of(line) for line in lines]


def command(tmp_path, *flags):
    assert main(["ground-state", *flags, "--out", str(tmp_path / "run")]) == 0
    return json.loads((tmp_path / "run" / "result.json").read_text())


@pytest.mark.slow
def test_an_odd_ring_whose_ground_state_is_neither_positive_nor_invariant(tmp_path):
    """By the function and by the command, which do the same."""
    run = it.ground_state(it.heisenberg(it.Chain(9)), key=jax.random.key(0))
    assert abs(run.energy.mean / EXACT["chain:9"] - 1) < 1e-6
    assert run.v_score < 1e-6 and run.warnings == ()
    result = command(tmp_path, "--lattice", "chain:9")
    assert result["energy"]["mean"] == pytest.approx(float(run.energy.mean), rel=1e-12)
    assert result["sampling"] == "sums" and result["sector"] == "4π/9 A" and result["warnings"] == []
    chosen = (tmp_path / "run" / "config.toml").read_text()
    assert '"auto"' not in chosen.split("[model]")[1].split("[")[0]


@pytest.mark.parametrize("lattice", ["chain:9", "kagome:2x2", "triangular:4x4"])
def test_the_sector_of_the_ground_state_holds_its_energy(lattice):
    H = it.heisenberg(lattice_from_name(lattice))
    found = ground_sector(H)
    level = exact_levels(H, found.irrep, magnetization=found.magnetization, spin_flip=found.spin_flip)[0]
    assert level == pytest.approx(EXACT[lattice], abs=1e-6)


def test_sectors_are_found_again_by_their_names():
    lattice = it.Square(2, 3)
    for sector in sectors(lattice):
        assert np.allclose(sector_called(lattice, sector.name), sector.row())
    with pytest.raises(it.InputError, match="sector"):
        sector_called(lattice, "π/7 A")


def test_a_positive_model_of_a_frustrated_magnet_is_told(key, tmp_path):
    H = it.heisenberg(it.Chain(5))
    run = it.ground_state(H, it.RBM(5, hidden=5, key=key), steps=2, samples=64, final_samples=64, key=key)
    assert "assumption" in codes(run.warnings)
    small = ["--samples", "128", "--final-samples", "128", "--steps", "2"]
    result = command(tmp_path, "--lattice", "chain:5", "--model", "rbm:1", *small)
    assert "assumption" in codes(result["warnings"])


def test_an_invariant_model_is_told_where_the_ground_state_is_not_invariant(key):
    ring, triangular = it.Chain(9), it.Triangular(4, 4)
    invariant = it.SymmetricRBM(ring, 2, dtype=complex, key=key)
    assert "4π/9" in cannot_represent(it.heisenberg(ring), invariant)[0]
    fits = model_from_name("gcnn:2x2:even", triangular, dtype=complex, key=key)
    assert cannot_represent(it.heisenberg(triangular), fits) == ()
    kagome = it.heisenberg(it.Kagome(2, 2))  # its ground state: momentum 0, odd under some turns
    assert cannot_represent(kagome, it.SymmetricRBM(it.Kagome(2, 2), 2, dtype=complex, key=key)) == ()
    turned = it.SymmetricRBM(it.Kagome(2, 2), 2, dtype=complex, group="space", key=key)
    assert "B2" in cannot_represent(kagome, turned)[0]
    free = it.RBM(9, hidden=9, dtype=complex, key=key)
    assert cannot_represent(it.heisenberg(ring), free) == ()
    assert cannot_represent(it.heisenberg(it.Chain(8)), it.RBM(8, hidden=8, key=key)) == ()


def test_a_state_found_in_another_frame_is_measured_as_written(key):
    H = it.tfim(it.Chain(4), h=-1.0)
    run = it.ground_state(H, key=key)
    energy, psi = it.exact.ground_state(H)
    assert abs(run.energy.mean / energy - 1) < 1e-6
    X = it.Operator.from_strings(4, [(1.0, {0: "X"})])
    assert run.expect(X).mean == pytest.approx(psi @ X.to_dense() @ psi, abs=1e-4)


def test_a_command_whose_signs_a_rotation_takes_away(tmp_path):
    flags = "--lattice chain:6 --hamiltonian tfim --h -1 --model rbm:1 --steps 40 --samples 256"
    result = command(tmp_path, *flags.split())
    assert abs(result["energy"]["mean"] / result["exact"]["energy"] - 1) < 1e-2
    assert result["warnings"] == []


def test_what_is_chosen():
    assert choose(it.heisenberg(it.Chain(20))).model == "symmetric-rbm:8"
    assert choose(it.heisenberg(it.Chain(20))).rule == "auto"
    assert choose(it.heisenberg(it.Square(4, 4))).dtype == "real"
    assert choose(it.heisenberg(it.Triangular(6, 6))).dtype == "complex"
    ferromagnet = choose(it.xxz(it.Chain(10), delta=-2.0))
    assert abs(ferromagnet.magnetization) == 10
    bonds = [(0, 1), (1, 2), (0, 2)]
    bare = it.Operator.from_strings(3, [(1.0, {i: "X", j: "X"}) for i, j in bonds])
    assert choose(bare).rule == "sums"
    ring = it.Chain(30)
    disordered = it.heisenberg(ring) + it.Operator.from_strings(30, [(0.5, {3: "Z"})])
    assert choose(disordered).model == "rbm:2" and choose(disordered).dtype == "real"
    links = it.LinkSites(3, 3), it.LinkSites(4, 4)
    chosen = [choose(it.toric(place, 0.2, hz)) for place in links for hz in (0.0, 0.2)]
    assert [one.model.partition("-")[2] for one in chosen] == [
        "gcnn:2x2:lines", "gcnn:2x2:lines:strings", "rbm:4", "rbm:4:lines:strings",
    ]  # fmt: skip
    assert [one.rule for one in chosen] == ["sums", "sums", "auto", "auto"]
    assert chosen[0].learning_rate == 0.2 and choose(it.tfim(links[1])).model == "symmetric-rbm:8"


def test_what_the_defaults_take_is_not_advised_instead_of_them(key):
    """Beyond the search for the sector, leaving the model out leads to the same caveat."""
    for H in (it.j1j2(it.Square(6, 6), J2=0.5), it.heisenberg(it.Triangular(6, 6))):
        (line,) = cannot_represent(H, build_model(choose(H), H, key))
        assert line.startswith("assumption") and "leave the model out" not in line
    small = it.heisenberg(it.Chain(5))
    assert "leave the model out" in cannot_represent(small, it.RBM(5, hidden=5, key=key))[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "exact", "wanted"),
    [
        ("--lattice square:4x4", -44.913933, 1e-6),
        ("--lattice square:4x4 --hamiltonian j1j2 --J2 0.5", -33.83169341, 1e-4),
        ("--lattice square:4x4 --hamiltonian j1j2 --J2 0.8", -40.149447, 1e-3),
        ("--lattice triangular:4x4", EXACT["triangular:4x4"], 1e-3),
        ("--lattice kagome:2x2", EXACT["kagome:2x2"], 1e-3),
        ("--lattice chain:20:open", -34.72989334, 1e-5),
        ("--lattice square:6x6:open", -86.90714, 5e-4),
    ],
)
def test_the_command_without_flags_reaches_the_ground_state(tmp_path, flags, exact, wanted):
    result = command(tmp_path, *flags.split())
    assert abs(result["energy"]["mean"] / exact - 1) < wanted
