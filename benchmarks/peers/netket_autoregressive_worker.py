"""NetKet as the other side of `autoregressive.py`: exact samples and the energy, timed.

    python benchmarks/peers/netket_autoregressive_worker.py '{"net": "dense", "operator": "jax"}'

NetKet 3.23 is at https://www.netket.org (Vicentini et al., SciPost Phys. Codebases 7, 2022).
"""

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import netket as nk  # noqa: E402


def build(net, operator="jax", fast=True, chunk=None, sites=40, samples=1024):
    """(operator, state) of the ring."""
    graph = nk.graph.Chain(sites, pbc=True)
    space = nk.hilbert.Spin(0.5, sites)
    kind = nk.operator.IsingJax if operator == "jax" else nk.operator.Ising
    H = kind(space, graph, h=1.0, J=-1.0)
    if net == "dense":
        family = nk.models.FastARNNDense if fast else nk.models.ARNNDense
        model = family(space, layers=3, features=16)
    else:
        family = nk.models.FastARNNConv1D if fast else nk.models.ARNNConv1D
        model = family(space, layers=3, features=16, kernel_size=5)
    sampler = nk.sampler.ARDirectSampler(space)
    return H, nk.vqs.MCState(sampler, model, n_samples=samples, seed=1, chunk_size=chunk)


def main() -> None:
    H, state = build(**json.loads(sys.argv[1]))

    def once():
        begin, cpu = time.perf_counter(), time.process_time()
        state.reset()
        jax.block_until_ready(state.samples)
        sampled = time.perf_counter() - begin
        energy = state.expect(H)
        value = float(energy.mean.real)
        return time.perf_counter() - begin, sampled, time.process_time() - cpu, value

    warm = once()[0]
    once()
    print(json.dumps({"warm_seconds": warm}), flush=True)
    for line in sys.stdin:
        rows = [once() for _ in range(int(line.split()[1]))]
        names = ("seconds", "sampling", "cpu", "energy")
        print(json.dumps({n: sum(r[k] for r in rows) / len(rows) for k, n in enumerate(names)}), flush=True)


if __name__ == "__main__":
    main()
