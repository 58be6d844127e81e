"""Where learning begins: by the function, the estimators and the command, at the means of the data."""

import numpy as np
import pytest

import intertwine as it
from intertwine.experiments.learn.experiment import training_of
from intertwine.experiments.learn.settings import LearnConfiguration

RARE = (np.random.default_rng(0).random((300, 600)) < 0.002).astype(np.uint8)


def independent(rows, seen=RARE):
    """Mean ln p of rows under independent columns, a value that no row has counted as a third of a row."""
    p = np.clip(seen.mean(0), 1 / (3 * len(seen)), 1 - 1 / (3 * len(seen)))
    return (rows @ np.log(p) + (1 - rows) @ np.log1p(-p)).mean()


@pytest.mark.slow
def test_rare_columns_are_learnt_from_their_means(key):
    rbm = it.RBM(600, hidden=10, units="binary", hidden_units="binary", key=key)
    fit = it.learn(rbm, RARE, key=key)
    log_z = it.log_partition(fit.model, it.Exact(), key=key)
    assert it.log_likelihood(fit.model, RARE, log_z).mean > independent(RARE) - 0.1


@pytest.mark.slow
def test_the_estimators_begin_there_too():
    pytest.importorskip("sklearn")
    from intertwine.boltzmann.sklearn.estimators import BoltzmannMachine

    machine = BoltzmannMachine(10, learning_rate=0.05, batch_size=10, random_state=0).fit(RARE)
    assert machine.score(RARE) > independent(RARE) - 0.1


@pytest.mark.parametrize("deep", ["boltzmann", pytest.param("belief", marks=pytest.mark.slow)])
def test_and_so_do_deep_machines(deep, key):
    if deep == "boltzmann":
        model = it.learn_deep_boltzmann(it.DBM((600, 6, 4), key=key), RARE, epochs=2, key=key).model
        score = it.variational_bound(model, RARE, it.log_partition(model, it.Exact(), key=key)).mean
    else:
        model = it.learn_deep_belief(it.DBN((600, 6, 4), key=key), RARE, epochs=2, key=key).model
        score = model.log_probability(RARE).mean()
    assert score > independent(RARE) - 0.5


def test_the_command_begins_at_rare_means(tmp_path, key):
    np.save(tmp_path / "rare.npy", RARE)
    c = LearnConfiguration.model_validate(
        {"data": {"name": str(tmp_path / "rare.npy"), "test_share": 0.0}, "model": "rbm:4"}
    )
    study = training_of(c, it.data.load(tmp_path / "rare.npy", test_share=0.0), key)
    machine = study.start().current.model
    log_z = it.log_partition(machine, it.Exact(), key=key)
    assert it.log_likelihood(machine, RARE, log_z).mean > independent(RARE) - 0.1


@pytest.mark.parametrize(
    "units", ["binary", *(pytest.param(u, marks=pytest.mark.slow) for u in ("gaussian", "spin", "potts:3"))]
)
def test_a_machine_that_has_learnt_keeps_its_biases(units, key):
    rows = {
        "binary": np.repeat([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0]], 50, axis=0),
        "spin": np.repeat([[1, 1, 1, -1, -1, -1], [-1, -1, -1, 1, 1, -1]], 50, axis=0),
        "gaussian": np.repeat([[4.0, 4, 4, 0, 0, 0], [0, 0, 0, 4, 4, 0]], 50, axis=0),
        "potts:3": np.repeat([[1, 0, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0]], 50, axis=0),
    }[units]
    if units == "gaussian":
        rows = rows + 0.3 * np.random.default_rng(0).normal(size=rows.shape)
    rows = rows.astype(np.float32 if units == "gaussian" else np.int8)
    rbm = it.RBM(6, hidden=3, units=units, hidden_units="binary", key=key)
    rate = {} if units == "gaussian" else {"learning_rate": 0.3}
    fit = it.learn(rbm, rows, epochs=300, batch=20, key=key, **rate)
    still = it.learn(fit.model, rows, epochs=1, learning_rate=1e-9, average=None, key=key).model
    np.testing.assert_allclose(still.visible_bias, fit.model.visible_bias, rtol=1e-4, atol=1e-4)
    moved = it.learn(rbm, rows, epochs=1, learning_rate=1e-9, average=None, key=key).model
    means = moved.visible_given_hidden(moved.hidden_given_visible(rows.mean(0)))
    tolerance = 0.1 if units == "gaussian" else 0.01
    np.testing.assert_allclose(means, rows.mean(0), atol=tolerance)
    kept = it.learn(rbm, rows, epochs=1, learning_rate=1e-9, begin="model", average=None, key=key).model
    np.testing.assert_allclose(kept.visible_bias, rbm.visible_bias, atol=1e-4)


def test_another_word_is_refused(key):
    with pytest.raises(ValueError, match="begin: expected"):
        it.learn(it.RBM(600, hidden=2, units="binary", key=key), RARE, begin="zero", key=key)
