"""The lower half of the Gram matrix by tiles, and its factorisation by blocks, against the dense ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.learning.log_derivatives import log_derivatives
from intertwine.learning.solvers.factorise import solve_lower, solve_shifted
from intertwine.learning.solvers.host_gram import lower_gram
from thinned import thinned


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("model", thinned(["rbm", "jastrow"]))
def test_tiles_are_the_lower_half(dtype, model):
    key = jax.random.key(3)
    psi = (
        it.RBM(12, hidden=20, dtype=dtype, key=key)
        if model == "rbm"
        else it.Jastrow(12, dtype=dtype, key=key)
    )
    spins = jax.random.rademacher(key, (300, 12), jnp.int8)
    weights = jax.nn.softmax(jax.random.normal(key, (300,)))
    operator = log_derivatives(psi, spins, weights)
    assert np.max(np.abs(np.tril(lower_gram(operator) - operator.gram()))) < 1e-14


@pytest.mark.parametrize("dtype", [float, complex])
def test_blocks_factorise(dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1600, 400)).astype(dtype)
    x = x + 1j * rng.normal(size=x.shape) if dtype is complex else x
    a, b = x @ x.conj().T / 400, rng.normal(size=1600).astype(dtype)
    found = solve_shifted(jnp.asarray(a), jnp.asarray(b), 0.1)
    assert found.solved
    assert np.linalg.norm(a @ found.x + 0.1 * found.x - b) < 1e-12 * np.linalg.norm(b)
    lower = np.tril(a) + np.triu(np.full(a.shape, np.nan), 1)
    assert np.array_equal(solve_lower(lower, b, 0.1).x, found.x)
    assert not solve_lower(a, b, -0.1).solved
    a[1400, 1300] = np.nan
    assert not solve_lower(a, b, 0.1).solved
