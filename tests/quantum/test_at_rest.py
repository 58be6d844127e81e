"""A search that has not arrived says so: in the result, on the terminal, in result.json."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.cli import main


def codes(lines):
    return [line.partition(":")[0] for line in lines]


def chiral(size, bond, chirality):
    """`bond` Σ σ_i·σ_{i+1} + `chirality` Σ σ_i·(σ_{i+1} × σ_{i+2}) on a ring, without a lattice."""
    terms = [(bond, {i: a, (i + 1) % size: a}) for i in range(size) for a in "XYZ"]
    for i in range(size):
        for letters, sign in (("XYZ", 1), ("YZX", 1), ("ZXY", 1), ("XZY", -1), ("ZYX", -1), ("YXZ", -1)):
            terms.append((chirality * sign, {(i + n) % size: letters[n] for n in range(3)}))
    return it.Operator.from_strings(size, terms)


@pytest.mark.slow
@pytest.mark.parametrize(("bond", "chirality", "exact"), [(1.0, 0.6, -12.52565414), (0.0, 1.0, -12.33758085)])
def test_five_keys_end_in_the_ground_state_of_a_chiral_ring(bond, chirality, exact):
    H = chiral(6, bond, chirality)
    assert np.linalg.eigvalsh(H.to_dense())[0] == pytest.approx(exact, abs=1e-8)
    for seed in (0, 1, 2, 3, 47):
        run = it.ground_state(H, key=jax.random.key(seed))
        assert run.energy.mean == pytest.approx(exact, rel=1e-6, abs=0) and run.warnings == ()


@pytest.mark.slow
def test_a_search_that_has_run_aground_begins_anew():
    """This key ends where one configuration of the ring has no amplitude left, 5 % too high."""
    run = it.ground_state(chiral(6, 1.0, 0.6), key=jax.random.key(47))
    starts = run.history["fresh_start"]
    assert starts.sum() == 1 and run.history["step"].size == len(starts)
    (step,) = np.flatnonzero(starts)
    assert -12 < run.history["energy"][step] < -11.5 and run.history["energy"][step + 1] > -6


def test_a_search_that_is_stopped_early_says_so():
    H = chiral(6, 1.0, 0.6)
    with pytest.warns(Caveat, match="not-converged"):
        early = it.ground_state(H, key=jax.random.key(3), steps=3)
    assert early.energy.mean > -12 and "not-converged" in str(early)


@pytest.mark.slow
def test_the_command_says_how_far_it_is_from_the_ground_state(tmp_path, capsys):
    given = ["--lattice", "chain:8", "--model", "rbm:1", "--steps", "25", "--learning-rate", "0.001"]
    assert main(["ground-state", *given, "--out", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert {"not-converged", "far-from-exact"} <= set(codes(record["warnings"]))
    told = capsys.readouterr().out
    assert "warning: far-from-exact: the energy lies" in told and "this is not the ground state" in told


def test_function_and_command_say_alike_how_far_exact_sums_end_from_the_ground_state(tmp_path):
    """Positive amplitudes exclude the ground state of a frame with signs: the best ones are far above it."""
    H, key = it.heisenberg(it.Chain(6), marshall=False), jax.random.key(0)
    with pytest.warns(Caveat, match="far-from-exact"):
        run = it.ground_state(H, it.RBM(6, hidden=6, key=key), steps=40, sampler=it.Enumeration(0), key=key)
    (said,) = [line for line in run.warnings if line.startswith("far-from-exact")]
    above = run.energy.mean / np.linalg.eigvalsh(H.to_dense())[0]
    assert f"{1 - above:.0%} above the exact one" in said
    given = [
        "--lattice",
        "chain:6",
        "--marshall",
        "false",
        "--model",
        "rbm:1",
        "--rule",
        "sums",
        "--steps",
        "40",
    ]
    assert main(["ground-state", *given, "--out", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert "far-from-exact" in codes(record["warnings"]) and "above the exact one" in str(record["warnings"])


@pytest.mark.slow
def test_the_lowest_state_of_another_magnetization_or_irrep_is_compared_with_its_own():
    ring, key = it.Chain(6), jax.random.key(0)
    H, psi = it.heisenberg(ring), it.RBM(6, hidden=12, key=key)
    run = it.ground_state(H, psi, steps=150, sampler=it.Enumeration(2), key=key)
    inside = [i for i in range(64) if 6 - 2 * i.bit_count() == 2]
    assert run.energy.mean == pytest.approx(
        np.linalg.eigvalsh(H.to_dense()[np.ix_(inside, inside)])[0], rel=1e-4
    )
    early = it.ground_state(H, psi, steps=1, sampler=it.Enumeration(2), key=key)
    free = it.ground_state(H, psi, steps=1, sampler=it.Enumeration(2), key=key, compare=False)
    told = [[c for c in codes(found.warnings) if c == "far-from-exact"] for found in (run, early, free)]
    assert told == [[], ["far-from-exact"], []]
    wave = it.lowest_in_sector(H, it.sector(ring, np.pi), steps=30, exact_sums=True, key=key)
    assert wave.energy.mean > -10 and "far-from-exact" not in codes(wave.warnings)
