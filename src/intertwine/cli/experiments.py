"""The commands that run something, made from the declarations of their settings."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intertwine.cli.flags import Coordinator, Out, Overwrite, Processes, ProcessId, flag
from intertwine.cli.starting import start, workers_asked
from intertwine.records.kinds import Kind

if TYPE_CHECKING:
    from intertwine.runs.flags import Option


def placeholder(kind: Kind) -> Callable[[], None]:
    """The command without its options, for the list of all commands: it imports nothing."""

    def command() -> None: ...

    command.__doc__ = kind.about
    return command


def command_of(kind: Kind) -> Callable[..., int]:
    """The command of `kind`, with an option for every setting."""
    from intertwine.runs.flags import options, tables_from_flags
    from intertwine.runs.kinds import settings_class

    settings = settings_class(kind)
    every = {_identifier(option.flag): option for option in options(settings)}
    switches = {_identifier(name): name for name in settings.switches}

    def command(**given: Any) -> int:
        tables = tables_from_flags(settings, {o.flag: given[name] for name, o in every.items()})
        asked = {switch for name, switch in switches.items() if given[name]}
        tables = settings.from_words(tables, given.get("argument"), asked)
        shared = [given.get(name) for name in ("processes", "process_id", "coordinator")]
        return start(tables, given["out"], given["overwrite"], workers_asked(*shared))

    parameters = [_parameter(name, _annotation(option)) for name, option in every.items()]
    if settings.argument is not None:
        metavar, help = settings.argument
        word = typer.Argument(metavar=metavar, help=help)
        parameters.insert(0, _parameter("argument", Annotated[str | None, word]))
    for name, switch in switches.items():
        option = typer.Option(switch, help=settings.switches[switch], rich_help_panel="Model")
        parameters.append(_parameter(name, Annotated[bool, option], False))
    if kind.shared:
        parameters += [
            _parameter("processes", Processes),
            _parameter("process_id", ProcessId),
            _parameter("coordinator", Coordinator),
        ]
    parameters += [_parameter("out", Out), _parameter("overwrite", Overwrite, False)]
    command.__doc__ = kind.about
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _identifier(flag: str) -> str:
    """The parameter of a flag: those that differ by case alone stay apart."""
    return "flag_" + flag.removeprefix("--").replace("-", "_")


def _parameter(name: str, annotation: object, default: object = None) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _annotation(option: Option) -> Any:
    if option.is_switch:
        switch = typer.Option(option.flag, help=option.help, rich_help_panel=option.group)
        return Annotated[bool | None, switch]
    words = f"{option.help}; default {option.default}"
    return Annotated[str | None, flag(option.flag, words, option.metavar, option.group, also=option.also)]
