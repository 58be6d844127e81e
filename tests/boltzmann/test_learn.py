"""`learn` as a whole: it finds distributions, resumes to the same numbers, streams, and refuses bad data."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from kl_rows import machine, some_data

from intertwine._checks import InputError
from intertwine.boltzmann.objectives.exact import exact_probabilities
from intertwine.boltzmann.objectives.methods import CD, PCD, ExactKL
from intertwine.boltzmann.training.learn import learn
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.guard import Diverged
from intertwine.learning.metric import NaturalGradient
from intertwine.learning.traces import count_traces
from intertwine.models.machines.rbm import RBM

KEY = jax.random.key(0)
BITS = 4


def _rbm(size=BITS, hidden=6, **more):
    return RBM(size, hidden=hidden, units="binary", hidden_units="binary", scale=0.01, key=KEY, **more)


def _target():
    """Every configuration and its probability under a machine of strong couplings."""
    teacher = RBM(BITS, hidden=2, units="binary", hidden_units="binary", scale=3.0, key=jax.random.key(4))
    return teacher.visible_layer.states().astype(np.uint8), exact_probabilities(teacher)


def _kl(p, model):
    return float((p * np.log(p / exact_probabilities(model))).sum())


def _rows(count=6000):
    states, p = _target()
    return states[np.random.default_rng(0).choice(16, size=count, p=p)]


@pytest.mark.parametrize(
    ("settings", "bound"),
    [
        ({"method": ExactKL(), "learning_rate": 0.5}, 0.01),
        pytest.param(
            {"method": ExactKL(), "centred": False, "optimiser": OptaxGradient(optax.adam(0.02))},
            0.01,
            marks=pytest.mark.slow,
        ),
        ({"method": PCD(chains=100), "learning_rate": 0.5}, 0.02),
        pytest.param({"method": PCD(chains=100), "standardised": True}, 0.02, marks=pytest.mark.slow),
        ({"method": CD(steps=20), "learning_rate": 0.5}, 0.02),
    ],
)
def test_it_learns_a_distribution(settings, bound):
    rows = _rows()
    p = np.bincount(rows @ [8, 4, 2, 1], minlength=16) / len(rows)
    fit = learn(_rbm(), rows, epochs=60, batch=100, key=KEY, **settings)
    assert _kl(p, _rbm()) > 0.3 > bound > _kl(p, fit.model)
    assert len(fit.history) == 60 and fit.history[-1]["epoch"] == 60


@pytest.mark.slow
def test_weighted_configurations_stand_for_a_distribution():
    states, p = _target()
    fit = learn(_rbm(), (states, p), method=ExactKL(), epochs=6000, batch=16, learning_rate=1.0, key=KEY)
    assert _kl(p, fit.model) < 2e-3


def test_natural_gradient_learns_in_few_updates():
    rows = _rows()
    p = np.bincount(rows @ [8, 4, 2, 1], minlength=16) / len(rows)
    model = RBM(BITS, hidden=6, units="binary", hidden_units="binary", scale=0.3, key=KEY)
    mover, method = NaturalGradient(0.3, 1e-2), PCD(chains=500, steps=5)
    fit = learn(model, rows, method=method, epochs=10, batch=1000, optimiser=mover, key=KEY)
    assert _kl(p, fit.model) < 0.02


def _numbers(fit):
    return [np.asarray(x) for x in jax.tree.leaves(fit.state._replace(key=None))]


def test_a_stopped_run_goes_on_to_the_same_numbers():
    rows, kept = _rows(1050), []
    settings = dict(epochs=6, batch=100, key=KEY)
    whole = learn(_rbm(), rows, **settings)

    class Stop(Exception):  # noqa: N818
        pass

    def stop(state, scalars):
        kept.append(state)
        if scalars["epoch"] == 3:
            raise Stop

    with pytest.raises(Stop):
        learn(_rbm(), rows, progress=stop, **settings)
    rest = learn(_rbm(), rows, state=kept[-1], **settings)
    assert all(np.array_equal(a, b) for a, b in zip(_numbers(whole), _numbers(rest), strict=True))
    assert len(rest.history) == 3


def test_nothing_retraces_from_one_epoch_or_fit_to_the_next():
    rows = _rows(530)
    learn(_rbm(), rows, epochs=2, batch=50, key=KEY)
    with count_traces() as traces:
        learn(_rbm(), rows, epochs=3, batch=50, key=jax.random.key(1), learning_rate=0.02)
    assert "_run" not in traces.traced_names


def test_memory_maps_and_arrays_give_the_same_fit(tmp_path):
    rows = _rows(500)
    np.save(tmp_path / "rows.npy", rows)
    ours = learn(_rbm(), np.load(tmp_path / "rows.npy", mmap_mode="r"), epochs=2, batch=50, key=KEY)
    theirs = learn(_rbm(), rows.astype(float), epochs=2, batch=50, key=KEY)
    assert all(np.array_equal(a, b) for a, b in zip(_numbers(ours), _numbers(theirs), strict=True))


def test_grey_values_are_drawn_anew_at_every_visit():
    grey = np.broadcast_to(np.array([0, 51, 204, 255], np.uint8), (400, 4))
    fit = learn(_rbm(), grey, epochs=150, batch=100, learning_rate=0.5, average=0.99, binarise=True, key=KEY)
    p = exact_probabilities(fit.model) @ _rbm().visible_layer.states()
    np.testing.assert_allclose(p, grey[0] / 255, atol=0.03)


@pytest.mark.parametrize(
    "name", ["gaussian-binary", "potts-binary", pytest.param("rectified-binary", marks=pytest.mark.slow)]
)
def test_every_kind_of_unit_trains_and_stays_finite(name):
    model = machine(name, scale=0.05)
    rows = some_data(machine(name, scale=0.5), rows=300)
    fit = learn(model, rows, epochs=20, batch=50, key=KEY, validation=rows[:50])
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(fit.model))
    assert abs(fit.history[-1]["free_energy_gap"]) < 0.5


def test_float32_works_as_float64():
    fit = learn(_rbm(dtype="float32"), _rows(500), epochs=2, batch=50, key=KEY)
    assert fit.model.weights.dtype == fit.state.model.weights.dtype == jnp.float32


def test_a_diverging_run_says_so_and_keeps_its_last_good_state():
    """A known bug of others: NaN weights after divergence, and training goes on."""
    rows = np.random.default_rng(0).normal(size=(300, 4)) * 3
    model = RBM(4, hidden=5, units="gaussian", hidden_units="gaussian", scale=0.1, key=KEY)
    with pytest.raises(Diverged) as caught:
        learn(model, rows, epochs=300, batch=100, learning_rate=1.0, key=KEY)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(caught.value.state.model))


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        (np.zeros((0, BITS)), {}, "data: expected at least one row"),
        (np.zeros((5, 3)), {}, "data: expected rows of 4 columns"),
        (np.zeros(4), {}, r"data: expected an array \(rows, 4\)"),
        (np.full((5, BITS), np.nan), {}, "data: expected finite numbers, got nan"),
        (np.full((5, BITS), 0.5), {}, "data: .*binarise=True"),
        (np.full((5, BITS), 7), {"binarise": True}, "to binarise"),
        (np.zeros((5, BITS)), {"epochs": 0}, "epochs: expected a positive integer"),
        (np.zeros((5, BITS)), {"batch": -1}, "batch: expected a positive integer"),
        (np.zeros((5, BITS)), {"average": 2.0}, "decay: expected a number from 0 to 1"),
        (np.zeros((5, BITS)), {"validation": np.zeros((2, 3))}, "validation: expected rows of 4"),
        ((np.zeros((5, BITS)), -np.ones(5)), {}, "weights: expected finite numbers"),
        (
            np.zeros((5, BITS)),
            {"learning_rate": 0.1, "optimiser": OptaxGradient(optax.sgd(0.1))},
            "learning_rate: expected None",
        ),
    ],
)
def test_bad_input_gives_one_clear_line(data, settings, said):
    with pytest.raises(InputError, match=said) as caught:
        learn(_rbm(), data, key=KEY, **settings)
    assert "\n" not in str(caught.value)


def test_a_wave_function_is_not_a_distribution():
    with pytest.raises(InputError, match="real parameters"):
        learn(RBM(4, hidden=2, dtype=complex, key=KEY), np.ones((5, 4)), key=KEY)


@pytest.mark.parametrize("rows", [np.zeros((1, BITS)), np.ones((50, BITS))])
def test_one_row_and_constant_columns(rows):
    fit = learn(_rbm(), rows, epochs=3, key=KEY)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(fit.model))


def test_an_optax_transformation_and_an_early_stop():
    def enough(state, scalars):
        if scalars["epoch"] >= 1:
            raise StopIteration

    fit = learn(_rbm(), _rows(200), epochs=9, optimiser=optax.sgd(0.1), progress=enough, key=KEY)
    assert 1 <= len(fit.history) < 9
    with pytest.raises(InputError, match="optimiser"):
        learn(_rbm(), _rows(200), epochs=1, optimiser="adam", key=KEY)
