"""Meshes as surfaces: topology, files, geometry against known values, spheres, planes and brute force."""

import json

import jax
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

import intertwine as it
from intertwine._checks import InputError
from intertwine.spaces.mesh.geodesics import geodesics
from intertwine.spaces.mesh.surface import Surface
from spaces.mesh_shapes import SPOT, bumpy, mobius, sheet, torus

KEY = jax.random.key(0)
ICOSPHERES = json.loads("""{
"0": {"defects": [1.0471975511965965, 1.0471975511965965], "holonomies": [0.6283185307179582,
0.6283185307179586]}, "1": {"defects": [0.27384421774825807, 0.30934133337933645],
      "holonomies": [0.15521287020327934, 0.16267992010811927]},
"2": {"defects": [0.0692917249224081, 0.08227110788505065],
      "holonomies": [0.036546988744194486, 0.04168132308035721]}}""")
"""Smallest and largest angle defects and face holonomies of icospheres, by an independent numpy program
(midpoints
of edges pushed to the sphere, rescaled-angle connection): reference values for fields on meshes, 1e-12."""


@pytest.fixture(scope="module")
def spot():
    return it.Mesh(SPOT)


class TestKnownValues:
    def test_the_cow(self, spot):
        """Counts, area and curvature by the independent program, over the positions of the file."""
        topo = spot.surface.topology
        assert (spot.size, len(topo.edges), len(spot.faces)) == (2930, 8784, 5856)
        assert (spot.euler, topo.boundary_edges, topo.components, spot.orientable) == (2, 0, 1, True)
        assert abs(spot.areas.sum() - 5.709518785165157) < 1e-10
        d = spot.surface.defects
        rms = np.sqrt(np.mean(d**2))
        assert np.allclose(
            [d.max(), d.min(), rms], [0.6511232354597052, -0.4382990574037544, 0.07518952101402998]
        )
        assert abs(d.sum() - 4 * np.pi) < 1e-10
        assert abs(spot.surface.holonomies.sum() - 4 * np.pi) < 1e-10

    @pytest.mark.parametrize("level", [0, 1, 2])
    def test_icospheres(self, level):
        surface, known = it.Mesh.icosphere(level).surface, ICOSPHERES[str(level)]
        for found, (low, high) in (
            (surface.defects, known["defects"]),
            (surface.holonomies, known["holonomies"]),
        ):
            assert abs(found.min() - low) < 1e-12 and abs(found.max() - high) < 1e-12
            assert abs(found.sum() - 4 * np.pi) < 1e-11

    def test_every_face_of_the_icosahedron_turns_by_its_spherical_excess(self):
        """π/5: a twentieth of the area of the sphere."""
        assert np.abs(it.Mesh.icosphere(0).surface.holonomies - 4 * np.pi / 20).max() < 1e-12

    def test_around_each_vertex_of_a_grid_nothing_turns_but_at_corners(self):
        flat = it.Mesh.icosahedron(2).surface
        corner = np.isin(flat.faces, np.flatnonzero(np.abs(flat.defects) > 1e-9)).any(axis=1)
        assert np.abs(flat.holonomies[~corner]).max() < 1e-12
        assert np.abs(flat.defects[:12] - np.pi / 3).max() < 1e-12

    @pytest.mark.parametrize("shape, euler, open_edges", [(mobius, 0, 48), (sheet, 1, 20), (torus, 0, 0)])
    def test_gauss_bonnet(self, shape, euler, open_edges):
        mesh = it.Mesh(*shape())
        assert (mesh.euler, mesh.surface.topology.boundary_edges) == (euler, open_edges)
        assert abs(mesh.surface.defects.sum() - 2 * np.pi * euler) < 1e-10
        if mesh.orientable:
            edge = mesh.surface.topology.boundary
            turning = np.pi - mesh.surface.angle_sums[edge]
            assert abs(mesh.surface.holonomies.sum() + turning.sum() - 2 * np.pi * euler) < 1e-10


class TestGeodesics:
    def test_in_the_plane(self):
        """Logarithms and transport of a flat sheet are those of the plane, to any number of rings."""
        flat = it.Mesh(*sheet())
        axes = flat.axes_in_space
        for region in (1, 3, 2.5):
            near = flat.neighbourhood(region)
            seen = near.site != np.arange(flat.size)[:, None]
            v = np.einsum("nkc,nac->nka", flat.positions[near.site] - flat.positions[:, None], axes)
            assert (
                np.abs(np.exp(1j * (np.arctan2(v[..., 1], v[..., 0]) - near.angle)) - 1)[seen].max() < 1e-12
            )
            carried = np.einsum("nkc,nac->nka", axes[near.site][:, :, 0], axes)
            assert np.abs(np.exp(1j * near.turn) - carried[..., 0] - 1j * carried[..., 1])[seen].max() < 1e-12
            if isinstance(region, float):
                assert np.abs(np.linalg.norm(v, axis=-1) / region - near.radius)[seen].max() < 1e-12

    def test_on_the_sphere(self):
        """Distances, directions and transport are those along great circles, to a hundredth at 642 vertices,
        and
        tend to them."""
        errors = []
        for level in (2, 3):
            ball = it.Mesh.icosphere(level)
            near, axes = ball.neighbourhood(0.5), ball.axes_in_space
            seen = near.site != np.arange(ball.size)[:, None]
            p, q = ball.positions[:, None], ball.positions[near.site]
            cosine = (p * q).sum(axis=-1, keepdims=True)
            v = np.einsum("nkc,nac->nka", q - cosine * p, axes)
            u = axes[near.site][:, :, 0]
            u = u - (u * p).sum(axis=-1, keepdims=True) / (1 + cosine) * (p + q)  # along the great circle
            carried = np.einsum("nkc,nac->nka", u, axes)
            direction = np.exp(1j * (np.arctan2(v[..., 1], v[..., 0]) - near.angle)) - 1
            turn = carried[..., 0] + 1j * carried[..., 1] - np.exp(1j * near.turn)
            gaps = (np.arccos(np.clip(cosine[..., 0], -1, 1)) / 0.5 - near.radius, direction, turn)
            errors.append([np.sqrt(np.mean(np.abs(gap[seen]) ** 2)) for gap in gaps])
        assert np.max(errors[1]) < 1e-2 and errors[1][0] < errors[0][0] / 2.5

    def test_shortest_paths_over_hills_and_saddles(self):
        """Against Dijkstra's over many points on every edge: a little above the exact length, never below
        it."""
        points, faces = bumpy(5)
        surface = Surface(points, faces)
        assert (surface.defects[~surface.topology.boundary] < -0.3).any()
        found = geodesics(surface, np.full(surface.size, 3.0))
        exact = np.full((surface.size,) * 2, np.inf)
        exact[found.source, found.target] = found.length
        steiner = _over_edges(points, faces, 24)
        near = (steiner < 2.9) & (steiner > 0)
        assert np.isfinite(exact[near]).all()
        assert (exact[near] <= steiner[near] * (1 + 1e-9)).all()
        edges = np.zeros_like(near)
        edges[surface.rings.source, surface.rings.target] = True
        assert (steiner / exact - 1)[near & ~edges].max() < 4e-3

    def test_back_is_the_inverse(self):
        """g_ji = g_ij⁻¹ also over saddles, at boundaries and across a Möbius strip."""
        for shape in (bumpy, mobius):
            found = geodesics(Surface(*shape()), np.full(len(shape()[0]), 1.7))
            pairs = found.source * 10_000 + found.target
            back = found.target * 10_000 + found.source
            once = found.share == 1
            at = np.searchsorted(pairs, back[once])
            assert (pairs[at] == back[once]).all()
            assert np.abs(found.length[at] - found.length[once]).max() < 1e-9
            assert (found.sign[at] == found.sign[once]).all()
            total = found.turn[once] + found.sign[once] * found.turn[at]
            assert np.abs(np.exp(1j * total) - 1).max() < 1e-6

    def test_weights_integrate_polynomials(self):
        """Moments of a window in the tangent plane, on an irregular torus: to degree 2, and to degree 3 but
        where
        weights would grow wild."""
        mesh = it.Mesh(*torus(40, 16, seed=0))
        near = mesh.neighbourhood(0.5)
        window = near.weight * (1 - near.radius**2) ** 2
        x, y = near.radius * np.cos(near.angle), near.radius * np.sin(near.angle)
        for values, exact in ((1, 1 / 3), (x, 0), (y, 0), (x * x, 1 / 24), (x * y, 0), (y * y, 1 / 24)):
            assert np.abs((window * values).sum(axis=1) - exact).max() < 1e-12
        for values in (x**3, x * x * y):
            assert (np.abs((window * values).sum(axis=1)) < 1e-12).mean() > 0.95


class TestFramesInSpace:
    def test_vectors_in_and_out(self, spot):
        axes = spot.axes_in_space
        assert np.abs(np.einsum("nac,nbc->nab", axes, axes) - np.eye(2)).max() < 1e-12
        assert np.abs(np.einsum("nac,nc->na", axes, spot.surface.normals)).max() < 1e-12
        tangent = spot.to_space(np.random.default_rng(0).normal(size=(3, spot.size, 2)))
        assert np.abs(spot.to_space(spot.to_frames(tangent)) - tangent).max() < 1e-12

    def test_other_frames_are_other_components_of_the_same_vectors(self, spot):
        move = spot.random_elements(1, key=KEY)[0]
        field = np.random.default_rng(0).normal(size=(spot.size, 2))
        moved = spot.act(move, field, spot.fibre_group.irrep(1))
        assert np.abs(spot.reframed(move).to_space(moved) - spot.to_space(field)).max() < 1e-12

    def test_isometries_turn_vectors_in_space(self):
        ball = it.Mesh.icosphere(1)
        rotations = it.symmetry.icosahedral_rotations()
        field = np.random.default_rng(0).normal(size=(ball.size, 2))
        for g in (1, 17, 42):
            move = ball.random_elements(3, key=KEY)[2]._replace(isometry=g)
            moved = ball.to_space(ball.act(move, field, ball.fibre_group.irrep(1)))
            turned = ball.to_space(field) @ rotations[g].T
            assert np.abs(moved[ball.symmetry.images[g]] - turned).max() < 1e-12


class TestFiles:
    @pytest.mark.parametrize("kind", ["obj", "ply", "stl"])
    def test_written_and_read(self, kind, tmp_path):
        import trimesh

        points, faces = torus(8, 6)
        trimesh.Trimesh(points, faces, process=False).export(tmp_path / f"torus.{kind}")
        mesh = it.Mesh(tmp_path / f"torus.{kind}")
        assert (mesh.size, len(mesh.faces), mesh.euler) == (48, 96, 0)
        assert abs(mesh.areas.sum() - it.Mesh(points, faces).areas.sum()) < 1e-5

    def test_what_is_no_mesh(self, tmp_path):
        (tmp_path / "words.obj").write_text("nothing\n")
        for path in (tmp_path / "words.obj", tmp_path / "none.ply"):
            with pytest.raises(InputError, match="path: expected"):
                it.Mesh(path)

    def test_names(self):
        from intertwine.spaces import mesh_from_name

        assert mesh_from_name("icosphere:1") == it.Mesh.icosphere(1)
        assert mesh_from_name(f"mesh:{SPOT}").size == 2930
        with pytest.raises(InputError, match="icosphere:LEVEL"):
            mesh_from_name("sphere")


TRIANGLE = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
FAN = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1]])


class TestRefused:
    @pytest.mark.parametrize(
        "points, faces, words",
        [
            (FAN, [[0, 1, 2], [0, 3, 4], [0, 2, 5]], "vertex 0, where 2 fans of faces meet"),
            (FAN[:5], [[0, 1, 2], [0, 1, 3], [0, 1, 4]], "edge between vertices 0 and 1 with 3"),
            (TRIANGLE, [[0, 1, 1]], "three different vertices"),
            (TRIANGLE * [1, 0, 1], [[0, 1, 2]], "with area 0"),
            (np.array([[0, 0, 0], [1, 0, 0], [0, np.nan, 0]]), [[0, 1, 2]], "vertex 2 at"),
            (FAN[:4], [[0, 1, 2]], "vertex 3 in none"),
            (TRIANGLE, [[0, 1, 2], [2, 1, 0]], "more than once"),
            (TRIANGLE, [[0, 1, 3]], "vertices from 0 to 2"),
            (TRIANGLE, [[0, 1, 2, 0]], "integers"),
            (TRIANGLE[:, :2], [[0, 1, 2]], "positions"),
        ],
    )
    def test_in_words(self, points, faces, words):
        with pytest.raises(InputError, match=words):
            it.Mesh(points, np.array(faces))

    def test_one_side_has_no_rotations(self):
        strip = it.Mesh(*mobius())
        assert not strip.orientable and strip.fibre_group.name == "O(2)"
        with pytest.raises(InputError, match="O\\(2\\) on a mesh that is not orientable"):
            it.Mesh(*mobius(), group="SO(2)")
        with pytest.raises(InputError, match="not orientable"):
            it.Conv(strip, it.symmetry.CompactGroup("SO(2)").irrep(1), "vector", 1, key=KEY)

    @pytest.mark.parametrize("region", [-1, 0.0, "near", (0.1, 0), (1, 2, 3)])
    def test_regions(self, region):
        with pytest.raises(InputError, match="support"):
            it.Conv(it.Mesh.icosphere(0), "scalar", "scalar", region, key=KEY)


def test_faces_are_turned_to_agree():
    points, faces = torus(6, 5)
    faces[[3, 8, 20]] = faces[[3, 8, 20]][:, ::-1]
    mesh = it.Mesh(points, faces)
    assert mesh.orientable and mesh.surface.topology.reversed_faces == 3
    assert "3 faces turned to agree" in str(mesh)


def test_equal_where_the_same():
    ball = it.Mesh.icosphere(1)
    again = it.Mesh.icosphere(1)
    assert ball == again and hash(ball) == hash(again)
    assert ball != it.Mesh.icosphere(1, group="O(2)") and ball != it.Mesh.icosahedron(1)
    assert ball != ball.reframed(ball.random_elements(1, key=KEY)[0])
    assert ball.neighbourhood(1) is again.neighbourhood(1)


def _over_edges(points, faces, count):
    """Distances between vertices along straight lines over faces, through `count` points on every edge."""
    edges = np.unique(
        np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0
    )
    number = {tuple(e): k for k, e in enumerate(edges)}
    t = (np.arange(1, count + 1) / (count + 1))[:, None]
    inner = [points[a] * (1 - t) + points[b] * t for a, b in edges]
    every = np.concatenate([points, *inner])
    rows, columns = [], []
    for face in faces:
        own = [face]
        for a, b in ((0, 1), (1, 2), (2, 0)):
            k = number[tuple(sorted((face[a], face[b])))]
            own.append(len(points) + k * count + np.arange(count))
        own = np.concatenate(own)
        a, b = np.meshgrid(own, own)
        rows.append(a.reshape(-1)), columns.append(b.reshape(-1))
    i, j = np.unique(np.stack([np.concatenate(rows), np.concatenate(columns)]), axis=1)
    i, j = i[i != j], j[i != j]
    graph = sparse.csr_array((np.linalg.norm(every[i] - every[j], axis=1), (i, j)), (len(every),) * 2)
    return dijkstra(graph, indices=np.arange(len(points)))[:, : len(points)]
