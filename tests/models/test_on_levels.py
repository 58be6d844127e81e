"""Models of modes with several levels: the spins that stand for them, fast paths against the call."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.models.levels import LevelJastrow, NumberRBM, encoding, on_levels
from intertwine.models.parameters import parameters
from intertwine.models.protocols import Direct, Factored, LevelIncremental
from intertwine.symmetry.groups.permutation_group import PermutationGroup
from thinned import thinned

KEY = jax.random.key(4)
SPACE = it.Spins(2, s=1) * it.Bosons(2, most=3)
MODELS = {
    "rbm": lambda: on_levels(it.RBM(encoding(SPACE).size, hidden=3, scale=0.4, key=KEY), SPACE),
    "complex rbm": lambda: on_levels(
        it.RBM(encoding(SPACE).size, hidden=3, scale=0.4, dtype=complex, key=KEY), SPACE
    ),
    "mean field": lambda: on_levels(it.MeanField(encoding(SPACE).size, scale=0.4, key=KEY), SPACE),
    "number rbm": lambda: NumberRBM(SPACE, hidden=3, scale=0.4, key=KEY),
    "complex number rbm": lambda: NumberRBM(SPACE, hidden=3, scale=0.4, dtype=complex, key=KEY),
    "jastrow": lambda: LevelJastrow(SPACE, scale=0.4, key=KEY),
    "complex jastrow": lambda: LevelJastrow(SPACE, scale=0.4, dtype=complex, key=KEY),
}


def test_levels_are_linear_in_the_spins():
    code, rows = encoding(SPACE), SPACE.configurations()
    spins = np.asarray(code.spins(jnp.asarray(rows)))
    counts = np.stack([(1 - spins[:, code.mode == i]).sum(1) // 2 for i in range(4)], axis=1)
    np.testing.assert_array_equal(counts, rows)
    swap = np.array([[1, 0, 3, 2]])
    moved = code.permuted(swap)
    np.testing.assert_array_equal(code.as_modes(moved), swap)
    np.testing.assert_array_equal(code.spins(jnp.asarray(rows[:, swap[0]])), spins[:, moved[0]])


@pytest.mark.parametrize("name", thinned(MODELS, 3))
def test_steps_and_derivatives_are_those_of_the_call(name):
    psi = MODELS[name]()
    assert isinstance(psi, LevelIncremental) and isinstance(psi, Factored)
    before, after = jnp.array([0, 2, 1, 3], jnp.int8), jnp.array([2, 2, 0, 3], jnp.int8)
    modes, levels = jnp.array([2, 0, 4]), jnp.array([0, 2, 7])
    cache = psi.start(before)
    expected = psi(after) - psi(before)
    np.testing.assert_allclose(psi.log_change(cache, before, modes, levels), expected, atol=1e-12)
    there, fresh = psi.change(cache, before, modes, levels), psi.start(after)
    for a, b in zip(jax.tree.leaves(there), jax.tree.leaves(fresh), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    holomorphic = psi.kind == "holomorphic"
    exact = jax.grad(lambda m: jnp.real(m(after)) if not holomorphic else m(after), holomorphic=holomorphic)(
        psi
    )
    rows = psi.factors(jnp.stack([before, after]))
    kind = lambda x: hasattr(x, "left") or isinstance(x, Direct)  # noqa: E731
    for own, true in zip(
        jax.tree.leaves(rows, is_leaf=kind), jax.tree.leaves(parameters(exact)), strict=True
    ):
        value = own.values[1] if isinstance(own, Direct) else jnp.outer(own.left[1], own.right[1])
        np.testing.assert_allclose(np.reshape(value, true.shape), true, atol=1e-10)


@pytest.mark.parametrize("name", ["rbm", "number rbm", "jastrow"])
def test_the_form_of_the_spins_is_the_model(name):
    psi = MODELS[name]()
    form, rows = psi.encoded_form(), jnp.asarray(SPACE.configurations())
    s = np.asarray(psi.encoding.spins(rows), float)
    value = s @ form.field + np.sum(np.log(2 * np.cosh(form.hidden_bias + s @ form.weights)), axis=1)
    if form.coupling is not None:
        value += 0.5 * np.einsum("bi,ij,bj->b", s, form.coupling, s)
    called = np.asarray(jax.vmap(psi)(rows))
    np.testing.assert_allclose(value - value[0], called - called[0], atol=1e-12)


@pytest.mark.parametrize(
    "name", thinned(["symmetric-rbm:2", "rbm:1", "rbm:1:number", "gcnn:2x2", "jastrow", "mean-field"], 5)
)
def test_models_by_name(name):
    space = it.Bosons(it.Chain(4), 3)
    group = PermutationGroup(np.asarray(it.Chain(4).space_group.permutations))
    psi = it.models.model_from_name(name, group, space=space, key=KEY)
    s = jnp.array([2, 0, 1, 0], jnp.int8)
    assert psi.size == 4 and jnp.isfinite(psi(s))
    if "symmetric" in name or "gcnn" in name:
        np.testing.assert_allclose(psi(jnp.roll(s, 1)), psi(s), atol=1e-12)


def test_what_does_not_fit_is_said():
    with pytest.raises(InputError, match="10 spins"):
        on_levels(it.RBM(5, hidden=2, key=KEY), SPACE)
    with pytest.raises(InputError, match="several levels"):
        it.models.model_from_name("cac:1x2", it.Chain(4), space=it.Bosons(4, 2), key=KEY)
