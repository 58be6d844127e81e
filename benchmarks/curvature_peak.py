"""Where |R| of the square Ising model peaks, against L: `python benchmarks/curvature_peak.py`.

Exact up to L = 8 by the transfer matrix of rows, beyond from samples of Swendsen-Wang clusters; second
coupling the field, or the bonds of the other direction. Beside each peak the processor seconds that it took.
"""

import time
import warnings

import jax
import numpy as np

import intertwine as it

K_C = float(np.log(1 + np.sqrt(2)) / 2)


def peak(L: int, couplings: tuple[str, str], samples: int | None, low: float, high: float) -> None:
    """One row of the table."""
    begun = time.process_time()
    K = np.linspace(low, high, 11)
    found = it.geometry.curvature_scan(
        lambda K: it.Ising(it.Square(L, L), K), K, couplings, samples=samples,
        sampler=it.SwendsenWang(chains=10), key=jax.random.key(L),
    ).peak  # fmt: skip
    at = f"K = {found.coupling:.4f} ± {found.coupling_error:.4f}"
    height = f"|R| {found.height:.2f} ± {found.height_error:.2f}"
    seconds = time.process_time() - begun
    print(f"L {L:3d} {couplings[1]:>10}  {at}  {height}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore", UserWarning)
    print(f"K_c = {K_C:.5f}")
    for couplings in (("nearest", "field"), ("nearest:0", "nearest:1")):
        for L, samples, low, high in (
            (4, None, 0.30, 0.55), (6, None, 0.30, 0.52), (8, None, 0.30, 0.50), (12, 40_000, 0.32, 0.46),
            (16, 40_000, 0.34, 0.46), (24, 40_000, 0.36, 0.46), (32, 40_000, 0.38, 0.46),
        ):  # fmt: skip
            peak(L, couplings, samples, low, high)
