"""Alignments with lower case: soft-masked letters stay, insertions go and are told; percentages."""

import numpy as np
import pytest

import intertwine as it

MASKED = ["ACgtAC", "ACGT-C", "TCgTAC", "ACGTAA"]
PADDED = ["ACg.AC", "AC.tA-", "TC..AC", "AC..AA"]  # a2m


def sequences(lines, tmp_path, name):
    path = tmp_path / name
    path.write_text("".join(f">s{k}\n{s}\n" for k, s in enumerate(lines)))
    data = it.data.load(path, test_share=0, alphabet="dna")
    return it.data.letters(data.train, data), " / ".join(data.notes)


def test_soft_masked_letters_stay(tmp_path):
    found, notes = sequences(MASKED, tmp_path, "x.fasta")
    assert found == [s.upper() for s in MASKED] and "left out" not in notes


@pytest.mark.parametrize("name", ["x.a2m", "x.fasta"])
def test_insertions_are_left_out_and_told(name, tmp_path):
    found, notes = sequences(PADDED, tmp_path, name)
    assert found == ["ACAC", "ACA-", "TCAC", "ACAA"]
    assert "2 lower-case letters left out as insertions" in notes
    found, notes = sequences([s.replace(".", "") for s in PADDED], tmp_path, name)
    assert found[1] == "ACA-" and "2 lower-case" in notes


def test_lower_case_is_named_where_lengths_differ(tmp_path):
    with pytest.raises(it.InputError, match="lower case"):
        sequences(["ACgtAC", "ACGTA", "ACG"], tmp_path, "x.fasta")


def test_letters_need_an_alphabet():
    with pytest.raises(it.InputError, match="alphabet"):
        it.data.letters(np.eye(4), it.data.load(np.eye(4)))
    with pytest.raises(it.InputError, match="one-hot"):
        it.data.letters(np.eye(4), "-ACGT")


def test_percentages_are_numbers(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n10%,1.5\n20%,2.5\n20%,0.5\n,3\n")
    data = it.data.load(tmp_path / "x.csv", test_share=0)
    np.testing.assert_allclose(data.as_given(data.train)[:, 0], [0.1, 0.2, 0.2, np.nan], atol=1e-6)
