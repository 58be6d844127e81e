"""Paths in imaginary time against dense vectors, enumeration, and published energies."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.quantum.imaginary_time.sampled import local_energies

KEY = jax.random.key(0)
path_integral = it.quantum.path_integral
LOG_PLUS = 4 * np.log(2)
"""The published amplitudes are those of Σ_s |s⟩, not of |+⟩ of eight sites."""


def glass():
    terms = [(0.3, {0: "Z"}), (1.7, {1: "Z", 2: "Z"}), (2.6, {2: "X"}), (0.4, {})]
    return it.tfim(it.Chain(4), J=0.8, h=1.3) + it.Operator.from_strings(4, terms)


def test_the_machine_is_the_evolution():
    path = path_integral(glass(), 0.5, 2)
    spins = jnp.asarray(it.Enumeration().configurations(4), float)
    machine = path.machine()
    found = jax.jit(jax.vmap(lambda v: machine(v)))(spins)
    np.testing.assert_allclose(np.asarray(found) + path.log_constant, path.log_vector(), atol=1e-10)
    assert machine.sizes == (4, 8, 8, 4)


@pytest.mark.parametrize(
    ("steps", "energy", "up", "neel"),
    [(40, -10.2514004376, 42.6593113291, 38.2766688543), (80, -10.2516433685, 42.5905054203, None)],
)
def test_published_amplitudes_and_energies(steps, energy, up, neel):
    path = path_integral(it.tfim(it.Chain(8), h=1.0), 4.0, steps)
    log = path.log_vector() + LOG_PLUS
    assert abs(path.energy() - energy) < 1e-10
    assert abs(log[0] - up) < 1e-9
    assert neel is None or abs(log[0b01010101] - neel) < 1e-9


def test_the_error_falls_as_the_fourth_power_of_the_step():
    H = it.tfim(it.Chain(8), h=2.0)
    exact = it.exact.ground_energy(H)
    errors = [path_integral(H, 4.0, steps).energy() - exact for steps in (40, 80, 160)]
    np.testing.assert_allclose(np.log2(errors[:-1]) - np.log2(errors[1:]), 4, atol=0.05)


def test_the_estimator_is_exact_over_all_classical_spins():
    terms = [(0.3, {0: "Z"}), (-0.5, {0: "X"})]
    H = it.tfim(it.Chain(3, pbc=False), h=1.0) + it.Operator.from_strings(3, terms)
    path = path_integral(H, 0.2, 2)
    rows = it.Enumeration().configurations(15)
    log = np.asarray(jax.jit(jax.vmap(path.classical()))(jnp.asarray(rows)), np.float64)
    p = np.exp(log - log.max())
    found = p @ local_energies(path, rows.reshape(-1, 5, 3)) / p.sum()
    assert abs(found - path.energy()) < 1e-10


def test_sampled_energy():
    path = path_integral(it.tfim(it.Chain(4), h=1.0), 2.0, 20)
    found = path.sample(200, key=KEY)
    assert abs(found.energy.mean - path.energy()) < 4.5 * found.energy.error
    assert "energy" in str(found)


def test_light_travels_alike_in_space_and_time_at_criticality():
    path = path_integral(it.tfim(it.Chain(16), h=1.0), 8.0, 64)
    found = path.light_cone(100, key=KEY)
    assert abs(found.speed - found.exact) < 4.5 * found.error + 0.03 * found.exact
    assert found.error < 0.15 * found.exact
    away = path_integral(it.tfim(it.Chain(8), h=2.0), 1.0, 8).light_cone(5, burn_in=5, key=KEY)
    assert any("not critical" in words for words in away.warnings)


@pytest.mark.slow
def test_a_square_lattice_against_its_published_energy():
    found = path_integral(it.tfim(it.Square(6, 6), h=3.0), 3.0, 60).sample(300, key=KEY)
    assert abs(found.energy.mean + 115.23270730) < 3 * found.energy.error


@pytest.mark.slow
def test_dispersion_of_a_ring():
    path = path_integral(it.tfim(it.Chain(32), h=2.0), 16.0, 256)
    found = path.excitations(100, key=KEY)
    chosen = [0, 2, 4, 8, 16]
    assert abs(found.exact[4] - 2.9543165473781383) < 1e-10
    assert (np.abs(found.energies - found.exact)[chosen] < 3 * found.errors[chosen]).all()
    assert (found.errors[chosen] < 0.05).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: path_integral(it.heisenberg(it.Triangular(3, 3)), 1.0, 4), "sign problem"),
        (lambda: path_integral(it.heisenberg(it.Chain(4)), 1.0, 4), "ZZ, Z and X alone"),
        (lambda: path_integral(it.tfim(it.Chain(4), h=0.0), 1.0, 4), "transverse field on every site"),
        (lambda: path_integral(it.tfim(it.Chain(4)), -1.0, 4), "beta"),
        (lambda: path_integral(it.tfim(it.Chain(4)), 1.0, 0), "steps"),
        (lambda: path_integral(it.tfim(it.Chain(24)), 1.0, 4).energy(), "20 sites"),
        (lambda: path_integral(it.tfim(it.Chain(4, pbc=False)), 1.0, 4).excitations(key=KEY), "periodic"),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(it.InputError, match=words):
        make()


def test_frustrated_couplings_are_said():
    found = path_integral(it.tfim(it.Triangular(3, 3), J=-1.0, h=1.0), 0.5, 5).sample(20, burn_in=20, key=KEY)
    assert any("frustration" in words for words in found.warnings)
