"""Tables as spreadsheets, pandas and R write them: right rows, right units, and what was left out is told."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import intertwine as it
from intertwine._caveats import Caveat

BITS = np.random.default_rng(0).integers(0, 2, (50, 10))
REALS = np.random.default_rng(1).normal(size=(50, 4)).round(3)


def everything(data):
    """All rows in the order of the file."""
    return np.concatenate([data.train, *([] if data.test is None else [data.test])])


def loaded(content, tmp_path, name="x.csv", **settings):
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return it.data.load(path, test_share=0, **settings)


def r_table(path):
    lines = [" ".join(f'"V{k}"' for k in range(10))]
    lines += [f'"{n + 1}" ' + " ".join(map(str, row)) for n, row in enumerate(BITS)]
    path.write_text("\n".join(lines))


def excel(path):
    lines = [";".join(f"Größe {k}" for k in range(10))] + [";".join(map(str, row)) for row in BITS]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("utf-8-sig"))


def named(n, **more):
    return pd.DataFrame(BITS[:, :n], columns=[f"gene{k}" for k in range(n)]).assign(**more)


SPECIES = np.array(["setosa", "virginica"])[BITS[:, 0]]
WRITTEN = {
    "no index": lambda p: pd.DataFrame(BITS).to_csv(p, index=False),
    "index": lambda p: pd.DataFrame(BITS).to_csv(p),
    "shuffled index": lambda p: pd.DataFrame(BITS, index=np.random.default_rng(2).permutation(50)).to_csv(p),
    "names and index": lambda p: named(10).to_csv(p),
    "names of rows": lambda p: named(10).set_axis([f"cell {k}" for k in range(50)]).to_csv(p),
    "column id": lambda p: named(10).rename_axis("id").to_csv(p),
    "truth values": lambda p: pd.DataFrame(BITS.astype(bool)).to_csv(p, index=False),
    "written as floats": lambda p: pd.DataFrame(BITS.astype(float)).to_csv(p, index=False),
    "years as names": lambda p: pd.DataFrame(BITS, columns=range(2001, 2011)).to_csv(p, index=False),
    "semicolons": lambda p: named(10).to_csv(p, sep=";"),
    "tabs": lambda p: named(10).to_csv(p, sep="\t", index=False),
    "words as labels": lambda p: named(10, species=SPECIES).to_csv(p, index=False),
    "label": lambda p: named(10, label=BITS[:, 0]).to_csv(p),
    "R": r_table,
    "Excel": excel,
    "an index twice": lambda p: pd.DataFrame(BITS, index=[*range(25)] * 2).to_csv(p),
    "separators at the ends": lambda p: p.write_text("".join(",".join(map(str, r)) + ",\n" for r in BITS)),
    "plain": lambda p: np.savetxt(p, BITS, fmt="%d", delimiter=","),
    "numpy's way": lambda p: np.savetxt(p, BITS),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_bits_are_fifty_binary_rows_of_ten(way, tmp_path):
    data = loaded(WRITTEN[way], tmp_path)
    assert data.units == "binary"
    np.testing.assert_array_equal(data.train, BITS)


def test_gzipped_as_pandas_does(tmp_path):
    data = loaded(lambda p: pd.DataFrame(BITS).to_csv(p), tmp_path, name="x.csv.gz")
    np.testing.assert_array_equal(data.train, BITS)


def test_few_columns_are_asked_about(tmp_path):
    """0,1 over two columns of bits may be a row or names: neither is guessed."""
    with pytest.raises(it.InputError, match="header"):
        loaded("0,1\n1,1\n0,0\n1,0\n0,1\n", tmp_path)
    assert len(loaded("0,1\n1,1\n0,0\n1,0\n0,1\n", tmp_path, header=False).train) == 5
    assert len(loaded("0,1\n1,1\n0,0\n1,0\n0,1\n", tmp_path, header=True).train) == 4


def test_a_series_is_a_column(tmp_path):
    data = loaded(lambda p: pd.Series(REALS[:, 0]).to_csv(p), tmp_path)
    np.testing.assert_allclose(data.train * data.scale + data.offset, REALS[:, :1], atol=1e-6)


def test_rows_of_numbers_are_no_names(tmp_path):
    assert len(loaded("0,1,1\n1,1,0\n0,0,1\n1,0,0\n0,1,0\n", tmp_path).train) == 5
    assert len(loaded("0.5 1.5 9\n1 0.25 3\n2 2 2\n7 0 1\n", tmp_path, name="x.txt").train) == 4


def test_decimal_commas(tmp_path):
    lines = ["a;b;c;d"] + [";".join(f"{x:.3f}".replace(".", ",") for x in row) for row in REALS]
    data = loaded("\n".join(lines), tmp_path)
    np.testing.assert_allclose(data.train * data.scale + data.offset, REALS, atol=1e-6)


def test_labels_are_kept_and_told(tmp_path):
    data = loaded(WRITTEN["words as labels"], tmp_path)
    assert data.classes == ("setosa", "virginica") and data.train_labels.tolist() == BITS[:, 0].tolist()
    assert any("species" in note for note in data.notes)
    assert data.columns == tuple(f"gene{k}" for k in range(10))


def test_columns_by_name(tmp_path):
    data = loaded(WRITTEN["names and index"], tmp_path, variable="gene3,gene1", labels="gene0")
    np.testing.assert_array_equal(data.train, BITS[:, [3, 1]])
    assert data.train_labels.tolist() == BITS[:, 0].tolist()
    with pytest.raises(it.InputError, match="gene0, gene1"):
        loaded(WRITTEN["names and index"], tmp_path, variable="gene77")


def test_words_among_numbers_are_refused_with_their_place(tmp_path):
    with pytest.raises(it.InputError, match=r"'<0\.1' in row 1, column 2"):
        loaded("a,b\n1,0.5\n2,<0.1\n3,0.7\n", tmp_path)


def test_missing_values_are_kept_as_missing(tmp_path):
    holes = BITS.astype(float)
    holes[3, 4] = holes[7, 0] = np.nan
    for how in (
        lambda p: pd.DataFrame(holes).to_csv(p),
        lambda p: pd.DataFrame(holes).to_csv(p, na_rep="NA"),
    ):
        data = loaded(how, tmp_path)
        assert data.units == "binary" and data.missing == 2
        np.testing.assert_array_equal(data.train, holes)
        assert any("missing" in note for note in data.notes)


IN_MEMORY = {
    "frame": pd.DataFrame(BITS),
    "frame with words": pd.DataFrame(BITS).assign(kind=SPECIES),
    "nullable frame": pd.DataFrame(BITS).astype("Int64"),
    "lists": BITS.tolist(),
    "sparse": scipy.sparse.csr_matrix(BITS),
    "sparse array": scipy.sparse.coo_array(BITS),
    "masked, nothing masked": np.ma.masked_array(BITS, mask=False),
}


@pytest.mark.parametrize("what", IN_MEMORY)
def test_data_in_memory(what):
    data = it.data.load(IN_MEMORY[what], test_share=0)
    assert data.units == "binary"
    np.testing.assert_array_equal(data.train, BITS)


def test_masked_entries_are_missing():
    data = it.data.Dataset.of(
        np.ma.masked_array(BITS, mask=BITS * 0 + (np.arange(10) == 3)[None] * (BITS == 1))
    )
    assert data.units == "binary" and data.missing == BITS[:, 3].sum()
    frame = pd.DataFrame(BITS).astype("Int64")
    frame.iloc[2, 5] = pd.NA
    assert it.data.load(frame).missing == 1


def test_whole_numbers_are_told_and_potts_is_found():
    levels = np.random.default_rng(0).integers(0, 4, (50, 6))
    data = it.data.load(levels)
    assert data.units == "gaussian" and any("potts:4" in note for note in data.notes)
    assert it.data.load(levels, units="potts").units == "potts:4"
    with pytest.raises(it.InputError, match="potts:q"):
        it.data.load(levels, units="pots")


def told(values, **settings):
    data = it.data.load(values, test_share=0, **settings)
    return data.units, " / ".join(data.notes)


def test_small_bytes_are_levels_and_no_grey():
    genotypes = np.random.default_rng(0).integers(0, 3, (50, 6)).astype(np.uint8)
    units, notes = told(genotypes)
    assert units == "gaussian" and "potts:3" in notes
    units, notes = told(genotypes, units="binary")
    assert units == "binary" and "255 being 1" in notes and "potts:3" in notes
    dark = genotypes * 30
    assert told(dark)[0] == "binary" and "255 being 1" in told(dark)[1]
    assert told(genotypes * 120) == ("binary", "")


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_pixels_that_are_no_bytes_are_told(kind):
    pixels = np.random.default_rng(0).integers(0, 256, (50, 6)).astype(kind)
    units, notes = told(pixels)
    assert units == "gaussian" and "values/255" in notes and "units binary" in notes
    assert "values/255" not in told(pixels * 4)[1] + told(REALS)[1]


def test_numbers_that_may_mean_missing_are_told(tmp_path):
    bits = BITS.copy()
    bits[3, 4] = -999
    units, notes = told(bits)
    assert units == "gaussian" and "1 entry is -999" in notes and "write nan" in notes
    assert any("-999" in note for note in loaded(lambda p: pd.DataFrame(bits).to_csv(p), tmp_path).notes)
    for number in (-9, -99, -999, 9999):
        reals = REALS.copy()
        reals[[3, 7], 1] = number
        assert f"2 entries are {number}" in told(reals)[1]
        assert f"2 entries are {number}" in told(reals, units="gaussian")[1]
    for states, number in ((BITS, -1), (BITS * 2, 9), ((BITS + BITS[::-1]).astype(np.uint8), 255)):
        states = states.copy()
        states[[0, 1], 2] = number
        assert f"entries are {number}" in told(states)[1] or f"entry is {number}" in told(states)[1]
    counts = np.random.default_rng(1).integers(-120, 1200, (500, 3))
    dark = np.zeros((50, 6), int)
    dark[:, 0], dark[:2, 3] = np.arange(50) * 5, 99
    assert (
        "missing"
        not in told(dark)[1]
        + told(dark.astype(np.uint8))[1]
        + told(REALS)[1]
        + told(counts)[1]
        + told((BITS * 255).astype(np.uint8))[1]
    )


def test_columns_of_few_values_are_named():
    frame = pd.DataFrame(REALS, columns=list("abcd")).assign(smoker=BITS[:, 0], rank=BITS[:, :3].sum(1) - 7)
    units, notes = told(frame)
    assert units == "gaussian" and "'smoker', 'rank'" in notes and "'a'" not in notes
    assert "different values" not in told(REALS)[1]


def test_what_was_left_out_is_told_and_described(tmp_path):
    with pytest.warns(Caveat, match="data: column 1.*left out"):
        data = loaded(WRITTEN["names of rows"], tmp_path)
    assert "left out" in data.describe() and data.describe().count("\n") == len(data.notes)
