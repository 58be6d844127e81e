"""Spherical harmonic transforms of torch-harmonics and s2fft, one thread, single precision, Gauss grids and
scalar fields: what `benchmarks/sphere.py` measures of this library and of ducc0.

    taskset -c 0 python benchmarks/sphere_peers.py torch-harmonics [repeats]
    taskset -c 0 python benchmarks/sphere_peers.py s2fft [repeats]

each in an environment that has the package. s2fft has no Gauss grid; it is given McEwen & Wiaux's, of as many
rings and 2L − 1 columns, for real fields. Its transforms keep tables (`precompute`), as ours and those of
torch-harmonics do. A row has the shortest of many calls, in milliseconds."""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time

import numpy as np

CASES = [(64, 16), (128, 16), (256, 1)]


def torch_harmonics(limit, fields):
    """(synthesis, analysis) of a batch."""
    import torch
    import torch_harmonics as th

    torch.set_num_threads(1)
    options = dict(lmax=limit, mmax=limit, grid="legendre-gauss")
    back = th.RealSHT(limit, 2 * limit, **options).float()
    there = th.InverseRealSHT(limit, 2 * limit, **options).float()
    x = torch.randn(fields, limit, 2 * limit)
    with torch.no_grad():
        c = back(x)

    def without_gradients(call):
        with torch.no_grad():
            return call()

    return lambda: without_gradients(lambda: there(c)), lambda: without_gradients(lambda: back(x))


def s2fft(limit, fields):
    """(synthesis, analysis) of a batch, by vmap."""
    import jax
    from s2fft.precompute_transforms import construct, spherical

    options = dict(sampling="mw", reality=True)
    tables = [construct.spin_spherical_kernel_jax(limit, 0, **options, forward=f) for f in (False, True)]

    def compiled(function, table):
        one = jax.jit(jax.vmap(lambda f: function(f, limit, 0, table, "mw", True, "jax", 0)))
        return lambda f: jax.block_until_ready(one(f))

    there, back = compiled(spherical.inverse, tables[0]), compiled(spherical.forward, tables[1])
    x = np.random.default_rng(0).normal(size=(fields, limit, 2 * limit - 1)).astype(np.float32)
    c = back(x)
    return lambda: there(c), lambda: back(x)


def main(name, repeats):
    print(f"{name}, milliseconds\n   L fields  synthesis   analysis")
    for limit, fields in CASES:
        calls = {"torch-harmonics": torch_harmonics, "s2fft": s2fft}[name](limit, fields)
        best = [np.inf, np.inf]
        for _ in range(repeats):
            for place, call in enumerate(calls):
                begin = time.perf_counter()
                call()
                best[place] = min(best[place], 1e3 * (time.perf_counter() - begin))
        print(f"{limit:4d} {fields:6d} {best[0]:10.3f} {best[1]:10.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40)
