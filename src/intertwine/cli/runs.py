"""The commands for configurations and run folders: run, resume, report (and worker, for runs of several)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from intertwine.cli.flags import Coordinator, Out, Overwrite, Processes, ProcessId
from intertwine.cli.starting import check_platform, check_shared, set_precision, start, workers_asked


def run(
    configuration: Annotated[
        str, typer.Argument(metavar="FILE", help="a TOML file, such as a run's config.toml")
    ],
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Run the experiment that a TOML file describes."""
    from intertwine.runs.settings import read_toml

    return start(read_toml(configuration), out, overwrite, workers_asked(processes, process_id, coordinator))


def resume(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="a run that was interrupted")],
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
) -> int:
    """Go on with a run that was interrupted; it ends with the numbers that it would have had."""
    from intertwine.runs.kinds import configuration_of, kind_of_folder
    from intertwine.runs.run_folder import CONFIG
    from intertwine.runs.settings import read_toml

    kind = kind_of_folder(Path(folder))
    configuration = configuration_of(read_toml(Path(folder) / CONFIG))
    workers = workers_asked(processes, process_id, coordinator)
    check_shared(kind, workers)
    if workers is not None:
        return workers("resume", configuration, Path(folder), False)
    set_precision(configuration.precision)
    check_platform()
    from intertwine.runs import running, several

    if configuration.parts():
        several.resume(Path(folder), configuration)
    else:
        running.resume(Path(folder))
    return 0


def worker() -> int:
    """One process of a run of several; the command that starts it writes its order on standard input."""
    from intertwine.cli.problems import explain
    from intertwine.runs.shared.worker import work

    return work(sys.stdin.buffer, set_precision=set_precision, explain=explain)


def report(folder: Annotated[str, typer.Argument(metavar="FOLDER", help="a run folder")]) -> int:
    """Write the report of a run again."""
    from intertwine.report import write_report
    from intertwine.runs.run_folder import check_is_run

    print(f"report: {write_report(check_is_run(folder))}")
    return 0
