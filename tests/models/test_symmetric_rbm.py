"""Symmetric RBMs transform as their character says, for every element of the group and every character."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.models import laws
from intertwine.models.protocols import Factored, Incremental, SpinFormed
from intertwine.models.symmetric.invariant_rbm import InvariantRBM
from intertwine.models.symmetric.symmetric_rbm import SymmetricRBM
from intertwine.symmetry.groups.permutation_group import PermutationGroup

from .table import dihedral_ring, ring, square_point_group

amplitudes = jax.jit(lambda model, samples: jax.vmap(model)(samples))


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("group", [ring(8), dihedral_ring(8), square_point_group()], ids=["ring", "D8", "D4"])
def test_every_character(group, dtype, key):
    for character in group.characters_1d():
        model = SymmetricRBM(group, 3, dtype=dtype, character=character, key=key)
        assert laws.assert_invariant(model, group, character, key=key, tol=1e-12) < 1e-12


@pytest.mark.parametrize("spin_flip", [1, -1])
@pytest.mark.parametrize("momentum", [0, 1, 4])
def test_spin_flip_parity(spin_flip, momentum, key):
    group = ring(8)
    character = np.exp(2j * np.pi * momentum * np.arange(8) / 8)
    translations = np.argsort(group.permutations[:, 0])  # the row that moves site 0 to site r
    chi = np.empty(8, complex)
    chi[translations] = character
    model = SymmetricRBM(group, 3, character=chi, spin_flip=spin_flip, key=key)
    laws.assert_invariant(model, group, chi, key=key, tol=1e-12)
    s = laws.random_configurations(model, 64, key=key)
    logs, flipped = amplitudes(model, s), amplitudes(model, -s)
    top = logs.real.max()
    np.testing.assert_allclose(np.exp(flipped - top), spin_flip * np.exp(logs - top), atol=1e-12)


def test_the_states_span_the_sector_of_the_character(key):
    """Where the character forbids a configuration ψ is 0, and elsewhere not: the dimension of the sector."""
    group = ring(6)
    s = jnp.asarray(list(itertools.product([1, -1], repeat=6)), jnp.int8)
    images = np.asarray(group.apply(s))
    for character in group.characters_1d():
        fixed = (images == np.asarray(s)[:, None]).all(-1)  # which elements leave s as it is
        allowed = np.abs((fixed * character).sum(1)) > 1e-9
        model = SymmetricRBM(group, 2, character=character, dtype=complex, key=key)
        logs = np.asarray(amplitudes(model, s)).real
        np.testing.assert_array_equal(logs > logs.max() - 30, allowed)


def test_invariant_model_has_every_capability_and_the_others_only_the_call(key):
    trivial = SymmetricRBM(ring(), 2, key=key)
    sign = SymmetricRBM(ring(), 2, character=ring().characters_1d()[4], key=key)
    capabilities = (Incremental, SpinFormed, Factored)
    assert isinstance(trivial, InvariantRBM) and all(isinstance(trivial, c) for c in capabilities)
    assert not any(isinstance(sign, c) for c in capabilities)
    assert trivial.hidden == 16 and sign.kind == "complex"


def test_factors_in_chunks(key, monkeypatch):
    monkeypatch.setattr("intertwine.models.symmetric.invariant_rbm._CHUNK", 3 * 64)
    laws.assert_factors_consistent(SymmetricRBM(ring(), 2, dtype=complex, key=key), key=key)


def test_lattice_groups(key):
    from intertwine.spaces.lattices import Chain, Square

    for lattice in (Chain(6), Square(3, 3)):
        for name, group in (("space", lattice.space_group), ("translations", lattice.translations)):
            model = SymmetricRBM(lattice, 2, group=name, key=key)
            assert model.hidden == 2 * group.order
            laws.assert_invariant(model, group, key=key, tol=1e-12)


@pytest.mark.parametrize("features", [1, 8])
@pytest.mark.parametrize("group", [ring(8), dihedral_ring(30)], ids=["8", "30"])
def test_initial_state_is_neither_flat_nor_spiky(group, features, key):
    model = SymmetricRBM(group, features, key=key)
    s = laws.random_configurations(model, 200, key=key)
    assert 0.02 < float(np.std(amplitudes(model, s))) < 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 0}, "features: expected a positive integer"),
        ({"character": [1, 2]}, "character: expected one number for each of the 8 elements"),
        ({"character": [1, -1, 1, 1, 1, 1, 1, 1]}, "one-dimensional character"),
        ({"character": 2 * np.ones(8)}, "one-dimensional character"),
        ({"character": "odd"}, "character"),
        ({"spin_flip": 0}, "spin_flip"),
        ({"lattice": 8}, "lattice: expected a lattice or a PermutationGroup"),
        ({"group": "translations"}, "group"),
        ({"group": PermutationGroup.trivial(5)}, "permutations of the 8 sites"),
        ({"scale": -0.1}, "scale"),
    ],
)
def test_bad_arguments(options, message, key):
    arguments = {"lattice": ring(), "features": 2, "key": key, **options}
    with pytest.raises(InputError, match=message):
        SymmetricRBM(arguments.pop("lattice"), arguments.pop("features"), **arguments)
