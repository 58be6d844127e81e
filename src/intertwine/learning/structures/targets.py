r"""What is learned of structures, by the names of a file.

    energy            E_s = Σ_i E_i + Σ_i reference(element of i)
    forces            F_i = −∂E/∂x_i, exactly                      stress    σ = (1/V) ∂E/∂strain
    any other number  of a structure: the mean of what the points say (of a vector the sum: a dipole);
                      of a point: what the point says; vectors turn with the structure
    words, integers   classes, of structures or of points

One network says them all: its output has a channel for the energy of a point, three for a vector, one for
each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.structures.structures import Structures

ENERGY, FORCES, STRESS = "energy", "forces", "stress"
_CANONICAL = (ENERGY, FORCES, STRESS)
AUTO = "auto"
MOST_CLASSES = 1000


class Target(NamedTuple):
    """name: of the values. kind: energy, forces, stress, scalars, vector or classes. per_point: whether each
    point has one. width: numbers of each (classes: how many). unit: as in the data. classes: their names."""

    name: str
    kind: str
    per_point: bool
    width: int
    unit: str = ""
    classes: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The fields of the network that say it, or "" where they are the derivatives of others'."""
        if self.kind in (FORCES, STRESS):
            return ""
        if self.kind == "vector":
            return "vector"
        return "scalar" if self.kind == ENERGY else f"{self.width} scalar"

    @property
    def channels(self) -> int:
        """Channels of these fields."""
        return 0 if not self.type else 1 if self.kind == ENERGY else self.width


def names_of(words: str | Sequence[str], argument: str) -> tuple[str, ...]:
    """Names separated by commas, or a list of them; each once.

    >>> names_of("energy, forces", "targets")
    ('energy', 'forces')
    """
    parts = words.split(",") if isinstance(words, str) else list(words)
    names = tuple(str(part).strip() for part in parts)
    if not names or "" in names or len(set(names)) < len(names):
        raise fail(argument, "names of values, each once, such as energy,forces", words)
    return names


def targets_of(words: str | Sequence[str], structures: Structures) -> tuple[Target, ...]:
    """The targets of these names in `structures`; "auto" is the energy and the forces, where they are there.

    Raises InputError for values that are not there, or that nothing can be learned from.
    """
    names = names_of(words, "targets")
    if names == (AUTO,):
        names = tuple(name for name in (ENERGY, FORCES) if name in structures.values)
        if not names:
            listed = ", ".join(structures.values) or "no values"
            raise fail("targets", "energy or forces in the data", listed, "name what is to be learned")
    return tuple(_target(name, structures) for name in names)


def _target(name: str, structures: Structures) -> Target:
    if name not in structures.values:
        listed = ", ".join(structures.values) or "none"
        raise fail("targets", f"values of the data ({listed})", repr(name))
    values, unit = structures.values[name], str(structures.units.get(name, ""))
    per_point = name in structures.per_point
    if name in _CANONICAL:
        d = structures.dimension
        shape = {ENERGY: (), FORCES: (d,), STRESS: (d, d)}
        if values.shape[1:] != shape[name]:
            raise fail("targets", f"{name} of shape {shape[name]} each", f"shape {values.shape[1:]}")
        _known(name, values)
        return Target(name, name, per_point, int(np.prod(shape[name], dtype=int)), unit)
    if name in structures.names or values.dtype.kind in "iub":
        return _classes(name, structures, per_point)
    _known(name, values)
    dimension = structures.positions.shape[1]
    if values.ndim > 2:
        raise fail("targets", f"{name} as numbers or vectors", f"shape {values.shape[1:]} each")
    if values.ndim == 2 and values.shape[1] == dimension:
        return Target(name, "vector", per_point, dimension, unit)
    return Target(name, "scalars", per_point, 1 if values.ndim == 1 else values.shape[1], unit)


def _classes(name: str, structures: Structures, per_point: bool) -> Target:
    values = structures.values[name]
    if values.ndim != 1:
        raise fail("targets", f"one label of {name} each", f"shape {values.shape[1:]} each")
    known = np.unique(values[values >= 0] if values.dtype.kind == "i" else values)
    words = structures.names.get(name)
    names = tuple(words) if words is not None else tuple(map(str, known.tolist()))
    if words is None and values.dtype.kind != "b" and not np.array_equal(known, np.arange(len(known))):
        got = f"the numbers {', '.join(map(str, known[:6].tolist()))}"
        raise fail("targets", f"labels {name} as words, or as 0, 1, … without gaps", got)
    if not 2 <= len(known) <= MOST_CLASSES:
        expected = f"labels of at least two classes, and at most {MOST_CLASSES}"
        raise fail("targets", expected, f"{len(known)} of {name}")
    return Target(name, "classes", per_point, len(names), "", names)


def _known(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).any():
        raise fail("targets", f"{name} that are known somewhere", "none")
