"""Ground states by function and by command."""

import json

import jax
import numpy as np

import intertwine as it


def row(flags, search):
    def by_function():
        run = search(jax.random.key(0))
        energy = {name: float(getattr(run.energy, name)) for name in ("mean", "error", "variance", "tau")}
        return energy | {"v_score": run.v_score, "energies": run.history["energy"]}

    def from_folder(folder):
        result = json.loads((folder / "result.json").read_text())
        energy = {name: result["energy"][name] for name in ("mean", "error", "variance", "tau")}
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        energies = np.array([json.loads(line)["energy"] for line in lines])
        return energy | {"v_score": result["v_score"], "energies": energies}

    return ["ground-state", *flags.split(), "--seed", "0"], by_function, from_folder


ROWS = {
    "ground state, everything chosen": row(
        "--lattice chain:9", lambda key: it.ground_state(it.heisenberg(it.Chain(9)), key=key)
    ),
    "ground state, a model by name": row(
        "--lattice chain:8 --hamiltonian tfim --h 0.7 --model rbm:1 --steps 20 --samples 100",
        lambda key: it.ground_state(it.tfim(it.Chain(8), h=0.7), "rbm:1", 20, 100, key=key),
    ),
    "ground state, a rotated frame": row(
        "--lattice square:2x4 --hamiltonian xxz --delta 0.5 --model symmetric-rbm:2:even --steps 15"
        " --samples 128 --final-samples 256",
        lambda key: it.ground_state(
            it.xxz(it.Square(2, 4), delta=0.5), "symmetric-rbm:2:even", 15, 128, final_samples=256, key=key
        ),
    ),
    "ground state, sampled by itself": row(
        "--lattice chain:26 --steps 8 --samples 128 --final-samples 256",
        lambda key: it.ground_state(
            it.heisenberg(it.Chain(26)), steps=8, samples=128, final_samples=256, key=key
        ),
    ),
    "ground state, electrons": row(
        "--lattice chain:6 --hamiltonian hubbard --fermions 3,3 --steps 4 --samples 64 --final-samples 64",
        lambda key: it.ground_state(
            it.hubbard(it.Fermions(it.Chain(6), (3, 3))), steps=4, samples=64, final_samples=64, key=key
        ),
    ),
    "ground state, bosons": row(
        "--lattice chain:4 --hamiltonian bose_hubbard --bosons 3 --most 2 --steps 6",
        lambda key: it.ground_state(it.bose_hubbard(it.Bosons(it.Chain(4), 3, most=2)), steps=6, key=key),
    ),
    "ground state, atoms": row(
        "--lattice chain:6 --hamiltonian rydberg --Delta 2 --steps 6",
        lambda key: it.ground_state(it.rydberg(it.Rydberg(it.Chain(6)), Delta=2.0), steps=6, key=key),
    ),
}
