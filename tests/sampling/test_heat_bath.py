"""Heat bath against enumeration, exact conditional probabilities and Kaufman's finite torus."""

import jax
import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.draw import sample
from intertwine.sampling.metropolis.rules import SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
from intertwine.sampling.spins.colouring import greedy_colouring
from intertwine.sampling.spins.heat_bath import HeatBath, HeatBathState
from intertwine.sampling.spins.packed_plan import packed_plan
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattices import Chain, Cubic, Honeycomb, Kagome, Square, Triangular
from thinned import thinned


def glass(lattice, K):
    bonds = len(lattice.bonds())
    return Ising(lattice, K * np.random.default_rng(3).choice([-1.0, 1.0], bonds), h=0.1)


PACKED = {
    "square": lambda: Ising(Square(4, 2), K=0.3, h=0.1),
    "checkerboard": lambda: Ising(Square(4, 4), K=0.3, h=0.05),
    "triangular, antiferromagnetic": lambda: Ising(Triangular(3, 3), K=-0.4, h=0.2),
    "open square": lambda: Ising(Square(3, 3, pbc=False), K=0.4),
    "ring": lambda: Ising(Chain(9), K=0.6),
    "honeycomb": lambda: Ising(Honeycomb(2, 2), K=0.5, h=-0.1),
    "kagome": lambda: Ising(Kagome(2, 1), K=0.3),
    "cubic": lambda: Ising(Cubic(2, 2, 2), K=0.25),
    "glass": lambda: glass(Triangular(3, 3), 0.5),
    "fields": lambda: Ising(Square(3, 3), K=0.3, h=np.linspace(-1, 1, 9)),
    "no coupling": lambda: Ising(Chain(6), K=0.0, h=0.7),
    "frozen": lambda: Ising(Chain(4), K=0.3, h=-400.0),
}
SINGLE = {
    "further": lambda: Ising(
        Square(3, 3), K=0.2, h=0.1, further={"next": -0.1, "plaquette": 0.15, "corner": 0.1}
    ),
    "fields in three-spin terms": lambda: Ising(
        Triangular(3, 3), K=0.1, further={"corner": 0.2, "row": -0.1}
    ),
    "random couplings": lambda: Ising(Square(3, 3), K=np.linspace(-0.5, 0.5, 18)),
    "potts": lambda: Potts(Square(3, 2), 3, K=0.6, h=0.3),
    "clock": lambda: Clock(Triangular(3, 2, pbc=False), 4, K=0.7),
    "frozen potts": lambda: Potts(Chain(3), 4, K=-900.0),
}
ON_JAX = ("checkerboard", "glass")
CASES = [("host", name) for name in PACKED | SINGLE] + [("jax", name) for name in ON_JAX]


def chi_squared(counts, expected):
    """χ² and its degrees of freedom, rare states together."""
    often = expected >= 8
    counts, expected = (np.append(x[often], x[~often].sum()) for x in (counts, expected))
    counts, expected = counts[expected > 1e-9], expected[expected > 1e-9]
    return ((counts - expected) ** 2 / expected).sum(), len(counts) - 1


def assert_law(samples, exact):
    """Configurations (n, N) are independent samples of an enumeration."""
    base = 2 if exact.configurations.min() < 0 else exact.configurations.max() + 1
    digits = (
        ((1 - exact.configurations) // 2, (1 - samples) // 2)
        if base == 2
        else (exact.configurations, samples)
    )
    powers = base ** np.arange(samples.shape[1] - 1, -1, -1)
    number, drawn = (np.asarray(d, np.int64) @ powers for d in digits)
    counts = np.bincount(drawn, minlength=len(number))[number]
    assert counts[exact.probabilities < 1e-14].sum() == 0
    found, freedom = chi_squared(counts, len(samples) * exact.probabilities)
    assert abs(found - freedom) < 4 * np.sqrt(2 * max(freedom, 1)), (found, freedom)


@pytest.mark.parametrize(("backend", "name"), thinned(CASES))
def test_independent_chains_follow_the_enumerated_distribution(backend, name, key):
    model = (PACKED | SINGLE)[name]()
    sampler = HeatBath(chains=8192, burn_in=60, backend=backend)
    assert (packed_plan(model) is not None) == (name in PACKED)
    state = sampler.init(model, key=key)
    assert_law(np.asarray(state.configurations), enumerate_distribution(model))


@pytest.mark.parametrize(
    ("backend", "name"), [("host", "glass"), ("jax", "checkerboard"), ("host", "further")]
)
def test_one_sweep_leaves_the_exact_distribution_as_it_is(backend, name, key):
    model = (PACKED | SINGLE)[name]()
    exact = enumerate_distribution(model)
    rows = np.random.default_rng(1).choice(len(exact.probabilities), 8192, p=exact.probabilities)
    sampler = HeatBath(chains=8192, backend=backend)
    samples, _ = sampler.sample(model, HeatBathState(exact.configurations[rows]), 1, key=key)
    assert_law(np.asarray(samples.configurations[:, 0]), exact)


def last_colour(model):
    """The sites drawn last in a sweep, and their neighbours."""
    neighbours = model.lattice.neighbours()
    colours = greedy_colouring(neighbours)
    sites = np.flatnonzero(colours == colours.max())
    return sites, neighbours[sites]


@pytest.mark.parametrize(
    ("backend", "lattice"),
    [("host", Square(32, 32)), ("host", Triangular(30, 30)), ("jax", Square(32, 32))],
    ids=str,
)
def test_conditional_probabilities_of_every_lane(backend, lattice, key):
    model = Ising(lattice, K=0.2, h=0.05)
    sampler = HeatBath(chains=64, burn_in=0, backend=backend)
    samples, _ = sampler.sample(model, sampler.init(model, key=key), 5, key=key)
    spins = np.asarray(samples.configurations, np.int64)
    sites, neighbours = last_colour(model)
    field = spins[..., neighbours].sum(-1)
    chi = []
    for lane in range(64):
        for f in np.unique(field):
            here = field[lane] == f
            p, n = 1 / (1 + np.exp(-2 * (0.2 * f + 0.05))), here.sum()
            if n > 50:
                up = (spins[lane][:, sites][here] > 0).sum()
                chi.append((up - n * p) ** 2 / (n * p * (1 - p)))
    chi = np.array(chi)
    assert abs(chi.sum() - len(chi)) < 4 * np.sqrt(2 * len(chi))
    assert chi.max() < 25


@pytest.mark.parametrize("backend", ["host", "jax"])
def test_lanes_are_independent(backend, key):
    model, chains = Ising(Square(64, 64), K=0.3), 64
    sampler = HeatBath(chains=chains, backend=backend)
    same = np.tile(np.random.default_rng(0).choice(np.array([-1, 1], np.int8), 64 * 64), (chains, 1))
    samples, _ = sampler.sample(model, HeatBathState(same), 1, key=key)
    spins = np.asarray(samples.configurations[:, 0], np.int64)
    sites, neighbours = last_colour(model)
    residual = spins[:, sites] - np.tanh(0.3 * spins[:, neighbours].sum(-1))
    scores = (residual @ residual.T / np.sqrt((residual**2) @ (residual**2).T))[np.triu_indices(chains, 1)]
    assert abs(scores).max() < 5
    assert abs((scores**2).mean() - 1) < 4 * np.sqrt(2 / len(scores))
    assert abs(scores.mean()) < 4 / np.sqrt(len(scores))


@pytest.mark.parametrize("K", thinned([0.40, CRITICAL_SQUARE, 0.48]))
@pytest.mark.parametrize("size", thinned([4, 8, 16]))
def test_energy_and_magnetization_of_finite_tori(size, K, key):
    model = Ising(Square(size, size), K)
    sampler = HeatBath(chains=128, burn_in=100 * size, steps=size // 2)
    sums, _ = sampler.sums(model, sampler.init(model, key=key), 1500, key=key)
    energy = estimate(-sums.log_weight / K / size**2)
    assert abs(energy.mean - ising_torus(size, size, K).energy) < 3 * energy.error
    if size <= 8:
        m, p = magnetization_distribution(size, size, K)
        x = sums.magnetization / size**2
        m2, m4 = estimate(x**2), estimate(x**4)
        assert abs(m2.mean - p @ m**2) < 3 * m2.error
        cumulant = 1 - (p @ m**4) / (3 * (p @ m**2) ** 2)
        chains = len(x)
        two, four = (x**2).mean(1), (x**4).mean(1)
        without = [(v.sum() - v) / (chains - 1) for v in (two, four)]
        values = 1 - without[1] / (3 * without[0] ** 2)
        error = np.sqrt((chains - 1) * values.var())
        assert abs(1 - m4.mean / (3 * m2.mean**2) - cumulant) < 3 * error


def test_jax_path_at_the_critical_point(key):
    model = Ising(Square(8, 8), CRITICAL_SQUARE)
    sampler = HeatBath(chains=96, burn_in=400, steps=5, backend="jax")
    samples, _ = sampler.sample(model, sampler.init(model, key=key), 400, key=key)
    energy = estimate(np.asarray(model.energy(samples.configurations)) / 64)
    assert abs(energy.mean - ising_torus(8, 8, CRITICAL_SQUARE).energy) < 3 * energy.error


def test_sums_are_those_of_the_configurations(key):
    model = glass(Triangular(4, 4), 0.4)
    sampler = HeatBath(chains=70, steps=2, burn_in=3)
    state = sampler.init(model, key=key)
    sums, after = sampler.sums(model, state, 4, key=key)
    samples, other = sampler.sample(model, state, 4, key=key)
    weights = jax.vmap(jax.vmap(model))(samples.configurations)
    np.testing.assert_allclose(sums.log_weight, weights, atol=1e-12)
    np.testing.assert_array_equal(sums.magnetization, np.asarray(samples.configurations).sum(-1, dtype=int))
    np.testing.assert_array_equal(after.configurations, other.configurations)


@pytest.mark.parametrize(
    ("backend", "name"), [("host", "square"), ("jax", "checkerboard"), ("host", "potts")]
)
def test_the_same_key_gives_the_same_numbers_on_any_threads(backend, name, key):
    model, sampler = (PACKED | SINGLE)[name](), HeatBath(chains=200, burn_in=0, backend=backend)
    drawn = []
    for threads in (1, 2):
        with _threads.limit(threads):
            samples, _ = sampler.sample(model, sampler.init(model, key=key), 3, key=key)
        drawn.append(np.asarray(samples.configurations))
    other = sampler.sample(model, sampler.init(model, key=key), 3, key=jax.random.key(5))[0]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != np.asarray(other.configurations)).mean() > 0.1


def test_draws_of_it_sample(key):
    model = Ising(Triangular(4, 4), K=0.2)
    drawn = sample(model, 500, sampler=HeatBath(chains=64, burn_in=100, steps=5), key=key)
    assert drawn.mixed and drawn.shape == (500, 16)


def test_the_default_for_larger_terms_is_heat_bath(key):
    model = SINGLE["further"]()
    exact = enumerate_distribution(model)
    drawn = sample(model, 2000, key=key)
    truth = exact.probabilities @ exact.configurations.mean(1)
    magnetization = estimate(np.asarray(drawn).mean(1)[:, None])
    assert drawn.mixed and abs(magnetization.mean - truth) < 4 * magnetization.error * np.sqrt(drawn.tau)


@pytest.mark.slow
def test_parallel_tempering_takes_an_ising_model(key):
    model, K = Ising(Square(4, 4), K=0.6), 0.6
    sampler = ParallelTempering(SingleFlip(), chains=16, betas=(0.5, 1.0))
    drawn = sample(model, 16 * 150, sampler=sampler, key=key)
    energy = estimate(np.asarray(model.energy(np.asarray(drawn))).reshape(-1, 16).T / 16)
    assert abs(energy.mean - ising_torus(4, 4, K).energy) < 3.5 * energy.error


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HeatBath(chains=0), "chains: expected a positive integer"),
        (lambda: HeatBath(burn_in=-1), "burn_in: expected a number of sweeps"),
        (lambda: HeatBath(backend="gpu"), "backend: expected one of 'auto', 'host', 'jax'"),
        (
            lambda: HeatBath().init(RBM(4, hidden=2, key=jax.random.key(0)), key=jax.random.key(0)),
            "an Ising, Potts",
        ),
        (
            lambda: HeatBath(backend="jax").init(SINGLE["potts"](), key=jax.random.key(0)),
            "at most 7 neighbours",
        ),
        (
            lambda: HeatBath().sums(SINGLE["further"](), None, 1, key=jax.random.key(0)),
            "couplings of one size",
        ),
        (
            lambda: HeatBath().sample(
                PACKED["ring"](), HeatBathState(np.ones((3, 9))), 1, key=jax.random.key(0)
            ),
            "state: expected configurations of shape",
        ),
    ],
)
def test_what_cannot_be_sampled_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
