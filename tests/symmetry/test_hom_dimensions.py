"""dim Hom counted in up to six ways that share no code: the basis itself, the trace of the group on kernels,
double cosets, the null space of the equations, ⟨χ, χ'⟩ of the induced representations, and their numerical
commutant. Frobenius reciprocity for every pair H ⊂ G of the table.
"""

import itertools

import numpy as np
import pytest
from group_table import GROUPS, SMALL, group

from intertwine._checks import InputError
from intertwine.spaces import Kagome, Square
from intertwine.spaces.grid import Grid
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.symmetry import (
    CrystalGroup,
    cyclic,
    dihedral,
    dimension_by_characters,
    dimension_by_double_cosets,
    dimension_by_null_space,
    hom_dim,
    hom_space,
    induce,
    intertwiners,
    irreps,
    mackey_dim,
    permutation,
    quotient,
    regular,
    trivial,
)


def counts(space, rep_in, rep_out, support) -> set[int]:
    """All that is counted on a support."""
    return {
        intertwiners(space, rep_in, rep_out, support).dimension,
        dimension_by_characters(space, rep_in, rep_out, support),
        dimension_by_double_cosets(space, rep_in, rep_out, support),
        dimension_by_null_space(space, rep_in, rep_out, support),
    }


def typed(grid, name):
    kinds = {"scalar": grid.scalar, "vector": grid.vector, "regular": regular(grid.group)}
    return kinds[name] if name in kinds else irreps(grid.group, "real")[int(name)]


# group, width, from, to, dimension. vector → vector are the published ones; a scalar to a regular field takes
# one number a tap, and a regular to a regular one |H| numbers a tap.
PLANAR = [
    ("p4", 3, "vector", "vector", 10),
    ("p4m", 3, "vector", "vector", 5),
    ("p4", 5, "vector", "vector", 26),
    ("p4m", 5, "vector", "vector", 13),
    ("p6", 3, "vector", "vector", 6),
    ("p6m", 3, "vector", "vector", 3),
    ("p4", 3, "scalar", "scalar", 3),
    ("p4m", 3, "scalar", "scalar", 3),
    ("p4m", 5, "scalar", "scalar", 6),
    ("p6m", 5, "scalar", "scalar", 4),
    ("p4", 3, "scalar", "regular", 9),
    ("p4m", 3, "scalar", "regular", 9),
    ("p6", 3, "scalar", "regular", 7),
    ("p4m", 3, "regular", "regular", 72),
    ("p6m", 3, "regular", "regular", 84),
    ("p4", 5, "regular", "regular", 100),
    ("p4m", 3, "vector", "regular", 18),
    ("p3m1", 3, "vector", "regular", 14),
    ("p3", 3, "vector", "vector", None),
    ("p2", 3, "vector", "scalar", None),
    ("pm", 3, "vector", "vector", None),
    ("p31m", 3, "vector", "vector", None),
    ("p2mm", 3, "1", "vector", None),
    ("p4m", 3, "2", "vector", None),
    ("p6m", 3, "4", "5", None),
    ("p6", 3, "1", "2", None),
    ("p4m", 4, "vector", "vector", None),
    ("cubic:o", 3, "vector", "vector", None),
    ("line:m", 5, "regular", "scalar", 5),
]


@pytest.mark.parametrize(("name", "width", "into", "out", "expected"), PLANAR)
def test_planar(name, width, into, out, expected):
    """Also as Hom_H(functions on the window ⊗ ρ, σ) of the point group alone."""
    grid = Grid(name)
    rep_in, rep_out = typed(grid, into), typed(grid, out)
    region = grid.support(width)
    window = permutation(grid.group, region.kinds[0].action)
    found = counts(grid, rep_in, rep_out, region) | {hom_dim(window.tensor(rep_in), rep_out)}
    if window.dimension * rep_in.dimension * rep_out.dimension <= 400:
        found.add(len(hom_space(window.tensor(rep_in), rep_out)))
    assert len(found) == 1 and expected in (None, *found)


@pytest.mark.parametrize(
    ("name", "L", "expected"), [("p4", 3, 10), ("p4m", 3, 5), ("p4", 5, 26), ("p4m", 5, 13)]
)
def test_windows_that_fill_a_torus(name, L, expected):
    """Kernels of an L×L window are Hom_G(Ind ρ, Ind ρ) of G = Z_L² ⋊ H, by Mackey and by characters."""
    grid = Grid(name)
    torus = CrystalGroup(grid.steps, grid.group).torus(L)
    H = torus.point_group
    assert H.group == grid.group and H.index == L * L
    assert mackey_dim(H, grid.vector, H, grid.vector) == expected
    field = induce(H, torus.group, grid.vector)
    assert hom_dim(field, field) == expected


def _induced(name, generators_in, generators_out, field="real"):
    G = group(name)
    H, K = G.generate(generators_in), G.generate(generators_out)
    return G, H, K, irreps(H, field), irreps(K, field)


# group, generators of H and of K; all pairs of irreps of H and K are counted
INDUCED = [
    ("A5", [1], [1], "real"),
    ("A5", [1, 3], [1], "real"),
    ("A5", [16], [1, 3], "real"),
    ("A5", [16], [16], "complex"),
    ("S4", [1], [9], "real"),
    ("S4", [1, 2], [7], "real"),
    ("S4", [9], [9], "complex"),
    ("SL(2,3)", [1], [2], "real"),
    ("Q8", [1], [4], "real"),
    ("Q8", [2], [1], "complex"),
    ("O", [3], [5], "real"),
    ("F21", [1], [3], "complex"),
    ("D6", [6], [2], "real"),
]


@pytest.mark.parametrize(("name", "into", "out", "field"), INDUCED)
def test_induced(name, into, out, field):
    """Six counts for every pair of irreps of two subgroups."""
    G, H, K, of_h, of_k = _induced(name, into, out, field)
    assert 1 < H.order < G.order and 1 < K.order < G.order
    support = HomogeneousSpace(H).support(target=HomogeneousSpace(K))
    for rho, sigma in itertools.product(of_h, of_k):
        found = counts(None, rho, sigma, support)
        found.add(mackey_dim(H, rho, K, sigma))
        a, b = induce(H, G, rho), induce(K, G, sigma)
        found.add(hom_dim(a, b))
        if a.dimension * b.dimension <= 600:
            found.add(len(hom_space(a, b)))
        assert len(found) == 1


@pytest.mark.parametrize("lattice", [Square(4), Kagome(3)], ids=["square 4×4", "kagome 3×3"])
def test_space_groups(lattice):
    """Fields on the sites of a lattice, of every type that the stabiliser of a site allows."""
    space = HomogeneousSpace.sites(lattice)
    H = space.stabiliser
    known = [*irreps(H, "real"), regular(H)]
    for rho, sigma in itertools.product(known, known[:2] + known[-2:]):
        found = counts(space, rho, sigma, None)
        found.add(mackey_dim(H, rho, H, sigma))
        found.add(hom_dim(induce(H, space.group, rho), induce(H, space.group, sigma)))
        assert len(found) == 1


def test_hom_space_is_what_it_says():
    """b(g) X = X a(g) for every element, and orthonormal."""
    G = group("S4")
    a, b = quotient(G.generate([1])), regular(G)
    found = hom_space(a, b)
    assert len(found) == hom_dim(a, b) == 12
    for g in range(G.order):
        assert np.abs(b.matrix(g) @ found - found @ a.matrix(g)).max() < 1e-12
    flat = found.reshape(12, -1)
    assert np.abs(flat @ flat.T - np.eye(12)).max() < 1e-12


def subgroups(G, most=2):
    """All subgroups with at most `most` generators."""
    known = {}
    for rows in itertools.combinations_with_replacement(range(G.order), most):
        H = G.generate(rows)
        known[H.members.tobytes()] = H
    return known.values()


@pytest.mark.parametrize("name", [n for n in SMALL if GROUPS[n].order <= 12] + ["S4", "SL(2,3)", "F20"])
def test_frobenius_reciprocity(name):
    """⟨Ind ρ, σ⟩_G = ⟨ρ, Res σ⟩_H for every subgroup with two generators, and all irreps of both."""
    G = group(name)
    for H in subgroups(G):
        for rho in irreps(H):
            made = induce(H, G, rho)
            assert made.dimension == H.index * rho.dimension
            for sigma in irreps(G):
                assert hom_dim(made, sigma) == hom_dim(rho, sigma.restrict(H))


@pytest.mark.parametrize("name", ["A5", "S5", "Th", "Oh", "PSL(2,7)", "3^(1+2)", "square 4×4", "kagome 3×3"])
def test_frobenius_reciprocity_of_cyclic_subgroups(name):
    """The same for one cyclic subgroup of each class."""
    G = group(name)
    for g in np.unique(G.class_of, return_index=True)[1]:
        H = G.generate([int(g)])
        for rho in irreps(H):
            character = induce(H, G, rho).character if H.index <= 60 else _induced_character(H, rho)
            for sigma in irreps(G):
                left = np.vdot(character, sigma.character) / G.order
                assert abs(left - hom_dim(rho, sigma.restrict(H))) < 1e-9


def _induced_character(H, rho):
    """(1/|H|) Σ_x χ(x⁻¹ g x), where in H."""
    G, t = H.parent, H.parent.product_table
    x = np.arange(G.order)
    inside = H.place[t[t[G.inverse[x][:, None], x[None, :]].T, x]]  # (g, x): x⁻¹ g x
    return np.where(inside >= 0, rho.character[inside], 0).sum(axis=1) / H.order


def test_induced_characters_are_the_formula():
    G = group("S4")
    for H in subgroups(G):
        for rho in irreps(H):
            assert np.abs(induce(H, G, rho).character - _induced_character(H, rho)).max() < 1e-12


def test_transitivity_of_induction():
    """Ind_H^G = Ind_K^G Ind_H^K up to a change of basis: equal characters."""
    G = group("S4")
    K = G.generate([1, 7])
    for H in subgroups(K.group):
        inside = G.subgroup(K.members[H.members])
        for rho in irreps(H):
            twice = induce(K, G, induce(H, K.group, rho))
            assert np.abs(twice.character - induce(inside, G, rho).character).max() < 1e-12


def test_bad_input():
    G = dihedral(4)
    H = G.generate([4])
    with pytest.raises(InputError, match="Subgroup"):
        mackey_dim(G, trivial(G), H, trivial(H))
    with pytest.raises(InputError, match=r"representations of H\.group"):
        mackey_dim(H, trivial(cyclic(3)), H, trivial(H))
    with pytest.raises(InputError, match="same group"):
        other = dihedral(3).generate([3])
        mackey_dim(H, trivial(H), other, trivial(other))
    with pytest.raises(InputError, match="one group"):
        hom_space(trivial(G), trivial(cyclic(3)))
    with pytest.raises(InputError, match="entries"):
        hom_space(100 * trivial(G), 100 * trivial(G))
