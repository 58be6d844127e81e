"""Homogeneous spaces G/H: the cocycle, the action on fields, and lattices as G/H."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.spaces.lattices import Chain, Honeycomb, Kagome, Square
from intertwine.symmetry import PermutationGroup, Rep, dihedral, induce, regular, trivial

D4 = dihedral(4)
SPACES = {
    "D4/mirror": HomogeneousSpace(D4.generate([4])),
    "D4/C4": HomogeneousSpace(D4.generate([1])),
    "D4": HomogeneousSpace.of(D4),
    "D4/D4": HomogeneousSpace(D4.whole),
    "another section": HomogeneousSpace(D4.generate([4]), section=[5, 4, 2, 7]),
    "kagome 2x2": HomogeneousSpace.sites(Kagome(2, 2)),
    "honeycomb 2x2": HomogeneousSpace.sites(Honeycomb(2, 2)),
    "square 3x3": HomogeneousSpace.sites(Square(3, 3)),
}
TABLE = pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))


@TABLE
def test_cocycle_identity(space):
    """h(g g', x) = h(g, g'x) h(g', x) for all g, g' and x, exactly."""
    group, fibre = space.group, space.fibre_group
    first = np.arange(group.order)
    for second in range(0, group.order, max(1, group.order // 16)):
        left = space.cocycle[group.product_table[first, second]]
        middle = space.action[second]
        right = fibre.product_table[space.cocycle[first][:, middle], space.cocycle[second][None]]
        np.testing.assert_array_equal(left, right)
        np.testing.assert_array_equal(
            space.action[group.product_table[first, second]], space.action[first][:, middle]
        )


@TABLE
def test_fields_are_the_induced_representation(space):
    """The action on fields is a homomorphism with the character of Ind_H^G ρ."""
    rep = trivial(space.fibre_group) + regular(space.fibre_group)
    g = space.group
    n, d = space.size, rep.dimension
    basis = np.eye(n * d).reshape(n * d, n, d)
    chosen = list(range(0, g.order, max(1, g.order // 8)))
    matrices = (
        {k: space.act(k, basis, rep).reshape(n * d, n * d).T for k in range(g.order)} if n * d < 64 else {}
    )
    if matrices:
        induced = induce(space.stabiliser, g, rep)
        traces = [np.trace(matrices[k]) for k in range(g.order)]
        np.testing.assert_allclose(traces, induced.character, atol=1e-12)
        for a in chosen:
            for b in chosen:
                product = matrices[int(g.product_table[a, b])]
                np.testing.assert_allclose(matrices[a] @ matrices[b], product, atol=1e-12)
    else:
        field = np.random.default_rng(0).normal(size=(n, d))
        for a in chosen:
            for b in chosen:
                together = space.act(int(g.product_table[a, b]), field, rep)
                np.testing.assert_allclose(space.act(a, space.act(b, field, rep), rep), together, atol=1e-12)


def test_sites_move_as_on_the_lattice():
    lattice = Kagome(2, 2)
    space = HomogeneousSpace.sites(lattice)
    np.testing.assert_array_equal(space.action, lattice.space_group.permutations)


def test_sites_that_are_not_joined_are_refused():
    with pytest.raises(InputError, match="2 orbits"):
        HomogeneousSpace.sites(PermutationGroup([[0, 1, 2], [1, 0, 2]]))
    with pytest.raises(InputError, match=r"^symmetry: expected a lattice"):
        HomogeneousSpace.sites(Chain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HomogeneousSpace(D4), "^stabiliser: expected a Subgroup"),
        (lambda: HomogeneousSpace(D4.generate([4]), section=[0, 4, 1, 2]), "^section: expected an element"),
        (lambda: SPACES["D4/mirror"].support([0, 1]), "^support: expected points that the stabiliser"),
        (lambda: SPACES["D4/mirror"].support([9]), "^support: expected distinct points"),
        (
            lambda: SPACES["D4/mirror"].act(0, np.zeros((3, 1)), trivial(D4.generate([4]))),
            "^field: expected shape",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_rep_of_another_group_is_refused():
    space = SPACES["D4/mirror"]
    with pytest.raises(InputError, match=r"^field: expected shape"):
        space.act(0, np.zeros((4, 8)), regular(D4))
    assert isinstance(space.scalar, Rep)
