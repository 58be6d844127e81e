"""Decompositions and Clebsch-Gordan coefficients against characters and the definition, to 1e-12."""

import numpy as np
import pytest
from group_table import GROUPS, SMALL, group

from intertwine._checks import InputError
from intertwine.symmetry import (
    Rep,
    character_table,
    clebsch_gordan,
    cyclic,
    decompose,
    dihedral,
    hom_dim,
    icosahedral,
    icosahedral_rotations,
    induce,
    irreps,
    permutation,
    quotient,
    regular,
    symmetric,
    trivial,
)


def error(found) -> float:
    """max |Q⁻¹ ρ(g) Q − ⊕ m σ(g)| over all elements."""
    inverse, total = np.linalg.inv(found.basis), found.sum
    G = found.rep.group
    elements = range(G.order) if G.order * found.rep.dimension**2 < 1e6 else G.generators
    gaps = [np.abs(inverse @ found.rep.matrix(g) @ found.basis - total.matrix(g)).max() for g in elements]
    return float(max(gaps))


@pytest.mark.parametrize("field", ["complex", "real"])
@pytest.mark.parametrize("name", [n for n in GROUPS if GROUPS[n].order <= 128])
def test_regular(name, field):
    """Over C each occurs as often as its dimension; Q is unitary, and real over R."""
    G = group(name)
    found = decompose(regular(G), field)
    assert error(found) < 1e-12
    assert np.abs(found.basis.conj().T @ found.basis - np.eye(G.order)).max() < 1e-12
    if field == "complex":
        assert list(found.multiplicities) == character_table(G).degrees.tolist()
        assert found.irreps == irreps(G)
    else:
        assert found.basis.dtype == np.float64
        for rep, m in zip(found.irreps, found.multiplicities, strict=True):
            assert m * hom_dim(rep, rep) == rep.dimension  # |G| = Σ d²/dim of the commutant


@pytest.mark.parametrize("name", ["S4", "Q8", "SL(2,3)", "F21", "A5"])
def test_induced_and_tensor_products(name):
    """Sums that remember their blocks, products, and induced ones; multiplicities are those of characters."""
    G = group(name)
    made, table = irreps(G), character_table(G)
    H = G.generate([int(np.argmax(G.element_orders))])
    for rep in (
        made[-1].tensor(made[-1]),
        2 * made[-1] + quotient(H) + made[1],
        induce(H, G, irreps(H)[-1]),
        made[-1].dual().tensor(made[-2]),
    ):
        found = decompose(rep, "complex")
        counts = table.multiplicities(rep)
        assert [made.index(sigma) for sigma in found.irreps] == np.flatnonzero(counts).tolist()
        assert list(found.multiplicities) == counts[counts > 0].tolist()
        assert error(found) < 1e-12


def test_matrices_that_are_not_unitary():
    """Any invertible change of basis is undone."""
    rng = np.random.default_rng(3)
    rep = (2 * irreps(symmetric(4))[4] + irreps(symmetric(4))[2]).changed(rng.normal(size=(8, 8)))
    found = decompose(rep)
    assert found.multiplicities == (1, 2) and error(found) < 1e-11


def test_embeddings_are_intertwiners():
    rep = regular(dihedral(5))
    found = decompose(rep)
    for k, sigma in enumerate(found.irreps):
        for T in found.embeddings(k):
            for g in range(10):
                assert np.abs(rep.matrix(g) @ T - T @ sigma.matrix(g)).max() < 1e-12
    with pytest.raises(InputError, match="k:"):
        found.embeddings(len(found.irreps))


@pytest.mark.parametrize("field", ["complex", "real"])
@pytest.mark.parametrize("name", ["D3", "D4", "C4", "Q8", "A4", "S4", "A5", "SL(2,3)", "Dic3"])
def test_clebsch_gordan(name, field):
    """C (a ⊗ b)(g) = σ(g) C, C C† = 1, and the parts are complete."""
    G = group(name)
    for a in irreps(G, field):
        for b in irreps(G, field):
            product, rows = a.tensor(b).matrices, []
            for part in clebsch_gordan(a, b, field):
                m, d = part.isometries.shape[:2]
                assert m * hom_dim(part.irrep, part.irrep) == hom_dim(a.tensor(b), part.irrep)
                for C in part.isometries.reshape(m, d, -1):
                    rows.append(C)
                    assert np.abs(C @ product - part.irrep.matrices @ C).max() < 1e-12
            Q = np.concatenate(rows)
            assert np.abs(Q @ Q.conj().T - np.eye(len(Q))).max() < 1e-12 and len(Q) == Q.shape[1]


def test_symmetric_traceless_tensors_of_the_icosahedron():
    """3 ⊗ 3 = 1 + 3 + 5: trace, cross product, and the traceless symmetric tensors stay irreducible."""
    vector = Rep(icosahedral(), icosahedral_rotations())
    parts = clebsch_gordan(vector, vector)
    assert [part.irrep.dimension for part in parts] == [1, 3, 5]
    trace, cross = parts[0].isometries[0], parts[1].isometries[0]
    assert np.allclose(np.abs(trace[0]), np.eye(3) / 3**0.5, atol=1e-12)
    assert np.allclose(cross, -cross.swapaxes(1, 2), atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_natural_permutations(name):
    """Functions on the cosets of every cyclic subgroup."""
    G = group(name)
    for g in np.unique(G.class_of, return_index=True)[1]:
        assert error(decompose(quotient(G.generate([int(g)])))) < 1e-12


def test_bad_input():
    with pytest.raises(InputError, match="Rep"):
        decompose(np.eye(3))
    with pytest.raises(InputError, match="complex"):
        decompose(irreps(cyclic(3))[1], "real")
    with pytest.raises(InputError, match="field"):
        decompose(trivial(cyclic(3)), "rational")
    sheared = permutation(cyclic(2), [[0, 1], [1, 0]]).changed([[1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="unitary"):
        clebsch_gordan(sheared, sheared)
    with pytest.raises(InputError, match="representation"):
        clebsch_gordan(trivial(cyclic(2)), trivial(cyclic(3)))
