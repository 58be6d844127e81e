"""Starting a run of any kind: the checked configuration, its folder, its precision, its processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.records.kinds import Kind
    from intertwine.runs.fields import Settings


def start(
    tables: dict[str, Any], out: str | None, overwrite: bool, workers: Callable[..., int] | None = None
) -> int:
    """Run what `tables` describe in the folder `out` (a free one under runs/ for None); the exit code."""
    from intertwine.runs.kinds import configuration_of, kind_of
    from intertwine.runs.lock import TakenError
    from intertwine.runs.run_folder import check_can_create

    kind = kind_of(tables)
    configuration = configuration_of(tables)
    check_shared(kind, workers)
    if workers is not None and configuration.parts():
        raise fail("processes", "1 for several runs in one folder", "several", "leave it out")
    if out == "":
        raise fail("out", "the name of a folder", "''", "for example --out runs/first")

    def begin(path: Path) -> int:
        check_can_create(path, overwrite=overwrite)
        if workers is not None:
            return workers("start", configuration, path, overwrite)
        set_precision(configuration.precision)
        check_platform()
        from intertwine.runs import running, several

        begin_all = several.start if configuration.parts() else running.start
        begin_all(configuration, path, overwrite=overwrite)
        return 0

    if out is not None:
        return begin(Path(out))
    for path in _free_folders(configuration.stem):
        try:
            return begin(path)
        except TakenError:  # by another process, since it was looked at
            continue
    raise fail("out", "the name of a folder", "none that is free", "for example --out runs/first")


def set_precision(precision: str) -> None:
    """JAX's default precision for this process, before anything is traced."""
    import jax

    if jax.config.read("jax_enable_x64") != (precision == "float64"):
        jax.config.update("jax_enable_x64", precision == "float64")


def check_platform() -> None:
    """Raise `InputError` where JAX does not find the platform that JAX_PLATFORMS asks for."""
    import jax

    asked = os.environ.get("JAX_PLATFORMS")
    try:
        if asked:
            jax.devices()
    except (RuntimeError, AssertionError):
        remedy = "unset it, or install JAX for the device (pip install 'intertwine[cuda12]')"
        raise fail("JAX_PLATFORMS", "a platform that JAX finds here", asked, remedy) from None


def workers_asked(processes: str | None, process_id: str | None, coordinator: str | None) -> Any:
    """What starts the run in several processes, or None where it is to run in this one."""
    if processes is None and process_id is None and coordinator is None:
        return None
    from intertwine.runs.shared import workers

    shared = workers.asked(processes, process_id, coordinator)
    if shared is None:
        return None
    return lambda action, configuration, path, overwrite: workers.supervise(
        workers.Order(action, _as_given(configuration), str(path), overwrite), *shared
    )


def _as_given(configuration: Settings) -> dict[str, Any]:
    """The tables that make `configuration`, without what was left to the defaults."""
    return {"kind": configuration.kind} | configuration.model_dump(exclude_unset=True)


def check_shared(kind: Kind, workers: object) -> None:
    """Raise `InputError` where a run that one process does is asked of several."""
    if workers is not None and not kind.shared:
        raise fail("processes", "1: this kind of run is done by one process", "several", "leave it out")


def _free_folders(stem: str) -> Iterator[Path]:
    """runs/heisenberg-chain-20, runs/heisenberg-chain-20-2, …: those that are not there."""
    candidates = (Path("runs") / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 1_000_000))
    return (path for path in candidates if not path.exists())
