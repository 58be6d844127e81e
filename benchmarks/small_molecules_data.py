"""Five small molecules at 500 K by GFN2-xTB, copper with a vacancy by EMT: frames with energies and forces.

    OMP_NUM_THREADS=1 python benchmarks/small_molecules_data.py folder [name ...]

in an environment with ase and tblite (`ethanol_data.py`, the same dynamics and the same file, one for each
name). The molecules, of ASE's g2 set: acetic acid, acetone, benzene, pyridine, thiophene: 10 trajectories, 30
frames, 100 fs apart, after 0.5 ps. Copper: 107 atoms on 108 sites of a periodic cube of 3 × 3 × 3 cells
(a = 3.61 Å), effective medium theory as in ASE, 600 K, time step 4 fs, 12 trajectories, 10 frames, 200 fs
apart, after 1.2 ps; its file also has cells (S, 3, 3) in Å and periodic (S, 3).
EMT: Jacobsen, Stoltze, Nørskov, Surf. Sci. 366, 394 (1996).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ethanol_data import source, tight_binding, trajectory, write


class Kind(NamedTuple):
    """make: atoms at rest without a calculator; the numbers of trajectories, frames and steps; K and fs."""

    make: Callable
    calculator: Callable
    trajectories: int = 10
    frames: int = 30
    left_out: int = 500
    every: int = 100
    kelvin: float = 500.0
    step: float = 1.0


def molecule(name: str) -> Callable:
    def make():
        from ase.build import molecule as built

        return built(name)

    return make


def copper():
    from ase.build import bulk

    atoms = bulk("Cu", "fcc", a=3.61, cubic=True).repeat(3)
    del atoms[0]
    return atoms


def effective_medium():
    from ase.calculators.emt import EMT

    return EMT()


KINDS = {
    "acetic-acid": Kind(molecule("CH3COOH"), tight_binding),
    "acetone": Kind(molecule("CH3COCH3"), tight_binding),
    "benzene": Kind(molecule("C6H6"), tight_binding),
    "pyridine": Kind(molecule("C5H5N"), tight_binding),
    "thiophene": Kind(molecule("C4H4S"), tight_binding),
    "copper": Kind(copper, effective_medium, 12, 10, 300, 50, 600.0, 4.0),
}


def made(name: str, path: Path) -> None:
    from ase.optimize import BFGS

    kind, parts, began = KINDS[name], [], time.time()
    rest = kind.make()
    rest.calc = kind.calculator()
    BFGS(rest, logfile=None).run(fmax=0.02, steps=200)
    for number in range(kind.trajectories):
        atoms = rest.copy()
        atoms.calc = kind.calculator()
        found = trajectory(
            atoms,
            number,
            kind.frames,
            left_out=kind.left_out,
            every=kind.every,
            kelvin=kind.kelvin,
            step=kind.step,
        )
        parts.append((*found[:3], np.full(kind.frames, number)))
    columns = zip(("positions", "energies", "forces", "trajectory"), zip(*parts, strict=True), strict=True)
    whole = {key: np.concatenate(values) for key, values in columns}
    whole["species"] = rest.numbers
    if rest.pbc.any():
        count = len(whole["energies"])
        whole["cells"] = np.tile(np.array(rest.cell), (count, 1, 1))
        whole["periodic"] = np.tile(rest.pbc, (count, 1))
    write(path / f"{name}.npz", {**whole, "source": np.array(source(name == "copper", kind.kelvin))})
    mean = np.abs(whole["forces"]).mean() * 1000
    seconds = time.time() - began
    print(f"{name}: {len(whole['energies'])} frames, |force| {mean:.0f} meV/Å, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    for wanted in sys.argv[2:] or KINDS:
        made(wanted, Path(sys.argv[1]))
