"""Nanoseconds a site and step of Swendsen-Wang on the square-lattice Ising model at T_c, beside its floor.

    python benchmarks/clusters.py [--sizes 256 1024] [--rounds 9] [--peers PYTHON]

    ours          SwendsenWang(chains=2), two threads
    ours, 1       one chain, one thread
    plain loop    one system, one thread: a good loop in numba, union-find with path halving, xoshiro256++
    PACKAGE       of `peers/cluster_worker.py` run by --peers, on two threads where it can

One round is one run of each in turn, so that all see the same machine; medians and minima over the rounds,
and the ratio of the plain loop to ours from the pairs of a round. Every system has had 50 steps before.

The floor is memory traffic: a step reads each bond (8 bytes, twice a site), reads and writes parents (4
bytes) three times, and spins (1 byte) twice, about 46 bytes a site, at the speed of copying large arrays
measured in the same run; what remains is the random number, the branch and the union of satisfied bonds.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable

import jax
import numpy as np

from intertwine import _threads
from intertwine._compile import kernel
from intertwine.models.spins.ising import CRITICAL_SQUARE as K, Ising
from intertwine.sampling.host_random import uniform
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square

PEERS = ("peapods", "mcising")
BYTES_A_SITE = 46


@kernel
def plain_steps(spins, states, count, freeze):
    """Swendsen-Wang as one would write it: bonds right and down of every site, then labels, then signs."""
    size = spins.shape[0]
    parent = np.empty(size * size, np.int32)
    sign = np.empty(size * size, np.int8)
    for _ in range(count):
        for i in range(size * size):
            parent[i] = i
        for x in range(size):
            for y in range(size):
                here = x * size + y
                for k in range(2):
                    u, v = ((x + 1) % size, y) if k == 0 else (x, (y + 1) % size)
                    if spins[u, v] == spins[x, y] and uniform(states, 0) < freeze:
                        i, j = here, u * size + v
                        while parent[i] != i:
                            parent[i] = parent[parent[i]]
                            i = parent[i]
                        while parent[j] != j:
                            parent[j] = parent[parent[j]]
                            j = parent[j]
                        if i < j:
                            parent[j] = i
                        else:
                            parent[i] = j
        for i in range(size * size):
            sign[i] = 1 if uniform(states, 0) < 0.5 else -1
        for x in range(size):
            for y in range(size):
                i = x * size + y
                while parent[i] != i:
                    i = parent[i]
                spins[x, y] *= sign[i]


def ours(size: int, chains: int, threads: int) -> Callable[[int], float]:
    """Seconds of so many steps of every chain."""
    model, sampler = Ising(Square(size), K), SwendsenWang(chains=chains, burn_in=0)
    state = [sampler.init(model, key=jax.random.key(0))]

    def timed(steps: int) -> float:
        chosen = SwendsenWang(chains=chains, steps=steps, burn_in=0)
        start = time.perf_counter()
        with _threads.limit(threads):
            state[0] = chosen.sample(model, state[0], 1, key=jax.random.key(1))[1]
        return time.perf_counter() - start

    timed(50)
    return timed


def plain(size: int) -> Callable[[int], float]:
    """Seconds of so many steps of one system."""
    spins = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (size, size))
    states = np.random.SeedSequence(0).generate_state(4, np.uint64)[None].copy()

    def timed(steps: int) -> float:
        start = time.perf_counter()
        plain_steps(spins, states, steps, 1 - np.exp(-2 * K))
        return time.perf_counter() - start

    timed(50)
    return timed


def peer(python: str, package: str, size: int) -> Callable[[int], float] | None:
    """Seconds of so many steps, times its threads' share; None where it does not run."""
    worker = os.path.join(os.path.dirname(__file__), "peers", "cluster_worker.py")
    process = subprocess.Popen(
        [python, worker, package, str(size), "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        return None

    def timed(steps: int) -> float:
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
        seconds, sites = process.stdout.readline().split()
        return float(seconds) * steps * size**2 / float(sites)

    return timed


def copy_speed() -> float:
    """Bytes a nanosecond of reading and writing large arrays."""
    a = np.ones(2**25, np.uint8)
    b = np.empty_like(a)
    best = min(_seconds(lambda: np.copyto(b, a)) for _ in range(7))
    return 2 * a.size / best / 1e9


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Parse, run in rounds, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peers", metavar="PYTHON")
    options = parser.parse_args()
    print(platform.processor() or platform.machine(), os.cpu_count(), "CPUs")
    for size in options.sizes:
        steps = max(4, 2**22 // size**2)
        runs: dict[str, tuple[Callable[[int], float], int]] = {
            "ours": (ours(size, 2, 2), 2),
            "ours, 1": (ours(size, 1, 1), 1),
            "plain loop": (plain(size), 1),
        }
        for package in PEERS if options.peers else ():
            found = peer(options.peers, package, size)
            if found is not None:
                runs[package] = (found, 1)
        rounds = [
            {name: run(steps) / (steps * systems * size**2) * 1e9 for name, (run, systems) in runs.items()}
            for _ in range(options.rounds)
        ]
        print(f"\nL = {size}: ns a site and step; floor of memory {BYTES_A_SITE / copy_speed():.1f}")
        print(f"{'':<12} {'median':>8} {'least':>8}   plain loop / this, median of pairs")
        for name in runs:
            values = np.array([r[name] for r in rounds])
            ratio = np.median([r["plain loop"] / r[name] for r in rounds])
            print(f"{name:<12} {np.median(values):8.1f} {values.min():8.1f}   {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
