"""Exact samples and energy of autoregressive states, interleaved with NetKet in one run on the same cores.

    python benchmarks/autoregressive.py --net dense convolution --rounds 5 --peer-python PYTHON_WITH_NETKET

The transverse-field Ising ring of 40 sites, h = J = 1, 1,024 samples, float64: seconds for drawing the
samples and for the energy of them with its error bar, parameters as they begin. Both sides hold a warm
process; the parent asks them in turn (A B A B …).

    dense         2 hidden layers of 16 features a site: MaskedDense; FastARNNDense with features 16, 16, 2
    convolution   2 hidden layers of 16 features, 4 sites back: MaskedConvolution, reach 4 (gated: twice the
                  features inside); FastARNNConv1D with features 16, 16, 2 and kernels of 5

NetKet is tried with both forms of its operator (IsingJax and the compiled one), with the fast and the plain
networks, and with chunks; its best counts. Floor: the products that are needed at least (2 flops a
multiply-add, nothing for conditionals that are known), at the speed of this machine's matrix product,
measured in the same run.
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

HERE = Path(__file__).parent
SETTINGS = [
    {"operator": "jax", "fast": True},
    {"operator": "numba", "fast": True},
    {"operator": "jax", "fast": False},
    {"operator": "jax", "fast": True, "chunk": 4096},
]


def best_peer_setting(python: str, net: str) -> dict:
    """The setting of SETTINGS with the smallest seconds, each tried alone twice."""
    best, least = SETTINGS[0], float("inf")
    for settings in SETTINGS:
        script = HERE / "peers" / "netket_autoregressive_worker.py"
        try:
            worker = Worker(python, script, {"net": net} | settings)
        except RuntimeError as error:
            print(f"  netket {settings}: {error}", flush=True)
            continue
        seconds = min(worker.steps(1)["seconds"] for _ in range(2))
        worker.close()
        print(f"  netket {settings}: {seconds:.2f} s", flush=True)
        if seconds < least:
            best, least = settings, seconds
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--net", nargs="+", default=["dense", "convolution"], choices=["dense", "convolution"]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for net in arguments.net:
        print(f"({net})", flush=True)
        peer = None
        if arguments.peer_python:
            given = arguments.peer_settings
            settings = json.loads(given) if given else best_peer_setting(arguments.peer_python, net)
            script = HERE / "peers" / "netket_autoregressive_worker.py"
            peer = Worker(arguments.peer_python, script, {"net": net} | settings)
        script = HERE / "peers" / "intertwine_autoregressive_worker.py"
        ours = Worker(sys.executable, script, {"net": net})
        ratios, of_cpu = [], []
        for _ in range(arguments.rounds):
            mine = ours.steps(2)
            if peer is not None:
                theirs = peer.steps(1)
                ratios.append(theirs["seconds"] / mine["seconds"])
                of_cpu.append(theirs["cpu"] / mine["cpu"])
        print(
            f"  intertwine: median {ours.median():.3f} s, least {ours.minimum():.3f} s "
            f"(samples {ours.minimum('sampling'):.3f}), CPU {ours.minimum('cpu'):.3f} s; "
            f"floor {ours.warm['floor']}; energy {ours.answers[-1]['energy']:.2f}"
        )
        if peer is not None:
            print(
                f"  netket {peer.settings}: median {peer.median():.3f} s, least {peer.minimum():.3f} s "
                f"(samples {peer.minimum('sampling'):.3f}), CPU {peer.minimum('cpu'):.3f} s; "
                f"energy {peer.answers[-1]['energy']:.2f}; ratio, pair by pair: median "
                f"{statistics.median(ratios):.1f}, least {min(ratios):.1f}, most {max(ratios):.1f}; of CPU "
                f"seconds {statistics.median(of_cpu):.1f}",
                flush=True,
            )
            peer.close()
        ours.close()


if __name__ == "__main__":
    main()
