r"""The law that every layer obeys, as a test for anybody's layer: f(h x) = h f(x) for every element h.

    it.assert_equivariant(layer, key=key)                               # a layer or network of this library
    it.assert_equivariant(function, space=grid, rep_in=..., rep_out=..., key=key)              # any function

Elements that map the grid to itself are exact: the error is rounding, max|f(hx) − h f(x)|/max|f(x)|. For
other elements (45° on a square grid) the fields are turned by interpolation; there the error is that of
the layer and of the interpolation together, the root mean square inside the disc that stays in the array
relative to that of f(x), on smooth inputs, and it falls as the grid is refined; of fields that have nothing
to do with each other it is 1 or more. The two are told apart in every row. Shifts are tested on the whole of
a periodic grid, and on others at the points that do not see the border.

Each block of the output is measured by its own size, and the worst counts. Of a network, each layer is
tested alone on the input that it gets, and then the whole. A function whose output does not depend on its
input commutes with everything: it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._results import as_model
from intertwine.layers.equivariance.action import (
    Action,
    Sizes,
    drawn_elements,
    probes,
    repeats,
    sizes_of,
    test_field,
    turns_alike,
    zero_blocks,
)
from intertwine.layers.equivariance.reframing import judges_frames, moved_outputs, reason_at
from intertwine.layers.equivariance.running import Case, compiled, on_rows, plain, runner
from intertwine.layers.equivariance.shifts import Talk, interior_shifts
from intertwine.layers.fields import field_type
from intertwine.layers.placed import takes_place
from intertwine.spaces.protocols import takes_clouds
from intertwine.symmetry.fibre_maps import AnyRep

if TYPE_CHECKING:
    from intertwine.spaces.protocols import Space

_MOST_ELEMENTS = 64
EXACT, RESAMPLED = 1e-5, 0.5
"""The largest errors that pass: of exact elements, and of those whose fields are interpolated."""


class EquivarianceError(NamedTuple):
    """One line of the table. layer: its name, or "whole". element: its row in the group, −1 for shifts.

    name: of the element, such as "turn by 90°". error: relative, of the worst block, see the module. exact:
    whether the element maps the space to itself, so that the error is rounding.
    """

    layer: str
    element: int
    name: str
    error: float
    exact: bool


Run = Callable[[list[np.ndarray]], list[np.ndarray]]


def assert_equivariant(
    subject: PyTree,
    *,
    key: Array,
    tol: float = EXACT,
    resampled_tol: float | None = RESAMPLED,
    space: Space | None = None,
    rep_in: AnyRep | str | None = None,
    rep_out: AnyRep | str | None = None,
    shape: Sequence[int] | None = None,
    batch: int = 2,
    elements: Sequence[Any] | None = None,
    periodic: bool | None = None,
) -> list[EquivarianceError]:
    """Raise AssertionError unless f(h x) = h f(x); it names the layer, the element, the error and a
    likely reason.

    subject: a layer, a network, or any function of a batch (B, *space, C).
    tol: the largest relative error of exact elements. resampled_tol: of the others; None does not judge
    them. The other arguments, and what comes back, are those of `equivariance_errors`.

    A function that gives the same for every input, such as zeros, fails as well, and one that gives another
    output at each call. That one block of several is nothing but zeros, or that shifts could not be judged,
    is told (`Caveat`).

    >>> import jax.numpy as jnp
    >>> from intertwine.spaces.grid import Grid
    >>> p4 = Grid("p4")
    >>> types = dict(space=p4, rep_in=p4.vector, rep_out=p4.vector)
    >>> rows = assert_equivariant(lambda x: 2 * x, **types, key=jax.random.key(0))
    >>> assert_equivariant(lambda x: x + jnp.array([1.0, 0.0]), **types, key=jax.random.key(0))
    Traceback (most recent call last):
    ...
    AssertionError: whole is not equivariant: under element 1 (turn by 90°) the error is ..., more than
    1e-05. Likely reason: the output for a field of zeros is not invariant: a bias on vector, which has no
    invariant vector.
    """
    subject = as_model(subject)
    cases = _cases(subject, key, space, rep_in, rep_out, shape, batch, periodic, elements)
    table, outputs, depends = _errors(cases, elements, key)
    for case, rows, y, alive in zip(cases, table, outputs, depends, strict=True):
        if not alive:
            what = "zeros" if not np.abs(y).any() else "the same output"
            raise AssertionError(
                f"{case.name} is not judged: it gives {what} for every input, which commutes with anything."
            )
        for row in rows:
            limit = tol if row.exact else resampled_tol
            if limit is not None and not row.error <= limit:
                where = f"under {_element(row)} the error is {row.error:.3g}, more than {limit:g}"
                reason = reason_at(case, row.element, limit)
                raise AssertionError(f"{case.name} is not equivariant: {where}.\nLikely reason: {reason}.")
        if _unjudged_shifts(case, rows, y):
            words = "shifts were not judged, since every point of the output sees the border or none was seen"
            tell([caveat("unjudged", f"{words}: take a larger `shape`, or periodic=True if it wraps around")])
        if not judges_frames(case.subject, case.action):
            words = "other frames were not judged: a function of one's own does not say in which it computes"
            tell([caveat("unjudged", f"{words}; test it as an equinox.Module that holds its space")])
        empty = ", ".join(map(repr, zero_blocks(y, case.action.rep_out)))
        if empty:
            words = f"{case.name} gives nothing but zeros on {empty}: nothing of it was tested there"
            tell([caveat("unjudged", words)])
    return [row for rows in table for row in rows]


def equivariance_errors(
    subject: PyTree,
    *,
    key: Array,
    space: Space | None = None,
    rep_in: AnyRep | str | None = None,
    rep_out: AnyRep | str | None = None,
    shape: Sequence[int] | None = None,
    batch: int = 2,
    elements: Sequence[Any] | None = None,
    periodic: bool | None = None,
) -> list[EquivarianceError]:
    """The error of each layer under each element, a row each; layers first, the whole last.

    space: the subject's own by default; anything with `group` and `act(element, field, rep)`. None for a
    function of one fibre (B, C). rep_in, rep_out: the subject's own by default; of a grid also by name, see
    `field_type`. Where the output has no axes of the space, it is a fibre vector, on which h acts by
    rep_out(h).
    shape: of the space axes; 13 points along each by default, or a network's own image size.
    batch: examples. elements: rows of the group, all of them by default, or 64 that contain its
    generators; of a continuous group elements as the space's `act` takes them,
    some drawn by default. periodic: whether the grid wraps around, by default where the layer's padding
    does.

    Dropout is off. Raises InputError where types or a space are missing.

    >>> from intertwine.layers.nonlinear.pointwise import Pointwise
    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = Pointwise(regular(cyclic(3)))
    >>> [row.error for row in equivariance_errors(layer, key=jax.random.key(0))]
    [0.0, 0.0, 0.0]
    """
    subject = as_model(subject)
    cases = _cases(subject, key, space, rep_in, rep_out, shape, batch, periodic, elements)
    return [row for rows in _errors(cases, elements, key)[0] for row in rows]


class _Watched(eqx.Module):
    """A layer that reports its inputs."""

    layer: Any
    report: Callable[[Any], None]

    def __call__(self, x: Array, *others: Array, **options: object) -> Any:
        self.report(x)
        return self.layer(x, *others, **options)

    @property
    def takes_at(self) -> bool:
        """Whether the layer asks where the field lives."""
        return takes_place(self.layer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


def _cases(
    subject: PyTree,
    key: Array,
    space: Space | None,
    rep_in: AnyRep | str | None,
    rep_out: AnyRep | str | None,
    shape: Sequence[int] | None,
    batch: int,
    periodic: bool | None,
    elements: Sequence[Any] | None,
) -> list[Case]:
    """The layers of a network, and the whole."""
    if not callable(subject):
        raise fail("subject", "a layer, a network or a function", subject)
    if isinstance(subject, eqx.Module):
        subject = eqx.nn.inference_mode(subject)
    space = getattr(subject, "space", None) if space is None else space
    types = []
    for name, given in (("rep_in", rep_in), ("rep_out", rep_out)):
        rep = getattr(subject, name, None) if given is None else given
        rep = field_type(space, rep, name) if isinstance(rep, str) and space is not None else rep
        if not isinstance(rep, AnyRep):
            raise fail(name, "a representation", rep, "say the type of the fields of a function of your own")
        types.append(rep)
    if shape is None and getattr(subject, "recipe", None) is not None and not takes_clouds(space):
        shape = subject.recipe.places(space)
    layers = _layers(subject)
    if periodic is None:
        periodic = any(getattr(layer, "padding", None) == "periodic" for _, layer in [*layers, ("", subject)])
    drawn = drawn_elements(space, types[0], elements, key, shape)
    action = Action(space, types[0], types[1], bool(periodic), drawn, _space_out(subject, space))
    x = test_field(action, shape, positive_int("batch", batch), key)
    whole = on_rows(subject, space)
    cases = []
    if layers:
        here_space = space
        for (name, layer), inputs in zip(layers, _inputs(subject, x, space), strict=True):
            own = getattr(layer, "space", None)
            own = here_space if own is None else own
            here_space = _space_out(layer, own)
            has_axes = np.ndim(inputs) > 2 or turns_alike(own, layer.rep_in)
            where = own if has_axes else None
            moves = drawn if own == space else drawn_elements(own, layer.rep_in, None, key)
            if moves and len(moves) != len(drawn):  # as many rows for every layer
                moves = tuple(islice(cycle(moves), len(drawn)))
            here = Action(where, layer.rep_in, layer.rep_out, bool(periodic), moves, here_space)
            alone = on_rows(layer, where)
            cases.append(Case(name, alone, runner(alone), here, inputs))
    return [*cases, Case("whole", whole, runner(whole), action, x)]


def _space_out(subject: PyTree, space: Space | None) -> Space | None:
    """The space of the output: that of the last layer that changes it."""
    for _, layer in _layers(subject):
        space = _space_out(layer, space)
    return getattr(subject, "space_out", space)


def _layers(subject: PyTree) -> list[tuple[str, Any]]:
    """The typed layers of a network with names; none for a layer or a function."""
    if not hasattr(subject, "layers"):
        return []
    return list(subject.layers)


def _inputs(network: PyTree, x: np.ndarray, space: Space | None) -> list[np.ndarray]:
    """The input that each layer gets when the network sees x."""

    def run(network: PyTree, x: Array) -> list[Any]:
        places = {id(layer): place for place, (_, layer) in enumerate(network.layers)}
        found: list[Any] = [None] * len(places)
        marked = jax.tree.map(
            lambda leaf: (
                _Watched(leaf, partial(found.__setitem__, places[id(leaf)])) if id(leaf) in places else leaf
            ),
            network,
            is_leaf=lambda leaf: id(leaf) in places,
        )
        plain(on_rows(marked, space))(x)
        return found

    inputs = eqx.filter_jit(run)(network, jax.numpy.asarray(x))
    for (name, _), value in zip(network.layers, inputs, strict=True):
        if value is None:
            raise fail("subject", "a network that calls each of its layers", f"{name} is not called")
    found = [np.asarray(value) for value in inputs]
    return found if not takes_clouds(space) else [_rows(x[..., : space.dimension], value) for value in found]


def _rows(positions: np.ndarray, value: np.ndarray) -> np.ndarray:
    """What a layer gets on clouds, behind the positions (B, n, d); values of whole clouds alone."""
    batch, n = positions.shape[:2]
    if value.shape[0] != batch * n:
        return value
    return np.concatenate([positions, value.reshape(batch, n, -1)], -1)


def _together(cases: list[Case]) -> Run:
    """The functions of all cases as one, compiled once for a network."""
    if len(cases) == 1:
        return lambda inputs: [np.asarray(cases[0].function(inputs[0]))]
    subjects = [case.subject for case in cases]
    return lambda xs: [np.asarray(y) for y in compiled(subjects, [jax.numpy.asarray(x) for x in xs])]


def _errors(
    cases: list[Case], elements: Sequence[Any] | None, key: Array
) -> tuple[list[list[EquivarianceError]], list[np.ndarray], list[bool]]:
    """Of each case: its rows, its output, and whether that depends on the input."""
    run = _together(cases)
    outputs, again = (run([case.x for case in cases]) for _ in range(2))
    for case, y in zip(cases, outputs, strict=True):
        case.action.check_output(y, case.x)
    nudged, shuffled = (run(list(xs)) for xs in zip(*(probes(case.x) for case in cases), strict=True))
    measured = []
    for case, y, same, near, mixed in zip(cases, outputs, again, nudged, shuffled, strict=True):
        sizes, alive = sizes_of(y, near, mixed, case.action.rep_out)
        if not repeats(y, same):
            sizes = sizes._replace(largest=(0.0,) * len(sizes.largest))  # random changes are no rounding
        measured.append((sizes, alive))
    rows: list[list[EquivarianceError]] = [[] for _ in cases]
    for h in _elements(cases[-1].action, elements, key):
        found = moved_outputs(cases, run, h)
        for case, y, z, (sizes, _), table in zip(cases, outputs, found, measured, rows, strict=True):
            error = case.action.difference(z, case.action.on_output(h, y), y, h, sizes)
            exact = case.action.exact(h)
            table.append(EquivarianceError(case.name, h, cases[-1].action.name(h), error, exact))
    talks = [_shifts(c, y, sizes) for c, y, (sizes, _) in zip(cases, outputs, measured, strict=True)]
    for case, found, table in zip(cases, _answered(talks, cases, run), rows, strict=True):
        table += [EquivarianceError(case.name, -1, name, error, True) for name, error in found]
    return rows, outputs, [depends for _, depends in measured]


def _shifts(case: Case, y: np.ndarray, sizes: Sizes) -> Talk:
    """(name, error) of shifts by a point, where they can be judged; see `interior_shifts`."""
    action = case.action
    if not action.is_grid:
        return []
    if not action.periodic:
        return (yield from interior_shifts(action, case.x, y, sizes))
    if not action.keeps_shape(case.x, y):
        return []
    found = []
    for axis in range(1, action.axes + 1):
        moved = yield np.roll(case.x, 1, axis=axis)
        error = action.difference(moved, np.roll(y, 1, axis=axis), y, -1, sizes)
        found.append((f"shift along axis {axis - 1}", error))
    return found


def _unjudged_shifts(case: Case, rows: list[EquivarianceError], y: np.ndarray) -> bool:
    """Whether a field on a grid came out of a function of one's own, and nothing was found of shifts."""
    own = not hasattr(case.subject, "rep_in")  # a layer of this library says its types
    return own and case.action.is_grid and y.ndim > 2 and all(row.element >= 0 for row in rows)


def _answered(talks: list[Talk], cases: list[Case], run: Run) -> list[list[tuple[str, float]]]:
    """What each talk returns, all of them answered by one compiled program, an input each at a time."""
    found: list[list[tuple[str, float]]] = [[] for _ in talks]
    answers: list[Any] = [None] * len(talks)
    open_talks = dict(enumerate(talks))
    while True:
        asked = {}
        for place, talk in list(open_talks.items()):
            try:
                asked[place] = talk.send(answers[place])
            except StopIteration as end:
                found[place] = end.value
                del open_talks[place]
        if not asked:
            return found
        answers = run([asked.get(place, case.x) for place, case in enumerate(cases)])


def _elements(action: Action, elements: Sequence[Any] | None, key: Array) -> list[int]:
    if action.drawn:
        return list(range(len(action.drawn)))
    order = action.group.order
    if elements is not None:
        wanted = [int(h) for h in elements]
        if not wanted or min(wanted) < 0 or max(wanted) >= order:
            raise fail("elements", f"rows of the group, 0 to {order - 1}", list(elements))
        return wanted
    if order <= _MOST_ELEMENTS:
        return list(range(order))
    others = np.asarray(jax.random.permutation(jax.random.fold_in(key, 1), order))[:_MOST_ELEMENTS]
    return sorted({action.group.identity, *action.group.generators, *map(int, others)})[:_MOST_ELEMENTS]


def _element(row: EquivarianceError) -> str:
    return row.name if row.element < 0 else f"element {row.element} ({row.name})"
