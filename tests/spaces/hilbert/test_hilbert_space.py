"""Hilbert spaces: dimensions, lists, draws and bounds against trying all configurations."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chisquare

import intertwine as it
from intertwine import Bound, InputError

KEY = jax.random.key(3)
RING, GRID = it.Chain(6), it.Square(3, 2)
SPACES = {
    "spins": it.Spins(RING),
    "spins, M = −2": it.Spins(RING, magnetization=-2),
    "spins 1, M = 1": it.Spins(5, s=1, magnetization=2),
    "spins 3/2": it.Spins(3, s=1.5),
    "bosons": it.Bosons(5, particles=4),
    "bosons, at most 2": it.Bosons(GRID, particles=4, most=2),
    "bosons, any number": it.Bosons(4, most=3),
    "electrons": it.Fermions(RING, (2, 3)),
    "electrons, both": it.Fermions(4, 3, spin=True),
    "fermions": it.Fermions(RING, 2),
    "fermions, odd": it.Fermions(RING, parity=1),
    "atoms": it.Rydberg(RING),
    "atoms, two shells": it.Rydberg(GRID, blockade=2),
    "qudits": it.Qudits(4, 3),
    "dimers": it.Dimers(6, [(i, (i + 1) % 6) for i in range(6)]),
    "electrons and phonons": it.Fermions(3, (1, 1)) * it.Bosons(3, most=2),
    "spins ½ and 1": it.Spins(2) * it.Spins(2, s=1),
    "weights": it.Qudits(4, 3).within(Bound((0, 1, 3), (2, -1, 1), -1, 2), Bound((1, 2), (1, 2), 1, 1, 3)),
}


def every(space):
    """All configurations that satisfy the bounds, by trying all levels."""
    rows = np.array(list(itertools.product(*(range(d) for d in space.levels))), np.int64)
    ok = np.ones(len(rows), bool)
    for bound in space.bounds:
        total = rows[:, bound.modes] @ np.array(bound.weights, int)
        total = total if bound.modulus is None else total % bound.modulus
        ok &= (total >= bound.low) & (total <= bound.high)
    return rows[ok]


@pytest.mark.parametrize("name", SPACES)
def test_listed_and_counted_as_by_trying_all(name):
    space = SPACES[name]
    expected = every(space)
    found = space.configurations()
    assert found.dtype == np.int8 and space.dimension == len(expected)
    np.testing.assert_array_equal(space.levels_of(found), expected)
    np.testing.assert_array_equal(space.written(space.levels_of(found)), found)
    assert space.allows(found).all() and bool(space.allows(jnp.asarray(found)).all())
    outside = space.free.written(np.random.default_rng(0).integers(0, space.levels, (50, space.size)))
    inside = {tuple(row) for row in found.tolist()}
    assert space.allows(outside).tolist() == [tuple(row) in inside for row in outside.tolist()]


@pytest.mark.parametrize("name", ["spins 1, M = 1", "bosons, at most 2", "electrons", "atoms", "weights"])
def test_random_configurations_are_uniform(name):
    space = SPACES[name]
    drawn = np.asarray(space.random(40 * space.dimension, key=KEY))
    numbers = {tuple(row): k for k, row in enumerate(space.configurations().tolist())}
    counts = np.bincount([numbers[tuple(row)] for row in drawn.tolist()], minlength=space.dimension)
    assert chisquare(counts).pvalue > 1e-3
    assert (np.asarray(space.random(5, key=KEY)) == drawn[:5]).all() or len(drawn) != 5


@pytest.mark.parametrize(
    ("space", "dimension"),
    [
        (it.Rydberg(it.Chain(20, pbc=False)), 17711),  # Fibonacci
        (it.Rydberg(it.Chain(20)), 15127),  # Lucas
        (it.Rydberg(it.Square(4, 4)), 743),
        (it.Bosons(8, particles=8, most=8), 6435),
        (it.Fermions(it.Square(4, 4), (5, 5)), 4368**2),
        (it.Fermions(it.Square(6, 6), (18, 18)), 9075135300**2),
    ],
)
def test_dimensions_that_are_known(space, dimension):
    assert space.dimension == dimension


def test_large_spaces_are_drawn_without_listing():
    space = it.Fermions(it.Square(10, 10), (50, 44))
    drawn = np.asarray(space.random(64, key=KEY))
    assert (drawn[:, :100] == -1).sum(1).tolist() == [50] * 64
    assert (drawn[:, 100:] == -1).sum(1).tolist() == [44] * 64
    with pytest.raises(InputError, match="at most 33554432 configurations"):
        space.configurations()


def test_modes_by_site_and_species():
    space = it.Fermions(it.Chain(4), (1, 1)) * it.Bosons(4, most=1)
    assert [space.mode(2, "up"), space.mode(2, "down"), space.mode(2, 2)] == [2, 6, 10]
    with pytest.raises(InputError, match=r"species: expected one of up, down"):
        space.mode(0)
    with pytest.raises(InputError, match="from 0 to 3"):
        space.mode(4, "up")


def test_species_of_products_have_names_of_their_own():
    space = it.Spins(2) * it.Fermions(2, 1) * it.Spins(3) * it.Spins(1)
    names = [name for name, _ in space.species]
    assert len(set(names)) == len(names) == 4
    assert [space.mode(0, name) for name in names] == [0, 2, 4, 7]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: it.Fermions(4, (5, 1)), "at most 4"),
        (lambda: it.Fermions(4, -1), "0 or more"),
        (lambda: it.Spins(3, magnetization=0), "of that parity"),
        (lambda: it.Spins(3, s=0.7), "multiple of 1/2"),
        (lambda: it.Bosons(3), "most"),
        (lambda: it.Bosons(2, particles=9, most=2), "at least one configuration"),
        (lambda: it.Rydberg(5), "a lattice or a graph"),
        (lambda: it.Qudits("chain", 3), "a lattice such as"),
        (lambda: it.Fermions(3, (1, 1), parity=1), "at least one configuration"),
    ],
)
def test_what_cannot_be_says_so(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_equal_spaces_are_one_static_argument():
    a, b = it.Rydberg(it.Chain(5)), it.Rydberg(it.Chain(5))
    assert a == b and hash(a) == hash(b) and a != it.Rydberg(it.Chain(6))
