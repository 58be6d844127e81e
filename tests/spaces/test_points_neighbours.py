"""Who is near whom: against ASE, and against all images written out."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

import intertwine as it
from intertwine.spaces.points import search

pytestmark = pytest.mark.filterwarnings("ignore::intertwine._caveats.Caveat")


def found_by(edges):
    """{(i, j, steps)} of tables of neighbours, checked for being tables of pairs."""
    n, width = edges.site.shape
    d = edges.positions.shape[1]
    near = np.arange(width) < edges.count[:, None]
    i, k = np.nonzero(near)
    steps = np.zeros((n, width, d), int) if edges.steps is None else edges.steps
    assert (edges.site[~near] == np.nonzero(~near)[0]).all()
    rows = list(zip(i.tolist(), edges.site[i, k].tolist(), map(tuple, steps[i, k].tolist()), strict=True))
    assert len(rows) == len(set(rows))
    return set(rows)


def of_images(x, cell, periodic, cutoff):
    """The same from all images in reach, written out."""
    d = x.shape[1]
    reach = [range(-8, 9) if p else range(1) for p in periodic]
    found = set()
    for steps in product(*reach):
        r = x[None] + np.array(steps) @ cell - x[:, None]
        for i, j in np.argwhere((r**2).sum(-1) < cutoff**2):
            if i != j or any(steps):
                found.add((int(i), int(j), steps))
    assert d == len(steps)
    return found


def reversed_well(edges):
    """Whether the reverse of every edge is where `back` says."""
    n, width = edges.site.shape
    for i, k in np.argwhere(np.arange(width) < edges.count[:, None]):
        j, m = divmod(int(edges.back[i, k]), width)
        assert (j, int(edges.site[j, m])) == (int(edges.site[i, k]), i)
        assert edges.steps is None or (edges.steps[j, m] == -edges.steps[i, k]).all()
    assert (edges.back[np.arange(width) >= edges.count[:, None]] == n * width).all()


BOXES = {
    "triclinic": (20, np.array([[4.0, 0.3, -0.5], [1.5, 3.6, 0.2], [-0.8, 0.9, 4.4]]), (1, 1, 1), 2.5),
    "smaller than the cut-off": (
        3,
        np.array([[1.0, 0.0, 0.0], [0.6, 1.1, 0.0], [0.2, -0.3, 0.9]]),
        (1, 1, 1),
        2.1,
    ),
    "very crooked": (4, np.array([[3.0, 0.0, 0.0], [2.9, 0.9, 0.0], [-2.5, 1.0, 1.3]]), (1, 1, 1), 2.0),
    "a left-handed cell": (9, np.array([[0.0, 3.0, 0.0], [3.1, 0.0, 0.0], [0.2, 0.0, 3.3]]), (1, 1, 1), 1.9),
    "a slab": (15, np.array([[3.0, 0.0, 0.0], [1.5, 2.6, 0.0], [0.0, 0.0, 1.0]]), (1, 1, 0), 2.4),
    "a wire": (10, np.array([[0.0, 0.0, 0.0], [0.5, 1.8, 0.4], [0.0, 0.0, 0.0]]), (0, 1, 0), 2.4),
    "open": (25, np.zeros((3, 3)), (0, 0, 0), 1.7),
    "far apart": (30, np.zeros((3, 3)), (0, 0, 0), 0.05),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", BOXES)
def test_the_set_of_ase(name, compiled, monkeypatch):
    """By compiled lists of boxes, as for many points, and with all images written out, as for few."""
    n, cell, periodic, cutoff = BOXES[name]
    periodic = np.array(periodic, bool)
    draw = np.random.default_rng(len(name))
    x = draw.uniform(-4, 4, (n, 3))
    if compiled:
        monkeypatch.setattr(search, "MOST_WRITTEN_OUT", 0)
    edges = it.Points(cutoff).edges(x, cell if cell.any() else None, periodic if cell.any() else None)
    i, j, steps = neighbor_list("ijS", Atoms(positions=x, cell=cell, pbc=periodic), cutoff)
    assert found_by(edges) == set(zip(i.tolist(), j.tolist(), map(tuple, steps.tolist()), strict=True))
    reversed_well(edges)


@pytest.mark.parametrize("periodic", [(1, 1), (1, 0), (0, 0)])
def test_planes(periodic):
    draw = np.random.default_rng(3)
    cell, x = np.array([[1.5, 0.2], [0.9, 1.4]]), draw.uniform(-1, 3, (7, 2))
    points = it.Points(1.6, group="SO(2)")
    edges = points.edges(x, cell, np.array(periodic, bool))
    assert found_by(edges) == of_images(x, cell, periodic, 1.6)
    reversed_well(edges)


def test_many_points():
    n, cell = 700, np.array([[9.0, 0.0, 0.0], [3.0, 8.0, 0.0], [-2.0, 1.0, 9.0]])
    x = np.random.default_rng(6).uniform(-10, 20, (n, 3))
    edges = it.Points(1.5).edges(x, cell)
    i, j, steps = neighbor_list("ijS", Atoms(positions=x, cell=cell, pbc=True), 1.5)
    assert found_by(edges) == set(zip(i.tolist(), j.tolist(), map(tuple, steps.tolist()), strict=True))
    reversed_well(edges)


def test_images_of_one_point():
    points, cell = it.Points(2.7), np.array([[1.0, 0.0, 0.0], [0.5, 0.8, 0.0], [0.5, 0.3, 0.8]])
    edges = points.edges(np.zeros((1, 3)), cell)
    assert found_by(edges) == of_images(np.zeros((1, 3)), cell, (1, 1, 1), 2.7)


@pytest.mark.parametrize("cutoff", [None, 1.0])
@pytest.mark.parametrize("cell", [None, np.array([[2.0, 0.0, 0.0], [0.4, 1.9, 0.0], [0.0, 0.3, 2.2]])])
def test_the_nearest(cutoff, cell):
    x, k = np.random.default_rng(5).uniform(0, 2, (14, 3)), 4
    edges = it.Points(cutoff, nearest=k).edges(x, cell)
    n, width = edges.site.shape
    assert width <= k
    every = of_images(x, np.zeros((3, 3)) if cell is None else cell, [cell is not None] * 3, cutoff or 2.5)
    for i in range(n):
        of_i = [
            np.linalg.norm(x[j] - x[i] + (0 if cell is None else np.array(s) @ cell))
            for a, j, s in every
            if a == i
        ]
        mine = x[edges.site[i]] - x[i]
        if edges.steps is not None:
            mine = mine + edges.steps[i] @ edges.cell
        lengths = np.linalg.norm(mine[: edges.count[i]], axis=1)
        np.testing.assert_allclose(lengths, np.sort(of_i)[:k], rtol=1e-12)
    ends = [sorted(row[row < n * width].tolist()) for row in edges.back]
    near = np.arange(width) < edges.count[:, None]
    assert ends == [np.flatnonzero((edges.site == j).ravel() & near.ravel()).tolist() for j in range(n)]


def test_few_points_have_fewer_than_k_neighbours():
    for size in (1, 2, 3):
        edges = it.Points(nearest=5).edges(np.random.default_rng(1).normal(size=(size, 3)))
        assert edges.count.tolist() == [size - 1] * size
        assert it.Points(nearest=5).batch([edges]).neighbours == 5


def test_all_pairs_are_the_same_cloud():
    x = np.random.default_rng(2).uniform(0, 2, (2, 6, 3))
    for points in (it.Points(1.2), it.Points(1.2, nearest=2), it.Points(nearest=2)):
        cloud, batch = points.all_pairs(x), points.batch(list(x), points=12)
        for i in range(12):
            seen = [set(np.asarray(c.site)[i][np.asarray(c.near)[i]].tolist()) for c in (cloud, batch)]
            assert seen[0] == seen[1]
