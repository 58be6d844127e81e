"""What every kind of run does: claim a folder, build, train line by line, finish, and be resumed.

A kind gives a `Plan`, all that its configuration determines; the rest is written once, here. A run can be
stopped by a signal at any moment: after the step that it is in while it trains, at once while it is built or
finished (`interruption`), and goes on from its newest checkpoint to the numbers that it would have had.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from intertwine._caveats import beneath
from intertwine._checks import fail
from intertwine._memory import available_memory, in_words
from intertwine.learning.guard import Diverged
from intertwine.records.folder import settings_hash
from intertwine.runs import checkpoints
from intertwine.runs.dataset import write_dataset
from intertwine.runs.interruption import Interrupted, StopRequest
from intertwine.runs.processes import Follower, any_process, is_leader
from intertwine.runs.run_folder import (
    CONFIG,
    DATA,
    RunFolder,
    from_json,
    to_json,
    write_aside,
)
from intertwine.runs.settings import to_toml


class Ledger(NamedTuple):
    """Where a run is written: its folder, the text of its config.toml, and its lines of metrics so far."""

    folder: Any
    config: str
    history: list[dict[str, Any]]


class Finished(NamedTuple):
    """The end of a run. record: `result.json`, with its caveats under "warnings". dataset: makes `result.nc`.
    words: what is told. write: writes whatever else belongs into the folder.
    """

    record: dict[str, Any]
    dataset: Callable[[], Any]
    words: list[str]
    write: Callable[[RunFolder], Any] = lambda _: None


class Plan(Protocol):
    """A run of one kind, made ready.

    lines: of metrics, in all. every: lines between checkpoints. template: a state of the right structure, or
    a function from the line to one. memory: bytes that it needs. source: what `data.json` says of the data,
    with their "checksum"; None for runs without.
    """

    @property
    def lines(self) -> int: ...
    @property
    def every(self) -> int: ...
    @property
    def template(self) -> Any: ...
    @property
    def memory(self) -> int: ...
    @property
    def source(self) -> dict[str, Any] | None: ...

    def announce(self) -> None:
        """Tell what is about to be done."""
        ...

    def start(self) -> Any:
        """The state before the first line."""
        ...

    def iterate(self, state: Any, history: list[dict[str, Any]]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """(state, line of metrics) after each line that follows `history`."""
        ...

    def last_good(self, error: Diverged, first: Any) -> tuple[Any, int] | None:
        """(state, line) to be saved of a run that diverged; None for those of the last line."""
        ...

    def finish(self, state: Any, history: list[dict[str, Any]], seconds: Callable[[], float]) -> Finished:
        """The last estimates. seconds: the time that the run has taken so far."""
        ...


Prepare = Callable[[], Plan]
Shown = Callable[[Plan, int], AbstractContextManager[Any]]


def start(
    prepare: Prepare,
    configuration: Any,
    out: str | Path,
    *,
    overwrite: bool,
    shown: Shown,
    page: Callable[[Path], Any] | None = None,
) -> Path:
    """Run the plan of `prepare()` in the new folder `out`, which is claimed first; the path of the folder.

    Where nothing comes of it (`InputError` while it is built), nothing at `out` is changed. Raises
    `InputError`, `Diverged` (the last good state is then the last checkpoint) or `Interrupted` (resume it).
    """
    begun = time.perf_counter()
    config = to_toml(configuration)
    claim = RunFolder.claim if is_leader() else Follower.claim
    with StopRequest() as stop, claim(out, config, overwrite=overwrite) as folder, _stoppable(folder, stop):
        plan = prepare()
        _announce(plan)
        state = plan.start()
        folder.begin()
        if plan.source is not None:
            write_aside(folder.path / DATA, to_json(plan.source, indent=2) + "\n")
        return _go_on(plan, Ledger(folder, config, []), state, begun, stop, shown, page or report)


def resume(
    prepare: Prepare, path: str | Path, *, shown: Shown, page: Callable[[Path], Any] | None = None
) -> Path:
    """Go on with the run at `path` from its newest good checkpoint (from the beginning where there is none).

    Raises as `start` does, and `InputError` where its settings or its data are not those that it began with.
    """
    begun = time.perf_counter()
    page = page or report
    with StopRequest() as stop, _opened(path) as folder, _stoppable(folder, stop):
        if _is_complete(folder):
            print(f"{folder.path}: this run is complete; its report is written again.")
            page(folder.path)
            return folder.path
        plan = prepare()
        _check_same_source(folder.path / DATA, plan.source)
        _announce(plan)
        ledger, state = _pick_up(folder, plan)
        return _go_on(plan, ledger, state, begun, stop, shown, page)


def _announce(plan: Plan) -> None:
    plan.announce()
    print(f"about {in_words(plan.memory)} of {in_words(available_memory())} of memory", flush=True)


def _opened(path: str | Path) -> RunFolder:
    return RunFolder.open(path) if is_leader() else Follower(path)


@contextmanager
def _stoppable(folder: RunFolder, stop: StopRequest) -> Iterator[None]:
    """Within, a signal's `KeyboardInterrupt`, or what a library has made of it, ends as `Interrupted`, which
    says what is saved and how to go on.
    """
    try:
        yield
    except Interrupted:
        stop.heard = True
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or (stop.at_once and isinstance(error, Exception)):
            stop.heard = True
            raise Interrupted(_how_to_go_on(folder)) from None
        raise


def _how_to_go_on(folder: RunFolder) -> str:
    if not folder.begun:
        return "interrupted before the first step; nothing was written."
    if folder.result.exists():
        return f"interrupted; all but the page is there. Draw it with: intertwine report {folder.path}"
    saved = checkpoints.steps(folder.checkpoints)
    where = f"step {saved[-1]} is saved" if saved else "no step is saved yet"
    return f"interrupted; {where}. Go on with: intertwine resume {folder.path}"


def _go_on(
    plan: Plan, ledger: Ledger, state: Any, begun: float, stop: StopRequest, shown: Shown, page: Any
) -> Path:
    done = len(ledger.history)
    before = sum(float(line.get("seconds") or 0.0) for line in ledger.history)
    state = follow(
        ledger,
        state,
        plan.iterate(state, ledger.history[:done]),
        total=plan.lines,
        every=plan.every,
        shown=shown(plan, done),
        last_good=lambda error, first=state: plan.last_good(error, first),
        stop=stop,
    )
    _finish(plan, ledger, state, lambda: round(time.perf_counter() - begun + before, 3))
    page(ledger.folder.path)
    return ledger.folder.path


def follow(
    ledger: Ledger,
    state: Any,
    lines: Iterator[tuple[Any, dict[str, Any]]],
    *,
    total: int,
    every: int,
    shown: AbstractContextManager[Any],
    last_good: Callable[[Diverged], tuple[Any, int] | None] = lambda _: None,
    stop: StopRequest,
) -> Any:
    """Write what `lines` yields, (state, metrics) of each step up to `total`; the last state.

    A checkpoint is saved every `every` steps and at the end; when the process is asked to stop, after the
    step that it is in, and `KeyboardInterrupt` raised; when the run diverges, of the state and step that
    `last_good` gives (those of the last line for None), and `Diverged` goes on.
    """
    done = len(ledger.history)
    # a run that diverges overflows first: the guard tells of it, in words
    with stop.gently(), shown as progress, np.errstate(all="ignore"), warnings.catch_warnings():
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
                if asked:
                    raise KeyboardInterrupt
            if any_process(stop.asked):
                raise KeyboardInterrupt
        except Diverged as error:
            good, step = last_good(error) or (state, done)
            if is_leader():
                checkpoints.drop_after(ledger.folder.checkpoints, step)
            save(ledger, good, step)
            raise
    return state


def _finish(plan: Plan, ledger: Ledger, state: Any, seconds: Callable[[], float]) -> None:
    """The final estimates, and the files that tell of them: `result.json` last."""
    folder = ledger.folder
    finished = plan.finish(state, ledger.history, seconds)
    record = finished.record | {"settings_sha256": settings_hash(ledger.config)}
    if is_leader():
        folder.check_config(ledger.config)
        finished.write(folder)
        write_dataset(folder.dataset, finished.dataset())
        write_aside(folder.result, to_json(record, indent=2) + "\n")
    conclude(finished.words, record["warnings"])


def _is_complete(folder: Any) -> bool:
    """Whether the run in an open `RunFolder` has its results; `InputError` where they are those of other
    settings than its config.toml now has.
    """
    if not (folder.result.exists() and folder.dataset.exists()):
        return False
    try:
        record = from_json(folder.result.read_bytes())
        ran = record.get("settings_sha256") if isinstance(record, dict) else None
    except (OSError, ValueError):
        return True
    path = folder.path / CONFIG
    if ran is not None and ran != settings_hash(path.read_text(encoding="utf-8")):
        remedy = f"undo the edit of config.toml, or start a new run with it: intertwine run {path}"
        raise fail(str(path), "the settings of this finished run", "others: it was edited", remedy)
    return True


def _pick_up(folder: Any, plan: Plan) -> tuple[Ledger, Any]:
    """The ledger and the state of a run that goes on from its newest good checkpoint, or from its beginning.

    Later metrics and results are taken away.
    """
    config = (folder.path / CONFIG).read_text(encoding="utf-8")
    history = folder.read_metrics()
    loaded = checkpoints.load_latest(folder.checkpoints, plan.template, config=config, last_step=len(history))
    state, done = (plan.start(), 0) if loaded is None or not loaded.step else (loaded.state, loaded.step)
    for line in loaded.refused if loaded is not None else ():
        warn(f"refused: {line}")
    print(f"resumed from step {done} of {plan.lines}", flush=True)
    any_process(True)  # all have read the folder; from here on the leader changes it
    if is_leader():
        checkpoints.drop_after(folder.checkpoints, done)  # refused, or of lines that are lost
    folder.cut_metrics(done)
    folder.remove_results()
    return Ledger(folder, config, history[:done]), state


def _check_same_source(path: Path, now: dict[str, Any] | None) -> None:
    """Raise `InputError` where the data, or the network, are not those that the run began with."""
    if now is None:
        return
    try:
        before = from_json(path.read_bytes())["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        got = "a file that is missing or damaged"
        raise fail(str(path), "the checksum of the run's data", got, "start a new run") from None
    if before != now["checksum"]:
        what, named = ("network", "rule.name") if "network" in now else ("data", "data.name")
        got = f"{now.get('source') or now.get(what)}: {now['checksum']}"
        remedy = "put the old one back, or start a new run"
        raise fail(named, f"the {what} of this run ({before})", got, remedy)


def save(ledger: Ledger, state: Any, step: int) -> None:
    """A checkpoint after `step` steps, once their metrics are on the disk."""
    ledger.folder.sync_metrics()
    ledger.folder.check_there()
    checkpoints.save(ledger.folder.checkpoints, state, step, config=ledger.config)


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
