"""A problem as a line on standard error and an exit code: 2 for what was given, 1 for a run that diverged,
130 for one that was interrupted.
"""

from __future__ import annotations

import sys

from intertwine._checks import InputError

INTERRUPTED = 130
"""Exit code of a run that was stopped by a signal."""


def _one_line(message: str) -> str:
    """`message` on one line, of bounded length, without characters that a terminal would act on."""
    line = " ".join(message.split())
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= 600 else line[:300] + " ... " + line[-250:]


def explain(error: BaseException) -> int | None:
    """Say what went wrong, a line a problem; the exit code, or None for an error of the program itself."""
    from intertwine.runs.interruption import Interrupted

    if isinstance(error, InputError):
        for line in getattr(error, "problems", [str(error)]):
            print(f"error: {_one_line(line)}", file=sys.stderr)
        return 2
    if isinstance(error, Interrupted):
        print(error, file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        print("interrupted.", file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        print("error: memory: this machine has not enough for it; take less of what the settings make large.",
              file=sys.stderr)  # fmt: skip
        return 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}; check the path, its permissions and the free space.",
              file=sys.stderr)  # fmt: skip
        return 2
    words = getattr(error, "format_message", None)  # a flag or command that does not exist
    if words is not None:
        print(f"error: {_one_line(words())} See: intertwine --help", file=sys.stderr)
        return 2
    from intertwine.learning.guard import Diverged

    if isinstance(error, Diverged):
        print(f"error: {_one_line(str(error))}", file=sys.stderr)
        return 1
    return None
