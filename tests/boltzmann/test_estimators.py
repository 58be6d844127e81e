"""The scikit-learn estimators: scikit-learn's own checks, and what they say against enumeration."""

import io
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.exact import exact_log_partition, exact_log_unnormalised
from intertwine.boltzmann.sklearn import estimators_base
from intertwine.boltzmann.sklearn.estimators import BoltzmannMachine, DeepBeliefNetwork, DeepBoltzmannMachine
from intertwine.boltzmann.sklearn.estimators_units import Columns, added_log_partition, filled, resized
from intertwine.models.machines.rbm import RBM

ESTIMATORS = {
    "machine": BoltzmannMachine,
    "belief network": DeepBeliefNetwork,
    "deep machine": DeepBoltzmannMachine,
}
SMALL = {
    "machine": lambda **k: BoltzmannMachine(3, n_iter=20, batch_size=20, random_state=0, **k),
    "belief network": lambda **k: DeepBeliefNetwork((3, 2), n_iter=20, batch_size=20, random_state=0, **k),
    "deep machine": lambda **k: DeepBoltzmannMachine((3, 2), n_iter=20, batch_size=20, random_state=0, **k),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learn_finds_no_failure(name):
    results = check_estimator(ESTIMATORS[name](n_iter=10), on_fail=None, on_skip=None)
    failures = [
        (r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")
    ]
    assert not failures and sum(r["status"] == "passed" for r in results) > 40


def _bits(rows=200, seed=0):
    """v_1 = v_0 and v_3 = 1 − v_2, the rest free."""
    rng = np.random.default_rng(seed)
    v = rng.integers(0, 2, (rows, 5))
    v[:, 1], v[:, 3] = v[:, 0], 1 - v[:, 2]
    return v


def _reals(rows=200, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, 3)) * [1.0, 10.0, 0.1] + [5.0, 0.0, -3.0]


def _states(n=5):
    return (np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1


@pytest.fixture(scope="module", params=SMALL)
def fitted(request):
    return SMALL[request.param]().fit(_bits())


def test_scores_are_log_probabilities_or_bounds_of_them(fitted):
    states, model = _states(), fitted.model_
    scores = fitted.score_samples(states)
    if isinstance(fitted, DeepBeliefNetwork):
        exact = np.asarray(model.log_probability(states), float)
    else:
        exact = exact_log_unnormalised(model, states)
        exact = exact - np.logaddexp.reduce(exact)
    if isinstance(fitted, BoltzmannMachine):
        np.testing.assert_allclose(scores, exact, atol=1e-6)
        assert np.exp(scores).sum() == pytest.approx(1)
    else:
        noise = 0.02 if isinstance(fitted, DeepBeliefNetwork) else 1e-6  # of the draws; mean field has none
        assert (scores <= exact + noise).all() and np.abs(scores - exact).mean() < 0.5
    assert fitted.score(states) == pytest.approx(scores.mean())
    np.testing.assert_array_equal(fitted.score_samples(states), scores)


def test_features_and_back(fitted):
    v = _bits()
    features = fitted.transform(v)
    assert features.shape == (200, fitted.hidden_sizes_[-1]) and features.dtype == np.float64
    assert ((features >= 0) & (features <= 1)).all()
    assert fitted.transform(v.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(fitted.transform(v[:7]), features[:7], rtol=1e-12)
    back = fitted.inverse_transform(features)
    assert back.shape == v.shape and ((back >= 0) & (back <= 1)).all()
    names = fitted.get_feature_names_out()
    assert list(names) == [f"{type(fitted).__name__.lower()}{k}" for k in range(features.shape[1])]


@pytest.mark.slow
def test_samples_have_the_shape_of_the_data(fitted):
    rows = fitted.sample(300, n_steps=200)
    assert rows.shape == (300, 5) and set(np.unique(rows)) <= {0.0, 1.0}
    np.testing.assert_array_equal(rows, fitted.sample(300, n_steps=200))


def test_a_fitted_estimator_is_pickled_and_cloned(fitted):
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    again = joblib.load(file)
    np.testing.assert_array_equal(again.transform(_bits()), fitted.transform(_bits()))
    np.testing.assert_array_equal(again.score_samples(_bits()), fitted.score_samples(_bits()))
    assert not hasattr(clone(fitted), "parameters_")
    assert all(isinstance(x, np.ndarray) for x in fitted.parameters_)
    again.set_params(n_iter=1)  # parameters that change do not touch what was fitted
    np.testing.assert_array_equal(again.transform(_bits()), fitted.transform(_bits()))


def test_the_rbm_is_what_scikit_learns_names_say():
    machine = SMALL["machine"]().fit(_bits())
    v = _bits()[:4]
    theta = machine.intercept_hidden_ + v @ machine.components_.T
    np.testing.assert_allclose(machine.transform(v), 1 / (1 + np.exp(-theta)), atol=1e-12)
    assert machine.components_.shape == (3, 5) and machine.intercept_visible_.shape == (5,)
    assert machine.gibbs(v, random_state=0).shape == v.shape


@pytest.mark.slow
def test_repeated_sweeps_are_a_chain_whatever_the_random_state():
    """Each column's mean over a chain, where the same random numbers in every sweep would give no chain."""
    v = np.random.default_rng(0).integers(0, 2, (400, 3))
    machine = BoltzmannMachine(2, n_iter=20, random_state=0).fit(v)
    states = _states(3)
    exact = np.exp(machine.score_samples(states)) @ states
    for given in ({}, {"random_state": 5}):
        x, seen = v[:20], []
        for _ in range(300):
            x = machine.gibbs(x, **given)
            seen.append(x)
        seen = np.array(seen)
        assert (np.abs(seen.mean((0, 1)) - exact) < 0.05).all()
        assert (seen.mean(1).std(0) > 0.05).all()
    one, other = (BoltzmannMachine(2, n_iter=20, random_state=0).fit(v) for _ in range(2))
    np.testing.assert_array_equal(one.gibbs(v), other.gibbs(v))
    assert machine.gibbs(v, n_steps=10).shape == v.shape


def test_verbose_tells_of_each_pass(capsys):
    BoltzmannMachine(2, n_iter=3, verbose=True, random_state=0).fit(_bits())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("BoltzmannMachine: epoch 1, reconstruction error 0.")


def test_it_learns():
    machine = BoltzmannMachine(8, n_iter=300, learning_rate=0.3, batch_size=20, random_state=0).fit(_bits())
    truth, independent = -3 * np.log(2), -5 * np.log(2)
    assert machine.score(_bits(seed=1)) > 0.6 * truth + 0.4 * independent


@pytest.mark.slow
def test_real_columns_are_standardised_and_densities_are_theirs():
    x = _reals()
    machine = BoltzmannMachine(4, n_iter=20, batch_size=20, random_state=0).fit(x)
    assert machine.units_ == "gaussian"
    normal = -0.5 * (((x - x.mean(0)) / x.std(0)) ** 2 + np.log(2 * np.pi * x.var(0))).sum(1)
    assert machine.score(x) == pytest.approx(normal.mean(), abs=0.1)
    model = machine.model_
    values = (x - machine.mean_) / machine.scale_
    exact = exact_log_unnormalised(model, values) - exact_log_partition(model) - np.log(machine.scale_).sum()
    np.testing.assert_allclose(machine.score_samples(x), exact, atol=1e-6)
    back = machine.inverse_transform(machine.transform(x)).mean(0)
    assert (np.abs(back - x.mean(0)) < 0.1 * x.std(0)).all()
    rows = machine.sample(500, n_steps=100)
    assert (np.abs(rows.mean(0) - x.mean(0)) < 6 * x.std(0) / np.sqrt(200)).all()


def test_grey_values_are_probabilities():
    rng = np.random.default_rng(0)
    grey = rng.uniform(size=(100, 4))
    machine = SMALL["machine"]().fit(grey)
    assert machine.units_ == "binary"
    draws = (rng.uniform(size=(4000, 4)) < grey[0]).astype(float)
    many = np.repeat(grey[:1], 400, axis=0) + rng.uniform(-1e-9, 1e-9, (400, 4))  # 400 seeds
    scores, single = machine.score_samples(many), machine.score_samples(draws)
    assert abs(scores.mean() - single.mean()) < 5 * (scores.std() / 20 + single.std() / np.sqrt(4000))
    np.testing.assert_array_equal(machine.score_samples(grey)[:7], machine.score_samples(grey[:7]))


def test_scores_rank_models_of_grey_data():
    """Of a machine with the right probabilities, 0.8 and 0.2, and one that exaggerates them to 0.94 and 0.06,
    ln p of the grey values themselves, which are no configurations, is higher for the second."""
    z = np.random.default_rng(0).integers(0, 2, (200, 1))
    grey, scores = np.where(z, 0.8, 0.2) * np.ones((1, 6)), []
    machine = SMALL["machine"]().fit(grey)
    for share in (1.0, 2.0):
        field = share * np.log(4.0)
        weights = np.zeros((6, 3))
        weights[:, 0] = 2 * field
        machine.parameters_[:3] = [np.full(6, -field), np.array([-6 * field, 0, 0]), weights]
        machine.__dict__.pop("_log_z", None)
        scores.append(machine.score_samples(grey).mean())
    assert scores[0] > scores[1]


@pytest.mark.parametrize("units", ["binary", "gaussian"])
def test_further_columns_change_nothing(units, key):
    rbm = RBM(5, hidden=3, units=units, hidden_units="binary", scale=0.5, key=key)
    wide = resized(rbm, 16)
    v = _bits()[:6] * 1.0
    more = exact_log_partition(wide) - added_log_partition(units, 11)
    assert more == pytest.approx(exact_log_partition(rbm), abs=1e-9)
    np.testing.assert_allclose(wide.free_energy(filled(v, 16)), rbm.free_energy(v), atol=1e-12)


@pytest.mark.slow
def test_pipeline_and_grid_search():
    v = _bits(300)
    pipeline = make_pipeline(SMALL["machine"](), LogisticRegression(C=100.0))
    search = GridSearchCV(pipeline, {"boltzmannmachine__n_components": [1, 3]}, cv=2).fit(v, v[:, 0])
    assert search.best_score_ > 0.9
    density = GridSearchCV(SMALL["machine"](), {"n_iter": [1, 100]}, cv=2).fit(v)
    assert density.best_params_ == {"n_iter": 100}


def test_partial_fit_goes_on_where_it_was(tmp_path):
    v = _bits()
    whole, broken = SMALL["machine"](), SMALL["machine"]()
    for _ in range(3):
        whole.partial_fit(v)
    broken.partial_fit(v)
    joblib.dump(broken, tmp_path / "machine.joblib")
    broken = joblib.load(tmp_path / "machine.joblib")
    broken.partial_fit(v).partial_fit(v)
    np.testing.assert_array_equal(whole.components_, broken.components_)
    assert len(whole.history_) == 3
    after = SMALL["machine"]().fit(v)
    before = after.score(v)
    for _ in range(20):
        after.partial_fit(v)
    assert after.score(v) > before - 0.05


def test_machines_too_large_to_enumerate(monkeypatch):
    machine = SMALL["machine"]().fit(_bits())
    exact = machine.score(_bits())
    again = clone(machine).fit(_bits())
    monkeypatch.setattr(estimators_base, "_MOST_FOR_EXACT", 1)
    assert again.score(_bits()) == pytest.approx(exact, abs=0.1)


def test_what_columns_are():
    assert Columns.of("auto", np.array([[0, 1], [1, 1]])).units == "binary"
    assert Columns.of("auto", np.array([[0.0, 1.1]])).units == "gaussian"
    constant = Columns.of("gaussian", np.full((3, 1), 7.0))
    assert constant.scale.tolist() == [1.0] and constant.values(np.full((1, 1), 7.0)).tolist() == [[0.0]]
    spins = BoltzmannMachine(2, units="spin", n_iter=2, random_state=0).fit(2 * _bits() - 1)
    assert np.exp(spins.score_samples(2 * _states() - 1)).sum() == pytest.approx(1)


BAD = {
    "n_components": ("machine", {"n_components": 0}, "n_components: expected a positive integer"),
    "units": ("machine", {"units": "grey"}, "units: expected one of"),
    "hidden units": ("machine", {"hidden_units": "grey"}, "hidden_units: expected one of"),
    "method": ("machine", {"method": "sgd"}, "method: expected 'auto', 'pcd' or 'cd'"),
    "n_chains": ("machine", {"n_chains": 0}, "n_chains: expected a positive integer"),
    "n_steps": ("machine", {"n_steps": 0}, "n_steps: expected a positive integer"),
    "n_iter": ("machine", {"n_iter": 0}, "n_iter: expected a positive integer"),
    "batch_size": ("machine", {"batch_size": 0.5}, "batch_size: expected a positive integer"),
    "learning_rate": ("machine", {"learning_rate": "fast"}, "learning_rate: expected a positive number"),
    "weight_decay": ("machine", {"weight_decay": -1}, "weight_decay: expected"),
    "no layers": ("deep machine", {"hidden_layer_sizes": ()}, "hidden_layer_sizes: expected"),
    "a number of layers": ("belief network", {"hidden_layer_sizes": 16}, "hidden_layer_sizes: expected"),
    "an empty layer": ("belief network", {"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes: expected"),
    "up_down": ("belief network", {"up_down": -1}, "up_down: expected a positive integer"),
    "pretrain": ("deep machine", {"pretrain": 1.5}, "pretrain: expected a positive integer"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters_are_one_clear_line(case):
    name, parameters, message = BAD[case]
    with pytest.raises(InputError, match=message):
        ESTIMATORS[name](**parameters).fit(_bits())


def test_bad_data_are_refused():
    machine = SMALL["machine"]().fit(_bits())
    for X, message in [
        (np.full((3, 5), np.inf), "infinity"),
        (np.zeros((0, 5)), "0 sample"),
        (np.zeros((3, 4)), "X has 4 features"),
        (np.full((3, 5), 2.0), "X: expected values from 0 to 1, got 2 to 2; scale the columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            machine.transform(X)
    with pytest.raises(InputError, match="a value in every column"):
        SMALL["machine"]().fit(np.full((3, 5), np.nan))
    with pytest.raises(InputError, match="X: expected values from 0 to 1"):
        SMALL["machine"](units="binary").fit(_reals())
    with pytest.raises(InputError, match="X: expected 3 features"):
        machine.inverse_transform(np.zeros((2, 4)))


def test_without_scikit_learn_the_error_says_what_to_install():
    code = """
import sys
sys.modules["sklearn"] = sys.modules["sklearn.base"] = None
import intertwine
try:
    from intertwine.boltzmann.sklearn.estimators import BoltzmannMachine
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'intertwine[sklearn]'" in out
