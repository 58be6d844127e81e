r"""How a group acts on the inputs and outputs of a function under test, and fields to test it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import blocks
from intertwine.spaces.protocols import takes_arrays, takes_clouds
from intertwine.symmetry.fibre_maps import AnyRep

if TYPE_CHECKING:
    from intertwine.spaces.protocols import Space

_POINTS = {1: 13, 2: 13, 3: 7}
_SMOOTH = 0.08
"""Width of the Gaussian that test fields are smoothed with for interpolation, as a share of the array."""


class Action(NamedTuple):
    """space: or None for one fibre (B, C). rep_in, rep_out: types. periodic: whether a grid wraps around.
    drawn: of a continuous group the elements that rows 0, 1, … stand for; none of a finite one. space_out: of
    the output, where that is another (pooling on meshes)."""

    space: Any
    rep_in: AnyRep
    rep_out: AnyRep
    periodic: bool = False
    drawn: tuple[Any, ...] = ()
    space_out: Any = None

    @property
    def group(self) -> Any:
        return self.rep_in.group if self.space is None else self.space.group

    def element(self, h: int) -> Any:
        """What `act` and `matrix` take for row h."""
        return self.drawn[h] if self.drawn else h

    @property
    def axes(self) -> int:
        """How many axes the space has."""
        return 0 if self.space is None else getattr(self.space, "axes", 1)

    @property
    def is_grid(self) -> bool:
        return takes_arrays(self.space)

    def exact(self, h: int) -> bool:
        """Whether the element maps the space to itself."""
        return bool(self.space.exact_elements[h]) if self.is_grid else True

    def name(self, h: int) -> str:
        """ "turn by 90°" and the like for planar grids, else "element 3"."""
        if self.drawn:
            named = getattr(self.space, "element_name", None)
            return f"drawn element {h}" if named is None else named(self.drawn[h])
        if h == self.group.identity:
            return "identity"
        if not self.is_grid or self.space.dimension != 2:
            return f"element {h}"
        linear = self.space.linear[h]
        angle = np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))
        if np.linalg.det(linear) > 0:
            return f"turn by {round(angle % 360, 3):g}°"
        return f"reflection in the line at {round(angle / 2 % 180, 3):g}°"

    def on_input(self, h: int, x: np.ndarray) -> np.ndarray:
        """h x of fields (B, *space, C)."""
        return self._act(h, x, self.rep_in)

    def on_output(self, h: int, y: np.ndarray) -> np.ndarray:
        """h y; of fibre vectors where the space is gone."""
        if self.space_out is None or self.space_out == self.space or y.ndim == 2:
            return self._act(h, y, self.rep_out)
        return np.asarray(
            self.space_out.act(self.space.element_on(self.space_out, self.element(h)), y, self.rep_out)
        )

    @property
    def lead(self) -> int:
        """How many numbers stand before the channels of an input: the coordinates of a point in a cloud."""
        return self.space.dimension if takes_clouds(self.space) else 0

    def _act(self, h: int, field: np.ndarray, rep: Any) -> np.ndarray:
        if takes_clouds(self.space):
            return np.asarray(self.space.act(self.element(h), field, rep))
        if field.ndim == 2 and turns_alike(self.space, rep):
            shape = (len(field), *self.space.shape, rep.dimension)
            everywhere = np.broadcast_to(field.reshape(len(field), *[1] * self.axes, -1), shape)
            return np.asarray(self.space.act(self.element(h), everywhere, rep))[
                (slice(None), *[0] * self.axes)
            ]
        if self.space is None or field.ndim == 2:
            return (
                field
                if rep.is_trivial
                else np.asarray(field @ rep.matrix(self.element(h)).T.astype(field.dtype))
            )
        options = {"periodic": True} if self.periodic else {}
        return np.asarray(self.space.act(self.element(h), field, rep, **options))

    def check_output(self, y: np.ndarray, x: np.ndarray) -> None:
        """Raise unless y is a field or a fibre vector of rep_out for each example."""
        fits = (
            y.ndim in (2, self.axes + 2, getattr(self.space_out, "axes", 0) + 2)
            and y.shape[0] == x.shape[0]
            and y.shape[-1] == self.rep_out.dimension
        )
        if not fits:
            expected = f"an output (B, *space, {self.rep_out.dimension}) or (B, {self.rep_out.dimension})"
            raise fail("subject", expected, f"shape {y.shape} for an input {x.shape}", "check rep_out")
        framed = y.ndim == 2 and self.space is not None and not self.is_grid and not self.rep_out.is_trivial
        if framed and self.rep_out.group != self.group and not turns_alike(self.space, self.rep_out):
            raise fail("rep_out", "trivial channels, or a representation of G, off the space", self.rep_out)

    def keeps_shape(self, x: np.ndarray, y: np.ndarray) -> bool:
        return self.is_grid and x.shape[:-1] == y.shape[:-1]

    def difference(
        self, found: np.ndarray, expected: np.ndarray, y: np.ndarray, h: int, sizes: Sizes | None = None
    ) -> float:
        """The relative error of the worst block, each by its own size: the largest number for exact elements
        and shifts (h < 0), the root mean square in the disc for others."""
        gap = found - expected
        if not np.isfinite(gap).all():
            return float("inf")
        space: Any = self.space
        exact = h < 0 or self.exact(h)
        if space is not None and self.is_grid and y.ndim > 2:
            inside = None
            if not exact:
                inside = _disc(y.shape[1:-1], space.cell)
            elif space.hexagonal and not self.periodic:
                inside = space.mask(y.shape[1:-1])
            if inside is not None:
                gap, y = gap * inside[..., None], y * inside[..., None]
        largest, typical = ((), ()) if sizes is None else sizes
        return _worst(gap, y, self.rep_out, largest if exact else typical, np.max if exact else _rms)


def turns_alike(space: Space | None, rep: AnyRep) -> bool:
    """Whether a fibre vector off a finite space is turned as the fibre at every point of it is."""
    if space is None or takes_arrays(space) or not space.common_frame:
        return False
    return rep.group == space.fibre_group


_DRAWN = 6
"""Elements of a continuous group that a function is tested under."""


def drawn_elements(
    space: Space | None,
    rep: AnyRep,
    given: Sequence[Any] | None,
    key: Array,
    shape: Sequence[int] | None = None,
) -> tuple[Any, ...]:
    """Elements of a continuous group, `given` or drawn; none of a finite one, whose rows are its elements."""
    source: Any = rep.group if space is None else space
    draw = getattr(source, "random_elements", None) or getattr(
        getattr(source, "group", None), "random_elements", None
    )
    if draw is None:
        return ()
    if given is not None:
        if not len(given):
            raise fail("elements", "one element or more", given)
        return tuple(given)
    options = _points(shape) if takes_clouds(space) else {}
    return tuple(draw(_DRAWN, key=jax.random.fold_in(key, 1), **options))


def _points(shape: Sequence[int] | None) -> dict[str, int]:
    """How many points a cloud is asked to have, of the argument `shape`."""
    if shape is None:
        return {}
    if len(shape) != 1:
        raise fail("shape", "one number, the points of a cloud", shape)
    return {"points": positive_int("shape", shape[0])}


class Sizes(NamedTuple):
    """What errors of each block are measured by where the block itself is smaller.

    largest: the change of the block by a small change of the input, over the size of that: a block that is
    the small difference of large numbers has their rounding, which is no error of the function's. Jumps of
    a few values do not count: they would hide any error. typical: of the block's values for the same input
    with its points shuffled: what a kernel says of a smooth field may be little more than the error of its
    sampling.
    """

    largest: tuple[float, ...]
    typical: tuple[float, ...]


_NUDGE = 1e-6
"""A change of inputs in their last digits in single precision: below the errors that pass."""


_FEW = 4.0


def probes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x changed a little, x with its points shuffled): what `sizes_of` needs the outputs of."""
    random = np.random.default_rng(0)
    nudged = (x * (1 + _NUDGE * random.uniform(-1, 1, x.shape))).astype(x.dtype)
    flat = x.reshape(len(x), -1, x.shape[-1])
    return nudged, random.permutation(flat, axis=1).reshape(x.shape)


def sizes_of(y: np.ndarray, nudged: np.ndarray, shuffled: np.ndarray, rep: AnyRep) -> tuple[Sizes, bool]:
    """(the `Sizes` of an output, whether it depends on the input at all), from the outputs for `probes`."""
    moved = np.abs(nudged - y) / _NUDGE
    parts = [slice(block.start, block.stop) for block in blocks(rep)]
    sizes = Sizes(
        tuple(_size(moved[..., part], _largest_but_jumps) for part in parts),
        tuple(_size(shuffled[..., part], _rms) for part in parts),
    )
    return sizes, bool(moved.any() or (np.abs(y - y[:1]) > 0).any() or (np.abs(y - shuffled) > 0).any())


def repeats(y: np.ndarray, again: np.ndarray) -> bool:
    """Whether two outputs for the same input are the same, but for the order of a sum."""
    gap = np.abs(again - y)
    return bool(np.isfinite(gap).all() and gap.max(initial=0.0) <= _NUDGE * np.abs(y).max(initial=0.0))


def zero_blocks(y: np.ndarray, rep: AnyRep) -> list[AnyRep]:
    """The blocks of a type on which an output is nothing but zeros."""
    return [block.rep for block in blocks(rep) if not np.abs(y[..., block.start : block.stop]).any()]


def _worst(
    gap: np.ndarray, y: np.ndarray, rep: AnyRep, floors: Sequence[float], norm: Callable[[np.ndarray], float]
) -> float:
    worst = 0.0
    for place, block in enumerate(blocks(rep)):
        part = slice(block.start, block.stop)
        error, scale = _size(gap[..., part], norm), _size(y[..., part], norm)
        scale = max(scale, floors[place] if floors else 0.0)
        worst = max(worst, error / scale if scale > 0 else error)
    return worst


def _size(values: np.ndarray, norm: Callable[[np.ndarray], float]) -> float:
    return float(norm(np.abs(values))) if values.size else 0.0


def _largest_but_jumps(values: np.ndarray) -> float:
    """The largest value, but no more than a few times what a tenth of them exceed."""
    return min(float(np.max(values)), _FEW * float(np.quantile(values, 0.9)))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def test_field(action: Action, shape: Sequence[int] | None, batch: int, key: Array) -> np.ndarray:
    """Random fields (B, *space, C): white where every element is exact, smooth in a disc elsewhere."""
    sizes: tuple[int, ...] = ()
    if takes_clouds(action.space):
        drawn = action.space.random_field(action.rep_in, batch, key=key, **_points(shape))  # type: ignore[arg-type]
        return np.asarray(drawn)
    if action.is_grid:
        default = (_POINTS[action.space.dimension],) * action.space.dimension
        sizes = tuple(positive_int("shape", n) for n in (default if shape is None else shape))
        if len(sizes) != action.space.dimension:
            raise fail("shape", f"{action.space.dimension} sizes of the grid", shape)
    elif action.axes:
        sizes = getattr(action.space, "shape", None) or (int(action.space.size),)
    own = getattr(action.space, "random_field", None)
    if own is not None:
        return np.asarray(own(action.rep_in, batch, key=key))
    x = np.array(jax.random.normal(key, (batch, *sizes, action.rep_in.dimension)))
    if not action.is_grid:
        return x
    if not action.space.exact:
        return smooth(x) * _disc(sizes, action.space.cell, taper=True)[..., None].astype(x.dtype)
    if action.space.hexagonal and not action.periodic:
        return x * action.space.mask(sizes)[..., None]
    return x


test_field.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name says


def smooth(x: np.ndarray) -> np.ndarray:
    """Fields (B, X, Y, C) smoothed by a Gaussian, of about unit size."""
    from scipy.ndimage import gaussian_filter1d

    for axis in (1, 2):
        x = gaussian_filter1d(x, max(1.0, _SMOOTH * x.shape[axis]), axis=axis, mode="constant")
    return x / max(float(x.std()), 1e-30)


def _disc(sizes: tuple[int, ...], cell: np.ndarray, *, taper: bool = False) -> np.ndarray:
    """1 in the disc that rotations keep in the array, less one point; or falling to 0 towards its rim."""
    centred = np.moveaxis(np.indices(sizes), 0, -1) - (np.array(sizes) - 1) / 2
    radius = np.linalg.norm(centred @ cell, axis=-1)
    reach = (min(sizes) - 1) / 2 * abs(np.linalg.det(cell))
    if not taper:
        return (radius <= max(reach - 1, 0.75)).astype(float)
    return np.cos(np.pi / 2 * np.clip(radius / max(reach, 1.0), 0, 1)) ** 2
