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


def describe_energy(record: dict[str, Any], exact: float | None) -> str:
    """Energy, error, V-score, acceptance of one step.

    >>> describe_energy({"energy": -35.6123, "error": 0.0021, "v_score": 1.2e-4}, -35.61754)
    'E −35.6123 ± 0.0021  (1.5e-04 from exact)  V-score 1.2e-04'
    """
    energy, error = record["energy"], record["error"]
    digits = 4 if not error or not math.isfinite(error) else max(0, min(8, 1 - math.floor(math.log10(error))))
    words = f"E {energy:.{digits}f} ± {error:.{digits}f}".replace("-", "−")
    if exact:
        words += f"  ({abs(energy - exact) / abs(exact):.1e} from exact)"
    score, acceptance = record.get("v_score"), record.get("acceptance")
    words += f"  V-score {score:.1e}" if score is not None else ""
    return words + (f"  acceptance {acceptance:.2f}" if acceptance is not None else "")


class Plain:
    """A line every `interval` seconds, for logs and pipes."""

    def __init__(
        self, steps: int, exact: float | None = None, interval: float = 5.0, describe: Describe | None = None
    ):
        self.steps, self.interval = steps, interval
        self.describe = describe or (lambda record: describe_energy(record, exact))
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

    def __init__(
        self, steps: int, exact: float | None = None, done: int = 0, describe: Describe | None = None
    ):
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress as Bar,
            TextColumn,
            TimeRemainingColumn,
        )

        self.describe = describe or (lambda record: describe_energy(record, exact))
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


def show(
    steps: int, exact: float | None, done: int = 0, *, describe: Describe | None = None
) -> AbstractContextManager[Any]:
    """`Live` on a terminal that can redraw a line, `Plain` elsewhere; `describe` puts a record in words (as
    `describe_energy` if None)."""
    import sys

    if sys.stdout.isatty():
        from rich.console import Console

        if not Console().is_dumb_terminal:
            return Live(steps, exact, done, describe)
    return Plain(steps, exact, describe=describe)
