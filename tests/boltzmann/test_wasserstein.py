"""Learning by transport: gradients against finite differences of an exact divergence, and what is learned."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from kl_rows import machine, some_data

import intertwine as it
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import Samples
from intertwine.geometry.transport.costs import layer_cost

KEY = jax.random.key(0)
EPSILON = 0.4
ROWS = {
    "binary-binary": "hamming", "spin-spin": "euclidean", "mixed-binary": "hamming",
    "potts-binary": "hamming", "binary-rectified": "hamming",
}  # fmt: skip


def differences(value, model, name: str, h: float = 1e-4) -> np.ndarray:
    """∂ value/∂ one array of the model, by differences of fourth order."""
    x = getattr(model, name)

    @jax.jit
    def at(step):
        return value(eqx.tree_at(lambda m: getattr(m, name), model, x + step))

    found = np.zeros(x.shape)
    for where in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[where] = h
        found[where] = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * h)
    return found


@pytest.mark.parametrize(
    ("name", "metric"),
    [pytest.param(*row, marks=[pytest.mark.slow] if k > 1 else []) for k, row in enumerate(ROWS.items())],
)
def test_the_exact_gradient_is_that_of_the_divergence(name, metric):
    model = machine(name, scale=0.7)
    layer = model.visible_layer
    states, v = jnp.asarray(layer.states(), float), jnp.asarray(some_data(model), float)
    weights = jnp.asarray(np.random.default_rng(0).random(len(v)))
    method = it.Wasserstein(EPSILON, metric, unit=2.0, kl=0.3, exact=True, tolerance=1e-13, turns=5000)
    objective = KL(method, centred=False)
    found, _, _ = jax.jit(lambda m: objective.gradient(m, objective.init(m, key=KEY), (v, weights), key=KEY))(
        model
    )
    costs = [layer_cost(layer, metric, 1, x, y) for x, y in ((states, v), (states, states), (v, v))]
    q = weights / weights.sum()

    def value(m):
        log_p = -m.free_energy(states)
        log_z = jax.nn.logsumexp(log_p)
        divergence = it.geometry.sinkhorn_divergence(
            *costs, jnp.exp(log_p - log_z), q, epsilon=EPSILON, tolerance=1e-13
        )
        return divergence / 2 + 0.3 * (q @ m.free_energy(v) + log_z)

    for part in ("hidden_bias", "visible_bias"):
        assert np.abs(differences(value, model, part) - getattr(found, part)).max() < 1e-8
    weights_only = jax.jit(jax.grad(value))(model).weights  # the envelope theorem, tested on its own
    assert np.abs(weights_only - found.weights).max() < 1e-8


def test_every_kind_of_visible_unit_has_a_gradient():
    for name in ("gaussian-binary", "rectified-binary"):
        model = machine(name)
        method = it.Wasserstein(1.0, unit=1.0, chains=8)
        objective = KL(method)
        state = objective.init(model, key=KEY)
        v = jnp.asarray(some_data(model), float)
        found, _, _ = jax.jit(lambda m, s=state, v=v, o=objective: o.gradient(m, s, v, key=KEY))(model)
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(found)), name


def test_samples_have_the_gradient_of_the_exact_one_on_average():
    """Weighed samples drawn from p, in place of all configurations: the same where p is given exactly."""
    model = machine("binary-binary", scale=0.7)
    states, v = jnp.asarray(model.visible_layer.states(), float), jnp.asarray(some_data(model), float)
    method = it.Wasserstein(EPSILON, "hamming", unit=1.0, tolerance=1e-10, turns=5000)
    p = jax.nn.softmax(-model.free_energy(states))
    draws = np.random.default_rng(0).choice(len(states), 400_000, p=np.asarray(p))
    counts = jnp.asarray(np.bincount(draws, minlength=len(states)) / len(draws))
    layer = model.visible_layer
    exact, near = (method.shares(layer, states, x, v, None) @ states for x in (p, counts))
    assert np.abs(exact - near).max() < 0.01
    few = states[draws[:2000]]
    assert np.abs(method.shares(layer, few, None, v, None) @ few - exact).max() < 0.2


def test_deep_machines_have_the_gradient_of_a_likelihood_of_shares():
    """Cov(x_l x_{l+1}, φ) over states of a chain: the joint covariance, against all states of a small DBM."""
    model = it.DBM((3, 2, 2), scale=0.8, key=KEY)
    layers = [np.array([[k >> i & 1 for i in range(n)] for k in range(2**n)]) for n in (3, 2, 2)]
    v, data = jnp.asarray(layers[0], float), jnp.asarray([[0, 0, 1], [1, 1, 1.0]])
    energies = (
        np.einsum("ai,ij,bj->ab", layers[0], model.weights[0], layers[1])[:, :, None]
        + np.einsum("bi,ij,cj->bc", layers[1], model.weights[1], layers[2])[None]
        + (layers[0] @ model.biases[0])[:, None, None]
        + (layers[1] @ model.biases[1])[None, :, None]
        + (layers[2] @ model.biases[2])
    )
    joint = np.exp(energies) / np.exp(energies).sum()
    method = it.Wasserstein(EPSILON, unit=1.0, tolerance=1e-10, turns=5000)
    p = jnp.asarray(joint.sum((1, 2)))
    share = np.asarray(method.shares(model.layers[0], v, p, data, None)) / np.asarray(p)
    expected = np.einsum("abc,a,bi,cj->ij", joint, share, layers[1], layers[2])

    def value(m):
        log_p = jax.vmap(m)(v)
        costs = [layer_cost(m.layers[0], "hamming", 1, x, y) for x, y in ((v, data), (v, v), (data, data))]
        q = jnp.full(2, 0.5)
        return it.geometry.sinkhorn_divergence(
            *costs, jax.nn.softmax(log_p), q, epsilon=EPSILON, tolerance=1e-12
        )

    assert np.abs(jax.jit(jax.grad(value))(model).weights[1] - expected).max() < 1e-8


def test_learning_comes_near_the_data():
    """Of two pairs of bits that are alike: by exact sums."""
    states = np.array([[k >> i & 1 for i in range(4)] for k in range(16)])
    law = states[[0, 3, 12, 15]], np.array([0.4, 0.1, 0.1, 0.4])
    rows = np.repeat(law[0], [40, 10, 10, 40], axis=0)
    machine = it.RBM(4, hidden=3, units="binary", scale=1.0, key=KEY)
    fit = it.learn(machine, rows, method=it.Wasserstein(epsilon=0.3, exact=True), epochs=500, key=KEY)
    start = it.geometry.wasserstein(machine, law).value
    assert it.geometry.wasserstein(fit.model, law).value < 0.4 * start
    assert fit.history[-1]["divergence"] < 0.4 * fit.history[0]["divergence"]


def bits() -> np.ndarray:
    return (np.random.default_rng(0).random((200, 4)) < [0.1, 0.9, 0.5, 0.5]).astype(float)


def rows_with_weights_and_holes():
    rng = np.random.default_rng(1)
    holes = np.where(rng.random((200, 4)) < 0.1, np.nan, bits())
    return holes, rng.random(200)


def machine_of(kind):
    sizes = (4, 3, 3)
    return (
        {"dbm": it.DBM, "dbn": it.DBN}[kind](sizes, key=KEY)
        if kind != "rbm"
        else it.RBM(4, hidden=3, units="binary", key=KEY)
    )


@pytest.mark.parametrize("kind", ["rbm", *(pytest.param(x, marks=pytest.mark.slow) for x in ("dbm", "dbn"))])
def test_means_are_learned_by_every_machine(kind):
    """Rows with weights and missing entries where the machine takes these."""
    data, more = (rows_with_weights_and_holes(), {}) if kind == "rbm" else (bits(), {"layer_epochs": 20})
    fit = it.learn(machine_of(kind), data, method=it.Wasserstein(chains=50), epochs=100, key=KEY, **more)
    drawn = np.asarray(it.sample(fit.model, 2000, sampler=it.Gibbs(steps=50), key=KEY))
    assert np.abs(drawn.mean(0) - bits().mean(0)).max() < 0.12


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epsilon": 0.0}, "a positive number"), ({"kl": -1.0}, "a finite weight"),
        ({"metric": "l1"}, "'hamming'"),
        ({"order": 3}, "1 or 2"), ({"chains": 0}, "a positive integer"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_one_line(settings, words):
    with pytest.raises(it.InputError, match=words):
        it.Wasserstein(**settings)


def test_what_does_not_go_together_is_one_line():
    rows = np.eye(20, dtype=int)
    with pytest.raises(it.InputError, match="at most 4096 visible"):
        it.learn("rbm:2", rows, method=it.Wasserstein(exact=True), epochs=1, key=KEY)
    with pytest.raises(it.InputError, match="a tenth of the mean cost"):
        it.learn("rbm:2", rows, method=it.Wasserstein(epsilon=1e-16), epochs=1, key=KEY)
    normal = np.random.default_rng(0).standard_normal((50, 3))
    with pytest.raises(it.InputError, match="euclidean"):
        it.learn("rbm:2", normal, method=it.Wasserstein(metric="hamming"), epochs=1, key=KEY)
    assert Samples(jnp.zeros((1, 1)), jnp.zeros((1, 1))).weights is None
