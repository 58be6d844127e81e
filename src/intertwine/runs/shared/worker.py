"""A worker: one process of a run of several (see `workers` for the command's side, `processes` for what is
shared)."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, TextIO

from intertwine.runs import running
from intertwine.runs.kinds import configuration_of
from intertwine.runs.shared import processes
from intertwine.runs.shared.rendezvous import check_alike

UNEXPECTED = 70
"""Exit code: an error of the program itself; its traceback is shown."""


def work(
    order: IO[bytes],
    *,
    set_precision: Callable[[str], None],
    explain: Callable[[BaseException], int | None],
) -> int:
    """Do what the first line of `order` says, and end when `order` is closed; the exit code.

    explain: says in a line what an error means and gives its exit code, or None. Returns only when all went
    well: else the process ends at once, for JAX would wait for the others.
    """
    task = json.loads(order.readline())
    place = processes.Place(*task["place"])
    processes.watch(order.fileno())
    errors = processes.keep_own_words(place.process_id == 0)
    try:
        configuration = configuration_of(task["configuration"])
        set_precision(configuration.precision)
        processes.connect(place)
        check_alike(task)
        if task["joined"] is not None:
            os.write(task["joined"], b".")
        path = Path(task["path"])
        if task["action"] == "start":
            running.start(configuration, path, overwrite=task["overwrite"])
        else:
            running.resume(path)
    except BaseException as error:
        if task["first"]:
            sys.stderr = errors
        processes.end(_code(error, explain, errors))
    return 0


def _code(error: BaseException, explain: Callable[[BaseException], int | None], errors: TextIO) -> int:
    if processes.lost_another(error):
        return processes.LOST
    code = explain(error)
    if code is None:
        traceback.print_exception(error, file=errors)
        errors.flush()
        return UNEXPECTED
    sys.stderr.flush()
    return code
