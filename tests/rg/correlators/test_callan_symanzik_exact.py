"""The Callan-Symanzik equation of exact correlators: the chain, and the diagonal of the square lattice."""

import json
import math

import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE
from intertwine.models.spins.ising_correlations import (
    chain_correlations,
    diagonal_correlations,
    torus_correlations,
)

DIAGONAL = {1: 0.56039835, 2: 0.42786518, 5: 0.25947644, 10: 0.14615068, 20: 0.0592946, 40: 0.01282994}
"""⟨s_0 s_r⟩ along the diagonal at K = 0.43, by another program (Toeplitz determinants in numpy)."""


def square_beta(K):
    return 0.5 * math.tanh(2 * K) * math.log(math.sinh(2 * K))


def diagonals(couplings, largest=48):
    return [diagonal_correlations(float(K), largest) for K in couplings]


def enumerated(K, extent):
    """⟨s_0 s_r⟩ along the first side of a torus, over all configurations."""
    L, M = extent
    spins = (((np.arange(2 ** (L * M))[:, None] >> np.arange(L * M)) & 1) * 2 - 1).reshape(-1, M, L)
    bonds = (spins * np.roll(spins, 1, 1) + spins * np.roll(spins, 1, 2)).sum((1, 2))
    weights = np.exp(K * (bonds - bonds.max()))
    return np.array([weights @ (spins[:, 0, 0] * spins[:, 0, r]) for r in (1, 2, 3)]) / weights.sum()


def test_diagonal_correlations():
    found = diagonal_correlations(0.43, 40)
    assert all(abs(found.values[r - 1] - value) < 6e-9 for r, value in DIAGONAL.items())
    critical = diagonal_correlations(CRITICAL_SQUARE, 3)
    assert np.allclose(critical.values, [2 / math.pi, 16 / (3 * math.pi**2), 2048 / (135 * math.pi**3)])
    up, down = (diagonal_correlations(0.43 + step, 40).values for step in (1e-6, -1e-6))
    assert np.allclose((up - down) / 2e-6, found.derivatives, rtol=1e-6)
    ordered = diagonal_correlations(0.5, 60).values[-1]
    assert abs(ordered - (1 - math.sinh(1.0) ** -4) ** 0.25) < 1e-9  # m²


@pytest.mark.parametrize(("K", "extent"), [(0.3, (4, 4)), (0.44, (4, 3)), (0.6, (4, 4))])
def test_torus_correlations(K, extent):
    found = torus_correlations(*extent, K, 3)
    assert np.allclose(found.values, enumerated(K, extent), atol=1e-12)
    slope = (enumerated(K + 1e-5, extent) - enumerated(K - 1e-5, extent)) / 2e-5
    assert np.allclose(found.derivatives, slope, atol=1e-7)


def test_the_chain_to_rounding():
    K = np.array([0.4, 0.7, 1.1])
    exact = [chain_correlations(float(x), 20) for x in K]
    G, slopes = ([getattr(one, name) for one in exact] for name in ("values", "derivatives"))
    found = it.rg.callan_symanzik(G, K, exact[0].distances, derivatives=slopes)
    assert np.allclose(found.beta, np.sinh(K) * np.cosh(K) * np.log(np.tanh(K)), rtol=1e-11)
    assert abs(found.beta[1] + 0.4794768042763174) < 1e-12
    assert abs(found.gamma).max() < 1e-10 and np.nanmax(abs(found.residuals)) < 1e-9
    assert found.residual.max() < 1e-9 and found.exact and not found.warnings
    assert found.critical() is None and found.y_T() is None  # β < 0 at every K


def test_the_chain_by_differences():
    K = 0.7 + 0.01 * np.arange(-3, 4)
    r = np.arange(1.0, 13)
    found = it.rg.callan_symanzik(np.tanh(K)[:, None] ** r, K, r)
    assert abs(found.beta[3] + 0.4794768042763174) < 1e-9 and found.residual.max() < 1e-9
    assert np.allclose(found.beta, np.sinh(2 * K) / 2 * np.log(np.tanh(K)), atol=1e-6)
    lazy = it.rg.callan_symanzik(np.tanh(K[::-1])[:, None] ** r, K[::-1], r)  # in any order
    assert np.array_equal(lazy.beta, found.beta) and np.array_equal(lazy.couplings, found.couplings)


def test_the_square_lattice():
    K = np.array([0.42, 0.43])
    exact = diagonals(K)
    found = it.rg.callan_symanzik(
        [x.values for x in exact], K, exact[0].distances, derivatives=[x.derivatives for x in exact]
    )
    assert np.allclose(found.beta, [square_beta(x) for x in K], atol=1e-5)
    assert np.allclose(found.gamma, [0.138586, 0.13203], atol=5e-5)  # the same fit by another program
    rms = np.sqrt(np.nanmean(found.residuals**2, 1))
    assert abs(rms[0] - 1.9e-4) < 3e-5  # in units of G
    assert found.critical() is None and found.window[0].tolist() == [8, 48]


def test_slope_and_gamma_at_the_critical_point():
    K = CRITICAL_SQUARE + np.array([-0.004, -0.002, -0.001, 0.001, 0.002, 0.004])
    exact = diagonals(K)
    found = it.rg.callan_symanzik(
        [x.values for x in exact], K, exact[0].distances, derivatives=[x.derivatives for x in exact]
    )
    assert abs(found.critical()[0] - CRITICAL_SQUARE) < 1e-5
    assert abs(found.y_T()[0] - 1) < 0.005 and abs(found.gamma_at()[0] - 0.125) < 1e-3
    at = CRITICAL_SQUARE + 1e-4 * np.array([-1, 0, 1])  # differences across K_c
    rows = it.rg.callan_symanzik([x.values for x in diagonals(at)], at, np.arange(1.0, 49))
    assert abs(rows.gamma[1] - 0.125) < 1e-3 and abs(rows.beta[1]) < 1e-5


@pytest.mark.filterwarnings("ignore:unjudged")
def test_other_functions_do_not_obey_it():
    """Two lengths that move apart with K cannot be told by one β."""
    K, r = np.array([0.5]), np.arange(1.0, 40)
    G = 0.5 * np.exp(-r / 4) + 0.5 * np.exp(-r / 20)
    slope = r * np.exp(-r / 4) / 16  # only the shorter length grows with K
    bad = it.rg.callan_symanzik([G], K, r, derivatives=[slope])
    both = r * (np.exp(-r / 4) / 4 + np.exp(-r / 20) / 20)  # both grow in proportion: one scale
    good = it.rg.callan_symanzik([G], K, r, derivatives=[both])
    assert bad.residual[0] > 0.04 and bad.holds == (False,)
    assert good.residual[0] < 1e-6 and good.holds == (True,)
    assert abs(good.beta[0] + 0.5) < 1e-6 and abs(good.gamma[0]) < 1e-6  # ∂G/∂K = −2 r∂_r G


def test_differences_that_are_too_far_apart_are_told():
    K = CRITICAL_SQUARE + 0.002 * np.arange(-3, 4)
    with pytest.warns(UserWarning, match="too far apart"):
        found = it.rg.callan_symanzik([x.values for x in diagonals(K, 30)], K, np.arange(1.0, 31))
    assert found.warnings[0].startswith("not-converged: ")


R = np.arange(1.0, 13)
CHAIN = np.tanh(np.array([0.5, 0.6]))[:, None] ** R


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((CHAIN[:1], [0.5], R), "couplings: expected two couplings or more, for"),
        ((CHAIN * (-1) ** R, [0.5, 0.6], R), "correlations: expected positive values in the window, got -"),
        ((CHAIN, [0.5], R), "couplings: expected 2 different numbers"),
        ((CHAIN, [0.5, 0.5], R), "couplings: expected 2 different numbers"),
        ((CHAIN, [0.5, 0.6], R[::-1]), "distances: expected four growing positive numbers"),
        ((CHAIN, [0.5, 0.6], R[:5]), "correlations: expected rows of 5 values"),
        ((CHAIN, None, R), "couplings: expected the coupling of every row"),
        ((np.where(R > 4, np.nan, CHAIN), [0.5, 0.6], R), "correlations: expected finite numbers"),
        ((np.ones((40, 16), np.int8), 0.4), "lattice: expected the lattice of the 16 sites"),
        ((np.ones((40, 16), np.int8), None), "couplings: expected the coupling at which"),
    ],
)
def test_bad_input(arguments, words):
    with pytest.raises(InputError) as error:
        it.rg.callan_symanzik(*arguments)
    assert str(error.value).startswith(words) and "\n" not in str(error.value)


def test_one_coupling_with_its_derivative_is_told_alone():
    exact = chain_correlations(0.7, 12)
    with pytest.warns(UserWarning, match="one coupling"):
        found = it.rg.callan_symanzik(exact.values, 0.7, exact.distances, derivatives=exact.derivatives)
    assert found.beta.shape == (1,) and abs(found.beta[0] + 0.4794768042763174) < 1e-12
    assert json.dumps(str(found)) and "β = 0" not in str(found)
    with pytest.raises(InputError, match="does not change its sign"):
        found.gamma_at()


@pytest.mark.filterwarnings("ignore:unjudged")
def test_windows():
    exact = diagonals([0.42])
    given = {"couplings": 0.42, "distances": exact[0].distances, "derivatives": exact[0].derivatives}
    found = it.rg.callan_symanzik(exact[0].values, window=(4, 20), **given)
    assert found.window.tolist() == [[4, 20]] and np.isnan(found.residuals[0, 25:]).all()
    with pytest.raises(InputError, match="window: expected 5 distances or more"):
        it.rg.callan_symanzik(exact[0].values, window=(4, 7), **given)
    with pytest.raises(InputError, match="window: expected two growing"):
        it.rg.callan_symanzik(exact[0].values, window=(8, 2), **given)
