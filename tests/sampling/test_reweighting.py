"""Reweighting against exact histograms, enumeration and Kaufman's torus."""

import warnings

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.spins.heat_bath import HeatBath
from intertwine.sampling.spins.tempered_heat_bath import TemperedHeatBath
from intertwine.sampling.statistics.reweighting import MultiHistogram, OutsideData, reweight
from intertwine.spaces.lattices import Square


def drawn(size, K, draws, key, chains=64):
    """Energies and m² (chains, draws)."""
    model = Ising(Square(size, size), K)
    sampler = HeatBath(chains=chains, burn_in=100 * size, steps=size // 2)
    sums, _ = sampler.sums(model, sampler.init(model, key=key), draws, key=key)
    return -sums.log_weight / K, (sums.magnetization / size**2) ** 2


def test_exact_histograms_give_exact_answers():
    """No noise: energies, specific heats and ln Z to 1e-10, at and between the couplings."""
    lattice, couplings = Square(4, 4), [0.2, 0.35, 0.5]
    exact = enumerate_distribution(Ising(lattice, 0.3))
    energies = np.asarray(Ising(lattice, 0.3).energy(exact.configurations), float)
    levels, where = np.unique(energies, return_inverse=True)
    weights = [np.bincount(where, enumerate_distribution(Ising(lattice, K)).probabilities) for K in couplings]
    data = MultiHistogram([levels] * 3, couplings, weights=weights)
    log_z = [16 * ising_torus(4, 4, K).log_partition for K in couplings]
    np.testing.assert_allclose(data.log_partition, np.subtract(log_z, log_z[0]), atol=1e-10)
    points = [0.1, 0.3, 0.44, 0.7]
    found, truth = data.at(points), [ising_torus(4, 4, K) for K in points]
    np.testing.assert_allclose(found.means["energy"] / 16, [t.energy for t in truth], atol=1e-10)
    np.testing.assert_allclose(found.specific_heat(16)[0], [t.specific_heat for t in truth], atol=1e-10)
    ratios = [16 * t.log_partition - log_z[0] for t in truth]
    np.testing.assert_allclose(found.log_ratio, ratios, atol=1e-10)
    assert np.isnan(found.errors["energy"]).all()


@pytest.mark.parametrize("size", [4, 8, 16])
def test_multi_histogram_of_samples(size, key):
    couplings = [0.40, 0.44, 0.48]
    values = [drawn(size, K, 1000, jax.random.fold_in(key, i)) for i, K in enumerate(couplings)]
    data = MultiHistogram([v[0] for v in values], couplings, {"m2": [v[1] for v in values]})
    points, sites = np.array([0.39, 0.42, 0.4407, 0.47]), size**2
    found = data.at(points)
    truth = [ising_torus(size, size, K) for K in points]
    origin = ising_torus(size, size, 0.40).log_partition
    heat, heat_error = found.specific_heat(sites)
    scores = [
        (found.means["energy"] - [sites * t.energy for t in truth]) / found.errors["energy"],
        (heat - [t.specific_heat for t in truth]) / heat_error,
        (found.log_ratio - [sites * (t.log_partition - origin) for t in truth]) / found.log_ratio_error,
    ]
    if size <= 8:
        m2 = [p @ m**2 for m, p in (magnetization_distribution(size, size, K) for K in points)]
        scores.append((found.means["m2"] - m2) / found.errors["m2"])
    assert np.abs(scores).max() < 3.5
    assert (found.ess > 1000).all()


def test_single_histogram(key):
    energies, m2 = drawn(8, 0.43, 2000, key)
    found = reweight(energies, {"m2": m2}, 0.43, 0.4407)
    assert found.couplings.shape == () and "m2" in str(found)
    truth = ising_torus(8, 8, 0.4407)
    assert abs(found.means["energy"] - 64 * truth.energy) < 3 * found.errors["energy"]
    m, p = magnetization_distribution(8, 8, 0.4407)
    assert abs(found.means["m2"] - p @ m**2) < 3 * found.errors["m2"]
    heat, error = found.specific_heat(64)
    assert abs(heat - truth.specific_heat) < 3 * error
    difference = 64 * (truth.log_partition - ising_torus(8, 8, 0.43).log_partition)
    assert abs(found.log_ratio - difference) < 3 * found.log_ratio_error


def test_rungs_of_a_tempered_ladder(key):
    """Rungs of one ladder are correlated by their swaps; their histograms still join."""
    model, K = Ising(Square(8, 8), K=0.5), 0.5
    sampler = TemperedHeatBath(chains=32, betas=(0.6, 0.8, 1.0), steps=4)
    sums, _ = sampler.ladder(model, sampler.init(model, key=key), 500, key=key)
    data = MultiHistogram(list(-sums.log_weight / K), K * sums.betas)
    found = data.at(0.44)
    assert abs(found.means["energy"] - 64 * ising_torus(8, 8, 0.44).energy) < 3.5 * found.errors["energy"]


def test_reweighting_in_a_field(key):
    """Any coupling: with E = −Σ s, a field on independent spins, ⟨Σ s⟩ = N tanh h and ln Z = N ln 2cosh h."""
    model, size = Ising(Square(4, 4), K=0.0, h=0.3), 16
    sampler = HeatBath(chains=64, burn_in=1)
    sums, _ = sampler.sums(model, sampler.init(model, key=key), 500, key=key)
    found = reweight(-sums.magnetization, None, 0.3, [0.2, 0.3, 0.4])
    truth = -size * np.tanh([0.2, 0.3, 0.4])
    assert (abs(found.means["energy"] - truth) < 3.5 * found.errors["energy"]).all()
    ratio = size * np.log(np.cosh([0.2, 0.3, 0.4]) / np.cosh(0.3))
    assert (abs(found.log_ratio - ratio) <= 3.5 * found.log_ratio_error + 1e-12).all()
    np.testing.assert_allclose(found.means["energy"][1], -sums.magnetization.mean())


def test_inefficiency_weighs_and_errors_cover():
    """AR(1) energies at two couplings of a Gaussian, many times: pulls have unit width, g is 1 + 2τ."""
    rng, pulls, g = np.random.default_rng(5), [], []
    for _ in range(20):
        sets = []
        for K, phi in ((1.0, 0.0), (1.3, 0.8)):  # ln Ψ = −K E − E²/2: E ~ N(−K, 1)
            x = rng.normal(size=(4, 800))
            for t in range(1, 800):
                x[:, t] = phi * x[:, t - 1] + np.sqrt(1 - phi**2) * x[:, t]
            sets.append(x - K)
        data = MultiHistogram(sets, [1.0, 1.3])
        found = data.at(1.15)
        pulls.append((found.means["energy"] + 1.15) / found.errors["energy"])
        pulls.append((data.log_partition[1] - (1.3**2 - 1) / 2) / data.log_partition_error[1])
        g.append(data.inefficiencies)
    assert 0.7 < np.std(pulls) < 1.4
    np.testing.assert_allclose(np.mean(g, 0), [1.05, 9.0], atol=0.9)


def test_outside_the_data(key):
    energies, _ = drawn(8, 0.43, 200, key)
    with pytest.warns(OutsideData, match=r"K: 0.1, -1 not covered by the samples at 0.43"):
        found = reweight(energies, None, 0.43, [0.1, 0.43, -1.0])
    assert found.ess[1] > 100 > 20 > found.ess[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reweight(energies, None, 0.43, [0.42, 0.44])


NORMAL = np.random.default_rng(0).normal(size=(4, 100))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MultiHistogram([NORMAL, NORMAL + 1000], [0.1, 2.0]), "data sets whose energies overlap"),
        (lambda: MultiHistogram([NORMAL], [0.1, 2.0]), "couplings: expected 1 finite numbers"),
        (lambda: MultiHistogram([NORMAL, NORMAL], [0.1, 0.1]), "couplings: expected different couplings"),
        (lambda: MultiHistogram([NORMAL * np.nan], [0.1]), "energies: expected finite arrays"),
        (lambda: reweight(NORMAL, {"m": NORMAL[:2]}, 0.1, 0.2), r"observables\[m\]: expected arrays of"),
        (lambda: reweight(NORMAL, {"energy": NORMAL}, 0.1, 0.2), "names other than energy"),
        (lambda: reweight(NORMAL, NORMAL, 0.1, 0.2), "observables: expected arrays by name"),
        (lambda: reweight(NORMAL[:, :1], None, 0.1, 0.2), "at least 8 samples"),
        (lambda: MultiHistogram(3.0, [0.1]), "energies: expected a list of arrays"),
        (lambda: MultiHistogram([["a"]], [0.1]), "energies: expected finite arrays"),
        (lambda: reweight(NORMAL, None, 0.1, "high"), "K: expected finite couplings"),
        (lambda: reweight(NORMAL, None, 0.1, np.inf), "K: expected finite couplings"),
    ],
)
def test_what_cannot_be_reweighted_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
