"""Seconds of group convolutions, interleaved with plain ones and with escnn and torch on the same cores.

    python benchmarks/group_convolution.py --rounds 7 --peer-python PATH_TO_A_PYTHON_WITH_ESCNN_AND_TORCH

3 × 3 kernels between regular fields of p4, p4m and c8, float32, for two sizes of batch × X × Y × channels;
forward, and training step (output and derivatives by the input and the weights); then the training step
of the seven layers of Cohen & Welling. Ours runs in one process and the peers in another, both warm; every
round asks for one call of everything, in another order. A line a measurement: least and median milliseconds,
and the least by that of ours. Beside ours:

    plain   the same code with H = 1: a convolution of the same width    xla     XLA's own convolution, NHWC
    escnn   R2Conv between regular fields of the same group              torch   Conv2d, the better layout

The floor is the products of a dense convolution (a step has three times those of a forward pass, a first
layer's input derivative left out) at the speed of a 2048³ product, the faster of JAX's and torch's. At the
end: seconds to build the bases of all layers of the largest preset in a fresh process, without and with
files from before.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = Path(__file__).parent / "peers" / "convolution_worker.py"
GROUPS = ("p4", "p4m", "c8")
SIZES = {"large": (128, 28, 80), "small": (128, 12, 40)}
NETWORK = (64, 28, 40)
LARGEST = ("e2:16", ("c16", "d16"))


class Side:
    """A process that is warm and times one call of what it is asked for."""

    def __init__(self, python: str, library: str):
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(SCRIPT), json.dumps({"library": library})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
        )
        self.times: dict[str, list[float]] = {}
        self._read()

    def _read(self) -> dict:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"a worker ended without an answer, status {self.process.wait()}")

    def ask(self, name: str, **question) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        self.times.setdefault(name, []).append(self._read()["seconds"])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def questions(size: str, what: str) -> list[tuple[int, str, dict]]:
    """(0 ours or 1 the peers, name, question) of one table."""
    batch, points, channels = SIZES[size]
    common = {"size": points, "channels": channels, "batch": batch, "what": what}
    asked = [(0, f"ours {group}", {"kind": "group", "group": group}) for group in GROUPS]
    asked += [(0, kind, {"kind": kind, "group": "p1"}) for kind in ("plain", "xla")]
    asked += [(1, f"escnn {group}", {"kind": "escnn", "group": group}) for group in GROUPS]
    asked += [(1, kind, {"kind": kind, "group": "p1"}) for kind in ("torch", "torch-last")]
    return [(side, name, question | common) for side, name, question in asked]


def network_questions() -> list[tuple[int, str, dict]]:
    batch, points, channels = NETWORK
    common = {"kind": "network", "size": points, "channels": channels, "batch": batch, "what": "step"}
    asked = [(0, "ours p4", "p4"), (1, "escnn p4", "p4"), (0, "plain", "p1"), (1, "torch", "p1")]
    return [(side, name, common | {"group": group}) for side, name, group in asked]


def network_products() -> int:
    """Multiply-adds of a training step: three products a layer, two for the first."""
    batch, points, c = NETWORK
    total, size = 0, points
    for number in range(1, 7):
        size -= 2
        total += (2 if number == 1 else 3 * c) * size**2 * 9 * c
        size //= 2 if number == 2 else 1
    return batch * (total + 3 * 16 * c * c)  # the last kernel covers the 4 × 4 points left, to 10 fields


def measure(sides: list[Side], asked: list[tuple[int, str, dict]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call, by name; everything once a round, in an order of its own."""
    for side in sides:
        side.times.clear()
    order = random.Random(0)
    for _ in range(rounds):
        for which, name, question in order.sample(asked, len(asked)):
            if which < len(sides):
                sides[which].ask(name, **question)
    found = {name: times for side in sides for name, times in side.times.items()}
    return {name: found[name] for _, name, _ in asked if name in found}


def table(title: str, found: dict[str, list[float]], floor: float) -> None:
    """One table; the torch layouts are one line, the better."""
    if "torch-last" in found:
        best = min(("torch", "torch-last"), key=lambda kind: min(found[kind]))
        found["torch"] = found[best]
        del found["torch-last"]
    print(f"\n{title}; floor {1e3 * floor:.1f} ms\n\n| | least, ms | median, ms | by ours | by the floor |")
    print("|---|---|---|---|---|")
    ours = {name.split()[1]: min(times) for name, times in found.items() if name.startswith("ours")}
    for name, times in found.items():
        least, group = min(times), name.split()[-1]
        by = [ours[group]] if group in ours else list(ours.values())
        ratios = ", ".join(f"{least / own:.2f}" for own in by) if not name.startswith("ours") else ""
        print(
            f"| {name} | {1e3 * least:.1f} | {1e3 * statistics.median(times):.1f} | {ratios} | "
            f"{least / floor:.2f} |",
            flush=True,
        )


def basis_seconds(group: str) -> None:
    """Print the seconds that the bases of the largest preset take in this process, and all of its build."""
    import jax

    import intertwine.layers.kernel as kernel
    from intertwine.layers.networks.network_names import network_from_name

    build, spent = kernel.layout, []

    def timed(*arguments):
        begin = time.perf_counter()
        result = build(*arguments)
        spent.append(time.perf_counter() - begin)
        return result

    kernel.layout = timed  # pyright: ignore[reportAttributeAccessIssue]
    begin = time.perf_counter()
    network_from_name(LARGEST[0], group, key=jax.random.key(0))
    print(json.dumps({"basis": sum(spent), "build": time.perf_counter() - begin}))


def largest_basis() -> None:
    print(f"\n{LARGEST[0]}: seconds of the bases (and of the whole network), made anew, then from files\n")
    with tempfile.TemporaryDirectory() as folder:
        for group in LARGEST[1]:
            row = []
            for cache in ("", folder, folder):
                answer = subprocess.run(
                    [sys.executable, __file__, "--basis-of", group],
                    env=os.environ | {"INTERTWINE_CACHE": cache, "JAX_PLATFORMS": "cpu"},
                    stdout=subprocess.PIPE,
                    check=True,
                )
                row.append(json.loads(answer.stdout.splitlines()[-1]))
            anew, kept = row[0], row[2]
            print(
                f"{group}: {anew['basis']:.2f} ({anew['build']:.1f}), "
                f"from files {kept['basis']:.3f} ({kept['build']:.1f})",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--peer-python", default=None, help="a Python with torch and escnn; none: ours alone")
    parser.add_argument("--basis-of", default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.basis_of:
        basis_seconds(arguments.basis_of)
        return
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}", flush=True)
    sides = [Side(sys.executable, "intertwine")]
    if arguments.peer_python:
        sides.append(Side(arguments.peer_python, "escnn"))
    product = dict.fromkeys(("group", "what"), "") | {"kind": "product", "size": 0, "channels": 0, "batch": 0}
    products = measure(sides, [(0, "JAX", product), (1, "torch", product)], 9)
    speeds = {name: 2048**3 / min(times) for name, times in products.items()}
    print("a 2048³ product: " + ", ".join(f"{n} {2e-9 * s:.0f} GF/s" for n, s in speeds.items()))
    for size in arguments.sizes:
        batch, points, channels = SIZES[size]
        once = batch * (points - 2) ** 2 * 9 * channels**2 / max(speeds.values())
        for what, times in (("forward", 1), ("step", 3)):
            found = measure(sides, questions(size, what), arguments.rounds)
            table(f"{batch} × {points} × {points} × {channels}, {what}", found, times * once)
    found = measure(sides, network_questions(), arguments.rounds)
    batch, points, channels = NETWORK
    title = f"seven layers of {channels} channels, {batch} images of {points} × {points}, training step"
    table(title, found, network_products() / max(speeds.values()))
    largest_basis()
    for side in sides:
        side.close()


if __name__ == "__main__":
    main()
