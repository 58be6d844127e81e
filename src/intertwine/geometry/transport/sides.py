"""What transport is measured between: rows with weights, of arrays, data sets, models and runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.learning.batches import has_missing, host_array
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model, taken
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.sampling.draw import Drawn, sample
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.sampling.draw import AnySampler

DRAWS = 1000
"""Configurations drawn of a model where nothing is said."""
ENUMERATED = 512
"""Configurations of a model whose exact law is taken where nothing is said."""
_BATCH = 4096


@dataclass(frozen=True, eq=False)
class Side:
    """rows (n, N). weights: (n,), sum 1, of a law that is exact; None for rows that are samples of one.
    layer: the units, of a machine. model: whether the rows were made of one. warnings: of its samples."""

    rows: np.ndarray
    weights: np.ndarray | None = None
    layer: UnitLayer | None = None
    lattice: Lattice | None = None
    warnings: tuple[str, ...] = ()

    def part(self, chosen: np.ndarray) -> Side:
        """Some of the rows."""
        return replace(self, rows=self.rows[chosen])


def side_of(
    given: PyTree,
    argument: str,
    samples: int | None,
    sampler: AnySampler | None,
    key: Array | None,
    most_exact: int = ENUMERATED,
) -> Side:
    """Rows of an array, (rows, weights), a `Dataset`, samples, a model or a run. samples: of a model; None:
    its exact law where it has at most `most_exact` configurations, else DRAWS of them."""
    if isinstance(given, str):
        remedy = f"for the folder of a run: it.load({given!r})"
        raise fail(argument, "rows, a model or a loaded run", given, remedy)
    if isinstance(given, Drawn):
        if given.log_weights is not None:
            share = np.exp(given.log_weights - given.log_weights.max())
            return Side(given.configurations, share / share.sum(), lattice=given.lattice)
        return Side(given.configurations, lattice=given.lattice, warnings=given.warnings)
    if isinstance(given, Dataset):
        rows = given.as_given(given.examples(len(given.train)))
        return _of_rows(rows, given.weights, argument)
    if as_model(given) is not given:  # a fit or a run, which are tuples too
        return _of_model(given, argument, samples, sampler, key, most_exact)
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[1]) == 1:
        return _of_rows(given[0], given[1], argument)
    if isinstance(given, np.ndarray | Array | Sequence) or hasattr(given, "__array__") or _is_table(given):
        return _of_rows(given, None, argument)
    return _of_model(given, argument, samples, sampler, key, most_exact)


def _is_table(given: object) -> bool:
    return any(hasattr(given, name) for name in ("to_numpy", "toarray"))


def _of_rows(rows: PyTree, weights: PyTree, argument: str) -> Side:
    array = host_array(rows, argument)
    if array.ndim != 2:
        raise fail(
            argument, "rows (n, N), one configuration each", f"shape {array.shape}", "flatten each one"
        )
    if has_missing(array):
        raise fail(argument, "rows without missing entries", "nan among them", "fill them with it.complete")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise fail(argument, "finite numbers", "others among them")
    if weights is None:
        return Side(array)
    share = np.asarray(weights, np.float64)
    if share.shape != (len(array),) or not (np.isfinite(share).all() and share.min() >= 0 < share.sum()):
        raise fail("weights", f"({len(array)},) finite numbers ≥ 0", f"shape {share.shape}")
    return Side(array, share / share.sum())


def _of_model(
    given: PyTree,
    argument: str,
    samples: int | None,
    sampler: AnySampler | None,
    key: Array | None,
    most_exact: int,
) -> Side:
    model, scaling = taken(given)
    if not callable(model) and not hasattr(model, "lattice"):
        raise fail(argument, "rows, a model or a run", type(given).__name__)
    layer, lattice = getattr(model, "visible_layer", None), getattr(model, "lattice", None)
    lattice = lattice if isinstance(lattice, Lattice) else None
    if samples is None and (law := _law(model, layer, most_exact)) is not None:
        return Side(*law, layer=layer, lattice=lattice)
    if key is None:
        raise fail("key", "a key, to draw configurations of a model", None, "give key=jax.random.key(0)")
    drawn = sample(given, DRAWS if samples is None else samples, sampler=sampler, key=check_key(key))
    layer = None if scaling.scale is not None else layer
    return Side(drawn.configurations, None, layer, lattice or drawn.lattice, drawn.warnings)


def _law(model: PyTree, layer: UnitLayer | None, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """All configurations and their probabilities, of a model that has few; None for others."""
    if isinstance(model, Ising | Potts | Clock):
        states = 2 if isinstance(model, Ising) else model.states
        if states ** float(model.size) > most:
            return None
        with jax.enable_x64(True):
            found = enumerate_distribution(jax.tree.map(_double, model))
        return found.configurations, found.probabilities
    if layer is None or layer.state_count > most or hasattr(model, "top") or model.kind != "real":
        return None
    rows = layer.states()
    with jax.enable_x64(True):
        model = jax.tree.map(_double, model)
        log_p = np.asarray(_log_weights(model, rows.astype(np.float64)), np.float64)
    p = np.exp(log_p - log_p.max())
    return rows, p / p.sum()


def _double(x: Array) -> Array:
    return jnp.asarray(np.asarray(x), jnp.float64) if jnp.issubdtype(x.dtype, jnp.inexact) else x


@jax.jit
def _log_weights(model: PyTree, rows: Array) -> Array:
    return jax.lax.map(model, rows, batch_size=min(_BATCH, len(rows)))


def fitted_together(a: Side, b: Side) -> tuple[Side, Side, UnitLayer | None]:
    """Both sides with rows of the same columns, and the layer whose units these are."""
    layer = next((s.layer for s in (a, b) if s.layer is not None), None)
    if layer is not None and layer.is_discrete:
        a, b = (_as_units(side, layer, name) for side, name in ((a, "a"), (b, "b")))
    elif layer is not None:
        layer = None
    if a.rows.shape[1] != b.rows.shape[1]:
        got = f"{a.rows.shape[1]} and {b.rows.shape[1]}"
        raise fail("a, b", "configurations of the same number of columns", got)
    values = [_two_values(side.rows) for side in (a, b)]
    if None not in values and values[0] != values[1] and {*values[0], *values[1]} == {-1, 0, 1}:  # type: ignore[misc]
        raise fail(
            "a, b", "the same values of the units", f"{values[0]} and {values[1]}", "spin = 2 unit − 1"
        )
    return a, b, layer


def _as_units(side: Side, layer: UnitLayer, argument: str) -> Side:
    """Rows with the columns of `layer`: numbers of Potts states become one-hot."""
    rows, width = side.rows, side.rows.shape[1]
    if width == layer.count != layer.size and len(layer.parts) == 1:
        states = layer.size // layer.count
        if rows.min() < 0 or rows.max() >= states or (rows != np.round(rows)).any():
            raise fail(argument, f"numbers of states from 0 to {states - 1}", f"{rows.min()} to {rows.max()}")
        rows = np.eye(states, dtype=np.int8)[rows.astype(int)].reshape(len(rows), -1)
    layer.check(rows, argument)
    return replace(side, rows=rows)


def _two_values(rows: np.ndarray) -> tuple | None:
    """The two values of rows that have two, sorted."""
    found = np.unique(rows[:1000])
    return tuple(found.tolist()) if len(found) == 2 else None
