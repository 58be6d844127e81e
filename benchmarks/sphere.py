"""Spherical harmonic transforms beside ducc0, paired in one run: one thread, single precision, Gauss grids.

    taskset -c 0 python benchmarks/sphere.py [repeats]

Each pair of calls is timed in turn, many times; a row has the shortest of each, in milliseconds, and the
ratio. Both transform real scalar fields, or vector fields, to degrees below L and back."""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time

import ducc0
import jax
import numpy as np

import intertwine as it

CASES = [(64, 16, 0), (128, 16, 0), (256, 1, 0), (64, 16, 1), (128, 4, 1), (256, 1, 1)]


def shortest(functions, repeats):
    """The shortest time of each function, called in turn."""
    best = [np.inf] * len(functions)
    for function in functions:
        jax.block_until_ready(function())
    for _ in range(repeats):
        for place, function in enumerate(functions):
            begin = time.perf_counter()
            jax.block_until_ready(function())
            best[place] = min(best[place], 1e3 * (time.perf_counter() - begin))
    return best


def theirs(limit, fields, spin):
    """ducc0's synthesis and analysis of `fields` fields."""
    sht, random = ducc0.sht.experimental, np.random.default_rng(0)
    parts, options = 1 + (spin > 0), dict(spin=spin, lmax=limit - 1, geometry="GL", nthreads=1)
    alm = random.normal(size=(fields, parts, limit * (limit + 1) // 2)).astype(np.complex64)
    maps = np.empty((fields, parts, limit, 2 * limit), np.float32)

    def synthesis():
        for k in range(fields):
            sht.synthesis_2d(alm=alm[k], ntheta=limit, nphi=2 * limit, map=maps[k], **options)
        return maps

    back = np.empty_like(alm)

    def analysis():
        for k in range(fields):
            sht.analysis_2d(map=maps[k], alm=back[k], **options)
        return back

    return synthesis, analysis


def main(repeats):
    print("   L fields spin  synthesis    ducc0   ratio   analysis    ducc0   ratio    both")
    for limit, fields, spin in CASES:
        sphere = it.Sphere(limit)
        rep = fields * sphere.spin(spin)
        there = jax.jit(lambda c, sphere=sphere, rep=rep: sphere.synthesis(c, rep))
        back = jax.jit(lambda x, sphere=sphere, rep=rep: sphere.analysis(x, rep))
        c = jax.numpy.asarray(sphere.random_coefficients(rep, 1, key=jax.random.key(0))[0])
        x = there(c)
        synthesis, analysis = theirs(limit, fields, spin)
        ours = (lambda c=c, there=there: there(c)), (lambda x=x, back=back: back(x))
        a, da, b, db = shortest([ours[0], synthesis, ours[1], analysis], repeats)
        row = f"{limit:4d} {fields:6d} {spin:4d}"
        for one, other in ((a, da), (b, db)):
            row += f" {one:10.3f} {other:8.3f} {one / other:7.2f}"
        print(row + f" {(a + b) / (da + db):7.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
