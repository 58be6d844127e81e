"""Networks by Monte Carlo over their initialisations, against the recursion; starts at criticality."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.depth.measured import prepared, program_of, traced
from intertwine.models.network import FunctionNetwork

KEY = jax.random.key(1)
X = np.random.default_rng(0).normal(size=(12, 16))
C_W = 1.5


def plain_network(key: jax.Array, widths=(16, 96, 96, 96, 4), activation=jnp.tanh) -> FunctionNetwork:
    """A network written by hand, weights normal of variance C_W/fan-in, no biases."""
    keys = jax.random.split(key, len(widths) - 1)
    weights = [
        jax.random.normal(k, (n, m)) * (C_W / n) ** 0.5
        for k, n, m in zip(keys, widths, widths[1:], strict=False)
    ]
    return FunctionNetwork(_forward(activation), weights)


def _forward(activation):
    def forward(weights, x):
        z = x @ weights[0]
        for w in weights[1:]:
            z = activation(z) @ w
        return z

    return forward


def test_networks_follow_the_recursion():
    """K, χ_∥ and χ_⊥ of wide tanh networks, within errors and 1/n."""
    x = X / np.linalg.norm(X, axis=1, keepdims=True) * 4.0  # K = C_W of the first layer
    forward = _forward(jnp.tanh)
    wide = (16, 300, 300, 300, 300)

    def network(key):
        made = plain_network(key, wide)
        return FunctionNetwork(forward, made.parameters)

    found = it.rg.depth_flow(network, x, draws=30, key=KEY)
    flow = it.rg.depth_flow("tanh", C_W=C_W, kernel=C_W, depth=4)
    within = 4.5 * found.kernel_error + 4 * flow.kernel / 300
    assert (np.abs(found.kernel - flow.kernel) < within).all()
    for measured, error, exact in (
        (found.perpendicular, found.perpendicular_error, flow.perpendicular),
        (found.parallel, found.parallel_error, flow.parallel),
    ):
        assert (np.abs(measured - exact)[:3] < 4.5 * error[:3] + 4 / 300).all()
    assert np.isnan(found.perpendicular[3]) and found.layers == tuple(f"[{k}]" for k in range(4))
    coupling = it.rg.depth_flow("tanh", C_W=C_W, kernel=C_W, depth=4, width=300).coupling
    # the kernel is read from n neurons itself, which adds 2/n
    assert (np.abs(found.coupling - coupling - 2 / 300) < 4.5 * found.coupling_error + 1e-3).all()


def test_layers_of_networks_of_every_kind():
    """Flax linen and nnx, equinox, this library's: names, biases and the same K as a plain product."""
    nn = pytest.importorskip("flax.linen")

    class Linen(nn.Module):
        @nn.compact
        def __call__(self, x):
            h = nn.tanh(nn.Dense(8)(x))
            return nn.Dense(3)(h)

    found = it.rg.depth_flow(Linen(), X, draws=3, key=KEY)
    assert found.layers == ("Dense_0", "Dense_1") and found.draws == 3
    mlp = eqx.nn.MLP(16, 3, 8, 2, key=KEY)
    found = it.rg.depth_flow(mlp, X, key=KEY)
    first = X @ np.asarray(mlp.layers[0].weight).T + np.asarray(mlp.layers[0].bias)
    second = np.maximum(first, 0) @ np.asarray(mlp.layers[1].weight).T + np.asarray(mlp.layers[1].bias)
    assert np.allclose(found.kernel[:2], [(first**2).mean(), (second**2).mean()])
    assert found.layers == ("layers[0]", "layers[1]", "layers[2]") and np.isnan(found.coupling).all()


def test_layers_of_this_library():
    """Equivariant convolutions with batch norms: a layer each, and statistics of the batch."""
    images = np.random.default_rng(1).random((4, 6, 6, 1))
    network = it.network_from_name("cnn:2", "p4", image_size=6, classes=3, dropout=0.0, key=KEY)
    module, numbers = prepared(network, images)
    program = program_of(module)
    layers = traced(program, numbers[0]).layers
    names = [program.names[min(layer.weights)] for layer in layers]
    assert names == [f"conv{k}" for k in range(1, 8)]
    assert [len(layer.biases) for layer in layers] == [0] * 6 + [1]


def test_susceptibilities_are_derivatives():
    """χ_⊥ and χ_∥ of one network against finite differences along the same directions."""
    network = plain_network(KEY, (16, 6, 5, 4))
    found = it.rg.depth_flow(network, X[:2], key=KEY)
    weights, h = [np.asarray(w) for w in network.parameters], 1e-5

    def pre_activations(x):
        z = [x @ weights[0]]
        for w in weights[1:]:
            z.append(np.tanh(z[-1]) @ w)
        return z

    grown = []
    for up, down in zip(pre_activations(X[:2] * (1 + h)), pre_activations(X[:2] * (1 - h)), strict=True):
        grown.append(((up**2).mean() - (down**2).mean()) / (4 * h))
    assert np.allclose(found.parallel[:2], np.array(grown[1:]) / grown[:-1], rtol=1e-6)


@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.relu, jax.nn.gelu])
def test_a_start_at_criticality(activation):
    network = eqx.nn.MLP(16, 3, 80, 6, activation=activation, key=KEY)
    start = it.rg.critical_start(network, X, key=KEY)
    exact = it.rg.critical_initialisation(activation)
    begin = 1 if exact.universality == "half-stable" else 0
    assert np.allclose(start.after.gain[begin:6], exact.C_W, rtol=1e-4)
    if begin:
        assert abs(start.after.kernel[0] / exact.kernel - 1) < 0.1
        assert np.std(np.asarray(start.model.layers[3].bias)) > 0.2
    assert start.after.perpendicular[4] > 0.75 > 0.5 > start.before.perpendicular[4]
    assert np.array_equal(start.model.layers[6].weight, network.layers[6].weight)  # the last, as it was


def test_a_measured_start():
    """Two activations, so none to look up: χ_⊥ = 1 by measure."""
    layers = [eqx.nn.Linear(16, 60, key=KEY), eqx.nn.Lambda(jnp.tanh), eqx.nn.Linear(60, 60, key=KEY)]
    layers += [eqx.nn.Lambda(jax.nn.relu), eqx.nn.Linear(60, 60, key=KEY), eqx.nn.Lambda(jnp.tanh)]
    start = it.rg.critical_start(eqx.nn.Sequential([*layers, eqx.nn.Linear(60, 2, key=KEY)]), X, key=KEY)
    assert start.critical is None and np.allclose(start.after.perpendicular[:2], 1, atol=1e-4)


def test_learning_from_a_critical_start():
    y = (X[:, 0] > 0).astype(int)
    network = eqx.nn.MLP(16, 2, 20, 4, activation=jnp.tanh, key=KEY)
    fit = it.fit_supervised(network, X, y, epochs=2, batch=4, start="critical", key=KEY)
    assert fit.start is not None and "critical start, tanh: C_b = 0, C_W = 1" in str(fit.start)
    again = it.fit_supervised(fit.start.model, X, y, epochs=2, batch=4, key=KEY)
    assert fit.history[-1]["loss"] == again.history[-1]["loss"]
    with pytest.raises(it.InputError, match="start: expected one of 'given', 'critical'"):
        it.fit_supervised(network, X, y, start="edge", key=KEY)


def test_what_cannot_be_looked_into_is_said():
    with pytest.raises(it.InputError, match="x: expected two examples or more"):
        it.rg.depth_flow(plain_network(KEY), X[0], key=KEY)
    with pytest.raises(it.InputError, match="draws: expected nothing for an activation"):
        it.rg.depth_flow("tanh", draws=3)
    with pytest.raises(it.InputError, match="width: expected nothing for a network"):
        it.rg.depth_flow(plain_network(KEY), X, width=3, key=KEY)
    with pytest.raises(it.InputError, match="no product of data with parameters"):
        it.rg.depth_flow(FunctionNetwork(lambda p, x: p * x, jnp.ones(16)), X, key=KEY)
    with pytest.raises(it.InputError, match="a function of a key that makes one"):
        it.rg.depth_flow(lambda key: 3.0, X, key=KEY)
    with pytest.raises(it.InputError, match="network of examples of shape"):
        it.rg.depth_flow(plain_network(KEY), X[:, :5], key=KEY)
    with pytest.raises(it.InputError, match="pre-activations that are finite"):
        it.rg.depth_flow(FunctionNetwork(lambda p, x: x @ p, jnp.full((16, 2), jnp.inf)), X, key=KEY)
    with pytest.warns(UserWarning, match="in another order"):
        it.rg.depth_flow(plain_network(KEY, (16, 8, 2)), X, draws=3, key=KEY)


def test_layers_in_loops_are_not_seen_and_that_is_said():
    def network(p, x):
        z, _ = jax.lax.scan(lambda h, w: (jnp.tanh(h @ w), None), x, p[0])
        return z @ p[1]

    made = FunctionNetwork(network, (jnp.ones((3, 16, 16)) / 16, jnp.ones((16, 2))))
    with pytest.warns(UserWarning, match="inside loops or branches are not seen"):
        assert it.rg.depth_flow(made, X, key=KEY).layers == ("[1]",)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_critical_start_needs_finite_examples(bad):
    x = X.copy()
    x[3, 2] = bad
    with pytest.raises(it.InputError, match="finite examples"):
        it.rg.critical_start(plain_network(KEY), x, key=KEY)


def test_the_measured_variance_has_the_noise_of_the_layer_itself():
    """In the first layer, whose kernel does not fluctuate, Var K/⟨K⟩² is 2/n; 200 draws of 12
    examples tell it to about 3 %."""
    flow = it.rg.depth_flow(lambda key: plain_network(key, (16, 96, 4)), X, draws=200, key=KEY)
    assert abs(flow.coupling[0] * 96 / 2 - 1) < 0.25
    assert "Var K/⟨K⟩²" in str(flow)
