"""Several runs of one command with one table: seeds, sectors.

    out/                    config.toml, result.json with the table, report.html
    out/parts/seed-1/       a whole run each, as any other

Which runs they are the settings say (`Settings.parts`), and what their table tells (`Settings.table`). They
are done one after another; an interruption ends the one that runs, and `resume` goes on with it and with
those that follow.
"""

from __future__ import annotations

from pathlib import Path

from intertwine._checks import InputError
from intertwine._version import __version__
from intertwine.learning.guard import Diverged
from intertwine.records.folder import CONFIG, PARTS, RESULT, is_marked, settings_hash
from intertwine.records.kinds import KINDS
from intertwine.records.writing import from_json, to_json, write_aside
from intertwine.runs import running
from intertwine.runs.fields import Settings
from intertwine.runs.interruption import Interrupted, StopRequest
from intertwine.runs.kinds import schema_of
from intertwine.runs.run_folder import RunFolder, check_is_run
from intertwine.runs.settings import to_toml
from intertwine.runs.terminal import warn


def start(settings: Settings, out: str | Path, *, overwrite: bool = False) -> Path:
    """Run all parts of `settings` in the new folder `out`; the path of the folder. Raises as
    `running.start` does, but for parts that diverge or cannot be: these are told, and the others go on."""
    settings.check_there()
    parts = settings.parts()
    for part in parts.values():
        part.resolved()  # what does not go together is said before the first begins
    config = to_toml(settings)
    with StopRequest() as stop, RunFolder.claim(out, config, overwrite=overwrite) as folder:
        folder.begin()
        return _through(folder.path, config, settings, stop)


def resume(path: str | Path, settings: Settings) -> Path:
    """Go on with the parts of the run at `path` that are not complete."""
    path = check_is_run(path)
    config = (path / CONFIG).read_text(encoding="utf-8")
    with StopRequest() as stop, RunFolder.open(path) as folder:
        return _through(folder.path, config, settings, stop)


def _through(folder: Path, config: str, settings: Settings, stop: StopRequest) -> Path:
    parts = settings.parts()
    lost: list[str] = []
    last: Exception | None = None
    for number, (name, part) in enumerate(parts.items(), start=1):
        place = folder / PARTS / name
        if (place / RESULT).is_file():
            continue
        print(f"--- {name}, {number} of {len(parts)}", flush=True)
        try:
            _one(place, part)
        except Interrupted:
            stop.heard = True
            raise Interrupted(f"interrupted in {name}. Go on with: intertwine resume {folder}") from None
        except (Diverged, InputError) as error:
            warn(f"{name}: {error}")
            lost.append(name)
            last = error
    done = [name for name in parts if name not in lost]
    records = {name: from_json((folder / PARTS / name / RESULT).read_bytes()) for name in done}
    if not records and last is not None:
        raise last
    told = settings.table(records)
    record = {
        "kind": settings.kind,
        "version": __version__,
        "several": told.rows,
        "best": told.best,
        "failed": lost,
        "warnings": list(dict.fromkeys(told.warnings)),
        "schema": schema_of(KINDS[settings.kind]).version,
        "settings_sha256": settings_hash(config),
    }
    write_aside(folder / RESULT, to_json(record, indent=2) + "\n")
    running.conclude(told.lines, record["warnings"])
    running.report(folder)
    return folder


def _one(place: Path, part: Settings) -> None:
    if place.is_dir() and (place / CONFIG).is_file() and is_marked(place):
        running.resume(place)
    else:
        running.start(part, place)
