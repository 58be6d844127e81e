"""Energy and gradient of a 12-qubit circuit of depth 6, here and by PennyLane's lightning.qubit, in turns.

python benchmarks/circuits.py [PYTHON with pennylane-lightning]
"""

import subprocess
import sys
import time

import numpy as np

N, DEPTH, TIMES = 12, 6, 8
ANGLES = np.random.default_rng(0).normal(size=(DEPTH + 1, N, 2)) * 0.5
PEER = f"""
import time, pennylane as qml, numpy as onp
from pennylane import numpy as np
n, d = {N}, {DEPTH}
pairs = [qml.PauliZ(i) @ qml.PauliZ((i + 1) % n) for i in range(n)]
H = qml.Hamiltonian([-1.0] * (2 * n), pairs + [qml.PauliX(i) for i in range(n)])
@qml.qnode(qml.device("lightning.qubit", wires=n), diff_method="adjoint")
def f(p):
    for l in range(d + 1):
        for w in range(n):
            qml.RY(p[l, w, 0], wires=w); qml.RZ(p[l, w, 1], wires=w)
        for w in range(n - 1 if l < d else 0):
            qml.CZ(wires=[w, w + 1])
    return qml.expval(H)
p = np.array(onp.random.default_rng(0).normal(size=(d + 1, n, 2)) * 0.5, requires_grad=True)
g = qml.grad(f); g(p); seen = []
for _ in range({TIMES}):
    t = time.perf_counter(); g(p); seen.append(time.perf_counter() - t)
print(f"lightning.qubit  {{min(seen) * 1e3:.1f}} ms, E = {{float(f(p)):.12f}}")
"""


def ours() -> None:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    import intertwine as it

    jax.config.update("jax_enable_x64", True)
    psi = it.qubits.hardware_efficient(N, DEPTH, key=jax.random.key(0))
    angles = (jnp.asarray(ANGLES[:-1].reshape(DEPTH, -1)), jnp.asarray(ANGLES[-1].reshape(1, -1)))
    psi, H = eqx.tree_at(lambda c: c.parameters, psi, angles), it.tfim(it.Chain(N), h=1.0)
    begin, seen = time.perf_counter(), []
    jax.block_until_ready(it.quantum.circuits.energy_and_gradient(H, psi))
    first = time.perf_counter() - begin
    for _ in range(TIMES):
        begin = time.perf_counter()
        energy, _ = jax.block_until_ready(it.quantum.circuits.energy_and_gradient(H, psi))
        seen.append(time.perf_counter() - begin)
    print(f"intertwine  {min(seen) * 1e3:.1f} ms, first call {first:.1f} s, E = {float(energy):.12f}")


if __name__ == "__main__":
    for _ in range(2):
        ours()
        if len(sys.argv) > 1:
            subprocess.run([sys.argv[1], "-c", PEER], check=True)
