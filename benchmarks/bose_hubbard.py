"""Seconds a step of VMC with an RBM of bosons, in turn with NetKet's on the same cores.

    python benchmarks/bose_hubbard.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Bose-Hubbard ring of 20 sites with 20 bosons, no cut-off below their number, U = 4, float64, 40 hidden units,
1,024 samples, 20 proposals between draws of a chain, stochastic reconfiguration with shift 0.01 and learning
rate 0.01. Ours has a weight for each site, level and hidden unit (17,240 parameters); NetKet's RBM reads
occupation numbers (860), its RBMMultiVal one-hot levels (40 hidden units as well). Both hold a warm process
and are asked in turn (A B A B ...). NetKet's settings are tried first and its best counts (`--peer-settings`
names one). CPU seconds are told beside those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from pathlib import Path

from hubbard_step import told
from vmc_step import Worker

SCRIPT = Path(__file__).parent / "peers" / "bosons_worker.py"
PEER_SETTINGS = [
    {"model": "rbm", "operator": "jax", "driver": "VMC_SR", "chains": 64},
    {"model": "rbm", "operator": "jax", "driver": "VMC_SR", "chains": 1024},
    {"model": "rbm", "operator": "numba", "driver": "VMC_SR", "chains": 64},
    {"model": "rbm", "operator": "jax", "driver": "VMC", "chains": 1024},
]


def best_peer_setting(python: str) -> dict:
    """The setting with the least seconds a step, each tried alone."""
    found = {}
    for index, settings in enumerate(PEER_SETTINGS):
        worker = Worker(python, SCRIPT, {"library": "netket"} | settings)
        worker.steps(3)
        found[index] = worker.minimum()
        print(f"  netket {settings}: {1e3 * found[index]:.0f} ms", flush=True)
        worker.close()
    return PEER_SETTINGS[min(found, key=lambda index: found[index])]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="rbm:2", help="of ours: another name, as jastrow")
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    peer = None
    if arguments.peer_python:
        given = arguments.peer_settings
        settings = json.loads(given) if given else best_peer_setting(arguments.peer_python)
        peer = Worker(arguments.peer_python, SCRIPT, {"library": "netket"} | settings)
    ours = Worker(sys.executable, SCRIPT, {"library": "intertwine", "model": arguments.model})
    ratios, cpu = [], []
    for _ in range(arguments.rounds):
        mine = ours.steps(10)
        if peer is not None:
            theirs = peer.steps(3)
            ratios.append(theirs["seconds"] / mine["seconds"])
            cpu.append(theirs["cpu"] / mine["cpu"])
    print(told("intertwine", ours), flush=True)
    if peer is not None:
        print(told(f"netket {peer.settings}", peer), flush=True)
        print(
            f"ratio, pair by pair: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}, most "
            f"{max(ratios):.1f}; of CPU seconds {statistics.median(cpu):.1f}",
            flush=True,
        )
        peer.close()
    ours.close()


if __name__ == "__main__":
    main()
