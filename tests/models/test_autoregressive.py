"""Autoregressive wave functions in every kind of space: normalised, exact samples, one step after another."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

import intertwine as it
from intertwine.models.autoregressive.places import following, order_of
from thinned import thinned

SPACES = {
    "spins": lambda: it.Spins(it.Chain(6)),
    "magnetization on a square": lambda: it.Spins(it.Square(2, 3), magnetization=0),
    "spin 1": lambda: it.Spins(it.Chain(4), s=1, magnetization=2),
    "bosons": lambda: it.Bosons(it.Chain(4), particles=3),
    "electrons": lambda: it.Fermions(it.Chain(3), (2, 1)),
    "parity": lambda: it.Fermions(it.Square(2, 2), spin=False, parity=1),
    "blockade": lambda: it.Rydberg(it.Square(2, 3, pbc=False)),
    "mixed": lambda: it.Spins(3, s=1) * it.Bosons(2, most=1),
}
NETS = {
    "dense": lambda space, key, dtype: it.MaskedDense(space, 2, 3, dtype=dtype, key=key),
    "convolution": lambda space, key, dtype: it.MaskedConvolution(space, 2, 3, reach=2, dtype=dtype, key=key),
    "gru": lambda space, key, dtype: it.RecurrentNetwork(space, 2, 3, cell="gru", dtype=dtype, key=key),
    "lstm": lambda space, key, dtype: it.RecurrentNetwork(space, 1, 3, cell="lstm", dtype=dtype, key=key),
    "tensor": lambda space, key, dtype: it.RecurrentNetwork(
        space, 1, 3, cell="tensor", tied=True, dtype=dtype, key=key
    ),
    "transformer": lambda space, key, dtype: it.CausalTransformer(space, 1, 4, heads=2, dtype=dtype, key=key),
}
PAIRS = [(net, space) for net in NETS for space in SPACES]
log_psi = jax.jit(jax.vmap(lambda model, s: model(s), in_axes=(None, 0)))
drawn = jax.jit(lambda model, key: model.draw(4000, key=key))


def moved(model, key):
    """The model with parameters away from where they begin, so that all of them matter."""

    def shift(x):
        noise = np.random.default_rng(7).normal(size=x.shape).astype(x.dtype)
        return np.asarray(x) + np.asarray(0.4, x.dtype) * noise

    return jax.tree.map(lambda x: shift(x) if eqx.is_inexact_array(x) else x, model)


def chi_square(configurations, every, p):
    """The probability of a χ² as large as that of the counts, cells of expectation below 5 together."""
    rows = {row.tobytes(): i for i, row in enumerate(every)}
    counts = np.bincount([rows[row.tobytes()] for row in configurations], minlength=len(every))
    expected = len(configurations) * p
    many = expected >= 5
    counts = np.append(counts[many], counts[~many].sum())
    expected = np.append(expected[many], expected[~many].sum())
    kept = expected > 0
    assert counts[~kept].sum() == 0
    value = ((counts[kept] - expected[kept]) ** 2 / expected[kept]).sum()
    return chi2.sf(value, kept.sum() - 1)


@jax.jit
def step_by_step(model, s):
    """log ψ (B,) from the steps, of caches that were used for other configurations before."""
    steps, order = model.steps(), jnp.asarray(model.order)
    levels = model.hilbert.levels_of(s)[:, order]

    def walk(cache, levels):
        def one(carry, t):
            cache, before = carry
            cache, logs = steps.step(cache, t, before)
            return (cache, levels[:, t]), jnp.take_along_axis(logs, levels[:, t][:, None], 1)[:, 0]

        start = cache, jnp.zeros(len(s), jnp.int32)
        (cache, _), logs = jax.lax.scan(one, start, jnp.arange(model.size))
        return cache, logs.sum(0)

    stale, _ = walk(steps.begin(len(s)), levels[::-1])
    return walk(stale, levels)[1]


@pytest.mark.parametrize("net, space", thinned(PAIRS, 6))
def test_normalised_inside_the_space_and_drawn_exactly(net, space, key):
    where = SPACES[space]()
    dtype = complex if (len(net) + len(space)) % 2 else float
    model = moved(NETS[net](where, key, dtype), key)
    every = where.free.configurations()
    inside = np.asarray(where.allows(every))
    values = np.asarray(log_psi(model, every))
    p = np.exp(2 * values.real)
    assert abs(p.sum() - 1) < 1e-12
    assert (p[~inside] == 0).all() and (p[inside] > 0).all() and p.max() < 0.9
    assert model.kind == ("complex" if dtype is complex else "real")
    rows = np.asarray(drawn(model, key))
    assert rows.dtype == np.int8 and chi_square(rows, every, p) > 1e-3
    again = np.asarray(step_by_step(model, every[inside]))
    np.testing.assert_allclose(np.exp(again), np.exp(values[inside]), rtol=1e-12)


def test_conditionals_see_only_what_was_visited_before(key):
    space = SPACES["spins"]()
    model = moved(it.MaskedConvolution(space, 2, 3, reach=3, key=key), key)
    s = jnp.array([1, -1, 1, 1, -1, 1], jnp.int8)
    p, q = (np.asarray(model.conditionals(x)) for x in (s, s.at[3].multiply(-1)))
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-12)
    np.testing.assert_array_equal(p[:4], q[:4])
    assert (p[4:] != q[4:]).any()


def test_single_precision(key):
    space = SPACES["magnetization on a square"]()
    model = it.RecurrentNetwork(space, 1, 4, dtype=np.float32, key=key)
    values = log_psi(model, space.configurations())
    assert values.dtype == np.float32 and abs(np.exp(2 * values).sum() - 1) < 1e-5


@pytest.mark.parametrize("flip", [None, 1, -1])
def test_averaged_densities_are_symmetric_normalised_and_drawn_exactly(flip, key):
    ring = it.Chain(6)
    space = it.Spins(ring, magnetization=0)
    inner = moved(it.MaskedDense(space, 1, 2, dtype=complex, key=key), key)
    psi = it.SymmetrisedDensity(inner, None if flip == -1 else ring.translations, spin_flip=flip)
    every = space.configurations()
    p = np.exp(2 * np.asarray(log_psi(psi, every)).real)
    assert abs(p.sum() - 1) < 1e-12
    if flip != -1:
        np.testing.assert_allclose(log_psi(psi, np.roll(every, 1, 1)), log_psi(psi, every), rtol=1e-10)
    if flip is not None:
        ratio = np.exp(np.asarray(log_psi(psi, -every)) - np.asarray(log_psi(psi, every)))
        np.testing.assert_allclose(ratio, flip, rtol=1e-9)
    assert chi_square(np.asarray(drawn(psi, key)), every, p) > 1e-3


def test_the_visit():
    assert order_of(it.Spins(it.Square(3, 3)), snake=True) == (0, 1, 2, 5, 4, 3, 6, 7, 8)
    assert following(it.Spins(5), (0, 1, 2, 3, 4)) is None
    table = following(it.Fermions(4, (1, 1)), order_of(it.Fermions(4, (1, 1))))
    assert table.shape == (8, 4, 2)  # four pairs of numbers that are still to come


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda key: it.MaskedDense(4, 0, 3, key=key), "layers"),
        (lambda key: it.RecurrentNetwork(4, 1, 3, cell="elman", key=key), "cell"),
        (lambda key: it.CausalTransformer(4, 1, 6, heads=4, key=key), "heads"),
        (lambda key: it.MaskedConvolution(4, 1, 2, reach=0, key=key), "reach"),
        (
            lambda key: it.SymmetrisedDensity(
                it.MaskedDense(it.Spins(4, magnetization=2), 1, 2, key=key), spin_flip=1
            ),
            "spin_flip",
        ),
        (lambda key: it.SymmetrisedDensity(it.MeanField(4, key=key), spin_flip=1), "model"),
        (lambda key: it.models.model_from_name("recurrent:1x4:gru:lstm", it.Chain(4), key=key), "model"),
    ],
)
def test_wrong_input(build, words, key):
    with pytest.raises(it.InputError, match=words):
        build(key)
