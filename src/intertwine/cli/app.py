"""The commands by name, as typer knows them."""

from __future__ import annotations

from typing import Annotated

import typer

from intertwine._version import __version__
from intertwine.cli import classify, ground_state, learn, renormalize, runs, trained

app = typer.Typer(
    name="intertwine",
    help="Symmetric neural networks as distributions, as wave functions and as fields.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("ground-state", rich_help_panel="Experiments")(ground_state.ground_state)
app.command("learn", rich_help_panel="Experiments")(learn.learn)
app.command("classify", rich_help_panel="Experiments")(classify.classify)
app.command("renormalize", rich_help_panel="Experiments")(renormalize.renormalize)
app.command("run", rich_help_panel="Experiments")(runs.run)
app.command("resume", rich_help_panel="Run folders")(runs.resume)
app.command("report", rich_help_panel="Run folders")(runs.report)
app.command("sample", rich_help_panel="Run folders")(trained.sample)
app.command("score", rich_help_panel="Run folders")(trained.score)
app.command("worker", hidden=True)(runs.worker)


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
