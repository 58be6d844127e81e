r"""Fields by name: samples of scalars on the points of a globe, of a mesh or of an array, with units.

Where a file has several months, levels or times, they are the samples, in the order of the file's axes. Two
scalars may be the components of a vector: `Fields.stack("u:v")` gives tangent vectors in the frame of the
sphere, (south, east) = (−v, u) for u eastward and v northward. A missing value is nan in the values and
False in `mask`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from intertwine._checks import fail
from intertwine.data.globe import Globe


def _equal(values: np.ndarray, wanted: Any) -> np.ndarray:
    """Where `values` are `wanted`, up to the rounding of single precision, at most a thousandth of a step."""
    numbers = values.dtype.kind in "fiub" and np.asarray(wanted).dtype.kind in "fiub"
    if not numbers or not len(values):
        return np.flatnonzero(values == wanted)
    all_ = values.astype(np.float64)
    steps = np.diff(np.unique(all_))
    step = steps.min() if steps.size else abs(float(wanted))
    rounding = np.finfo(np.float32).eps * abs(float(wanted)) if values.dtype.kind == "f" else 0.0
    off = np.abs(all_ - float(wanted))
    return np.flatnonzero((off <= max(1e-6 * step, min(rounding, step / 1000))) & (off == off.min()))


class Axis(NamedTuple):
    """An axis of samples: its name in the file, a value for each place, the attributes of these."""

    name: str
    values: np.ndarray
    attributes: dict[str, Any]

    @property
    def dates(self) -> list[str] | None:
        """The values of an axis in days, hours … since a date, of any calendar, as ISO dates; else None.

        >>> Axis("time", np.array([0, 31]), {"units": "days since 2001-01-01"}).dates
        ['2001-01-01T00:00:00', '2001-02-01T00:00:00']
        """
        unit = str(self.attributes.get("units", ""))
        if " since " not in unit:
            return None
        import xarray

        calendar = {k: v for k, v in self.attributes.items() if k in ("units", "calendar")}
        try:
            found = xarray.decode_cf(xarray.Dataset({"time": ("row", self.values, calendar)})).time.values
        except (ValueError, OverflowError, ImportError):
            return None
        return [str(date).replace(" ", "T")[:19] for date in found]

    def at(self, wanted: float | str) -> np.ndarray:
        """The places of a value: of a number up to rounding, of a date all that begin so ("2001-12"), of a
        number that is not on the axis the dates of this year.

        >>> Axis("time", np.array([0, 400]), {"units": "days since 2001-01-01"}).at(2002.0).tolist()
        [1]
        """
        if isinstance(wanted, str):
            dates = self.dates or [str(value) for value in self.values.tolist()]
            return np.flatnonzero([date.startswith(wanted.strip().replace(" ", "T")) for date in dates])
        found = _equal(self.values, wanted)
        year = np.asarray(wanted).dtype.kind in "fiu" and float(wanted) == round(float(wanted))
        return self.at(f"{int(wanted):04d}-") if not found.size and year and self.dates else found

    def __str__(self) -> str:
        listed = ", ".join((self.dates or list(map(str, self.values.tolist())))[:8])
        return listed + (", …" if len(self.values) > 8 else "")


_STOKES = re.compile(r"[QU](?:[_-].*)?", re.IGNORECASE)


def is_polarisation(first: str, second: str) -> bool:
    """Whether two names are those of the Stokes parameters Q and U, in the convention of HEALPix (COSMO):
    with axes to the south and the east Q + iU is a field of spin 2.

    >>> is_polarisation("Q_STOKES", "U_STOKES"), is_polarisation("u", "v")
    (True, False)
    """
    named = _STOKES.fullmatch(first) and _STOKES.fullmatch(second)
    return bool(named) and (first[0] + second[0]).upper() == "QU" and first[1:] == second[1:]


class Healpix(NamedTuple):
    """A HEALPix map in ring order. side: N_side, of 12 N_side² pixels."""

    side: int

    @property
    def bandlimit(self) -> int:
        """L = 2 N_side, to which three iterations of the transform are good."""
        return 2 * self.side

    def is_like(self, other: object) -> bool:
        """Whether the points are the same."""
        return self == other

    def __str__(self) -> str:
        return f"HEALPix with N_side {self.side}"


@dataclass(frozen=True, eq=False)
class Fields:
    """values: name → (samples, *places), floats, or (samples, *places, 3) for vectors in space, of meshes.
    units: name → as in the file, "" where it says none. attributes: name → of the variable; of "" those of
    the file. axes: whose product are the samples. layout: `Globe`, `Healpix`, or None for plain arrays and
    vertices. mask: (samples, *places), False where any of the variables is missing; None where nothing is.
    source, checksum: of the file. points: the axes of the points, where vectors in space alone leave them
    open (`at`).
    """

    values: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    attributes: Mapping[str, dict[str, Any]]
    axes: tuple[Axis, ...]
    layout: Globe | Healpix | None
    mask: Bool[np.ndarray, "samples *places"] | None = None
    source: str = ""
    checksum: str = ""
    points: tuple[int, ...] | None = None

    @property
    def samples(self) -> int:
        """How many."""
        return len(next(iter(self.values.values())))

    @property
    def places(self) -> tuple[int, ...]:
        """The axes of the points."""
        if isinstance(self.layout, Globe):
            return self.layout.shape
        if self.points is not None:
            return self.points
        first = min(self.values.values(), key=np.ndim)
        return first.shape[1:]

    def at(self, points: tuple[int, ...]) -> Fields:
        """The same, known to lie at `points`: arrays (samples, n, 3) are then vectors at n vertices, and not
        images of n × 3, arrays (samples, n, m, 3) images of three colours; as they are where the arrays are
        no such fields.

        >>> wind = Fields({"w": np.zeros((2, 42, 3))}, {}, {}, (), None)
        >>> wind.places, wind.at((42,)).places, wind.at((7,)).places
        ((42, 3), (42,), (42, 3))
        """
        inner = {v.shape[1 : 1 + len(points)] for v in self.values.values()}
        if self.layout is not None or inner != {points}:
            return self
        mask = self.mask
        if mask is not None and mask.ndim > 1 + len(points):
            mask = mask.all(axis=tuple(range(1 + len(points), mask.ndim)))
        return replace(self, points=points, mask=mask)

    @property
    def missing(self) -> int:
        """How many values are not known."""
        return sum(int(np.isnan(v).sum()) for v in self.values.values())

    def select(self, **where: float | str | Sequence[float | str]) -> Fields:
        """The samples at these values of axes, such as level=500 or month=[1, 7]; of an axis of times also
        dates, or how they begin: time="2001-12".

        Raises InputError for an axis or a value that is not there.

        >>> months = (Axis("month", np.array([1, 7]), {}),)
        >>> Fields({"z": np.zeros((2, 4))}, {"z": "m"}, {}, months, None).select(month=7).samples
        1
        """
        kept = np.arange(self.samples).reshape([len(axis.values) for axis in self.axes])
        axes = list(self.axes)
        for name, wanted in where.items():
            place = next((k for k, axis in enumerate(axes) if axis.name == name), None)
            if place is None:
                listed = ", ".join(axis.name for axis in axes) or "none"
                raise fail("select", f"an axis of samples ({listed})", repr(name))
            axis = axes[place]
            chosen: list[Any] = [wanted] if isinstance(wanted, str) else np.atleast_1d(wanted).tolist()
            found = [axis.at(value) for value in chosen]
            for value, hits in zip(chosen, found, strict=True):
                if not hits.size:
                    raise fail("select", f"a {name} of the file ({axis})", str(value))
            if not found:
                raise fail("select", f"values of {name}", "none")
            indices = np.array(list(dict.fromkeys(np.concatenate(found).tolist())))  # each once, as asked for
            kept = np.take(kept, indices, axis=place)
            axes[place] = axis._replace(values=axis.values[indices])
        rows = kept.reshape(-1)
        mask = None if self.mask is None else self.mask[rows]
        return replace(
            self, axes=tuple(axes), values={k: v[rows] for k, v in self.values.items()},
            mask=None if mask is None or mask.all() else mask,
        )  # fmt: skip

    def take(self, rows: Sequence[int] | np.ndarray) -> Fields:
        """Samples by their numbers, as one axis "sample"; InputError for numbers that are none."""
        rows = np.asarray(rows)
        if (
            rows.ndim != 1
            or not np.issubdtype(rows.dtype, np.integer)
            or len(np.setdiff1d(rows, range(self.samples)))
        ):
            raise fail("rows", f"numbers of samples, 0 to {self.samples - 1}", rows.tolist())
        mask = None if self.mask is None else self.mask[rows]
        return replace(
            self, axes=(Axis("sample", rows, {}),), values={k: v[rows] for k, v in self.values.items()},
            mask=None if mask is None or mask.all() else mask,
        )  # fmt: skip

    def stack(self, *names: str) -> Float[np.ndarray, "samples *places channels"]:
        """Variables beside one another as channels: "z" a scalar, "u:v" the components of a vector, u
        eastward and v northward, as (south, east) = (−v, u), "Q:U" those of a polarisation (spin 2), as they
        are.

        Raises InputError for a name that is not there.

        >>> one = {"u": np.ones((1, 2)), "v": np.full((1, 2), 3.0)}
        >>> Fields(one, {}, {}, (), None).stack("u:v", "u")[0].tolist()
        [[-3.0, 1.0, 1.0], [-3.0, 1.0, 1.0]]
        """
        parts = []
        for name in names:
            first, colon, second = name.partition(":")
            part = self._variable(first)
            if colon and is_polarisation(first, second):
                parts += [part[..., None], self._variable(second)[..., None]]
            elif colon:
                parts += [-self._variable(second)[..., None], part[..., None]]
            else:
                parts.append(part[..., None] if part.ndim == 1 + len(self.places) else part)
        return np.concatenate(parts, axis=-1)

    def _variable(self, name: str) -> np.ndarray:
        if name not in self.values:
            listed = ", ".join(list(self.values)[:12])
            raise fail("data", f"variables of the file ({listed})", repr(name), "say other names")
        return self.values[name]

    def with_values(
        self, values: Mapping[str, np.ndarray], units: Mapping[str, str], words: Mapping[str, str]
    ) -> Fields:
        """Other variables at the same places and samples. words: name → its long name."""
        attributes = {
            name: {"long_name": words.get(name, name), "units": units.get(name, "")} for name in values
        }
        kept = {"": dict(self.attributes.get("", {}))}
        return replace(
            self, values=dict(values), units=dict(units), attributes=kept | attributes, mask=None,
            points=None if self.layout is not None else self.places,
        )  # fmt: skip

    def __repr__(self) -> str:
        named = ", ".join(f"{k} ({u})" if (u := self.units.get(k)) else k for k in self.values)
        axes = " × ".join(f"{len(axis.values)} {axis.name}" for axis in self.axes)
        return f"Fields({named}; {axes or self.samples}; {self.layout or math.prod(self.places)})"
