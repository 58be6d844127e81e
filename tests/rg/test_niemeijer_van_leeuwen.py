"""Cumulants on the triangular lattice: published values, and the second order against enumerated clusters."""

import itertools
import math

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.rg.steps.flow import Step
from intertwine.rg.steps.niemeijer_van_leeuwen import niemeijer_van_leeuwen

CELL = np.array([(0, 0), (1, 0), (0, 1)])
NEAR = [(1, 1), (2, -1), (1, -2), (-1, -1), (-2, 1), (-1, 2)]


def test_first_order():
    """K* = 0.335614, y_T = 0.8822, ν = 1.1335, y_H = 1.3691 (Niemeijer & van Leeuwen 1973); f = 1/√2."""
    step = niemeijer_van_leeuwen(field=True)
    assert isinstance(step, Step)
    assert abs(step.fixed_point.couplings[0] - 0.335614) < 1e-6
    assert abs(step.y_T - 0.8822) < 5e-5 and abs(step.nu - 1.1335) < 5e-5 and abs(step.y_H - 1.3691) < 5e-5
    assert abs(step.y_H - math.log(3 / math.sqrt(2)) / math.log(math.sqrt(3))) < 1e-12
    K = 0.4
    f = (math.exp(3 * K) + math.exp(-K)) / (math.exp(3 * K) + 3 * math.exp(-K))
    assert np.allclose(step.step([K, 0.1]), [2 * f**2 * K, 0.3 * f], atol=1e-15)


def test_second_order():
    """The fixed point stays where it was found (the recursion itself is compared with clusters below); one
    relevant even direction; nearer to y_T = 1, y_H = 15/8 and K_c = ln 3/4 than the first order."""
    first, second = niemeijer_van_leeuwen(field=True), niemeijer_van_leeuwen(2, field=True)
    assert np.allclose(second.fixed_point.couplings, [0.278869, -0.014248, -0.015231, 0.0], atol=1e-6)
    assert int(niemeijer_van_leeuwen(2).fixed_point.relevant.sum()) == 1
    for name, exact in (("y_T", 1.0), ("y_H", 15 / 8), ("critical_coupling", math.log(3) / 4)):
        assert abs(getattr(second, name) - exact) < abs(getattr(first, name) - exact)
    assert niemeijer_van_leeuwen(2).flow(0.2, 6).couplings[-1, 0] < 0.05


def squared(v):
    return v[0] ** 2 + v[0] * v[1] + v[1] ** 2


def enumerated(cells, K, strength, h=0.0):
    """−H'(s') of a cluster of cells, (2,)*n: bonds K inside, `strength` K between, h on the first cell."""
    sites = np.concatenate([CELL + cell for cell in cells])
    inside = np.repeat(np.arange(len(cells)), 3)
    bonds = [
        (a, b) for a, b in itertools.combinations(range(len(sites)), 2) if squared(sites[b] - sites[a]) == 1
    ]
    spins = 1 - 2 * ((np.arange(2 ** len(sites))[:, None] >> np.arange(len(sites))) & 1)
    weight = h * spins[:, :3].sum(1).astype(float)
    for a, b in bonds:
        weight += (K if inside[a] == inside[b] else strength * K) * spins[:, a] * spins[:, b]
    up = (spins.reshape(len(spins), -1, 3).sum(2) > 0) @ (1 << np.arange(len(cells))[::-1])
    return np.log(np.bincount(up, weights=np.exp(weight))).reshape((2,) * len(cells))


@pytest.mark.parametrize("number, cell", [(0, (1, 1)), (1, (3, 0)), (2, (2, 2))])
def test_second_order_against_enumerated_clusters(number, cell):
    """Two cells and all cells next to both, 9 to 12 spins: the pair coupling of their exact H' to second
    order in the bonds between cells, by differences."""
    K = 0.27
    middle = [c for c in NEAR if squared(np.subtract(cell, c)) == 3]
    signs = np.array([-1.0, 1.0])

    def coupling(strength):
        effective = enumerated([(0, 0), cell, *middle], K, strength)
        return float(signs @ effective.reshape(2, 2, -1).sum(2) @ signs) / effective.size

    width = 1e-2
    values = [coupling(n * width) for n in (-2, -1, 0, 1, 2)]
    first = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * width)
    second = (-values[0] + 16 * values[1] - 30 * values[2] + 16 * values[3] - values[4]) / (12 * width**2)
    found = float(niemeijer_van_leeuwen(2).step([K, 0.0, 0.0])[number])
    assert abs(first + second / 2 - found) < 1e-7


def test_the_cross_term_of_the_field_against_an_enumerated_pair():
    """A field on one cell acts on its neighbour's spin through the two bonds between them."""
    K, width = 0.27, 1e-3
    signs = np.array([-1.0, 1.0])

    def on_neighbour(strength, h):
        return float(np.einsum("ab,b->", enumerated([(0, 0), (1, 1)], K, strength, h), signs)) / 4

    mixed = sum(s * t * on_neighbour(s * width, t * width) for s in (1, -1) for t in (1, -1)) / (4 * width**2)
    first = niemeijer_van_leeuwen(1, field=True).step([K, 1.0])[-1]
    second = niemeijer_van_leeuwen(2, field=True).step([K, 0.0, 0.0, 1.0])[-1]
    assert abs(6 * mixed - float(second - first)) < 1e-5


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: niemeijer_van_leeuwen(3), "order"),
        (lambda: niemeijer_van_leeuwen("first"), "order"),
        (lambda: niemeijer_van_leeuwen().y_H, "field"),
        (lambda: niemeijer_van_leeuwen().flow(float("nan")), "finite"),
        (lambda: niemeijer_van_leeuwen(2).flow([0.3]), "couplings"),
    ],
)
def test_bad_input(make, word):
    with pytest.raises(InputError, match=word) as error:
        make()
    assert "\n" not in str(error.value)
