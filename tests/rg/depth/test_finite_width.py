"""Networks of finite width: exact moments, whole weight matrices, Newman's law."""

import math

import jax
import numpy as np
import pytest
from scipy.special import comb, digamma

import intertwine as it
from intertwine.rg.depth.finite_width import mean_log_factor, second_moment

KEY = jax.random.key(5)


@pytest.mark.parametrize(("name", "C_W", "excess"), [("linear", 1.0, 2), ("relu", 2.0, 5)])
def test_moments_of_networks(name, C_W, excess):
    found = it.rg.random_layers(name, width=64, depth=8, C_W=C_W, draws=20_000, key=KEY)
    exact = (1 + excess / 64) ** np.arange(8)
    assert np.allclose(found.exact_second, exact, rtol=1e-14)
    assert (np.abs(found.second - exact)[1:] < 3 * found.second_error[1:]).all()
    assert (np.abs(found.log_kernel - found.exact_log)[1:] < 3 * found.log_error[1:]).all()
    assert (np.abs(found.kernel - 1)[1:] < 3 * found.kernel_error[1:]).all() and not found.warnings


def test_the_law_is_that_of_whole_networks():
    """⟨K²⟩/⟨K⟩² of tanh networks with all their weights, width 8."""
    random = np.random.default_rng(2)
    n, draws, layers = 8, 20_000, 4
    z = random.standard_normal((draws, n))
    kernels = [np.ones(draws)]
    for _ in range(layers - 1):
        h = np.tanh(z)
        kernels.append(1.2 * (h * h).mean(1) + 0.1)
        weights = random.standard_normal((draws, n, n)) * math.sqrt(1.2 / n)
        z = (weights @ h[..., None])[..., 0] + math.sqrt(0.1) * random.standard_normal((draws, n))
    found = it.rg.random_layers("tanh", width=n, depth=layers, C_W=1.2, C_b=0.1, draws=draws, key=KEY)
    for k in range(1, layers):
        of_networks = kernels[k]
        error = of_networks.std() / math.sqrt(draws)
        assert abs(found.kernel[k] - of_networks.mean()) < 4 * math.hypot(error, found.kernel_error[k])
        ratio = (of_networks**2).mean() / of_networks.mean() ** 2
        assert abs(found.second[k] - ratio) < 4 * math.sqrt(2) * found.second_error[k]


def test_the_vertex_is_the_variance_of_the_kernel():
    """V/(nK²) to the first order in 1/n, and exactly ((1 + g/n)^{L−1} − 1) ≈ g(L − 1)/n."""
    n = 400
    flow = it.rg.depth_flow("tanh", C_W=1.5, C_b=0.1, depth=6, width=n)
    found = it.rg.random_layers("tanh", width=n, depth=6, C_W=1.5, C_b=0.1, draws=4000, key=KEY)
    spread = (found.second - 1)[1:]
    assert (np.abs(spread - flow.coupling[1:]) < 4.5 * found.second_error[1:]).all()
    assert np.allclose(it.rg.depth_flow("relu", depth=5, width=100).coupling, 0.05 * np.arange(5))
    assert np.allclose(it.rg.depth_flow("linear", depth=5, width=100).coupling, 0.02 * np.arange(5))


def test_mean_logarithms_by_digamma():
    for n in (1, 2, 7, 32):
        k = np.arange(1, n + 1)
        share = comb(n, k) / (2.0**n - 1)
        assert abs(mean_log_factor("relu", n, 2.0) - share @ (np.log(4 / n) + digamma(k / 2))) < 1e-12
        assert abs(mean_log_factor("linear", n, 1.0) - (math.log(2 / n) + digamma(n / 2))) < 1e-12
    with pytest.raises(it.InputError, match="scale-invariant"):
        second_moment("tanh", 4, 3)


def test_what_qualifies_an_estimate_is_said():
    with pytest.warns(UserWarning, match="heavy tail"):
        found = it.rg.random_layers("relu", width=2, depth=12, C_W=2.0, draws=500, key=KEY)
    assert [line.partition(":")[0] for line in found.warnings] == ["untrusted", "assumption"]
    assert "layer of zeros" in found.warnings[1] and found.dead[-1] > 0.9
    with pytest.warns(UserWarning, match="too few"):
        assert "unjudged" in str(it.rg.random_layers("tanh", width=8, depth=2, C_W=1.0, draws=20, key=KEY))
    with pytest.warns(UserWarning, match="above 1 from layer"):
        it.rg.depth_flow("relu", depth=30, width=10)


def test_lyapunov_spectrum_of_linear_layers():
    law = it.rg.ginibre_exponents(16)
    known = [-0.03190003186211299, -0.06634202871687456, -0.3452853076601534, -2.0214757838506294]
    assert np.allclose(law[[0, 1, 7, 15]], known, atol=1e-14)
    found = it.rg.lyapunov_spectrum(width=16, depth=60, draws=40, key=KEY)
    assert (np.abs(found.exponents - law) < 3.5 * found.errors).all()
    assert np.allclose(it.rg.lyapunov_spectrum(width=16, C_W=2.0).exponents, law + math.log(2) / 2)


def test_lyapunov_exponents_of_other_layers():
    """The sum of all is ⟨ln|det J|⟩, which is that of the weights and of the slopes."""
    found = it.rg.lyapunov_spectrum("leaky_relu", width=6, C_W=1.0, depth=50, draws=60, key=KEY)
    exact = it.rg.ginibre_exponents(6).sum() + 6 * math.log(0.01) / 2
    assert abs(found.exponents.sum() - exact) < 4.5 * np.sqrt((found.errors**2).sum() * 6)
    assert len(it.rg.lyapunov_spectrum("relu", width=12, C_W=2.0, depth=10, draws=4, key=KEY).exponents) == 1
    with pytest.raises(it.InputError, match="exponents: expected at most 4"):
        it.rg.lyapunov_spectrum(width=4, exponents=5)
