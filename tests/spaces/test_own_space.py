"""A space defined outside the package goes through layers, intertwiners and the law with no change there."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import GlobalPool, GroupPool, Pointwise, Sequential, export
from intertwine.layers.executors.gather import GatherExecutor
from intertwine.layers.executors.protocol import FiniteExecutor
from intertwine.spaces.homogeneous import HomogeneousSpace, Neighbourhood
from intertwine.symmetry import FiniteGroup, Rep, cyclic, regular, trivial
from intertwine.symmetry.intertwiner_basis import Orbits, Support
from intertwine.symmetry.kernel_dimensions import dimension_by_characters

KEY = jax.random.key(0)


class FourierTorus(FiniteExecutor):
    """y(x) = Σ_z κ(z) f(x + z) by the Fourier transform on C_n × C_m."""

    def apply(self, plan, kernel, x):
        n, m = plan.space.shape
        at = plan.space.points(plan.support)
        placed = jnp.zeros((n, m, *kernel.shape[1:]), x.dtype).at[at[:, 0] % n, at[:, 1] % m].add(kernel)
        axes = (-3, -2)
        waves = jnp.fft.fft2(x, axes=axes)
        kernels = jnp.conj(jnp.fft.fft2(placed, axes=(0, 1)))
        return jnp.fft.ifft2(jnp.einsum("...xyi,xyio->...xyo", waves, kernels), axes=axes).real


class Torus:
    """C_n × C_m, moved by its translations and by the mirror (a, b) ↦ (−a, b): fields (..., n, m, C)."""

    executor = FourierTorus()
    axes = 2
    common_frame = True

    def __init__(self, n, m):
        self.shape = (n, m)
        self.fibre_group = cyclic(2)
        self.elements = [(a, b, h) for h in (0, 1) for a in range(n) for b in range(m)]
        place = {g: k for k, g in enumerate(self.elements)}
        table = [[place[self._product(g, k)] for k in self.elements] for g in self.elements]
        self.group = FiniteGroup(np.array(table), f"torus {n}×{m}")

    def _product(self, g, k):
        sign = -1 if g[2] else 1
        return (g[0] + sign * k[0]) % self.shape[0], (g[1] + k[1]) % self.shape[1], g[2] ^ k[2]

    def points(self, region):
        every = np.indices(self.shape).reshape(2, -1).T
        return every if region is None else np.asarray(region)

    def support(self, region):
        points = [tuple(p) for p in self.points(region) % np.array(self.shape)]
        place = {p: k for k, p in enumerate(points)}
        mirrored = [place[-a % self.shape[0], b] for a, b in points]
        action = np.array([range(len(points)), mirrored], np.int32)
        transport = np.repeat(np.array([[0], [1]], np.int32), len(points), 1)
        return Support(self.fibre_group, self.fibre_group, (Orbits(action, transport),))

    def act(self, element, field, rep):
        a, b, h = self.elements[element]
        if h:
            field = np.roll(np.flip(np.asarray(field), -3), 1, -3)
        return np.roll(np.asarray(field), (a, b), (-3, -2)) @ rep.matrix(h).T.astype(field.dtype)

    def __eq__(self, other):
        return isinstance(other, Torus) and self.shape == other.shape

    def __hash__(self):
        return hash(self.shape)


class Ring(Torus):
    """C_n × 1 as points in a row, (..., n, C), carried out by the gathering executor of the library."""

    executor = GatherExecutor()
    axes = 1

    def __init__(self, n):
        super().__init__(n, 1)
        self.shape, self.size, self.rows = (n,), n, HomogeneousSpace.of(cyclic(n)).action

    def _product(self, g, k):
        return (g[0] + (-1 if g[2] else 1) * k[0]) % self.size_of(), 0, g[2] ^ k[2]

    def size_of(self):
        return self.shape[0]

    def points(self, region):
        return np.arange(self.size) if region is None else np.asarray(region)

    def support(self, region):
        points = self.points(region)
        place = {int(p): k for k, p in enumerate(points)}
        action = np.array([range(len(points)), [place[-int(p) % self.size] for p in points]], np.int32)
        transport = np.repeat(np.array([[0], [1]], np.int32), len(points), 1)
        return Support(self.fibre_group, self.fibre_group, (Orbits(action, transport),))

    def neighbourhood(self, region):
        sites = (np.arange(self.size)[:, None] + self.points(region)) % self.size
        return Neighbourhood(sites, np.zeros_like(sites))

    def act(self, element, field, rep):
        turned = super().act(element, np.asarray(field)[..., None, :], rep)
        return turned[..., 0, :]


TORUS, RING = Torus(5, 4), Ring(6)
CROSS = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, 3)]
SIGN = Rep(TORUS.fibre_group, [[[1.0]], [[-1.0]]], "sign")


def types(space):
    scalar = trivial(space.fibre_group)
    return 2 * scalar + SIGN, scalar + regular(space.fibre_group)


@pytest.mark.parametrize("support", [None, CROSS], ids=["all points", "a cross"])
def test_a_torus_has_its_intertwiners(support):
    rep_in, rep_out = types(TORUS)
    found = it.symmetry.intertwiners(TORUS, rep_in, rep_out, support)
    assert found.dimension == dimension_by_characters(TORUS, rep_in, rep_out, support)
    assert found.kernels.shape[0] > 10


@pytest.mark.parametrize("support", [None, CROSS], ids=["all points", "a cross"])
def test_a_convolution_on_a_torus_is_the_sum_and_obeys_the_law(support):
    rep_in, rep_out = types(TORUS)
    layer = it.Conv(TORUS, rep_in, rep_out, support, key=KEY)
    x = jax.random.normal(KEY, (3, 5, 4, rep_in.dimension))
    kernel, bias = np.asarray(layer.dense_kernel()), np.asarray(layer.bias.vector)
    wanted = bias + sum(
        np.roll(np.asarray(x), (-a, -b), (1, 2)) @ kernel[k] for k, (a, b) in enumerate(TORUS.points(support))
    )
    np.testing.assert_allclose(layer(x), wanted, atol=2e-5)
    np.testing.assert_allclose(eqx.filter_jit(layer)(x), layer(x), atol=1e-6)
    rows = it.assert_equivariant(layer, key=KEY)
    assert len(rows) == TORUS.group.order and max(row.error for row in rows) < 1e-5
    assert layer.keeps_centre((5, 4)) and not layer.correlates


def test_a_broken_layer_on_a_torus_is_caught():
    layer = it.Conv(TORUS, *types(TORUS), None, key=KEY)
    ramp = jnp.arange(5.0)[:, None, None]
    with pytest.raises(AssertionError, match="not equivariant"):
        it.assert_equivariant(
            lambda x: layer(x) * ramp, space=TORUS, rep_in=layer.rep_in, rep_out=layer.rep_out, key=KEY
        )


def test_a_network_on_a_torus():
    hidden = 4 * regular(TORUS.fibre_group)
    first, second = jax.random.split(KEY)
    network = Sequential(
        [
            ("lift", it.Conv(TORUS, "scalar", hidden, CROSS, key=first)),
            ("act", Pointwise(hidden)),
            ("conv", it.Conv(TORUS, hidden, hidden, CROSS, key=second)),
            ("pool", GlobalPool(TORUS, hidden)),
            ("invariant", GroupPool(hidden)),
        ]
    )
    it.assert_equivariant(network, key=KEY)
    assert network(jnp.ones((2, 5, 4, 1))).shape == (2, 4)
    assert isinstance(export(network)["conv"], it.Conv)  # no plain correlation: it stays as it is


def test_a_space_may_take_the_gathering_executor():
    layer = it.Conv(RING, *types(RING), [0, 1, 5], key=KEY)
    rows = it.assert_equivariant(layer, key=KEY)
    assert len(rows) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 2}, "1 and no padding on a finite space"),
        ({"executor": "spectral"}, "'auto' on this space"),
    ],
)
def test_settings_that_a_space_has_no_use_for_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        it.Conv(TORUS, "scalar", "scalar", None, key=KEY, **options)


def test_what_is_no_space_is_refused():
    with pytest.raises(InputError, match="or another Space"):
        it.Conv("p4m", "scalar", "scalar", 3, key=KEY)
