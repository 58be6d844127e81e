"""Heat bath of gauge links: microseconds a link, and plaquettes against exact and published values.

python benchmarks/gauge_heat_bath.py speed        # 8^4: CPU time of one thread, wall time of two
python benchmarks/gauge_heat_bath.py plane        # two dimensions, against exact values
python benchmarks/gauge_heat_bath.py four         # 8^4, against another code's values
python benchmarks/gauge_heat_bath.py duality      # Z2 in three dimensions against Ising clusters
"""

import sys
import time

import jax
import numpy as np

import intertwine as it
from intertwine import _threads
from intertwine.models.gauge import plane_plaquette, plaquette
from intertwine.sampling.gauge.heat_bath import _plan, carry_on
from intertwine.sampling.host_random import chain_states

jax.config.update("jax_enable_x64", True)


def speed() -> None:
    print("group   precision  pass          threads  µs a link")
    for group, beta in (("Z2", 0.44), ("U(1)", 1.0), ("SU(2)", 2.3), ("SU(3)", 6.0)):
        links = it.Links(it.Hypercubic(8, 8, 8, 8), group)
        for dtype in ("float32", "float64"):
            model = it.Gauge(links, beta, dtype=dtype)
            start = np.array(links.hot(key=jax.random.key(0), dtype=model.beta.dtype))
            flat = start.reshape(1, 4096, 4, *links.group.element)
            keys = chain_states(jax.random.key(1), 1)
            for name, period in (("heat bath", 1), ("reflection", 10**9)):
                if group == "Z2" and name == "reflection":
                    continue
                for threads in (1, 2):
                    with _threads.limit(threads):
                        carry_on(model, _plan(links), flat, keys, 0, 20, 1)
                        clock = time.thread_time if threads == 1 else time.perf_counter
                        taken = []
                        for _ in range(5):
                            begin = clock()
                            carry_on(model, _plan(links), flat, keys, 1, 10, period)
                            taken.append(clock() - begin)
                    each = np.median(taken) / (10 * links.size) * 1e6
                    print(f"{group:7} {dtype:10} {name:13} {threads:7} {each:10.3f}", flush=True)


def measured(links, beta: float, draws: int, seed: int = 0, **settings):
    begin = time.perf_counter()
    sampler = it.GaugeHeatBath(**settings)
    found = it.averages(
        it.Gauge(links, beta),
        {"plaquette": lambda U: plaquette(links, U)},
        draws,
        sampler=sampler,
        key=jax.random.key(seed),
    )["plaquette"]
    return found, time.perf_counter() - begin


def line(name: str, found, truth: float, also: float, seconds: float) -> None:
    gap = (float(found.mean) - truth) / np.hypot(float(found.error), also)
    print(f"{name:16} {found!s:50} {truth:.6f} {gap:+5.2f}σ {seconds:6.1f} s", flush=True)


def plane() -> None:
    rows = (
        ("U(1)", 1.0, 2000),
        ("SU(2)", 2.0, 4000),
        ("SU(2)", 4.0, 1000),
        ("SU(3)", 6.0, 500),
        ("Z2", 0.5, 6000),
        ("Z3", 1.0, 4000),
    )
    for group, beta, draws in rows:
        links = it.Links(it.Square(32, 32), group)
        found, seconds = measured(links, beta, draws, chains=8)
        line(f"{group} β = {beta}", found, plane_plaquette(group, beta), 0.0, seconds)


def four() -> None:
    rows = (
        ("SU(2)", 2.3, 0.6025015, 1.6e-4, 800),
        ("SU(3)", 6.0, 0.5940287, 2.3e-4, 250),
        ("U(1)", 0.5, 0.2460128, 2.3e-4, 400),
    )
    for group, beta, truth, error, draws in rows:
        found, seconds = measured(it.Links(it.Hypercubic(8, 8, 8, 8), group), beta, draws, chains=2)
        line(f"{group} β = {beta}", found, truth, error, seconds)


def duality() -> None:
    """P(β) = coth 2β − e(β*)/sinh 2β, sinh 2β sinh 2β* = 1, e the bond energy of the Ising model at β*."""
    for beta in (0.7, 0.72, 0.8):
        dual = 0.5 * np.arcsinh(1 / np.sinh(2 * beta))
        lattice = it.Cubic(12)
        found, seconds = measured(it.Links(lattice, "Z2"), beta, 2000, chains=8)
        ising, bonds = it.Ising(lattice, K=dual), len(lattice.bonds())
        energy = {"e": lambda s, ising=ising, bonds=bonds: -ising.energy(s) / bonds}
        bond = it.averages(ising, energy, 2000, sampler=it.SwendsenWang(), key=jax.random.key(1))["e"]
        truth = 1 / np.tanh(2 * beta) - float(bond.mean) / np.sinh(2 * beta)
        line(f"Z2 β = {beta}", found, truth, float(bond.error) / np.sinh(2 * beta), seconds)


if __name__ == "__main__":
    {"speed": speed, "plane": plane, "four": four, "duality": duality}[sys.argv[1]]()
