"""One run in several processes, as each of them sees it.

Every process makes the same steps on its share of the chains (`sampling.sharding`); JAX's runtime carries
the sums between them (`jax.distributed`, gloo on CPUs). Process 0, the leader, alone writes the run folder:
the others hold a `Follower` in its place and print nothing. What must be decided together (to stop on a
signal) is decided by a vote. A process that loses another one ends with `LOST`.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from intertwine.runs.run_folder import RunFolder
from intertwine.runs.shared.rendezvous import not_joined, wait_for
from intertwine.runs.terminal import lasting

LOST = 3
"""Exit code: another process of the run was lost."""
ABANDONED = 4
"""Exit code: the command that started this worker is gone."""
HEARTBEAT, PATIENCE, FAREWELL = 30, 120, 120
"""Seconds until: a process that stands still is given up; all must have come; all must have ended."""
_SIGNS = (
    "gloo",
    "coordination",
    "distributed",
    "heartbeat",
    "connection",
    "deadline_exceeded",
    "unavailable",
)


class Place(NamedTuple):
    """Which of how many processes this is, and where they meet ("host:port")."""

    processes: int
    process_id: int
    coordinator: str


def connect(place: Place) -> None:
    """Join the other processes; before anything is computed."""
    import jax

    if place.process_id:
        wait_for(place.coordinator, PATIENCE)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            place.coordinator,
            place.processes,
            place.process_id,
            initialization_timeout=PATIENCE,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=FAREWELL,
        )
    except RuntimeError:
        raise not_joined(place.processes, place.coordinator, PATIENCE) from None


def is_leader() -> bool:
    """Whether this process writes the run folder."""
    import jax

    return jax.process_index() == 0


def any_process(flag: bool) -> bool:
    """Whether `flag` is true in any process: a vote, in which all take part.

    >>> any_process(True), any_process(False)
    (True, False)
    """
    import jax

    if jax.process_count() == 1:
        return flag
    import numpy as np
    from jax.experimental.multihost_utils import process_allgather

    return bool(np.any(process_allgather(np.array(flag))))


def lost_another(error: BaseException) -> bool:
    """Whether `error` is the runtime's word that another process is gone."""
    import jax

    if type(error) not in (ValueError, RuntimeError, jax.errors.JaxRuntimeError):
        return False
    return jax.process_count() > 1 and any(sign in str(error).lower() for sign in _SIGNS)


class Follower(RunFolder):
    """The run folder for a process that writes nothing; `read_metrics` and the checkpoints can be read."""

    def __init__(self, path: str | Path):
        self.path, self.begun = Path(path), True

    @classmethod
    def claim(cls, path: str | Path, config: str, *, overwrite: bool = False) -> Follower:
        return cls(path)

    def begin(self) -> Follower:
        return self

    def check_there(self) -> None:
        pass

    def close(self) -> None:
        pass

    def append_metrics(self, record: dict[str, Any]) -> None:
        pass

    def sync_metrics(self) -> None:
        pass

    def cut_metrics(self, steps: int) -> None:
        pass

    def remove_results(self) -> None:
        pass


def watch(lifeline: int) -> None:
    """End this process, whatever it is doing, once the other end of the pipe `lifeline` is closed."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(lifeline, 1):
                pass
        os._exit(ABANDONED)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def keep_own_words(speaks: bool) -> TextIO:
    """Python's output stays, or goes nowhere in a process that does not speak; what compiled libraries write
    past it goes nowhere. Gives the stream for what must be seen in any case.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    given = ((1, sys.stdout), (2, sys.stderr))
    streams = [lasting(os.dup(number), stream) for number, stream in given]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    if speaks:
        sys.stdout, sys.stderr = streams
    return streams[1]


def end(code: int) -> None:
    """End at once, without waiting for the others at JAX's farewell."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
