"""Our side of tdvp_step.py: Euler steps of the variational principle over fresh samples."""

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import intertwine as it  # noqa: E402
from intertwine.quantum.dynamics.ensemble import Source  # noqa: E402
from intertwine.quantum.dynamics.tangent import Regular, moved, velocity  # noqa: E402

settings = json.loads(sys.argv[1])
N, SAMPLES, DT = 40, 2048, 1e-4
H = it.tfim(it.Chain(N), J=1.0, h=0.5)
key = jax.random.key(1)
model = it.RBM(N, hidden=2 * N, dtype=complex, scale=0.01, key=key)
source = Source(it.Metropolis(it.SingleFlip(), chains=settings["chains"]), SAMPLES)
chains = source.sampler.init(model, key=key)
count = 0


def step(model, chains, k):
    ensemble, chains, _ = source.draw(model, chains, jax.random.fold_in(key, k))
    now = velocity(H, model, ensemble, exact=False, regular=Regular())
    return moved(model, DT * now.vector), chains


def steps(number):
    global model, chains, count
    begin = time.perf_counter()
    for _ in range(number):
        model, chains = step(model, chains, count)
        count += 1
    jax.block_until_ready(model.weights)
    return (time.perf_counter() - begin) / number


print(json.dumps({"first_step_seconds": steps(1)}), flush=True)
for line in sys.stdin:
    word, number = line.split()
    print(json.dumps({"seconds": steps(int(number))}), flush=True)
