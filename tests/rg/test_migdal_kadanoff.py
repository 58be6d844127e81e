"""Migdal-Kadanoff: published fixed points, exactness in one dimension, the limit b → 1, hostile input."""

import math

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising_chain import decimate_chain, ising_chain
from intertwine.models.spins.potts import potts_critical
from intertwine.rg.steps.flow import Step, critical_coupling, linearise
from intertwine.rg.steps.migdal_kadanoff import migdal_infinitesimal, migdal_kadanoff


def test_the_known_fixed_point():
    """b = d = 2 (Kadanoff 1976): K' = ½ ln cosh 4K, K* = 0.304689, λ = 1.678574, y_T = 0.747236."""
    migdal = migdal_kadanoff(b=2)
    assert isinstance(migdal, Step)
    assert abs(float(migdal.step([0.7])[0]) - math.log(math.cosh(2.8)) / 2) < 1e-15
    assert abs(migdal.fixed_point.couplings[0] - 0.304689) < 1e-6
    assert abs(migdal.fixed_point.eigenvalues[0] - 1.678574) < 1e-6
    assert abs(migdal.y_T - 0.747236) < 1e-6 and abs(migdal.nu - 1.338266) < 1e-6


def test_the_flow_leaves_the_fixed_point_both_ways():
    migdal = migdal_kadanoff()
    assert migdal.flow(0.29, 12).couplings[-1, 0] < 0.01 and migdal.flow(0.32, 12).couplings[-1, 0] > 1
    assert abs(critical_coupling(migdal, [0.1], [0.9])[0] - migdal.fixed_point.couplings[0]) < 1e-8


@pytest.mark.parametrize("b", [2, 3, 5])
def test_one_dimension_is_exact(b):
    """d = 1: tanh K' = tanh^b K. In a field the spins that are kept have the same mean, and ξ' = ξ/b."""
    for K in (-0.5, 0.0, 0.4, 2.0):
        assert abs(float(migdal_kadanoff(b, 1).step([K])[0]) - decimate_chain(K, b)) < 1e-12
    step = migdal_kadanoff(b, 1, field=True)
    K, h = 0.4, 0.3
    new = np.asarray(step.step([K, h]))
    before, after = ising_chain(K, h), ising_chain(*(float(x) for x in new))
    assert abs(after.magnetization - before.magnetization) < 1e-12
    assert abs(after.correlation_length * b - before.correlation_length) < 1e-12


def test_potts():
    """Two states are the Ising model at twice the coupling; t' = t^b; K* = ln 2 for q = 3, b = d = 2."""
    ising, two = migdal_kadanoff(), migdal_kadanoff(states=2)
    assert abs(two.fixed_point.couplings[0] - 2 * ising.fixed_point.couplings[0]) < 1e-12
    assert abs(two.y_T - ising.y_T) < 1e-12
    for q, b, d in ((3, 2, 2), (4, 3, 2), (3, 2, 3)):
        J = b ** (d - 1) * 0.3
        t = ((math.exp(J) - 1) / (math.exp(J) + q - 1)) ** b
        wanted = math.log((1 + (q - 1) * t) / (1 - t))
        assert abs(float(migdal_kadanoff(b, d, states=q).step([0.3])[0]) - wanted) < 1e-14
    assert abs(migdal_kadanoff(states=3).fixed_point.couplings[0] - math.log(2)) < 1e-12  # x = 2 solves it


def test_the_field():
    """Without a field the exponents are those of K alone; y_H = 1.8791 at b = d = 2 (exact: 15/8); the step
    against a product of bond matrices at finite field."""
    migdal = migdal_kadanoff(field=True)
    assert abs(migdal.y_T - migdal_kadanoff().y_T) < 1e-12 and abs(migdal.y_H - 1.8791464) < 1e-7
    assert linearise(migdal, [0.3, 0.0])[0, 1] == pytest.approx(0, abs=1e-12)
    K, h = 0.35, 0.2
    s = np.array([1.0, -1.0])
    bond = np.exp(2 * (K * np.outer(s, s) + h * np.add.outer(s, s) / 4))
    row = np.log(bond @ bond)
    new = np.asarray(migdal.step([K, h]))
    assert abs(new[0] - (row[0, 0] + row[1, 1] - 2 * row[0, 1]) / 4) < 1e-14
    assert abs(new[1] - (row[0, 0] - row[1, 1])) < 1e-14


def test_infinitesimal_steps():
    """d = 2: K* is Onsager's K_c to 1e-13, y_T = 2 − √2 ln(1 + √2) = 0.7535; dK/dl is the limit of finite
    steps (Kadanoff 1976)."""
    limit = migdal_infinitesimal()
    assert abs(limit.K - potts_critical(2) / 2) < 1e-13
    assert abs(limit.y_T - (2 - math.sqrt(2) * math.log(1 + math.sqrt(2)))) < 1e-12
    assert abs(limit.nu * limit.y_T - 1) < 1e-15
    for K in (0.2, 0.6):
        b = 1 + 1e-6
        finite = math.atanh(math.tanh(b * K) ** b)
        assert abs((finite - K) / math.log(b) - float(limit.beta(K))) < 1e-5
    assert abs(migdal_infinitesimal(6).beta(migdal_infinitesimal(6).K)) < 1e-15


@pytest.mark.parametrize("b, d", [(2, 6), (8, 4), (64, 3), (64, 2)])
def test_fixed_points_near_zero(b, d):
    """High dimensions and long steps: K* solves K = artanh tanh^b (b^{d−1} K) to 1e-9, relative."""
    K = float(migdal_kadanoff(b, d).fixed_point.couplings[0])
    assert K > 1e-6 and abs(math.atanh(math.tanh(b ** (d - 1) * K) ** b) / K - 1) < 1e-9


def test_extreme_couplings_stay_finite():
    for migdal in (
        migdal_kadanoff(),
        migdal_kadanoff(5, 3),
        migdal_kadanoff(states=5),
        migdal_kadanoff(field=True),
    ):
        for K in (-8.0, 0.0, 1e-12, 9.0):
            assert np.isfinite(migdal.flow(K, 3).couplings).all()


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: migdal_kadanoff(1), "b"),
        (lambda: migdal_kadanoff(2.5), "b"),
        (lambda: migdal_kadanoff(b=-2), "b"),
        (lambda: migdal_kadanoff(2, 0), "d"),
        (lambda: migdal_kadanoff(64, 4), "bonds"),
        (lambda: migdal_kadanoff(states=1), "states"),
        (lambda: migdal_kadanoff(states=3, field=True), "field"),
        (lambda: migdal_kadanoff().flow(float("nan")), "finite"),
        (lambda: migdal_kadanoff().flow({"next": 0.1}), "couplings"),
        (lambda: migdal_kadanoff(d=1).fixed_point, "no transition"),
        (lambda: migdal_kadanoff().y_H, "field"),
        (lambda: migdal_infinitesimal(1), "d"),
        (lambda: migdal_infinitesimal().beta(-0.3), "K"),
    ],
)
def test_bad_input(make, word):
    with pytest.raises(InputError, match=word) as error:
        make()
    assert "\n" not in str(error.value)
