"""Tensor renormalization: exact small tori, the published accuracy, exponents, phases, hostile input."""

import math

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.models.spins.onsager import onsager
from intertwine.models.spins.pair_weights import interaction
from intertwine.models.spins.potts import potts_critical
from intertwine.models.spins.potts_exact import potts_at_criticality
from intertwine.rg.tensor.bond_tensor import (
    BondTensor,
    coarsen,
    gu_wen,
    leading_singular,
    normalised,
    site_tensor,
)
from intertwine.rg.tensor.trg import SCHEMES, trg, trg_critical, trg_derivatives
from intertwine.spaces.lattices import Square


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("K", [0.2, CRITICAL_SQUARE, 0.8])
def test_small_tori_are_exact(scheme, K):
    """χ = 16 cuts nothing in four steps: ln Z of the 4 × 4 torus is Kaufman's to 1e-12, that of 2 × 2 (double
    bonds) the sum of its 16 configurations; in a field, from the exact distribution of m."""
    found = trg(K, 16, 4, scheme=scheme)
    assert abs(found.log_z - ising_torus(4, 4, K).log_partition) < 1e-12
    spins = 1 - 2 * ((np.arange(16)[:, None] >> np.arange(4)) & 1)
    bonds = 2 * sum(spins[:, a] * spins[:, b] for a, b in ((0, 1), (2, 3), (0, 2), (1, 3)))
    assert abs(found.log_z_by_step[1] - np.log(np.exp(K * bonds).sum()) / 4) < 1e-12
    m, chance = magnetization_distribution(4, 4, K)
    shift = math.log(chance @ np.exp(0.1 * 16 * m)) / 16
    assert abs(trg(K, 16, 4, field=0.1, scheme=scheme).log_z - found.log_z - shift) < 1e-12


def test_any_pair_term():
    """q = 3 in a field and an antiferromagnet, 2 × 2 torus: the sum over configurations, 1e-12."""
    u, v = interaction(np.array([[0.3, -0.4, 0.1], [-0.4, 0.2, 0.5], [0.1, 0.5, -0.6]]), [0.1, 0.0, -0.2])
    s = np.stack(np.unravel_index(np.arange(81), (3,) * 4), 1)
    weight = v[s].sum(1) + 2 * sum(u[s[:, a], s[:, b]] for a, b in ((0, 1), (2, 3), (0, 2), (1, 3)))
    assert abs(trg(u, 9, 2, field=v).log_z - np.log(np.exp(weight).sum()) / 4) < 1e-12
    assert abs(trg(-0.3, 16, 4).log_z - ising_torus(4, 4, 0.3).log_partition) < 1e-12  # bipartite: K → −K


@pytest.mark.parametrize("chi, limit", [(4, 2.95e-4), (8, 6.95e-5), (16, 4.65e-6)])
def test_accuracy_at_the_critical_point(chi, limit):
    """Relative error of ln Z per site (Levin & Nave's scheme: 2.9e-4, 6.9e-5, 4.6e-6); at χ = 16 the
    bond-weighted scheme is at least 5 times better: 3.3e-7 (Adachi, Okubo & Todo 2022)."""
    exact = onsager(CRITICAL_SQUARE).log_partition
    plain, weighted = (abs(trg(CRITICAL_SQUARE, chi, scheme=s).log_z / exact - 1) for s in SCHEMES)
    assert limit / 1.1 < plain < limit
    assert weighted < plain / 2 and (chi < 16 or weighted < 3.5e-7 < plain / 5)


@pytest.mark.parametrize("K", [0.3, 0.4, 0.5, 0.7])
def test_accuracy_off_the_critical_point(K):
    """χ = 12: ln Z to 2e-7, energy to 2e-5 and specific heat to 1e-3 of Onsager's; the number of phases."""
    exact = onsager(K)
    value, first, second = trg_derivatives(lambda x: x, K, 12)
    assert abs(value / exact.log_partition - 1) < 2e-7
    assert abs(first + exact.energy) < 2e-5 and abs(K**2 * second - exact.specific_heat) < 1e-3
    assert abs(trg(K, 12).invariant[-10] - (1 if K < CRITICAL_SQUARE else 2)) < 1e-6


def test_magnetization():
    """dln Z/dh at h = 1e-4, K = 0.6: Yang's magnetization and the susceptibility times h, 1e-5."""
    found = trg_derivatives(lambda h: (0.6, h), 1e-4, 12, width=2e-5)
    assert abs(found.first - onsager(0.6).magnetization) < 2e-5


def test_exponents_at_the_critical_point():
    """χ = 20: c = 1/2, y_H = 15/8 and y_T = 1 (Gu & Wen 2009) to 1 %; the plain scheme to 3 %."""
    found = trg(CRITICAL_SQUARE, 20).exponents
    assert abs(found.central_charge - 0.5) < 0.005
    assert abs(found.y_H - 15 / 8) < 5e-4 and abs(found.y_T - 1) < 0.03
    plain = trg(CRITICAL_SQUARE, 16, scheme="trg").exponents
    assert abs(plain.central_charge - 0.5) < 0.015 and abs(plain.y_H - 15 / 8) < 0.003


def test_three_state_potts():
    """K_c, χ = 16: ln Z to 2e-5 of Baxter's; c = 4/5, y_H = 28/15, y_T = 6/5; multiplets are whole."""
    exact = potts_at_criticality(3)
    found = trg(exact.K * np.eye(3), 16)
    assert abs(found.log_z / exact.log_partition - 1) < 2e-5
    assert np.allclose(found.dimensions[:8, 0], found.dimensions[:8, 1], rtol=1e-6)
    assert abs(found.exponents.central_charge - 0.8) < 0.02
    assert abs(found.exponents.y_H - 28 / 15) < 0.01 and abs(found.exponents.y_T - 6 / 5) < 0.15


def test_the_critical_coupling():
    """Where the flow changes its end: K_c to 3e-4 at χ = 8; q = 3 Potts to 2e-3 at χ = 12."""
    assert abs(trg_critical(lambda K: K, 0.4, 0.5, tolerance=1e-6) / CRITICAL_SQUARE - 1) < 3e-4
    found = trg_critical(lambda K: K * np.eye(3), 0.9, 1.1, 12, tolerance=1e-4)
    assert abs(found / potts_critical(3) - 1) < 2e-3


def test_leading_singular_values():
    """Block iteration against LAPACK on 500 × 400: values and the space of the vectors."""
    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.standard_normal((n, 60)))[0] for n in (500, 400))
    s = 0.8 ** np.arange(60.0)
    U, found, Vt = leading_singular(left * s @ right.T, 20)
    assert abs(found - s[:20]).max() < 1e-12
    assert abs(U * found @ Vt - left[:, :20] * s[:20] @ right[:, :20].T).max() < 1e-6


def test_multiplets_are_kept_whole():
    """A cut inside a doublet leaves it out; one inside a multiplet that is everything keeps χ of it."""
    doublet = BondTensor(np.diag([1.0, 0.5, 0.5, 0.1]).reshape(2, 2, 2, 2), np.ones(2), np.ones(2))
    assert len(coarsen(doublet, 2, 0.0).row) == 1 and len(coarsen(doublet, 3, 0.0).row) == 3
    equal = BondTensor(np.eye(4).reshape(2, 2, 2, 2), np.ones(2), np.ones(2))
    assert len(coarsen(equal, 2, 0.0).row) == 2


def test_phases_of_simple_tensors():
    """Gu and Wen's number: independent spins 1; q aligned states q."""
    free = trg(0.0)
    assert abs(free.log_z - math.log(2)) < 1e-15 and (free.invariant == 1).all() and free.legs.max() == 1
    network, log_norm = site_tensor(interaction(0.0))
    assert abs(log_norm - math.log(2)) < 1e-15 and abs(gu_wen(network) - 1) < 1e-14
    network = normalised(site_tensor(interaction(40.0 * np.eye(4)))[0])[0]
    assert abs(gu_wen(network) - 4) < 1e-12


@pytest.mark.slow
def test_the_table_of_the_references():
    """χ = 24 and 32: 1.1e-6 and 5.3e-7 for the plain scheme; the bond-weighted one 10 times smaller."""
    exact = onsager(CRITICAL_SQUARE).log_partition
    for chi, limit in ((24, 1.15e-6), (32, 5.35e-7)):
        plain, weighted = (abs(trg(CRITICAL_SQUARE, chi, scheme=s).log_z / exact - 1) for s in SCHEMES)
        assert plain < limit and weighted < plain / 10


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: trg(float("nan")), "K"),
        (lambda: trg("cold"), "K"),
        (lambda: trg(Ising(Square(4, 4), K=0.4)), "K"),
        (lambda: trg(1e6), "K"),
        (lambda: trg(np.eye(3)[:2]), "K"),
        (lambda: trg(0.4, 1), "chi"),
        (lambda: trg(0.4, 2.5), "chi"),
        (lambda: trg(0.4, 65), "chi"),
        (lambda: trg(0.4, steps=0), "steps"),
        (lambda: trg(0.4, steps=1000), "steps"),
        (lambda: trg(0.4, field=[1.0, 2.0, 3.0]), "field"),
        (lambda: trg(0.4, scheme="loop"), "scheme"),
        (lambda: trg(0.4, 8).exponents, "critical"),
        (lambda: trg(0.6, 8).exponents, "critical"),
        (lambda: trg_derivatives(lambda K: K, 0.4, 8, width=0), "width"),
        (lambda: trg_critical(lambda K: K, 0.5, 0.4), "low < high"),
        (lambda: trg_critical(lambda K: K, 0.4, 0.5, tolerance=0), "tolerance"),
        (lambda: trg_critical(lambda K: K, 0.1, 0.2, 4), "one phase"),
    ],
)
def test_bad_input(make, word):
    with pytest.raises(InputError, match=word) as error:
        make()
    assert "\n" not in str(error.value)
