"""Automorphism groups: of small graphs by trying all permutations, of known ones by their order."""

import itertools
import math

import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.spaces.graph import automorphisms
from intertwine.spaces.graph.automorphisms import find_automorphisms


def by_trying_all(size, edges, kinds):
    table = np.full((size, size), -1)
    for (i, j), kind in zip(edges, kinds, strict=True):
        table[i, j] = table[j, i] = kind
    rows = np.array(list(itertools.permutations(range(size))))
    kept = [p for p in rows if np.array_equal(table[np.ix_(p, p)], table)]
    return {tuple(p.tolist()) for p in kept}


@pytest.mark.parametrize("seed", range(12))
def test_small_graphs_by_trying_all_permutations(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 7))
    share, kinds = rng.choice([0.3, 0.5, 0.8]), int(rng.integers(1, 4))
    edges = np.array([e for e in itertools.combinations(range(size), 2) if rng.random() < share])
    edges = edges.reshape(-1, 2)
    colours = rng.integers(0, kinds, len(edges))
    found = find_automorphisms(size, edges, colours)
    elements = found.elements()
    assert {tuple(p.tolist()) for p in elements} == by_trying_all(size, edges, colours)
    assert len(elements) == found.order and elements[0].tolist() == list(range(size))


def circulant(size, steps):
    return [(i, (i + s) % size) for i in range(size) for s in steps]


def cayley(steps, n=4):
    places = itertools.product(range(n), range(n))
    return [(n * a + b, n * ((a + x) % n) + (b + y) % n) for a, b in places for x, y in steps]


FRUCHT = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 0), (0, 7), (1, 7), (2, 8), (3, 9), (4, 9),
          (5, 10), (6, 10), (7, 11), (8, 11), (8, 9), (10, 11)]  # fmt: skip

KNOWN = {
    "path of 7": ([(i, i + 1) for i in range(6)], 2),
    "ring of 50": (circulant(50, [1]), 100),
    "K_5": (list(itertools.combinations(range(5), 2)), 120),
    "K_30": (list(itertools.combinations(range(30), 2)), math.factorial(30)),
    "K_4,4": (list(itertools.product(range(4), range(4, 8))), 2 * 24**2),
    "star of 25": ([(0, i) for i in range(1, 26)], math.factorial(25)),
    "Petersen": ([*circulant(5, [1]), *((5 + a, 5 + b) for a, b in circulant(5, [2])),
                  *((i, i + 5) for i in range(5))], 120),
    "Frucht": (FRUCHT, 1),
    "six-cube": ([(i, i ^ 1 << k) for i in range(64) for k in range(6)], 46080),
    "Shrikhande": (cayley([(1, 0), (0, 1), (1, 1)]), 192),
    "rook's 4 × 4": (cayley([(1, 0), (2, 0), (0, 1), (0, 2)]), 1152),
    "Paley 13": (circulant(13, [1, 3, 4]), 78),
    "four triangles": ([(3 * k + i, 3 * k + (i + 1) % 3) for k in range(4) for i in range(3)], 6**4 * 24),
    "binary tree": ([(i, (i - 1) // 2) for i in range(1, 15)], 2**7),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_groups(name):
    edges, order = KNOWN[name]
    graph = it.Graph(edges)
    found = graph.automorphisms
    assert found.order == order
    table = np.zeros((graph.size, graph.size), bool)
    table[tuple(graph.edges.T)] = True
    table |= table.T
    for p in found.generators:
        assert np.array_equal(table[np.ix_(p, p)], table)
    if order <= 50_000:
        group = it.PermutationGroup(found.elements())  # distinct, and closed
        assert group.order == order


@pytest.mark.parametrize("name", ["square:5", "kagome:4", "honeycomb:4", "cubic:3", "pyrochlore:2", "lieb:3"])
def test_tori_without_accidents_have_their_isometries(name):
    lattice = it.spaces.lattice_from_name(name)
    graph = it.Graph(lattice.bonds())
    assert set(graph.space_group.rows_of(lattice.space_group.permutations)) == set(
        range(lattice.space_group.order)
    )


def test_small_tori_have_more_automorphisms_than_isometries():
    for size, order in ((4, 384), (6, 288)):
        assert it.Graph(it.Square(size).bonds()).space_group.order == order


def test_colours_and_weights_are_kept():
    ring = circulant(6, [1])
    assert it.Graph(ring, colours=["x", "y", "z"] * 2).space_group.order == 2
    assert it.Graph(ring, weights=[1.0, 2.0, 2.0, 1.0, 3.0, 3.0]).space_group.order == 2
    weights = [1, 1, 2, 2, 2, 2]
    assert it.Graph(ring, weights=weights).space_group.order == 2
    assert it.Graph(ring, colours=["x", "y"] * 3, weights=weights).space_group.order == 1


def test_a_search_that_takes_too_long_ends(monkeypatch):
    monkeypatch.setattr(automorphisms, "_MOST_STEPS", 2)
    with pytest.raises(InputError, match="within 2 steps"):
        _ = it.Graph(cayley([(1, 0), (0, 1), (1, 1)])).space_group
