"""Clouds of points: energies and forces by them, batches, gathering, what is refused."""

import warnings

import ase
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.spaces import Cloud
from intertwine.spaces.points.gather import collected, gathered
from intertwine.spaces.points.padding import rung

RNG = np.random.default_rng(8)


def lennard_jones(cloud, strain=None):
    """(S, 1): ½ Σ 4 (r⁻¹² − r⁻⁶) of each structure."""
    square = (cloud.vectors(strain=strain) ** 2).sum(-1)
    inverse = jnp.where(cloud.near, 1 / square, 0.0) ** 3
    return cloud.sums(2 * (inverse**2 - inverse).sum(1, keepdims=True))


ENERGY = jax.jit(lennard_jones)
SLOPE = jax.jit(jax.value_and_grad(lambda x, cloud: lennard_jones(cloud.moved(x)).sum()))


def mackay(shells):
    """The icosahedron of 12 points about one, and the second shell of 42 (Mackay 1962)."""
    golden = (1 + 5**0.5) / 2
    one = np.array([[0, a, b * golden] for a in (1, -1) for b in (1, -1)])
    corners = np.concatenate([np.roll(one, k, axis=1) for k in range(3)])
    points = [np.zeros((1, 3)), corners]
    if shells == 2:
        pairs = [(i, j) for i in range(12) for j in range(i) if np.linalg.norm(corners[i] - corners[j]) < 2.1]
        points += [2 * corners, np.array([corners[i] + corners[j] for i, j in pairs])]
    return np.concatenate(points) * 0.57


@pytest.mark.parametrize(
    ("shells", "size", "energy"), [(1, 13, -44.32680141953402), (2, 55, -279.24847046302125)]
)
def test_energies_of_clusters(shells, size, energy):
    """Minima of 13 and 55 Lennard-Jones points against values from elsewhere."""
    start = mackay(shells)
    assert len(start) == size
    cloud = it.Points(10.0).cloud(start)

    def function(x):
        value, slope = SLOPE(jnp.asarray(x.reshape(-1, 3)), cloud)
        return float(value), np.asarray(slope).ravel()

    found = minimize(function, start.ravel(), jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-8})
    assert found.fun == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize(
    ("cutoff", "count", "energy"), [(2.5, 78, -8.099601729321854), (6.0, 958, -8.559572212563381)]
)
def test_crystal_of_one_point_a_cell(cutoff, count, energy):
    cell = 1.55 / 2 * (np.ones((3, 3)) - np.eye(3))
    cloud = it.Points(cutoff).cloud([[0.1, 0.2, 0.3]], cell=cell)
    assert int(cloud.near.sum()) == count
    assert float(ENERGY(cloud)[0, 0]) == pytest.approx(energy, rel=1e-12)


def test_forces_and_stresses_are_slopes():
    """Against differences, in a crooked cell smaller than the cut-off; padding changes nothing."""
    cell = np.array([[1.7, 0.0, 0.2], [0.6, 1.6, 0.0], [0.1, -0.4, 1.9]])
    x = np.array([[0.0, 0.0, 0.0], [0.9, 0.8, 0.95], [0.7, 0.2, 0.9]]) @ cell
    points = it.Points(2.2)
    plain, padded = points.cloud(x, cell=cell), points.batch([x], [cell], points=7, neighbours=96, count=2)
    assert padded.near.sum() == plain.near.sum()
    value, slope = SLOPE(plain.positions, plain)
    again, slope_padded = SLOPE(padded.positions, padded)
    assert float(again) == float(value)
    np.testing.assert_allclose(slope_padded[:3], slope, rtol=1e-12)
    assert not np.asarray(slope_padded)[3:].any()
    by_strain = jax.jit(jax.grad(lambda e, cloud: lennard_jones(cloud, strain=e).sum()))(
        jnp.zeros((1, 3, 3)), plain
    )
    step, edges = 1e-5, points.edges(x, cell)
    for i, a in ((0, 1), (2, 2)):
        moved = [np.array(x), np.array(x)]
        moved[0][i, a] += step
        moved[1][i, a] -= step
        up, down = (float(ENERGY(plain.moved(jnp.asarray(m)))[0, 0]) for m in moved)
        assert float(slope[i, a]) == pytest.approx((up - down) / (2 * step), rel=1e-6)
    for a, b in ((0, 0), (1, 2)):
        strain = np.zeros((3, 3))
        strain[a, b] = step
        ends = []
        for sign in (1, -1):
            turn = np.eye(3) + sign * strain
            shaken = edges._replace(positions=x @ turn.T, cell=cell @ turn.T)  # the same neighbours
            ends.append(float(ENERGY(points.batch([shaken], points=3))[0, 0]))
        assert float(by_strain[0, a, b]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


def test_second_derivatives():
    """A product with the Hessian against differences of forces."""
    cloud = it.Points(2.0).cloud(mackay(1))
    direction = jnp.asarray(RNG.normal(size=cloud.positions.shape))
    product = jax.jit(jax.grad(lambda x: (SLOPE(x, cloud)[1] * direction).sum()))(cloud.positions)
    step = 1e-5
    up, down = (SLOPE(cloud.positions + s * step * direction, cloud)[1] for s in (1, -1))
    np.testing.assert_allclose(product, (up - down) / (2 * step), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("nearest", [None, 4])
def test_gathering_and_collecting_are_transposes(nearest):
    x = RNG.uniform(0, 3, (12, 3))
    cloud = it.Points(1.8, nearest=nearest).batch([x, x[:5] * 1.1], points=20)
    f, m = RNG.normal(size=(20, 2)), RNG.normal(size=(20, cloud.neighbours, 2))
    rows, sums = np.asarray(gathered(jnp.asarray(f), cloud)), np.asarray(collected(jnp.asarray(m), cloud))
    near, site = np.asarray(cloud.near), np.asarray(cloud.site)
    np.testing.assert_array_equal(rows, np.where(near[..., None], f[site], 0))
    expected = np.zeros_like(f)
    np.add.at(expected, site[near], m[near])
    np.testing.assert_allclose(sums, expected, atol=1e-12)
    assert (rows * m).sum() == pytest.approx((f * sums).sum())


def test_a_batch_is_its_structures(optimised):
    """Sums over a batch of the same values equal those of each structure alone, to the last digit."""
    draws = [RNG.uniform(0, 4, (n, 3)) for n in (9, 1, 30, 4)]
    cells = [None, np.diag([4.2, 4.5, 5.0]), None, np.diag([4.2, 4.2, 0.0])]
    points = it.Points(3.0)

    @jax.jit
    def whole(cloud):
        square = (cloud.vectors() ** 2).sum(-1)
        return jnp.where(cloud.near, jnp.exp(-square), 0.0).sum(1, keepdims=True)

    sums, means = (jax.jit(lambda cloud, x, f=f: f(cloud, x)) for f in (Cloud.sums, Cloud.means))
    cloud = points.batch(draws, cells, count=6)
    values = whole(cloud)
    total = np.asarray(sums(cloud, values))[:, 0]
    for k, (x, cell) in enumerate(zip(draws, cells, strict=True)):
        one = points.cloud(x, cell=cell)
        assert float(sums(one, jnp.asarray(cloud.apart(values)[k]))[0, 0]) == total[k]
        assert float(sums(one, whole(one))[0, 0]) == pytest.approx(total[k], rel=1e-14)
    np.testing.assert_allclose(np.asarray(means(cloud, values))[:4, 0], total[:4] / [9, 1, 30, 4], rtol=1e-15)
    assert not total[4:].any() and cloud.sizes.tolist() == [9, 1, 30, 4, 0, 0]
    assert cloud.points == rung(44) == 48 and not cloud.real[44:].any()
    parts = cloud.apart(cloud.field([np.full(len(x), k) for k, x in enumerate(draws)]))
    assert [p.tolist() for p in parts[:4]] == [[k] * len(x) for k, x in enumerate(draws)]


@pytest.mark.slow
def test_few_sizes_are_compiled():
    """Structures of 10 to 5,000 points: a program for each pair of sizes of the ladder, no more."""
    traces = []

    @jax.jit
    def energy(cloud):
        traces.append((cloud.points, cloud.neighbours))
        return cloud.sums(cloud.near.sum(1, keepdims=True))

    points = it.Points(1.5)
    for size in (10, 11, 12, 12, 40, 39, 38, 5000, 4700):
        x = RNG.uniform(0, (size / 0.5) ** (1 / 3), (size, 3))
        assert int(energy(points.batch([x], neighbours=32))[0, 0]) % 2 == 0
    assert sorted(traces) == sorted(set(traces)) and len(traces) == 4


def test_what_is_not_there_counts_nothing():
    """One point, padding and places without a neighbour: numbers and slopes are finite."""
    cloud = it.Points(2.0).batch([np.zeros((1, 3)), np.ones((1, 3))], points=4)

    def length(x):
        return jnp.linalg.norm(cloud.vectors(x), axis=-1).sum()

    slope = jax.grad(length)(cloud.positions)
    assert float(length(cloud.positions)) == 4 * 2.0 and not np.asarray(slope).any()


def test_precision_of_clouds():
    x = RNG.uniform(0, 2, (5, 3))
    assert it.Points(1.0).cloud(x, dtype="float32").vectors().dtype == jnp.float32
    assert it.Points(1.0).cloud(x.astype(np.float32)).positions.dtype == jnp.float64


def test_structures_of_files():
    x = [[1, 1, 1], [1.96, 1, 1], [0.76, 1.93, 1]]
    water = ase.Atoms("OH2", positions=x, cell=[9, 9, 9], pbc=True)
    assert it.Points(1.1).cloud(water).near.sum(1).tolist() == [2, 1, 1]
    made = it.data.Structures.of([np.eye(3), np.eye(3)[:2] * 2], [["H", "H", "O"], ["C", "O"]])
    cloud = it.Points(3.0).batch(made)
    assert cloud.sizes.tolist() == [3, 2] and cloud.shift is None


LINE = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
REFUSED = {
    "on top of each other": (lambda p: p.cloud([[0, 0, 0], [1, 0, 0], [1, 0, 0]]), "points 1 and 2 at a"),
    "nan": (lambda p: p.cloud([[0, 0, 0], [1, np.nan, 0]]), "finite numbers, got"),
    "shape": (lambda p: p.cloud(np.zeros((4, 2))), r"an array \(n, 3\) of one point or more, got shape"),
    "none": (lambda p: p.cloud(np.zeros((0, 3))), "one point or more"),
    "words": (lambda p: p.cloud([["a", "b", "c"]]), "positions: expected real numbers"),
    "complex": (lambda p: p.cloud(LINE + 0j), "positions: expected real numbers"),
    "singular": (lambda p: p.cloud(LINE, cell=np.ones((3, 3))), "cell vectors that are independent"),
    "no length": (
        lambda p: p.cloud(LINE, cell=np.eye(3) * [1, 1, 0], periodic=True),
        "cell vectors that are independent",
    ),
    "cell": (lambda p: p.cloud(LINE, cell=np.eye(2)), r"rows of \(3, 3\), or 3 lengths"),
    "cell nan": (lambda p: p.cloud(LINE, cell=np.full((3, 3), np.nan)), "cell: expected finite"),
    "no cell": (lambda p: p.cloud(LINE, periodic=True), "periodic directions have some"),
    "periodic": (lambda p: p.cloud(LINE, cell=np.eye(3) * 9, periodic=[1, 0, 2]), "True, False, or 3"),
    "too large": (lambda p: p.batch([LINE], points=2), "room for the 3 of these structures, got 2; take 3"),
    "too near": (lambda p: p.batch([LINE], neighbours=1), "neighbours: expected room for the 2"),
    "too many": (lambda p: p.batch([LINE, LINE], count=1), "structures: expected room for the 2"),
    "empty": (lambda p: p.batch([]), "one structure or more, got none"),
    "a number": (lambda p: p.batch(5), "positions of one structure or more, got 5"),
    "whole numbers": (lambda p: p.cloud(LINE, dtype="int32"), "dtype: expected a type of real numbers"),
    "traced": (lambda p: jax.jit(lambda x: p.cloud(x).positions)(LINE), "outside compiled functions"),
    "another unit": (lambda p: it.Points(1e4).cloud(RNG.uniform(0, 9, (400, 3)), cell=[9.0] * 3), "memory"),
    "nearest touch": (lambda p: it.Points(nearest=1).cloud([*LINE, LINE[1]]), "points 1 and 3 at a"),
    "cells": (lambda p: p.batch([LINE], []), "cells: expected one for each of 1"),
    "cutoff": (lambda p: it.Points(-1.0), "cutoff: expected a positive number"),
    "neither": (lambda p: it.Points(), "or give nearest=k"),
    "nearest": (lambda p: it.Points(nearest=0), "nearest: expected a positive integer"),
    "group": (lambda p: it.Points(1.0, group="SU(2)"), r"O\(3\), SO\(3\), O\(2\), SO\(2\), a point group"),
    "matrices": (lambda p: it.Points(1.0, group="O(3)", matrices=np.eye(3)[None]), "None where the group"),
    "type": (lambda p: p.named_type("2 scalars"), "a sum of scalar, vector, tensor"),
    "e3nn": (lambda p: p.named_type("3x1"), "with e or o for the parity"),
    "parity": (lambda p: it.Points(1.0, group="SO(3)").named_type("3x1o"), "without a parity"),
    "degree": (lambda p: p.named_type("degree 99"), "a degree from 0 to 11"),
    "field": (lambda p: gathered(jnp.ones((4, 1)), p.cloud(LINE)), r"a field \(3, C\)"),
    "edges": (lambda p: collected(jnp.ones((3, 1, 1)), p.cloud(LINE)), r"values \(3, 2, 'C'\)"),
    "sums": (lambda p: p.cloud(LINE).sums(jnp.ones((4, 1))), r"values: expected a field \(3, C\)"),
    "moved": (lambda p: p.cloud(LINE).moved(jnp.ones((4, 3))), r"shape \(3, 3\)"),
    "values": (lambda p: p.cloud(LINE).field(np.ones(4)), "values: expected 3 points"),
    "ours": (lambda p: p.check_cloud(None, jnp.ones((3, 1))), "points.cloud"),
    "another": (
        lambda p: p.check_cloud(it.Points(2.0).cloud(LINE), jnp.ones((3, 1))),
        "at: expected a cloud",
    ),
    "radial": (lambda p: p.kernel_basis(*[p.named_type("scalar")] * 2, "many"), "support: expected Radial"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, words = REFUSED[name]
    with pytest.raises(it.InputError, match=words) as found:
        call(it.Points(1.5))
    assert "\n" not in str(found.value)


def test_what_is_said():
    """Points outside the box are taken into it; nobody near is no error."""
    with pytest.warns(Caveat, match="outside the periodic box"):
        cloud = it.Points(1.5).cloud([[9.5, 0, 0], [0.3, 0, 0]], cell=[3.0, 3.0, 3.0])
    assert cloud.near.sum() == 2 and cloud.vectors()[0, 0, 0] == pytest.approx(0.3 + 9 - 9.5)
    with pytest.warns(Caveat, match="no point of a structure has a neighbour"):
        assert not it.Points(0.5).cloud(LINE).near.any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(it.Points(1.5).cloud(LINE[:1]), Cloud)


def test_equal_points_are_equal():
    one, other = it.Points(2.0, group="cubic:oh"), it.Points(2, group="cubic:oh")
    assert one == other and hash(one) == hash(other) and one != it.Points(2.0)
    assert str(it.Points(nearest=3, group="O(2)")) == "Points(nearest=3, group='O(2)')"
