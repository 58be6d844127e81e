"""ln cosh, ln(1 + e^z) and tanh against arbitrary-precision or extended-precision values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine.models import numerics

REAL = np.array([0.0, 1e-9, -1e-4, 0.3, -2.0, 17.0, -40.0, 350.0, -1e4])
PARTS = np.array([0.0, 1e-7, 0.4, -1.3, 3.0, -9.0, 25.0])
COMPLEX = (
    PARTS[:, None] + 1j * np.array([0.0, -1e-7, 0.5, np.pi / 2 - 1e-5, -np.pi / 2 + 1e-3, 2.5, -7.0])
).ravel()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_real(dtype):
    x = jnp.asarray(REAL, dtype)
    wide = np.asarray(x, np.longdouble)
    eps = np.finfo(dtype).eps
    exact = np.logaddexp(wide, -wide)
    np.testing.assert_allclose(numerics.log_2cosh(x), exact.astype(float), rtol=4 * eps)
    np.testing.assert_allclose(
        numerics.log_cosh(x), (exact - np.log(2)).astype(float), rtol=4 * eps, atol=4 * eps
    )
    np.testing.assert_allclose(
        numerics.log_1p_exp(x), np.logaddexp(wide, 0).astype(float), rtol=4 * eps, atol=eps
    )
    np.testing.assert_allclose(jax.vmap(jax.grad(numerics.log_cosh))(x), np.tanh(np.asarray(x)), rtol=4 * eps)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_exponential_and_derivative(dtype):
    z = jnp.asarray(COMPLEX, dtype)
    wide = np.asarray(z, np.clongdouble)
    eps = np.finfo(dtype).eps
    exact = np.cosh(wide)
    found = np.exp(np.asarray(numerics.log_cosh(z), np.clongdouble))
    error = np.abs(found / exact - 1) / (1 + np.abs(wide) * (1 + np.abs(np.tanh(wide))))
    assert error.max() < 8 * eps
    slope = jax.grad(numerics.log_cosh, holomorphic=True)
    first, second = jax.jit(lambda z: (jax.vmap(slope)(z), jax.vmap(jax.grad(slope, holomorphic=True))(z)))(z)
    tangent = np.asarray(first, np.clongdouble)
    error = np.abs(tangent / np.where(wide == 0, 1, np.tanh(wide)) - (wide != 0))
    assert (error / (1 + np.abs(wide) * np.abs(np.tanh(wide)))).max() < 16 * eps
    np.testing.assert_allclose(
        second, 1 - tangent.astype(complex) ** 2, rtol=1e-4 if eps > 1e-10 else 1e-9, atol=1e-5
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_extremes_are_finite(dtype):
    parts = np.array([0.0, 1.0, -1.0, 80.0, -1e3, 1e6])
    z = (
        parts
        if "float" in dtype
        else (parts[:, None] + 1j * np.array([0, np.pi / 2, -np.pi / 2, 1e3])).ravel()
    )
    z = jnp.asarray(z, dtype)
    holomorphic = "complex" in dtype
    for function in (numerics.log_cosh, numerics.log_2cosh, numerics.log_1p_exp, numerics.tanh):
        slope = jax.grad(function, holomorphic=holomorphic)
        for values in jax.jit(lambda z, f=function, g=slope: (f(z), jax.vmap(g)(z)))(z):
            assert np.isfinite(values).all(), function


@pytest.mark.parametrize("units", [0, 1, 7, 8, 9, 33, 100])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_sum_over_units_equals_sum_of_logarithms(units, dtype, key):
    z = 3 * jax.random.normal(key, (4, units), dtype)
    one_by_one = np.log(2 * np.cosh(np.asarray(z))).sum(-1)
    slope = jax.grad(lambda x: numerics.sum_log_2cosh(x).sum(), holomorphic=dtype == "complex128")
    values, gradient = jax.jit(lambda z: (numerics.sum_log_2cosh(z), slope(z)))(z)
    np.testing.assert_allclose(np.exp(values - one_by_one), 1, rtol=1e-12)
    np.testing.assert_allclose(gradient, np.tanh(np.asarray(z)), rtol=1e-12)


def test_weighted_sum_and_its_nodes():
    u = jnp.array([0.3, -0.2, 1.1, 0.4])
    c = jnp.array([1, 1j, -1, -1j])
    total = (np.asarray(c) * np.exp(np.asarray(u))).sum()
    assert abs(np.exp(numerics.log_weighted_sum(u, c)) / total - 1) < 1e-14
    shifted = numerics.log_weighted_sum(u + 800.0, c)
    assert abs(np.exp(shifted - 800.0) / total - 1) < 1e-12
    node = numerics.log_weighted_sum(jnp.full(4, 0.7), c)
    slope = jax.grad(lambda x: numerics.log_weighted_sum(x, c).real)(jnp.full(4, 0.7))
    assert np.isfinite(node) and node.real < -300
    np.testing.assert_array_equal(slope, 0)


def test_real_dot_equals_the_complex_product(key):
    left, right = jax.random.normal(key, (5, 4)), jax.random.normal(key, (4, 3), complex)
    np.testing.assert_allclose(numerics.real_dot(left, right), left @ right, rtol=1e-13)
