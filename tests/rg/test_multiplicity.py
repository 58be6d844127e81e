"""One rule for bonds that go around a torus of two sites twice: they count twice, everywhere."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.models.spins.spin_terms import spin_terms

K_C = 0.5 * np.log(1 + 2**0.5)


def test_the_model_of_a_block_hamiltonian() -> None:
    """`Ising.of` with the couplings of H' on 2 × 2 is H', to rounding."""
    blocked = it.rg.block_hamiltonian(it.Ising(it.Square(4, 4), K=K_C), it.rg.Majority(2))
    families = ("nearest", "next", "plaquette")
    model = it.Ising.of(it.Square(2, 2), {name: blocked.coupling(name) for name in families})
    found = it.enumerate_distribution(model).probabilities
    exact = np.exp(blocked.log_weights - blocked.blocked_log_z)
    np.testing.assert_allclose(found, exact, atol=1e-12)
    shown = {line.split()[0]: line.split() for line in str(blocked).splitlines()[1:]}
    for name in families:
        assert abs(float(shown[name][3]) - blocked.coupling(name)) < 1e-9
    assert shown["nearest"][2] == "8" and shown["next"][2] == "8"


@pytest.mark.parametrize("shape", [(2, 2), (4, 2)])
def test_models_energies_and_operators_count_alike(shape) -> None:
    """ln Ψ of Ising, Potts (K_Potts = 2 K) and clock models, and K times the operator, of the same spins."""
    lattice = it.Square(*shape)
    spins = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (20, lattice.size))
    terms = spin_terms(lattice, "nearest")
    weight = 0.3 * terms.sum(spins)
    states = ((1 - spins) // 2).astype(np.int8)
    ising, potts = it.Ising(lattice, 0.3), it.Potts(lattice, 2, 0.6)
    np.testing.assert_allclose(jax.vmap(ising)(spins), weight, atol=1e-5)
    np.testing.assert_allclose(-0.3 * ising.energy(spins), weight, atol=1e-5)
    np.testing.assert_allclose(jax.vmap(it.Clock(lattice, 2, 0.3))(states), weight, atol=1e-5)
    np.testing.assert_allclose(jax.vmap(potts)(states) - 0.3 * len(terms.sites), weight, atol=1e-5)
    each = it.Ising(lattice, np.full(len(lattice.bonds()), 0.3))
    np.testing.assert_allclose(jax.vmap(each)(spins), weight, atol=1e-5)


def test_the_tensor_of_two_steps_is_the_torus_of_two_by_two() -> None:
    found = it.rg.trg(0.4, chi=16, steps=2).log_z
    exact = it.enumerate_distribution(it.Ising(it.Square(2, 2), 0.4)).log_z / 4
    assert abs(found - exact) < 1e-10


@pytest.mark.parametrize("sampler", ["SwendsenWang", "Wolff", "HeatBath"])
def test_samplers_count_alike(sampler) -> None:
    """⟨s s'⟩ of a nearest pair on 2 × 2 within 5σ of the enumeration."""
    model = it.Ising(it.Square(2, 2), 0.2)
    exact = it.enumerate_distribution(model)
    pair = exact.configurations[:, 0] * exact.configurations[:, 1]
    drawn = np.asarray(it.sample(model, 6400, sampler=getattr(it, sampler)(steps=5), key=jax.random.key(0)))
    found = (drawn[:, 0] * drawn[:, 1]).mean()
    assert abs(found - exact.probabilities @ pair) < 5 / 80


def test_couplings_are_matched_on_two_by_two() -> None:
    drawn = it.sample(it.Ising(it.Square(2, 2), 0.3), 6400, key=jax.random.key(0))
    found = it.rg.match_moments(drawn, ("nearest",))
    assert abs(found.couplings[0] - 0.3) < 4 * found.errors[0]
