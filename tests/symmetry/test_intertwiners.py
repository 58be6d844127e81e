"""Kernels obey their equation, the basis is complete and orthonormal, and the disk changes nothing."""

import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.spaces.grid import Grid
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.symmetry import (
    Rep,
    cyclic,
    dihedral,
    disk_cache as disk,
    intertwiners,
    irreps,
    octahedral,
    quotient,
    regular,
    trivial,
)
from intertwine.symmetry.intertwiner_basis import _basis


def _grid(name):
    grid = Grid(name)
    return grid, grid.vector + regular(grid.group), 2 * trivial(grid.group) + grid.vector


CASES = {
    "p4m": (*_grid("p4m"), 3),
    "p6": (*_grid("p6"), 5),
    "p3m1": (*_grid("p3m1"), 3),
    "cubic:td": (*_grid("cubic:td"), 3),
    "even window": (*_grid("p4"), 4),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERTWINE_CACHE", str(tmp_path / "cache"))
    _basis.cache_clear()
    yield tmp_path / "cache"
    _basis.cache_clear()


@pytest.mark.parametrize("name", CASES)
def test_kernels_obey_their_equation(name):
    """κ(h x) = σ(h) κ(x) ρ(h)⁻¹ for every element and point, and the basis is orthonormal."""
    grid, rep_in, rep_out, width = CASES[name]
    found = intertwiners(grid, rep_in, rep_out, width)
    kernels, action = found.kernels, found.support.kinds[0].action
    for h in range(grid.group.order):
        moved = rep_out.matrix(h) @ kernels @ rep_in.matrix(int(grid.group.inverse[h]))
        np.testing.assert_allclose(kernels[:, action[h]], moved, atol=1e-12)
    flat = kernels.reshape(len(kernels), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-12)


def test_kernels_obey_their_equation_on_cosets():
    """The same with a cocycle: O/C_4 to itself, all real irreps of the stabiliser."""
    G = octahedral()
    four = G.generate([int(np.flatnonzero(G.element_orders == 4)[0])])
    space = HomogeneousSpace(four)
    rep = Rep.direct_sum([(r, 1) for r in irreps(four.group, "real")])
    found = intertwiners(space, rep, rep, None)
    kernels, kind = found.kernels, found.support.kinds[0]
    for k in range(four.order):
        for x in range(space.size):
            back = rep.matrix(int(rep.group.inverse[kind.transport[k, x]]))
            np.testing.assert_allclose(
                kernels[:, kind.action[k, x]], rep.matrix(k) @ kernels[:, x] @ back, atol=1e-12
            )


def test_harmonics_turn_exactly():
    """Rings of C_8: the coordinates' mixing matrices represent the group, and the equation holds in them."""
    grid = Grid("d8")
    rep = grid.vector + regular(grid.group)
    found = intertwiners(grid, rep, rep, 5)
    for kind in found.support.kinds:
        if kind.mixing is not None:
            Rep(grid.group, kind.mixing)  # raises where it is none
    sampled = found.kernels
    exact = np.flatnonzero(grid.exact_elements)
    place = {tuple(x): i for i, x in enumerate(grid.window(5).offsets)}
    for h in exact:
        images = [place[tuple(x)] for x in grid.window(5).offsets @ grid.steps[h].T]
        moved = rep.matrix(int(h)) @ sampled @ rep.matrix(int(grid.group.inverse[h]))
        np.testing.assert_allclose(sampled[:, images], moved, atol=1e-12)


def test_the_disk_changes_nothing(own_cache):
    grid = Grid("c8")
    first = intertwiners(grid, grid.vector, regular(grid.group), 5).kernels
    files = sorted(own_cache.glob("*.npz"))
    assert files
    _basis.cache_clear()
    np.testing.assert_array_equal(intertwiners(grid, grid.vector, regular(grid.group), 5).kernels, first)
    for damage in (b"", b"not an archive", files[0].read_bytes()[:100]):
        files[0].write_bytes(damage)
        _basis.cache_clear()
        np.testing.assert_array_equal(intertwiners(grid, grid.vector, regular(grid.group), 5).kernels, first)
    assert not list(own_cache.glob("*.part"))


def test_no_cache_and_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERTWINE_CACHE", "")
    assert disk.cache_folder() is None
    assert disk.cached("x", lambda: {"a": np.arange(3)})["a"].tolist() == [0, 1, 2]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INTERTWINE_CACHE", str(tmp_path / "file" / "folder"))
    assert disk.cached("x", lambda: {"a": np.arange(3)})["a"].tolist() == [0, 1, 2]
    monkeypatch.delenv("INTERTWINE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert disk.cache_folder() == tmp_path / "intertwine"


def test_a_basis_does_not_depend_on_the_order_of_equal_questions():
    """Two groups of the same table give the same basis to the last bit: what a saved network relies on."""
    one = intertwiners(Grid("p4m"), Grid("p4m").vector, Grid("p4m").vector, 5).kernels
    _basis.cache_clear()
    grid = Grid(dihedral(4), matrices=Grid("p4m").linear)
    np.testing.assert_array_equal(intertwiners(grid, grid.vector, grid.vector, 5).kernels, one)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda g: intertwiners(g, g.vector, regular(cyclic(4)), 3),
            "^rep_out: expected a representation of",
        ),
        (lambda g: intertwiners(g, "vector", g.vector, 3), "^rep_in: expected a representation of"),
        (
            lambda g: intertwiners(g, g.vector.changed([[1.0, 1.0], [0.0, 1.0]]), g.vector, 3),
            "^rep_in: expected orthogonal",
        ),
        (lambda g: intertwiners(g, g.vector, g.vector, 0), "^support: expected a positive integer"),
        (lambda g: intertwiners(g, g.vector, g.vector, (3, 3, 3)), "^support: expected a width, 2 widths"),
        (
            lambda g: intertwiners(g, g.vector, g.vector, [[1, 0]]),
            "^support: expected a window that p4m maps",
        ),
        (lambda g: intertwiners(g, g.vector, g.vector, [[0.3, 0]]), "^support: expected displacements"),
        (lambda g: Grid(dihedral(4)), "^group: expected a name, or a FiniteGroup with its matrices"),
        (
            lambda g: Grid("p4", matrices=np.eye(2)[None]),
            "^matrices: expected None where the group is a name",
        ),
        (
            lambda g: Grid(cyclic(2), matrices=[np.eye(2), [[1.0, 1.0], [0.0, -1.0]]]),
            "^matrices: expected orthogonal",
        ),
        (
            lambda g: Grid(cyclic(2), matrices=[np.eye(2), 2 * np.eye(2)]),
            "^matrices: expected a representation",
        ),
        (lambda g: Grid("p4", scale=-1), "^scale: expected a positive number"),
        (lambda g: Grid("p6").window(4), "^support: expected an odd width on a triangular lattice"),
        (lambda g: g.act(0, np.zeros((4, 4, 3)), g.vector), "^field: expected shape"),
        (lambda g: g.sources(1, (4, 5)), "^shape: expected an array whose centre"),
        (lambda g: quotient(dihedral(4)), "^subgroup: expected a Subgroup"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make(Grid("p4m"))
