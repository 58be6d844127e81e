"""The Hamiltonian of the hidden layer: against sums over the visible units, and orders of its expansion."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.rg.networks.hidden_hamiltonian import hidden_hamiltonian
from intertwine.sampling.enumeration import all_configurations
from thinned import thinned

KEY = jax.random.key(12)


def machine(units, hidden_units, scale):
    rbm = RBM(6, 4, units=units, hidden_units=hidden_units, scale=0.6, key=KEY)
    return eqx.tree_at(lambda m: m.weights, rbm, rbm.weights * scale)


def states(units, size):
    spins = all_configurations(size)
    return (1 + spins) // 2 if units == "binary" else spins


@pytest.mark.parametrize("units", ["spin", "binary"])
@pytest.mark.parametrize("hidden_units", thinned(["spin", "binary"]))
def test_exact_against_enumeration(units, hidden_units):
    """ln Σ_v e^{−E(v,h)} for every h: 1e-12; the expansion to the eighth order at weak weights: 1e-9."""
    rbm = machine(units, hidden_units, 0.05)
    v, h = states(units, 6), states(hidden_units, 4)
    energy = np.asarray(rbm.energy(jnp.asarray(v)[:, None], jnp.asarray(h)[None]))
    expected = np.logaddexp.reduce(-energy, axis=0)
    found = hidden_hamiltonian(rbm, orders=8)
    np.testing.assert_allclose(found.log_weight(h), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.log_weight(h, 8), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("units", ["spin", "binary", "gaussian"])
def test_errors_fall_with_the_power_of_the_weights(units):
    """The rest after order n falls as W^{n+1}: its exponent between two scales within 0.35 of n + 1 (Gaussian
    units end with the second)."""
    h = states("spin", 4)
    rest = {}
    for scale in (0.02, 0.04):
        found = hidden_hamiltonian(machine(units, "spin", scale))
        exact = found.log_weight(h)
        rest[scale] = [np.abs(found.log_weight(h, n) - exact).max() for n in range(1, 4)]
    for n, (small, large) in enumerate(zip(rest[0.02], rest[0.04], strict=True), start=1):
        if units == "gaussian" and n >= 2:
            assert large < 1e-14
        else:
            assert abs(np.log2(large / small) - (n + 1)) < 0.35


def test_fields_and_pairs_are_those_of_the_expansion():
    """Second differences of −H in two hidden spins at weak weights: 4 J_kl to third order in W."""
    rbm = machine("spin", "spin", 0.01)
    found = hidden_hamiltonian(rbm)
    up = {(s, t): np.array([s, t, 0, 0]) for s in (1, -1) for t in (1, -1)}
    corner = {key: found.log_weight(h) for key, h in up.items()}
    second = corner[1, 1] - corner[1, -1] - corner[-1, 1] + corner[-1, -1]
    assert abs(second / 4 - found.pairs[0, 1]) < 1e-3 * abs(found.pairs[0, 1])
    first = (corner[1, 1] + corner[1, -1] - corner[-1, 1] - corner[-1, -1]) / 4
    assert abs(first - found.fields[0]) < 1e-4
    t = np.tanh(np.asarray(rbm.visible_bias))
    np.testing.assert_allclose(found.cumulants[1], t, atol=1e-12)
    np.testing.assert_allclose(found.cumulants[4], (1 - t**2) * (6 * t**2 - 2), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hidden_hamiltonian(3), "rbm: expected an RBM"),
        (lambda: hidden_hamiltonian(RBM(6, 2, units="potts:3", key=KEY)), "other than Potts"),
        (lambda: hidden_hamiltonian(RBM(6, 2, key=KEY), orders=1), "orders: expected 2 to 8"),
        (lambda: hidden_hamiltonian(RBM(6, 2, key=KEY)).log_weight(np.ones(3)), "h: expected hidden states"),
        (
            lambda: hidden_hamiltonian(RBM(6, 2, key=KEY)).log_weight(np.ones(2), 5),
            "order: expected an order",
        ),
    ],
)
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
