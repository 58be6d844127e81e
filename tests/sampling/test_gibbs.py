"""Block Gibbs, tempering, clamps and annealing against enumerated distributions and kernels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.tempered import tempered_path
from intertwine.sampling.gibbs.annealed import Annealed
from intertwine.sampling.gibbs.gibbs import Gibbs
from intertwine.sampling.gibbs.replicas import BetaLadder, ModelLadder, Replicas, tempered_sweep
from intertwine.sampling.gibbs.tempered_gibbs import TemperedGibbs, adapted
from intertwine.sampling.gibbs.trajectory import TrajectoryGibbs
from intertwine.sampling.laws import assert_follows_kernel, gibbs_matrix
from intertwine.sampling.statistics.estimate import estimate

KEY = jax.random.key(5)


def SLOW(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def rbm(units, hidden_units, hidden=3, scale=0.8, seed=0, size=4):
    return RBM(
        size, hidden=hidden, units=units, hidden_units=hidden_units, scale=scale, key=jax.random.key(seed)
    )


def numbers(configurations, states):
    """The index of every configuration (..., N) among the states (n, N)."""
    code = np.asarray(states, np.int64) + 1
    powers = 3 ** np.arange(code.shape[1])
    order = np.argsort(code @ powers)
    found = np.searchsorted((code @ powers)[order], (np.asarray(configurations, np.int64) + 1) @ powers)
    return order[found]


def exact(model):
    """(states, p(v)) of a model with discrete visible units, from ln Ψ."""
    states = model.visible_layer.states()
    log_p = np.asarray(jax.vmap(model)(jnp.asarray(states, float)))
    p = np.exp(log_p - log_p.max())
    return states, p / p.sum()


def assert_distributed(configurations, states, p, sigma=4.0):
    """χ² of independent configurations within `sigma` of its degrees of freedom."""
    counts = np.bincount(numbers(configurations, states).ravel(), minlength=len(p))
    expected = counts.sum() * p
    rare = expected < 5
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    used = expected > 0
    chi2, dof = (((counts - expected) ** 2)[used] / expected[used]).sum(), used.sum() - 1
    assert abs(chi2 - dof) < sigma * np.sqrt(2 * dof) + 1e-9, f"χ² {chi2:.1f} for {dof}"


DISCRETE = {
    "binary": rbm("binary", "binary"),
    "spin": rbm("spin", "spin", scale=0.5),
    "mixed": rbm((("binary", 2), ("potts:2", 2)), "potts:3", hidden=6),
    "deep": DBM((3, 2, 2, 2), scale=1.0, key=KEY),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_the_kernel_is_reversible_and_the_sampler_follows_it(name):
    """P(x → x') from joint energies: rows sum to 1, p(x)P(x → x') is symmetric (1e-12); sweeps counted."""
    model = DISCRETE[name]
    states, p, kernel = gibbs_matrix(model)
    flow = p[:, None] * kernel
    assert abs(kernel.sum(1) - 1).max() < 1e-12
    assert abs(flow - flow.T).max() < 1e-12
    sampler = Gibbs(steps=1, chains=1500, burn_in=0)
    state = sampler.init(model, key=KEY)
    seen = [np.concatenate(state.layers, 1)]
    for step in range(5):
        _, state = sampler.sample(model, state, 1, key=jax.random.key(step))
        seen.append(np.concatenate(state.layers, 1))
    index = numbers(np.stack(seen), states)
    counts = np.zeros(kernel.shape, np.int64)
    np.add.at(counts, (index[:-1].ravel(), index[1:].ravel()), 1)
    assert_follows_kernel(counts, kernel)


@pytest.mark.parametrize("hidden_units", ["gaussian", SLOW("rectified")])
def test_discrete_visible_units_with_continuous_hidden_ones(hidden_units):
    model = rbm("binary", hidden_units, scale=0.6)
    sampler = Gibbs(steps=15, chains=2000)
    samples, _ = sampler.sample(model, sampler.init(model, key=KEY), 2, key=KEY)
    assert_distributed(samples.configurations, *exact(model))


@pytest.mark.parametrize("units", ["gaussian", SLOW("rectified")])
def test_continuous_visible_units(units):
    """Means and mean squares against the exact mixture over the enumerated hidden units, 4σ."""
    model = rbm(units, "binary", scale=0.8)
    turned = RBM.from_parameters(
        model.hidden_bias, model.visible_bias, model.weights.T, units="binary", hidden_units=units
    )
    h, p = exact(turned)
    fields = np.asarray(model.visible_angles(jnp.asarray(h, float)))
    mean = np.asarray(model.visible_layer.mean(jnp.asarray(fields)))
    square = 1 + fields * mean  # E[x²|θ] = 1 + θ E[x|θ], normal or restricted to x ≥ 0
    sampler = Gibbs(steps=15, chains=2000)
    samples, _ = sampler.sample(model, sampler.init(model, key=KEY), 4, key=KEY)
    v = np.asarray(samples.configurations)
    assert v.dtype == np.float64
    for values, wanted in ((v, p @ mean), (v**2, p @ square)):
        for column in range(4):
            found = estimate(values[..., column])
            assert abs(found.mean - wanted[column]) < 4 * found.error


def test_clamped_units_against_enumerated_conditionals():
    """One clamp for all, and another for each chain; a mask and column numbers."""
    model = rbm("binary", "binary", scale=1.2)
    states, p = exact(model)
    for clamped, chains in ((([2, 0], [1, 0]), 2000), ((np.array([1, 0, 1, 0], bool), [0, 1]), 2000)):
        sampler = Gibbs(steps=15, chains=chains, clamped=clamped)
        samples, _ = sampler.sample(model, sampler.init(model, key=KEY), 2, key=KEY)
        fits = (states[:, 0] == 0) & (states[:, 2] == 1)
        assert_distributed(samples.configurations, states, np.where(fits, p, 0) / p[fits].sum())
    values = np.tile([[0], [1]], (1000, 1))
    sampler = Gibbs(steps=15, chains=2000, clamped=([3], values))
    samples, _ = sampler.sample(model, sampler.init(model, key=KEY), 2, key=KEY)
    for value in (0, 1):
        fits = states[:, 3] == value
        drawn = samples.configurations[value::2]
        assert_distributed(drawn, states, np.where(fits, p, 0) / p[fits].sum())


LADDERS = {
    "betas": BetaLadder(
        tempered_path(rbm("binary", "spin", scale=1.5), jnp.array([0.3, -0.2, 0.5, 0.0])),
        jnp.array([0.0, 0.4, 1.0]),
    ),
    "models": ModelLadder(
        jax.tree.map(
            lambda *x: jnp.stack(x),
            *(layered(rbm("binary", "spin", scale=s, seed=7)) for s in (0.3, 0.9, 1.5)),
        )
    ),
}


def rung_weights(ladder):
    """ln of the unnormalised p_r of all states, (R, n), independently of `compare`."""
    states = jnp.asarray(ladder.machine.layers[0].states(), float)
    if isinstance(ladder, BetaLadder):
        machines = [ladder.path.machine(b) for b in ladder.betas]
    else:
        machines = [jax.tree.map(lambda x, r=r: x[r], ladder.machines) for r in range(ladder.rungs)]
    return states, np.stack([np.asarray(m.log_weight((states,))) for m in machines])


@pytest.mark.parametrize("name", LADDERS)
def test_swaps_are_in_detailed_balance(name):
    """All pairs of states of neighbours as chains: p_r(x) p_{r+1}(y) A(x, y) is symmetric in x ↔ y, 1e-12."""
    ladder = LADDERS[name]
    states, weights = rung_weights(ladder)
    n = len(states)
    first, second = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    layers = (jnp.stack([states[first], states[second], states[first]]),)
    own, moved, *_ = ladder.compare(layers, jnp.array([1, 0, 2]))
    assert abs(own - np.stack([weights[0, first], weights[1, second], weights[2, first]])).max() < 1e-12
    ratio = np.asarray((moved - own)[0] + (moved - own)[1]).reshape(n, n)
    p = np.exp(weights - np.logaddexp.reduce(weights, 1, keepdims=True))
    flow = p[0][:, None] * p[1] * np.exp(np.minimum(ratio, 0))
    back = p[0] * p[1][:, None] * np.exp(np.minimum(ratio.T, 0))
    assert abs(flow - back).max() < 1e-12


@pytest.mark.parametrize("name, parity", [("betas", 0), ("models", 1), SLOW("betas", 1), SLOW("models", 0)])
def test_a_tempered_sweep_leaves_the_joint_law_of_replicas(name, parity):
    """Replicas drawn from the exact product law: after a sweep, every pair of neighbours still has it."""
    ladder = LADDERS[name]
    states, weights = rung_weights(ladder)
    p = np.exp(weights - np.logaddexp.reduce(weights, 1, keepdims=True))
    chance, chains = np.random.default_rng(parity), 40_000
    index = np.stack([chance.choice(len(states), chains, p=row) for row in p])
    start = Replicas((jnp.asarray(states)[index],), jnp.zeros(index.shape, jnp.int32))
    after, counts, _ = jax.jit(tempered_sweep)(ladder, None, start, parity, key=KEY)
    assert counts.tried.tolist() == [1 - parity, parity]
    index = numbers(after.layers[0], states)
    for low in (0, 1):
        joint = np.bincount(index[low] * len(states) + index[low + 1], minlength=len(states) ** 2)
        expected = chains * np.outer(p[low], p[low + 1]).ravel()
        used = expected > 5
        chi2 = ((joint - expected) ** 2 / np.maximum(expected, 1e-300))[used].sum()
        assert abs(chi2 - used.sum()) < 4 * np.sqrt(2 * used.sum())


@pytest.mark.parametrize("name", [SLOW("tempered"), SLOW("trajectory")])
def test_tempered_samplers_draw_from_the_model(name):
    model = rbm("binary", "binary", scale=2.0)
    if name == "tempered":
        sampler = TemperedGibbs(replicas=4, steps=10, chains=1000, burn_in=30, adapt=2)
    else:
        earlier = [rbm("binary", "binary", scale=s) for s in (0.5, 1.0, 1.5)]
        sampler = TrajectoryGibbs(earlier, steps=10, chains=1000, burn_in=30, acceptance=None)
    state = sampler.init(model, key=KEY)
    samples, after = sampler.sample(model, state, 2, key=KEY)
    again, _ = sampler.sample(model, state, 2, key=KEY)
    assert (np.asarray(samples.configurations) == np.asarray(again.configurations)).all()
    assert_distributed(samples.configurations, *exact(model))
    assert (np.asarray(after.swap_acceptance) > 0.2).all()
    assert 0 < float(after.round_trips) < 0.5


@pytest.mark.slow
def test_the_ladder_adapts_to_equal_swaps():
    """A model in the cold: with equal steps the rarest swap is rare, on the adapted ladder all are alike."""
    model = rbm("spin", "spin", hidden=6, scale=1.5, size=12)
    states = [
        TemperedGibbs(replicas=6, steps=300, chains=50, adapt=rounds).init(model, key=KEY)
        for rounds in (0, 4)
    ]
    shares = []
    for state in states:
        sampler = TemperedGibbs(replicas=6, steps=300, chains=50)
        shares.append(np.asarray(sampler.sample(model, state, 1, key=KEY)[1].swap_acceptance))
    assert np.ptp(shares[0]) > 3 * np.ptp(shares[1])
    assert np.ptp(shares[1]) < 0.08


def test_annealed_weights_are_unbiased_for_the_ratio_of_partition_functions():
    """⟨w⟩ = Z/Z_0 (Neal 2001), and the weighted samples have the model's mean, within 4σ."""
    model = rbm("binary", "binary", scale=1.5)
    states, p = exact(model)
    state, log_w = Annealed(steps=30).draw(model, 4000, key=KEY)
    log_z = np.logaddexp.reduce(np.asarray(jax.vmap(model)(jnp.asarray(states, float))))
    base = tempered_path(model, layered(model).biases).log_partition_base()
    w = np.exp(np.asarray(log_w) - (log_z - float(base)))
    assert abs(w.mean() - 1) < 4 * w.std() / np.sqrt(len(w))
    v = np.asarray(state[0])
    error = (w[:, None] * (v - p @ states)).std(0) / np.sqrt(len(w))
    assert (abs((w[:, None] * (v - p @ states)).mean(0)) < 4 * error).all()


def test_bad_input():
    model = rbm("binary", "binary")
    potts = rbm("potts:2", "binary")
    for make, word in (
        (lambda: Gibbs(steps=0), "steps"),
        (lambda: Gibbs(burn_in=-1), "burn_in"),
        (lambda: Gibbs(clamped=([9], [1])).init(model, key=KEY), "clamped"),
        (lambda: Gibbs(clamped=([1], [0.5])).init(model, key=KEY), "binary"),
        (lambda: Gibbs(clamped=([1], [np.nan])).init(model, key=KEY), "finite"),
        (lambda: Gibbs(clamped=([1, 1], [0, 1])).init(model, key=KEY), "once"),
        (lambda: Gibbs(clamped=([1], [0, 1])).init(model, key=KEY), "values of shape"),
        (lambda: Gibbs(clamped=([0], [1])).init(potts, key=KEY), "all 2 columns"),
        (lambda: Gibbs(start=np.full((2, 4), 7)).init(model, key=KEY), "start"),
        (lambda: Gibbs().init(RBM(4, hidden=2, dtype=complex, key=KEY), key=KEY), "real parameters"),
        (lambda: TemperedGibbs(replicas=1), "at least 2"),
        (lambda: TemperedGibbs(betas=(0.2, 1.0)), "from 0 to 1"),
        (lambda: TrajectoryGibbs([]), "models"),
        (lambda: TrajectoryGibbs([potts]).init(model, key=KEY), "same layers"),
    ):
        with pytest.raises(InputError, match=word):
            make()
    assert adapted(jnp.array([0.0, 1.0]), tempered_counts()).tolist() == [0.0, 1.0]


def tempered_counts():
    from intertwine.sampling.gibbs.replicas import SwapCounts

    return SwapCounts(jnp.array([0.0]), jnp.array([0.0]), jnp.zeros(()))
