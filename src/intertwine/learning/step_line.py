"""A line that is redrawn after every step, for calls from Python: on a terminal and in notebooks.

Where the stream is neither, a line is printed every few seconds, so that logs stay short.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

from jaxtyping import PyTree


class StepLine:
    """Called with the state and the scalars of each step (`progress=True` of `ground_state`).

    >>> import io
    >>> shown = StepLine(2, stream=io.StringIO(), live=True)
    >>> shown(None, {"step": 0, "energy": -1.25, "error": 0.01, "v_score": 0.02})
    >>> shown.stream.getvalue().strip()
    'step 1/2  energy −1.2500 ± 0.0100  V-score 2.0e-02'
    """

    def __init__(
        self, steps: int, *, stream: TextIO | None = None, live: bool | None = None, interval: float = 5.0
    ):
        self.steps, self.stream = steps, sys.stderr if stream is None else stream
        self.live = _is_live(self.stream) if live is None else live
        self.interval = 0.1 if self.live else interval
        self._begun, self._shown, self._done = time.monotonic(), float("-inf"), 0

    def __call__(self, state: PyTree, scalars: dict[str, float]) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._shown < self.interval and self._done < self.steps:
            return
        self._shown = now
        words = f"step {self._done}/{self.steps}  energy {scalars['energy']:.4f} ± {scalars['error']:.4f}"
        if "v_score" in scalars:
            words += f"  V-score {scalars['v_score']:.1e}"
        if self._done > 1:
            words += f"  {(now - self._begun) / self._done * (self.steps - self._done):.0f} s left"
        words = words.replace("-", "−", 1) if scalars["energy"] < 0 else words
        print(f"\r{words:<78}" if self.live else words, end="" if self.live else "\n", file=self.stream)
        self.stream.flush()

    def close(self) -> None:
        """End the line."""
        if self.live and self._done:
            print(file=self.stream)


def _is_live(stream: TextIO) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)()) or "ipykernel" in sys.modules
