"""A sampler defined outside the package goes through it.sample, it.expect and it.ground_state."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.sampling.enumeration import all_configurations, log_density, probabilities
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.sampling.protocols import Independent, Sampler, Samples

KEY = jax.random.key(3)


class Nothing(NamedTuple):
    """Independent draws have no state but how many there were."""

    count: jax.Array


@dataclass(frozen=True)
class Inverse:
    """Draws of |ψ|² by inverting the summed probabilities of all configurations: for few sites."""

    chains: int = 64

    def init(self, model, *, key):
        return Nothing(jnp.zeros((), jnp.int32))

    def sample(self, model, state, draws, *, key):
        every = jnp.asarray(all_configurations(model.size))
        summed = jnp.cumsum(jax.nn.softmax(log_density(model, every)))
        u = jax.random.uniform(key, (self.chains, draws), summed.dtype) * summed[-1]
        chosen = every[jnp.searchsorted(summed, u)]
        return Samples(chosen, None, jnp.ones(())), Nothing(state.count + draws)


@dataclass(frozen=True)
class Proposals(Inverse):
    """The same with weights, from configurations proposed uniformly: p = Ψ/Z itself."""

    distribution = "boltzmann"

    def independent(self, model, count, *, key):
        rows = np.asarray(jax.random.bernoulli(key, 0.5, (count, model.size))).astype(np.int8)
        log_psi = np.asarray(jax.vmap(model)(jnp.asarray(rows, float)), np.float64)
        return Independent(rows, log_psi, log_psi)


class Doubtful(Inverse):
    def caveats(self, model):
        return ("assumption: nobody has looked at this",)


def psi():
    return it.RBM(6, hidden=6, scale=0.5, key=KEY)


def test_it_is_a_sampler():
    assert isinstance(Inverse(), Sampler)


def test_sample_draws_with_it():
    model = psi()
    drawn = it.sample(model, 20_000, sampler=Inverse(), distribution="born", key=KEY)
    p = probabilities(model)
    index = (np.asarray(drawn) < 0) @ (1 << np.arange(5, -1, -1))
    found = np.bincount(index, minlength=64) / 20_000
    assert 0.5 * np.abs(found - p).sum() < 0.05
    assert drawn.mixed and drawn.tau < 1.5 and drawn.chains == 64


def test_sample_reads_a_boltzmann_machine_through_its_square_root():
    model = psi()
    drawn = it.sample(model, 20_000, sampler=Inverse(), key=KEY)
    every = all_configurations(6)
    log_weight = np.asarray(jax.vmap(model)(jnp.asarray(every, float)), np.float64)
    p = np.exp(log_weight - log_weight.max())
    mean = (p / p.sum()) @ every
    assert np.abs(np.asarray(drawn).mean(0) - mean).max() < 5 / 20_000**0.5


def test_sample_takes_weighted_draws():
    machine = it.RBM(5, hidden=4, units="binary", scale=0.3, key=KEY)
    drawn = it.sample(machine, 5000, sampler=Proposals(), key=KEY)
    assert drawn.log_weights is not None and 2500 < drawn.ess < 5000 and drawn.mixed
    every = (all_configurations(5) > 0).astype(float)
    log_weight = np.asarray(jax.vmap(machine)(jnp.asarray(every)), np.float64)
    p, w = np.exp(log_weight - log_weight.max()), np.exp(drawn.log_weights - drawn.log_weights.max())
    means = w @ np.asarray(drawn) / w.sum()
    assert np.abs(means - (p / p.sum()) @ every).max() < 5 / drawn.ess**0.5


def test_a_sampler_of_the_other_reading_is_refused():
    with pytest.raises(InputError, match=r"one of \|Ψ\|²"):
        it.sample(psi(), 10, sampler=Proposals(), distribution="born", key=KEY)


def test_a_sampler_may_qualify_itself():
    ising = it.Ising(it.Square(3, 3), 0.2)
    with pytest.warns(it.sampling.draw.Caveat, match="nobody has looked"):
        drawn = it.sample(ising, 100, sampler=Doubtful(), key=KEY)
    assert any("nobody has looked" in line for line in drawn.warnings)


@dataclass(frozen=True)
class Holding(Inverse):
    """A sampler that says that it holds nothing: no reason to look for modes."""

    clamped: object = None


def test_a_sampler_that_holds_nothing_is_not_compared_with_modes(monkeypatch):
    machine = it.RBM(4, hidden=3, units="spin", scale=0.3, key=KEY)
    monkeypatch.setattr(it.sampling.draw, "find_modes", None)
    held = it.sample(machine, 500, sampler=Holding(), key=KEY)
    free = it.sample(machine, 500, sampler=Inverse(), key=KEY)
    assert np.array_equal(held, free) and held.mixed == free.mixed


class Representatives(Inverse):
    def unfolded(self):
        return Inverse()

    def init(self, model, *, key):
        raise AssertionError("nothing is drawn")


def test_representatives_are_refused_before_anything_is_drawn():
    orbits = OrbitEnumeration(it.Chain(6).space_group.permutations)
    for sampler in (orbits, Representatives()):
        with pytest.raises(InputError, match="one that draws configurations, not orbits"):
            it.sample(psi(), 10, sampler=sampler, distribution="born", key=KEY)


def test_expect_and_ground_state_take_it():
    H = it.tfim(it.Chain(6), J=1.0, h=1.0)
    model = psi()
    value = it.expect(H, model, samples=8192, sampler=Inverse(), key=KEY)
    exact = it.expect(H, model, sampler=it.Enumeration(), key=KEY)
    assert abs(value.mean - exact.mean) < 5 * value.error
    run = it.ground_state(H, model, sampler=Inverse(256), steps=60, samples=1024, key=KEY)
    assert abs(run.energy.mean - it.exact.ground_energy(H)) < 0.1
    drawn = it.sample(run.model, 100, key=KEY)
    assert drawn.shape == (100, 6)
