"""Classifying runs: the same numbers after an interruption, what the folder holds, data that are refused."""

import contextlib
import io
import json

import jax
import numpy as np
import optax
import pytest
import xarray

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.data import load
from intertwine.data.sets.rotated import deformed, random_deformations, rotated, rotated_mnist
from intertwine.experiments.classify.experiment import Classify
from intertwine.experiments.classify.images import labelled_images
from intertwine.experiments.classify.measures import accuracy_record, commonest_class
from intertwine.experiments.datasets import load_data
from intertwine.layers import export, load_network, save_network
from intertwine.learning.labels.augmentation import augmentation
from intertwine.learning.labels.class_scores import class_scores
from intertwine.runs import running
from intertwine.runs.interruption import Interrupted
from intertwine.runs.kinds import configuration_of
from intertwine.runs.progress import Silent

from .runs import assert_same


@pytest.fixture
def images(tmp_path):
    """Forty images of bars along one axis or the other, which turns by 90° exchange: three classes."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 40)
    pictures = random.integers(0, 60, (40, 6, 6), dtype=np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[: label + 1] += 190
    np.savez(tmp_path / "bars.npz", train=pictures, labels=labels)
    return tmp_path / "bars.npz"


def configuration(images, **changes):
    tables = {
        "kind": "classify",
        "checkpoint_every": 1,
        "data": {"name": str(images), "variable": "train", "labels": "labels", "test_share": 0.2},
        "network": {"name": "cnn:1", "group": "p4", "dropout": 0.1},
        "optimiser": {"epochs": 2, "batch": 8, "augment": "rotations+shifts", "validation": 0.25},
    }
    for section, values in changes.items():
        tables[section] = tables.get(section, {}) | values if isinstance(values, dict) else values
    return configuration_of(tables)


class StopsAt(Silent):
    """Progress that is interrupted after a line."""

    def __init__(self, line):
        self.line = line

    def step(self, record):
        if record["step"] == self.line:
            raise KeyboardInterrupt


def quietly(function, *arguments, **options):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments, **options)


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_numbers(images, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "report", lambda folder: None)
    jax.config.update("jax_enable_x64", False)
    c = configuration(images)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    quietly(running.start, c, whole, show=lambda *_: Silent())
    with pytest.raises(Interrupted, match="intertwine resume"):
        quietly(running.start, c, stopped, show=lambda *_: StopsAt(0))
    quietly(running.resume, stopped, show=lambda *_: Silent())
    assert_same(stopped, whole)

    result = json.loads((whole / "result.json").read_text())
    assert result["test"]["count"] == 8 and sum(map(sum, result["confusion"])) == 8
    right = sum(row[k] for k, row in enumerate(result["confusion"]))
    assert result["test"]["accuracy"] == right / 8
    exact = [row["error"] for row in result["equivariance"] if row["exact"]]
    assert exact and max(exact) < 1e-5
    turned = result["angles"]["accuracy"]
    assert turned[0] == turned[6] == turned[12] == turned[18]  # 0°, 90°, 180°, 270°: exact
    with xarray.open_dataset(whole / "result.nc", engine="h5netcdf") as data:
        np.testing.assert_allclose(np.rot90(data.filters[0, 0]), data.filters[0, 1], atol=1e-6)
        saved = np.asarray(data.log_probability)

    network = it.load(whole)
    data = labelled_images(c, load_data(c.data))
    scores = class_scores(network, data.test.x).astype(np.float64)
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(log_p, saved, atol=1e-5)
    (whole / "network.bin").unlink()
    with pytest.raises(InputError, match=r"^folder: expected the folder of a complete run"):
        it.load(whole)


@pytest.mark.slow
def test_the_command(images, tmp_path, capsys):
    out = tmp_path / "run"
    flags = ["--data", str(images), "--variable", "train", "--labels", "labels", "--network", "cnn:1"]
    assert main(["classify", *flags, "--epochs", "1", "--group", "p1", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "cnn:1 on p1" in said and "test accuracy" in said
    assert (out / "report.html").stat().st_size > 1_000_000
    assert main(["report", str(out)]) == 0
    assert main(["resume", str(out)]) == 0
    assert "complete" in capsys.readouterr().out


def test_shares_and_augmentation(images):
    c = configuration(images, optimiser={"examples": 20})
    run = Classify(c)
    assert (len(run.study.data.y), len(run.study.held.y), len(run.images.test.y)) == (15, 5, 8)
    pictures = run.study.data.x
    assert pictures.shape[1:] == (6, 6, 1) and pictures.dtype == np.uint8
    first, again, other = (run.study.augment(pictures, epoch) for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
    shares = pictures / np.float32(255)
    for kind in ("rotations", "deformations"):
        changed = augmentation(kind, seed=0, network=run.network)(pictures, 3)
        assert changed.dtype == np.float32 and np.abs(changed - shares).max() > 0.1
        assert changed.min() >= shares.min() and changed.max() <= shares.max()
    assert augmentation("none", seed=0, network=run.network) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {"group": "p6"}}, "^network.group: expected a point group of square images"),
        ({"network": {"group": "p5"}}, "^network.group: expected one of"),
        ({"network": {"name": "z2cnn", "group": "p4"}}, "^network.group: expected 'p1' with z2cnn"),
        ({"network": {"name": "unet:4"}}, "^network.name: expected a classifier"),
        ({"network": {"name": "mlp:4"}}, "^network.name: expected one of"),
        (
            {"data": {"name": "ising:4", "variable": "auto", "labels": "none"}},
            "^data.name: expected images with",
        ),
    ],
)
def test_contradictions_are_refused(images, changes, message):
    with pytest.raises(InputError, match=message):
        configuration(images, **changes)


def test_labels_with_gaps_are_renumbered(tmp_path, images):
    """Labels 0, 7 and 100000 are three classes, called so; not 100,001 outputs."""
    pictures = np.random.default_rng(0).integers(0, 255, (30, 5, 5), dtype=np.uint8)
    labels = np.array([0, 7, 100000])[np.arange(30) % 3]
    np.savez(tmp_path / "gaps.npz", train=pictures, labels=labels)
    c = configuration(images, data={"name": str(tmp_path / "gaps.npz")})
    found = labelled_images(c, load_data(c.data))
    assert found.names == ("0", "7", "100000") and found.named and found.classes == 3
    assert sorted(np.unique(found.train.y)) == [0, 1, 2]
    np.savez(tmp_path / "many.npz", train=pictures, labels=np.arange(30) - 5)
    c = configuration(images, data={"name": str(tmp_path / "many.npz")})
    assert labelled_images(c, load_data(c.data)).names[0] == "-5"


def test_data_that_are_no_labelled_images(tmp_path, images):
    np.savez(tmp_path / "wide.npz", train=np.zeros((9, 5, 6), np.uint8), labels=np.arange(9) % 2)
    np.savez(tmp_path / "deep.npz", train=np.zeros((9, 125), np.uint8), labels=np.arange(9) % 2)
    np.savez(tmp_path / "one.npz", train=np.zeros((9, 5, 5), np.uint8), labels=np.zeros(9, int))
    for changes, message in (
        ({"data": {"name": str(tmp_path / "wide.npz")}}, r"^data.shape: expected square images"),
        ({"data": {"name": str(tmp_path / "one.npz")}}, r"^data.labels: expected labels of at least two"),
        ({"data": {"name": str(tmp_path / "deep.npz")}}, r"^data.name: expected images"),
        (
            {"data": {"name": str(tmp_path / "deep.npz"), "shape": "5x5x5"}},
            r"^data.shape: expected at most 4 channels",
        ),
        ({"data": {"labels": "none"}}, r"^data.labels: expected labels of the images"),
    ):
        c = configuration(images, **changes)
        with pytest.raises(InputError, match=message):
            labelled_images(c, load_data(c.data))


def test_labels_are_found_by_their_name(images):
    c = configuration(images, data={"labels": "auto"})
    found, named = (labelled_images(x, load_data(x.data)) for x in (c, configuration(images)))
    np.testing.assert_array_equal(found.train.y, named.train.y)


def test_missing_labels_are_told_before_the_shape(images, tmp_path):
    np.savez(tmp_path / "rows.npz", train=np.zeros((9, 5, 6), np.uint8))
    c = configuration(images, data={"name": str(tmp_path / "rows.npz"), "labels": "auto"})
    with pytest.raises(InputError, match=r"^data.labels: expected labels of the images"):
        labelled_images(c, load_data(c.data))


def test_every_class_is_held_out_by_its_share(tmp_path, images):
    """300 images, 10 % of a rare class: in tests, validation and rows to learn from alike."""
    labels = np.random.default_rng(1).permutation(np.repeat([0, 1, 2], [180, 90, 30]))
    pictures = np.random.default_rng(0).integers(0, 255, (300, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "rare.npz", train=pictures, labels=labels)
    name = {"name": str(tmp_path / "rare.npz"), "test_share": 0.2}
    c = configuration(images, data=name, optimiser={"validation": 0.25, "examples": 200})
    run = Classify(c)
    counts = [np.bincount(part.y) for part in (run.study.data, run.study.held, run.images.test)]
    for found, expected in zip(counts, ([90, 45, 15], [30, 15, 5], [36, 18, 6]), strict=True):
        assert np.abs(found - expected).max() <= 1


def test_a_folder_of_images_one_folder_a_class(tmp_path, images):
    image = pytest.importorskip("PIL.Image")
    pictures = np.random.default_rng(0).integers(0, 256, (12, 5, 5), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        place = tmp_path / "shapes" / ("circle" if number < 5 else "square")
        place.mkdir(parents=True, exist_ok=True)
        image.fromarray(picture).save(place / f"{number:02d}.png")
    c = configuration(
        images,
        data={"name": str(tmp_path / "shapes"), "variable": "auto", "labels": "auto", "test_share": 0.0},
    )
    data = load_data(c.data)
    np.testing.assert_array_equal(np.asarray(data.train).reshape(12, 5, 5), pictures)
    found = labelled_images(c, data)
    assert found.names == ("circle", "square") and found.named
    (tmp_path / "shapes" / "square" / "odd.png").write_bytes(b"\x89PNG no image")
    with pytest.raises(InputError, match=r"^square/odd.png: expected a whole image"):
        load(tmp_path / "shapes")
    image.fromarray(pictures[0][:3]).save(tmp_path / "shapes" / "square" / "odd.png")
    with pytest.raises(InputError, match=r"^square/odd.png: expected images of one size"):
        load(tmp_path / "shapes")
    with pytest.raises(InputError, match=r"^data: expected a folder that holds one folder of images"):
        load(tmp_path / "shapes" / "square")


@pytest.mark.slow
def test_coloured_images(tmp_path):
    """From files with the colours last or first, through a run, to pictures of three colours."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (40, 6, 6, 3), dtype=np.uint8)
    labels = random.integers(0, 2, 40)
    pictures[..., 1] = 255 * labels[:, None, None]
    np.savez(tmp_path / "last.npz", train=pictures, labels=labels)
    np.savez(tmp_path / "first.npz", train=np.moveaxis(pictures, -1, 1), labels=labels)
    changes = {"optimiser": {"epochs": 3, "learning_rate": 0.01}}
    found = [
        labelled_images(c, load_data(c.data))
        for c in (configuration(tmp_path / f"{name}.npz", **changes) for name in ("last", "first"))
    ]
    assert found[0].train.x.shape[1:] == (6, 6, 3)
    np.testing.assert_array_equal(found[0].train.x, found[1].train.x)

    c = configuration(tmp_path / "first.npz", **changes)
    quietly(running.start, c, tmp_path / "run", show=lambda *_: Silent())
    with xarray.open_dataset(tmp_path / "run" / "result.nc", engine="h5netcdf") as data:
        assert data.wrong_images.dims == ("wrong", "row", "column", "channel")
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert max(row["error"] for row in result["equivariance"] if row["exact"]) < 1e-5
    assert result["data"]["shape"] == [3, 6, 6]


def test_turned_images():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (3, 7, 7), dtype=np.uint8)
    quarter = rotated(pictures, np.full(3, np.pi / 2))
    assert quarter.dtype == np.uint8
    np.testing.assert_array_equal(quarter, np.rot90(pictures, axes=(1, 2)))
    colours = rotated(np.stack([pictures, pictures // 2], -1), np.full(3, 0.7))
    np.testing.assert_array_equal(colours[..., 0], rotated(pictures, np.full(3, 0.7)))
    moved = rotated(pictures.astype(float), np.zeros(3), np.tile([1.0, 0.0], (3, 1)), order=1)
    np.testing.assert_allclose(moved[:, 1:], pictures[:, :-1], atol=1e-9)
    with pytest.raises(InputError, match=r"^images: expected images"):
        rotated(pictures, np.zeros(2))
    with pytest.raises(InputError, match=r"^shifts: expected shape"):
        rotated(pictures, np.zeros(3), np.zeros((3, 3)))


def test_deformed_images():
    """A Gaussian bump f stays one: f(A⁻¹ r); and with turns alone it is `rotated`."""
    random = np.random.default_rng(1)
    matrices = random_deformations(random, 6)
    r = np.stack(np.meshgrid(np.arange(41) - 20.0, np.arange(41) - 20.0, indexing="ij"), -1)
    centre, moves = np.array([3.0, -2.0]), random.uniform(-2, 2, (6, 2))

    def bump(points):
        return np.exp(-((points - centre) ** 2).sum(axis=-1) / 18)

    found = deformed(np.tile(bump(r), (6, 1, 1)), matrices, moves)
    for image, matrix, move in zip(found, matrices, moves, strict=True):
        np.testing.assert_allclose(image, bump((r - move) @ np.linalg.inv(matrix).T), atol=2e-3)
    turns = random_deformations(random, 6, stretch=0.0, slant=0.0)
    pictures = random.normal(size=(6, 9, 9, 2))
    angles = np.arctan2(turns[:, 1, 0], turns[:, 0, 0])
    np.testing.assert_allclose(deformed(pictures, turns), rotated(pictures, angles), atol=1e-10)
    for wrong, word in (
        (lambda: deformed(pictures, np.eye(2)), "matrices"),
        (lambda: deformed(pictures, np.zeros((6, 2, 2))), "matrices: expected ones that have an inverse"),
        (lambda: deformed(pictures, turns * np.nan), "matrices"),
        (lambda: deformed(pictures, turns[:5]), "images"),
        (lambda: random_deformations(random, 0), "n"),
    ):
        with pytest.raises(InputError, match=f"^{word}"):
            wrong()


def test_the_rotated_mnist_protocol(tmp_path, monkeypatch):
    """Made-up MNIST files: which digits, in which order, and that a label goes with its digit."""
    import gzip
    import struct

    random = np.random.default_rng(0)
    for name, n in (("train", 60), ("t10k", 10)):
        labels = random.integers(0, 10, n).astype(np.uint8)
        pictures = np.zeros((n, 28, 28), np.uint8)
        pictures[:, 10:18, 10:18] = 20 + 20 * labels[:, None, None]
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (tmp_path / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    data = rotated_mnist(tmp_path, training=12, test=50)
    assert data.train.shape == (12, 784) and data.test.shape == (50, 784)
    for rows, labels in ((data.train, data.train_labels), (data.test, data.test_labels)):
        np.testing.assert_array_equal(rows.reshape(-1, 28, 28)[:, 13, 13], 20 + 20 * labels)
    again = rotated_mnist(tmp_path, training=12, test=50)
    np.testing.assert_array_equal(again.train, data.train)
    assert not np.array_equal(rotated_mnist(tmp_path, training=12, test=50, seed=1).train, data.train)
    with pytest.raises(InputError, match=r"^training: expected numbers of digits that add up to 70"):
        rotated_mnist(tmp_path, training=21, test=50)
    monkeypatch.setattr("intertwine.data.sets.rotated.TRAINING", 12)
    with pytest.raises(InputError, match=r"^training"):
        load("rotmnist", folder=tmp_path)


def test_labels_as_words_in_an_archive(tmp_path, images):
    pictures = np.load(images)["train"]
    words = np.array(["cat", "ant", "bee"])[np.load(images)["labels"]]
    np.savez(tmp_path / "words.npz", x_train=pictures[:30], y_train=words[:30], x_test=pictures[30:],
             y_test=words[30:])  # fmt: skip
    c = configuration(
        images, data={"name": str(tmp_path / "words.npz"), "variable": "auto", "labels": "auto"}
    )
    data = load_data(c.data)
    assert data.classes == labelled_images(c, data).names == ("ant", "bee", "cat")
    for part, expected in ((data.train_labels, words[:30]), (data.test_labels, words[30:])):
        np.testing.assert_array_equal(np.array(data.classes)[part], expected)
    np.save(tmp_path / "labels.npy", words[:30])
    (tmp_path / "labels.csv").write_text("kind\n" + "\n".join(words[:30]) + "\n")
    for labels in ("labels.npy", "labels.csv"):
        found = load(tmp_path / "words.npz", variable="x_train", labels=tmp_path / labels)
        np.testing.assert_array_equal(np.array(found.classes)[found.train_labels], words[:30])
    with pytest.raises(InputError, match="expected real numbers"):
        load(tmp_path / "words.npz", variable="y_train")


@pytest.mark.slow
def test_a_trained_network_reads_bytes_and_knows_the_commonest_class(images, tmp_path, monkeypatch):
    """Saved, loaded, exported, learning on: images of bytes are the same as their 255th parts."""
    monkeypatch.setattr(running, "report", lambda folder: None)
    c = configuration(images)
    path = quietly(running.start, c, tmp_path / "run", show=lambda *_: Silent())
    result = json.loads((path / "result.json").read_text())
    counts = np.array(result["confusion"])
    learnt = Classify(c).study.data.y
    assert result["baseline"]["accuracy"] == counts[np.bincount(learnt).argmax()].sum() / 8
    assert np.trace(counts) <= 4  # two epochs on 24 images: as good as nothing
    assert [line for line in result["warnings"] if line.startswith("below-baseline: always saying")]
    network = it.load(path)
    raw = np.load(images)["train"][..., None]
    shares, labels = (raw / 255).astype(np.float32), np.load(images)["labels"]
    save_network(tmp_path / "again", network.model)
    for net in (network, export(network.model), load_network(tmp_path / "again")):
        np.testing.assert_allclose(class_scores(net, raw), class_scores(net, shares), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(net.outputs(raw), net.outputs(shares), rtol=1e-5, atol=1e-6)
    fits = [
        it.fit_supervised(
            network, x, labels, optimiser=optax.sgd(1e-2), epochs=2, batch=10, key=jax.random.key(0)
        ).model
        for x in (raw, shares)
    ]
    scores = [class_scores(fit, shares) for fit in fits]
    np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-4)


def test_the_error_of_an_accuracy_is_not_zero_and_the_commonest_class_is_the_baseline():
    log_p = np.log(np.array([[0.9, 0.1]] * 4 + [[0.2, 0.8]]))
    always_right = accuracy_record(log_p, np.array([0, 0, 0, 0, 1]))
    assert always_right["accuracy"] == 1 and always_right["error"] == pytest.approx(np.sqrt(6 / 7 / 7 / 8))
    found = commonest_class(log_p, np.array([0, 0, 0, 0, 1]), np.array([0, 0, 1]))
    assert found == {"class": 0, "accuracy": 0.8, "lead_error": pytest.approx(0.2)}


@pytest.mark.slow
def test_a_run_is_a_network_wherever_one_is_taken(images, tmp_path, monkeypatch):
    """Words for labels, a run stopped by patience, loaded and used as the library's own networks are."""
    monkeypatch.setattr(running, "report", lambda folder: None)
    words = np.array(["bar", "cross", "dot"])[np.load(images)["labels"]]
    np.savez(tmp_path / "words.npz", train=np.load(images)["train"], labels=words)
    options = {"patience": 1, "watch": "accuracy", "augment": "none", "epochs": 20, "validation": 0.3}
    c = configuration(images, data={"name": str(tmp_path / "words.npz")}, optimiser=options)
    run = it.load(quietly(running.start, c, tmp_path / "run", show=lambda *_: Silent()))
    best = run.result["best"]
    assert run.result["epochs"] == best + 1 < 20 and len(run.metrics["loss"]) == best + 1
    assert int(np.argmax(run.metrics["validation_accuracy"])) + 1 == best
    assert run.settings == c and run.classes == ("bar", "cross", "dot") == run.model.classes

    held = Classify(c).study.held
    names = np.array(run.classes)[held.y]
    assert it.accuracy(run, held.x, names) == run.result["validation"]["accuracy"]
    assert set(it.predict(run, held.x)) <= set(run.classes)
    np.testing.assert_array_equal(it.class_scores(run, held.x), it.class_scores(run.model, held.x))
    np.testing.assert_allclose(it.class_probabilities(run, held.x).sum(1), 1, rtol=1e-5)
    assert it.confusion_matrix(run, held.x, names).sum() == len(held.y)
    np.testing.assert_array_equal(run.outputs(held.x), run.model.outputs(held.x))
    further = it.fit_supervised(run, held.x, names, epochs=1, batch=4, key=jax.random.key(0))
    assert further.classes == run.classes and it.accuracy(further, held.x, names) >= 0


def test_predict_from_the_command_line(images, tmp_path, capsys):
    pictures, numbers = np.load(images)["train"], np.load(images)["labels"]
    words = np.array(["bar", "cross", "dot"])[numbers]
    np.savez(tmp_path / "words.npz", train=pictures, labels=words)
    flags = ["--data", str(tmp_path / "words.npz"), "--network", "cnn:1", "--group", "p1", "--epochs", "2"]
    run, out = tmp_path / "run", tmp_path / "said.csv"
    assert main(["classify", *flags, "--out", str(run)]) == 0
    capsys.readouterr()

    ask = ["predict", str(run), "--data", str(tmp_path / "words.npz"), "--out", str(out)]
    assert main(ask) == 0
    said = capsys.readouterr().out
    expected = it.accuracy(it.load(run), pictures[..., None], words)
    assert f"accuracy {100 * expected:.2f} ± " in said and "of 40 labelled images" in said
    assert "warning: no-test-data: the run learnt from images of these data" in said
    head, *rows = [line.split(",") for line in out.read_text().splitlines()]
    assert head == ["class", "p(bar)", "p(cross)", "p(dot)", "label"] and len(rows) == 40
    assert [row[0] for row in rows] == it.predict(it.load(run), pictures[..., None]).tolist()
    assert [row[4] for row in rows] == words.tolist()
    assert main(ask) == 2 and "--overwrite" in capsys.readouterr().err

    np.save(tmp_path / "dark.npy", pictures // 16)  # bytes too, though all of them small
    ask = ["predict", str(run), "--data", str(tmp_path / "dark.npy"), "--out", str(tmp_path / "p.npy")]
    assert main(ask) == 0 and "accuracy" not in capsys.readouterr().out
    dark = it.class_probabilities(it.load(run), (pictures // 16)[..., None])
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), dark, rtol=1e-4, atol=1e-6)

    np.savez(tmp_path / "other.npz", train=pictures, labels=numbers)
    ask = ["predict", str(run), "--overwrite", "--out", str(out), "--data"]
    for name, problem in (("other.npz", "labels: expected labels among 'bar', 'cross', 'dot', got '0'"),):
        assert main([*ask, str(tmp_path / name)]) == 2 and problem in capsys.readouterr().err
    assert main([*ask, str(tmp_path / "other.npz"), "--labels", "none"]) == 0
    np.save(tmp_path / "wide.npy", np.tile(pictures, (1, 1, 2)))
    assert main([*ask, str(tmp_path / "wide.npy")]) == 2
    assert "data: expected images of 6 × 6, as those learnt from, got 6 × 12" in capsys.readouterr().err


def test_patience_needs_images_held_out(images):
    with pytest.raises(InputError, match=r"^optimiser.patience: expected 0 without images held out"):
        configuration(images, optimiser={"patience": 2, "validation": 0.0})


def test_numbers_are_learnt_as_they_are(tmp_path):
    """Images of other numbers than bytes are not standardised point by point, which no turn would keep."""
    pictures = np.random.default_rng(0).normal(5, 3, (30, 5, 5)).astype(np.float32)
    np.savez(tmp_path / "floats.npz", train=pictures, labels=np.arange(30) % 3)
    data = labelled_images(c := configuration(tmp_path / "floats.npz"), load_data(c.data))
    kept = np.concatenate([data.train.x, data.test.x])[..., 0]
    np.testing.assert_allclose(np.sort(kept, 0), np.sort(pictures, 0), atol=1e-5)
