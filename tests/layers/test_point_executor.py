"""`Conv` on clouds of points: the plain sum over neighbours, the law, derivatives, blocks."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine.layers.executors import on_points
from intertwine.layers.points.products.edge_sums import edge_sums
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.harmonics import harmonics
from intertwine.symmetry import icosahedral, icosahedral_rotations

KEY = jax.random.key(3)
SPACE = it.Points(2.0)
POSITIONS = np.random.default_rng(2).normal(size=(9, 3))
CLOUD = SPACE.cloud(POSITIONS)
LAYER = it.Conv(SPACE, "2 scalar + vector", "scalar + vector + degree 2", it.Radial(3, 2), key=KEY)
X = np.random.default_rng(3).normal(size=(9, 5))
CASES = {
    "O(3)": (SPACE, "scalar + 2 vector + degree 2", "scalar + vector + pseudovector + pseudo degree 2"),
    "O(2)": (it.Points(2.0, group="O(2)"), "scalar + pseudoscalar + spin 2", "pseudoscalar + vector"),
    "octahedral": (it.Points(2.0, group="cubic:oh"), "vector", "regular + tensor"),
    "SO(3), nearest": (it.Points(nearest=3, group="SO(3)"), "scalar + vector", "scalar + 1x2"),
    "SO(2)": (it.Points(2.0, nearest=4, group="SO(2)"), "scalar + vector", "scalar + spin 3"),
    "icosahedral": (
        it.Points(2.0, group=icosahedral(), matrices=icosahedral_rotations()),
        "vector + irrep 4",
        "scalar + irrep 2",
    ),
}


def test_plain_sum():
    kernel = np.asarray(LAYER.kernel())
    expected = np.zeros((9, 9)) + np.asarray(LAYER.bias.vector)
    for i in range(9):
        for j in range(9):
            r = POSITIONS[j] - POSITIONS[i]
            if i != j and np.linalg.norm(r) < 2.0:
                functions = np.asarray(RadialBasis(2.0, 3)(np.linalg.norm(r)))
                expected[i] += np.einsum(
                    "q,c,qco->o", np.outer(harmonics(r, 2), functions).ravel(), X[j], kernel
                )
    found = jax.jit(lambda x: LAYER(x, at=CLOUD))(X)
    assert np.abs(np.asarray(found) - expected).max() < 1e-12
    many = jax.jit(lambda x: LAYER(x, at=CLOUD))(np.stack([[X, 2 * X]]))
    assert many.shape == (1, 2, 9, 9) and np.abs(many[0, 0] - found).max() < 1e-12


@pytest.mark.parametrize(
    "name", [n if n in list(CASES)[:3] else pytest.param(n, marks=pytest.mark.slow) for n in CASES]
)
def test_the_law(name):
    space, rep_in, rep_out = CASES[name]
    it.assert_equivariant(it.Conv(space, rep_in, rep_out, it.Radial(2, 2), key=KEY), key=KEY, tol=1e-12)


def test_derivatives_by_blocks(monkeypatch):
    """Forces, and the gradient of their squares by finite differences: in one block and in several."""

    def loss(layer, positions):
        forces = jax.grad(lambda p: jnp.sin(layer(X, at=CLOUD.moved(p))).sum())(positions)
        return (forces**2).sum()

    program = jax.jit(jax.value_and_grad(loss, (0, 1)))
    value, (layer, slopes) = program(LAYER, CLOUD.positions)
    monkeypatch.setattr(on_points, "edge_sums", partial(edge_sums, block=16))
    again, (other, others) = jax.jit(jax.value_and_grad(lambda *a: loss(*a), (0, 1)))(LAYER, CLOUD.positions)
    assert abs(value - again) < 1e-12 * abs(value)
    assert np.abs(slopes - others).max() < 1e-11 * np.abs(slopes).max()
    for a, b in zip(layer.kernel.weights, other.kernel.weights, strict=True):
        assert np.abs(a - b).max(initial=0) <= 1e-11 * np.abs(a).max(initial=0)
    change = np.random.default_rng(6).normal(size=(9, 3))
    ahead, behind = (program(LAYER, CLOUD.positions + s * change)[0] for s in (1e-6, -1e-6))
    assert abs((ahead - behind) / 2e-6 - (slopes * change).sum()) < 1e-6 * abs((slopes * change).sum())


def test_wrong_input():
    with pytest.raises(it.InputError, match="at: expected the cloud"):
        LAYER(X)
    with pytest.raises(it.InputError, match="stride: expected 1"):
        it.Conv(SPACE, "scalar", "scalar", 2, stride=2, key=KEY)
    with pytest.raises(it.InputError, match="support: expected Radial"):
        it.Conv(SPACE, "scalar", "scalar", "wide", key=KEY)
