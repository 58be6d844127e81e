"""What a run folder holds, as objects to go on with: `intertwine.load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intertwine._checks import fail


def load(folder: str | Path) -> Any:
    """The result of the complete run in `folder` (or of the folder of its config.toml), of the type that its
    command gives: a `GroundStateRun` of ground-state, a `Trained` machine of learn, the `TrainedClassifier`
    of classify, a `RenormalizeRun` of renormalize. Each has `model` (None where there is none), `settings`,
    `metrics` (name → float64 per line) and `result` (result.json), and is taken wherever its model is.
    A learning run of standardised columns is taken in the units of its data, its `model` in its own.

    Raises `InputError` for other folders, runs that are not complete or of a newer version, and where JAX is
    not set to the precision of the run.

    >>> load("no/such/folder")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: no/such/folder: expected an existing run folder, ...
    """
    from intertwine.records.folder import CONFIG
    from intertwine.records.kinds import named
    from intertwine.runs.kinds import kind_of_folder

    path = Path(folder)
    path = path.parent if path.name == CONFIG else path
    if not path.is_dir():
        raise fail(str(folder), "an existing run folder", "nothing there", "give the folder of a run")
    kind = kind_of_folder(path)
    if not kind.loader:
        remedy = "its numbers are in result.json and result.nc"
        raise fail("folder", "a run of a command whose results can be loaded", str(folder), remedy)
    return named(kind.loader)(path)
