"""The correlation against a loop in NumPy and against XLA's convolution, with both derivatives."""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.layers.executors import correlate as module
from intertwine.layers.executors.correlate import _around, _by_xla, correlate


def loop(x, kernel, stride, padding):
    """y(x) = Σ_t K(t) f(stride·x + t), point by point."""
    d = kernel.ndim - 2
    widths = kernel.shape[:d]
    if padding == "periodic":
        x = np.pad(x, [((k - 1) // 2, k // 2) for k in widths] + [(0, 0)], mode="wrap")
    else:
        zeros = [{"valid": 0, "same": (k - 1) // 2}.get(padding, padding) for k in widths]
        x = np.pad(x, [(n, n) for n in zeros] + [(0, 0)])
    sizes = [(n - k) // stride + 1 for n, k in zip(x.shape, widths, strict=False)]
    out = np.zeros((*sizes, kernel.shape[-1]))
    for at in np.ndindex(*sizes):
        for tap in product(*(range(k) for k in widths)):
            out[at] += x[tuple(stride * a + t for a, t in zip(at, tap, strict=True))] @ kernel[tap]
    return out


CASES = [
    ((7,), (3,), 1, "valid"),
    ((8,), (4,), 2, 1),
    ((6, 5), (3, 3), 1, "same"),
    ((6, 5), (2, 3), 1, "valid"),
    ((6, 6), (3, 3), 2, "valid"),
    ((7, 6), (3, 5), 2, 2),
    ((5, 5), (4, 3), 1, "periodic"),
    ((4, 5, 4), (3, 2, 3), 1, "valid"),
    ((4, 4, 4), (3, 3, 3), 2, "same"),
]


@pytest.mark.parametrize(("sizes", "widths", "stride", "padding"), CASES)
@pytest.mark.parametrize("chunked", [False, True])
def test_values_and_derivatives(sizes, widths, stride, padding, chunked, monkeypatch):
    if chunked:
        monkeypatch.setattr(module, "_CACHED", 1)
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(3, *sizes, 2)), random.normal(size=(*widths, 2, 4))
    expected = np.stack([loop(one, kernel, stride, padding) for one in x])
    weigh = random.normal(size=expected.shape)
    with jax.enable_x64(True):

        def value(x, kernel):
            return jnp.sum(weigh * correlate(x, kernel, stride=stride, padding=padding))

        def by_xla(x, kernel):
            around, pads = _around(x, widths, padding)
            return jnp.sum(weigh * _by_xla(around, kernel, stride, pads))

        out = jax.jit(lambda x, k: correlate(x, k, stride=stride, padding=padding))(x, kernel)
        np.testing.assert_allclose(out, expected, atol=1e-12)
        ours = jax.jit(jax.grad(value, argnums=(0, 1)))(x, kernel)
        theirs = jax.jit(jax.grad(by_xla, argnums=(0, 1)))(x, kernel)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, 1), (2, "valid")])
def test_second_derivatives(stride, padding, monkeypatch):
    """Of the squared length of both gradients, against XLA's."""
    monkeypatch.setattr(module, "_CACHED", 1)
    random = np.random.default_rng(1)
    x, kernel = random.normal(size=(3, 7, 6, 2)), random.normal(size=(3, 3, 2, 4))

    def by_xla(x, kernel):
        around, pads = _around(x, (3, 3), padding)
        return _by_xla(around, kernel, stride, pads)

    def slope(run, x, kernel):
        first = jax.grad(lambda x, k: jnp.sum(jnp.tanh(run(x, k))), argnums=(0, 1))
        return sum(jnp.sum(g**2) for g in first(x, kernel))

    def ours(x, kernel):
        return correlate(x, kernel, stride=stride, padding=padding)

    found, expected = (
        jax.jit(jax.grad(partial(slope, run), argnums=(0, 1)))(x, kernel) for run in (ours, by_xla)
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_leading_axes_and_vmap():
    key = jax.random.key(0)
    x, kernel = jax.random.normal(key, (2, 3, 6, 6, 2)), jax.random.normal(key, (3, 3, 2, 4))
    whole = correlate(x, kernel)
    assert whole.shape == (2, 3, 4, 4, 4)
    np.testing.assert_allclose(jax.vmap(lambda one: correlate(one, kernel))(x), whole, rtol=1e-5, atol=1e-5)
    kernels = jnp.stack([kernel, 2 * kernel])
    both = jax.vmap(lambda k: correlate(x, k))(kernels)
    np.testing.assert_allclose(both[1], 2 * whole, rtol=1e-5, atol=1e-5)


def test_compiled_once_for_a_shape():
    traces = []

    @jax.jit
    def run(x, kernel):
        traces.append(1)
        return jax.grad(lambda k: jnp.sum(correlate(x, k) ** 2))(kernel)

    for seed in range(3):
        key = jax.random.key(seed)
        run(jax.random.normal(key, (4, 6, 6, 1)), jax.random.normal(key, (3, 3, 1, 2)))
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("x", "kernel", "options", "message"),
    [
        ((6, 6, 2), (3, 3, 3, 4), {}, "^x: expected fields"),
        ((6, 2), (3, 3, 2, 4), {}, "^x: expected fields"),
        ((6, 6, 2), (2, 4), {}, "^kernel: expected an array"),
        ((2, 6, 2), (3, 3, 2, 4), {}, "^x: expected at least"),
        ((6, 6, 2), (2, 2, 2, 4), {"padding": "same"}, "^padding: expected 'valid' or a number"),
        ((6, 6, 2), (3, 3, 2, 4), {"padding": "full"}, "^padding: expected 'valid'"),
        ((6, 6, 2), (3, 3, 2, 4), {"padding": -1}, "^padding: expected 'valid'"),
        ((6, 6, 2), (3, 3, 2, 4), {"stride": 0}, "^stride: expected a positive"),
    ],
)
def test_bad_input(x, kernel, options, message):
    with pytest.raises(InputError, match=message):
        correlate(jnp.ones(x), jnp.ones(kernel), **options)
