"""Seconds a step of VMC with a Slater-Jastrow state of electrons, in turn with NetKet's on the same cores.

    python benchmarks/hubbard_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Hubbard model on the square 4 × 4, 5 + 5 electrons, U = 4, unrestricted orbitals and a Jastrow factor with a
coupling for every pair of modes on both sides, float64, 1,024 samples, 32 proposals (hops of one electron to
a neighbour) between draws of a chain, stochastic reconfiguration with shift 0.01 and learning rate 0.01. Both
hold a warm process and are asked in turn (A B A B ...). NetKet's settings are tried first and its best counts
(`--peer-settings` names one). CPU seconds are told beside those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from pathlib import Path

from vmc_step import Worker

SCRIPT = Path(__file__).parent / "peers" / "hubbard_worker.py"
PEER_SETTINGS = [
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 64},
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 256},
    {"operator": "hubbard", "driver": "VMC_SR", "chains": 1024},
    {"operator": "second", "driver": "VMC_SR", "chains": 1024},
    {"operator": "hubbard", "driver": "VMC", "chains": 1024},
    {"operator": "hubbard", "driver": "VMC", "chains": 16},
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


def told(name: str, worker: Worker) -> str:
    """Seconds of one side in words."""
    return (
        f"{name}: median {1e3 * worker.median():.1f} ms, least {1e3 * worker.minimum():.1f} ms a step; "
        f"CPU {1e3 * worker.median('cpu'):.1f} ms; {worker.warm['parameters']} parameters; "
        f"warm after {worker.warm['warm']:.0f} s; energy {worker.answers[-1]['energy']:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="slater-jastrow", help="of ours: another name, as pairing-jastrow")
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
