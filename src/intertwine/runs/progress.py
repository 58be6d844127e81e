"""What a run shows while it goes on: a live line on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

Describe = Callable[[dict[str, Any]], str]


class Progress(Protocol):
    """Told of every step; `note` is a line that stays."""

    def step(self, record: dict[str, Any]) -> None: ...

    def note(self, line: str) -> None: ...


class Silent:
    """Shows nothing: for use as a library and in tests."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def step(self, record: dict[str, Any]) -> None:
        return None

    def note(self, line: str) -> None:
        return None


class Plain:
    """A line every `interval` seconds, for logs and pipes."""

    def __init__(self, steps: int, describe: Describe, interval: float = 5.0):
        self.steps, self.describe, self.interval = steps, describe, interval
        self._begin: float | None = None
        self._shown = -math.inf
        self._first = 0

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def step(self, record: dict[str, Any]) -> None:
        now, step = time.monotonic(), record["step"] + 1
        words = self.describe(record)  # of every step: it may remember what not every line has
        if self._begin is None:
            self._begin, self._first = now, step
        if now - self._shown < self.interval and step != self.steps:
            return
        self._shown = now
        done = step - self._first
        left = (now - self._begin) / done * (self.steps - step) if done else None
        tail = f"  {left:.0f} s left" if left is not None else ""
        print(f"step {step}/{self.steps}  {words}{tail}", flush=True)

    def note(self, line: str) -> None:
        print(line, flush=True)


class Live:
    """One line that is redrawn, with a bar and the time left."""

    def __init__(self, steps: int, describe: Describe, done: int = 0):
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress as Bar,
            TextColumn,
            TimeRemainingColumn,
        )

        self.describe = describe
        self._bar = Bar(
            TextColumn("step"), MofNCompleteColumn(), BarColumn(bar_width=20), TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False), refresh_per_second=4,
        )  # fmt: skip
        self._task = self._bar.add_task("compiling", total=steps, completed=done)

    def __enter__(self) -> Live:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def step(self, record: dict[str, Any]) -> None:
        self._bar.update(self._task, completed=record["step"] + 1, description=self.describe(record))

    def note(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


def show(steps: int, done: int, describe: Describe) -> AbstractContextManager[Progress]:
    """`Live` on a terminal that can redraw a line, `Plain` elsewhere. done: of the `steps` lines; describe:
    puts one in words."""
    import sys

    if sys.stdout.isatty():
        from rich.console import Console

        if not Console().is_dumb_terminal:
            return Live(steps, describe, done)
    return Plain(steps, describe)
