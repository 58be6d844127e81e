"""The engine: claim a folder, build, go on line by line, finish, and be resumed.

A command gives an `Experiment`, all that its settings determine; the rest is written once, here. A run can be
stopped by a signal at any moment: after the step that it is in while it trains, at once while it is built or
finished (`interruption`), and goes on from its newest checkpoint to the numbers that it would have had.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import beneath
from intertwine._checks import fail
from intertwine._memory import available_memory, in_words
from intertwine.learning.guard import Diverged
from intertwine.learning.study import Scalars
from intertwine.records.folder import FORMAT, format_of, is_hash_of, settings_hash
from intertwine.records.kinds import KINDS
from intertwine.records.schema import Schema
from intertwine.runs import checkpoints
from intertwine.runs.dataset import write_dataset
from intertwine.runs.experiment import Experiment
from intertwine.runs.fields import Settings
from intertwine.runs.interruption import Interrupted, StopRequest
from intertwine.runs.kinds import configuration_of, experiment_of, schema_of
from intertwine.runs.progress import Progress, show as show_progress
from intertwine.runs.run_folder import (
    CONFIG,
    DATA,
    RunFolder,
    check_is_run,
    from_json,
    to_json,
    write_aside,
)
from intertwine.runs.settings import read_toml, to_toml
from intertwine.runs.shared.processes import Follower, any_process, is_leader
from intertwine.runs.terminal import warn


class Ledger(NamedTuple):
    """Where a run is written: its folder, the text of its config.toml, its lines of metrics so far, and what
    its files hold."""

    folder: RunFolder
    config: str
    history: list[Scalars]
    schema: Schema


Shown = Callable[[int, int, Callable[[Scalars], str]], AbstractContextManager[Progress]]
"""(lines in all, lines done, what puts a line in words) → what shows them: `progress.show`."""


def start(
    settings: Settings, out: str | Path, *, overwrite: bool = False, show: Shown = show_progress
) -> Path:
    """Run what `settings` describe in the new folder `out`, which is claimed first; the path of the folder.

    Where nothing comes of it (`InputError` while it is built), nothing at `out` is changed. Raises
    `InputError`, `Diverged` (the last good state is then the last checkpoint) or `Interrupted` (resume it).
    """
    begun = time.perf_counter()
    settings.check_there()
    settings = settings.resolved()
    config = to_toml(settings)
    claim = RunFolder.claim if is_leader() else Follower.claim
    with StopRequest() as stop, claim(out, config, overwrite=overwrite) as folder, _stoppable(folder, stop):
        experiment = experiment_of(settings)
        _announce(experiment)
        state = experiment.study.start()
        folder.begin()
        if experiment.source is not None:
            write_aside(folder.path / DATA, to_json(experiment.source, indent=2) + "\n")
        return _to_the_end(experiment, _ledger(folder, config, [], settings), state, begun, stop, show)


def resume(path: str | Path, *, show: Shown = show_progress) -> Path:
    """Go on with the run at `path` from its newest good checkpoint (from the beginning where there is none).

    Raises as `start` does, and `InputError` where its settings or its data are not those that it began with.
    """
    begun = time.perf_counter()
    settings = configuration_of(read_toml(check_is_run(path) / CONFIG))
    with StopRequest() as stop, _opened(path) as folder, _stoppable(folder, stop):
        if _is_complete(folder):
            print(f"{folder.path}: this run is complete; its report is written again.")
            report(folder.path)
            return folder.path
        _check_format(folder.path)
        settings.check_there()
        experiment = experiment_of(settings)
        _check_same_source(folder.path / DATA, experiment.source)
        _announce(experiment)
        config = (folder.path / CONFIG).read_text(encoding="utf-8")
        ledger = _ledger(folder, config, [], settings)
        history = folder.read_metrics(ledger.schema)
        ledger, state = _newest(ledger._replace(history=history), experiment)
        return _to_the_end(experiment, ledger, state, begun, stop, show)


def _ledger(folder: RunFolder, config: str, history: list[Scalars], settings: Settings) -> Ledger:
    return Ledger(folder, config, history, schema_of(KINDS[settings.kind]))


def _announce(experiment: Experiment) -> None:
    experiment.announce()
    print(f"about {in_words(experiment.memory)} of {in_words(available_memory())} of memory", flush=True)


def _check_format(path: Path) -> None:
    """Raise `InputError` for an unfinished run whose checkpoints an earlier version wrote."""
    form = format_of(path)
    if form is None or form < FORMAT:
        got = "one without a format" if form is None else f"one of format {form}"
        remedy = f"start it again with: intertwine run {path / CONFIG}"
        raise fail(str(path), f"an unfinished run of format {FORMAT}, to go on with", got, remedy)


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


def _to_the_end(
    experiment: Experiment, ledger: Ledger, state: PyTree, begun: float, stop: StopRequest, show: Shown
) -> Path:
    done, study = len(ledger.history), experiment.study
    before = sum(float(line.get("seconds") or 0.0) for line in ledger.history)
    state = follow(
        ledger,
        state,
        _lines(experiment, ledger.schema, state, done),
        total=study.lines,
        every=experiment.every,
        shown=show(study.lines, done, experiment.describe),
        last_good=study.last_good,
        stop=stop,
    )
    _finish(experiment, ledger, state, lambda: round(time.perf_counter() - begun + before, 3))
    report(ledger.folder.path)
    return ledger.folder.path


def _lines(experiment: Experiment, schema: Schema, state: PyTree, done: int) -> Iterator[tuple[Any, Scalars]]:
    """(state, line of metrics.jsonl) after each further line, with the seconds that it took."""
    begun = time.perf_counter()
    for line, (now, scalars) in enumerate(experiment.study.iterate(state, done), start=done):
        record = {"step": line} | experiment.measured(now, scalars, line)
        yield now, schema.line(record | {"seconds": time.perf_counter() - begun})
        begun = time.perf_counter()


def follow(
    ledger: Ledger,
    state: PyTree,
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
    done = saved = len(ledger.history)
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
                    saved = done
                if asked:
                    raise KeyboardInterrupt
            if done > saved:  # the study has ended before its last line
                save(ledger, state, done)
            if any_process(stop.asked):
                raise KeyboardInterrupt
        except Diverged as error:
            good, step = last_good(error) or (state, done)
            if is_leader():
                checkpoints.drop_after(ledger.folder.checkpoints, step)
            save(ledger, good, step)
            raise
    return state


def _finish(experiment: Experiment, ledger: Ledger, state: PyTree, seconds: Callable[[], float]) -> None:
    """The final estimates, and the files that tell of them: `result.json` last."""
    folder = ledger.folder
    finished = experiment.finish(state, ledger.history, seconds)
    facts = {"schema": ledger.schema.version, "settings_sha256": settings_hash(ledger.config)}
    record = finished.record | facts
    if is_leader():
        folder.check_config(ledger.config)
        finished.write(folder)
        write_dataset(folder.dataset, finished.dataset())
        write_aside(folder.result, to_json(record, indent=2) + "\n")
    conclude(finished.words, record["warnings"])


def _is_complete(folder: RunFolder) -> bool:
    """Whether the run in an open `RunFolder` has its results; `InputError` where they are those of other
    settings than its config.toml now has.
    """
    if not (folder.result.exists() and folder.dataset.exists()):
        return False
    try:
        record = from_json(folder.result.read_bytes())
    except (OSError, ValueError):
        return False
    ran = record.get("settings_sha256") if isinstance(record, dict) else None
    path = folder.path / CONFIG
    if ran is not None and not is_hash_of(ran, path.read_text(encoding="utf-8")):
        remedy = f"undo the edit of config.toml, or start a new run with it: intertwine run {path}"
        raise fail(str(path), "the settings of this finished run", "others: it was edited", remedy)
    return True


def _newest(ledger: Ledger, experiment: Experiment) -> tuple[Ledger, Any]:
    """The ledger and the state of a run that goes on from its newest good checkpoint, or from its beginning.

    Later metrics and results are taken away.
    """
    folder, history, study = ledger.folder, ledger.history, experiment.study
    loaded = checkpoints.load_latest(
        folder.checkpoints, study.template, config=ledger.config, last_step=len(history)
    )
    state, done = (study.start(), 0) if loaded is None or not loaded.step else (loaded.state, loaded.step)
    for line in loaded.refused if loaded is not None else ():
        warn(f"refused: {line}")
    print(f"resumed from step {done} of {study.lines}", flush=True)
    any_process(True)  # all have read the folder; from here on the leader changes it
    if is_leader():
        checkpoints.drop_after(folder.checkpoints, done)  # refused, or of lines that are lost
    folder.cut_metrics(done)
    folder.remove_results()
    return ledger._replace(history=history[:done]), state


def _check_same_source(path: Path, now: dict[str, Any] | None) -> None:
    """Raise `InputError` where the data, or the network, are not those that the run began with."""
    if now is None:
        return
    try:
        record = from_json(path.read_bytes())
        pairs = [(record["checksum"], now)]
        if begun := now.get("begins_with"):
            pairs.append((record["begins_with"]["checksum"], begun))
    except (OSError, ValueError, KeyError, TypeError):
        got = "a file that is missing or damaged"
        raise fail(str(path), "the checksum of the run's data", got, "start a new run") from None
    for before, now in pairs:
        if before == now["checksum"]:
            continue
        what, named = now.get("what", "data"), now.get("setting", "data.name")
        got = f"{now.get('source')}: {now['checksum']}"
        remedy = "put the old one back, or start a new run"
        raise fail(named, f"the {what} of this run ({before})", got, remedy)


def save(ledger: Ledger, state: PyTree, step: int) -> None:
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
