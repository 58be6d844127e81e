"""Where |R| of the square Ising model peaks, against L: `python benchmarks/curvature_peak.py`.

Exact at L = 8 by the transfer matrix of rows, beyond from 40,000 Swendsen-Wang samples of each of nine
couplings; second coupling the field. Then straight lines through the peaks of L ≥ 12: K* against 1/L,
ln |R| against ln L.
"""

import time
import warnings

import jax
import numpy as np

import intertwine as it

K_C = float(np.log(1 + np.sqrt(2)) / 2)


def peak(L: int, samples: int | None, low: float, high: float) -> tuple[float, float, float, float]:
    """One row of the table."""
    begun = time.process_time()
    found = it.geometry.curvature_scan(
        lambda K: it.Ising(it.Square(L, L), K), np.linspace(low, high, 9), samples=samples,
        sampler=it.SwendsenWang(chains=10), key=jax.random.key(L),
    ).peak  # fmt: skip
    at = f"K* = {found.coupling:.4f} ± {found.coupling_error:.4f}"
    at += f", (K_c − K*) L {(K_C - found.coupling) * L:.2f}"
    height = f"|R| {found.height:.2f} ± {found.height_error:.2f}"
    print(f"L {L:3d}  {at}  {height}  {time.process_time() - begun:.0f} s", flush=True)
    return tuple(found)


def line(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> np.ndarray:
    """(intercept, its error, slope, its error) by weighted least squares."""
    table = np.stack([np.ones_like(x), x], 1) / error[:, None]
    covariance = np.linalg.inv(table.T @ table)
    found = covariance @ table.T @ (y / error)
    return np.stack([found, np.sqrt(np.diag(covariance))], 1).ravel()


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore", UserWarning)
    peak(8, None, 0.20, 0.40)
    ranges = {12: (0.28, 0.40), 16: (0.31, 0.43), 24: (0.36, 0.44), 32: (0.38, 0.44)}
    K, spread, R, error = np.array([peak(L, 40_000, *ends) for L, ends in ranges.items()]).T
    L = np.array(list(ranges), float)
    at = "K* at 1/L = 0: {:.4f} ± {:.4f}, slope {:.2f} ± {:.2f}".format(*line(1 / L, K, spread))
    print(at, f"(K_c {K_C:.4f})")
    print("|R| ~ L^({2:.2f} ± {3:.2f})".format(*line(np.log(L), np.log(R), error / R)))
