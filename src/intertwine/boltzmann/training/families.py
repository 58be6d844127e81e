"""The machines that learn a distribution: a row each, with its name, how one is made and in which stages it
learns. What teaches machines asks this table."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple

import jax
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.boltzmann.defaults import SCALE
from intertwine.boltzmann.training.densities import density_stages
from intertwine.boltzmann.training.names import parsed
from intertwine.boltzmann.training.stages import belief_stages, boltzmann_stages, rbm_stages
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.learning.batches import Batches
from intertwine.learning.stages import MOST_UPDATES, Training
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import Spec
from intertwine.models.protocols import DrawsItself


class Family(NamedTuple):
    """machine: its class. fresh: (sizes from the visible layer up, settings) → one that has learned nothing.
    stages: (machine, batches, teaching, settings of its own) → its stages."""

    machine: type
    fresh: Callable[..., Any]
    stages: Callable[..., Any]

    @property
    def settings(self) -> tuple[str, ...]:
        """What may be said of its stages besides what all machines share."""
        names = signature(self.stages).parameters.values()
        return tuple(x.name for x in names if x.kind is x.KEYWORD_ONLY and x.name != "key")

    @property
    def deep(self) -> bool:
        """Whether layers of its machines learn by themselves first."""
        return "layer_epochs" in self.settings


FAMILIES: dict[str, Family] = {
    "rbm": Family(RBM, lambda sizes, **settings: RBM(*sizes, **settings), rbm_stages),
    "dbm": Family(DBM, DBM, boltzmann_stages),
    "dbn": Family(DBN, DBN, belief_stages),
}


DENSITY = Family(DrawsItself, lambda sizes, **settings: None, density_stages)
"""Of normalised densities, autoregressive networks and circuits, which are made by themselves."""


def family_of(model: PyTree) -> Family:
    """The row of a machine; that of the RBM for what is none of the others."""
    rows = (*FAMILIES.values(), DENSITY)
    return next((row for row in rows if isinstance(model, row.machine)), FAMILIES["rbm"])


def named_machine(
    name: str,
    size: int,
    units: Spec,
    *,
    hidden_units: Spec = "binary",
    scale: float = SCALE,
    key: Array,
) -> tuple[Any, Array]:
    """(the machine called `name` on `size` columns of `units`, the key that is left to learn with): `key` is
    split in two, for the machine and for its learning.

    >>> machine, key = named_machine("rbm:3", 4, "binary", key=jax.random.key(0))
    >>> machine.size, machine.hidden, machine.units
    (4, 3, 'binary')
    """
    family, hidden = parsed(name)
    own, rest = jax.random.split(key)
    settings = {"units": units, "hidden_units": hidden_units, "scale": scale, "key": own}
    return FAMILIES[family].fresh((size, *hidden), **settings), rest


def training(
    model: PyTree,
    batches: Batches,
    teaching: Teaching,
    *,
    key: Array,
    most: int | None = MOST_UPDATES,
    state: PyTree = None,
    **own: Any,
) -> Training:
    """The study in which `model` learns the rows of `batches`. key: of everything random. most, state: see
    `Training`. own: settings that its family has besides (`Family.settings`).

    Raises InputError for data that the units cannot have, and settings out of range or of another machine.
    """
    family = family_of(model)
    for name in own.keys() - set(family.settings):
        kind = type(model).__name__
        known = ", ".join(family.settings) or "none"
        raise fail(name, f"one of the settings that {kind} alone has ({known})", name, "leave it out")
    return Training(family.stages(model, batches, teaching, key=key, **own), most=most, state=state)
