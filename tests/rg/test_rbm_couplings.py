"""Couplings read out of RBMs: against the Ising models that they are, and the whole transform."""

import jax
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import Ising
from intertwine.rg.networks.bond_rbm import bond_rbm
from intertwine.rg.networks.rbm_couplings import couplings_of_rbm
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Square, Triangular

KEY = jax.random.key(15)


@pytest.mark.parametrize("lattice", [Square(4), Square(8), Triangular(6)], ids=lambda x: x.name)
def test_the_bond_machine_has_the_couplings_of_its_model(lattice):
    """K on bonds, K_2 on next neighbours, 0 beyond: exact on 4 × 4, and on larger ones too (each hidden unit
    sees one pair, so that random spins leave no scatter): 1e-10."""
    model = bond_rbm(Ising(lattice, 0.3, 0.1, further={"next": -0.12}))
    found = couplings_of_rbm(model, lattice, shells=3, samples=20, key=KEY)
    np.testing.assert_allclose(found.means, [0.3, -0.12, 0.0], atol=1e-10)
    np.testing.assert_allclose(found.scatter, 0, atol=1e-10)
    assert "between pairs" in str(found)


def test_random_spins_give_the_coefficients_of_the_transform(monkeypatch):
    """A random machine on 4 × 4 with terms of every order: means over random spins within 4σ of the exact
    coefficients, written out as sums over all configurations."""
    lattice, rbm = Square(4), RBM(16, 8, scale=0.5, key=KEY)
    exact = couplings_of_rbm(rbm, lattice, shells=3)
    spins = all_configurations(16)
    log_psi = np.asarray(jax.vmap(rbm)(spins), np.float64)
    i, j = lattice.bonds().T
    direct = np.mean([(log_psi * spins[:, a] * spins[:, b]).mean() for a, b in zip(i, j, strict=True)])
    np.testing.assert_allclose(exact.means[0], direct, atol=1e-12)
    monkeypatch.setattr("intertwine.rg.networks.rbm_couplings.MOST_SPINS", 4)
    found = couplings_of_rbm(rbm, lattice, shells=3, samples=2000, key=KEY)
    assert (abs(found.means - exact.means) < 4 * found.errors).all() and found.errors.max() < 0.01


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: couplings_of_rbm(3, Square(4)), "model: expected a model with real parameters"),
        (lambda: couplings_of_rbm(RBM(9, 4, key=KEY), Square(4)), "lattice: expected the lattice of 9"),
        (lambda: couplings_of_rbm(RBM(9, 4, key=KEY), Square(3), shells=9), "shells: expected 1 to"),
        (lambda: couplings_of_rbm(RBM(25, 4, key=KEY), Square(5), samples=0), "samples: expected a positive"),
    ],
)
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
