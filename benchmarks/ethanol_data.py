"""Ethanol at 500 K by GFN2-xTB: frames of many Langevin trajectories, with energies and forces.

    OMP_NUM_THREADS=1 python benchmarks/ethanol_data.py ethanol.npz [trajectories] [frames]

in an environment with ase and tblite. Trajectories begin in turn in the trans form and in both gauche forms
of the hydroxyl group, relaxed, with velocities drawn at 500 K; the first picosecond is left out, then a
frame is kept every 150 fs (time step 1 fs, friction 0.01/fs, the centre of mass is free: `fixcm=False`,
which else takes three degrees of freedom out of the temperature). What a trajectory has depends on its
number alone.

The file: positions (S, 9, 3) in Å, species (9,), energies (S,) in eV, forces (S, 9, 3) in eV/Å, trajectory
(S,), start (S,) 0 trans, 1 and 2 gauche. It is written anew after each trajectory, so one that was stopped is
a smaller one. `rows_of` splits it by trajectory: number % 7 < 4 to learn from, 4 to choose by, 5, 6 the test.
Method: Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019).
"""

from __future__ import annotations

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

TEMPERATURE = 500.0
STEP_FS = 1.0
FRICTION_PER_FS = 0.01
LEFT_OUT = 1000
EVERY = 150
UNITS = ("positions=Å", "energies=eV", "forces=eV/Å")
DIHEDRALS = (180.0, 60.0, -60.0)


def tight_binding():
    from tblite.ase import TBLite

    return TBLite(method="GFN2-xTB", accuracy=0.01, verbosity=0)


def relaxed_ethanol(start: int):
    """The trans form, or one of the two gauche forms, at its minimum."""
    from ase.build import molecule
    from ase.optimize import BFGS

    atoms = molecule("CH3CH2OH")
    atoms.set_dihedral(0, 1, 2, 3, DIHEDRALS[start], indices=[3])
    atoms.calc = tight_binding()
    BFGS(atoms, logfile=None).run(fmax=0.02, steps=200)
    return atoms


def trajectory(
    atoms,
    seed: int,
    frames: int,
    *,
    left_out: int = LEFT_OUT,
    every: int = EVERY,
    kelvin: float = TEMPERATURE,
    step: float = STEP_FS,
):
    """(positions, energies, forces, mean temperature) of frames kept every `every` steps of `step` fs, after
    `left_out` steps."""
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    rng = np.random.default_rng([2024, seed])
    MaxwellBoltzmannDistribution(atoms, temperature_K=kelvin, rng=rng)
    dynamics = Langevin(
        atoms,
        step * units.fs,
        temperature_K=kelvin,
        friction=FRICTION_PER_FS / units.fs,
        fixcm=False,
        rng=rng,
    )
    dynamics.run(left_out)
    kept, kinetic = [], []
    for _ in range(frames):
        dynamics.run(every)
        kept.append((atoms.positions.copy(), atoms.get_potential_energy(), atoms.get_forces()))
        kinetic.append(atoms.get_temperature())
    positions, energies, forces = (np.array(column) for column in zip(*kept, strict=True))
    return positions, energies, forces, float(np.mean(kinetic))


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    """At once, or not at all."""
    half = path.with_name(path.name + ".half.npz")
    np.savez_compressed(half, **columns, units=np.array(UNITS))
    os.replace(half, path)


def rows_of(numbers: np.ndarray, frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows to learn from, rows to choose the best epoch by, rows of the test), by the number of trajectory.

    `frames` frames are drawn to learn from, and a third as many, at most 100, to choose by."""
    rng = np.random.default_rng([seed, frames])
    part = numbers % 7
    if frames > np.sum(part < 4):
        raise SystemExit(f"frames: there are {np.sum(part < 4)} to learn from, not {frames}")
    learnt = rng.choice(np.flatnonzero(part < 4), frames, replace=False)
    chosen = rng.choice(np.flatnonzero(part == 4), min(100, max(30, frames // 3)), replace=False)
    return learnt, chosen, np.flatnonzero(part > 4)


def source(metal: bool = False, kelvin: float = TEMPERATURE) -> str:
    method = "EMT" if metal else f"GFN2-xTB (tblite {version('tblite')}, accuracy 0.01)"
    return f"Langevin dynamics at {kelvin:.0f} K, {method}, ASE {version('ase')}"


def main(path: Path, trajectories: int = 42, frames: int = 50) -> None:
    starts = [relaxed_ethanol(k) for k in range(3)]
    energies = [a.get_potential_energy() for a in starts]
    print("minima, eV above the lowest:", *(f"{e - min(energies):.4f}" for e in energies))
    parts: dict[str, list[np.ndarray]] = {}
    began = time.time()
    for number in range(trajectories):
        atoms = starts[number % 3].copy()
        atoms.calc = tight_binding()
        x, e, f, warm = trajectory(atoms, number, frames)
        fixed = {"trajectory": np.full(frames, number), "start": np.full(frames, number % 3)}
        for name, value in {"positions": x, "energies": e, "forces": f, **fixed}.items():
            parts.setdefault(name, []).append(value)
        columns = {name: np.concatenate(values) for name, values in parts.items()}
        write(path, {**columns, "species": atoms.numbers, "source": np.array(source())})
        rms = np.sqrt(np.mean(f**2)) * 1000
        print(f"{number} {time.time() - began:.0f} s, {warm:.0f} K, force {rms:.0f} meV/Å rms", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
