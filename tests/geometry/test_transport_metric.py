"""The transport metric against pseudo-inverses, its projection, and what NaturalGradient makes of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.training.learn import learn
from intertwine.geometry import transport_metric
from intertwine.geometry.spectrum import exact_distribution, spin_view
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.objective import Evaluation
from intertwine.learning.solvers.transport_product import transport_product
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.models.parameters import parameters
from intertwine.sampling.statistics.estimate import estimate

KEY = jax.random.key(1)


def _laplacian(rows: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Edge by edge."""
    found = np.zeros((len(p), len(p)))
    for x in range(len(p)):
        for y in range(x):
            if (rows[x] != rows[y]).sum() == 1:
                e = np.zeros(len(p))
                e[x], e[y] = 1, -1
                found += (p[x] + p[y]) / 2 * np.outer(e, e)
    return found


@pytest.mark.parametrize("units", ["spin", "binary"])
def test_against_the_pseudo_inverse(units):
    rbm = RBM(4, hidden=2, units=units, scale=0.5, key=KEY)
    rows, p = exact_distribution(spin_view(rbm))
    found = transport_metric(rbm)
    step, leaves = 1e-2, jax.tree.leaves(parameters(rbm))
    inverse = np.linalg.pinv(_laplacian(rows, p))
    columns, own = [], np.concatenate([np.asarray(x).ravel() for x in leaves])
    for k in range(len(own)):  # J by finite differences
        shifted = []
        for sign in (1, -1):
            values, start, parts = own + sign * step * (np.arange(len(own)) == k), 0, []
            for leaf in leaves:
                parts.append(jnp.asarray(values[start : start + leaf.size].reshape(leaf.shape), leaf.dtype))
                start += leaf.size
            filled = jax.tree.unflatten(jax.tree.structure(parameters(rbm)), parts)
            moved = jax.tree.map(lambda a, b: a if b is None else b, rbm, filled, is_leaf=lambda x: x is None)
            shifted.append(exact_distribution(spin_view(moved))[1])
        columns.append((shifted[0] - shifted[1]) / (2 * step))
    J = np.stack(columns, 1)
    assert np.abs(J.T @ inverse @ J - found.metric).max() < 2e-3 * np.abs(found.metric).max()
    kept = found.kept
    assert kept[0] < 1 + 1e-4 and kept[-1] > 0.3
    logarithmic = transport_metric(rbm, mobility="logarithmic").metric
    assert np.linalg.eigvalsh(logarithmic - found.metric)[0] > -1e-5  # a smaller mobility carries less


def test_independent_units():
    free = MeanField(4, key=KEY, scale=0.7)
    found = transport_metric(free)
    variance = 1 - np.tanh(np.asarray(free.field)) ** 2
    assert np.allclose(found.metric, np.diag(variance**2 / 2), atol=1e-6)
    assert np.allclose(found.projected, found.metric, atol=1e-6)


@pytest.mark.parametrize("solver", ["dense", "minsr", "iterative"])
def test_a_step_is_that_of_the_projected_metric(solver):
    rbm = RBM(5, hidden=2, units="binary", scale=0.5, key=KEY)
    found = transport_metric(rbm)
    rows, p = exact_distribution(spin_view(rbm))
    gradient = jax.tree.map(lambda x: jnp.sin(1.0 + jnp.arange(x.size).reshape(x.shape)), parameters(rbm))
    v = jnp.asarray((rows + 1) // 2)
    weights = jnp.asarray(p, jnp.float32)
    given = Evaluation(v, jnp.zeros(len(v)), weights, estimate(np.zeros((2, 2))), {}, gradient)
    optimiser = NaturalGradient(solver=solver, metric="transport", tolerance=1e-9)
    delta, _, _ = optimiser.direction(rbm, given, shift=0.1)
    g = np.concatenate([np.asarray(x).ravel() for x in jax.tree.leaves(gradient)])
    shifted = np.linalg.inv(found.fisher + 0.1 * np.eye(len(g)))
    local = np.stack([np.asarray(transport_product(rbm, v, weights, e, "binary")) for e in jnp.eye(len(g))])
    assert np.allclose(np.asarray(delta), shifted @ local @ shifted @ g, rtol=5e-3, atol=5e-3)
    by_hand = found.fisher @ np.linalg.pinv(local, rcond=1e-6, hermitian=True) @ found.fisher
    assert np.abs(by_hand - found.projected).max() < 1e-2 * np.abs(found.projected).max()


def test_gaussian_means_are_the_metric_of_bures():
    """p(v) of a machine without hidden weights: N(σ² a, σ²), of which W₂ moves the mean: A = 1, G = σ⁴."""
    rbm = RBM(2, hidden=1, units="gaussian", key=KEY)
    e = jnp.zeros(sum(x.size for x in jax.tree.leaves(parameters(rbm)))).at[0].set(1.0)
    v = jax.random.normal(KEY, (64, 2))
    product = transport_product(rbm, v, None, e, "gaussian")
    assert abs(float(product[0]) - 1) < 1e-5


def test_learning_with_it():
    rows = np.repeat([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], 20, 0)
    rbm = RBM(5, hidden=3, units="binary", key=KEY)
    optimiser = NaturalGradient(0.1, shift=1e-2, metric="transport")
    fit = learn(rbm, rows, method=PCD(chains=200, steps=2), epochs=60, optimiser=optimiser, key=KEY)
    _, p = exact_distribution(spin_view(fit.model))
    assert np.sort(p)[-3:].sum() > 0.8


def test_bad_input():
    with pytest.raises(InputError, match="one of"):
        NaturalGradient(metric="euclid")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="momentum"):
        NaturalGradient(metric="transport", momentum=0.9)
    with pytest.raises(InputError, match="12"):
        transport_metric(RBM(13, hidden=1, key=KEY))
