"""Entanglement: seconds of half cuts, all pairs against disjoint pairs, and NetKet's Rényi-2 in turn.

    python benchmarks/entanglement.py exact                       half of 20, 22 and 24 spins
    python benchmarks/entanglement.py pairs                       variance, rings of 14
    python benchmarks/entanglement.py peer --peer-python PATH     a ring of 40, 10,000 samples, half of it
    python benchmarks/entanglement.py charge                      Rényi-2 central charge of a ring of 64

`peer`: the critical Ising ring, a complex RBM α = 2 (trained here, tied by translations, then given to both
sides as plain weights). Both hold a warm process and are asked in turn; each estimate draws its own samples.
Ours begins new chains every time and thermalises them; NetKet's go on, and so do ours in a row of their
own. The variance is that of the estimates around their common mean.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import equinox as eqx
import jax

jax.config.update("jax_enable_x64", True)

import numpy as np  # noqa: E402

import intertwine as it  # noqa: E402
from intertwine.models.protocols import spin_form  # noqa: E402
from intertwine.quantum.entanglement.drawn import Drawn, _evaluation, draw  # noqa: E402
from intertwine.quantum.entanglement.pair_ratios import pair_ratios  # noqa: E402
from intertwine.quantum.entanglement.swap_estimator import enough_pairs, swapped_entropy  # noqa: E402
from intertwine.quantum.vmc.energy import thermalised  # noqa: E402

HERE = Path(__file__).parent
KEY = jax.random.key(0)


def exact() -> None:
    """Half cuts of networks and of vectors in a sector."""
    for N in (20, 22, 24):
        for dtype in (float, complex):
            model = it.RBM(N, hidden=2 * N, dtype=dtype, scale=0.3, key=KEY)
            start = time.perf_counter()
            S = it.entanglement.von_neumann(model, range(N // 2))
            print(f"{N} spins, RBM α = 2 {dtype.__name__}: {time.perf_counter() - start:.2f} s, S = {S:.6f}")
        _, psi = it.exact.ground_state(it.heisenberg(it.Chain(N)))
        start = time.perf_counter()
        S = it.entanglement.von_neumann(psi, range(N // 2))
        print(f"{N} spins, Heisenberg vector: {time.perf_counter() - start:.2f} s, S = {S:.6f}", flush=True)


def pairs(seeds: int = 200, samples: int = 1000) -> None:
    """Variances of all pairs, and of one pair over the number of disjoint ones."""
    for name, H in (("Ising", it.tfim(it.Chain(14), h=1.0)), ("Heisenberg", it.heisenberg(it.Chain(14)))):
        _, psi = it.exact.ground_state(H)
        every, one = [], []
        for seed in range(seeds):
            drawn = draw(psi, samples, jax.random.key(seed))
            every.append(swapped_entropy(drawn, tuple(range(7)), samples).purity.mean)
            some = np.arange(0, samples, 2)
            K = pair_ratios(drawn, tuple(range(7)))(some, some)
            one.append(np.var((K * K.T)[np.triu_indices(len(some), 1)]))
        gain = np.mean(one) / (samples / 2) / np.var(every, ddof=1)
        print(f"{name} ring of 14, {samples} samples, {seeds} seeds: variance {gain:.1f} times smaller")


def trained(N: int, features: int, steps: int, samples: int) -> it.RBM:
    """A complex RBM near the ground state of the critical Ising ring, as plain weights."""
    H = it.tfim(it.Chain(N), h=1.0)
    psi = it.SymmetricRBM(it.Chain(N), features, dtype=complex, key=KEY)
    run = it.ground_state(H, psi, steps=steps, samples=samples, key=KEY, compare=False)
    print(f"trained: energy {run.energy.line}, exact {-2 / np.sin(np.pi / 2 / N):.5f}", flush=True)
    form = spin_form(run.model)
    return it.RBM.from_parameters(form.field, form.hidden_bias, form.weights)


class Peer:
    """A warm process with NetKet."""

    def __init__(self, python: str, settings: dict):
        script = str(HERE / "peers" / "renyi2_worker.py")
        self.process = subprocess.Popen(
            [python, script, json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )  # fmt: skip
        self.read()

    def read(self) -> dict:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError("the peer ended without an answer")

    def once(self) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write("once\n")
        self.process.stdin.flush()
        return self.read()


class GoingOn:
    """Estimates whose chains go on where they were, as NetKet's do."""

    def __init__(self, model: it.RBM, samples: int):
        self.model, self.samples = model, samples
        self.sampler = it.Metropolis(it.SingleFlip(), chains=64)
        self.chains = thermalised(self.sampler, model, key=KEY)[0]
        self.once(KEY)

    def once(self, key: jax.Array) -> dict:
        start = time.perf_counter()
        drawn, self.chains = self.sampler.sample(self.model, self.chains, -(-self.samples // 64), key=key)
        rows = np.asarray(drawn.configurations, np.int8)
        found = swapped_entropy(Drawn(rows, _evaluation(self.model), self.model, None), tuple(range(20)))
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "mean": found.mean, "error": found.error}


def peer(python: str | None, rounds: int, settings: list[int]) -> None:
    """Seconds and variance of both sides."""
    model = trained(40, 2, 150, 1024)
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rbm.npz")
        np.savez(
            file,
            weights=np.asarray(model.weights),
            hidden_bias=np.asarray(model.hidden_bias),
            visible_bias=np.asarray(model.visible_bias),
        )
        others = {}
        if python is not None:
            for chains in settings:
                others[chains] = Peer(python, {"weights": file, "chains": chains, "samples": 10_000})
        it.entanglement.renyi2(model, range(20), samples=10_000, key=KEY)
        going = GoingOn(model, 10_000)
        mine: list[dict] = []
        warm: list[dict] = []
        theirs: dict[int, list[dict]] = {chains: [] for chains in others}
        for r in range(rounds):
            start = time.perf_counter()
            found = it.entanglement.renyi2(model, range(20), samples=10_000, key=jax.random.key(r))
            seconds = time.perf_counter() - start
            mine.append({"seconds": seconds, "mean": found.mean, "error": found.error})
            warm.append(going.once(jax.random.key(1000 + r)))
            for chains, other in others.items():
                theirs[chains].append(other.once())
        rows = {"intertwine": mine, "intertwine, chains go on": warm}
        rows |= {f"NetKet, {chains} chains": rows for chains, rows in theirs.items()}
        work = {}
        for name, row in rows.items():
            seconds = np.median([one["seconds"] for one in row])
            means = np.array([one["mean"] for one in row])
            told = np.sqrt(np.mean([one["error"] ** 2 for one in row]))
            work[name] = seconds, seconds * np.var(means, ddof=1)
            least = min(one["seconds"] for one in row)
            print(f"{name}: {seconds:.3f} s (least {least:.3f}), "
                  f"{means.mean():.4f}, spread {means.std(ddof=1):.4f}, error told {told:.4f}")  # fmt: skip
        for name, (seconds, product) in list(work.items())[2:]:
            for side in ("intertwine", "intertwine, chains go on"):
                ours = work[side]
                print(f"{side} against {name}: {seconds / ours[0]:.1f} times sooner, "
                      f"{product / ours[1]:.0f} times less time × variance")  # fmt: skip
        for other in others.values():
            other.process.kill()


def grown(sizes: tuple[int, ...], features: int, steps: int) -> it.quantum.GroundStateRun:
    """Ground states of critical Ising rings, each begun with the filters of the smaller ring before it."""
    run = None
    for N in sizes:
        start = time.perf_counter()
        psi = it.SymmetricRBM(it.Chain(N), features, spin_flip=1, key=KEY)
        if run is not None:
            filters = np.asarray(run.model.filters)
            n = filters.shape[1]
            wide = np.zeros((features, N))
            for row, old in zip(wide, filters, strict=True):  # its largest weight in the middle
                row[:n] = np.roll(old, n // 2 - np.argmax(np.abs(old)))
            psi = eqx.tree_at(lambda m: m.weights, psi, jax.numpy.asarray(wide * N**0.5))
        H = it.tfim(it.Chain(N), h=1.0)
        run = it.ground_state(H, psi, steps=steps, samples=2048, key=KEY, compare=False, final_samples=20_000)
        exact = -2 / np.sin(np.pi / 2 / N)
        seconds = time.perf_counter() - start
        print(f"ring of {N}, {seconds:.0f} s: energy {run.energy.line}, exact {exact:.6f}", flush=True)
    assert run is not None
    return run


def charge(samples: int, steps: int, features: int, repeats: int, places: int) -> None:
    """c of the critical Ising ring of 64 from Rényi-2 entropies, `repeats` sets of samples."""
    N, lengths = 64, (2, 3, 4, 6, 8, 11, 16, 22, 32)
    run = grown((16, 32, N), features, steps)
    start_time = time.perf_counter()
    found: list[tuple[float, float]] = []
    entropies, every = [], []
    for r in range(repeats):
        drawn = draw(run, samples, jax.random.key(1 + r))
        S, influences = [], []
        for k, length in enumerate(lengths):
            own, moved = [], []
            for place in range(places):
                first = (7 * r + 11 * k + place * N // places) % N
                region = tuple(sorted((first + i) % N for i in range(length)))
                swapped = enough_pairs(
                    pair_ratios(drawn, region), drawn.configurations.shape[:2], None, False
                )
                P = float(swapped.projection.mean())
                own.append(P)
                moved.append(-2 * swapped.projection.mean(axis=1) / P)
            S.append(-np.log(np.mean(own)))
            influences.append(np.mean(moved, axis=0))
        entropies.append(S)
        covariance = np.cov(influences) / len(influences[0])
        every.append(covariance)
        fits = [
            it.entanglement.central_charge(
                lengths[start:], S[start:], N, order=2, correction=term, errors=covariance[start:, start:]
            )
            for start, term in ((1, True), (2, False))
        ]
        c = [fit.c for fit in fits]
        found.append((c[0], c[1]))
        print(
            f"  set {r}: c = {c[0]:.4f} ± {fits[0].error:.4f} with 1/chord, "
            f"{c[1]:.4f} ± {fits[1].error:.4f} without, {time.perf_counter() - start_time:.0f} s",
            flush=True,
        )
    for start in (0, 1, 2):
        whole = it.entanglement.central_charge(
            lengths[start:], np.mean(entropies, axis=0)[start:], N, order=2, correction=True,
            errors=np.mean(every, axis=0)[start:, start:] / repeats,
        )  # fmt: skip
        print(f"all sets, l from {lengths[start]}: c = {whole.c:.4f} ± {whole.error:.4f} with 1/chord")
    print("S2 of", dict(zip(lengths, np.mean(entropies, axis=0).round(4).tolist(), strict=True)))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(repeats)
    print(f"c = {mean[0]:.4f} ± {error[0]:.4f} with 1/chord, {mean[1]:.4f} ± {error[1]:.4f} without; "
          f"{time.perf_counter() - start_time:.0f} s for {repeats} × {samples} samples")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["exact", "pairs", "peer", "charge"])
    parser.add_argument("--peer-python", default=None, help="a Python with NetKet; none: ours alone")
    parser.add_argument("--rounds", type=int, default=20, help="of `peer`")
    parser.add_argument(
        "--chains", type=int, nargs="+", default=[16, 64, 250], help="NetKet's, tried in turn"
    )
    parser.add_argument("--samples", type=int, default=200_000, help="of `charge`, a set")
    parser.add_argument("--steps", type=int, default=500, help="of its training")
    parser.add_argument("--features", type=int, default=5, help="of its network")
    parser.add_argument("--repeats", type=int, default=8, help="sets of samples")
    parser.add_argument("--places", type=int, default=2, help="of each length, on the ring")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.part == "peer":
        peer(arguments.peer_python, arguments.rounds, arguments.chains)
    elif arguments.part == "charge":
        charge(arguments.samples, arguments.steps, arguments.features, arguments.repeats, arguments.places)
    else:
        {"exact": exact, "pairs": pairs}[arguments.part]()


if __name__ == "__main__":
    main()
