"""RBMs of bosons of this library or of NetKet as one side of `bose_hubbard.py`.

    python benchmarks/peers/bosons_worker.py '{"library": "intertwine"}'
    PEER_PYTHON benchmarks/peers/bosons_worker.py '{"library": "netket", "model": "rbm"}'

It answers lines `steps N` as `hubbard_worker.py` does. NetKet is at https://www.netket.org.
"""

from __future__ import annotations

import json
import sys
import time

import jax
from hubbard_worker import serve

jax.config.update("jax_enable_x64", True)
SITES, U, SAMPLES, ALPHA = 20, 4.0, 1024, 2


def serve_netket(model="rbm", operator="jax", chains=1024, driver="VMC_SR") -> None:
    import netket as nk
    import optax

    graph = nk.graph.Chain(SITES)
    space = nk.hilbert.Fock(n_max=SITES, N=SITES, n_particles=SITES)
    of_kind = nk.operator.BoseHubbardJax if operator == "jax" else nk.operator.BoseHubbard
    H = of_kind(space, graph, U=U, J=1.0)
    of_levels = {"alpha": ALPHA / (SITES + 1), "n_classes": SITES + 1, "param_dtype": float}
    network = (
        nk.models.RBM(alpha=ALPHA, param_dtype=float)
        if model == "rbm"
        else nk.models.RBMMultiVal(**of_levels)
    )
    rule = nk.sampler.rules.HamiltonianRule(H)
    sampler_of = nk.sampler.MetropolisSampler if operator == "jax" else nk.sampler.MetropolisSamplerNumpy
    if operator != "jax":
        rule = nk.sampler.rules.HamiltonianRuleNumpy(H)
    sampler = sampler_of(space, rule, n_chains=chains, sweep_size=SITES)
    state = nk.vqs.MCState(sampler, network, n_samples=SAMPLES, n_discard_per_chain=0, seed=1)
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


def serve_intertwine(model="rbm:2", chains=64) -> None:
    from collections import deque

    import intertwine as it
    from intertwine.learning.loop import iterate, start
    from intertwine.models.parameters import count_parameters
    from intertwine.quantum.vmc.energy import EnergyObjective

    lattice, key = it.Chain(SITES), jax.random.key(1)
    space = it.Bosons(lattice, SITES)
    psi = it.models.model_from_name(model, lattice, space=space, key=key)
    sampler = it.Metropolis(it.Hops(lattice), chains=chains, hilbert=space)
    objective = EnergyObjective(it.bose_hubbard(space, U=U), sampler, SAMPLES)
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
