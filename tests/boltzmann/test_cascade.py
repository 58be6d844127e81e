"""Modes of the data along a training: closed forms, exact flows, exact sums, trainings with chains."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.integrate import quad, solve_ivp

import intertwine as it
from intertwine.boltzmann.cascade import curie_weiss as exact
from intertwine.boltzmann.cascade.deep_linear import deep_linear_half_time
from intertwine.boltzmann.cascade.emergence import half_time
from intertwine.boltzmann.objectives.exact import exact_log_partition
from intertwine.models.network import FunctionNetwork

bm = it.boltzmann
GAUSSIAN = {"units": "gaussian", "hidden_units": "gaussian", "log_variance": None}


def rows_of(c):
    """Rows with the covariance diag(c) exactly."""
    spread = np.diag(np.sqrt(len(c) * np.asarray(c)))
    return np.concatenate([spread, -spread])


def test_the_closed_form_solves_the_equation():
    assert bm.gaussian_half_time([4.0, 2.0], 1e-6) == pytest.approx([2.167994627793163, 6.387894393561678])
    for c, u0 in ((4.0, 1e-6), (1.2, 1e-3), (1.0, 0.2), (0.5, 0.3), (3.0, 0.9)):
        found = solve_ivp(lambda t, w, c=c: w * (c - 1 / (1 - w * w)), (0, 3), [math.sqrt(u0)], rtol=1e-11,
                          atol=1e-14, t_eval=[0.5, 3.0])  # fmt: skip
        assert bm.gaussian_mode([0.5, 3.0], c, u0) == pytest.approx(found.y[0] ** 2, rel=1e-7)
    assert np.isinf(bm.gaussian_time(0.8, 4.0, 1e-6)) and np.isinf(bm.gaussian_half_time(0.9, 1e-6))
    with pytest.raises(it.InputError, match="c: expected"):
        bm.gaussian_final([-1.0])


def test_the_flow_of_the_library_follows_the_closed_form():
    """Every mode within 1e-3, by the gradient of ln Z that learning takes."""
    c, times = [5.116788, 3.741328, 1.07, 0.9], np.array([0.0, 1.0, 1.5838, 2.3705, 4.0, 60.0])
    machine = bm_machine(1e-3 * np.eye(4))
    found = bm.gradient_flow(machine, rows_of(c), times)
    u = np.array([np.diag(m.weights) ** 2 for m in found])
    assert np.abs(u - bm.gaussian_mode(times[:, None], c, 1e-6)).max() < 1e-3
    assert u[2, 0] == pytest.approx(0.804565 / 2, abs=1e-3) and u[-1, 1] == pytest.approx(0.732715, abs=1e-3)


def bm_machine(weights):
    n, m = np.shape(weights)
    return it.RBM.from_parameters(jnp.zeros(n), jnp.zeros(m), jnp.asarray(weights), **GAUSSIAN)


def test_learning_with_the_exact_gradient_takes_the_same_steps():
    c = [4.0, 2.0, 0.7]
    trace = bm.EmergenceTrace(rows_of(c))
    fit = it.learn(
        bm_machine(0.1 * np.eye(3)), rows_of(c), method=it.ExactKL(), epochs=150, batch=6, learning_rate=0.02,
        average=None, centred=False, begin="model", key=jax.random.key(0), progress=trace,
    )  # fmt: skip
    found = bm.emergence(trace)
    steps = bm.gaussian_steps([0.1] * 3, c, 0.02, 150)[1:]
    assert np.abs(found.strength - steps).max() < 1e-5
    assert found.time[-1] == pytest.approx(3.0) and len(fit.history) == 150
    assert found.theory_final == pytest.approx([0.75, 0.5, 0.0])
    assert found.half_time[:2] == pytest.approx(found.theory_time[:2], rel=0.05)  # a finite step
    assert math.isnan(found.half_time[2]) and found.above == 2
    assert any("no chains" in line for line in found.warnings)


def test_the_integral_of_gaussian_units():
    rng = np.random.default_rng(0)
    machine = it.RBM.from_parameters(
        jnp.asarray(rng.normal(size=1)), jnp.asarray(rng.normal(size=1)), jnp.array([[0.6]]),
        units="gaussian", hidden_units="gaussian", log_variance=0.3,
    )  # fmt: skip
    total = quad(lambda v: math.exp(float(machine(jnp.array([v])))), -30, 30, limit=200)[0]
    assert exact_log_partition(machine) == pytest.approx(math.log(total), abs=1e-4)
    wide = bm_machine(rng.normal(size=(2, 5)) / 6)
    narrow = bm_machine(np.asarray(wide.weights).T)
    assert exact_log_partition(wide) == pytest.approx(exact_log_partition(narrow), abs=1e-6)
    other = it.RBM(4, hidden=3, units="gaussian", hidden_units="rectified", key=jax.random.key(0))
    with pytest.raises(it.InputError, match="ln Z"):
        bm.gradient_flow(other, np.ones((3, 4)), [1.0])


def spins_and_one(n, coupling):
    weights = jnp.full((n, 1), math.sqrt(coupling / n))
    return it.RBM.from_parameters(jnp.zeros(n), jnp.zeros(1), weights, hidden_units="gaussian")


def test_spins_and_a_gaussian_unit_are_the_curie_weiss_model():
    found = exact.curie_weiss(256)
    assert found.m2 * 16 == pytest.approx(1.1542462600622993, rel=1e-10)  # 50 digits; the reference, 2e-7 off
    assert found.m2 * 16 == pytest.approx(1.154246060262211, rel=1e-4)
    large = exact.curie_weiss(1_000_000)
    assert large.m2 * 1000 == pytest.approx(exact.LIMIT, rel=1e-3)
    assert pytest.approx(1.1708286566075286, rel=1e-12) == exact.LIMIT
    assert pytest.approx(0.270520128257841, rel=1e-12) == exact.BINDER_LIMIT
    assert large.binder == pytest.approx(exact.BINDER_LIMIT, rel=1e-2)
    n, coupling = 10, 1.3
    machine = spins_and_one(n, coupling)
    states = machine.visible_layer.states()
    log_p = -np.asarray(machine.free_energy(states), np.float64)
    p = np.exp(log_p - log_p.max())
    m = states.mean(1)
    small = exact.curie_weiss(n, coupling)
    assert (p @ m**2) / p.sum() == pytest.approx(small.m2, rel=1e-5)
    assert (p @ np.abs(m)) / p.sum() == pytest.approx(small.modulus, rel=1e-5)


def test_the_susceptibility_of_machines_that_pass_the_transition():
    """χ of sampled machines against exact sums, and its exponent 1/2."""
    n, couplings = 64, (0.4, 0.8, 1.2)
    rows = np.concatenate([np.ones((50, n)), -np.ones((50, n))]).astype(int)
    machines = [spins_and_one(n, w) for w in couplings]
    found = bm.emergence(machines, rows, modes=1, times=couplings, samples=4000, key=jax.random.key(0))
    assert found.singular_values[:, 0] ** 2 == pytest.approx(couplings, rel=1e-5)
    for w, chi, modulus in zip(couplings, found.susceptibility[:, 0], found.magnetisation[:, 0], strict=True):
        truth = exact.curie_weiss(n, w)
        assert chi == pytest.approx(truth.susceptibility, rel=0.12)  # 4.5 errors of 4000 samples
        assert modulus == pytest.approx(truth.modulus, abs=4.5 * math.sqrt(truth.susceptibility / n / 4000))
    assert found.unstable[0] == pytest.approx(1.0, abs=0.02)
    sizes = [1024, 4096, 16384, 65536]
    chi = [
        [exact.curie_weiss(s, 1 + x / math.sqrt(s)).susceptibility for x in np.linspace(-2, 5, 57)]
        for s in sizes
    ]
    scaling = bm.peak_scaling(sizes, chi)
    assert scaling.exponent == pytest.approx(0.5, abs=0.02) and abs(scaling.effective[-1] - 0.5) < 0.01


def test_a_training_with_chains_learns_modes_in_their_order():
    """Spins with two blocks of different coherence: the larger c first; chains have magnetisations."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], (1000, 2))
    rows = np.repeat(signs, 8, axis=1) * np.where(rng.random((1000, 16)) < np.repeat([0.05, 0.25], 8), -1, 1)
    trace = bm.EmergenceTrace(rows, modes=3)
    rbm = it.RBM(16, hidden=8, scale=1e-3, key=jax.random.key(1))
    it.learn(
        rbm, rows, method=it.PCD(chains=300), epochs=120, batch=500, learning_rate=0.02, average=None,
        begin="data", key=jax.random.key(1), progress=trace,
    )  # fmt: skip
    found = bm.emergence(trace)
    assert found.above == 2 and found.eigenvalues[0] > found.eigenvalues[1] > 1.5 > found.noise
    assert found.half_time[0] < found.half_time[1] and (found.half_error[:2] < 0.2).all()
    assert 0.5 < found.unstable[0] < found.half_time[1]
    # linear growth, exact at first: strength ∝ exp((c − 1) t)
    early = found.strength[:, 0] < 0.1
    rate = np.polyfit(found.time[early], np.log(found.strength[early, 0]), 1)[0]
    assert rate == pytest.approx(found.eigenvalues[0] - 1, rel=0.1)
    assert found.magnetisation[-1, 0] > 3 * found.magnetisation[0, 0]
    assert found.susceptibility[:, 0].max() > 0.55  # 1 − 2/π = 0.36 of independent units


def test_data_of_every_kind():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (300, 5)).astype(float)
    rows[:, 4] = 1.0
    found = bm.principal_modes(rows)
    assert found.scale[4] == 0 and np.isfinite(found.vectors).all() and found.eigenvalues[-1] == 0
    assert found.eigenvalues.sum() == pytest.approx(4)  # of four columns that vary
    few = bm.principal_modes(rng.normal(size=(10, 40)))
    assert few.noise > few.eigenvalues[0] > 1 and few.above <= 9
    twice = bm.principal_modes(np.concatenate([rows, rows]))
    assert twice.eigenvalues == pytest.approx(found.eigenvalues) and twice.different == found.different
    weighted = bm.principal_modes((rows, np.full(300, 0.5)))
    assert weighted.eigenvalues == pytest.approx(found.eigenvalues)
    rows[0, 0] = np.nan
    assert np.isfinite(bm.principal_modes(rows).eigenvalues).all()
    for wrong in (np.ones((5, 3)), np.zeros((1, 3)), np.full((4, 2), np.inf)):
        with pytest.raises(it.InputError):
            bm.principal_modes(wrong)


def test_half_times_have_honest_errors():
    t, pulls = np.linspace(0, 10, 101), []
    for seed in range(200):
        u = 1 / (1 + np.exp(5 - 2 * t)) + 1e-3 + 0.01 * np.random.default_rng(seed).normal(size=len(t))
        u[0], u[-1] = 1e-3, 1.0
        found, error = half_time(t, u)
        pulls.append((found - 2.5) / error)
    assert abs(np.mean(pulls)) < 0.7 and 0.4 < np.std(pulls) < 2


def test_runs_that_kept_nothing():
    rbm = it.RBM(3, hidden=2, key=jax.random.key(0))
    rows = np.array([[1, 1, -1], [-1, 1, 1], [1, -1, 1], [-1, -1, -1]])
    for wrong, words in (("runs/x", "it.load"), (rbm, "last machine"), ([], "lines"),
                         (bm.EmergenceTrace(rows), "without lines")):  # fmt: skip
        with pytest.raises(it.InputError, match=words) as caught:
            bm.emergence(wrong, rows)
        assert "\n" not in str(caught.value)
    with pytest.raises(it.InputError, match="data"):
        bm.emergence([rbm, rbm])
    with pytest.raises(it.InputError, match="columns"):
        bm.emergence([rbm, rbm], np.eye(4))
    with pytest.raises(it.InputError, match="times"):
        bm.emergence([rbm, rbm], rows, times=[1.0, 1.0])


def test_deep_linear_networks():
    """Saxe et al. (2014) against gradient descent by the library, the error of the step taken out: 1e-4."""
    sigma, s0 = np.array([2.0, 1.0]), 0.01
    x = np.concatenate([np.eye(2), -np.eye(2)]) * math.sqrt(2)  # white
    y = x * sigma
    first = {"a": jnp.eye(2) * math.sqrt(s0), "b": jnp.eye(2) * math.sqrt(s0)}
    network = FunctionNetwork(linear, first)
    for t in (1.0, 1.5):
        found = []
        for rate in (4e-3, 2e-3):
            fit = it.fit_supervised(
                network, x, y, loss="squared-error", optimiser=optax.sgd(rate), epochs=round(t / rate),
                batch=4, key=jax.random.key(0),
            )  # fmt: skip
            found.append(np.diag(np.asarray(fit.model.parameters["b"] @ fit.model.parameters["a"], float)))
        assert 2 * found[1] - found[0] == pytest.approx(bm.deep_linear_mode(t, sigma, s0), abs=1e-4)
    assert bm.deep_linear_mode(deep_linear_half_time(3.0, 1e-3), 3.0, 1e-3) == pytest.approx(1.5)


def linear(p, x):
    return p["b"] @ (p["a"] @ x)
