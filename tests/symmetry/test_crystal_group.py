"""Z^d ⋊ H and its tori in one, two and three dimensions, against maps of points; space groups of lattices."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.spaces import Chain, Kagome, Square
from intertwine.spaces.grid import Grid
from intertwine.symmetry import (
    CrystalGroup,
    FiniteGroup,
    PermutationGroup,
    character_table,
    cyclic,
    dihedral,
    hom_dim,
    irreps,
    octahedral,
    octahedral_rotations,
    permutation,
    quotient,
    site_stabiliser,
    trivial,
    with_inversion,
)

CRYSTALS = {
    "Z": lambda: CrystalGroup.translations(1),
    "Z²": lambda: CrystalGroup.translations(2),
    "line with reflections": lambda: CrystalGroup([[[1]], [[-1]]]),
    "p4m": lambda: CrystalGroup(Grid("p4m").steps, dihedral(4)),
    "p6": lambda: CrystalGroup(Grid("p6").steps, cyclic(6)),
    "p3m1": lambda: CrystalGroup(Grid("p3m1").steps),
    "p31m": lambda: CrystalGroup(Grid("p31m").steps),
    "Z³ ⋊ O": lambda: CrystalGroup(octahedral_rotations(), octahedral()),
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_group_laws(name):
    """Products act like maps one after another, also far from the origin; inverses undo them."""
    G = CRYSTALS[name]()
    rng = np.random.default_rng(0)
    order, d = len(G.matrices), G.dimension
    a, b, c = (G.element(rng.integers(-9, 9, (40, d)), rng.integers(order, size=40)) for _ in range(3))
    x = rng.integers(-20, 20, (40, d))
    assert np.array_equal(G.act(G.multiply(a, b), x), G.act(a, G.act(b, x)))
    left, right = G.multiply(G.multiply(a, b), c), G.multiply(a, G.multiply(b, c))
    assert all(np.array_equal(p, q) for p, q in zip(left, right, strict=True))
    one = G.multiply(a, G.inverse(a))
    assert not one.translation.any() and (one.point == G.point_group.identity).all()


@pytest.mark.parametrize(("name", "lengths"), [
    ("Z", 7), ("Z²", (3, 4)), ("line with reflections", 6), ("p4m", 4), ("p6", 3), ("p3m1", 4), ("p31m", 3),
    ("Z³ ⋊ O", 3),
])  # fmt: skip
def test_tori(name, lengths):
    """The finite group is the quotient: rows multiply like elements, and sites are G/H."""
    G = CRYSTALS[name]()
    torus = G.torus(lengths)
    sites = int(np.prod(torus.lengths))
    assert torus.group.order == sites * len(G.matrices)
    rng = np.random.default_rng(1)
    a, b = rng.integers(torus.group.order, size=(2, 50))
    product = G.multiply(torus.element(a), torus.element(b))
    assert np.array_equal(torus.row(*product), torus.group.product_table[a, b])
    assert np.array_equal(torus.row(*torus.element(a)), a)
    T, H = torus.translations, torus.point_group
    assert T.is_normal and T.order == sites and T.group.is_abelian
    assert H.group == G.point_group and np.intersect1d(T.members, H.members).tolist() == [
        torus.group.identity
    ]
    # the permutation representation on sites is that on cosets, which are numbered otherwise
    on_sites = permutation(torus.group, torus.site_action)
    assert np.array_equal(on_sites.character, quotient(H).character)


def test_torus_of_a_lattice_is_its_space_group():
    """Square 5×5 with D_4: the lattice's own permutations are those of the torus."""
    torus = CRYSTALS["p4m"]().torus(5)
    found = PermutationGroup(torus.site_action)
    known = Square(5).space_group
    assert {row.tobytes() for row in found.permutations} == {row.tobytes() for row in known.permutations}


def test_characters_of_a_torus():
    """3×3 hexagonal torus with C_6: one Γ star with six characters, K of two points, one star of six."""
    table = character_table(CRYSTALS["p6"]().torus(3).group)
    assert table.degrees.tolist() == [1] * 6 + [2] * 3 + [6]


@pytest.mark.parametrize("lattice", [Chain(6), Square(4), Kagome(3)], ids=["chain", "square", "kagome"])
def test_stabilisers_of_sites(lattice):
    """G/H are the sites; conjugate stabilisers have equal orders; functions on sites contain 1 once."""
    G = lattice.space_group
    for site in (0, lattice.size - 1):
        H = site_stabiliser(G, site)
        assert H.index == lattice.size
        assert (G.permutations[H.members, site] == site).all()
    sites = permutation(H.parent, G.permutations)
    assert hom_dim(sites, trivial(H.parent)) == 1
    assert np.array_equal(sites.character, quotient(H).character)
    assert sum(rep.dimension**2 for rep in irreps(H)) == H.order


def test_point_groups_that_are_not_faithful():
    """A point group may act through a quotient: an inner reflection that moves no point."""
    inner = with_inversion(cyclic(2))
    signs = np.array([1, -1, 1, -1]).reshape(4, 1, 1)
    torus = CrystalGroup(signs, inner).torus(4)
    assert torus.group.order == 16 and not torus.group.is_abelian


def test_bad_input():
    p4 = Grid("p4").steps
    for matrices, group, word in [
        (Grid("p6").linear, None, "whole numbers"),
        (p4[:3], None, "finite group"),
        (p4[[0, 1, 2, 2]], None, "finite group"),
        (p4, cyclic(3), "order 4"),
        (p4[[0, 2, 1, 3]], cyclic(4), "multiply like"),
        ([[1, 0]], None, "shape"),
    ]:
        with pytest.raises(InputError, match=word):
            CrystalGroup(matrices, group)
    crystal = CrystalGroup(p4, cyclic(4))
    for lengths, word in [((3, 4), "map"), (0, "positive"), ((3, 3, 3), "one length"), (200, "at most")]:
        with pytest.raises(InputError, match=word):
            crystal.torus(lengths)
    for t, h, word in [([1.0, 2.0], 0, "integers"), ([1], 0, "integers"), ([1, 2], 4, "rows")]:
        with pytest.raises(InputError, match=word):
            crystal.element(t, h)
    with pytest.raises(InputError, match="PermutationGroup"):
        site_stabiliser(FiniteGroup([[0]]))
    with pytest.raises(InputError, match="site"):
        site_stabiliser(Square(4).space_group, 16)
