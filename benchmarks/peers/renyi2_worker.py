"""NetKet's Rényi-2 entropy as the other side of `entanglement.py`: one estimate for each line `once` read.

    python benchmarks/peers/renyi2_worker.py '{"weights": "rbm.npz", "chains": 16, "samples": 10000}'

Fresh samples for each estimate; chains go on where they were. NetKet 3.23: https://www.netket.org.
"""

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import netket as nk  # noqa: E402
import numpy as np  # noqa: E402


def main() -> None:
    settings = json.loads(sys.argv[1])
    arrays = np.load(settings["weights"])
    N, M = arrays["weights"].shape
    space = nk.hilbert.Spin(0.5, N)
    sampler = nk.sampler.MetropolisLocal(space, n_chains=settings["chains"])
    model = nk.models.RBM(alpha=M // N, param_dtype=complex)
    state = nk.vqs.MCState(sampler, model, n_samples=settings["samples"], seed=settings.get("seed", 1))
    state.parameters = {
        "Dense": {"kernel": arrays["weights"], "bias": arrays["hidden_bias"]},
        "visible_bias": arrays["visible_bias"],
    }
    entropy = nk.observable.Renyi2EntanglementEntropy(space, np.arange(N // 2))
    for _ in range(settings.get("warm", 5)):  # compile, and bring the chains to equilibrium
        state.reset()
        state.expect(entropy)
    print(json.dumps({"warm": True}), flush=True)
    for line in sys.stdin:
        if not line.startswith("once"):
            continue
        begin = time.perf_counter()
        state.reset()
        found = state.expect(entropy)
        mean, error = float(np.real(found.mean)), float(np.real(found.error_of_mean))
        seconds = time.perf_counter() - begin
        answer = {"seconds": seconds, "mean": mean * np.log(2), "error": error * np.log(2)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
