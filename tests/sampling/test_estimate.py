"""Chain statistics: ArviZ on the same chains, and error bars that cover the truth as often as they say."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.sampling.statistics.estimate import (
    Estimate,
    autocorrelation_time,
    effective_sample_size,
    estimate,
    r_hat,
)
from thinned import thinned


def ar1(chains, draws, tau, rng, seeds=None):
    """Unit-variance x_t = φ x_{t−1} + √(1 − φ²) e_t of integrated time `tau`: (seeds, chains, draws)."""
    phi = (tau - 1) / (tau + 1)
    x = rng.normal(size=((seeds or 1), chains, draws))
    for t in range(1, draws):
        x[..., t] = phi * x[..., t - 1] + np.sqrt(1 - phi**2) * x[..., t]
    return x if seeds else x[0]


CHAINS = {
    "independent": lambda shape, rng: rng.normal(size=shape),
    "slow": lambda shape, rng: ar1(*shape, 19.0, rng),
    "antithetic": lambda shape, rng: ar1(*shape, 0.2, rng),
    "tied": lambda shape, rng: np.round(rng.normal(size=shape)),
    "heavy": lambda shape, rng: rng.standard_cauchy(size=shape),
    "apart": lambda shape, rng: rng.normal(size=shape) + np.arange(shape[0])[:, None],
    "drifting": lambda shape, rng: rng.normal(size=shape) + np.linspace(0, 3, shape[1]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(4, 100), (16, 64), (16, 65), (64, 16), (7, 5), (3, 4), (2, 7), (300, 6)])
@pytest.mark.parametrize("name", CHAINS)
def test_r_hat_and_ess_are_those_of_arviz(name, shape):
    arviz = pytest.importorskip("arviz")
    x = CHAINS[name](shape, np.random.default_rng(3))
    ours = [r_hat(x), effective_sample_size(x), effective_sample_size(x, "mean")]
    theirs = [arviz.rhat({"x": x}), arviz.ess({"x": x}, method="bulk"), arviz.ess({"x": x}, method="mean")]
    theirs = [float(value["x"] if hasattr(value, "__getitem__") else value) for value in theirs]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("chains, draws", [(16, 64), (64, 16), (256, 4), (1024, 1), (4, 256), (1, 1024)])
@pytest.mark.parametrize("tau", thinned([1.0, 3.0, 12.0, 40.0]))
def test_the_error_bar_covers_the_truth(chains, draws, tau):
    """400 sets of chains: one σ covers the true mean in 68 ± 7 %, also where the draws cannot resolve τ."""
    sets = ar1(chains, draws, tau, np.random.default_rng(17), seeds=400)
    found = [estimate(x) for x in sets]
    covered = np.mean([abs(e.mean) < e.error for e in found])
    assert 0.61 <= covered <= 0.75
    lags = np.arange(1, draws)
    exact = 1 + 2 * np.sum((1 - lags / draws) * ((tau - 1) / (tau + 1)) ** lags)  # n Var(x̄) / variance
    assert np.mean([e.error**2 for e in found]) == pytest.approx(exact / (chains * draws), rel=0.2)
    assert np.mean([e.variance for e in found]) == pytest.approx(1.0, rel=0.1)


def test_tau_is_the_known_one_on_long_chains():
    x = ar1(8, 20_000, 9.0, np.random.default_rng(0))
    assert autocorrelation_time(x) == pytest.approx(9.0, rel=0.06)
    assert x.size / effective_sample_size(x, "mean") == pytest.approx(9.0, rel=0.06)
    assert autocorrelation_time(ar1(8, 2000, 0.5, np.random.default_rng(0))) == 1.0  # no gain is claimed


def test_error_is_root_of_variance_tau_over_n():
    e = estimate(ar1(16, 64, 5.0, np.random.default_rng(1)))
    assert e.error**2 == pytest.approx(e.variance * e.tau / e.samples, rel=1e-12)


def test_a_time_measured_elsewhere_widens_short_chains():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 8))
    assert estimate(x, tau=50.0).error > 2 * estimate(x).error
    assert estimate(x, tau=50.0).tau == 50.0
    single = rng.normal(size=(1024, 1))
    plain = estimate(single)
    assert np.isnan(plain.tau) and np.isnan(plain.r_hat) and np.isnan(plain.ess)
    assert plain.error == pytest.approx(single.std(ddof=1) / 32)
    assert estimate(single, tau=7.0)[:3] == plain[:3] and estimate(single, tau=7.0).tau == 7.0


def test_complex_values():
    rng = np.random.default_rng(2)
    re, im = ar1(16, 64, 4.0, rng), ar1(16, 64, 4.0, rng)
    z = estimate(re + 1j * im)
    assert np.iscomplexobj(z.mean) and z.mean == pytest.approx((re + 1j * im).mean())
    assert z.error == pytest.approx(np.hypot(estimate(re).error, estimate(im).error), rel=0.2)
    hermitian = estimate(re + 1j * im, real=True)
    assert not np.iscomplexobj(hermitian.mean)
    plain = estimate(re)
    np.testing.assert_allclose(hermitian._replace(variance=0.0), plain._replace(variance=0.0), rtol=1e-12)
    assert hermitian.variance == pytest.approx(z.variance, rel=0.02)


def test_exact_weights_have_no_error():
    values = np.array([[1.0, 2.0, np.inf]])
    e = estimate(values, np.array([[0.25, 0.75, 0.0]]))
    assert (e.mean, e.error, e.variance) == (1.75, 0.0, 0.1875)
    assert str(e) == "1.7500000000 ± 0 (τ 1.0, R̂ 1.000, ESS 3)"


def test_degenerate_values():
    constant = estimate(np.full((4, 8), -3.5))
    assert constant == Estimate(-3.5, 0.0, 0.0, 1.0, 1.0, 32.0, 32)
    stuck = estimate(np.repeat(np.arange(4.0)[:, None], 8, axis=1))
    assert np.isinf(stuck.r_hat) and stuck.error == pytest.approx(np.arange(4.0).std(ddof=1) / 2)
    assert np.isnan(estimate(np.array([[1.0, np.nan]])).error)
    assert np.isnan(estimate(np.array([[1.0]])).error)


def test_text_form():
    e = Estimate(-35.61712, 0.00061, 0.1, 1.2, 1.0012, 3800.3, 4096)
    assert str(e) == "−35.6171 ± 0.0006 (τ 1.2, R̂ 1.001, ESS 3800)"
    assert f"{e}" == str(e)
    assert str(e._replace(mean=-35.6 + 0.25j, tau=np.nan, r_hat=np.nan, ess=np.nan, error=0.011)) == (
        "−35.600 + 0.250i ± 0.011"
    )


@pytest.mark.parametrize(
    "values, weights", [(np.ones(3), None), (np.ones((0, 2)), None), (np.ones((2, 2)), np.ones(4))]
)
def test_bad_input(values, weights):
    with pytest.raises(InputError):
        estimate(values, weights)
