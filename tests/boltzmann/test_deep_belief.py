"""Deep belief networks against enumeration: joint, marginals, bounds, samples, recognition."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.boltzmann.likelihood.belief_bound import belief_bound, log_weights
from intertwine.boltzmann.partition.log_partition import Exact, log_partition
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from thinned import thinned

NETWORKS = {
    "12-8-6": ((12, 8, 6), "binary", "binary"),
    "6-5-4-3": ((6, 5, 4, 3), "binary", "binary"),
    "spins": ((6, 4, 5), "spin", ("spin", "binary")),
    "potts": ((7, 4, 6), (("potts:3", 3), ("binary", 4)), ("binary", "potts:3")),
    "rectified top": ((5, 4, 3), "binary", ("spin", "rectified")),
}


def network(name, scale=1.0, seed=3):
    sizes, units, hidden = NETWORKS[name]
    return DBN(sizes, units=units, hidden_units=hidden, scale=scale, key=jax.random.key(seed))


def untied(dbn, seed=5, scale=0.7):
    """The same network with recognition weights of their own."""
    keys = jax.random.split(jax.random.key(seed), len(dbn.recognition))
    moved = [
        DirectedLayer(a.weights + scale * jax.random.normal(k, a.weights.shape), a.bias, a.layer)
        for k, a in zip(keys, dbn.recognition, strict=True)
    ]
    return DBN.from_parts(dbn.generative, moved, dbn.top)


def hidden_states(dbn):
    """Every (h¹, …, hᴸ⁻¹) of the network, a tuple of arrays."""
    tables = [np.asarray(layer.states(), float) for layer in dbn.layers[1:-1]]
    rows = np.array(list(itertools.product(*[range(len(t)) for t in tables])), int)
    return tuple(t[rows[:, i]] for i, t in enumerate(tables))


@jax.jit
def joint_values(dbn, v, hidden):
    """ln p(v, h) + ln Z and ln q(h|v) of every v and h, (V, H) each."""

    def one(x):
        states = (jnp.broadcast_to(x, (hidden[0].shape[0], x.size)), *hidden)
        return dbn.log_joint(states), dbn.log_recognition(states)

    return jax.vmap(one)(v)


def by_brute_force(dbn):
    """ln p(v) of every v, with the sums written out state by state."""
    v = np.asarray(dbn.visible_layer.states(), float)
    hidden = hidden_states(dbn)
    if not hidden:
        values = np.array([float(dbn.top(jnp.asarray(x))) for x in v])
    else:
        values = np.logaddexp.reduce(np.asarray(joint_values(dbn, v, hidden)[0]), axis=1)
    return v, values - np.logaddexp.reduce(values)


def exact_bounds(dbn, rows):
    """E_q[ln p(v, h) − ln q(h|v)] of each row, by enumeration of h."""
    log_joint, log_q = map(np.asarray, joint_values(dbn, np.asarray(rows, float), hidden_states(dbn)))
    q = np.exp(log_q)
    np.testing.assert_allclose(q.sum(1), 1, atol=1e-12)
    return (q * (log_joint - log_q)).sum(1) - float(dbn.log_partition())


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "12-8-6"])
def test_log_probability_is_the_sum_over_all_hidden_states(name):
    dbn = untied(network(name))
    v, log_p = by_brute_force(dbn)
    np.testing.assert_allclose(dbn.log_probability(v), log_p, atol=1e-9)


def test_one_hidden_layer_is_the_rbm(key):
    rbm = RBM(5, hidden=4, units="binary", hidden_units="binary", scale=1.0, key=key)
    dbn = DBN.from_rbms([rbm])
    v = jnp.asarray(rbm.visible_layer.states(), float)
    log_p = -rbm.free_energy(v) - jax.nn.logsumexp(-rbm.free_energy(v))
    np.testing.assert_allclose(dbn.log_probability(v), log_p, atol=1e-12)
    log_z = log_partition(dbn, Exact())
    assert log_z.mean == pytest.approx(float(dbn.log_partition()), abs=1e-10)
    found = belief_bound(dbn, v, log_z, draws=3, key=key)
    assert found.bound.mean == pytest.approx(float(log_p.mean()), abs=1e-10)


@pytest.mark.parametrize("name", ["12-8-6", "6-5-4-3", "potts", "rectified top"])
@pytest.mark.parametrize("seed", thinned(range(2)))
def test_bound_never_exceeds_the_likelihood(name, seed):
    dbn = untied(network(name, seed=seed), seed=seed)
    rows = np.asarray(dbn.visible_layer.states())
    rows = rows[np.random.default_rng(seed).permutation(len(rows))[:12]]
    assert (exact_bounds(dbn, rows) <= np.asarray(dbn.log_probability(rows)) + 1e-10).all()


def test_sampled_bounds_agree_with_enumeration(key):
    dbn = untied(network("6-5-4-3"), scale=0.4)
    rows = np.asarray(dbn.visible_layer.states())[::5]
    exact = exact_bounds(dbn, rows)
    weights = log_weights(dbn, rows, draws=4000, key=key) - float(dbn.log_partition())
    error = weights.std(1) / np.sqrt(weights.shape[1])
    assert (np.abs(weights.mean(1) - exact) < 4.5 * error).all()
    found = belief_bound(dbn, rows, dbn.log_partition(), draws=4000, key=key)
    log_p = float(dbn.log_probability(rows).mean())
    assert abs(found.bound.mean - exact.mean()) < 4 * found.draws_error
    assert exact.mean() < found.importance.mean <= log_p + 4 * found.draws_error
    assert log_p - found.importance.mean < 0.1 * (log_p - exact.mean())


@pytest.mark.parametrize("units", thinned(["binary", "potts:3", "gaussian"]))
def test_transposed_second_layer_has_the_likelihood_of_the_first(units, key):
    """Hinton, Osindero & Teh (2006): the bound starts at the RBM's own likelihood, whatever is drawn."""
    first = RBM(6, hidden=5, units=units, hidden_units="binary", scale=0.8, key=key)
    second = RBM.from_parameters(
        first.hidden_bias, first.visible_bias, first.weights.T, units="binary", hidden_units=units
    )
    dbn = DBN.from_rbms([first, second])
    rows = np.random.default_rng(0).normal(size=(9, 6)) if units == "gaussian" else None
    rows = np.asarray(first.visible_layer.states()) if rows is None else rows
    log_z = float(dbn.log_partition())
    weights = log_weights(dbn, rows, draws=5, key=key) - log_z
    log_p = -first.free_energy(jnp.asarray(rows, float)) - log_z
    np.testing.assert_allclose(weights, np.tile(np.asarray(log_p)[:, None], (1, 5)), atol=1e-9)
    np.testing.assert_allclose(dbn.log_probability(rows), log_p, atol=1e-9)


def test_gaussian_visible_density_is_a_mixture(key):
    """p(v) of a Gaussian-visible network = Σ_h p(h) N(v; a + Wh, 1)."""
    dbn = DBN((3, 4, 2), units="gaussian", scale=0.5, key=key)
    v = np.random.default_rng(1).normal(size=(4, 3))
    h = jnp.asarray(dbn.layers[1].states(), float)
    weights = jnp.exp(-dbn.top.free_energy(h))
    centres = dbn.generative[0].mean(h)
    density = jnp.exp(-0.5 * ((v[:, None] - centres) ** 2).sum(-1)) / (2 * jnp.pi) ** 1.5
    expected = jnp.log((density * weights).sum(1) / weights.sum())
    np.testing.assert_allclose(dbn.log_probability(v), expected, atol=1e-10)


def test_ancestral_samples_have_the_exact_marginals(key):
    dbn = network("6-5-4-3", scale=0.6)
    count = 20_000
    drawn = np.asarray(dbn.draw(count, steps=60, key=key))
    v, log_p = by_brute_force(dbn)
    codes = drawn.astype(int) @ (2 ** np.arange(6)[::-1])
    found = np.bincount(codes, minlength=64) / count
    p = np.exp(log_p)
    z = (found - p) / np.sqrt(p * (1 - p) / count)
    assert np.abs(z).max() < 4
    mean = p @ v
    spread = np.sqrt((p @ v**2 - mean**2) / count)
    assert (np.abs(drawn.mean(0) - mean) < 4 * spread).all()


def test_descend_draws_from_the_directed_layers(key):
    dbn = network("6-5-4-3", scale=1.0)
    top = jnp.tile(jnp.array([1.0, 0, 1, 1]), (20_000, 1))
    v, h1, h2 = dbn.descend(top, key=key)
    assert (h2 == top).all()
    p = dbn.generative[1].mean(top[0])
    assert (np.abs(h1.mean(0) - p) < 4 * np.sqrt(p * (1 - p) / 20_000)).all()
    p = dbn.generative[0].mean(h1).mean(0)
    assert (np.abs(v.mean(0) - p) < 4 * np.sqrt(p * (1 - p) / 20_000)).all()


def test_recognition_draws_from_q(key):
    dbn = untied(network("6-5-4-3"))
    v = jnp.tile(jnp.array([1.0, 0, 0, 1, 1, 0]), (20_000, 1))
    _, h1, h2 = dbn.recognise(v, key=key)
    p = dbn.recognition[0].mean(v[0])
    assert (np.abs(h1.mean(0) - p) < 4 * np.sqrt(p * (1 - p) / 20_000)).all()
    p = dbn.recognition[1].mean(h1).mean(0)
    assert (np.abs(h2.mean(0) - p) < 4 * np.sqrt(p * (1 - p) / 20_000)).all()
    means = dbn.recognition_means(v[:1])
    assert [m.shape[-1] for m in means] == [6, 5, 4, 3]
    np.testing.assert_allclose(means[3], dbn.top.hidden_given_visible(means[2]))


@pytest.mark.parametrize("units", ["binary", "potts:3", "rectified"])
def test_directed_layer_gradient_is_the_derivative(units, key):
    keys = jax.random.split(key, 4)
    layer = UnitLayer.of(units, 6)
    arrow = DirectedLayer(jax.random.normal(keys[0], (4, 6)), jax.random.normal(keys[1], (6,)), layer)
    x = jax.random.normal(keys[2], (7, 4))
    y = jnp.abs(x @ jax.random.normal(keys[3], (4, 6)))
    found = jax.jit(DirectedLayer.gradient)(arrow, y, x)
    expected = jax.jit(jax.grad(lambda a: a.log_probability(y, x).mean()))(arrow)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-9)
    np.testing.assert_allclose(found.bias, expected.bias, atol=1e-9)


def test_single_precision_and_traces(key):
    dbn = DBN((6, 5, 4), dtype="float32", key=key)
    rows = np.asarray(dbn.visible_layer.states(), np.uint8)
    assert dbn.draw(3, steps=5, key=key).dtype == jnp.float32
    assert dbn.log_probability(rows).dtype == jnp.float32
    found = belief_bound(dbn, rows, dbn.log_partition(), draws=4, block=10, key=key)
    assert np.isfinite(found.bound.mean) and found.bound.samples == 64


BAD = {
    "no sizes": (lambda k: DBN((6,), key=k), "sizes"),
    "a size of zero": (lambda k: DBN((6, 0), key=k), "sizes"),
    "not sizes": (lambda k: DBN(6, key=k), "sizes"),  # type: ignore[arg-type]
    "unknown units": (lambda k: DBN((6, 4), units="qubit", key=k), "units"),
    "kinds": (lambda k: DBN((6, 4, 3), hidden_units=("binary",), key=k), "hidden_units"),
    "complex": (lambda k: DBN((6, 4, 3), dtype=complex, key=k), "dtype"),
    "no stack": (lambda k: DBN.from_rbms([]), "rbms"),
    "a stack that does not fit": (
        lambda k: DBN.from_rbms([RBM(6, hidden=4, key=k), RBM(5, hidden=4, key=k)]),
        "rbms[1]",
    ),
    "kinds that do not fit": (
        lambda k: DBN.from_rbms([RBM(6, hidden=4, key=k), RBM(4, hidden=4, units="binary", key=k)]),
        "rbms[1]",
    ),
    "too large to enumerate": (
        lambda k: DBN((30, 30, 4), key=k).log_probability(np.zeros(30)),
        "model",
    ),
    "bad rows": (lambda k: DBN((3, 2), key=k).log_probability([0, 1, 2]), "v"),
    "bad data": (
        lambda k: belief_bound(DBN((3, 2), key=k), [[0, 1, np.nan]], 0.0, key=k),
        "data",
    ),
    "bad log Z": (lambda k: belief_bound(DBN((3, 2), key=k), [[0, 1, 1]], np.nan, key=k), "log_z"),
    "no draws": (lambda k: belief_bound(DBN((3, 2), key=k), [[0, 1, 1]], 0.0, draws=0, key=k), "draws"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, key):
    call, argument = BAD[case]
    with pytest.raises(InputError, match=argument.replace("[", r"\[")) as caught:
        call(key)
    assert "\n" not in str(caught.value)
