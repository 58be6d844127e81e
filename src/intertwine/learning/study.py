"""Studies: whatever takes long, as pure data, the same for a function of the library and for a command.

    state = study.start()
    for state, scalars in study.iterate(state, 0): ...      # a line of metrics each
    outcome = study.finish(state, history)

A study knows its number of lines in advance. The state after a line, a pytree fit for a checkpoint,
determines everything that follows: whatever decides something (chains, momenta, the guard against divergence,
the best parameters so far) is in it, and the key of a line is folded from its number. So a study that was
interrupted after any line goes on to the numbers that it would have had.

`carry_out` runs one without a folder: that is what the public functions do. The engine of `intertwine.runs`
runs the same one with a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from intertwine.learning.guard import Diverged

State = TypeVar("State")
Outcome = TypeVar("Outcome", covariant=True)
Scalars = dict[str, Any]
"""A line of metrics: name → number, None or a word."""


class Study(Protocol[State, Outcome]):
    """See the module. lines: of metrics, in all. A class that names it as its base inherits `last_good`."""

    lines: int

    def start(self) -> State:
        """The state before the first line."""
        ...

    def template(self, done: int) -> State:
        """A state of the structure of that after `done` lines, cheap to make."""
        ...

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, Scalars]]:
        """(state, scalars) after each line that follows the first `done`."""
        ...

    def finish(self, state: State, history: list[Scalars]) -> Outcome:
        """What was found, from the state after the last line and all lines."""
        ...

    def last_good(self, error: Diverged) -> tuple[State, int] | None:
        """(state, line) to go back to where the study diverged; None for those of the last line."""
        return None


def carry_out(
    study: Study[State, Outcome],
    *,
    progress: Callable[[State, Scalars], object] | None = None,
) -> Outcome:
    """The outcome of `study`, run from its beginning to its end in this process.

    progress: called with the state and the scalars after each line; where it raises `StopIteration`, that
    line is the last one. Raises what the study raises, `Diverged` among it.
    """
    state, history = study.start(), list[Scalars]()
    for now, scalars in study.iterate(state, 0):
        state = now
        history.append(scalars)
        try:
            if progress is not None:
                progress(state, scalars)
        except StopIteration:
            break
    return study.finish(state, history)
