"""Local sweeps of the square-lattice Ising model at T_c by other packages, in an environment of their own.

    PYTHON spin_worker.py PACKAGE L THREADS

answers every line "SWEEPS" on standard input with "SECONDS FLIPS". PACKAGE is one of peapods (Gibbs),
mcising, isingenerator (both Metropolis), dwave-samplers (Gibbs).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np

T = 2 / math.log(1 + math.sqrt(2))


def peapods(L: int, threads: int) -> Callable[[int], int]:
    """As many systems as threads, which it runs in parallel."""
    from peapods import Ising

    model = Ising((L, L), temperatures=np.array([T]), n_replicas=threads)

    def sweeps(n: int) -> int:
        model.sample(n_sweeps=n, sweep_mode="gibbs", warmup_ratio=0.0)
        return n * threads * L * L

    return sweeps


def mcising(L: int, threads: int) -> Callable[[int], int]:
    from mcising._core import IsingSimulation

    model = IsingSimulation(L, 1.0, 0.0, 0.0, 0.0, 1, "metropolis", "square")

    def sweeps(n: int) -> int:
        model.sweep(n, temperature=T)
        return n * L * L

    return sweeps


def isingenerator(L: int, threads: int) -> Callable[[int], int]:
    from isingenerator import Simulation

    model = Simulation(rows=L, cols=L)

    def sweeps(n: int) -> int:
        model.run_single_temperature(T, n, 0, 1, threads)
        return n * L * L

    return sweeps


def dwave(L: int, threads: int) -> Callable[[int], int]:
    from dimod import BinaryQuadraticModel
    from dwave.samplers import SimulatedAnnealingSampler

    sampler = SimulatedAnnealingSampler()
    bonds = {
        ((x, y), n): -1.0 for x in range(L) for y in range(L) for n in (((x + 1) % L, y), (x, (y + 1) % L))
    }
    model = BinaryQuadraticModel.from_ising({}, bonds)

    def sweeps(n: int) -> int:
        sampler.sample(
            model, num_reads=1, num_sweeps_per_beta=n, beta_schedule_type="custom", beta_schedule=[1 / T],
            proposal_acceptance_criteria="Gibbs",
        )  # fmt: skip
        return n * L * L

    return sweeps


def main() -> None:
    package, L, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    made = {"peapods": peapods, "mcising": mcising, "isingenerator": isingenerator, "dwave-samplers": dwave}
    sweeps = made[package](L, threads)
    sweeps(1)
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        flips = sweeps(int(line))
        print(time.perf_counter() - start, flips, flush=True)


if __name__ == "__main__":
    main()
