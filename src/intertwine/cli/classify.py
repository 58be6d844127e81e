"""The command `intertwine classify`."""

from __future__ import annotations

from typing import Annotated

import typer

from intertwine.cli.flags import Out, Overwrite, flag, tables_from_flags
from intertwine.cli.starting import start

TEXT = {
    "data.name", "data.shape", "data.variable", "data.labels", "data.folder", "network.name", "network.group",
}  # fmt: skip
FIELDS = {
    "data": "data.name",
    "shape": "data.shape",
    "variable": "data.variable",
    "labels": "data.labels",
    "test_share": "data.test_share",
    "data_folder": "data.folder",
    "download": "data.download",
    "data_seed": "data.seed",
    "group": "network.group",
    "network": "network.name",
    "dropout": "network.dropout",
    "epochs": "optimiser.epochs",
    "batch": "optimiser.batch",
    "learning_rate": "optimiser.learning_rate",
    "warmup": "optimiser.warmup",
    "weight_decay": "optimiser.weight_decay",
    "smoothing": "optimiser.smoothing",
    "augment": "optimiser.augment",
    "examples": "optimiser.examples",
    "validation": "optimiser.validation",
    "seed": "seed",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
}


def classify(
    data: Annotated[str | None, flag("--data", "digits, mnist, rotmnist, or a file", "NAME")] = None,
    shape: Annotated[str | None, flag("--shape", "of images, where the file has none", "28x28")] = None,
    variable: Annotated[str | None, flag("--variable", "which array of the file", "NAME")] = None,
    labels: Annotated[str | None, flag("--labels", "another array of it, or a file", "NAME")] = None,
    test_share: Annotated[str | None, flag("--test-share", "of a file's rows, held out", "NUMBER")] = None,
    data_folder: Annotated[str | None, flag("--data-folder", "where mnist is", "FOLDER")] = None,
    download: Annotated[bool | None, typer.Option("--download", help="fetch mnist where it is not")] = None,
    data_seed: Annotated[str | None, flag("--data-seed", "of rows held out", "INTEGER")] = None,
    group: Annotated[str | None, flag("--group", "p1 (plain), p4, p4m, c8, d8, ...", "NAME")] = None,
    network: Annotated[str | None, flag("--network", "cnn:10, e2:8, z2cnn, p4cnn, p4mcnn", "NAME")] = None,
    dropout: Annotated[str | None, flag("--dropout", "of whole fields", "NUMBER")] = None,
    epochs: Annotated[str | None, flag("--epochs", "passes over the images", "INTEGER")] = None,
    batch: Annotated[str | None, flag("--batch", "images an update", "INTEGER")] = None,
    learning_rate: Annotated[str | None, flag("--learning-rate", "the largest", "NUMBER")] = None,
    warmup: Annotated[str | None, flag("--warmup", "share of the updates before it", "NUMBER")] = None,
    weight_decay: Annotated[str | None, flag("--weight-decay", "of AdamW", "NUMBER")] = None,
    smoothing: Annotated[str | None, flag("--smoothing", "of the labels", "NUMBER")] = None,
    augment: Annotated[
        str | None, flag("--augment", "none, rotations, rotations+shifts, deformations", "WORD")
    ] = None,
    examples: Annotated[str | None, flag("--examples", "images to learn from, 0: all", "INTEGER")] = None,
    validation: Annotated[str | None, flag("--validation", "share of them to watch", "NUMBER")] = None,
    seed: Annotated[str | None, flag("--seed", "same seed, same numbers", "INTEGER")] = None,
    precision: Annotated[str | None, flag("--precision", "float32, float64", "WORD")] = None,
    checkpoint_every: Annotated[str | None, flag("--checkpoint-every", "epochs", "INTEGER")] = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Classify images with an equivariant network; alone: scikit-learn's digits with turns and mirrors."""
    return start(tables_from_flags("classify", FIELDS, locals(), TEXT), out, overwrite)
