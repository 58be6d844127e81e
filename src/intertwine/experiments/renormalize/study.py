"""The experiment `renormalize`: what coarse graining does to a spin system or to a trained network.

    flow         blocked samples: Monte Carlo renormalization (`sampled`), or an approximate
                 transformation in coupling space (`approximate`)
    exponents    ν and η by finite-size scaling (`exponents`)
    network      a trained machine as a renormalization step (`network`)

Each is a `Study`: lines of metrics, one after another, and the state after each, a pytree fit for a
checkpoint. The key of a line is folded from its number, so that a run that was killed goes on from its last
checkpoint to the numbers that it would have had.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

from intertwine.experiments.memory_needs import for_renormalizing
from intertwine.experiments.renormalize.files import own_files
from intertwine.experiments.renormalize.names import NETWORK
from intertwine.experiments.renormalize.results import Outcome, dataset, metrics_record, result_record
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.learning.guard import Diverged
from intertwine.runs import running
from intertwine.runs.progress import show as show_lines
from intertwine.runs.running import Finished, report

Show = Callable[..., AbstractContextManager[Any]]


def build(c: RenormalizeConfiguration) -> Any:
    """The study that the configuration asks for; `InputError` for what does not go together."""
    name = "approximate" if c.approximate else {"flow": "sampled"}.get(c.study, c.study)
    return import_module(f"intertwine.experiments.renormalize.{name}").build(c)


class Plan:
    """A renormalization run made ready: see `running.Plan`."""

    def __init__(self, configuration: RenormalizeConfiguration):
        self.memory = for_renormalizing(configuration)
        self.c, self.study = configuration, build(configuration)
        self.source = source_record(configuration)
        self.lines, self.every, self.start = (
            self.study.lines,
            configuration.checkpoint_every,
            self.study.start,
        )

    @property
    def template(self) -> Any:
        return self.study.template

    def announce(self) -> None:
        print(self.study.announcement, flush=True)

    def iterate(self, state: Any, history: list[dict[str, Any]]) -> Iterator[tuple[Any, dict[str, Any]]]:
        return _lines(self.study, state, len(history))

    def last_good(self, error: Diverged, first: Any) -> None:
        return None

    def finish(self, state: Any, history: list[dict[str, Any]], seconds: Callable[[], float]) -> Finished:
        outcome: Outcome = self.study.finish(state)
        record = result_record(self.c, outcome, seconds())
        return Finished(record, lambda: dataset(self.c, outcome, history), outcome.words)


def start(
    configuration: RenormalizeConfiguration,
    out: str | Path,
    *,
    overwrite: bool = False,
    show: Show = show_lines,
) -> Path:
    """Run `configuration` in the new folder `out`; the path of the folder (`running.start`)."""
    return running.start(
        lambda: Plan(configuration), configuration, out, overwrite=overwrite, shown=_shown(show), page=report
    )


def resume(path: str | Path, configuration: RenormalizeConfiguration, *, show: Show = show_lines) -> Path:
    """Go on with the run at `path` (`running.resume`)."""
    return running.resume(lambda: Plan(configuration), path, shown=_shown(show), page=report)


def _shown(show: Show) -> Callable[[Any, int], AbstractContextManager[Any]]:
    return lambda plan, done: show(plan.lines, None, done, describe=plan.study.describe)


def _lines(study: Any, first: Any, done: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The remaining lines of metrics, with the seconds of each."""
    begun = time.perf_counter()
    for state, scalars in study.iterate(first, done):
        yield state, metrics_record({"step": done, **scalars, "seconds": time.perf_counter() - begun})
        begun, done = time.perf_counter(), done + 1


def source_record(c: RenormalizeConfiguration) -> dict[str, Any] | None:
    """What names the network or the files of the run, for `data.json`; None where there are none."""
    if c.rule.family != NETWORK:
        return own_files(c)
    from intertwine.experiments.renormalize.trained_network import checksum

    return {"network": c.rule.name, "checksum": checksum(c.rule.name)}
