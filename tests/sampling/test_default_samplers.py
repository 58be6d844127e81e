"""Which sampler is taken where none is named, and what it is judged by."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.sampling.spins.default_sampler import spin_sampler

KEY = jax.random.key(0)


def test_frustration_takes_the_heat_bath() -> None:
    square, glass = it.Square(6, 6), np.random.default_rng(0).choice([-1.0, 1.0], 72)
    frustrated = [
        it.Ising(it.Triangular(6, 6), K=-0.5),
        it.Ising(it.Square(5, 6), K=-0.5),
        it.Ising(square, K=glass),
        it.Ising(square, K=0.4, further={"next": -0.2}),
        it.Ising(square, K=0.4, h=np.where(np.arange(36) % 2, 0.1, -0.1)),
        it.Ising(square, K=-0.4, h=0.1),
        it.Potts(square, 3, K=-0.5),
    ]
    gauge = np.random.default_rng(1).choice([-1.0, 1.0], 36)
    bonds = square.bonds()
    satisfied = [
        it.Ising(square, K=0.4, h=-0.1),
        it.Ising(square, K=-0.4),
        it.Ising(square, K=0.4 * gauge[bonds[:, 0]] * gauge[bonds[:, 1]], h=0.1 * gauge),
        it.Potts(square, 3, K=0.5),
        it.Clock(square, 4, K=0.5),
    ]
    assert {type(spin_sampler(model)) for model in frustrated} == {it.HeatBath}
    assert {type(spin_sampler(model)) for model in satisfied} == {it.SwendsenWang}


def test_a_frustrated_model_is_sampled_well_by_default() -> None:
    """Triangular antiferromagnet: the heat bath takes a few sweeps where clusters take a thousand."""
    drawn = it.sample(it.Ising(it.Triangular(6, 6), K=-1.0), 640, key=KEY)
    assert drawn.mixed and drawn.tau < 50


@pytest.mark.slow
def test_chains_stuck_in_opposite_states_are_not_mixed() -> None:
    """K = 0.6 on 16 × 16: energy and m² of a chain of either sign are the same, m is not."""
    model = it.Ising(it.Square(16, 16), K=0.6)
    with pytest.warns(UserWarning, match="NOT mixed"):
        drawn = it.sample(model, 640, sampler=it.HeatBath(chains=64, burn_in=500), key=KEY)
    assert not drawn.mixed and drawn.r_hat > 1.5


def test_rows_take_the_chains_in_turn() -> None:
    """With c chains, rows c apart are successive draws of one chain: at low temperature, by the heat bath,
    they have the same sign of m."""
    model, sampler = it.Ising(it.Square(8, 8), K=1.0), it.HeatBath(chains=64, burn_in=2000)
    with pytest.warns(UserWarning):
        drawn = it.sample(model, 640, sampler=sampler, key=KEY)
    signs = np.sign(np.asarray(drawn).sum(1).reshape(10, 64))
    assert (signs == signs[0]).mean() > 0.99 and len(np.unique(signs[0])) > 1
