r"""Universality: four microscopic systems, their exponents by Monte Carlo renormalization, one command each.

    python benchmarks/universality.py square|triangular|next|potts [--side 64] [--samples 20000]

    square       nearest neighbours, K_c = ln(1 + √2)/2                             ν = 1, η = 1/4
    triangular   nearest neighbours, K_c = ln(3)/4                                  ν = 1, η = 1/4
    next         square, next-nearest coupling equal to the nearest, K_c found by   ν = 1, η = 1/4
                 two-lattice matching (0.1901927: Nightingale & Blöte 1980)
    potts        three Potts states, square, K_c = ln(1 + √3)                       ν = 5/6, η = 4/15

Printed: y_T, y_H, ν, η by step with jackknife errors, their distance from the exact values, and the energy of
the block spins by level. (`intertwine renormalize --exponents` finds ν and η by finite-size scaling instead.)
"""

from __future__ import annotations

import argparse
from time import perf_counter

import jax
import numpy as np

from intertwine.models.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR, Ising
from intertwine.models.potts import Potts, potts_critical
from intertwine.rg.blocking import Majority
from intertwine.rg.matching import beta_function
from intertwine.rg.streaming import MCRGSums
from intertwine.sampling.cluster import SwendsenWang
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square, Triangular

EXACT = {"potts": (5 / 6, 4 / 15)}
BINS = 50


def equal_next(lattice: Lattice, K: float) -> Ising:
    """Nearest and next-nearest couplings alike."""
    return Ising(lattice, K, further={"next": K})


def system(name: str, side: int, key: jax.Array) -> tuple[Ising | Potts, Majority]:
    """The model at its critical point, and the rule."""
    if name == "triangular":
        return Ising(Triangular(side), CRITICAL_TRIANGULAR), Majority(2)
    if name == "potts":
        return Potts(Square(side), 3, potts_critical(3)), Majority(2, states=3)
    if name == "next":
        found = beta_function(
            [0.186, 0.190, 0.194], Square(side), family=equal_next, levels=3, samples=40_000, key=key
        )
        K_c, error = found.critical()
        print(f"K_c = {K_c:.5f} ± {error:.5f} by matching {side} and {side // 2}")
        return equal_next(Square(side), K_c), Majority(2)
    return Ising(Square(side), CRITICAL_SQUARE), Majority(2)


def main() -> None:
    """Parse, sample, block, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("system", choices=("square", "triangular", "next", "potts"))
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    key, begun = jax.random.key(0), perf_counter()
    model, rule = system(options.system, options.side, jax.random.fold_in(key, 1))
    sampler = SwendsenWang(chains=20, steps=options.steps, burn_in=500)
    levels = int(np.log2(options.side)) - 2
    collected = MCRGSums(rule, model.lattice, levels=levels, couplings=4)
    state, sums = sampler.init(model, key=key), collected.zeros(BINS)
    for k in range(BINS):
        one, two = jax.random.split(jax.random.fold_in(key, 2 + k))
        drawn, state = sampler.sample(model, state, -(-options.samples // (BINS * 20)), key=one)
        sums = collected.add(sums, k, np.asarray(drawn.configurations).reshape(-1, model.size), key=two)
    found = collected.result(sums)
    print(found)
    nu, eta = EXACT.get(options.system, (1.0, 0.25))
    for n in range(levels):
        y_T, y_H = found.y_T[n, -1], found.y_H[n, -1]
        here, there = 1 / y_T, 4 - 2 * y_H
        errors = found.y_T_error[n, -1] / y_T**2, 2 * found.y_H_error[n, -1]
        print(
            f"step {n + 1}: ν {here:.4f} ± {errors[0]:.4f} ({100 * (here / nu - 1):+.1f} %), "
            f"η {there:.4f} ± {errors[1]:.4f} ({100 * (there / eta - 1):+.1f} %)"
        )
    print("Σ s s′/N of nearest neighbours by level:", np.round(found.energy, 4))
    print(f"{perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
