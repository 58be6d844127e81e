"""Networks on points by name: forces, symmetry, cut-off, batches, files."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import (
    POINT_NETWORKS,
    EnergyForces,
    load_network,
    parameter_count,
    point_network,
    save_network,
)

KEY = jax.random.key(5)
POINTS = it.Points(3.0)
SIZES = dict(points=10, neighbours=8, count=2)
QUICK = ("painn:2", "nequip:2")
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in (f"{family}:2" for family in POINT_NETWORKS)
]  # the layers of each are among the quick tests of layers


def structures():
    """5 and 4 points with some 2 neighbours each, and their species."""
    random = np.random.default_rng(4)
    found = []
    while len(found) < 9:
        new = random.uniform(-2, 2, 3)
        if all(np.linalg.norm(new - other) > 1.0 for other in found):
            found.append(new)
    species = np.eye(2)[random.integers(0, 2, 9)]
    return [np.array(found[:5]), np.array(found[5:])], species


@eqx.filter_jit
def run(network, x, cloud):
    return EnergyForces(network)(x, at=cloud)


def measured(network, positions, species, **sizes):
    """Energies and forces of the real points, numpy."""
    cloud = POINTS.batch(positions, **(SIZES | sizes))
    found = run(network, cloud.field(species), cloud)
    return np.asarray(found.energies)[: len(positions)], np.asarray(found.forces)[: len(species)]


@pytest.fixture(scope="module")
def networks():
    made = {}

    def build(name):
        if name not in made:
            made[name] = point_network(name, POINTS, 2, 1, layers=2, neighbours=3.0, key=KEY)
        return made[name]

    return build


@pytest.mark.parametrize("name", NAMES)
def test_energies_and_forces(name, networks, tmp_path):
    """Of one compiled program: derivatives, symmetry, batches, continuity, single precision, files."""
    network, (positions, species) = networks(name), structures()
    energies, forces = measured(network, positions, species)
    assert np.abs(energies).min() > 1e-3 and np.abs(forces).max() > 1e-2
    scale = np.abs(forces).max()

    # forces are the derivatives of the energies, and sum up to 0
    for place, axis in ((0, 0), (3, 2), (6, 1)):
        step = np.zeros((9, 3))
        step[place, axis] = 1e-5
        moved = [
            measured(network, np.split(np.concatenate(positions) + s * step, [5]), species)[0].sum()
            for s in (1, -1)
        ]
        assert abs((moved[1] - moved[0]) / 2e-5 - forces[place, axis]) < 1e-6 * scale
    assert np.abs(forces[:5].sum(0)).max() < 1e-12 * scale

    # turned, mirrored, moved, in another order
    turn = -np.asarray(it.symmetry.CompactGroup("SO(3)").random_elements(1, key=KEY))[0]
    order = np.random.default_rng(1).permutation(5)
    first, kinds = (positions[0] @ turn.T + 7.0)[order], np.concatenate([species[:5][order], species[5:]])
    again, turned = measured(network, [first, positions[1]], kinds)
    np.testing.assert_allclose(again, energies, rtol=0, atol=1e-12 * max(1, np.abs(energies).max()))
    np.testing.assert_allclose(turned[:5], forces[order] @ turn.T, rtol=0, atol=1e-12 * max(1, scale))

    # a structure alone, and a batch
    alone = measured(network, positions[1:], species[5:])
    np.testing.assert_allclose(alone[0][0], energies[1], rtol=1e-13)
    np.testing.assert_allclose(alone[1], forces[5:], atol=1e-13 * max(1, scale))

    # two points come closer than the cut-off, others staying neighbours
    found = []
    for side in (-1e-9, 1e-9):
        far = np.array([0.6, 0.8, 0.0]) * (POINTS.cutoff + side)
        four = np.stack([np.zeros(3), far, np.array([-1.0, 1.0, 0.4]), far + np.array([0, 1.1, 0])])
        found.append(measured(network, [four], species[:4]))
    assert np.abs(found[0][0] - found[1][0]).max() < 1e-8 * max(1, scale)
    assert np.abs(found[0][1] - found[1][1]).max() < 1e-8 * max(1, scale)

    # saved and loaded
    save_network(tmp_path / "network", network)
    other = load_network(tmp_path / "network")
    assert eqx.tree_equal(other, network) and other.recipe == network.recipe
    np.testing.assert_array_equal(measured(other, positions, species)[1], forces)
    assert parameter_count(other) == sum(
        leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    )


@pytest.mark.parametrize("name", NAMES)
def test_single_precision(name, networks):
    network, (positions, species) = networks(name), structures()
    exact = measured(network, positions, species)
    single = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_inexact_array(a) else a, network)
    cloud = POINTS.batch(positions, **SIZES, dtype=jnp.float32)
    found = run(single, cloud.field(species).astype(jnp.float32), cloud)
    assert found.energies.dtype == found.forces.dtype == jnp.float32
    gaps = [np.abs(np.asarray(found.energies) - exact[0]).max(), np.abs(found.forces[:9] - exact[1]).max()]
    assert gaps[0] < 2e-5 * np.abs(exact[0]).max() and gaps[1] < 2e-5 * np.abs(exact[1]).max()


def test_names_and_types_are_checked():
    for wrong in ("painn", "painn:0", "schnet:8", "nequip:1e3", 3):
        with pytest.raises(InputError, match="name: expected one of painn:W"):
            point_network(wrong, POINTS, key=KEY)
    with pytest.raises(InputError, match="points: expected a space of points"):
        point_network("painn:2", it.Grid("p4"), key=KEY)
    with pytest.raises(InputError, match="outputs: expected irreps that the last fields have"):
        point_network("painn:2", POINTS, 2, "degree 2", key=KEY)
    with pytest.raises(InputError, match="network: expected a network on points with one scalar"):
        EnergyForces(point_network("painn:2", POINTS, 2, 2, key=KEY))
    with pytest.raises(InputError, match="distance: expected a typical distance"):
        point_network("painn:2", it.Points(nearest=4), 2, key=KEY)
    network = point_network("painn:2", POINTS, 2, key=KEY)
    with pytest.raises(InputError, match="at: expected the cloud"):
        network(jnp.ones((4, 2)), at=None)
    with pytest.raises(InputError, match="x: expected 2 channels"):
        network(jnp.ones((4, 3)), at=POINTS.cloud(np.eye(3)))
