"""The experiment `renormalize`: what coarse graining does to a spin system or to a trained network.

    flow         blocked samples: Monte Carlo renormalization (`renormalize_sampled`), or an approximate
                 transformation in coupling space (`renormalize_approximate`)
    exponents    ν and η by finite-size scaling (`renormalize_exponents`)
    network      a trained machine as a renormalization step (`renormalize_network`)

Each is a `Study`: lines of metrics, one after another, and the state after each, a pytree fit for a
checkpoint. The key of a line is folded from its number, so that a run that was killed goes on from its last
checkpoint to the numbers that it would have had.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from intertwine._checks import fail
from intertwine.experiments.progress import show as show_lines
from intertwine.experiments.renormalize_configuration import NETWORK, RenormalizeConfiguration
from intertwine.experiments.renormalize_results import Outcome, dataset, metrics_record, result_record
from intertwine.experiments.results import write_dataset
from intertwine.experiments.run_folder import DATA, RunFolder, to_json, write_aside
from intertwine.experiments.running import Ledger, conclude, follow, interrupted, is_complete, pick_up, report
from intertwine.experiments.settings import to_toml

Show = Callable[..., Any]


def build(c: RenormalizeConfiguration) -> Any:
    """The study that the configuration asks for; `InputError` for what does not go together."""
    name = "approximate" if c.approximate else {"flow": "sampled"}.get(c.study, c.study)
    return import_module(f"intertwine.experiments.renormalize_{name}").build(c)


def start(
    configuration: RenormalizeConfiguration,
    out: str | Path,
    *,
    overwrite: bool = False,
    show: Show = show_lines,
) -> Path:
    """Run `configuration` in the new folder `out`; the path of the folder.

    Nothing at `out` is touched before everything is built. Raises `InputError` or `Interrupted` (resume it).
    """
    begun = time.perf_counter()
    study, source = build(configuration), network_record(configuration)
    state = study.start()
    print(study.announcement, flush=True)
    config = to_toml(configuration)
    with RunFolder.create(out, config, overwrite=overwrite) as folder:
        if source is not None:
            write_aside(folder.path / DATA, to_json(source, indent=2) + "\n")
        return _go_on(study, configuration, Ledger(folder, config, []), state, begun, show)


def resume(path: str | Path, configuration: RenormalizeConfiguration, *, show: Show = show_lines) -> Path:
    """Go on with the run at `path` from its newest good checkpoint (from the beginning where there is
    none).
    """
    begun = time.perf_counter()
    with RunFolder.open(path) as folder:
        if is_complete(folder):
            return folder.path
        study = build(configuration)
        _check_same_network(folder.path / DATA, network_record(configuration))
        print(study.announcement)
        ledger, state = pick_up(folder, study)
        return _go_on(study, configuration, ledger, state, begun, show)


def _go_on(
    study: Any, c: RenormalizeConfiguration, ledger: Ledger, state: Any, begun: float, show: Show
) -> Path:
    done = len(ledger.history)
    before = sum(float(line.get("seconds") or 0.0) for line in ledger.history)
    state = follow(
        ledger,
        state,
        _lines(study, state, done),
        total=study.lines,
        every=c.checkpoint_every,
        shown=show(study.lines, None, done, describe=study.describe),
    )
    try:
        outcome: Outcome = study.finish(state)
        seconds = round(time.perf_counter() - begun + before, 3)
        record = result_record(c, outcome, seconds)
        write_dataset(ledger.folder.dataset, dataset(c, outcome, ledger.history))
        write_aside(ledger.folder.result, to_json(record, indent=2) + "\n")
    except KeyboardInterrupt:
        raise interrupted(ledger, study.lines) from None
    conclude(outcome.words, record["warnings"])
    report(ledger.folder.path)
    return ledger.folder.path


def _lines(study: Any, first: Any, done: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The remaining lines of metrics, with the seconds of each."""
    begun = time.perf_counter()
    for state, scalars in study.iterate(first, done):
        yield state, metrics_record({"step": done, **scalars, "seconds": time.perf_counter() - begun})
        begun, done = time.perf_counter(), done + 1


def network_record(c: RenormalizeConfiguration) -> dict[str, Any] | None:
    """What names the network of the run, for `data.json`; None where there is none."""
    if c.rule.family != NETWORK:
        return None
    from intertwine.experiments.renormalize_learned import checksum

    return {"network": c.rule.name, "checksum": checksum(c.rule.name)}


def _check_same_network(path: Path, now: dict[str, Any] | None) -> None:
    """Raise `InputError` where the network is not the one that the run began with."""
    if now is None:
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        got = "a file that is missing or damaged"
        raise fail(str(path), "the checksum of the run's network", got, "start a new run") from None
    if before != now["checksum"]:
        expected = f"the network of this run ({before})"
        raise fail("rule.name", expected, now["checksum"], "put the old folder back, or start a new run")
