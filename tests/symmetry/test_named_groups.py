"""Named groups and products against textbook orders and rotation matrices; what is no group is refused."""

import numpy as np
import pytest
from group_table import GROUPS, group

import intertwine.symmetry as sym
from intertwine._checks import InputError
from intertwine.symmetry import FiniteGroup, Rep, cyclic, dihedral


@pytest.mark.parametrize("name", GROUPS)
def test_orders_and_axioms(name):
    """Order, identity, inverses and classes; associativity on all triples where they are few."""
    G, t = group(name), group(name).product_table
    assert G.order == GROUPS[name].order
    assert (t[np.arange(G.order), G.inverse] == G.identity).all()
    assert len(G.conjugacy_classes()) == len(GROUPS[name].degrees)
    assert all(G.order % n == 0 for n in G.element_orders)
    if G.order <= 64:
        a, b, c = np.ogrid[: G.order, : G.order, : G.order]
        assert np.array_equal(t[t[a, b], c], t[a, t[b, c]])


@pytest.mark.parametrize("solid", ["tetrahedral", "octahedral", "icosahedral", "full_tetrahedral"])
def test_matrices_of_the_solids(solid):
    """They are orthogonal, multiply like the rows, and are rotations but for T_d."""
    G = getattr(sym, solid)()
    M = getattr(sym, solid + ("_matrices" if solid.startswith("full") else "_rotations"))()
    assert np.abs(np.einsum("aij,bjk->abik", M, M) - M[G.product_table]).max() < 1e-15
    determinants = np.linalg.det(M)
    if solid == "full_tetrahedral":
        assert abs(determinants.sum()) < 1e-12
        corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
        for m in M:
            assert sorted(map(tuple, (corners @ m.T).astype(int))) == sorted(map(tuple, corners))
    else:
        assert np.allclose(determinants, 1)
    assert Rep(G, M).is_orthogonal


def test_rotations_of_the_solids_contain_the_tetrahedron():
    """T ⊂ O and T ⊂ I as matrices."""
    inner = sym.tetrahedral_rotations()
    for outer in (sym.octahedral_rotations(), sym.icosahedral_rotations()):
        distance = np.abs(inner[:, None] - outer).max(axis=(2, 3)).min(axis=1)
        assert distance.max() < 1e-15


def test_icosahedron_maps_its_corners_to_themselves():
    golden = (1 + 5**0.5) / 2
    signs = [(s, t) for s in (1, -1) for t in (1, -1)]
    corners = np.array([np.roll([0, s, t * golden], k) for k in range(3) for s, t in signs])
    images = np.einsum("gij,cj->gci", sym.icosahedral_rotations(), corners)
    assert np.abs(images[:, :, None] - corners).max(axis=3).min(axis=2).max() < 1e-14


def test_classes_of_the_icosahedral_group():
    """Half turns 15, third turns 20, fifth turns 12 + 12."""
    sizes = sorted(len(c) for c in sym.icosahedral().conjugacy_classes())
    assert sizes == [1, 12, 12, 15, 20]


def test_products():
    """D_n = C_n ⋊ C_2, C_2 × C_3 = C_6 and regular(G × H) = regular(G) ⊗ regular(H)."""
    n = 5
    made = sym.semidirect_product(cyclic(n), cyclic(2), [np.arange(n), -np.arange(n) % n])
    rows = np.arange(2 * n).reshape(n, 2).T.ravel()  # (k, s) at 2k + s; dihedral at n s + k
    assert np.array_equal(made.product_table[np.ix_(rows, rows)], rows[dihedral(n).product_table])
    assert sorted(sym.direct_product(cyclic(2), cyclic(3)).element_orders) == sorted(cyclic(6).element_orders)
    G, H = dihedral(3), cyclic(2)
    both = sym.direct_product(G, H)
    g, h = np.divmod(np.arange(12), 2)
    for x in range(12):
        expected = np.kron(sym.regular(G).matrix(g[x]), sym.regular(H).matrix(h[x]))
        assert np.array_equal(sym.regular(both).matrix(x), expected)


def test_direct_product_has_products_of_characters():
    G, H = sym.quaternion(), sym.alternating(4)
    left, right = sym.character_table(G), sym.character_table(H)
    both = sym.character_table(sym.direct_product(G, H))
    expected = np.einsum("ag,bh->abgh", left.values[:, G.class_of], right.values[:, H.class_of])
    rows = both.values[:, both.group.class_of].round(9) + 0.0
    assert {r.tobytes() for r in expected.reshape(-1, 96).round(9) + 0.0} == {r.tobytes() for r in rows}


def test_no_group():
    """Each axiom that fails is named."""
    cases = {
        "Latin square": [[0, 1], [1, 1]],
        "identity": [[1, 2, 0], [0, 1, 2], [2, 0, 1]],
        "integers of shape": [[0.0]],
    }
    for word, table in cases.items():
        with pytest.raises(InputError, match=word):
            FiniteGroup(np.array(table))
    # a Latin square with an identity that is not associative (the smallest has order 5)
    loop = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]
    with pytest.raises(InputError, match="associative"):
        FiniteGroup(np.array(loop))


def test_matrices_that_generate_no_finite_group():
    with pytest.raises(InputError, match="finite group"):
        FiniteGroup.from_matrices([[[1.0, 1.0], [0.0, 1.0]]])
    with pytest.raises(InputError, match="finite group"):
        angle = 1.0  # no rational part of a turn
        turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        FiniteGroup.from_matrices([turn])
    with pytest.raises(InputError, match="invertible"):
        FiniteGroup.from_matrices([[[1.0, 0.0], [0.0, 0.0]]])
    with pytest.raises(InputError, match="square matrices"):
        FiniteGroup.from_matrices([[1.0, 2.0]])


def test_bad_products_and_names():
    n = np.arange(5)
    for action, word in [
        ([n], "shape"),
        ([n, np.zeros(5, int)], "permute"),
        ([n, [0, 2, 1, 3, 4]], "automorphisms"),
        ([n, 2 * n % 5], "homomorphism"),
    ]:
        with pytest.raises(InputError, match=word):
            sym.semidirect_product(cyclic(5), cyclic(2), action)
    for make in (sym.symmetric, sym.alternating, sym.cyclic, sym.dicyclic):
        for n in (0, -1, 2.5, 8 if make in (sym.symmetric, sym.alternating) else 0):
            with pytest.raises(InputError, match="n:"):
                make(n)
    with pytest.raises(InputError, match="FiniteGroup"):
        sym.direct_product(cyclic(2), "C3")


def test_no_subgroup():
    G = sym.symmetric(4)
    with pytest.raises(InputError, match="subgroup"):
        G.subgroup([0, 1, 2])
    with pytest.raises(InputError, match="distinct rows"):
        G.subgroup([0, 0])
    with pytest.raises(InputError, match="elements from"):
        G.generate([24])
    with pytest.raises(InputError, match="subgroup of"):
        sym.induce(dihedral(3).generate([1]), G, sym.trivial(cyclic(3)))
    with pytest.raises(InputError, match="rho"):
        sym.induce(G.generate([1]), G, sym.trivial(cyclic(5)))


def test_no_representation():
    with pytest.raises(InputError, match=r"ρ\(gh\)"):
        Rep(cyclic(3), [[[1.0]], [[-1.0]], [[1.0]]])
    with pytest.raises(InputError, match=r"ρ\(e\)"):
        Rep(cyclic(1), [[[0.0]]])
    with pytest.raises(InputError, match="finite numbers"):
        Rep(cyclic(1), [[[np.nan]]])
    with pytest.raises(InputError, match="action"):
        sym.permutation(cyclic(3), [[0, 1, 2], [1, 0, 2], [2, 0, 1]])
