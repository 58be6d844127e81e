"""Seconds a step of VMC with a vision transformer, interleaved with NetKet's on the same cores.

    python benchmarks/vit_step.py --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

J1-J2 model on the square 6 × 6, J2 = 0.5, patches of 2 × 2 sites, factored attention by relative positions,
complex output, 4 layers of 16 features and 4 heads, 1,024 samples, 36 proposals between draws, stochastic
reconfiguration with the real and imaginary parts of the derivatives (minSR). The network of the other side
is the same one in Flax: NetKet has no transformer of its own. Both hold a warm process and are asked in turn
(A B A B ...). NetKet's settings (chains, chunks, its on-the-fly and its kernel method) are tried first and
its best counts (`--peer-settings` names one).
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

SCRIPT = Path(__file__).parent / "peers" / "vit_worker.py"
PEER_SETTINGS = [
    {"chains": 256},
    {"chains": 1024},
    {"chains": 1024, "chunk": 256},
    {"chains": 256, "chunk": 128},
    {"chains": 256, "driver": "VMC"},
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
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dtype", default="float64", help="of both sides")
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    common = {name: getattr(arguments, name) for name in ("side", "layers", "dim", "heads", "dtype")}
    peer, settings = None, None
    if arguments.peer_python:
        given = arguments.peer_settings
        settings = json.loads(given) if given else best_peer_setting(arguments.peer_python, common)
        peer = Worker(arguments.peer_python, SCRIPT, {"library": "netket"} | common | settings)
    ours = Worker(sys.executable, SCRIPT, {"library": "intertwine"} | common)
    ratios = []
    for _ in range(arguments.rounds):
        seconds = ours.steps(1)["seconds"]
        if peer is not None:
            ratios.append(peer.steps(1)["seconds"] / seconds)
    print(
        f"intertwine {arguments.dtype}: median {ours.median():.2f} s, least {ours.minimum():.2f} s a step "
        f"({ours.minimum('cpu'):.2f} s of CPU); {ours.warm['parameters']} parameters",
        flush=True,
    )
    if peer is not None:
        print(
            f"netket {settings}: median {peer.median():.2f} s, least {peer.minimum():.2f} s a step "
            f"({peer.minimum('cpu'):.2f} s of CPU); {peer.warm['parameters']} parameters; ratio, pair by "
            f"pair: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}, most {max(ratios):.1f}; "
            f"of CPU {peer.minimum('cpu') / ours.minimum('cpu'):.1f}",
            flush=True,
        )
        peer.close()
    ours.close()


if __name__ == "__main__":
    main()
