"""The channels of a type by their spin."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

import numpy as np

from intertwine._checks import fail
from intertwine.symmetry import CompactGroup, CompactRep


class OfSpins(Protocol):
    """What types ask of a space."""

    @property
    def fibre_group(self) -> CompactGroup: ...


@lru_cache(maxsize=256)
def channels_of_spins(rep: CompactRep) -> dict[int, np.ndarray]:
    """int: the channels of every spin, copy by copy.

    >>> SO2 = CompactGroup("SO(2)")
    >>> channels_of_spins(SO2.irrep(1) + 2 * SO2.irrep(0))
    {1: array([0, 1]), 0: array([2, 3])}
    """
    found: dict[int, list[int]] = {}
    start = 0
    for irrep, m in rep.irreps:
        d = 1 if irrep.frequency == 0 else 2
        found.setdefault(irrep.frequency, []).extend(range(start, start + m * d))
        start += m * d
    return {k: np.array(channels) for k, channels in found.items()}


_TERM = re.compile(r"(?:(\d+)\s*)?(scalar|vector|spin (\d+))")


def checked_type(space: OfSpins, rep: CompactRep | str | None, argument: str = "rep") -> CompactRep:
    """A type of the space; None: scalar; names "2 scalar + vector + spin 2" (all names: `field_type`)."""
    group = space.fibre_group
    if rep is None:
        return group.irrep(0)
    if isinstance(rep, str):
        blocks = []
        for term in rep.split("+"):
            found = _TERM.fullmatch(term.strip())
            if not found or found[1] == "0":
                remedy = "other names are those of it.layers.field_type(space, name)"
                raise fail(argument, "a sum of scalar, vector, spin k with numbers before them", rep, remedy)
            spin = int(found[3]) if found[3] else int(found[2] == "vector")
            blocks.append((group.irrep(spin), int(found[1] or 1)))
        return CompactRep.direct_sum(blocks)
    if not isinstance(rep, CompactRep) or rep.group != group:
        raise fail(argument, f"a representation of {group!r}, or a name", rep)
    return rep
