"""Errors of samples that know of one another: repeated rows, and slow chains at K_c over twenty seeds."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.sampling.protocols import Samples
from intertwine.sampling.statistics.joined_bins import joined

K_C = 0.5 * np.log(1 + 2**0.5)
KEY = jax.random.key(5)
pytestmark = pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")


class Repeated:
    """Draws of a sampler, each given `times` times: no more worth than one of them."""

    distribution = "boltzmann"

    def __init__(self, sampler, times):
        self.sampler, self.times, self.chains = sampler, times, sampler.chains

    def init(self, model, *, key):
        return self.sampler.init(model, key=key)

    def sample(self, model, state, draws, *, key):
        drawn, state = self.sampler.sample(model, state, -(-draws // self.times), key=key)
        rows = np.repeat(np.asarray(drawn.configurations), self.times, axis=1)[:, :draws]
        return Samples(jax.numpy.asarray(rows), None, drawn.acceptance), state


def ising(side):
    return it.Ising(it.Square(side, side), K_C)


def autoregressive(tau, rows, series, seed=0):
    """x' = ρx + √(1 − ρ²) ξ with ρ = e^{−1/τ}, (series, rows)."""
    rng, rho = np.random.default_rng(seed), np.exp(-1 / tau)
    found, x = np.empty((series, rows)), rng.normal(size=series)
    for k in range(rows):
        x = rho * x + (1 - rho**2) ** 0.5 * rng.normal(size=series)
        found[:, k] = x
    return found


@pytest.mark.parametrize("tau", [0.1, 1, 3, 6])
def test_stretched_bins_scatter_as_the_mean_does(tau):
    """300 autoregressive series in 50 bins of eight rows each, τ in bins: what they state is their spread."""
    bins = autoregressive(8 * tau, 400, 300).reshape(300, 50, 8).mean(2)
    errors, total = [], []
    for row in bins:
        (sums, count), _ = joined((row[:, None], np.ones(50)), lambda x: x[0] / x[1][:, None])
        errors.append(((sums[:, 0] / count).var(ddof=1) / len(sums)) ** 0.5)
        total.append(sums.sum())
    np.testing.assert_allclose(total, bins.sum(1))
    assert 0.8 < bins.mean(1).std(ddof=1) / np.mean(errors) < 1.3


def test_series_that_are_too_short_are_told():
    """Pairs of series of 50 bins: τ of a tenth of a bin is told never, of ten bins and more nearly always."""
    told = []
    for tau in (0.1, 10):
        pairs = autoregressive(tau, 50, 200).reshape(100, 2, 50).swapaxes(1, 2)
        told.append(np.mean([bool(joined((x,), lambda sums: sums[0])[1]) for x in pairs]))
    assert told[0] <= 0.02 and told[1] >= 0.9


def ratio(values, errors):
    return np.std(values, axis=0, ddof=1) / np.mean(errors, axis=0)


def test_errors_of_the_beta_function_are_the_spread_of_seeds():
    sampler = it.HeatBath(chains=8, burn_in=300)
    found = [
        it.rg.beta_function([K_C], it.Square(8, 8), samples=1600, sampler=sampler, key=jax.random.key(k))
        for k in range(20)
    ]
    assert (np.abs(ratio([f.matched for f in found], [f.errors for f in found]) - 1.15) < 0.55).all()


@pytest.mark.slow
def test_errors_of_finite_size_scaling_are_the_spread_of_seeds():
    sampler = it.HeatBath(chains=4, burn_in=300)
    found = [
        it.rg.finite_size(ising, (4, 6, 8), samples=4000, sampler=sampler, key=jax.random.key(k))
        for k in range(20)
    ]
    values = [(*f.slope, *f.square, 1 / f.nu, f.eta) for f in found]
    errors = [(*f.slope_error, *f.square_error, f.growth.error, f.eta_error) for f in found]
    assert (np.abs(ratio(values, errors) - 1.15) < 0.55).all()


@pytest.mark.parametrize(("method", "side"), [("callen", 8), ("likelihood", 4)])
def test_errors_of_matched_couplings_are_the_spread_of_seeds(method, side):
    """Twenty batches of eight slow chains each, in the order of the draws and chain after chain."""
    sampler, model = it.HeatBath(chains=160, burn_in=500), ising(side)
    drawn, _ = sampler.sample(model, sampler.init(model, key=KEY), 400, key=jax.random.key(6))
    batches = np.asarray(drawn.configurations).reshape(20, 8, 400, side**2)
    for rows in (batches, batches.swapaxes(1, 2).reshape(20, 3200, -1)):
        found = [
            it.rg.match_moments(x, ("nearest", "next"), method=method, lattice=model.lattice) for x in rows
        ]
        assert (np.abs(ratio([f.couplings for f in found], [f.errors for f in found]) - 1.15) < 0.55).all()


def test_repeated_rows_make_no_smaller_errors():
    """Each configuration 50 times, by the functions that draw themselves: errors as of the few, not as of the
    many, and told where there are too few."""
    few, many = it.SwendsenWang(chains=4), Repeated(it.SwendsenWang(chains=4), 50)

    def beta(sampler, samples):
        return it.rg.beta_function([K_C], it.Square(8, 8), samples=samples, sampler=sampler, key=KEY)

    alone, repeated = beta(few, 800), beta(many, 40_000)
    assert 0.5 < repeated.errors[0] / alone.errors[0] < 2 and alone.warnings == ()
    stuck = beta(many, 4000)  # five configurations a chain
    assert any(line.startswith(("untrusted", "chains-disagree")) for line in stuck.warnings)
    assert "warning: " in str(stuck)

    scaled = it.rg.finite_size(ising, (4, 6, 8), samples=2000, sampler=many, key=KEY)
    assert any("autocorrelation times long" in line for line in scaled.warnings)


def test_repeated_rows_of_an_array():
    """Errors of layers, and of what is kept of couplings, as of the rows that are not repeated."""
    rows = np.asarray(it.sample(ising(8), 400, key=KEY))
    lattice, many = it.Square(8, 8), np.repeat(rows, 50, axis=0)
    machine = it.rg.block_rbm(lattice, b=2, w=1.0)
    layers = [it.rg.layer_flow(machine, x, [lattice, it.Square(4, 4)]).errors for x in (rows, many)]
    kept = [it.rg.coupling_metrics(x, it.rg.Majority(2), lattice=lattice, key=KEY) for x in (rows, many)]
    assert 0.6 < layers[1][0] / layers[0][0] < 1.7
    assert 0.5 < kept[1].kept_error[1, 0] / kept[0].kept_error[1, 0] < 2
    few = np.repeat(rows[:4], 50, axis=0)
    assert it.rg.layer_flow(machine, few, [lattice, it.Square(4, 4)]).warnings


def test_what_was_drawn_comes_chain_after_chain():
    """Row k of `it.sample` is of chain k mod c; by_chain has the draws of a chain together."""
    drawn = it.sample(ising(4), 11, sampler=it.HeatBath(chains=4, burn_in=10), key=KEY)
    assert drawn.chains == 4
    order = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7]
    np.testing.assert_array_equal(drawn.by_chain, np.asarray(drawn)[order])


def test_antiferromagnets_under_even_blocks_are_told():
    """Blocks of 2 × 2 sum a staggered order to zero; those of 3 × 3 do not."""
    for K, side, b in ((-0.44, 8, 2), (0.44, 8, 2), (-0.3, 12, 3)):
        found = it.rg.beta_function(
            [K], it.Square(side, side), rule=it.rg.Majority(b), samples=2000, levels=1, key=KEY
        )
        assert any(line.startswith("assumption") for line in found.warnings) is (K < 0 and b == 2)


def test_exponents_of_chains_as_an_array():
    """(chains, draws, N) is what (n, N) chain after chain is; frustration has no exponents."""
    rows = np.asarray(it.sample(ising(8), 400, key=KEY)).reshape(4, 100, 64)
    options = {"levels": 1, "couplings": 2, "lattice": it.Square(8, 8)}
    assert np.array_equal(it.rg.mcrg(rows, **options).y_T, it.rg.mcrg(rows.reshape(400, 64), **options).y_T)
    with pytest.raises(it.InputError, match="spins: expected four configurations or more, got 1"):
        it.rg.mcrg(rows[0, :1], **options)

    def frustrated(side):
        return it.Ising(it.Triangular(side, side), -1.0)

    with pytest.raises(it.InputError, match="a value above 0"):
        it.rg.finite_size(frustrated, (6, 9, 12), samples=2000, key=jax.random.key(0))
