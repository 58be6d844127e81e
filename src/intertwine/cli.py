"""The command `intertwine`: ground-state, run, resume, report.

A problem with what was given is one line on standard error and exit code 2; a run that diverged is 1; one
that was interrupted is 130. Flags and TOML files are read into the same tables and checked in one place, so
that both get the same words. Nothing heavy is imported before it is needed: `intertwine --help` must answer
at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from intertwine._checks import InputError, fail
from intertwine._version import __version__

app = typer.Typer(
    name="intertwine",
    help="Symmetric neural networks as distributions, as wave functions and as fields.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

_TEXT = {"lattice", "hamiltonian.name", "model.name"}
_FLAGS = {
    "lattice": "lattice",
    "hamiltonian": "hamiltonian.name",
    "j": "hamiltonian.J",
    "h": "hamiltonian.h",
    "delta": "hamiltonian.delta",
    "j1": "hamiltonian.J1",
    "j2": "hamiltonian.J2",
    "marshall": "hamiltonian.marshall",
    "model": "model.name",
    "dtype": "model.dtype",
    "steps": "optimiser.steps",
    "samples": "optimiser.samples",
    "method": "optimiser.method",
    "learning_rate": "optimiser.learning_rate",
    "learning_rate_end": "optimiser.learning_rate_end",
    "warmup": "optimiser.warmup",
    "shift": "optimiser.shift",
    "shift_end": "optimiser.shift_end",
    "momentum": "optimiser.momentum",
    "schedule": "optimiser.schedule",
    "solver": "optimiser.solver",
    "chains": "sampler.chains",
    "sweep": "sampler.sweep",
    "rule": "sampler.rule",
    "backend": "sampler.backend",
    "final_samples": "final.samples",
    "seed": "seed",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
    "devices": "devices",
}


def _flag(name: str, help_text: str, metavar: str) -> Any:
    return typer.Option(name, help=help_text, metavar=metavar, show_default=False)


Out = Annotated[str | None, _flag("--out", "the run folder to write; default runs/…, numbered", "FOLDER")]
Processes = Annotated[str | None, _flag("--processes", "share the run between so many processes", "INTEGER")]
ProcessId = Annotated[
    str | None, _flag("--process-id", "start only this one here (0 writes the folder)", "INTEGER")
]
Coordinator = Annotated[str | None, _flag("--coordinator", "where processes started apart meet", "HOST:PORT")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace the run that is in the folder")]


@app.command("ground-state", rich_help_panel="Experiments")
def ground_state(
    lattice: Annotated[
        str | None, _flag("--lattice", "chain:20, square:6x6, kagome:2x2:open …", "NAME")
    ] = None,
    hamiltonian: Annotated[str | None, _flag("--hamiltonian", "heisenberg, tfim, xxz, j1j2", "NAME")] = None,
    j: Annotated[str | None, _flag("--J", "coupling of tfim, heisenberg, xxz", "NUMBER")] = None,
    h: Annotated[str | None, _flag("--h", "transverse field of tfim", "NUMBER")] = None,
    delta: Annotated[str | None, _flag("--delta", "anisotropy of xxz", "NUMBER")] = None,
    j1: Annotated[str | None, _flag("--J1", "nearest neighbours of j1j2", "NUMBER")] = None,
    j2: Annotated[str | None, _flag("--J2", "next-nearest neighbours of j1j2", "NUMBER")] = None,
    marshall: Annotated[str | None, _flag("--marshall", "sign rotation: auto, true, false", "WORD")] = None,
    model: Annotated[
        str | None, _flag("--model", "rbm:1, symmetric-rbm:4, jastrow, mean-field", "NAME")
    ] = None,
    dtype: Annotated[str | None, _flag("--dtype", "parameters: real, complex", "WORD")] = None,
    steps: Annotated[str | None, _flag("--steps", "updates of the parameters", "INTEGER")] = None,
    samples: Annotated[str | None, _flag("--samples", "configurations a step", "INTEGER")] = None,
    method: Annotated[str | None, _flag("--method", "sr, adam, sgd", "WORD")] = None,
    learning_rate: Annotated[str | None, _flag("--learning-rate", "at the first step", "NUMBER")] = None,
    learning_rate_end: Annotated[
        str | None, _flag("--learning-rate-end", "at the last step", "NUMBER")
    ] = None,
    warmup: Annotated[str | None, _flag("--warmup", "steps to reach the learning rate", "INTEGER")] = None,
    shift: Annotated[str | None, _flag("--shift", "added to S, at the first step", "NUMBER")] = None,
    shift_end: Annotated[str | None, _flag("--shift-end", "at the last step", "NUMBER")] = None,
    momentum: Annotated[str | None, _flag("--momentum", "of sr (SPRING), 0 to 0.999", "NUMBER")] = None,
    schedule: Annotated[str | None, _flag("--schedule", "constant, exponential, cosine", "WORD")] = None,
    solver: Annotated[str | None, _flag("--solver", "auto, dense, minsr, iterative", "WORD")] = None,
    chains: Annotated[str | None, _flag("--chains", "Markov chains", "INTEGER")] = None,
    sweep: Annotated[str | None, _flag("--sweep", "proposals between draws, or auto", "INTEGER")] = None,
    rule: Annotated[str | None, _flag("--rule", "auto, single, exchange, mixture", "WORD")] = None,
    backend: Annotated[str | None, _flag("--backend", "auto, host, jax", "WORD")] = None,
    final_samples: Annotated[str | None, _flag("--final-samples", "of the last estimate", "INTEGER")] = None,
    seed: Annotated[str | None, _flag("--seed", "same seed, same numbers", "INTEGER")] = None,
    precision: Annotated[str | None, _flag("--precision", "float64, float32", "WORD")] = None,
    checkpoint_every: Annotated[str | None, _flag("--checkpoint-every", "steps", "INTEGER")] = None,
    devices: Annotated[str | None, _flag("--devices", "share the chains: auto, 1, 2 …", "INTEGER")] = None,
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Find the ground state of a lattice Hamiltonian; alone: the Heisenberg chain of 20 sites."""
    flags = locals()
    return _start(tables_from_flags(flags), out, overwrite, _workers(processes, process_id, coordinator))


@app.command(rich_help_panel="Experiments")
def run(
    configuration: Annotated[
        str, typer.Argument(metavar="FILE", help="a TOML file, such as a run's config.toml")
    ],
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
    out: Out = None,
    overwrite: Overwrite = False,
) -> int:
    """Run the experiment that a TOML file describes."""
    from intertwine.experiments.settings import read_toml

    return _start(read_toml(configuration), out, overwrite, _workers(processes, process_id, coordinator))


@app.command(rich_help_panel="Run folders")
def resume(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="a run that was interrupted")],
    processes: Processes = None,
    process_id: ProcessId = None,
    coordinator: Coordinator = None,
) -> int:
    """Go on with a run that was interrupted; it ends with the numbers that it would have had."""
    from intertwine.experiments.kinds import configuration_of, kind_of_folder
    from intertwine.experiments.run_folder import CONFIG
    from intertwine.experiments.settings import read_toml

    kind = kind_of_folder(Path(folder))
    configuration = configuration_of(read_toml(Path(folder) / CONFIG))
    workers = _workers(processes, process_id, coordinator)
    if workers is not None:
        return workers("resume", configuration, Path(folder), False)
    set_precision(configuration.precision)
    kind.load("resume")(Path(folder), configuration)
    return 0


@app.command(hidden=True)
def worker() -> int:
    """One process of a run of several; the command that starts it writes its order on standard input."""
    from intertwine.experiments.worker import work

    return work(sys.stdin.buffer, set_precision=set_precision, explain=explain)


@app.command(rich_help_panel="Run folders")
def report(folder: Annotated[str, typer.Argument(metavar="FOLDER", help="a run folder")]) -> int:
    """Write the report of a run again."""
    from intertwine.experiments.run_folder import check_is_run
    from intertwine.report import write_report

    print(f"report: {write_report(check_is_run(folder))}")
    return 0


def _show_version(asked: bool) -> None:
    if asked:
        print(f"intertwine {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Symmetric neural networks as distributions, as wave functions and as fields."""


def tables_from_flags(flags: dict[str, Any]) -> dict[str, Any]:
    """The configuration's tables from the flags that were given.

    >>> tables_from_flags({"lattice": "chain:8", "steps": "10", "h": None, "out": "x"})
    {'kind': 'ground-state', 'lattice': 'chain:8', 'optimiser': {'steps': 10}}
    """
    tables: dict[str, Any] = {"kind": "ground-state"}
    for flag, field in _FLAGS.items():
        given = flags.get(flag)
        if given is None:
            continue
        section, _, name = field.rpartition(".")
        table = tables.setdefault(section, {}) if section else tables
        table[name] = given if field in _TEXT else _scalar(given)
    if "hamiltonian" in tables:
        tables["hamiltonian"].setdefault("name", "heisenberg")
    return tables


def _scalar(text: str) -> Any:
    """A flag's text as TOML would read it: an integer, a number, a truth value, or a word."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def set_precision(precision: str) -> None:
    """JAX's default precision for this process, before anything is traced."""
    import jax

    if jax.config.read("jax_enable_x64") != (precision == "float64"):
        jax.config.update("jax_enable_x64", precision == "float64")


def _workers(processes: str | None, process_id: str | None, coordinator: str | None) -> Any:
    """What starts the run in several processes, or None where it is to run in this one."""
    if processes is None and process_id is None and coordinator is None:
        return None
    from intertwine.experiments import workers

    shared = workers.asked(processes, process_id, coordinator)
    if shared is None:
        return None
    return lambda action, configuration, path, overwrite: workers.supervise(
        workers.Order(action, configuration.model_dump(), str(path), overwrite), *shared
    )


def _start(tables: dict[str, Any], out: str | None, overwrite: bool, workers: Any = None) -> int:
    from intertwine.experiments.kinds import configuration_of, kind_of
    from intertwine.experiments.run_folder import check_can_create

    kind = kind_of(tables)
    configuration = configuration_of(tables)
    if out == "":
        raise fail("out", "the name of a folder", "''", "for example --out runs/first")
    path = Path(out) if out is not None else _free_folder(configuration)
    check_can_create(path, overwrite=overwrite)
    if workers is not None:
        return workers("start", configuration, path, overwrite)
    set_precision(configuration.precision)
    kind.load("start")(configuration, path, overwrite=overwrite)
    return 0


def _free_folder(configuration: Any) -> Path:
    """runs/heisenberg-chain-20, or with the first free number."""
    stem = f"{configuration.hamiltonian.name}-{configuration.lattice.replace(':', '-')}"
    candidates = (Path("runs") / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 1_000_000))
    return next(path for path in candidates if not path.exists())


def _one_line(message: str) -> str:
    """`message` on one line, of bounded length, without characters that a terminal would act on."""
    line = " ".join(message.split())
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= 600 else line[:300] + " ... " + line[-250:]


def explain(error: BaseException) -> int | None:
    """Say what went wrong, a line a problem; the exit code, or None for an error of the program itself."""
    from intertwine.experiments.interruption import Interrupted

    if isinstance(error, InputError):
        for line in getattr(error, "problems", [str(error)]):
            print(f"error: {_one_line(line)}", file=sys.stderr)
        return 2
    if isinstance(error, Interrupted):
        print(error, file=sys.stderr)
        return 130
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        print("interrupted.", file=sys.stderr)
        return 130
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (default: those of the process) and give its exit code."""
    command = typer.main.get_command(app)
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = command.main(args=given, prog_name="intertwine", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        code = explain(error)
        if code is None:
            raise
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
