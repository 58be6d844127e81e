"""Log-derivatives, metric and gradient of every model, against finite differences over all configurations."""

from typing import Any, NamedTuple

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
from intertwine.models.machines.rbm import RBM

NODE = 1e-20


class Case(NamedTuple):
    """A model, what enumeration and finite differences say of it, and what the library says (one jit)."""

    model: Any
    configurations: np.ndarray
    p: np.ndarray
    jacobian: np.ndarray
    local: np.ndarray
    coordinates: np.ndarray
    found: dict[str, np.ndarray]


@jax.jit
def _library(model, configurations, p, local, v, u):
    weighted, uniform = log_derivatives(model, configurations, p), log_derivatives(model, configurations)
    residual = weighted.residual(local)
    return {
        "dense": weighted.dense(),
        "uniform": uniform.dense(),
        "chunked": log_derivatives(model, configurations, p, chunk=100).dense(),
        "matvec": weighted.matvec(v),
        "rmatvec": weighted.rmatvec(u),
        "gram": weighted.gram(),
        "metric": weighted.metric(),
        "diagonal": weighted.diagonal(),
        "residual": residual,
        "force": weighted.rmatvec(residual),
        "gradient": gradient(model, configurations, local, p),
    }


ALIKE = ("symmetric-momentum-complex", "symmetric-momentum-float", "symmetrised-momentum", "symmetric-odd",
         "symmetric-complex", "rbm-complex-binary-binary", "rbm-complex-binary-spin",
         "function-flax-nnx", "circuit-recurrent", "circuit-tree-float", "circuit-convolutional",
         "rbm-float-binary-spin", "gcnn-complex-odd", "jastrow-tied")  # fmt: skip


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in MODELS],
    scope="module",
)
def case(request):
    model = MODELS[request.param]()
    configurations, p, psi = everything(model)
    there = p > NODE
    local = (random_operator(model.size, seed=3).to_dense() @ psi)[there] / psi[there]
    configurations, p = configurations[there], p[there] / p[there].sum()
    coordinates = jacobian = finite_differences(model, configurations)
    if model.kind == "holomorphic":
        re, im = _halves(model)
        np.testing.assert_allclose(jacobian[:, im], 1j * jacobian[:, re], atol=1e-7)  # Cauchy-Riemann
        jacobian = jacobian[:, re]
    rows = len(p) * (2 if model.kind == "complex" else 1)
    rng = np.random.default_rng(0)
    v, u = rng.normal(size=(jacobian.shape[1], 2)), rng.normal(size=(rows, 2))
    v, u = (x[:, 0] + 1j * x[:, 1] if model.kind == "holomorphic" else x[:, 0] for x in (v, u))
    found = _library(model, jnp.asarray(configurations), jnp.asarray(p), local, v, u)
    gradients = real_coordinates(eqx.combine(found.pop("gradient"), model))[0]
    found = {name: np.asarray(x) for name, x in found.items()} | {"gradient": gradients, "v": v, "u": u}
    return Case(model, configurations, p, jacobian, local, coordinates, found)


def _halves(model):
    """The real coordinates that are real parts, and those that are imaginary parts."""
    sizes = [leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))]
    starts = np.cumsum([0] + [2 * n for n in sizes[:-1]])
    re = [np.arange(a, a + n) for a, n in zip(starts, sizes, strict=True)]
    im = [np.arange(a + n, a + 2 * n) for a, n in zip(starts, sizes, strict=True)]
    return np.concatenate(re), np.concatenate(im)


def _rows(case, w):
    """√w (O − ⟨O⟩) from finite differences, in the rows that the kind asks for."""
    rows = np.sqrt(w)[:, None] * (case.jacobian - w @ case.jacobian)
    if case.model.kind == "complex":
        return np.concatenate([rows.real, rows.imag])
    return rows.real if case.model.kind == "real" else rows


def test_operator_is_the_centred_weighted_jacobian(case):
    expected = _rows(case, case.p)
    assert case.found["dense"].shape == expected.shape
    assert column_count(case.model) == expected.shape[1]
    np.testing.assert_allclose(
        case.found["dense"], expected, rtol=1e-6, atol=1e-6
    )  # differences, to rounding
    uniform = np.full(len(case.p), 1 / len(case.p))
    np.testing.assert_allclose(case.found["uniform"], _rows(case, uniform), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(case.found["chunked"], case.found["dense"], atol=1e-13)


def test_every_product_is_that_of_the_dense_operator(case):
    dense, found = case.found["dense"], case.found
    close = {"rtol": 1e-11, "atol": 1e-11}
    np.testing.assert_allclose(found["matvec"], dense @ found["v"], **close)
    np.testing.assert_allclose(found["rmatvec"], dense.conj().T @ found["u"], **close)
    np.testing.assert_allclose(found["gram"], dense @ dense.conj().T, **close)
    np.testing.assert_allclose(found["metric"], dense.conj().T @ dense, **close)
    np.testing.assert_allclose(found["diagonal"], np.sum(np.abs(dense) ** 2, axis=0), **close)


def test_geometric_tensor_and_force_are_the_enumerated_covariances(case):
    p, jacobian, local = case.p, case.jacobian, case.local
    mean = p @ jacobian
    S = (jacobian.conj() * p[:, None]).T @ jacobian - np.outer(mean.conj(), mean)
    F = (jacobian.conj() * p[:, None]).T @ (local - p @ local)
    if case.model.kind != "holomorphic":
        S, F = S.real, F.real
    np.testing.assert_allclose(case.found["metric"], S, atol=1e-6)
    np.testing.assert_allclose(case.found["force"], F, atol=1e-6)


def test_gradient_is_the_derivative_of_the_exact_energy(case):
    matrix = random_operator(case.model.size, seed=3).to_dense()
    configurations = everything(case.model)[0]
    x, back = real_coordinates(case.model)
    log_psi = jax.jit(jax.vmap(lambda y: jax.vmap(back(y))(jnp.asarray(configurations))))

    def energies(points):
        log = np.asarray(log_psi(points)).astype(complex)
        psi = np.exp(log - log.real.max(axis=1, keepdims=True))
        return np.sum(psi.conj() * (psi @ matrix.T), axis=1).real / np.sum(abs(psi) ** 2, axis=1)

    e = 1e-4 * np.eye(len(x))
    expected = 8 * (energies(x + e) - energies(x - e)) - energies(x + 2 * e) + energies(x - 2 * e)
    np.testing.assert_allclose(case.found["gradient"], expected / 12e-4, atol=1e-6)


def test_unravel_is_the_way_back(case):
    columns = column_count(case.model)
    dtype = complex if case.model.kind == "holomorphic" else float
    tree = unravel(case.model, jnp.arange(columns).astype(dtype))
    leaves = jax.tree.leaves(eqx.filter(case.model, eqx.is_inexact_array))
    assert [(a.shape, a.dtype) for a in jax.tree.leaves(tree)] == [(a.shape, a.dtype) for a in leaves]


class Wrong(eqx.Module):
    """Says what it is not."""

    inner: RBM
    kind: str = eqx.field(static=True)


@pytest.mark.parametrize(("dtype", "kind"), [(float, "holomorphic"), (complex, "real")])
def test_kind_that_contradicts_the_parameters_is_refused(dtype, kind):
    model = Wrong(RBM(4, hidden=2, dtype=dtype, key=jax.random.key(0)), kind)
    with pytest.raises(InputError, match=r"model\.kind"):
        log_derivatives(model, jnp.ones((2, 4), jnp.int8))


@pytest.mark.parametrize("left", [float, complex])
@pytest.mark.parametrize("right", [float, complex])
def test_products_from_real_products(left, right):
    a = jax.random.normal(jax.random.key(0), (5, 3), jnp.asarray(left(0)).dtype)
    b = jax.random.normal(jax.random.key(1), (3, 4), jnp.asarray(right(0)).dtype)
    np.testing.assert_allclose(product(a, b), np.asarray(a) @ np.asarray(b), rtol=1e-13)
    np.testing.assert_allclose(gram_symmetric(a), np.asarray(a) @ np.asarray(a).T, rtol=1e-12, atol=1e-14)


def test_parameters_without_numbers_in_several_parts():
    """An empty bias beside others, more samples than a part holds: as in one part."""
    empty = RBM(4, hidden=2, key=jax.random.key(0))

    class Wide(eqx.Module):
        inner: RBM
        nothing: jax.Array
        kind = "real"

        def __call__(self, s):
            return self.inner(s) + self.nothing.sum()

    model = Wide(empty, jnp.zeros((3, 0)))
    found = [log_derivatives(model, everything(empty)[0], chunk=chunk).dense() for chunk in (16, 6)]
    assert found[0].shape == (16, column_count(empty))
    np.testing.assert_allclose(found[1], found[0], atol=1e-14)
