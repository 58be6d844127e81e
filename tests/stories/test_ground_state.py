"""A newcomer's session with ground states, in public names only: train, measure, load, measure again."""

import jax
import pytest

import intertwine as it
from intertwine.cli import main

SITES = 8


@pytest.fixture(scope="module")
def session():
    key = jax.random.key(0)
    H = it.heisenberg(it.Chain(SITES))
    run = it.ground_state(H, it.RBM(SITES, hidden=SITES, key=key), steps=60, samples=256, key=key)
    return H, run, key


def _letters(letters, *sites):
    return it.Operator.from_strings(SITES, [(1.0, dict(zip(sites, letters, strict=True)))])


TOTAL = sum(_letters("Z", i) for i in range(SITES))
BOND = -14.604373636 / SITES / 3  # E = Σ_bonds 3 ⟨Z Z⟩, by the rotation invariance of the ground state


def test_the_energy_and_what_else_the_state_has(session):
    H, run, key = session
    assert abs(run.energy.mean - it.exact.ground_energy(H)) < 2e-3 * 14.6
    assert "energy −14.6" in repr(run) and "Σ s = 0" in repr(run) and len(repr(run)) < 250
    assert float(run.energy / SITES) == pytest.approx(run.energy.mean / SITES)
    for pair in ("ZZ", "XX", "YY"):  # the rotation that made the state positive is undone
        found = it.expect(_letters(pair, 0, 1), run.model, key=key)
        assert abs(found.mean - BOND) < 4 * found.error + 5e-3
    assert run.expect(TOTAL @ TOTAL).mean == 0 and run.expect(_letters("X", 0)).mean == 0
    drawn = it.sample(run.model, 100, key=key)
    assert (drawn[:].sum(axis=1) == 0).all()


def test_going_on_and_stopping_early(session):
    H, run, key = session

    def enough(state, scalars):
        if state.step == 2:
            raise StopIteration

    more = it.ground_state(H, run.model, steps=20, samples=256, progress=enough, key=key)
    assert len(more.history["energy"]) == 2 and more.history["energy"][0] < -14.4


def test_from_the_shell_and_back(tmp_path, capsys):
    folder = tmp_path / "run"
    flags = ["--lattice", f"chain:{SITES}", "--model", "rbm:1", "--steps", "60", "--samples", "256"]
    assert main(["ground-state", *flags, "--final-samples", "2048", "--out", str(folder)]) == 0
    assert "relative error" in capsys.readouterr().out
    run = it.load(folder)
    assert abs(run.energy.mean + 14.604373636) < 0.03
    assert run.expect(TOTAL @ TOTAL).mean == 0
    found = run.expect(_letters("XX", 0, 1))
    assert abs(found.mean - BOND) < 4 * found.error + 5e-3
