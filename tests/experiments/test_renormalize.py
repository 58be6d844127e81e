"""Renormalization runs: the same numbers after an interruption at any line, of every study; what the folder
holds against exact values; folders of another kind are refused.
"""

import contextlib
import io
import json
import random
import signal

import jax
import numpy as np
import pytest
import xarray

import intertwine as it
from intertwine._caveats import Caveat
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.experiments.renormalize.sampled import Sampled
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import magnetization_distribution
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.montecarlo.observables import Observables
from intertwine.rg.scaling.moments import cumulant_slope, moments
from intertwine.runs import checkpoints, running
from intertwine.runs.interruption import Interrupted
from intertwine.runs.kinds import configuration_of
from intertwine.runs.progress import Silent
from intertwine.runs.settings import to_toml
from intertwine.spaces.lattices import Square, Triangular

from .runs import begin, final_numbers, lines, stop_at

SMALL = {
    "kind": "renormalize",
    "levels": 2,
    "couplings": 2,
    "starts": 2,
    "checkpoint_every": 2,
    "system": {"name": "ising:16"},
    "sampler": {"samples": 400, "chains": 5, "bins": 8, "burn_in": 50},
}


def configuration(**changes):
    """`SMALL` with sections changed."""
    tables = {name: dict(value) if isinstance(value, dict) else value for name, value in SMALL.items()}
    for section, values in changes.items():
        tables[section] = tables.get(section, {}) | values if isinstance(values, dict) else values
    return configuration_of(tables)


class StopsAt(Silent):
    """Progress that is interrupted after a line."""

    def __init__(self, line):
        self.line = line

    def step(self, record):
        if record["step"] == self.line:
            raise KeyboardInterrupt


def silent(*_, **__):
    return Silent()


def quietly(function, *arguments, **options):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments, **options)


def assert_same(folder, reference):
    """Identical, to the last bit."""
    (result, metrics, fields), (result_0, metrics_0, fields_0) = map(final_numbers, (folder, reference))
    assert result == result_0 and metrics == metrics_0 and fields.keys() == fields_0.keys()
    for name, values in fields.items():
        np.testing.assert_array_equal(values, fields_0[name], err_msg=name)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A small learning run on Ising samples, without its page."""
    folder = tmp_path_factory.mktemp("learned") / "rbm"
    tables = {
        "kind": "learn", "data": {"name": "ising:3", "rows": 100}, "model": "rbm:8",
        "optimiser": {"epochs": 4}, "likelihood": {"every": 0, "final_temperatures": 20, "final_chains": 8},
        "samples": {"count": 64, "chains": 8, "steps": 5, "thin": 2},
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, jax.enable_x64(False):
        patch.setattr(running, "report", lambda folder: None)
        quietly(running.start, configuration_of(tables), folder, show=silent)
    return folder


RUNS = {
    "majority": ({}, [2, 8]),
    "decimation in a field": (
        {"rule": {"name": "decimation:2"}, "system": {"field": 0.05, "coupling": 0.4}}, [5],
    ),
    "block RBM, heat bath": (
        {"rule": {"name": "block-rbm:1.0"}, "sampler": {"name": "heat-bath"}, "system": {"next": -0.05,
         "coupling": 0.4}}, [3],
    ),
    "Wolff, triangular": (
        {"system": {"name": "triangular:8"}, "sampler": {"name": "wolff", "thin": 3}, "levels": 1}, [4],
    ),
    "Potts": ({"system": {"name": "potts:3:triangular:8"}, "levels": 1}, [3]),
    "exponents": (
        {"study": "exponents", "system": {"name": "potts:3"},
         "scaling": {"sizes": "4-6-8", "samples": 400}}, [4],
    ),
    "curvature": (
        {"study": "curvature", "system": {"name": "ising:4"}, "curvature": {"points": 4, "samples": 1000},
         "checkpoint_every": 1}, [2],
    ),
    "migdal-kadanoff": ({"rule": "migdal-kadanoff", "system": {"name": "square"}}, [0]),
    "niemeijer-van-leeuwen": (
        {"rule": "niemeijer-van-leeuwen", "system": {"name": "auto"}, "checkpoint_every": 1}, [1],
    ),
    "trg": ({"rule": "trg:4", "checkpoint_every": 1}, [0]),
    "network": ({"study": "network", "rule": "LEARNED", "network": {"steps": 300, "chains": 8}}, [1]),
}  # fmt: skip


def configured(name, learned):
    """The configuration of a row of `RUNS`."""
    changes = RUNS[name][0]
    if changes.get("rule") == "LEARNED":
        changes = changes | {"rule": str(learned)}
    return configuration(**changes)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_an_interrupted_run_ends_with_the_same_numbers(name, tmp_path, monkeypatch, learned):
    monkeypatch.setattr(running, "report", lambda folder: None)
    c, stops = configured(name, learned), RUNS[name][1]
    quietly(running.start, c, tmp_path / "whole", show=silent)
    for number, stop in enumerate(stops):
        go_on = running.resume if number else running.start
        given = (tmp_path / "stopped",) if number else (c, tmp_path / "stopped")
        with pytest.raises(Interrupted, match="intertwine resume"):
            quietly(go_on, *given, show=lambda *_, stop=stop, **__: StopsAt(stop))
    quietly(running.resume, tmp_path / "stopped", show=silent)
    assert_same(tmp_path / "stopped", tmp_path / "whole")


FLAGS = [
    "renormalize", "--system", "ising:16", "--levels", "2", "--couplings", "2", "--chains", "4",
    "--starts", "0", "--bins", "60", "--samples", "960", "--checkpoint-every", "5",
]  # fmt: skip


@pytest.mark.slow
def test_killed_and_resumed(tmp_path, capsys):
    """kill -9 of a process; the resumed run against one that was never killed."""
    killed = tmp_path / "killed"
    target = random.Random(7).randint(12, 40)
    code, _, err = stop_at(begin([*FLAGS, "--out", str(killed)]), killed, target)
    assert code == -signal.SIGKILL, err
    assert 12 <= lines(killed) < 60
    saved = checkpoints.steps(killed / "checkpoints")[-1]
    assert main(["resume", str(killed)]) == 0
    assert f"resumed from step {saved} of 60" in capsys.readouterr().out
    assert main(["run", str(killed / "config.toml"), "--out", str(tmp_path / "whole")]) == 0
    assert_same(killed, tmp_path / "whole")
    assert main(["resume", str(killed)]) == 0
    assert "complete" in capsys.readouterr().out
    assert main(["report", str(killed)]) == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of some precision, its result and its arrays."""
    folder = tmp_path_factory.mktemp("renormalize") / "run"
    sampler = {"samples": 8000, "chains": 20, "bins": 20}
    c = configuration(couplings=3, levels=1, sampler=sampler, system={"name": "ising:8"})
    quietly(running.start, c, folder, show=silent)
    with xarray.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        arrays = data.load()
    return json.loads((folder / "result.json").read_text()), arrays


def test_observables_against_exact_values(finished):
    """Energy (Kaufman) and |m| (transfer matrix) of the 8 × 8 torus within four errors."""
    observables = finished[0]["observables"]
    energy = observables["energy"]
    assert abs(energy["exact"] + 1.4915891) < 1e-6
    assert abs(energy["mean"] - energy["exact"]) < 4 * energy["error"] < 0.05
    m, p = magnetization_distribution(8, 8, CRITICAL_SQUARE)
    found = observables["abs_magnetization"]
    assert abs(found["mean"] - float(p @ abs(m))) < 4 * found["error"] < 0.05


def test_couplings_of_level_zero_are_those_of_the_system(finished):
    _, arrays = finished
    found, errors = arrays["coupling"].values[0], arrays["coupling_error"].values[0]
    assert (abs(found - [CRITICAL_SQUARE, 0, 0]) < 4 * errors).all()
    assert arrays["flow"].shape == (3, 2, 3) and arrays["picture_1"].shape == (4, 4)
    np.testing.assert_array_equal(arrays["flow"][-1], arrays["coupling"])
    K = arrays["start_coupling"].values
    assert K[-1] == CRITICAL_SQUARE and K[0] < K[-1] < K[1]


def test_potts_observables_of_two_states_are_those_of_spins():
    """δ(s, s') = (1 + s s')/2; the order parameter and S(k) are the same."""
    lattice = Square(6, 4)
    states = np.random.default_rng(0).integers(0, 2, (20, 24), dtype=np.int8)
    spins, potts = Observables(lattice), Observables(lattice, 2)
    expected, found = spins.of(2 * states - 1), potts.of(states)
    np.testing.assert_allclose(found[:, 0], (expected[:, 0] - 2) / 2, atol=1e-12)
    np.testing.assert_allclose(found[:, 1:], expected[:, 1:], rtol=1e-5, atol=1e-9)


def test_moments_of_finite_size_scaling_against_enumeration():
    """−∂ ln U/∂ ln K and ⟨m²⟩ of all configurations against a difference of exact averages."""

    def exact(K):
        states, p, _ = enumerate_distribution(Ising(Square(3, 3), K))
        m2 = np.asarray(states).mean(1) ** 2
        return states, np.asarray(p), p @ m2, p @ m2**2

    states, p, square, _ = exact(0.4)
    rows = np.repeat(np.asarray(states, np.int8), np.rint(p * 2e6).astype(int), axis=0)
    mean = moments(Ising(Square(3, 3), 0.4), rows)
    assert mean[1] == pytest.approx(square, rel=1e-3)
    (*_, a2, a4), (*_, b2, b4) = exact(0.4 - 1e-4), exact(0.4 + 1e-4)
    expected = -0.4 * (np.log(b4 / b2**2) - np.log(a4 / a2**2)) / 2e-4
    assert cumulant_slope(mean) == pytest.approx(expected, rel=1e-2)


def test_the_last_step_is_that_of_the_mcrg(finished):
    """One step alone is not judged: there are no exponents."""
    result, arrays = finished
    assert result["fixed_point"] is None and result["exponents"] == {}
    for name, exact in (("y_T", 1.0), ("y_H", 1.875)):
        found = result["last_step"][name]
        assert found["mean"] == float(arrays[name][-1, -1]) and found["exact"] == pytest.approx(exact)
        assert abs(found["mean"] - exact) < 0.1


@pytest.mark.parametrize("lattice", [Square(4, 4), Triangular(4, 4)], ids=lambda lattice: lattice.name)
def test_correlation_length_of_an_enumerated_torus(lattice):
    """⟨S(0)⟩ and ⟨S(k)⟩ against the Fourier transform of every configuration."""
    states, p, _ = enumerate_distribution(Ising(lattice, 0.3))
    measured = Observables(lattice)
    rows = measured.of(np.asarray(states, np.int8))
    x = np.asarray(lattice.positions)
    k = 2 * np.pi * np.linalg.inv(np.asarray(lattice.basis_vectors)).T / 4
    waves = np.asarray(states) @ np.exp(-1j * x @ k.T)
    smallest = np.asarray(p) @ (np.abs(waves) ** 2).mean(1) / 16
    np.testing.assert_allclose(np.asarray(p) @ rows[:, 3], smallest, rtol=1e-5)
    zero = np.asarray(p) @ rows[:, 2]
    expected = np.sqrt(zero / smallest - 1) / (2 * np.sin(np.linalg.norm(k[0]) / 2))
    assert measured.length(float(zero), float(smallest)) == pytest.approx(expected, rel=1e-5)


def test_approximate_fixed_points_are_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "report", lambda folder: None)
    known = {"migdal-kadanoff": (0.304689, 0.747236), "niemeijer-van-leeuwen": (0.335614, 0.8822)}
    for rule, (K, y_T) in known.items():
        c = configuration(rule=rule, system={"name": "auto"}, levels=6)
        quietly(running.start, c, tmp_path / rule, show=silent)
        result = json.loads((tmp_path / rule / "result.json").read_text())
        assert result["cards"][0][1] == f"{K:.6f}"
        assert abs(result["exponents"]["y_T"]["mean"] - y_T) < 1e-4


def test_tensor_renormalization_meets_onsager(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "report", lambda folder: None)
    quietly(running.start, configuration(rule="trg:8"), tmp_path / "run", show=silent)
    facts = json.loads((tmp_path / "run" / "result.json").read_text())["facts"]
    assert facts["relative error"] < 2e-5 and facts["relative error, plain scheme"] < 1e-4


@pytest.mark.slow
def test_the_trace_condition_of_a_network(learned, tmp_path, monkeypatch):
    """ln Σ_h e^T = ln Ψ(v) − ln p(v) of rows, from the machine's parameters."""
    monkeypatch.setattr(running, "report", lambda folder: None)
    c = configuration(study="network", rule=str(learned), network={"steps": 100, "chains": 8})
    quietly(running.start, c, tmp_path / "run", show=silent)
    with xarray.open_dataset(tmp_path / "run" / "result.nc", engine="h5netcdf") as data:
        trace = data["trace"].values
    with xarray.open_dataset(learned / "result.nc", engine="h5netcdf") as data:
        a, b, w = (data[f"parameter_{name}"].values for name in ("visible_bias", "hidden_bias", "weights"))
    from intertwine.data import load

    known = load("ising:3", rows=100)
    rows = known.held_out()
    psi = rows @ a + np.logaddexp(0, b + rows @ w).sum(1)
    np.testing.assert_allclose(trace, psi - known.known.log_probability(rows), rtol=1e-5)


@pytest.mark.slow
def test_a_network_by_function_and_by_command(learned, tmp_path, monkeypatch):
    """The same numbers to the bit; the loaded run has the machine, which flows and is blocked with."""
    monkeypatch.setattr(running, "report", lambda folder: None)
    c = configuration(study="network", rule=str(learned), network={"steps": 200, "chains": 8}, seed=5)
    quietly(running.start, c, tmp_path / "run", show=silent)
    data, run = it.data.load("ising:3", rows=100), it.load(tmp_path / "run")
    with jax.enable_x64(False):
        machine = it.load(learned).model
    machine = jax.tree.map(lambda x: np.asarray(x, np.float64), machine)
    found = it.rg.network_study(
        machine, data.held_out(), log_probability=data.known.log_probability, steps=200, chains=8,
        lattice=Square(3, 3), key=jax.random.key(5),
    )  # fmt: skip
    np.testing.assert_array_equal(run.arrays["cold"], found.met.flows[0].mean)
    np.testing.assert_array_equal(run.arrays["trace"], found.trace)
    np.testing.assert_array_equal(run.arrays["shell_coupling"], found.couplings.means)
    assert run.result["temperature"]["mean"] == found.met.temperature.mean
    assert run.rule is None and run.model.size == 9 and len(run.metrics["hot"]) == 2
    flow = it.rg.network_flow(run, "cold", 5, lattice=Square(3, 3), key=jax.random.key(0))
    again = it.rg.network_flow(run.model, "cold", 5, lattice=Square(3, 3), key=jax.random.key(0))
    np.testing.assert_array_equal(flow.energies, again.energies)


@pytest.mark.slow
def test_of_a_deep_machine_the_lowest_layer_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "report", lambda folder: None)
    tables = {
        "kind": "learn", "data": {"name": "ising:3", "rows": 60}, "model": "dbm:4-3", "precision": "float64",
        "optimiser": {"epochs": 2, "layer_epochs": 1},
        "likelihood": {"every": 0, "final_temperatures": 20, "final_chains": 8},
        "samples": {"count": 64, "chains": 8, "steps": 5, "thin": 2},
    }  # fmt: skip
    quietly(running.start, configuration_of(tables), tmp_path / "deep", show=silent)
    c = configuration(study="network", rule=str(tmp_path / "deep"), network={"steps": 100, "chains": 8})
    quietly(running.start, c, tmp_path / "run", show=silent)
    run = it.load(tmp_path / "run")
    assert run.model.hidden == 4 and any("lowest two" in line for line in run.result["warnings"])
    with pytest.warns(Caveat, match="lowest two"):
        it.rg.network_flow(it.load(tmp_path / "deep"), "cold", 3, lattice=Square(3, 3))


@pytest.mark.slow
def test_a_network_whose_hidden_units_lie_on_a_torus_is_a_rule(tmp_path, monkeypatch):
    """The parameters of a learnt machine replaced by a block RBM in another order: it blocks as that does."""
    monkeypatch.setattr(running, "report", lambda folder: None)
    tables = {
        "kind": "learn", "data": {"name": "ising:4", "rows": 60}, "model": "rbm:4", "precision": "float64",
        "optimiser": {"epochs": 1}, "likelihood": {"every": 0, "final_temperatures": 20, "final_chains": 8},
        "samples": {"count": 64, "chains": 8, "steps": 5, "thin": 2},
    }  # fmt: skip
    quietly(running.start, configuration_of(tables), tmp_path / "rbm", show=silent)
    soft = it.rg.block_rbm(Square(4, 4), b=2, w=0.8)
    units = it.load(tmp_path / "rbm").model.units
    with xarray.open_dataset(tmp_path / "rbm" / "result.nc", engine="h5netcdf") as data:
        data = data.load()
    weights = (4 if units == "binary" else 2) * np.asarray(soft.weights)  # of hidden bits
    bias = -weights.sum(0) / 2 if units == "binary" else np.zeros(4)
    data["parameter_weights"].values[:] = weights[:, ::-1]
    data["parameter_hidden_bias"].values[:] = bias
    data.to_netcdf(tmp_path / "rbm" / "result.nc", engine="h5netcdf")
    few = {"levels": 1, "couplings": 1, "starts": 0, "system": {"name": "ising:4"}}
    found = []
    for name, rule in (("a", str(tmp_path / "rbm")), ("b", "block-rbm:0.8")):
        quietly(running.start, configuration(rule=rule, **few), tmp_path / name, show=silent)
        found.append(it.load(tmp_path / name))
    np.testing.assert_allclose(found[0].arrays["y_T"], found[1].arrays["y_T"], rtol=1e-6)
    assert isinstance(found[0].rule, it.rg.NetworkRule)
    spins = it.sample(found[0].model, 100, key=jax.random.key(0))
    assert it.rg.mcrg(spins, found[0].rule, 1, 1, bins=10).y_T.shape == (1, 1)


def test_a_folder_of_another_kind_is_refused(tmp_path, capsys, learned):
    kinds = {"ground": {}, "young": {"kind": "learn"}}
    for name, tables in kinds.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(to_toml(configuration_of(tables)))
    for given, word in (
        ([str(tmp_path / "ground")], "of kind 'ground-state'"),
        (["--rule", str(tmp_path / "ground")], "of kind 'ground-state'"),
        ([str(tmp_path / "young")], "without results"),
        (["--rule", str(learned), "--system", "ising:3", "--levels", "1"], "9 visible and 8 hidden units"),
        (["--rule", str(learned), "--levels", "1"], "the torus 3x3"),
        ([str(learned), "--rule", "majority:2"], "a run folder and --rule"),
    ):
        assert main(["renormalize", *given, "--out", str(tmp_path / "run")]) == 2
        told = capsys.readouterr()
        assert len(told.err.splitlines()) == 1 and word in told.err and told.out == ""
        assert not (tmp_path / "run").exists()


def test_a_network_that_changed_is_refused(learned, tmp_path):
    c = configuration(study="network", rule=str(learned), network={"steps": 300, "chains": 8})
    with pytest.raises(Interrupted):
        quietly(running.start, c, tmp_path / "run", show=lambda *_, **__: StopsAt(1))
    path = tmp_path / "run" / "data.json"
    path.write_text(path.read_text().replace("sha256:", "sha256:0"))
    with pytest.raises(InputError, match="the network of this run"):
        quietly(running.resume, tmp_path / "run", show=silent)


@pytest.mark.slow
@pytest.mark.parametrize("system", ["ising", "ising:triangular", "potts:3"])
def test_exponents_of_a_class_by_finite_size_scaling(system, tmp_path):
    """ν and η within 2 % or four errors of the exact ones."""
    assert main(["renormalize", "--exponents", "--system", system, "--out", str(tmp_path / "run")]) == 0
    exponents = json.loads((tmp_path / "run" / "result.json").read_text())["exponents"]
    for name in ("nu", "eta"):
        mean, error, exact = (exponents[name][part] for part in ("mean", "error", "exact"))
        assert abs(mean / exact - 1) < 0.02 or abs(mean - exact) < 4 * error


@pytest.mark.slow
def test_the_default_run_finds_onsagers_exponents(tmp_path):
    """64 × 64 spins at K_c: |y_T − 1| < 0.03, |y_H − 1.875| < 0.005, the energy within four errors."""
    assert main(["renormalize", "--out", str(tmp_path / "run")]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert abs(result["exponents"]["y_T"]["mean"] - 1) < 0.03
    assert abs(result["exponents"]["y_H"]["mean"] - 1.875) < 0.005
    energy = result["observables"]["energy"]
    assert abs(energy["mean"] - energy["exact"]) < 4 * energy["error"]
    assert result["fixed_point"] is True


@pytest.mark.parametrize(("samples", "bins", "chains", "size"), [(400, 8, 5, 16), (20_000, 50, 20, 64)])
def test_kept_configurations_fill_their_room(samples, bins, chains, size):
    """All configurations where there is room for 8 million spins, else as many as fill it."""
    study = Sampled(
        configuration(
            system={"name": f"ising:{size}"},
            sampler={"samples": samples, "bins": bins, "chains": chains},
        )
    ).study
    kept = study.keep.bins * study.keep.per_bin
    assert kept == min(samples, (1 << 23) // (bins * size**2) * bins)
    assert len(study._picked(np.ones((chains, study.draws, 4), np.int8))) == study.keep.per_bin


def test_couplings_say_of_how_many_configurations_they_are(tmp_path):
    quietly(running.start, configuration(), tmp_path / "run", show=silent)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["samples_of_couplings"] == result["samples"] == 400
    assert "K by level, from all 400 configurations" in result["facts"]
