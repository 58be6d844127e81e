"""Closed forms against each other, enumeration and the published values of the infinite lattices."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR, Ising
from intertwine.models.spins.ising_chain import decimate_chain, ising_chain
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.models.spins.onsager import ising_triangular, onsager
from intertwine.models.spins.pair_weights import interaction
from intertwine.models.spins.potts_exact import potts_at_criticality
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.strip import strip
from intertwine.spaces.lattices import Chain, Triangular


def test_onsager_at_the_critical_point():
    """Onsager 1944: K_c, T_c, ln Z/N = 0.9296953983, energy −√2, and G: ln Z/N = ½ ln 2 + 2G/π (Catalan)."""
    values = onsager(CRITICAL_SQUARE)
    assert abs(CRITICAL_SQUARE - 0.4406867935) < 1e-10 and abs(1 / CRITICAL_SQUARE - 2.2691853142) < 1e-10
    assert abs(values.log_partition - 0.9296953983) < 1e-10
    assert abs(values.log_partition - (math.log(2) / 2 + 2 * 0.915965594177219015 / math.pi)) < 1e-13
    assert values.energy == -math.sqrt(2) and values.magnetization == 0
    assert math.isinf(values.specific_heat) and math.isinf(values.correlation_length)


@pytest.mark.parametrize("K", [0.05, 0.2, 0.3, 0.7, 1.5])
def test_onsager_against_large_tori(K):
    """Kaufman's torus of 64 × 64 off T_c, with ln 2/N for two phases: ln Z and energy 1e-13, heat 1e-10."""
    infinite, torus = onsager(K), ising_torus(64, 64, K)
    phases = math.log(2) / 64**2 if K > CRITICAL_SQUARE else 0.0
    assert abs(torus.log_partition - phases - infinite.log_partition) < 1e-13
    assert abs(torus.energy - infinite.energy) < 1e-13
    assert abs(torus.specific_heat - infinite.specific_heat) < 1e-10


@pytest.mark.parametrize("K", [0.43, 0.4406, 0.45])
def test_onsager_is_consistent_near_the_critical_point(K):
    """Energy and specific heat are derivatives of ln Z: central differences, 1e-6."""
    width = 1e-5
    above, below = onsager(K + width), onsager(K - width)
    assert abs((below.log_partition - above.log_partition) / (2 * width) - onsager(K).energy) < 1e-5
    heat = K**2 * (below.energy - above.energy) / (2 * width)
    assert abs(heat / onsager(K).specific_heat - 1) < 2e-3


def test_yang_magnetization_and_the_correlation_length():
    """m⁸ = 1 − sinh⁻⁴ 2K (Yang 1952). At high temperature a ring of 14 sites has the rate 1/ξ up to e^{−W/ξ};
    below T_c, ξ is half of that at the dual coupling."""
    assert abs(onsager(0.6).magnetization - (1 - math.sinh(1.2) ** -4) ** 0.125) < 1e-15
    assert abs(strip(14, 0.15).rates[0] - 1 / onsager(0.15).correlation_length) < 1e-6
    dual = math.asinh(1 / math.sinh(2.0)) / 2
    assert abs(onsager(dual).correlation_length / onsager(1.0).correlation_length - 2) < 1e-12


def test_triangular_lattice():
    """Houtappel 1950: energy −2 at K_c = ln 3/4. Wannier 1950: the antiferromagnet's entropy 0.3230659472."""
    values = ising_triangular(CRITICAL_TRIANGULAR)
    assert values.energy == -2 and values.magnetization == 0
    near = ising_triangular(CRITICAL_TRIANGULAR - 1e-9)
    assert abs(near.energy + 2) < 1e-6 and abs(near.log_partition - values.log_partition) < 1e-8
    frustrated = ising_triangular(-9.0)
    assert abs(frustrated.log_partition - 9 - 0.3230659472) < 1e-9 and abs(frustrated.energy - 1) < 1e-10
    for K in (-0.4, 0.1, 0.26, 0.3, 1.0):
        slope = (ising_triangular(K + 1e-5).log_partition - ising_triangular(K - 1e-5).log_partition) / 2e-5
        assert abs(slope + ising_triangular(K).energy) < 1e-7
    x = math.exp(-4 * 0.4)
    assert (
        abs(ising_triangular(0.4).magnetization ** 8 - (1 - 16 * x**3 / ((1 + 3 * x) * (1 - x) ** 3))) < 1e-14
    )


def test_triangular_lattice_against_enumeration():
    """4 × 4 torus at high temperature: ln Z/N differs by loops around it, of order tanh⁴ K."""
    K = 0.02
    exact = enumerate_distribution(Ising(Triangular(4, 4), K=K)).log_z / 16
    assert abs(exact - ising_triangular(K).log_partition) < 12 * math.tanh(K) ** 4


@pytest.mark.parametrize("K, h", [(0.5, 0.0), (0.3, 0.2), (-0.7, 0.4), (0.0, 0.3)])
def test_chains_against_enumeration(K, h):
    """Ring of 8: ln Z, ⟨E⟩, m, χ and specific heat, all to 1e-12 (Ising 1925). Open chain of 8: ln Z."""
    configurations, p, log_z = enumerate_distribution(Ising(Chain(8), K=K, h=h))
    spins = configurations.astype(float)
    bonds, total = (spins * np.roll(spins, -1, 1)).sum(1), spins.sum(1)
    values = ising_chain(K, h, 8)
    assert abs(values.log_partition - log_z / 8) < 1e-12
    assert abs(values.energy + p @ bonds / 8) < 1e-12
    assert abs(values.magnetization - p @ total / 8) < 1e-12
    assert abs(values.susceptibility - (p @ total**2 - (p @ total) ** 2) / 8) < 1e-11
    assert abs(values.specific_heat - K**2 * (p @ bonds**2 - (p @ bonds) ** 2) / 8) < 1e-11
    opened = np.log(np.exp(K * (spins[:, 1:] * spins[:, :-1]).sum(1) + h * total).sum())
    assert abs(ising_chain(K, h, 8, "open").log_partition - opened / 8) < 1e-12


def test_the_infinite_chain():
    """Long rings approach it; ξ = −1/ln tanh K and χ = e^{2K} without a field."""
    infinite, ring = ising_chain(0.6, 0.1), ising_chain(0.6, 0.1, 400)
    for x, y in zip(infinite, ring, strict=True):
        assert abs(x - y) < 1e-12
    assert abs(ising_chain(0.6).correlation_length + 1 / math.log(math.tanh(0.6))) < 1e-12
    assert abs(ising_chain(0.6).susceptibility - math.exp(1.2)) < 1e-12


@pytest.mark.parametrize("K", [1e-3, 0.3, 1.0, 5.0, -0.8])
def test_decimation(K):
    """tanh K' = tanh² K to 1e-12, and every second spin of a ring of 8 has the law of a ring of 4 at K'."""
    assert abs(math.tanh(decimate_chain(K)) - math.tanh(K) ** 2) < 1e-12
    assert abs(math.tanh(decimate_chain(K, 3)) - math.tanh(K) ** 3) < 1e-12
    configurations, p, _ = enumerate_distribution(Ising(Chain(8), K=K))
    kept, weights = enumerate_distribution(Ising(Chain(4), K=decimate_chain(K)))[:2]
    code = ((1 - configurations[:, ::2]) // 2) @ np.array([8, 4, 2, 1])
    marginal = np.bincount(code, weights=p, minlength=16)
    assert abs(marginal - weights).max() < 1e-12 and (((1 - kept) // 2) @ [8, 4, 2, 1] == np.arange(16)).all()


def test_strips_against_dense_matrices():
    """Width 4 in a field, Ising and q = 3 Potts, periodic and open: the dense spectrum, 1e-10."""
    for K, field in ((0.37, 0.2), (0.8 * np.eye(3), np.array([0.1, 0.0, -0.3]))):
        u, v = interaction(K, field)
        q = len(u)
        rows = np.stack(np.unravel_index(np.arange(q**4), (q,) * 4), 1)
        for boundary in ("periodic", "open"):
            inside = v[rows].sum(1) + u[rows[:, :-1], rows[:, 1:]].sum(1)
            inside += u[rows[:, -1], rows[:, 0]] * (boundary == "periodic")
            between = u[rows[:, None], rows[None]].sum(-1)
            dense = np.exp(inside[:, None] / 2 + between + inside / 2)
            levels = np.sort(np.abs(np.linalg.eigvalsh(dense)))[::-1]
            found = strip(4, K, field, boundary=boundary)
            assert abs(found.log_partition - math.log(levels[0]) / 4) < 1e-12
            assert np.allclose(found.rates, np.log(levels[0] / levels[1:5]), atol=1e-10)


def test_critical_strips_are_conformal():
    """Ring of 12 at K_c: c = 1/2, Δ = 1/8 and 1, to 1 % (Blöte, Cardy & Nightingale 1986)."""
    found = strip(12, CRITICAL_SQUARE)
    excess = (found.log_partition - onsager(CRITICAL_SQUARE).log_partition) * 12**2 * 6 / math.pi
    assert abs(excess - 0.5) < 0.005
    assert np.allclose(found.rates[:2] * 12 / (2 * math.pi), [0.125, 1.0], rtol=0.01)


def test_critical_potts():
    """Baxter 1973: q = 2 is Onsager's ln Z + 2K; q = 3 and 4 agree with strips, whose c is 4/5 and 1."""
    two = potts_at_criticality(2)
    assert abs(two.log_partition - onsager(CRITICAL_SQUARE).log_partition - 2 * CRITICAL_SQUARE) < 1e-12
    assert abs(two.energy + 1 + math.sqrt(0.5)) < 1e-12
    for q, width, charge in ((3, 8, 4 / 5), (4, 7, 1.0)):
        exact = potts_at_criticality(q)
        found = strip(width, exact.K * np.eye(q))
        assert abs((found.log_partition - exact.log_partition) * width**2 * 6 / math.pi - charge) < 0.03
        nudge = 1e-5 * np.eye(q)
        up, down = (strip(width, exact.K * np.eye(q) + s * nudge).log_partition for s in (1, -1))
        assert abs((down - up) / 2e-5 - exact.energy) < 1e-4  # self-dual: no finite-size part of order 1/W


def test_bad_input():
    for make, word in (
        (lambda: onsager(0.0), "K"),
        (lambda: onsager(-0.4), "K"),
        (lambda: onsager(float("nan")), "K"),
        (lambda: onsager("hot"), "K"),
        (lambda: ising_triangular(11.0), "K"),
        (lambda: ising_chain(float("nan")), "K"),
        (lambda: ising_chain(0.4, h=jnp.inf), "h"),
        (lambda: ising_chain(0.4, sites=2), "sites"),
        (lambda: ising_chain(0.4, boundary="twisted"), "boundary"),
        (lambda: decimate_chain(0.4, 1), "b"),
        (lambda: potts_at_criticality(5), "continuous"),
        (lambda: strip(2, 0.4), "width"),
        (lambda: strip(17, 0.4), "width"),
        (lambda: strip(11, np.eye(3)), "width"),
        (lambda: strip(8, 0.4, rates=0), "rates"),
        (lambda: strip(8, np.ones((2, 3))), "K"),
        (lambda: strip(8, [[0.0, 1.0], [0.0, 0.0]]), "symmetric"),
        (lambda: strip(8, 0.4, field=[0.1, 0.2, 0.3]), "field"),
        (lambda: strip(8, np.eye(3), field=0.1), "field"),
        (lambda: strip(8, float("nan")), "K"),
    ):
        with pytest.raises(InputError, match=word) as error:
            make()
        assert "\n" not in str(error.value)
