"""Fields of files: their grid, whatever the order of its axes; packed and missing numbers; round trips."""

import gzip

import numpy as np
import pytest
import xarray as xr

from intertwine._checks import InputError
from intertwine.data import globe_of, load_fields, write_fields
from intertwine.data.fields import Axis, Fields
from intertwine.data.known_numbers import check_fills

GRIDS = {
    "clenshaw-curtis": (np.linspace(90, -90, 13), 12),
    "driscoll-healy": (90 - 15 * (np.arange(12) + 0.5), 6),
    "gauss": (np.degrees(np.arcsin(np.polynomial.legendre.leggauss(12)[0][::-1])), 12),
}


def wave(latitude, longitude):
    """A function that knows east from west and north from south, (month, level, latitude, longitude)."""
    phi, lam = np.radians(latitude)[:, None], np.radians(longitude)
    one = np.sin(phi) + np.cos(phi) * np.cos(lam - 0.4)
    return np.array([[[one, one**2], [2 * one, one - 1]]]).reshape(2, 2, *one.shape)


def file_of(path, latitude, longitude, packed=False, **more):
    lead = {"month": [1, 7], "level": [500, 850]}
    names = ("month", "level", "lat", "lon")
    fields = {
        name: (names, shift + wave(latitude, longitude), {"units": "m s-1", "long_name": f"the {name}"})
        for name, shift in (("u", 0.0), ("v", 1.0))
    }
    data = xr.Dataset(
        fields | more,
        lead
        | {
            "lat": (("lat",), latitude.astype(np.float32), {"units": "degrees_north"}),
            "lon": (("lon",), longitude.astype(np.float32), {"units": "degrees_east"}),
        },
        {"title": "made for a test"},
    )
    short = dict(dtype="int16", scale_factor=1e-3, add_offset=2.5, _FillValue=-32767)
    data.to_netcdf(path, engine="scipy", encoding={n: short for n in ("u", "v")} if packed else {})
    return path


@pytest.mark.parametrize("grid", GRIDS)
def test_fields_do_not_depend_on_the_order_of_the_axes(grid, tmp_path):
    rows, bandlimit = GRIDS[grid]
    columns = np.arange(24) * 15.0
    plain = load_fields(file_of(tmp_path / "plain.nc", rows, columns))
    assert plain.layout.grid == grid and plain.layout.bandlimit == bandlimit and plain.samples == 4
    assert plain.units["u"] == "m s-1" and plain.mask is None
    np.testing.assert_allclose(plain.values["u"][1], wave(rows, columns)[0, 1], atol=1e-6)
    for k, (lat, lon) in enumerate(
        [(rows[::-1], columns), (rows, columns - 180), (rows[::-1], columns - 90)]
    ):
        path = file_of(tmp_path / f"{k}.nc", lat, lon)
        other = load_fields(path)
        assert other.layout.is_like(plain.layout) and other.layout.first_longitude == 0
        np.testing.assert_allclose(other.values["v"], plain.values["v"], rtol=0, atol=3e-6)
        write_fields(tmp_path / "back.nc", other)
        with xr.open_dataset(path) as before, xr.open_dataset(tmp_path / "back.nc") as after:
            assert after.identical(before)  # values, order, names, units, attributes
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_packed_and_missing_numbers(tmp_path):
    rows, columns = np.linspace(-90, 90, 7), np.arange(18) * 20.0  # Δ of latitude is not that of longitude
    path = file_of(tmp_path / "packed.nc", rows, columns, packed=True)
    fields = load_fields(path)
    filed = fields.layout.as_filed(fields.values["u"])
    np.testing.assert_allclose(filed, wave(rows, columns).reshape(4, 7, 18), atol=6e-4)
    assert fields.layout.shape == (7, 18) and fields.layout.bandlimit == 6 and fields.missing == 0
    with xr.open_dataset(path, engine="scipy") as data:
        hole = data.load()
    hole["u"][0, 0, 2, 3] = np.nan
    hole.to_netcdf(tmp_path / "hole.nc", engine="scipy")
    fields = load_fields(tmp_path / "hole.nc")
    assert fields.missing == 1 and not fields.mask[0, 4, 3] and fields.mask.sum() == 4 * 7 * 18 - 1
    assert fields.select(level=850).mask is None
    write_fields(tmp_path / "again.nc", fields)
    again = load_fields(tmp_path / "again.nc")
    for name in ("u", "v"):
        np.testing.assert_array_equal(again.values[name], fields.values[name])
    assert (again.mask == fields.mask).all()


def test_samples_and_vectors(tmp_path):
    rows, columns = np.linspace(90, -90, 7), np.arange(12) * 30.0
    fields = load_fields(file_of(tmp_path / "f.nc", rows, columns))
    july = fields.select(month=7, level=[850, 500])
    assert july.samples == 2 and [axis.values.tolist() for axis in july.axes] == [[7], [850, 500]]
    np.testing.assert_array_equal(july.values["u"][0], fields.values["u"][3])
    assert fields.select(level=[850, 850, 500]).axes[1].values.tolist() == [850, 500]  # each once
    with pytest.raises(InputError, match="values of level, got none"):
        fields.select(level=[])
    both = july.stack("u:v", "v")
    assert both.shape == (2, 7, 12, 3)
    np.testing.assert_array_equal(both[..., 0], -july.values["v"])  # south
    np.testing.assert_array_equal(both[..., 1], july.values["u"])  # east
    for wrong, word in [({"month": 3}, "a month of the file"), ({"hour": 0}, "axis of samples")]:
        with pytest.raises(InputError, match=word):
            fields.select(**wrong)
    with pytest.raises(InputError, match="variables of the file"):
        fields.stack("w")
    with pytest.raises(InputError, match="variables on its grid"):
        load_fields(tmp_path / "f.nc", ["w"])
    land = wave(rows, columns)[0, 0] > 0
    more = dict(land=(("lat", "lon"), land), deep=(("depth", "lat", "lon"), np.zeros((5, 7, 12))))
    path = file_of(tmp_path / "g.nc", rows, columns, **more)
    with pytest.raises(InputError, match="axes of u"):
        load_fields(path, ["u", "deep"])
    with xr.open_dataset(path) as data:  # where it stands in the file does not matter
        data.load()[["land", "deep", "v"]].to_netcdf(tmp_path / "h.nc", engine="scipy")
    for file in ("g.nc", "h.nc"):
        spread = load_fields(tmp_path / file)
        assert set(spread.values) >= {"land", "v"} and "deep" not in spread.values
        np.testing.assert_array_equal(spread.values["land"], np.broadcast_to(land, (4, 7, 12)))


def test_numbers_that_stand_for_missing_ones():
    """A fill value that no file declares is refused where it is used; one near the others is not."""
    z = np.random.default_rng(0).normal(size=(2, 9)) * 30
    check_fills("inputs", "z", z)
    check_fills("inputs", "z", np.where(z > 20, -999.0, z * 100))  # within reach of the others
    check_fills("inputs", "z", np.full((2, 9), -9999.0))
    for fill in (-9999.0, 1e20, np.float32(9.96921e36)):
        with pytest.raises(InputError, match="declare it as _FillValue"):
            check_fills("inputs", "z", np.where(z > 20, fill, z).astype(np.float32))


def test_values_of_axes_are_found_up_to_rounding():
    hours = 1051896.0 + np.arange(6)
    axes = (
        Axis("level", np.array([200, 500.0, 850], np.float32) + np.float32(0.1), {}),
        Axis("time", hours, {}),
    )
    fields = Fields({"z": np.arange(18.0)[:, None]}, {}, {}, axes, None)
    assert fields.select(level=500.1, time=hours[2]).values["z"].item() == 8
    assert fields.select(level=np.float64(np.float32(850.1))).samples == 6
    for wrong in ({"level": 500}, {"time": hours[2] + 0.4}, {"time": hours[2] + 1e-2}):
        with pytest.raises(InputError, match="of the file"):
            fields.select(**wrong)
    whole = Fields({"z": np.zeros((2, 4))}, {}, {}, (Axis("level", np.array([500, 850]), {}),), None)
    assert whole.select(level=500.0).samples == 1


def test_infinite_numbers_of_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([[1.0, np.inf]]))
    with pytest.raises(InputError, match=r"a\.npz: a: expected finite"):
        load_fields(tmp_path / "a.npz")


def test_what_is_no_grid_of_the_sphere(tmp_path):
    whole, north = np.arange(36) * 10.0, np.linspace(90, -90, 19)
    for lat, lon, word in [
        (np.linspace(70, 30, 9), whole, "regional grid, from 30"),
        (north, np.arange(-20, 41, 10.0), "regional grid, 7 longitudes"),
        (north, np.arange(0, 361, 10.0), "repeats the first"),
        (north, np.sort(np.append(whole[1:], 3.0)), "irregular"),
        (np.linspace(90, -80, 18), whole, "keep both poles or neither"),
        (np.degrees(np.arcsin(np.linspace(0.98, -0.98, 19))), whole, "not in equal steps"),
    ]:
        with pytest.raises(InputError, match=word):
            globe_of(lat, lon)
    curved = xr.Dataset(
        {"z": (("y", "x"), np.zeros((3, 4)))},
        {"lat": (("y", "x"), np.zeros((3, 4))), "lon": (("y", "x"), np.zeros((3, 4)))},
    )
    curved.to_netcdf(tmp_path / "curved.nc", engine="scipy")
    with pytest.raises(InputError, match="curvilinear"):
        load_fields(tmp_path / "curved.nc")
    xr.Dataset({"z": (("y", "x"), np.zeros((3, 4)))}).to_netcdf(tmp_path / "none.nc", engine="scipy")
    with pytest.raises(InputError, match="an axis of latitudes"):
        load_fields(tmp_path / "none.nc")
    whole_file = file_of(tmp_path / "f.nc", north, whole).read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole_file[: len(whole_file) // 2])
    with pytest.raises(InputError, match=r"cut\.nc"):
        load_fields(tmp_path / "cut.nc")
    (tmp_path / "text.nc").write_text("lat,lon,z")
    with pytest.raises(InputError, match="a netCDF file, a HEALPix map"):
        load_fields(tmp_path / "text.nc")


def test_healpix_maps(tmp_path):
    healpy = pytest.importorskip("healpy", reason="healpy reads FITS")
    ring = np.random.default_rng(0).normal(size=(2, 192))
    ring[0, 5] = healpy.UNSEEN
    for name, nest in (("ring", False), ("nest", True)):
        maps = healpy.reorder(ring, r2n=True) if nest else ring
        healpy.write_map(str(tmp_path / f"{name}.fits"), maps, nest=nest, column_names=["T", "Q"],
                         column_units=["K", "mK"], dtype=np.float64)  # fmt: skip
        fields = load_fields(tmp_path / f"{name}.fits")
        assert fields.layout.side == 4 and fields.units == {"T": "K", "Q": "mK"} and fields.missing == 1
        assert not fields.mask[0, 5]
        np.testing.assert_array_equal(fields.values["Q"][0], ring[1])
    write_fields(tmp_path / "back.fits", fields)
    for name, values in load_fields(tmp_path / "back.fits").values.items():
        np.testing.assert_array_equal(values, fields.values[name])
    with pytest.raises(InputError, match="fits"):
        write_fields(tmp_path / "back.nc", fields)
    for convention, sign in (("IAU", -1), ("COSMO", 1)):  # the axis of U to the west, or to the east
        told = dict(column_names=["Q", "U"], dtype=np.float64, extra_header=[("POLCCONV", convention)])
        healpy.write_map(str(tmp_path / f"{convention}.fits"), ring, **told)
        fields = load_fields(tmp_path / f"{convention}.fits")
        np.testing.assert_array_equal(fields.values["U"][0], sign * ring[1])
        write_fields(tmp_path / f"{convention}-back.fits", fields)
        again = load_fields(tmp_path / f"{convention}-back.fits")
        np.testing.assert_array_equal(again.values["U"], fields.values["U"])


def test_compressed_maps(tmp_path):
    healpy = pytest.importorskip("healpy", reason="healpy reads FITS")
    values = np.random.default_rng(0).normal(size=192)
    healpy.write_map(str(tmp_path / "map.fits"), values, column_names=["T"], dtype=np.float64)
    whole = gzip.compress((tmp_path / "map.fits").read_bytes())
    (tmp_path / "map.fits.gz").write_bytes(whole)
    np.testing.assert_array_equal(load_fields(tmp_path / "map.fits.gz").values["T"][0], values)
    for content, words in ((whole[:40], "damaged"), (gzip.compress(b"words"), "a netCDF file"),
                           (whole[:-200], "a whole file")):  # fmt: skip
        (tmp_path / "cut.fits.gz").write_bytes(content)
        with pytest.raises(InputError, match=words):
            load_fields(tmp_path / "cut.fits.gz")


def test_arrays_by_name(tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 10))
    np.savez(tmp_path / "a.npz", height=x, wind=np.ones((3, 10, 3)), units=np.array(["height=m"]))
    fields = load_fields(tmp_path / "a.npz")
    assert fields.units == {"height": "m", "wind": ""} and fields.places == (10,)
    assert fields.stack("height", "wind").shape == (3, 10, 4)
    write_fields(tmp_path / "b.npz", fields)
    again = load_fields(tmp_path / "b.npz")
    np.testing.assert_array_equal(again.values["height"], x)
    assert again.units == fields.units
    named = Fields({"file": x, "allow_pickle": x}, {}, {}, (), None)  # names that np.savez keeps for itself
    write_fields(tmp_path / "names.npz", named)
    np.testing.assert_array_equal(load_fields(tmp_path / "names.npz").values["file"], x)
    np.savez(tmp_path / "c.npz", height=x, other=np.ones((4, 10)))
    with pytest.raises(InputError, match="samples the first axis"):
        load_fields(tmp_path / "c.npz")


def test_variables_of_fewer_axes_and_values_out_of_their_range(tmp_path):
    """An orography is the same in all months; what the file calls invalid is missing."""
    latitude, longitude = GRIDS["driscoll-healy"][0], np.arange(24) * 15.0
    height = wave(latitude, longitude)[0, 0].astype(np.float32)
    rain = height.copy()
    rain[0, :3] = 200.0, -5.0, 1e4
    packed = {"scale_factor": 0.01, "add_offset": 2.0, "dtype": "int16", "_FillValue": -32768}
    attributes = {"units": "mm", "valid_min": np.float32(-4), "valid_max": np.float32(100)}
    inside = {"valid_range": np.array([-200, 300], np.int16)}  # packed: 0 to 5
    data = file_of(
        tmp_path / "some.nc", latitude, longitude, orog=(("lat", "lon"), height),
        rain=(("lat", "lon"), rain, attributes),
        snow=(("lat", "lon"), np.where(height > 1, 7.0, 1.0), inside),
        level_only=(("level", "lat", "lon"), np.stack([height, rain * 0])),
    )  # fmt: skip
    found = load_fields(data)
    assert found.samples == 4 and set(found.values) == {"u", "v", "orog", "rain", "level_only", "snow"}
    np.testing.assert_allclose(found.values["orog"], np.broadcast_to(height, (4, *height.shape)), rtol=1e-6)
    np.testing.assert_allclose(found.values["level_only"][::2], found.values["orog"][::2])
    assert np.isnan(found.values["rain"]).sum() == 4 * 3 and np.isnan(found.values["rain"][:, 0, :3]).all()
    with xr.open_dataset(data) as dataset:
        dataset.load().to_netcdf(tmp_path / "packed.nc", engine="h5netcdf", encoding={"snow": packed})
    again = load_fields(tmp_path / "packed.nc", ["snow", "u"])
    assert np.isnan(again.values["snow"]).sum() == 4 * (height > 1).sum()
    np.testing.assert_allclose(np.nanmax(again.values["snow"]), 1.0, atol=0.01)
    alone = load_fields(data, ["orog"])
    assert alone.samples == 1 and not alone.axes
