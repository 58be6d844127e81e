"""What a run folder holds, as objects to go on with: `intertwine.load`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intertwine._checks import fail


def load(folder: str | Path) -> Any:
    """The result of the complete run in `folder`: a `GroundStateRun` of a ground-state run, the network of a
    classifying one, the machine with its units and columns of a learning one (`trained.Trained`).

    Raises `InputError` for other folders, runs that are not complete, runs of other kinds, and where JAX is
    not set to the precision of the run.

    >>> load("no/such/folder")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: no/such/folder: expected an existing run folder, ...
    """
    from intertwine.runs.kinds import kind_of_folder

    path = Path(folder)
    if not path.is_dir():
        raise fail(str(folder), "an existing run folder", "nothing there", "give the folder of a run")
    kind = kind_of_folder(path)
    if not kind.loader:
        expected, got = "a ground-state, learning or classifying run", f"{folder}, a run of another kind"
        raise fail("folder", expected, got, "its numbers are in result.json and result.nc")
    return kind.load_run(path)
