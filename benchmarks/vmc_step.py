"""Seconds a step of variational Monte Carlo, interleaved with NetKet in one run on the same cores.

    python benchmarks/vmc_step.py --problem a b c --rounds 5 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Both sides hold a warm process; the parent asks them in turn for a block of steps (A B A B ...), so that a
drift of the machine's speed meets both. 1,024 samples a step, float64, N proposals between draws of a chain,
a shift of 0.01 and a learning rate of 0.01 on both sides.

    (a) Heisenberg chain of 40, real RBM α = 1          exchanges of nearest neighbours, Marshall rotation
    (b) transverse-field Ising chain of 80, real α = 2  single flips, h = J = 1
    (c) Heisenberg 10 × 10, complex RBM α = 2           exchanges, no rotation; holomorphic

NetKet's settings that are tried: VMC with the on-the-fly QGT and VMC_SR, 16 to 1,024 chains, packed and
other kernels (below, PEER_SETTINGS); its best counts. Its conjugate gradients take more iterations as the
state is trained, ours is a factorisation and costs the same: `--train 200` times both after 200 steps.
Floors: the products (2 flops a multiply-add at the measured product speed) and the Cholesky factorisation,
measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

PEER_SETTINGS = [
    {"driver": "VMC", "chains": 16},
    {"driver": "VMC", "chains": 64},
    {"driver": "VMC", "chains": 256},
    {"driver": "VMC", "chains": 1024},
    {"driver": "VMC", "chains": 16, "kernels": "numba"},
    {"driver": "VMC", "chains": 256, "chunk": 256},
    {"driver": "VMC_SR", "chains": 16},
    {"driver": "VMC_SR", "chains": 256},
]


class Worker:
    """A warm process of one side: asked for blocks of steps, it answers with seconds a step."""

    def __init__(self, python: str, script: Path, settings: dict):
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.settings = settings
        self.process = subprocess.Popen(
            [python, str(script), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.answers: list[dict] = []
        self.warm = self._read()

    def _read(self) -> dict:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"a worker ended without an answer: {self.settings}")

    def steps(self, count: int) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write(f"steps {count}\n")
        self.process.stdin.flush()
        answer = self._read()
        self.answers.append(answer)
        return answer

    def median(self, name: str = "seconds") -> float:
        return statistics.median(answer[name] for answer in self.answers)

    def minimum(self, name: str = "seconds") -> float:
        return min(answer[name] for answer in self.answers)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def best_peer_setting(python: str, problem: str, block: int) -> dict:
    """The setting of PEER_SETTINGS with the smallest seconds a step, each tried alone for two blocks."""
    best, best_seconds = PEER_SETTINGS[0], float("inf")
    for settings in PEER_SETTINGS:
        worker = Worker(python, HERE / "peers" / "netket_worker.py", {"problem": problem} | settings)
        seconds = min(worker.steps(block)["seconds"] for _ in range(2))
        worker.close()
        print(f"  netket {settings}: {1e3 * seconds:.1f} ms", flush=True)
        if seconds < best_seconds:
            best, best_seconds = settings, seconds
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", nargs="+", default=["a", "b", "c"], choices=["a", "b", "c"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--train", type=int, default=0, help="steps that both sides make before they are timed"
    )
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for problem in arguments.problem:
        block = {"a": 20, "b": 5, "c": 2}[problem]
        peer = None
        print(f"({problem})", flush=True)
        if arguments.peer_python:
            settings = (
                json.loads(arguments.peer_settings)
                if arguments.peer_settings
                else best_peer_setting(arguments.peer_python, problem, block)
            )
            script = HERE / "peers" / "netket_worker.py"
            peer = Worker(arguments.peer_python, script, {"problem": problem} | settings)
        ours = Worker(sys.executable, HERE / "peers" / "intertwine_worker.py", {"problem": problem})
        ratios = []
        for worker in (ours, peer):
            if worker is not None and arguments.train:
                worker.steps(arguments.train)
                worker.answers.clear()
        for _ in range(arguments.rounds):
            mine = ours.steps(block * 2)["seconds"]
            if peer is not None:
                ratios.append(peer.steps(block)["seconds"] / mine)
        parts = {name: ours.minimum(name) for name in ("sampling", "local_energy", "update")}
        print(
            f"  intertwine: median {1e3 * ours.median():.1f} ms, least {1e3 * ours.minimum():.1f} ms a step; "
            + ", ".join(f"{name} {1e3 * value:.1f}" for name, value in parts.items())
            + f"; floors {ours.warm['floors']}; first step {ours.warm['first_step_seconds']:.2f} s; "
            f"peak memory {ours.answers[-1]['peak_mib']:.0f} MiB"
        )
        if peer is not None:
            print(
                f"  netket {peer.settings}: median {1e3 * peer.median():.1f} ms, "
                f"least {1e3 * peer.minimum():.1f} ms; "
                f"ratio, pair by pair: median {statistics.median(ratios):.1f}, "
                f"least {min(ratios):.1f}, most {max(ratios):.1f}",
                flush=True,
            )
            peer.close()
        ours.close()


if __name__ == "__main__":
    main()
