"""SO(2), O(2), SO(3), O(3): scipy's spherical harmonics, Weyl's integrals, textbook restrictions."""

import itertools

import jax
import numpy as np
import pytest
from scipy.special import sph_harm_y

from intertwine._checks import InputError
from intertwine.symmetry import (
    CompactGroup,
    Rep,
    character_table,
    clebsch_gordan_compact,
    clebsch_gordan_so3,
    cyclic,
    decompose,
    dihedral,
    icosahedral,
    icosahedral_rotations,
    irreps,
    octahedral,
    octahedral_rotations,
    wigner_d,
    with_inversion,
)
from intertwine.symmetry.groups.rotations import (
    axis_rotation,
    euler_angles,
    euler_rotation,
    plane_angle,
    plane_rotation,
    random_rotations,
    rotation_angle,
)
from intertwine.symmetry.wigner import VECTOR_ORDER

ROTATIONS = random_rotations(20, key=jax.random.key(4))
S = np.diag([1.0, -1.0])


def elements_of(group: CompactGroup) -> np.ndarray:
    """Random elements, of both determinants where there are."""
    turns = plane_rotation(np.linspace(0.3, 17, 10)) if group.dimension == 2 else ROTATIONS[:10]
    if not group.has_reflections:
        return turns
    return np.concatenate([turns, turns @ (S if group.dimension == 2 else -np.eye(3))])


def irreps_of(group: CompactGroup, top: int):
    """All of frequency up to `top`."""
    labels = [(k, 1) for k in range(top + 1)]
    if group.name == "O(2)":
        labels.append((0, -1))
    if group.name == "O(3)":
        labels += [(k, -1) for k in range(top + 1)]
    return [group.irrep(*label) for label in labels]


NAMES = ["SO(2)", "O(2)", "SO(3)", "O(3)"]


@pytest.mark.parametrize("name", NAMES)
def test_irreps(name):
    """Homomorphism and orthogonality to 1e-12, character = trace, Schur by Weyl's integral."""
    group = CompactGroup(name)
    g = elements_of(group)
    made = irreps_of(group, 4)
    for rep in made:
        M = rep.matrix(g)
        products = rep.matrix(g[:, None] @ g[None])
        assert np.abs(M[:, None] @ M[None] - products).max() < 1e-12
        assert np.abs(M @ M.swapaxes(-1, -2) - np.eye(rep.dimension)).max() < 1e-12
        assert np.abs(np.trace(M, axis1=-2, axis2=-1) - rep.character(g)).max() < 1e-12
    gram = [[a.hom_dim(b) for b in made] for a in made]
    commutants = [2 if name == "SO(2)" and rep.dimension == 2 else 1 for rep in made]
    assert np.array_equal(gram, np.diag(commutants))


@pytest.mark.parametrize("name", NAMES)
def test_products(name):
    """Clebsch-Gordan maps commute with the group and are isometries; their parts have the right character."""
    group = CompactGroup(name)
    g = elements_of(group)
    for a, b in itertools.product(irreps_of(group, 3), repeat=2):
        product = np.einsum("gij,gkl->gikjl", a.matrix(g), b.matrix(g)).reshape(
            len(g), *2 * (a.dimension * b.dimension,)
        )
        rows = []
        for part in clebsch_gordan_compact(a, b):
            rep = group.irrep(*part.irrep)
            assert len(part.isometries) == a.tensor(b).multiplicity(*part.irrep)
            for C in part.isometries.reshape(-1, rep.dimension, product.shape[-1]):
                rows.append(C)
                assert np.abs(C @ product - rep.matrix(g) @ C).max() < 1e-12
        Q = np.concatenate(rows)
        assert Q.shape == 2 * (a.dimension * b.dimension,) and np.abs(Q @ Q.T - np.eye(len(Q))).max() < 1e-14
        assert np.abs(a.tensor(b).character(g) - a.character(g) * b.character(g)).max() < 1e-11


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 8, 20])
def test_wigner_matrices_are_those_of_spherical_harmonics(degree):
    """S_l(R x) = D^l(R) S_l(x) with scipy's harmonics, and the homomorphism, to 1e-12 up to l = 20."""

    def harmonics(x):
        theta, phi = np.arccos(np.clip(x[:, 2], -1, 1)), np.arctan2(x[:, 1], x[:, 0])
        columns = []
        for m in range(-degree, degree + 1):
            y = sph_harm_y(degree, abs(m), theta, phi) * (-1) ** m * 2**0.5
            columns.append(y.real / 2**0.5 if m == 0 else y.real if m > 0 else y.imag)
        return np.stack(columns, axis=1)

    x = np.random.default_rng(0).normal(size=(12, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    D = wigner_d(degree, ROTATIONS)
    for R, matrix in zip(ROTATIONS[:6], D, strict=False):
        assert np.abs(harmonics(x @ R.T) - harmonics(x) @ matrix.T).max() < 1e-12 * (degree + 1)
    assert np.abs(D[:10] @ D[10:] - wigner_d(degree, ROTATIONS[:10] @ ROTATIONS[10:])).max() < 1e-12
    assert np.abs(D @ D.swapaxes(1, 2) - np.eye(2 * degree + 1)).max() < 1e-12


def test_axes_of_the_vector():
    """l = 1 is (y, z, x): D^1 = P R Pᵀ, and P is VECTOR_ORDER. A planted (x, y, z) is caught."""
    P = np.eye(3)[list(VECTOR_ORDER)]
    assert np.abs(wigner_d(1, ROTATIONS) - P @ ROTATIONS @ P.T).max() < 1e-14
    assert np.abs(wigner_d(1, ROTATIONS) - ROTATIONS).max() > 0.5


def test_wigner_matrices_near_the_poles():
    """Tiny tilts, where α and γ are not determined, and turns by π about horizontal axes."""
    axes = np.random.default_rng(1).normal(size=(6, 3))
    for angle in (0.0, 1e-13, 1e-10, 1e-6, np.pi - 1e-10, np.pi):
        R = axis_rotation(axes * [1, 1, 0] + [1, 0, 0], angle)
        both = wigner_d(12, R @ ROTATIONS[:6])
        assert np.abs(wigner_d(12, R) @ wigner_d(12, ROTATIONS[:6]) - both).max() < 1e-12


@pytest.mark.parametrize("l1", range(7))
def test_clebsch_gordan_coefficients(l1):
    """Equivariant and orthonormal to 1e-14 for all degrees up to 6."""
    rotation = ROTATIONS[:2]
    for l2 in range(7):
        for l3 in range(abs(l1 - l2), min(l1 + l2, 6) + 1):
            C = clebsch_gordan_so3(l1, l2, l3)
            assert np.abs(np.einsum("abc,abd->cd", C, C) - np.eye(2 * l3 + 1)).max() < 1e-14
            left = np.einsum("xyc,nax,nby->nabc", C, wigner_d(l1, rotation), wigner_d(l2, rotation))
            assert np.abs(left - np.einsum("abd,ndc->nabc", C, wigner_d(l3, rotation))).max() < 1e-13


def test_known_coefficients():
    """Scalar and vector products, the quadrupole, and the triangle rule."""
    levi = np.zeros((3, 3, 3))
    for i, j, k in itertools.permutations(range(3)):
        levi[i, j, k] = np.linalg.det(np.eye(3)[[i, j, k]])
    assert np.abs(clebsch_gordan_so3(1, 1, 0)[..., 0] - np.eye(3) / 3**0.5).max() < 1e-15
    assert np.abs(clebsch_gordan_so3(1, 1, 1) - levi / 2**0.5).max() < 1e-15
    assert clebsch_gordan_so3(1, 1, 2)[1, 1, 2] == pytest.approx((2 / 3) ** 0.5, abs=1e-15)
    assert abs(clebsch_gordan_so3(2, 2, 2)[2, 2, 2]) == pytest.approx((2 / 7) ** 0.5, abs=1e-15)
    assert not clebsch_gordan_so3(1, 1, 3).any()
    for degree in range(7):
        assert np.abs(clebsch_gordan_so3(degree, 0, degree)[:, 0] - np.eye(2 * degree + 1)).max() < 1e-15


@pytest.mark.parametrize("name", NAMES)
def test_integrals_are_exact(name):
    """Powers of the vector's character count its invariant tensors: 1, 0, 1, … (SO(3): Riordan numbers)."""
    group = CompactGroup(name)
    vector = group.irrep(1, -1 if name == "O(3)" else 1)
    elements, weights = group.class_points(8)
    found = [round(float(weights @ vector.character(elements) ** n), 9) for n in range(9)]
    expected = {
        "SO(2)": [1, 0, 2, 0, 6, 0, 20, 0, 70],
        "O(2)": [1, 0, 1, 0, 3, 0, 10, 0, 35],
        "SO(3)": [1, 0, 1, 1, 3, 6, 15, 36, 91],
        "O(3)": [1, 0, 1, 0, 3, 0, 15, 0, 91],
    }
    assert found == expected[name]
    power, counts = vector, []
    for _ in range(2, 9):
        power = power.tensor(vector)
        counts.append(power.multiplicity(0))
    assert counts == expected[name][2:]


def test_restriction_to_the_icosahedron():
    """l = 0..6 into A, T1, T2, G, H as in the tables of crystal field theory; 6, 10, 12, 15, 16 have A."""
    G, R = icosahedral(), icosahedral_rotations()
    table = character_table(G)
    t1 = int(np.argmax(table.multiplicities(Rep(G, R))))
    order = [0, t1, 3 - t1, 3, 4]
    expected = [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1],
        [0, 1, 1, 0, 1],
        [1, 1, 0, 1, 1],
    ]
    SO3 = CompactGroup("SO(3)")
    for degree, row in enumerate(expected):
        assert table.multiplicities(SO3.irrep(degree).restrict(G, R))[order].tolist() == row
    invariants = [n for n in range(17) if table.multiplicities(SO3.irrep(n).restrict(G, R))[0]]
    assert invariants == [0, 6, 10, 12, 15, 16]


def test_crystal_fields_of_the_cube():
    """d orbitals split into E + T2, f into A2 + T1 + T2, with the matrices; O_h tells parities apart."""
    G, R = octahedral(), octahedral_rotations()
    SO3 = CompactGroup("SO(3)")
    for degree, dimensions in ((2, [2, 3]), (3, [1, 3, 3]), (4, [1, 2, 3, 3])):
        found = decompose(SO3.irrep(degree).restrict(G, R))
        assert [rep.dimension for rep in found.irreps] == dimensions
        inverse, total = np.linalg.inv(found.basis), found.sum.matrices
        assert np.abs(inverse @ found.rep.matrices @ found.basis - total).max() < 1e-12
    full, signed = with_inversion(G), np.concatenate([R, -R])
    O3 = CompactGroup("O(3)")
    table = character_table(full)
    even, odd = (table.multiplicities(O3.irrep(2, p).restrict(full, signed)) for p in (1, -1))
    assert even.sum() == odd.sum() == 2 and not (even * odd).any()


def test_restriction_to_dihedral_groups_is_the_closed_form():
    """O(2) frequency k on D_n is `irrep k`, SO(2) on C_n too."""
    n = 7
    turns = plane_rotation(2 * np.pi * np.arange(n) / n)
    plane = np.concatenate([turns, turns @ S])
    for k in (1, 2, 3):
        planar = CompactGroup("O(2)").irrep(k).restrict(dihedral(n), plane)
        known = {rep.name: rep for rep in irreps(dihedral(n))}[f"irrep {k}"]
        assert np.abs(planar.matrices - known.matrices).max() < 1e-14
        turning = CompactGroup("SO(2)").irrep(k).restrict(cyclic(n), turns)
        known = {rep.name: rep for rep in irreps(cyclic(n), "real")}[f"irrep {k}"]
        assert np.abs(turning.matrices - known.matrices).max() < 1e-14
    summed = (2 * CompactGroup("O(2)").irrep(1) + CompactGroup("O(2)").irrep(0, -1)).restrict(
        dihedral(n), plane
    )
    assert summed.dimension == 5 and len(summed.blocks) == 2


def test_angles():
    alpha, beta, gamma = euler_angles(ROTATIONS)
    assert np.abs(euler_rotation(alpha, beta, gamma) - ROTATIONS).max() < 1e-14
    assert np.allclose(
        rotation_angle(axis_rotation([1, -2, 0.5], [0.1, 1e-9, 3.1])), [0.1, 1e-9, 3.1], atol=1e-15
    )
    angle, sign = plane_angle(plane_rotation(0.7) @ S)
    assert abs(angle - 0.7) < 1e-15 and sign == -1
    assert np.abs(np.linalg.det(ROTATIONS) - 1).max() < 1e-14


def test_bad_input():
    SO3, O2, O3 = CompactGroup("SO(3)"), CompactGroup("O(2)"), CompactGroup("O(3)")
    vector = SO3.irrep(1)
    for call, word in [
        (lambda: CompactGroup("U(1)"), "one of"),
        (lambda: SO3.irrep(-1), "whole number"),
        (lambda: SO3.irrep(0.5), "whole number"),
        (lambda: SO3.irrep(1, -1), "parity"),
        (lambda: O2.irrep(2, -1), "parity"),
        (lambda: vector.matrix(np.eye(2)), "shape"),
        (lambda: vector.matrix(2 * np.eye(3)), "orthogonal"),
        (lambda: vector.matrix(-np.eye(3)), "determinant"),
        (lambda: vector.matrix(np.full((3, 3), np.nan)), "orthogonal"),
        (lambda: vector.tensor(O3.irrep(1)), "SO"),
        (lambda: vector + 1, "SO"),
        (lambda: clebsch_gordan_compact(2 * vector, vector), "irreducible"),
        (lambda: vector.restrict(cyclic(3), octahedral_rotations()), "shape"),
        (lambda: vector.restrict(cyclic(24), octahedral_rotations()), "representation"),
        (lambda: axis_rotation([0, 0, 0], 1.0), "not 0"),
        (lambda: random_rotations(0, key=jax.random.key(0)), "positive"),
    ]:
        with pytest.raises(InputError, match=word):
            call()
