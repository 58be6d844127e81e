"""Real-space mutual information of 2×2 blocks: exact values, bounds from samples, and the learned filter.

    python benchmarks/mutual_information.py [--samples 40000] [--large 4000] [--side 64] [--seeds 3]

First table: a line for each torus, coupling and rule, with the exact I(H; E) in nats and the InfoNCE and NWJ
bounds on held-out configurations with their errors, deviations in per cent and in error bars, and seconds
(training and measurement; configurations are drawn once a torus). Second: the exact best filter, by sharpness
and by the number of coarse spins. Third: filters learned from Swendsen-Wang samples at K_c of a large torus,
one line a seed.
"""

from __future__ import annotations

import argparse
import time

import jax
import numpy as np

from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocks.blocking import Decimation, Majority
from intertwine.rg.blocks.chains import chains_of
from intertwine.rg.information.information_bound import Training, mutual_information_bound
from intertwine.rg.information.learned_blocks import learn_blocks
from intertwine.rg.information.mutual_information import mutual_information, optimal_filter
from intertwine.spaces.lattices import Square

TORI = (((4, 4), 0), ((4, 6), 1), ((6, 6), 1))
COUPLINGS = (0.35, CRITICAL_SQUARE, 0.5)
RULES = {"uniform filter": np.ones(4), "majority": Majority(2), "decimation": Decimation(2)}


def bounds(samples: int) -> None:
    """The first table."""
    print("torus buffer K      rule            exact    method   bound   error    %      σ    s")
    for extent, buffer in TORI:
        for K in COUPLINGS:
            model = Ising(Square(*extent), K)
            spins, *_ = chains_of(model, None, samples, key=jax.random.key(0))
            for name, rule in RULES.items():
                exact = mutual_information(model, rule, buffer=buffer)
                for method in ("infonce", "nwj"):
                    begun = time.perf_counter()
                    found = mutual_information_bound(
                        spins,
                        rule,
                        model.lattice,
                        buffer=buffer,
                        environment=None,
                        training=Training(method=method),
                        key=jax.random.key(1),
                    ).information
                    seconds = time.perf_counter() - begun
                    off = found.mean - exact
                    head = (
                        f"{extent[0]}×{extent[1]}   {buffer}      {K:.4f} {name:15s} {exact:.5f}  {method:8s}"
                    )
                    tail = f"{100 * off / exact:6.2f} {off / found.error:6.2f} {seconds:5.1f}"
                    print(f"{head} {found.mean:.4f}  {found.error:.4f} {tail}", flush=True)


def exact_filters() -> None:
    """The second table."""
    model = Ising(Square(4, 6), CRITICAL_SQUARE)
    print(f"\n4×6 at K_c, buffer 1: I(V; E) = {mutual_information(model):.5f}")
    for hidden, sharpness in ((1, 0.5), (1, 1.0), (1, 2.0), (1, 3.0), (2, 1.0), (3, 1.0), (4, 1.0)):
        begun = time.perf_counter()
        best = optimal_filter(model, hidden=hidden, sharpness=sharpness, key=jax.random.key(0))
        shown = "; ".join(" ".join(f"{w:.3f}" for w in row) for row in best.weights)
        seconds = time.perf_counter() - begun
        print(f"hidden {hidden} sharpness {sharpness}: I = {best.information:.5f}  {seconds:.2f} s  {shown}")


def learned(side: int, samples: int, seeds: int) -> None:
    """The third table."""
    model = Ising(Square(side), CRITICAL_SQUARE)
    begun = time.perf_counter()
    spins, lattice, _ = chains_of(model, None, samples, key=jax.random.key(2))
    print(f"\n{side}×{side} at K_c, {samples} configurations drawn in {time.perf_counter() - begun:.1f} s")
    for seed in range(seeds):
        begun = time.perf_counter()
        found = learn_blocks(spins, lattice, key=jax.random.key(seed))
        print(f"{found}  {time.perf_counter() - begun:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--large", type=int, default=4000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    bounds(options.samples)
    exact_filters()
    learned(options.side, options.large, options.seeds)


if __name__ == "__main__":
    main()
