"""The bases of `benchmarks/lie_groups.py bases` with EMLP 1.0.3 (jax 0.4.30, numpy < 2, Python 3.10).

python benchmarks/peers/emlp_bases.py
"""

import time

from emlp.groups import SO, SO13p
from emlp.reps import V

(V(SO(2)) >> V(SO(2))).equivariant_basis()  # programs of the first call
cases = [
    ("SO(3)", SO(3), 2),
    ("SO+(1,3)", SO13p(), 2),
    ("SO(3)", SO(3), 3),
    ("SO+(1,3)", SO13p(), 3),
    ("SO(5)", SO(5), 2),
]
for name, group, p in cases:
    start, clock = time.process_time(), time.perf_counter()
    T = V(group) ** p
    found = (T >> T).equivariant_basis()
    print(
        f"{name} V^{p} → V^{p}: {found.shape[-1]} maps  {time.process_time() - start:.2f} CPU s, "
        f"{time.perf_counter() - clock:.2f} s",
        flush=True,
    )
