"""Wave functions of fermions: signs against creation operators, laws, fast updates, kinds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.fermions import Pairing, Pfaffian, Slater, correlated
from intertwine.models.fermions.determinants import log_determinant, log_pfaffian


def created(columns):
    """|Ψ⟩ = Π_a (Σ_m Φ_ma c†_m)|0⟩ as {occupied modes: amplitude}."""
    vector = {(): 1.0}
    for column in reversed(columns):
        new = {}
        for modes, value in vector.items():
            for m, amplitude in enumerate(column):
                if amplitude == 0 or m in modes:
                    continue
                before = sum(1 for k in modes if k < m)  # c†_m moves to its place in the order
                key = tuple(sorted((*modes, m)))
                new[key] = new.get(key, 0.0) + (-1) ** before * amplitude * value
        vector = new
    return vector


def amplitudes(model, space):
    s = jnp.asarray(space.configurations())
    return np.exp(np.asarray(jax.jit(jax.vmap(model))(s)))


def exact(space, columns):
    vector = created(columns)
    return np.array([vector.get(tuple(np.flatnonzero(s < 0).tolist()), 0.0) for s in space.configurations()])


@pytest.mark.parametrize("particles", [(2, 1), (1, 2), (2, 2), 3, 0])
@pytest.mark.parametrize("dtype", [float, complex])
def test_slater_is_the_product_of_creation_operators(particles, dtype, key):
    space = it.Fermions(it.Chain(4), particles)
    psi = Slater(space, scale=1.0, dtype=dtype, key=key)
    columns = []
    for b, a in enumerate(psi.filling.starts):
        whole = np.zeros((space.size, psi.filling.particles[b]), dtype)
        whole[a : psi.filling.stops[b]] = psi.block_orbitals(b)
        columns += list(whole.T)
    np.testing.assert_allclose(amplitudes(psi, space), exact(space, columns), atol=1e-12)
    assert psi.kind == ("signed" if dtype is float else "holomorphic")


def test_other_numbers_of_particles_have_no_amplitude():
    space = it.Fermions(it.Chain(4), (2, 1))
    for psi in (Slater(space), Pairing(space), Pfaffian(space)):
        assert psi(jnp.ones(8, jnp.int8)).real == -np.inf
        assert np.isfinite(psi(jnp.asarray(space.configurations()[0])).imag)


@pytest.mark.parametrize("particles", [(3, 3), (3, 1), (1, 3)])
def test_pairs_of_free_fermions_are_the_slater_determinant(particles):
    space = it.Fermions(it.Chain(6), particles)
    slater = amplitudes(Slater(space), space)
    for psi in (Pairing(space), Pfaffian(space)):
        found = amplitudes(psi, space)
        np.testing.assert_allclose(
            abs(np.vdot(found, slater)), np.linalg.norm(found) * np.linalg.norm(slater)
        )
        np.testing.assert_allclose(abs(found), abs(slater), atol=1e-12)


@pytest.mark.parametrize("n", [3, 4])
def test_a_pfaffian_of_one_species_is_antisymmetric(n, key):
    space = it.Fermions(it.Chain(6), n)
    np.testing.assert_allclose(
        abs(amplitudes(Pfaffian(space), space)), abs(amplitudes(Slater(space), space)), atol=1e-12
    )
    psi, modes = Pfaffian(space, scale=2.0, key=key), jnp.arange(n)
    swapped = psi.ordered(modes.at[0].set(1).at[1].set(0))
    np.testing.assert_allclose(np.exp(swapped), -np.exp(psi.ordered(modes)))


def test_pfaffians_square_to_determinants(key):
    for n in (2, 4, 6):
        X = jax.random.normal(key, (3, n, n), complex)
        A = X - jnp.swapaxes(X, 1, 2)
        np.testing.assert_allclose(np.exp(2 * log_pfaffian(A)), np.linalg.det(A), rtol=1e-10)
    A = np.zeros((4, 4))
    A[np.triu_indices(4, 1)] = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0
    np.testing.assert_allclose(np.exp(log_pfaffian(jnp.asarray(A - A.T))), 1 * 6 - 2 * 5 + 3 * 4)


def test_singular_matrices_have_finite_derivatives():
    for function in (log_determinant, log_pfaffian):
        value, slope = jax.value_and_grad(lambda A, f=function: f(A).real)(jnp.zeros((4, 4)))
        assert value == -np.inf
        np.testing.assert_array_equal(slope, 0)
    assert jax.vmap(log_determinant)(jnp.zeros((3, 0, 0))).tolist() == [0, 0, 0]


def test_errors_say_what_to_do():
    with pytest.raises(it.InputError, match="give the numbers"):
        Slater(it.Fermions(4))
    with pytest.raises(it.InputError, match="with fermions"):
        Slater(it.Spins(4))
    with pytest.raises(it.InputError, match="or give the hopping matrix"):
        Slater(it.Fermions(4, 2))
    with pytest.raises(it.InputError, match="two species"):
        Pairing(it.Fermions(it.Chain(4), 2))
    with pytest.raises(it.InputError, match="one of 8 modes"):
        correlated(Slater(it.Fermions(it.Chain(4), (1, 1))), it.RBM(4, 4, key=jax.random.key(0)))
