"""One side of `boltzmann_speed.py`: a warm process that times blocks of PCD-1 updates of a 784 × 500 machine.

    python benchmarks/peers/boltzmann_worker.py '{"side": "intertwine", "batch": 100}'

It prints a line of JSON when it is warm, then one for each line `steps N` read from standard input. All
sides: float32, as many chains as rows of a batch, one sweep an update.

    intertwine    the training loop, centred gradient, average of the parameters (what `it.learn` does)
    plain         the same without centring and average
    rbms          rbms 0.5.0: `fit_batch_pcd`, centred (its default), and its SGD step
    scikit-learn  `BernoulliRBM._fit`, the update inside `fit`, on float32 data
    floor         the five matrix products of an update alone, by XLA, in one compiled loop
"""

import json
import resource
import sys
import time

import numpy as np

VISIBLE, HIDDEN, ROWS = 784, 500, 60_000


def rows():
    return np.random.default_rng(0).integers(0, 2, (ROWS, VISIBLE), np.uint8)


def intertwine(batch, plain=False, data=None):
    import jax

    from intertwine.boltzmann.objectives.kl import KL
    from intertwine.boltzmann.objectives.methods import PCD
    from intertwine.learning.averaging import WeightAverage
    from intertwine.learning.batches import Batches
    from intertwine.learning.gradient import OptaxGradient
    from intertwine.learning.loop import iterate, start
    from intertwine.learning.stream import OverBatches
    from intertwine.models.machines.rbm import RBM

    import optax  # isort: skip

    key = jax.random.key(0)
    model = RBM(VISIBLE, HIDDEN, units="binary", hidden_units="binary", scale=0.01, dtype="float32", key=key)
    stream = OverBatches(
        KL(PCD(chains=batch), centred=not plain), Batches(rows() if data is None else data, batch)
    )
    mover = OptaxGradient(optax.sgd(1.0), 0.01)
    mover = mover if plain else WeightAverage(mover)
    state = [start(model, stream, mover, key=key)]

    def steps(count):
        for state[0], _ in iterate(state[0], stream, mover, steps=count):  # noqa: B020
            pass

    return steps


def floor(batch):
    import jax
    import jax.numpy as jnp

    key = jax.random.key(0)
    v = jax.random.uniform(key, (batch, VISIBLE))
    w = 0.01 * jax.random.normal(key, (VISIBLE, HIDDEN))

    @jax.jit
    def products(h, count):
        def body(_, carry):
            h, _ = carry
            both = jnp.concatenate([v, h @ w.T])
            angles = both @ w
            return angles[batch:], both.T @ angles

        return jax.lax.fori_loop(0, count, body, (h, jnp.zeros((VISIBLE, HIDDEN))))

    h = jax.random.uniform(key, (batch, HIDDEN))
    return lambda count: jax.block_until_ready(products(h, count))


def rbms(batch):
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.training.pcd import fit_batch_pcd

    data = torch.from_numpy(rows().astype(np.float32))
    weights = torch.ones(batch)
    spread = 0.01 * torch.randn(VISIBLE, HIDDEN)
    params = BBRBM(weight_matrix=spread, vbias=torch.zeros(VISIBLE), hbias=torch.zeros(HIDDEN))
    optimiser = torch.optim.SGD(params.parameters(), lr=0.01, maximize=True)
    params.init_grad()
    chains = [params.init_chains(batch)]

    @torch.no_grad()
    def steps(count):
        for _ in range(count):
            chosen = torch.randint(ROWS, (batch,))
            optimiser.zero_grad(set_to_none=False)
            chains[0], _ = fit_batch_pcd((data[chosen], weights), chains[0], params, 1, 1.0, centered=True)
            optimiser.step()

    return steps


def scikit_learn(batch):
    from sklearn.neural_network import BernoulliRBM

    data = rows().astype(np.float32)
    machine = BernoulliRBM(HIDDEN, learning_rate=0.01, batch_size=batch, random_state=0)
    machine.partial_fit(data[:batch])
    machine.h_samples_ = machine.h_samples_.astype(np.float32)
    random = np.random.RandomState(0)

    def steps(count):
        for k in range(count):
            begin = k * batch % (ROWS - batch)
            machine._fit(data[begin : begin + batch], random)

    return steps


SIDES = {
    "intertwine": intertwine,
    "plain": lambda batch: intertwine(batch, plain=True),
    "floor": floor,
    "rbms": rbms,
    "scikit-learn": scikit_learn,
}


def main():
    settings = json.loads(sys.argv[1])
    steps = SIDES[settings["side"]](settings["batch"])
    steps(2 * ROWS // settings["batch"] if "intertwine" in settings["side"] else 3)
    print(json.dumps({"warm": True}), flush=True)
    for line in sys.stdin:
        count = int(line.split()[1])
        begun = time.perf_counter()
        steps(count)
        seconds = (time.perf_counter() - begun) / count
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mib": peak}), flush=True)


if __name__ == "__main__":
    main()
