"""The commands by name, as typer knows them."""

from __future__ import annotations

from typing import Annotated

import typer

from intertwine._version import __version__
from intertwine.cli import runs, trained
from intertwine.cli.experiments import command_of, placeholder
from intertwine.records.kinds import KINDS


def app_for(asked: str | None) -> typer.Typer:
    """The commands; of those that run something, only the one that is `asked` for is made with its options:
    their declarations take time to import."""
    app = typer.Typer(
        name="intertwine",
        help="Symmetric neural networks as distributions, as wave functions and as fields.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for name, kind in KINDS.items():
        command = command_of(kind) if name == asked else placeholder(kind)
        app.command(name, rich_help_panel="Experiments")(command)
    app.command("run", rich_help_panel="Experiments")(runs.run)
    app.command("resume", rich_help_panel="Run folders")(runs.resume)
    app.command("report", rich_help_panel="Run folders")(runs.report)
    app.command("sample", rich_help_panel="Run folders")(trained.sample)
    app.command("score", rich_help_panel="Run folders")(trained.score)
    app.command("apply", rich_help_panel="Run folders")(trained.apply)
    app.command("predict", rich_help_panel="Run folders")(trained.predict)
    app.command("worker", hidden=True)(runs.worker)
    app.callback()(_root)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        print(f"intertwine {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Symmetric neural networks as distributions, as wave functions and as fields."""
