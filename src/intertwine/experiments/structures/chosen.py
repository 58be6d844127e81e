"""What a run on structures takes where nothing is given, chosen before it begins, and what contradicts it.

Settings that were not given have other defaults where the data are structures: the space, the network,
epochs, batches. The folder's config.toml has what was chosen.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwine._checks import fail
from intertwine.data.structures.structures import Structures
from intertwine.experiments.structures.settings import (
    AUTO,
    check_structure_network,
    check_structure_source,
    is_point_network,
    point_networks,
)
from intertwine.learning.structures import defaults
from intertwine.spaces.points.names import is_points

if TYPE_CHECKING:
    from intertwine.experiments.classify.settings import ClassifyConfiguration
    from intertwine.experiments.fields.settings import FieldsConfiguration

    Configuration = FieldsConfiguration | ClassifyConfiguration

NONE = "none"


def on_structures(c: Configuration) -> bool:
    """Whether the data of a run are structures: as its space says, or its file."""
    from intertwine.data.structures.loading import is_structure_file

    return is_points(c.space.name) or (c.space.name == AUTO and is_structure_file(c.data.name))


def resolved(c: Configuration) -> Configuration:
    """The configuration with what was not given chosen; `InputError` for what contradicts structures, or for
    networks of structures where the data are none."""
    if not on_structures(c):
        if is_point_network(c.network.name):
            remedy = "its data are structures, such as an .xyz file, or say --space points:5.0"
            raise fail("network.name", "a network of fields on a space", repr(c.network.name), remedy)
        return c
    data = loaded(c, c.data.name, "data.name")
    residues = data.kind == "residues"
    own: dict[str, dict[str, Any]] = {
        "space": {"name": defaults.RESIDUE_SPACE if residues else defaults.SPACE},
        "network": {"name": defaults.RESIDUE_NETWORK if residues else defaults.NETWORK, "dropout": 0.0},
        "optimiser": {
            "epochs": defaults.EPOCHS, "batch": defaults.BATCH, "learning_rate": defaults.LEARNING_RATE,
            "weight_decay": defaults.WEIGHT_DECAY,
        },
    }  # fmt: skip
    if c.kind == "fields":
        own["data"] = {"inputs": "species", "targets": AUTO}
        if c.data.test == NONE:  # type: ignore[union-attr]
            own["data"]["test_share"] = defaults.TEST_SHARE
    tables = c.model_dump()
    for section, values in own.items():
        given = getattr(c, section).model_fields_set
        for name, value in values.items():
            if name not in given or (section == "space" and tables[section][name] == AUTO):
                tables[section][name] = value
    chosen = type(c).model_validate(tables)
    check(chosen)
    return chosen


def check(c: Configuration) -> None:
    """`InputError` for settings that say nothing of structures, and for networks of other spaces."""
    if not is_point_network(c.network.name):
        raise fail("network.name", f"a network of structures: {point_networks()}", repr(c.network.name))
    check_structure_network(c.network.name)
    words = {"dropout": (c.network.dropout, 0.0)}
    if c.kind == "fields":
        d: Any = c.data
        words |= {
            "select": (d.select, "all"),
            "test_select": (d.test_select, "all"),
            "rotation": (d.rotation, False),
        }
        words["method"] = ("auto" if c.optimiser.method == "adamw" else c.optimiser.method, "auto")  # type: ignore[union-attr]
    else:
        o: Any = c.optimiser
        words |= {"augment": (o.augment, "none"), "group": (c.network.group, "auto")}  # type: ignore[union-attr]
        words |= {"start": (c.network.start, NONE), "examples": (o.examples, 0)}  # type: ignore[union-attr]
    for name, (value, usual) in words.items():
        if value != usual:
            raise fail(name, f"{usual!r} where the data are structures", repr(value), "leave it out")


def loaded(c: Configuration, name: str, setting: str) -> Structures:
    """The structures of a file or folder, with the units and points that the configuration says."""
    check_structure_source(name, setting)
    labels = getattr(c.data, "labels", AUTO)
    table = labels if labels not in (AUTO, NONE) and Path(labels).is_file() else None
    path = Path(name)
    stamp = path.stat().st_mtime_ns, path.stat().st_size
    units = tuple((c.points.units_by_name or {}).items())
    points = None if c.points.points == AUTO else c.points.points
    return _loaded(name, units, points, table, stamp)


@lru_cache(maxsize=2)
def _loaded(
    name: str, units: tuple[tuple[str, str], ...], points: str | None, labels: str | None, stamp: object
) -> Structures:
    """Read once for the choices and for the run."""
    from intertwine.data.structures.loading import load_structures

    more: dict[str, Any] = {"units": dict(units) or None, "points": points, "labels": labels}
    return load_structures(name, **{key: value for key, value in more.items() if value is not None})
