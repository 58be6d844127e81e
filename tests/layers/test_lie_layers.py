"""Layers typed by representations of matrix groups: the law under boosts, what they refuse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers import (
    Bias,
    Gated,
    Invariants,
    LayerNorm,
    Linear,
    NormNonlinearity,
    Pointwise,
    TensorProduct,
    equivariant_mlp,
    hidden_type,
)
from intertwine.symmetry import (
    CompactGroup,
    dihedral,
    lorentz,
    orthogonal,
    scaling,
    special_linear,
    special_orthogonal,
    special_unitary,
)

KEY = jax.random.key(4)
L, O13 = lorentz(), lorentz(reflections=True)
MIXED = 2 * L.trivial + 2 * L.vector + L.vector**2 + L.vector.antisymmetric(2)


def randomised(layer):
    draw = np.random.default_rng(5).normal
    return jax.tree.map(
        lambda x: x + 0.3 * draw(size=x.shape).astype(x.dtype) if eqx.is_inexact_array(x) else x, layer
    )


LAYERS = {
    "linear": lambda t: Linear(MIXED, 2 * L.vector + L.vector**2 + L.adjoint, dtype=t, key=KEY),
    "bias": lambda t: Bias(MIXED, dtype=t),
    "gated": lambda t: Gated(MIXED, "silu"),
    "product": lambda t: TensorProduct(2 * L.vector, None, L.trivial + L.vector**2, dtype=t, key=KEY),
    "product of two": lambda t: TensorProduct(L.vector, L.vector**2, 2 * L.vector, dtype=t, key=KEY),
    "invariants": lambda t: Invariants(MIXED),
    "reflections": lambda t: Linear(O13.vector**3, 2 * O13.vector, dtype=t, key=KEY),
    "SU(3)": lambda t: Linear(special_unitary(3).vector ** 2, special_unitary(3).vector, dtype=t, key=KEY),
    "norm": lambda t: NormNonlinearity(3 * special_orthogonal(4).vector, dtype=t),
    "layer norm": lambda t: LayerNorm(3 * special_orthogonal(4).vector, dtype=t),
}


def single(layer):
    """The largest error in float32, relative to the largest output for the same input or its image."""
    x = np.asarray(jax.random.normal(KEY, (4, layer.rep_in.dimension)), np.float32)
    run = eqx.filter_jit(lambda inputs: layer(inputs))
    worst, y = 0.0, np.asarray(run(x), np.float64)
    for g in layer.rep_in.group.random_elements(3, key=KEY):
        moved = np.asarray(run((x @ layer.rep_in.matrix(g).T).astype(np.float32)))
        expected = y @ layer.rep_out.matrix(g).T
        assert moved.dtype == np.float32
        worst = max(worst, float(np.abs(moved - expected).max() / np.abs(expected).max()))
    return worst


@pytest.mark.parametrize("name", LAYERS)
def test_the_law(name):
    """Boosts of rapidity up to 2: errors of rounding."""
    it.assert_equivariant(randomised(LAYERS[name](jnp.float64)), key=KEY, tol=1e-10)
    assert single(randomised(LAYERS[name](jnp.float32))) < 1e-5


def test_a_broken_layer_is_found():
    layer = randomised(Linear(2 * L.vector, L.vector, key=KEY))
    with pytest.raises(AssertionError, match="not equivariant"):
        it.assert_equivariant(
            lambda x: layer(x) + 0.01 * x[:, :4] ** 2, rep_in=2 * L.vector, rep_out=L.vector, key=KEY
        )


def test_perceptrons_are_equivariant_under_boosts():
    into, out = 2 * O13.trivial + 2 * O13.vector, O13.vector + O13.trivial
    net = randomised(equivariant_mlp(O13, into, out, (16,), highest=1, dtype=jnp.float64, key=KEY))
    matrices = [O13.vector.matrix(g) for g in O13.random_elements(3, key=KEY, size=2.0)]
    it.assert_equivariant(net, key=KEY, elements=matrices, tol=1e-10)
    narrow = jax.tree.map(lambda a: a.astype(np.float32) if eqx.is_inexact_array(a) else a, net)
    assert single(narrow) < 1e-5


def test_perceptrons_of_other_groups():
    D4, SO3 = dihedral(4), CompactGroup("SO(3)")
    for group, into in ((D4, it.symmetry.regular(D4)), (SO3, 2 * SO3.irrep(1))):
        net = equivariant_mlp(group, into, into, (16,), highest=1, key=KEY)
        it.assert_equivariant(net, key=KEY)
    G = special_linear(2)
    assert hidden_type(G, 30, highest=1) == 15 * G.trivial + 8 * G.vector  # V and V* are the same by ε
    G = special_linear(3)
    assert hidden_type(G, 60, highest=1) == 30 * G.trivial + 5 * G.vector + 5 * G.vector.dual()


def test_a_product_is_the_minkowski_product():
    product = TensorProduct(2 * L.vector, None, L.trivial, key=KEY)
    chosen = (
        jnp.zeros_like(product.weights[0]).at[0, 0, 0, 1].set(2.0)
    )  # of p and q; the basis map has norm 1
    product = eqx.tree_at(lambda layer: layer.weights, product, (chosen,))
    x = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    known = x[:, 0] * x[:, 4] - (x[:, 1:4] * x[:, 5:]).sum(1)
    assert np.abs(np.asarray(product(x))[:, 0] - known).max() < 1e-5


def test_forms_and_what_has_none():
    form = Invariants(2 * L.vector)
    x = np.array([3.0, 0, 0, 1, 1, 1, 0, 0])
    assert np.abs(np.asarray(form(jnp.asarray(x))) - [8.0, 0.0]).max() < 1e-6
    norm = Invariants(orthogonal(2).vector)
    assert np.allclose(norm(jnp.array([3.0, 4.0])), 5.0)
    for rep in (special_linear(3).vector, scaling(2).vector):
        with pytest.raises(it.InputError, match="invariant norm"):
            Invariants(rep)


def test_what_is_refused():
    V = L.vector
    for layer in (NormNonlinearity, LayerNorm):
        with pytest.raises(it.InputError, match="orthogonal blocks"):
            layer(V)
    with pytest.raises(it.InputError, match="permutes the channels"):
        Pointwise(V, "relu")
    with pytest.raises(it.InputError, match="invariant vector"):
        Bias(V)
    with pytest.raises(it.InputError, match=r"Hom\(V, scalar\) = 0"):
        Linear(V, L.trivial, key=KEY)
    with pytest.raises(it.InputError):
        Linear(V, special_orthogonal(4).vector, key=KEY)
    with pytest.raises(it.InputError, match="widths"):
        equivariant_mlp(L, V, V, 32, key=KEY)
    with pytest.raises(it.InputError, match="into: expected a type of"):
        equivariant_mlp(L, special_orthogonal(4).vector, V, (8,), key=KEY)
