"""The swap estimator: pairs against amplitudes, means and errors against exact purities, its variance
against the theory of U-statistics."""

import jax
import numpy as np
import pytest
from scipy import stats

import intertwine as it
from intertwine._caveats import Caveat, code_of
from intertwine.models.units import as_spins
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.entanglement.pair_ratios import pair_ratios
from intertwine.quantum.entanglement.swap_estimator import swap_pairs, swapped_entropy
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.space import Space, placed
from models.table import MODELS
from thinned import thinned

KEY = jax.random.key(5)


def swaps(model, configurations, region, magnetizations=None):
    """h(i, j) = Re ψ(A_i, B_j) ψ(A_j, B_i) / ψ(A_i, B_i) ψ(A_j, B_j) by the amplitudes of all pairs."""
    flat = configurations.reshape(-1, configurations.shape[-1])
    inside = np.isin(np.arange(flat.shape[1]), region)
    joined = np.where(inside, flat[:, None], flat[None]).reshape(-1, flat.shape[1])
    logs = np.asarray(log_amplitudes(model, joined.astype(np.int8))).astype(complex)
    if magnetizations is not None:
        logs[~np.isin(joined.sum(axis=1), magnetizations)] = -np.inf
    logs = logs.reshape(len(flat), -1)
    own = np.diag(logs)
    return np.exp(logs + logs.T - own[:, None] - own).real


@pytest.mark.parametrize(
    "name",
    thinned(
        [
            "rbm-float-spin-spin",
            "rbm-complex-spin-binary",
            "rbm-complex-binary-as-spins",
            "symmetric-complex",
            "jastrow-complex",
            "mean-field-complex",
            "gcnn-complex-odd",
            "function-with-phase",
        ]
    ),
)
def test_pairs_are_those_of_the_amplitudes(name):
    model = as_spins(MODELS[name](KEY))
    drawn = draw(model, 32, KEY, it.Enumeration())
    for region in ([0, 3, 6], [7]):
        K = pair_ratios(drawn, tuple(region))(np.arange(32), np.arange(32))
        expected = swaps(model, drawn.configurations, region)
        np.testing.assert_allclose((K * K.T).real, expected, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(np.diag(K), 1, rtol=1e-12)


def test_what_leaves_the_space_counts_as_zero():
    model = it.RBM(8, hidden=6, dtype=complex, scale=0.3, key=KEY)
    drawn = draw(placed(model, Space(it.Enumeration(magnetization=2), (2,))), 48, KEY)
    assert (drawn.configurations.sum(axis=2) == 2).all()
    K = pair_ratios(drawn, (1, 4, 5))(np.arange(48), np.arange(48))
    expected = swaps(model, drawn.configurations, (1, 4, 5), [2])
    np.testing.assert_allclose((K * K.T).real, expected, rtol=1e-9, atol=1e-12)
    assert 0.1 < np.mean(K == 0) < 0.9


def test_products_out_of_range_are_called_instead():
    """Weights so large that products overflow: the same pairs by logarithms."""
    field = it.RBM(40, hidden=600, scale=0.5, key=KEY)
    rows = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (4, 2, 40))
    drawn = Drawn(rows, lambda s: np.asarray(log_amplitudes(field, s)).astype(complex), field, None)
    found = swapped_entropy(drawn, tuple(range(20)))
    h = swaps(field, rows, range(20))
    other = np.repeat(np.arange(4), 2)[:, None] != np.repeat(np.arange(4), 2)
    assert found.purity.mean == pytest.approx(h[other].mean(), rel=1e-6)


def test_groups_are_means_over_their_pairs():
    """All pairs of different chains, and those of groups of draws, against sums over the matrix."""
    model = it.RBM(6, hidden=5, dtype=complex, scale=0.3, key=KEY)
    drawn = draw(model, 60, KEY, it.Metropolis(it.SingleFlip(), chains=6))
    h = swaps(model, drawn.configurations, (0, 2)).reshape(6, 10, 6, 10)
    pairs = pair_ratios(drawn, (0, 2))
    apart = ~np.eye(6, dtype=bool)
    whole = swap_pairs(pairs, (6, 10), 60)
    table = h.mean(axis=(1, 3))
    np.testing.assert_allclose(whole.chains[apart], table[apart], rtol=1e-9)
    assert whole.projection.mean() == pytest.approx(table[apart].mean(), rel=1e-9)
    assert (whole.partners, whole.pairs) == (50, 15 * 100)
    parts = swap_pairs(pairs, (6, 10), 12)
    some = np.mean([h[:, g::5][..., g::5].mean(axis=(1, 3)) for g in range(5)], axis=0)
    np.testing.assert_allclose(parts.chains[apart], some[apart], rtol=1e-9)
    assert parts.projection.mean() == pytest.approx(some[apart].mean(), rel=1e-9)
    assert parts.pairs == 5 * 15 * 4


def test_z_scores_over_regions_and_seeds():
    """20 regions × 20 seeds, each with draws of its own."""
    model = it.RBM(8, hidden=12, dtype=complex, scale=0.25, key=KEY)
    rng = np.random.default_rng(1)
    z = []
    for r in range(20):
        region = tuple(int(i) for i in rng.permutation(8)[: 1 + r % 4])
        exact = np.exp(-it.entanglement.renyi(model, region, 2))
        for seed in range(20):
            drawn = draw(model, 256, jax.random.key(100 * r + seed), it.Enumeration())
            found = swapped_entropy(drawn, region)
            z.append((found.purity.mean - exact) / found.purity.error)
            assert found.error == pytest.approx(found.purity.error / found.purity.mean)
    z = np.array(z)
    assert stats.chi2.sf(np.sum(z**2), 400) > 0.001 and stats.chi2.cdf(np.sum(z**2), 400) > 0.001
    assert np.abs(z).max() < 4.5 and abs(z.mean()) < 4 / 20


def test_z_scores_of_correlated_chains():
    """Short sweeps: draws that depend on one another for several steps; many pairs of samples too few."""
    model = it.RBM(8, hidden=12, dtype=complex, scale=0.25, key=KEY)
    sampler = it.Metropolis(it.SingleFlip(), chains=24, sweep=2)
    region = (0, 1, 5)
    exact = np.exp(-it.entanglement.renyi(model, region, 2))
    found = [swapped_entropy(draw(model, 1200, jax.random.key(s), sampler), region) for s in range(24)]
    z = np.array([(f.purity.mean - exact) / f.purity.error for f in found])
    assert np.mean([f.tau for f in found]) > 3
    assert stats.chi2.sf(np.sum(z**2), 24) > 0.001 and stats.chi2.cdf(np.sum(z**2), 24) > 0.001


@pytest.mark.parametrize(("name", "gain"), [("ising", 4.0), ("heisenberg", 6.0)])
def test_all_pairs_against_disjoint_pairs(name, gain):
    """1,000 samples of a ring of 14, 40 seeds: the variance of all pairs, that of a pair alone over the 500
    disjoint ones of the same samples, and what U-statistics predict."""
    H = it.tfim(it.Chain(14), h=1.0) if name == "ising" else it.heisenberg(it.Chain(14))
    _, psi = it.exact.ground_state(H)
    region = tuple(range(7))
    P, cube = (np.exp((1 - q) * it.entanglement.renyi(psi, region, q)) for q in (2, 3))
    everything, spread, told = [], [], []
    for seed in range(40):
        drawn = draw(psi, 1000, jax.random.key(seed))
        found = swapped_entropy(drawn, region, partners=1000)
        K = pair_ratios(drawn, region)(np.arange(0, 1000, 2), np.arange(0, 1000, 2))
        everything.append(found.purity.mean)
        spread.append(np.var((K * K.T)[np.triu_indices(500, 1)]))  # of one pair
        told.append(found.purity.error**2)
    M = found.samples
    disjoint = np.mean(spread) / (M / 2)
    predicted = 4 * (cube - P**2) / M + 2 * (1 - P**2) / M**2
    # E[h²] is the weight of pairs whose swap has an amplitude; heavy tails: few pairs carry it
    weight = np.sum(np.abs(psi.reshape(128, 128)) ** 2, axis=1)
    sums = np.bitwise_count(np.arange(128))
    met = np.sum(np.bincount(sums, weight) ** 2) if name == "heisenberg" else 1.0
    assert disjoint == pytest.approx(2 * (met - P**2) / M, rel=0.25)
    assert disjoint / np.var(everything, ddof=1) > gain
    assert np.mean(told) == pytest.approx(predicted, rel=0.15)
    assert np.var(everything, ddof=1) == pytest.approx(predicted, rel=4 * np.sqrt(2 / 39))
    assert np.mean(everything) == pytest.approx(P, abs=4 * np.sqrt(predicted / 40))


def test_groups_are_joined_until_pairs_do_not_matter():
    """A product state has h₁ = P everywhere, so that only the pairs' noise is left: all pairs are taken."""
    random = np.random.default_rng(0).normal(size=2**12)
    found = it.entanglement.renyi2(random, range(6), samples=1024, key=KEY)
    assert found.pairs > 1024 * 900 / 2
    few = it.entanglement.renyi2(random, range(6), samples=1024, key=KEY, partners=64)
    assert few.pairs < 1024 * 64 and few.error > 2 * found.error


def test_caveats():
    """Where the purity of a random state of 8 + 8 spins is asked from too few pairs."""
    random = np.random.default_rng(0).normal(size=2**16)
    with pytest.warns(Caveat):
        found = it.entanglement.renyi2(random, range(8), samples=64, key=KEY)
    assert "untrusted" in {code_of(line) for line in found.warnings}
    assert found.bias > 0.02 or np.isnan(found.mean)
    assert "warning: untrusted" in str(found)


def test_exact_without_samples_and_the_whole():
    bell = [0.6, 0.0, 0.0, 0.8]
    exact = it.entanglement.renyi2(bell, [1])
    assert (exact.error, exact.samples) == (0, 0)
    assert float(exact) == pytest.approx(-np.log(0.36**2 + 0.64**2))
    assert it.entanglement.renyi2(bell, [0, 1], samples=64, key=KEY).mean == 0
    with pytest.raises(it.InputError, match="key: expected a jax"):
        it.entanglement.renyi2(bell, [0], samples=64)
    with pytest.raises(it.InputError, match="sampler: expected None for a vector"):
        it.entanglement.renyi2(bell, [0], samples=64, key=KEY, sampler=it.Enumeration())
    with pytest.raises(it.InputError, match="samples: expected at least 4"):
        it.entanglement.renyi2(bell, [0], samples=2, key=KEY)
    with pytest.raises(it.InputError, match="partners: expected a positive integer"):
        it.entanglement.renyi2(bell, [0], samples=64, key=KEY, partners=0)


def test_ratio_steps_of_one_magnetization():
    """Swaps of a part need equal magnetizations in it, other pairs than those of a smaller part."""
    where = Space(it.Metropolis(it.Exchange(), chains=32, magnetization=2), (2,))
    model = placed(it.RBM(8, hidden=8, dtype=complex, scale=0.15, key=KEY), where)
    exact = it.entanglement.renyi2(model, [0, 2, 3]).mean
    for seed in range(2):
        found = it.entanglement.renyi2(model, [0, 2, 3], samples=1024, key=jax.random.key(seed), steps=2)
        assert abs(found.mean - exact) < 4 * found.error < 0.6
        assert found.purity.mean == pytest.approx(np.exp(-found.mean))


@pytest.mark.slow
@pytest.mark.parametrize("sector", ["all", "kept"])
def test_ratio_steps_over_seeds(sector):
    """Z-scores of three steps over 16 keys."""
    region = [0, 3, 4, 5, 8]
    model = it.RBM(10, hidden=12, dtype=complex, scale=0.15, key=KEY)
    if sector == "kept":
        model = placed(model, Space(it.Metropolis(it.Exchange(), chains=32), (0,)))
    exact = it.entanglement.renyi2(model, region).mean
    calls = [
        it.entanglement.renyi2(model, region, samples=2048, key=jax.random.key(s), steps=3) for s in range(16)
    ]
    z = np.array([(found.mean - exact) / found.error for found in calls])
    assert stats.chi2.sf(np.sum(z**2), 16) > 0.001 and np.abs(z).max() < 4.5


def test_ratio_steps_refuse_what_they_cannot():
    with pytest.raises(it.InputError, match="steps: expected None for a vector"):
        it.entanglement.renyi2(np.ones(8), [0, 1], samples=64, key=KEY, steps=2)
    with pytest.raises(it.InputError, match="steps: expected a positive integer"):
        it.entanglement.renyi2(np.ones(8), [0, 1], samples=64, key=KEY, steps=0)
