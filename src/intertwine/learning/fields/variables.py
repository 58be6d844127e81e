"""Variables by name as types of fields: which two are the components of a vector, and what the others are."""

from __future__ import annotations

from collections.abc import Sequence

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.data.fields import Fields, is_polarisation
from intertwine.data.known_numbers import check_fills

_PAIRS = {("u", "v"), ("u10", "v10"), ("ua", "va"), ("uas", "vas"), ("u_component", "v_component")}


def variables_of(names: str | Sequence[str], fields: Fields, argument: str) -> tuple[str, ...]:
    """Names of scalars, "u:v" for vectors, of names separated by commas: where two of them, in any order, are
    known to be eastward and northward components (by their standard names, or as u, v), they are one vector,
    and Q and U one polarisation.

    Raises InputError, called `argument`, for names that are not there, named twice, or none, for fill values
    among the numbers, and for pairs "a:b" anywhere but on a globe.

    >>> import numpy as np
    >>> from intertwine.data import globe_of
    >>> globe = globe_of(np.linspace(90, -90, 5), np.arange(8) * 45.0)
    >>> values = {name: np.zeros((1, 5, 8)) for name in ("u", "v", "z")}
    >>> variables_of("v,z,u", Fields(values, {}, {}, (), globe), "inputs")
    ('u:v', 'z')
    """
    given = names.split(",") if isinstance(names, str) else list(names)
    asked = [name.strip() for name in given if name.strip()]
    flat = [part.strip() for name in asked for part in name.split(":")]
    for name in flat:
        if name not in fields.values:
            raise fail(argument, f"variables of the file ({', '.join(list(fields.values)[:12])})", repr(name))
        check_fills(argument, name, fields.values[name])
    if not flat or len(set(flat)) < len(flat):
        raise fail(argument, "names of variables, each once", repr(names), "for example u,v")
    if fields.layout is None:
        if paired := next((name for name in asked if ":" in name), None):
            remedy = "on a mesh a vector is one array (samples, vertices, 3)"
            raise fail(argument, "names of arrays; pairs are vectors of a globe", paired, remedy)
        return tuple(asked)
    found: list[str] = []
    while asked:
        name = asked.pop(0)
        for other in asked:
            pair = next((p for p in ((name, other), (other, name)) if _components(*p, fields)), None)
            if pair is not None:
                asked.remove(other)
                name = ":".join(pair)
                break
        found.append(name)
    return tuple(found)


def lone_components(names: Sequence[str], fields: Fields) -> tuple[str, ...]:
    """The caveats of names of `variables_of` that stand for one component of a vector, as a scalar.

    >>> import numpy as np
    >>> from intertwine.data import globe_of
    >>> globe = globe_of(np.linspace(90, -90, 5), np.arange(8) * 45.0)
    >>> fields = Fields({name: np.zeros((1, 5, 8)) for name in ("u", "v", "z")}, {}, {}, (), globe)
    >>> lone_components(("z", "u"), fields)[0][:41], lone_components(("u:v", "z"), fields)
    ('assumption: u is one component of a vecto', ())
    """
    if fields.layout is None:
        return ()
    words = "is one component of a vector, taken as a scalar: it does not turn as the vector does; give both"
    others = list(fields.values)
    lone = [
        name
        for name in names
        if any(_components(*pair, fields) for other in others for pair in ((name, other), (other, name)))
    ]
    return tuple(caveat("assumption", f"{name} {words}") for name in lone)


def _components(first: str, second: str, fields: Fields) -> bool:
    if (first, second) in _PAIRS or is_polarisation(first, second):
        return True
    words = [str(fields.attributes.get(name, {}).get("standard_name", "")) for name in (first, second)]
    east, north = (word.partition("_") for word in words)
    return east[0] == "eastward" and north[0] == "northward" and east[2] == north[2] != ""


def type_of(name: str, fields: Fields) -> str:
    """The type of a variable: "vector" of a pair and of vectors in space at vertices, "spin 2" of the Stokes
    parameters Q and U, else "scalar", or a number of them, as the colours of an image are.

    >>> import numpy as np
    >>> type_of("w", Fields({"w": np.zeros((2, 9, 3)), "h": np.zeros((2, 9))}, {}, {}, (), None))
    'vector'
    >>> type_of("rgb", Fields({"rgb": np.zeros((2, 9, 9, 3))}, {}, {}, (), None).at((9, 9)))
    '3 scalar'
    """
    if ":" in name:
        return "spin 2" if is_polarisation(*name.split(":", 1)) else "vector"
    values = fields.values[name]
    extra = values.ndim - 1 - len(fields.places)
    if not extra:
        return "scalar"
    if values.shape[-1] == 3 and len(fields.places) == 1:
        return "vector"
    return f"{values.shape[-1]} scalar"


def width_of(kind: str) -> int:
    """The channels of a type of `type_of`.

    >>> width_of("scalar"), width_of("vector"), width_of("spin 2"), width_of("4 scalar")
    (1, 2, 2, 4)
    """
    if kind in ("vector", "spin 2"):
        return 2
    return int(kind.partition(" ")[0]) if kind[0].isdigit() else 1


def units_of(name: str, fields: Fields) -> str:
    """The unit of a variable, or of both components of a vector.

    Raises InputError where these differ.
    """
    units = {fields.units.get(part, "") for part in name.split(":")}
    if len(units) > 1:
        raise fail(name, "two components in one unit", " and ".join(sorted(units)))
    return units.pop()
