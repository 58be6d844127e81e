"""The gradient of the joint training of deep Boltzmann machines, and the doubling of their greedy start."""

from itertools import pairwise, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_deep_bounds import KINDS, exact_values, random_machine

from intertwine._checks import InputError
from intertwine.boltzmann.likelihood.bound import bound_values
from intertwine.boltzmann.objectives.deep_likelihood import DeepLikelihood
from intertwine.boltzmann.objectives.mean_field import mean_field_posterior
from intertwine.boltzmann.objectives.methods import CD, PCD
from intertwine.boltzmann.partition.log_partition import Exact, log_partition
from intertwine.boltzmann.training.deep_boltzmann import learn_deep_boltzmann
from intertwine.boltzmann.training.deep_network import unrolled_layers, upper_means
from intertwine.boltzmann.training.doubling import CopiedLikelihood, composed
from intertwine.boltzmann.training.fine_tune import FeedForward, beside, fine_tune
from intertwine.boltzmann.training.learn import learn
from intertwine.learning.labels.class_scores import accuracy
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM

UPDATES, BLOCKS = 2000, 25


def flat(tree):
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(tree)])


def exact_log_z(model):
    return jax.nn.logsumexp(jax.vmap(model)(jnp.asarray(model.visible_layer.states(), model.dtype)))


def z_scores(objective, model, batch, expected, fixed=None, seed=0):
    """Of the mean gradient at fixed parameters, with the error bar of blocks of one long run."""
    state = objective.init(model, key=jax.random.key(seed))

    @jax.jit
    def run(state):
        def one(state, k):
            if fixed is not None:
                state = state._replace(offsets=fixed, count=jnp.int32(10**9))
            change, state, _ = objective.gradient(model, state, batch, key=jax.random.key(k))
            return state, jax.tree.leaves(change)

        return jax.lax.scan(one, state, jnp.arange(UPDATES))[1]

    rows = np.concatenate([np.asarray(x).reshape(UPDATES, -1) for x in run(state)], axis=1)
    means = rows.reshape(BLOCKS, -1, rows.shape[1]).mean(1)
    error = means.std(0, ddof=1) / np.sqrt(BLOCKS)
    return (means.mean(0) - expected) / np.maximum(error, 1e-9)


def data_terms(model, v, structured):
    """(⟨x_l⟩, ⟨x_l x_{l+1}ᵀ⟩) over the converged posterior of the rows, exactly for two hidden layers."""
    m = mean_field_posterior(model, v, sweeps=1000, tolerance=1e-13).means
    if not structured:
        layers = [v, *m]
        return layers, [a.T @ b / len(v) for a, b in pairwise(layers)]
    states = jnp.asarray(model.layers[1].states(), v.dtype)
    q = jnp.prod(jnp.where(states[None] == 1, m[0][:, None], 1 - m[0][:, None]), axis=-1)
    above = model.layers[2].mean(model.biases[2] + states @ model.weights[1])
    pair = jnp.einsum("rs,si,sj->ij", q, states, above) / len(v)
    return [v, m[0], q @ above], [v.T @ m[0] / len(v), pair]


def model_terms(model):
    """⟨x_l⟩ and ⟨x_l x_{l+1}ᵀ⟩ of the model, by all states of all layers."""
    states = list(product(*(layer.states() for layer in model.layers)))
    layers = [np.stack(x).astype(float) for x in zip(*states, strict=True)]
    p = np.asarray(jax.nn.softmax(-model.energy([jnp.asarray(x) for x in layers])))
    return [p @ x for x in layers], [(p[:, None] * a).T @ b for a, b in pairwise(layers)]


def uncentred(model, v, structured):
    """Expected gradient: biases, then weights."""
    of_data, of_model = data_terms(model, v, structured), model_terms(model)
    biases = [g - x.mean(0) for g, x in zip(of_model[0], of_data[0], strict=True)]
    return biases, [g - x for g, x in zip(of_model[1], of_data[1], strict=True)]


@pytest.mark.parametrize(
    ("sizes", "structured"), [((4, 3, 3), False), ((4, 3, 3), True), ((3, 3, 2, 2), False)], ids=str
)
def test_gradient_is_unbiased(sizes, structured):
    model = random_machine(sizes, 0.7)
    v = jnp.asarray(model.visible_layer.states()[[1, 5, 6]], model.dtype)
    objective = DeepLikelihood(chains=20, sweeps=40, structured=structured, centred=False)
    assert np.abs(z_scores(objective, model, v, flat(uncentred(model, v, structured)))).max() < 4


def test_centred_gradient_is_the_map_of_the_plain_one():
    """Δ of the machine written with offsets, seen from the plain parameters."""
    model = random_machine((4, 3, 3), 0.7)
    v = jnp.asarray(model.visible_layer.states()[[1, 5, 6, 14]], model.dtype)
    b, w = uncentred(model, v, structured=False)
    layers, _ = data_terms(model, v, structured=False)
    offsets = tuple(x.mean(0) for x in layers)
    mu = offsets
    w = [g - jnp.outer(mu[k], b[k + 1]) - jnp.outer(b[k], mu[k + 1]) for k, g in enumerate(w)]
    b = [b[0] - w[0] @ mu[1], b[1] - mu[0] @ w[0] - w[1] @ mu[2], b[2] - mu[1] @ w[1]]
    objective = DeepLikelihood(chains=20, sweeps=40, structured=False)
    assert np.abs(z_scores(objective, model, v, flat((b, w)), fixed=offsets)).max() < 4


@pytest.mark.parametrize("kind", ["binary", "four hidden layers", "mixed"])
def test_data_term_is_the_slope_of_the_converged_bound(kind):
    model = random_machine(scale=0.5, **KINDS[kind])
    v = model.visible_layer.states()[[1, 5, 6]]
    layers, products = data_terms(model, jnp.asarray(v, model.dtype), structured=False)
    slope = flat(([x.mean(0) for x in layers], products))
    rng = np.random.default_rng(0)
    leaves, structure = jax.tree.flatten(model)
    for _ in range(3):
        way = [rng.normal(size=x.shape) for x in leaves]
        values = []
        for step in (-1e-4, 1e-4):
            moved = jax.tree.unflatten(structure, [x + step * d for x, d in zip(leaves, way, strict=True)])
            values.append(bound_values(moved, v, tolerance=0.0, sweeps=300).mean())
        np.testing.assert_allclose((values[1] - values[0]) / 2e-4, flat(way) @ slope, atol=1e-6)


@pytest.mark.slow
def test_learning_raises_the_likelihood_and_goes_on_where_it_stopped():
    rows = np.repeat(np.array([[0, 0, 1, 1], [1, 1, 0, 0]], np.uint8), 50, axis=0)
    model = DBM((4, 3, 2), scale=0.1, key=jax.random.key(0))
    settings = dict(batch=20, method=PCD(chains=100), learning_rate=0.1, key=jax.random.key(1))
    states = []
    fit = learn_deep_boltzmann(
        model, rows, epochs=60, progress=lambda state, _: states.append(state), **settings
    )
    log_p = np.asarray(exact_values(fit.model)) - float(exact_log_z(fit.model))
    assert log_p[[3, 12]].mean() > np.log(0.3) > -4 * np.log(2)
    assert fit.history[-1]["epoch"] == 60 and len(fit.history) == 60
    again = learn_deep_boltzmann(model, rows, epochs=60, state=states[29], **settings)
    np.testing.assert_array_equal(flat(again.model), flat(fit.model))


def test_doubled_machines_fit_together():
    """p(x_1 | x_0, x_2) of the whole is the normalised geometric mean of those of the two parts."""
    kinds = dict(units="binary", hidden_units="binary")
    rng = np.random.default_rng(0)

    def part(size, hidden):
        arrays = [rng.normal(size=shape) for shape in ((size,), (hidden,), (size, hidden))]
        return RBM.from_parameters(*arrays, **kinds)

    below, above = part(4, 3), part(3, 5)
    whole = composed([below, above])
    x0, x2 = jnp.asarray([1.0, 0, 1, 1]), jnp.asarray([0.0, 1, 1, 0, 1])
    from_below = below.hidden_bias + 2 * x0 @ below.weights
    from_above = above.visible_bias + 2 * above.weights @ x2
    states = jnp.asarray(whole.layers[1].states(), whole.dtype)
    log_p = 0.5 * (states @ from_below + states @ from_above)
    field = whole.field(1, [x0, None, x2])
    np.testing.assert_allclose(field, (from_below + from_above) / 2, atol=1e-12)
    np.testing.assert_allclose(jax.nn.softmax(states @ field), jax.nn.softmax(log_p), atol=1e-12)


@pytest.mark.parametrize("copies", [(2, 1), (1, 2), pytest.param((2, 2), marks=pytest.mark.slow)], ids=str)
def test_gradient_with_copies_is_that_of_the_machine_with_copies(copies):
    rng = np.random.default_rng(1)
    rbm = RBM.from_parameters(
        rng.normal(size=3),
        rng.normal(size=2),
        0.5 * rng.normal(size=(3, 2)),
        units="binary",
        hidden_units="binary",
    )
    v = jnp.asarray(rbm.visible_layer.states()[[1, 6, 7]], jnp.float64)

    def loss(part):
        whole = RBM.from_parameters(
            jnp.tile(part.visible_bias, copies[0]),
            jnp.tile(part.hidden_bias, copies[1]),
            jnp.tile(part.weights, copies),
            units="binary",
            hidden_units="binary",
        )
        states = jnp.asarray(whole.visible_layer.states(), jnp.float64)
        log_z = jax.nn.logsumexp(jax.vmap(whole)(states))
        return log_z - jax.vmap(whole)(jnp.tile(v, (1, copies[0]))).mean()

    slope = jax.grad(loss)(rbm)
    mu, lam = jnp.asarray([0.3, 0.5, 0.9]), jnp.asarray([0.2, 0.7])
    da, db = slope.visible_bias, slope.hidden_bias
    dw = slope.weights - jnp.outer(mu, db) - jnp.outer(da, lam)
    expected = flat((da - dw @ lam, db - mu @ dw, dw))
    found = z_scores(CopiedLikelihood(copies, chains=20), rbm, v, expected, fixed=(mu, lam))
    assert np.abs(found).max() < 4


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(6, 4, 3), (6, 5, 4, 3)], ids=str)
def test_greedy_start_is_a_good_one(sizes):
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.integers(0, 2, (300, 2)), 3, axis=1).astype(np.uint8)
    model = DBM(sizes, key=jax.random.key(0))
    start = learn(model, rows, layer_epochs=60, epochs=0, batch=50, key=jax.random.key(1)).model
    values = exact_values(start) - float(exact_log_z(start))
    kept = (start.visible_layer.states()[:, [0, 0, 0, 3, 3, 3]] == start.visible_layer.states()).all(1)
    assert values[kept].mean() > values[~kept].mean() + 0.5
    assert [w.shape for w in start.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (dict(model=RBM(4, 3, key=jax.random.key(0))), "a DBM"),
        (dict(method=CD()), "PCD"),
        (dict(sweeps=0), "sweeps"),
        (dict(data=np.full((10, 4), 2)), "binary"),
        (dict(data=np.full((10, 4), np.nan)), "nan"),
        (dict(data=np.zeros((10, 3))), "4 columns"),
        (dict(data=(np.zeros((10, 4)), np.ones(10))), "rows alone"),
        (dict(sparsity=(0.1,)), "sparsity"),
        (dict(weight_decay=-1.0), "weight_decay"),
        (dict(epochs=0), "epochs"),
    ],
)
def test_wrong_settings_are_one_clear_line(settings, words):
    given = dict(model=DBM((4, 3, 2), key=jax.random.key(0)), data=np.zeros((10, 4)), key=jax.random.key(0))
    given |= settings
    with pytest.raises(InputError, match=words):
        learn_deep_boltzmann(given.pop("model"), given.pop("data"), **given)


@pytest.mark.parametrize(
    "sizes", [(6, 4, 3), *(pytest.param(s, marks=pytest.mark.slow) for s in ((6, 4, 3, 3), (6, 4)))], ids=str
)
def test_the_network_begins_as_the_mean_field_and_learns_labels(sizes):
    model = random_machine(sizes, 0.7)
    x = np.repeat(np.asarray(model.visible_layer.states(), np.float64), 4, axis=0)
    y = x[:, 0].astype(int)
    extra = upper_means(model, x) if len(sizes) > 2 else None
    start = FeedForward(unrolled_layers(model), 2)
    found = mean_field_posterior(model, x, sweeps=20, tolerance=0.0)
    first = start.layers[0].mean(jnp.asarray(beside(x, extra), model.dtype))
    np.testing.assert_allclose(first, found.means[0], atol=1e-4)
    fit = fine_tune(model, x, y, epochs=60, batch=32, validation=(x[::7], y[::7]), key=jax.random.key(0))
    assert accuracy(fit.model, beside(x, extra), y) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["three hidden layers", "mixed", "Gaussian data"])
def test_every_kind_of_unit_learns(kind):
    kinds = KINDS | {"Gaussian data": dict(sizes=(3, 3, 2), units="gaussian")}
    model = random_machine(scale=0.1, **kinds[kind])
    rng = np.random.default_rng(0)
    if model.visible_layer.is_discrete:
        rows = np.repeat(model.visible_layer.states()[[1, -2]], 40, axis=0)
    else:
        rows = np.repeat(rng.choice([-1.0, 1.0], size=(80, 1)), 3, axis=1) + 0.3 * rng.normal(size=(80, 3))
    rate = 0.1 if model.visible_layer.is_discrete else 0.02
    fit = learn_deep_boltzmann(model, rows, epochs=200, batch=20, learning_rate=rate, key=jax.random.key(0))
    before, after = (
        jax.vmap(m)(jnp.asarray(rows, m.dtype)).mean() - log_partition(m, Exact()).mean
        for m in (model, fit.model)
    )
    assert after > before + 0.2
