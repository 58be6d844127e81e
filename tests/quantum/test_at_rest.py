"""A search that has not arrived says so: in the result, on the terminal, in result.json."""

import json

import jax
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.cli import main


def codes(lines):
    return [line.partition(":")[0] for line in lines]


def test_a_search_that_is_stuck_or_stopped_early_says_so():
    """Bonds and scalar chiralities on a ring of 6; the exact energy is −12.5257."""
    terms = [(1.0, {i: a, (i + 1) % 6: a}) for i in range(6) for a in "XYZ"]
    for i in range(6):
        for letters, sign in (("XYZ", 1), ("YZX", 1), ("ZXY", 1), ("XZY", -1), ("ZYX", -1), ("YXZ", -1)):
            terms.append((0.6 * sign, {(i + n) % 6: letters[n] for n in range(3)}))
    H = it.Operator.from_strings(6, terms)
    exact = it.exact.ground_energy(H)
    assert exact == pytest.approx(-12.52565414, abs=1e-8)
    with pytest.warns(Caveat, match="not-converged"):
        early = it.ground_state(H, key=jax.random.key(3), steps=3)
    assert early.energy.mean > exact + 0.5 and "not-converged" in str(early)
    found = [it.ground_state(H, key=jax.random.key(seed)) for seed in (0, 3)]
    for run in found:
        assert abs(run.energy.mean - exact) < 1e-6 or codes(run.warnings) == ["not-converged"]
    assert any(abs(run.energy.mean - exact) < 1e-6 for run in found)


def test_the_command_says_how_far_it_is_from_the_ground_state(tmp_path, capsys):
    given = ["--lattice", "chain:8", "--model", "rbm:1", "--steps", "25", "--learning-rate", "0.001"]
    assert main(["ground-state", *given, "--out", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert {"not-converged", "far-from-exact"} <= set(codes(record["warnings"]))
    told = capsys.readouterr().out
    assert "warning: far-from-exact: the energy lies" in told and "this is not the ground state" in told
