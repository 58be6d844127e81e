"""Monte Carlo renormalization of the square-lattice Ising model at T_c: exponents, and seconds.

    python benchmarks/mcrg_table.py [--side 64] [--samples 40000] [--levels 4] [--couplings 4] [--steps 1]

Swendsen-Wang samples (20 chains, `--steps` apart), the 2 × 2 majority rule with random ties, y_T and y_H by
step and by number of couplings with jackknife errors, and beside them a run of another code at L = 64 with
40,000 samples: y_T 0.911(5), 0.965(3), 0.955(6), 0.946(5) with one coupling and 0.969(5),
1.005(2), 0.995(5), 0.997(10) with four; y_H 1.8811(1), 1.8758(2), 1.8746(4), 1.8745(11). Exact: 1 and 15/8.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax
import numpy as np

from intertwine.models.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocking import Majority
from intertwine.rg.streaming import MCRGSums
from intertwine.sampling.cluster import SwendsenWang
from intertwine.spaces.lattices import Square

BINS = 100
OTHER = {
    ("y_T", 1): "0.911(5) 0.965(3) 0.955(6) 0.946(5)",
    ("y_T", 4): "0.969(5) 1.005(2) 0.995(5) 0.997(10)",
    ("y_H", 4): "1.8811(1) 1.8758(2) 1.8746(4) 1.8745(11)",
}


def main() -> None:
    """Parse, sample and block in bins, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in (("side", 64), ("samples", 40_000), ("levels", 4), ("couplings", 4), ("steps", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    key, lattice = jax.random.key(0), Square(options.side)
    begun = perf_counter()
    model, sampler = (
        Ising(lattice, CRITICAL_SQUARE),
        SwendsenWang(chains=20, steps=options.steps, burn_in=300),
    )
    collected = MCRGSums(Majority(2), lattice, levels=options.levels, couplings=options.couplings)
    state, sums = sampler.init(model, key=key), collected.zeros(BINS)
    draws, blocking = -(-options.samples // (BINS * sampler.chains)), 0.0
    for k in range(BINS):
        one, two = jax.random.split(jax.random.fold_in(key, k))
        drawn, state = sampler.sample(model, state, draws, key=one)
        rows = np.asarray(drawn.configurations).reshape(-1, lattice.size)
        start = perf_counter()
        sums = collected.add(sums, k, rows, key=two)
        blocking += perf_counter() - start
    found = collected.result(sums)
    seconds = perf_counter() - begun
    print(f"L = {options.side}, {found.samples} samples: {seconds:.1f} s, {blocking:.1f} s to block and sum")
    print(f"even {', '.join(found.even)}; odd {', '.join(found.odd)}")
    for name in ("y_T", "y_H"):
        value, error = getattr(found, name), getattr(found, f"{name}_error")
        for m in range(options.couplings):
            cells = "  ".join(f"{v:.4f} ± {e:.4f}" for v, e in zip(value[:, m], error[:, m], strict=True))
            other = OTHER.get((name, m + 1), "") if (options.side, options.couplings) == (64, 4) else ""
            print(f"{name}, {m + 1} couplings: {cells}   {other}")
    print(found)


if __name__ == "__main__":
    main()
