"""The commands `fields` and `apply`: winds on a globe, vertices of a mesh, arrays; what is refused."""

import jax
import numpy as np
import pytest
import xarray as xr

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.data import globe_of, load_fields, write_fields
from intertwine.data.fields import Axis, Fields
from intertwine.experiments.fields.experiment import FieldsExperiment
from intertwine.experiments.fields.made import winds
from intertwine.experiments.fields.settings import FieldsConfiguration
from intertwine.records import caveats
from intertwine.spaces.sphere import inverse_laplacian, vorticity

SMALL = ["--epochs", "2", "--network", "linear", "--method", "adamw", "--precision", "float64"]


def run(*flags, out):
    assert main(["fields", *map(str, flags), "--out", str(out)]) == 0
    return it.load(out)


@pytest.fixture(scope="module")
def globe(tmp_path_factory):
    """A file of winds of the sphere, and a run that learnt from it."""
    folder = tmp_path_factory.mktemp("globe")
    learnt, _ = winds(6, 0)
    write_fields(folder / "winds.nc", learnt)
    flags = ["--data", folder / "winds.nc", "--targets", "vorticity", "--space", "sphere:6", "--rotation"]
    before = jax.config.jax_enable_x64
    yield (
        folder / "winds.nc",
        run(*flags, *SMALL, "--epochs", "40", "--learning-rate", "0.1", out=folder / "run"),
    )
    jax.config.update("jax_enable_x64", before)


@pytest.mark.slow
def test_vorticity_is_learnt_from_winds(globe):
    """An intertwiner of degree by degree: the least-squares map finds it, and the network comes close."""
    found = globe[1].result["errors"]["vorticity"]
    assert found["linear"] < 1e-4 * found["rms"] and found["rmse"] < 0.2 * found["rms"]
    assert max(row["error"] for row in globe[1].result["equivariance"]) < 1e-10
    page = (globe[0].parent / "run" / "report.html").read_text()
    assert (
        "vorticity on the globe" in page and "Turned fields" in page and "Equivariance of each layer" in page
    )
    turned = globe[1].result["rotations"]["rmse"]["vorticity"]
    np.testing.assert_allclose(turned, turned[0], rtol=1e-8)


@pytest.mark.slow
def test_a_u_net_is_learnt_saved_and_applied(globe, tmp_path):
    flags = ["--data", globe[0], "--targets", "vorticity", "--network", "unet:1", "--epochs", "2"]
    found, fields = run(*flags, out=tmp_path / "run"), load_fields(globe[0])
    assert found.result["parameters"] == it.layers.parameter_count(found.model.network)
    said = found.predict(fields).values["vorticity"]
    assert main(["apply", str(tmp_path / "run"), str(globe[0]), "--out", str(tmp_path / "said.nc")]) == 0
    np.testing.assert_allclose(load_fields(tmp_path / "said.nc").values["vorticity"], said, atol=1e-6)


def test_apply_writes_the_file_with_names_units_and_order(globe, tmp_path, capsys):
    path, trained = globe
    fields = load_fields(path)
    flipped = globe_of(fields.layout.latitude[::-1], fields.layout.longitude - 180)
    turned = Fields(fields.values, {"u": "1", "v": "1"}, {}, fields.axes, flipped)
    write_fields(tmp_path / "flipped.nc", turned)
    folder = str(path.parent / "run")
    outs = [tmp_path / "plain.nc", tmp_path / "other.nc"]
    for file, out in zip((path, tmp_path / "flipped.nc"), outs, strict=True):
        assert main(["apply", folder, str(file), "--out", str(out)]) == 0
    assert "vorticity: rms error" in capsys.readouterr().out
    with xr.open_dataset(outs[0]) as plain, xr.open_dataset(outs[1]) as other:
        assert plain.vorticity.attrs["units"] == "1" and float(other.latitude[0]) < 0
        np.testing.assert_allclose(other.vorticity[:, ::-1].values, np.roll(plain.vorticity.values, 6, -1),
                                   atol=1e-12)  # fmt: skip
        np.testing.assert_allclose(
            plain.vorticity.values, trained.predict(fields).values["vorticity"], atol=1e-12
        )
    assert main(["apply", folder, str(path), "--out", str(outs[0])]) == 2  # it is there


def test_errors_on_the_file_learnt_from_are_qualified(globe, tmp_path, capsys):
    path, _ = globe
    fields, folder = load_fields(path), str(path.parent / "run")
    write_fields(tmp_path / "one.nc", fields.take([0]))
    for file, told in ((path, True), (tmp_path / "one.nc", False)):
        assert main(["apply", folder, str(file), "--out", str(tmp_path / "said.nc"), "--overwrite"]) == 0
        assert ("the file that was learnt from" in capsys.readouterr().out) is told


def test_targets_in_other_units_are_told(globe, tmp_path, capsys):
    path, _ = globe
    fields = load_fields(path)
    other = Fields(fields.values, dict(fields.units) | {"vorticity": "1/h"}, {}, fields.axes, fields.layout)
    write_fields(tmp_path / "other.nc", other)
    command = [
        "apply",
        str(path.parent / "run"),
        str(tmp_path / "other.nc"),
        "--out",
        str(tmp_path / "said.nc"),
    ]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "no errors: vorticity is a scalar in 1/h in the file, learnt was a scalar in 1" in told


def test_exact_networks_are_held_to_rounding():
    """A linear map on a sphere that were equivariant to 1 % would be a fault; of sampled functions it is as
    good as said."""
    row = {"layer": "whole", "element": 3, "name": "a turn", "error": 0.01, "exact": True}
    record = {"errors": {}, "equivariance": [row], "precision": "float32"}
    for sampled, told in ((False, 1), (True, 0)):
        assert len(caveats.of_fields(record | {"sampled": sampled})) == told


def test_another_grid_of_the_sphere_is_resampled(globe):
    """The same fields on the grid of weather files: the same predictions, by the transform."""
    from intertwine.learning.fields.placing import resampled, sphere_of

    fields = load_fields(globe[0])
    other = globe_of(np.linspace(-90, 90, 13), np.arange(-180, 180, 15.0))
    here, there = sphere_of(fields.layout), sphere_of(other)

    def moved(named, kind):
        values = resampled(fields.stack(named), kind, here, there, named)
        return values[..., 0] if kind == "scalar" else values

    wind = moved("u:v", "vector")
    values = {"u": wind[..., 1], "v": -wind[..., 0]}
    again = Fields(values, fields.units, {}, fields.axes, other)
    said = globe[1].predict(again).values["vorticity"]
    truth = resampled(globe[1].predict(fields).stack("vorticity"), "scalar", here, there, "")[..., 0]
    np.testing.assert_allclose(said, truth, atol=1e-10)


def test_what_is_refused_in_one_line(globe, tmp_path, capsys):
    path, _ = globe
    folder, fields = str(path.parent / "run"), load_fields(path)
    coarse = globe_of(np.linspace(90, -90, 5), np.arange(8) * 45.0)
    lacking = {k: v for k, v in fields.values.items() if k != "v"}
    files = {
        "coarse.nc": (Fields({k: np.zeros((1, 5, 8)) for k in "uv"}, {"u": "1", "v": "1"}, {},
                             (Axis("t", np.zeros(1), {}),), coarse), "tells degrees below 6"),
        "units.nc": (Fields(fields.values, dict.fromkeys("uv", "knots"), {}, fields.axes, fields.layout),
                     "u:v as a vector in 1"),
        "lacking.nc": (Fields(lacking, {}, {}, fields.axes, fields.layout), "the variable 'v'"),
    }  # fmt: skip
    for name, (made, words) in files.items():
        write_fields(tmp_path / name, made)
        assert main(["apply", folder, str(tmp_path / name), "--out", str(tmp_path / "out.nc")]) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1, error
    for flags, words in [
        (["--inputs", "u,w"], "inputs: expected variables of the file"),
        (["--space", "plane:6"], "a globe"),
        (["--select", "month=3"], "an axis of samples"),
        (["--select", "month"], "values of axes"),
        (["--space", "torus:3"], "space.name"),
        (["--network", "cnn"], "network.name"),
        (["--space", "sphere:99"], "degrees below 99"),
        (["--data", str(tmp_path / "none.nc")], "where nothing is"),
    ]:
        code = main(
            ["fields", "--data", str(path), "--targets", "vorticity", *flags, "--out", str(tmp_path / "x")]
        )
        error = capsys.readouterr().err
        assert code == 2 and words in error and "Traceback" not in error, error
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("space", ["plane", "icosphere:1"])
def test_arrays_and_vertices(space, tmp_path):
    rng = np.random.default_rng(0)
    places = (5, 6) if space == "plane" else (42,)
    x = rng.normal(size=(6, *places))
    y = np.where(rng.random(x.shape) < 0.1, np.nan, 2 * x + 1)  # targets may be missing
    np.savez(tmp_path / "a.npz", a=x, b=y, units=["a=K", "b=Pa"])
    flags = ["--data", tmp_path / "a.npz", "--inputs", "a", "--targets", "b", *SMALL]
    trained = run(*flags, *([] if space == "plane" else ["--space", space]), out=tmp_path / "run")
    assert trained.model.name == ("plane:5x6" if space == "plane" else space)
    assert trained.result["errors"]["b"]["unit"] == "Pa" and trained.result["errors"]["b"]["linear"] < 1e-2
    assert (
        main(["apply", str(tmp_path / "run"), str(tmp_path / "a.npz"), "--out", str(tmp_path / "o.npz")]) == 0
    )
    page = (tmp_path / "run" / "report.html").read_text()
    assert ("b on the mesh" in page) == (space != "plane")
    said = load_fields(tmp_path / "o.npz")
    assert said.units == {"b": "Pa"}
    np.testing.assert_allclose(said.values["b"], trained.predict(load_fields(tmp_path / "a.npz")).values["b"])


def test_function_and_command_are_one_study(globe):
    path, trained = globe
    fit = it.fit_fields("linear", path, inputs="u,v", targets="vorticity", space="sphere:6", rotation=True,
                        method="adamw", epochs=40, learning_rate=0.1, key=jax.random.key(0))  # fmt: skip
    for name in ("loss", "validation_loss", "rmse"):
        np.testing.assert_array_equal(trained.metrics[name], [row[name] for row in fit.history])
    fields = load_fields(path)
    np.testing.assert_array_equal(
        fit.model.predict(fields).values["vorticity"], trained.predict(fields).values["vorticity"]
    )


def test_healpix_maps(tmp_path, capsys):
    """Intensity and polarisation, as healpy writes them: Q and U are one field of spin 2, a part of the sky
    has the names of its columns, and maps of several samples come as arrays."""
    healpy = pytest.importorskip("healpy")
    sphere, key = it.Sphere(4, "healpix", size=4), jax.random.key(0)
    one = np.asarray(sphere.random_field("scalar", 1, key=key))[0]
    electric = sphere.analysis(one)[..., 0] * np.where(np.arange(4) > 1, 2.0, 0)[:, None]
    both = np.stack([electric, np.zeros_like(electric)], axis=-1)
    q, u = np.moveaxis(np.asarray(sphere.synthesis(both, "spin 2")), -1, 0)
    names = dict(column_names=["I_STOKES", "Q_STOKES", "U_STOKES"], column_units=["K"] * 3, dtype=np.float64)
    healpy.write_map(tmp_path / "sky.fits", [one[:, 0], q, u], **names)
    part = np.where(np.arange(192) < 20, healpy.UNSEEN, one[:, 0])
    words = dict(partial=True, column_names=["A", "B"], dtype=np.float64)
    healpy.write_map(tmp_path / "part.fits", [part, np.where(part == healpy.UNSEEN, part, 3 * part)], **words)
    seen = load_fields(tmp_path / "part.fits")
    assert list(seen.values) == ["A", "B"] and seen.missing == 40
    np.testing.assert_allclose(seen.values["B"], 3 * seen.values["A"])
    flags = [
        "--inputs",
        "I_STOKES",
        "--targets",
        "Q_STOKES,U_STOKES",
        "--space",
        "healpix:4",
        "--network",
        "linear",
    ]
    least = [*flags, "--method", "least-squares", "--precision", "float64"]
    trained = run("--data", tmp_path / "sky.fits", *least, out=tmp_path / "run")
    (target,) = trained.model.targets
    assert target == ("Q_STOKES:U_STOKES", "spin 2", "K")
    assert trained.result["errors"][target.name]["rmse"] < 3e-5  # E of I, degree by degree
    assert trained.result["errors"][target.name].get("mean_field") is None  # of one sample
    assert "Q_STOKES:U_STOKES on the globe" in (tmp_path / "run" / "report.html").read_text()
    assert (
        main(["apply", str(tmp_path / "run"), str(tmp_path / "sky.fits"), "--out", str(tmp_path / "o.fits")])
        == 0
    )
    said = healpy.read_map(tmp_path / "o.fits", field=None)
    np.testing.assert_allclose(said, [q, u], atol=1e-4)
    np.savez(tmp_path / "many.npz", I_STOKES=np.stack([one[:, 0], 2 * one[:, 0]]), units=["I_STOKES=K"])
    again = trained.predict(load_fields(tmp_path / "many.npz"))
    np.testing.assert_allclose(again.values["U_STOKES"], [u, 2 * u], atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["obj", "ply", "stl"])
def test_mesh_files(kind, tmp_path, capsys):
    """Vectors in space at the vertices of a file; the run keeps the mesh, and can be moved."""
    trimesh = pytest.importorskip("trimesh")
    ball = it.Mesh.icosphere(1)
    body = trimesh.Trimesh(ball.positions * [1.0, 1.2, 0.8], ball.faces, process=False)
    body.export(tmp_path / f"body.{kind}")
    mesh = it.Mesh(tmp_path / f"body.{kind}")  # STL has vertices in another order
    wind = np.random.default_rng(0).normal(size=(6, mesh.size, 3))
    tangent = np.asarray(mesh.to_space(mesh.to_frames(wind)))
    np.savez(tmp_path / "v.npz", w=tangent, twice=2 * tangent)
    flags = ["--data", tmp_path / "v.npz", "--inputs", "w", "--targets", "twice", "--network", "linear"]
    space = ["--space", f"mesh:{tmp_path}/body.{kind}", "--method", "least-squares"]
    trained = run(*flags, *space, out=tmp_path / "run")
    assert trained.result["errors"]["twice"]["rmse"] < 1e-5
    (tmp_path / f"body.{kind}").unlink()
    (tmp_path / "run").rename(tmp_path / "moved")
    np.testing.assert_allclose(
        it.load(tmp_path / "moved").predict(load_fields(tmp_path / "v.npz")).values["twice"],
        2 * tangent,
        atol=1e-5,
    )
    body.export(tmp_path / "other.ply")
    for data, words in ((tmp_path / "other.ply", "a mesh; put them into"), (None, "at one position are one")):
        if data is None:
            np.savez(tmp_path / "short.npz", w=tangent[:, 1:], twice=tangent[:, 1:])
            data = tmp_path / "short.npz"
        flags[1] = str(data)
        assert main(["fields", *map(str, flags), "--space", f"mesh:{tmp_path}/other.ply"]) == 2
        assert words in capsys.readouterr().err


def test_balance_of_winds_is_among_the_fluxes():
    """Δ(Φ + ½ v²) = r̂·(∇ × (f + ζ) v) of winds with degrees below L/2: found from two samples, exactly."""
    sphere, key = it.Sphere(8), jax.random.key(5)
    low = np.where((np.arange(8) > 0) & (np.arange(8) < 4), 1.0, 0.0)[:, None, None]
    wind = sphere.synthesis(sphere.random_coefficients("vector", 5, key=key) * low, "vector")
    sine = np.cos(sphere.points[..., :1])
    zeta = vorticity(sphere, wind)
    curl = vorticity(sphere, (3 * sine + zeta) * wind)
    height = inverse_laplacian(sphere, curl) - 0.5 * (wind**2).sum(-1, keepdims=True)
    wind, height = np.asarray(wind), np.asarray(height)
    globe = globe_of(90 - np.degrees(sphere.colatitudes), np.arange(16) * 22.5)
    values = {"u": wind[..., 1], "v": -wind[..., 0], "z": height[..., 0]}
    fields = Fields(values, {}, {}, (Axis("t", np.arange(5), {}),), globe)
    fit = it.fit_fields("fluxes:1", fields.take([0, 1]), inputs="u,v", targets="z", rotation=True, key=key)
    off = fit.model.predict(fields).values["z"] - values["z"]
    off = off - (off * sphere.measure).sum((1, 2), keepdims=True)  # means are left alone
    assert np.abs(off).max() < 1e-6 * np.abs(values["z"]).max()
    assert fit.best == 1 and it.layers.parameter_count(fit.model.network) == 20
    with pytest.raises(InputError, match="method: expected adamw"):
        it.fit_fields("product:1", fields, inputs="u,v", targets="z", method="least-squares", key=key)


def test_targets_with_holes_on_a_grid_of_cells(tmp_path):
    """The grid of satellites: half a step from the poles, more columns than rows, the first off 0°. It has a
    name, so that nothing is resampled, and targets may be missing."""
    latitude, longitude = 90 - 15 * (np.arange(12) + 0.5), 3.75 + 7.5 * np.arange(48)
    phi, lam = np.radians(latitude)[:, None], np.radians(longitude)
    a = np.stack([np.sin(phi) ** k * np.cos(lam - k) for k in range(6)])
    b = np.where(np.random.default_rng(0).random(a.shape) < 0.2, np.nan, 3 * a)
    axes, layout = (Axis("t", np.arange(6.0), {}),), globe_of(latitude, longitude)
    fields = Fields({"a": a, "b": b}, {}, {}, axes, layout)
    write_fields(tmp_path / "cells.nc", fields)
    fit = it.fit_fields(
        "linear", tmp_path / "cells.nc", inputs="a", targets="b", epochs=1, key=jax.random.key(0)
    )
    assert fit.model.name == "sphere:6:driscoll-healy:12x48:3.75"
    assert fit.model.space.space == it.Sphere(
        6, "driscoll-healy", size=(12, 48), first_longitude=layout.first_longitude
    )
    assert fit.model.predict(fields).values["b"].shape == b.shape


def test_arguments_of_learning_are_looked_at_whatever_the_method():
    fields = Fields(
        {"a": np.zeros((4, 5, 5)), "b": np.zeros((4, 5, 5))}, {}, {}, (Axis("t", np.arange(4), {}),), None
    )
    for wrong, word in [
        ({"epochs": 0}, "epochs: expected a positive"),
        ({"batch": 0}, "batch: expected a positive"),
        ({"learning_rate": np.nan}, "learning_rate: expected a positive"),
        ({"warmup": 2.0}, "from 0 to 1"),
        ({"weight_decay": -1.0}, "0 or more"),
        ({"key": None}, "a JAX random key"),
        ({"method": "newton"}, "least-squares"),
    ]:
        words = dict(inputs="a", targets="b", key=jax.random.key(0)) | wrong
        with pytest.raises(InputError, match=word):
            it.fit_fields("linear", fields, **words)


def test_samples_to_test_with_are_not_those_learnt_from(tmp_path):
    rng = np.random.default_rng(3)
    a, file = rng.normal(size=(6, 5, 5)), tmp_path / "rows.npz"
    np.savez(file, a=a, b=2 * a, units=np.array(["b=m"]))
    np.savez(tmp_path / "other.npz", a=a + 1, b=2 * a, units=np.array(["b=km"]))
    data = {"name": str(file), "inputs": "a", "targets": "b"}
    for more, words in (
        ({"test_select": "sample=4/5"}, "not learnt from"),
        ({"test": str(tmp_path / "other.npz")}, "b in m"),
    ):
        c = FieldsConfiguration.model_validate({"data": data | more})
        with pytest.raises(InputError, match=words):
            FieldsExperiment(c)
    c = FieldsConfiguration.model_validate(
        {
            "data": data | {"select": "sample=0/1/2/3", "test_select": "sample=4/5"},
            "network": {"name": "linear"},
        }
    )
    assert FieldsExperiment(c).test.samples == 2


def test_vectors_of_a_mesh_are_said_and_kept(tmp_path, capsys):
    """Vectors alone, from scalars, and beside a scalar: each has its own number of components."""
    mesh = it.space_from_name("icosphere:1").space
    rng = np.random.default_rng(0)
    scalar, vector = rng.normal(size=(5, 42)), rng.normal(size=(5, 42, 3))
    vector -= (vector * mesh.positions).sum(-1, keepdims=True) * mesh.positions
    np.savez(tmp_path / "both.npz", b=scalar, w=vector)
    np.savez(tmp_path / "alone.npz", w=vector)
    for data, inputs, targets in (("alone", "w", "w"), ("both", "b", "w"), ("both", "w", "b,w")):
        flags = ["--data", tmp_path / f"{data}.npz", "--inputs", inputs, "--targets", targets, *SMALL]
        found = run(*flags, "--space", "icosphere:1", "--overwrite", out=tmp_path / "run")
        assert set(found.result["errors"]) == set(targets.split(","))
        assert found.predict(load_fields(tmp_path / f"{data}.npz")).values["w"].shape == vector.shape
    errors = found.result["errors"]["w"]
    assert errors["linear"] < 1e-3 * errors["rms"]  # w → w, whatever stood in the folder before
    held = xr.load_dataset(tmp_path / "run" / "result.nc")
    assert held.true_w.shape == held.said_w.shape == (3, 1, 42) and held.true_b.shape == (1, 1, 42)
    out = tmp_path / "said.npz"
    capsys.readouterr()
    assert main(["apply", str(tmp_path / "run"), str(tmp_path / "alone.npz"), "--out", str(out)]) == 0
    assert "w: rms error" not in capsys.readouterr().out  # a target is missing in the file
    assert np.load(out)["w"].shape == vector.shape


def test_samples_by_dates_and_each_axis_once(globe, tmp_path, capsys):
    fields = load_fields(globe[0])
    days = np.arange(fields.samples) * 31
    dated = (Axis("time", days, {"units": "days since 2001-01-01", "calendar": "standard"}),)
    write_fields(tmp_path / "dated.nc", Fields(fields.values, fields.units, {}, dated, fields.layout))
    found = load_fields(tmp_path / "dated.nc")
    assert found.select(time=["2001-02", "2001-03-04"]).axes[0].values.tolist() == [31, 62]
    with pytest.raises(InputError, match=r"a time of the file \(2001-01-01T00:00:00, 2001-02-01"):
        found.select(time="1999")
    flags = ["fields", "--data", str(tmp_path / "dated.nc"), "--inputs", "u,v", "--targets", "vorticity"]
    assert main([*flags, "--select", "time=0,time=31", "--out", str(tmp_path / "twice")]) == 2
    assert "each axis once, got time twice" in capsys.readouterr().err
    assert (
        FieldsConfiguration.model_validate(
            {
                "kind": "fields",
                "data": {"name": "a.nc", "inputs": "u", "targets": "v", "select": "time=2001-02/62"},
            }
        ).data.select
        == "time=2001-02/62"
    )


def test_colours_are_channels_and_not_vectors(tmp_path):
    """Arrays (samples, X, Y, 3), alone or beside others, as inputs and as targets."""
    colours = np.random.default_rng(0).normal(size=(5, 6, 7, 3))
    np.savez(tmp_path / "images.npz", a=colours, b=colours[..., ::-1], grey=colours.mean(-1))
    np.savez(tmp_path / "alone.npz", a=colours)
    for data, targets in (("images", "b,grey"), ("alone", "a")):
        flags = ["--data", tmp_path / f"{data}.npz", "--inputs", "a", "--targets", targets, *SMALL]
        found = run(*flags, "--overwrite", out=tmp_path / "run")
        assert found.model.targets[0].kind == "3 scalar" and found.model.name == "plane:6x7"
        errors = found.result["errors"][targets[0]]
        assert errors["linear"] < 1e-3 * errors["rms"]
        assert found.predict(load_fields(tmp_path / f"{data}.npz")).values[targets[0]].shape == colours.shape


def test_the_mean_of_places_that_are_never_known(globe):
    """Such places do not count for the baseline, which stays a number; nowhere known, there is none."""
    from intertwine.experiments.fields.measures import errors, mean_field

    fields, model = load_fields(globe[0]), globe[1].model
    known = fields.values["vorticity"].copy()
    known[:, 0] = np.nan
    learnt = fields.with_values({"vorticity": known}, {}, {})
    found = errors(model, fields, mean_field(learnt, fields, ["vorticity"]))["vorticity"]
    whole = errors(model, fields, mean_field(fields, fields, ["vorticity"]))["vorticity"]
    assert np.isfinite(found["rmse"]) and found["rmse"] != whole["rmse"]
    nowhere = fields.with_values({"vorticity": np.full_like(known, np.nan)}, {}, {})
    assert mean_field(nowhere, fields, ["vorticity"]) is None


def test_components_of_vectors_in_any_order_and_alone(globe, tmp_path, capsys):
    path, trained = globe
    flags = ["--data", path, "--targets", "vorticity", "--space", "sphere:6", "--rotation", *SMALL]
    pair = run(*flags, "--inputs", "v,u", out=tmp_path / "pair")
    assert [v.name for v in pair.model.inputs] == [v.name for v in trained.model.inputs] == ["u:v"]
    assert not any("one component" in line for line in pair.warnings)
    alone = run(*flags, "--inputs", "u", out=tmp_path / "alone")
    assert any("u is one component of a vector" in line for line in alone.warnings)
    np.savez(tmp_path / "mesh.npz", u=np.ones((4, 42)), v=np.ones((4, 42)))
    flags = ["--data", str(tmp_path / "mesh.npz"), "--inputs", "u:v", "--targets", "u"]
    assert main(["fields", *flags, "--space", "icosphere:1", "--out", str(tmp_path / "no")]) == 2
    assert "one array (samples, vertices, 3)" in capsys.readouterr().err


def test_marks_of_missing_values_are_not_learnt_from(globe, tmp_path, capsys):
    fields = load_fields(globe[0])
    u = fields.values["u"].copy()
    u[0, 0] = 1e20
    huge = dict(fields.values) | {"u": u}
    write_fields(tmp_path / "huge.nc", Fields(huge, fields.units, {}, fields.axes, fields.layout))
    flags = ["--data", str(tmp_path / "huge.nc"), "--inputs", "u,v", "--targets", "vorticity"]
    assert main(["fields", *flags, "--out", str(tmp_path / "run")]) == 2
    assert "inputs: expected numbers of u, or missing ones (nan), got 1e+20" in capsys.readouterr().err


def test_a_file_is_not_written_over_itself(globe, tmp_path, capsys):
    copy = tmp_path / "copy.nc"
    copy.write_bytes(globe[0].read_bytes())
    folder = str(globe[0].parent / "run")
    assert main(["apply", folder, str(copy), "--out", str(copy), "--overwrite"]) == 2
    assert "another file than the one that is read" in capsys.readouterr().err
    assert copy.read_bytes() == globe[0].read_bytes()


def test_a_space_as_an_object_is_the_space_of_that_name(key):
    """`fit_fields` takes any space, as `field_network` does: the same numbers as by its name."""
    values = np.random.default_rng(0).normal(size=(6, 42))
    fields = Fields({"a": values, "b": 2 * values}, {}, {}, (), None)
    said = [
        it.fit_fields("linear", fields, inputs="a", targets="b", space=space, key=key).model.predict(fields)
        for space in ("icosphere:1", it.Mesh.icosphere(1))
    ]
    assert np.array_equal(*(found.values["b"] for found in said))
    with pytest.raises(it.InputError, match="space: expected 'auto', the name of a space, or a Space, got 3"):
        it.fit_fields("linear", fields, inputs="a", targets="b", space=3, key=key)
