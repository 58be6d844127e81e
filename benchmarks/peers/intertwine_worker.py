"""This library as one side of `vmc_step.py`: a process that holds a warm run and times blocks of steps.

    python benchmarks/peers/intertwine_worker.py '{"problem": "a"}'

Besides whole steps it times the three parts (sampling, local energies, update) and measures the floors of the
update: the Cholesky factorisation and the Gram matrix's products at this machine's own speed.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import deque

START = time.perf_counter()

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import intertwine as it  # noqa: E402
from intertwine.learning.loop import iterate, start  # noqa: E402
from intertwine.quantum.vmc.energy import EnergyObjective  # noqa: E402
from intertwine.quantum.vmc.local_energy import local_values  # noqa: E402

SAMPLES = 1024
PROBLEMS = {
    "a": {"lattice": it.Chain(40), "hamiltonian": it.heisenberg, "alpha": 1, "dtype": float},
    "b": {"lattice": it.Chain(80), "hamiltonian": it.tfim, "alpha": 2, "dtype": float},
    "c": {
        "lattice": it.Square(10, 10),
        "hamiltonian": lambda lattice: it.heisenberg(lattice, marshall=False),
        "alpha": 2,
        "dtype": complex,
    },
}


def build(problem: str, chains: int = 16, seed: int = 1):
    """(state, objective, optimiser) of one of the three problems."""
    spec = PROBLEMS[problem]
    lattice, key = spec["lattice"], jax.random.key(seed)
    H = spec["hamiltonian"](lattice)
    psi = it.RBM(lattice.size, hidden=spec["alpha"] * lattice.size, dtype=spec["dtype"], key=key)
    rule = it.SingleFlip() if problem == "b" else it.Exchange(lattice)
    objective = EnergyObjective(H, it.Metropolis(rule, chains=chains), SAMPLES)
    optimiser = it.NaturalGradient(learning_rate=0.01, shift=0.01)
    return start(psi, objective, optimiser, key=key), objective, optimiser


def least(call, repeats: int = 7) -> float:
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - begin)
    return min(times[1:])


def floors(problem: str) -> str:
    """The factorisation and the products of the Gram matrix, alone, in ms."""
    spec = PROBLEMS[problem]
    size = spec["lattice"].size
    hidden = spec["alpha"] * size
    draw = np.random.default_rng(0)
    t = draw.normal(size=(SAMPLES, SAMPLES)) / SAMPLES**0.5
    matrix = jnp.asarray(t @ t.T + np.eye(SAMPLES)).astype(spec["dtype"])
    factor = jax.jit(jnp.linalg.cholesky)
    units = jnp.asarray(draw.normal(size=(SAMPLES, hidden)))
    sites = jnp.asarray(draw.normal(size=(SAMPLES, size)))
    products = 3 if spec["dtype"] is complex else 1
    gram = jax.jit(lambda z: z @ z.T)
    return (
        f"factorisation {1e3 * least(lambda: factor(matrix)):.1f} ms, "
        f"products {1e3 * (least(lambda: gram(sites)) + products * least(lambda: gram(units))):.1f} ms"
    )


def parts(state, objective, optimiser, repeats: int) -> dict[str, float]:
    """Seconds of sampling, local energies and update, each alone at the state's model."""
    sampling, local, update = [], [], []
    for repeat in range(repeats):
        key = jax.random.fold_in(state.key, 10_000 + repeat)
        begin = time.perf_counter()
        chains = state.objective_state.chains
        drawn, _ = objective.sampler.sample(state.model, chains, objective.draws, key=key)
        jax.block_until_ready(drawn.configurations)
        flat = drawn.configurations.reshape(-1, objective.operator.size)
        sampled = time.perf_counter()
        jax.block_until_ready(local_values(objective.operator, state.model, flat))
        evaluated = time.perf_counter()
        evaluation, _ = objective.evaluate(state.model, state.objective_state, key=key)
        before = time.perf_counter()
        model, _, _ = optimiser.step(state.model, evaluation, state.optimiser_state, step=0)
        jax.block_until_ready(jax.tree.leaves(model))
        update.append(time.perf_counter() - before)
        sampling.append(sampled - begin)
        local.append(evaluated - sampled)
    return {"sampling": min(sampling), "local_energy": min(local), "update": min(update)}


def advance(state, objective, optimiser, steps: int):
    """The state after `steps` further steps, and what the last of them measured."""
    return deque(iterate(state, objective, optimiser, steps=steps), maxlen=1)[0]


def main() -> None:
    settings = json.loads(sys.argv[1])
    state, objective, optimiser = build(**settings)
    state, _ = advance(state, objective, optimiser, 1)
    jax.block_until_ready(jax.tree.leaves(state.model))
    first = time.perf_counter() - START
    state, _ = advance(state, objective, optimiser, 4)
    answer = {"first_step_seconds": first, "floors": floors(settings["problem"])}
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin = time.perf_counter()
        state, scalars = advance(state, objective, optimiser, steps)
        jax.block_until_ready(jax.tree.leaves(state.model))
        seconds = (time.perf_counter() - begin) / steps
        answer = {"seconds": seconds, "energy": scalars["energy"]} | parts(state, objective, optimiser, 5)
        answer["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
