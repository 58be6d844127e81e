"""The command `intertwine learn`."""

from __future__ import annotations

from typing import Annotated

import typer

from intertwine.cli.flags import Out, Overwrite, flag, tables_from_flags
from intertwine.cli.starting import start

TEXT = {
    "data.name",
    "data.units",
    "data.shape",
    "data.variable",
    "data.labels",
    "data.alphabet",
    "data.folder",
    "model.name",
}
FIELDS = {
    "data": "data.name",
    "rows": "data.rows",
    "units": "data.units",
    "shape": "data.shape",
    "variable": "data.variable",
    "labels": "data.labels",
    "header": "data.header",
    "alphabet": "data.alphabet",
    "similarity": "data.similarity",
    "test_share": "data.test_share",
    "data_folder": "data.folder",
    "download": "data.download",
    "data_seed": "data.seed",
    "model": "model.name",
    "hidden_units": "model.hidden_units",
    "method": "method.name",
    "steps": "method.steps",
    "chains": "method.chains",
    "temperatures": "method.temperatures",
    "epochs": "optimiser.epochs",
    "layer_epochs": "optimiser.layer_epochs",
    "batch": "optimiser.batch",
    "learning_rate": "optimiser.learning_rate",
    "learning_rate_end": "optimiser.learning_rate_end",
    "schedule": "optimiser.schedule",
    "weight_decay": "optimiser.weight_decay",
    "sparsity": "optimiser.sparsity",
    "centred": "optimiser.centred",
    "average": "optimiser.average",
    "likelihood_every": "likelihood.every",
    "ais_temperatures": "likelihood.final_temperatures",
    "ais_chains": "likelihood.final_chains",
    "samples": "samples.count",
    "sample_steps": "samples.steps",
    "seed": "seed",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
}


def learn(
    data: Annotated[
        str | None, flag("--data", "mnist, digits, ising:8, bars-and-stripes:4, or a file", "NAME")
    ] = None,
    rows: Annotated[str | None, flag("--rows", "of a set that is made here", "INTEGER")] = None,
    units: Annotated[
        str | None, flag("--units", "auto, binary, spin, gaussian, potts, potts:q", "WORD")
    ] = None,
    shape: Annotated[str | None, flag("--shape", "of images, where the file has none", "28x28")] = None,
    variable: Annotated[
        str | None, flag("--variable", "which array of the file, or which columns: a,b,c", "NAME")
    ] = None,
    labels: Annotated[
        str | None, flag("--labels", "another array or column of it, or a file", "NAME")
    ] = None,
    header: Annotated[str | None, flag("--header", "of a table: auto, yes, no", "WORD")] = None,
    alphabet: Annotated[
        str | None, flag("--alphabet", "of sequences: dna, rna, protein, letters", "WORD")
    ] = None,
    similarity: Annotated[
        str | None, flag("--similarity", "of sequences that count as one, 0: none", "NUMBER")
    ] = None,
    test_share: Annotated[str | None, flag("--test-share", "of a file's rows, held out", "NUMBER")] = None,
    data_folder: Annotated[str | None, flag("--data-folder", "where mnist is", "FOLDER")] = None,
    download: Annotated[bool | None, typer.Option("--download", help="fetch mnist where it is not")] = None,
    data_seed: Annotated[str | None, flag("--data-seed", "of rows made or held out", "INTEGER")] = None,
    model: Annotated[str | None, flag("--model", "rbm:500, dbm:500-1000, dbn:500-2000", "NAME")] = None,
    hidden_units: Annotated[str | None, flag("--hidden-units", "binary, spin, rectified", "WORD")] = None,
    method: Annotated[str | None, flag("--method", "auto, pcd, cd, pt, trajectory, exact", "WORD")] = None,
    steps: Annotated[str | None, flag("--steps", "Gibbs sweeps an update", "INTEGER")] = None,
    chains: Annotated[str | None, flag("--chains", "persistent chains", "INTEGER")] = None,
    temperatures: Annotated[str | None, flag("--temperatures", "of pt and trajectory", "INTEGER")] = None,
    epochs: Annotated[str | None, flag("--epochs", "passes over the data, or auto", "INTEGER")] = None,
    layer_epochs: Annotated[
        str | None, flag("--layer-epochs", "of each layer of a deep machine, first, or auto", "INTEGER")
    ] = None,
    batch: Annotated[str | None, flag("--batch", "rows an update", "INTEGER")] = None,
    learning_rate: Annotated[str | None, flag("--learning-rate", "at the first update", "NUMBER")] = None,
    learning_rate_end: Annotated[str | None, flag("--learning-rate-end", "at the last", "NUMBER")] = None,
    schedule: Annotated[
        str | None, flag("--schedule", "constant, linear, exponential, cosine", "WORD")
    ] = None,
    weight_decay: Annotated[str | None, flag("--weight-decay", "on the weights", "NUMBER")] = None,
    sparsity: Annotated[
        str | None, flag("--sparsity", "wanted mean of hidden units, 0: none", "NUMBER")
    ] = None,
    centred: Annotated[str | None, flag("--centred", "centred gradients: true, false", "WORD")] = None,
    average: Annotated[str | None, flag("--average", "of the parameters: 0 (none) to 1", "NUMBER")] = None,
    likelihood_every: Annotated[
        str | None, flag("--likelihood-every", "epochs between estimates, auto, 0: none", "INTEGER")
    ] = None,
    ais_temperatures: Annotated[
        str | None, flag("--ais-temperatures", "of the last estimate of log Z", "INTEGER")
    ] = None,
    ais_chains: Annotated[
        str | None, flag("--ais-chains", "of the last estimate of log Z", "INTEGER")
    ] = None,
    samples: Annotated[str | None, flag("--samples", "drawn from the trained machine", "INTEGER")] = None,
    sample_steps: Annotated[str | None, flag("--sample-steps", "sweeps before them", "INTEGER")] = None,
    seed: Annotated[str | None, flag("--seed", "same seed, same numbers", "INTEGER")] = None,
    precision: Annotated[str | None, flag("--precision", "float32, float64", "WORD")] = None,
    checkpoint_every: Annotated[str | None, flag("--checkpoint-every", "epochs", "INTEGER")] = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Learn a distribution with a Boltzmann machine; alone: the critical Ising model on 8 x 8 sites."""
    return start(tables_from_flags("learn", FIELDS, locals(), TEXT), out, overwrite)
