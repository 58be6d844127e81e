r"""Wasserstein distances between data sets, models and runs, and along a training.

    W_p(a, b) = (min_P ⟨P, d^p⟩)^{1/p},        p = 1, 2        (Kantorovich; a linear programme: `exact`)
    with ε:     S_ε(a, b)^{1/p}                (the debiased Sinkhorn divergence: `sinkhorn`)

n samples of each lie further apart than the laws that they come from, in many dimensions much further: the
excess falls as n^{−1/N} only (Dudley 1969). The `floor` tells it: the distance between two halves of the same
rows. What stands beside it is `at_floor`, the distance between halves of a and of b, of as many rows; the
laws differ as far as these two are seen to differ.

Errors are those of other samples of the same laws: from the variance of the dual potentials
under each sample (Sommerfeld & Munk, J. R. Stat. Soc. B 80, 219, 2018; with ε the theorem of del Barrio,
González-Sanz, Loubes & Niles-Weed, SIAM J. Math. Data Sci. 5, 2023).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array
from jaxtyping import Int, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, once
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.geometry.transport.costs import Metric, checked_metric, checked_order
from intertwine.geometry.transport.exact import QUICK_PAIRS, is_assigned
from intertwine.geometry.transport.gaussian import bures, gaussian_law, is_gaussian
from intertwine.geometry.transport.measured import Measure
from intertwine.geometry.transport.sides import Side, fitted_together, side_of
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.sampling.draw import AnySampler

MOST_ROWS = 2000
"""Rows of a sample, at most; of larger ones so many are drawn."""
MOST_ROWS_ENTROPIC = 1000
_LEAST_ROWS = 32
_FAR = 3.0
"""So many errors above the floor are a difference."""


@dataclass(frozen=True, eq=False, repr=False)
class Distance(Shown):
    """value: W_p, in the unit of the metric; error: its standard error as an estimate over other samples, 0
    between exact laws, nan where there are too few rows to tell. floor: the distance of two halves of the
    same rows, and at_floor: of halves of a and of b, of as many rows each; nan where nothing was sampled.
    rows: of a and b. exact: whether both are exact laws. metric, order, epsilon: as asked for. warnings: what
    qualifies it.
    """

    value: float
    error: float
    floor: float
    at_floor: float
    rows: tuple[int, int]
    exact: bool
    metric: str
    order: int
    epsilon: float | None
    warnings: tuple[str, ...] = ()

    @property
    def excess(self) -> float:
        """at_floor − floor: how far the laws lie apart beyond what so many rows of one law do."""
        return self.at_floor - self.floor

    def __str__(self) -> str:
        name = f"W{self.order}" if self.epsilon is None else f"W{self.order} at ε = {self.epsilon:g}"
        if self.exact:
            words = f"{name} ({self.metric}) {self.value:.9g}, of exact laws"
        else:
            words = f"{name} ({self.metric}) {with_error(self.value, self.error, '.4g', '.2g')}, "
            words += f"{self.rows[0]} and {self.rows[1]} rows"
            if math.isfinite(self.floor):
                words += f"; of half as many {self.at_floor:.4g}, within one of them {self.floor:.4g}"
        return beneath(words, self.warnings)


def wasserstein(
    a: PyTree,
    b: PyTree,
    *,
    metric: Metric | None = None,
    order: int = 1,
    epsilon: float | None = None,
    up_to: Lattice | ArrayLike | None = None,
    samples: int | None = None,
    sampler: AnySampler | None = None,
    key: Array | None = None,
) -> Distance:
    """The Wasserstein distance between two distributions of configurations, a `Distance`.

    a, b: arrays (n, N) of configurations, one-to-one with columns; (rows, weights) for a law that is exact; a
    `Dataset`; what `it.sample` drew; a model, a fit or a run that was loaded.
    metric: "hamming" (the number of units that differ), "euclidean", or a function metric(x, y) of two
    configurations that JAX can trace; unless given, hamming of discrete units and euclidean of others.
    order: 1 or 2. epsilon: None for the exact distance, else the debiased Sinkhorn divergence, in the unit of
    d^order. up_to: a lattice, whose translations cost nothing, or permutations (G, N) of the columns.
    samples: configurations drawn of models by `sampler` (as `it.sample`) with `key`; None: the exact law of a
    model with at most 512 configurations, and 1000 of others. Two machines that are Gaussians have an exact
    distance of order 2.

    Rows of arrays are samples: see `Distance` for the error, and for the floor that tells the bias of
    finitely many. Of more than 2000 rows (1000 with ε) so many are drawn.

    Raises InputError for rows that do not go together, metrics that do not fit the values or give numbers
    that are negative or not finite, and an ε too small to resolve.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.random((400, 6)) < 0.2, rng.random((400, 6)) < 0.5
    >>> found = wasserstein(a.astype(int), b.astype(int))            # of the laws: 6 · |0.2 − 0.5| = 1.8
    >>> bool(abs(found.value - 1.8) < 5 * found.error), bool(found.at_floor > found.floor)
    (True, True)
    >>> both = np.array([[0, 0], [1, 1]])
    >>> wasserstein((both, [0.5, 0.5]), (both, [0.75, 0.25])).value
    0.5
    """
    metric, order = checked_metric(metric), checked_order(order)
    samples = samples if samples is None else positive_int("samples", samples)
    keys = (None, None) if key is None else jax.random.split(check_key(key))
    if _closed(a, b, metric, order, epsilon, up_to, samples):
        return Distance(
            bures(gaussian_law(a), gaussian_law(b)),
            0.0,
            math.nan,
            math.nan,
            (0, 0),
            True,
            "euclidean",
            2,
            None,
        )
    sides = (side_of(x, name, samples, sampler, k) for x, name, k in zip((a, b), "ab", keys, strict=True))
    first, second, layer = fitted_together(*sides)
    group = _group(up_to, first.rows.shape[1])
    measure = Measure.of(first.rows, second.rows, layer, metric, order, epsilon, group)
    return _measured(measure, first, second)


def training_distances(
    models: Sequence[PyTree],
    data: PyTree,
    *,
    progress: Callable[[int, int], object] | None = None,
    key: Array | None = None,
    **settings: object,
) -> tuple[Distance, ...]:
    """The distance of each of `models`, such as the checkpoints of a training, from the data.

    settings: of `wasserstein`. key: the draws of model k come from `jax.random.fold_in(key, k)`. progress:
    called with the number of models done and of all.

    >>> from intertwine.models.machines.rbm import RBM
    >>> machines = [RBM(3, hidden=2, units="binary", scale=s, key=jax.random.key(0)) for s in (0.1, 1.0)]
    >>> [d.exact for d in training_distances(machines, (machines[0].visible_layer.states(), np.ones(8) / 8))]
    [True, True]
    """
    models, found = list(models), []
    for k, model in enumerate(models):
        own = None if key is None else jax.random.fold_in(check_key(key), k)
        found.append(wasserstein(model, data, key=own, **settings))  # type: ignore[arg-type]
        if progress is not None:
            progress(k + 1, len(models))
    return tuple(found)


def _closed(
    a: PyTree, b: PyTree, metric: object, order: int, epsilon: object, up_to: object, samples: int | None
) -> bool:
    """Whether both are Gaussian machines, whose distance of order 2 is a formula."""
    plain = metric in (None, "euclidean") and epsilon is None and up_to is None and samples is None
    return plain and order == 2 and is_gaussian(as_model(a)) and is_gaussian(as_model(b))


def _group(up_to: Lattice | ArrayLike | None, size: int) -> Int[np.ndarray, "G N"] | None:
    if up_to is None:
        return None
    found = up_to.translations.permutations if isinstance(up_to, Lattice) else np.asarray(up_to)
    if found.ndim != 2 or found.shape[1] != size or found.dtype.kind not in "iu":
        raise fail("up_to", f"a lattice of {size} sites, or permutations (G, {size})", f"shape {found.shape}")
    if not (np.sort(found, 1) == np.arange(size)).all():
        raise fail("up_to", f"permutations of the columns 0 to {size - 1}", "rows that are none")
    return np.asarray(found, np.int64)


def _measured(measure: Measure, a: Side, b: Side) -> Distance:
    most = MOST_ROWS if measure.epsilon is None else MOST_ROWS_ENTROPIC
    said = [*a.warnings, *b.warnings]
    a, b, told = _fewer(a, b, most, measure.epsilon is not None)
    said += told
    found = measure.between(a, b)
    said += found.warnings
    sampled = [side for side in (a, b) if side.weights is None]
    floor = at_floor = math.nan
    error = 0.0 if not sampled else math.nan
    if sampled and min(len(side.rows) for side in sampled) >= 2:
        floor = max(_floor(measure, side) for side in sampled)
        at_floor = float(np.mean([measure.between(*pair).value for pair in _pairs(a, b, 2)]))
        error = found.error if found.error is not None else _error(measure, a, b, found.value)
    if sampled:
        said += _judged(floor, at_floor, error)
    rows = (len(a.rows), len(b.rows))
    return Distance(
        found.value, error, floor, at_floor, rows, not sampled, measure.name, measure.order, measure.epsilon,
        tuple(once(said)),
    )  # fmt: skip


def _judged(floor: float, at_floor: float, error: float) -> list[str]:
    if not math.isfinite(error):
        return [caveat("unjudged", "there are too few rows for the error of the distance: give 32 or more")]
    if at_floor - floor > _FAR * math.sqrt(2) * error:
        return []
    words = f"the distance of {at_floor:.4g} between halves of both is not above that of two halves of one, "
    words += f"{floor:.4g}, by more than chance: that the laws differ is not seen with so many rows"
    return [caveat("unjudged", words)]


def _fewer(a: Side, b: Side, most: int, entropic: bool) -> tuple[Side, Side, list[str]]:
    """Rows in random order, at most `most` of each sample, and numbers that an assignment can take."""
    rng, said = np.random.default_rng(0), []
    found = []
    for side, name in ((a, "a"), (b, "b")):
        if side.weights is None:
            count = len(side.rows)
            if count > most:
                said.append(caveat("data", f"{most} of the {count} rows of {name} are taken, at random"))
            side = side.part(rng.permutation(count)[:most])
        found.append(side)
    a, b = found
    if entropic or a.weights is not None or b.weights is not None:
        return a, b, said
    n, m = len(a.rows), len(b.rows)
    small, large = min(n, m), max(n, m)
    distinct = [len(np.unique(side.rows, axis=0)) for side in (a, b)]
    if distinct[0] * distinct[1] > QUICK_PAIRS and not is_assigned(n, m):
        kept = small
        said.append(caveat("data", f"{kept} of {large} rows are taken beside {small}, at random"))
        a, b = (side if len(side.rows) == small else side.part(np.arange(kept)) for side in (a, b))
    return a, b, said


def _parts(side: Side, count: int) -> list[Side]:
    """Disjoint parts of as many rows; an exact law is in each."""
    if side.weights is not None:
        return [side] * count
    size = len(side.rows) // count
    return [side.part(np.arange(k * size, (k + 1) * size)) for k in range(count)]


def _pairs(a: Side, b: Side, count: int) -> list[tuple[Side, Side]]:
    return list(zip(_parts(a, count), _parts(b, count), strict=True))


def _floor(measure: Measure, side: Side) -> float:
    first, second = _parts(side, 2)
    return measure.between(first, second).value


def _error(measure: Measure, a: Side, b: Side, value: float) -> float:
    """The standard error of an exact distance; nan of too few rows."""
    least = min(len(side.rows) for side in (a, b) if side.weights is None)
    return math.nan if least < _LEAST_ROWS else measure.error(a, b, value)
