"""MNIST's pixels in [0, 1] as a Gaussian machine sees them: 12 modes above 1, by the exact flow and by PCD.

python benchmarks/emergence_mnist.py FOLDER_OF_MNIST            # exact: the 12 modes, times and final values
python benchmarks/emergence_mnist.py FOLDER_OF_MNIST pcd SEED   # 784 pixels, 2000 persistent chains
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.boltzmann.cascade.emergence import half_time

U0, RATE, TIME = 1e-6, 0.004, 8.0
bm = it.boltzmann
data = it.data.load("mnist", folder=sys.argv[1])
pixels = np.asarray(data.train, np.float32) / 255
pixels -= pixels.mean(0)
modes = bm.principal_modes(pixels, scale=1.0)
c, begun = modes.eigenvalues, time.process_time()
print(f"{modes.above} modes above 1: {c.round(6).tolist()}")


def machine(weights: np.ndarray) -> it.RBM:
    n, m = weights.shape
    return it.RBM.from_parameters(
        jnp.zeros(n), jnp.zeros(m), jnp.asarray(weights), units="gaussian", hidden_units="gaussian",
        log_variance=None,
    )  # fmt: skip


if len(sys.argv) < 3:
    # the machine is the same in turned columns: those of the modes
    rows = np.concatenate([np.diag(np.sqrt(12 * c)), -np.diag(np.sqrt(12 * c))])
    half = bm.gaussian_half_time(c, U0)
    found = bm.gradient_flow(machine(np.sqrt(U0) * np.eye(12)), rows, [*half, 400.0])
    u = np.array([np.diag(m.weights).astype(float) ** 2 for m in found])
    print("half times", half.round(5).tolist(), "final", bm.gaussian_final(c).round(6).tolist())
    print("u at each half time / (final / 2) − 1:", np.abs(np.diag(u) / bm.gaussian_final(c) * 2 - 1).max())
    print("u at the end / final − 1:", np.abs(u[-1] / bm.gaussian_final(c) - 1).max())
else:
    key, trace = jax.random.key(int(sys.argv[3])), bm.EmergenceTrace(pixels)
    it.learn(
        machine(np.sqrt(U0) * modes.vectors.astype(np.float32)), pixels, method=it.PCD(chains=2000),
        batch=5000, epochs=int(TIME / RATE / 12), learning_rate=RATE, average=None, centred=False,
        begin="model", key=key, progress=trace,
    )  # fmt: skip
    found = bm.emergence(trace)
    steps = bm.gaussian_steps(np.full(3, U0**0.5), c[:3], RATE, int(TIME / RATE)) ** 2
    exact = np.array([half_time(RATE * np.arange(len(steps)), steps[:, a])[0] for a in range(3)])
    late = found.strength[len(found.time) * 4 // 5 :, :3] ** 2
    print("times", found.half_time[:3], "±", found.half_error[:3], "in steps", exact)
    print("final", late.mean(0), "±", late.std(0), "exact", bm.gaussian_final(c[:3]))
print(f"{time.process_time() - begun:.0f} CPU s")
