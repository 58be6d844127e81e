"""Tables with columns of words: kinds are no sequences, and what stands beside sequences is told or kept."""

import numpy as np
import pandas as pd
import pytest

import intertwine as it

SEQUENCES = ["MKVLA", "MKVIA", "MRVLA", "MKVLG", "MRVIG", "MKILA"]


def _load(door, table, path, **options):
    if door == "frame":
        return it.data.Dataset.of(table, test_share=0, **options)
    table.to_csv(path / "x.csv", index=False)
    return it.data.load(path / "x.csv", test_share=0, **options)


@pytest.mark.parametrize("door", ["file", "frame"])
def test_kinds_of_five_letters_are_no_sequences(door, tmp_path):
    table = pd.DataFrame({"colour": ["red", "green", "blue", "red"] * 5, "size": ["small", "large"] * 10})
    with pytest.raises(it.InputError, match="words"):
        _load(door, table, tmp_path)
    assert _load(door, table[["size"]], tmp_path, alphabet="protein").alphabet is not None


@pytest.mark.parametrize("door", ["file", "frame"])
def test_nucleotides_may_come_again(door, tmp_path):
    assert _load(door, pd.DataFrame({"motif": ["ACGTA", "ACGTT"] * 10}), tmp_path).units == "potts:5"


@pytest.mark.parametrize("door", ["file", "frame"])
def test_columns_beside_sequences_are_told_or_labels(door, tmp_path):
    species = ["dog", "cat", "dog", "cat", "dog", "dog"]
    table = pd.DataFrame({"species": species, "yield": np.arange(6) / 4, "sequence": SEQUENCES})
    told = _load(door, table, tmp_path)
    assert "'species', 'yield'" in " ".join(told.notes) and told.train_labels is None
    known = _load(door, table, tmp_path, labels="species")
    assert it.data.letters(known.train, known) == SEQUENCES
    assert [known.classes[k] for k in known.train_labels] == species
