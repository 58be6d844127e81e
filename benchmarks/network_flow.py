r"""The flow of an RBM, v → h → v, against its training: where its fixed point is, as a temperature.

    python benchmarks/network_flow.py [--side 10] [--hidden 100] [--temperatures critical|range]

RBMs with ±1 units learn 10,000 Ising configurations of a side × side torus by CD-1 (plain gradient descent,
rate 0.01, one seed), either at T_c alone or at temperatures 0.25, 0.5, …, 6 together (as Iso, Shiba & Yokoo
2018). After each number of epochs the flows from T = 0 and from T = ∞ run until their energies meet, and the
energy is read as a temperature by the exact energy of the same torus. Printed for each: epochs, both energies
and their difference (asked: ≤ 0.01), the temperature, the steps that were taken, seconds.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax
import numpy as np

from intertwine.boltzmann.objectives.methods import CD
from intertwine.boltzmann.training.learn import learn
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.networks.network_flow import flow_fixed_point
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square

EPOCHS = (5, 20, 50, 100, 300, 600)


def data(side: int, temperatures: str, key: jax.Array) -> np.ndarray:
    """10,000 configurations, shuffled."""
    couplings = (
        [CRITICAL_SQUARE] if temperatures == "critical" else (1 / np.arange(0.25, 6.01, 0.25)).tolist()
    )
    each = -(-10_000 // len(couplings))
    keys = jax.random.split(key, len(couplings))
    rows = [
        np.asarray(sample(Ising(Square(side), float(K)), each, sampler=SwendsenWang(chains=50), key=k))
        for K, k in zip(couplings, keys, strict=True)
    ]
    return np.random.default_rng(0).permutation(np.concatenate(rows))


def main() -> None:
    """Parse, train piece by piece, flow, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=10)
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--temperatures", choices=("critical", "range"), default="critical")
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    key = jax.random.key(0)
    rows = data(options.side, options.temperatures, jax.random.fold_in(key, 1))
    machine = RBM(options.side**2, options.hidden, scale=0.01, key=jax.random.fold_in(key, 2))
    print(f"{len(rows)} configurations, {options.temperatures}; {options.hidden} hidden units, CD-1")
    print(f"{'epochs':>6} {'from T = 0':>12} {'from T = ∞':>12} {'apart':>8} {'T':>16} {'steps':>7} {'s':>5}")
    done = 0
    for epochs in EPOCHS:
        begun = perf_counter()
        fit = learn(
            machine, rows, method=CD(1), epochs=epochs - done, batch=100, learning_rate=lambda step: 0.01,
            centred=False, average=None, key=jax.random.fold_in(key, 10 + epochs),
        )  # fmt: skip
        machine, done = fit.model, epochs
        found = flow_fixed_point(machine, lattice=Square(options.side), key=jax.random.fold_in(key, 3))
        cold, hot, T = float(found.cold.mean), float(found.hot.mean), found.temperature
        told = f"{T.mean:.3f} ± {T.error:.3f}" if np.isfinite(T.mean) else "∞"
        seconds = perf_counter() - begun
        print(
            f"{epochs:6d} {cold:12.4f} {hot:12.4f} {found.difference:8.4f} {told:>16} {found.steps:7d}"
            f" {seconds:5.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
