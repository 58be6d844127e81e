"""Networks that learn Z_23 and S_4, three seeds each: when they memorise and generalise, equivariance errors.

python benchmarks/emergence_groups.py
"""

import time

import jax

import intertwine as it

for name in ("Z23", "S4"):
    for seed in range(3):
        begun = time.process_time()
        fit = it.fit_group_table(name, seed=seed, key=jax.random.key(seed))
        found = it.layers.emergent_symmetry(fit)
        print(
            f"{name} seed {seed}: memorised {found.memorised:.0f}, generalised {found.generalised:.0f},"
            f" held out {found.held_out[-1]:.4f}, error {found.error[0]:.3f} -> {found.error[-1]:.4f}"
            f" ({found.fall:.0f} times), class error {found.class_error[-1]:.4f},"
            f" {time.process_time() - begun:.1f} CPU s",
            flush=True,
        )
