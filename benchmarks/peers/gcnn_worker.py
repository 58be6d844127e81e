"""Group-convolutional networks of this library or of NetKet as one side of `gcnn_step.py`.

    python benchmarks/peers/gcnn_worker.py '{"library": "intertwine", "side": 6}'
    PEER_PYTHON benchmarks/peers/gcnn_worker.py '{"library": "netket", "side": 6, "mode": "irreps"}'

It prints a line of JSON when it is warm, then one for each line `steps N` read from standard input. Both
sides have real parameters and positive amplitudes (no complex output), the Marshall rotation, N proposals
between draws of a chain, shift 0.01 and learning rate 0.01. NetKet is at https://www.netket.org.
"""

from __future__ import annotations

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)


def netket_driver(side, layers, features, chains, samples, mode, chunk=None, driver="VMC_SR"):
    import netket as nk
    import optax

    graph = nk.graph.Square(side)
    space = nk.hilbert.Spin(0.5, graph.n_nodes, total_sz=0)
    operator = nk.operator.Heisenberg(space, graph, sign_rule=True).to_jax_operator()
    sampler = nk.sampler.MetropolisExchange(space, graph=graph, n_chains=chains)
    model = nk.models.GCNN(
        symmetries=graph, layers=layers, features=features, mode=mode, param_dtype=float, complex_output=False
    )
    state = nk.vqs.MCState(sampler, model, n_samples=samples, n_discard_per_chain=0, seed=1, chunk_size=chunk)
    if driver == "VMC":
        sr = nk.optimizer.SR(qgt=nk.optimizer.qgt.QGTOnTheFly(), diag_shift=0.01)
        return nk.driver.VMC(operator, optax.sgd(0.01), variational_state=state, preconditioner=sr)
    return nk.driver.VMC_SR(operator, optax.sgd(0.01), variational_state=state, diag_shift=0.01)


def serve_netket(**settings) -> None:
    driver = netket_driver(**settings)
    begin = time.perf_counter()
    driver.run(2, show_progress=False)
    parameters = driver.state.n_parameters
    print(json.dumps({"warm": time.perf_counter() - begin, "parameters": parameters}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin = time.perf_counter()
        driver.run(steps, show_progress=False)
        jax.block_until_ready(driver.state.parameters)
        seconds = (time.perf_counter() - begin) / steps
        print(json.dumps({"seconds": seconds, "energy": float(driver._loss_stats.mean.real)}), flush=True)


def serve_intertwine(side, layers, features, chains, samples, dtype="float64") -> None:
    from collections import deque

    import intertwine as it
    from intertwine.learning.loop import iterate, start
    from intertwine.models.parameters import count_parameters
    from intertwine.models.symmetric.gcnn import GCNN
    from intertwine.quantum.vmc.energy import EnergyObjective
    from intertwine.quantum.vmc.local_energy import local_values

    lattice, key = it.Square(side, side), jax.random.key(1)
    psi = GCNN(lattice, layers, features, dtype=dtype, key=key)
    sampler = it.Metropolis(it.Exchange(lattice), chains=chains)
    objective = EnergyObjective(it.heisenberg(lattice), sampler, samples)
    optimiser = it.NaturalGradient(learning_rate=0.01, shift=0.01)
    begin = time.perf_counter()
    state = start(psi, objective, optimiser, key=key)

    def advance(state, steps):
        state, scalars = deque(iterate(state, objective, optimiser, steps=steps), maxlen=1)[0]
        jax.block_until_ready(jax.tree.leaves(state.model))
        return state, scalars

    state, _ = advance(state, 2)
    warm = {"warm": time.perf_counter() - begin, "parameters": count_parameters(psi)}
    print(json.dumps(warm | {"floor": floor(psi, samples)}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin = time.perf_counter()
        state, scalars = advance(state, steps)
        seconds = (time.perf_counter() - begin) / steps
        times, at = [time.perf_counter()], jax.random.fold_in(key, 7)
        drawn, _ = sampler.sample(state.model, state.objective_state.chains, objective.draws, key=at)
        jax.block_until_ready(drawn.configurations)
        times.append(time.perf_counter())
        flat = drawn.configurations.reshape(-1, lattice.size)
        jax.block_until_ready(local_values(objective.operator, state.model, flat))
        times.append(time.perf_counter())
        answer = {"seconds": seconds, "energy": scalars["energy"]}
        answer |= {"sampling": times[1] - times[0], "local": times[2] - times[1]}
        print(json.dumps(answer), flush=True)


def floor(psi, samples) -> float:
    """Seconds of the products alone at the speed of a large product, measured here: evaluations of one step
    (N proposals a sample, 0.73·2N connected configurations a sample), derivatives and the Gram matrix."""
    import jax.numpy as jnp

    from intertwine.models.parameters import count_parameters

    n, p = psi.convolution.elements.shape
    f, size = psi.features, psi.size
    layer = 2 * n * n * p * f + 2 * n * (p * f) ** 2
    evaluation = n * p * f * size + (psi.layers - 1) * layer
    count = samples * (size + 0.73 * 2 * size + 4)
    products = count * evaluation + samples**2 * count_parameters(psi)
    a = jnp.ones((2048, 2048), psi.lift.dtype)
    product = jax.jit(jnp.matmul)
    product(a, a).block_until_ready()
    least = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        product(a, a).block_until_ready()
        least = min(least, time.perf_counter() - begin)
    return products * least / 2048**3


def main() -> None:
    settings = {"layers": 4, "features": 4, "chains": 256, "samples": 1024} | json.loads(sys.argv[1])
    library = settings.pop("library")
    (serve_netket if library == "netket" else serve_intertwine)(**settings)


if __name__ == "__main__":
    main()
