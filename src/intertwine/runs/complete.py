"""A complete run, opened: what every loader of `intertwine.load` looks at first, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.records.folder import CONFIG, RESULT
from intertwine.records.kinds import KINDS
from intertwine.records.schema import NUMBER, Schema
from intertwine.records.writing import from_json
from intertwine.runs.dataset import number_or_nan
from intertwine.runs.kinds import schema_of, settings_class
from intertwine.runs.run_folder import check_is_run, read_metrics
from intertwine.runs.settings import read_toml, validate

if TYPE_CHECKING:
    from intertwine.learning.study import Scalars


class Complete(NamedTuple):
    """settings: of the run. result: of result.json. metrics: name → float64, an entry per line."""

    path: Path
    settings: Any
    result: dict[str, Any]
    metrics: dict[str, np.ndarray]


def settings_of(folder: str | Path, kind: str) -> Any:
    """The settings of the run of this kind in `folder`; `InputError` where there is none."""
    path = check_is_run(folder)
    tables = read_toml(path / CONFIG)
    found = tables.get("kind", kind)
    if found != kind:
        expected, remedy = f"a run of intertwine {kind}", "give another"
        raise fail("folder", expected, f"{path}, a run of {found!r}", remedy)
    return validate(settings_class(KINDS[kind]), tables)


def complete(
    folder: str | Path, kind: str, entries: tuple[str, ...], files: tuple[str, ...] = (RESULT,)
) -> Complete:
    """The complete run of this kind in `folder`. entries: without which result.json is not whole; files: that
    must be there.

    Raises `InputError` where there is none, where a newer version wrote it, and where JAX is not set to its
    precision.
    """
    import jax

    path, settings, schema = Path(folder), settings_of(folder, kind), schema_of(KINDS[kind])
    result = _result(path, entries, files)
    schema.check(result, str(path / RESULT))
    if settings.precision == "float64" and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        remedy = 'call jax.config.update("jax_enable_x64", True) first'
        raise fail("folder", "a run of the precision that JAX is set to", f"{path}, of float64", remedy)
    return Complete(path, settings, result, series(read_metrics(path, schema), schema))


def series(history: list[Scalars], schema: Schema) -> dict[str, np.ndarray]:
    """The columns of numbers over the lines, float64, nan where a line lacks one."""
    names = dict.fromkeys(name for line in history for name in line)
    numbers = [name for name in names if schema.words_of(name).form == NUMBER]
    return {name: np.array([number_or_nan(line.get(name)) for line in history]) for name in numbers}


def _result(path: Path, entries: tuple[str, ...], files: tuple[str, ...]) -> dict[str, Any]:
    try:
        record = from_json((path / RESULT).read_bytes())
        if all(name in record for name in entries) and all((path / name).is_file() for name in files):
            return record
    except (OSError, ValueError, TypeError):
        pass
    missing = " or ".join(dict.fromkeys((RESULT, *files)))
    remedy = f"finish it with: intertwine resume {path}"
    raise fail("folder", "the folder of a complete run", f"{path}: no whole {missing}", remedy)
