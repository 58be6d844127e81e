"""The natural gradient: every solver gives the δ of an independent dense solve, for every kind of model."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from learning_rows import MODELS, everything, finite_differences, random_operator

from intertwine._checks import InputError
from intertwine.learning.log_derivatives import log_derivatives
from intertwine.learning.metric import LARGEST_FACTORISATION, NaturalGradient
from intertwine.learning.objective import Evaluation
from intertwine.learning.solvers import factorise
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.statistics.estimate import estimate
from thinned import thinned

SHIFT = 1e-3
ROWS = ["rbm-float-spin-spin", "rbm-complex-spin-spin", "function-with-phase", "function-of-complex"]


def _evaluation(model, seed=0, count=None):
    """Enumerated (count None) or some sampled configurations of a random operator's local values."""
    configurations, p, psi = everything(model)
    local = (random_operator(model.size, seed=seed).to_dense() @ psi) / psi
    if count is None:
        weights = jnp.asarray(p)
    else:
        chosen = np.random.default_rng(seed).choice(len(p), size=count, p=p)
        configurations, local, weights = configurations[chosen], local[chosen], None
    values = np.asarray(local)[None]
    return Evaluation(
        jnp.asarray(configurations), jnp.asarray(local), weights, estimate(values, real=True), {}
    )


def _oracle(model, evaluation, shift):
    """(S + shift)⁻¹ F with numpy alone (real coordinates for all kinds but holomorphic)."""
    jacobian = finite_differences(model, np.asarray(evaluation.samples))
    if model.kind == "holomorphic":  # the real coordinates of each leaf are its Re, then its Im
        sizes = [leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))]
        starts = np.cumsum([0] + [2 * n for n in sizes[:-1]])
        jacobian = jacobian[
            :, np.concatenate([np.arange(a, a + n) for a, n in zip(starts, sizes, strict=True)])
        ]
    count = len(jacobian)
    w = np.full(count, 1 / count) if evaluation.weights is None else np.asarray(evaluation.weights)
    centred, energies = jacobian - w @ jacobian, np.asarray(evaluation.local)
    S = (centred.conj() * w[:, None]).T @ centred
    F = (centred.conj() * w[:, None]).T @ (energies - w @ energies)
    if model.kind != "holomorphic":
        S, F = S.real, F.real
    return np.linalg.solve(S + shift * np.eye(len(S)), F)


@pytest.mark.parametrize("count", [None, 30])
@pytest.mark.parametrize("name", thinned(ROWS))
def test_all_solvers_give_the_oracles_direction(name, count):
    model = MODELS[name]()
    evaluation = _evaluation(model, count=count)
    found = {}
    for solver in ("dense", "minsr", "iterative"):
        optimiser = NaturalGradient(solver=solver, tolerance=1e-13, max_iterations=5000)
        found[solver], _, scalars = optimiser.direction(model, evaluation, shift=SHIFT)
        assert scalars["shift"] == SHIFT
    expected = _oracle(model, evaluation, SHIFT)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found["dense"], expected, atol=1e-6 * scale)
    np.testing.assert_allclose(found["minsr"], found["dense"], atol=1e-10 * scale)
    np.testing.assert_allclose(found["iterative"], found["dense"], atol=1e-9 * scale)


@pytest.mark.parametrize("name", ROWS[:2])
@pytest.mark.parametrize("solver", ["dense", "minsr"])
def test_xla_and_lapack_factorise_alike(name, solver, monkeypatch):
    model = MODELS[name]()
    evaluation = _evaluation(model, count=30)
    optimiser = NaturalGradient(solver=solver)
    host = optimiser.direction(model, evaluation, shift=SHIFT)[0]
    monkeypatch.setattr(factorise, "on_host", lambda array: False)
    xla = optimiser.direction(model, evaluation, shift=SHIFT)[0]
    np.testing.assert_allclose(xla, host, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", thinned(ROWS[:3], 3))
def test_momentum_is_spring(name):
    """(S + shift) δ = F + shift μ δ_previous."""
    model, mu = MODELS[name](), 0.9
    evaluation = _evaluation(model, count=30)
    operator = log_derivatives(model, evaluation.samples)
    previous = jax.random.normal(
        jax.random.key(3), (operator.columns,), operator.rmatvec(jnp.zeros(operator.rows)).dtype
    )
    force = operator.rmatvec(operator.residual(evaluation.local))
    expected = np.linalg.solve(
        np.asarray(operator.metric()) + SHIFT * np.eye(operator.columns), force + SHIFT * mu * previous
    )
    for solver in ("dense", "minsr"):
        optimiser = NaturalGradient(solver=solver, momentum=mu)
        delta = optimiser.direction(model, evaluation, shift=SHIFT, previous=previous)[0]
        np.testing.assert_allclose(delta, expected, rtol=1e-8, atol=1e-9)


def test_step_moves_along_minus_delta():
    model = MODELS["rbm-complex-spin-spin"]()
    evaluation = _evaluation(model, count=30)
    optimiser = NaturalGradient(learning_rate=0.1, shift=SHIFT)
    delta = optimiser.direction(model, evaluation, shift=SHIFT)[0]
    moved, _, scalars = optimiser.step(model, evaluation, optimiser.init(model), step=0)
    flat = jnp.concatenate(
        [jnp.ravel(a - b) for a, b in zip(*map(jax.tree.leaves, (moved, model)), strict=True)]
    )
    np.testing.assert_allclose(flat, -0.1 * delta, rtol=1e-12, atol=1e-14)
    assert scalars["learning_rate"] == 0.1 and scalars["shift_retries"] == 0
    assert np.isclose(scalars["update_norm"], 0.1 * np.linalg.norm(delta))


def test_step_is_shortened_to_max_norm():
    model = MODELS["rbm-float-spin-spin"]()
    evaluation = _evaluation(model)
    optimiser = NaturalGradient(learning_rate=0.1, shift=SHIFT, max_norm=1e-3)
    moved, _, scalars = optimiser.step(model, evaluation, optimiser.init(model), step=0)
    step = jnp.concatenate(
        [jnp.ravel(a - b) for a, b in zip(*map(jax.tree.leaves, (moved, model)), strict=True)]
    )
    metric = log_derivatives(model, evaluation.samples, evaluation.weights).metric()
    assert scalars["step_length"] > 1e-3
    assert np.isclose(float(jnp.sqrt(step @ metric @ step)), 1e-3)


def test_failed_factorisation_raises_the_shift():
    model = MODELS["rbm-float-spin-spin"]()
    evaluation = _evaluation(model, count=30)
    evaluation = evaluation._replace(samples=evaluation.samples[:1].repeat(30, axis=0))  # T = 0 exactly
    delta, _, scalars = NaturalGradient(solver="minsr").direction(model, evaluation, shift=0.0)
    assert scalars["shift_retries"] >= 1 and scalars["shift"] > 0
    assert np.all(np.isfinite(delta))


def test_solver_by_size():
    optimiser, big = NaturalGradient(), LARGEST_FACTORISATION + 1
    assert optimiser.chosen(parameters=100, rows=1024) == "dense"
    assert optimiser.chosen(parameters=5000, rows=1024) == "minsr"
    assert optimiser.chosen(parameters=big, rows=big) == "iterative"
    assert NaturalGradient(solver="dense").chosen(parameters=5000, rows=10) == "dense"


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"shift": float("nan")}, "shift"),
        ({"solver": "magic"}, "solver"),
        ({"momentum": 1.0}, "momentum"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"max_norm": -1.0}, "max_norm"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_options_are_refused(options, argument):
    with pytest.raises(InputError, match=argument):
        NaturalGradient(**options)


def test_float32_is_float32_throughout():
    model = RBM(6, hidden=4, dtype="float32", scale=0.3, key=jax.random.key(0))
    evaluation = _evaluation(model, count=12)
    optimiser = NaturalGradient(learning_rate=0.1, shift=1e-2)
    delta = optimiser.direction(model, evaluation, shift=1e-2)[0]
    moved, _, _ = optimiser.step(model, evaluation, optimiser.init(model), step=0)
    assert delta.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(moved)} == {jnp.dtype("float32")}
