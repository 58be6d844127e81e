"""Gaussian units with widths that are learned, in every sum, sampler and file, and on data of any scale."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.machines.layered import layered
from intertwine.models.machines.tempered import interpolate
from intertwine.models.machines.unit_layer import UnitLayer

PAIR = (("gaussian", 2), ("binary", 1))


def machine(seed=0, units="gaussian", hidden=3, dtype="float64"):
    """A machine with widths 0.3, 1.2 and 4 (the Gaussian ones of three columns)."""
    rng = np.random.default_rng(seed)
    count = 3 if units == "gaussian" else 2
    return it.RBM.from_parameters(
        *(jnp.asarray(rng.normal(size=shape) * 0.5, dtype) for shape in ((3,), (hidden,), (3, hidden))),
        units=units,
        hidden_units="binary",
        log_variance=2 * np.log([0.3, 1.2, 4.0])[:count],
    )


def gentle(seed):
    """A machine whose chains forget within a few sweeps."""
    model = machine(seed, hidden=2)
    shift = jnp.array([0.3, 1.2, 4.0])[:, None] ** -1 * 0.5
    return eqx.tree_at(lambda m: m.weights, model, shift * model.weights)


def mixture(model):
    """(ln weights, means, widths) of the density of Gaussian visible units, one term a hidden state."""
    states = ((np.arange(2**model.hidden)[:, None] >> np.arange(model.hidden)) & 1).astype(float)
    a, b, w = (np.asarray(x, float) for x in (model.visible_bias, model.hidden_bias, model.weights))
    variance = np.exp(np.asarray(model.visible_layer.log_variance, float))
    fields = a + states @ w.T
    weights = states @ b + 0.5 * (fields**2 * variance).sum(1) + 0.5 * np.log(2 * np.pi * variance).sum()
    return weights, fields * variance, np.sqrt(variance)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def test_the_density_is_the_mixture_that_the_widths_say():
    model = machine()
    weights, means, widths = mixture(model)
    log_z = it.log_partition(model, it.Exact(), key=jax.random.key(0)).mean
    assert log_z == pytest.approx(np.logaddexp.reduce(weights), abs=1e-10)
    v = np.random.default_rng(1).normal(size=(5, 3)) * 3
    terms = -0.5 * (((v[:, None] - means) / widths) ** 2).sum(-1) - np.log(widths * np.sqrt(2 * np.pi)).sum()
    density = np.logaddexp.reduce(terms + weights - log_z, axis=1)
    np.testing.assert_allclose(-np.asarray(model.free_energy(v)) - log_z, density, atol=1e-10)
    narrow = model.at_unit_widths()
    np.testing.assert_allclose(narrow.free_energy(v / widths), model.free_energy(v), atol=1e-10)


def test_the_gradient_of_log_z_has_the_widths_moments():
    from intertwine.boltzmann.objectives.exact import log_z

    model = machine()
    weights, means, widths = mixture(model)
    p = np.exp(weights - np.logaddexp.reduce(weights))
    square = p @ (means**2 + widths**2)
    found = jax.grad(log_z)(model).visible_layer.log_variance
    np.testing.assert_allclose(found, 0.5 * square / widths**2, atol=1e-10)
    mixed = machine(units=PAIR)
    log_variance = mixed.visible_layer.log_variance
    step = 1e-5
    moved = [
        float(
            log_z(
                eqx.tree_at(
                    lambda m: m.visible_layer, mixed, mixed.visible_layer.with_widths(log_variance + d)
                )
            )
        )
        for d in (step, -step)
    ]
    found = jax.grad(log_z)(mixed).visible_layer.log_variance.sum()
    assert float(found) == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-6)


@pytest.mark.slow
def test_annealing_and_samplers_know_the_widths(key):
    model = gentle(0)
    weights, means, widths = mixture(model)
    exact = np.logaddexp.reduce(weights)
    found = it.log_partition(model, it.AIS(temperatures=300, chains=100), key=key)
    assert abs(found.mean - exact) < 5 * found.error + 1e-3
    p = np.exp(weights - exact)
    mean, square = p @ means, p @ (means**2 + widths**2)
    other = interpolate(gentle(3), model, 0.5)
    for sampler in (it.Gibbs(steps=20), it.TrajectoryGibbs([other], 20)):
        drawn = np.asarray(it.sample(model, 2000, sampler=sampler, key=key), float)
        error = drawn.std(0) / np.sqrt(300)
        assert (np.abs(drawn.mean(0) - mean) < 5 * error).all()
        assert (np.abs((drawn**2).mean(0) - square) < 5 * (drawn**2).std(0) / np.sqrt(300)).all()


def test_a_path_between_widths_is_linear_in_the_energies():
    one, two, v = machine(0), machine(1), jnp.array([0.3, -2.0, 1.0])
    two = jax.tree.map(lambda x: x + 0.1, two)
    h = jnp.array([1.0, 0.0, 1.0])
    middle = interpolate(one, two, 0.3)
    assert float(middle.energy(v, h)) == pytest.approx(float(0.7 * one.energy(v, h) + 0.3 * two.energy(v, h)))


def test_pseudo_likelihood_of_one_column_is_its_density():
    model = it.RBM.from_parameters(
        jnp.array([0.4]), jnp.array([0.2]), jnp.array([[3.0]]), units="gaussian", hidden_units="binary",
        log_variance=2 * np.log(0.2),
    )  # fmt: skip
    v = np.array([[0.1], [0.9]])
    exact = (
        -np.asarray(model.free_energy(v)) - it.log_partition(model, it.Exact(), key=jax.random.key(0)).mean
    )
    assert it.pseudo_likelihood(model, v).mean == pytest.approx(exact.mean(), abs=1e-9)


def test_widths_are_arrays_and_layers_of_the_same_units_are_equal():
    layer = layered(machine()).layers[0]
    assert layer == UnitLayer.of("gaussian", 3) and len(jax.tree.leaves(machine())) == 4
    with pytest.raises(TypeError, match="not a static argument"):
        hash(layer)
    with pytest.raises(ValueError, match="log_variance: expected a number, or one for each of 3"):
        UnitLayer.of("gaussian", 3).with_widths([0.0, 1.0])


def two_modes(rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    return (np.where(rng.random(rows) < 0.5, -20.0, 30.0) + 3 * rng.normal(size=rows))[:, None]


def correlated(rows=2000, seed=0):
    covariance = np.full((6, 6), 0.8) + 0.2 * np.eye(6)
    return np.random.default_rng(seed).normal(size=(rows, 6)) @ np.linalg.cholesky(covariance).T


@pytest.mark.slow
@pytest.mark.parametrize("offset, scale", [(0.0, 1.0), (-40.0, 100.0)])
def test_a_correlated_normal_distribution_is_learnt_in_any_units(offset, scale, key):
    rows = (correlated() * scale + offset).astype(np.float32)
    with jax.enable_x64(False):
        model = it.RBM(6, hidden=16, units="gaussian", hidden_units="binary", key=key)
        fit = it.learn(model, rows, key=key)
    log_z = it.log_partition(fit.model, it.Exact(), key=key)
    found = it.log_likelihood(fit.model, correlated(seed=1) * scale + offset, log_z).mean
    assert found + 6 * np.log(scale) > -5.4  # −5.29 at best, −8.51 for independent columns


@pytest.mark.slow
def test_a_column_of_few_values_does_not_draw_its_width_to_zero(key):
    rows = np.random.default_rng(0).choice([0.0, 1.0, 5.0], (500, 2)).astype(np.float32)
    with jax.enable_x64(False):
        fit = it.learn(it.RBM(2, hidden=8, units="gaussian", key=key), rows, epochs=100, key=key)
    widths = np.exp(0.5 * np.asarray(fit.model.visible_layer.log_variance))
    assert (widths > 0.02 * rows.std(0)).all() and (widths < rows.std(0)).all()


def test_columns_that_float32_does_not_resolve_are_refused(key):
    rows = (np.random.default_rng(0).normal(size=(50, 1)) + 1000).astype(np.float32)
    with jax.enable_x64(False), pytest.raises(ValueError, match=r"column 0: 1000.* subtract the means"):
        it.learn(it.RBM(1, hidden=2, units="gaussian", key=key), rows, key=key)


@pytest.mark.slow
def test_the_commands_densities_and_samples_are_in_the_units_of_the_data(tmp_path):
    from intertwine.experiments.learn.settings import LearnConfiguration
    from intertwine.runs import running
    from intertwine.runs.progress import Silent

    rows = np.random.default_rng(0).normal(size=(400, 2)) * [1000.0, 0.01] + [5000.0, 3.0]
    np.save(tmp_path / "rows.npy", rows)
    asked = {
        "data": {"name": str(tmp_path / "rows.npy")},
        "model": "rbm:4",
        "optimiser": {"epochs": 2},
        "likelihood": {"every": 0},
        "samples": {"count": 400, "chains": 100, "steps": 20, "thin": 1},
    }
    with jax.enable_x64(False):
        running.start(LearnConfiguration.model_validate(asked), tmp_path / "run", show=lambda *_: Silent())
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    normal = -np.log(10.0) - np.log(2 * np.pi * np.e)
    assert result["log_likelihood"]["train"]["mean"] == pytest.approx(normal, abs=0.3)
    import xarray

    with xarray.open_dataset(tmp_path / "run" / "result.nc") as found:
        np.testing.assert_allclose(found["column_scale"], rows.std(0), rtol=0.1)
        np.testing.assert_allclose(found["column_offset"], rows.mean(0), rtol=0.1)
        far = found["sample"].mean("sample") - rows.mean(0)
        assert (abs(far) < 0.6 * rows.std(0)).all()
