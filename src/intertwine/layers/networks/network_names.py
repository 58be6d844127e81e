r"""Networks by name, as the command line and configurations write them.

cnn:W       seven 3×3 convolutions of W regular features (Cohen & Welling 2016); --group p1 is the plain CNN
z2cnn       cnn:20 on p1, p4cnn: cnn:10 on p4, p4mcnn: cnn:7 on p4m, about 25,000 parameters each
unet:W      a U-Net of W regular features at full size: fields to fields
e2:W        six steerable blocks, W regular features in the first (Weiler & Cesa 2019), for cN and dN
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from intertwine._checks import fail
from intertwine.layers.networks.classifiers import (
    checked_classes,
    checked_image_size,
    group_cnn,
    steerable_cnn,
)
from intertwine.layers.networks.unet import unet
from intertwine.spaces.grid import Grid

if TYPE_CHECKING:
    from intertwine.symmetry import Rep

NETWORK_NAMES = ("cnn:W", "z2cnn", "p4cnn", "p4mcnn", "e2:W", "unet:W")
PRESETS = {"z2cnn": ("p1", 20), "p4cnn": ("p4", 10), "p4mcnn": ("p4m", 7)}
_LARGEST = 4096


@dataclass(frozen=True)
class Recipe:
    """The arguments of `network_from_name` that build a network again; group is a name."""

    name: str
    group: str
    channels: int | str
    image_size: int
    classes: int | str | tuple[str, ...]
    dropout: float
    dtype: str

    def places(self, space: Grid) -> tuple[int, ...]:
        """The sizes of the axes of its input."""
        return (self.image_size,) * space.dimension


def check_network_name(name: str) -> tuple[str, int]:
    """The family ("cnn", "e2", "unet" or a preset's name) and the width of a name; InputError if it is
    none.

    >>> check_network_name("cnn:10"), check_network_name("p4cnn")
    (('cnn', 10), ('p4cnn', 10))
    """
    if isinstance(name, str):
        family, *rest = name.strip().split(":")
        if family in PRESETS and not rest:
            return family, PRESETS[family][1]
        if family in ("cnn", "e2", "unet") and len(rest) == 1 and rest[0].isdecimal():
            width = int(rest[0])
            if 1 <= width <= _LARGEST:
                return family, width
    remedy = f"W is a whole number up to {_LARGEST}, as in cnn:10"
    raise fail("name", "one of " + ", ".join(NETWORK_NAMES), name, remedy)


def network_from_name(
    name: str,
    group: str | Grid | None = None,
    *,
    channels: int | str | Rep = 1,
    image_size: int | None = None,
    classes: int | str | Sequence[str] = 10,
    dropout: float = 0.3,
    dtype: DTypeLike = float,
    key: Array,
) -> Any:
    """The network called `name` on grids with point group `group`.

    group: the name of a `Grid`, such as "p4m" or "c8", or a `Grid`; None for the presets that say theirs.
    channels: of the input: a number of scalars, or a type by name, such as "vector" (see `field_type`).
    image_size: points along each axis, by default 28, or 29 on a triangular grid, where it must be odd.
    classes: the number of outputs, or their names; of a U-Net the type of the output field. dropout: rate of
    the hidden layers in training.

    Raises InputError, listing the names, for any other.

    >>> import jax
    >>> from intertwine.layers.networks.parameter_count import parameter_count
    >>> parameter_count(network_from_name("p4cnn", key=jax.random.key(0)))
    24620
    """
    family, width = check_network_name(name)
    if family in PRESETS:
        own = PRESETS[family][0]
        if group is not None and (group.name if isinstance(group, Grid) else group) != own:
            raise fail("group", f"{own!r} or None for {family}", group, f"cnn:{width} takes any group")
        group = own
    if group is None:
        raise fail("group", "the name of a grid's point group", None, 'for example "p4m"')
    space = group if isinstance(group, Grid) else Grid(group)
    image_size = checked_image_size(space, image_size)
    kind = jnp.zeros((), dtype).dtype
    recipe = None
    classes = tuple(classes) if isinstance(classes, list) else classes
    if isinstance(channels, int | str) and isinstance(classes, int | str | tuple) and _by_name(space):
        rate = float(dropout) if isinstance(dropout, int | float) and math.isfinite(dropout) else 0.0
        recipe = Recipe(name, space.name, channels, image_size, classes, rate, kind.name)
    common: dict[str, Any] = dict(
        channels=channels, image_size=image_size, dtype=kind, recipe=recipe, key=key
    )
    if family == "unet":
        return unet(space, width, out=classes, **common)
    checked_classes(classes)
    build = steerable_cnn if family == "e2" else group_cnn
    return build(space, width, classes=classes, dropout=dropout, **common)


def _by_name(space: Grid) -> bool:
    """Whether the grid is the one that its name gives."""
    try:
        return Grid(space.name) == space
    except ValueError:
        return False
