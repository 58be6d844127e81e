"""The lowest energy of each momentum and point-group sector by variational Monte Carlo, against exact ones.

    python benchmarks/gcnn_sectors.py chain:12 square:4x4

Heisenberg model, zero magnetization, every irrep of the space group, even and odd under the spin flip. A
complex group-convolutional network carries one row of the irrep; it is trained on exact sums over the orbits
of configurations (`--sampled`: on Monte Carlo samples), and its energy is a Monte Carlo estimate over fresh
chains. The exact energies are those of H between the ranges of the projectors. One line a sector: exact and
estimated energy, the standard error, and the difference in standard errors.
"""

from __future__ import annotations

import argparse
import time

import jax

jax.config.update("jax_enable_x64", True)

import intertwine as it  # noqa: E402
from intertwine.models.symmetric.sectors import sectors  # noqa: E402
from intertwine.quantum.vmc.excited import exact_levels, lowest_in_sector  # noqa: E402
from intertwine.spaces.lattices import lattice_from_name  # noqa: E402

ROUNDING = 1e-12  # of the exact energies; converged states have smaller errors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lattices", nargs="+")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--final", type=int, default=8192)
    parser.add_argument("--sampled", action="store_true")
    parser.add_argument("--only", nargs="*", default=None, help="names of sectors")
    arguments = parser.parse_args()
    for name in arguments.lattices:
        lattice = lattice_from_name(name)
        operator = it.heisenberg(lattice)
        print(f"{name}: {operator!r}", flush=True)
        worst, count, begin = 0.0, 0, time.perf_counter()
        for number, sector in enumerate(sectors(lattice)):
            for flip in (1, -1):
                if arguments.only and sector.name not in arguments.only:
                    continue
                levels = exact_levels(operator, sector, 1, magnetization=0, spin_flip=flip)
                if not len(levels):
                    continue
                start = time.perf_counter()
                run = lowest_in_sector(
                    operator,
                    sector,
                    steps=arguments.steps,
                    samples=arguments.samples,
                    spin_flip=flip,
                    exact_sums=not arguments.sampled,
                    final_samples=arguments.final,
                    key=jax.random.key(2 * number + (flip < 0)),
                )
                difference = float(run.energy.mean.real) - levels[0]
                sigmas = abs(difference) / max(float(run.energy.error), ROUNDING)
                worst, count = max(worst, sigmas), count + 1
                print(
                    f"  {sector.name:14s} d={sector.dimension} flip {flip:+d}  exact {levels[0]:12.6f}  "
                    f"VMC {float(run.energy.mean.real):12.6f} ± {float(run.energy.error):.1e}  "
                    f"{sigmas:.1f} σ  variance {float(run.energy.variance):.1e}  "
                    f"{time.perf_counter() - start:.0f} s",
                    flush=True,
                )
        seconds = time.perf_counter() - begin
        summary = f"{count} sectors, largest deviation {worst:.1f} σ, {seconds:.0f} s"
        print(f"result: {name}, {summary}", flush=True)


if __name__ == "__main__":
    main()
