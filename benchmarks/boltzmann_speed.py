"""Seconds an update of PCD-1 at 784 × 500, against scikit-learn, rbms and the matrix products alone.

    python benchmarks/boltzmann_speed.py --peer-python PATH_TO_A_PYTHON_WITH_RBMS_AND_SCIKIT_LEARN

Warm processes, one a side, are asked in turn for a block of updates (A B C A B C ...), so that a drift of the
machine's speed meets all of them (`peers/boltzmann_worker.py` says what each side does). The floor is five
products, 10 · batch · 784 · 500 floating-point operations, measured in the same run. `--memory` measures the
peak of the memory that learning adds against the size of the data, in an array and in a memory map.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vmc_step import Worker

HERE = Path(__file__).parent
SCRIPT = HERE / "peers" / "boltzmann_worker.py"
EPOCH = 60_000
PAUSE = 0.5
"""Seconds before a block: idle threads of the side before (OpenMP's) spin for a while and hold a core."""

MEMORY = """
import json, resource, sys
sys.path.insert(0, {folder!r})
import numpy as np
import boltzmann_worker as worker
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
worker.intertwine(500, data=np.zeros((5000, 784), np.uint8))(10)
before = peak()
data = np.load({path!r}, mmap_mode={mode!r})
worker.intertwine(500, data=data)(len(data) // 500)
print(json.dumps({{"data": data.nbytes / 2**20, "added": peak() - before}}))
"""


def times(batch: int, peer_python: str | None, rounds: int, share: float) -> None:
    sides = {name: sys.executable for name in ("intertwine", "plain", "floor")}
    if peer_python:
        sides |= {name: peer_python for name in ("rbms", "scikit-learn")}
    workers = {name: Worker(python, SCRIPT, {"side": name, "batch": batch}) for name, python in sides.items()}
    block = max(2, int(share * EPOCH / batch))
    for _ in range(rounds):
        for name, worker in workers.items():
            time.sleep(PAUSE)
            worker.steps(block if name in ("intertwine", "plain", "floor") else max(2, block // 4))
    ours, floor = workers["intertwine"], workers["floor"]
    print(f"batch {batch}", flush=True)
    for name, worker in workers.items():
        least, median = worker.minimum(), worker.median()
        flops = 10 * batch * 784 * 500 / least / 1e9
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(worker.answers, ours.answers, strict=True)]
        print(
            f"  {name:13s} least {1e3 * least:8.3f} ms, median {1e3 * median:8.3f} ms an update; "
            f"epoch of 60,000 {EPOCH / batch * least:6.2f} s; {flops:5.0f} GF/s; of ours: least to least "
            f"{least / ours.minimum():.2f}, pair by pair median {statistics.median(ratios):.2f}",
            flush=True,
        )
        worker.close()
    print(f"  ours / floor: least to least {ours.minimum() / floor.minimum():.2f}", flush=True)


def memory(rows: int) -> None:
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.npy")
        data = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, 784))
        for begin in range(0, rows, 10_000):
            data[begin : begin + 10_000] = np.random.default_rng(begin).integers(0, 2, (10_000, 784))
        data.flush()
        del data
        for mode in (None, "r"):
            code = MEMORY.format(folder=str(SCRIPT.parent), path=path, mode=mode)
            answer = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout
            found = json.loads(answer.splitlines()[-1])
            kind = "memory map" if mode else "array"
            print(
                f"  {kind}: data {found['data']:.0f} MiB, peak memory added {found['added']:.0f} MiB, "
                f"ratio {found['added'] / found['data']:.2f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", nargs="+", type=int, default=[100, 500, 1000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--share", type=float, default=0.25, help="of an epoch of 60,000 in a block")
    parser.add_argument("--peer-python", default=None, help="a Python with rbms and scikit-learn")
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    if arguments.memory:
        memory(300_000)
        return
    for batch in arguments.batch:
        times(batch, arguments.peer_python, arguments.rounds, arguments.share)


if __name__ == "__main__":
    main()
