r"""Why a function is not equivariant: the usual mistakes, each tried on the function itself.

A reason is named only where an experiment supports it: the output for zeros is not invariant (a bias),
each output depends on its own input alone although the type mixes them (a point-wise function), another
order of the channels or axes would make the function equivariant, another size of the array would.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from jax import Array

from intertwine._checks import InputError
from intertwine.layers.blocks import blocks, kind
from intertwine.layers.equivariance.action import Action, repeats
from intertwine.symmetry.fibre_maps import AnyRep

Function = Callable[[Any], Any]
_ONE_SIDED = 0.25
_UNKNOWN = "it is no intertwiner of these types: check rep_in, rep_out and the order of the group's elements"


def likely_reason(
    subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float
) -> str:
    """One sentence without a full stop."""
    y = np.asarray(function(x))
    if not np.isfinite(y).all():
        return "its output has values that are nan or infinite"
    if not repeats(y, np.asarray(function(x))):
        return (
            "two calls with the same input differ: it draws random numbers, such as dropout, or keeps a state"
        )
    if h < 0:
        if action.periodic:
            return "shifts do not commute with it: padding other than 'periodic', or a mask, somewhere"
        return "away from the border too, shifts do not commute with it: its weights depend on the position"
    for experiment in _EXPERIMENTS:
        try:
            with np.errstate(all="ignore"):  # fields of zeros may have no value
                found = experiment(subject, function, action, x, h, tol)
        except (InputError, TypeError, ValueError):
            continue
        if found:
            return found
    return _UNKNOWN


def _error(function: Function, action: Action, x: np.ndarray, h: int) -> float:
    y = np.asarray(function(x))
    return action.difference(np.asarray(function(action.on_input(h, x))), action.on_output(h, y), y, h)


def _bias(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Is f(0) invariant?"""
    zero = np.asarray(function(np.zeros_like(x)))
    scale = max(float(np.abs(zero).max()), 1e-30)
    if action.difference(action.on_output(h, zero), zero, zero, h) <= tol or scale < 1e-12:
        return ""
    flat = zero.reshape(len(zero), -1, zero.shape[-1])
    if np.abs(flat - flat[:, :1]).max() > tol * scale:
        return "the output for a field of zeros depends on the position"
    gap = np.abs(np.asarray(action.on_output(h, zero)) - zero).reshape(-1, zero.shape[-1]).max(axis=0)
    first = next((b.rep for b in blocks(action.rep_out) if gap[b.start : b.stop].max() > tol * scale), None)
    if first is None:
        return ""
    what = f"a bias on {first!r}, which has no invariant vector"
    if first.is_permutation:
        what = f"a bias on {first!r} that is not the same for all components of a copy"
    return f"the output for a field of zeros is not invariant: {what}"


def _of_space(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """What the space itself finds wrong."""
    own = getattr(action.space, "reason", None)
    return "" if own is None else own(function, x, action.rep_in, action.rep_out)


def _point_by_point(
    subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float
) -> str:
    """Does it act on the values at each point, where the group moves points between the points?"""
    y = np.asarray(function(x))
    if getattr(action.space, "maps_points", True) or y.shape[:-1] != x.shape[:-1]:
        return ""
    rng = np.random.default_rng(0)
    for _ in range(4):
        place = tuple(int(rng.integers(n)) for n in x.shape[:-1])
        nudged = x.copy()
        nudged[place] += 1.0
        changed = np.abs(np.asarray(function(nudged)) - y) > 1e-9 * max(float(np.abs(y).max()), 1e-30)
        changed[place] = False
        if changed.any():
            return ""
    return (
        "a function of the values at each point makes degrees beyond the band limit, which the grid takes "
        "for lower ones: carry it out on a finer grid (layers.Oversampled)"
    )


def _mistakes(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Would one of the mistakes that the space knows of, undone, make it equivariant?"""
    found = []
    for words, change, back in getattr(action.space, "usual_mistakes", ()):

        def into(x: Array, change: Any = change) -> np.ndarray:
            return change(np.asarray(x), action.rep_in)

        def out(y: Array, back: Any = back) -> np.ndarray:
            return back(np.asarray(y), action.rep_out)

        for before, after, where in (
            (into, None, "input"),
            (None, out, "output"),
            (into, out, "input and output"),
        ):

            def run(x: Array, before: Any = before, after: Any = after) -> np.ndarray:
                y = np.asarray(function(x if before is None else before(x)))
                return y if after is None or y.ndim == 2 else after(y)

            if _error(run, action, x, h) <= max(tol, 1e-4):
                found.append(f"{words} in the {where}")
                break
    return "; or ".join(found)


def _one_sided(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Are the components of a type that h can reverse almost never negative?"""
    y = np.asarray(function(x))
    for block in blocks(action.rep_out):
        part = y[..., block.start : block.stop]
        if kind(block.rep) in ("trivial", "permutation") or part.size < 50:
            continue
        if part.max() > 0 and part.min() > -_ONE_SIDED * part.max():
            return (
                f"the components of {block.rep!r} are (almost) never negative: a point-wise function such as "
                "relu on it; such functions commute with permutation representations only"
            )
    return ""


def _pointwise(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Does each output number depend on one input number alone, although ρ mixes them?"""
    mixed = [
        block.rep for block in blocks(action.rep_in) if kind(block.rep) not in ("trivial", "permutation")
    ]
    y = np.asarray(function(x))
    if not mixed or y.shape != x.shape:
        return ""
    rng = np.random.default_rng(0)
    for _ in range(8):
        place = tuple(int(rng.integers(n)) for n in x.shape)
        nudged = x.copy()
        nudged[place] += 1.0
        changed = np.abs(np.asarray(function(nudged)) - y) > 1e-9 * max(float(np.abs(y).max()), 1e-30)
        changed[place] = False
        if changed.any():
            return ""
    word = kind(mixed[0])
    what = "signs" if word == "signed permutation" else "components"
    return (
        f"a function of each component alone on {mixed[0]!r}, whose elements change {what}: "
        "it commutes with permutation representations only"
    )


def _order(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Would another order of channels or axes do?"""
    limit = max(tol, 1e-4)
    into, out = _interleaved(action.rep_in), _interleaved(action.rep_out)
    if into is not None and action.lead:
        into = np.concatenate([np.arange(action.lead), action.lead + into])
    for i, o, word in ((into, None, "input"), (None, out, "output"), (into, out, "input and output")):
        if (i is None and o is None) or (word == "input and output" and (i is None or o is None)):
            continue
        if _error(_reordered(function, i, o), action, x, h) <= limit:
            return (
                f"a wrong order of the channels of the {word}: the copies run fastest, and the components of "
                "each copy should (m·ρ is m copies one after another)"
            )
    if action.is_grid and action.space.dimension == 2 and x.shape[1] == x.shape[2]:
        found = _axes(function, action, x, h, limit)
        if found:
            return found
    return ""


def _axes(function: Function, action: Action, x: np.ndarray, h: int, limit: float) -> str:
    """Does it take vectors with component 0 along axis 1, or the array as (Y, X)?"""
    swap_in, swap_out = _swapped(action.rep_in, action), _swapped(action.rep_out, action)
    for i, o, word in (
        (swap_in, swap_out, "vectors"),
        (swap_in, None, "vectors of the input"),
        (None, swap_out, "vectors of the output"),
    ):
        if (i is not None or o is not None) and _error(_reordered(function, i, o), action, x, h) <= limit:
            return f"a wrong order of the axes: component 0 of {word} should point along axis 0 of the array"

    def transposed(x: Array) -> Any:
        return np.asarray(function(np.swapaxes(np.asarray(x), 1, 2)))

    if _error(transposed, action, x, h) <= limit:
        return "a wrong order of the axes: it transposes the array, (Y, X) in place of (X, Y)"
    back = int(action.group.inverse[h])
    y, turned = np.asarray(function(x)), np.asarray(function(action.on_input(h, x)))
    rep: Any = action.rep_out  # of a finite group
    matrices = rep.matrix(back) @ rep.matrix(h).T
    for other in (action.on_output(back, y), action.on_output(h, y) @ matrices.T.astype(y.dtype)):
        if action.difference(turned, other, y, h) <= limit:
            return "a wrong orientation: its output turns by the inverse element (axes or products exchanged)"
    return ""


def _off_centre(
    subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float
) -> str:
    """Are f(hx) and h f(x) the same but for a shift by a point or two?"""
    d = action.axes
    y = np.asarray(function(x))
    if not action.is_grid or y.ndim != d + 2 or min(y.shape[1:-1]) < 6:
        return ""
    inner = (slice(None), *[slice(2, -2)] * d)
    turned, expected = np.asarray(function(action.on_input(h, x)))[inner], action.on_output(h, y)
    for shift in product((-2, -1, 0, 1, 2), repeat=d):
        moved = np.roll(expected, shift, axis=tuple(range(1, d + 1)))[inner]
        if any(shift) and action.difference(turned, moved, moved, h) <= tol:
            return (
                "its output is off the centre of the array by a point or half of one: padding or cropping on "
                "one side only, or an even kernel"
            )
    return ""


def _size(subject: object, function: Function, action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Would an array of one point more do?"""
    if not action.is_grid or x.ndim != action.axes + 2:
        return ""
    y = np.asarray(function(x))
    if y.ndim == x.ndim and y.shape[1:-1] == x.shape[1:-1]:
        return ""
    for more in (1, 2, 3):
        grown = np.pad(x, [(0, 0), *[(0, more)] * action.axes, (0, 0)], mode="wrap")
        if _error(function, action, grown, h) <= tol:
            return (
                f"the size {x.shape[1]} with a stride: windows do not lie symmetrically about the centre; "
                "points + 2·padding − width must be a multiple of the stride, "
                f"as with {grown.shape[1]} points"
            )
    return ""


def _reordered(function: Function, into: np.ndarray | None, out: np.ndarray | None) -> Function:
    """The function with channels reordered before and after it."""

    def run(x: Array) -> Any:
        y = np.asarray(function(x if into is None else np.asarray(x)[..., into]))
        return y if out is None else y[..., np.argsort(out)]

    return run


def _interleaved(rep: AnyRep) -> np.ndarray | None:
    """The order that makes copies run fastest within each block; None where it is the same."""
    parts = []
    for block in blocks(rep):
        here = np.arange(block.start, block.stop).reshape(block.copies, -1)
        parts.append(here.T.reshape(-1))
    order = np.concatenate(parts)
    return None if (order == np.arange(rep.dimension)).all() else order


def _swapped(rep: AnyRep, action: Action) -> np.ndarray | None:
    """The order that exchanges the two components of every vector; None where there is none."""
    order = np.arange(rep.dimension)
    for block in blocks(rep):
        if block.rep == action.space.vector:
            order[block.start : block.stop] = (
                order[block.start : block.stop].reshape(-1, 2)[:, ::-1].reshape(-1)
            )
    return None if (order == np.arange(rep.dimension)).all() else order


_EXPERIMENTS = (
    _size,
    _of_space,
    _bias,
    _pointwise,
    _point_by_point,
    _mistakes,
    _one_sided,
    _order,
    _off_centre,
)
