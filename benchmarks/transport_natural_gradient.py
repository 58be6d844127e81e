"""The natural gradient in the metric of optimal transport beside that of Fisher, on bars and stripes.

`python benchmarks/transport_natural_gradient.py`: an RBM of 9 binary units and 6 hidden ones, the same
samples (PCD, 500 chains) and the same keys, three seeds; KL(data ‖ p) by enumeration after 50, 150 and 400
updates, for several learning rates. And what the log-derivatives as potentials keep of the exact metric.
"""

import itertools
import time
import warnings

import jax
import numpy as np

import intertwine as it

COLUMNS = 3


def bars_and_stripes() -> np.ndarray:
    """The 14 images of 3 × 3, 0/1 (14, 9)."""
    lines = np.array(list(itertools.product((0, 1), repeat=COLUMNS)))
    bars = np.repeat(lines[:, None, :], COLUMNS, 1).reshape(len(lines), -1)
    stripes = np.repeat(lines[:, :, None], COLUMNS, 2).reshape(len(lines), -1)
    return np.unique(np.concatenate([bars, stripes]), axis=0)


def divergence(model: it.RBM, rows: np.ndarray) -> float:
    """KL(data ‖ p), exact, in nats."""
    log_z = it.log_partition(model, method=it.Exact())
    return -float(np.log(len(rows))) - float(it.log_likelihood(model, rows, log_z).mean)


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    rows = bars_and_stripes()
    data = np.repeat(rows, 20, 0)
    for metric, rates in (("fisher", (0.03, 0.1, 0.3)), ("transport", (0.003, 0.01, 0.03))):
        for rate in rates:
            fit, found, begun = None, [], time.process_time()
            for seed in range(3):
                rbm = it.RBM(9, hidden=6, units="binary", key=jax.random.key(seed))
                line = []
                for updates in (50, 150, 400):
                    fit = it.learn(
                        rbm, data, method=it.PCD(chains=500, steps=2), epochs=updates, batch=len(data),
                        optimiser=it.NaturalGradient(rate, shift=1e-2, metric=metric),
                        key=jax.random.key(10 + seed),
                    )  # fmt: skip
                    line.append(divergence(fit.model, rows))
                found.append(line)
            try:
                kept = it.geometry.transport_metric(fit.model).kept
            except it.InputError:  # probabilities of 0 to rounding
                kept = np.full(2, np.nan)
            seconds = time.process_time() - begun
            shown = "  ".join(f"{m:.3f} ({a:.3f} to {b:.3f})" for m, a, b in zip(
                np.mean(found, 0), np.min(found, 0), np.max(found, 0), strict=True))  # fmt: skip
            ends = f"kept {kept[-1]:.2f} to {kept[0]:.2f}"
            print(f"{metric:>9} {rate:4.2f}: {shown}; {ends}; {seconds:.0f} s", flush=True)
