"""Pooling between meshes: the law under other frames of both and the rotations of the icosahedron, known
fields."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import Gated, MeshPool, MeshUnpool, Sequential, field_type
from intertwine.spaces import coarser
from intertwine.spaces.mesh.coarse import clusters
from spaces.mesh_shapes import SPOT, mobius, torus

KEY = jax.random.key(2)
run = eqx.filter_jit(lambda layer, x: layer(x))


def test_every_vertex_belongs_to_the_nearest_centres():
    fine, coarse = it.Mesh.icosphere(1), it.Mesh.icosphere(0)
    found = clusters(fine, coarse)
    assert np.allclose(np.bincount(found.fine, found.share), 1)
    assert (np.bincount(found.coarse) == 6).all()  # itself and half of each neighbour


def test_constants_and_rotations_of_the_sphere():
    """Scalars exactly; the velocities of a rigid rotation but for the curvature within a cluster."""
    fine, coarse = it.Mesh.icosphere(3), it.Mesh.icosphere(2)
    wind = [np.cross([0.2, 0.5, 1.0], mesh.positions) for mesh in (fine, coarse)]
    field = jnp.asarray(np.concatenate([np.ones((fine.size, 1)), fine.to_frames(wind[0])], axis=1))
    down = np.asarray(run(MeshPool(fine, coarse, "scalar + vector"), field))
    assert np.abs(down[:, 0] - 1).max() < 1e-12
    assert np.abs(coarse.to_space(down[:, 1:]) - wind[1]).max() < 0.03
    up = np.asarray(run(MeshUnpool(coarse, fine, "scalar + vector"), jnp.asarray(down)))
    assert np.abs(up[:, 0] - 1).max() < 1e-12
    assert np.abs(fine.to_space(up[:, 1:]) - wind[0]).max() < 0.2


@pytest.mark.slow
def test_up_and_down_with_layers_between():
    fine, coarse = it.Mesh.icosphere(1), it.Mesh.icosphere(0)
    gated = Gated(field_type(fine, "2 scalar + 2 vector"))
    moves = [fine.random_elements(3, key=KEY)[i] for i in (0, 2)]
    layers = [
        it.Conv(fine, "scalar + vector", gated.rep_in, 1, key=KEY),
        gated,
        MeshPool(fine, coarse, gated.rep_out),
        it.Conv(coarse, gated.rep_out, gated.rep_in, 1, key=KEY),
        gated,
        MeshUnpool(coarse, fine, gated.rep_out),
        it.Conv(fine, gated.rep_out, "vector", 1, key=KEY),
    ]
    rows = it.assert_equivariant(Sequential(layers), key=KEY, tol=1e-12, elements=moves)
    assert {row.layer for row in rows} >= {"meshpool3", "meshunpool6", "whole"}


@pytest.mark.parametrize("shape, count", [(mobius, 40), pytest.param(torus, 90, marks=pytest.mark.slow)])
def test_clusters_of_any_mesh(shape, count):
    fine = it.Mesh(*shape())
    coarse = coarser(fine, count)
    assert (coarse.size, coarse.euler, coarse.orientable) == (count, fine.euler, fine.orientable)
    it.assert_equivariant(MeshPool(fine, coarse, "scalar + vector + spin 2"), key=KEY, tol=1e-12)
    it.assert_equivariant(MeshUnpool(coarse, fine, "scalar + vector + spin 2"), key=KEY, tol=1e-12)


def test_the_cow():
    cow = it.Mesh(SPOT)
    small = coarser(cow, 900)
    assert (small.size, small.euler, small.surface.topology.boundary_edges) == (900, 2, 0)
    assert 0.9 < small.areas.sum() / cow.areas.sum() < 1


def test_refused():
    ball = it.Mesh.icosphere(1)
    with pytest.raises(InputError, match="none of the finer mesh"):
        MeshPool(ball, it.Mesh(*torus(8, 6)), "scalar")
    with pytest.raises(InputError, match="same structure group"):
        MeshPool(ball, it.Mesh.icosphere(0, group="O(2)"), "scalar")
    with pytest.raises(InputError, match="no surface of its kind"):
        coarser(ball, 3)


def test_fields_are_learned_at_every_vertex():
    """A rotation field times a scalar, by `fit_supervised`: values at every vertex."""
    ball = it.Mesh.icosphere(1)
    teacher = it.Conv(ball, "scalar", "vector", 1, key=KEY)
    x = jax.random.normal(KEY, (64, ball.size, 1))
    y = np.asarray(run(teacher, x))
    net = it.field_network("linear", ball, inputs="scalar", outputs="vector", key=jax.random.key(3))
    fit = it.fit_supervised(net, x, y, loss="squared-error", optimiser=optax.adam(0.1), epochs=40, key=KEY)
    assert fit.history[-1]["loss"] < 1e-3 * fit.history[0]["loss"]
