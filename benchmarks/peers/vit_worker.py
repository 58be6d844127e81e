"""A vision transformer in this library, or the same one in Flax with NetKet, as one side of `vit_step.py`.

    python benchmarks/peers/vit_worker.py '{"library": "intertwine", "side": 6}'
    PEER_PYTHON benchmarks/peers/vit_worker.py '{"library": "netket", "side": 6}'

It prints a line of JSON when it is warm, then one for each line `steps N` read from standard input: seconds
and CPU seconds a step. Both sides have real parameters, complex amplitudes, the Marshall rotation, N
proposals between draws of a chain, shift 0.01 and learning rate 0.01. NetKet is at https://www.netket.org.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def flax_network(side: int, layers: int, dim: int, heads: int, dtype: str):
    """Patches of 2 × 2 sites, the encoder with factored attention, Σ ln cosh: the network of `it.ViT`."""
    import flax.linen as nn

    half = side // 2
    n = half * half
    sites = np.arange(side * side).reshape(half, 2, half, 2).transpose(0, 2, 1, 3).reshape(n, 4)
    at = np.stack(np.divmod(np.arange(n), half), -1)
    between = (at[None] - at[:, None]) % half
    offset = between[..., 0] * half + between[..., 1]
    real = jnp.dtype(dtype)

    class Attention(nn.Module):
        @nn.compact
        def __call__(self, x):
            positions = self.param("positions", nn.initializers.normal(n**-0.5), (heads, n), real)
            value = nn.Dense(dim, param_dtype=real)(x).reshape(*x.shape[:-1], heads, dim // heads)
            mixed = jnp.einsum("hij,...jhc->...ihc", positions[:, offset], value)
            return nn.Dense(dim, param_dtype=real)(mixed.reshape(x.shape))

    class Network(nn.Module):
        @nn.compact
        def __call__(self, s):
            x = nn.Dense(dim, param_dtype=real)(s.astype(real)[..., sites])
            for _ in range(layers):
                x = x + Attention()(nn.LayerNorm(param_dtype=real)(x))
                y = nn.Dense(2 * dim, param_dtype=real)(nn.LayerNorm(param_dtype=real)(x))
                x = x + nn.Dense(dim, param_dtype=real)(nn.gelu(y))
            z = nn.LayerNorm(param_dtype=real)(x).sum(-2)
            y = nn.Dense(2 * dim, param_dtype=real, kernel_init=nn.initializers.normal(0.01))(z)
            return jnp.log(jnp.cosh(y[..., :dim] + 1j * y[..., dim:])).sum(-1)

    return Network()


def netket_driver(side, layers, dim, heads, dtype, chains, samples, chunk=None, driver="VMC_SR"):
    import netket as nk
    import optax

    graph = nk.graph.Square(side, max_neighbor_order=2)
    space = nk.hilbert.Spin(0.5, graph.n_nodes, total_sz=0)
    operator = nk.operator.Heisenberg(space, graph, J=[1.0, 0.5], sign_rule=[True, False]).to_jax_operator()
    sampler = nk.sampler.MetropolisExchange(space, graph=nk.graph.Square(side), n_chains=chains)
    model = flax_network(side, layers, dim, heads, dtype)
    state = nk.vqs.MCState(sampler, model, n_samples=samples, n_discard_per_chain=0, seed=1, chunk_size=chunk)
    if driver == "VMC":
        sr = nk.optimizer.SR(qgt=nk.optimizer.qgt.QGTOnTheFly(), diag_shift=0.01, holomorphic=False)
        return nk.driver.VMC(operator, optax.sgd(0.01), variational_state=state, preconditioner=sr)
    return nk.driver.VMC_SR(
        operator, optax.sgd(0.01), variational_state=state, diag_shift=0.01, mode="complex"
    )


def serve(advance: Callable[[int], object], parameters: int) -> None:
    """Two steps to warm up, then as many as each line asks for."""
    advance(2)
    print(json.dumps({"parameters": parameters}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin, used = time.perf_counter(), time.process_time()
        advance(steps)
        seconds, cpu = (time.perf_counter() - begin) / steps, (time.process_time() - used) / steps
        print(json.dumps({"seconds": seconds, "cpu": cpu}), flush=True)


def serve_netket(**settings) -> None:
    driver = netket_driver(**settings)

    def advance(steps: int) -> None:
        driver.run(steps, show_progress=False)
        jax.block_until_ready(driver.state.parameters)

    serve(advance, driver.state.n_parameters)


def serve_intertwine(side, layers, dim, heads, dtype, chains, samples) -> None:
    from collections import deque

    import intertwine as it
    from intertwine.learning.loop import iterate, start
    from intertwine.quantum.vmc.energy import EnergyObjective

    lattice, key = it.Square(side, side), jax.random.key(1)
    kind = {"float64": "complex128", "float32": "complex64"}[dtype]
    psi = it.ViT(lattice, layers, dim, heads=heads, patch=2, translations=True, dtype=kind, key=key)
    sampler = it.Metropolis(it.Exchange(lattice), chains=chains)
    objective = EnergyObjective(it.j1j2(lattice, J1=1.0, J2=0.5), sampler, samples)
    optimiser = it.NaturalGradient(learning_rate=0.01, shift=0.01)
    state = start(psi, objective, optimiser, key=key)

    def advance(steps: int) -> None:
        nonlocal state
        state, _ = deque(iterate(state, objective, optimiser, steps=steps), maxlen=1)[0]
        jax.block_until_ready(jax.tree.leaves(state.model))

    serve(advance, it.count_parameters(psi))


def main() -> None:
    settings = {"chains": 512, "samples": 1024} | json.loads(sys.argv[1])
    library = settings.pop("library")
    (serve_netket if library == "netket" else serve_intertwine)(**settings)


if __name__ == "__main__":
    main()
