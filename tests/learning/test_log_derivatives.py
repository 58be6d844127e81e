"""Log-derivatives, the metric and the gradient of every kind of model against finite differences over all configurations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from learning_rows import MODELS, everything, finite_differences, random_operator, real_coordinates

from intertwine._checks import InputError
from intertwine.learning.gradient import gradient
from intertwine.learning.log_derivatives import column_count, log_derivatives, unravel
from intertwine.learning.products import gram_symmetric, product
from intertwine.models.rbm import RBM
from intertwine.quantum.local_energy import local_values


compiled = jax.jit(log_derivatives)


@pytest.fixture(params=list(MODELS), scope="module")
def model(request):
    return MODELS[request.param]()


@pytest.fixture(scope="module")
def oracle(model):
    """configurations, probabilities, ψ, and the derivatives in the operator's own columns (holomorphic: complex)."""
    configurations, p, psi = everything(model)
    O = finite_differences(model, configurations)
    if model.kind == "holomorphic":
        sizes = [leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))]
        starts = np.cumsum([0] + [2 * n for n in sizes[:-1]])
        re = np.concatenate([np.arange(a, a + n) for a, n in zip(starts, sizes, strict=True)])
        im = np.concatenate([np.arange(a + n, a + 2 * n) for a, n in zip(starts, sizes, strict=True)])
        np.testing.assert_allclose(O[:, im], 1j * O[:, re], atol=1e-7)  # Cauchy-Riemann
        O = O[:, re]
    elif model.kind == "real":
        O = O.real
    return configurations, p, psi, O


def _centred(model, O, w):
    rows = np.sqrt(w)[:, None] * (O - w @ O)
    return np.concatenate([rows.real, rows.imag]) if model.kind == "complex" else rows


@pytest.mark.parametrize("weighted", [True, False])
def test_operator_is_the_centred_weighted_jacobian(model, oracle, weighted):
    configurations, p, _, O = oracle
    w = p if weighted else np.full(len(p), 1 / len(p))
    operator = compiled(model, jnp.asarray(configurations), jnp.asarray(p) if weighted else None)
    expected = _centred(model, O, w)
    assert (operator.rows, operator.columns) == expected.shape
    assert column_count(model) == expected.shape[1]
    np.testing.assert_allclose(operator.dense(), expected, atol=1e-7)


def test_every_product_is_that_of_the_dense_operator(model, oracle):
    configurations, p, _, _ = oracle
    operator = compiled(model, jnp.asarray(configurations), jnp.asarray(p))
    dense = np.asarray(operator.dense())
    rng = np.random.default_rng(0)
    v, u = rng.normal(size=dense.shape[1]), rng.normal(size=dense.shape[0])
    if model.kind == "holomorphic":
        v, u = v + 1j * rng.normal(size=v.shape), u + 1j * rng.normal(size=u.shape)
    close = {"rtol": 1e-11, "atol": 1e-12}

    @jax.jit
    def products(o, v, u):
        return o.matvec(v), o.rmatvec(u), o.gram(), o.metric(), o.diagonal()

    expected = (
        dense @ v,
        dense.conj().T @ u,
        dense @ dense.conj().T,
        dense.conj().T @ dense,
        np.sum(np.abs(dense) ** 2, axis=0),
    )
    for found, wanted in zip(products(operator, jnp.asarray(v), jnp.asarray(u)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, **close)


def test_geometric_tensor_and_force_are_the_enumerated_covariances(model, oracle):
    configurations, p, psi, O = oracle
    hamiltonian = random_operator(model.size, seed=3)
    local = local_values(hamiltonian, model, jnp.asarray(configurations), backend="generic")
    np.testing.assert_allclose(local, (hamiltonian.to_dense() @ psi) / psi, rtol=1e-8, atol=1e-8)
    operator = compiled(model, jnp.asarray(configurations), jnp.asarray(p))
    mean, energies = p @ O, np.asarray(local)
    S = (O.conj() * p[:, None]).T @ O - np.outer(mean.conj(), mean)
    F = (O.conj() * p[:, None]).T @ (energies - p @ energies)
    if model.kind != "holomorphic":
        S, F = S.real, F.real
    np.testing.assert_allclose(operator.metric(), S, atol=1e-6)
    np.testing.assert_allclose(operator.rmatvec(operator.residual(local)), F, atol=1e-6)


def test_gradient_is_the_derivative_of_the_exact_energy(model, oracle):
    configurations, p, _, _ = oracle
    hamiltonian = random_operator(model.size, seed=4)
    matrix = hamiltonian.to_dense()
    x, back = real_coordinates(model)

    log_psi = jax.jit(lambda y: jax.vmap(back(y))(jnp.asarray(configurations)))

    def energy(y):
        log = np.asarray(log_psi(y)).astype(complex)
        psi = np.exp(log - log.real.max())
        return (psi.conj() @ matrix @ psi).real / (psi.conj() @ psi).real

    h = 1e-5
    expected = np.array([(energy(x + h * e) - energy(x - h * e)) / (2 * h) for e in np.eye(len(x))])
    local = local_values(hamiltonian, model, jnp.asarray(configurations), backend="generic")
    found = gradient(model, jnp.asarray(configurations), local, jnp.asarray(p))
    flat = real_coordinates(eqx.combine(found, model))[0]
    np.testing.assert_allclose(flat, expected, atol=1e-6)


def test_formed_in_chunks_is_the_same(model, oracle):
    configurations, p, _, _ = oracle
    dense = jax.jit(lambda m, c: log_derivatives(m, jnp.asarray(configurations), p, chunk=c).dense(), static_argnums=1)
    np.testing.assert_allclose(dense(model, 10), dense(model, 64), atol=1e-14)


def test_unravel_is_the_way_back(model):
    columns = column_count(model)
    dtype = complex if model.kind == "holomorphic" else float
    tree = unravel(model, jnp.arange(columns).astype(dtype))
    leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    found = jax.tree.leaves(tree)
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in leaves]


def test_kind_that_contradicts_the_parameters_is_refused():
    class Wrong(eqx.Module):
        inner: RBM
        kind: str = eqx.field(static=True)

    spins = jnp.ones((2, 4), jnp.int8)
    real = RBM(4, hidden=2, key=jax.random.key(0))
    with pytest.raises(InputError, match=r"model\.kind"):
        log_derivatives(Wrong(real, "holomorphic"), spins)
    with pytest.raises(InputError, match=r"model\.kind"):
        log_derivatives(Wrong(RBM(4, hidden=2, dtype=complex, key=jax.random.key(0)), "real"), spins)


@pytest.mark.parametrize("left", [float, complex])
@pytest.mark.parametrize("right", [float, complex])
def test_products_from_real_products(left, right):
    a = jax.random.normal(jax.random.key(0), (5, 3), jnp.asarray(left(0)).dtype)
    b = jax.random.normal(jax.random.key(1), (3, 4), jnp.asarray(right(0)).dtype)
    np.testing.assert_allclose(product(a, b), np.asarray(a) @ np.asarray(b), rtol=1e-13)
    np.testing.assert_allclose(gram_symmetric(a), np.asarray(a) @ np.asarray(a).T, rtol=1e-12, atol=1e-14)
