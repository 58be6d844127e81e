"""`Conv` on grids and on G/H: every pair of types on every space is equivariant under every element."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers.conv import Conv
from intertwine.spaces.grid import Grid
from intertwine.spaces.homogeneous import HomogeneousSpace
from intertwine.spaces.lattices import Kagome, Square
from intertwine.symmetry import dihedral, quotient, regular, trivial
from thinned import thinned

KEY = jax.random.key(0)


def _types(grid):
    """A mixed type in, another out: permutations, vectors, sums."""
    h = grid.group
    half = quotient(h.generate([h.order - 1]))
    return 2 * trivial(h) + regular(h) + grid.vector, half + 2 * regular(h) + grid.vector + trivial(h)


GRIDS = {
    "p1": (Grid("p1"), 3, (6, 6)),
    "p2": (Grid("p2"), (3, 2), (5, 4)),
    "pm": (Grid("pm"), 3, (5, 6)),
    "p4": (Grid("p4"), 3, (6, 6)),
    "p4 even": (Grid("p4"), 2, (5, 5)),
    "p4m": (Grid("p4m"), 3, (5, 5)),
    "p2mm": (Grid("p2mm"), (3, 5), (7, 6)),
    "line": (Grid("line:m"), 3, (8,)),
    "cubic:o": (Grid("cubic:o"), 3, (4, 4, 4)),
    "cubic:oh": (
        Grid("cubic:oh"),
        [[0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]],
        (3, 3, 3),
    ),
}
HEXAGONAL = {name: (Grid(name), 3, (5, 5)) for name in ("p3", "p6", "p3m1", "p31m", "p6m")}
PERIODIC = {**{k: v for k, v in GRIDS.items() if k in ("p4", "p4m", "line")}, **HEXAGONAL}


def _gap(layer, field, act_in, act_out):
    """The largest |K(h f) − h(K f)| over the elements, relative to the largest |K f|."""
    elements = range(layer.space.group.order)
    moved = np.stack([np.asarray(field), *(act_in(h, np.asarray(field)) for h in elements)])
    after = np.asarray(eqx.filter_jit(layer)(jnp.asarray(moved)))
    expected = np.stack([act_out(h, after[0]) for h in elements])
    return np.abs(after[1:] - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("name", thinned(GRIDS))
def test_equivariant_about_the_centre(name):
    grid, support, shape = GRIDS[name]
    rep_in, rep_out = _types(grid)
    with jax.enable_x64(True):
        layer = Conv(grid, rep_in, rep_out, support, dtype=jnp.float64, key=KEY)
        field = np.random.default_rng(0).normal(size=(*shape, rep_in.dimension))
        gap = _gap(layer, field, lambda h, f: grid.act(h, f, rep_in), lambda h, f: grid.act(h, f, rep_out))
    assert gap < 1e-12


@pytest.mark.parametrize("name", PERIODIC)
def test_equivariant_on_a_torus(name):
    grid, support, shape = PERIODIC[name]
    rep_in, rep_out = _types(grid)
    with jax.enable_x64(True):
        layer = Conv(grid, rep_in, rep_out, support, padding="periodic", dtype=jnp.float64, key=KEY)
        field = np.random.default_rng(0).normal(size=(*shape, rep_in.dimension))
        gap = _gap(
            layer,
            field,
            lambda h, f: grid.act(h, f, rep_in, periodic=True),
            lambda h, f: grid.act(h, f, rep_out, periodic=True),
        )
    assert gap < 1e-12


def test_float32_keeps_five_parts_in_a_million():
    grid = Grid("p4m")
    rep = 8 * regular(grid.group)
    layer = Conv(grid, rep, rep, 3, key=KEY)
    field = jax.random.normal(KEY, (9, 9, rep.dimension))
    assert _gap(layer, field, lambda h, f: grid.act(h, f, rep), lambda h, f: grid.act(h, f, rep)) < 5e-6


SPACES = {
    "D4/mirror": HomogeneousSpace(dihedral(4).generate([4])),
    "D6": HomogeneousSpace.of(dihedral(6)),
    "kagome": HomogeneousSpace.sites(Kagome(2, 2)),
    "another section": HomogeneousSpace(dihedral(4).generate([4]), section=[5, 4, 2, 7]),
}


@pytest.mark.parametrize("name", SPACES)
def test_equivariant_on_a_finite_space(name):
    space = SPACES[name]
    h = space.fibre_group
    rep_in = 2 * trivial(h) + regular(h)
    rep_out = regular(h) + trivial(h)
    signs = [r for r in _signs(h)]
    for sign in signs[:2]:
        rep_in, rep_out = rep_in + sign, sign + rep_out
    with jax.enable_x64(True):
        layer = Conv(space, rep_in, rep_out, dtype=jnp.float64, key=KEY)
        field = np.random.default_rng(0).normal(size=(space.size, rep_in.dimension))
        gap = _gap(layer, field, lambda g, f: space.act(g, f, rep_in), lambda g, f: space.act(g, f, rep_out))
    assert gap < 1e-12


def _signs(group):
    """The non-trivial real one-dimensional representations of an abelian fibre group."""
    from intertwine.symmetry import PermutationGroup, Rep

    characters = PermutationGroup(group.product_table).characters_1d()
    for row in characters[1:]:
        if np.abs(row.imag).max() < 1e-12:
            yield Rep(group, row.real[:, None, None], "sign")


@pytest.mark.slow
def test_rounding_of_a_band_limited_kernel_falls_with_refinement():
    """C_8 at 45°: a finer grid of the same image and kernel has a smaller error, at every refinement."""
    errors = []
    for scale in (1, 2, 4):
        grid = Grid("c8", scale=float(scale), width=0.6 * scale)
        rep_in, rep_out = grid.scalar, regular(grid.group)
        with jax.enable_x64(True):
            layer = Conv(grid, rep_in, rep_out, 4 * scale + 1, padding=2 * scale, dtype=jnp.float64, key=KEY)
            n = 12 * scale + 1
            x = (np.indices((n, n)) - (n - 1) / 2) / scale
            image = np.exp(-((x[0] - 1) ** 2 + 2 * (x[1] + 0.5) ** 2) / 3)
            turned = np.exp(
                -(((x[0] + x[1]) / 2**0.5 - 1) ** 2 + 2 * ((x[1] - x[0]) / 2**0.5 + 0.5) ** 2) / 3
            )
            out, moved = (np.asarray(layer(jnp.asarray(f)[..., None])) for f in (image, turned))
        expected = grid.act(1, out, rep_out)
        inner = np.hypot(*x) < 4
        errors.append(np.abs(moved - expected)[inner].max() / np.abs(out).max())
    assert errors[0] > 2 * errors[1] > 4 * errors[2], errors


def test_the_plain_convolution_is_the_case_of_the_trivial_group():
    grid = Grid("p1")
    layer = Conv(grid, 3 * grid.scalar, 5 * grid.scalar, 3, bias=False, key=KEY)
    x = jax.random.normal(KEY, (2, 8, 8, 3))
    expected = jax.lax.conv_general_dilated(
        x, layer.dense_kernel(), (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    assert layer.kernel.weights[0].shape == (9, 5, 3)


def test_a_large_basis_walked_through_tables_is_the_dense_one(monkeypatch):
    from intertwine.layers import kernel

    grid = Grid("d8")
    rep = 2 * regular(grid.group) + grid.vector
    layer = Conv(grid, rep, rep, 5, key=KEY)
    weigh = jax.random.normal(KEY, layer.kernel().shape)

    def value(layer):
        return jnp.sum(weigh * layer.kernel() ** 2)

    dense = eqx.filter_jit(eqx.filter_grad(value))(layer)
    kernel.layout.cache_clear()
    monkeypatch.setattr(kernel, "_MOST_DENSE", 0)
    try:
        walked = jax.jit(jax.grad(lambda k: jnp.sum(weigh * k() ** 2)))(layer.kernel)
    finally:
        kernel.layout.cache_clear()
    for a, b in zip(jax.tree.leaves(dense.kernel), jax.tree.leaves(walked), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_initial_weights_keep_the_variance():
    grid = Grid("p4m")
    rep = 16 * regular(grid.group)
    layer = Conv(grid, rep, rep, 3, gain=1.0, key=KEY)
    out = layer(jax.random.normal(KEY, (8, 12, 12, rep.dimension)))
    assert 0.8 < float(out.var()) < 1.25


BAD = {
    "space": (lambda g: Conv("p4", g.scalar, g.scalar, 3, key=KEY), "^space: expected a Grid"),
    "support": (lambda g: Conv(g, g.scalar, g.scalar, key=KEY), "^support: expected the width"),
    "not square": (
        lambda g: Conv(g, g.scalar, g.scalar, (3, 5), key=KEY),
        "^support: expected a window that p4",
    ),
    "another group": (
        lambda g: Conv(g, trivial(dihedral(4)), g.scalar, 3, key=KEY),
        "^rep_in: expected a representation of FiniteGroup",
    ),
    "nothing joins": (
        lambda g: Conv(g, g.scalar, g.vector, 1, key=KEY),
        "^rep_out: expected fields that some equivariant kernel leads to",
    ),
    "stride": (lambda g: Conv(g, g.scalar, g.scalar, 3, stride=0, key=KEY), "^stride: expected a positive"),
    "padding": (lambda g: Conv(g, g.scalar, g.scalar, 3, padding="full", key=KEY), "^padding: expected"),
    "even same": (lambda g: Conv(g, g.scalar, g.scalar, 2, padding="same", key=KEY), "^padding: expected"),
    "channels": (
        lambda g: Conv(g, g.scalar, g.scalar, 3, key=KEY)(jnp.ones((8, 8, 2))),
        "^x: expected fields of type trivial",
    ),
    "axes": (lambda g: Conv(g, g.scalar, g.scalar, 3, key=KEY)(jnp.ones((8, 1))), "^x: expected fields"),
    "small": (lambda g: Conv(g, g.scalar, g.scalar, 3, key=KEY)(jnp.ones((2, 2, 1))), "^x: expected arrays"),
    "name": (lambda g: Grid("p5"), "^group: expected one of 'p1', |^group: expected one of p1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    make, message = BAD[name]
    with pytest.raises(InputError, match=message):
        make(Grid("p4"))


def test_saved_and_loaded_layers_are_the_same(tmp_path):
    grid = Grid("d8")
    layer = Conv(grid, grid.scalar, regular(grid.group), 5, key=KEY)
    eqx.tree_serialise_leaves(tmp_path / "layer.eqx", layer)
    other = Conv(grid, grid.scalar, regular(grid.group), 5, key=jax.random.key(1))
    loaded = eqx.tree_deserialise_leaves(tmp_path / "layer.eqx", other)
    x = jax.random.normal(KEY, (9, 9, 1))
    np.testing.assert_array_equal(loaded(x), layer(x))


@pytest.mark.parametrize(
    "name", ["cyclic 7", "dihedral 6", "icosahedral", "quaternion", "square 3x3", "C3 x Q8"]
)
def test_the_spectral_executor_is_the_gathered_one(name):
    """Real, complex and quaternionic irreps; all of the group and a part of it."""
    from intertwine.symmetry import FiniteGroup, cyclic, direct_product, icosahedral, quaternion

    group = {
        "cyclic 7": lambda: cyclic(7),
        "dihedral 6": lambda: dihedral(6),
        "icosahedral": icosahedral,
        "quaternion": quaternion,
        "square 3x3": lambda: FiniteGroup.of(Square(3, 3).space_group),
        "C3 x Q8": lambda: direct_product(cyclic(3), quaternion()),
    }[name]()
    space = HomogeneousSpace.of(group)
    with jax.enable_x64(True):
        field = jnp.asarray(np.random.default_rng(0).normal(size=(2, space.size, 3)))
        for region in (None, [0, 2, 3]):
            layers = [
                Conv(
                    space,
                    3 * space.scalar,
                    2 * space.scalar,
                    region,
                    executor=way,
                    dtype=jnp.float64,
                    key=KEY,
                )
                for way in ("gather", "spectral")
            ]
            gathered, spectral = (eqx.filter_jit(layer)(field) for layer in layers)
            np.testing.assert_allclose(spectral, gathered, atol=1e-12 * float(jnp.abs(gathered).max()))


@pytest.mark.parametrize(
    ("group", "into", "out", "width"),
    [
        ("p4m", "scalar + vector", "scalar + vector", 1),
        ("p4m", "scalar", "scalar + pseudoscalar", 3),
        ("cubic:o", "scalar + vector + irrep 1", "scalar + vector + irrep 1", 1),
    ],
)
def test_blocks_that_no_kernel_joins(group, into, out, width):
    """They get nothing from each other; the others are as they are alone."""
    grid = it.Grid(group)
    types = it.layers.field_type(grid, into), it.layers.field_type(grid, out)
    layer = Conv(grid, *types, width, key=jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(2, *[3] * grid.dimension, types[0].dimension))
    y = np.asarray(layer(x))
    h = grid.group.generators[0]
    np.testing.assert_allclose(layer(grid.act(h, x, types[0])), grid.act(h, y, types[1]), atol=1e-12)
    if width == 1:
        alone = np.asarray(layer(x * (np.arange(types[0].dimension) > 0)))  # without the scalar
        np.testing.assert_allclose(alone[..., 1:], y[..., 1:], atol=1e-12)
        assert np.abs(alone[..., 0]).max() < 1e-12 < np.abs(y).max()


def test_a_linear_map_of_a_scalar_and_a_vector_is_two_numbers():
    rep = it.layers.field_type(it.Grid("p4m"), "scalar + vector")
    layer = it.layers.Linear(rep, rep, bias=False, key=jax.random.key(0))
    a, c, d = np.asarray(layer(jnp.ones(3)))
    assert a != 0 and c == d != 0
    np.testing.assert_allclose(layer(jnp.array([2.0, 3.0, -1.0])), [2 * a, 3 * c, -c], atol=1e-12)
