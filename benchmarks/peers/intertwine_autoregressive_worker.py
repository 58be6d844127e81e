"""This library as one side of `autoregressive.py`: exact samples and the energy with its error bar, timed.

python benchmarks/peers/intertwine_autoregressive_worker.py '{"net": "dense"}'
"""

from __future__ import annotations

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import intertwine as it  # noqa: E402
from intertwine.quantum.vmc.local_energy import local_values  # noqa: E402
from intertwine.sampling.statistics.estimate import estimate  # noqa: E402

SITES, SAMPLES, FEATURES, REACH = 40, 1024, 16, 4


def needed_flops(net: str) -> float:
    """Of the samples, and of every single flip from its first change on: 2 a multiply-add."""
    t, F = np.arange(SITES), FEATURES
    if net == "dense":
        each = 2 * (t * F + (t + 1) * F * F)
    else:
        back = np.minimum(t, REACH)
        each = 2 * (back * 2 * F + (back + 1) * F * 2 * F)
    each = each + 2 * F * 2
    return SAMPLES * float(each.sum() + sum(each[i:].sum() for i in range(SITES)))


def product_speed(size: int = 1024) -> float:
    """Flops a second of a matrix product."""
    a = jnp.ones((size, size))
    jax.block_until_ready(a @ a)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        jax.block_until_ready(a @ a)
        times.append(time.perf_counter() - begin)
    return 2 * size**3 / min(times)


def main() -> None:
    net = json.loads(sys.argv[1])["net"]
    ring, key = it.Chain(SITES), jax.random.key(1)
    H = it.tfim(ring)
    if net == "dense":
        psi = it.MaskedDense(ring, 2, FEATURES, key=key)
    else:
        psi = it.MaskedConvolution(ring, 2, FEATURES, reach=REACH, key=key)
    sampler, count = it.Autoregressive(), [0]
    state = sampler.init(psi, key=key)

    def once():
        begin, cpu = time.perf_counter(), time.process_time()
        count[0] += 1
        samples, _ = sampler.sample(psi, state, SAMPLES, key=jax.random.fold_in(key, count[0]))
        jax.block_until_ready(samples.configurations)
        sampled = time.perf_counter() - begin
        local = local_values(H, psi, samples.configurations[:, 0])
        energy = estimate(np.asarray(local)[:, None], independent=True)
        return time.perf_counter() - begin, sampled, time.process_time() - cpu, float(energy.mean)

    warm = once()[0]
    once()
    flops, speed = needed_flops(net), product_speed()
    floor = f"{flops / 1e9:.2f} GFLOP, {flops / speed:.3f} s at {speed / 1e9:.0f} GFLOP/s"
    print(json.dumps({"warm_seconds": warm, "floor": floor}), flush=True)
    for line in sys.stdin:
        rows = [once() for _ in range(int(line.split()[1]))]
        names = ("seconds", "sampling", "cpu", "energy")
        print(json.dumps({n: sum(r[k] for r in rows) / len(rows) for k, n in enumerate(names)}), flush=True)


if __name__ == "__main__":
    main()
