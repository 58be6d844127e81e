"""What gradient flow conserves, against the formulas of Marcotte et al. (2023), and exact steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine.models.network import FunctionNetwork

KEY = jax.random.key(0)


def two_layers(n, m, r, act=lambda z: z):
    draws = np.random.default_rng(n + 10 * m + 100 * r)
    arrays = {"u": jnp.asarray(draws.normal(size=(n, r))), "v": jnp.asarray(draws.normal(size=(m, r)))}
    return FunctionNetwork(lambda p, x: p["u"] @ act(p["v"].T @ x), arrays)


def formula(n, m, r):
    return r * (r + 1) // 2 if n + m >= r else (n + m) * (2 * r + 1 - n - m) // 2


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("n", "m", "r"), [(2, 2, 2), (1, 1, 3), *(pytest.param(*s, marks=slow) for s in [(3, 3, 2), (2, 2, 3)])]
)
def test_linear_networks_conserve_what_the_formula_says(n, m, r):
    found = it.conserved(two_layers(n, m, r), inputs=(m,))
    assert found.count == found.independent == formula(n, m, r)
    assert len(found.formulas) == r * (r + 1) // 2
    net = two_layers(n, m, r)
    u, v = (np.asarray(net.parameters[name], np.float64) for name in "uv")
    gap = u.T @ u - v.T @ v
    assert np.allclose(sorted(np.abs(found(net))), sorted(np.abs(gap[np.triu_indices(r)])), atol=1e-12)


def test_relu_networks_conserve_one_law_a_unit():
    found = it.conserved(two_layers(2, 2, 3, jax.nn.relu), inputs=(2,))
    assert found.count == found.independent == 3
    assert found.formulas == tuple(f"|u[:, {k}]|² − |v[:, {k}]|²" for k in range(3))


def test_a_network_that_no_scale_leaves_alone_conserves_nothing():
    found = it.conserved(two_layers(2, 2, 2, jnp.tanh), inputs=(2,))
    assert found.count == 0 and found.formulas == ()


def test_softmax_does_not_see_a_shift():
    linear = eqx.nn.Linear(3, 4, key=KEY)
    found = it.conserved(linear, loss="cross-entropy")
    assert found.count == 4
    assert {"Σweight[:, 0]", "Σweight[:, 1]", "Σweight[:, 2]"} < set(found.formulas)
    assert it.conserved(linear).count == 0


def loss_of(net, x, y):
    return 0.5 * jnp.mean(jnp.sum((jax.vmap(net)(x) - y) ** 2, axis=1))


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_a_step_of_gradient_descent_breaks_laws_by_exactly_that(decay):
    with jax.enable_x64(True):
        net = two_layers(2, 3, 3, jax.nn.relu)
        net = jax.tree.map(lambda a: jnp.asarray(np.asarray(a), jnp.float64), net)
        found = it.conserved(net, inputs=(3,))
        draws = np.random.default_rng(1)
        x, y = jnp.asarray(draws.normal(size=(20, 3))), jnp.asarray(draws.normal(size=(20, 2)))
        rate = 0.1
        for _ in range(3):
            g = jax.grad(loss_of)(net, x, y)
            after = jax.tree.map(lambda a, b: (1 - rate * decay) * a - rate * b, net, g)
            assert np.allclose(found.after_step(net, g, rate, decay=decay), found(after), atol=1e-12, rtol=0)
            gu, gv = g.parameters["u"], g.parameters["v"]
            by_hand = rate**2 * np.sort(np.sum(gu**2, axis=0) - np.sum(gv**2, axis=0))
            broken = found(after) - (1 - rate * decay) ** 2 * found(net)
            assert np.allclose(np.sort(broken), by_hand, atol=1e-12, rtol=0)
            assert np.abs(by_hand).max() > 1e-5
            net = after


def test_unscaled_weights_before_a_batch_norm_keep_their_length():
    """|w|² → (1 − η λ)² |w|² + η² |g|² for a unit that is standardised over the batch."""

    class Standardised(eqx.Module):
        w: jax.Array

        def outputs(self, x, *, key=None):
            z = x @ self.w
            return ((z - z.mean()) / jnp.sqrt(jnp.var(z)))[:, None]

        def __call__(self, x, *, key=None):
            return self.outputs(x[None])[0]

    net = Standardised(jnp.array([0.5, -1.0, 2.0]))
    found = it.conserved(net, inputs=(3,))
    assert found.formulas == ("|w[0]|² + |w[1]|² + |w[2]|²",) and found.count == 1
    g = Standardised(jnp.array([2.0, 1.0, 0.0]))  # orthogonal to w
    assert np.allclose(found.after_step(net, g, 0.1, decay=0.5), 0.95**2 * 5.25 + 0.01 * 5.0)


@pytest.mark.slow
def test_heads_of_attention_conserve_scalar_products_of_queries_and_keys():
    draws = np.random.default_rng(0)
    sizes = {"q": (4, 2), "k": (4, 2), "v": (4, 2), "o": (2, 4)}
    arrays = {name: jnp.asarray(draws.normal(size=s)) for name, s in sizes.items()}

    def attention(p, x):
        return jax.nn.softmax((x @ p["q"]) @ (x @ p["k"]).T) @ (x @ p["v"]) @ p["o"]

    found = it.conserved(FunctionNetwork(attention, arrays), inputs=(3, 4))
    assert len(found.formulas) == 6
    assert "⟨k[:, 0], k[:, 1]⟩ − ⟨q[:, 0], q[:, 1]⟩" in found.formulas


def digits(seed=0):
    draws = np.random.default_rng(seed)
    return draws.normal(size=(64, 4)).astype(np.float32), draws.integers(0, 3, 64)


@pytest.mark.slow
def test_laws_are_tracked_along_a_run():
    """Small steps of gradient descent keep them, Adam does not."""
    net = eqx.nn.MLP(4, 3, 6, 1, key=KEY)
    laws = it.conserved(net, loss="cross-entropy", count=False)
    x, y = digits()
    runs = {}
    for name, optimiser in {"sgd": optax.sgd(1e-2), "adam": optax.adam(1e-2)}.items():
        fit = it.fit_supervised(net, x, y, optimiser=optimiser, epochs=20, batch=16, key=KEY)
        runs[name] = laws.drift(net, fit.model)
    assert runs["sgd"] < 2e-3 < 20 * runs["sgd"] < runs["adam"]


@pytest.mark.parametrize(
    ("system", "options", "words"),
    [
        (two_layers(2, 2, 2), {}, "the shape of an example"),
        (two_layers(2, 2, 2), {"inputs": (3,)}, "examples that the network takes"),
        (two_layers(2, 2, 2), {"inputs": (2,), "loss": "hinge"}, "one of"),
        (eqx.nn.Linear(3, 1, key=KEY), {"loss": "cross-entropy"}, "one output"),
        (abs, {}, "a network"),
        ("a name", {}, "a network"),
    ],
)
def test_what_cannot_be_asked_of_training_is_told_in_a_line(system, options, words):
    with pytest.raises(it.InputError, match=words) as error:
        it.conserved(system, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scales", [(1000, 1), (1, 1000), (1e-3, 1)])
def test_arrays_of_other_sizes_keep_their_part_of_a_law(scales):
    net = two_layers(2, 2, 2, jax.nn.relu)
    sized = {name: scale * net.parameters[name] for name, scale in zip("uv", scales, strict=True)}
    found = it.conserved(FunctionNetwork(lambda p, x: p["u"] @ jax.nn.relu(p["v"].T @ x), sized), inputs=(2,))
    assert found.formulas == tuple(f"|u[:, {k}]|² − |v[:, {k}]|²" for k in range(2))


def test_numbers_among_the_parameters_are_slices():
    arrays = {"a": jnp.array(1.0), "b": jnp.array(2.0)}
    found = it.conserved(FunctionNetwork(lambda p, x: p["a"] * p["b"] * x, arrays), inputs=(1,))
    assert found.formulas == ("a² − b²",) and found.count == 1
    mixed = {"a": jnp.array(1.0), "u": jnp.array([1.0, 2.0])}
    found = it.conserved(FunctionNetwork(lambda p, x: p["a"] * (p["u"] @ x), mixed), inputs=(2,))
    assert found.formulas == ("a² − |u[0]|² − |u[1]|²",)
