"""The commands that use a trained run: sample and score of learn, predict of classify, apply of fields, and
both of runs on structures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intertwine.cli.flags import flag

if TYPE_CHECKING:
    from intertwine.experiments.classify.settings import ClassifyConfiguration
    from intertwine.experiments.fields.settings import FieldsConfiguration

    Configuration = FieldsConfiguration | ClassifyConfiguration

Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="a finished run of intertwine learn")]


def sample(
    folder: Folder,
    count: Annotated[str, flag("--count", "how many; 1000", "INTEGER")] = "1000",
    steps: Annotated[str, flag("--steps", "sweeps of the chain of each; 1000", "INTEGER")] = "1000",
    temperature: Annotated[str, flag("--temperature", "of the machine, 1 as it was trained", "NUMBER")] = "1",
    seed: Annotated[str, flag("--seed", "same seed, same samples", "INTEGER")] = "0",
    out: Annotated[str, flag("--out", "a file: .npy, .csv or .fasta; samples.npy", "FILE")] = "samples.npy",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
) -> int:
    """Draw new rows from a trained machine, in the units of its data; say whether the chains have mixed."""
    from intertwine.experiments.learn.using import draw_rows, write_rows

    path = _free(out, overwrite, (".npy", ".csv", ".fasta", ".fa"))
    trained = _trained(folder)
    rows, words = draw_rows(
        trained, _integer("count", count), _integer("steps", steps), _number("temperature", temperature),
        _integer("seed", seed, 0),
    )  # fmt: skip
    write_rows(path, trained, rows)
    _say([*words, f"samples: {path}"])
    return 0


def score(
    folder: Folder,
    data: Annotated[str, flag("--data", "a file, or a named set, as intertwine learn takes", "NAME")],
    variable: Annotated[str | None, flag("--variable", "which array of the file, or columns", "NAME")] = None,
    out: Annotated[str | None, flag("--out", "a file for ln p of every row: .npy or .csv", "FILE")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
) -> int:
    """ln p of rows under a trained machine, nats a row, between the bounds of its ln Z."""
    from intertwine.experiments.learn.using import score_rows, write_scores

    path = None if out is None else _free(out, overwrite, (".npy", ".csv"))
    values, words = score_rows(_trained(folder), data, variable)
    if path is not None:
        write_scores(path, values)
        words = [*words, f"ln p of every row: {path}"]
    _say(words)
    return 0


def predict(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="a finished run of intertwine classify")],
    data: Annotated[str, flag("--data", "images or structures: a file, a folder, a named set", "NAME")],
    variable: Annotated[str | None, flag("--variable", "which array of the file", "NAME")] = None,
    labels: Annotated[str | None, flag("--labels", "another array, a file, or none", "NAME")] = None,
    shape: Annotated[str | None, flag("--shape", "of images, where the file has none", "28x28")] = None,
    out: Annotated[
        str | None,
        flag("--out", "a file: .csv, or .npy of the probabilities; of structures .npz, .xyz", "FILE"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
) -> int:
    """Say the class of images or of structures, and how probable each class is; the accuracy where they have
    labels."""
    from intertwine.cli.starting import set_precision
    from intertwine.experiments.classify.trained import (
        load_classifier,
        predictions,
        write_predictions,
    )
    from intertwine.runs.complete import settings_of

    settings = settings_of(folder, "classify")
    if _of_structures(settings):
        return _write_structures(folder, settings, data, out, overwrite, labels)
    if settings.data.name.startswith("group:"):
        from intertwine._checks import fail

        remedy = "in Python: it.predict(it.load(FOLDER), pairs)"
        raise fail("folder", "a run on images or structures", f"one on {settings.data.name}", remedy)
    path = _free(out or "predictions.csv", overwrite, (".csv", ".npy"))
    set_precision(settings.precision)
    found, words = predictions(load_classifier(folder), data, variable=variable, labels=labels, shape=shape)
    write_predictions(path, found)
    _say([*words, f"predictions: {path}"])
    return 0


def apply(
    folder: Annotated[str, typer.Argument(metavar="RUN", help="a finished run of fields (or classify)")],
    data: Annotated[str, typer.Argument(metavar="FILE", help="fields as those of the run, or structures")],
    out: Annotated[
        str | None, flag("--out", "a file: .nc of a globe, .fits, .npz; .xyz or .npz of structures", "FILE")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
) -> int:
    """Write what a trained map of fields, or a model of structures, says of another file; its errors where
    the file has the targets."""
    from intertwine._checks import fail
    from intertwine.cli.starting import set_precision
    from intertwine.data.field_files import load_fields
    from intertwine.experiments.fields.trained import apply_run, ending, load_fields_run
    from intertwine.runs.complete import settings_of

    settings = _settings_on_points(folder)
    if settings is not None:
        return _write_structures(folder, settings, data, out, overwrite)
    set_precision(settings_of(folder, "fields").precision)
    fields = load_fields(data)
    suffix = ending(fields)
    path = _free(f"predictions{suffix}" if out is None else out, overwrite, (suffix,))
    if path.exists() and path.samefile(data):
        raise fail("out", "another file than the one that is read", str(out), "say another name")
    _say(apply_run(load_fields_run(folder), fields, path))
    return 0


def _of_structures(settings: Configuration) -> bool:
    return settings.space.name.partition(":")[0] == "points"


def _settings_on_points(folder: str) -> Any:
    """The settings of a run of fields or classify on structures; None for other runs."""
    from intertwine.records.folder import CONFIG
    from intertwine.runs.complete import settings_of
    from intertwine.runs.run_folder import check_is_run
    from intertwine.runs.settings import read_toml

    tables = read_toml(check_is_run(folder) / CONFIG)
    kind, space = tables.get("kind"), tables.get("space")
    if kind not in ("fields", "classify") or not isinstance(space, dict):
        return None
    settings = settings_of(folder, kind)
    return settings if _of_structures(settings) else None


def _write_structures(
    folder: str,
    settings: Configuration,
    data: str,
    out: str | None,
    overwrite: bool,
    labels: str | None = None,
) -> int:
    """Predictions of structures, beside their positions."""
    from intertwine._checks import fail
    from intertwine.cli.starting import set_precision
    from intertwine.experiments.structures.trained import load_structures_run, predictions

    atoms = settings.kind == "fields" and settings.points.points != "residues"
    usual = ".xyz" if atoms else ".npz"
    path = _free(f"predictions{usual}" if out is None else out, overwrite, (".xyz", ".extxyz", ".npz"))
    if path.exists() and path.samefile(data):
        raise fail("out", "another file than the one that is read", str(out), "say another name")
    set_precision(settings.precision)
    said, words = predictions(load_structures_run(folder), data, labels=labels)
    said.to_file(path)
    _say([*words, f"predictions: {path}"])
    return 0


def _trained(folder: str) -> Any:
    from intertwine.cli.starting import set_precision
    from intertwine.experiments.learn.trained import load_trained

    set_precision("float64")
    return load_trained(folder)


def _free(out: str, overwrite: bool, suffixes: tuple[str, ...]) -> Path:
    from intertwine._checks import fail

    path = Path(out)
    if path.suffix.lower() not in suffixes:
        raise fail(
            "out", "a file " + ", ".join(suffixes), repr(out), f"say {path.stem or 'samples'}{suffixes[0]}"
        )
    if path.exists() and not overwrite:
        remedy = "say --overwrite, or another name"
        raise fail("out", "a file that is not there yet", f"{out}, which is", remedy)
    if not path.absolute().parent.is_dir():
        raise fail("out", "a file in a folder that exists", repr(out), "make the folder first")
    return path


def _integer(name: str, text: str, least: int = 1) -> int:
    from intertwine._checks import fail

    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value < 2**31:
        raise fail(name, f"a whole number of at least {least}", repr(text), "for example 1000")
    return value


def _number(name: str, text: str) -> float:
    from intertwine._checks import fail, positive_number

    try:
        return positive_number(name, float(text))
    except ValueError:
        raise fail(name, "a positive number", repr(text), "for example 1") from None


def _say(lines: list[str]) -> None:
    for line in lines:
        print(line, flush=True)
