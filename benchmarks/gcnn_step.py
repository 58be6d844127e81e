"""Seconds a step of VMC with a group-convolutional network, interleaved with NetKet's on the same cores.

    python benchmarks/gcnn_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Heisenberg model on the square 6 × 6, the full space group (288 elements), 4 layers of 4 features, 1,024
samples from 256 chains, 36 proposals between draws, stochastic reconfiguration; real parameters and real
positive amplitudes on both sides. Both hold a warm process and are asked in turn (A B A B ...). NetKet's
modes are tried first and its best counts (`--peer-settings` names one). The floor is the time of our matrix
products alone at the speed of one large product, measured in the same run.
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

SCRIPT = Path(__file__).parent / "peers" / "gcnn_worker.py"
PEER_SETTINGS = [
    {"mode": "irreps", "driver": "VMC_SR"},
    {"mode": "fft", "driver": "VMC_SR"},
    {"mode": "irreps", "driver": "VMC"},
]


def best_peer_setting(python: str, common: dict) -> dict:
    """The setting with the least seconds a step, each tried alone."""
    found = {}
    for index, settings in enumerate(PEER_SETTINGS):
        worker = Worker(python, SCRIPT, {"library": "netket"} | common | settings)
        found[index] = worker.steps(1)["seconds"]
        worker.close()
        print(f"  netket {settings}: {found[index]:.2f} s", flush=True)
    return PEER_SETTINGS[min(found, key=lambda index: found[index])]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=6)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--features", type=int, default=4)
    parser.add_argument("--dtype", default="float64", help="of ours; NetKet runs in float64")
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    common = {name: getattr(arguments, name) for name in ("side", "layers", "features")}
    peer = None
    if arguments.peer_python:
        given = arguments.peer_settings
        settings = json.loads(given) if given else best_peer_setting(arguments.peer_python, common)
        peer = Worker(arguments.peer_python, SCRIPT, {"library": "netket"} | common | settings)
    mine = {"library": "intertwine", "dtype": arguments.dtype} | common
    ours = Worker(sys.executable, SCRIPT, mine)
    ratios = []
    for _ in range(arguments.rounds):
        seconds = ours.steps(3)["seconds"]
        if peer is not None:
            ratios.append(peer.steps(1)["seconds"] / seconds)
    print(
        f"intertwine {arguments.dtype}: median {ours.median():.2f} s, least {ours.minimum():.2f} s a step; "
        f"sampling {ours.minimum('sampling'):.2f}, local energies {ours.minimum('local'):.2f}; "
        f"floor {ours.warm['floor']:.2f} s; {ours.warm['parameters']} parameters; "
        f"warm after {ours.warm['warm']:.0f} s",
        flush=True,
    )
    if peer is not None:
        print(
            f"netket {settings}: median {peer.median():.2f} s, least {peer.minimum():.2f} s a step; "
            f"{peer.warm['parameters']} parameters; ratio, pair by pair: median "
            f"{statistics.median(ratios):.1f}, least {min(ratios):.1f}, most {max(ratios):.1f}",
            flush=True,
        )
        peer.close()
    ours.close()


if __name__ == "__main__":
    main()
