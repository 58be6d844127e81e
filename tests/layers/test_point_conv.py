"""`PointConv` against the plain sum over edges in numpy, the law, forces, the cut-off, and blocks of centres.

The law is tested with numbers of random motions by `Points.matrix`; every layer under the public law:
`test_point_laws.py`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.layers.points import point_conv
from intertwine.layers.points.hidden_types import edge_irrep
from intertwine.layers.points.point_conv import PointConv
from intertwine.layers.points.products.edge_product import irreps_of
from intertwine.layers.points.products.edge_sums import edge_sums
from intertwine.layers.points.radial import RadialBasis, smooth_cutoff
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.points import Points
from intertwine.symmetry.fibre_maps import bilinear_maps

POINTS = Points(3.0)
INTO, OUT = "2x0e + 3x1o + 1e + 2e", "2x0e + 1o + 0o + 2x2e"
POSITIONS = 1.5 * np.random.default_rng(1).normal(size=(7, 3))
CLOUD = POINTS.cloud(POSITIONS)
LAYER = PointConv(POINTS, INTO, OUT, 2, radial=3, hidden=(6,), neighbours=4.0, key=jax.random.key(2))
X = np.random.default_rng(2).normal(size=(7, LAYER.rep_in.dimension))


@jax.jit
def _called(layer, x, cloud):
    return layer(x, at=cloud)


def _oracle(layer, positions, x):
    """The definition, edge by edge."""
    silu = 1.6765324703310907
    out = np.asarray(layer.bias.vector) + np.zeros((len(x), 1))
    for i, here in enumerate(positions):
        for j, there in enumerate(positions):
            r = there - here
            distance = np.linalg.norm(r)
            if i == j or distance >= 3.0:
                continue
            n = np.arange(1, 4)
            h = (2 / 3) ** 0.5 * 3 * np.sin(n * np.pi * distance / 3) / distance @ layer.perceptron.weights[0]
            h = silu * h / (1 + np.exp(-h))
            u = distance / 3
            cut = 1 - 28 * u**6 + 48 * u**7 - 21 * u**8
            weights = cut * (h @ layer.perceptron.weights[1])
            y = np.asarray(harmonics(r, 2))
            out[i] += _message(layer, x[j], y, weights) / 2.0
    return out


def _message(layer, x, y, weights):
    """One edge: paths by input irrep, output irrep, degree; copies of an irrep are mixed by the weights."""
    found, used, start = {}, 0, 0
    outs = irreps_of(layer.rep_out)
    for rep, copies in layer.rep_in.blocks:
        u = x[start : start + copies * rep.dimension].reshape(copies, rep.dimension)
        start += copies * rep.dimension
        for out in outs:
            for degree in range(3):
                for table in bilinear_maps(rep, edge_irrep(rep.group, degree), out):
                    part = y[degree**2 : (degree + 1) ** 2]
                    made = np.einsum("kij,ci,j->ck", table, u, part) * out.dimension**0.5
                    found.setdefault(out, []).append(made * weights[used : used + copies, None])
                    used += copies
    assert used == len(weights)
    mixed = {
        out: np.asarray(w).T @ np.concatenate(found[out]) for out, w in zip(outs, layer.mixing, strict=True)
    }
    return np.concatenate([mixed[rep].reshape(-1) for rep, _ in layer.rep_out.blocks])


def test_plain_sum():
    assert np.abs(np.asarray(_called(LAYER, X, CLOUD)) - _oracle(LAYER, POSITIONS, X)).max() < 1e-12


@pytest.mark.parametrize("name", ["O(3)", "SO(3)", "O(2)", "SO(2)"])
def test_motions(name):
    """Rotations, reflections, translations and orders of the points."""
    points = Points(3.0, group=name)
    d = points.dimension
    names = "2 scalar + vector + degree 2" if d == 3 else "2 scalar + vector + spin 2"
    layer = PointConv(points, names, names, 2, radial=3, hidden=(6,), key=jax.random.key(2))
    order = np.random.default_rng(5).permutation(7)
    x = X[:, : layer.rep_in.dimension]
    y = np.asarray(_called(layer, x, points.cloud(POSITIONS[:, :d], neighbours=6)))
    for g in points.group.random_elements(2, key=jax.random.key(4)):
        moved = points.cloud((POSITIONS[:, :d] @ g.T + 1.0)[order], neighbours=6)
        turned = np.asarray(_called(layer, (x @ points.matrix(g, layer.rep_in).T)[order], moved))
        expected = (y @ points.matrix(g, layer.rep_out).T)[order]
        assert np.abs(turned - expected).max() < 1e-12 * np.abs(y).max()
    assert np.abs(y[:, -1]).max() > 1e-3


def _energy(layer, x, positions):
    return jnp.sin(layer(x, at=CLOUD.moved(positions))).sum()


def _loss(layer, x, positions):
    """Of forces: its gradient takes the derivative of the derivative."""
    return (jax.grad(_energy, 2)(layer, x, positions) ** 2).sum()


@pytest.mark.slow
def test_derivatives_by_blocks(monkeypatch):
    """Gradients of the squares of forces against finite differences; and block by block, with a last block
    that is not full, the same as in one."""
    program = jax.jit(jax.value_and_grad(_loss, (0, 1, 2)))
    value, slopes = program(LAYER, X, CLOUD.positions)
    monkeypatch.setattr(point_conv, "edge_sums", partial(edge_sums, block=12))
    again, others = jax.jit(jax.value_and_grad(lambda *a: _loss(*a), (0, 1, 2)))(LAYER, X, CLOUD.positions)
    assert abs(value - again) < 1e-12 * abs(value)
    for a, b in zip(jax.tree.leaves(slopes), jax.tree.leaves(others), strict=True):
        assert np.abs(a - b).max(initial=0) <= 1e-11 * np.abs(a).max(initial=0)
    change = [np.random.default_rng(6).normal(size=a.shape) for a in jax.tree.leaves((LAYER, X, POSITIONS))]
    leaves, shape = jax.tree.flatten((LAYER, jnp.asarray(X), CLOUD.positions))
    expected = sum((g * c).sum() for g, c in zip(jax.tree.leaves(slopes), change, strict=True))
    step = 1e-6
    ahead, behind = (
        program(*jax.tree.unflatten(shape, [a + s * c for a, c in zip(leaves, change, strict=True)]))[0]
        for s in (step, -step)
    )
    assert abs((ahead - behind) / (2 * step) - expected) < 1e-6 * abs(expected)


def test_nothing_jumps_at_the_cut_off():
    """An atom crosses the cut-off by 1e-5 in each direction: fields and forces of both clouds, 1e-8."""
    base = np.array([[0.0, 0.0, 0.0], [1.0, 0.3, 0.0], [0.0, 0.0, 2.99999]])
    force = jax.jit(jax.value_and_grad(lambda p, c: LAYER(X[:3], at=c.moved(p)).sum()))
    found = []
    for z in (2.99999, 3.00001):
        base[2, 2] = z
        cloud = POINTS.cloud(base, neighbours=2)
        found.append((*force(cloud.positions, cloud), int(cloud.near.sum())))
    (value, slopes, here), (other, others, there) = found
    assert (here, there) == (4, 2)
    assert abs(value - other) < 1e-8 and np.abs(slopes - others).max() < 1e-8  # forces end as (1 − r/R)²


def test_functions_of_distance():
    """Values, two continuous derivatives at the cut-off, and the limits at 0."""
    for smooth, order in (("polynomial", 2), ("cosine", 1)):
        function = partial(smooth_cutoff, cutoff=2.0, smooth=smooth)
        for _ in range(order + 1):
            before, there = jax.jit(jax.vmap(function))(np.array([2.0 - 1e-9, 2.0]))
            assert abs(before) < 1e-6 and abs(there) < 1e-12
            function = jax.grad(function)
    bessel = jax.jit(RadialBasis(2.0, 4).plain)
    r = np.array([0.0, 1e-9, 0.0019, 0.0021, 1.0])
    expected = 2 * (2 / 3) ** 0.5 * np.array([np.sinc(n * r / 2) * n * np.pi / 2 for n in range(1, 5)]).T
    assert np.abs(np.asarray(bessel(r)) - expected).max() < 1e-9
    x = np.linspace(0, 2, 2001)[1:]
    mean_square = (np.asarray(bessel(x)) ** 2 * x[:, None] ** 2).sum(0) / (x**2).sum()
    assert np.abs(mean_square - 1).max() < 5e-3
    for basis in ("gaussian", "learned"):
        assert RadialBasis(2.0, 4, basis=basis)(x).shape == (2000, 4)
    assert np.isfinite(RadialBasis(2.0, 4, cut=False)(np.array([0.0, 1e9]))).all()


def test_invariants_of_edges_and_single_precision():
    layer = PointConv(
        POINTS, "2 scalar", "vector", 1, radial=3, hidden=(6,), edge_scalars=2, key=jax.random.key(1)
    )
    edges = jnp.ones((*CLOUD.site.shape, 2))
    program = jax.jit(lambda x, edges: layer(x, at=CLOUD, edges=edges))
    one, other = program(X[:, :2], edges), program(X[:, :2], 2 * edges)
    assert np.abs(one - other).max() > 1e-3
    single = program(X[:, :2].astype(np.float32), edges)
    assert single.dtype == np.float32 and np.abs(single - one).max() < 5e-6 * np.abs(one).max()
    with pytest.raises(InputError, match="edges: expected 2 invariants"):
        layer(X[:, :2], at=CLOUD)


def test_wrong_input():
    with pytest.raises(InputError, match="at: expected the cloud"):
        LAYER(X)
    with pytest.raises(InputError, match="x: expected a field"):
        LAYER(X[:3], at=CLOUD)
    with pytest.raises(InputError, match="rep_out: expected irreps that the convolution leads to"):
        PointConv(POINTS, "scalar", "pseudoscalar", key=jax.random.key(0))
    with pytest.raises(InputError, match="radial: expected a basis that ends"):
        PointConv(POINTS, "scalar", "scalar", radial=RadialBasis(4.0, 8), key=jax.random.key(0))
    with pytest.raises(InputError, match="radial: expected a RadialBasis"):
        PointConv(Points(nearest=3), "scalar", "scalar", key=jax.random.key(0))
