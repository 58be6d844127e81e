"""Steps of two libraries in turn on the same cores (A B A B …), the peer at the best of its settings: what
the benchmarks of one network each (gcnn, vit, hubbard, bose_hubbard) share."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from vmc_step import Worker


class Pair(NamedTuple):
    """Both sides after their rounds. peer: None where there is none. ratios, cpu: of the seconds a step of
    the clock and of the processor, theirs over ours, round by round."""

    ours: Worker
    peer: Worker | None
    ratios: list[float]
    cpu: list[float]

    def tell(self, *, more: str = "") -> None:
        """Prints both sides and the ratios, then ends their processes. more: of ours besides."""
        print(told("intertwine", self.ours) + more, flush=True)
        if self.peer is not None:
            print(told(f"netket {self.peer.settings}", self.peer), flush=True)
            words = (
                f"ratio, pair by pair: median {statistics.median(self.ratios):.1f}, least "
                f"{min(self.ratios):.1f}, most {max(self.ratios):.1f}"
            )
            words += f"; of CPU seconds {statistics.median(self.cpu):.1f}" if self.cpu else ""
            print(words, flush=True)
            self.peer.close()
        self.ours.close()


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """The flags that all have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--peer-settings", default=None, help="JSON; default: try all and take the best")
    return parser


def paired(
    script: Path,
    arguments: argparse.Namespace,
    tried: list[dict],
    *,
    common: dict | None = None,
    own: dict | None = None,
    steps: tuple[int, int] = (1, 1),
) -> Pair:
    """Rounds of so many steps of ours and theirs. tried: settings of the peer. common, own: of both sides and
    of ours."""
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    shared, peer = common or {}, None
    if arguments.peer_python:
        given = arguments.peer_settings
        chosen = json.loads(given) if given else _best(arguments.peer_python, script, shared, tried, steps[1])
        peer = Worker(arguments.peer_python, script, {"library": "netket"} | shared | chosen)
    ours = Worker(sys.executable, script, {"library": "intertwine"} | shared | (own or {}))
    ratios, cpu = [], []
    for _ in range(arguments.rounds):
        mine = ours.steps(steps[0])
        if peer is not None:
            theirs = peer.steps(steps[1])
            ratios.append(theirs["seconds"] / mine["seconds"])
            if "cpu" in theirs:
                cpu.append(theirs["cpu"] / mine["cpu"])
    return Pair(ours, peer, ratios, cpu)


def _best(python: str, script: Path, common: dict, tried: list[dict], steps: int) -> dict:
    """The setting with the least seconds a step, each tried alone."""
    found = []
    for settings in tried:
        worker = Worker(python, script, {"library": "netket"} | common | settings)
        found.append(worker.steps(steps)["seconds"])
        worker.close()
        print(f"  netket {settings}: {1e3 * found[-1]:.0f} ms", flush=True)
    return tried[found.index(min(found))]


def told(name: str, worker: Worker) -> str:
    """Seconds of one side in words."""
    words = f"{name}: median {1e3 * worker.median():.1f} ms, least {1e3 * worker.minimum():.1f} ms a step; "
    if "cpu" in worker.answers[-1]:
        words += f"CPU {1e3 * worker.median('cpu'):.1f} ms; "
    words += f"{worker.warm['parameters']} parameters"
    words += f"; warm after {worker.warm['warm']:.0f} s" if "warm" in worker.warm else ""
    return words + (f"; energy {worker.answers[-1]['energy']:.3f}" if "energy" in worker.answers[-1] else "")
