"""Images on spheres and meshes, classified: what goes together, the command, the page, other images."""

import csv
import json

import numpy as np
import pytest
import xarray as xr

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.data import load
from intertwine.experiments.classify.experiment import Classify
from intertwine.report.classify.plates import plates
from intertwine.report.classify.read import read
from intertwine.runs.kinds import configuration_of

COUNT = 60


def spots(points):
    """Signals of one bump or of two opposite ones anywhere on the sphere, and which of both."""
    random = np.random.default_rng(0)
    labels, centres = random.integers(0, 2, COUNT), random.normal(size=(COUNT, 3))
    along = points @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    bumps = np.exp(4 * (along - 1)) + labels * np.exp(4 * (-along - 1))
    return np.moveaxis(bumps, -1, 0).astype(np.float32), labels


def vectors(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], -1)


@pytest.fixture
def files(tmp_path):
    """A netCDF file on latitudes and longitudes, archives of a HEALPix map, of an icosphere, of images."""
    latitude, longitude = np.linspace(-90, 90, 9), np.arange(-180, 180, 22.5)
    x, y = spots(vectors(np.radians(90 - latitude)[:, None], np.radians(longitude)))
    axes = {"lat": ("lat", latitude, {"units": "degrees_north"}),
            "lon": ("lon", longitude, {"units": "degrees_east"})}  # fmt: skip
    signals = {"signal": (("event", "lat", "lon"), x), "label": ("event", y)}
    xr.Dataset(signals, axes).to_netcdf(tmp_path / "globe.nc", engine="h5netcdf")
    np.savez(tmp_path / "images.npz", images=x, labels=y)
    pixels = it.Sphere(6, "healpix", size=3).points
    x, y = spots(vectors(pixels[:, 0], pixels[:, 1]))
    np.savez(tmp_path / "healpix.npz", images=x, labels=np.array(["one", "two"])[y])
    x, y = spots(it.Mesh.icosphere(1).positions)
    np.savez(tmp_path / "ico.npz", images=np.stack([x, x**2], axis=-1), labels=y)
    return tmp_path


def configuration(files, name, space="auto", network="zonal:1", changes=()):
    tables = {
        "kind": "classify", "data": {"name": str(files / name)}, "space": {"name": space},
        "network": {"name": network, "dropout": 0.0}, "optimiser": {"epochs": 1, "batch": 16},
    }  # fmt: skip
    for section, values in dict(changes).items():
        tables[section] = tables[section] | values
    return configuration_of(tables)


@pytest.mark.parametrize(("name", "space", "network", "found"), [
    ("globe.nc", "auto", "zonal:1", "sphere:8:clenshaw-curtis:9x16"),
    ("globe.nc", "sphere:4", "spin:1", "sphere:4:clenshaw-curtis:9x16"),
    ("images.npz", "sphere:8:clenshaw-curtis", "zonal:1", "sphere:8:clenshaw-curtis"),
    ("healpix.npz", "healpix:3", "zonal:1", "healpix:3"),
    ("healpix.npz", "sphere:4:healpix:3", "zonal:1", "sphere:4:healpix:3"),
    ("ico.npz", "icosphere:1", "cnn:1", "icosphere:1"),
])  # fmt: skip
def test_images_lie_where_they_are_said_to(files, name, space, network, found):
    run = Classify(configuration(files, name, space, network))
    assert run.images.space == found and run.network.recipe.space == found
    named = it.space_from_name(found)
    assert run.images.places == named.shape and run.images.train.x.shape[1:-1] == named.shape
    assert run.network.rep_in.dimension == run.images.train.x.shape[-1]


@pytest.mark.parametrize(("name", "space", "network", "changes", "message"), [
    ("images.npz", "sphere:16", "zonal:1", {}, "for these points say --space sphere:8:clenshaw-curtis"),
    ("healpix.npz", "icosphere:1", "cnn:1", {}, "got 108; for these points say --space healpix:3"),
    ("globe.nc", "sphere:9", "zonal:1", {}, "at most 8 degrees"),
    ("globe.nc", "auto", "p4cnn", {}, "network.name: expected a network of sphere:8"),
    ("globe.nc", "auto", "so4:2", {}, "so3:W"),
    ("globe.nc", "auto", "unet:2", {}, "a classifier"),
    ("ico.npz", "icosphere:1", "so3:2", {}, "a network of icosphere:1"),
    ("ico.npz", "icosphere:9:9", "cnn:1", {}, "icosphere:N"),
    ("images.npz", "auto", "zonal:1", {}, "say --space sphere:L:GRID"),
    ("images.npz", "plane:9x16:p4", "cnn:1", {}, "say --group"),
    ("globe.nc", "auto", "cnn:1", {"optimiser": {"augment": "rotations"}}, "optimiser.augment"),
    ("globe.nc", "sphere:4", "cnn:1", {"network": {"group": "p4"}}, "network.group"),
    ("globe.nc", "auto", "so3:1", {"network": {"group": "p4"}}, "network.group"),
    ("globe.nc", "globe:4", "so3:1", {}, "space.name: expected 'auto', or one of"),
    ("healpix.npz", "auto", "cnn:1", {}, "expected images"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused_in_one_line(files, name, space, network, changes, message):
    with pytest.raises(InputError) as raised:
        Classify(configuration(files, name, space, network, changes))
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "space", "network"), [
    ("globe.nc", "auto", "spin:2"), ("healpix.npz", "healpix:3", "zonal:4"),
    ("ico.npz", "icosphere:1", "cnn:1"),
])  # fmt: skip
def test_the_command(files, name, space, network, capsys):
    out = files / "run"
    flags = ["--space", space, "--network", network, "--epochs", "3", "--batch", "16", "--validation", "0"]
    assert main(["classify", "--data", str(files / name), *flags, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    result, run = json.loads((out / "result.json").read_text()), it.load(out)
    assert result["space"] == run.result["space"] and "equivariance of the whole network" in said
    data = load(files / name, space=result["space"])
    assert it.class_scores(run, data.as_images(data.as_given(data.test))).shape == (6, 2)
    shown = {plate.name for plate in plates(read(out))}
    if space == "icosphere:1":
        assert "mesh" in shown and result["rotations"] is None
    else:
        assert {"maps", "globe", "rotations"} <= shown
        assert len(result["rotations"]["accuracy"]) == 7 and "turned by 6 random rotations" in said
    picture = read(out)
    assert picture.shown.shape[0] == 4 and np.isfinite(picture.shown).all()
    if name == "globe.nc":
        assert data.grey  # floats of [0, 1] are bytes
        first = data.as_images(data.test)[:4, ..., 0] / 255
        np.testing.assert_allclose(picture.shown, first, atol=1e-6)
        np.testing.assert_allclose(picture.places["latitude"], np.linspace(90, -90, 9), atol=1e-9)
    predictions = files / "said.csv"
    assert main(["predict", str(out), "--data", str(files / name), "--out", str(predictions)]) == 0
    rows = list(csv.DictReader(predictions.read_text().splitlines()))
    assert len(rows) == COUNT and {row["class"] for row in rows} <= set(run.classes)
    more = ["--network", str(out), "--data", str(files / name), "--space", space, "--epochs", "1"]
    assert main(["classify", *more, "--out", str(files / "again")]) == 0
    assert json.loads((files / "again/result.json").read_text())["space"] == result["space"]
