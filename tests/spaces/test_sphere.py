# ruff: noqa: E741
"""Transforms of fields of any spin on the sphere: exact values, round trips, other libraries, rotations.

Exact values: sums in 40 digits (references/sphere.json, entry harmonics-definition), and in 700 digits
here."""

from decimal import Decimal, getcontext
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import field_type, parameter_count
from intertwine.spaces.sphere import (
    gradient,
    rotate_coefficients,
    sphere as sphere_module,
    streamed as streamed_module,
    wigner_d_degrees,
)
from intertwine.symmetry import CompactGroup, wigner_d
from intertwine.symmetry.groups.rotations import axis_rotation, euler_rotation, random_rotations

KEY = jax.random.key(3)
GRIDS = ("gauss", "driscoll-healy", "clenshaw-curtis", "healpix")
MIXED = "2 scalar + vector + 2 spin 2"
ROTATION = random_rotations(1, key=KEY)[0]


def d_exactly(l, m, n, beta):
    """Wigner's sum in 700 digits."""
    getcontext().prec = 700
    parts, term, k, half = [Decimal(0), Decimal(0)], Decimal(1), 0, Decimal(beta) / 2
    while abs(term) > Decimal(10) ** -690:
        parts[k % 2] += term if k % 4 < 2 else -term
        k += 1
        term = term * half / k
    c, s = parts
    total = Decimal(0)
    for k in range(max(0, n - m), min(l + n, l - m) + 1):
        below = factorial(l + n - k) * factorial(k) * factorial(m - n + k) * factorial(l - m - k)
        total += (-1) ** (k + m - n) * c ** (2 * l + n - m - 2 * k) * s ** (2 * k + m - n) / Decimal(below)
    square = factorial(l + m) * factorial(l - m) * factorial(l + n) * factorial(l - n)
    return float(total * Decimal(square).sqrt())


@pytest.mark.parametrize(
    "l, m, n, beta",
    [(512, 0, 0, 0.3), (512, 300, 2, 1.0), (512, 511, -2, 1.5), (512, 40, 2, 3.1), (400, -350, 200, 1.1)],
)
def test_d_functions_to_degree_512(l, m, n, beta):
    found = dict(wigner_d_degrees(l + 1, [m], n, [beta]))[l][0, 0]
    assert abs(found - d_exactly(l, m, n, beta)) < 1e-13


def test_definition_of_harmonics():
    """sY_lm at θ = 2.1518, φ = 4.6161, and d^64 (harmonics-definition)."""
    known = {
        (-2, 2, -1): (-0.039265373245165956, 0.40645039488068285),
        (-1, 3, 2): (0.2890116637124252, -0.05636632108190296),
        (0, 6, 1): (0.018948155004403985, 0.19613935758903128),
        (1, 2, 0): (-0.35444078923239253, 0.0),
        (2, 6, -2): (-0.3329544266159838, -0.06493653534672411),
    }
    theta, phi = 2.1517819971742957, 4.616082264047052
    for (s, l, m), value in known.items():
        d = dict(wigner_d_degrees(l + 1, [m], -s, [theta]))[l][0, 0]
        y = (-1) ** s * ((2 * l + 1) / (4 * np.pi)) ** 0.5 * d * np.exp(1j * m * phi)
        assert abs(y - complex(*value)) < 1e-14
    for l, m, n, beta, value in (
        (64, 0, 0, 0.3, 0.17502943679465051983),
        (64, 63, -17, 1.2, 3.6521873433379679106e-6),
    ):
        assert abs(dict(wigner_d_degrees(l + 1, [m], n, [beta]))[l][0, 0] - value) < 1e-15


def both_ways(sphere, rep):
    return jax.jit(
        lambda c: (sphere.synthesis(c, rep), sphere.analysis(sphere.synthesis(c, rep), rep, iterations=25))
    )


@pytest.mark.parametrize(
    "limit", [13, pytest.param(256, marks=pytest.mark.slow), pytest.param(75, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("grid", GRIDS)
def test_round_trips(grid, limit):
    """Spins 0, 1, 2; a field of spin −k is the complex conjugate of one of spin k. HEALPix with 2N ≥ L."""
    sphere = it.Sphere(limit, grid)
    for name in [MIXED] if limit < 100 else ["scalar", "vector", "spin 2"]:  # large tables one by one
        rep = field_type(sphere, name)
        c = sphere.random_coefficients(rep, 1, key=KEY)
        x, back = both_ways(sphere, rep)(c)
        assert x.dtype == jnp.float64 and np.abs(back - c).max() < 1e-11 * np.abs(c).max()
        x, back = both_ways(sphere, rep)(c.astype(jnp.complex64))
        assert x.dtype == jnp.float32 and np.abs(back - c).max() < 3e-6 * np.abs(c).max()


def packed(c):
    """Coefficients (l, m) as ducc0 and healpy keep them: order by order."""
    return np.concatenate([np.asarray(c[m:, m]) for m in range(len(c))])


@pytest.mark.parametrize("limit", [14, pytest.param(96, marks=pytest.mark.slow)])
@pytest.mark.parametrize("grid, name", [("gauss", "GL"), ("driscoll-healy", "F1"), ("clenshaw-curtis", "CC")])
def test_as_ducc(grid, name, limit):
    sht = pytest.importorskip("ducc0", reason="ducc0 is not installed").sht.experimental
    sphere = it.Sphere(limit, grid, first_longitude=0.3)
    rep = field_type(sphere, "scalar + vector + spin 2")
    c = sphere.random_coefficients(rep, 1, key=KEY)[0]
    x = np.asarray(jax.jit(lambda c: sphere.synthesis(c, rep))(c))
    noise = np.random.default_rng(0).normal(size=x.shape)
    found = np.asarray(jax.jit(lambda x: sphere.analysis(x, rep))(noise))
    for k, place in ((0, [0]), (1, [1, 2]), (2, [3, 4])):
        sign = 1 if k == 0 else -1  # E and B have the other sign there
        options = dict(spin=k, lmax=limit - 1, geometry=name, phi0=0.3)
        alm = sign * np.stack([packed(c[..., j]) for j in place])
        theirs = sht.synthesis_2d(alm=alm, ntheta=sphere.shape[0], nphi=sphere.shape[1], **options)
        assert np.abs(np.moveaxis(theirs, 0, -1) - x[..., place]).max() < 1e-11 * np.abs(x).max()
        if grid == "driscoll-healy":  # there ducc0 folds noise by another rule
            continue
        map_ = np.ascontiguousarray(np.moveaxis(noise[..., place], -1, 0))
        theirs = sign * sht.analysis_2d(map=map_, **options)  # also of what is not band-limited
        ours = np.stack([packed(found[..., j]) for j in place])
        assert np.abs(theirs - ours).max() < 1e-11 * np.abs(ours).max()


def test_healpix_as_healpy_at_equal_iterations():
    healpy = pytest.importorskip("healpy", reason="healpy is not installed")
    sphere = it.Sphere(20, "healpix", size=8)
    rep = field_type(sphere, "scalar + spin 2")
    noise = np.random.default_rng(0).normal(size=(768, 3))
    for iterations in (0, 3):
        found = np.asarray(jax.jit(lambda x, n=iterations: sphere.analysis(x, rep, iterations=n))(noise))
        theirs = healpy.map2alm(list(noise.T), lmax=19, iter=iterations, pol=True)
        for j in range(3):
            # healpy's E, B are minus ours for spin 2
            assert np.abs(theirs[j] - (1 if j == 0 else -1) * packed(found[..., j])).max() < 1e-12
    theta, phi = healpy.pix2ang(8, np.arange(768))
    assert np.abs(sphere.points - np.stack([theta, phi], -1)).max() < 1e-14


@pytest.mark.parametrize("grid", GRIDS)
def test_integrals(grid):
    sphere = it.Sphere(6, grid)
    z, x = np.cos(sphere.points[..., 0]), np.sin(sphere.points[..., 0]) * np.cos(sphere.points[..., 1])
    exact = 1e-14 if grid != "healpix" else 5e-3
    for f, mean in ((z**0, 1.0), (z**2, 1 / 3), (x**2, 1 / 3), (x * z, 0.0)):
        assert abs((sphere.measure * f).sum() - mean) < exact


def test_rotations_are_wigner_matrices():
    """Against the real matrices of `symmetry.wigner`, the definition of D, and points that move."""
    sphere = it.Sphere(9)
    c = np.asarray(sphere.random_coefficients("scalar + vector", 1, key=KEY)[0])
    turned = np.asarray(rotate_coefficients(c, ROTATION))

    def real(c, l):
        m = np.arange(1, l + 1)
        cosine, sine = (
            (-1.0) ** m * 2**0.5 * c[l, 1 : l + 1].real,
            -((-1.0) ** m) * 2**0.5 * c[l, 1 : l + 1].imag,
        )
        return np.concatenate([sine[::-1], [c[l, 0].real], cosine])

    for l in range(9):
        for j in range(3):
            assert np.abs(wigner_d(l, ROTATION) @ real(c[..., j], l) - real(turned[..., j], l)).max() < 1e-13
    # D^2_{2,1}(5.65, .957, 5.42), harmonics-definition
    unit = np.zeros((3, 3, 1), complex)
    unit[2, 1] = 1.0
    angles = (5.6514971991526775, 0.9566603338511462, 5.419589481861244)
    found = [rotate_coefficients(factor * unit, euler_rotation(*angles))[2, 2, 0] for factor in (1, 1j)]
    plus = (found[0] - 1j * found[1]) / 2  # the part that is linear over C
    assert abs(complex(plus) - (0.3400545645909817 - 0.5470327279175977j)) < 1e-14


def test_a_vector_field_turns_with_its_arrows():
    """The tangent part of a constant vector w: turned, that of R w."""
    sphere = it.Sphere(4, "clenshaw-curtis")
    theta, phi = np.moveaxis(sphere.points, -1, 0)
    south = np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)], -1)
    east = np.stack([-np.sin(phi), np.cos(phi), 0 * phi], -1)
    w = np.array([0.3, -1.0, 0.5])
    before, after = (np.stack([south @ v, east @ v], -1) for v in (w, ROTATION @ w))
    assert np.abs(sphere.rotate(ROTATION, before, "vector") - after).max() < 1e-13


@pytest.mark.parametrize("region", [None, 4, 0.7, (1.0, 2)])
def test_convolutions_commute_with_rotations(region):
    sphere = it.Sphere(10)
    layer = it.Conv(sphere, "2 scalar + vector + spin 2", "scalar + 2 vector + spin 2", region, key=KEY)
    rows = it.assert_equivariant(layer, key=KEY, tol=1e-11)
    assert len(rows) == 6 and "turn by" in rows[0].name


def test_kernels_are_all_intertwiners():
    """dim Hom_G(Ind ρ, Ind σ) by Frobenius reciprocity, degree by degree: Σ_l m_l(ρ) m_l(σ), where m_l is the
    number of times that ρ's fields contain D^l, dim Hom_H(D^l, ρ); counted by characters."""
    limit = 8
    sphere, SO3 = it.Sphere(limit), CompactGroup("SO(3)")
    angles = 2 * np.pi * np.arange(4 * limit) / (4 * limit)
    about_z = np.stack(
        [np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) for a in angles]
    )
    plane = about_z[:, :2, :2]

    def multiplicity(l, rep):
        return round(float((SO3.irrep(l).character(about_z) * rep.character(plane)).mean()))

    names = ("scalar", "vector", "spin 2", "scalar + 2 spin 3")
    for into in names:
        for out in names:
            a, b = field_type(sphere, into), field_type(sphere, out)
            layer = it.Conv(sphere, a, b, bias=False, key=KEY)
            assert parameter_count(layer) == sum(
                multiplicity(l, a) * multiplicity(l, b) for l in range(limit)
            )


def test_local_kernels_have_their_support():
    """The answer to a point: beyond the angle only what the band limit adds."""
    sphere = it.Sphere(48)
    layer = it.Conv(sphere, "scalar", "scalar", 0.6, bias=False, key=KEY)
    spike = np.zeros((*sphere.shape, 1))
    spike[12, 20] = 1.0
    answer = np.asarray(jax.jit(lambda x: layer(x))(spike))[..., 0]
    theta, phi = np.moveaxis(sphere.points, -1, 0)
    t, p = sphere.points[12, 20]
    angle = np.arccos(np.clip(np.cos(theta) * np.cos(t) + np.sin(theta) * np.sin(t) * np.cos(phi - p), -1, 1))
    outside = (sphere.measure * answer**2)[angle > 0.6].sum() / (sphere.measure * answer**2).sum()
    assert outside < 1e-3


def test_masks_keep_the_transform_linear():
    sphere = it.Sphere(8)
    random = np.random.default_rng(0)
    mask = random.uniform(size=sphere.shape) * (random.uniform(size=sphere.shape) > 0.3)
    x, y = random.normal(size=(2, *sphere.shape, 1))
    holes = np.where(mask[..., None] > 0, x, np.nan)
    run = jax.jit(lambda x: sphere.analysis(x, mask=mask))
    assert np.abs(run(2 * x - y) - (2 * run(holes) - run(y))).max() < 1e-13
    assert np.abs(run(x) - sphere.analysis(mask[..., None] * x)).max() < 1e-13
    gradient = jax.grad(lambda x: jnp.abs(run(x)).sum())(jnp.asarray(holes))
    assert np.isfinite(gradient).all()


def test_gradients_are_the_transposed_maps():
    sphere = it.Sphere(7, "clenshaw-curtis")
    rep = field_type(sphere, "scalar + vector")
    x = sphere.random_field(rep, 1, key=KEY)[0]
    layer = it.Conv(sphere, rep, rep, bias=False, key=KEY)
    y = jax.random.normal(KEY, x.shape)

    @jax.jit
    def run(x, y):
        out, back = jax.vjp(lambda x: layer(x), x)
        return out, back(y)[0], jax.jvp(lambda x: layer(x), (x,), (y,))[1], layer(y)

    out, back, tangent, there = run(x, y)
    assert abs(float((out * y).sum() - (back * x).sum())) < 1e-11
    assert np.abs(tangent - there).max() < 1e-12


@pytest.mark.parametrize("grid", ["clenshaw-curtis", pytest.param("healpix", marks=pytest.mark.slow)])
def test_streamed_transforms_are_those_by_tables(grid, monkeypatch):
    """The recursion inside the program, blocks of three orders; and derivatives through it."""
    sphere = it.Sphere(11, grid)
    rep = field_type(sphere, "scalar + vector")
    x = sphere.random_field(rep, 1, key=KEY)[0]

    def run(x):
        c = sphere.analysis(x, rep)
        gradient = jax.grad(lambda x: (sphere.synthesis(sphere.analysis(x, rep), rep) ** 2).sum())(x)
        return c, sphere.synthesis(c, rep), gradient

    by_tables = jax.jit(run)(x)
    monkeypatch.setattr(sphere_module, "MOST_TABLED", 4)
    monkeypatch.setattr(streamed_module, "_BLOCK_BYTES", 2 * 11 * 12 * 8 * 3)
    for found, expected in zip(jax.jit(lambda x: run(x))(x), by_tables, strict=True):
        assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.slow
def test_streamed_round_trip_at_512():
    sphere = it.Sphere(512)
    c = sphere.random_coefficients("scalar", 1, key=KEY)
    for kind, bound in ((jnp.complex128, 1e-11), (jnp.complex64, 3e-5)):
        back = jax.jit(lambda c: sphere.analysis(sphere.synthesis(c)))(c.astype(kind))
        assert np.abs(back - c).max() < bound * np.abs(c).max()


def test_nothing_is_traced_twice():
    sphere, traces = it.Sphere(6), []

    @jax.jit
    def run(x):
        traces.append(1)
        return it.Sphere(6).analysis(x)

    for scale in (1.0, 2.0):
        run(scale * sphere.random_field("scalar", 2, key=KEY))
    assert len(traces) == 1 and hash(it.Sphere(6)) == hash(sphere) and it.Sphere(6) != it.Sphere(6, "healpix")


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("tabled", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_many_fields_are_transformed_as_few(grid, tabled, monkeypatch):
    """Of more than four fields the products have another order: the same numbers, also of odd band limits."""
    if not tabled:
        monkeypatch.setattr(sphere_module, "MOST_TABLED", 1)
    sphere = it.Sphere(5, grid)
    fields = np.random.default_rng(0).normal(size=(3, *sphere.shape, 2 + 2 + 4))
    there = jax.jit(lambda x: sphere.analysis(x, MIXED, iterations=1))
    back = jax.jit(lambda c: sphere.synthesis(c, MIXED))
    together = there(fields)
    one_by_one = np.concatenate([there(field[None]) for field in fields])
    np.testing.assert_allclose(together, one_by_one, atol=1e-13)
    np.testing.assert_allclose(back(together), np.concatenate([back(c[None]) for c in together]), atol=1e-13)


@pytest.mark.parametrize("region", [None, 3, 0.4])
def test_spins_beyond_the_band_limit_have_no_kernels(region):
    """Fields of spin k ≥ L have no degrees: an error, not a layer that gives zeros."""
    sphere = it.Sphere(4)
    assert not len(sphere.kernel_basis(sphere.spin(4), sphere.vector, region))
    with pytest.raises(InputError, match="Hom"):
        it.Conv(sphere, "vector", "spin 4", region, key=KEY)
    basis = sphere.kernel_basis(sphere.spin(3), sphere.vector, region)
    assert len(basis) and (np.abs(basis).max(axis=(1, 2, 3)) > 0).all()  # no weight that does nothing


def test_names_of_rotations():
    sphere = it.Sphere(4)
    for axis, angle, name in [
        ((0, 0, 1), np.pi, "turn by 180° about (0, 0, 1)"),
        ((1, -1, 0), np.pi, "turn by 180° about (0.707, -0.707, 0)"),
        ((0, 1, 0), -np.pi / 2, "turn by 90° about (0, -1, 0)"),
        ((1, 2, 3), 3.1, "turn by 178° about (0.267, 0.535, 0.802)"),
        ((1, 2, 3), 0.0, "no turn"),
    ]:
        assert sphere.element_name(axis_rotation(axis, angle)) == name


def test_a_constant_field_inside_a_program():
    """A field that the program does not get as an argument is no tracer, and is looked at all the same."""
    sphere = it.Sphere(4)
    field = np.cos(sphere.points[..., :1])
    inside = jax.jit(lambda a: a * sphere.analysis(jnp.asarray(field)))(2.0)
    np.testing.assert_allclose(inside, 2 * sphere.analysis(field), atol=1e-12)


def test_planted_bugs_are_caught_with_their_reason():
    sphere = it.Sphere(6)
    conv = it.Conv(sphere, "vector", "vector", key=KEY)
    types = dict(space=sphere, rep_in="vector", rep_out="vector", key=KEY)
    for bug, reason in [
        (lambda x: conv(x) + jnp.array([1.0, 0.0]), "a bias on spin 1, which has no invariant vector"),
        (lambda x: conv(x[..., ::-1]), "u and v exchanged"),
        (lambda x: conv(x[:, ::-1]), "latitudes reversed"),
        (jax.nn.relu, "a function of each component alone on spin 1"),
        (lambda x: conv(x * np.cos(sphere.colatitudes)[:, None, None]), "no intertwiner"),
        (it.layers.NormNonlinearity(sphere.vector, "tanh"), "finer grid"),
    ]:
        with pytest.raises(AssertionError, match=reason):
            it.assert_equivariant(bug, **types)


def test_bad_input():
    sphere = it.Sphere(6)
    field = np.zeros((6, 12, 1))
    for call, word in [
        (lambda: it.Sphere(0), "positive"),
        (lambda: it.Sphere(8, "mercator"), "gauss"),
        (lambda: it.Sphere(8, size=(7, 16)), "lower bandlimit"),
        (lambda: it.Sphere(8, "clenshaw-curtis", size=(9, 14)), "lower bandlimit"),
        (lambda: it.Sphere(32, "healpix", size=8), "N_side"),
        (lambda: it.Sphere(8, size=8), "rows, columns"),
        (lambda: it.Sphere(8, first_longitude=np.nan), "first_longitude: expected a finite"),
        (lambda: it.Sphere(8, "healpix", first_longitude=0.1), "0 on healpix"),
        (lambda: gradient(sphere, field, radius=np.inf), "radius: expected a positive"),
        (lambda: sphere.analysis(field[1:]), "real fields"),
        (lambda: sphere.analysis(field * 1j), "real fields"),
        (lambda: sphere.analysis(field + np.nan), "mask"),
        (lambda: sphere.analysis(field, mask=np.ones(3)), "mask"),
        (lambda: sphere.analysis(field, "pressure"), "scalar, vector"),
        (lambda: sphere.analysis(field, CompactGroup("O(2)").irrep(0)), "representation of SO"),
        (lambda: sphere.synthesis(np.zeros((6, 5, 1))), "coefficients"),
        (lambda: sphere.rotate(np.eye(2), field), "matri"),
        (lambda: sphere.rotate(-np.eye(3), field), "determinant"),
        (lambda: it.Conv(sphere, "scalar", "scalar", 7, key=KEY), "knots"),
        (lambda: it.Conv(sphere, "scalar", "scalar", 4.0, key=KEY), "angle"),
        (lambda: it.Conv(sphere, "scalar", "spin 7", key=KEY), "some equivariant kernel"),
        (lambda: it.Conv(sphere, "scalar", "scalar", stride=2, key=KEY), "stride"),
        (lambda: it.layers.GlobalPool(sphere, "scalar"), "mean"),
    ]:
        with pytest.raises(InputError, match=word):
            call()
