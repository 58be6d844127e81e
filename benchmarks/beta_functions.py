"""Three roads to the beta function and the exponents of the square Ising model, in one table.

    python benchmarks/beta_functions.py [samples] [side]

Callan-Symanzik (correlations by distance), two-lattice matching and Monte Carlo renormalization, each from
`samples` cluster samples of each simulation; exact: y_T = 1, γ = η/2 = 1/8, K_c = 0.4406868.
"""

from __future__ import annotations

import sys
import time

import jax

import intertwine as it
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.correlators.scan import around


def main() -> None:
    samples, side = (int(word) for word in (sys.argv[1:] + ["40000", "64"][len(sys.argv) - 1 :]))
    jax.config.update("jax_enable_x64", True)
    lattice, key = it.Square(side, side), jax.random.key(1)
    start = time.process_time()
    equation = it.rg.callan_symanzik_scan(
        lambda K: Ising(lattice, K), around(CRITICAL_SQUARE, side, 2), samples=samples, key=key
    )
    print(equation)
    print(f"Callan-Symanzik: {time.process_time() - start:.0f} CPU s", flush=True)
    start = time.process_time()
    matched = it.rg.beta_function([0.43, 0.44, 0.45], lattice, samples=samples, key=key)
    print(matched)
    print(f"zero {matched.critical()}, slope {matched.y_T()}")
    print(f"matching: {time.process_time() - start:.0f} CPU s", flush=True)
    start = time.process_time()
    blocked = it.rg.mcrg(Ising(lattice, CRITICAL_SQUARE), samples=samples, key=key)
    print(blocked)
    print(f"Monte Carlo renormalization at K_c: {time.process_time() - start:.0f} CPU s")


if __name__ == "__main__":
    main()
