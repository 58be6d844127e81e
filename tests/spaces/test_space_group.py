"""Space groups: known orders, independent brute force, and the laws on random lattices."""

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from lattice_table import LATTICES, distance_automorphisms, distances, plane_isometries

from intertwine._checks import InputError
from intertwine.spaces import Chain, Cubic, Kagome, Lattice, Square, lattice_from_name


def rows_of(group):
    return {tuple(p) for p in group.permutations.tolist()}


def assert_is_space_group(lattice):
    """Closed, contains the translations, keeps every distance; the point group fixes its origin."""
    group, point = lattice.space_group, lattice.point_group
    rows = rows_of(group)
    assert len(rows) == group.order and tuple(range(lattice.size)) == tuple(group.permutations[0])
    for generator in group.generators:
        moved = group.permutations[:, group.permutations[generator]]
        assert {tuple(p) for p in moved.tolist()} == rows
    n = lattice.translations.order
    assert len(rows_of(lattice.translations)) == n
    assert np.array_equal(group.permutations[:n], lattice.translations.permutations)
    assert rows_of(point) <= rows and group.order % point.order == 0
    d = distances(lattice)
    for p in group.permutations[:: max(1, group.order // 200)]:
        assert np.abs(d[np.ix_(p, p)] - d).max() < 1e-6
    from_origin = distances_to(lattice, lattice.origin)
    for p in point.permutations:
        assert np.abs(from_origin[p] - from_origin).max() < 1e-5


def distances_to(lattice, point, reach=3):
    steps = np.indices([2 * reach + 1 if p else 1 for p in lattice.periodic]).reshape(lattice.dimension, -1).T
    steps = np.where(lattice.periodic, steps - reach, 0)
    images = (steps * lattice.extent) @ lattice.basis_vectors
    return np.linalg.norm(lattice.positions[:, None] - point + images, axis=-1).min(axis=1)


@pytest.mark.parametrize("name", LATTICES)
def test_orders_are_the_known_ones_and_the_laws_hold(name):
    lattice = lattice_from_name(name)
    *_, space, point = LATTICES[name]
    assert lattice.space_group.order == space
    assert lattice.point_group.order == point
    assert_is_space_group(lattice)
    for shell in range(1, min(lattice.shells, 4) + 1):
        bonds = {tuple(b) for b in lattice.bonds(shell).tolist()}
        for generator in lattice.space_group.generators:
            moved = np.sort(lattice.space_group.permutations[generator][lattice.bonds(shell)], axis=1)
            assert {tuple(b) for b in moved.tolist()} == bonds


PLANE = ["square:2", "square:2x3", "square:3", "square:4", "square:3x4", "square:3x4:periodic-open",
         "square:1x4", "square:3x2:open-periodic", "square:3:open", "square:1x5:open", "triangular:2",
         "triangular:3", "triangular:2x3", "triangular:1x4", "triangular:3:open",
         "triangular:3x2:periodic-open", "triangular:2x4:open-periodic", "honeycomb:1", "honeycomb:2",
         "honeycomb:3", "honeycomb:2x3",
         "honeycomb:2:open", "honeycomb:3x2:open-periodic", "kagome:1", "kagome:2", "kagome:3", "kagome:2x3",
         "kagome:2:open", "kagome:3x2:periodic-open"]  # fmt: skip


@pytest.mark.parametrize("name", PLANE)
def test_equal_to_brute_force_over_isometries_of_the_plane(name):
    lattice = lattice_from_name(name)
    assert rows_of(lattice.space_group) == plane_isometries(lattice, reach=5)


@pytest.mark.parametrize("name", ["square:3x3:open", "square:2x4:open", "triangular:3:open", "kagome:2:open",
                                  "honeycomb:2:open", "kagome:1:open", "cubic:2:open", "cubic:3x2x2:open",
                                  "chain:6:open", "cubic:1x1x5:open"])  # fmt: skip
def test_open_clusters_have_all_automorphisms_of_their_distances(name):
    lattice = lattice_from_name(name)
    assert rows_of(lattice.space_group) == distance_automorphisms(distances(lattice))
    assert lattice.point_group.order == lattice.space_group.order


def test_geometry_counts_not_the_graph():
    square = Square(4)
    adjacency = np.where(np.isclose(distances(square), 1), 1.0, 0.0)
    graph = distance_automorphisms(adjacency)
    assert len(graph) == 384  # the 4-cube
    assert square.space_group.order == 128 and rows_of(square.space_group) < graph


def test_the_point_group_is_taken_at_the_best_point():
    assert np.array_equal(Square(6).origin, [0, 0])  # a site: also the middle of a plaquette would do
    for name in ("honeycomb:4", "kagome:4"):  # the middle of a hexagon
        lattice = lattice_from_name(name)
        d = np.sort(distances_to(lattice, lattice.origin))
        assert np.allclose(d[:6], 1) and d[6] > 1.5
    assert np.allclose(Square(4, 3, pbc=False).origin, [1.5, 1.0])


def test_a_basis_that_is_not_primitive_hides_nothing():
    doubled = Lattice([[2.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]], (3, 6))
    assert doubled.translations.order == 18
    assert doubled.space_group.order == Square(6).space_group.order == 288
    assert doubled.point_group.order == 8
    skewed = Lattice([[1.0, 0.0], [6.0, 1.0]], None, (6, 6))  # the same torus
    assert skewed.space_group.order == 288


def test_crystals_of_three_dimensions_have_their_known_groups():
    faces = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    cases = (
        (Lattice(faces, None, (4, 4, 4)), 48 * 64, 48),  # face-centred cubic
        (Lattice(np.eye(3), [[0, 0, 0], [0.5, 0.5, 0.5]], (3, 3, 3)), 48 * 54, 48),  # body-centred
        (Lattice(faces, [[0, 0, 0], [0.25, 0.25, 0.25]], (3, 3, 3)), 48 * 27, 24),  # diamond: not symmorphic
    )
    for lattice, space, point in cases:
        assert lattice.space_group.order == space and lattice.point_group.order == point


def test_pure_rotations_meet_at_a_point():
    """Four sites on a tetrahedron's corners twisted: point group T (rotations only), off every site."""
    corner = np.array([0.21, 0.13, 0.05])
    signs = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    sites = [np.roll(np.array(s) * np.roll(corner, k), 0) + 0.5 for s in signs for k in range(3)]
    crystal = Lattice(np.eye(3), np.array(sites), (2, 2, 2))
    assert crystal.point_group.order == 12 and crystal.space_group.order == 12 * 8
    assert np.allclose(crystal.origin % 1.0 % 0.5, 0, atol=1e-9)
    assert_is_space_group(crystal)


def test_large_groups_are_found_in_time():
    for lattice, order in ((Square(10), 800), (Kagome(3), 108), (Cubic(4), 3072)):
        start = time.perf_counter()
        assert lattice.space_group.order == order
        assert time.perf_counter() - start < 3.0  # measured 0.05 s; a loaded machine is forgiven


def test_chain_groups_are_dihedral():
    group = Chain(8).space_group
    assert not group.is_abelian and len(group.conjugacy_classes()) == 7 and len(group.characters_1d()) == 4
    assert Chain(9).space_group.commutator_subgroup().order == 9


def test_very_unequal_extents_are_refused_clearly():
    with pytest.raises(InputError, match="less unequal"):
        _ = Lattice(np.eye(3), None, (700, 1, 1)).space_group


@st.composite
def random_lattices(draw):
    d = draw(st.integers(1, 3))
    eighths = st.integers(-8, 8).map(lambda n: n / 8)
    rows = st.lists(eighths, min_size=d, max_size=d)
    basis = np.array(draw(st.lists(rows, min_size=d, max_size=d))) + 1.5 * np.eye(d)
    lengths = np.linalg.norm(basis, axis=1)
    assume(abs(np.linalg.det(basis / lengths[:, None])) > 0.2)
    offsets = np.array(draw(st.lists(rows, min_size=1, max_size=3))) @ basis
    extent = tuple(draw(st.lists(st.integers(1, 4 if d < 3 else 3), min_size=d, max_size=d)))
    pbc = tuple(draw(st.lists(st.booleans(), min_size=d, max_size=d)))
    try:
        return Lattice(basis, offsets, extent, pbc)
    except InputError as error:
        assume("coincides" not in str(error))
        raise


@settings(max_examples=150, deadline=None)
@given(random_lattices())
def test_random_lattices_obey_the_laws(lattice):
    assert_is_space_group(lattice)
    for shell in range(1, lattice.shells + 1):
        bonds = lattice.bonds(shell)
        table = np.zeros((lattice.size, lattice.size), bool)
        table[bonds[:, 0], bonds[:, 1]] = table[bonds[:, 1], bonds[:, 0]] = True
        for generator in lattice.space_group.generators:
            p = lattice.space_group.permutations[generator]
            assert np.array_equal(table[np.ix_(p, p)], table)
    if not any(lattice.periodic) and lattice.size <= 12:
        assert rows_of(lattice.space_group) == distance_automorphisms(distances(lattice))


@settings(max_examples=60, deadline=None)
@given(random_lattices(), st.integers(0, 2**31))
def test_space_group_does_not_depend_on_where_or_how_the_lattice_lies(lattice, seed):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(lattice.dimension,) * 2))[0]
    turned = Lattice(
        lattice.basis_vectors @ turn,
        lattice.site_offsets @ turn + rng.normal(size=lattice.dimension),
        lattice.extent,
        lattice.pbc,
    )
    assert rows_of(turned.space_group) == rows_of(lattice.space_group)
    assert turned.point_group.order == lattice.point_group.order
