"""NetKet as the other side of `vmc_step.py`: a process that holds a warm driver and times blocks of steps.

    python benchmarks/peers/netket_worker.py '{"problem": "a", "driver": "VMC_SR", "chains": 16}'

It prints a line of JSON when it is warm, then one for each line `steps N` read from standard input.
NetKet 3.23 is at https://www.netket.org (Vicentini et al., SciPost Phys. Codebases 7, 2022).
"""

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import netket as nk  # noqa: E402
import optax  # noqa: E402

PROBLEMS = {
    "a": {"lattice": [40], "hamiltonian": "heisenberg", "alpha": 1, "dtype": float},
    "b": {"lattice": [80], "hamiltonian": "tfim", "alpha": 2, "dtype": float},
    "c": {"lattice": [10, 10], "hamiltonian": "heisenberg", "alpha": 2, "dtype": complex},
}


def build(problem, driver="VMC", chains=16, kernels="packed", chunk=None, samples=1024):
    """A NetKet driver for one of the three problems in one of its settings."""
    spec = PROBLEMS[problem]
    graph = nk.graph.Grid(spec["lattice"], pbc=True)
    if spec["hamiltonian"] == "heisenberg":
        space = nk.hilbert.Spin(0.5, graph.n_nodes, total_sz=0)
        operator = nk.operator.Heisenberg(space, graph, sign_rule=spec["dtype"] is float)
        sampler = nk.sampler.MetropolisExchange(space, graph=graph, n_chains=chains)
    else:
        space = nk.hilbert.Spin(0.5, graph.n_nodes)
        operator = nk.operator.IsingJax(space, graph, h=1.0, J=-1.0)
        sampler = nk.sampler.MetropolisLocal(space, n_chains=chains)
    if hasattr(operator, "to_jax_operator") and kernels != "numba":
        operator = operator.to_jax_operator()
    model = nk.models.RBM(alpha=spec["alpha"], param_dtype=spec["dtype"])
    state = nk.vqs.MCState(sampler, model, n_samples=samples, n_discard_per_chain=0, seed=1, chunk_size=chunk)
    rule = optax.sgd(0.01)
    if driver == "VMC":
        holomorphic = spec["dtype"] is complex
        qgt = nk.optimizer.qgt.QGTOnTheFly(holomorphic=holomorphic)
        sr = nk.optimizer.SR(qgt=qgt, diag_shift=0.01, holomorphic=holomorphic)
        return nk.driver.VMC(operator, rule, variational_state=state, preconditioner=sr)
    return nk.driver.VMC_SR(operator, rule, variational_state=state, diag_shift=0.01)


def main() -> None:
    driver = build(**json.loads(sys.argv[1]))
    start = time.perf_counter()
    driver.run(2, show_progress=False)
    print(json.dumps({"warm_seconds": time.perf_counter() - start}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin = time.perf_counter()
        driver.run(steps, show_progress=False)
        jax.block_until_ready(driver.state.parameters)
        seconds = (time.perf_counter() - begin) / steps
        energy = driver._loss_stats
        print(json.dumps({"seconds": seconds, "energy": float(energy.mean.real)}), flush=True)


if __name__ == "__main__":
    main()
