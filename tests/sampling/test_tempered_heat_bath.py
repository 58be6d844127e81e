"""Packed parallel tempering against enumeration and Kaufman's torus, with its swap rates."""

import jax
import numpy as np
import pytest

from intertwine import _threads
from intertwine._checks import InputError
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.ising_exact import ising_torus
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.draw import sample
from intertwine.sampling.spins.tempered_heat_bath import TemperedHeatBath
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattices import Square, Triangular


def glass():
    lattice = Square(4, 4)
    return Ising(lattice, np.random.default_rng(1).choice([-1.0, 1.0], len(lattice.bonds())), h=0.05)


@pytest.mark.parametrize("swaps", [True, False])
def test_every_rung_has_its_energy(swaps, key):
    model, size = Ising(Square(8, 8), K=0.5), 8
    sampler = TemperedHeatBath(chains=20, betas=5, burn_in=500, steps=3, swaps=swaps)
    sums, state = sampler.ladder(model, sampler.init(model, key=key), 1500, key=key)
    assert sums.log_weight.shape == (5, 20, 1500)
    for beta, weights in zip(sums.betas, sums.log_weight, strict=True):
        energy = estimate(-weights / 0.5 / size**2)
        assert abs(energy.mean - ising_torus(size, size, 0.5 * beta).energy) < 3.5 * energy.error
    assert swaps == bool(state.round_trips > 0)


def test_frustrated_bonds_fields_and_swap_rates_against_enumeration(key):
    """All rungs of a ±J model in a field; the swap rate is that of independent draws of two rungs."""
    model, betas = glass(), (0.2, 0.6, 1.0)
    exact = enumerate_distribution(model)
    weight = np.asarray(jax.vmap(model)(exact.configurations))
    sampler = TemperedHeatBath(chains=40, betas=betas, burn_in=200, steps=2)
    sums, state = sampler.ladder(model, sampler.init(model, key=key), 2000, key=key)
    levels, where = np.unique(weight.round(9), return_inverse=True)
    laws = []
    for r, beta in enumerate(betas):
        p = np.exp(beta * (weight - weight.max()))
        p /= p.sum()
        laws.append(np.bincount(where, p))
        found = estimate(sums.log_weight[r])
        assert abs(found.mean - p @ weight) < 3.5 * found.error
        m = estimate(sums.magnetization[r])
        assert abs(m.mean - p @ exact.configurations.sum(1, dtype=int)) < 3.5 * m.error
    for r in range(2):
        gain = (betas[r] - betas[r + 1]) * (levels[None, :] - levels[:, None])
        rate = laws[r] @ np.exp(np.minimum(gain, 0)) @ laws[r + 1]
        assert abs(float(state.swap_acceptance[r]) - rate) < 0.01


def test_draws_follow_the_model(key):
    model = glass()
    sampler = TemperedHeatBath(chains=21, betas=(0.3, 0.6, 1.0), burn_in=200, steps=5)
    drawn = sample(model, 21 * 200, sampler=sampler, key=key)
    weights = jax.vmap(model)(np.asarray(drawn)).reshape(-1, 21).T
    exact = enumerate_distribution(model)
    truth = exact.probabilities @ np.asarray(jax.vmap(model)(exact.configurations))
    found = estimate(weights)
    assert abs(found.mean - truth) < 3.5 * found.error


def test_swaps_move_whole_configurations(key):
    """Rungs without couplings swap always, so that round trips are known."""
    model = Ising(Square(4, 4), K=0.0, h=0.0)
    sampler = TemperedHeatBath(chains=3, betas=4, burn_in=0)
    _, state = sampler.ladder(model, sampler.init(model, key=key), 80, key=key)
    np.testing.assert_allclose(state.swap_acceptance, 1.0)
    assert abs(float(state.round_trips) - 4 / 8) < 0.05  # four walkers, each around every eight sweeps


def test_the_same_key_on_any_threads_and_in_parts(key):
    model, sampler = Ising(Triangular(4, 4), K=0.3), TemperedHeatBath(chains=50, betas=7, burn_in=3)
    found = []
    for threads in (1, 2):
        with _threads.limit(threads):
            found.append(sampler.ladder(model, sampler.init(model, key=key), 4, key=key))
    np.testing.assert_array_equal(found[0][0].log_weight, found[1][0].log_weight)
    sums, state = found[0]
    weights = jax.vmap(jax.vmap(model))(state.configurations)
    np.testing.assert_allclose(np.moveaxis(sums.log_weight[..., -1], 0, 1), weights, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TemperedHeatBath(betas=(0.5, 0.2, 1.0)), "betas: expected ascending powers"),
        (lambda: TemperedHeatBath(betas=65), "betas: expected 2 to 64 rungs"),
        (lambda: TemperedHeatBath(chains=-1), "chains: expected a positive integer"),
        (
            lambda: TemperedHeatBath().init(
                Ising(Square(4, 4), K=0.1, further={"plaquette": 0.1}), key=jax.random.key(0)
            ),
            "couplings of one size",
        ),
    ],
)
def test_what_makes_no_ladder_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
