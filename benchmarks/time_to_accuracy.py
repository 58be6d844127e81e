"""Wall time from process start to within 10⁻³ of the exact energy: Heisenberg chain of 40, RBM α = 1.

    python benchmarks/time_to_accuracy.py --rounds 3 --peer-python PATH_TO_A_PYTHON_WITH_NETKET

Both sides run the same model (real RBM α = 1, Marshall rotation), 1,024 samples a step, and stop when the
mean energy of the last ten steps lies within 10⁻³ of −70.98609115333 (Bethe ansatz). NetKet runs in its
fastest setting for this problem (see `vmc_step.py`) at each of several learning rates, the best of which
counts; ours with the defaults of `ground_state`. Processes alternate.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

EXACT = -70.98609115333
SAMPLES, CHAINS, STEPS = 1024, 16, 600

OURS = f"""
import jax
jax.config.update("jax_enable_x64", True)
import intertwine as it
from collections import deque
lattice, key, last = it.Chain(40), jax.random.key(SEED), deque(maxlen=10)
class Done(Exception): pass
def watch(state, scalars):
    last.append(scalars["energy"])
    mean = sum(last) / len(last)
    if len(last) == 10 and abs(mean / {EXACT} - 1) < 1e-3:
        print("done", int(scalars["step"]), mean)
        raise Done
H = it.heisenberg(lattice)
psi = it.RBM(40, hidden=40, key=key)
try:
    it.ground_state(H, psi, steps={STEPS}, samples={SAMPLES}, key=key, progress=watch)
except Done:
    pass
"""

PEER = f"""
import jax
jax.config.update("jax_enable_x64", True)
import netket as nk, optax
from collections import deque
graph = nk.graph.Chain(40)
space = nk.hilbert.Spin(0.5, 40, total_sz=0)
H = nk.operator.Heisenberg(space, graph, sign_rule=True).to_jax_operator()
sampler = nk.sampler.MetropolisExchange(space, graph=graph, n_chains={CHAINS})
model = nk.models.RBM(alpha=1, param_dtype=float)
state = nk.vqs.MCState(sampler, model, n_samples={SAMPLES}, seed=SEED)
sr = nk.optimizer.SR(qgt=nk.optimizer.qgt.QGTOnTheFly(), diag_shift=0.01)
driver = nk.driver.VMC(H, optax.sgd(RATE), variational_state=state, preconditioner=sr)
last = deque(maxlen=10)
def watch(step, log, driver):
    last.append(float(driver._loss_stats.mean.real))
    mean = sum(last) / len(last)
    if len(last) == 10 and abs(mean / {EXACT} - 1) < 1e-3:
        print("done", step, mean)
        return False
    return True
driver.run({STEPS}, out=(), show_progress=False, callback=watch)
"""


def seconds(python: str, script: str, rate: float, seed: int) -> tuple[float, str]:
    """Wall seconds of the whole process, and what it says; infinite if the energy is not reached."""
    source = script.replace("SEED", str(seed)).replace("RATE", str(rate))
    begin = time.perf_counter()
    done = subprocess.run([python, "-c", source], capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - begin
    said = [line for line in done.stdout.splitlines() if line.startswith("done")]
    if done.returncode != 0 and not said:
        raise RuntimeError(done.stderr[-2000:])
    return (elapsed, said[0]) if said else (float("inf"), f"not reached in {STEPS} steps")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01, 0.02, 0.05])
    parser.add_argument("--peer-python", default=None)
    arguments = parser.parse_args()
    ours: list[float] = []
    peers: dict[float, list[float]] = {rate: [] for rate in arguments.rates}
    for seed in range(1, arguments.rounds + 1):
        elapsed, said = seconds(sys.executable, OURS, 0.0, seed)
        ours.append(elapsed)
        print(f"intertwine seed {seed}: {elapsed:.1f} s ({said})", flush=True)
        for rate in arguments.rates if arguments.peer_python else []:
            elapsed, said = seconds(arguments.peer_python, PEER, rate, seed)
            peers[rate].append(elapsed)
            print(f"netket rate {rate} seed {seed}: {elapsed:.1f} s ({said})", flush=True)
    print(f"intertwine: median {statistics.median(ours):.1f} s")
    if arguments.peer_python:
        rate, times = min(peers.items(), key=lambda item: statistics.median(item[1]))
        print(f"netket, its best rate {rate}: median {statistics.median(times):.1f} s")
        print(f"ratio of medians: {statistics.median(times) / statistics.median(ours):.1f}")


if __name__ == "__main__":
    main()
