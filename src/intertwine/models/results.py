"""Results in place of models: whatever takes a model takes a fit, or a run that was loaded, as well."""

from __future__ import annotations

from typing import Any

import equinox as eqx


def as_model(given: object) -> Any:
    """The model that a result holds as `model` (of `it.load`, `fit_supervised`, `learn`, `ground_state`);
    anything else as it is.

    >>> from types import SimpleNamespace
    >>> as_model(SimpleNamespace(model="a network")), as_model("a network")
    ('a network', 'a network')
    """
    held = None if isinstance(given, eqx.Module) else getattr(given, "model", None)
    return given if held is None else held
