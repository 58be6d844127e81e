"""Rows drawn from a trained machine are written as its data were: names, units, letters."""

import numpy as np
import pandas as pd
import pytest

import intertwine as it
from intertwine.experiments.learn.trained import Trained
from intertwine.experiments.learn.using import write_rows


def trained(units, **more):
    empty = {"offset": None, "scale": None, "columns": None, "alphabet": None}
    return Trained(model=None, settings=None, metrics={}, result={"units": units}, **{**empty, **more})


def test_standardised_columns_are_led_back_under_their_names(tmp_path):
    rows = np.array([[0.0, 1.0], [-1.0, 2.0]])
    run = trained("gaussian", offset=np.array([10.0, 5.0]), scale=np.array([2.0, 0.5]), columns=("a", "b, c"))
    write_rows(tmp_path / "x.csv", run, rows)
    found = pd.read_csv(tmp_path / "x.csv")
    assert list(found.columns) == ["a", "b, c"] and found.to_numpy().tolist() == [[10.0, 5.5], [8.0, 6.0]]
    again = it.data.load(tmp_path / "x.csv", test_share=0)
    assert again.columns == ("a", "b, c")


def test_potts_states_are_numbers_and_sequences_letters(tmp_path):
    rows = np.eye(3)[[[0, 2], [1, 1]]].reshape(2, 6)
    write_rows(tmp_path / "x.npy", trained("potts:3"), rows)
    assert np.load(tmp_path / "x.npy").tolist() == [[0, 2], [1, 1]]
    write_rows(tmp_path / "x.fasta", trained("potts:3", alphabet="-AB"), rows)
    assert (tmp_path / "x.fasta").read_text().split() == [">sample-1", "-B", ">sample-2", "AA"]
    with pytest.raises(it.InputError, match="no sequences"):
        write_rows(tmp_path / "x.fasta", trained("potts:3"), rows)
