"""The flow v → h → v of networks and its thermometer: against the machines' exact distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.networks.network_flow import flow_fixed_point, network_flow
from intertwine.rg.networks.thermometer import ising_temperature
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain, Square, Triangular

KEY = jax.random.key(11)


def machine(units="spin", scale=0.4, size=9, hidden=6):
    return RBM(size, hidden, units=units, hidden_units="binary", scale=scale, key=jax.random.key(4))


def exact_energy(rbm, lattice):
    """⟨−Σ s s'⟩/N under p = Ψ/Z by enumeration."""
    spins = all_configurations(lattice.size)
    v = (1 + spins) // 2 if rbm.units == "binary" else spins
    log_p = np.asarray(jax.vmap(rbm)(jnp.asarray(v)))
    p = np.exp(log_p - np.logaddexp.reduce(log_p))
    i, j = lattice.bonds().T
    return -(p @ (spins[:, i].astype(int) * spins[:, j]).sum(1)) / lattice.size


@pytest.mark.parametrize("side", [3, 8, 10, 32])
@pytest.mark.parametrize("T", [0.8, 2.0, 2.2691853, 5.0, 40.0])
def test_the_thermometer_inverts_the_exact_energy(side, T):
    """1e-6 where the specific heat is not tiny."""
    energy = ising_torus(side, side, 1 / T).energy
    reading = ising_temperature(energy, Square(side), error=1e-3)
    assert abs(reading.mean - T) < 1e-6 and abs(reading.coupling - 1 / T) < 1e-6
    slope = (
        ising_torus(side, side, 1 / (T + 1e-4)).energy - ising_torus(side, side, 1 / (T - 1e-4)).energy
    ) / 2e-4
    assert abs(reading.error * slope / 1e-3 - 1) < 1e-3


def test_ends_of_the_thermometer():
    assert ising_temperature(0.1, Square(4)).mean == np.inf and ising_temperature(-2.0, Square(4)).mean == 0.0


@pytest.mark.parametrize("units", ["spin", "binary"])
def test_flows_end_in_the_distribution_of_the_machine(units):
    """From both ends the energy becomes that of p = Ψ/Z: within 4σ of enumeration, and within 0.01 of one
    another."""
    rbm, lattice = machine(units), Square(3)
    found = flow_fixed_point(rbm, lattice=Square(3), steps=400, key=KEY)
    exact = exact_energy(rbm, lattice)
    assert found.met(0.01) and found.difference < 3 * np.hypot(found.cold.error, found.hot.error)
    assert abs(float(found.energy.mean) - exact) < 4 * float(found.energy.error)
    assert float(found.energy.error) < 0.004
    assert abs(found.temperature.mean - ising_temperature(exact, lattice).mean) < 4 * found.temperature.error


def test_one_step_is_the_kernel_of_the_machine():
    """P(v → v') = Σ_h p(h|v) p(v'|h), enumerated: the mean energy after one and two steps, 4σ."""
    rbm, lattice = machine(), Square(3)
    spins, hidden = all_configurations(9), all_configurations(6)
    h = (1 + hidden) // 2
    up = _log_binary(np.asarray(rbm.angles(jnp.asarray(spins)))[:, None], h)
    down = _log_spin(np.asarray(rbm.visible_angles(jnp.asarray(h)))[:, None], spins)
    kernel = np.exp(up) @ np.exp(down)
    np.testing.assert_allclose(kernel.sum(1), 1, rtol=1e-10)
    i, j = lattice.bonds().T
    energy = -(spins[:, i].astype(int) * spins[:, j]).sum(1) / 9
    start = np.repeat(spins[37:38], 40_000, axis=0)
    flow = network_flow(rbm, start, 2, lattice=Square(3), key=KEY)
    for step, exact in ((1, kernel[37] @ energy), (2, kernel[37] @ kernel @ energy)):
        assert abs(flow.mean[step] - exact) < 4 * flow.error[step]


def _log_binary(angles, h):
    return (h * angles - np.logaddexp(0, angles)).sum(-1)


def _log_spin(angles, s):
    return (s * angles - np.logaddexp(angles, -angles)).sum(-1)


def test_starts():
    """Cold is the ground state, hot has no energy, a temperature has that of the Ising model (4σ)."""
    rbm = machine(size=16)
    cold, hot = (network_flow(rbm, word, 1, lattice=Square(4), key=KEY) for word in ("cold", "hot"))
    assert (cold.energies[:, 0] == -2).all() and abs(hot.mean[0]) < 4 * hot.error[0]
    warm = network_flow(rbm, 1 / CRITICAL_SQUARE, 1, lattice=Square(4), key=KEY)
    p = enumerate_distribution(Ising(Square(4), CRITICAL_SQUARE))
    exact = (
        float(p.probabilities @ np.asarray(Ising(Square(4), 1.0).energy(jnp.asarray(p.configurations)))) / 16
    )
    assert abs(warm.mean[0] - exact) < 4 * warm.error[0]
    assert abs(warm.temperatures[0].mean - 1 / CRITICAL_SQUARE) < 4 * warm.temperatures[0].error


def test_the_same_key_gives_the_same_flow_and_prints():
    rbm = machine()
    a, b = (network_flow(rbm, "hot", 20, lattice=Square(3), key=KEY) for _ in range(2))
    assert np.array_equal(a.energies, b.energies) and "temperature" in str(a)
    assert "fixed point: energy" in str(
        flow_fixed_point(rbm, lattice=Square(3), steps=20, most_steps=20, chains=8, key=KEY)
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: network_flow(3, "cold", 5), "rbm: expected an RBM with real parameters"),
        (lambda: network_flow(RBM(4, 2, units="gaussian", key=KEY), "cold", 5), "rbm: expected"),
        (lambda: network_flow(RBM(9, 2, dtype=complex, key=KEY), "cold", 5), "rbm: expected"),
        (lambda: network_flow(machine(), "warm", 5, lattice=Square(3)), "start: expected 'cold', 'hot'"),
        (lambda: network_flow(machine(), -1.0, 5, lattice=Square(3)), "start: expected a temperature"),
        (lambda: network_flow(machine(), np.ones((5, 8)), 5, lattice=Square(3)),
         "start: expected configurations"),
        (lambda: network_flow(machine(), np.zeros((5, 9)), 5, lattice=Square(3)), "start: expected spins"),
        (lambda: network_flow(machine(), "cold", 0, lattice=Square(3)), "steps: expected a positive integer"),
        (lambda: network_flow(machine(), "cold", 5, lattice=Square(4)), "lattice: expected a lattice of 9"),
        (lambda: flow_fixed_point(machine(), lattice=Square(3), chains=2), "chains: expected at least 4"),
        (lambda: ising_temperature(-1.0, Triangular(3)), "lattice: expected a periodic square lattice"),
        (lambda: ising_temperature(-1.0, Chain(9)), "lattice: expected a square torus"),
        (lambda: ising_temperature(float("nan"), Square(4)), "energy: expected a finite number"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
