"""A newcomer's session with sequences: FASTA in, learn, the contact of a planted pair, sample, save, load."""

import jax
import numpy as np
import pandas as pd
import pytest
import xarray

import intertwine as it
from intertwine.cli import main

KEY = jax.random.key(0)
PAIR = (2, 9)


def family(count, seed=0):
    """Sequences of twelve bases: of each place its own favourite, and places 2 and 9 always complementary."""
    chance = np.random.default_rng(seed)
    letters = np.array(list("ACGT"))
    favourite = np.arange(12) % 4
    numbers = np.where(chance.random((count, 12)) < 0.5, favourite, chance.integers(0, 4, (count, 12)))
    numbers[:, PAIR[0]] = chance.integers(0, 4, count)
    numbers[:, PAIR[1]] = 3 - numbers[:, PAIR[0]]
    return ["".join(row) for row in letters[numbers]]


def fasta(path, sequences):
    path.write_text("".join(f">s{k} of the family\n{s[:7]}\n{s[7:]}\n" for k, s in enumerate(sequences)))
    return path


@pytest.mark.slow
def test_from_fasta_to_the_contact_and_back(tmp_path):
    sequences = family(600)
    data = it.data.load(fasta(tmp_path / "family.fasta", sequences))
    assert data.units == "potts:5" and data.alphabet == "-ACGT" and data.train.shape == (540, 60)
    assert data.weights is not None and 0 < data.weights.min() <= data.weights.max() == 1
    rbm = it.RBM(data.size, hidden=8, units=data.units, hidden_units="binary", scale=0.01, key=KEY)
    fit = it.learn(rbm, data, epochs=80, batch=20, key=KEY)
    scores = it.contacts(fit.model, data.train)
    assert np.unravel_index(scores.argmax(), scores.shape) == PAIR
    drawn = np.asarray(it.sample(fit.model, 400, sampler=it.Gibbs(steps=100), key=KEY))
    text = it.data.letters(drawn, data.alphabet)
    paired = np.mean([s[2] + s[9] in ("AT", "TA", "CG", "GC") for s in text])
    assert paired > 0.7
    assert (it.at_temperature(fit.model, 0.5).weights == 2 * fit.model.weights).all()
    it.data.write_fasta(tmp_path / "new.fasta", text)
    assert it.data.load(tmp_path / "new.fasta", test_share=0).train.tolist() == drawn.tolist()


@pytest.mark.slow
def test_the_command_learns_samples_and_scores(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fasta(tmp_path / "family.fasta", family(300))
    quick = ["--epochs", "20", "--likelihood-every", "0", "--samples", "400", "--sample-steps", "50"]
    assert main(["learn", "--data", "family.fasta", "--model", "rbm:6", *quick, "--out", "run"]) == 0
    assert "-ACGT" in capsys.readouterr().out
    with xarray.open_dataset("run/result.nc", engine="h5netcdf") as result:
        assert result["sample"].shape == (400, 60) and result["free_energy_samples"].shape == (400,)
    assert main(["sample", "run", "--count", "50", "--steps", "100", "--out", "new.fasta"]) == 0
    assert "mixed" in capsys.readouterr().out
    assert len((tmp_path / "new.fasta").read_text().split()) == 100
    assert main(["score", "run", "--data", "family.fasta", "--out", "scores.npy"]) == 0
    likely = np.load("scores.npy")
    assert likely.shape == (300,) and "nats" in capsys.readouterr().out
    fasta(
        tmp_path / "noise.fasta", ["".join(np.random.default_rng(5).permutation(list(s))) for s in family(50)]
    )
    assert main(["score", "run", "--data", "noise.fasta", "--out", "noise.npy"]) == 0
    assert np.load("noise.npy").mean() < likely.mean() - 1
    assert main(["sample", "run", "--out", "new.fasta"]) == 2


ALIKE = {
    "lists": lambda p, s: s,
    "letters": lambda p, s: np.array([list(x) for x in s]),
    "csv": lambda p, s: _csv(p, s),
    "lines": lambda p, s: _lines(p, s),
    "letters in columns": lambda p, s: _lines(p, [",".join(x) for x in s]),
    "frame": lambda p, s: pd.DataFrame({"name": [f"seq{k}" for k in range(len(s))], "sequence": s}),
    "gaps as dots, insertions": lambda p, s: fasta(p / "x.a2m", [x[:3] + "acg" + x[3:] for x in s]),
}


def _lines(path, sequences):
    (path / "x.txt").write_text("\n".join(sequences))
    return path / "x.txt"


def _csv(path, sequences):
    lines = ["name,sequence", *(f"seq{k},{s}" for k, s in enumerate(sequences))]
    (path / "x.csv").write_text("\n".join(lines))
    return path / "x.csv"


@pytest.mark.parametrize("form", ALIKE)
def test_sequences_in_any_form_are_the_same(form, tmp_path):
    sequences = family(30)
    data = it.data.load(ALIKE[form](tmp_path, sequences), test_share=0)
    assert it.data.letters(data.train, data.alphabet) == sequences


def test_unknown_letters_are_missing_and_others_refused(tmp_path):
    sequences = [*family(30), "ACGTNACGTACG"]
    data = it.data.load(sequences, test_share=0, similarity=None)
    assert data.missing == 1 and np.isnan(data.train[30, 20:25]).all() and data.weights is None
    with pytest.raises(it.InputError, match="alphabet"):
        it.data.load([*family(30), "ACGT1ACGTACG"])
    with pytest.raises(it.InputError, match="align"):
        it.data.load([*family(30), "ACG"])


def test_a_protein_of_the_letters_of_ambiguous_bases_is_no_dna():
    assert it.data.load(["GASVKTC", "GASVKTA", "SASVRTC"], test_share=0).units == "potts:21"


def test_weights_count_copies_once():
    sequences = [*family(40), *[family(1)[0]] * 9]
    data = it.data.load(sequences, test_share=0, similarity=1.0)
    assert data.weights.sum() == pytest.approx(len(set(sequences)))
    f, c = it.data.pair_statistics(data.train, 5, data.weights)
    assert f.reshape(12, 5).sum(1) == pytest.approx(1.0) and np.abs(c).max() <= 0.25
