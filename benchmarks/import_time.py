"""Seconds to import intertwine and to import JAX, in fresh processes that alternate; the ratio, pair by pair.

Names load their modules when first used, so that `import intertwine` alone says little: what is timed is
the import together with the names that a ground-state script uses.

    python benchmarks/import_time.py --rounds 15
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

NAMES = (
    "import intertwine as it; "
    "it.Chain, it.heisenberg, it.RBM, it.SymmetricRBM, it.Metropolis, it.ground_state, it.expect"
)


def seconds(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    seconds(NAMES), seconds("import jax")
    ours, peers = [], []
    for _ in range(rounds):
        ours.append(seconds(NAMES))
        peers.append(seconds("import jax"))
    ratios = [a / b for a, b in zip(ours, peers, strict=True)]
    print(f"import intertwine and its names: median {statistics.median(ours):.2f} s, least {min(ours):.2f}")
    print(f"import jax: median {statistics.median(peers):.2f} s, least {min(peers):.2f}")
    least = min(ours) / min(peers)
    print(f"ratio, pair by pair: median {statistics.median(ratios):.2f}; of the least {least:.2f}")


if __name__ == "__main__":
    main()
