"""How a run is stopped from outside: Ctrl-C (SIGINT), SIGTERM, SIGHUP, and what batch systems send.

While it trains, the first of them ends a run after the step that it is in, with a checkpoint; a second ends
it at once. At other times (while it is built, in the final estimates) the first ends it at once: all that
there is, is saved. A hang-up that is ignored (`nohup`) stays so.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1")
    if hasattr(signal, name)
)
AGAIN = 1.0
"""Seconds after which an interruption that a library has swallowed is raised once more."""


class Interrupted(Exception):  # noqa: N818  (an outcome, not an error)
    """The run was asked to stop and can be resumed; the message says how."""


class StopRequest:
    """While entered, signals end the run: `asked` once one has come, `at_once` once the run is to end where
    it is, by a `KeyboardInterrupt` in the main thread, repeated until somebody has `heard`. Within `gently()`
    the first only sets `asked`.

    last: whether the process ends with this: signals that come later are ignored.
    """

    def __init__(self, *, last: bool = False) -> None:
        self.asked = False
        self.at_once = False
        self.heard = False
        self._last = last
        self._gentle = False
        self._before: dict[int, Any] = {}
        self._hook: Any = None

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if number != signal.SIGINT and before is signal.SIG_IGN:
                    continue
                self._before[number] = signal.signal(number, self._ask)
            self._hook, sys.unraisablehook = sys.unraisablehook, self._swallowed
        outer = getattr(self._before.get(signal.SIGINT), "__self__", None)
        if isinstance(outer, StopRequest) and outer.asked:
            self.__exit__()
            raise KeyboardInterrupt
        return self

    def __exit__(self, *exception: object) -> None:
        self.heard = True
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._last else handler)
        if self._hook is not None:
            sys.unraisablehook, self._hook = self._hook, None
        self._before = {}

    @contextmanager
    def gently(self) -> Iterator[None]:
        """Within, the first signal waits for the end of a step, and at the latest for the end of this."""
        self._gentle = True
        try:
            yield
        finally:
            self._gentle = False
        if self.asked:
            self._now()

    def _ask(self, number: int, frame: object) -> None:
        if self.heard:
            return
        gentle, self.asked = self._gentle and not self.asked, True
        if not gentle:
            self._now()

    def _now(self) -> None:
        self.at_once = True
        timer = threading.Timer(AGAIN, self._again)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def _again(self) -> None:
        if not self.heard:
            os.kill(os.getpid(), signal.SIGINT)

    def _swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        """An interruption that came in a callback of a library is raised again, and needs no words."""
        if self._hook is not None and not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._hook(unraisable)
