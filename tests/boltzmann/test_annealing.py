"""Annealed importance sampling against exact ln Z: every kind of unit, every depth, several seeds."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from boltzmann_rows import DEEP, KINDS, dbm, rbm

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.exact import exact_log_partition, exact_probabilities
from intertwine.boltzmann.partition.annealing import anneal, begin, effective_size, resampled
from intertwine.boltzmann.partition.bracket import bennett, lower_bound, upper_bound
from intertwine.boltzmann.partition.log_partition import AIS, UntrustedLogPartition, log_partition
from intertwine.boltzmann.partition.spacing import adapted, schedule
from intertwine.boltzmann.partition.trajectory_log_z import TrajectoryLogZ
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.tempered import tempered_path

SEEDS = (0, 1, 2)


def gaussian_log_z(model: RBM) -> float:
    """Both layers Gaussian: a normal integral with precision [[1, −W], [−Wᵀ, 1]]."""
    a, b, w = (np.asarray(x) for x in (model.visible_bias, model.hidden_bias, model.weights))
    precision = np.block([[np.eye(len(a)), -w], [-w.T, np.eye(len(b))]])
    field = np.concatenate([a, b])
    quadratic = field @ np.linalg.solve(precision, field)
    return 0.5 * (quadratic + len(field) * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1])


def truth(name: str, model) -> float:
    return gaussian_log_z(model) if name == "gaussian-gaussian" else exact_log_partition(model)


QUICK = ("binary-binary", "mixed-potts")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in KINDS]
)
def test_inside_its_bracket_for_every_kind(name):
    model = rbm(name, scale=0.15 if name == "gaussian-gaussian" else 0.4)
    exact = truth(name, model)
    for seed in SEEDS:
        found = log_partition(model, AIS(temperatures=300, chains=100), key=jax.random.key(seed))
        assert found.lower <= exact <= found.upper, (seed, exact, found)
        assert abs(found.mean - exact) < 5 * found.error and found.error < 0.05, (seed, exact, found)
        assert found.trusted, found


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if "three" not in n else ()) for n in DEEP]
)
def test_inside_its_bracket_for_every_depth(name):
    model = dbm(name)
    exact = exact_log_partition(model)
    for seed in SEEDS:
        found = log_partition(model, AIS(temperatures=300, chains=100), key=jax.random.key(seed))
        assert found.lower <= exact <= found.upper, (seed, exact, found)
        assert abs(found.mean - exact) < 5 * found.error, (seed, exact, found)


def test_weights_are_unbiased():
    """E[w] = Z and E[1/w_reverse] = 1/Z of five temperatures, which fluctuate: 4σ over 20,000 chains."""
    model = rbm("binary-binary", scale=0.5)
    exact = exact_log_partition(model)
    path = tempered_path(model)
    offset = float(path.log_partition_base())
    begun = begin(path, 20_000, jax.random.key(0))
    forward = offset + anneal(path, schedule(5), begun, key=jax.random.key(1)).log_weights()
    ratio = np.exp(forward - exact)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio)) and ratio.std() > 0.05
    states = jnp.asarray(model.visible_layer.states(), jnp.float64)
    rows = np.random.default_rng(0).choice(len(states), 20_000, p=exact_probabilities(model))
    back = anneal(path, schedule(5)[::-1], (states[rows],), key=jax.random.key(2))
    ratio = np.exp(exact - (offset - back.log_weights()))
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))


def test_it_is_the_given_parameters_that_are_annealed():
    """A known bug of others: chains moved with other parameters than those weighed. A large change of every
    parameter in turn must show in the estimate as it does in the truth."""
    model = rbm("binary-binary")
    for leaf in ("visible_bias", "hidden_bias", "weights"):
        changed = eqx.tree_at(lambda m, leaf=leaf: getattr(m, leaf), model, getattr(model, leaf) + 1.5)
        found = log_partition(changed, AIS(temperatures=500, chains=100), key=jax.random.key(3))
        exact = exact_log_partition(changed)
        assert abs(found.mean - exact) < 0.05 and abs(exact - exact_log_partition(model)) > 1


def test_the_last_states_are_the_models():
    """The chains end distributed as the model: means of the visible units within 5σ."""
    model = rbm("spin-spin")
    path = tempered_path(model)
    ends = anneal(path, schedule(100), begin(path, 20_000, jax.random.key(0)), key=jax.random.key(1)).state[0]
    states = np.asarray(model.visible_layer.states(), float)
    mean = exact_probabilities(model) @ states
    error = np.sqrt((1 - mean**2) / len(ends))
    assert np.abs((np.asarray(ends).mean(0) - mean) / error).max() < 5


@pytest.mark.slow
def test_warns_where_it_cannot_be_trusted():
    """A machine of two far modes and four temperatures: the estimate says so, and its bounds still hold."""
    w = jnp.full((12, 6), 1.5)
    model = RBM.from_parameters(jnp.zeros(12), jnp.zeros(6), w, units="spin", hidden_units="spin")
    with pytest.warns(UntrustedLogPartition, match="cannot be trusted"):
        found = log_partition(model, AIS(temperatures=4, chains=20, base="uniform"), key=jax.random.key(0))
    assert not found.trusted and found.reason and "not to be trusted" in str(found)
    assert found.lower <= exact_log_partition(model)


@pytest.mark.slow
def test_starts_that_miss_a_mode_are_noticed():
    """Walks back from one of two modes, with a field that makes it the smaller one, disagree with walks
    there."""
    model = RBM.from_parameters(
        jnp.full(12, 0.3), jnp.zeros(6), jnp.full((12, 6), 1.0), units="spin", hidden_units="spin"
    )
    method = AIS(temperatures=1000, chains=50, starts=-np.ones((50, 12)), mixing=1)
    with pytest.warns(UntrustedLogPartition, match="below|apart|differ|worth"):
        found = log_partition(model, method, key=jax.random.key(0))
    assert not found.trusted


def test_choices_of_base_and_spacing():
    model = rbm("binary-binary")
    exact = exact_log_partition(model)
    for base in ("uniform", "model", np.zeros(6), tuple(np.zeros(n) for n in (6, 4))):
        for spacing in ("linear", "sigmoid", "adapted"):
            method = AIS(temperatures=800, chains=50, base=base, spacing=spacing)
            found = log_partition(model, method, key=jax.random.key(1))
            assert found.lower <= exact <= found.upper
    betas = schedule(50) ** 2
    assert abs(log_partition(model, AIS(betas, chains=50), key=jax.random.key(2)).mean - exact) < 0.1


def test_forward_only_has_no_upper_bound():
    model = rbm("binary-binary")
    found = log_partition(model, AIS(temperatures=300, reverse=False), key=jax.random.key(0))
    assert found.upper == np.inf and found.lower <= exact_log_partition(model) and found.trusted is None


def test_float32_weights_keep_small_changes():
    """Ten thousand temperatures in float32: rounding stays far below the error bar of float64."""
    model = rbm("binary-binary")
    single = jax.tree.map(lambda x: x.astype(jnp.float32), model)
    method = AIS(temperatures=10_000, chains=100, reverse=False)
    found = log_partition(single, method, key=jax.random.key(0))
    assert abs(found.mean - exact_log_partition(single)) < 4 * found.error < 0.01


def test_a_walk_is_compiled_once_for_all_lengths():
    from intertwine.boltzmann.partition.annealing import anneal_between

    model = rbm("binary-binary")
    log_partition(model, AIS(temperatures=100, chains=10), key=jax.random.key(0))
    before = anneal_between._cache_size()
    log_partition(model, AIS(temperatures=230, chains=10), key=jax.random.key(1))
    assert anneal_between._cache_size() == before


def test_bounds_hold_with_their_confidence():
    """Log weights of variance 4 with E[w] = 1: 300 sets of 50 chains, all bounds on their side."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        log_weights = rng.normal(-2, 2, size=50)
        assert lower_bound(log_weights) < 0
        assert upper_bound(-log_weights) > 0
        assert upper_bound(-log_weights, independent=10) >= upper_bound(-log_weights)


def test_bennett_of_gaussian_work():
    rng = np.random.default_rng(1)
    forward, reverse = rng.normal(7 - 0.5, 1, 20_000), rng.normal(7 + 0.5, 1, 10_000)
    assert bennett(forward, reverse) == pytest.approx(7, abs=0.03)


def test_adapted_steps_go_from_zero_to_one():
    path = tempered_path(rbm("spin-spin"))
    betas = adapted(path, 1600, 50, key=jax.random.key(0))
    assert len(betas) == 1601 and betas[0] == 0 and betas[-1] == 1 and (np.diff(betas) > 0).all()


def test_resampling_and_effective_size():
    w = np.log(np.array([1.0, 2, 3, 4]))
    rows = np.concatenate([resampled(w, np.random.default_rng(k)) for k in range(2000)])
    np.testing.assert_allclose(np.bincount(rows) / len(rows), [0.1, 0.2, 0.3, 0.4], atol=0.01)
    assert effective_size(w) == pytest.approx(100 / 30)


def test_log_z_along_a_trajectory():
    """From no weights to strong ones in 300 models, chains of one Gibbs step a model: exact within 5σ, and
    after a reset exactly what was given."""
    last = rbm("spin-spin", scale=1.5)
    zero = jax.tree.map(lambda x: 0 * x, last)
    chains, key = 2000, jax.random.key(0)

    @jax.jit
    def trained(state, v):
        def step(k, carry):
            state, v = carry
            before, after = (jax.tree.map(lambda x, s=s: x * s / 300, last) for s in (k, k + 1))
            keys = jax.random.split(jax.random.fold_in(key, k), 3)
            state, rows = live.update(state, before, after, v, key=keys[0])
            h = after.sample_hidden(v[rows], key=keys[1])
            return state, after.sample_visible(h, key=keys[2])

        return jax.lax.fori_loop(0, 300, step, (state, v))

    v = zero.sample_visible(jnp.zeros((chains, 4)), key=key)
    live = TrajectoryLogZ(threshold=0.9)
    state, _ = trained(live.init(exact_log_partition(zero), chains), v)
    found = live.estimate(state)
    assert int(state.resamplings) > 0
    assert abs(found.mean - exact_log_partition(last)) < 5 * found.error and found.error < 0.1
    assert live.estimate(live.reset(state, 3.25)).mean == 3.25


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperatures": 0}, "temperatures: expected a positive integer"),
        ({"temperatures": [0, 0.5, 0.4, 1]}, "increase from 0 to 1"),
        ({"chains": 3}, "chains: expected at least 4"),
        ({"base": "flat"}, "base: expected 'model', 'uniform', or biases"),
        ({"spacing": "cubic"}, "spacing: expected one of"),
    ],
)
def test_bad_settings(options, words):
    with pytest.raises(InputError, match=words):
        AIS(**options)


def test_bad_calls():
    model = rbm("binary-binary")
    broken = eqx.tree_at(lambda m: m.weights, model, model.weights.at[0, 0].set(jnp.nan))
    with pytest.raises(InputError, match="finite parameters"):
        log_partition(broken, AIS(10), key=jax.random.key(0))
    with pytest.raises(InputError, match="key: expected a random key"):
        log_partition(model, AIS(10))
    with pytest.raises(InputError, match="method: expected it"):
        log_partition(model, "ais", key=jax.random.key(0))
    with (
        pytest.raises(InputError, match="starts: expected values of binary units"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        log_partition(model, AIS(10, starts=np.full((4, 6), 2)), key=jax.random.key(0))
