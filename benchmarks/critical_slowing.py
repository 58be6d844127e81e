"""Autocorrelation times of samplers of the square-lattice Ising model at T_c, and their exponents z.

    python benchmarks/critical_slowing.py [--sizes 8 16 32 64] [--draws 2048] [--chains 128] [--output FILE]

    heat bath       z = 2.1667(5) for m² (Nightingale & Blöte 1996)
    Swendsen-Wang   z about 0.2 to 0.3 for the energy at these sizes
    Wolff           the same or less; single clusters, counted as ⟨m²⟩ of a sweep each

τ = 1 + 2 Σ ρ(t) in sweeps, twice the integrated time of the literature. --output: a JSON file of the tables.
"""

from __future__ import annotations

import argparse
import json
import time

import jax

from intertwine.rg.scaling.critical_slowing import critical_slowing
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.spins.heat_bath import HeatBath
from intertwine.sampling.spins.wolff import Wolff


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--draws", type=int, default=2048)
    parser.add_argument("--chains", type=int, default=128)
    parser.add_argument("--output")
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    samplers = {
        "heat bath": HeatBath(chains=options.chains, burn_in=100),
        "Swendsen-Wang": SwendsenWang(chains=options.chains, burn_in=50),
        "Wolff": Wolff(chains=options.chains, burn_in=50),
    }
    tables = {}
    for name, sampler in samplers.items():
        start = time.perf_counter()
        found = critical_slowing(sampler, options.sizes, draws=options.draws, key=jax.random.key(0))
        print(f"{name}, {time.perf_counter() - start:.0f} s\n{found}\n", flush=True)
        tables[name] = {"table": found.table, "exponents": found.exponents}
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(tables, file, indent=2)


if __name__ == "__main__":
    main()
