"""Two-lattice matching and finite-size collapse: against K_c, exact decimation and made-up scaling data."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import magnetization_distribution
from intertwine.rg.blocks.blocking import Decimation
from intertwine.rg.montecarlo.matching import beta_function
from intertwine.rg.scaling.collapse import collapse
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(17)


def test_decimation_of_the_chain():
    """One coupling alone remains, so that matching finds K' = artanh tanh²K (decimation), within 4σ."""
    K = np.array([0.5, 0.8, 1.1])
    found = beta_function(K, Chain(32), rule=Decimation(2), levels=1, samples=8000, key=KEY)
    exact = np.arctanh(np.tanh(K) ** 2)
    assert (abs(found.matched - exact) < 4 * found.errors).all() and found.errors.max() < 0.02
    np.testing.assert_allclose(found.values, (found.matched - K) / np.log(2))
    assert (found.values < 0).all() and "dK/dl" in str(found)


def test_the_beta_function_of_the_square_lattice_vanishes_at_k_c():
    """L = 16 → 8, two blockings: the zero within 4σ of K_c, and y_T within 4σ + 0.05 of 1."""
    found = beta_function([0.42, 0.44, 0.46], Square(16), levels=2, samples=10_000, key=KEY)
    critical, error = found.critical()
    y_T, spread = found.y_T()
    assert abs(critical - CRITICAL_SQUARE) < 4 * error and error < 0.003
    assert abs(y_T - 1) < 0.05 + 4 * spread
    assert found.values[0] < 0 < found.values[2]


def test_next_nearest_neighbours_have_another_k_c():
    """K_2 = K_1: K_c = 0.1901927 (Nightingale & Blöte, Physica A 104, 352, 1980): within 4σ."""
    found = beta_function(
        [0.185, 0.195], Square(16), family=lambda lattice, K: Ising(lattice, K, further={"next": K}),
        samples=10_000, sampler=SwendsenWang(chains=20), key=KEY,
    )  # fmt: skip
    critical, error = found.critical()
    assert abs(critical - 0.1901927) < 4 * error + 0.0005


def test_collapse_finds_what_was_put_in():
    """Points redrawn within their errors: K_c, ν and ω within 4σ, and χ² a degree of freedom near 1."""
    L, K = (x.ravel() for x in np.meshgrid([8, 12, 16, 24], np.linspace(0.95, 1.05, 11), indexing="ij"))
    exact = L**-0.4 * (1.5 + np.tanh(0.3 + (K - 1.0) * L**1.2))
    sigma = 2e-3 * exact
    values = exact + sigma * np.random.default_rng(0).standard_normal(len(L))
    found = collapse(L, K, values, sigma, start=(1.003, 0.9), degree=9, key=KEY)
    assert abs(found.critical - 1.0) < 4 * found.critical_error
    assert abs(found.nu - 1 / 1.2) < 4 * found.nu_error
    assert abs(found.omega - 0.4) < 4 * found.omega_error
    assert 0.5 < found.misfit < 1.7 and "χ²/dof" in str(found)


def test_exact_cumulants_of_small_tori_collapse():
    """Transfer matrix, L = 4, 6, 8: K_c within 0.01 and ν within 15 %, which tori so small allow."""
    sizes, couplings, values = [], [], []
    for side in (4, 6, 8):
        for K in np.linspace(0.42, 0.46, 5):
            m, p = magnetization_distribution(side, side, K)
            sizes.append(side)
            couplings.append(K)
            values.append(1 - p @ m**4 / (3 * (p @ m**2) ** 2))
    errors = np.full(len(values), 1e-3)
    found = collapse(sizes, couplings, values, errors, omega=0.0, degree=3, key=KEY)
    assert abs(found.critical - CRITICAL_SQUARE) < 0.01 and abs(found.nu - 1) < 0.15
    assert found.omega == 0.0 and found.omega_error == 0.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: beta_function([np.nan], Square(8), key=KEY), "couplings: expected finite numbers"),
        (lambda: beta_function([0.4], Square(6), levels=2, key=KEY), "extents that blocks of 2 tile"),
        (lambda: beta_function([0.4], Square(8), samples=100, key=KEY), "samples: expected at least"),
        (lambda: beta_function([0.4], Square(8), samples=1000, key=KEY).critical(), "two couplings or more"),
        (lambda: collapse([8, 8], [1, 2], [1, 1], [1, 1], key=KEY), "sizes: expected two sizes"),
        (lambda: collapse([8, 9], [1, 2], [1, np.inf], [1, 1], key=KEY), "values: expected finite numbers"),
        (lambda: collapse([8, 9], [1, 2], [1, 1], [1, 0], key=KEY), "errors: expected positive"),
        (lambda: collapse([8, 9], [1, 2], [1, 1], [1, 1], key=KEY), "values: expected more than 8 points"),
    ],
)
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
