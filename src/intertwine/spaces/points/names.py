"""Points by name, as the command line and configurations write them.

points:5.0         neighbours within 5 (Å, of structures)
points:5.0:12      of those the 12 nearest
points:none:16     the 16 nearest, however far they are
points:5.0:SO(3)   mirror images may differ; likewise points:5.0:12:SO(3)
"""

from __future__ import annotations

from intertwine._checks import InputError, fail
from intertwine.spaces.points.points import Points

FORM = "points:R[:K][:GROUP]"
_GROUPS = ("O(3)", "SO(3)", "O(2)", "SO(2)")


def is_points(name: object) -> bool:
    """Whether a name is meant to be one of points.

    >>> is_points("points:5"), is_points("plane:64")
    (True, False)
    """
    return isinstance(name, str) and name.partition(":")[0] == "points"


def points_from_name(name: str, argument: str = "space") -> Points:
    """The points called `name`. Raises InputError, called `argument`, for any other name.

    >>> points_from_name("points:5.0:12"), points_from_name("points:none:16").cutoff
    (Points(5, nearest=12, group='O(3)'), None)
    >>> points_from_name("points:0")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: space: expected points:R[:K][:GROUP], ..., got points:0; for example
    points:5.0.
    """
    parts = name.strip().split(":") if isinstance(name, str) else []
    group = parts.pop() if len(parts) > 2 and parts[-1] in _GROUPS else "O(3)"
    expected = f"{FORM}, R the distance that neighbours are within"
    wrong = fail(argument, expected, name, "for example points:5.0")
    if not 2 <= len(parts) <= 3 or parts[0] != "points":
        raise wrong
    try:
        cutoff = None if parts[1] == "none" else float(parts[1])
        nearest = int(parts[2]) if len(parts) == 3 else None
        return Points(cutoff, nearest=nearest, group=group)
    except (ValueError, InputError):
        raise wrong from None


def name_of_points(points: Points) -> str:
    """What `points_from_name` makes these points of.

    >>> name_of_points(Points(4.0, nearest=8)), name_of_points(Points(5.5, group="SO(3)"))
    ('points:4.0:8', 'points:5.5:SO(3)')
    """
    cutoff = "none" if points.cutoff is None else repr(points.cutoff)
    nearest = "" if points.nearest is None else f":{points.nearest}"
    group = "" if points.group.name == "O(3)" else f":{points.group.name}"
    return f"points:{cutoff}{nearest}{group}"
