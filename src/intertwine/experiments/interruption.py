"""Ctrl-C (or SIGTERM) ends a run after the step that it is in, with a checkpoint; a second Ctrl-C ends it
at once.
"""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupted(Exception):  # noqa: N818  (an outcome, not an error)
    """The run was asked to stop and can be resumed; the message says how."""


class StopRequest:
    """While entered, the first SIGINT or SIGTERM only sets `asked`."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
