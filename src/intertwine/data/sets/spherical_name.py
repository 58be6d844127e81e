"""The names of digits on the sphere (`spherical`): which parts are turned, and the band limit of the grid."""

from __future__ import annotations

import re
from typing import NamedTuple

BANDLIMIT = 30
FORM = "spherical-mnist[:NR-NR, :R-R or :NR-R][:L]"
_NAME = re.compile(r"spherical-mnist(?::(N?R)-(N?R))?(?::([0-9]{1,3}))?", re.ASCII)


class Spherical(NamedTuple):
    """Whether the part to learn from and the part to test with are turned, and the band limit of the grid."""

    turned_training: bool = False
    turned_test: bool = False
    bandlimit: int = BANDLIMIT


def spherical_name(name: str) -> Spherical | None:
    """What a name of the form `FORM` says; None for other names.

    >>> spherical_name("spherical-mnist:NR-R"), spherical_name("mnist")
    (Spherical(turned_training=False, turned_test=True, bandlimit=30), None)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    training, test, limit = match.groups()
    return Spherical(training == "R", test == "R", int(limit or BANDLIMIT))
