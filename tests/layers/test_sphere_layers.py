"""Layers of the sphere: calculus in closed form, the law, oversampling, band limits, an exact solution."""

import os
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.layers import (
    BatchNorm,
    ClebschGordan,
    Conv,
    Fluxes,
    FourierPointwise,
    Gated,
    GlobalPool,
    Invariants,
    NormNonlinearity,
    Oversampled,
    Pointwise,
    Resample,
    Sequential,
    SphereOperator,
    TensorProduct,
    field_type,
)
from intertwine.spaces.sphere import (
    apply_operator,
    helmholtz,
    power_spectrum,
    with_bandlimit,
)
from intertwine.spaces.sphere.calculus import OPERATORS

KEY = jax.random.key(5)
SPHERE = it.Sphere(9, "clenshaw-curtis")
THETA, PHI = np.moveaxis(SPHERE.points, -1, 0)
X, Y, Z = np.sin(THETA) * np.cos(PHI), np.sin(THETA) * np.sin(PHI), np.cos(THETA)
SOUTH = np.stack([np.cos(THETA) * np.cos(PHI), np.cos(THETA) * np.sin(PHI), -np.sin(THETA)])
EAST = np.stack([-np.sin(PHI), np.cos(PHI), 0 * PHI])


def test_derivatives_of_polynomials():
    """f = xy + z², harmonic of degree 2 but for 1/3: derivatives and stream functions in closed form."""
    f = (X * Y + Z**2)[..., None]
    slope = np.stack([Y, X, 2 * Z])
    grad = np.stack([(SOUTH * slope).sum(0), (EAST * slope).sum(0)], -1)
    turned = np.stack([-grad[..., 1], grad[..., 0]], -1)  # r̂ × e_θ = e_φ, r̂ × e_φ = −e_θ
    table = [
        ("gradient", f, grad / 3.0),
        ("rotated gradient", f, turned / 3.0),
        ("laplacian", f, -6 * (f - 1 / 3) / 9.0),
        ("inverse laplacian", f, -(f - 1 / 3) / 6 * 9.0),
        ("divergence", grad, -6 * (f - 1 / 3) / 3.0),
        ("vorticity", turned, -6 * (f - 1 / 3) / 3.0),
        ("vorticity", grad, 0 * f),
        ("divergence", turned, 0 * f),
        ("velocity potential", grad + 2 * turned, (f - 1 / 3) * 3.0),
        ("stream function", grad + 2 * turned, 2 * (f - 1 / 3) * 3.0),
        ("divergent part", grad + 2 * turned, grad),
        ("rotational part", grad + 2 * turned, 2 * turned),
    ]
    every = jax.jit(
        lambda fields: [
            apply_operator(SPHERE, row[0], x, radius=3.0) for row, x in zip(table, fields, strict=True)
        ]
    )
    for (name, _, expected), found in zip(table, every([row[1] for row in table]), strict=True):
        assert np.abs(found - expected).max() < 1e-12, name
    parts = jax.jit(lambda v: helmholtz(SPHERE, v))(grad + 2 * turned)
    assert np.abs(parts[0] - grad).max() < 1e-12 and np.abs(parts[1] - 2 * turned).max() < 1e-12


def test_spectra():
    """Parseval: Σ (2l + 1) C_l = ∫ |f|²; of rotated fields the same."""
    sphere = it.Sphere(9)
    rep = field_type(sphere, "scalar + vector")
    field = sphere.random_field(rep, 1, key=KEY)[0]
    spectra = jax.jit(lambda x: power_spectrum(sphere, x, rep))
    spectrum = spectra(field)
    total = np.asarray(spectrum * (2 * np.arange(9) + 1)[:, None]).sum(0)
    square = 4 * np.pi * (sphere.measure[..., None] * np.asarray(field) ** 2).sum((0, 1))
    assert abs(total[0] - square[0]) < 1e-11 and abs(total[1:].sum() - square[1:].sum()) < 1e-11
    turned = sphere.rotate(sphere.random_elements(1, key=KEY)[0], field, rep)
    assert np.abs(spectra(turned) - spectrum).max() < 1e-12


def test_calculus_is_equivariant():
    scalars = [name for name, known in OPERATORS.items() if known.spin_in == 0]
    vectors = [name for name, known in OPERATORS.items() if known.spin_in == 1]
    total = " + ".join("vector" if OPERATORS[n].spin_out else "scalar" for n in scalars + vectors)

    @jax.jit
    def every(x):
        parts = [SphereOperator(SPHERE, name)(x[..., :1]) for name in scalars]
        return jnp.concatenate(parts + [SphereOperator(SPHERE, name)(x[..., 1:]) for name in vectors], -1)

    it.assert_equivariant(every, space=SPHERE, rep_in="scalar + vector", rep_out=total, key=KEY, tol=1e-11)


@pytest.mark.slow
def test_networks_of_several_band_limits():
    """A network down to scalars: each layer and the whole, by rotations that draw nothing from the grid."""
    fine, coarse = it.Sphere(12), it.Sphere(6, "healpix", size=8)
    mixed = field_type(fine, "2 scalar + vector + spin 2")
    net = Sequential(
        [
            Conv(fine, "scalar + vector", Gated(mixed).rep_in, 0.8, key=KEY),
            Oversampled(fine, Gated(mixed, "square", "identity"), 1.5),
            BatchNorm(mixed),
            Resample(fine, it.Sphere(6), mixed),
            Conv(it.Sphere(6), mixed, "2 vector", key=KEY),
            Oversampled(
                it.Sphere(6), TensorProduct(field_type(fine, "2 vector"), None, 3 * fine.scalar, key=KEY), 2
            ),
            GlobalPool(it.Sphere(6), "3 scalar", how="mean"),
        ]
    )
    rows = it.assert_equivariant(net, key=KEY, tol=1e-11)
    assert len({row.layer for row in rows}) == 8 and max(row.error for row in rows) < 1e-11
    there = Resample(it.Sphere(6), coarse, "scalar + vector")
    back = Resample(coarse, it.Sphere(6), "scalar + vector")
    x = it.Sphere(6).random_field("scalar + vector", 1, key=KEY)
    assert np.abs(jax.jit(lambda x: back(there(x)))(x) - x).max() < 1e-5


def largest(layer):
    return max(row.error for row in it.equivariance_errors(layer, key=KEY))


def test_nonlinearities_with_the_default_oversampling():
    """What docs/sphere.md states, at L = 12; polynomials are exact once their degree is told apart."""
    sphere = it.Sphere(12)
    rep = sphere.scalar + sphere.vector
    assert largest(Oversampled(sphere, Pointwise(sphere.scalar, "gelu"))) < 1e-3
    assert largest(Oversampled(sphere, TensorProduct(rep, None, rep, key=KEY), 1.5)) < 1e-13
    few, many = (largest(Oversampled(sphere, NormNonlinearity(sphere.vector, "gelu"), f)) for f in (1, 3))
    assert many < 3e-3 < few


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, bound",
    [("gelu", 1e-3), ("silu", 1e-3), ("tanh", 1e-2), ("softplus", 1e-3), ("relu", 2e-2)],
)
def test_stated_errors(name, bound):
    for limit in (16, 24):
        sphere = it.Sphere(limit)
        assert largest(Oversampled(sphere, Pointwise(sphere.scalar, name))) < bound


@pytest.mark.slow
def test_fields_on_the_rotation_group():
    """S² → SO(3) → S² (Cohen et al. 2018): a field on SO(3) is a field on the sphere whose fibre is functions
    on SO(2), spins 0 … k; point by point it is a function of the third angle."""
    sphere = it.Sphere(4)
    lift = Conv(sphere, "scalar", field_type(sphere, "regular 3"), key=KEY)
    act = Oversampled(sphere, FourierPointwise.circle(sphere, 3, 1, "square", samples=10), 1.5)
    mix = Conv(sphere, act.rep_out, "regular 3", key=KEY)
    net = Sequential([lift, act, mix, Conv(sphere, "regular 3", "2 scalar", key=KEY)])
    it.assert_equivariant(net, key=KEY, tol=1e-11)
    # Σ_l Σ_n 1 · 1 intertwiners from S² to SO(3), with bias; (2l + 1)² of SO(3) to itself, l < 4
    assert it.layers.parameter_count(lift) == sum(2 * k + 1 for k in range(4)) + 1
    assert it.layers.parameter_count(mix) == sum((2 * k + 1) ** 2 for k in range(4)) + 1


def test_products_of_coefficients():
    """The layer of Kondor et al. (2018): exactly equivariant and quadratic."""
    sphere = it.Sphere(5)
    layer = ClebschGordan(sphere, "scalar + vector", "2 scalar + vector", key=KEY)
    it.assert_equivariant(layer, key=KEY, tol=1e-11)
    x = sphere.random_field(layer.rep_in, 2, key=KEY)
    run = jax.jit(lambda x: layer(x))
    assert np.abs(run(2 * x) - 4 * run(x)).max() < 1e-12
    with pytest.raises(InputError, match="lower band limit"):
        ClebschGordan(it.Sphere(40), "scalar", "scalar", key=KEY)


def rossby_haurwitz(sphere, step):
    """(ζ ↦ ∂ζ/∂t, ζ at t = 0, ζ(t)) of the wave with R = 4 on the earth: ψ of degree 5 over solid rotation
    turns rigidly with ν = ω − 2 (ω + Ω)/(l (l + 1)) (Haurwitz 1940)."""
    omega, turn, radius = 7.848e-6, 7.292e-5, 6.371e6
    nu = omega - 2 * (omega + turn) / 30
    fine = sphere.at(sphere.bandlimit, oversampling=1.5)
    up, down = Resample(sphere, fine, "scalar"), Resample(fine, sphere, "scalar")
    inverse = SphereOperator(fine, "inverse laplacian", radius=radius)
    wind = SphereOperator(fine, "rotated gradient", radius=radius)
    slope = SphereOperator(fine, "gradient", radius=radius)
    planetary = 2 * turn * np.cos(fine.points[..., :1])

    def tendency(vorticity):
        z = up(vorticity)
        return -down((wind(inverse(z)) * slope(z + planetary)).sum(-1, keepdims=True))

    theta, phi = np.moveaxis(sphere.points, -1, 0)

    def vorticity(t):
        wave = np.sin(theta) ** 4 * np.cos(theta) * np.cos(4 * (phi - nu * t))
        return omega * (2 * np.cos(theta) - 30 * wave)[..., None]

    return tendency, vorticity, nu


def test_the_rossby_haurwitz_wave_turns():
    """∂ζ/∂t = −ν ∂ζ/∂φ at once, by the library's own layers."""
    sphere = it.Sphere(8)
    tendency, vorticity, nu = rossby_haurwitz(sphere, 0)
    theta, phi = np.moveaxis(sphere.points, -1, 0)
    expected = 7.848e-6 * nu * -30 * 4 * np.sin(theta) ** 4 * np.cos(theta) * np.sin(4 * phi)
    found = np.asarray(jax.jit(tendency)(vorticity(0.0)))[..., 0]
    assert abs(nu - 2.463466666666667e-06) < 1e-20
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.slow
def test_fluxes_commute_with_rotations():
    """Two vectors and a scalar to both kinds: exact."""
    sphere = it.Sphere(5, "clenshaw-curtis")
    layer = Fluxes(sphere, "2 vector + scalar", "vector + scalar", 2, key=KEY)
    rows = it.assert_equivariant(layer, elements=list(sphere.random_elements(2, key=KEY)), key=KEY)
    assert max(row.error for row in rows) < 1e-12
    field = sphere.random_field(layer.rep_in, 1, key=KEY)
    means = (np.asarray(layer(field)) * sphere.measure[..., None])[..., 2].sum()
    assert abs(means) < 1e-12  # nothing is said of means


def test_fluxes_have_few_weights():
    """As many as potentials of what is made, for each knot twice."""
    sphere = it.Sphere(5, "clenshaw-curtis")
    layer = Fluxes(sphere, "2 vector + scalar", "vector + scalar", 2, key=KEY)
    numbers, vectors = 1 + 3 + 1, 2 + 2 * (1 + 2 + 2)  # s, v·w, v×w; v and fluxes of s, ζ, δ
    assert layer.weights.shape == (2 * 2, numbers + 2 * vectors, 3)
    for wrong, word in [
        (lambda: Fluxes(sphere, "2 scalar", "scalar", key=KEY), "a vector, which carries"),
        (lambda: Fluxes(sphere, "vector + spin 2", "scalar", key=KEY), "scalars and vectors"),
        (lambda: Fluxes(sphere, "vector", "scalar", 5, key=KEY), "from 1 to 4"),
        (lambda: Fluxes(it.Mesh.icosphere(0), "vector", "scalar", key=KEY), "a Sphere"),
        (
            lambda: it.field_network("fluxes:1", "plane:4", inputs=1, outputs=1, key=KEY),
            "a sphere and fields",
        ),
    ]:
        with pytest.raises(InputError, match=word):
            wrong()


@pytest.mark.slow
def test_ten_days_of_the_rossby_haurwitz_wave():
    """The angle to 1e-8 (it turns by 122°), the field to 1e-8 of its size; steps of 20 minutes."""
    sphere = it.Sphere(12)
    tendency, vorticity, nu = rossby_haurwitz(sphere, 0)
    dt, steps = 1200.0, 720

    def step(_, z):
        k1 = tendency(z)
        k2 = tendency(z + dt / 2 * k1)
        k3 = tendency(z + dt / 2 * k2)
        return z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + tendency(z + dt * k3))

    end = jax.jit(lambda z: jax.lax.fori_loop(0, steps, step, z))(jnp.asarray(vorticity(0.0)))
    assert np.abs(end - vorticity(dt * steps)).max() < 1e-8 * np.abs(vorticity(0.0)).max()
    before, after = (sphere.analysis(z)[5, 4, 0] for z in (vorticity(0.0), end))
    angle = float(jnp.angle(before / after)) / 4
    assert abs((angle - nu * dt * steps + np.pi / 4) % (np.pi / 2) - np.pi / 4) < 1e-8


@pytest.mark.slow
@pytest.mark.skipif("INTERTWINE_ERA" not in os.environ, reason="INTERTWINE_ERA names no ERA-Interim file")
@pytest.mark.parametrize("south_first, from_west", [(False, False), (True, True)])
def test_vorticity_of_era_interim(south_first, from_west, tmp_path):
    """January, 500 hPa, T106 and others: rms by Clenshaw-Curtis weights, and three points
    (references/sphere.json, era-january-500-shared, by ducc0); whatever the order of latitudes and the origin
    of longitudes."""
    import xarray

    path = os.environ["INTERTWINE_ERA"]
    if south_first or from_west:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # _FillValue of packed shorts is nan there
            data = xarray.open_dataset(path, engine="scipy").load()
        data = data.sortby("latitude").roll(longitude=100, roll_coords=True)
        path = tmp_path / "turned.nc"
        data.drop_encoding().to_netcdf(path, engine="h5netcdf")
    fields = it.data.load_fields(path).select(month=1, level=500)
    layout, wind = fields.layout, fields.stack("u:v").astype(float)
    sphere = it.Sphere(layout.bandlimit, layout.grid)
    c = sphere.analysis(wind, "vector")[0]
    known = {
        240: (1.0171915280011865e-05, 1.4597492867605833e-06),
        107: (9.978864950369856e-06, 1.20108010316922e-06),
        64: (9.892190232880129e-06, 9.446290436956321e-07),
    }
    for limit, values in known.items():
        truncated = with_bandlimit(with_bandlimit(c, limit), layout.bandlimit)
        winds = sphere.synthesis(truncated, "vector")
        for name, value in zip(("vorticity", "divergence"), values, strict=True):
            found = np.asarray(apply_operator(sphere, name, winds, radius=6371000.0))[..., 0]
            assert abs((sphere.measure * found**2).sum() ** 0.5 / value - 1) < 1e-6
            if limit == 107 and name == "vorticity":
                for north, east, there in (
                    (45, 0, -6.447814184713502e-06),
                    (30, 140.25, 3.4496663639702184e-06),
                ):
                    row, column = (
                        np.argmin(np.abs(layout.latitudes - north)),
                        np.argmin(np.abs(layout.longitudes - east)),
                    )
                    assert abs(found[row, column] - there) < 1e-6 * value


def test_what_is_refused():
    sphere = it.Sphere(6)
    plane = it.Grid("p4")
    for call, word in [
        (lambda: SphereOperator(sphere, "curl"), "one of"),
        (lambda: SphereOperator(sphere, "gradient", radius=0), "positive"),
        (lambda: apply_operator(sphere, "vorticity", np.ones((6, 12, 3))), "copies of spin 1"),
        (lambda: Resample(sphere, plane, "scalar"), "Sphere"),
        (lambda: Oversampled(plane, Pointwise(sphere.scalar)), "Sphere"),
        (lambda: Oversampled(sphere, Pointwise(plane.scalar)), "fields on"),
        (lambda: Oversampled(sphere, Pointwise(sphere.scalar), 0.5), "1 or more"),
        (lambda: Invariants(plane.scalar)(np.ones((2, 2))), "channels"),
    ]:
        with pytest.raises(InputError, match=word):
            call()
