"""Every sampler against enumeration, and what the protocol promises."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sampling_rows import MODELS, SAMPLERS, Generic, ring, sector

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.enumeration import (
    Enumeration,
    all_configurations,
    configuration_numbers,
    probabilities,
)
from intertwine.sampling.metropolis import metropolis, tempering
from intertwine.sampling.metropolis.metropolis import ChainState, Metropolis
from intertwine.sampling.metropolis.rules import Exchange, GlobalFlip, Mixture, SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
from intertwine.sampling.protocols import Sampler
from intertwine.sampling.statistics.estimate import estimate
from thinned import thinned

SIZE, CHAINS, DRAWS = 8, 256, 32


def frequencies(sampler, model, blocks, key, magnetization):
    """Each chain's frequencies of all configurations in blocks of DRAWS draws: (blocks, chains, n)."""
    numbers = configuration_numbers(model.size, magnetization)
    powers = 1 << np.arange(model.size - 1, -1, -1)
    state, found = sampler.init(model, key=key), []
    for t in range(blocks + 2):
        samples, state = sampler.sample(model, state, DRAWS, key=jax.random.fold_in(key, t))
        spins = np.asarray(samples.configurations, np.int64)
        index = np.searchsorted(numbers, ((1 - spins) // 2) @ powers)
        counts = np.zeros((CHAINS, len(numbers)))
        np.add.at(counts, (np.repeat(np.arange(CHAINS), DRAWS), index.ravel()), 1 / DRAWS)
        if t > 1:  # the first blocks thermalise
            found.append(counts)
    return np.array(found)


ALIKE = ("tempered exchanges", "exchange all, jax", "exchange ring, jax", "exchange and global, jax")
CASES = [(name, "rbm") for name in SAMPLERS if name not in ALIKE]
OTHERS = [(name, "rbm") for name in ALIKE]
OTHERS += [(name, model) for name in ("single, jax",) for model in MODELS if model != "rbm"]
OTHERS += [("tempering", model) for model in ("complex rbm", "binary rbm", "generic")]
OTHERS += [("exchange ring, host", model) for model in MODELS if model not in ("rbm", "generic")]
CASES += [pytest.param(*case, marks=pytest.mark.slow) for case in OTHERS]  # every kernel matrix is tested too


@pytest.mark.parametrize("name, model", thinned(CASES))
def test_total_variation_distance_falls_as_one_over_root_n(name, model, key):
    """TV(n) = ½ Σ_s |frequency − p|, averaged over the separate stretches of n samples, against its
    expectation for a normal error with the variance measured between the independent chains (autocorrelation
    included), for n from 8 to 65 thousand; the slope is −½. Exchanges get long sweeps, for a slow mode makes
    TV a noisy number."""
    psi = MODELS[model](SIZE)
    sampler = SAMPLERS[name](SIZE, CHAINS, 16 * SIZE if "exchange" in name else None)
    sites = sector(sampler, SIZE)
    exact = probabilities(psi, sites)
    found = frequencies(sampler, psi, 8, key, sites)
    blocks = np.array([1, 2, 4, 8])
    distances = []
    for count in blocks:
        stretches = found.reshape(8 // count, count, CHAINS, -1).mean(axis=1)
        distances.append(0.5 * abs(stretches.mean(axis=1) - exact).sum(axis=1).mean())
        spread = stretches.std(axis=1, ddof=1).mean(axis=0) / np.sqrt(CHAINS)
        assert distances[-1] == pytest.approx(0.5 * np.sqrt(2 / np.pi) * spread.sum(), rel=0.25), count
    multinomial = 0.5 * np.sqrt(2 / np.pi) * np.sqrt(exact * (1 - exact) / (CHAINS * DRAWS * 8)).sum()
    assert 0.8 * multinomial < distances[-1] < 4 * multinomial
    slope = np.polyfit(np.log(blocks), np.log(distances), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize("model", thinned(MODELS))
@pytest.mark.parametrize("magnetization", [None, 2])
def test_enumeration_is_exact(model, magnetization, key):
    psi = MODELS[model](6)
    sampler = Enumeration(magnetization=magnetization)
    samples, state = sampler.sample(psi, sampler.init(psi, key=key), 1, key=key)
    assert isinstance(sampler, Sampler) and int(state.size) == 6
    assert (
        samples.configurations.shape == (1, sampler.count(6), 6) and samples.configurations.dtype == jnp.int8
    )
    spins = np.asarray(samples.configurations[0], float)
    units = (1 + spins) / 2 if model == "binary rbm" else spins
    weights = np.array([abs(np.exp(complex(psi(jnp.asarray(v))))) ** 2 for v in units])
    np.testing.assert_allclose(samples.weights[0], weights / weights.sum(), rtol=1e-11)
    e = estimate(spins[None, :, 0], samples.weights)
    assert e.error == 0 and e.mean == pytest.approx(weights @ spins[:, 0] / weights.sum())


def test_enumeration_of_twenty_sites(key):
    psi = RBM(20, hidden=20, key=key)
    sampler = Enumeration(magnetization=0)
    samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 1, key=key)
    assert samples.configurations.shape == (1, 184756, 20)
    assert float(samples.weights.sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_protocol(name, key):
    psi, sampler = MODELS["rbm"](6), SAMPLERS[name](6, 12)
    assert isinstance(sampler, Sampler) and hash(sampler) == hash(SAMPLERS[name](6, 12))
    assert sampler == SAMPLERS[name](6, 12)
    first = sampler.init(psi, key=key)
    samples, state = sampler.sample(psi, first, 5, key=key)
    assert samples.configurations.shape == (12, 5, 6) and samples.configurations.dtype == jnp.int8
    assert (abs(samples.configurations) == 1).all() and samples.weights is None
    assert samples.acceptance.shape == () and 0.05 < float(samples.acceptance) < 1
    if sampler.rule.magnetization != "free":
        assert (samples.configurations.sum(axis=2) == 0).all()
    # the same model, state, draws and key give the same numbers, whatever was done before
    sampler.sample(psi, state, 5, key=jax.random.fold_in(key, 1))
    again, state_again = SAMPLERS[name](6, 12).sample(psi, first, 5, key=key)
    assert (samples.configurations == again.configurations).all()
    assert all((a == b).all() for a, b in zip(state, state_again, strict=True))
    other, _ = sampler.sample(psi, first, 5, key=jax.random.fold_in(key, 2))
    assert not (samples.configurations == other.configurations).all()


def test_chains_continue_where_they_stood(key):
    psi, sampler = MODELS["rbm"](6), Metropolis(SingleFlip(), 8, sweep=1, backend="jax")
    samples, state = sampler.sample(psi, sampler.init(psi, key=key), 3, key=key)
    assert (state.configurations == samples.configurations[:, -1]).all()
    following, _ = sampler.sample(psi, state, 1, key=key)
    changed = (following.configurations[:, 0] != state.configurations).sum(axis=1)
    assert (changed <= 1).all()


@pytest.mark.parametrize("name", ["single, jax", "exchange and global, jax", "tempering"])
def test_no_retrace_when_only_numbers_change(name, key):
    kernel = tempering._tempered_sample if name == "tempering" else metropolis._jax_sample
    sampler = SAMPLERS[name](7, 10)
    psi = MODELS["complex rbm"](7)
    state = sampler.init(psi, key=key)
    sizes = []
    for t in range(4):
        psi = jax.tree.map(lambda x: x * 1.01, psi)
        _, state = sampler.sample(psi, state, 3, key=jax.random.fold_in(key, t))
        sizes.append(kernel._cache_size())
    assert sizes[0] == sizes[-1]
    SAMPLERS[name](7, 10).sample(psi, state, 3, key=key)
    assert kernel._cache_size() == sizes[0]


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.complex64])
def test_single_precision(dtype, key):
    psi = RBM(6, hidden=5, dtype=dtype, scale=0.3, key=key)
    exact = probabilities(psi)
    for backend in ("jax", "host"):
        sampler = Metropolis(SingleFlip(), 512, backend=backend)
        samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 400, key=key)
        e = estimate(np.asarray(samples.configurations[:, 200:, 0], float))  # after 10 τ
        assert abs(e.mean - exact @ all_configurations(6)[:, 0]) < 3.5 * e.error


def test_tempering_crosses_where_metropolis_does_not(key):
    """Two ferromagnetic modes 20 kT apart: single flips stay in the mode that they started in."""
    size = 10
    psi = RBM.from_parameters(jnp.full(size, 0.04), jnp.zeros(2), jnp.full((size, 2), 0.85))
    exact = probabilities(psi) @ np.sign(all_configurations(size).sum(axis=1))
    start = jnp.ones((32, size), jnp.int8)
    plain = Metropolis(SingleFlip(), 32, backend="jax")
    samples, _ = plain.sample(psi, ChainState(start), 200, key=key)
    stuck = np.sign(np.asarray(samples.configurations, float).sum(axis=2)).mean()
    assert stuck - exact > 0.2
    tempered = ParallelTempering(SingleFlip(), 32, betas=10)
    state = tempered.init(psi, key=key)._replace(
        configurations=jnp.broadcast_to(start[:, None, :], (32, 10, size))
    )
    _, state = tempered.sample(psi, state, 200, key=key)
    samples, state = tempered.sample(psi, state, 200, key=jax.random.fold_in(key, 1))
    e = estimate(np.sign(np.asarray(samples.configurations, float).sum(axis=2)))
    assert abs(e.mean - exact) < 3 * e.error and e.error < 0.1
    assert (state.swap_acceptance > 0.3).all() and (state.swap_acceptance <= 1).all()


@pytest.mark.parametrize("name, sweep", [("single, host", 1), ("single, jax", 3), ("exchange ring, host", 8)])
def test_error_bars_of_metropolis_cover_the_exact_mean(name, sweep, key):
    """150 short runs of 16 chains × 24 draws of correlated proposals: one σ covers 68 ± 11 % (3 σ of 150)."""
    psi = MODELS["rbm"](SIZE)
    sampler = SAMPLERS[name](SIZE, 16 * 150, sweep)
    sites = sector(sampler, SIZE)
    exact = probabilities(psi, sites) @ all_configurations(SIZE, sites)[:, 0]
    _, state = sampler.sample(psi, sampler.init(psi, key=key), 240, key=key)
    samples, _ = sampler.sample(psi, state, 24, key=jax.random.fold_in(key, 1))
    values = np.asarray(samples.configurations[:, :, 0], float).reshape(150, 16, 24)
    runs = [estimate(v) for v in values]
    assert 0.57 < np.mean([abs(e.mean - exact) < e.error for e in runs]) < 0.79
    assert np.mean([e.tau for e in runs]) > 1.5


def test_zero_amplitudes_are_left_and_never_entered(key):
    """log ψ = −∞ outside half of the configurations: chains leave it at once and never come back."""

    class Half(Generic):
        def __call__(self, s):
            return jnp.where(s[0] > 0, super().__call__(s), -jnp.inf)

    psi, sampler = Half(jnp.eye(6)), Metropolis(SingleFlip(), 64, backend="jax")
    samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 30, key=key)
    assert (samples.configurations[:, 20:, 0] == 1).all()


SHARDED = """
import jax, jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import Exchange, GlobalFlip, Mixture, SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
key = jax.random.key(0)
psi = RBM(6, hidden=6, scale=0.3, key=key)
mesh = jax.make_mesh((4,), ("chains",), axis_types=(AxisType.Auto,))
for sampler in (
    Metropolis(SingleFlip(), 16),
    Metropolis(Mixture([(Exchange(), 0.5), (GlobalFlip(), 0.5)]), 16),
    ParallelTempering(SingleFlip(), 16, betas=3),
):
    state = sampler.init(psi, key=key)
    spread = state._replace(
        configurations=jax.device_put(state.configurations, NamedSharding(mesh, P("chains")))
    )
    one = sampler if not isinstance(sampler, Metropolis) else Metropolis(sampler.rule, 16, backend="jax")
    want, _ = one.sample(psi, state, 7, key=key)
    got, after = sampler.sample(psi, spread, 7, key=key)
    assert (jax.device_get(got.configurations) == jax.device_get(want.configurations)).all()
    got, after = sampler.sample(psi, after, 7, key=key)
    assert len(after.configurations.sharding.device_set) == 4, after.configurations.sharding
    assert not after.configurations.sharding.is_fully_replicated
explicit = jax.make_mesh((4,), ("chains",), axis_types=(AxisType.Explicit,))
state = Metropolis(SingleFlip(), 16).init(psi, key=key)
state = jax.device_put(state, NamedSharding(explicit, P("chains")))
try:
    Metropolis(SingleFlip(), 16).sample(psi, state, 1, key=key)
    raise SystemExit("explicit axes were accepted")
except InputError as error:
    assert "AxisType.Auto" in str(error)
print("same numbers on four devices")
"""


@pytest.mark.slow
def test_chains_spread_over_devices():
    env = dict(os.environ, XLA_FLAGS="--xla_force_host_platform_device_count=4", JAX_PLATFORMS="cpu")
    done = subprocess.run(
        [sys.executable, "-c", SHARDED], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "same numbers" in done.stdout, done.stderr[-2000:]


@pytest.mark.parametrize(
    "make, named",
    [
        (lambda: Metropolis(SingleFlip(), 0), "chains"),
        (lambda: Metropolis(SingleFlip(), 2.5), "chains"),
        (lambda: Metropolis("single", 4), "rule"),
        (lambda: Metropolis(SingleFlip(), 4, sweep=0), "sweep"),
        (lambda: Metropolis(SingleFlip(), 4, backend="gpu"), "backend"),
        (lambda: Metropolis(SingleFlip(), 4, magnetization=0), "magnetization"),
        (lambda: Metropolis(Exchange(), 4, magnetization="zero"), "magnetization"),
        (lambda: run(Metropolis(Exchange(), 4, magnetization=1)), "magnetization"),
        (lambda: run(Metropolis(Exchange(), 4, magnetization=8)), "magnetization"),
        (lambda: run(Metropolis(Exchange([(0, 6)]), 4)), "bonds"),
        (lambda: Exchange([(0, 0)]), "bonds"),
        (lambda: Exchange([(-1, 2)]), "bonds"),
        (lambda: Exchange([0.5, 2]), "bonds"),
        (lambda: Exchange([]), "bonds"),
        (lambda: Mixture([]), "parts"),
        (lambda: Mixture([(SingleFlip(), -1.0)]), "parts"),
        (lambda: Mixture([(SingleFlip(), float("nan"))]), "parts"),
        (lambda: Mixture([SingleFlip()]), "parts"),
        (lambda: Mixture([(SingleFlip(), "often")]), "parts"),
        (lambda: run(Metropolis(SingleFlip(), 4), draws=0), "draws"),
        (lambda: run(Metropolis(SingleFlip(), 4, backend="host"), model="generic"), "backend"),
        (lambda: ParallelTempering(SingleFlip(), 4, betas=0), "betas"),
        (lambda: ParallelTempering(SingleFlip(), 4, betas=(0.5, 0.9)), "betas"),
        (lambda: ParallelTempering(SingleFlip(), 4, betas=(1.0, 0.5)), "betas"),
        (lambda: ParallelTempering(SingleFlip(), 4, betas=(-0.5, 1.0)), "betas"),
        (lambda: ParallelTempering(SingleFlip(), 4, betas="many"), "betas"),
        (lambda: ParallelTempering(SingleFlip(), 0), "chains"),
        (lambda: Enumeration(magnetization=0.5), "magnetization"),
        (lambda: run(Enumeration(magnetization=1)), "magnetization"),
        (lambda: Enumeration().count(40), "size"),
        (lambda: all_configurations(23), "size"),
    ],
)
def test_bad_input_is_one_clear_line(make, named):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(named + ":") and "\n" not in str(caught.value)


def run(sampler, model="rbm", draws=1):
    psi, key = MODELS[model](6), jax.random.key(0)
    return sampler.sample(psi, sampler.init(psi, key=key), draws, key=key)


def test_a_state_of_another_sampler_is_refused(key):
    psi = MODELS["rbm"](6)
    with pytest.raises(InputError, match="state"):
        Metropolis(SingleFlip(), 4).sample(psi, Metropolis(SingleFlip(), 5).init(psi, key=key), 1, key=key)


def test_starts(key):
    psi = MODELS["rbm"](7)
    spins = Metropolis(Exchange(ring(7)), 500).init(psi, key=key).configurations
    assert (spins.sum(axis=1) == 1).all() and (abs(spins.mean(axis=0) - 1 / 7) < 0.2).all()
    down = Metropolis(Exchange(), 50, magnetization=-5).init(psi, key=key).configurations
    assert (down.sum(axis=1) == -5).all()
    free = Metropolis(SingleFlip(), 500).init(psi, key=key).configurations
    assert abs(float(free.mean())) < 0.06 and (abs(free) == 1).all()
    mixed = Metropolis(Mixture([(Exchange(), 1), (GlobalFlip(), 1)]), 50)
    state = mixed.init(psi, key=key)
    assert (state.configurations.sum(axis=1) == 1).all()
    samples, _ = mixed.sample(psi, state, 20, key=key)
    assert set(np.unique(samples.configurations.sum(axis=2)).tolist()) == {-1, 1}
