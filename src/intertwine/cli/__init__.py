"""The command `intertwine`: ground-state, learn, classify, renormalize, run, resume, report.

Exit codes: 0, all is well; 1, a run that diverged; 2, a problem with what was given, or with the files; 3, a
run of several processes that lost one; 130, a run that was interrupted and can be resumed. A problem is one
line on standard error. Flags and TOML files are read into the same tables and checked in one place, so
that both get the same words. Nothing heavy is imported before it is needed: `intertwine --help` must answer
at once.

    flags.py       flags and how they become a configuration's tables
    starting.py    a checked configuration in, a run started
    ground_state.py, learn.py, classify.py, renormalize.py, runs.py      the commands
    problems.py    what went wrong, in a line
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from intertwine._version import __version__
from intertwine.cli import classify, ground_state, learn, renormalize, runs
from intertwine.cli.problems import explain
from intertwine.experiments.interruption import StopRequest, ignore
from intertwine.experiments.terminal import steady

app = typer.Typer(
    name="intertwine",
    help="Symmetric neural networks as distributions, as wave functions and as fields.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("ground-state", rich_help_panel="Experiments")(ground_state.ground_state)
app.command("learn", rich_help_panel="Experiments")(learn.learn)
app.command("classify", rich_help_panel="Experiments")(classify.classify)
app.command("renormalize", rich_help_panel="Experiments")(renormalize.renormalize)
app.command("run", rich_help_panel="Experiments")(runs.run)
app.command("resume", rich_help_panel="Run folders")(runs.resume)
app.command("report", rich_help_panel="Run folders")(runs.report)
app.command("worker", hidden=True)(runs.worker)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"intertwine {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Symmetric neural networks as distributions, as wave functions and as fields."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: those of the process) and give its exit code."""
    command, own = typer.main.get_command(app), arguments is None
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    with steady(own=own, tell="--help" not in given), quiet(own), StopRequest():
        try:
            code = command.main(args=given, prog_name="intertwine", standalone_mode=False)
        except (Exception, KeyboardInterrupt) as error:
            code = explain(error)
            if code is None:
                raise
    if own:
        ignore()
    return code if isinstance(code, int) else 0


@contextmanager
def quiet(own: bool) -> Iterator[None]:
    """Within a process of the command's own, warnings of libraries are not shown, unless asked for (-W): what
    qualifies a number stands in its result.
    """
    with warnings.catch_warnings():
        if own and not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
