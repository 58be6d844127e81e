"""Names of the machines that learn a distribution: "rbm:64", "dbm:500-1000", "dbn:500-2000"."""

from __future__ import annotations

import re

from intertwine._checks import fail

NAMES = ("rbm:500", "dbm:500-1000", "dbn:500-2000")
MOST_UNITS = 1 << 20
_NAME = re.compile(r"(rbm|dbm|dbn):([0-9]{1,7}(?:-[0-9]{1,7})*)", re.ASCII)


def parsed(name: str, argument: str = "model") -> tuple[str, tuple[int, ...]]:
    """The family and the hidden layers' sizes of a name.

    Raises InputError, about `argument`, for another name.

    >>> parsed("dbm:500-1000")
    ('dbm', (500, 1000))
    """
    match = _NAME.fullmatch(name)
    family, sizes = (match[1], tuple(map(int, match[2].split("-")))) if match else ("", ())
    if not match or (len(sizes) > 1) != (family != "rbm") or not all(1 <= n <= MOST_UNITS for n in sizes):
        shown = ascii(name) if not name.isprintable() else repr(name)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        remedy = "one layer for rbm, two or more for dbm and dbn"
        raise fail(argument, "a machine such as " + ", ".join(NAMES), shown, remedy)
    return family, sizes
