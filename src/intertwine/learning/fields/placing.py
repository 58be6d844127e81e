r"""Fields of files on the space of a network, and back.

On the sphere by the transform: the harmonics of a field on the grid of its file, those of degrees below the
band limit of the network's sphere, their values on its grid. Where the two grids are the same nothing is
computed; arrays that have no grid in their file must have the points of the network's. On a mesh and on
arrays the points must be those of the space; vectors of a mesh are vectors in space in files, and tangent
vectors in the frames of the space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.data.fields import Fields, Healpix
from intertwine.data.globe import Globe
from intertwine.learning.fields.variables import type_of, width_of
from intertwine.spaces.names import NamedSpace, named_space, space_from_name
from intertwine.spaces.protocols import Space
from intertwine.spaces.sphere.calculus import with_bandlimit
from intertwine.spaces.sphere.sphere import Sphere

_LARGEST = 1e18
"""Squares of larger numbers are infinite in single precision."""


def sphere_of(layout: Globe | Healpix) -> Sphere:
    """The sphere whose grid a file has, at the band limit of the grid.

    >>> from intertwine.data import globe_of
    >>> sphere_of(globe_of(np.linspace(90, -90, 9), np.arange(16) * 22.5)).shape
    (9, 16)
    """
    if isinstance(layout, Healpix):
        return Sphere(layout.bandlimit, "healpix", size=layout.side)
    return Sphere(layout.bandlimit, layout.grid, size=layout.shape, first_longitude=layout.first_longitude)


def usual_space(fields: Fields) -> str:
    """The name of the space that fields of a file lie on: the sphere at the band limit of its grid, or
    arrays.

    Raises InputError for values at vertices, whose mesh has to be said.
    """
    if fields.layout is not None:
        return name_of(sphere_of(fields.layout))
    if len(fields.places) in (2, 3):  # three: channels after the points
        return "plane:" + "x".join(map(str, fields.places[:2]))
    got = f"values at {fields.places[0]} points"
    raise fail("space", "the mesh that the values lie on", got, "say mesh:FILE or icosphere:N")


def space_of(fields: Fields, space: str | Space) -> tuple[str, NamedSpace]:
    """(name, space) that fields of a file are learnt on: by name, "auto" for that of their grid, or an
    object.

    >>> field = Fields({"a": np.zeros((2, 4, 4))}, {}, {}, (), None)
    >>> space_of(field, "auto")[0], space_of(field, Sphere(8))[0]
    ('plane:4x4', 'sphere:8:gauss')
    """
    if isinstance(space, Sphere):
        space = name_of(space)
    if isinstance(space, str):
        name = usual_space(fields) if space == "auto" else space
        return name, space_from_name(name)
    if not hasattr(space, "executor"):
        raise fail("space", "'auto', the name of a space, or a Space", space, "for example sphere:32")
    named = named_space(space)
    return repr(space), named if named.shape else named._replace(shape=fields.places[: space.axes])


def name_of(sphere: Sphere) -> str:
    """What `space_from_name` makes the sphere of.

    >>> name_of(Sphere(8)), name_of(Sphere(8, "driscoll-healy", size=(16, 32), first_longitude=np.pi / 18))
    ('sphere:8:gauss', 'sphere:8:driscoll-healy:16x32:10')
    """
    if sphere.grid == "healpix":
        side = sphere.size[1]
        return (
            f"healpix:{side}" if sphere.bandlimit == 2 * side else f"sphere:{sphere.bandlimit}:healpix:{side}"
        )
    name = f"sphere:{sphere.bandlimit}:{sphere.grid}"
    if sphere == Sphere(sphere.bandlimit, sphere.grid):
        return name
    first = f":{round(np.degrees(sphere.first_longitude), 9):.12g}" if sphere.first_longitude else ""
    return f"{name}:{'x'.join(map(str, sphere.size))}{first}"


def placed(fields: Fields, named: NamedSpace, where: str) -> Fields:
    """Fields of a file, known to lie at the points of a space.

    Raises InputError, called `where`, where they do not.
    """
    fields = fields.at(named.shape)
    if isinstance(named.space, Sphere):
        if fields.layout is None and fields.places == named.shape:
            return fields
        if fields.layout is None:
            got = f"arrays of {' × '.join(map(str, fields.places))} points"
            expected = f"a grid of the sphere in the file, or the {' × '.join(map(str, named.shape))} points"
            remedy = "take a netCDF file, or another space"
            raise fail(where, f"{expected} of {named.space!r}", got, remedy)
        if fields.layout.bandlimit < named.space.bandlimit and sphere_of(fields.layout) != named.space:
            expected = f"a grid that tells degrees below {named.space.bandlimit} apart"
            got = f"{fields.layout}, degrees below {fields.layout.bandlimit}"
            raise fail(where, expected, got, "take a coarser space, such as sphere:L with a lower L")
        return fields
    if fields.layout is not None:
        raise fail(where, f"points of {named.space!r}", f"a globe, {fields.layout}", "take a sphere as space")
    if fields.places != named.shape:
        expected = f"{' × '.join(map(str, named.shape))} points, as the space has"
        merged = "vertices of a mesh file at one position are one, in the order of `it.Mesh(FILE).positions`"
        remedy = merged if hasattr(named.space, "faces") else ""
        raise fail(where, expected, " × ".join(map(str, fields.places)), remedy)
    return fields


def on_space(fields: Fields, names: Sequence[str], named: NamedSpace) -> Float[np.ndarray, "samples ..."]:
    """Variables as channels, (samples, *shape, C), of the types `type_of` beside one another.

    Raises InputError for missing values where the grids differ.
    """
    parts = []
    for name in names:
        values = fields.stack(name)
        if isinstance(named.space, Sphere):
            values = resampled(values, type_of(name, fields), _under(fields, named.space), named.space, name)
        elif type_of(name, fields) == "vector" and hasattr(named.space, "to_frames") and ":" not in name:
            values = np.asarray(_mesh(named).to_frames(values))
        if (largest := np.nanmax(np.abs(values), initial=0.0)) > _LARGEST:
            remedy = (
                "if it stands for missing values, say so in the file (_FillValue), else take another unit"
            )
            raise fail(name, f"numbers up to {_LARGEST:g}", f"{largest:g}", remedy)
        parts.append(values)
    return np.concatenate(parts, axis=-1)


def off_space(
    values: Float[np.ndarray, "samples ..."],
    types: Sequence[tuple[str, str]],
    named: NamedSpace,
    like: Fields,
) -> dict[str, np.ndarray]:
    """Channels of pairs (variable, type) on the space as variables where the fields `like` lie."""
    found, start = {}, 0
    for name, kind in types:
        width = width_of(kind)
        part = values[..., start : start + width]
        start += width
        if isinstance(named.space, Sphere):
            part = resampled(part, kind, named.space, _under(like, named.space), name)
        if ":" in name:
            first, _, second = name.partition(":")
            east, north = (part[..., 1], -part[..., 0]) if kind == "vector" else np.moveaxis(part, -1, 0)
            found[first], found[second] = east, north
        elif kind == "vector" and hasattr(named.space, "to_space"):
            found[name] = np.asarray(_mesh(named).to_space(part))
        else:
            found[name] = part[..., 0] if width == 1 else part
    return found


def resampled(
    values: Float[np.ndarray, "samples ..."], kind: str, source: Sphere, target: Sphere, where: str
) -> Float[np.ndarray, "samples ..."]:
    """Fields of a type on another sphere, one sample after another; as they are where the two are equal.

    Raises InputError, called `where`, for missing values.
    """
    if source == target:
        return values
    if np.isnan(values).any():
        got = f"{int(np.isnan(values).sum())} missing ones, on another grid than the space"
        remedy = f"take the file's own grid as space, {name_of(source)}, or fill them in"
        raise fail(where, "values everywhere", got, remedy)

    @jax.jit
    def moved(field: Any) -> Any:
        found = with_bandlimit(source.analysis(field, kind), target.bandlimit)
        return target.synthesis(found, kind)

    return np.stack([np.asarray(moved(jnp.asarray(field, float))) for field in values])


def measure_of(space: object, shape: Sequence[int]) -> Float[np.ndarray, "..."]:
    """The share of each point in the area, (*shape); equal ones where the space says none."""
    found = getattr(space, "measure", None)
    return np.full(shape, 1 / np.prod(shape)) if found is None else np.asarray(found)


def _under(fields: Fields, space: Sphere) -> Sphere:
    """The sphere of the points of fields; arrays lie on those of `space`."""
    return space if fields.layout is None else sphere_of(fields.layout)


def _mesh(named: NamedSpace) -> Any:
    """A space with vectors in space."""
    return named.space
