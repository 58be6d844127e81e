"""Block RBMs as blocking rules: which weights have the fixed point of the Ising model.

    python benchmarks/block_rbm_rule.py [--weights 0.3 0.5 0.7 1.0 2.0] [--side 32] [--samples 40000]

One hidden unit on every 2 × 2 block with weight w to its four spins, p(h = +1|v) = 1/(1 + e^{−2wΣv}), applied
to Swendsen-Wang samples at T_c again and again (`as_rg_map`). Printed for each w: y_T and y_H by step with
four couplings, and what the result says of a fixed point. Another code's run of the same: w = 1.0 has y_T
0.993(9) and y_H 1.877(1) at step 3, w = 0.3 has y_T 0.10.
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax

from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocks.block_rbm import block_rbm
from intertwine.rg.montecarlo.mcrg import mcrg
from intertwine.rg.networks.network_map import as_rg_map
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square


def main() -> None:
    """Parse, sample once, block with every weight, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=float, nargs="+", default=[0.3, 0.5, 0.7, 1.0, 2.0])
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--samples", type=int, default=40_000)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    lattice, key, begun = Square(options.side), jax.random.key(0), perf_counter()
    sampler = SwendsenWang(chains=20, steps=2)
    spins = sample(Ising(lattice, CRITICAL_SQUARE), options.samples, sampler=sampler, key=key)
    for w in options.weights:
        rule = as_rg_map(block_rbm(lattice, b=2, w=w), lattice=lattice)
        found = mcrg(spins, rule, levels=3, couplings=4, key=key)
        print(f"w = {w}")
        for name in ("y_T", "y_H"):
            pairs = zip(getattr(found, name)[:, 3], getattr(found, f"{name}_error")[:, 3], strict=True)
            print(f"  {name}: " + "  ".join(f"{y:.4f} ± {error:.4f}" for y, error in pairs))
        print(f"  {'fixed point' if found.fixed_point else 'NO fixed point'}: {found.reason}", flush=True)
    print(f"{perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
