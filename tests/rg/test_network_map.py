"""Networks as blocking rules: against their energies, enumerated, and in Monte Carlo renormalization."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.rg.blocks.block_hamiltonian import block_distribution
from intertwine.rg.blocks.block_rbm import block_rbm
from intertwine.rg.blocks.blocking import Rule
from intertwine.rg.montecarlo.mcrg import mcrg
from intertwine.rg.networks.bond_rbm import bond_rbm
from intertwine.rg.networks.network_map import as_rg_map
from intertwine.sampling.draw import sample
from intertwine.sampling.enumeration import all_configurations
from intertwine.sampling.spins.cluster import SwendsenWang
from intertwine.spaces.lattices import Chain, Square

KEY = jax.random.key(13)
UNITS = [("spin", "spin"), ("spin", "binary"), ("binary", "spin"), ("binary", "binary")]


def in_units(spins, units):
    return (1 + spins) // 2 if units == "binary" else spins


@pytest.mark.parametrize(("units", "hidden_units"), UNITS)
def test_conditional_probabilities_are_those_of_the_energy(units, hidden_units):
    """T = ln p(h|v) = −E(v,h) − ln Σ_h e^{−E} for all v and h, Σ_h e^T = 1; T = H − E with the network's own
    free energy is the same: 1e-12."""
    rbm = RBM(9, 4, units=units, hidden_units=hidden_units, scale=0.7, key=KEY)
    rule = as_rg_map(rbm, lattice=Square(3), blocked=Square(2))
    assert isinstance(rule, Rule) and rule.local is None and rule.block == 1.5 and not hasattr(rule, "sites")
    v, h = all_configurations(9)[::5], all_configurations(4)
    energy = np.asarray(
        rbm.energy(jnp.asarray(in_units(v, units))[:, None], jnp.asarray(in_units(h, hidden_units))[None])
    )
    expected = -energy - np.logaddexp.reduce(-energy, axis=1)[:, None]
    found = rule.log_weight(h, v[:, None], Square(3))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(np.exp(found).sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(rule.mehta_schwab(h, v[:, None]), expected, atol=1e-12)


def test_mehta_schwabs_operator_has_the_given_hamiltonian():
    """Σ_h e^T is one constant for the bond RBM of the Ising model, and not for another machine."""
    ising = Ising(Square(3), 0.4)
    v = all_configurations(9)[::7]
    for rbm, spread in ((bond_rbm(ising), 1e-12), (RBM(9, 4, scale=0.5, key=KEY), None)):
        coarse = Chain(rbm.hidden)
        rule = as_rg_map(rbm, lattice=Square(3), blocked=coarse)
        h = np.random.default_rng(0).choice([-1, 1], (50, rbm.hidden))
        T = rule.mehta_schwab(h, v[:, None], ising)
        # ln Σ_h e^T = T − ln p(h|v) for any h
        total = T - rule.log_weight(h, v[:, None], Square(3))
        np.testing.assert_allclose(total.std(1), 0, atol=1e-10)
        assert total.mean(1).std() < spread if spread else total.mean(1).std() > 0.1


@pytest.mark.parametrize(("units", "hidden_units"), UNITS)
def test_equal_blocks_apply_to_any_lattice(units, hidden_units):
    """Read block by block and as a whole, T is the same; frequencies of block spins are e^T within 4σ."""
    spin = block_rbm(Square(4), b=2, w=0.6)
    rbm = RBM.from_parameters(
        spin.visible_bias, spin.hidden_bias + 0.1, spin.weights, units=units, hidden_units=hidden_units
    )
    rule = as_rg_map(rbm, lattice=Square(4))
    assert rule.local is not None and rule.block == 2 and rule.blocked(Square(12)).name == "square:6x6"
    v, h = all_configurations(16)[::613], all_configurations(4)
    expected = -np.logaddexp(0, -h * rule._angles(v[:, None], Square(4))).sum(-1)
    np.testing.assert_allclose(rule.log_weight(h, v[:, None], Square(4)), expected, atol=1e-12)
    n = 20_000
    drawn = rule(np.repeat(v[40:41], n, 0), Square(4), key=KEY)
    p = np.exp(expected[40])
    found = np.bincount((drawn < 0) @ np.array([8, 4, 2, 1]), minlength=16) / n
    assert (abs(found - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()


def test_any_network_makes_an_exact_step():
    """p'(h) = Σ_v p(v) e^{T(v,h)} on 3 × 3, whatever the machine, by a sum written out: 1e-12."""
    ising, rule = Ising(Square(3), 0.3), as_rg_map(RBM(9, 4, scale=0.5, key=KEY), 0, Square(3), Square(2))
    p = enumerate_distribution(ising)
    T = rule.log_weight(all_configurations(4)[:, None], p.configurations, Square(3))
    found = block_distribution(ising, rule)
    np.testing.assert_allclose(found.probabilities, np.exp(T) @ p.probabilities, rtol=1e-12)
    np.testing.assert_allclose(found.probabilities.sum(), 1, rtol=1e-12)


def test_layers_of_deep_machines():
    dbm = DBM((16, 9, 4), units="spin", hidden_units="spin", scale=0.4, key=KEY)
    dbn = DBN((16, 9, 4), units="binary", hidden_units="binary", key=KEY)
    assert np.array_equal(as_rg_map(dbm, 1, Square(3), Square(2)).rbm.weights, dbm.weights[1])
    assert np.array_equal(as_rg_map(dbn, 0, Square(4), Square(3)).rbm.weights, dbn.recognition[0].weights)
    assert as_rg_map(dbn, 1, Square(3), Square(2)).rbm is dbn.top


@pytest.mark.slow
@pytest.mark.parametrize("w", [1.0, 0.3])
def test_block_rbms_of_strong_and_weak_weights(w):
    """L = 32, 40,000 samples, 4 couplings, step 3: w = 1 has the Ising exponents within 4σ + 0.01; w = 0.3 is
    reported to have no fixed point (the references' own run: y_T 0.993(9), y_H 1.877(1), and 0.10)."""
    spins = sample(
        Ising(Square(32), CRITICAL_SQUARE), 40_000, sampler=SwendsenWang(chains=20, steps=2), key=KEY
    )
    found = mcrg(
        spins, as_rg_map(block_rbm(Square(32), b=2, w=w), lattice=Square(32)), levels=3, couplings=4, key=KEY
    )
    if w == 1.0:
        assert found.fixed_point
        assert abs(found.y_T[2, 3] - 1) < 0.01 + 4 * found.y_T_error[2, 3]
        assert abs(found.y_H[2, 3] - 1.875) < 0.01 + 4 * found.y_H_error[2, 3]
    else:
        assert not found.fixed_point and found.y_T[2, 3] < 0.3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: as_rg_map(3), "model: expected an RBM, DBM or DBN"),
        (lambda: as_rg_map(RBM(9, 4, dtype=complex, key=KEY)), "model: expected real parameters"),
        (lambda: as_rg_map(RBM(9, 4, units="gaussian", key=KEY)), "units of two states"),
        (lambda: as_rg_map(RBM(9, 4, key=KEY), layer=1), "layer: expected 0 to 0"),
        (lambda: as_rg_map(RBM(9, 5, key=KEY), 0, Square(3)), "blocked: expected the lattice of the 5"),
        (lambda: as_rg_map(RBM(16, 4, key=KEY), lattice=Square(4), blocked=Square(2), block=2),
         "block: expected None"),
        (lambda: block_rbm(Square(4), w=float("nan")), "w: expected a finite number"),
        (lambda: as_rg_map(RBM(9, 4, key=KEY), lattice=Square(4)), "lattice: expected a lattice of 9"),
        (lambda: as_rg_map(RBM(9, 4, key=KEY), 0, Square(3), Square(2)).blocked(Square(6)),
         "to which the network applies"),
        (lambda: as_rg_map(RBM(9, 4, key=KEY), 0, Square(3), Square(2))(np.ones((2, 9)), Square(3)),
         "key: expected a JAX key"),
        (lambda: as_rg_map(RBM(9, 4, key=KEY), 0, Square(3), Square(2))
         .mehta_schwab(np.ones(4), np.ones(9), 3),
         "hamiltonian: "),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(call, words):
    with pytest.raises(InputError, match=words):
        call()
