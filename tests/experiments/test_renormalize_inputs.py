"""Renormalizing what one brings along: configurations, couplings of bonds, rules from files; every system
that the command offers; what is refused, and in which words."""

import contextlib
import io
import json
import math

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import build_model, critical_coupling
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.runs import running

KEY = jax.random.key(0)
QUICK = [
    "--levels",
    "1",
    "--couplings",
    "2",
    "--starts",
    "0",
    "--samples",
    "1600",
    "--chains",
    "8",
    "--bins",
    "8",
    "--burn-in",
    "100",
]
FILE = ["--levels", "1", "--couplings", "2", "--bins", "8"]


@pytest.fixture(autouse=True)
def no_page(monkeypatch) -> None:
    monkeypatch.setattr(running, "report", lambda folder: None)


@pytest.fixture
def run(tmp_path):
    """The result of a run of the command."""
    numbers = iter(range(100))

    def of(*arguments: str) -> dict:
        out = tmp_path / f"run-{next(numbers)}"
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["renormalize", *arguments, "--out", str(out)]) == 0
        return json.loads((out / "result.json").read_text())

    return of


def refused(capsys, *arguments: str) -> str:
    """The one line of an error."""
    assert main(["renormalize", *arguments]) == 2
    return " ".join(capsys.readouterr().err.split())


def codes(result: dict) -> list[str]:
    return [line.partition(":")[0] for line in result["warnings"]]


# --------------------------------------------------------------------------------------- own configurations


def test_own_spins_are_renormalized(run, tmp_path) -> None:
    """Exponents as of `it.rg.mcrg`, the coupling that they were drawn with, and no K that nobody told."""
    lattice = it.Square(8, 16)
    rows = np.asarray(it.sample(it.Ising(lattice, K=0.3), 1600, key=KEY))
    np.save(tmp_path / "spins.npy", rows)
    given = ("--configurations", str(tmp_path / "spins.npy"), "--ties", "first", *FILE)
    found = run("--system", "ising:8x16", *given)
    rule = it.rg.Majority(2, ties="first")
    told = it.rg.mcrg(rows, rule, 1, 2, lattice=lattice, bins=8)
    assert found["last_step"]["y_T"]["mean"] == pytest.approx(float(told.y_T[-1, -1]), rel=1e-9)
    assert found["system"]["coupling"] is None and found["last_step"]["y_T"]["exact"] is None
    assert found["samples"] == 1600 and "data" in codes(found)
    exact = ising_torus(8, 16, 0.3).energy
    energy = found["observables"]["energy"]
    assert abs(energy["mean"] - exact) < 5 * energy["error"] and energy["exact"] is None
    assert (
        run("--system", "ising:8x16", "--coupling", "0.3", *given)["observables"]["energy"]["exact"] == exact
    )


def test_own_states_of_chains_are_renormalized(run, tmp_path) -> None:
    states = np.random.default_rng(0).integers(0, 3, (4, 80, 64))
    np.save(tmp_path / "states.npy", states)
    found = run("--system", "potts:3:8", "--configurations", str(tmp_path / "states.npy"), *FILE)
    energy = found["observables"]["energy"]
    assert found["samples"] == 320 and abs(energy["mean"] + 2 / 3) < 5 * energy["error"]


def test_rows_that_know_nothing_of_one_another_have_mixed(run, tmp_path) -> None:
    """Coin throws as pictures (n, L, L): R-hat of 4 stretches of 25 bins is no disagreement; the same numbers
    as of (n, N). Stretches that are held apart are."""
    found = []
    for seed in range(6):
        rows = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (800, 8, 8))
        np.save(tmp_path / "coins.npy", rows)
        flags = ("--system", "ising:8", "--levels", "1", "--couplings", "2")
        found.append(run(*flags, "--configurations", str(tmp_path / "coins.npy")))
    assert not any("chains-disagree" in codes(result) for result in found)
    np.save(tmp_path / "flat.npy", rows.reshape(800, 64))
    flat = run(*flags, "--configurations", str(tmp_path / "flat.npy"))
    assert flat["observables"] == found[-1]["observables"]
    np.save(tmp_path / "sorted.npy", rows[np.argsort(rows.sum((1, 2)))])
    apart = run(*flags, "--configurations", str(tmp_path / "sorted.npy"))
    assert "chains-disagree" in codes(apart) and apart["fixed_point"] is None


@pytest.mark.parametrize(
    ("system", "values", "words"),
    [
        ("potts:3:8", [1, 2, 3], "v − 1 counts states from 0"),
        ("ising:8", [0, 1], "2 v − 1 makes spins of bits"),
        ("ising:8", [1.0, np.nan], "some are nan"),
        ("ising:8", [-1, 1, 3], "they go from -1 to 3"),
    ],
)
def test_what_is_wrong_with_values_is_said(capsys, tmp_path, system, values, words) -> None:
    np.save(tmp_path / "rows.npy", np.resize(values, (100, 64)))
    assert words in refused(capsys, "--system", system, "--configurations", str(tmp_path / "rows.npy"))


def test_other_configurations_are_refused(capsys, tmp_path) -> None:
    np.save(tmp_path / "spins.npy", np.ones((100, 128), np.int8))
    np.save(tmp_path / "bits.npy", np.zeros((100, 128), np.int8))
    spins, bits = (("--configurations", str(tmp_path / name)) for name in ("spins.npy", "bits.npy"))
    assert "(n, 64)" in refused(capsys, "--system", "ising:8", *spins, *FILE)
    assert "system.name: expected a system with a size" in refused(capsys, *spins, *FILE)
    assert "spins ±1" in refused(capsys, "--system", "ising:8x16", *bits, *FILE)
    assert "at most 12 bins" in refused(
        capsys, "--system", "ising:8x16", *spins, "--levels", "1", "--bins", "60"
    )
    missing = ("--configurations", str(tmp_path / "none.npy"))
    assert "system.configurations: expected" in refused(capsys, "--system", "ising:8x16", *missing)


# --------------------------------------------------------------------------------------------- own couplings


def test_own_bonds_are_the_anisotropic_model_written_out(run, tmp_path) -> None:
    lattice, shuffled = it.Square(8, 8), np.random.default_rng(0).permutation(128)
    bonds = lattice.bonds()[shuffled]
    along = (bonds[:, 0] // 8) == (bonds[:, 1] // 8)
    table = np.column_stack([bonds[:, ::-1], np.where(along, 0.4, 0.2)])
    np.savetxt(tmp_path / "bonds.txt", table)
    own = run("--system", "ising:8", "--bonds", str(tmp_path / "bonds.txt"), *QUICK)
    told = run("--system", "ising:8", "--coupling", "0.2", "--anisotropy", "2", *QUICK)
    assert own["observables"] == told["observables"] and codes(own) == codes(told)
    assert own["system"]["coupling"] is None and told["system"]["coupling"] == 0.2


def test_other_bonds_are_refused(capsys, tmp_path) -> None:
    np.savetxt(tmp_path / "far.txt", np.array([[0, 9, 0.4]] * 128))
    np.savetxt(tmp_path / "few.txt", np.ones(5))
    for name, words in (("far.txt", "the pair 0 9, no bond"), ("few.txt", "128 couplings of square:8x8")):
        assert words in refused(capsys, "--system", "ising:8", "--bonds", str(tmp_path / name), *QUICK)


def test_a_spin_glass_is_a_system(run) -> None:
    """±K on 4 × 4: the energy of the enumeration within 5σ; its exponents are said to be none."""
    found = run("--system", "ea:4", "--coupling", "0.5", "--disorder", "3", *QUICK)
    system = {"name": "edwards-anderson:4", "coupling": 0.5, "disorder": 3}
    c = RenormalizeConfiguration(system=system, levels=1, couplings=2)
    model = build_model(c)
    assert set(np.unique(np.asarray(model.coupling)).tolist()) == {-0.5, 0.5}
    exact = it.enumerate_distribution(model)
    truth = float(exact.probabilities @ np.asarray(model.energy(exact.configurations))) / 16
    energy = found["observables"]["energy"]
    assert abs(energy["mean"] - truth) < 5 * energy["error"] and "assumption" in codes(found)


def test_a_clock_of_four_is_two_ising_models(run) -> None:
    """K_c = 2 K_c(Ising); the energy is that of the Ising model at K/2, the exponents are Ising's."""
    found = run("--system", "clock:4:8", *QUICK)
    K_c = math.log(1 + math.sqrt(2))
    assert found["system"]["coupling"] == pytest.approx(K_c, abs=1e-12)
    energy = found["observables"]["energy"]
    assert abs(energy["mean"] - ising_torus(8, 8, K_c / 2).energy) < 5 * energy["error"]
    assert found["last_step"]["y_T"]["exact"] == pytest.approx(1.0)


def test_an_antiferromagnet(run) -> None:
    """K < 0 on a bipartite torus: the energy of the ferromagnet with its sign turned."""
    energy = run("--system", "ising:8", "--coupling", "-0.4", *QUICK)["observables"]["energy"]
    assert energy["exact"] == -ising_torus(8, 8, 0.4).energy
    assert abs(energy["mean"] - energy["exact"]) < 5 * energy["error"]


def test_chains_stuck_in_opposite_states_are_told(run) -> None:
    """K = 0.6 by the heat bath: energy and |m| of all chains agree, the sign of m does not."""
    stuck = ("--coupling", "0.6", "--sampler", "heat-bath", *QUICK)
    assert "chains-disagree" in codes(run("--system", "ising:16", *stuck))


# ------------------------------------------------------------------------------------------------- own rules


def test_rules_from_files(run, tmp_path) -> None:
    """A table of the majority is the majority, equal weights are those of block-rbm."""
    configurations = 1 - 2 * ((np.arange(16)[:, None] >> np.arange(3, -1, -1)) & 1)
    total = configurations.sum(1)
    np.savetxt(tmp_path / "table.txt", np.where(total == 0, configurations[:, 0], total) > 0, fmt="%d")
    np.save(tmp_path / "weights.npy", np.full((2, 2), 0.7))
    pairs = (
        (f"table:{tmp_path / 'table.txt'}", "majority:2"),
        (f"weights:{tmp_path / 'weights.npy'}", "block-rbm:0.7"),
    )
    for own, named in pairs:
        found, told = (
            run("--system", "ising:8", "--rule", r, "--ties", "first", *QUICK) for r in (own, named)
        )
        for name in ("y_T", "y_H"):
            assert found["last_step"][name]["mean"] == pytest.approx(
                told["last_step"][name]["mean"], rel=1e-6
            )


def test_other_rules_are_refused(capsys, tmp_path) -> None:
    np.savetxt(tmp_path / "rule.txt", np.full(9, 2.0))
    where = ("--system", "ising:8", *QUICK)
    assert "16, 512, 65536" in refused(capsys, "--rule", f"table:{tmp_path / 'rule.txt'}", *where)
    np.savetxt(tmp_path / "rule.txt", np.full(16, 2.0))
    assert "probabilities from 0 to 1" in refused(capsys, "--rule", f"table:{tmp_path / 'rule.txt'}", *where)
    assert "rule.name: expected" in refused(capsys, "--rule", "os:system", *where)


# -------------------------------------------------------------------------------------------- critical points


def of_system(**system) -> float | None:
    return critical_coupling(RenormalizeConfiguration.model_construct(system=_system(**system)))


def _system(**system):
    return RenormalizeConfiguration.model_fields["system"].annotation(**system)


def test_critical_points_that_are_known() -> None:
    known = {
        "kagome:8": 0.25 * math.log(3 + 2 * math.sqrt(3)),
        "honeycomb:8": 0.5 * math.log(2 + math.sqrt(3)),
        "cubic:8": 0.221654626,
        "clock:3:8": math.log(1 + math.sqrt(3)) / 1.5,
        "clock:2:8": 0.5 * math.log(1 + math.sqrt(2)),
    }
    for name, K in known.items():
        assert of_system(name=name) == pytest.approx(K, abs=1e-9), name
    assert of_system(name="chain:8") is None and of_system(name="edwards-anderson:8") is None
    K = of_system(name="ising:8", anisotropy=2.0)
    assert K is not None and math.sinh(2 * K) * math.sinh(4 * K) == pytest.approx(1, abs=1e-12)
    assert of_system(name="ising:8", next=0.1, coupling=0.36) is None


def test_the_critical_point_of_another_model_is_not_compared_with(run) -> None:
    found = run("--system", "ising:8", "--next", "0.1", "--coupling", "0.36", *QUICK)
    assert found["system"]["critical_coupling"] is None


def test_words_about_critical_points(capsys) -> None:
    cases = {
        ("chain:16", "--rule", "decimation:2"): "orders at T = 0 alone",
        ("edwards-anderson:8",): "depends on its signs",
        ("clock:6:8",): "transitions are not known exactly",
        ("ising:8", "--next", "0.1"): "without them it is 0.4406868",
        ("xy:8",): "clock:16:32 has 16 directions",
    }
    for (name, *rest), words in cases.items():
        assert words in refused(capsys, "--system", name, *rest, *QUICK), name


def test_kagome_and_honeycomb_are_measured_without_blocks(run, capsys) -> None:
    words = refused(capsys, "--system", "kagome:8", *QUICK)
    assert "--exponents measures this one" in words
    sizes = ("--exponents", "--sizes", "4-6-8", "--samples", "3200", "--chains", "8", "--bins", "8")
    found = run("--system", "kagome", *sizes)
    assert found["system"]["coupling"] == pytest.approx(0.25 * math.log(3 + 2 * math.sqrt(3)))
    assert abs(found["exponents"]["eta"]["mean"] - 0.25) < 0.25
