"""Spaces by name, as the command line and configurations write them: one table.

plane:64, plane:64x48, plane:64:p4      arrays of 64 × 64 points, with a point group (p4m)
sphere:32, sphere:32:clenshaw-curtis    degrees l < 32 on a grid of the sphere (gauss)
sphere:36:driscoll-healy:72x144:1.25    of so many rows and columns, the first at 1.25° east
healpix:16, sphere:24:healpix:16        the same on HEALPix with N_side 16, l < 32 and l < 24
mesh:FILE                               a triangle mesh (OBJ, PLY, STL …), fields at its vertices
icosphere:4, icosahedron:4              the icosahedron with each edge halved 4 times, round or flat
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, radians
from typing import Any, NamedTuple, cast

from intertwine._checks import fail
from intertwine.spaces.grid import Grid
from intertwine.spaces.mesh.mesh import mesh_from_name
from intertwine.spaces.protocols import Region, Space, takes_arrays
from intertwine.spaces.sphere.sphere import Sphere

OVERSAMPLING = 2.0
"""How much finer a grid of the sphere is where non-linearities act."""


class NamedSpace(NamedTuple):
    """space. shape: the sizes of its axes. region: a kernel that sees the nearest points, a 3×3 one on the
    plane. everywhere: whether kernels without a region see the whole space. finer: the same space on a finer
    grid, where non-linearities act, or None for spaces whose points hold all that they make."""

    space: Space
    shape: tuple[int, ...]
    region: Region
    everywhere: bool = False
    finer: Space | None = None


class _Row(NamedTuple):
    """form: of the name. about: in words. make: from what stands after the first colon."""

    form: str
    about: str
    make: Callable[[str], NamedSpace]


def space_from_name(name: str, argument: str = "space") -> NamedSpace:
    """The space called `name`, one of `SPACES`.

    Raises InputError, called `argument`, listing the forms, for any other name, and whatever the space says
    to its numbers.

    >>> space_from_name("plane:16x8:p4")
    NamedSpace(space=Grid('p4'), shape=(16, 8), region=3, everywhere=False, finer=None)
    >>> space_from_name("icosphere:1").shape
    (42,)
    >>> space_from_name("torus:4")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: space: expected one of plane:N[:GROUP], sphere:L[:GRID[:RxC[:FIRST]]], ...
    """
    kind, colon, rest = name.strip().partition(":") if isinstance(name, str) else ("", "", "")
    if kind not in SPACES or not colon or not rest:
        raise _unknown(name, argument)
    try:
        return SPACES[kind].make(rest)
    except _OtherFormError:
        raise _unknown(name, argument) from None


def named_space(space: str | Space | NamedSpace) -> NamedSpace:
    """A space with what networks ask of it beside: by name, or any object.

    >>> named_space(Grid("p4"))
    NamedSpace(space=Grid('p4'), shape=(), region=3, everywhere=False, finer=None)
    """
    if isinstance(space, NamedSpace):
        return space
    if isinstance(space, str):
        return space_from_name(space)
    return NamedSpace(space, space.shape or (), 3 if takes_arrays(space) else None)


class _OtherFormError(ValueError):
    """What stands after the colon is not as the row's form says."""


def _unknown(name: object, argument: str) -> Exception:
    forms = ", ".join(row.form for row in SPACES.values())
    return fail(argument, f"one of {forms}", name, "for example plane:32")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 1 << 16:
        raise _OtherFormError
    return int(text)


def _plane(rest: str) -> NamedSpace:
    sizes, _, group = rest.partition(":")
    shape = tuple(_number(n) for n in sizes.split("x"))
    if len(shape) > 2:
        raise _OtherFormError
    grid = Grid(group or "p4m")
    if grid.dimension != 2:
        raise fail("space", "a point group of the plane", group, "for example p4m")
    return NamedSpace(grid, shape * 2 if len(shape) == 1 else shape, 3)


def _sphere(rest: str) -> NamedSpace:
    degrees, grid, sizes, first, *more = [*rest.split(":"), "", "", ""]
    shape = tuple(_number(n) for n in sizes.split("x")) if sizes else None
    if any(more) or (shape is not None and len(shape) != (1 if grid == "healpix" else 2)):
        raise _OtherFormError
    try:
        longitude = radians(float(first or 0))
    except ValueError:
        raise _OtherFormError from None
    size: Any = shape[0] if shape is not None and len(shape) == 1 else shape
    return _on_sphere(Sphere(_number(degrees), grid or "gauss", size=size, first_longitude=longitude))


def _healpix(rest: str) -> NamedSpace:
    side = _number(rest)
    return _on_sphere(Sphere(2 * side, "healpix", size=side))


def _on_sphere(sphere: Sphere) -> NamedSpace:
    """Kernels of three rings, as far apart as the band limit tells."""
    region = min(pi, 3 * pi / sphere.bandlimit), 3
    finer = sphere.at(sphere.bandlimit, oversampling=OVERSAMPLING)
    return NamedSpace(cast("Space", sphere), sphere.shape, region, True, cast("Space", finer))


def _mesh(kind: str) -> Callable[[str], NamedSpace]:
    def make(rest: str) -> NamedSpace:
        if kind != "mesh":
            _number(rest)
        mesh = mesh_from_name(f"{kind}:{rest}")
        return NamedSpace(cast("Space", mesh), mesh.shape, 1)

    return make


SPACES: dict[str, _Row] = {
    "plane": _Row("plane:N[:GROUP]", "arrays of N × N points, or NxM", _plane),
    "sphere": _Row("sphere:L[:GRID[:RxC[:FIRST]]]", "degrees below L on a grid of the sphere", _sphere),
    "healpix": _Row("healpix:N", "HEALPix with N_side N, degrees below 2 N", _healpix),
    "mesh": _Row("mesh:FILE", "the vertices of a triangle mesh", _mesh("mesh")),
    "icosphere": _Row("icosphere:N", "the icosahedron refined N times, round", _mesh("icosphere")),
    "icosahedron": _Row("icosahedron:N", "the same with flat faces", _mesh("icosahedron")),
}
"""A space's name begins with one of these."""
