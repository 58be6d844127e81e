"""Exponents of one universality class, and of another, each from one command.

    python benchmarks/universality.py square|triangular|next|potts [--samples 60000] [--ratio 1]

square, triangular: Ising models at their exact K_c. next: next-nearest neighbours on the square lattice too,
--ratio times as strong, K_c found by two-lattice matching (0.190193 for --ratio 1, by transfer matrices:
Nightingale & Blöte 1980). These are one class, ν = 1 and η = 1/4. potts: three states, ν = 5/6 and η = 4/15.
Prints renormalization step by step, finite-size scaling as the check (--no-check does without), the
deviations and the wall seconds.
"""

from __future__ import annotations

import argparse
import time

import jax

from intertwine.models.spins.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR, Ising
from intertwine.models.spins.potts import Potts, potts_critical
from intertwine.rg.montecarlo.matching import beta_function
from intertwine.rg.scaling.universality import exponents
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square, Triangular

ISING, POTTS = (1.0, 0.25, 2.0), (5 / 6, 4 / 15, 0.8)
"""ν, η and the exponent ω of the leading corrections."""


def both(lattice: Lattice, K: float, ratio: float) -> Ising:
    """Nearest and next-nearest neighbours with couplings K and ratio × K."""
    return Ising(lattice, K, further={"next": ratio * K})


def found_critical(ratio: float, seed: int) -> float:
    """K_c of `both` by matching 32 × 32 with 16 × 16 sites, then, nearer to it, 128 × 128 with 64 × 64."""
    begun = time.perf_counter()
    K, error = CRITICAL_SQUARE / (1 + 1.32 * ratio), 0.0
    for side, levels, samples, width in ((32, 3, 10_000, 0.03), (128, 5, 20_000, 0.004)):
        found = beta_function(
            [K * (1 - width), K, K * (1 + width)], Square(side, side), levels=levels, samples=samples,
            family=lambda lattice, K: both(lattice, K, ratio), key=jax.random.key(seed + side),
        )  # fmt: skip
        print(found)
        K, error = found.critical()
    print(f"K_c = {K:.6f} ± {error:.6f} by matching, {time.perf_counter() - begun:.0f} s")
    return K


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("system", choices=["square", "triangular", "next", "potts"])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ratio", type=float, default=1.0)
    parser.add_argument("--no-check", action="store_true")
    options = parser.parse_args()
    begun = time.perf_counter()
    K = found_critical(options.ratio, options.seed + 100) if options.system == "next" else 0.0
    family, (nu, eta, omega) = {
        "square": (lambda L: Ising(Square(L, L), CRITICAL_SQUARE), ISING),
        "triangular": (lambda L: Ising(Triangular(L, L), CRITICAL_TRIANGULAR), ISING),
        "next": (lambda L: both(Square(L, L), K, options.ratio), ISING),
        "potts": (lambda L: Potts(Square(L, L), 3, potts_critical(3)), POTTS),
    }[options.system]
    sizes = None if options.no_check else (8, 12, 16, 24, 32, 48)
    found = exponents(
        family, samples=options.samples, omega=omega, sizes=sizes, key=jax.random.key(options.seed)
    )
    print(found)
    for name, value, exact in (("ν", found.nu, nu), ("η", found.eta, eta)):
        print(f"{name}: {100 * (value / exact - 1):+.2f} % of {exact:.6g}")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
