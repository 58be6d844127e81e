"""The command's side of a run in several processes: start the workers, pass signals on, and see to it that
either all end well or all end.

    intertwine run FILE --processes 2                      two local workers
    intertwine resume FOLDER --processes 2                 the same
    ... --processes 2 --process-id 1 --coordinator HOST:PORT    one of them here, the others by other commands

Each worker is a process of its own that gets its order as one line on its standard input, and ends when
that is closed: whatever happens to this process, no worker outlives it. A worker that is lost ends the run
with one line that says how to go on.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intertwine._checks import InputError, fail, positive_int
from intertwine.runs import checkpoints
from intertwine.runs.interruption import SIGNALS
from intertwine.runs.run_folder import read_metrics
from intertwine.runs.shared import processes
from intertwine.runs.shared.rendezvous import check_coordinator, not_joined

MOST_PROCESSES = 4096
GRACE = 10.0
"""Seconds that workers have to end by themselves after one was lost."""
_EXPLAINED = (2, 1, 130)
_ABORTED = (-6, -11)
"""How JAX ends a process that cannot join the others: SIGABRT, SIGSEGV."""


@dataclass(frozen=True)
class Order:
    """What a worker is to do. action: "start" or "resume"; configuration: its tables."""

    action: str
    configuration: dict[str, Any]
    path: str
    overwrite: bool = False

    def line(self, place: processes.Place, **how: object) -> bytes:
        return (json.dumps(self.__dict__ | {"place": list(place)} | how) + "\n").encode()


class Worker:
    """A process that was started. `joined` says whether it has met the others."""

    def __init__(self, order: Order, place: processes.Place, *, first: bool):
        reader, writer = os.pipe()
        posix = os.name == "posix"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intertwine.cli", "worker"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the workers once, through this process
            pass_fds=(writer,) if posix else (),
        )
        os.close(writer)
        self._reader = os.fdopen(reader, "rb", buffering=0)
        stdin = self.process.stdin
        if stdin is not None:
            with suppress(OSError):
                stdin.write(order.line(place, joined=writer if posix else None, first=first))
                stdin.flush()

    @property
    def joined(self) -> bool:
        """Of a process that has ended."""
        return bool(self._reader.read(1))

    def end(self) -> None:
        """See to it that the process is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def close(self) -> None:
        self._reader.close()


def asked(
    processes_: str | None, process_id: str | None, coordinator: str | None
) -> tuple[int, list[int], str] | None:
    """(processes, the ids to start here, where they meet), or None for a run in this process.

    Raises InputError for flags that do not fit together.

    >>> asked("2", "1", "localhost:4000")
    (2, [1], 'localhost:4000')
    >>> asked(None, None, None) is None
    True
    """
    if processes_ is None:
        if process_id is not None or coordinator is not None:
            raise fail(
                "processes", "a number with --process-id or --coordinator", "none", "say --processes 2"
            )
        return None
    count = positive_int("processes", _number(processes_), "give the number of processes, for example 2")
    if count > MOST_PROCESSES:
        raise fail("processes", f"at most {MOST_PROCESSES}", count)
    if process_id is None:
        if coordinator is not None:
            raise fail(
                "process-id", "a number with --coordinator", "none", "leave both out to start all here"
            )
        return None if count == 1 else (count, list(range(count)), f"localhost:{_free_port()}")
    own = _number(process_id)
    if not isinstance(own, int) or not 0 <= own < count:
        raise fail("process-id", f"an integer from 0 to {count - 1}", process_id)
    if coordinator is None:
        raise fail("coordinator", "an address with --process-id", "none", "for example localhost:45123")
    host, _, port = str(coordinator).rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or not host.isprintable() or " " in host:
        raise fail("coordinator", "an address HOST:PORT", repr(coordinator), "for example localhost:45123")
    return count, [own], f"{host}:{port}"


def _number(text: str) -> Any:
    return int(text) if str(text).isdecimal() and len(str(text)) < 10 else text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def supervise(order: Order, count: int, ids: list[int], coordinator: str) -> int:
    """Run `order` in the workers `ids`; the exit code, having said what there is to say."""
    check_coordinator(coordinator, here=0 in ids)
    workers = [Worker(order, processes.Place(count, k, coordinator), first=k == ids[0]) for k in ids]
    stopping = _PassOn([worker.process for worker in workers])
    try:
        with stopping:
            codes = _wait([worker.process for worker in workers])
    finally:
        for worker in workers:
            worker.end()
    apart = [w for w, code in zip(workers, codes, strict=True) if code in _ABORTED and not w.joined]
    for worker in workers:
        worker.close()
    code = verdict(codes)
    if code != processes.LOST:
        return code
    if apart:
        raise not_joined(count, coordinator, processes.PATIENCE)
    print(f"error: {_lost(order, ids, codes)}", file=sys.stderr, flush=True)
    return processes.LOST


def _wait(workers: list[subprocess.Popen[bytes]]) -> list[int | None]:
    """The workers' exit codes; None for one that had to be killed after another ended badly."""
    until: float | None = None
    while any(worker.poll() is None for worker in workers):
        if until is None and any(worker.poll() not in (None, 0) for worker in workers):
            until = time.monotonic() + GRACE
        if until is not None and time.monotonic() > until:
            break
        time.sleep(0.02)
    return [worker.poll() for worker in workers]


def verdict(codes: list[int | None]) -> int:
    """The exit code of a run whose workers ended with `codes`.

    A worker that has explained its end speaks for all; else one that did not end well was lost.

    >>> verdict([0, 0]), verdict([2, -6]), verdict([3, -9]), verdict([130, 130])
    (0, 2, 3, 130)
    """
    for code in _EXPLAINED:
        if code in codes:
            return code
    return 0 if all(code == 0 for code in codes) else processes.LOST


def _lost(order: Order, ids: list[int], codes: list[int | None]) -> str:
    """Who was lost, at which step, and how to go on."""
    path = Path(order.path)
    ended = [(k, c) for k, c in zip(ids, codes, strict=True) if c not in (0, processes.LOST)]
    # JAX aborts (SIGABRT) those that have lost another: they are not the ones to name
    ended.sort(key=lambda pair: (pair[1] is not None, pair[1] == -signal.SIGABRT))
    who = f"worker lost: process {ended[0][0]} ({_how(ended[0][1])})" if ended else "a worker was lost"
    with suppress(InputError, OSError):
        step, saved = len(read_metrics(path)), checkpoints.steps(path / "checkpoints")
        where = f"step {saved[-1]} is saved" if saved else "no step is saved yet"
        if (path / "config.toml").is_file():
            return f"{who} at step {step}; {where}. Go on with: intertwine resume {path}"
    return f"{who} before the first step; start the run again."


def _how(code: int | None) -> str:
    if code is None:
        return "it did not answer"
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


class _PassOn:
    """While entered, signals go to the workers, which end the run after the step they are in."""

    def __init__(self, workers: list[subprocess.Popen[bytes]]):
        self._workers = workers
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        with suppress(ValueError):  # not in the main thread
            for number in SIGNALS:
                if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._pass)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass(self, number: int, frame: object) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(number)
