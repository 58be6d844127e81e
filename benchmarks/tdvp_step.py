"""Seconds a step of the time-dependent variational principle, interleaved with NetKet on the same cores.

    python benchmarks/tdvp_step.py --rounds 3 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

An Ising ring of 40, complex RBM α = 2 (3,320 parameters), 2,048 samples, float64, N proposals between draws.
A step is an Euler step on both sides: draws, local energies, the velocity, the new parameters. Ours solves in
sample space by Cholesky with a shift; NetKet's are its dense solves (`QGTJacobianDense` with Cholesky, and
with its default, `pinv_smooth`) and conjugate gradients on `QGTOnTheFly`, all holomorphic. Workers are warm,
and asked in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from vmc_step import Worker

HERE = Path(__file__).parent / "peers"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--block", type=int, default=1, help="steps of the peer each round; ours are three times that"
    )
    parser.add_argument("--solves", nargs="+", default=["cholesky", "pinv_smooth", "cg"])
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    ours = Worker(sys.executable, HERE / "intertwine_tdvp_worker.py", {"chains": arguments.chains})
    for solve in arguments.solves if arguments.peer_python else []:
        settings = {"solve": solve, "chains": arguments.chains}
        peer = Worker(arguments.peer_python, HERE / "netket_tdvp_worker.py", settings)
        ratios = []
        for _ in range(arguments.rounds):
            mine = ours.steps(3 * arguments.block)["seconds"]
            ratios.append(peer.steps(arguments.block)["seconds"] / mine)
        print(
            f"netket {solve}: median {peer.median():.2f} s, least {peer.minimum():.2f} s; ratio, pair by "
            f"pair: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}, most {max(ratios):.1f}",
            flush=True,
        )
        peer.close()
    if not arguments.peer_python:
        for _ in range(arguments.rounds):
            ours.steps(3 * arguments.block)
    print(f"intertwine: median {1e3 * ours.median():.0f} ms, least {1e3 * ours.minimum():.0f} ms a step")
    ours.close()


if __name__ == "__main__":
    main()
