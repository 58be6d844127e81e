"""NetKet's side of tdvp_step.py: real-time steps of its TDVP driver, asked for over standard input."""

import json
import sys
import time

import jax
import netket as nk

jax.config.update("jax_enable_x64", True)
settings = json.loads(sys.argv[1])
N, SAMPLES = 40, 2048
hilbert = nk.hilbert.Spin(0.5, N)
H = nk.operator.IsingJax(hilbert, nk.graph.Chain(N), h=0.5, J=-1.0)
model = nk.models.RBM(alpha=2, param_dtype=complex)
sampler = nk.sampler.MetropolisLocal(hilbert, n_chains=settings["chains"], sweep_size=N)
state = nk.vqs.MCState(sampler, model, n_samples=SAMPLES, n_discard_per_chain=0, seed=1)
shift = 1e-6
if settings["solve"] == "cg":
    qgt = nk.optimizer.qgt.QGTOnTheFly(holomorphic=True, diag_shift=shift)
    solver = jax.scipy.sparse.linalg.cg
else:
    qgt = nk.optimizer.qgt.QGTJacobianDense(holomorphic=True, diag_shift=shift)
    solver = getattr(nk.optimizer.solver, settings["solve"])
dynamics = nk.dynamics if hasattr(nk, "dynamics") else nk.experimental.dynamics
driver_class = nk.driver.TDVP if hasattr(nk.driver, "TDVP") else nk.experimental.TDVP
driver = driver_class(H, state, dynamics.Euler(dt=1e-4), qgt=qgt, linear_solver=solver)


def steps(count):
    begin = time.perf_counter()
    driver.run(T=1e-4 * count, show_progress=False, out=None)
    jax.block_until_ready(state.parameters)
    return (time.perf_counter() - begin) / count


first = steps(1)
print(json.dumps({"first_step_seconds": first}), flush=True)
for line in sys.stdin:
    word, count = line.split()
    print(json.dumps({"seconds": steps(int(count))}), flush=True)
