"""Whether annealed importance sampling knows when its ln Z is wrong, on machines whose ln Z is known exactly.

    python benchmarks/ais_modes.py [--machines 50] [--temperatures 1000] [--families separated random]

Two families, visible bits, ln Z by enumeration of the hidden units in float64:

    separated   100 bits, 2 to 8 modes far apart of unequal weight: half of the machines have a Potts hidden
                unit, whose states are the modes, half 1 to 3 hidden spins, whose patterns are
    random      50 bits, 10 hidden ones, normal weights of a standard deviation from 0.05 to 0.6

No data are given. Printed are how many are trusted, how many of these lie outside their bracket (wanted:
none; each end holds with 99.95 %), and how far the trusted estimates are off, in units of their errors.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import jax
import numpy as np

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.boltzmann.objectives.exact import exact_log_partition


def separated(seed: int) -> it.RBM:
    """A machine with modes far apart of unequal weight."""
    rng = np.random.default_rng(seed)
    size, strength = 100, rng.uniform(2.0, 4.0)
    if seed % 2:
        spins = 1 + seed // 2 % 3
        weights = strength * (2.0 * rng.integers(0, 2, (size, spins)) - 1)
        balance = rng.uniform(-1, 1, spins)
        return it.RBM.from_parameters(np.zeros(size), balance, weights, units="spin", hidden_units="spin")
    modes = 2 + seed // 2 % 7
    fields = strength * (2.0 * rng.integers(0, 2, (size, 8)) - 1)
    shares = np.log(rng.dirichlet(np.full(modes, 1.5)) + 1e-3)
    bias = np.full(8, -400.0)
    bias[:modes] = shares - np.logaddexp(0, fields[:, :modes]).sum(0)
    bias[modes:] -= np.logaddexp(0, fields[:, modes:]).sum(0)
    return it.RBM.from_parameters(
        np.zeros(size), bias, fields, units="binary", hidden_units=(("potts:8", 8),)
    )


def random(seed: int) -> it.RBM:
    """A machine with normal weights and biases."""
    rng = np.random.default_rng(1000 + seed)
    scale = rng.uniform(0.05, 0.6)
    parts = (rng.normal(0, scale, shape) for shape in ((50,), (10,), (50, 10)))
    return it.RBM.from_parameters(*parts, units="binary", hidden_units="binary")


FAMILIES = {"separated": separated, "random": random}


def judged(name: str, make: Any, machines: int, method: Any) -> tuple[int, int]:
    """How many are trusted, and how many of these are outside their bracket."""
    trusted, outside, off, begun = 0, 0, [], time.perf_counter()
    for seed in range(machines):
        model = make(seed)
        exact = exact_log_partition(model)
        found = it.log_partition(model, method, key=jax.random.key(seed))
        if found.trusted:
            trusted += 1
            outside += not found.lower <= exact <= found.upper
            off.append((found.mean - exact) / found.error)
        if not found.trusted or not found.lower <= exact <= found.upper:
            print(f"  {name} {seed}: exact {exact:.3f}, {found}", flush=True)
        if seed % 10 == 9:
            print(f"  {name}: {trusted} of {seed + 1} trusted, {outside} of these outside", flush=True)
    spread = f", off by {np.sqrt(np.mean(np.square(off))):.2f} errors (rms)" if off else ""
    seconds = time.perf_counter() - begun
    print(f"{name}: {trusted} of {machines} trusted, {outside} of these outside{spread}; {seconds:.0f} s")
    return trusted, outside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--temperatures", type=int, default=1000)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore", Caveat)
    method = it.AIS(temperatures=options.temperatures)
    found = [judged(name, FAMILIES[name], options.machines, method) for name in options.families]
    trusted, outside = np.sum(found, axis=0)
    print(f"in all {trusted} of {len(found) * options.machines} trusted, {outside} of these outside")


if __name__ == "__main__":
    main()
