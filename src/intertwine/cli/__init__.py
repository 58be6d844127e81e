"""The command `intertwine`: a command for every kind of run, and run, resume, report, sample, score.

Exit codes: 0, all is well; 1, a run that diverged; 2, a problem with what was given, or with the files; 3, a
run of several processes that lost one; 130, a run that was interrupted and can be resumed. A problem is one
line on standard error. Flags and TOML files are read into the same tables and checked in one place, so
that both get the same words. Nothing heavy is imported before it is needed: `intertwine --help` must answer
at once.

    app.py           the commands by name
    experiments.py   those that run something, made from the declarations of their settings
    flags.py         options that several commands share
    starting.py      a checked configuration in, a run started
    runs.py, trained.py      commands for configurations, run folders and trained models
    problems.py      what went wrong, in a line
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from intertwine.cli.problems import INTERRUPTED, explain
from intertwine.runs.interruption import StopRequest
from intertwine.runs.terminal import steady


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: those of the process) and give its exit code."""
    own = arguments is None and sys.stdout is sys.__stdout__
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    with steady(own=own, tell="--help" not in given), quiet(own), StopRequest(last=own) as stop:
        try:
            from typer.main import get_command

            from intertwine.cli.app import app_for

            asked = next((word for word in given if not word.startswith("-")), None)
            code = get_command(app_for(asked)).main(args=given, prog_name="intertwine", standalone_mode=False)
            stop.heard = True
            if code == INTERRUPTED:  # typer's word for a KeyboardInterrupt
                explain(KeyboardInterrupt())
        except (Exception, KeyboardInterrupt) as error:
            stop.heard = True
            code = explain(error)
            if code is None:
                raise
    code = code if isinstance(code, int) else 0
    if own and code == INTERRUPTED:
        os._exit(code)  # libraries that still compile in the background are not to be waited for
    return code


@contextmanager
def quiet(own: bool) -> Iterator[None]:
    """Within a process of the command's own, warnings of libraries are not shown, unless asked for (-W): what
    qualifies a number stands in its result.
    """
    with warnings.catch_warnings():
        if own and not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
