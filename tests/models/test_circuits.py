"""Arithmetic circuits: their values against the formula, their cuts against ranks, overlap against trees."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.models.names import model_from_name
from intertwine.models.parameters import parameters
from intertwine.models.structure import structure_of

KEY = jax.random.key(7)


def generic(model, seed=0):
    """The circuit with weights that are complex normal; λ is their logarithm."""
    rng = np.random.default_rng(seed)

    def drawn(x):
        return jnp.asarray(np.log(rng.normal(size=x.shape) + 1j * rng.normal(size=x.shape)))

    leaves = jax.tree.map(drawn, parameters(model))
    return eqx.combine(leaves, eqx.filter(model, eqx.is_inexact_array, inverse=True))


def spins(n):
    return 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1)


def one_hot(s):
    return np.stack([s > 0, s < 0], axis=-1).astype(complex)


def convolutional(model, s):
    """ψ of rows of spins by the formula, position after position."""
    x = one_hot(s)
    for w, table in zip(model.weights, model.tables, strict=True):
        w, table, count = np.exp(np.asarray(w)), np.asarray(table), x.shape[1]
        out = np.ones((len(s), len(table), w.shape[1]), complex)
        for u, window in enumerate(table):
            for k, place in enumerate(window):
                if place < count:
                    out[:, u] *= x[:, place] @ w[k].T
        x = out
    return x.prod(axis=1) @ np.exp(np.asarray(model.top))


def recurrent(model, s):
    """ψ of rows of spins by the formula, site after site."""
    x = one_hot(s)
    hidden = [np.ones((len(s), model.rank), complex) for _ in model.inputs]
    for t in range(model.size):
        value = x[:, t]
        for layer, w in enumerate(model.inputs):
            value = (value @ np.exp(np.asarray(w)).T) * (
                hidden[layer] @ np.exp(np.asarray(model.passed[layer])).T
            )
            hidden[layer] = value
    return hidden[-1] @ np.exp(np.asarray(model.top))


def vector(model):
    by_formula = convolutional if isinstance(model, it.ConvolutionalCircuit) else recurrent
    psi = by_formula(model, spins(model.size))
    return psi / np.linalg.norm(psi)


def rank(psi, n, region):
    cube = psi.reshape((2,) * n).transpose(*region, *(i for i in range(n) if i not in region))
    sigma = np.linalg.svd(cube.reshape(2 ** len(region), -1), compute_uv=False)
    return int(np.sum(sigma > 1e-11 * sigma[0]))


MADE = {
    "overlap": lambda: it.ConvolutionalCircuit(6, 2, 3, key=KEY),
    "overlap-wide": lambda: it.ConvolutionalCircuit(it.Chain(7, pbc=False), 2, 2, kernel=3, key=KEY),
    "deep": lambda: it.ConvolutionalCircuit(6, 3, 2, key=KEY),
    "tree": lambda: it.ConvolutionalCircuit(7, 3, 3, overlap=False, key=KEY),
    "plane": lambda: it.ConvolutionalCircuit(it.Square(2, 3, pbc=(False, True)), 2, 2, key=KEY),
    "recurrent": lambda: it.RecurrentCircuit(6, 1, 3, key=KEY),
    "recurrent-deep": lambda: it.RecurrentCircuit(7, 3, 2, key=KEY),
}


@pytest.mark.parametrize("name", ["overlap-wide", "plane", "recurrent-deep"])
def test_values_by_the_formula(name):
    model = generic(MADE[name]())
    s = spins(model.size)[3::7]
    by_formula = convolutional if isinstance(model, it.ConvolutionalCircuit) else recurrent
    expected = by_formula(model, s)
    found = np.exp(np.asarray(jax.jit(jax.vmap(model))(jnp.asarray(s))))
    assert np.allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("name", MADE)
def test_cut_of_the_unrolled_network_is_never_below_the_rank(name):
    model = generic(MADE[name](), 1)
    n, psi, graph = model.size, vector(model), structure_of(model)
    for size in range(1, n // 2 + 1):
        for region in itertools.combinations(range(n), size):
            cut = it.entanglement.bound(graph, region).cut
            assert cut >= math.log2(rank(psi, n, region)) - 1e-9


def test_overlap_exceeds_every_tree_of_equal_rank():
    """A binary tree of any shape, and so a circuit without overlap of any kernel, has a bond with a third of
    the sites or more on each side, where its rank is at most r = 4. With overlap, K = 2 and L = 2, the rank
    is above that for every such division."""
    n, r = 9, 4
    overlapping = vector(generic(it.ConvolutionalCircuit(n, 2, r, key=KEY)))
    least = min(
        rank(overlapping, n, region)
        for size in range(n // 3, n // 2 + 1)
        for region in itertools.combinations(range(n), size)
    )
    assert least > r
    tree = generic(it.ConvolutionalCircuit(8, 3, r, overlap=False, key=KEY))
    assert it.entanglement.bound(tree, range(4)).cut == 2.0 and rank(vector(tree), 8, range(4)) == r
    assert it.entanglement.bound(it.ConvolutionalCircuit(8, 2, r, key=KEY), range(4)).cut == 4


def test_a_copy_costs_its_features_and_a_site_two():
    """One layer is a chain of bonds r; in two the earlier features are used once more for each later site."""
    one = it.RecurrentCircuit(64, 1, 4, key=KEY)
    assert it.entanglement.bound(one, range(32)).cut == 2.0
    two = it.RecurrentCircuit(64, 2, 4, key=KEY)
    assert it.entanglement.bound(two, range(32)).cut == 32  # all sites: less than 33 copies of 2 bits
    assert it.entanglement.bound(two, range(60, 64)).cut == 4
    binary = it.RecurrentCircuit(12, 2, 2, key=KEY)
    assert it.entanglement.bound(binary, range(10)).cut == 2  # the two last sites
    three = it.entanglement.bound(it.RecurrentCircuit(12, 1, 3, key=KEY), range(6))
    assert three.nats == pytest.approx(math.log(3)) and three.cut == pytest.approx(math.log2(3))
    assert three.nodes[0].startswith("a use of features 5 of layer 1")


def test_circuits_by_name():
    chain = it.Chain(8)
    assert model_from_name("cac:2x4", chain, dtype=complex, key=KEY).overlap
    assert not model_from_name("cac:3x2:tree", it.Square(4, 4), key=KEY).overlap
    assert model_from_name("rac:2x3", chain, key=KEY).layers == 2
    assert model_from_name("local-rbm:1", chain, key=KEY).weights.shape == (24,)
    for wrong in ("cac:2", "cac:2x4:even", "rac:2x4:tree", "rac:0x4", "local-rbm:1:tree"):
        with pytest.raises(it.InputError, match="cac:LAYERSxRANK"):
            model_from_name(wrong, chain, key=KEY)


def test_large_circuits_do_not_overflow():
    model = it.ConvolutionalCircuit(400, 3, 3, dtype="float32", scale=1.0, key=KEY)
    value = model(jnp.ones(400))
    assert value.dtype == jnp.float32 and bool(jnp.isfinite(value))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: it.ConvolutionalCircuit(8, 0, 2, key=KEY), "layers: expected a positive integer"),
        (lambda: it.ConvolutionalCircuit(it.Honeycomb(2), 1, 2, key=KEY), "one site a cell"),
        (lambda: it.ConvolutionalCircuit("ring", 1, 2, key=KEY), "a lattice"),
        (lambda: it.RecurrentCircuit(8, 1, 0, key=KEY), "rank: expected a positive integer"),
        (lambda: structure_of(it.RecurrentCircuit(400, 3, 2, key=KEY)), "indices"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(it.InputError, match=words):
        call()
