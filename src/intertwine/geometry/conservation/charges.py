r"""Conserved charges of a vector field or of trajectories, over a dictionary of functions.

    field         d/dt Σ c_k f_k = Σ c_k ∇f_k · v(x) = 0 at every state that is given
    trajectories  Σ c_k (f_k(x_t) − mean over the trajectory) = 0: the same, integrated, so that noise is not
                  differentiated

The null space holds every charge that the dictionary can say, with products of charges among them; how many
are independent is the rank of their gradients at the states (Liouville counts those). A field is exact, and
a combination that changes by more than rounding is no charge, unless a `tolerance` is given, as for one
that was learned. Along trajectories a small change may be noise or drift. Noise is white in time, drift is
not: the ratio of von Neumann (Ann. Math. Stat. 12, 367, 1941), of the mean square of successive differences
over twice the variance, is 1 for one and about 0 for the other.

The dimension found from half of the states, or of the trajectories, has to be that found from all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_number
from intertwine._shown import Shown
from intertwine.geometry.conservation.dictionary import (
    Dictionary,
    Functions,
    checked_states,
    dictionary,
)
from intertwine.geometry.conservation.formulas import NEGLIGIBLE, sparse_basis, written
from intertwine.geometry.conservation.near import SMALL, near_misses
from intertwine.geometry.conservation.null_space import LEAST_GAP, NullSpace, null_space, widest_gap

SOLVED = 1e-4
"""What a trajectory of a solver may change by, over the spread, and count as constant."""

_WHITE = 0.7
_RANK = 1e-6
_MOST_STATES = 20_000
_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class Charges(Shown):
    """coefficients: float64 (n, K), a charge a row, over the functions of `dictionary`, in a basis of few
    terms. independent: how many of them are (rank of the gradients). null: the singular values, the
    threshold, the gap and the verdict; `null.failing` says by how much a charge changes, over its spread
    (of a field over the fastest rate). judged: whether number and gap stand. warnings: what qualifies them.
    """

    dictionary: Dictionary
    coefficients: Float[np.ndarray, "n K"]
    independent: int
    null: NullSpace
    judged: bool
    warnings: tuple[str, ...]

    @property
    def count(self) -> int:
        """The dimension of the null space."""
        return self.null.dimension

    @property
    def formulas(self) -> tuple[str, ...]:
        """The charges in words."""
        return tuple(written(row, self.dictionary.words) for row in self.coefficients)

    def __call__(self, states: ArrayLike) -> Float[np.ndarray, "... n"]:
        """The value of each charge at states (..., d)."""
        flat = checked_states(states)
        shape = np.shape(states)[:-1]
        return (self.dictionary.values(flat) @ self.coefficients.T).reshape(*shape, -1)

    def __str__(self) -> str:
        total = len(self.null.singular_values)
        where = f"{total} functions to degree {int(self.dictionary.exponents.sum(axis=1).max())}"
        if not self.count:
            head = f"no conserved charge among combinations of {where}"
        else:
            plural = "" if self.count == 1 else "s"
            head = f"{self.count} conserved charge{plural} among combinations of {where}, "
            head += f"{self.independent} independent"
        least = self.null.singular_values[: total - self.count]
        rest = f"; the next changes by {least[-1]:.1e}" if len(least) else ""
        held = f"changes of at most {self.null.failing[0]:.1e}{rest}" if self.count else rest[2:]
        lines = [head, *(f"  {text}" for text in self.formulas[:_SHOWN])]
        if self.count > _SHOWN:
            lines.append(f"  and {self.count - _SHOWN} more")
        gap = f", gap {self.null.gap:.1e}" if self.null.gap < np.inf else ""
        lines.append(f"{held}; threshold {self.null.threshold:.1e}{gap}")
        return beneath("\n".join(lines), self.warnings)


def charges_of_field(
    field: Callable[..., object],
    states: ArrayLike,
    *,
    degree: int = 2,
    functions: Functions | None = None,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Charges:
    """Of dx/dt = field(x); see `it.conserved`.

    >>> draws = np.random.default_rng(0).normal(size=(60, 2))
    >>> charges_of_field(lambda s: jnp.stack([s[1], -s[0]]), draws, names=("x", "p")).formulas
    ('x² + p²',)
    """
    points = _thinned(checked_states(states))
    _different([points], "states")
    words = dictionary(points.shape[1], degree, functions, names)
    _enough(len(points), len(words.exponents), "states")
    velocity, eps = _velocities(field, points)
    tolerance = None if tolerance is None else positive_number("tolerance", tolerance)
    conditions, values = words.rates(points, velocity), words.values(points)
    null = null_space(conditions, values, tolerance=tolerance, eps=eps)
    half = null_space(conditions[::2], values, tolerance=tolerance, eps=eps)
    said = _stable(null, half, "states")
    if not np.any(velocity):
        said.append(caveat("assumption", "the field is 0 at every state: everything is conserved there"))
    said += near_misses(null, exact=tolerance is None)
    return _charges(words, null, points, said, negligible=NEGLIGIBLE if tolerance is None else 3 * tolerance)


def charges_of_trajectories(
    trajectories: ArrayLike | Sequence[ArrayLike],
    *,
    degree: int = 2,
    functions: Functions | None = None,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> Charges:
    """Of states (times, d) in order of time, one trajectory or many (trajectories, times, d)."""
    paths = _paths(trajectories)
    _different(paths, "system")
    words = dictionary(paths[0].shape[1], degree, functions, names)
    _enough(sum(len(p) - 1 for p in paths), len(words.exponents), "trajectories")
    changes, values = [], []
    for path in paths:
        found = words.values(path)
        changes.append(found - found.mean(axis=0))
        values.append(found)
    spread = np.concatenate(values)
    given = None if tolerance is None else positive_number("tolerance", tolerance)
    first = null_space(np.concatenate(changes), spread, tolerance=given or SOLVED, rows_alike=False)
    null, noise = (first, None) if given else _through_noise(first, changes, spread)
    half = null_space(np.concatenate(changes[::2]), spread, tolerance=null.threshold, rows_alike=False)
    said = []
    if len(paths) == 1:
        remedy = "give several, from different starts"
        words_of_one = "what is constant along one trajectory may describe that one alone"
        said.append(caveat("unjudged", f"{words_of_one}: {remedy}"))
    else:
        said += _stable(null, half, "trajectories")
    said += near_misses(null, exact=False)
    if noise is not None and null.dimension:
        sentence = (
            f"the charges change by {noise:.1e} of their spread from one time to the next, without drift"
        )
        said.append(
            caveat("data", f"{sentence}: taken for noise of the data, and so are their coefficients' errors")
        )
    return _charges(words, null, spread_states(paths), said, negligible=max(1e-6, 3 * null.threshold))


def spread_states(paths: list[np.ndarray]) -> np.ndarray:
    """States of all trajectories in one table, thinned."""
    return _thinned(np.concatenate(paths), 2000)


def _through_noise(
    first: NullSpace, changes: list[np.ndarray], values: np.ndarray
) -> tuple[NullSpace, float | None]:
    """The null space where what changes by white noise alone is constant too, and the size of the noise."""
    dimension, gap = widest_gap(first.singular_values, SMALL)
    if dimension <= first.dimension or gap < LEAST_GAP:
        return first, None
    level = float(first.singular_values[len(first.singular_values) - dimension]) * 1.01
    wider = null_space(np.concatenate(changes), values, tolerance=level, rows_alike=False)
    squares = np.zeros((2, wider.dimension))
    for change in changes:
        along = change @ wider.combinations.T
        squares += np.stack([(np.diff(along, axis=0) ** 2).sum(axis=0) / 2, (along**2).sum(axis=0)])
    if np.all(squares[0] >= _WHITE * squares[1]):
        return wider, level
    return first, None


def _charges(
    words: Dictionary, null: NullSpace, points: np.ndarray, said: list[str], *, negligible: float
) -> Charges:
    scale = words.values(points).std(axis=0)
    rows = sparse_basis(null.combinations, scale, negligible=min(negligible, 0.05))
    judged = null.judged and not any(line.startswith("unjudged") for line in said)
    if not null.judged:
        sentence = (
            f"the gap of {null.gap:.2g} between what is conserved and what is not is below {LEAST_GAP:g}"
        )
        said.append(caveat("unjudged", f"{sentence}: the number of charges may be another"))
    tell(said, stacklevel=4)
    return Charges(words, rows, _independent(words, rows, points), null, judged, tuple(said))


def _independent(words: Dictionary, rows: np.ndarray, points: np.ndarray) -> int:
    """The rank of the gradients at a state, the largest over some."""
    if not len(rows):
        return 0
    chosen = points[:: max(1, len(points) // 16)][:16]
    gradients = words.gradients(chosen, rows)
    lengths = np.linalg.norm(gradients, axis=2, keepdims=True)
    singular = np.linalg.svd(gradients / np.maximum(lengths, 1e-300), compute_uv=False)
    return int((singular > _RANK * singular[:, :1]).sum(axis=1).max())


def _stable(null: NullSpace, half: NullSpace, argument: str) -> list[str]:
    if half.dimension == null.dimension:
        return []
    sentence = f"half of the {argument} give {half.dimension} charges, all of them {null.dimension}"
    return [caveat("unjudged", f"{sentence}: with more of them fewer may be left")]


def _velocities(field: Callable[..., object], points: np.ndarray) -> tuple[np.ndarray, float]:
    """The field at every state, and the spacing of its numbers."""
    if not callable(field):
        raise fail("system", "a vector field: a function of one state (d,)", field)
    with jax.enable_x64(True):
        try:
            found = np.asarray(jax.vmap(lambda x: jnp.asarray(field(x)))(jnp.asarray(points)))
        except Exception as error:
            found = _one_by_one(field, points, error)
    if found.shape != points.shape or found.dtype.kind not in "iuf":
        raise fail(
            "system", f"a velocity {points.shape[1:]} for a state {points.shape[1:]}", f"{found.shape[1:]}"
        )
    if not np.isfinite(found).all():
        bad = points[np.flatnonzero(~np.isfinite(found).all(axis=1))[0]]
        raise fail("system", "finite velocities", f"one that is not at {bad.round(4).tolist()}")
    eps = float(np.finfo(found.dtype).eps) if found.dtype.kind == "f" else 2.2e-16
    return found.astype(np.float64), eps


def _one_by_one(field: Callable[..., object], points: np.ndarray, error: Exception) -> np.ndarray:
    try:
        return np.array([np.asarray(field(x)) for x in points])
    except Exception as again:
        reason = f"{type(again).__name__}: {(str(again).strip().splitlines() or [''])[0]}"
        raise fail("system", f"a function of one state {points.shape[1:]}", reason) from error


def _paths(trajectories: ArrayLike | Sequence[ArrayLike]) -> list[np.ndarray]:
    given = trajectories
    if isinstance(given, list | tuple) and given and np.ndim(given[0]) == 2:
        whole = [np.asarray(path) for path in given]
    else:
        array = np.asarray(given)
        if array.ndim not in (2, 3):
            raise fail("system", "trajectories (times, d) or (trajectories, times, d)", array)
        whole = list(array) if array.ndim == 3 else [array]
    paths = [checked_states(path, "system") for path in whole]
    if len({p.shape[1] for p in paths}) != 1 or min(len(p) for p in paths) < 2:
        shapes = ", ".join(str(p.shape) for p in paths[:4])
        raise fail("system", "trajectories of one number of coordinates, two times each at least", shapes)
    return paths


def _different(paths: list[np.ndarray], argument: str) -> None:
    if all(np.array_equal(path, np.broadcast_to(paths[0][0], path.shape)) for path in paths):
        count = sum(map(len, paths))
        raise fail(argument, "states that differ", f"the same state {count} times", "give several")


def _enough(found: int, functions: int, argument: str) -> None:
    need = 2 * functions
    if found < need:
        what = "states" if argument == "states" else "further times"
        words = f"at least {need} {what} for the {functions} functions"
        remedy = "give more of them, or a lower degree"
        raise fail(
            "states" if argument == "states" else "system", f"{words} of the dictionary", found, remedy
        )


def _thinned(points: np.ndarray, most: int = _MOST_STATES) -> np.ndarray:
    return points[:: 1 + len(points) // most]
