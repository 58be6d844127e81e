r"""Whether a function on a grid that does not wrap around commutes with shifts, away from the border.

Zeros, masks and crops at the border break shifts, and should. An output point whose inputs all lie inside
does not see the border: how far a point sees is measured, by changes of the input at its centre, or, where
they have no effect (a stride that leaves the centre out, a mask), at other points. There, f(x moved) =
(f(x) moved) holds exactly, unless weights depend on the position.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import product

import numpy as np

from intertwine.layers.equivariance.action import Action, Sizes

_CHANGE = 10.0
_SEEN = 1e-6
_SMALL = 1e-3
"""An error above which a function may commute with larger shifts only, as one that pools and up-samples."""

Step = tuple[int, int]
"""Points of the input that are moved by, points that the output then moves by."""
Talk = Generator[np.ndarray, np.ndarray, list[tuple[str, float]]]


def interior_shifts(action: Action, x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Talk:
    """Asks for outputs of a function with f(x) = y by yielding inputs of the shape of x, and returns (name of
    the shift, error) along each axis; none where every output point sees the border."""
    d = action.axes
    if y.ndim != d + 2 or min(*x.shape[1:-1], *y.shape[1:-1]) < 3:
        return []
    found_at = yield from _reach(x, y)
    if found_at is None:
        return []
    poked, changed = found_at
    best: list[tuple[str, float]] = []
    for step in _steps(x.shape[1:-1], changed):
        inside = _interior(action, x.shape[1:-1], poked, changed, step)
        if not inside.any():
            continue
        found = []
        for axis in range(d):
            shifted = yield np.roll(x, step[0], axis=1 + axis)
            expected = np.roll(y, step[1], axis=1 + axis)
            keep = inside[None, ..., None]
            error = action.difference(shifted * keep, expected * keep, y, -1, sizes)
            name = f"shift along axis {axis}" if step[0] == 1 else f"shift by {step[0]} along axis {axis}"
            found.append((name, error))
        if not best or max(e for _, e in found) < max(e for _, e in best):
            best = found
        if max(e for _, e in best) < _SMALL:
            break
    return best


def _reach(
    x: np.ndarray, y: np.ndarray
) -> Generator[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """(a point of the input, the output points that see it (*out)); None where no point tried is seen.

    Rectified and largest values may hear of a rise and not of a fall: both are tried.
    """
    change = np.random.default_rng(1).normal(size=(len(x), x.shape[-1])) * max(float(np.abs(x).max()), 1e-30)
    for at in _points_to_change(x.shape[1:-1]):
        changed = np.zeros(y.shape[1:-1], bool)
        for sign in (1, -1):
            poked = x.copy()
            poked[(slice(None), *at)] += (sign * _CHANGE * change).astype(x.dtype)
            moved = np.abs((yield poked) - y)
            changed |= (moved > _SEEN * max(float(moved.max()), 1e-300)).any(axis=(0, -1))
        if changed.any():
            return at, changed
    return None


def _points_to_change(sizes: tuple[int, ...]) -> list[np.ndarray]:
    """The centre and its neighbours, since a stride may leave it out; then on towards the corner."""
    n = np.array(sizes)
    near = [n // 2 + np.array(step) for step in product((0, 1), repeat=len(n))]
    far = [n // 2 + (n // 2 * share).astype(int) for share in np.linspace(0.3, 0.9, 5)]
    return [np.clip(at, 0, n - 1) for at in [*near, *far]]


def _steps(sizes: tuple[int, ...], changed: np.ndarray) -> list[Step]:
    """What shifts to try, the smallest first: the stride of a function is not known.

    A kernel that `w` output points see a point through is less than (w + 1) strides wide, and m outputs cover
    (m − 1) strides and it: that leaves the strides that the sizes may come from.
    """
    out = changed.shape
    if out == sizes:
        return [(1, 1), (2, 2), (4, 4)]
    if any(m > n for m, n in zip(out, sizes, strict=True)):
        factor = max(1, round(max(m / n for m, n in zip(out, sizes, strict=True))))
        return [(1, factor)]
    seen = np.nonzero(changed)
    widths = [int(np.ptp(at)) + 1 if at.size else 0 for at in seen]
    return [
        (s, 1)
        for s in (1, 2, 3, 4)
        if all(
            (m - 1) * s < n <= (m - 1) * s + (w + 1) * s + s - 1
            for m, n, w in zip(out, sizes, widths, strict=True)
        )
    ]


def _interior(
    action: Action, shape: tuple[int, ...], poked: np.ndarray, changed: np.ndarray, step: Step
) -> np.ndarray:
    """bool (*out): output points which, moved or not, see nothing of the border. changed: the output points
    that see the point `poked` of the input."""
    sizes, out = np.array(shape), np.array(changed.shape)
    place = (np.moveaxis(np.indices(tuple(out)), 0, -1) - (out - 1) / 2) * step[0] / step[1] + (sizes - 1) / 2
    reach = np.ceil(np.abs(place[changed] - poked).max(axis=0) - 1e-9) + 1
    low, high = place - reach - step[0], place + reach + step[0]
    inside = ((low >= 0) & (high <= sizes - 1)).all(axis=-1)
    if action.space.hexagonal:
        kept = action.space.mask(tuple(int(n) for n in sizes))
        for at in np.argwhere(inside):
            box = tuple(
                slice(int(np.floor(a)), int(np.ceil(b)) + 1)
                for a, b in zip(low[tuple(at)], high[tuple(at)], strict=True)
            )
            inside[tuple(at)] = kept[box].all()
    return inside
