r"""Latitude-longitude grids of files: which quadrature grid of the sphere one is, and the orders of its axes.

    rows at both poles, Δ = 180°/(n − 1)                        Clenshaw-Curtis    degrees l < n − 1
    rows half a step from the poles, Δ = 180°/n                 Driscoll-Healy     degrees l < n/2
    sines of latitude at the zeros of the Legendre P_n          Gauss-Legendre     degrees l < n

and at most half as many degrees as there are columns. Fields are kept north to south and eastward from the
first longitude of [0°, 360°), whatever the order in the file; the file's own order is kept beside them, and
`as_filed` puts fields back into it. So fields from files with latitudes the other way round, or longitudes
from −180°, are the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int64, Shaped

from intertwine._checks import fail

CLENSHAW_CURTIS, DRISCOLL_HEALY, GAUSS = "clenshaw-curtis", "driscoll-healy", "gauss"
_OFF = 0.02
"""How far coordinates may be from those of a grid, in steps of it: files round them."""
_GAUSS_LARGEST = 4000
_DECIMALS = 6
"""Of the first longitude, in degrees: beyond is rounding."""


@dataclass(frozen=True, eq=False)
class Globe:
    """A whole latitude-longitude grid.

    grid: "clenshaw-curtis", "driscoll-healy" or "gauss". shape: (rows, columns). first_longitude: of the
    first column, radians of [0, 2π). latitude, longitude: as in the file, degrees. names: of these two in
    the file. attributes: of these two.
    """

    grid: str
    shape: tuple[int, int]
    first_longitude: float
    latitude: Float[np.ndarray, " rows"]
    longitude: Float[np.ndarray, " columns"]
    names: tuple[str, str] = ("latitude", "longitude")
    attributes: tuple[dict, dict] = field(default_factory=lambda: ({}, {}))

    @property
    def bandlimit(self) -> int:
        """L: fields with degrees l < L are determined by their values."""
        rows, columns = self.shape
        by_rows = {CLENSHAW_CURTIS: rows - 1, DRISCOLL_HEALY: rows // 2, GAUSS: rows}[self.grid]
        return max(1, min(by_rows, (columns + 1) // 2))

    @property
    def latitudes(self) -> Float[np.ndarray, " rows"]:
        """Degrees, north to south."""
        return np.asarray(self.latitude, np.float64)[self._rows]

    @property
    def longitudes(self) -> Float[np.ndarray, " columns"]:
        """Degrees of [0, 360), eastward."""
        return _folded(self.longitude)[self._columns]

    @property
    def _rows(self) -> Int64[np.ndarray, " rows"]:
        return np.argsort(-np.asarray(self.latitude, np.float64), kind="stable")

    @property
    def _columns(self) -> Int64[np.ndarray, " columns"]:
        return np.argsort(_folded(self.longitude), kind="stable")

    def in_order(self, values: Shaped[np.ndarray, "... rows columns"]) -> Shaped[np.ndarray, "... r c"]:
        """From the order of the file to north to south, eastward."""
        return np.ascontiguousarray(values[..., self._rows[:, None], self._columns])

    def as_filed(self, values: Shaped[np.ndarray, "... rows columns"]) -> Shaped[np.ndarray, "... r c"]:
        """The inverse of `in_order`."""
        rows, columns = np.argsort(self._rows), np.argsort(self._columns)
        return np.ascontiguousarray(values[..., rows[:, None], columns])

    def is_like(self, other: object) -> bool:
        """Whether the points are the same."""
        return (
            isinstance(other, Globe)
            and (self.grid, self.shape) == (other.grid, other.shape)
            and abs(self.first_longitude - other.first_longitude) < 1e-6
        )

    def __str__(self) -> str:
        rows, columns = self.shape
        return f"{rows} × {columns} points, {self.grid}"


def globe_of(
    latitude: np.ndarray,
    longitude: np.ndarray,
    *,
    where: str = "data",
    names: tuple[str, str] = ("latitude", "longitude"),
    attributes: tuple[dict, dict] | None = None,
) -> Globe:
    """The grid with these coordinates, in degrees, in any order; `InputError`, called `where`, for a part of
    the globe, and for latitudes of no quadrature grid.

    >>> globe_of(np.linspace(-90, 90, 13), np.arange(-180, 180, 15.0)).grid
    'clenshaw-curtis'
    >>> globe_of(np.arange(20.0, 60), np.arange(0.0, 40))
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: data: expected longitudes around the whole globe, ...
    """
    first = _whole_circle(longitude, where)
    grid = _grid_of(latitude, where)
    made = attributes or ({"units": "degrees_north"}, {"units": "degrees_east"})
    shape = (len(latitude), len(longitude))
    return Globe(grid, shape, first, np.array(latitude), np.array(longitude), names, made)


def _folded(longitude: np.ndarray) -> np.ndarray:
    """Degrees of [0, 360); those that rounding left just below 360 are 0."""
    found = np.mod(np.asarray(longitude, np.float64), 360.0)
    return np.where(found > 360 - 1e-3 * 360 / max(len(found), 1), found - 360, found)


def _whole_circle(longitude: np.ndarray, where: str) -> float:
    """The first longitude, in radians, of equal steps around the circle."""
    n = len(longitude)
    if n < 2 or not np.isfinite(longitude).all():
        raise fail(where, "two longitudes or more, all known", f"{n} of them")
    sorted_, step = np.sort(_folded(longitude)), 360 / n
    gaps = np.diff(np.append(sorted_, sorted_[0] + 360))
    if np.ptp(np.asarray(longitude, np.float64)) > 360 - 1e-6 and gaps.min() < _OFF * step:
        remedy = "leave out the last column, which repeats the first"
        raise fail(
            where, "each longitude once", f"{n} of them, the first and the last 360 degrees apart", remedy
        )
    if gaps.max() > 1.5 * np.median(gaps):
        got = f"a regional grid, {n} longitudes from {longitude[0]:g} to {longitude[-1]:g}"
        remedy = "take the whole globe; a part has no harmonics of its own"
        raise fail(where, "longitudes around the whole globe", got, remedy)
    if np.abs(gaps - step).max() > _OFF * step:
        got = f"an irregular grid, with steps from {gaps.min():g} to {gaps.max():g}"
        raise fail(where, "longitudes in equal steps", got, "put it on a regular grid first")
    first = float((sorted_ - step * np.arange(n)).mean())
    return 0.0 if abs(first) < 1e-3 * step else float(np.radians(round(first, _DECIMALS)))


def _grid_of(latitude: np.ndarray, where: str) -> str:
    n, given = len(latitude), np.sort(np.asarray(latitude, np.float64))[::-1]
    if n < 2 or not np.isfinite(given).all() or np.abs(given).max() > 90 + 1e-6:
        got = f"{n} of them" + (f", from {given[-1]:g} to {given[0]:g}" if n else "")
        raise fail(where, "two latitudes or more, from −90 to 90", got)
    even = 90 - 180 * (np.arange(n) + 0.5) / n
    known = {CLENSHAW_CURTIS: np.linspace(90, -90, n), DRISCOLL_HEALY: even}
    if n <= _GAUSS_LARGEST:
        known[GAUSS] = np.degrees(np.arcsin(np.polynomial.legendre.leggauss(n)[0][::-1]))
    off = {grid: np.abs(given - rows).max() * n / 180 for grid, rows in known.items()}
    nearest = min(off, key=lambda grid: off[grid])
    if off[nearest] < _OFF:
        return nearest
    steps = -np.diff(given)
    if given[0] < 90 - 2 * steps.max() or given[-1] > -90 + 2 * steps.max():
        got = f"a regional grid, from {given[-1]:g}° to {given[0]:g}°"
        raise fail(where, "latitudes from pole to pole", got, "take the whole globe")
    regular = np.ptp(steps) < _OFF * steps.mean()
    got = f"{n} rows from {given[0]:g}° to {given[-1]:g}°, {'' if regular else 'not '}in equal steps"
    remedy = "with equal steps, keep both poles or neither; put others on such a grid first"
    raise fail(
        where,
        "equal steps with rows at both poles, or half a step from both, or Gaussian latitudes",
        got,
        remedy,
    )
