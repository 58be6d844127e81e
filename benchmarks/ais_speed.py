"""Seconds of one AIS estimate at 784 × 500 against rbms and against its two matrix products.

    python benchmarks/ais_speed.py [--peer-python PYTHON_WITH_RBMS] [--chains 100] [--rounds 8] [--whole]

Every side walks `slice` temperatures in turn, a round after the other, in one run: ours (`anneal`, the walk
there), the floor (the two products chains × 784 × 500 of every temperature, nothing else), and rbms 0.5.0 in
a process of its own that waits meanwhile. Times are minima over the rounds, scaled to all temperatures.
Then one whole estimate of the default `AIS`: fitted base, adapted temperatures, walks there and back.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

N, M = 784, 500


def rbms_worker(chains: int, temperatures: int) -> None:
    """Time one estimate of rbms for every line that comes in."""
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.partition_function.ais import compute_partition_function_ais

    torch.set_num_threads(2)
    torch.manual_seed(0)
    weights = 0.05 * torch.randn(N, M)
    model = BBRBM(weight_matrix=weights, vbias=torch.zeros(N), hbias=torch.zeros(M))
    compute_partition_function_ais(chains, 5, model)
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        compute_partition_function_ais(chains, temperatures + 1, model)
        print(time.perf_counter() - begun, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer-python", default=None)
    parser.add_argument("--temperatures", type=int, default=10_000)
    parser.add_argument("--chains", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--slice", type=int, default=100)
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--whole", action="store_true", help="also time one whole default estimate")
    options = parser.parse_args()
    if options.worker:
        return rbms_worker(options.chains, options.slice)

    import jax
    import numpy as np

    import intertwine as it
    from intertwine.boltzmann.partition.annealing import anneal, begin
    from intertwine.boltzmann.partition.log_partition import AIS, log_partition
    from intertwine.models.machines.tempered import tempered_path

    key = jax.random.key(0)
    rbm = it.RBM(N, M, units="binary", hidden_units="binary", scale=0.05, dtype="float32", key=key)
    path = tempered_path(rbm)
    state = begin(path, options.chains, key)
    betas = np.linspace(0, 1, options.slice + 1)

    @jax.jit
    def products(weights, v):
        def step(_, v):
            return jax.numpy.clip(jax.numpy.clip(v @ weights, 0, 1) @ weights.T, 0, 1)

        return jax.lax.fori_loop(0, options.slice, step, v)

    sides = {
        "products": lambda: products(rbm.weights, state[0]),
        "intertwine": lambda: anneal(path, betas, state, key=key),
    }
    for run in sides.values():
        jax.block_until_ready(run())
    peer = None
    if options.peer_python:
        command = [options.peer_python, __file__, "--worker", "--chains", str(options.chains)]
        command += ["--slice", str(options.slice)]
        peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert peer.stdin and peer.stdout
        peer.stdout.readline()
    best = dict.fromkeys([*sides, *(["rbms"] if peer else [])], float("inf"))
    for _ in range(options.rounds):
        for name, run in sides.items():
            begun = time.perf_counter()
            jax.block_until_ready(run())
            best[name] = min(best[name], time.perf_counter() - begun)
        if peer and peer.stdin and peer.stdout:
            peer.stdin.write("go\n")
            peer.stdin.flush()
            best["rbms"] = min(best["rbms"], float(peer.stdout.readline()))
    if peer and peer.stdin:
        peer.stdin.close()
        peer.wait()
    for name, seconds in best.items():
        total = seconds * options.temperatures / options.slice
        ratio = seconds / best["intertwine"]
        each = 1e3 * seconds / options.slice
        print(f"{name:>10}: {each:7.3f} ms a temperature, {total:6.1f} s  ({ratio:.2f}×)", flush=True)
    if options.whole:
        begun = time.perf_counter()
        found = log_partition(rbm, AIS(options.temperatures, options.chains), key=key)
        print(f"whole estimate {time.perf_counter() - begun:.1f} s: {found}")
    return None


if __name__ == "__main__":
    main()
