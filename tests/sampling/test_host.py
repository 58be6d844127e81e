"""The host sampler: its law against enumeration, its path through every kind of move, independence of
threads.
"""

from __future__ import annotations

import gc
import itertools
import tracemalloc

import jax
import numba
import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.kernels import host_tables
from intertwine.models.protocols import SpinForm
from intertwine.sampling.host_random import alias_table, chain_states, uniform
from intertwine.sampling.metropolis import host
from intertwine.sampling.metropolis.rules import Exchange, GlobalFlip, Mixture, SingleFlip
from thinned import thinned

SIZE = 8
FORMS = {
    "real rbm": {"hidden": 6, "scale": 0.4},
    "complex rbm": {"hidden": 11, "scale": 0.35, "is_complex": True},
    "real jastrow": {"hidden": 0, "coupling": True, "scale": 0.3},
    "complex jastrow": {"hidden": 0, "coupling": True, "scale": 0.3, "is_complex": True},
    "real jastrow and units": {"hidden": 5, "coupling": True, "scale": 0.3},
    "complex jastrow and units": {"hidden": 5, "coupling": True, "scale": 0.3, "is_complex": True},
    "mean field": {"hidden": 0, "scale": 0.5},
    "large weights": {"hidden": 4, "scale": 30.0},
    "large complex weights": {"hidden": 4, "scale": 30.0, "is_complex": True},
    "imaginary weights at a pole": {"hidden": 8, "scale": 0.1, "poles": True},
}
BONDS = [(i, (i + 1) % SIZE) for i in range(SIZE)]
TRIPLES = np.array([[i, (i + 1) % SIZE, (i + 3) % SIZE] for i in range(SIZE)])
RULES = {
    "single": SingleFlip(),
    "exchange": Exchange(BONDS),
    "mixture": Mixture([(SingleFlip(), 0.6), (Exchange(BONDS), 0.3), (GlobalFlip(), 0.1)]),
}


def make_form(
    hidden=4, scale=0.3, coupling=False, is_complex=False, poles=False, size=SIZE, seed=3
) -> SpinForm:
    rng = np.random.default_rng(seed)

    def draw(*shape):
        x = scale * rng.normal(size=shape)
        return x + 1j * scale * rng.normal(size=shape) if is_complex or poles else x

    pair = None
    if coupling:
        pair = draw(size, size)
        pair = pair + pair.T
        np.fill_diagonal(pair, 0)
    weights = draw(size, hidden)
    if poles:  # cosh of an odd multiple of iπ/2 almost vanishes
        weights = weights + np.where(rng.random((size, hidden)) < 0.4, 0.25j * np.pi, 0)
    return SpinForm(draw(), draw(size), pair, draw(hidden), weights)


def log_amplitudes(form: SpinForm, s: np.ndarray) -> np.ndarray:
    """log ψ written down directly, with logaddexp for the hidden units."""
    s = s.astype(float)
    theta = form.hidden_bias + s @ form.weights
    if np.iscomplexobj(theta):
        x, y = np.abs(theta.real), np.where(theta.real > 0, 1, -1) * theta.imag
        units = x + 1j * y + np.log1p(np.exp(-2 * x - 2j * y))
    else:
        units = np.logaddexp(theta, -theta)
    pair = 0 if form.coupling is None else 0.5 * np.einsum("bi,ij,bj->b", s, form.coupling, s)
    return form.constant + s @ form.field + pair + units.sum(axis=1)


def all_configurations(size: int) -> np.ndarray:
    return np.array(list(itertools.product([1, -1], repeat=size)), np.int8)


def drawn_with(form, rule, start, draws, sweep, key):
    table = rule.table(SIZE) if not isinstance(rule, np.ndarray) else None
    if table is None:
        return host.sample(form, rule, None, start, draws, sweep, key)
    return host.sample(form, table.sites, table.weights, start, draws, sweep, key, table.exchange)


def transition_matrix(form: SpinForm, rule) -> np.ndarray:
    """One Metropolis proposal as an exact matrix, from log ψ of all configurations."""
    states = all_configurations(SIZE)
    logs = 2 * log_amplitudes(form, states).real
    powers = 1 << np.arange(SIZE)[::-1]
    if isinstance(rule, np.ndarray):
        moves = [(row, 1 / len(rule), False) for row in rule]
    else:
        moves = list(zip(*rule.table(SIZE)[:3], strict=True))
    matrix, here = np.zeros((1 << SIZE, 1 << SIZE)), np.arange(1 << SIZE)
    for sites, weight, exchange in moves:
        sites = sites[sites < SIZE]
        flipped = states.copy()
        flipped[:, sites] *= -1
        if exchange:
            null = states[:, sites[0]] == states[:, sites[1]]
            flipped[null] = states[null]
        there = (flipped < 0) @ powers
        accept = np.exp(np.minimum(0, logs[there] - logs[here]))
        np.add.at(matrix, (here, there), weight * accept)
        np.add.at(matrix, (here, here), weight * (1 - accept))
    return matrix


@pytest.mark.parametrize("rule", [*RULES, "triples"])
@pytest.mark.parametrize("name", thinned(FORMS, 3))
def test_chains_follow_the_exact_matrix(name, rule, key):
    """After 3 and 60 proposals from one configuration, chains are spread as the matrix's powers say."""
    form, rule = make_form(**FORMS[name]), RULES.get(rule, TRIPLES)
    start = np.array([1, -1, -1, 1, 1, -1, 1, -1])
    chains = 2_000 if "large" in name else 30_000
    matrix = transition_matrix(form, rule)
    begin = matrix[(start < 0) @ (1 << np.arange(SIZE)[::-1])] * 0
    begin[(start < 0) @ (1 << np.arange(SIZE)[::-1])] = 1
    for sweep in (3, 60):
        drawn, _ = drawn_with(
            form, rule, np.tile(start, (chains, 1)), 1, sweep, jax.random.fold_in(key, sweep)
        )
        counts = np.bincount((drawn[:, 0] < 0) @ (1 << np.arange(SIZE)[::-1]), minlength=1 << SIZE)
        exact = begin @ np.linalg.matrix_power(matrix, sweep) * chains
        often = exact > 10
        assert counts[exact < 1e-9].sum() == 0
        chi_square = np.sum((counts[often] - exact[often]) ** 2 / exact[often])
        assert chi_square < often.sum() + 5 * np.sqrt(2 * often.sum())
        assert np.abs(counts - exact).max() < 5 * np.sqrt(exact.max()) + 5


@pytest.mark.parametrize("rule", thinned(RULES))
@pytest.mark.parametrize("scale", [{"is_complex": False}, {"is_complex": True, "coupling": True}])
def test_distance_to_enumeration_falls(scale, rule, key):
    """Total variation distance to |ψ|² falls as 1/√n."""
    form = make_form(hidden=6, scale=0.12, **scale)
    states = all_configurations(SIZE)
    weights = np.exp(2 * log_amplitudes(form, states).real)
    if rule == "exchange":
        weights[states.sum(axis=1) != 0] = 0
    exact = weights / weights.sum()
    drawn, _ = drawn_with(form, RULES[rule], np.tile([1, -1], (64, SIZE // 2)), 6420, 3 * SIZE, key)
    codes = (drawn[:, 20:] < 0) @ (1 << np.arange(SIZE)[::-1])

    def distance(draws: int) -> float:
        counts = np.bincount(codes[:, :draws].ravel(), minlength=1 << SIZE)
        return 0.5 * np.abs(counts / (64 * draws) - exact).sum()

    independent = np.sum(
        np.sqrt(exact * (1 - exact) / (2 * np.pi * 64 * 6400))
    )  # the mean for independent draws
    assert distance(6400) < 2.5 * independent
    assert 5 < distance(100) / distance(6400) < 12  # √64 = 8


@pytest.mark.parametrize("name", ["real rbm", "complex jastrow and units", "large weights"])
def test_threads_and_numbers(name, key):
    """The same key gives the same numbers with 1 and 2 threads; another key others."""
    form, start = make_form(**FORMS[name]), np.tile([1, -1], (21, SIZE // 2))
    results = []
    for threads in (1, 2, 5):
        with _threads.limit(threads):
            results.append(drawn_with(form, RULES["mixture"], start, 30, SIZE, key))
    for drawn, accepted in results[1:]:
        assert np.array_equal(drawn, results[0][0])
        assert accepted == results[0][1]
    other, _ = drawn_with(form, RULES["mixture"], start, 30, SIZE, jax.random.fold_in(key, 1))
    assert not np.array_equal(other, results[0][0])


@pytest.mark.parametrize("name", ["real rbm", "complex rbm", "complex jastrow and units"])
def test_units_do_not_drift(name, key, monkeypatch):
    """(p, q) after thousands of accepted moves, never recomputed, still give |ψ(s')/ψ(s)|² to 1e-12."""
    form = make_form(**FORMS[name])
    tables = host_tables.host_form(form)
    seen = []
    plain = host._run

    def watched(*arguments):
        plain(*arguments)
        seen.append([np.copy(arguments[i]) for i in (15, 17, 18)])  # spins, pq, norm

    monkeypatch.setattr(host, "_run", watched)
    monkeypatch.setattr(host, "SEGMENT", 1 << 30)
    with _threads.limit(1):
        drawn_with(form, RULES["mixture"], np.tile([1, -1], (8, SIZE // 2)), 1, 8000, key)
    spins, pq, norm = seen[-1]
    fresh = host_tables.unit_pairs(tables, spins)
    n = tables.padded

    def ratio(x):
        if not tables.complex_units:
            x = x[..., : tables.hidden]
            return x[:, 0] / (x[:, 0] + x[:, 1])
        z = (x[..., :n] + 1j * x[..., n:])[..., : tables.hidden]
        return z[:, 0] / (z[:, 0] + z[:, 1])

    assert len(seen) == 1
    assert np.abs(ratio(pq[:, :2]) / ratio(fresh) - 1).max() < 1e-12
    assert np.allclose(norm, host_tables.norms(tables, pq[:, :2]), rtol=1e-11)


def test_products_beyond_the_range_are_done_in_logarithms(key):
    """900 equal units of weight 1.2: the products of one flip span e^{±2000}; the law is still exact."""
    rng = np.random.default_rng(0)
    weights = np.full((SIZE, 900), 1.2) + 0.01 * rng.normal(size=(SIZE, 900))
    form = SpinForm(np.zeros(()), np.zeros(SIZE), None, np.zeros(900), weights)
    start = np.tile([1, -1], (16, SIZE // 2))
    drawn, accepted = drawn_with(form, RULES["single"], start, 50, SIZE, key)
    assert 0 < accepted < 0.1
    assert (np.abs(drawn[:, 10:].sum(axis=2)) == SIZE).all()  # all aligned: e^{−4000} elsewhere
    mixed, _ = drawn_with(form, RULES["mixture"], start, 200, SIZE, key)
    share = (mixed[:, 50:].sum(axis=2) == SIZE).mean()
    assert abs(share - 0.5) < 0.1


def test_memory_does_not_grow(key):
    """A hundred calls leave no arrays behind."""
    form, start = make_form(**FORMS["complex rbm"]), np.tile([1, -1], (16, SIZE // 2))
    drawn_with(form, RULES["mixture"], start, 4, SIZE, key)
    tracemalloc.start()
    for n in range(100):
        drawn_with(form, RULES["mixture"], start, 4, SIZE, jax.random.fold_in(key, n))
        if n == 9:
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000


def test_alias_table_is_exact():
    weights = np.random.default_rng(2).random(37)
    share, alias = alias_table(weights)
    probability = (np.bincount(alias, 1 - share, 37) + share) / 37
    assert np.allclose(probability, weights / weights.sum(), rtol=1e-13)


def test_generator_follows_the_reference():
    """xoshiro256++ from state (1, 2, 3, 4): its first outputs by the authors' C code are 41943041,
    58720359, ...
    """
    state = np.array([[1, 2, 3, 4]], np.uint64)
    draw = numba.njit(lambda s: uniform(s, 0))
    expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]
    assert [draw(state) for _ in expected] == [(x >> 11) / 2**53 for x in expected]


def test_chains_and_keys_are_independent():
    states = np.concatenate([chain_states(jax.random.key(k), 100) for k in range(20)])
    assert len(np.unique(states)) == states.size
    bits = np.unpackbits(states.view(np.uint8)).mean()
    assert abs(bits - 0.5) < 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"configurations": np.zeros((2, SIZE), np.int8)},
        {"configurations": np.ones((2, SIZE + 1), np.int8)},
        {"moves": np.array([[SIZE + 1]])},
        {"moves": np.array([[SIZE]])},
        {"moves": np.zeros((0, 1), int)},
        {"weights": np.array([-1.0, 2.0])},
        {"weights": np.ones(3)},
        {"exchange": True},
        {"draws": 0},
        {"sweep": 0},
    ],
)
def test_bad_input_is_named(change, key):
    arguments = {
        "form": make_form(),
        "moves": np.array([[0], [1]]),
        "weights": None,
        "configurations": np.ones((2, SIZE), np.int8),
        "draws": 1,
        "sweep": 1,
        "key": key,
    }
    with pytest.raises(InputError, match="moves" if "exchange" in change else next(iter(change))):
        host.sample(**(arguments | change))


def test_warm_up_compiles(key):
    host.warm_up(make_form(), SingleFlip()).result()
    compiled = len(host._run.signatures)
    drawn_with(make_form(), RULES["single"], np.tile([1, -1], (8, SIZE // 2)), 2, 3, key)
    assert len(host._run.signatures) == compiled
