"""Laws of irreducible representations on every group of the table, complex and real; closed forms."""

import numpy as np
import pytest
from group_table import GROUPS, group, heisenberg

from intertwine._checks import InputError
from intertwine.spaces import Square
from intertwine.symmetry import (
    FiniteGroup,
    Rep,
    alternating,
    character_table,
    cyclic,
    dihedral,
    direct_product,
    frobenius_schur,
    hom_dim,
    icosahedral,
    icosahedral_rotations,
    irreps,
    quaternion,
    regular,
    trivial,
)
from intertwine.symmetry._matrix_elements import Seed, seeds, unitary_matrices


def homomorphism_error(rep: Rep) -> float:
    """On all pairs of elements; on all times generators above 128 elements."""
    G, M = rep.group, rep.matrices
    elements = range(G.order) if G.order <= 128 else G.generators
    return max(float(np.abs(M[G.product_table[:, s]] - M @ M[s]).max()) for s in elements)


@pytest.mark.parametrize("name", GROUPS)
def test_complex(name):
    """Homomorphism and unitarity to 1e-12, characters of the table in its order, real where ν = 1."""
    G = group(name)
    table, made = character_table(G), irreps(G)
    assert [rep.dimension for rep in made] == table.degrees.tolist()
    for row, rep in enumerate(made):
        assert homomorphism_error(rep) < 1e-12
        products = np.einsum("gij,gkj->gik", rep.matrices, rep.matrices.conj())
        assert np.abs(products - np.eye(rep.dimension)).max() < 1e-12
        assert np.abs(rep.character - table.values[row, G.class_of]).max() < 1e-12
        assert frobenius_schur(rep) == table.indicators[row]
        assert (rep.dtype.kind == "f") == (table.indicators[row] == 1)
    assert made[0] == trivial(G)


@pytest.mark.parametrize("name", [n for n in GROUPS if GROUPS[n].order <= 128])
def test_matrix_elements_are_orthogonal(name):
    """Schur: (1/|G|) Σ ρ(g)_ij σ(g)_kl* = δ δ δ/d: the |G| matrix elements are a basis of functions."""
    G = group(name)
    made = irreps(G)
    functions = np.concatenate([(r.matrices * r.dimension**0.5).reshape(G.order, -1) for r in made], axis=1)
    assert functions.shape == (G.order, G.order)
    gram = functions.conj().T @ functions / G.order
    assert np.abs(gram - np.eye(G.order)).max() < 1e-12


@pytest.mark.parametrize("name", GROUPS)
def test_real(name):
    """Real orthogonal, with commutant R, C or H: hom_dim(ρ, ρ) = 1, 2, 4, and nothing in common."""
    G = group(name)
    table, made = character_table(G), irreps(G, "real")
    pairs = int((table.indicators == 0).sum()) // 2
    assert len(made) == len(table) - pairs
    for rep in made:
        assert rep.dtype.kind == "f" and homomorphism_error(rep) < 1e-12
        products = np.einsum("gij,gkj->gik", rep.matrices, rep.matrices)
        assert np.abs(products - np.eye(rep.dimension)).max() < 1e-12
    if len(made) <= 12:
        commutants = [[hom_dim(a, b) for b in made] for a in made]
        kinds = [t for row, t in enumerate(table.types) if t != "complex" or table.conjugates[row] > row]
        expected = [{"real": 1, "complex": 2, "quaternionic": 4}[t] for t in kinds]
        assert np.array_equal(commutants, np.diag(expected))


def test_cyclic_closed_form():
    """Frequency k: complex phases, or rotations by 2πk/n."""
    n = 7
    j = np.arange(n)
    named = {rep.name: rep for rep in irreps(cyclic(n))}
    assert set(named) == {"trivial", *(f"irrep {k}" for k in (1, 2, 3, -1, -2, -3))}
    for k in (1, -2, 3):
        assert np.allclose(named[f"irrep {k}"].matrices[:, 0, 0], np.exp(2j * np.pi * k * j / n), atol=1e-15)
    for k, rep in enumerate(irreps(cyclic(n), "real")[1:], 1):
        angle = 2 * np.pi * k * j / n
        expected = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert rep.name == f"irrep {k}" and np.allclose(
            rep.matrices, np.moveaxis(expected, -1, 0), atol=1e-15
        )


@pytest.mark.parametrize("n", [2, 3, 4, 6, 9, 16])
def test_dihedral_closed_form(n):
    """irrep 1 is the plane itself: r turns e_0 towards e_1, s reflects axis 1; A2 is the determinant."""
    G = dihedral(n)
    angle = 2 * np.pi * np.arange(n) / n
    turns = np.moveaxis(np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]), -1, 0)
    plane = np.concatenate([turns, turns @ np.diag([1.0, -1.0])])
    named = {rep.name: rep for rep in irreps(G)}
    assert np.allclose(named["A2"].matrices[:, 0, 0], np.linalg.det(plane))
    if n > 2:
        assert np.allclose(named["irrep 1"].matrices, plane, atol=1e-15)
    if n % 2 == 0:
        assert named["B1"].matrices[1, 0, 0] == -1 and named["B1"].matrices[n, 0, 0] == 1
        assert named["B2"].matrices[n, 0, 0] == -1
    assert sum(rep.dimension**2 for rep in named.values()) == 2 * n == G.order


def test_subgroups_of_named_groups_have_closed_forms():
    """The rotations of D_6 are C_6, by content."""
    H = dihedral(6).generate([1])
    assert [rep.name for rep in irreps(H, "real")] == ["trivial", "irrep 1", "irrep 2", "irrep 3"]


def test_icosahedral_vectors():
    """The rotation matrices are one of the two irreps of dimension 3."""
    vector = Rep(icosahedral(), icosahedral_rotations())
    assert [hom_dim(vector, rep) for rep in irreps(icosahedral())] in ([0, 1, 0, 0, 0], [0, 0, 1, 0, 0])


def test_square_lattice_with_every_momentum():
    """A PermutationGroup is taken as it is."""
    made = irreps(Square(4).space_group, "real")
    assert max(homomorphism_error(rep) for rep in made) < 1e-12 and len(made) == 20


@pytest.mark.parametrize("name", ["S4", "Q8", "SL(2,3)", "A5", "PSL(2,7)"])
def test_several_copies_are_told_apart(name):
    """With H = 1 a seed contains χ(1) copies: the eigenspace of the commutant is one of them."""
    G = group(name)
    table = character_table(G)
    for row in np.flatnonzero(table.degrees > 1):
        seed = Seed(int(table.degrees[row]), G.generate([]), np.ones(1, complex))
        character = table.values[row, G.class_of]
        real = bool(table.indicators[row] == 1)
        rep = Rep(G, unitary_matrices(G, character, seed, real))
        assert homomorphism_error(rep) < 1e-11 and np.abs(rep.character - character).max() < 1e-11
        assert (rep.dtype.kind == "f") == real


def test_seeds_of_small_multiplicity_are_found():
    """p-groups have linear characters of multiplicity 1; A6 and PSL(2,7) need at most 2 copies."""
    for G, most in ((heisenberg(5), 1), (group("Q8×Q8"), 1), (group("A6"), 2), (group("PSL(2,7)"), 2)):
        table = character_table(G)
        found = seeds(table)
        assert set(found) == set(np.flatnonzero(table.degrees > 1))
        assert max(seed.multiplicity for seed in found.values()) <= most


@pytest.mark.parametrize(
    "make",
    [lambda: cyclic(1000), lambda: dihedral(500), lambda: direct_product(heisenberg(5), quaternion())],
)
def test_order_one_thousand(make):
    G = make()
    made = irreps(G)
    assert sum(rep.dimension**2 for rep in made) == 1000
    assert max(homomorphism_error(rep) for rep in made) < 1e-12


@pytest.mark.slow
def test_large_groups():
    """A_7 (2,520) and S_7 (5,040), 35-dimensional irreps included."""
    from intertwine.symmetry import symmetric

    for G, top in ((alternating(7), 35), (symmetric(7), 35)):
        made = irreps(G)
        assert sum(rep.dimension**2 for rep in made) == G.order and made[-1].dimension == top
        assert max(homomorphism_error(rep) for rep in made) < 1e-12


def test_same_group_same_matrices():
    """By content: a copy of a group has the same irreps, digit by digit."""
    G = group("SL(2,3)")
    copy = FiniteGroup(G.product_table.copy())
    assert all(a == b for a, b in zip(irreps(G), irreps(copy), strict=True))


def test_bad_input():
    with pytest.raises(InputError, match="field"):
        irreps(dihedral(3), "rational")
    with pytest.raises(InputError, match="FiniteGroup"):
        irreps("D4")
    with pytest.raises(InputError, match="Rep"):
        frobenius_schur(np.eye(2))
    assert frobenius_schur(regular(dihedral(4))) == 6  # involutions and the identity
