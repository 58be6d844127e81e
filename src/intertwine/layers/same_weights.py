"""The same weights on another space: a layer or network of one mesh on another mesh, or in other frames.

Kernels on meshes are functions on the tangent plane and know nothing of where they are used, so that what was
learned on one mesh may be used on any other with the same structure group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import equinox as eqx

from intertwine._checks import fail
from intertwine.spaces.protocols import Space

M = TypeVar("M", bound=eqx.Module)


def on_space(module: M, space: Space | Mapping[Space, Space]) -> M:
    """`module`, a layer or network, with its space replaced.

    space: the new one, for modules on one space; or a table {old: new} for those on several.

    Raises InputError for modules that have no space, or several where one was given, and for spaces whose
    fields have another structure group or another executor.

    >>> import jax
    >>> from intertwine.layers.conv import Conv
    >>> from intertwine.spaces.mesh.mesh import Mesh
    >>> layer = Conv(Mesh.icosphere(1), "scalar", "vector", 1, key=jax.random.key(0))
    >>> on_space(layer, Mesh.icosphere(2)).space.size
    162
    """
    found: dict[Space, None] = {}
    _look(module, found)
    table: dict[Any, Any]
    if isinstance(space, Mapping):
        table = {old: new for old, new in space.items() if old in found}
    elif len(found) == 1:
        table = {next(iter(found)): space}
    else:
        remedy = "give a table {old: new}" if found else ""
        raise fail("module", "a layer or network on one space", f"one on {len(found)}", remedy)
    for old, new in table.items():
        if getattr(new, "fibre_group", None) != old.fibre_group or new.executor != old.executor:
            raise fail("space", f"one of the kind of {type(old).__name__} with {old.fibre_group!r}", new)
    return _changed(module, table)


def _is_space(value: object) -> bool:
    return hasattr(value, "fibre_group") and hasattr(value, "executor") and not isinstance(value, eqx.Module)


def _look(value: object, found: dict[Space, None]) -> None:
    if _is_space(value):
        found[value] = None  # type: ignore[index]
    elif isinstance(value, tuple | list):
        for part in value:
            _look(part, found)
    elif isinstance(value, eqx.Module) and is_dataclass(value):
        for field in fields(value):
            _look(getattr(value, field.name, None), found)


def _changed(value: Any, table: dict[Any, Any]) -> Any:
    if _is_space(value):
        return table.get(value, value)
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(_changed(part, table) for part in value)
    if not (isinstance(value, eqx.Module) and is_dataclass(value)):
        return value
    new = object.__new__(type(value))
    for field in fields(value):
        if hasattr(value, field.name):
            object.__setattr__(new, field.name, _changed(getattr(value, field.name), table))
    return new
