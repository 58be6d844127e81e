r"""Finite groups by the names that are written for them, as commands and data sets take them.

    cyclic:97, C97, Z97        dihedral:5, D5 (order 10)      dicyclic:3, Dic3 (order 12), Q8
    symmetric:4, S4            alternating:5, A5              T, O, I, Td: rotations of solids
    C2xC4, S3xZ2, D4xC3        direct products

Capital letters do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from intertwine._checks import InputError, fail
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.groups.named_groups import (
    alternating,
    cyclic,
    dicyclic,
    dihedral,
    direct_product,
    full_tetrahedral,
    icosahedral,
    octahedral,
    quaternion,
    symmetric,
    tetrahedral,
)

GROUP_NAMES = ("cyclic:N", "ZN", "dihedral:N", "DN", "dicyclic:N", "SN", "AN", "Q8", "T", "O", "I", "G x H")
_FAMILIES: dict[str, Callable[[int], FiniteGroup]] = {
    "cyclic": cyclic, "c": cyclic, "z": cyclic, "dihedral": dihedral, "d": dihedral, "dicyclic": dicyclic,
    "dic": dicyclic, "symmetric": symmetric, "s": symmetric, "alternating": alternating, "a": alternating,
}  # fmt: skip
_SINGLE: dict[str, Callable[[], FiniteGroup]] = {
    "q8": quaternion, "quaternion": quaternion, "t": tetrahedral, "tetrahedral": tetrahedral,
    "o": octahedral, "octahedral": octahedral, "i": icosahedral, "icosahedral": icosahedral,
    "td": full_tetrahedral,
}  # fmt: skip
_NUMBERED = re.compile(r"([a-z]+):?_?([0-9]{1,5})", re.ASCII)


def group_from_name(name: str, argument: str = "group") -> FiniteGroup:
    """The group called `name`, or the direct product of those between × or x.

    Raises InputError, listing the names, for any other.

    >>> group_from_name("S4").order, group_from_name("cyclic:97").order, group_from_name("C2xC4").order
    (24, 97, 8)
    """
    words = name.strip().lower().replace("×", "x").replace(" ", "") if isinstance(name, str) else ""
    parts = words.split("x")
    found = None
    try:
        if 0 < len(words) <= 60 and all(parts):
            for part in parts:
                one = _named(part)
                found = one if found is None else direct_product(found, one)
            assert found is not None
            return found
    except KeyError:
        pass
    except InputError as error:
        raise InputError(f"{argument}: {name!r}, {error}") from None
    raise fail(argument, "the name of a finite group: " + ", ".join(GROUP_NAMES), name, "such as S4 or Z23")


def _named(word: str) -> FiniteGroup:
    if word in _SINGLE:
        return _SINGLE[word]()
    match = _NUMBERED.fullmatch(word)
    if match is None:
        raise KeyError(word)
    return _FAMILIES[match[1]](int(match[2]))
