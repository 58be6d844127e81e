"""Finite-size scaling, and exponents in one call: against power laws, enumeration and known exponents."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR, Ising
from intertwine.models.spins.potts import Potts, potts_critical
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.scaling.finite_size import FiniteSizeScaling, finite_size, power_law
from intertwine.rg.scaling.moments import cumulant_slope, jackknife
from intertwine.rg.scaling.universality import exponents
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Square, Triangular

KEY = jax.random.key(23)
SIZES = np.array([8, 12, 16, 24, 32, 48])


def ising(side):
    return Ising(Square(side), CRITICAL_SQUARE)


def next_nearest(side):
    """K_c of equal couplings: Nightingale & Blöte, Physica A 104, 352 (1980)."""
    return Ising(Square(side), 0.1901927, further={"next": 0.1901927})


def in_field(side):
    return Ising(Square(side), 0.4, 0.1)


def potts(side):
    return Potts(Square(side), 3, potts_critical(3))


MODELS = {
    "ising": Ising(Square(3), 0.4),
    "next": Ising(Square(3), 0.2, further={"next": 0.15}),
    "potts": Potts(Square(3), 3, 0.9),
}


@pytest.mark.parametrize("name", MODELS)
def test_moments_are_those_of_enumeration(name):
    """Means of ln Ψ, m², m⁴, m² ln Ψ, m⁴ ln Ψ within 4σ, and the slope of ln U within 4σ of a difference."""
    model = MODELS[name]
    sampler = SwendsenWang(chains=20, steps=2)
    study = FiniteSizeScaling([3], [model], sampler, samples=20_000, bins=20, omega=None, key=KEY)
    *_, (state, _) = study.iterate(study.start(), 0)
    found = state.sums[0]

    def exact_moments(model):
        exact = enumerate_distribution(model)
        p, v = exact.probabilities, exact.configurations
        weight = np.array(jax.vmap(model)(jax.numpy.asarray(v)))
        if name == "potts":
            square = np.asarray(model.order_squared(jax.numpy.asarray(v)))
        else:
            square = v.mean(1, dtype=float) ** 2
        columns = weight, square, square**2, square * weight, square**2 * weight
        return np.array([p @ column for column in columns])

    exact = exact_moments(model)
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (abs(found.mean(0) - exact) < 4 * error).all()

    def log_cumulant(scale):
        K = float(model.coupling) * scale
        further = {"next": 0.15 * scale} if name == "next" else None
        moved = Potts(model.lattice, 3, K) if name == "potts" else Ising(model.lattice, K, further=further)
        _, m2, m4, *_ = exact_moments(moved)
        return np.log(m4 / m2**2)

    slope = -(log_cumulant(1.001) - log_cumulant(0.999)) / 0.002
    np.testing.assert_allclose(cumulant_slope(exact), slope, rtol=1e-5)
    value, sigma = jackknife(found[None], cumulant_slope)
    assert abs(value[0] - slope) < 4 * sigma[0]


def test_power_laws_and_their_errors():
    """Redrawn within errors: pulls of the exponent have mean 0 and σ 1 (4σ of 200), with and without ω."""
    rng = np.random.default_rng(1)
    for omega in (None, 0.8):
        exact = 2 * SIZES**1.2 * np.exp(0.0 if omega is None else 0.7 * SIZES**-0.8)
        pulls = []
        for _ in range(200):
            y = exact * (1 + 0.01 * rng.standard_normal(len(SIZES)))
            fit = power_law(SIZES, y, 0.01 * y, omega=omega)
            pulls.append((fit.exponent - 1.2) / fit.error)
        assert abs(np.mean(pulls)) < 4 / np.sqrt(200) and 0.75 < np.std(pulls) < 1.2


def test_small_sizes_are_left_out_where_the_line_does_not_describe_them():
    y = 2 * SIZES**1.2 * np.exp(100.0 * SIZES**-4.0)
    fit = power_law(SIZES, y, 1e-3 * y)
    assert 0 < fit.first < 4 and fit.misfit < 2 and abs(fit.exponent - 1.2) < 4 * fit.error


def test_exponents_of_small_tori_by_finite_size_scaling():
    """L = 6 to 16: ν and η of the square lattice within 4σ and a few per cent of corrections."""
    found = finite_size(ising, (6, 8, 12, 16), samples=40_000, key=KEY)
    assert abs(found.nu - 1) < 4 * found.nu_error + 0.03 and found.nu_error < 0.05
    assert abs(found.eta - 0.25) < 4 * found.eta_error + 0.01 and found.eta_error < 0.01
    assert "⟨m²⟩" in str(found) and "χ²/dof" in str(found)


@pytest.mark.slow
def test_two_systems_of_one_class_and_another():
    """L = 16, two steps: with next-nearest neighbours y_T is that of the Ising model, within 4σ and 0.02;
    three Potts states have another one, by more than 4σ."""
    found = {
        name: exponents(family, side=16, levels=2, samples=20_000, sizes=None, key=KEY)
        for name, family in (("ising", ising), ("next", next_nearest), ("potts", potts))
    }
    a, b, c = (1 / found[name].nu for name in ("ising", "next", "potts"))
    errors = {name: f.nu_error / f.nu**2 for name, f in found.items()}
    assert abs(a - b) < 4 * np.hypot(errors["ising"], errors["next"]) + 0.02
    assert c - a > 4 * np.hypot(errors["ising"], errors["potts"])
    assert found["potts"].check is None and "from step" in str(found["potts"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "nu", "eta", "omega"),
    [
        (ising, 1, 1 / 4, 2.0),
        (lambda side: Ising(Triangular(side), CRITICAL_TRIANGULAR), 1, 1 / 4, 2.0),
        (next_nearest, 1, 1 / 4, 2.0),
        (potts, 5 / 6, 4 / 15, 0.8),
    ],
    ids=["square", "triangular", "next", "potts"],
)
def test_exponents_within_two_per_cent(family, nu, eta, omega):
    """L = 64, four steps, 60,000 samples: ν and η within 2 %, and within 4 errors."""
    found = exponents(family, omega=omega, sizes=None, key=jax.random.key(0))
    assert abs(found.nu / nu - 1) < 0.02 and abs(found.eta / eta - 1) < 0.02
    assert abs(found.nu - nu) < 4 * found.nu_error
    assert abs(found.eta - eta) < 4 * found.eta_error


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: power_law([8, 16], [1.0, -1.0], [0.1, 0.1]), "values: expected positive finite numbers"),
        (lambda: power_law([8, 16], [1.0, 2.0], [0.1, 0.1], omega=0.8), "sizes: expected 3 increasing"),
        (lambda: power_law([16, 8], [1.0, 2.0], [0.1, 0.1]), "sizes: expected 2 increasing"),
        (lambda: power_law([8, 16], [1.0, 2.0], [0.1, 0.1], omega=-1), "omega: expected a positive"),
        (lambda: finite_size(ising, (4, 6), samples=100, key=KEY), "samples: expected 250 or more"),
        (lambda: finite_size(ising, (4, 0), samples=10_000, key=KEY), "sizes: expected a positive"),
        (lambda: finite_size(in_field, (4, 6), key=KEY), "family: expected Ising"),
        (lambda: exponents(ising, side=12, key=KEY), "levels: expected at most 2"),
        (lambda: exponents(ising, samples=100, key=KEY), "samples: expected at least 2000"),
        (lambda: exponents(ising, omega=np.nan, key=KEY), "omega: expected a positive"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
