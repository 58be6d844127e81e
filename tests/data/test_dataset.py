"""What is learnt from: units found or given, rows held out, labels, binarisation, sets that have a name."""

import itertools

import numpy as np
import pytest

from intertwine import data
from intertwine._checks import InputError
from intertwine.data import dataset as module
from intertwine.data.sets import ising as ising_module

from .make_files import LABELS, ROWS, idx, mnist_folder, npy, npz

UNITS = {
    "zeros and ones": (ROWS, None, "binary", False),
    "truth values": (ROWS.astype(bool), None, "binary", False),
    "zeros and ones as floats": (ROWS.astype(float), None, "binary", False),
    "spins": (2.0 * ROWS - 1, None, "spin", False),
    "spins as integers": ((2 * ROWS.astype(int) - 1), None, "spin", False),
    "bytes": (ROWS * 200, None, "binary", True),
    "probabilities": (ROWS * 0.5, None, "binary", True),
    "real numbers": (ROWS * 3.5 - 1, None, "gaussian", False),
    "large integers": (ROWS.astype(int) * 1000, None, "gaussian", False),
    "binary as spin": (ROWS, "spin", "spin", False),
    "spin as binary": (2.0 * ROWS - 1, "binary", "binary", False),
    "bytes as real numbers": (ROWS * 200, "gaussian", "gaussian", False),
    "levels": (ROWS * 2, "potts:3", "potts:3", False),
}


@pytest.mark.parametrize("case", UNITS)
def test_units(case):
    rows, wanted, units, grey = UNITS[case]
    made = data.Dataset.of(rows, units=wanted, test_share=0.0)
    assert (made.units, made.grey) == (units, grey)
    assert made.train.dtype.itemsize == (4 if units == "gaussian" else 1)
    seen = made.train
    if units == "gaussian":
        assert made.offset is not None and made.scale is not None
        np.testing.assert_allclose(seen * made.scale + made.offset, rows, atol=1e-3 * np.abs(rows).max())
        np.testing.assert_allclose(seen.mean(0), 0, atol=1e-6)
        np.testing.assert_allclose(seen.std(0), 1, atol=1e-6)
    elif units == "spin":
        np.testing.assert_array_equal(seen > 0, ROWS > 0)
        assert set(np.unique(seen)) == {-1, 1}
    elif units == "potts:3":
        assert seen.shape == (30, 36)
        np.testing.assert_array_equal(seen.reshape(30, 12, 3).argmax(-1), rows)
    elif grey:
        np.testing.assert_array_equal(seen > 0, ROWS > 0)
    else:
        np.testing.assert_array_equal(seen, ROWS)


WRONG = {
    "three values as binary": (np.array([[0.0, 1], [2, 1]]), {"units": "binary"}),
    "real numbers as spin": (np.array([[0.3, 1], [2, 1]]), {"units": "spin"}),
    "too many levels": (np.array([[0, 1], [3, 1]]), {"units": "potts:3"}),
    "negative levels": (np.array([[0, -1], [2, 1]]), {"units": "potts:3"}),
    "no such units": (ROWS, {"units": "quaternion"}),
    "potts of fractions": (ROWS / 2, {"units": "potts"}),
    "potts of one state": (ROWS, {"units": "potts:1"}),
    "labels of another length": (ROWS, {"labels": LABELS[:-1]}),
    "labels of two axes": (ROWS, {"labels": LABELS[:, None]}),
    "labels with fractions": (ROWS, {"labels": LABELS + 0.5}),
    "words and numbers as labels": (
        ROWS,
        {"labels": LABELS.astype(str), "test": ROWS, "test_labels": LABELS},
    ),
    "labels with a NaN": (ROWS, {"labels": np.where(LABELS > 1, np.nan, 1.0)}),
    "shape of another size": (ROWS, {"shape": (5, 5)}),
    "held-out rows of another length": (ROWS, {"test": ROWS[:, :3]}),
    "held-out rows of another kind": (ROWS, {"test": ROWS * 3.0}),
    "held-out rows with a NaN": (ROWS * 1.0, {"test": np.full((3, 12), np.nan)}),
    "words": (np.array([["a", "b"], ["c", "d"]]), {}),
    "objects": (np.array([[None, 1], [2, 3]], object), {}),
    "a ragged list": ([[0, 1], [1]], {}),
}


def test_labels_that_are_words_are_numbered_in_their_order():
    words = np.array(["oak", "ash", "elm"])[LABELS % 3]
    found = data.Dataset.of(ROWS, labels=words.tolist(), test_share=0)
    assert found.classes == ("ash", "elm", "oak")
    np.testing.assert_array_equal(np.array(found.classes)[found.train_labels], words)


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_one_clear_line(case):
    rows, given = WRONG[case]
    with pytest.raises(InputError) as error:
        data.Dataset.of(rows, **given)
    assert "\n" not in str(error.value) and "expected" in str(error.value)


def test_constant_columns_are_told():
    rows = ROWS.copy()
    rows[:, 4] = 1
    assert data.Dataset.of(rows).notes == ("1 of 12 columns are constant in the rows to learn from",)
    real = rows * 2.5
    made = data.Dataset.of(real, units="gaussian")
    assert np.isfinite(made.train).all() and (made.train[:, 4] == 0).all()


def test_rows_are_held_out_once_and_with_their_labels():
    rows = np.arange(60).reshape(30, 2)
    made = data.Dataset.of(rows, labels=rows[:, 0], test_share=0.2, units="potts:60", seed=3)
    assert made.test is not None and len(made.train) == 24 and len(made.test) == 6
    for part, labels in ((made.train, made.train_labels), (made.test, made.test_labels)):
        np.testing.assert_array_equal(part.reshape(len(part), 2, 60).argmax(-1)[:, 0], labels)
    both = np.concatenate([made.train, made.test])
    assert len(np.unique(both, axis=0)) == 30
    again = data.Dataset.of(rows, test_share=0.2, units="potts:60", seed=3)
    np.testing.assert_array_equal(again.test, made.test)


def test_a_large_file_is_split_in_place(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "COPY_BELOW", 100)
    (tmp_path / "a.npy").write_bytes(npy(ROWS))
    made = data.load(tmp_path / "a.npy", test_share=0.1)
    assert isinstance(made.train, np.memmap) and isinstance(made.test, np.memmap)
    np.testing.assert_array_equal(made.test, ROWS[-3:])
    assert "last 3 rows" in made.notes[0]


def test_held_out_grey_rows_are_binarised_once():
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None], 2000, 0)
    made = data.Dataset.of(grey, grey)
    held = made.held_out()
    np.testing.assert_array_equal(held, made.held_out())
    np.testing.assert_array_equal(held[:10], made.held_out(10))
    assert set(np.unique(held)) == {0, 1}
    p = np.arange(256) / 255
    z = (held.mean(0) - p)[1:-1] / np.sqrt(p * (1 - p) / 2000)[1:-1]
    assert np.abs(z).max() < 4.5 and abs(np.mean(z**2) - 1) < 0.4
    assert held[:, 0].max() == 0 and held[:, 255].min() == 1


def test_archives_with_their_own_split_and_labels(tmp_path):
    (tmp_path / "a.npz").write_bytes(
        npz(train=npy(ROWS), test=npy(ROWS[:5]), y=npy(LABELS), test_labels=npy(LABELS[:5]))
    )
    made = data.load(tmp_path / "a.npz", labels="y")
    np.testing.assert_array_equal(made.train, ROWS)
    np.testing.assert_array_equal(made.test, ROWS[:5])
    np.testing.assert_array_equal(made.train_labels, LABELS)
    np.testing.assert_array_equal(made.test_labels, LABELS[:5])


def test_labels_that_are_missing_or_too_few(tmp_path):
    (tmp_path / "a.idx").write_bytes(idx(ROWS))
    (tmp_path / "y.idx").write_bytes(idx(LABELS))
    (tmp_path / "few.idx").write_bytes(idx(LABELS[:-1]))
    assert data.load(tmp_path / "a.idx", labels=tmp_path / "y.idx").train_labels is not None
    with pytest.raises(InputError, match="labels: expected one label a row"):
        data.load(tmp_path / "a.idx", labels=tmp_path / "few.idx")
    with pytest.raises(InputError, match="labels: expected an array of"):
        data.load(tmp_path / "a.idx", labels="nowhere")


def test_checksum_tells_changed_data(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(ROWS))
    before = data.load(tmp_path / "a.npy").checksum
    assert before == data.load(tmp_path / "a.npy").checksum and before.startswith("sha256:")
    (tmp_path / "a.npy").write_bytes(npy(1 - ROWS))
    assert data.load(tmp_path / "a.npy").checksum != before


class TestMnist:
    def test_found_in_a_folder_or_by_the_environment(self, tmp_path, monkeypatch):
        arrays = mnist_folder(tmp_path / "mnist")
        monkeypatch.delenv("INTERTWINE_DATA", raising=False)
        made = data.load("mnist", folder=tmp_path)
        np.testing.assert_array_equal(made.train, arrays["train-images-idx3-ubyte"].reshape(40, 16))
        assert made.shape == (4, 4) and made.grey and made.units == "binary"
        np.testing.assert_array_equal(made.test_labels, arrays["t10k-labels-idx1-ubyte"])
        with pytest.raises(InputError, match="the four IDX files of MNIST"):
            data.load("mnist")
        monkeypatch.setenv("INTERTWINE_DATA", str(tmp_path))
        assert data.load("mnist").checksum == made.checksum

    def test_missing_or_wrong_files(self, tmp_path):
        mnist_folder(tmp_path, labels=39)
        with pytest.raises(InputError, match="labels: expected one label a row"):
            data.load("mnist", folder=tmp_path)
        (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(InputError, match="no train-labels-idx1-ubyte"):
            data.load("mnist", folder=tmp_path)


def test_digits():
    pytest.importorskip("sklearn", reason="scikit-learn carries the digits")
    made = data.load("digits")
    assert made.size == 64 and made.shape == (8, 8) and made.grey
    assert len(made.train) + len(made.test) == 1797


def test_bars_and_stripes_sum_to_one():
    made = data.load("bars-and-stripes:3")
    everything = np.array(list(itertools.product([0, 1], repeat=9)), np.uint8)
    log_p = made.known.log_probability(everything)
    p = np.exp(log_p)
    assert abs(p.sum() - 1) < 1e-12
    assert abs(made.known.entropy + (p[p > 0] * log_p[p > 0]).sum()) < 1e-12
    rows, counts = np.unique(made.train, axis=0, return_counts=True)
    np.testing.assert_allclose(np.exp(made.known.log_probability(rows)), counts / 16, atol=1e-15)


@pytest.mark.parametrize("height, width, temperature", [(3, 4, 2.0), (4, 3, 3.1), (3, 3, 1.5)])
def test_ising_against_enumeration(height, width, temperature):
    sites = height * width
    states = np.array(list(itertools.product([-1, 1], repeat=sites)), np.int8)
    grid = states.reshape(-1, height, width).astype(int)
    energies = -sum(grid[:, y, x] * (grid[:, (y + 1) % height, x] + grid[:, y, (x + 1) % width])
                    for y in range(height) for x in range(width))  # fmt: skip
    p = np.exp(-energies / temperature)
    p /= p.sum()
    known = ising_module.ising(height, width, temperature, rows=2).known
    mean = (p * energies).sum()
    heat = ((p * energies**2).sum() - mean**2) / temperature**2 / sites
    assert abs(known.exact["energy"] - mean / sites) < 1e-12
    assert abs(known.exact["specific_heat"] - heat) < 1e-9
    assert abs(known.exact["abs_magnetization"] - (p * np.abs(states.mean(1))).sum()) < 1e-12
    assert abs(known.entropy + (p * np.log(p)).sum()) < 1e-11
    np.testing.assert_allclose(known.log_probability(states), np.log(p), atol=1e-11)


def test_ising_samples_have_the_exact_distribution():
    made = ising_module.ising(3, 4, 2.5, rows=100_000)
    states = np.array(list(itertools.product([0, 1], repeat=12)))
    p = np.exp(made.known.log_probability((2 * states - 1).astype(np.int8)))
    count = np.bincount((made.train > 0) @ (1 << np.arange(12)[::-1]), minlength=4096)
    often = p * 1e5 > 20
    chi = ((count - 1e5 * p) ** 2 / (1e5 * p))[often].sum()
    assert abs(chi - often.sum()) < 4 * np.sqrt(2 * often.sum())


def test_ising_8_at_the_critical_point():
    """Exact energy of the 8 × 8 torus: Ferdinand & Fisher, Phys. Rev. 185, 832 (1969)."""
    made = data.load("ising:8")
    exact = made.known.exact
    assert abs(exact["energy"] - -1.4915891) < 1e-6
    found = made.known.observables(np.concatenate([made.train, made.test]))
    for name in ("energy", "abs_magnetization"):
        values = found[name]
        assert abs(values.mean() - exact[name]) < 4 * values.std() / np.sqrt(len(values))
    again = data.load("ising:8", seed=0)
    np.testing.assert_array_equal(again.train, made.train)
    assert again.checksum == made.checksum
    assert not np.array_equal(data.load("ising:8", seed=1).train, made.train)


def test_channels_stay_where_the_array_has_them_and_go_last_as_images():
    """The order of the columns is that of the array, also where the three axes are a lattice."""
    first = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 6), dtype=np.uint8)
    last = np.moveaxis(first, 1, -1)
    for array in (first, last):
        data = module.Dataset.of(array, test_share=0)
        assert data.shape == array.shape[1:]
        np.testing.assert_array_equal(data.train, array.reshape(5, -1))
        np.testing.assert_array_equal(data.as_images(data.train), last)
    grey = module.Dataset.of(first[:, 0], test_share=0)
    np.testing.assert_array_equal(grey.as_images(grey.train)[..., 0], first[:, 0])
    assert (
        module.Dataset.of(np.ones((5, 6, 7, 8)) * np.arange(5)[:, None, None, None], test_share=0).shape
        is None
    )
