"""Which couplings around the critical point are said to be at a fixed point, and which are not.

    python benchmarks/fixed_point_verdicts.py [--samples 8000] [--seeds 5] [--critical 20] [--part 1/4]

L = 64, Swendsen-Wang samples, majority of 2 × 2 blocks, three steps, four couplings: the verdicts of
`it.rg.mcrg` at 20 couplings around K_c of the square Ising model, `--critical` seeds at K_c itself. At
|K − K_c| > 3e-3 none may be True, at K_c nearly all are to be. --part: every n-th run only.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict

import jax
import numpy as np

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.models.spins.ising import CRITICAL_SQUARE

OFFSETS = sorted({0.0, 0.03} | {s * x / 1e4 for s in (-1, 1) for x in (5, 10, 20, 31, 40, 60, 100, 150, 200)})


def verdict(offset: float, seed: int, samples: int) -> it.rg.MCRG:
    """Of samples at K_c + offset."""
    model, sampler = it.Ising(it.Square(64, 64), CRITICAL_SQUARE + offset), it.SwendsenWang(chains=20)
    first, second, third = jax.random.split(
        jax.random.fold_in(jax.random.key(seed), round(1e6 + 1e4 * offset)), 3
    )
    state = sampler.init(model, key=first)
    drawn, _ = sampler.sample(model, state, samples // sampler.chains, key=second)
    rows = np.asarray(drawn.configurations).swapaxes(0, 1).reshape(-1, model.size)
    return it.rg.mcrg(rows, levels=3, couplings=4, lattice=model.lattice, key=third)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--critical", type=int, default=20)
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore", Caveat)
    part, parts = map(int, options.part.split("/"))
    runs = [(x, seed) for x in OFFSETS for seed in range(options.seeds if x else options.critical)]
    found, begun = defaultdict(list), time.perf_counter()
    for offset, seed in runs[part - 1 :: parts]:
        result = verdict(offset, seed, options.samples)
        found[offset].append((result.fixed_point, result.drift, result.reason))
        if options.verbose:
            print(f"{offset:+.4f} {seed} {result.fixed_point}: {result.reason}", flush=True)
    print("  K − K_c  True None False   deviation before the last step, and its error")
    for offset, rows in sorted(found.items()):
        true, none, false = (sum(answer is word for answer, *_ in rows) for word in (True, None, False))
        known = [drift for _, drift, _ in rows if not isinstance(drift, str)]
        size, error = (
            np.mean([getattr(d, name) for d in known]) for name in ("deviation", "deviation_error")
        )
        print(f"{offset:>+9.4f}  {true:>4} {none:>4} {false:>5}   {size:+.4f}, {error:.4f}")
    for _, _, reason in (row for row in found.get(0.0, []) if row[0] is not True):
        print("at K_c:", reason)
    far = [answer for offset, rows in found.items() if abs(offset) > 3e-3 for answer, *_ in rows]
    print(f"beyond 3e-3: {sum(answer is True for answer in far)} of {len(far)} True")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
