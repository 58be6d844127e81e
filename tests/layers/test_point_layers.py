"""Layers on points one by one: the law of equivariance, types, products of the density, pooling."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import Dipole, Mixing, PointPool, Polarisability, SymmetricProducts, point_network
from intertwine.layers.points.attention import AttentionLayer
from intertwine.layers.points.body_order import product_basis
from intertwine.layers.points.chain import chain_edges
from intertwine.layers.points.gates import GatedHead
from intertwine.layers.points.mace import MACELayer
from intertwine.layers.points.nequip import NequIPLayer
from intertwine.layers.points.norm_gate import NormGate
from intertwine.layers.points.painn import PaiNNBlock
from intertwine.layers.points.tfn import TensorFieldLayer
from intertwine.symmetry import CompactGroup
from thinned import thinned

KEY = jax.random.key(7)
SPACE = it.Points(2.0)
PLANE = it.Points(2.0, group="O(2)")
TURNS = it.Points(2.0, nearest=4, group="SO(3)")


def named(space, names):
    return space.named_type(names)


MIXED = named(SPACE, "2 scalar + 2 vector + 2 pseudovector + 2 degree 2")

ROWS = {
    "painn": (SPACE, lambda: PaiNNBlock(SPACE, 2, key=KEY)),
    "nequip": (SPACE, lambda: NequIPLayer(SPACE, 2, MIXED, MIXED, radial=3, hidden=(4,), key=KEY)),
    "mace": (
        SPACE,
        lambda: MACELayer(
            SPACE, 2, named(SPACE, "2 scalar + 2 vector"), named(SPACE, "2x0e + 2x1o + 2x2e"),
            named(SPACE, "2 scalar + 2 vector"), radial=3, hidden=(4,), key=KEY,
        ),
    ),
    "attention": (SPACE, lambda: AttentionLayer(SPACE, MIXED, MIXED, radial=3, hidden=(4,), key=KEY)),
    "tfn": (SPACE, lambda: TensorFieldLayer(SPACE, MIXED, MIXED, radial=3, hidden=(4,), key=KEY)),
    "painn in the plane": (PLANE, lambda: PaiNNBlock(PLANE, 2, key=KEY)),
    "attention without parities": (
        TURNS,
        lambda: AttentionLayer(
            TURNS, named(TURNS, "2x0 + 2x1"), named(TURNS, "2x0 + 2x1 + 2x2"), radial=3, hidden=(4,), key=KEY
        ),
    ),
    "products": (
        SPACE,
        lambda: SymmetricProducts(named(SPACE, "2x0e + 2x1o + 2x2e"), named(SPACE, "2x0e + 2x1o"), key=KEY),
    ),
    "products in the plane": (
        PLANE,
        lambda: SymmetricProducts(
            named(PLANE, "2 scalar + 2 spin 1 + 2 spin 2"), named(PLANE, "2 scalar + 2 spin 2"), key=KEY
        ),
    ),
    "mixing": (SPACE, lambda: Mixing(MIXED, MIXED, bias=True, key=KEY)),
    "norm gate": (SPACE, lambda: NormGate(MIXED)),
    "head": (SPACE, lambda: GatedHead(MIXED, named(SPACE, "scalar + degree 2"), 2, key=KEY)),
    "pool": (SPACE, lambda: PointPool(SPACE, MIXED, how="mean")),
    "maximum": (SPACE, lambda: PointPool(SPACE, "2 scalar", how="max")),
}  # fmt: skip


@pytest.mark.parametrize("name", thinned(ROWS))
def test_every_layer_keeps_the_law(name):
    space, build = ROWS[name]
    rows = it.assert_equivariant(build(), space=space, key=KEY, tol=1e-12, shape=(8,))
    assert max(row.error for row in rows) < 1e-12


@eqx.filter_jit
def called(layer, x, cloud):
    return layer(x, at=cloud)


@pytest.mark.parametrize("name", thinned(["nequip", "attention", "painn", "mace", "tfn"], keep=3))
def test_single_precision(name):
    space, build = ROWS[name]
    layer, random = build(), np.random.default_rng(0)
    positions, x = random.uniform(-1.6, 1.6, (8, 3)), random.normal(size=(8, layer.rep_in.dimension))
    exact = np.asarray(called(layer, jnp.asarray(x), space.cloud(positions)))
    single = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_inexact_array(a) else a, layer)
    found = called(single, jnp.asarray(x, jnp.float32), space.cloud(positions, dtype=jnp.float32))
    assert found.dtype == jnp.float32
    assert np.abs(found - exact).max() < 5e-6 * np.abs(exact).max()


def dimension_of_maps(irreps, out, order, group):
    """dim Hom(Sym^ν V, L) by characters."""
    top = order * max(part.irreps[0][0].frequency for part in irreps) + out.irreps[0][0].frequency
    g, weights = group.class_points(top)
    chi, g2 = (lambda e: sum(part.character(e) for part in irreps)), g @ g
    powers = {
        1: lambda: chi(g),
        2: lambda: (chi(g) ** 2 + chi(g2)) / 2,
        3: lambda: (chi(g) ** 3 + 3 * chi(g) * chi(g2) + 2 * chi(g2 @ g)) / 6,
    }
    return round(float(weights @ (powers[order]() * out.character(g))))


@pytest.mark.parametrize("name", ["O(3)", "SO(3)", "O(2)", "SO(2)"])
def test_products_are_as_many_as_characters_say_and_independent(name):
    group = CompactGroup(name)
    irreps = tuple(group.irrep(k, -1 if name == "O(3)" and k % 2 else 1) for k in range(3))
    for out in irreps:
        for order in (1, 2, 3):
            basis = product_basis(irreps, out, order)
            assert len(basis) == dimension_of_maps(irreps, out, order, group)
            assert np.linalg.matrix_rank(basis.reshape(len(basis), -1)) == len(basis)


def test_products_against_plain_sums():
    """Of one vector v and one scalar s, by hand: s, s², |v|², s³, s |v|²; weights of the species' own."""
    scalar, vector = named(SPACE, "scalar"), named(SPACE, "vector")
    layer = SymmetricProducts(scalar + vector, scalar, attributes=2, key=KEY)
    s, v = np.array([0.7, -0.4]), np.array([[0.3, -1.2, 0.5], [1.0, 0.2, -0.1]])
    found = layer(jnp.asarray(np.concatenate([s[:, None], v], 1)), jnp.eye(2))
    monomials = np.stack([s, s**2, (v**2).sum(1), s**3, s * (v**2).sum(1)], 1)
    # five maps, each in the span of one order: the layer is a linear function of these five
    weights = np.asarray(layer.weights)[:, :, 0]  # (species, maps)
    basis = [product_basis((scalar, vector), scalar, order) for order in (1, 2, 3)]
    assert [len(b) for b in basis] == [1, 2, 2] and weights.shape == (2, 5)
    draws = np.random.default_rng(0).normal(size=(20, 4))
    values = np.asarray(
        jnp.concatenate([layer(jnp.asarray(draws), jnp.full((20, 2), e)) for e in (0.0, 1.0)])
    )
    assert not values[:20].any()
    table = np.stack(
        [draws[:, 0], draws[:, 0] ** 2, (draws[:, 1:] ** 2).sum(1), draws[:, 0] ** 3,
         draws[:, 0] * (draws[:, 1:] ** 2).sum(1)], 1,
    )  # fmt: skip
    both, residual = np.linalg.lstsq(table, values[20:, 0], rcond=None)[:2]
    assert residual < 1e-20
    own = [np.linalg.lstsq(table, np.asarray(layer(jnp.asarray(draws), jnp.tile(e, (20, 1))))[:, 0])[0]
           for e in np.eye(2)]  # fmt: skip
    np.testing.assert_allclose(own[0] + own[1], both, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], [m @ w for m, w in zip(monomials, own, strict=True)], atol=1e-12)


def test_mixing_has_a_matrix_for_each_species():
    layer = Mixing(named(SPACE, "3 vector"), named(SPACE, "2 vector + scalar"), attributes=2, key=KEY)
    x = np.random.default_rng(1).normal(size=(2, 3, 3))
    found = np.asarray(layer(jnp.asarray(x.reshape(2, 9)), jnp.eye(2)))
    w = np.asarray(layer.weights[0])[0]  # (species, in, out)
    np.testing.assert_allclose(found[:, :6].reshape(2, 2, 3), np.einsum("sab,saj->sbj", w, x), atol=1e-14)
    assert not found[:, 6:].any()


def test_edges_along_a_chain():
    """Hat functions of the difference of the numbers; another piece of the chain is far."""
    points = it.Points(1.5)
    cloud = points.cloud(np.arange(5)[:, None] * np.array([1.0, 0.0, 0.0]))
    numbers = jnp.array([0.0, 1.0, 2.0, 1003.0, 1004.0])
    found = np.asarray(chain_edges(numbers, cloud, 2))
    near, site = np.asarray(cloud.near), np.asarray(cloud.site)
    steps = np.asarray(numbers)[site] - np.asarray(numbers)[:, None]
    for i, k in zip(*np.nonzero(near), strict=True):
        expected = [float(steps[i, k] == s) for s in (-2, -1, 1, 2)]
        assert found[i, k].tolist() == [*expected, float(not sum(expected))]


def test_stresses_dipoles_and_polarisabilities():
    space, random = it.Points(2.5), np.random.default_rng(3)
    cell = np.array([[3.0, 0.2, 0], [0, 2.8, 0.3], [0.1, 0, 3.1]])
    positions = np.array([[0.5, 0.4, 0.3], [1.4, 0.9, 0.6], [0.8, 1.9, 1.7]]) + random.uniform(0, 0.2, (3, 3))
    network = point_network("painn:2", space, 1, 1, layers=1, key=KEY)
    model = it.layers.EnergyForces(network)
    x = jnp.ones((3, 1))

    @jax.jit
    def run(cloud):
        return model(x, at=cloud, stress=True)

    sizes = dict(periodic=True, points=3, neighbours=64)
    found = run(space.cloud(positions, cell=cell, **sizes))
    volume = abs(np.linalg.det(cell))
    cloud = space.cloud(positions, cell=cell, **sizes)
    for a, b in ((0, 0), (0, 2)):
        energies = []
        for h in (1e-5, -1e-5):
            strain = np.zeros((3, 3))
            strain[a, b] += h / 2
            strain[b, a] += h / 2
            stretched = np.eye(3) + strain
            moved = eqx.tree_at(lambda c: c.cells, cloud.moved(jnp.asarray(positions @ stretched)),
                                jnp.asarray((cell @ stretched)[None]))  # fmt: skip
            energies.append(float(run(moved).energies[0]))
        slope = (energies[0] - energies[1]) / 2e-5 / volume
        assert abs(slope - found.stresses[0, a, b]) < 1e-6 * np.abs(found.stresses).max()
    free = run(eqx.tree_at(lambda c: c.cells, cloud, jnp.zeros_like(cloud.cells)))
    assert not np.asarray(free.stresses).any()

    turn = -np.asarray(CompactGroup("SO(3)").random_elements(1, key=KEY))[0]
    dipole = Dipole(point_network("painn:2", space, 1, "scalar + vector", layers=1, key=KEY))
    tensor = Polarisability(point_network("tfn:2", space, 1, "scalar + degree 2", layers=1, key=KEY))
    run_both = jax.jit(lambda cloud: (dipole(x, at=cloud), tensor(x, at=cloud)))
    (mu, alpha), (mu_turned, alpha_turned) = (
        tuple(np.asarray(part)[0] for part in run_both(space.cloud(place, points=3, neighbours=2)))
        for place in (positions, positions @ turn.T + 3.0)
    )
    assert np.abs(mu).max() > 1e-5 and np.abs(alpha).max() > 1e-5  # outputs begin small
    np.testing.assert_allclose(mu_turned, turn @ mu, atol=1e-12 * np.abs(mu).max() + 1e-13)
    np.testing.assert_allclose(alpha_turned, turn @ alpha @ turn.T, atol=1e-12 * np.abs(alpha).max() + 1e-13)
    np.testing.assert_allclose(alpha, alpha.T, atol=1e-14)


def test_wrong_types_are_refused_in_one_line():
    with pytest.raises(InputError, match="heads: expected a divisor of 2"):
        AttentionLayer(SPACE, MIXED, MIXED, heads=3, key=KEY)
    with pytest.raises(InputError, match="rep_in: expected irreps that differ, as many copies of each"):
        SymmetricProducts(named(SPACE, "2 scalar + vector"), named(SPACE, "scalar"), key=KEY)
    with pytest.raises(InputError, match="order: expected a number up to 4"):
        SymmetricProducts(named(SPACE, "2 scalar"), named(SPACE, "2 scalar"), order=5, key=KEY)
    with pytest.raises(InputError, match="rep_out: expected irreps in the products"):
        SymmetricProducts(named(SPACE, "2 scalar"), named(SPACE, "2 vector"), key=KEY)
    with pytest.raises(InputError, match="rep_out: expected irreps that are in"):
        Mixing(named(SPACE, "scalar"), named(SPACE, "vector"), key=KEY)
    with pytest.raises(InputError, match="attributes: expected 3 scalars"):
        Mixing(named(SPACE, "scalar"), named(SPACE, "scalar"), attributes=3, key=KEY)(jnp.ones((2, 1)))
    with pytest.raises(InputError, match="rep: expected scalars, for a maximum"):
        PointPool(SPACE, "vector", how="max")
    with pytest.raises(InputError, match="inputs: expected a scalar first, the number of the residue"):
        point_network("residues:2", SPACE, "vector", key=KEY)
    with pytest.raises(
        InputError, match="network: expected a network on points with outputs 'scalar \\+ vec"
    ):
        Dipole(point_network("painn:2", SPACE, 1, 2, key=KEY))
