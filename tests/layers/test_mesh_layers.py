"""Gauge-equivariant convolutions on meshes: the law under other frames and isometries, the plain sum, counts,
refinement, planted bugs."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import FourierPointwise, Gated, Linear, NormNonlinearity, Sequential, field_type
from intertwine.spaces.mesh.frames import turned
from intertwine.spaces.mesh.neighbourhoods import disc, profile
from intertwine.symmetry.groups.rotations import plane_rotation
from spaces.mesh_shapes import SPOT, bumpy, mobius, torus

KEY = jax.random.key(1)
MIXED = "2 scalar + vector + 2 spin 3"


run = eqx.filter_jit(lambda layer, x: layer(x))


class TestLaw:
    @pytest.mark.parametrize("region", [1, pytest.param(0.8, marks=pytest.mark.slow)])
    def test_the_sixty_rotations_and_other_frames_of_an_icosphere(self, region):
        ball = it.Mesh.icosphere(1)
        layer = it.Conv(ball, MIXED, MIXED, region, key=KEY)
        moves = list(ball.random_elements(2, key=KEY))
        moves += [moves[0]._replace(isometry=g, frames=None) for g in range(60)]
        rows = it.assert_equivariant(layer, key=KEY, tol=1e-12, elements=moves)
        assert len(rows) == 62 and rows[0].name == "other frames at every vertex"

    @pytest.mark.parametrize(
        "shape, region",
        [
            (mobius, 1),
            pytest.param(bumpy, 2, marks=pytest.mark.slow),
            pytest.param(mobius, 0.6, marks=pytest.mark.slow),
        ],
    )
    def test_open_meshes_and_a_mobius_strip(self, shape, region):
        mesh = it.Mesh(*shape())
        types = MIXED if mesh.orientable else MIXED + " + 2 pseudoscalar"
        it.assert_equivariant(it.Conv(mesh, types, types, region, key=KEY), key=KEY, tol=1e-12)

    @pytest.mark.slow
    def test_the_cow(self):
        it.assert_equivariant(
            it.Conv(it.Mesh(SPOT), "scalar + vector", MIXED, 1, key=KEY), key=KEY, tol=1e-12
        )

    def test_a_network(self):
        """Gates and norms exactly; functions of the angle as well as their samples resolve them."""
        ball = it.Mesh.icosphere(1)
        gated = Gated(field_type(ball, "2 scalar + vector"))
        lengths = NormNonlinearity(field_type(ball, "scalar + 2 spin 1"))
        angles = FourierPointwise.circle(ball, 1, 2, "gelu", samples=16)
        layers = [
            it.Conv(ball, "scalar", gated.rep_in, 1, key=KEY),
            gated,
            Linear(gated.rep_out, lengths.rep_in, key=KEY),
            lengths,
            it.Conv(ball, lengths.rep_out, angles.rep_in, 1, key=KEY),
            angles,
        ]
        rows = it.assert_equivariant(Sequential(layers), key=KEY, tol=1e-4)
        assert max(row.error for row in rows if row.layer not in ("fourierpointwise6", "whole")) < 1e-12

    def test_in_single_precision(self):
        ball = it.Mesh.icosphere(1)
        layer = it.Conv(ball, MIXED, MIXED, 1, dtype=jnp.float32, key=KEY)
        x = jax.random.normal(KEY, (ball.size, layer.rep_in.dimension), jnp.float32)
        single, double = run(layer, x), run(jax.tree.map(lambda w: w.astype(float), layer), x.astype(float))
        assert single.dtype == jnp.float32 and double.dtype == jnp.float64
        np.testing.assert_allclose(single, double, atol=2e-6 * np.abs(double).max())


class TestAgainstThePlainSum:
    @pytest.mark.parametrize(
        "shape, region",
        [
            (mobius, 1),
            pytest.param(torus, 2, marks=pytest.mark.slow),
            pytest.param(bumpy, 1.4, marks=pytest.mark.slow),
        ],
    )
    def test_kernel_by_kernel(self, shape, region):
        """Σ_j q κ(log j) ρ(g_ij) f(j), with κ(r, θ) = σ(θ) K(r) ρ(θ)⁻¹ as matrices, vertex by vertex."""
        mesh = it.Mesh(*shape())
        names = "scalar + vector + 2 spin 2" + ("" if mesh.orientable else " + pseudoscalar")
        layer = it.Conv(mesh, names, "vector + spin 3 + scalar", region, key=KEY)
        rho, sigma = layer.rep_in, layer.rep_out
        x = np.random.default_rng(0).normal(size=(mesh.size, rho.dimension))
        near, where, kernel = mesh.neighbourhood(region), disc(region), np.asarray(layer.kernel())
        out = np.zeros((mesh.size, sigma.dimension))
        orders = _orders(rho, sigma)
        for k in range(near.site.shape[1]):
            f = turned(x[near.site[:, k]], rho, near.turn[:, k], near.sign[:, k])
            back, forth = (
                rho.matrix(plane_rotation(-near.angle[:, k])),
                sigma.matrix(plane_rotation(near.angle[:, k])),
            )
            f = np.einsum("nij,nj->ni", back, f)
            for p in range(where.profiles):
                radial = np.stack([profile(where, p, m, near.radius[:, k]) for m in range(7)])
                share = _split(kernel[p], rho, sigma)
                seen = sum(radial[m][:, None] * (f @ part) for m, part in share.items())
                out += near.weight[:, k, None] * np.einsum("nij,nj->ni", forth, seen)
        assert max(orders) <= 6
        assert np.abs(run(layer, jnp.asarray(x)) - out).max() < 1e-12 * np.abs(out).max()

    def test_batches_and_gradients(self):
        mesh = it.Mesh(*torus(8, 6))
        layer = it.Conv(mesh, "scalar + vector", "vector", 1, key=KEY)
        x = jax.random.normal(KEY, (2, 3, mesh.size, 3))
        y = run(layer, x)
        assert y.shape == (2, 3, mesh.size, 2) and np.abs(run(layer, x[1, 2]) - y[1, 2]).max() < 1e-14
        slope = eqx.filter_jit(eqx.filter_grad(lambda layer: (layer(x) ** 2).sum()))(layer)
        step = eqx.tree_at(lambda one: one.kernel.weights[0], layer, layer.kernel.weights[0] + 1e-6)
        rise = (np.square(run(step, x)).sum() - np.square(y).sum()) / 1e-6
        assert abs(rise - slope.kernel.weights[0].sum()) < 1e-4 * abs(rise)


def _orders(rho, sigma):
    a, b = ({part.irreps[0][0].frequency for part, _ in rep.blocks} for rep in (rho, sigma))
    return {abs(i - j) for i in a for j in b} | {i + j for i in a for j in b}


def _split(kernel, rho, sigma):
    """A kernel on the first axis by the orders of e^{imθ} in it: complex linear and antilinear parts."""
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    moved = np.einsum(
        "tij,tjk,tlk->til",
        rho.matrix(plane_rotation(turns)),
        np.broadcast_to(kernel, (16, *kernel.shape)),
        sigma.matrix(plane_rotation(turns)),
    )
    waves = np.fft.fft(moved, axis=0) / 16
    return {m: (waves[m] if m == 0 else waves[m] + waves[-m]).real for m in range(7)}


class TestCounts:
    @pytest.mark.parametrize("group, expected", [("SO(2)", [1, 2, 2, 4, 4]), ("O(2)", [1, 1, 1, 2, 2])])
    def test_kernels_between_spins(self, group, expected):
        """dim Hom of functions on a circle of directions: d_ρ d_σ for SO(2), those that s keeps for O(2)."""
        ball = it.Mesh.icosphere(0, group=group)
        G = ball.fibre_group
        for (n, m), count in zip([(0, 0), (0, 1), (2, 0), (1, 2), (2, 2)], expected, strict=True):
            basis = ball.kernel_basis(G.irrep(n), G.irrep(m), 0.5)
            assert len(basis) == 3 * count
            circle = sum(
                (G.irrep(k) for k in range(1, n + m + 1)), G.irrep(0)
            )  # functions on S¹, band-limited
            assert G.irrep(n).tensor(circle).hom_dim(G.irrep(m)) == count

    def test_a_vertex_sees_itself_by_schur(self):
        ball = it.Mesh.icosphere(0)
        G = ball.fibre_group
        assert [len(ball.kernel_basis(G.irrep(1), G.irrep(m), 0)) for m in (0, 1, 2)] == [0, 2, 0]

    def test_no_kernels_is_an_error(self):
        with pytest.raises(InputError, match="Hom"):
            it.Conv(it.Mesh.icosphere(0), "vector", "spin 2", 0, key=KEY)


@pytest.mark.slow
def test_generic_rotations_are_kept_better_by_finer_meshes():
    """Two layers, spins 0 to 2, on polynomials of degree 4, turned at random; at least 3 times per
    refinement."""
    rotation = it.symmetry.groups.rotations.random_rotations(1, key=KEY)[0]
    for out in ("scalar", "vector"):
        errors = [_turned_error(level, rotation, out) for level in (2, 3, 4)]
        assert errors[1] < errors[0] / 3 and errors[2] < errors[1] / 3, errors


def _turned_error(level, rotation, out):
    ball, names = it.Mesh.icosphere(level), "scalar + vector + spin 2"
    first = it.Conv(ball, "scalar", names, (0.6, 2), key=KEY)
    second = it.Conv(ball, names, out, (0.6, 2), key=jax.random.key(2))
    x = ball.positions
    powers = [(a, b, c) for a in range(6) for b in range(6) for c in range(2) if a + b + c <= 5]

    def terms(points, top):
        return np.stack([np.prod(points**p, axis=1) for p in powers if sum(p) <= top], axis=1)

    coefficients = np.random.default_rng(0).normal(size=terms(x, 4).shape[1])

    def seen(points):
        y = run(second, run(first, jnp.asarray(terms(points, 4) @ coefficients)[:, None]))
        return np.asarray(y) if out == "scalar" else ball.to_space(np.asarray(y))

    y, moved = seen(x), seen(x @ rotation.T)
    fitted = np.linalg.lstsq(terms(x, 5), y, rcond=None)[0]
    expected = terms(x @ rotation.T, 5) @ fitted
    expected = expected if out == "scalar" else expected @ rotation
    return np.sqrt(np.mean((moved - expected) ** 2) / np.mean(y**2))


class TestOnAnotherMesh:
    def test_the_same_weights(self):
        ball, ring = it.Mesh.icosphere(1), it.Mesh(*torus(8, 6))
        layer = Sequential([it.Conv(ball, "scalar", "vector", 1, key=KEY)])
        moved = it.on_space(layer, ring)
        assert moved.space == ring and layer.space == ball
        assert jax.eval_shape(moved, jnp.ones((ring.size, 1))).shape == (ring.size, 2)

    def test_of_another_kind(self):
        layer = it.Conv(it.Mesh.icosphere(1), "scalar", "vector", 1, key=KEY)
        for other in (it.Mesh(*mobius()), it.Grid("p4")):
            with pytest.raises(InputError, match="space"):
                it.on_space(layer, other)
        with pytest.raises(InputError, match="one space"):
            it.on_space(Gated(layer.rep_out), it.Mesh.icosphere(1))


class Changed(it.Mesh):
    """A mesh with a mistake in what its vertices see."""

    def __init__(self, mesh, change):
        self.__dict__.update(mesh.__dict__)
        self.change = change
        self._mark = change.__name__.encode() + mesh._mark

    def neighbourhood(self, region=None):
        return self.change(super().neighbourhood(region))

    def reframed(self, element):
        return Changed(super().reframed(element), self.change)


def one_edge_without_transport(near):
    turn = near.turn.copy()
    turn[3, 2] = 0
    return near._replace(turn=turn)


def left_for_right(near):
    return near._replace(angle=-near.angle, turn=-near.turn)


def no_transport(near):
    return near._replace(turn=0 * near.turn)


class Biased(eqx.Module):
    conv: eqx.Module

    def __call__(self, x, *, key=None):
        return self.conv(x) + jnp.array([0.0, 1.0, 0.0])

    rep_in = property(lambda self: self.conv.rep_in)
    rep_out = property(lambda self: self.conv.rep_out)
    space = property(lambda self: self.conv.space)


class TestPlantedBugs:
    @pytest.mark.parametrize(
        "change, reason",
        [
            (
                one_edge_without_transport,
                "only vertices 3 are wrong: a neighbour is seen there without its transport",
            ),
            (left_for_right, "a wrong handedness"),
            (no_transport, "without transport to the frame of the centre"),
        ],
    )
    def test_are_caught(self, change, reason):
        mesh = Changed(it.Mesh.icosphere(1), change)
        layer = it.Conv(mesh, "scalar + vector", "scalar + vector", 1, key=KEY)
        with pytest.raises(AssertionError, match=reason):
            it.assert_equivariant(layer, key=KEY)

    def test_a_bias_on_vectors(self):
        layer = it.Conv(it.Mesh.icosphere(1), "scalar + vector", "scalar + vector", 1, key=KEY)
        with pytest.raises(AssertionError, match="a bias on spin 1, which has no invariant vector"):
            it.assert_equivariant(Biased(layer), key=KEY)


def test_spaces_inside_are_found():
    ball = it.Mesh.icosphere(0)
    layer = it.Conv(ball, "scalar", "vector", 1, key=KEY)
    other = ball.reframed(ball.random_elements(1, key=KEY)[0])
    moved = it.on_space(layer, {ball: other})
    assert moved.kernel.space == other and dataclasses.is_dataclass(moved)
