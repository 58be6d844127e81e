"""The Ising model, its exact values and its cluster sampler against enumeration and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.data.sets.ising import ising as data_set
from intertwine.models.laws import assert_incremental_consistent
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus, magnetization_distribution
from intertwine.sampling.draw import sample
from intertwine.sampling.enumeration import all_configurations
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattices import Chain, Square, Triangular

KEY = jax.random.key(3)
SPINS = all_configurations(9)


def enumerated(model):
    log_p = np.asarray(jax.vmap(model)(jnp.asarray(SPINS)))
    log_z = np.logaddexp.reduce(log_p)
    return np.exp(log_p - log_z), log_z


@pytest.mark.parametrize("K", [0.2, CRITICAL_SQUARE, 0.7])
def test_kaufman_and_the_transfer_matrix_against_enumeration(K):
    """3 × 3: ln Z and energy to 1e-12, specific heat to 1e-9, P(m) to 1e-13."""
    model = Ising(Square(3, 3), K=K)
    p, log_z = enumerated(model)
    energy = np.asarray(model.energy(jnp.asarray(SPINS)))
    mean = p @ energy
    values = ising_torus(3, 3, K)
    assert abs(values.log_partition - log_z / 9) < 1e-12
    assert abs(values.energy - mean / 9) < 1e-12
    assert abs(values.specific_heat - K**2 * (p @ (energy - mean) ** 2) / 9) < 1e-9
    m, chance = magnetization_distribution(3, 3, K)
    found = np.bincount((SPINS.sum(1) + 9) // 2, weights=p, minlength=10)
    assert abs(chance - found).max() < 1e-13 and np.allclose(m * 9, np.arange(-9, 10, 2))


def test_known_values():
    """shared references: ln Z/N to 1e-9 and energy per site to 1e-6 at K_c (Kaufman 1949)."""
    for side, log_z, energy in (
        (8, 0.9397153248, -1.4915891),
        (16, 0.9321963150, -1.4530649),
        (32, 0.9303203902, -1.4336585),
        (64, 0.9298516317, -1.4239384),
    ):
        values = ising_torus(side, side, CRITICAL_SQUARE)
        assert abs(values.log_partition - log_z) < 1e-9 and abs(values.energy - energy) < 1e-6


def test_two_independent_ways_agree():
    """Kaufman's product against the transfer matrix of `data.ising`, 6 × 4: 1e-9."""
    values, known = ising_torus(6, 4, 0.37), data_set(6, 4, 1 / 0.37, rows=2).known.exact
    assert abs(values.energy - known["energy"]) < 1e-12
    assert abs(values.specific_heat - known["specific_heat"]) < 1e-9
    m, p = magnetization_distribution(6, 4, 0.37)
    assert abs(p @ abs(m) - known["abs_magnetization"]) < 1e-12


@pytest.mark.parametrize("lattice", [Chain(5), Triangular(3, 3)], ids=["ring", "triangular"])
def test_flips_cost_their_bonds(lattice):
    assert_incremental_consistent(Ising(lattice, K=0.4, h=-0.3), key=KEY)


@pytest.mark.parametrize("K, h", [(0.4, 0.0), (0.3, 0.15), (-0.3, 0.1)])
def test_cluster_steps_keep_the_enumerated_law(K, h):
    """Swendsen-Wang on 3 × 3 (frustrated for K < 0): energy, m and m² within 4σ of enumeration."""
    model = Ising(Square(3, 3), K=K, h=h)
    p, _ = enumerated(model)
    sampler = SwendsenWang(chains=50, burn_in=50)
    samples, _ = sampler.sample(model, sampler.init(model, key=KEY), 1000, key=KEY)
    spins = samples.configurations
    for of in (model.energy, lambda s: s.mean(-1), lambda s: s.mean(-1) ** 2):
        found, wanted = estimate(np.asarray(of(spins))), p @ np.asarray(of(jnp.asarray(SPINS)))
        assert abs(found.mean - wanted) < 4 * found.error


def test_samples_do_not_depend_on_threads():
    from intertwine import _threads

    model, sampler = Ising(Square(4, 4), K=0.4), SwendsenWang(chains=5)
    state = sampler.init(model, key=KEY)
    one, _ = sampler.sample(model, state, 3, key=KEY)
    with _threads.limit(1):
        two, _ = sampler.sample(model, state, 3, key=KEY)
    assert (np.asarray(one.configurations) == np.asarray(two.configurations)).all()


def test_the_default_sampler_at_the_critical_point():
    """8 × 8 at T_c: the energy of it.sample within 4σ of Kaufman's."""
    model = Ising(Square(8, 8), K=CRITICAL_SQUARE)
    drawn = sample(model, 3200, key=KEY)
    found = estimate(np.asarray(model.energy(jnp.asarray(np.asarray(drawn)))).reshape(100, 32).T)
    assert drawn.mixed
    assert abs(found.mean / 64 - ising_torus(8, 8, CRITICAL_SQUARE).energy) < 4 * found.error / 64


def test_bad_input():
    for make, word in (
        (lambda: Ising(8, K=0.4), "lattice"),
        (lambda: Ising(Chain(4), K=float("nan")), "finite"),
        (lambda: Ising(Chain(4), K=0.4, dtype=complex), "real type"),
        (lambda: ising_torus(2, 8, 0.4), "double"),
        (lambda: ising_torus(8, 8, -1.0), "K"),
        (lambda: magnetization_distribution(12, 12, 0.4), "shorter side"),
        (lambda: SwendsenWang(chains=0), "chains"),
    ):
        with pytest.raises(InputError, match=word):
            make()
