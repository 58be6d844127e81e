"""`assert_equivariant` with its defaults: thirty planted bugs of ten kinds are caught; sound layers pass."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.layers import Conv, Linear, MaxPool, Pointwise, Sequential, field_type
from intertwine.layers.executors.correlate import correlate
from intertwine.symmetry import regular

KEY = jax.random.key(1)
P4, P4M, P6, C8, D8, C16 = (it.Grid(name) for name in ("p4", "p4m", "p6", "c8", "d8", "c16"))


def _conv(grid, into, out, width=3, seed=0, **options):
    return Conv(grid, into, out, width, padding="same", key=jax.random.key(seed), **options)


def _interleaved(fine, coarse, copies=1):
    """Two layers of a coarse group that know nothing of each other, said to be one of the fine group."""
    parts = [_conv(coarse, "scalar", f"{copies} regular", 5, seed) for seed in (0, 1)]
    n = coarse.group.order

    def layer(x):
        both = jnp.stack([part(x).reshape(*x.shape[:-1], copies, n) for part in parts], axis=-1)
        return both.reshape(*x.shape[:-1], -1)  # copy by copy: the elements of the two in turn

    return layer, dict(space=fine, rep_in="scalar", rep_out=f"{copies} regular")


def _interleaved_relu():
    layer, types = _interleaved(C8, P4, 4)
    return lambda x: jax.nn.relu(layer(x)), types


def _positions(weights, padding="same"):
    layer = Conv(P4, "scalar", "2 scalar", 3, padding=padding, key=KEY)

    def run(x):
        y = layer(x)
        place = jnp.indices(y.shape[1:-1])
        middle = (y.shape[1] - 1) / 2
        return y * weights(jnp.hypot(*(place - middle)))[..., None]

    return run, dict(space=P4, rep_in="scalar", rep_out="2 scalar")


def _zeros(layer):
    return jax.tree.map(lambda a: 0 * a if eqx.is_inexact_array(a) else a, layer), {}


def _beside(large, function):
    """A function of the vector beside a large scalar."""
    rep = field_type(P4M, "scalar + 2 vector")

    def run(x):
        return jnp.concatenate([large * x[..., :1], function(x[..., 1:])], axis=-1)

    return run, dict(space=P4M, rep_in=rep, rep_out=rep)


def _biased(grid, names, bias):
    layer = _conv(grid, names, names)
    return lambda x: layer(x) + jnp.asarray(bias), dict(space=grid, rep_in=names, rep_out=names)


def _kernel(change, grid=P4, into="2 scalar", out="regular"):
    """A convolution whose kernel (k, k, C_in, C_out) is changed."""
    kernel = change(_conv(grid, into, out).dense_kernel())
    return lambda x: correlate(x, kernel, padding="same"), dict(space=grid, rep_in=into, rep_out=out)


def _hexagonal(steps):
    """Zero padding of the whole parallelogram, several layers on end."""
    kernel = _conv(P6, "scalar", "scalar").dense_kernel()

    def run(x):
        for _ in range(steps):
            x = correlate(x, kernel, padding="same")
        return x

    return run, dict(space=P6, rep_in="scalar", rep_out="scalar")


def _hexagonal_mean():
    kernel = _conv(P6, "scalar", "scalar").dense_kernel()

    def run(x):
        y = correlate(x, kernel, padding="same")
        return y - y.mean((1, 2), keepdims=True)

    return run, dict(space=P6, rep_in="scalar", rep_out="scalar")


def _per_channel_norm(x):
    return (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))


def _on(grid, names, function):
    return function, dict(space=grid, rep_in=names, rep_out=names)


def _norm_across_copies(x):
    across = jnp.linalg.norm(x.reshape(*x.shape[:-1], 3, 2), axis=-2)
    return x / (1 + jnp.tile(across, 3))


def _largest(x):
    n = x.shape[1] // 2 * 2
    return x[:, :n, :n].reshape(len(x), n // 2, 2, n // 2, 2, -1).max((2, 4))


def _dropped(keep):
    return lambda x: x * jnp.asarray(keep)


BUGS = {
    "unrelated layers interleaved": {
        "c8 of two p4": lambda: _interleaved(C8, P4),
        "c16 of two c8": lambda: _interleaved(C16, C8),
        "relu of copies": _interleaved_relu,
    },
    "weights that depend on the position": {
        "radius": lambda: _positions(lambda r: 1 + r),
        "valid": lambda: _positions(lambda r: jnp.cos(r), "valid"),
        "slightly": lambda: _positions(lambda r: 1 + 1e-3 * r**2),
    },
    "zeros": {
        "convolution": lambda: _zeros(_conv(P4, "scalar", "regular")),
        "network": lambda: _zeros(
            Sequential([_conv(P4, "scalar", "2 regular"), Pointwise(2 * regular(P4.group))])
        ),
        "constant": lambda: (
            lambda x: jnp.ones((*x.shape[:-1], 2)),
            dict(space=P4, rep_in="scalar", rep_out="2 scalar"),
        ),
    },
    "a point-wise function on vectors beside a large scalar": {
        "relu, 1e6": lambda: _beside(1e6, jax.nn.relu),
        "elu, 1e4": lambda: _beside(1e4, jax.nn.elu),
        "softplus, 1e8": lambda: _beside(1e8, jax.nn.softplus),
    },
    "a bias on a non-trivial irrep": {
        "vector": lambda: _biased(P4, "vector", [0.01, 0.0]),
        "pseudoscalar": lambda: _biased(P4M, "scalar + pseudoscalar", [0.0, 1e-3]),
        "regular": lambda: _biased(P4, "regular", [0.1, 0.0, 0.0, 0.0]),
    },
    "a kernel in a wrong order": {
        "transposed": lambda: _kernel(lambda k: k.swapaxes(0, 1)),
        "elements backwards": lambda: _kernel(lambda k: k[..., jnp.array([0, 3, 2, 1])]),
        "flipped": lambda: _kernel(lambda k: k[:, ::-1], P4, "regular", "vector"),
    },
    "no mask at hexagonal borders": {
        "two layers": lambda: _hexagonal(2),
        "three layers": lambda: _hexagonal(3),
        "a mean over the array": _hexagonal_mean,
    },
    "a stride or crop off the centre": {
        "stride 2 of 8": lambda: (
            Conv(P4, "scalar", "regular", 3, stride=2, key=KEY),
            dict(shape=(8, 8)),
        ),
        "every second point": lambda: (
            lambda x: x[:, ::2, ::2],
            dict(space=P4, rep_in="scalar", rep_out="scalar", shape=(10, 10)),
        ),
        "padding on one side": lambda: (
            lambda x: jnp.pad(x, [(0, 0), (1, 0), (0, 1), (0, 0)])[:, 1:, 1:] + jnp.roll(x, 1, axis=1),
            dict(space=P4, rep_in="scalar", rep_out="scalar"),
        ),
    },
    "statistics of each component of an irrep": {
        "batch norm of vectors": lambda: _on(P6, "vector", _per_channel_norm),
        "standard deviation of each": lambda: _on(P6, "2 vector", lambda x: x / x.std((0, 1, 2))),
        "kept, of regular features": lambda: _on(P4, "regular", _dropped([1.0, 1.0, 1.01, 1.0])),
    },
    "component by component": {
        "largest in a window": lambda: (
            _largest,
            dict(space=P4, rep_in="vector", rep_out="vector", shape=(8, 8)),
        ),
        "dropout of one component": lambda: _on(P4, "vector", _dropped([2.0, 0.0])),
        "norm across copies": lambda: _on(P6, "3 vector", _norm_across_copies),
    },
}
ALL = [(kind, name) for kind, bugs in BUGS.items() for name in bugs]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_planted_bug_is_caught(kind, name):
    subject, types = BUGS[kind][name]()
    with pytest.raises(AssertionError, match=r"is not (equivariant|judged)"):
        it.assert_equivariant(subject, **types, key=KEY)


SOUND = {
    "c8 5": lambda: _conv(C8, "scalar", "2 regular", 5),
    "c8 3": lambda: _conv(C8, "2 scalar", "regular"),
    "c8 irreps": lambda: _conv(C8, "regular", "scalar + vector + irrep 2 + irrep 3 + irrep 4", 5),
    "c8 valid 7": lambda: Conv(C8, "regular", "regular + vector", 7, key=KEY),
    "d8": lambda: _conv(D8, "vector", "scalar + regular", 5),
    "c16 of relu": lambda: Sequential(
        [
            _conv(C16, "scalar", "2 regular", 5),
            Pointwise(2 * regular(C16.group)),
            _conv(C16, "2 regular", "vector", 5),
        ]
    ),
    "c8 pooled": lambda: Sequential([_conv(C8, "scalar", "2 regular", 5), MaxPool(C8, "2 regular")]),
    "p6 twice": lambda: Sequential([_conv(P6, "scalar", "regular"), _conv(P6, "regular", "vector")]),
    "stride": lambda: Conv(P4, "scalar", "regular", 3, stride=2, key=KEY),
}


SLOW = ("c8 irreps", "c8 valid 7", "c16 of relu", "d8")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in SOUND]
)
def test_a_sound_layer_passes(name):
    it.assert_equivariant(SOUND[name](), key=KEY)


def test_a_block_of_zeros_is_told():
    layer = Linear(P4M.scalar, field_type(P4M, "scalar + vector"), key=KEY)
    with pytest.warns(Caveat, match="unjudged: whole gives nothing but zeros on"):
        it.assert_equivariant(layer, space=P4M, key=KEY)


def test_rounding_of_a_small_difference_of_large_numbers_is_no_bug():
    """A block that is nothing but rounding: of numbers that cancel, summed in two orders."""

    def cancels(x):
        y = 1e4 * jnp.asarray(x, jnp.float32)
        rows = sum(jnp.roll(y, s, axis=1) for s in (-1, 0, 1))
        there = sum(jnp.roll(rows, s, axis=2) for s in (-1, 0, 1))
        back = sum(jnp.roll(y, (s, t), axis=(2, 1)) for s in (1, 0, -1) for t in (1, -1, 0))
        return there - back

    types = dict(space=P4, rep_in="vector", rep_out="vector", periodic=True)
    found = np.asarray(cancels(np.random.default_rng(0).normal(size=(1, 13, 13, 2))))
    assert 0 < np.abs(found).max() < 1
    it.assert_equivariant(cancels, **types, key=KEY)
