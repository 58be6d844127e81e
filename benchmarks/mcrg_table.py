"""Monte Carlo renormalization of the square lattice at K_c, beside the project's reference run.

    python benchmarks/mcrg_table.py [--samples 40000] [--wide]

The table: L = 64, Swendsen-Wang samples, majority of 2 × 2 blocks, four steps, with 1 and with 4 couplings;
wall seconds of sampling and of blocking. --wide adds L = 128 with 7 even and 4 odd couplings, five steps,
against the exact y_T = 1 and y_H = 15/8.
"""

from __future__ import annotations

import argparse
import time

import jax
import numpy as np

from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_terms import EVEN, ODD
from intertwine.rg.blocks.blocking import Majority
from intertwine.rg.montecarlo.mcrg_result import MCRG
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square

REFERENCE = {
    "y_T, 1": ((0.911, 0.005), (0.965, 0.003), (0.955, 0.006), (0.946, 0.005)),
    "y_T, 4": ((0.969, 0.005), (1.005, 0.002), (0.995, 0.005), (0.997, 0.010)),
    "y_H, 4": ((1.8811, 0.0001), (1.8758, 0.0002), (1.8746, 0.0004), (1.8745, 0.0011)),
}


def run(side: int, levels: int, samples: int, couplings: object, seed: int) -> tuple[MCRG, float, float]:
    """The result, and the seconds of sampling and of blocking and summing."""
    sampler, model, bins = SwendsenWang(chains=20), Ising(Square(side, side), CRITICAL_SQUARE), 50
    collected = MCRGSums(Majority(2), Square(side, side), levels=levels, couplings=couplings)
    keys = jax.random.split(jax.random.key(seed), 2 * bins + 1)
    begun = time.perf_counter()
    state, sums = sampler.init(model, key=keys[-1]), collected.zeros(bins)
    drawing = time.perf_counter() - begun
    blocking = 0.0
    for k in range(bins):
        begun = time.perf_counter()
        drawn, state = sampler.sample(model, state, samples // (bins * sampler.chains), key=keys[2 * k])
        spins = np.asarray(drawn.configurations).reshape(-1, side * side)
        drawing += time.perf_counter() - begun
        begun = time.perf_counter()
        sums = collected.add(sums, k, spins, key=keys[2 * k + 1])
        blocking += time.perf_counter() - begun
    return collected.result(sums), drawing, blocking


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found, drawing, blocking = run(64, 4, options.samples, 4, options.seed)
    print(f"L = 64, {found.samples} samples: {drawing:.1f} s of sampling, {blocking:.1f} s of blocking")
    print(f"{'':8}{'step':>4}  {'here':>18}  {'reference run':>18}  {'difference/σ':>12}")
    for name, rows in REFERENCE.items():
        sector, column = name.split(", ")
        y, error = getattr(found, sector), getattr(found, f"{sector}_error")
        for n, (value, sigma) in enumerate(rows):
            here, own = y[n, int(column) - 1], error[n, int(column) - 1]
            pull = (here - value) / np.hypot(own, sigma)
            print(
                f"{name:<8}{n + 1:>4}  {f'{here:.4f} ± {own:.4f}':>18}  {f'{value:.4f} ± {sigma:.4f}':>18}"
                f"  {pull:>12.1f}"
            )
    print(found)
    if options.wide:
        found, drawing, blocking = run(128, 5, options.samples, (*EVEN, *ODD), options.seed + 1)
        print(f"L = 128, {found.samples} samples: {drawing:.1f} s of sampling, {blocking:.1f} s of blocking")
        for n in range(5):
            y_T, y_H = (
                f"{y[n, -1]:.4f} ± {error[n, -1]:.4f}"
                for y, error in ((found.y_T, found.y_T_error), (found.y_H, found.y_H_error))
            )
            print(f"step {n + 1}: y_T {y_T} (exact 1), y_H {y_H} (exact 1.875)")


if __name__ == "__main__":
    main()
