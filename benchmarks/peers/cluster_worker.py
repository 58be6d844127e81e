"""Swendsen-Wang steps of the square-lattice Ising model at T_c by other packages.

    PYTHON cluster_worker.py PACKAGE L THREADS

run in an environment of their own, answers every line "STEPS" on standard input with "SECONDS SITES", sites
being those of all steps and systems. PACKAGE: peapods (clusters always come with a Metropolis sweep; the time
of as many sweeps without clusters, run next, is taken off), or mcising (one system, one thread).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np

T = 2 / math.log(1 + math.sqrt(2))


def peapods(L: int, threads: int) -> Callable[[int], float]:
    """As many systems as threads, which it runs in parallel; seconds of the clusters alone."""
    from peapods import Ising

    model = Ising((L, L), temperatures=np.array([T]), n_replicas=threads)

    def timed(n: int, **clusters: object) -> float:
        start = time.perf_counter()
        model.sample(n_sweeps=n, sweep_mode="metropolis", warmup_ratio=0.0, **clusters)
        return time.perf_counter() - start

    return lambda n: timed(n, cluster_update_interval=1, cluster_mode="sw") - timed(n)


def mcising(L: int, threads: int) -> Callable[[int], float]:
    """One system."""
    from mcising._core import IsingSimulation

    model = IsingSimulation(L, 1.0, 0.0, 0.0, 0.0, 1, "swendsen_wang", "square")

    def timed(n: int) -> float:
        start = time.perf_counter()
        model.sweep(n, temperature=T)
        return time.perf_counter() - start

    return timed


def main() -> None:
    package, L, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    steps = {"peapods": peapods, "mcising": mcising}[package](L, threads)
    systems = threads if package == "peapods" else 1
    steps(5)
    print("ready", flush=True)
    for line in sys.stdin:
        print(steps(int(line)), int(line) * systems * L * L, flush=True)


if __name__ == "__main__":
    main()
