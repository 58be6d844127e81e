"""Matrix groups: counts against characters and known numbers, intertwiners against the elements themselves,
bad input in one line."""

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.symmetry import (
    CompactGroup,
    LieGroup,
    clebsch_gordan_compact,
    euclidean,
    galilei,
    gauge_group,
    general_linear,
    generated_algebra,
    killing_form,
    lorentz,
    orthogonal,
    pseudo_orthogonal,
    real_form,
    scaling,
    special_linear,
    special_orthogonal,
    special_unitary,
    structure_constants,
    symplectic,
    unitary,
)

KEY = jax.random.key(3)
GROUPS = {
    "SO(3)": lambda: special_orthogonal(3),
    "O(2)": lambda: orthogonal(2),
    "SO⁺(1,3)": lorentz,
    "O(1,3)": lambda: lorentz(reflections=True),
    "O(2,1)": lambda: pseudo_orthogonal(2, 1, reflections=True),
    "SU(2)": lambda: special_unitary(2),
    "U(1)": lambda: unitary(1),
    "Sp(4)": lambda: symplectic(4),
    "SL(3)": lambda: special_linear(3),
    "GL(2)": lambda: general_linear(2),
    "scaling": lambda: scaling(2),
    "SE(2)": lambda: euclidean(2),
    "Galilei": galilei,
}


def counts(group, most):
    return [len(group.tensor(k).invariants) for k in range(1, most + 1)]


def reynolds(characters, weights, k):
    """∫ χ(g)^k dg by a sum."""
    return round(float(np.sum(weights * characters**k).real))


def test_invariants_of_tensor_powers_of_the_lorentz_group():
    assert counts(lorentz(), 6) == [0, 1, 0, 4, 0, 25]  # the squares of the Catalan numbers
    assert counts(lorentz(reflections=True), 6) == [0, 1, 0, 3, 0, 15]  # pairings alone


def test_the_invariants_of_four_vectors_are_the_pairings_and_epsilon():
    eta = np.diag([1.0, -1, -1, -1])
    pairs = [np.einsum(f"{a},{b}->abcd", eta, eta) for a, b in (("ab", "cd"), ("ac", "bd"), ("ad", "bc"))]
    epsilon = np.zeros((4,) * 4)
    for order in np.ndindex(4, 4, 4, 4):
        if len(set(order)) == 4:
            epsilon[order] = np.linalg.det(np.eye(4)[list(order)])
    basis = lorentz().tensor(4).invariants
    for known in (*pairs, epsilon):
        flat = known.reshape(-1)
        assert np.abs(basis.T @ (basis @ flat) - flat).max() < 1e-13


@pytest.mark.parametrize("n", [2, 3])
def test_counts_of_rotations_against_characters(n):
    compact = CompactGroup(f"SO({n})")
    elements, weights = compact.class_points(8)
    characters = compact.irrep(1).character(elements)
    expected = [reynolds(characters, weights, k) for k in range(1, 7)]
    assert counts(special_orthogonal(n), 6) == expected


def test_counts_of_su3_against_characters():
    """V ⊕ V* of SU(3) is the real form's complexification: ∫ (2 Re χ)^k by Weyl's integral on a torus."""
    a, b = np.meshgrid(*[2 * np.pi * np.arange(24) / 24] * 2)
    z = np.exp(1j * np.array([a, b, -a - b]))
    vandermonde = (z[0] - z[1]) * (z[0] - z[2]) * (z[1] - z[2])
    weights = np.abs(vandermonde) ** 2 / (6 * 24**2)
    expected = [reynolds(2 * z.sum(axis=0).real, weights, k) for k in range(1, 5)]
    assert counts(special_unitary(3), 4) == expected == [0, 2, 2, 12]


def test_products_of_rotations_against_clebsch_gordan():
    """Traceless symmetric matrices are l = 2: the product that leads to l is the one of the irreps."""
    V = special_orthogonal(3).vector
    compact = CompactGroup("SO(3)")
    by_irreps = sum(part.irrep.frequency == 1 for part in clebsch_gordan_compact(*[compact.irrep(1)] * 2))
    assert V.tensor(V).hom_dim(V) == by_irreps == 1
    six = V.symmetric(2)  # 0 + 2
    assert six.tensor(six).hom_dim(six) == (compact.irrep(0) + compact.irrep(2)).tensor(
        compact.irrep(0) + compact.irrep(2)
    ).hom_dim(compact.irrep(0) + compact.irrep(2))


@pytest.mark.parametrize("name", GROUPS)
def test_maps_commute_with_elements_as_matrices(name):
    group = GROUPS[name]()
    V = group.vector
    source, target = 2 * V + V.dual().tensor(V), V + V.symmetric(2) + group.trivial + group.adjoint
    maps = source.intertwiners(target)
    assert len(maps) == source.hom_dim(target)
    flat = maps.reshape(len(maps), -1)
    assert np.abs(flat @ flat.T - np.eye(len(maps))).max() < 1e-12
    for element in group.random_elements(3, key=KEY):
        g = V.matrix(element)  # as a matrix: kron and inverses, not exponentials of larger matrices
        a, b = source.matrix(g), target.matrix(g)
        assert np.abs(a - source.matrix(element)).max() < 1e-10 * np.abs(a).max()
        size = np.linalg.norm(a, 2) + np.linalg.norm(b, 2)
        assert np.abs(maps @ a - b @ maps).max(initial=0) < 1e-12 * size


def test_maps_are_all_of_them():
    """The dimension of the null space of all equations, dense."""
    for group in (lorentz(), symplectic(2), euclidean(2), galilei(), general_linear(2)):
        rep = group.vector.tensor(group.vector.dual()) + group.vector
        rows = [*rep.generators, *(h - np.eye(rep.dimension) for h in rep.discrete)]
        values = np.linalg.svd(np.concatenate(rows), compute_uv=False)
        assert len(rep.invariants) == rep.dimension - (values > 1e-9).sum()


def test_random_elements_of_su3_by_another_road():
    """Haar elements of the gauge group in the real form."""
    element = np.asarray(gauge_group("SU(3)").random(KEY, dtype=float), complex)
    element = np.linalg.qr(element)[0]  # unitary in double precision
    element = element / np.linalg.det(element) ** (1 / 3)
    rep = special_unitary(3).tensor(3)
    found = rep.invariants
    assert np.abs(found @ rep.matrix(real_form(element)).T - found).max() < 1e-10


def test_spinors_of_the_lorentz_group():
    """SL(2, C): the real and imaginary part of ψ χ* are vectors, those of ψ_α χ_β ε^αβ invariant."""
    sigma = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    turns = [-0.5j * sigma[2], 0.5j * sigma[1], -0.5j * sigma[0]]  # xy, xz, yz
    group = lorentz()
    spinor = group.rep([*(0.5 * sigma), *turns], name="spinor")
    assert spinor.dimension == 4 and spinor.hom_dim(group.vector) == 0
    assert spinor.tensor(spinor).hom_dim(group.vector) == 2
    assert len(spinor.antisymmetric(2).invariants) == 2
    with pytest.raises(it.InputError, match="brackets of the group"):
        group.rep([*(0.5 * sigma), *reversed(turns)])


def test_the_adjoint_and_the_killing_form():
    for group in (lorentz(), special_unitary(2), symplectic(4)):
        c = group.structure_constants
        assert np.abs(c + c.swapaxes(0, 1)).max() < 1e-12
        form = killing_form(group.generators).reshape(-1)
        adjoint = group.adjoint.dual()
        assert np.abs((adjoint.tensor(adjoint)).generators @ form).max() < 1e-10 * np.abs(form).max()
    signs = np.sign(np.linalg.eigvalsh(killing_form(lorentz().generators)))
    assert sorted(signs) == [-1, -1, -1, 1, 1, 1]
    assert np.abs(structure_constants(special_orthogonal(3).generators)).sum() == pytest.approx(6)


def test_products_of_groups():
    both = special_orthogonal(3) * lorentz(reflections=True)
    a, b = both.vectors
    assert (a.hom_dim(b), a.tensor(b).hom_dim(a.tensor(b)), both.vector.dimension) == (0, 1, 7)
    assert both.vector == a + b and len(b.tensor(b).invariants) == 1


def test_a_group_of_discrete_elements_alone():
    """D4 by its matrices: the counts of the finite group."""
    turn, mirror = np.array([[0.0, -1], [1, 0]]), np.diag([1.0, -1])
    group = LieGroup([], [turn, mirror])
    finite = it.symmetry.dihedral(4)
    vector = it.symmetry.Rep(
        finite, [np.linalg.matrix_power(turn, k) @ m for m in (np.eye(2), mirror) for k in range(4)]
    )
    trivial, power = it.symmetry.trivial(finite), vector
    for k in range(1, 5):
        assert len(group.tensor(k).invariants) == it.symmetry.hom_dim(power, trivial)
        power = power.tensor(vector)
    assert LieGroup(discrete=[np.eye(3)]).vector == 3 * LieGroup(discrete=[np.eye(3)]).trivial


def test_found_generators_with_errors():
    """As `it.symmetries` finds them: orthonormal combinations with errors of 1e-6."""
    rng = np.random.default_rng(0)
    mix = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    found = np.tensordot(mix, lorentz().generators, 1)
    noisy = found + 1e-6 * rng.normal(size=found.shape)
    with pytest.raises(it.InputError, match=r"tolerance=\d"):
        LieGroup(noisy)
    group = LieGroup(noisy, tolerance=1e-5)
    assert counts(group, 4) == [0, 1, 0, 4]
    eta = np.diag([0.5, -0.5, -0.5, -0.5]).reshape(-1)
    assert np.abs(np.abs(group.tensor(2).invariants[0] @ eta) - 1) < 1e-5
    assert counts(LieGroup(found), 4) == [0, 1, 0, 4]


def test_the_same_basis_from_any_generators():
    """The basis depends on the group alone, not on the generators that it is given by."""
    mix = np.random.default_rng(1).normal(size=(6, 6))
    other = LieGroup(np.tensordot(mix, lorentz().generators, 1))
    assert np.abs(other.tensor(4).invariants - lorentz().tensor(4).invariants).max() < 1e-11


def test_bad_input_in_one_line():
    x, y = np.zeros((2, 3, 3))
    x[0, 1] = y[1, 2] = 1
    with pytest.raises(it.InputError, match=r"off it by 1 .* 3 generators in all"):
        LieGroup([x, y])
    assert len(generated_algebra([x, y])) == 3
    with pytest.raises(it.InputError, match="discrete: expected elements that map the span"):
        LieGroup(special_orthogonal(3).generators, [np.diag([1.0, 2, 1])])
    with pytest.raises(it.InputError, match="invertible"):
        LieGroup([x], [np.zeros((3, 3))])
    with pytest.raises(it.InputError, match="matrices"):
        LieGroup(x)
    with pytest.raises(it.InputError, match="finite numbers"):
        LieGroup([x * np.nan])
    for wrong in ("SO(3)", 1.0, [np.eye(2), np.eye(3)], [["a"]]):
        with pytest.raises(it.InputError, match="generators: expected matrices"):
            LieGroup(wrong)
    with pytest.raises(it.InputError, match="none"):
        LieGroup([])
    with pytest.raises(it.InputError, match=r"matrices \(3, 3\)"):
        LieGroup([x], [np.eye(2)])
    with pytest.raises(it.InputError, match="one of SO"):
        special_orthogonal(3).vector + lorentz().vector
    with pytest.raises(it.InputError, match="element"):
        lorentz().vector.matrix(np.eye(3))


@pytest.mark.slow
def test_large_powers():
    """Chebyshev filters: 4,900 components of weight zero of eight Lorentz vectors, 91 invariants of SO(3)."""
    assert len(special_orthogonal(3).tensor(8).invariants) == 91
    rep = special_orthogonal(5).tensor(6)
    assert len(rep.invariants) == 15
    assert np.abs(rep.invariants @ rep.invariants.T - np.eye(15)).max() < 1e-12
    assert len(lorentz().tensor(8).invariants) == 196
