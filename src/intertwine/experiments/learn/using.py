"""What is done with a trained machine: rows drawn from it, rows scored by it, written as the data were."""

from __future__ import annotations

import warnings
from pathlib import Path

import jax
import numpy as np

from intertwine._caveats import Caveat
from intertwine._checks import fail
from intertwine.boltzmann.temperature import at_temperature
from intertwine.data.dataset import Dataset
from intertwine.data.formats.sequences import letters, write_fasta
from intertwine.experiments.learn import measures as learn_measures
from intertwine.experiments.learn.trained import Trained
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.results import Scaling, taken
from intertwine.sampling.draw import sample
from intertwine.sampling.gibbs.gibbs import Gibbs


def draw_rows(
    trained: Trained, count: int, steps: int, temperature: float, seed: int
) -> tuple[np.ndarray, list[str]]:
    """(rows in the machine's units (count, N), what is to be said of them), each from a chain of its own
    after `steps` sweeps."""
    model = trained.model
    if temperature != 1:
        if isinstance(model, DBN):
            raise fail("temperature", "1 for a deep belief network, which has directed layers", temperature)
        model = at_temperature(model, temperature)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Caveat)
        drawn = sample(model, count, sampler=Gibbs(steps=steps), key=jax.random.key(seed))
    told = [f"warning: {line.message}" for line in caught if issubclass(line.category, Caveat)]
    return np.asarray(drawn), [str(drawn), *told]


def write_rows(path: Path, trained: Trained, rows: np.ndarray) -> None:
    """Rows of the units as the data had them: .npy, .csv with the names of the columns, .fasta of letters."""
    kind = path.suffix.lower()
    if kind in (".fasta", ".fa"):
        if trained.alphabet is None:
            expected = "a file .npy or .csv: this run learnt no sequences"
            raise fail("out", expected, str(path), "say samples.npy")
        write_fasta(path, letters(rows, trained.alphabet))
        return
    values = trained.as_data(rows)
    if kind == ".npy":
        np.save(path, values)
        return
    if trained.alphabet is not None:
        lines = ["sequence", *letters(rows, trained.alphabet)]
    else:
        names = trained.columns or tuple(f"column{k}" for k in range(values.shape[1]))
        whole = values.dtype.kind in "iu"
        lines = [",".join(f'"{name}"' if "," in name else name for name in names)]
        lines += [",".join(str(int(x)) if whole else repr(float(x)) for x in row) for row in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def score_rows(trained: Trained, name: str, variable: str | None) -> tuple[np.ndarray, list[str]]:
    """(ln p of every row of the data called `name` in nats, what is to be said): densities of standardised
    columns are those of the columns as they are in the file."""
    data, rows = _rows(trained, name, variable)
    log_z = trained.log_z
    free = learn_measures.free_energies(trained.model, rows, jax.random.key(0))
    volume = taken(trained)[1].log_volume
    values = -free - log_z.mean - volume
    found = learn_measures.likelihood(free, log_z)
    what = "bound on the log-likelihood" if learn_measures.is_bound(trained.model) else "log-likelihood"
    words = f"{what} of {len(rows)} rows {found['mean'] - volume:.3f} ± {found['error']:.2g} nats a row"
    if len(rows) == 1:  # it has no spread
        words = f"{what} of the row {found['mean'] - volume:.3f} nats"
    if log_z.error:
        words += f", bracket {found['lower'] - volume:.3f} to {found['upper'] - volume:.3f}"
    lines = [data.describe(), words.replace("-", "−").replace("log−l", "log-l")]
    if volume:
        lines.append("a density in the units of the file's columns")
    if not log_z.trusted:
        lines.append("warning: untrusted: ln Z of the run is not to be trusted: compare rows, not the mean")
    return values, lines


def write_scores(path: Path, values: np.ndarray) -> None:
    """ln p of every row: .npy, or .csv with one column."""
    if path.suffix.lower() == ".npy":
        np.save(path, values)
        return
    lines = ["log_probability", *(repr(float(x)) for x in values)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows(trained: Trained, name: str, variable: str | None) -> tuple[Dataset, np.ndarray]:
    """The data as the machine sees them: in its units, with the offset and scale of its run."""
    from intertwine.data import load

    d, units = trained.settings.data, str(trained.result["units"])
    columns = trained.columns if variable is None and Path(name).suffix.lower() == ".csv" else None
    wanted = variable or (",".join(columns) if columns else None)
    labels = None if d.labels == "none" or wanted is not None else d.labels
    data = load(
        name, units=units, variable=wanted, labels=labels, test_share=0.0, seed=d.seed, rows=d.rows,
        alphabet=trained.alphabet, similarity=None,
    )  # fmt: skip
    if data.size != trained.model.size:
        expected = f"rows of {trained.model.size} columns, as those that were learnt"
        raise fail("data", expected, f"rows of {data.size}", "name the columns with --variable")
    rows = data.examples(len(data.train))
    if trained.scale is not None:
        rows = taken(trained)[1].inside(
            Scaling(data.offset, data.scale).outside(np.asarray(rows, np.float64))
        )
    return data, rows
