"""A complete classifying run as its trained network again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intertwine._checks import fail
from intertwine.layers.networks.saved_network import load_network
from intertwine.records.folder import NETWORK


def load_classifier(folder: str | Path) -> Any:
    """The trained network of a complete run: call `outputs` on images (n, X, X, channels), one or many, or
    learn on with `fit_supervised`. One that learnt from bytes reads bytes as it did then, as numbers of
    [0, 1]; images of other types are taken as they are.

    Raises `InputError` where the folder has none.
    """
    path = Path(folder) / NETWORK
    if not path.is_file():
        raise fail(
            "folder", "the folder of a complete classifying run", f"{folder}: no {NETWORK}", "resume it first"
        )
    return load_network(path)
