"""Milliseconds of one natural-gradient update (Gram matrix, factorisation, new parameters), and its floor.

    python benchmarks/update_step.py [--problem a b c] [--repeats 30] [--samples 1024]

    (a) N = 40, M = 40, real RBM    (b) N = 80, M = 160, real RBM    (c) N = 100, M = 200, complex RBM

float64, minSR (fewer samples than parameters). The floor is what the arithmetic alone costs here, measured
in the same run: the flops of the products at the speed of a 1024³ product, and LAPACK's factorisation of
one matrix of that size. Runs beside others on shared cores scatter: read the minimum as what the code
costs, the median as what the machine gave.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

PROBLEMS = {"a": (40, 40, float), "b": (80, 160, float), "c": (100, 200, complex)}


def milliseconds(run: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """(least, median) of `repeats` calls after two to warm up."""
    import jax

    times = []
    for k in range(repeats + 2):
        begun = time.perf_counter()
        jax.block_until_ready(run())
        if k >= 2:
            times.append(1e3 * (time.perf_counter() - begun))
    return min(times), statistics.median(times)


def flops_of_products(size: int, hidden: int, samples: int, dtype: type) -> float:
    """Of LLᵀ and RRᴴ (a complex one is three real products) and of the passes Ōᴴx and Ōδ."""
    complex_factor = 3 if dtype is complex else 1
    gram = 2 * samples**2 * (size + complex_factor * hidden)
    passes = 2 * 2 * samples * size * hidden * (2 if dtype is complex else 1)
    return float(gram + passes)


def floor(size: int, hidden: int, samples: int, dtype: type, repeats: int) -> tuple[float, float, float]:
    """(products, factorisation, product speed in GF/s): milliseconds that the arithmetic alone takes."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from scipy.linalg import lapack

    square = jax.random.normal(jax.random.key(0), (1024, 1024), float)
    multiply = jax.jit(jnp.matmul)
    speed = 2 * 1024**3 / (1e-3 * milliseconds(lambda: multiply(square, square), repeats)[0])
    rng = np.random.default_rng(0)
    z = rng.normal(size=(samples, samples)).astype(dtype)
    positive = np.asfortranarray(z @ z.conj().T / samples + np.eye(samples))
    factorise = lapack.zpotrf if dtype is complex else lapack.dpotrf
    cholesky = milliseconds(lambda: factorise(positive, lower=1, clean=0)[1], repeats)[0]
    return 1e3 * flops_of_products(size, hidden, samples, dtype) / speed, cholesky, speed / 1e9


def update(size: int, hidden: int, samples: int, dtype: type, repeats: int) -> tuple[float, float]:
    """(least, median) of a whole `NaturalGradient.step`."""
    import jax
    import jax.numpy as jnp

    from intertwine.learning.metric import NaturalGradient
    from intertwine.learning.objective import Evaluation
    from intertwine.models.machines.rbm import RBM
    from intertwine.sampling.statistics.estimate import estimate

    keys = jax.random.split(jax.random.key(0), 3)
    model = RBM(size, hidden=hidden, dtype=dtype, scale=0.2, key=keys[0])
    spins = jnp.where(jax.random.bernoulli(keys[1], 0.5, (samples, size)), 1, -1).astype(jnp.int8)
    local = jax.random.normal(keys[2], (samples,), jnp.asarray(dtype(0)).dtype)
    evaluation = Evaluation(spins, local, None, estimate(local[None], real=True), {})
    optimiser = NaturalGradient(0.01, 1e-2, solver="minsr")
    state = optimiser.init(model)
    return milliseconds(lambda: optimiser.step(model, evaluation, state, step=0)[0].weights, repeats)


def main() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--samples", type=int, default=1024)
    arguments = parser.parse_args()
    print("problem   step min   median |  floor: products  Cholesky  (ms; products at GF/s)")
    for name in arguments.problem:
        size, hidden, dtype = PROBLEMS[name]
        least, median = update(size, hidden, arguments.samples, dtype, arguments.repeats)
        products, cholesky, speed = floor(size, hidden, arguments.samples, dtype, arguments.repeats)
        print(f"({name})       {least:8.1f} {median:8.1f} | {products:16.1f} {cholesky:9.1f}  ({speed:.0f})")


if __name__ == "__main__":
    main()
