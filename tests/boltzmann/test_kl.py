"""The gradient of the likelihood, for every kind of unit and every method, against enumeration."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from kl_rows import MACHINES, machine, some_data

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.kl import KL, KLState
from intertwine.boltzmann.objectives.methods import CD, PCD, ExactKL, ModeJumps
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.objective import Evaluation
from intertwine.models.machines.product_mixture import fitted_mixture
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import parameters
from intertwine.sampling.statistics.estimate import estimate
from thinned import thinned

PLAIN = dict(centred=False)


SLOW = pytest.mark.slow


def _flat(tree):
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(tree)])


def log_z(model):
    """ln Z by all configurations of a discrete side and the closed form of the other."""
    if model.visible_layer.is_discrete:
        states = jnp.asarray(model.visible_layer.states(), model.weights.dtype)
        return jax.nn.logsumexp(jax.vmap(model)(states))
    h = jnp.asarray(model.hidden_layer.states(), model.weights.dtype)
    field = model.visible_bias + h @ model.weights.T
    weight = h @ model.hidden_bias - model.hidden_layer.base(h) + model.visible_layer.log_partition(field)
    return jax.nn.logsumexp(weight)


def negative_log_likelihood(model, rows, weights=None):
    return log_z(model) - jnp.average(jax.vmap(model)(rows), weights=weights)


def _gradient(objective, model, batch, seed=0, state=None):
    state = objective.init(model, key=jax.random.key(seed)) if state is None else state
    return objective.gradient(model, state, batch, key=jax.random.key(seed + 1))


LATER = {"binary-spin", "spin-binary", "binary-potts", "gaussian-binary", "rectified-binary"}
ROWS = [pytest.param(name, marks=[pytest.mark.slow] if name in LATER else []) for name in MACHINES]


@pytest.mark.parametrize("name", thinned(ROWS))
def test_exact_gradient_equals_enumeration(name):
    model = machine(name)
    rows = some_data(model)
    value, exact = jax.jit(lambda m: jax.value_and_grad(negative_log_likelihood)(m, rows))(model)
    found, _, scalars = jax.jit(lambda m: _gradient(KL(ExactKL(), **PLAIN), m, rows))(model)
    np.testing.assert_allclose(_flat(found), _flat(exact), atol=1e-9)
    assert abs(scalars["negative_log_likelihood"] - value) < 1e-9


def test_weighted_rows_count_by_their_weights():
    model = machine("binary-binary")
    rows, weights = some_data(model), jnp.arange(1.0, 8.0)
    exact = jax.jit(lambda m: jax.grad(negative_log_likelihood)(m, rows, weights))(model)
    found, _, _ = _gradient(KL(ExactKL(), **PLAIN), model, (jnp.asarray(rows), weights))
    np.testing.assert_allclose(_flat(found), _flat(exact), atol=1e-9)


def test_penalties_are_gradients_of_their_terms():
    model = machine("binary-spin")
    rows = some_data(model)
    bare, _, _ = _gradient(KL(ExactKL(), **PLAIN), model, rows)
    found, _, _ = _gradient(KL(ExactKL(), **PLAIN, weight_decay=0.3, l1=0.2), model, rows)
    w = model.weights
    np.testing.assert_allclose(found.weights - bare.weights, 0.3 * w + 0.2 * np.sign(w), atol=1e-12)
    np.testing.assert_array_equal(found.visible_bias, bare.visible_bias)


def test_sparsity_draws_the_mean_of_hidden_units_to_its_target():
    rows = some_data(machine("binary-binary"), rows=200)
    model, objective = machine("binary-binary"), KL(PCD(50), sparsity=(0.05, 5.0))
    state = objective.init(model, key=jax.random.key(0))
    step = jax.jit(lambda m, s, k: objective.gradient(m, s, rows, key=k))
    for k in range(400):
        change, state, _ = step(model, state, jax.random.key(k))
        model = eqx.apply_updates(model, jax.tree.map(lambda x: -0.1 * x, change))
    assert abs(model.hidden_given_visible(rows).mean() - 0.05) < 0.03


# ---------------------------------------------------------------------- centred and standardised directions


def _from_centred(hatted, offsets, scales):
    """Uncentred (a, b, W) from those of E = −v̂ᵀŴĥ − â·v̂ − b̂·ĥ with v̂ = (v − μ)/σ, ĥ = (h − λ)/τ."""
    a, b, w = hatted
    (mu, lam), (sigma, tau) = offsets, scales
    w = w / sigma[:, None] / tau
    return a / sigma - w @ lam, b / tau - mu @ w, w


@pytest.mark.parametrize("standardised", [False, True])
@pytest.mark.parametrize("name", thinned(["binary-binary", "gaussian-spin", "mixed-binary"], 3))
def test_directions_are_gradients_in_the_centred_parametrisation(name, standardised):
    model = machine(name)
    rows = jnp.asarray(some_data(model))
    objective = KL(ExactKL(), centred=not standardised, standardised=standardised)
    state = objective.init(model, key=jax.random.key(0))
    for seed in (5, 6):  # offsets that are not those of the batch
        _, state, _ = _gradient(objective, model, jnp.asarray(some_data(model, seed=seed)), state=state)
    offsets = state.offsets
    found, _, _ = _gradient(objective, model, rows, state=state)
    scales = jnp.ones(model.size), jnp.ones(model.hidden)
    if standardised:
        scales = jnp.sqrt(offsets.v2 - offsets.v**2 + 0.01), jnp.sqrt(offsets.h2 - offsets.h**2 + 0.01)
    moved = jnp.zeros(model.size)  # ln σ², with shifts and means held
    if model.visible_layer.log_variance is not None:
        scales, moved = (
            (jnp.sqrt(model.visible_layer.variance()), scales[1]),
            -found.visible_layer.log_variance,
        )
    hatted = (jnp.zeros(model.size), jnp.zeros(model.hidden), jnp.zeros(model.weights.shape))
    exact = jax.grad(negative_log_likelihood)(model, rows)
    exact = (exact.visible_bias, exact.hidden_bias, exact.weights)
    linear = lambda x: _from_centred(x, (offsets.v, offsets.h), scales)  # noqa: E731
    _, pull = jax.vjp(linear, hatted)
    a, b, w = linear(pull(exact)[0])  # J Jᵀ g
    held = model.weights * moved[:, None]
    expected = (a + model.visible_bias * moved, b - offsets.v @ held, w + held)
    found = (found.visible_bias, found.hidden_bias, found.weights)
    np.testing.assert_allclose(_flat(found), _flat(expected), atol=1e-9)


# --------------------------------------------------------------------------- stochastic averages are unbiased

RUNS, CHAINS = 64, 64


def _jumps(name):
    model = machine(name)
    return ModeJumps(CHAINS, mixture=fitted_mixture(model.visible_layer, some_data(model, rows=40), 3))


def _z_scores(found, exact):
    found = np.concatenate([np.asarray(leaf).reshape(RUNS, -1) for leaf in jax.tree.leaves(found)], axis=1)
    error = found.std(0, ddof=1) / np.sqrt(RUNS)
    return (found.mean(0) - exact) / error


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("binary-binary", CD(steps=60)),
        ("spin-spin", PCD(CHAINS)),
        ("binary-binary", _jumps("binary-binary")),
        pytest.param("mixed-binary", PCD(CHAINS), marks=pytest.mark.slow),
        ("gaussian-binary", PCD(CHAINS)),
        pytest.param("binary-rectified", PCD(CHAINS), marks=pytest.mark.slow),
    ],
)
def test_stochastic_gradients_are_unbiased(name, method):
    model = machine(name)
    rows = jnp.asarray(np.tile(some_data(model, rows=8), (CHAINS // 8, 1)))
    exact = _flat(jax.grad(negative_log_likelihood)(model, rows))
    objective = KL(method, **PLAIN)
    updates = 1 if isinstance(method, CD) else 60

    @jax.jit
    @jax.vmap
    def run(key):
        state = objective.init(model, key=key)
        keys = jax.random.split(key, updates)
        step = lambda s, k: objective.gradient(model, s, rows, key=k)[1::-1]  # noqa: E731
        _, found = jax.lax.scan(step, state, keys)
        return jax.tree.map(lambda x: x[-1], found)

    z = _z_scores(run(jax.random.split(jax.random.key(7), RUNS)), exact)
    assert np.abs(z).max() < 4 and z.std() < 1.5


def test_cd_with_one_step_is_biased_where_chains_mix_slowly():
    """The check above can see a wrong gradient: CD-1 on strong couplings is not the likelihood's."""
    model = machine("spin-spin", scale=1.5)
    rows = jnp.asarray(some_data(model, rows=CHAINS))
    exact = _flat(jax.grad(negative_log_likelihood)(model, rows))
    objective = KL(CD(1), **PLAIN)
    run = jax.jit(jax.vmap(lambda key: objective.gradient(model, KLState((), None), rows, key=key)[0]))
    assert np.abs(_z_scores(run(jax.random.split(jax.random.key(7), RUNS)), exact)).max() > 10


def test_persistent_chains_advance_and_are_not_restarted():
    """A known bug of others: persistent chains that forget their state, or are drawn from the batch."""
    model, objective = machine("binary-binary"), KL(PCD(chains=6))
    state = objective.init(model, key=jax.random.key(0))
    _, later, _ = _gradient(objective, model, some_data(model), state=state)
    _, other, _ = _gradient(objective, model, 1 - some_data(model, seed=9), state=state)
    assert later.chains.shape == (6, 4) and (later.chains != state.chains).any()
    np.testing.assert_array_equal(later.chains, other.chains)


def test_spins_and_bits_learn_the_same_distribution():
    """A known bug of others: a factor of two between ±1 and 0/1 units. s = 2v − 1 maps one to the other."""
    spin = machine("spin-spin")
    w = spin.weights
    a, b = 2 * (spin.visible_bias - w.sum(1)), 2 * (spin.hidden_bias - w.sum(0))
    bits = RBM.from_parameters(a, b, 4 * w, units="binary", hidden_units="binary")
    rows = some_data(spin)
    of_spin, _, spins = _gradient(KL(ExactKL(), **PLAIN), spin, rows)
    of_bits, _, bit_scalars = _gradient(KL(ExactKL(), **PLAIN), bits, (rows + 1) / 2)
    assert abs(spins["negative_log_likelihood"] - bit_scalars["negative_log_likelihood"]) < 1e-9
    chained = 4 * of_bits.weights - 2 * of_bits.visible_bias[:, None] - 2 * of_bits.hidden_bias
    np.testing.assert_allclose(of_spin.weights, chained, atol=1e-9)


# ------------------------------------------------------------------------------------------ natural gradient


def _fisher(model):
    """Cov of ∂ ln Ψ/∂λ under p, by all visible configurations."""
    states = jnp.asarray(model.visible_layer.states(), model.weights.dtype)
    p = jax.nn.softmax(jax.vmap(model)(states))
    derivatives = jax.vmap(jax.grad(lambda m, s: m(s)), in_axes=(None, 0))(model, states)
    o = jnp.concatenate([leaf.reshape(len(states), -1) for leaf in jax.tree.leaves(derivatives)], axis=1)
    centred = o - p @ o
    return (centred * p[:, None]).T @ centred, states, p


@pytest.mark.parametrize("solver", ["dense", "minsr", "iterative"])
def test_natural_gradient_uses_the_fisher_information(solver):
    """(I + shift) δ = g, with I the exact Fisher matrix: no factor of 2 or 4 against the wave function's."""
    model = machine("binary-binary")
    rows = some_data(model)
    fisher, states, p = _fisher(model)
    gradient, _, _ = _gradient(KL(ExactKL(), **PLAIN), model, rows)
    evaluation = Evaluation(states, jnp.zeros(len(p)), p, estimate(np.zeros((4, 1))), {}, gradient)
    optimiser = NaturalGradient(0.1, 1e-3, solver=solver, tolerance=1e-12)
    delta, _, _ = optimiser.direction(model, evaluation, shift=1e-3)
    exact = np.linalg.solve(fisher + 1e-3 * np.eye(len(fisher)), _flat(gradient))
    np.testing.assert_allclose(delta, exact, rtol=1e-7, atol=1e-9)


def test_the_fisher_information_is_the_curvature_of_log_z():
    model = machine("binary-binary")
    fisher, states, p = _fisher(model)
    flat, tree = ravel_pytree(parameters(model))
    hessian = jax.hessian(lambda x: log_z(tree(x)))(flat)
    second = jax.hessian(lambda x: (p * jax.vmap(tree(x))(states)).sum())(flat)
    np.testing.assert_allclose(hessian - second, fisher, atol=1e-9)


def test_natural_gradient_with_momentum_solves_its_equation():
    model = machine("binary-binary")
    fisher, states, p = _fisher(model)
    gradient, _, _ = _gradient(KL(ExactKL(), **PLAIN), model, some_data(model))
    evaluation = Evaluation(states, jnp.zeros(len(p)), p, estimate(np.zeros((4, 1))), {}, gradient)
    past = jnp.arange(float(len(fisher)))
    delta, _, _ = NaturalGradient(momentum=0.5).direction(model, evaluation, shift=1e-2, previous=past)
    exact = np.linalg.solve(fisher + 1e-2 * np.eye(len(fisher)), _flat(gradient) + 1e-2 * 0.5 * past)
    np.testing.assert_allclose(delta, exact, rtol=1e-7)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: KL("pcd"), "method: expected a method"),
        (lambda: KL(weight_decay=-1.0), "weight_decay: expected a finite number"),
        (lambda: KL(sparsity=(0.1,)), "sparsity: expected None"),
        (lambda: CD(0), "steps: expected a positive integer"),
        (lambda: PCD(0), "chains: expected a positive integer"),
        (
            lambda: KL(ExactKL()).init(
                machine("binary-binary").__class__(40, hidden=40, key=jax.random.key(0)), key=None
            ),
            "model: ",
        ),
    ],
)
def test_bad_settings_give_one_clear_line(make, said):
    with pytest.raises(InputError, match=said):
        make()


def test_warmed_chains_have_the_distribution_of_the_machine(key):
    """Fresh chains of a trained machine, after sweeps enough, against enumeration."""
    model = machine("binary-binary", scale=1.0)
    chains = PCD(chains=20_000, warm_up=50).init(model, key=key)
    v, h = (np.asarray(layer.states(), float) for layer in (model.visible_layer, model.hidden_layer))
    joint = -np.asarray(model.energy(v[:, None, :], h[None, :, :]))
    p = np.exp(joint - joint.max()).sum(0)
    p /= p.sum()
    mean = p @ h
    assert (np.abs(chains.mean(0) - mean) < 4 * np.sqrt(mean * (1 - mean) / 20_000)).all()
    cold = PCD(chains=20_000).init(model, key=key)
    assert (np.abs(cold.mean(0) - mean) > 4 * np.sqrt(mean * (1 - mean) / 20_000)).any()


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 0.1),
        ({"centred": False}, 0.1),
        pytest.param({"standardised": True}, 2e-3, marks=pytest.mark.slow),
    ],
)
def test_weight_decay_rests_at_the_maximum_of_the_penalised_likelihood(settings, rate):
    """Exact gradients on four rows: where they rest, the gradient of −⟨ln p⟩ + ½ d ΣW² vanishes in every
    parametrisation."""
    model, decay = machine("binary-binary"), 0.05
    rows = jnp.asarray(some_data(model, rows=4))
    objective = KL(ExactKL(), weight_decay=decay, **settings)

    def step(_, carry):
        model, state = carry
        change, state, _ = objective.gradient(model, state, rows, key=jax.random.key(0))
        return jax.tree.map(lambda x, g: x - rate * g, model, change), state

    start = (model, objective.init(model, key=jax.random.key(0)))
    model, _ = jax.jit(lambda carry: jax.lax.fori_loop(0, round(500 / rate), step, carry))(start)
    slope = jax.grad(lambda m: negative_log_likelihood(m, rows) + 0.5 * decay * (m.weights**2).sum())(model)
    assert np.abs(_flat(slope)).max() < 1e-4
