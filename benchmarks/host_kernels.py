"""Milliseconds of the host kernels a step of 1,024 samples, beside their floors.

    python benchmarks/host_kernels.py [--repeats 30] [--chains 16 64] [--cold]

    (a) Heisenberg chain of 40, real RBM α = 1          exchanges on nearest-neighbour bonds
    (b) transverse-field Ising chain of 80, real α = 2  single flips
    (c) Heisenberg 10 × 10, complex RBM α = 2           exchanges on nearest-neighbour bonds

N proposals between draws. `wall` is what a step waits; `core` the processor time of all threads divided by
their number (what it would be on cores that nobody else uses). Floors: the flops that the algorithm needs
(a multiply-add and a product a hidden unit: 3 for real, 12 for |z|² and 14 for complex products; 1 or 6 a
unit for an accepted move; the sums θ, 1 or 2 a weight and spin) at the measured multiply-add speed of one
core times the number of threads; and the bytes of the table rows read, at the measured speed of reading a
table of that size. The larger of the two is shown.

--cold: a process with an empty cache, the seconds until both kernels have run once.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import jax
import numba
import numpy as np

from intertwine import _threads
from intertwine.models.protocols import SpinForm
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc import host_local_energy
from intertwine.sampling.metropolis import host

SAMPLES = 1024
FAST = {"reassoc", "contract", "nsz"}


def ring(n: int) -> np.ndarray:
    return np.array([(i, (i + 1) % n) for i in range(n)])


def square(n: int) -> np.ndarray:
    sites = np.arange(n * n).reshape(n, n)
    return np.concatenate([np.stack([sites, np.roll(sites, -1, a)], -1).reshape(-1, 2) for a in (0, 1)])


def heisenberg(n: int, bonds: np.ndarray) -> Operator:
    return Operator.from_strings(
        n, [(1.0 if c == "Z" else -1.0, {int(i): c, int(j): c}) for i, j in bonds for c in "XYZ"]
    )


def ising(n: int) -> Operator:
    bonds = [(-1.0, {int(i): "Z", int(j): "Z"}) for i, j in ring(n)]
    return Operator.from_strings(n, bonds + [(-1.0, {i: "X"}) for i in range(n)])


def random_form(n: int, hidden: int, is_complex: bool, scale: float = 0.02) -> SpinForm:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        x = scale * rng.normal(size=shape)
        return x + 1j * scale * rng.normal(size=shape) if is_complex else x

    return SpinForm(draw(), draw(n), None, draw(hidden), draw(n, hidden))


PROBLEMS = {
    "a": (lambda: heisenberg(40, ring(40)), lambda: random_form(40, 40, False), ring(40), True, (2.3, 1.0)),
    "b": (lambda: ising(80), lambda: random_form(80, 160, False), np.arange(80)[:, None], False, (12.0, 5.0)),
    "c": (
        lambda: heisenberg(100, square(10)),
        lambda: random_form(100, 200, True),
        square(10),
        True,
        (26.0, 21.0),
    ),
}


def timed(work: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Milliseconds: minimal wall, median wall, minimal processor time over threads."""
    wall, core = [], []
    work()
    for _ in range(repeats):
        begin, begin_core = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - begin)
        core.append((time.process_time() - begin_core) / _threads.available())
    return 1e3 * min(wall), 1e3 * float(np.median(wall)), 1e3 * min(core)


@numba.njit(fastmath=FAST)
def _multiply_adds(x, y, times):
    total = 0.0
    for _ in range(times):
        for k in range(x.shape[0]):
            total += x[k] * y[k]
        x[0] += 1e-9
    return total


def flops_per_second() -> float:
    """Multiply-adds on vectors in the first cache, two flops each."""
    x, y = np.ones(512), np.ones(512)
    _multiply_adds(x, y, 1)
    return max(2 * 512 * 20_000 / seconds(lambda: _multiply_adds(x, y, 20_000)) for _ in range(5))


def bytes_per_second(table: int) -> float:
    """Reading an array of `table` bytes again and again, with two short ones."""
    x = np.ones(table // 8)
    times = max(1, (1 << 27) // table)
    _multiply_adds(x, x, 1)
    return max(table * times / seconds(lambda: _multiply_adds(x, x, times)) for _ in range(5))


def seconds(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def floors(
    name: str, operator: Operator, form: SpinForm, drawn: np.ndarray, acceptance: float
) -> tuple[float, float]:
    """Milliseconds: the larger of flops and bytes, sampling and local energies, on all threads."""
    moves, exchange = PROBLEMS[name][2:4]
    n, m = form.weights.shape
    is_complex = np.iscomplexobj(form.weights)
    flat = drawn.reshape(-1, n)
    alive = np.mean(flat[:, moves[:, 0]] != flat[:, moves[:, 1]]) if exchange else 1.0
    proposals = SAMPLES * n
    flat_elements = np.abs(np.asarray(jax.vmap(operator.elements)(flat[:64])))
    connections = SAMPLES * float((flat_elements > 0).sum(axis=1).mean())
    rows = len(moves)
    row_bytes = 8 * m * (2 if is_complex else 1)
    flops, reading = flops_per_second(), bytes_per_second(rows * row_bytes)
    sample_flops = proposals * m * (alive * (12 if is_complex else 3) + acceptance * (6 if is_complex else 1))
    local_flops = m * (connections * (14 if is_complex else 3) + SAMPLES * n * (2 if is_complex else 1))
    scale = 1e3 / _threads.available()
    return (
        scale * max(sample_flops / flops, proposals * alive * row_bytes / reading),
        scale * max(local_flops / flops, connections * row_bytes / reading),
    )


def cold(name: str) -> None:
    """Seconds of a first step in a process whose cache is empty."""
    code = (
        "import time, os; begin = time.perf_counter()\n"
        "import sys; sys.path.insert(0, os.environ['HERE'])\n"
        "import jax, host_kernels as h, numpy as np\n"
        "jax.config.update('jax_enable_x64', True)\n"
        f"H, form, moves, exchange, _ = h.PROBLEMS['{name}']\n"
        "H, form = H(), form(); n = H.size\n"
        "start = np.tile(np.array([1, -1], np.int8), (16, n // 2))\n"
        "t = time.perf_counter(); c = time.process_time()\n"
        "drawn, _ = h.host.sample(form, moves, None, start, 64, n, np.zeros(2, np.uint32), exchange)\n"
        "h.host_local_energy.local_values(H, form, drawn.reshape(-1, n))\n"
        "wall, core = time.perf_counter() - t, time.process_time() - c\n"
        "print(f'imports {t - begin:.2f} s, first step {wall:.2f} s (processor {core:.2f} s)')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "NUMBA_CACHE_DIR": folder,
            "HERE": os.path.dirname(os.path.abspath(__file__)),
        }
        for state in ("empty cache", "second process"):
            answer = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True
            )
            print(f"({name}) {state}: {answer.stdout.strip() or answer.stderr[-500:]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--chains", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    print(f"{_threads.available()} threads, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    for name in PROBLEMS:
        if arguments.cold:
            cold(name)
        for chains in () if arguments.cold else arguments.chains:
            report(name, chains, arguments.repeats)


def report(name: str, chains: int, repeats: int) -> None:
    """One line for sampling and one for local energies."""
    make_operator, make_form, moves, exchange, targets = PROBLEMS[name]
    operator, form = make_operator(), make_form()
    n, draws, key = operator.size, SAMPLES // chains, jax.random.key(0)
    start = np.tile(np.array([1, -1], np.int8), (chains, n // 2))
    drawn, acceptance = host.sample(form, moves, None, start, draws, n, key, exchange)
    floor = floors(name, operator, form, drawn, acceptance)
    works = {
        "sampling": lambda: host.sample(form, moves, None, drawn[:, -1], draws, n, key, exchange),
        "local energies": lambda: host_local_energy.local_values(operator, form, drawn.reshape(-1, n)),
    }
    for (label, work), target, least in zip(works.items(), targets, floor, strict=True):
        wall, median, core = timed(work, repeats)
        print(
            f"({name}) {chains:3d} chains {label:15s} wall min {wall:6.2f} median {median:6.2f}  "
            f"core {core:6.2f}  target {target:5.1f}  floor {least:5.2f} ms  acceptance {acceptance:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
