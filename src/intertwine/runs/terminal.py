"""What a run says must not stop it: terminals that cannot show a character, pipes that nobody reads any more,
closed streams.

A character that the terminal's encoding lacks is written in plain ones (− as -, ± as +/-). Once a stream
cannot be written (`| head -1`, a full disk behind `>`, a terminal that was closed) the run goes on without
it, and says so once where it still can.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

_PLAIN = {
    "−": "-", "–": "-", "—": "-", "±": "+/-", "×": "x", "·": "*", "…": "...", "→": "->", "↦": "->",
    "≤": "<=", "≥": ">=", "≈": "~", "≠": "!=", "∞": "inf", "⟨": "<", "⟩": ">", "°": " degrees", "²": "^2",
    "³": "^3", "⁴": "^4", "∂": "d", "Σ": "Sum", "Δ": "Delta", "Ψ": "Psi", "ψ": "psi", "λ": "lambda",
    "ν": "nu", "η": "eta", "χ": "chi", "β": "beta", "σ": "sigma", "τ": "tau", "é": "e", "’": "'",
}  # fmt: skip
NAME = "intertwine.plain"
"""Of the way to encode what an encoding lacks."""


def plain(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that cannot be encoded.

    >>> register()
    >>> "E −35.6 ± 0.1 ☃".encode("ascii", NAME)
    b'E -35.6 +/- 0.1 \\\\u2603'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, ascii(c)[1:-1]) for c in error.object[error.start : error.end]), error.end


def register() -> None:
    """Make `NAME` known to Python's encoders."""
    codecs.register_error(NAME, plain)


class _Lasting(io.FileIO):
    """A descriptor whose writes never fail: what cannot be written is dropped, which `lost` tells once."""

    def __init__(self, descriptor: int, lost: Any):
        super().__init__(descriptor, "w", closefd=False)
        self._lost = lost

    def write(self, data: Any) -> int:
        if self._lost is not None:
            try:
                return super().write(data)
            except OSError:
                lost, self._lost = self._lost, None
                lost()
        return memoryview(data).nbytes


def lasting(descriptor: int, like: TextIO | None, lost: Callable[[], None] = lambda: None) -> TextIO:
    """A text stream over `descriptor`, in the encoding of the stream `like`, that no character and no reader
    breaks; `lost` is called when its writes begin to be dropped.
    """
    register()
    buffer = io.BufferedWriter(_Lasting(descriptor, lost))
    encoding = getattr(like, "encoding", None) or "utf-8"
    return io.TextIOWrapper(buffer, encoding=encoding, errors=NAME, line_buffering=True)


def open_descriptors() -> None:
    """Standard streams that are closed lead nowhere: no file of a run may get their numbers."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


@contextmanager
def steady(*, own: bool, tell: bool = True) -> Iterator[None]:
    """Within, `sys.stdout` and `sys.stderr` are such streams.

    own: whether this process is the command's own, whose descriptors may be used. tell: whether to say on
    standard error that standard output is no longer read.
    """
    before = sys.stdout, sys.stderr
    if own:
        open_descriptors()
        sys.stderr = lasting(2, sys.stderr)
        sys.stdout = lasting(1, sys.stdout, _tell if tell else lambda: None)
    else:
        register()
    encoders = [_encode_plainly(stream) for stream in (sys.stdout, sys.stderr)]
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        for stream, errors in zip((sys.stdout, sys.stderr), encoders, strict=True):
            with suppress(OSError, ValueError):
                if errors is not None:
                    stream.reconfigure(errors=errors)  # type: ignore[union-attr]
        sys.stdout, sys.stderr = before


def _encode_plainly(stream: Any) -> str | None:
    """Let a stream of Python's encode by `NAME`; what it did before."""
    errors = getattr(stream, "errors", None)
    if errors is None or not hasattr(stream, "reconfigure"):
        return None
    stream.reconfigure(errors=NAME)
    return errors


def _tell() -> None:
    with suppress(OSError, ValueError):
        print("warning: standard output is no longer read; the run goes on", file=sys.stderr, flush=True)


def warn(line: str) -> None:
    """A line on standard error."""
    print(f"warning: {' '.join(line.split())}", file=sys.stderr, flush=True)
