"""Variational Monte Carlo renormalization against exact enumeration, and free of critical slowing down."""

import jax
import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.rg.blocks.block_hamiltonian import block_hamiltonian
from intertwine.rg.blocks.blocking import BlockRule, Decimation, Majority
from intertwine.rg.montecarlo.variational import variational_couplings
from intertwine.rg.steps.exact_step import ExactStep
from intertwine.spaces.lattices import Chain, Square

NAMES = ("nearest", "next", "plaquette")


def test_block_spins_against_the_exact_hamiltonian(key):
    """4 × 4 → 2 × 2 by majority at K_c: three couplings and their derivatives within 3σ."""
    model, rule = Ising(Square(4, 4), K=CRITICAL_SQUARE), Majority(2)
    exact = block_hamiltonian(model, rule).project(NAMES, "uniform").couplings
    found = variational_couplings(model, rule, NAMES, key=key)
    assert (np.abs(found.couplings - exact) < 3 * found.errors).all()
    assert (found.errors < 0.005).all()
    matrix = ExactStep(rule, Square(4, 4), NAMES).jacobian(np.array([CRITICAL_SQUARE, 0, 0]))
    spread = found.jackknife - found.jackknife.mean(0)
    errors = np.sqrt(31 / 32 * (spread**2).sum(0))
    assert (np.abs(found.jacobian - matrix) < 4 * errors).all()


@pytest.mark.parametrize("seed", range(3))
def test_decimation(seed):
    """The deterministic rule of the chain: tanh K' = tanh² K."""
    model = Ising(Chain(12), K=0.8)
    found = variational_couplings(model, Decimation(2), ("nearest", "next"), key=jax.random.key(seed))
    exact = [np.arctanh(np.tanh(0.8) ** 2), 0.0]
    assert (np.abs(found.couplings - exact) < 3.5 * found.errors).all()


def test_a_stochastic_rule_with_truncation(key):
    """A soft majority of three, whose H' has more couplings than are kept: the minimum of Ω is exact too."""
    bits = np.arange(8)[:, None] >> np.arange(2, -1, -1) & 1
    rule = BlockRule(3, 1 / (1 + np.exp(-1.5 * (1 - 2 * bits).sum(1))))
    model = Ising(Chain(15), K=0.9, h=0.05, further={"next": 0.1})
    names = ("nearest", "field")
    exact = block_hamiltonian(model, rule).project(names, "uniform").couplings
    found = variational_couplings(model, rule, names, key=key)
    assert (np.abs(found.couplings - exact) < 3 * found.errors).all()


def test_errors_are_honest():
    model, rule = Ising(Square(4, 4), K=0.4), Majority(2)
    exact = block_hamiltonian(model, rule).project(NAMES, "uniform").couplings
    found = [variational_couplings(model, rule, NAMES, draws=400, key=jax.random.key(k)) for k in range(12)]
    pulls = np.stack([(f.couplings - exact) / f.errors for f in found])
    assert 0.7 < np.sqrt((pulls**2).mean()) < 1.4


def test_threads_change_no_number(key):
    model, rule = Ising(Square(8, 8), K=0.4), Majority(2)
    found = []
    for threads in (1, 3):
        with _threads.limit(threads):
            found.append(variational_couplings(model, rule, ("nearest",), draws=120, key=key))
    assert found[0].couplings == found[1].couplings


def test_what_is_refused(key):
    model = Ising(Square(4, 4), K=0.4)
    with pytest.raises(InputError):
        variational_couplings(model, Majority(3), NAMES, key=key)
    with pytest.raises(InputError, match="draws"):
        variational_couplings(model, Majority(2), NAMES, chains=2, draws=10, key=key)
    with pytest.raises(InputError, match="independent"):
        variational_couplings(Ising(Chain(8), K=0.4), Majority(2), ("nearest", ((0,), (3,))), key=key)
    with pytest.raises(InputError, match="start"):
        variational_couplings(model, Majority(2), NAMES, start=[0.1], key=key)
    glass = Ising(Square(4, 4), K=np.ones(32))
    with pytest.raises(InputError, match="one coupling"):
        variational_couplings(glass, Majority(2), NAMES, key=key)


@pytest.mark.slow
@pytest.mark.parametrize(("L", "block", "tau"), [(16, 2, 4), (32, 2, 4), (64, 2, 4), (45, 3, 15)])
def test_nothing_slows_down_at_criticality(L, block, tau):
    """The autocorrelation time of the biased block spins is a few sweeps, at any size, and the couplings of
    two runs agree."""
    names = ("nearest", "next", "plaquette", "third")
    model = Ising(Square(L, L), K=CRITICAL_SQUARE)
    first, second = (
        variational_couplings(model, Majority(block), names, draws=500, key=jax.random.key(k)) for k in (0, 1)
    )
    errors = np.hypot(first.errors, second.errors)
    assert (np.abs(first.couplings - second.couplings) < 3.5 * errors).all()
    assert first.tau < tau
    assert 0.3 < first.couplings[0] < 0.42
    assert 0.8 < first.exponents()[0][0] < 1.05
