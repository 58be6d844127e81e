"""Ground states of the toric code in a field along X, gauge-invariant wave functions of the links, by size.

    python benchmarks/toric_code.py [L ...]          # 3 4 5 6 by default; hx = 1/3
    python benchmarks/toric_code.py both        # 3 × 3, hx = hz = 0.2, exact sums

The wave function is an even symmetric RBM of dual spins on the faces, ψ(s) = φ(σ(s)) on closed loops s
(`models.gauge.of_dual_spins`): Gauss' law holds exactly. φ is found with the Ising model that the toric code
is on them; the energy is then measured with the operator of the 2L² links itself, at the links.
"""

import sys
import time

import jax
import numpy as np

import intertwine as it
from intertwine.models.gauge import domain_walls, of_dual_spins
from intertwine.quantum.vmc.local_energy import local_values
from intertwine.sampling.statistics.estimate import estimate

jax.config.update("jax_enable_x64", True)
H_X = 1 / 3
EXACT = {3: None, 4: None, 5: None, 6: -74.41090243457282}  # 6: E = −36 + E_TFIM(6 × 6, h = 3)/3


def row(L: int) -> None:
    begin = time.perf_counter()
    faces, lattice = it.Square(L, L), it.LinkSites(L, L)
    ising = it.tfim(faces, J=1.0, h=1 / H_X)  # energies in units of hx: the settings that are known to do
    key = jax.random.key(L)
    phi = it.SymmetricRBM(faces, 8, spin_flip=1, key=key)
    sampler = it.Metropolis(it.Mixture([(it.SingleFlip(), 0.9), (it.GlobalFlip(), 0.1)]), chains=64)
    run = it.ground_state(ising, phi, 400, 2048, sampler=sampler, shift=None, key=key, final_samples=65536)
    H = it.toric(lattice, hx=H_X, basis="x")
    psi = of_dual_spins(run.model.model if hasattr(run.model, "model") else run.model, lattice)
    state = sampler.init(phi, key=key)
    state = sampler.sample(run.model, state, 50, key=key)[1]
    spins = sampler.sample(run.model, state, 128, key=jax.random.fold_in(key, 1))[0].configurations
    values = np.asarray(local_values(H, psi, domain_walls(lattice, spins.reshape(-1, L * L))))
    found = estimate(values.reshape(64, -1))
    exact = EXACT.get(L)
    if exact is None:
        exact = it.exact.ground_energy(it.tfim(faces, J=H_X, h=1.0)) - L * L if L <= 5 else float("nan")
    took = time.perf_counter() - begin
    gap = float(found.mean) / exact - 1
    print(f"{L}×{L}, {2 * L * L} links: {found!s:42} exact {exact:.8f}, relative {gap:+.1e}, {took:.0f} s")


def both() -> None:
    """Both fields: no Gauss law, so what `it.ground_state` takes by itself, group convolutions of loops."""
    begin, exact = time.perf_counter(), -18.405219042253204
    H = it.toric(it.LinkSites(3, 3), hx=0.2, hz=0.2)
    run = it.ground_state(H, key=jax.random.key(0))
    took = time.perf_counter() - begin
    print(f"3×3, both fields: {run.energy!s}, relative {1 - run.energy.mean / exact:.1e}, {took:.0f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["both"]:
        both()
        sys.exit()
    for size in [int(word) for word in sys.argv[1:]] or [3, 4, 5, 6]:
        row(size)
