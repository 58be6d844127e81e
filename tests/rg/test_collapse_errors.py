"""Errors of a collapse: points reweighted from one run tell no more for being many."""

import jax
import numpy as np
import pytest
import scipy.linalg

import intertwine as it

K_C, NU, OMEGA = 0.4407, 1.0, 0.25
SIZES = (8, 16, 32)


def _run(seed: int, points: int, share: float) -> tuple[np.ndarray, ...]:
    """L, K, A, σ and covariance of one run a size: errors of 2 ‰ with the correlation exp(−ΔK²/2w²), w the
    width of the data; `share` of the variance is independent."""
    rng, blocks, parts = np.random.default_rng(seed), [], []
    for L in SIZES:
        K = K_C + np.linspace(-0.6, 0.6, points) / L
        exact = L**-OMEGA * np.exp((K - K_C) * L)
        apart = (K[:, None] - K) * L / 0.8
        correlation = (1 - share) * np.exp(-(apart**2) / 2) + share * np.eye(points)
        covariance = correlation * np.outer(exact, exact) * 4e-6
        blocks.append(covariance)
        parts.append(
            (np.full(points, float(L)), K, rng.multivariate_normal(exact, covariance, method="eigh"))
        )
    L, K, A = (np.concatenate(x) for x in zip(*parts, strict=True))
    covariance = scipy.linalg.block_diag(*blocks)
    return L, K, A, np.sqrt(np.diag(covariance)), covariance


def _pulls(points: int, share: float, given: str, runs: int = 10) -> tuple[np.ndarray, list]:
    """Spread over the mean stated error of K_c, ν and ω, of repeated runs."""
    found = []
    for seed in range(runs):
        L, K, A, sigma, covariance = _run(seed, points, share)
        errors = covariance if given == "covariance" else sigma
        found.append(it.rg.collapse(L, K, A, errors, start=(K_C, NU), degree=4, key=jax.random.key(seed)))
    ratios = [
        np.std([getattr(f, name) for f in found], ddof=1)
        / np.mean([getattr(f, f"{name}_error") for f in found])
        for name in ("critical", "nu", "omega")
    ]
    return np.array(ratios), found


def test_reweighted_points_with_their_covariance() -> None:
    """Spread over stated error of 10 runs is 1 within 4σ."""
    ratios, found = _pulls(7, 1e-6, "covariance")
    assert (ratios < 1.9).all() and (ratios > 0.4).all() and not any(f.warnings for f in found)


@pytest.mark.parametrize("points", [7, 21])
def test_reweighted_points_do_not_shrink_the_errors(points: int) -> None:
    """With standard errors alone the stated errors are not too small (spread over stated was 2.4 with 21
    points), and how they were read is said."""
    ratios, found = _pulls(points, 1e-6, "sigma")
    assert (ratios < 1.9).all() and (ratios > 0.15).all()
    assert all(f.warnings[0].startswith("assumption: ") for f in found)


def test_independent_points_keep_their_errors() -> None:
    ratios, found = _pulls(9, 1.0, "sigma")
    assert (ratios < 1.9).all() and (ratios > 0.4).all() and not any(f.warnings for f in found)


def test_the_covariance_of_a_reweighted_run() -> None:
    rng = np.random.default_rng(0)
    found = it.reweight(rng.normal(size=(8, 500)), None, 0.0, [0.0, 0.05, 0.1])
    covariance = found.covariance("energy")
    assert np.allclose(np.sqrt(np.diag(covariance)), found.errors["energy"])
    assert covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) > 0.9


def test_points_that_are_no_curve_and_a_critical_point_beyond_them() -> None:
    """Corrections of 10 % at 2 ‰ of error; couplings on one side of K_c alone."""
    L, K, A, sigma, _ = _run(0, 7, 1.0)
    found = it.rg.collapse(L, K, A * (1 + 2 / L), sigma, omega=OMEGA, start=(K_C, NU), key=jax.random.key(0))
    assert any(line.startswith("bad-fit") and "χ²" in line for line in found.warnings)
    above = K > K_C + 0.1 / L
    aside = it.rg.collapse(L[above], K[above], A[above], sigma[above], degree=3, key=jax.random.key(0))
    assert aside.critical < K[above].min()
    assert any(line.startswith("untrusted") for line in aside.warnings)
    well = it.rg.collapse(L, K, A, sigma, start=(K_C, NU), key=jax.random.key(0))
    assert well.warnings == () and abs(well.critical - K_C) < 4 * well.critical_error
