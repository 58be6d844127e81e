"""Energies and forces of ethanol at 500 K, learned for equal minutes: here with l = 2 and l = 0, and peers.

    python benchmarks/ethanol.py [--frames 100 300 1000] [--seeds 3] [--minutes 4] [--peer-python PYTHON]
    python benchmarks/ethanol.py --one '{"who": "l=2", "frames": 300, "minutes": 8, "seed": 0}'

`data/ethanol.npz` (from `ethanol_data.py`) is split by trajectory; everyone learns from the same frames,
keeps its best weights by the same held-out ones and is measured on the same 12 other trajectories. Each run
is a process with one thread, and minutes are of that core, as the system counts them, so that a busy
machine gives no one less; all counts (compilation too) but the reading of data, the import of peers and the
last test. Errors are means of absolute values: of energies in meV, of components of forces in meV/Å; beside
them all forces zero, and a quadratic potential. The peers' networks need an environment with torch, nequip
and schnetpack (`peers/force_worker.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import Queue

import numpy as np

from ethanol_data import rows_of

HERE = Path(__file__).resolve().parent
OURS: dict[str, dict] = {
    "l=2": {"network": "nequip:16", "degree": 2},
    "l=0": {"network": "nequip:16", "degree": 0},
}
PEERS: dict[str, dict] = {"NequIP": {"library": "nequip"}, "PaiNN": {"library": "painn"}}


def ours(who: str, frames: int, seed: int, minutes: float, data: str, **options) -> dict:
    # minutes of this core, in the loop of the library too; before it is imported
    time.perf_counter = time.process_time
    import jax

    import intertwine as it

    structures = it.data.load_structures(data)
    learnt, chosen, test = (structures.take(r) for r in split(data, frames, seed))
    began, curve = time.perf_counter(), []

    def progress(row: dict[str, float]) -> None:
        curve.append((time.perf_counter() - began, row))
        if len(curve) % max(1, 3000 // frames) == 0:
            kept = {k: float(f"{v:.4g}") for k, v in row.items()}
            print(json.dumps({"spent": round(curve[-1][0], 1), **kept}), flush=True)

    chosen_options = {"epochs": 100_000, **OURS.get(who, {}), **options}
    network = chosen_options.pop("network")
    fit = it.fit_structures(
        network,
        learnt,
        targets="energy,forces",
        validation=chosen,
        minutes=minutes,
        key=jax.random.key(seed),
        progress=progress,
        **chosen_options,
    )
    seconds = time.perf_counter() - began
    found = fit.model.predict(test)
    force = np.abs(found.values["forces"] - test.values["forces"]).mean() * 1000
    energy = np.abs(found.values["energy"] - test.values["energy"]).mean() * 1000
    first = [t for t, _ in curve[:2]]
    return {
        "force": round(float(force), 2),
        "energy": round(float(energy), 2),
        "epochs": len(curve),
        "best": fit.best,
        "seconds": round(seconds, 1),
        "first epoch": round(first[0], 1),
        "epoch": round((curve[-1][0] - first[0]) / max(1, len(curve) - 1), 3),
        "parameters": it.layers.parameter_count(fit.model.network),
        **{k: v for k, v in chosen_options.items() if k != "epochs"},
        "network": network,
    }


def split(data: str, frames: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows_of(np.load(data)["trajectory"], frames, seed)


class Quadratic:
    """E = a + b·q + q·C q, q the inverse distances of all pairs, by least squares of energies and forces."""

    def __init__(self, atoms: int):
        self.first, self.second = np.triu_indices(atoms, 1)
        self.left, self.right = np.triu_indices(len(self.first))

    def features(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of energies (S, F), and minus their gradients (S, atoms·3, F)."""
        apart = x[:, self.first] - x[:, self.second]
        q = 1 / np.linalg.norm(apart, axis=-1)
        slope = -(q**3)[..., None] * apart
        jacobian = np.zeros((*x.shape, len(self.first)))
        for pair, (i, j) in enumerate(zip(self.first, self.second, strict=True)):
            jacobian[:, i, :, pair] += slope[:, pair]
            jacobian[:, j, :, pair] -= slope[:, pair]
        jacobian = jacobian.reshape(len(x), -1, len(self.first))
        a, b = self.left, self.right
        products = jacobian[..., a] * q[:, None, b] + jacobian[..., b] * q[:, None, a]
        ones = np.ones((len(x), 1))
        flat = np.zeros((*jacobian.shape[:2], 1))
        return np.hstack([ones, q, q[:, a] * q[:, b]]), -np.concatenate([flat, jacobian, products], 2)

    def fit(self, columns, learnt: np.ndarray, ridges: np.ndarray) -> list[np.ndarray]:
        """Weights for each ridge, in columns of variance 1."""
        energies, forces = self.features(columns["positions"][learnt])
        scale = np.append(1.0, energies[:, 1:].std(0))
        self.shift = columns["energies"][learnt].mean()
        rows = np.concatenate([energies, forces.reshape(-1, energies.shape[1])]) / scale
        values = np.concatenate([columns["energies"][learnt] - self.shift, columns["forces"][learnt].ravel()])
        gram, right = rows.T @ rows, rows.T @ values
        return [np.linalg.solve(gram + r * np.eye(len(gram)), right) / scale for r in ridges]

    def errors(self, columns, weights: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
        """Mean absolute errors of energies and force components, meV and meV/Å."""
        energies, forces = self.features(columns["positions"][rows])
        wrong = energies @ weights + self.shift - columns["energies"][rows]
        wrong_forces = forces @ weights - columns["forces"][rows].reshape(len(rows), -1)
        return float(np.abs(wrong).mean() * 1000), float(np.abs(wrong_forces).mean() * 1000)


def quadratic(frames: int, seed: int, data: str) -> dict:
    columns = dict(np.load(data))
    learnt, chosen, test = split(data, frames, seed)
    potential = Quadratic(len(columns["species"]))
    weights = potential.fit(columns, learnt, 10.0 ** np.arange(-6, 3))
    best = min(weights, key=lambda w: potential.errors(columns, w, chosen)[1])
    energy, force = potential.errors(columns, best, test)
    return {"force": round(force, 2), "energy": round(energy, 2)}


def one(who: str, frames: int = 300, seed: int = 0, minutes: float = 4.0, data: str = "", **options) -> dict:
    data = data or str(HERE / "data" / "ethanol.npz")
    known = {"who": who, "frames": frames, "seed": seed, "minutes": minutes}
    if who == "zero":
        columns = np.load(data)
        test = split(data, frames, seed)[2]
        e, f = columns["energies"], columns["forces"][test]
        flat = np.abs(e[test] - np.median(e[test])).mean()
        return {**known, "force": round(np.abs(f).mean() * 1000, 2), "energy": round(flat * 1000, 2)}
    if who == "quadratic":
        return {**known, **quadratic(frames, seed, data)}
    return {**known, **ours(who, frames, seed, minutes, data, **options)}


def in_process(cores: Queue, job: dict, peer_python: str | None, log: Path) -> dict:
    core = cores.get()
    try:
        who = job["who"]
        if who in PEERS:
            settings = {**PEERS[who], **{k: v for k, v in job.items() if k != "who"}}
            command = [peer_python or "", str(HERE / "peers" / "force_worker.py"), json.dumps(settings)]
        else:
            command = [sys.executable, __file__, "--one", json.dumps(job)]
        pinned = ["taskset", "-c", str(core), *command] if core >= 0 else command
        single = {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
        done = subprocess.run(
            pinned, capture_output=True, text=True, env={**os.environ, **single}, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        result = json.loads(lines[-1]) if lines and done.returncode == 0 else {"failed": done.stderr[-300:]}
        with log.open("a") as file:
            file.write(json.dumps({**job, **result}) + "\n")
        print({**job, **result}, flush=True)
        return {**job, **result}
    finally:
        cores.put(core)


def table(results: list[dict]) -> None:
    groups: dict[tuple, list[dict]] = {}
    for r in results:
        groups.setdefault((r["who"], r["frames"]), []).append(r)
    for (who, frames), rows in groups.items():
        force = [r["force"] for r in rows if "force" in r]
        energy = [r["energy"] for r in rows if "force" in r]
        spread = np.std(force, ddof=1) if len(force) > 1 else np.nan
        print(
            f"{who:10s} {frames:5d} frames: {np.mean(force):7.1f} ± {spread:.1f} meV/Å, "
            f"{np.mean(energy):6.1f} meV, {len(force)} seeds"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", type=json.loads)
    parser.add_argument("--frames", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--who", nargs="+", default=["zero", "quadratic", *OURS])
    parser.add_argument("--peer-python", help="adds NequIP and PaiNN")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--data", default=str(HERE / "data" / "ethanol.npz"))
    parser.add_argument("--log", type=Path, default=Path("ethanol.jsonl"))
    options = parser.parse_args()
    if options.one:
        found = one(**options.one)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({**found, "cpu": round(used.ru_utime + used.ru_stime, 1)}))
        return
    who = [*options.who, *(PEERS if options.peer_python else ())]
    cores: Queue = Queue()
    for core in sorted(os.sched_getaffinity(0))[: options.at_once]:
        cores.put(core)
    for _ in range(options.at_once - cores.qsize()):
        cores.put(-1)
    jobs = [
        {"who": name, "frames": frames, "seed": seed, "minutes": options.minutes, "data": options.data}
        for seed, frames, name in product(range(options.seeds), options.frames, who)
    ]
    with ThreadPoolExecutor(options.at_once) as pool:
        done = list(pool.map(lambda job: in_process(cores, job, options.peer_python, options.log), jobs))
    table(done)


if __name__ == "__main__":
    main()
