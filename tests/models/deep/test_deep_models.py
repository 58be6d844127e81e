"""Transformers and residual networks: how they are cut into patches, their symmetries, their names, and that
they begin smooth."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine import InputError
from intertwine.models.deep.patches import patches_of
from intertwine.models.names import check_model_name, model_from_name
from intertwine.models.parameters import count_parameters
from intertwine.sampling.space import space_of

SQUARE, KAGOME, TRIANGULAR = it.Square(4, 4), it.Kagome(2, 2), it.Triangular(4, 2)

SYMMETRIC = {
    "square 2x2": lambda key: it.ViT(SQUARE, 2, 8, patch=2, translations=True, scale=9.0, key=key),
    "kagome, softmax": lambda key: it.ViT(
        KAGOME, 1, 8, translations=True, attention="softmax", dtype=float, scale=9.0, key=key
    ),
    "triangular 2x1": lambda key: it.ViT(TRIANGULAR, 1, 4, patch=(2, 1), translations=True, key=key),
    "resnet square": lambda key: it.ResNet(SQUARE, 1, 3, scale=9.0, key=key),
    "resnet kagome": lambda key: it.ResNet(
        KAGOME, 1, 2, head="product", activation="relu", scale=9.0, key=key
    ),
    "resnet, half open": lambda key: it.ResNet(it.Square(3, 2, pbc=(False, True)), 1, 2, key=key),
}


def _configurations(size, count=6):
    return jnp.asarray(np.random.default_rng(0).choice([-1, 1], (count, size)).astype(np.int8))


def _moves(model):
    return model.permutations if hasattr(model, "permutations") else model.group.permutations


@pytest.mark.parametrize("name", SYMMETRIC)
def test_translations_leave_psi_as_it_is(name, key):
    model = SYMMETRIC[name](key)
    s = _configurations(model.size)
    log_psi = jax.jit(jax.vmap(model))
    before = np.asarray(log_psi(s))
    assert np.std(before.real) > 1e-3
    moves = _moves(model)
    assert len(moves) > 1
    for p in moves:
        np.testing.assert_allclose(np.exp(log_psi(s[:, p])), np.exp(before), rtol=1e-12)


def test_translations_of_patches_are_those_of_the_lattice():
    moves = patches_of(SQUARE, 2).translations
    translations = SQUARE.translations
    rows = translations.rows_of(moves)
    assert (rows >= 0).all() and len(set(rows.tolist())) == 4


def test_momentum_of_a_residual_network(key):
    ring = it.Chain(6)
    chi = ring.translations.characters_1d()[2]
    psi = it.ResNet(ring, 1, 3, character=chi, scale=9.0, key=key)
    s = _configurations(6, 4)
    value = jax.jit(jax.vmap(psi))
    for g, p in enumerate(ring.translations.permutations):
        np.testing.assert_allclose(
            np.exp(value(s[:, np.argsort(p)])), np.exp(value(s)) * chi[g], rtol=1e-10, atol=1e-12
        )


def test_absolute_positions_see_where_spins_are(key):
    psi = it.ViT(it.Chain(4), 1, 4, scale=9.0, key=key)
    s = _configurations(4, 5)
    assert psi.permutations.tolist() == [[0, 1, 2, 3]]
    assert not np.allclose(jax.vmap(psi)(s), jax.vmap(psi)(jnp.roll(s, 1, 1)))


@pytest.mark.parametrize("build", [it.ViT, it.ResNet])
def test_begins_smooth(build, key):
    psi = build(SQUARE, 3, 16, key=key)
    values = np.asarray(jax.jit(jax.vmap(psi))(_configurations(16, 64)))
    assert np.abs(values).max() < 0.5


NAMES = {
    "vit:2x16": {},
    "vit:2x16:4:patch2:translations": {"heads": 4, "patch": 2, "translations": True},
    "vit:1x8:softmax": {"attention": "softmax"},
}


@pytest.mark.parametrize("name", NAMES)
def test_vit_by_name(name, key):
    by_name = model_from_name(name, SQUARE, dtype=complex, key=key)
    layers, dim = (int(x) for x in re.match(r"vit:(\d+)x(\d+)", name).groups())
    built = it.ViT(SQUARE, layers, dim, **NAMES[name], key=key)
    assert count_parameters(by_name) == count_parameters(built)
    assert jax.tree.structure(by_name) == jax.tree.structure(built)


def test_resnet_by_name(key):
    model = model_from_name("resnet:2x4:relu:product", SQUARE, key=key)
    assert (model.kind, model.activation, model.head, len(model.blocks)) == ("real", "relu", "product", 2)


@pytest.mark.parametrize(
    "name", ["vit", "vit:16", "vit:2x16:patch", "vit:2x16:2:4", "vit:2x16:even", "resnet:3x4:translations"]
)
def test_names_that_mean_nothing(name):
    with pytest.raises(InputError, match="model: expected one of"):
        check_model_name(name)


WRONG = {
    "patch: expected cells that divide": lambda key: it.ViT(SQUARE, patch=3, key=key),
    "patch: expected a whole number": lambda key: it.ViT(SQUARE, patch=(2, 2, 2), key=key),
    "heads: expected a divisor": lambda key: it.ViT(SQUARE, dim=8, heads=3, key=key),
    "translations: expected False": lambda key: it.ViT(it.Chain(4, pbc=False), translations=True, key=key),
    "attention: expected": lambda key: it.ViT(SQUARE, attention="linear", key=key),
    "layers: expected a positive integer": lambda key: it.ResNet(SQUARE, 0, key=key),
    "lattice: expected translations": lambda key: it.ResNet(SQUARE.space_group, 1, key=key),
    "character: expected None": lambda key: it.ResNet(SQUARE, 1, head="product", character=[1], key=key),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_does_not_fit_is_said(words, key):
    with pytest.raises(InputError, match=re.escape(words)):
        WRONG[words](key)


def test_finds_a_ground_state(key):
    """A ring of 8 spins by exact sums, against exact diagonalization."""
    H = it.j1j2(it.Chain(8), J1=1.0, J2=0.3)
    psi = it.ViT(it.Chain(8), 1, 8, patch=2, translations=True, key=key)
    sampler = it.Enumeration(magnetization=0)
    optimiser = it.NaturalGradient(learning_rate=0.03, shift=1e-3, max_norm=0.15, chunk=32)
    run = it.ground_state(H, psi, 80, 70, sampler=sampler, optimiser=optimiser, key=key)
    assert abs(run.energy.mean / it.exact.ground_energy(H) - 1) < 2e-3


def test_projection_by_cosets(key):
    """One term for each coset of the network's own translations: the plain sum over the group."""
    psi = it.ViT(SQUARE, 1, 4, patch=2, translations=True, scale=9.0, key=key)
    group = SQUARE.space_group
    sector = it.Symmetrised(psi, SQUARE, spin_flip=1)
    assert len(sector.cosets.rows) == group.order // 4
    s = _configurations(16, 1)[0]
    moved = s[group.permutations]
    plain = np.exp(jax.jit(jax.vmap(psi))(jnp.concatenate([moved, -moved]))).sum()
    np.testing.assert_allclose(np.exp(sector(s)), plain, rtol=1e-10)
    moves = SQUARE.translations
    odd = next(c for c in moves.characters_1d() if c[moves.rows_of(psi.permutations)].real.min() < 0)
    with pytest.raises(InputError, match="character: expected one that the model's own 4 symmetries leave"):
        it.Symmetrised(psi, moves, odd)


def test_a_projected_state_lives_where_the_state_does(key):
    H = it.heisenberg(it.Chain(4))
    run = it.ground_state(H, it.RBM(4, hidden=2, key=key), 2, 64, final_samples=64, compare=False, key=key)
    assert str(space_of(run.model)) == "Σ s = 0"
    assert space_of(it.Symmetrised(run, it.Chain(4), spin_flip=1)) == space_of(run.model)
