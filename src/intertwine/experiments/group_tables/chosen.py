"""What a run on a group's table takes where nothing is given, and what contradicts it.

Settings that were not given have other defaults where the data are a group's table: the network, epochs, the
whole table as a batch, the share held out. The folder's config.toml has what was chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intertwine._checks import InputError, fail
from intertwine.data.loading import GROUP
from intertwine.data.sets.group_tables import as_table_group
from intertwine.layers.networks.table_network import TABLE_NETWORKS, check_table_network
from intertwine.learning.group_tables import defaults

if TYPE_CHECKING:
    from intertwine.experiments.classify.settings import ClassifyConfiguration


def on_group(c: ClassifyConfiguration) -> bool:
    """Whether the data of a run are the table of a group."""
    return c.data.name.startswith(GROUP)


def is_table_network(name: str) -> bool:
    """Whether a network's name begins with that of one on pairs of elements."""
    return name.partition(":")[0] in {family.partition(":")[0] for family in TABLE_NETWORKS}


def resolved(c: ClassifyConfiguration) -> ClassifyConfiguration:
    """The configuration with what was not given chosen; `InputError` for what contradicts a group's table, or
    for networks of groups where the data are none."""
    if not on_group(c):
        if is_table_network(c.network.name):
            remedy = "its data are a group's table, such as --data group:S4"
            raise fail("network.name", "a network of images or structures", repr(c.network.name), remedy)
        from intertwine.experiments.structures.chosen import resolved as elsewhere

        return elsewhere(c)  # type: ignore[return-value]
    order = as_table_group(c.data.name, "data.name").order
    own: dict[str, dict[str, Any]] = {
        "data": {"test_share": round(1 - defaults.SHARE, 12)},
        "network": {"name": defaults.NETWORK, "dropout": 0.0},
        "optimiser": {
            "epochs": defaults.epochs_of(order), "batch": defaults.WHOLE, "warmup": 0.0, "validation": 0.0,
            "learning_rate": defaults.LEARNING_RATE, "weight_decay": defaults.WEIGHT_DECAY,
        },
    }  # fmt: skip
    tables = c.model_dump()
    for section, values in own.items():
        given = getattr(c, section).model_fields_set
        tables[section] |= {name: value for name, value in values.items() if name not in given}
    chosen = type(c).model_validate(tables)
    _check(chosen)
    return chosen


def _check(c: ClassifyConfiguration) -> None:
    """`InputError` for settings that say nothing of a group's table."""
    try:
        check_table_network(c.network.name)
    except InputError as error:
        raise InputError(f"network.name:{str(error).partition(':')[2]}") from None
    d, n, o, words = c.data, c.network, c.optimiser, "where the data are a group's table"
    usual = {
        "data.units": (d.units, "auto"), "space.name": (c.space.name, "auto"),
        "network.group": (n.group, "auto"), "network.dropout": (n.dropout, 0.0),
        "network.start": (n.start, "none"), "optimiser.warmup": (o.warmup, 0.0),
        "optimiser.smoothing": (o.smoothing, 0.0), "optimiser.augment": (o.augment, "none"),
        "optimiser.examples": (o.examples, 0), "optimiser.patience": (o.patience, 0),
    }  # fmt: skip
    for name, (value, expected) in usual.items():
        if value != expected:
            raise fail(name, f"{expected!r} {words}", repr(value), "leave it out")
    if o.validation:
        remedy = "--test-share says which share of the table is held out"
        raise fail("optimiser.validation", f"0 {words}", o.validation, remedy)
    if not d.test_share:
        raise fail("data.test_share", f"a share of the table above 0 {words}", 0, "0.4 is usual")
