"""Slater-Jastrow states of this library or of NetKet as one side of `hubbard_step.py`.

    python benchmarks/peers/hubbard_worker.py '{"library": "intertwine"}'
    PEER_PYTHON benchmarks/peers/hubbard_worker.py '{"library": "netket", "operator": "hubbard"}'

It prints a line of JSON when it is warm, then one for each line `steps N` read from standard input. NetKet is
at https://www.netket.org.
"""

from __future__ import annotations

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)
SIDE, PARTICLES, U, SAMPLES = 4, (5, 5), 4.0, 1024


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def serve(advance, parameters: int, begin: float) -> None:
    """Answer lines `steps N` by advance(N) → energy."""
    print(json.dumps({"warm": time.perf_counter() - begin, "parameters": parameters}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        wall, cpu = clocks()
        energy = advance(steps)
        after = clocks()
        answer = {"seconds": (after[0] - wall) / steps, "cpu": (after[1] - cpu) / steps, "energy": energy}
        print(json.dumps(answer), flush=True)


def serve_netket(operator="hubbard", driver="VMC_SR", chains=1024) -> None:
    import flax.linen as nn
    import netket as nk
    import optax

    graph = nk.graph.Square(SIDE)
    space = nk.hilbert.SpinOrbitalFermions(graph.n_nodes, s=1 / 2, n_fermions_per_spin=PARTICLES)
    if operator == "hubbard":
        H = nk.operator.FermiHubbardJax(space, t=1.0, U=U, graph=graph)
    else:
        from netket.operator.fermion import create, destroy, number

        H = 0.0
        for spin in (1, -1):
            for i, j in graph.edges():
                H += -create(space, i, spin) * destroy(space, j, spin)
                H += -create(space, j, spin) * destroy(space, i, spin)
        for i in graph.nodes():
            H += U * number(space, i, 1) * number(space, i, -1)
        H = H.to_jax_operator()

    class SlaterJastrow(nn.Module):
        @nn.compact
        def __call__(self, n):
            slater = nk.models.Slater2nd(space, generalized=False, restricted=False, param_dtype=float)
            return slater(n) + nk.models.Jastrow(param_dtype=float)(n)

    sampler = nk.sampler.MetropolisFermionHop(space, graph=graph, n_chains=chains, sweep_size=2 * SIDE**2)
    state = nk.vqs.MCState(sampler, SlaterJastrow(), n_samples=SAMPLES, n_discard_per_chain=0, seed=1)
    if driver == "VMC":
        sr = nk.optimizer.SR(diag_shift=0.01)
        run = nk.driver.VMC(H, optax.sgd(0.01), variational_state=state, preconditioner=sr)
    else:
        run = nk.driver.VMC_SR(H, optax.sgd(0.01), variational_state=state, diag_shift=0.01)
    begin = time.perf_counter()
    run.run(2, show_progress=False)

    def advance(steps: int) -> float:
        run.run(steps, show_progress=False)
        jax.block_until_ready(run.state.parameters)
        return float(run._loss_stats.mean.real)

    serve(advance, run.state.n_parameters, begin)


def serve_intertwine(model="slater-jastrow", chains=64) -> None:
    from collections import deque

    import numpy as np

    import intertwine as it
    from intertwine.learning.loop import iterate, start
    from intertwine.models.parameters import count_parameters
    from intertwine.quantum.vmc.energy import EnergyObjective

    lattice, key = it.Square(SIDE, SIDE), jax.random.key(1)
    space = it.Fermions(lattice, PARTICLES)
    psi = it.models.model_from_name(model, lattice, space=space, key=key)
    bonds = np.asarray(lattice.bonds()).reshape(-1, 2)
    hops = it.Exchange(np.concatenate([bonds, bonds + lattice.size]))
    sampler = it.Metropolis(hops, chains=chains, hilbert=space)
    objective = EnergyObjective(it.hubbard(space, U=U), sampler, SAMPLES)
    optimiser = it.NaturalGradient(learning_rate=0.01, shift=0.01)
    begin = time.perf_counter()
    kept = {"state": start(psi, objective, optimiser, key=key)}

    def advance(steps: int) -> float:
        found = deque(iterate(kept["state"], objective, optimiser, steps=steps), maxlen=1)[0]
        kept["state"], scalars = found
        jax.block_until_ready(jax.tree.leaves(kept["state"].model))
        return float(scalars["energy"])

    advance(3)
    serve(advance, count_parameters(psi), begin)


def main() -> None:
    settings = json.loads(sys.argv[1])
    library = settings.pop("library")
    (serve_netket if library == "netket" else serve_intertwine)(**settings)


if __name__ == "__main__":
    main()
