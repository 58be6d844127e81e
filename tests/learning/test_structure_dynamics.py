"""Molecular dynamics by the calculator of ASE: the energy is conserved, and nothing is compiled again."""

from pathlib import Path

import jax
import numpy as np
import pytest
from pair_network import PairNetwork, clusters

import intertwine as it

ase = pytest.importorskip("ase")


def dynamics(calculator, data, steps, every):
    """Total energies (eV) along a path at constant energy from 300 K, 0.5 fs a step."""
    from ase.md.verlet import VelocityVerlet
    from ase.units import fs, kB

    atoms = ase.Atoms(numbers=data.species, positions=data.positions, calculator=calculator)
    speeds = np.sqrt(300 * kB / atoms.get_masses()[:, None])
    speeds = speeds * np.random.default_rng(0).normal(size=(len(atoms), 3))
    atoms.set_velocities(speeds - speeds.mean(0))
    moving, energies = VelocityVerlet(atoms, timestep=0.5 * fs), []
    for _ in range(steps // every):
        moving.run(every)
        energies.append(atoms.get_total_energy())
    return np.array(energies), atoms


def slope(energies, time):
    """(slope, its error) of a line through energies, from blocks that are independent of one another."""
    parts = np.array_split(np.arange(len(energies)), 8)
    means, middles = (np.array([values[p].mean() for p in parts]) for values in (energies, time))
    fit, covariance = np.polyfit(middles, means, 1, cov=True)
    return fit[0], covariance[0, 0] ** 0.5


@pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")
def test_a_path_conserves_energy_and_compiles_once():
    traces = []

    class Counted(PairNetwork):
        def __call__(self, x, *, at, key=None):
            traces.append(x.shape)
            return super().__call__(x, at=at, key=key)

    data = clusters(16, sizes=(8,))
    fit = it.fit_structures(Counted(key=jax.random.key(0)), data, epochs=15, key=jax.random.key(0))
    calculator = it.ase_calculator(fit, skin=0.3)
    traces.clear()
    energies, atoms = dynamics(calculator, data.take([0]), 200, 10)
    assert np.ptp(energies) < 2e-4 * len(atoms) and len(traces) == 1
    assert np.abs(atoms.get_forces().sum(0)).max() < 1e-12


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")
def test_the_total_energy_does_not_drift():
    """At most 4 µeV per atom and ps over 10 ps of ethanol at 300 K, whose atoms cross the cut-off."""
    file = Path(__file__).parents[2] / "benchmarks" / "data" / "ethanol.npz"
    if not file.is_file():
        pytest.skip("benchmarks/data/ethanol.npz is not there")
    data = it.data.load_structures(file).take(slice(0, 1200, 12))
    settings = dict(layers=2, space="points:4.0", epochs=40)
    fit = it.fit_structures("painn:8", data, **settings, key=jax.random.key(0))
    energies, atoms = dynamics(it.ase_calculator(fit), data.take([0]), 20_000, 20)
    drift, error = slope(energies / len(atoms), 0.01 * np.arange(len(energies)))  # of ps
    print(f"{1e6 * drift:.2f} ± {1e6 * error:.2f} µeV per atom and ps")
    assert abs(drift) <= 4e-6 + 3 * error and error < 4e-6
