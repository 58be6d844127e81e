"""Compiled hops of fermions: local energies and sampling against ψ itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.fermions import Pairing, Slater, correlated
from intertwine.models.fermions.forms import determinant_form
from intertwine.quantum import operators as op
from intertwine.quantum.vmc import host_hopping
from intertwine.quantum.vmc.local_energy import local_values


def hops_and_pairs(space):
    """Hops of one fermion and of two, densities."""
    free, terms = space.free, []
    names = [name for name, _ in space.species]
    for i in range(3):
        for name in names:
            terms.append(op.create(free, i, name) @ op.annihilate(free, i + 1, name))
        pair = op.create(free, i, names[0]) @ op.annihilate(free, i + 1, names[0])
        other = op.create(free, i + 1, names[-1]) @ op.annihilate(free, (i + 2) % 4, names[-1])
        terms += [0.7 * pair @ other, op.number(free, i, names[0]) @ op.number(free, i + 1, names[-1])]
    half = op.total(terms)
    return half + half.adjoint


@pytest.mark.parametrize(
    ("particles", "dtype"),
    [
        ((2, 2), float),
        pytest.param((1, 3), float, marks=pytest.mark.slow),
        pytest.param(2, float, marks=pytest.mark.slow),
        pytest.param((2, 2), complex, marks=pytest.mark.slow),
        pytest.param((1, 3), complex, marks=pytest.mark.slow),
    ],
)
def test_local_energies_of_one_hop_and_of_two(particles, dtype, key):
    space = it.Fermions(it.Chain(4), particles)
    H = hops_and_pairs(space)
    states = [Slater(space, scale=1.0, dtype=dtype, key=key)]
    states[0] = correlated(states[0], it.RBM(space.size, 5, scale=0.3, key=key))
    if particles != 2:
        states.append(Pairing(space, scale=1.0, dtype=dtype, key=key))
        flip = 1 if particles == (2, 2) else None
        states.append(it.models.Symmetrised(states[1], it.Chain(4), spin_flip=flip))
    s = jnp.asarray(space.configurations())
    for psi in states:
        sound = np.asarray(jax.vmap(psi)(s).real)
        chosen = s[sound > sound.max() - 12]
        found = host_hopping.local_values(H, determinant_form(psi), chosen)
        truth = local_values(H, psi, chosen, backend="generic")
        np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-9 * float(abs(truth).max()))
        assert found.dtype == truth.dtype or dtype is complex


def test_samples_have_the_law_of_the_wave_function(key):
    chain = it.Chain(4)
    space = it.Fermions(chain, (2, 2))
    psi = it.models.Symmetrised(Pairing(space, scale=1.0, key=key), chain, spin_flip=1)
    psi = correlated(psi, it.models.Jastrow(8, scale=0.2, key=key))
    sampler = it.sampling.Metropolis(it.Exchange([(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (3, 0)]),
                                     chains=200, sweep=20, hilbert=space)  # fmt: skip
    samples, _ = sampler.sample(psi, sampler.init(psi, key=key), 60, key=key)
    drawn = np.asarray(samples.configurations[:, 10:]).reshape(-1, 8)
    all_of_them = space.configurations()
    p = np.exp(2 * np.asarray(jax.vmap(psi)(jnp.asarray(all_of_them)).real))
    p /= p.sum()
    weights = 1 << np.arange(8)
    found = np.array([np.mean((drawn < 0) @ weights == n) for n in (all_of_them < 0) @ weights])
    assert (found[p < 1e-12] == 0).all()
    errors = np.sqrt(p * (1 - p) / len(drawn)) + 1e-9
    assert (np.abs(found - p) / errors).max() < 8  # correlated draws: three times the plain error or less


def test_numbers_that_do_not_fit_are_an_error(key):
    space = it.Fermions(it.Chain(4), (2, 2))
    psi = Slater(space)
    sampler = it.sampling.Metropolis(it.Exchange(), chains=2)
    with pytest.raises(it.InputError, match="begin with space"):
        sampler.sample(psi, sampler.init(it.RBM(8, 2, key=key), key=key)._replace(
            configurations=jnp.ones((2, 8), jnp.int8)), 1, key=key)  # fmt: skip
