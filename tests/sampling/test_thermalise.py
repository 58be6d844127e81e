"""Thermalisation stops when the chains agree, not before, and says when they do not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sampling_rows import MODELS, ring

from intertwine._checks import InputError
from intertwine.models.machines.rbm import RBM
from intertwine.models.mean_field import MeanField
from intertwine.sampling.enumeration import Enumeration, all_configurations, log_density, probabilities
from intertwine.sampling.metropolis.metropolis import ChainState, Metropolis
from intertwine.sampling.metropolis.rules import Exchange, SingleFlip
from intertwine.sampling.metropolis.tempering import ParallelTempering
from intertwine.sampling.statistics.estimate import estimate
from intertwine.sampling.thermalise import ThermalisationWarning, thermalise
from thinned import thinned


@pytest.mark.parametrize("model", ["rbm", "complex rbm", "binary rbm", "jastrow", "generic"])
@pytest.mark.parametrize("chains", thinned([1, 16, 512]))
def test_thermalised_chains_have_the_exact_mean(model, chains, key):
    psi = MODELS[model](8)
    sampler = Metropolis(SingleFlip(), chains)
    start = ChainState(jnp.ones((chains, 8), jnp.int8))
    state, report = thermalise(sampler, psi, start, key=key)
    assert report.converged and report.r_hat < 1.05 and report.drift < 2 and report.tau >= 1
    assert report.proposals == 8 * report.draws and 0 < report.acceptance <= 1
    samples, _ = sampler.sample(psi, state, 4096 // chains, key=jax.random.fold_in(key, 1))
    exact = probabilities(psi) @ np.asarray(log_density(psi, all_configurations(8)))
    e = estimate(np.asarray(log_density(psi, samples.configurations)))
    assert abs(e.mean - exact) < 3.5 * e.error


def test_slow_chains_take_longer(key):
    """A proposal a draw on 30 sites from a far start needs many more draws than a sweep of 30."""
    psi = MeanField(30, scale=0.6, key=key)
    start = ChainState(-jnp.sign(psi.field.real).astype(jnp.int8) * jnp.ones((32, 1), jnp.int8))
    fast = thermalise(Metropolis(SingleFlip(), 32, sweep=60), psi, start, key=key)[1]
    slow = thermalise(Metropolis(SingleFlip(), 32, sweep=1), psi, start, key=key)[1]
    assert fast.converged and slow.converged and slow.draws >= 8 * fast.draws


def test_chains_that_disagree_are_reported(key):
    psi = RBM.from_parameters(jnp.zeros(12), jnp.zeros(3), jnp.full((12, 3), 1.5))
    halves = jnp.where(jnp.arange(16)[:, None] < 8, 1, -1) * jnp.ones((1, 12))
    start = ChainState(halves.astype(jnp.int8))
    order = lambda s: np.asarray(s).mean(axis=2)  # noqa: E731
    sampler = Metropolis(SingleFlip(), 16)
    with pytest.warns(ThermalisationWarning, match="NOT thermalised"):
        _, report = thermalise(sampler, psi, start, key=key, observable=order, most=64)
    assert not report.converged and report.r_hat > 1.5 and report.draws == 64
    tempered = ParallelTempering(SingleFlip(), 16, betas=12)
    state = tempered.init(psi, key=key)
    _, report = thermalise(tempered, psi, state, key=key, observable=order)
    assert report.converged


def test_constant_amplitudes_and_enumeration(key):
    flat = MeanField(6, scale=0.0, key=key)
    sampler = Metropolis(Exchange(ring(6)), 8)
    assert thermalise(sampler, flat, sampler.init(flat, key=key), key=key)[1].converged
    exact = Enumeration()
    _, report = thermalise(exact, flat, exact.init(flat, key=key), key=key)
    assert report.converged and report.draws == 0
    assert "thermalised after 0 draws" in str(report)


def test_bad_input(key):
    psi, sampler = MODELS["rbm"](4), Metropolis(SingleFlip(), 4)
    state = sampler.init(psi, key=key)
    for wrong in ({"block": 0}, {"most": -1}, {"limit": 1.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            thermalise(sampler, psi, state, key=key, **wrong)
