"""Sites, neighbours, displacements and names of the listed lattices."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from lattice_table import LATTICES, distances

from intertwine._checks import InputError
from intertwine.spaces import (
    Chain,
    Cubic,
    Honeycomb,
    Kagome,
    Ladder,
    Lattice,
    Square,
    Triangular,
    lattice_from_name,
)
from intertwine.spaces.geometry import nearest_images


@pytest.fixture(params=LATTICES)
def row(request):
    return lattice_from_name(request.param), *LATTICES[request.param]


def test_sizes_and_nearest_neighbours_are_the_known_ones(row):
    lattice, size, bonds, z, _, _ = row
    assert lattice.size == size and lattice.positions.shape == (size, lattice.dimension)
    assert lattice.bonds().shape == (bonds, 2) and lattice.bonds().dtype == np.int32
    assert lattice.neighbours().shape == (size, z) and lattice.neighbours().dtype == np.int32
    nearest = 0.5**0.5 if lattice.label == "links" else 1.0
    assert lattice.shell_distance() == pytest.approx(nearest, abs=1e-12)


def test_every_shell_equals_brute_force_over_images(row):
    lattice = row[0]
    d = distances(lattice)
    off = ~np.eye(lattice.size, dtype=bool)
    values = np.unique(d[off].round(6))
    assert lattice.shells == len(values)
    for shell, value in enumerate(values, start=1):
        assert lattice.shell_distance(shell) == pytest.approx(value, abs=1e-6)
        linked = (np.abs(d - value) < 1e-5) & off
        i, j = np.nonzero(np.triu(linked))
        assert np.array_equal(lattice.bonds(shell), np.stack([i, j], axis=1))
        for site, neighbours in enumerate(lattice.neighbours(shell)):
            padded = np.flatnonzero(linked[site]).tolist()
            assert neighbours.tolist() == padded + [lattice.size] * (len(neighbours) - len(padded))


def test_displacement_classes_average_over_translations(row):
    lattice = row[0]
    index, vectors = lattice.displacement_index, lattice.displacements
    assert index.shape == (lattice.size, lattice.size) and index.max() + 1 == len(vectors)
    assert np.unique(index).size == len(vectors)  # every class occurs
    d = distances(lattice)
    assert np.abs(np.linalg.norm(vectors, axis=1)[index] - d).max() < 1e-9
    assert (index[np.arange(lattice.size), np.arange(lattice.size)] < lattice.basis_size**2).all()
    assert not vectors[0].any()
    for p in lattice.translations.permutations:
        assert np.array_equal(index[np.ix_(p, p)], index)
    if all(lattice.periodic):  # classes are exactly the orbits of pairs under translation
        pairs = index.ravel()
        assert (np.bincount(pairs) == lattice.size // lattice.basis_size).all()
    # the displacement is r_j − r_i up to wrapping vectors
    shift = (lattice.positions[None] - lattice.positions[:, None] - vectors[index]) @ np.linalg.inv(
        lattice.basis_vectors
    )
    wound = shift / lattice.extent
    assert np.abs(np.where(lattice.periodic, wound - wound.round(), shift)).max() < 1e-9


def test_momenta_are_those_of_the_translations(row):
    lattice = row[0]
    q = lattice.momenta
    assert q.shape == (lattice.size // lattice.basis_size, lattice.dimension) and not q[0].any()
    if all(lattice.periodic):
        cells = np.indices(lattice.extent).reshape(lattice.dimension, -1).T
        phases = np.exp(-1j * q @ (cells @ lattice.basis_vectors).T)
        table = lattice.translations.characters_1d()
        overlap = np.abs(phases @ table.conj().T) / len(q)
        assert np.allclose(np.sort(overlap, axis=1)[:, -1], 1, atol=1e-12)
        assert sorted(overlap.argmax(axis=1)) == list(range(len(q)))


def test_names_round_trip_and_content_decides_equality(row):
    lattice = row[0]
    twin = lattice_from_name(lattice.name)
    assert twin == lattice and hash(twin) == hash(lattice) and twin.name == lattice.name
    assert copy.deepcopy(lattice) == lattice
    content = lattice.basis_vectors, lattice.site_offsets, lattice.extent, lattice.pbc
    other = Lattice(*content, marks=lattice.marks)
    assert (Lattice(*content) == lattice) == (lattice.marks is None)
    assert other == lattice and other.name.startswith("lattice:")
    assert lattice != Chain(31) and lattice != "chain:31"
    for array in (lattice.positions, lattice.bonds(), lattice.neighbours(), lattice.basis_vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        lattice.extent = (1,)


def test_sites_are_row_major_with_the_basis_last():
    assert Square(3, 4).site_at([1, 2]) == 6 and Square(3, 4).site_at([-2, 6]) == 6
    assert Kagome(2, 3).site_at([1, 2], 1) == 16
    assert np.allclose(Square(3, 4).positions[6], [1, 2])
    assert np.allclose(Kagome(2, 3).positions[16], [2 * 1 + 1 * 2 + 1, 2 * np.sqrt(3)])
    with pytest.raises(InputError, match="inside"):
        Square(3, 4, pbc=False).site_at([-1, 0])


@pytest.mark.parametrize(
    "name",
    ["chain:4", "square:2", "square:4x6", "square:3x5:open", "honeycomb:3", "cubic:2", "chain:1",
     "chain:5:open", "square:4x3:periodic-open"],
)  # fmt: skip
def test_bipartite_lattices_are_two_coloured(name):
    lattice = lattice_from_name(name)
    colours = lattice.sublattices()
    assert colours.dtype == np.int8 and colours[0] == 1 and set(np.abs(colours)) == {1}
    if lattice.size > 1:
        assert (colours[lattice.bonds()].sum(axis=1) == 0).all()


@pytest.mark.parametrize(
    ("name", "difference"),
    [("ladder:4", 0), ("ladder:4x3", 0), ("lieb:2x3", -6), ("diamond:3", 0), ("bcc:4", 0), ("bcc:3:open", 1)],
)
def test_the_sublattices_of_decorated_lattices(name, difference):
    assert lattice_from_name(name).sublattices().sum() == difference


def test_ladders_are_open_across_their_legs():
    assert lattice_from_name("ladder:6") == Ladder(6) == Square(6, 2, pbc=(True, False))
    assert lattice_from_name("ladder:6x4:open") == Ladder(6, 4, pbc=False) == Square(6, 4, pbc=False)
    with pytest.raises(InputError, match="along the legs"):
        Ladder(6, 2, pbc=(True, True))


ODD = [
    "shuriken:2",
    "bcc:3",
    "fcc:2",
    "pyrochlore:1x1x1:open",
    "ladder:3",
    "chain:3",
    "square:3x4",
    "triangular:4x4",
    "kagome:3x3:open",
    "cubic:3x3x5",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_rings_are_not_bipartite(name):
    with pytest.raises(InputError, match=f"{name}.*not bipartite"):
        lattice_from_name(name).sublattices()


def test_second_shells_of_the_textbook():
    assert Square(6).bonds(2).shape == (72, 2) and Square(6).shell_distance(2) == pytest.approx(np.sqrt(2))
    assert Honeycomb(4).neighbours(2).shape == (32, 6)
    assert Kagome(4).neighbours(2).shape == (48, 4)
    assert Triangular(6).shell_distance(2) == pytest.approx(np.sqrt(3))
    assert Cubic(4).neighbours(2).shape == (64, 12)
    with pytest.raises(InputError, match="at most 2"):
        Square(2).bonds(3)


def test_a_lattice_is_static_under_jit():
    traces = []

    @jax.jit
    def energy(s):
        traces.append(0)
        return sum_bonds(lattice, s)

    def sum_bonds(lattice, s):
        i, j = lattice.bonds().T
        return jnp.sum(s[i] * s[j])

    lattice = Square(4)
    assert energy(jnp.ones(16)) == 32 and energy(jnp.ones(16)) == 32 and len(traces) == 1
    static = jax.jit(sum_bonds, static_argnums=0)
    assert static(Square(4), jnp.ones(16)) == static(Square(4), jnp.ones(16))
    assert static._cache_size() == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nearest_images_equal_brute_force(data):
    p = data.draw(st.integers(1, 3))
    d = data.draw(st.integers(p, 3))
    entries = st.integers(-12, 12).map(lambda n: n / 4)
    points = st.lists(entries, min_size=d, max_size=d)
    wrapping = np.array(data.draw(st.lists(points, min_size=p, max_size=p)))
    assume(np.linalg.svd(wrapping)[1].min() > 0.4)
    vectors = np.array(data.draw(st.lists(points, min_size=1, max_size=5)))
    ours = nearest_images(vectors, wrapping)
    # the shortest image is no longer than v, so |m_a| ≤ |T*_a| (|v| + |v|)
    dual = np.linalg.norm(np.linalg.pinv(wrapping), axis=0).max()
    reach = int(2 * dual * np.linalg.norm(vectors, axis=1).max()) + 1
    assume(reach <= 25)
    grid = np.indices((2 * reach + 1,) * p).reshape(p, -1).T - reach
    best = np.linalg.norm(vectors[:, None] + grid @ wrapping, axis=-1).min(axis=1)
    assert np.abs(np.linalg.norm(ours, axis=1) - best).max() < 1e-6
    whole = (ours - vectors) @ np.linalg.pinv(wrapping)
    assert np.abs(whole - whole.round()).max() < 1e-6


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Chain(0), "extent: expected a positive integer, got 0"),
        (lambda: Chain(2.5), "extent"),
        (lambda: Chain(True), "extent"),
        (lambda: Chain("6"), "extent"),
        (lambda: Chain(5_000_000), "at most 4194304 sites"),
        (lambda: Square(3, 3, pbc=(True,)), "pbc: expected True, False, or 2"),
        (lambda: Square(3, 3, pbc="yes"), "pbc"),
        (lambda: Square(3, 3, pbc=1), "pbc"),
        (lambda: Cubic(3, 3), "all three extents"),
        (lambda: Lattice([[1.0, 0.0], [2.0, 0.0]], None, (2, 2)), "linearly independent"),
        (lambda: Lattice([[1.0, 0.0]], None, (2,)), r"shape \(d, d\)"),
        (lambda: Lattice([[np.nan]], None, (2,)), "finite"),
        (lambda: Lattice([["a"]], None, (2,)), "real numbers"),
        (lambda: Lattice([[1.0]], [[0.0, 1.0]], (2,)), "site_offsets"),
        (lambda: Lattice([[1.0]], [[0.0], [1.0]], (2,)), "coincides"),
        (lambda: Lattice([[1.0]], None, (2, 2)), "extent: expected 1 numbers"),
        (lambda: Lattice([[1.0]], None, "4"), "extent"),
        (lambda: Chain(4).bonds(0), "shell"),
        (lambda: Chain(1).bonds(), "at most 0"),
        (lambda: Square(3).site_at([0]), "cell"),
        (lambda: Square(200).displacement_index, "fit in memory"),
        (lambda: Square(200).space_group, "fit in memory"),
    ],
)
def test_bad_input_gets_one_clear_error(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize(
    "name",
    ["", "square", "square:", "square:6x", "square:6x6x6", "square:0", "square:-3", "square:6:closed",
     "chain:2x2", "square:4x4:open-open-open", "square:4:open:open", "hexagonal:3",
     "ladder:4x2:open-periodic", "graph", "graph:", "graph:edges.csv+", "square:٣", "chain:1e3",
     "square: 6", 6, None],
)  # fmt: skip
def test_unknown_names_list_the_known_ones(name):
    with pytest.raises(InputError, match="chain, square, triangular, honeycomb, kagome, cubic"):
        lattice_from_name(name)
