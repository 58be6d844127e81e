"""Configurations carry their lattice; what does not carry one is asked for it, and none is guessed from N."""

import warnings

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._caveats import Caveat
from intertwine._checks import InputError

KEY = jax.random.key(0)
K_SQUARE = 0.5 * np.log(1 + 2**0.5)


def test_exponents_on_a_torus_that_is_no_square() -> None:
    """16 × 64 at K_c: y_T = 1 after two steps (1.64 if the sites are taken as 32 × 32)."""
    drawn = it.sample(it.Ising(it.Square(16, 64), K=K_SQUARE), 2000, key=KEY)
    found = it.rg.mcrg(drawn, levels=2, key=KEY)
    assert abs(found.y_T[-1, -1] - 1) < 4 * found.y_T_error[-1, -1] + 0.01
    told = it.rg.mcrg(drawn.by_chain, levels=2, lattice=it.Square(16, 64), key=KEY)
    assert np.array_equal(found.y_T, told.y_T)


def test_couplings_of_triangular_samples() -> None:
    """K = ln 3 / 4 on nearest neighbours of the triangular lattice, 0 on next ones."""
    drawn = it.sample(it.Ising(it.Triangular(16, 16), K=np.log(3) / 4), 4000, key=KEY)
    found = it.rg.match_moments(drawn, ("nearest", "next"))
    assert (abs(found.couplings - [np.log(3) / 4, 0]) < 4 * found.errors).all()
    flow = it.rg.matched_flow(drawn, it.rg.Majority(2), 1, ("nearest", "next"), key=KEY)
    assert np.array_equal(flow.couplings[0], found.couplings)


def test_states_of_potts_samples_are_carried() -> None:
    drawn = it.sample(it.Potts(it.Square(4, 8), 3, K=1.0), 400, key=KEY)
    found = it.rg.mcrg(drawn, levels=1, couplings=1, key=KEY)
    told = it.rg.mcrg(drawn.by_chain, levels=1, couplings=1, lattice=it.Square(4, 8), states=3, key=KEY)
    assert np.array_equal(found.y_T, told.y_T)
    with pytest.raises(InputError, match=r"rule: expected a rule of 3 states.*Majority\(2, states=3\)"):
        it.rg.mcrg(drawn, it.rg.Majority(2), levels=1, couplings=1, key=KEY)


def test_a_clock_is_no_potts_model() -> None:
    """Five directions: nothing of the transition of first order that five Potts states have."""
    drawn = it.sample(it.Clock(it.Square(8, 8), 5, K=1.1), 1000, key=KEY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = it.rg.mcrg(drawn, levels=1, couplings=1, key=KEY)
    assert drawn.clock and "Potts" not in found.reason


BARE = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (200, 64))
MACHINE = it.RBM(64, hidden=64, key=KEY)


@pytest.mark.parametrize(
    "call",
    [
        lambda: it.rg.mcrg(BARE, levels=1),
        lambda: it.rg.match_moments(BARE, ("nearest",)),
        lambda: it.rg.matched_flow(BARE, it.rg.Majority(2), 1, ("nearest",), key=KEY),
        lambda: it.rg.coupling_metrics(BARE, it.rg.Majority(2), key=KEY),
        lambda: it.rg.learn_blocks(BARE, key=KEY),
        lambda: it.rg.mutual_information_bound(BARE, np.ones(4), key=KEY),
    ],
)
def test_a_lattice_that_nobody_told_is_asked_for(call) -> None:
    with pytest.raises(InputError, match="lattice: expected the lattice of the 64 "):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda rbm: it.rg.as_rg_map(rbm).lattice,
        lambda rbm: it.rg.network_flow(rbm, "cold", 3, key=KEY).lattice,
    ],
)
def test_the_torus_that_a_machine_is_taken_for_is_said(call) -> None:
    with pytest.warns(Caveat, match="assumption: 64 visible units are taken for the square torus 8×8"):
        assert call(MACHINE) == it.Square(8, 8)
    with pytest.raises(InputError, match="lattice: expected the lattice of the 60 visible units"):
        call(it.RBM(60, hidden=15, key=KEY))


def test_another_lattice_than_that_of_the_samples_is_refused() -> None:
    drawn = it.sample(it.Ising(it.Triangular(8, 8), K=0.2), 100, key=KEY)
    square = it.Square(8, 8)
    calls = (
        lambda: it.rg.mcrg(drawn, levels=1, lattice=square),
        lambda: it.rg.match_moments(drawn, ("nearest",), lattice=square),
        lambda: it.rg.Majority(2)(drawn, square, key=KEY),
        lambda: it.rg.network_flow(MACHINE, drawn, 10, lattice=square),
        lambda: it.rg.layer_flow(MACHINE, drawn, [square, it.Square(4)]),
    )
    for call in calls:
        with pytest.raises(InputError, match="lattice: expected triangular:8x8, on which"):
            call()
