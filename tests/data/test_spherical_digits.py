"""Digits on the sphere: the projection against its formula, the parts that are turned, grids of files."""

import jax
import numpy as np
import pytest
import xarray as xr

import intertwine as it
from intertwine import data
from intertwine._checks import InputError
from intertwine.data.sets.spherical import SHARE, grid_points, on_sphere, uniform_rotations
from intertwine.data.sets.spherical_name import Spherical, spherical_name

from .make_files import mnist_folder


def test_a_plane_image_is_seen_where_the_projection_says():
    """Of an image that is linear in the plane, bilinear interpolation is exact but for the border."""
    size, points = 41, grid_points(12)
    middle = (np.arange(size) + 0.5) / size * 2 - 1
    image = 100 + 60 * middle[None, :] + 40 * -middle[:, None]  # x to the right, y up
    found = on_sphere(image[None], points)[0] / 255
    theta = np.pi * (2 * np.arange(24) + 1) / 48
    radius = np.tan(theta / 2)[:, None] / SHARE
    phi = np.pi * np.arange(24) / 12
    x, y = radius * np.cos(phi), radius * np.sin(phi)
    inside = (np.abs(x) < 0.95) & (np.abs(y) < 0.95) & (theta[:, None] < np.pi / 2)
    expected = 100 + 60 * x + 40 * y
    ratio = found[inside] / expected[inside]
    assert np.ptp(ratio) < 2 / 255 / 0.3 * ratio.mean() and inside.sum() > 150
    assert not found[(np.abs(x) > 1.1) | (theta[:, None] > np.pi / 2)].any()


def test_turned_images_are_the_image_at_turned_points():
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 9))
    g = uniform_rotations(np.random.default_rng(1), 3)
    points = grid_points(6)
    found = on_sphere(images, points, g)
    for k in range(3):  # (g f)(x) = f(g⁻¹ x)
        np.testing.assert_array_equal(found[k], on_sphere(images[k : k + 1], points @ g[k])[0])
    assert np.abs(g.mean()) < 0.5 and (found[0] != on_sphere(images[:1], points)[0]).any()


def test_the_grid_is_that_of_the_sphere_by_name():
    theta, phi = np.moveaxis(it.Sphere(7, "driscoll-healy").points, -1, 0)
    there = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    np.testing.assert_allclose(grid_points(7), there, atol=1e-12)
    assert it.space_from_name("sphere:7:driscoll-healy").shape == (14, 14)


def test_parts_are_turned_as_the_name_says(tmp_path):
    mnist_folder(tmp_path)
    sets = {
        name: data.load(f"spherical-mnist:{name}:5", folder=tmp_path) for name in ("NR-NR", "NR-R", "R-R")
    }
    plain, mixed, turned = sets.values()
    assert plain.train.shape == (40, 100) and plain.shape == (10, 10) and plain.grey
    assert plain.space == "sphere:5:driscoll-healy"
    np.testing.assert_array_equal(plain.train, mixed.train)
    np.testing.assert_array_equal(mixed.test, turned.test)
    assert (plain.test != mixed.test).any() and (mixed.train != turned.train).any()
    np.testing.assert_array_equal(plain.test_labels, turned.test_labels)
    assert turned.as_images(turned.train).shape == (40, 10, 10, 1)
    assert spherical_name("spherical-mnist") == Spherical(False, False, 30)
    assert spherical_name("spherical-mnist:R-N") is None
    with pytest.raises(InputError, match="band limit from 4 to 128"):
        data.load("spherical-mnist:2", folder=tmp_path)


def test_images_on_the_grid_of_a_file(tmp_path):
    """Rows of netCDF files are north to south and eastward from 0°, whatever their order in the file."""
    latitude, longitude = np.linspace(-90, 90, 5), np.arange(-180, 180, 45.0)
    values = np.random.default_rng(0).normal(size=(6, 5, 8))
    axes = {"lat": ("lat", latitude, {"units": "degrees_north"}),
            "lon": ("lon", longitude, {"units": "degrees_east"})}  # fmt: skip
    whole = {"signal": (("event", "lat", "lon"), values), "label": ("event", np.arange(6) % 2)}
    xr.Dataset(whole, axes).to_netcdf(tmp_path / "globe.nc", engine="h5netcdf")
    made = data.load(tmp_path / "globe.nc", space="auto", test_share=0)
    assert made.space == "sphere:4:clenshaw-curtis:5x8" and made.train_labels.tolist() == [0, 1] * 3
    turned = np.roll(values[:, ::-1], -4, axis=2)
    np.testing.assert_allclose(made.as_images(made.as_given(made.train))[..., 0], turned, atol=1e-5)
    assert data.load(tmp_path / "globe.nc", test_share=0).space is None
    part = {"lat": axes["lat"], "lon": ("lon", longitude / 2, {"units": "degrees_east"})}
    xr.Dataset(whole, part).to_netcdf(tmp_path / "part.nc", engine="h5netcdf")
    assert data.load(tmp_path / "part.nc", space="auto", test_share=0).space is None
    np.savez(tmp_path / "map.npz", images=values[:, 0], labels=np.arange(6))
    pixels = data.load(tmp_path / "map.npz", space="healpix:2", test_share=0)
    assert pixels.shape == (8,) and pixels.as_images(pixels.train).shape == (6, 8, 1)


@pytest.mark.slow
def test_rotated_signals_are_rotated_fields():
    """The projection of a smooth image, turned, is the rotation of its harmonics."""
    grid = np.linspace(-1, 1, 61)
    image = np.exp(-((grid[None] - 0.1) ** 2 + (grid[:, None] + 0.1) ** 2) / 0.04)
    sphere, g = it.Sphere(30, "driscoll-healy"), uniform_rotations(np.random.default_rng(3), 1)
    plain, turned = (on_sphere(255 * image[None], grid_points(30), r)[0] / 255 for r in (None, g))
    found = np.asarray(jax.jit(lambda f: sphere.rotate(g[0], f))(plain[..., None].astype(np.float32)))[..., 0]
    assert np.abs(found - turned).max() < 0.02
