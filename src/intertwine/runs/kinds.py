"""The registry of experiments: one row a kind, its configuration and the two functions that run it.

A kind's modules are imported when it is used, so that the command line answers at once. To add a kind: a
configuration class whose `kind` is its name, a module with `start` and `resume`, and a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from intertwine._checks import fail


class Kind(NamedTuple):
    """configuration: "module:Class"; module: where `start(configuration, out, ...)` and `resume(folder,
    ...)` are. loader: "module:function" of a complete run's folder → an object to go on with (`it.load`), or
    "" for none. shared: whether several processes can share a run.
    """

    configuration: str
    module: str
    loader: str = ""
    shared: bool = False

    def load_configuration(self) -> Any:
        """The pydantic class."""
        return _named(self.configuration)

    def load_run(self, folder: Path) -> Any:
        """The run in `folder` as an object; only of kinds with a `loader`."""
        return _named(self.loader)(folder)

    def load(self, function: str) -> Callable[..., Any]:
        """The module's `start` or `resume`."""
        return getattr(import_module(self.module), function)


KINDS = {
    "ground-state": Kind(
        "intertwine.experiments.ground_state.settings:GroundStateConfiguration",
        "intertwine.experiments.ground_state.study",
        "intertwine.experiments.ground_state.loaded:load_run",
        shared=True,
    ),
    "learn": Kind(
        "intertwine.experiments.learn.settings:LearnConfiguration",
        "intertwine.experiments.learn.study",
        "intertwine.experiments.learn.trained:load_trained",
    ),
    "classify": Kind(
        "intertwine.experiments.classify.settings:ClassifyConfiguration",
        "intertwine.experiments.classify.study",
        "intertwine.experiments.classify.study:load_classifier",
    ),
    "renormalize": Kind(
        "intertwine.experiments.renormalize.settings:RenormalizeConfiguration",
        "intertwine.experiments.renormalize.study",
    ),
}


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def kind_of(data: dict[str, Any]) -> Kind:
    """The kind that a configuration's tables name (`ground-state` where they name none)."""
    from intertwine.runs.settings import shown

    name = data.get("kind", "ground-state")
    if not isinstance(name, str) or name not in KINDS:
        raise fail("kind", "one of " + ", ".join(KINDS), shown(name), "for example 'ground-state'")
    return KINDS[name]


def kind_of_folder(folder: Path) -> Kind:
    """The kind of the run in `folder`; `InputError` if there is no run or its configuration is damaged."""
    from intertwine.runs.run_folder import CONFIG, check_is_run
    from intertwine.runs.settings import read_toml

    return kind_of(read_toml(check_is_run(folder) / CONFIG))


def configuration_of(data: dict[str, Any]) -> Any:
    """The checked configuration that the tables `data` describe."""
    from intertwine.runs.settings import validate

    return validate(kind_of(data).load_configuration(), data)
