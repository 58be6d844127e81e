"""The unit of energy is the user's: H and c·H are solved alike by the defaults."""

import json

import jax
import pytest

import intertwine as it
from intertwine.cli import main
from thinned import thinned


@pytest.mark.parametrize("unit", thinned([1e-6, 0.01, 100.0, 1e6], 3))
def test_a_model_of_ones_own_is_trained_in_any_unit_of_energy(unit, key):
    lattice = it.Chain(8)
    H = it.tfim(lattice, J=unit, h=unit)
    run = it.ground_state(H, it.RBM(8, hidden=8, key=key), steps=120, samples=256, key=key)
    assert run.energy.mean / unit == pytest.approx(-10.2516618, rel=5e-3)
    assert run.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--model", "rbm:1", "--steps", "120", "--samples", "256"]])
@pytest.mark.parametrize("unit", ["1e-3", "1000"])
def test_the_command_too(unit, flags, tmp_path):
    asked = ["--lattice", "chain:8", "--hamiltonian", "tfim", "--J", unit, "--h", unit, *flags]
    main(["ground-state", *asked, "--final-samples", "4096", "--out", str(tmp_path / "run")])
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["energy"]["mean"] / float(unit) == pytest.approx(-10.2516618, rel=5e-3)
    assert jax.config.jax_enable_x64
