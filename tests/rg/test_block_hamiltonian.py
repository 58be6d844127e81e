"""The exact Hamiltonian of block spins: decimation in closed form, brute force, Z' = Z, projections."""

import math

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.block_hamiltonian import block_distribution, block_hamiltonian
from intertwine.rg.blocks.blocking import BlockRule, Decimation, Majority
from intertwine.rg.terms.exponential_family import ExponentialFamily
from intertwine.rg.terms.spin_products import product_values, walsh_hadamard
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattices import Chain, Square

COMPLETE = ("nearest", "next", "plaquette")
"""Every even coupling of 2 × 2 block spins."""

SOFT = BlockRule(2, np.linspace(0.99, 0.05, 16) ** 2)
"""A rule of 2 × 2 blocks without any symmetry: p(+) of the 16 configurations of a block."""

RULES = {"majority": Majority(2), "decimation": Decimation(2), "soft": SOFT}


@pytest.mark.parametrize("K", [-0.6, 0.2, 0.7, 1.5])
@pytest.mark.parametrize("block", [2, 3])
def test_decimation_of_the_chain(K, block):
    found = block_hamiltonian(Ising(Chain(12), K=K), Decimation(block))
    assert abs(math.tanh(found.coupling("nearest")) - math.tanh(K) ** block) < 1e-12
    assert max(abs(family.coefficient) for family in found.families if family.name != "nearest") < 1e-12


def test_decimation_of_the_chain_in_a_field():
    """T'= T² of the transfer matrix T(s, s') = e^{K s s' + h (s + s')/2} gives K', h' and the constant."""
    K, h = 0.7, 0.3
    found = block_hamiltonian(Ising(Chain(12), K=K, h=h), Decimation(2))
    s = np.array([1, -1])
    squared = np.linalg.matrix_power(np.exp(K * np.outer(s, s) + h * np.add.outer(s, s) / 2), 2)
    (a, b), (_, d) = np.log(squared)
    assert abs(found.coupling("nearest") - (a + d - 2 * b) / 4) < 1e-12
    assert abs(found.coupling("field") - (a - d) / 2) < 1e-12
    assert abs(found.coefficients[0] - 6 * (a + d + 2 * b) / 4) < 1e-11
    known = ("nearest", "field")
    assert max(abs(family.coefficient) for family in found.families if family.name not in known) < 1e-12


@pytest.mark.parametrize("name", RULES)
def test_against_the_double_sum(name):
    """e^{−H'(h)} = Σ_v e^{T(v,h) − H(v)}, term by term, and −H' from its coefficients."""
    rule, lattice = RULES[name], Square(4, 4)
    model = Ising(lattice, K=CRITICAL_SQUARE, h=0.1, further={"next": 0.05, "plaquette": -0.1})
    found = block_hamiltonian(model, rule)
    v = all_configurations(16)
    minus_H = sum(K * spin_terms(lattice, family).sum(v) for family, K in model.couplings.items())
    for number, h in enumerate(all_configurations(4)):
        T = rule.log_weight(np.broadcast_to(h, (len(v), 4)), v, lattice)
        assert abs(math.log(np.exp(T + minus_H).sum()) - found.log_weights[number]) < 1e-12
    assert np.abs(product_values(found.coefficients) - found.log_weights).max() < 1e-12
    assert abs(found.blocked_log_z - found.log_z) < 1e-12


@pytest.mark.parametrize("K", [0.1, CRITICAL_SQUARE, 1.0, 3.0])
def test_projection_on_all_families_is_the_hamiltonian(K):
    found = block_hamiltonian(Ising(Square(4, 4), K=K), Majority(2))
    exact = [found.coupling(name) for name in COMPLETE]
    for target in ("blocked", "uniform"):
        projection = found.project(COMPLETE, target)
        assert np.abs(projection.couplings - exact).max() < 1e-8
        assert projection.divergence < 1e-12
    assert max(family.spread for family in found.families) < 1e-12
    assert max(abs(f.coefficient) for f in found.families if len(f.sites) % 2) < 1e-12


def test_truncations_match_what_they_say():
    found = block_hamiltonian(Ising(Chain(18), K=0.8), Majority(3))
    spins = all_configurations(6)
    sums = np.stack([spin_terms(found.lattice, name).sum(spins) for name in ("nearest", "next")], -1)
    p = np.exp(found.log_weights - found.log_z)
    matched = found.project(("nearest", "next"))
    weight = np.exp(sums @ matched.couplings)
    assert np.abs(weight @ sums / weight.sum() - p @ sums).max() < 1e-12
    log_ratio = np.log(p) - np.log(weight / weight.sum())
    assert abs(matched.divergence - p @ log_ratio) < 1e-14
    flat = found.project(("nearest", "next"), "uniform")
    biased = p * np.exp(-sums @ flat.couplings)
    assert np.abs(biased @ sums / biased.sum()).max() < 1e-12
    assert matched.divergence < min(flat.divergence, found.project(("nearest",)).divergence)


def test_one_block_of_nine():
    """Majority of a 3 × 3 torus: one block spin, whose field is that of its mean."""
    model = Ising(Square(3, 3), K=0.3, h=0.05)
    found = block_hamiltonian(model, Majority(3))
    exact = enumerate_distribution(model)
    mean = exact.probabilities @ np.sign(exact.configurations.sum(1))
    assert abs(math.tanh(found.coefficients[1]) - mean) < 1e-12


def test_a_large_enumeration_by_blocks():
    """2²² configurations of a chain; a rule that is known in closed form."""
    found = block_hamiltonian(Ising(Chain(22), K=0.7), Decimation(2))
    assert abs(math.tanh(found.coupling("nearest")) - math.tanh(0.7) ** 2) < 1e-12


def test_potts_blocks():
    model = Potts(Square(4, 2), 3, K=0.9)
    found = block_distribution(model, Majority(2, states=3))
    exact = enumerate_distribution(model)
    assert found.configurations.shape == (9, 2)
    assert abs(found.probabilities.sum() - 1) < 1e-12
    rule, v = Majority(2, states=3), exact.configurations
    for h, p in zip(found.configurations, found.probabilities, strict=True):
        T = rule.log_weight(np.broadcast_to(h, (len(v), 2)), v, model.lattice)
        assert abs(np.exp(T) @ exact.probabilities - p) < 1e-12


class Network:
    """A rule whose hidden spins see all visible ones, as those of a Boltzmann machine do:
    ln p(h|v) = Σ_j ln σ(2 h_j (W v)_j), four hidden spins on a chain."""

    block = 2.0
    weights = np.random.default_rng(7).normal(size=(4, 9)) / 3

    def blocked(self, lattice):
        return Chain(4)

    def log_weight(self, blocked, spins, lattice):
        return -np.logaddexp(0, -2 * blocked * (spins @ self.weights.T)).sum(-1)


def test_a_network_as_the_rule():
    model = Ising(Square(3, 3), K=0.5)
    found = block_hamiltonian(model, Network())
    exact = enumerate_distribution(model)
    for h, minus_H in zip(all_configurations(4), found.log_weights, strict=True):
        up = 1 / (1 + np.exp(-2 * h * (exact.configurations @ Network.weights.T)))
        assert abs(minus_H - exact.log_z - math.log(exact.probabilities @ up.prod(1))) < 1e-12
    assert abs(found.blocked_log_z - found.log_z) < 1e-12
    assert max(family.spread for family in found.families) > 0.01  # it has no symmetry of the chain


def test_walsh_hadamard_is_its_own_inverse():
    values = np.random.default_rng(0).normal(size=2**10)
    assert np.abs(product_values(walsh_hadamard(values)) - values).max() < 1e-13


def test_the_density_of_states_is_enough():
    """Moments of collected rows are those of all configurations; matching finds the couplings again."""
    spins = all_configurations(9)
    lattice = Square(3, 3)
    sums = np.stack([spin_terms(lattice, name).sum(spins) for name in ("nearest", "plaquette", "field")], -1)
    K = np.array([0.3, -0.1, 0.2])
    weight = np.exp(sums @ K)
    mean = weight @ sums / weight.sum()
    family = ExponentialFamily.collected(sums, np.zeros(512))
    assert len(family.sums) < 100
    assert np.abs(family.moments(K)[0] - mean).max() < 1e-12
    assert np.abs(family.matched(mean) - K).max() < 1e-12


def test_what_is_refused():
    with pytest.raises(InputError, match="model"):
        block_hamiltonian(Potts(Square(4, 4), 2, K=0.4), Majority(2))
    with pytest.raises(InputError, match="at most"):
        block_hamiltonian(Ising(Square(6, 6), K=0.4), Majority(2))
    with pytest.raises(InputError):
        block_hamiltonian(Ising(Square(3, 3), K=0.4), Majority(2))
    always = BlockRule(2, np.ones(16))
    with pytest.raises(InputError, match="every block configuration"):
        block_hamiltonian(Ising(Square(4, 4), K=0.4), always)
    found = block_hamiltonian(Ising(Square(4, 4), K=0.4), Majority(2))
    with pytest.raises(InputError, match="target"):
        found.project(("nearest",), "other")
    with pytest.raises(InputError, match="coupling"):
        found.project(("nearest", "third"))
    with pytest.raises(InputError, match="each once"):
        found.project(("nearest", "nearest"))
    with pytest.raises(InputError, match="independent"):
        block_hamiltonian(Ising(Chain(8), K=0.4), Majority(2)).project(("nearest", ((0,), (3,))))
