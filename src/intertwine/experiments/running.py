"""What every kind of run does while it goes on: a line of metrics, a checkpoint now and then, an end that
can be resumed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intertwine._caveats import beneath
from intertwine.experiments import checkpoints
from intertwine.experiments.interruption import Interrupted, StopRequest
from intertwine.experiments.processes import any_process, is_leader
from intertwine.experiments.run_folder import CONFIG
from intertwine.learning.guard import Diverged


class Ledger(NamedTuple):
    """Where a run is written: its folder, the text of its config.toml, and its lines of metrics so far."""

    folder: Any
    config: str
    history: list[dict[str, Any]]


def follow(
    ledger: Ledger,
    state: Any,
    lines: Iterator[tuple[Any, dict[str, Any]]],
    *,
    total: int,
    every: int,
    shown: AbstractContextManager[Any],
    last_good: Callable[[Diverged], tuple[Any, int] | None] = lambda _: None,
) -> Any:
    """Write what `lines` yields, (state, metrics) of each step up to `total`; the last state.

    A checkpoint is saved every `every` steps and at the end; when the process is asked to stop, after the
    step that it is in, and `Interrupted` raised; when the run diverges, of the state and step that
    `last_good` gives (those of the last line for None), and `Diverged` goes on.
    """
    done = saved = len(ledger.history)
    # a run that diverges overflows first: the guard tells of it, in words
    with StopRequest() as stop, shown as progress, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            for state, record in lines:
                ledger.folder.append_metrics(record)
                ledger.history.append(record)
                progress.step(record)
                done += 1
                asked = any_process(stop.asked)
                if done % every == 0 or done == total or asked:
                    save(ledger, state, done)
                    saved = done
                if asked and done < total:
                    raise interrupted(ledger, saved)
        except KeyboardInterrupt:
            raise interrupted(ledger, saved) from None
        except Diverged as error:
            good, step = last_good(error) or (state, done)
            if is_leader():
                checkpoints.drop_after(ledger.folder.checkpoints, step)
            save(ledger, good, step)
            raise
    return state


def is_complete(folder: Any) -> bool:
    """Whether the run in an open `RunFolder` has its results; its report is then written again."""
    if not (folder.result.exists() and folder.dataset.exists()):
        return False
    print(f"{folder.path}: this run is complete; its report is written again.")
    report(folder.path)
    return True


def pick_up(folder: Any, plan: Any) -> tuple[Ledger, Any]:
    """The ledger and the state of a run that goes on from its newest good checkpoint, or from its beginning.

    plan: has `lines`, how many there will be, `start()`, the first state, and `template`, a state of the
    right structure or a function from the step to one. Later metrics and results are taken away.
    """
    config = (folder.path / CONFIG).read_text(encoding="utf-8")
    history = folder.read_metrics()
    loaded = checkpoints.load_latest(folder.checkpoints, plan.template, config=config, last_step=len(history))
    state, done = (plan.start(), 0) if loaded is None or not loaded.step else (loaded.state, loaded.step)
    for line in loaded.refused if loaded is not None else ():
        warn(f"refused: {line}")
    print(f"resumed from step {done} of {plan.lines}", flush=True)
    folder.cut_metrics(done)
    folder.remove_results()
    return Ledger(folder, config, history[:done]), state


def save(ledger: Ledger, state: Any, step: int) -> None:
    """A checkpoint after `step` steps, once their metrics are on the disk."""
    ledger.folder.sync_metrics()
    checkpoints.save(ledger.folder.checkpoints, state, step, config=ledger.config)


def interrupted(ledger: Ledger, step: int) -> Interrupted:
    """The outcome of a run that was stopped and says how to go on."""
    return Interrupted(
        f"interrupted; step {step} is saved. Go on with: intertwine resume {ledger.folder.path}"
    )


def report(folder: Path) -> None:
    """The page; a run whose page cannot be drawn is still a run."""
    from intertwine.report import write_report

    if not is_leader():
        return
    try:
        print(f"report: {write_report(folder)}", flush=True)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        warn(f"the report was not written ({what}); try: intertwine report {folder}")


def conclude(words: Iterable[str], caveats: Iterable[str]) -> None:
    """The end of a run on the terminal: what it found, and right beneath it what qualifies that."""
    print(beneath("\n".join(words), caveats), flush=True)


def warn(line: str) -> None:
    """A line on standard error."""
    print(f"warning: {' '.join(line.split())}", file=sys.stderr, flush=True)
