"""Samplers in Hilbert spaces: conserved numbers, constraints and modes with several levels."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.levels import LevelJastrow, encoding, on_levels
from intertwine.sampling.laws import (
    assert_follows_kernel,
    is_ergodic,
    transition_counts,
    transition_matrix,
)
from intertwine.sampling.metropolis.legality import checks
from thinned import thinned

KEY = jax.random.key(3)


class Table(eqx.Module):
    """A complex log ψ for each level of each mode and each pair of neighbouring modes."""

    values: jax.Array
    size: int = eqx.field(static=True)

    @property
    def kind(self):
        return "complex"

    def __call__(self, s):
        wave = jnp.sin(self.values[0] * s[None, :] + self.values[1])
        return jnp.sum(wave * jnp.roll(wave, 1, axis=1)) + 1j * jnp.sum(wave)


def table(space):
    rng = np.random.default_rng(5)
    return Table(jnp.asarray(rng.normal(size=(2, 3, space.size))), space.size)


def ladder():
    """Coverings of a ladder of two plaquettes: links of the top 0, 1, the bottom 2, 3, rungs 4, 5, 6."""
    return it.Dimers(7, [(0, 4), (0, 1, 5), (1, 6), (2, 4), (2, 3, 5), (3, 6)])


SPACES = {
    "electrons": (
        lambda: it.Fermions(it.Chain(3), (2, 1)),
        lambda: it.Exchange([(0, 1), (1, 2), (3, 4), (4, 5)]),
    ),
    "parity": (lambda: it.Fermions(4, parity=1), lambda: it.FlipSets([(0, 1), (1, 2), (2, 3)])),
    "blockade": (lambda: it.Rydberg(it.Chain(6)), it.SingleFlip),
    "blockade and exchanges": (
        lambda: it.Rydberg(it.Chain(6)),
        lambda: it.Mixture([(it.SingleFlip(), 0.6), (it.Exchange(it.Chain(6)), 0.4)]),
    ),
    "dimers": (ladder, lambda: it.FlipSets([(0, 2, 4, 5), (1, 3, 5, 6)])),
    "bosons": (lambda: it.Bosons(it.Chain(4), 3), lambda: it.Hops(it.Chain(4))),
    "bosons, swapped": (
        lambda: it.Bosons(3, 3, most=2),
        lambda: it.Mixture([(it.Hops(), 0.5), (it.Exchange(), 0.5)]),
    ),
    "spin 1": (lambda: it.Spins(3, s=1), it.Raise),
    "spin 3/2, M = 1": (lambda: it.Spins(3, s=1.5, magnetization=1), it.Hops),
    "qudits": (lambda: it.Qudits(3, 4), lambda: it.Raise(3)),
    "electron and phonons": (
        lambda: it.Fermions(2, 1) * it.Bosons(2, most=2),
        lambda: it.Mixture([(it.Hops([(0, 1)]), 0.5), (it.Raise(), 0.5)]),
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_detailed_balance_and_all_of_the_space(name):
    space, rule = (make() for make in SPACES[name])
    psi = table(space)
    it.assert_detailed_balance(rule, psi, hilbert=space, tol=1e-12)
    it.assert_detailed_balance(rule, psi, hilbert=space, beta=0.4, tol=1e-12)
    assert is_ergodic(transition_matrix(rule, psi, hilbert=space))


STEPS = [(name, "jax") for name in SPACES] + [(name, "host") for name in list(SPACES)[:5]]


@pytest.mark.parametrize("name, backend", thinned(STEPS, 3))
def test_the_sampler_follows_the_kernel(name, backend):
    """65,536 single steps, row by row; mixtures in few chains, whose parts are shared by all."""
    space, rule = (make() for make in SPACES[name])
    psi = (
        it.RBM(space.size, hidden=4, dtype=complex, scale=0.4, key=KEY) if backend == "host" else table(space)
    )
    chains = 4 if isinstance(rule, it.Mixture) else 512
    sampler = it.Metropolis(rule, chains, sweep=1, backend=backend, hilbert=space)
    counts = transition_counts(sampler, psi, 65536 // chains + 1, key=KEY, hilbert=space)
    assert counts.sum() == 65536
    assert_follows_kernel(counts, transition_matrix(rule, psi, hilbert=space), deviations=4.5)


LEVEL_MODELS = {
    "rbm": lambda space: on_levels(it.RBM(encoding(space).size, hidden=5, scale=0.4, key=KEY), space),
    "jastrow": lambda space: LevelJastrow(space, scale=0.3, key=KEY),
    "beyond tables": lambda space: on_levels(
        it.RBM(encoding(space).size, hidden=5, scale=60.0, key=KEY), space
    ),
}


@pytest.mark.parametrize("backend", ["host", pytest.param("jax", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LEVEL_MODELS)
def test_models_of_levels_follow_the_kernel(name, backend):
    space, rule = it.Bosons(it.Chain(4), 3), it.Hops(it.Chain(4))
    psi = LEVEL_MODELS[name](space)
    sampler = it.Metropolis(rule, 512, sweep=1, backend=backend, hilbert=space)
    counts = transition_counts(sampler, psi, 129, key=KEY, hilbert=space)
    assert_follows_kernel(counts, transition_matrix(rule, psi, hilbert=space), deviations=4.5)


def test_several_kinds_of_modes_on_the_host():
    """A fermion and bosons: hops of one, steps of the others by one and two."""
    space = it.Fermions(2, 1) * it.Bosons(2, most=2)
    rule = it.Mixture([(it.Hops([(0, 1)]), 0.5), (it.Raise(2, modes=[2, 3]), 0.5)])
    psi = LEVEL_MODELS["rbm"](space)
    sampler = it.Metropolis(rule, 8, sweep=1, backend="host", hilbert=space)
    counts = transition_counts(sampler, psi, 8193, key=KEY, hilbert=space)
    assert_follows_kernel(counts, transition_matrix(rule, psi, hilbert=space), deviations=4.5)


def test_conserved_numbers_cost_nothing():
    """Exchanges inside a species look at no bound, so that the kernels are those of free spins."""
    space = it.Fermions(it.Square(4, 4), (5, 5))
    bonds = np.asarray(it.Square(4, 4).bonds())
    both = np.concatenate([bonds, bonds + 16])
    assert checks(space, it.Exchange(both).table(32)) is None
    psi = it.RBM(32, hidden=8, key=KEY)
    samples, _ = _drawn(it.Metropolis(it.Exchange(both), 8, hilbert=space), psi, 4)
    assert bool(space.allows(samples.configurations).all())


def test_a_tempered_sampler_keeps_the_space():
    space = it.Rydberg(it.Chain(6))
    sampler = it.ParallelTempering(it.SingleFlip(), 16, betas=3, hilbert=space)
    samples, _ = _drawn(sampler, table(space), 8)
    assert bool(space.allows(samples.configurations).all())


def test_all_configurations_of_a_space():
    space = it.Bosons(3, 3)
    psi = table(space)
    samples, _ = _drawn(it.Enumeration(hilbert=space), psi, 1)
    assert samples.configurations.shape == (1, 10, 3)
    p = np.exp(2 * np.real([psi(jnp.asarray(s)) for s in space.configurations()]))
    np.testing.assert_allclose(samples.weights[0], p / p.sum(), rtol=1e-10)
    drawn = it.sample(psi, 50, sampler=it.Enumeration(hilbert=space), key=KEY)
    assert space.allows(np.asarray(drawn)).all()


def test_drawn_by_chains():
    space = it.Bosons(it.Chain(4), 3)
    drawn = it.sample(
        table(space), 200, sampler=it.Metropolis(it.Hops(it.Chain(4)), 32, hilbert=space), key=KEY
    )
    assert drawn.mixed and space.allows(np.asarray(drawn)).all()


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: it.Metropolis(it.Hops(), 4), "two levels"),
        (lambda: it.Metropolis(it.SingleFlip(), 4, hilbert=it.Bosons(3, 2)), "several levels"),
        (lambda: it.Metropolis(it.Exchange(), 4, hilbert="bosons"), "Hilbert space"),
        (
            lambda: it.Metropolis(it.Exchange(), 4, hilbert=it.Fermions(4, 2), magnetization=0),
            "magnetization",
        ),
        (lambda: _start(it.Exchange([(0, 1), (2, 3)]), it.Fermions(4, 2)), "never meet"),
        (lambda: _start(it.Hops([(0, 1), (2, 3)]), it.Bosons(4, 2)), "never meet"),
        (lambda: _start(it.Hops([(0, 1)]), it.Bosons(30, 30)), "never meet"),
        (lambda: _start(it.Exchange(), it.Fermions(4, 2), size=5), "4 modes"),
        (lambda: it.Enumeration(hilbert=it.Bosons(30, 30)).count(30), "configurations"),
        (lambda: it.Raise(0), "step"),
    ],
)
def test_what_does_not_fit_is_said(make, words):
    with pytest.raises(InputError, match=words) as error:
        make()
    assert "\n" not in str(error.value)


def _start(rule, space, size=None):
    psi = it.MeanField(size or space.size, key=KEY)
    return it.Metropolis(rule, 4, hilbert=space).init(psi, key=KEY)


def _drawn(sampler, psi, draws):
    return sampler.sample(psi, sampler.init(psi, key=KEY), draws, key=KEY)
