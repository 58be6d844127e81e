"""Rows of which not every entry is known: their likelihood, learning from them, and filling them in."""

import jax
import numpy as np
import pytest
from scipy.optimize import minimize

import intertwine as it

KEY = jax.random.key(0)


def machine(units="binary", hidden_units="binary", size=6, hidden=4, scale=1.0):
    return it.RBM(size, hidden, units=units, hidden_units=hidden_units, scale=scale, key=KEY)


def with_holes(rows, share, seed=0):
    rows = np.array(rows, float)
    rows[np.random.default_rng(seed).random(rows.shape) < share] = np.nan
    return rows


def agrees(row, states):
    return (np.isnan(row) | (row == states)).all(1)


@pytest.mark.parametrize("units", ["binary", "spin"])
@pytest.mark.parametrize("hidden", [4, 10])  # summed, annealed
def test_the_likelihood_of_what_is_known_is_the_sum_over_what_is_not(units, hidden):
    rbm = machine(units, hidden=hidden, scale=0.7)
    states = rbm.visible_layer.states().astype(float)
    weights = np.exp(-np.asarray(rbm.free_energy(states), float))
    rows = with_holes(states[::5], 0.5)
    exact = [np.log(weights[agrees(row, states)].sum()) for row in rows]
    found = it.log_likelihood(rbm, rows, np.log(weights.sum()))
    assert found.mean == pytest.approx(
        np.mean(exact) - np.log(weights.sum()), abs=1e-4 if hidden == 4 else 0.02
    )


def test_potts_units_are_missing_as_a_whole():
    rbm = machine("potts:3", size=9, hidden=3)
    states = rbm.visible_layer.states().astype(float)
    weights = np.exp(-np.asarray(rbm.free_energy(states), float))
    row = states[7:8].copy()
    row[0, 3:6] = np.nan
    exact = np.log(weights[agrees(row[0], states)].sum() / weights.sum())
    assert it.log_likelihood(rbm, row, np.log(weights.sum())).mean == pytest.approx(exact, abs=1e-4)
    row[0, 0] = np.nan
    with pytest.raises(it.InputError, match="all 3 columns"):
        it.log_likelihood(rbm, row, 0.0)


def test_completed_rows_have_the_conditional_means():
    rbm = machine(scale=1.5)
    states = rbm.visible_layer.states().astype(float)
    weights = np.exp(-np.asarray(rbm.free_energy(states), float))
    rows = with_holes(states[::7], 0.5)
    found = it.complete(rbm, np.ma.masked_invalid(rows), steps=2000, key=KEY)
    exact = [np.average(states[a := agrees(row, states)], axis=0, weights=weights[a]) for row in rows]
    assert np.abs(found.mean - exact).max() < 0.03
    known = ~np.isnan(rows)
    assert (found.draws[:, known] == rows[known]).all() and np.isin(found.draws, (0, 1)).all()
    assert not found.warnings


def test_a_chain_that_cannot_cross_is_told():
    rbm = it.RBM.from_parameters(
        np.full(8, -16.0), [-128.0], np.full((8, 1), 32.0), units="binary", hidden_units="binary"
    )
    with pytest.warns(UserWarning, match="chains-disagree"):
        found = it.complete(rbm, np.full((3, 8), np.nan), chains=8, key=KEY)
    assert found.warnings


FIRST, SECOND = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]), np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1])


def patterns(rows, seed=0):
    """Two patterns of ten bits with 5 % noise, three to one."""
    chance = np.random.default_rng(seed)
    chosen = np.where(chance.random((rows, 1)) < 0.75, FIRST, SECOND)
    return np.where(chance.random(chosen.shape) < 0.05, 1 - chosen, chosen)


def log_probabilities(x):
    """ln p of all states of a machine of ten and four bits with the parameters x = (a, b, W), enumerated."""
    a, b, w = x[:10], x[10:14], x[14:].reshape(10, 4)
    states = ((np.arange(1024)[:, None] >> np.arange(9, -1, -1)) & 1).astype(float)
    log_weights = states @ a + jax.numpy.logaddexp(0, b + states @ w).sum(-1)
    return log_weights - jax.nn.logsumexp(log_weights)


def parameters_of(model):
    leaves = (model.visible_bias, model.hidden_bias, model.weights)
    return np.concatenate([np.ravel(np.asarray(x, float)) for x in leaves])


def most_likely(rows, decay, begin):
    """The parameters with the greatest mean ln p of what is known of the rows, summed over all states that
    agree with it, less ½ decay Σ W²: from `begin` on by quasi-Newton steps."""
    states = (np.arange(1024)[:, None] >> np.arange(9, -1, -1)) & 1
    with jax.enable_x64(True):
        agreeing = jax.numpy.asarray([agrees(row, states) for row in rows], float)

        def loss(x):
            known = jax.numpy.log(agreeing @ jax.numpy.exp(log_probabilities(x)))
            return 0.5 * decay * (x[14:] ** 2).sum() - known.mean()

        slope = jax.jit(jax.value_and_grad(loss))
        return minimize(lambda x: [np.asarray(v, float) for v in slope(x)], begin, jac=True).x


@pytest.mark.slow
def test_learning_from_rows_with_holes_finds_the_exact_maximum_of_their_likelihood():
    """A third of the entries is gone. What the holes hide is lost to the exact maximum too; what learning
    adds is its distance from there, summed over all states: 4e-4 nats. The decay makes the maximum one point.
    """
    train, decay = with_holes(patterns(1500), 1 / 3), 0.01
    rbm = it.RBM(10, hidden=4, units="binary", hidden_units="binary", scale=0.1, key=KEY)
    model = it.learn(rbm, train, weight_decay=decay, epochs=400, key=KEY).model
    best = most_likely(train, decay, parameters_of(rbm))  # found without the machine that is judged
    exact, learned = (np.asarray(log_probabilities(x)) for x in (best, parameters_of(model)))
    assert 0 <= (np.exp(exact) * (exact - learned)).sum() < 1e-3


def test_nothing_missing_changes_no_number():
    rows = patterns(200)
    rbm = machine(size=10)
    first, second = (it.learn(rbm, x, epochs=2, key=KEY).model for x in (rows, np.ma.masked_array(rows)))
    assert (np.asarray(first.weights) == np.asarray(second.weights)).all()


@pytest.mark.slow
def test_ratings_one_row_a_user():
    """Collaborative filtering: two tastes, each user has rated half of the films; the rest is foretold."""
    rows = patterns(600, seed=2)
    seen = with_holes(rows, 1 / 2, seed=3)
    fit = it.learn(machine(size=10, scale=0.01), seen, epochs=150, batch=20, learning_rate=0.1, key=KEY)
    found = it.complete(fit.model, seen, key=KEY)
    gone = np.isnan(seen)
    right = ((found.mean > 0.5) == rows)[gone].mean()
    alone = ((np.nanmean(seen, 0) > 0.5) == rows)[gone].mean()
    assert right > 0.9 > alone + 0.05


def test_machines_that_cannot_say_so():
    rows = with_holes(patterns(50), 0.2)
    dbm = it.DBM((10, 4, 3), units="binary", key=KEY)
    with pytest.raises(it.InputError, match="missing"):
        it.learn_deep_boltzmann(dbm, rows, epochs=1, key=KEY)


def test_gibbs_holds_other_columns_in_every_chain():
    rows = with_holes(patterns(16), 0.5)
    sampler = it.Gibbs(steps=5, chains=16, clamped=rows)
    rbm = machine(size=10)
    drawn, _ = sampler.sample(rbm, sampler.init(rbm, key=KEY), 3, key=KEY)
    v = np.asarray(drawn.configurations)
    assert ((v == rows[:, None]) | np.isnan(rows)[:, None]).all()
    assert v.shape == (16, 3, 10)


@pytest.mark.slow
def test_the_estimator_takes_holes():
    pytest.importorskip("sklearn")
    rows = patterns(300)
    machine = it.BoltzmannMachine(4, n_iter=30, batch_size=30, random_state=0)
    fitted = machine.fit(with_holes(rows, 0.3))
    assert fitted.score(rows[:50]) > fitted.score(1 - rows[:50]) + 1
    part = with_holes(rows[:50], 0.3, seed=5)
    assert np.isfinite(fitted.score_samples(part)).all() and fitted.transform(part).shape == (50, 4)
    assert fitted.score(part) > fitted.score(rows[:50])  # fewer values are more probable


@pytest.mark.slow
def test_the_estimator_takes_whole_numbers_that_name_states():
    pytest.importorskip("sklearn")
    states = np.where(patterns(300)[:, :4] == 1, 2, 0)
    named = it.BoltzmannMachine(4, units="potts", n_iter=20, batch_size=30, random_state=0).fit(states)
    assert (
        named.units_ == "potts:3"
        and np.isin(named.sample(20, n_steps=20, random_state=0), (0, 2)).mean() > 0.9
    )
    assert named.score(states) > named.score(np.ones_like(states))


def test_chains_of_different_distributions_are_not_compared():
    """One chain a row: R-hat between them means nothing, and is not said."""
    rows = with_holes(patterns(8), 0.5)
    with pytest.warns(UserWarning, match="unjudged"):
        drawn = it.sample(machine(size=10), 8, sampler=it.Gibbs(steps=20, clamped=rows), key=KEY)
    assert drawn.mixed is None and np.isnan(drawn.r_hat)
