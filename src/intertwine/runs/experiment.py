"""What a command gives the engine: a study made from its settings, and the words of its run folder.

    class Toy(Experiment):
        def __init__(self, settings): self.study, self.every = ..., settings.checkpoint_every
        def finish(self, state, history, seconds): return Finished({...}, dataset, ["x = 1"])

Everything else has a default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from jaxtyping import PyTree

from intertwine.learning.study import Scalars, Study

if TYPE_CHECKING:
    import xarray

    from intertwine.runs.run_folder import RunFolder


class Finished(NamedTuple):
    """The end of a run. record: `result.json`, with its caveats under "warnings". dataset: makes `result.nc`.
    words: what is told. write: writes whatever else belongs into the folder.
    """

    record: dict[str, Any]
    dataset: Callable[[], xarray.Dataset]
    words: list[str]
    write: Callable[[RunFolder], object] = lambda _: None


class Experiment(Protocol):
    """A run of one kind, made ready from its settings.

    study: what is done, line by line. every: lines between checkpoints. memory: bytes that it needs. source:
    what `data.json` says of the data, with their "checksum"; None for runs without.
    """

    study: Study[Any, Any]
    every: int
    memory: int = 0
    source: dict[str, Any] | None = None

    def announce(self) -> None:
        """Print what is about to be done."""
        return

    def measured(self, state: PyTree, scalars: Scalars, line: int) -> Scalars:
        """The line of metrics: what the study measured, and whatever is measured of its state besides."""
        return scalars

    def describe(self, record: Scalars) -> str:
        """A line of metrics in words, for the progress; called for every line in turn."""
        numbers = (f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float) and k != "seconds")
        return "  ".join(numbers).replace("-", "−")

    def finish(self, state: PyTree, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        """The last estimates. seconds: the time that the run has taken so far."""
        ...
