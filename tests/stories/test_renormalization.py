"""A newcomer's session: sample the Ising model, block its spins at the critical point and off it, compare
with what is known exactly and with tensor renormalization, then the same by the command."""

import json

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.cli import main

KEY = jax.random.key(1)
K_C = np.log(1 + np.sqrt(2)) / 2


def test_a_session(capsys):
    ising = it.Ising(it.Square(32, 32), K=K_C)
    spins = it.sample(ising, 4000, sampler=it.SwendsenWang(chains=20), key=KEY)
    print(spins)
    assert "τ = 1 + 2Σρ" in capsys.readouterr().out and spins.mixed

    found = it.rg.mcrg(spins, levels=3, couplings=4, key=KEY)
    print(found)
    told = capsys.readouterr().out
    assert found.fixed_point is True and "fixed point" in told and "ν = " in told and "warning" not in told
    assert abs(found.y_T[-1, -1] - 1) < 0.02 + 4 * found.y_T_error[-1, -1]
    assert abs(found.y_H[-1, -1] - 15 / 8) < 0.005 + 4 * found.y_H_error[-1, -1]

    hot = it.sample(it.Ising(it.Square(32, 32), K=0.42), 4000, sampler=it.SwendsenWang(chains=20), key=KEY)
    with pytest.warns(UserWarning, match="no-fixed-point"):
        off = it.rg.mcrg(hot, levels=3, couplings=4, key=KEY)
    print(off)
    told = capsys.readouterr().out
    assert off.fixed_point is False and "to disorder" in off.reason and np.isnan(off.nu)
    assert "warning: no-fixed-point" in told and "ν = " not in told

    tensor = it.rg.trg(K_C, chi=12, steps=16).exponents
    assert abs(tensor.central_charge - 0.5) < 0.02
    assert abs(tensor.y_H - found.y_H[-1, -1]) < 0.01 + 4 * found.y_H_error[-1, -1]


@pytest.mark.slow
@pytest.mark.parametrize(("K", "verdict"), [("critical", True), ("0.42", False)])
def test_the_command(K, verdict, tmp_path, capsys):
    flags = ["--system", "ising:32", "--coupling", K, "--levels", "3", "--samples", "6000", "--chains", "20"]
    assert main(["renormalize", *flags, "--starts", "1", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    page = (tmp_path / "run" / "report.html").read_text()
    assert record["fixed_point"] is verdict and record["headline"] in told
    assert bool(record["exponents"]) is verdict
    for line in record["warnings"]:
        assert f"warning: {line}" in told and line.partition(": ")[2][1:40] in page
    if verdict:
        for name, exact in (("y_T", 1.0), ("y_H", 1.875), ("nu", 1.0), ("eta", 0.25)):
            entry = record["exponents"][name]
            assert (
                abs(entry["mean"] - exact) < 0.02 + 4 * entry["error"] and abs(entry["exact"] - exact) < 1e-9
            )
