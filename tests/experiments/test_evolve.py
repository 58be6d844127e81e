"""The command `evolve`, as a user calls it: against exact curves, from runs, with ramps, and its errors."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.experiments.evolve.build import complex_of
from thinned import thinned

SMALL = ["--lattice", "chain:6", "--model", "symmetric-rbm:4", "--time", "0.4", "--points", "3"]


def record(folder):
    return json.loads((folder / "result.json").read_text())


def test_a_quench_without_options_but_the_size(tmp_path, capsys):
    """The exact curves are beside it; the state at the end goes on into what takes a wave function."""
    folder = tmp_path / "run"
    assert main(["evolve", *SMALL, "--out", str(folder)]) == 0
    found, told = record(folder), capsys.readouterr().out
    assert found["warnings"] == [] and found["exact"].startswith("Krylov") and "exact curves" in told
    assert max(found["deviation"][name] for name in ("X", "ZZ1", "ZZ2", "ZZ3", "entropy")) < 1e-4
    assert found["bound"] < 1e-2 and found["trusted_until"] == 0.4
    ring = it.exact.IsingRing(6, J=1.0, h=1.0).quench([0.4])[0]
    assert found["observables"]["X"]["mean"] == pytest.approx(ring.X, abs=1e-4)
    page = (folder / "report.html").read_text()
    assert "Certificate" in page and "Dashed: the exact curve" in page
    run = it.load(folder)
    assert run["X"][0] == pytest.approx(1.0) and run.times.tolist() == [0.0, 0.2, 0.4]
    H = it.tfim(it.Chain(6), h=1.0)
    energy = it.expect(H, run.model, sampler=it.Enumeration(), key=jax.random.key(0))
    assert energy.mean == pytest.approx(-6, abs=1e-3)
    assert it.entanglement.von_neumann(run, range(3)) == pytest.approx(ring.entropy(3), abs=1e-3)


@pytest.mark.slow
def test_a_long_ring_has_the_curves_of_free_fermions(tmp_path):
    folder = tmp_path / "run"
    flags = "--lattice chain:16 --model symmetric-rbm:2 --time 0.02 --points 2 --samples 256 --observe 1024"
    assert main(["evolve", *flags.split(), "--distances", "1", "--h", "0.5", "--out", str(folder)]) == 0
    found = record(folder)
    assert found["exact"] == "free fermions" and found["judged"] is False
    page = (folder / "report.html").read_text()
    assert "is not bounded" in page and "≤ " not in page.partition("Magnetization")[0]
    for values in found["observables"].values():
        assert abs(values["mean"] - values["exact"]) < 5 * values["error"] + 1e-2


def test_a_ramp_against_vectors_and_fermions(tmp_path):
    folder = tmp_path / "run"
    assert main(["evolve", *SMALL, "--ramp", "h=2.0", "--h", "0.5", "--out", str(folder)]) == 0
    found = record(folder)
    assert found["deviation"]["X"] < 1e-4
    exact = it.exact.ramped_ising_ring(6, lambda t: 0.5 + 1.5 * t / 0.4, [0.4])[0]
    assert found["observables"]["X"]["exact"] == pytest.approx(exact.X, abs=1e-5)


def test_imaginary_time_lowers_the_energy_as_exactly(tmp_path):
    folder = tmp_path / "run"
    assert main(["evolve", *SMALL, "--direction", "imaginary", "--out", str(folder)]) == 0
    assert record(folder)["deviation"]["energy"] < 1e-2
    energies = it.load(folder)["energy"]
    assert np.all(np.diff(energies) < 0)


def test_from_a_ground_state_run(tmp_path):
    """A ground state of another field begins to move; that of its own stays."""
    ground = tmp_path / "ground"
    flags = "--lattice chain:6 --hamiltonian tfim --h 0.7 --model symmetric-rbm:2 --steps 150"
    assert main(["ground-state", *flags.split(), "--out", str(ground)]) == 0
    moved, stays = tmp_path / "moved", tmp_path / "stays"
    time = ["--time", "0.2", "--points", "2"]
    assert (
        main(
            [
                "evolve",
                "--model",
                str(ground),
                "--hamiltonian",
                "tfim",
                "--h",
                "1.5",
                *time,
                "--out",
                str(moved),
            ]
        )
        == 0
    )
    assert main(["evolve", "--model", str(ground), *time, "--out", str(stays)]) == 0
    assert record(stays)["lattice"] == "chain:6" and it.load(stays).settings.hamiltonian.h == 0.7
    still, far = it.load(stays)["X"], it.load(moved)["X"]
    assert abs(still[1] - still[0]) < 1e-3 < abs(far[1] - far[0])
    assert record(moved)["deviation"]["X"] < 1e-3


def test_a_state_of_a_sector_is_not_carried_out_of_it(tmp_path, capsys):
    """Its amplitudes outside mean nothing, and a field leads there."""
    ground = tmp_path / "ground"
    flags = ["--lattice", "chain:4", "--hamiltonian", "heisenberg", "--model", "rbm:1", "--dtype", "complex"]
    assert main(["ground-state", *flags, "--steps", "5", "--samples", "64", "--out", str(ground)]) == 0
    capsys.readouterr()
    other = ["--hamiltonian", "tfim", "--out", str(tmp_path / "run")]
    assert main(["evolve", "--model", str(ground), *other]) == 2
    told = capsys.readouterr().err
    assert "model: expected a state of all configurations" in told and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--ramp", "delta=2"], "time.ramp: expected a coupling of tfim (J, h)"),
        (["--ramp", "fast"], "time.ramp: expected 'none' or a coupling"),
        (["--ramp", "h=1", "--direction", "imaginary"], "time.ramp: expected 'none' in imaginary time"),
        (["--state", "up", "--model", "symmetric-rbm:2:even"], "state"),
        (["--state", "neel"], "state: expected a state with the symmetry of the model"),
        (["--time", "0"], "time.end"),
        (["--start", "no-run"], "model.start: expected 'none', or the folder of a ground-state run"),
        (["--model", "gcnn:1x2"], "model: expected a GCNN of two layers"),
    ],
)
def test_bad_input_is_one_line(flags, words, tmp_path, capsys):
    assert main(["evolve", *SMALL, *flags, "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and words in told and not (tmp_path / "run").exists()


def test_a_network_with_real_amplitudes_is_given_phases():
    """The same wave function, of a complex last layer that can move."""
    ring, s = it.Chain(4), np.array([[1, 1, -1, 1], [1, -1, -1, 1]], np.int8)
    real, fresh = (
        it.GCNN(ring, 2, 2, dtype=t, key=jax.random.key(k)) for k, t in enumerate((float, complex))
    )
    turned = complex_of(real, fresh)
    for row in s:
        assert complex(turned(row)) == pytest.approx(complex(real(row)), abs=1e-9)


def test_spins_are_turned_at_the_start(tmp_path, capsys):
    """By a letter and a site; the run is loaded as what it is."""
    folder = tmp_path / "run"
    flags = ["--lattice", "chain:4", "--model", "rbm:2", "--time", "0.1", "--points", "2", "--out"]
    assert main(["evolve", "--turn", "X0 Z2", *flags, str(folder)]) == 0
    found = record(folder)
    assert "turned by X0 Z2" in capsys.readouterr().out and max(found["deviation"].values()) < 1e-3
    start = it.exact.product_vector(4, "+x") * np.where(np.arange(16) & 2, -1, 1)  # Z of site 2, X0 is 1
    true = it.exact.evolve(it.tfim(it.Chain(4), h=1.0), start, [0.1])[0]
    assert abs(np.vdot(true, it.entanglement.state_vector(it.load(folder)).amplitudes)) > 1 - 1e-6
    assert main(["evolve", "--turn", "X9", *flags, str(tmp_path / "other")]) == 2
    assert main(["evolve", "--turn", "left", *flags, str(tmp_path / "other")]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("sector", ["trivial", "π A"])
def test_group_convolutional_states_go_on(sector, tmp_path):
    """A network with real amplitudes is given phases; one of another sector stays in it."""
    ground, folder = tmp_path / "ground", tmp_path / "run"
    flags = "--lattice chain:4 --hamiltonian tfim --h 0.7 --model gcnn:2x2 --steps 20"
    assert main(["ground-state", *flags.split(), "--sector", sector, "--out", str(ground)]) == 0
    begin = ["--start", str(ground), "--h", "1.5", "--lattice", "chain:4", "--hamiltonian", "tfim"]
    assert main(["evolve", *begin, "--time", "0.1", "--points", "2", "--out", str(folder)]) == 0
    before, after = (it.entanglement.state_vector(it.load(f)).amplitudes for f in (ground, folder))
    H = it.tfim(it.Chain(4), h=1.5)
    true = it.exact.evolve(H, before, [0.1])[0]
    assert np.sqrt(2 - 2 * abs(np.vdot(true, after))) <= record(folder)["bound"] + 1e-9 < 0.2
    assert abs(abs(np.vdot(before, it.exact.evolve(H, before, [0.1])[0])) - 1) > 1e-4  # it moves


@pytest.mark.parametrize("hamiltonian", thinned([["heisenberg"], ["xxz", "--delta", "0.3"]]))
def test_a_ground_state_in_a_frame_and_a_sector_stays(hamiltonian, tmp_path):
    """With Marshall's signs and at one magnetization: energy and ⟨X⟩ = 0 stay, by --start and by --model."""
    ground = tmp_path / "ground"
    flags = ["--lattice", "chain:4:open", "--hamiltonian", *hamiltonian]
    few = ["--model", "symmetric-rbm:3", "--steps", "80", "--samples", "256"]
    assert main(["ground-state", *flags, *few, "--out", str(ground)]) == 0
    energy = record(ground)["energy"]["mean"]
    for name, begin in (("start", [*flags, "--start", str(ground)]), ("model", ["--model", str(ground)])):
        folder = tmp_path / name
        assert main(["evolve", *begin, "--time", "0.1", "--points", "2", "--out", str(folder)]) == 0
        run = it.load(folder)
        np.testing.assert_allclose(run["energy"], energy, rtol=5e-3)
        np.testing.assert_allclose(run["X"], 0.0, atol=1e-6)
        assert record(folder)["deviation"]["ZZ1"] < 1e-3 and record(folder)["deviation"]["energy"] < 1e-3
        exact = it.exact.ground_state(it.heisenberg(it.Chain(4, pbc=False), marshall=False))[1]
        if hamiltonian == ["heisenberg"]:
            assert abs(it.observables.overlap(run, exact)) ** 2 == pytest.approx(1, abs=5e-3)
    assert main(["entangle", str(tmp_path / "start"), "--out", str(tmp_path / "entropies")]) == 0
