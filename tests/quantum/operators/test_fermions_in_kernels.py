"""Local values of fermions: compiled kernels with their strings apart, and JAX, against the dense matrix."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.vmc.local_energy import local_values

SYSTEMS = {
    "electrons": lambda: it.hubbard(it.Fermions(it.Square(2, 4), (3, 2)), field=0.3),
    "twisted": lambda: it.hubbard(it.Fermions(it.Chain(6), (3, 2)), twist=0.4, V=0.5),
    "fermions": lambda: it.tv(it.Fermions(it.Square(3, 4), 5), V=2.0),
    "correlated hops": lambda: _correlated(),
    "atoms": lambda: it.rydberg(it.Rydberg(it.Square(3, 3))),
}


def _correlated():
    op, space = it.operators, it.Fermions(it.Chain(10), 4)
    hops = (
        np.exp(0.1j * i)
        * op.create(space, i)
        @ op.annihilate(space, (i + 3) % 10)
        @ op.number(space, (i + 5) % 10)
        for i in range(10)
    )
    half = op.total(hops)
    return half + half.adjoint


@pytest.mark.parametrize("name", SYSTEMS)
def test_local_values(name):
    H = SYSTEMS[name]()
    space, dtype = H.hilbert, complex if not H.is_real else float
    model = it.RBM(space.size, hidden=5, scale=0.3, dtype=dtype, key=jax.random.key(1))
    configurations = space.configurations()
    psi = np.exp(np.asarray(jax.vmap(model)(configurations)))
    want = H.to_sparse() @ psi / psi
    chosen = np.random.default_rng(0).choice(len(configurations), min(40, len(configurations)), replace=False)
    scale = H.bound
    for backend in ("host", "generic", "incremental") if name == "electrons" else ("host",):
        found = local_values(H, model, jax.numpy.asarray(configurations[chosen]), backend=backend)
        np.testing.assert_allclose(found, want[chosen], rtol=0, atol=1e-11 * scale)
