"""Wave functions of fermions: signs against creation operators, laws, fast updates, kinds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models import laws, model_from_name
from intertwine.models.fermions import Backflow, HiddenFermions, Pairing, Pfaffian, Slater, correlated
from intertwine.models.fermions.determinants import log_determinant, log_pfaffian
from intertwine.models.fermions.forms import determinant_form
from intertwine.models.fermions.images import mode_group
from intertwine.models.fermions.presets import FERMION_NAMES, free_character


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


def moved_states(space, permutation, vector):
    """g|Ψ⟩ for a permutation of the modes, c†_m → c†_{p(m)}."""
    configurations = space.configurations()
    row = {tuple(np.flatnonzero(s < 0).tolist()): k for k, s in enumerate(configurations)}
    out = np.zeros(len(vector), complex)
    for modes, k in row.items():
        image = [int(permutation[m]) for m in modes]
        swaps = sum(a > b for i, a in enumerate(image) for b in image[i + 1 :])
        out[row[tuple(sorted(image))]] = (-1) ** swaps * vector[k]
    return out


@pytest.mark.parametrize("particles", [(2, 2), (1, 1), (3, 1), 3])
def test_projection_onto_a_sector_has_the_signs_of_fermions(particles, key):
    chain = it.Chain(4)
    space = it.Fermions(chain, particles)
    equal = particles in ((2, 2), (1, 1))
    rbm = it.RBM(space.size, 4, scale=0.4, key=key)
    for reference in (Slater(space, scale=1.0, key=key), Pfaffian(space, scale=1.0, key=key), rbm):
        for character in chain.translations.characters_1d()[:3]:
            flip = -1 if equal else None
            psi = it.models.Symmetrised(reference, chain.translations, character, spin_flip=flip, space=space)
            vector = amplitudes(psi, space)
            np.testing.assert_allclose(
                vector, projected(reference, space, chain, character, flip), atol=1e-12 * abs(vector).max()
            )


def projected(reference, space, chain, character, flip):
    """Σ_g χ(g) g (1 ± ↑↔↓)|Ψ₀⟩ by creation operators."""
    L, total = chain.size, 0.0
    start = amplitudes(reference, space)
    copies = space.size // L
    for chi, p in zip(character, chain.translations.permutations, strict=True):
        total = total + chi * moved_states(space, np.concatenate([p + k * L for k in range(copies)]), start)
    if flip is not None:
        turned = moved_states(space, (np.arange(2 * L) + L) % (2 * L), total)
        total = total + flip * (-1) ** int(np.sum(space.configurations()[0][:L] < 0)) * turned
    return total


@pytest.mark.parametrize("particles", [(2, 2), (3, 1)])
def test_projected_determinants_are_a_determinant_form(particles, key):
    chain = it.Chain(4)
    space = it.Fermions(chain, particles)
    s = jnp.asarray(space.configurations())
    rbm = it.models.SymmetricRBM(mode_group(chain.translations, 8), 2, scale=0.3, key=key)
    for reference in (Slater(space, scale=1.0, key=key), Pairing(space, scale=1.0, key=key)):
        psi = it.models.Symmetrised(reference, chain, spin_flip=1 if particles == (2, 2) else None)
        for model in (psi, correlated(psi, rbm)):
            form, logs = determinant_form(model), jax.vmap(model)(s)
            kept = np.asarray(logs.real) > logs.real.max() - 15
            values = np.array([of_form(form, c) for c in np.asarray(s)])
            np.testing.assert_allclose(values[kept], np.exp(np.asarray(logs))[kept], rtol=1e-9)
    assert psi.kind == "signed" and np.isrealobj(form.pairs)


def of_form(form, s):
    """ψ of a determinant form, written out."""
    lists = [np.flatnonzero(s[a:b] < 0) for a, b in zip(form.filling.starts, form.filling.stops, strict=True)]
    r, c = lists[form.rows], lists[form.columns]
    total = 0.0
    for F, U, w in zip(form.pairs, form.unpaired, form.weights, strict=True):
        total += w * np.linalg.det(np.concatenate([np.asarray(F)[r][:, c], np.asarray(U)[r]], axis=1))
    return total * np.exp(laws.evaluate_spin_form(form.factor, jnp.asarray(s)))


@pytest.mark.parametrize("particles", [(2, 1), (2, 2), 3])
def test_networks_start_as_slater_determinants(particles, key):
    space = it.Fermions(it.Chain(4), particles)
    truth = amplitudes(Slater(space), space)
    for psi in (
        Backflow(space, 4, scale=0.0, key=key),
        HiddenFermions(space, 2, scale=0.0, key=key),
    ):
        np.testing.assert_allclose(amplitudes(psi, space), truth, atol=1e-12)


def test_models_by_name(key):
    chain = it.Chain(4)
    for name in FERMION_NAMES:
        text = (
            name.replace("ALPHA", "1").replace("FEATURES", "2").replace("HIDDEN", "4").replace("NUMBER", "2")
        )
        psi = model_from_name(text, chain, space=it.Fermions(chain, (1, 1)), key=key)
        assert psi.size == 8 and psi.kind == "signed", text
    with pytest.raises(it.InputError, match="wave function of fermions"):
        model_from_name("slater", chain, key=key)
    with pytest.raises(it.InputError, match="model: expected one of"):
        model_from_name("slater-rbm", chain, key=key)


def test_projected_presets_are_in_the_sector_of_free_fermions(key):
    """A level of the free ground state survives the projection, with the sign of the point group too."""
    space = it.Fermions(it.Square(4, 4), 5)
    character = free_character(space, space.place.space_group)
    assert set(character.tolist()) == {1.0, -1.0}
    projected = it.models.Symmetrised(Slater(space), space.place, character)
    s = space.random(4, key=key)
    order = space.place.space_group.order
    np.testing.assert_allclose(
        np.exp(jax.vmap(projected)(s)), order * np.exp(jax.vmap(Slater(space))(s)), atol=1e-9
    )
    assert free_character(it.Fermions(it.Chain(4), 2), it.Chain(4).translations) is None
