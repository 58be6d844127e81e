r"""Results in place of models: whatever takes a model takes a fit, or a run that was loaded, as well.

A run whose columns were standardised has a machine of x = (column − offset)/scale. Whoever gives the run
gives and gets rows of the columns themselves, and densities of these,

    ln p(column) = ln p(x) − Σ_i ln scale_i;

whoever gives `run.model` has those of x.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail

_FAR = 5.0
"""So many widths from the mean of what was learnt, a column's mean is told."""


class Scaling(NamedTuple):
    """What leads from the columns of the data to those of the machine, and back.

    offset, scale: float64 (N,), or None where rows are the machine's as they are.

    >>> scaling = Scaling(np.array([10.0]), np.array([2.0]))
    >>> scaling.inside([[12.0]]).tolist(), scaling.outside(np.array([[1.0]])).tolist()
    ([[1.0]], [[12.0]])
    >>> Scaling().inside([[12.0]]), Scaling().log_volume
    ([[12.0]], 0.0)
    """

    offset: np.ndarray | None = None
    scale: np.ndarray | None = None

    @property
    def log_volume(self) -> float:
        """Σ ln scale, nats: what a density of the machine's columns lies above that of the data's."""
        return 0.0 if self.scale is None else float(np.log(self.scale).sum())

    def inside(self, rows: ArrayLike) -> Any:
        """Rows (..., N) of the data as the machine has them, float64; of another width as they are.

        Rows far from all that was learnt, such as standardised ones, are told as a `Caveat`.
        """
        if self.scale is None or self.offset is None:
            return rows
        from intertwine.data.arrays import as_array

        array = as_array(rows, "rows")
        if array.ndim == 0 or array.shape[-1] != len(self.scale) or array.dtype.kind not in "biuf":
            return array
        found = (array.astype(np.float64) - self.offset) / self.scale
        known = np.isfinite(found)
        counts = np.maximum(known.sum(tuple(range(found.ndim - 1))), 1)
        means = np.abs(np.where(known, found, 0.0).sum(tuple(range(found.ndim - 1))) / counts)
        if means.size and means.max() > _FAR:
            words = (
                f"the rows lie {means.max():.3g} widths of a column from the mean of those that were learnt"
            )
            remedy = "give them in the units of the data, not standardised (or take run.model)"
            tell([caveat("data", f"{words}: {remedy}")], stacklevel=3)
        return found

    def outside(self, rows: np.ndarray) -> np.ndarray:
        """Rows (..., N) of the machine as the data have them."""
        return rows if self.scale is None or self.offset is None else rows * self.scale + self.offset


def as_model(given: object) -> Any:
    """The model that a result holds as `model` (of `it.load`, `fit_supervised`, `learn`, `ground_state`);
    anything else as it is.

    Raises `InputError` for a run that has none.

    >>> from types import SimpleNamespace
    >>> as_model(SimpleNamespace(model="a network")), as_model("a network")
    ('a network', 'a network')
    """
    if isinstance(given, eqx.Module | str):
        return given
    held = getattr(given, "model", given)
    if held is None and hasattr(given, "settings"):
        remedy = "give the configurations, or a model, themselves"
        raise fail("model", "a run that has a model", "one of configurations from a file", remedy)
    return given if held is None else held


def taken(given: object) -> tuple[Any, Scaling]:
    """(the model of a result, or the model; how rows are led to its columns).

    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(model="a machine", offset=np.zeros(2), scale=np.ones(2))
    >>> taken(run)[1].inside([[3, 4]]).tolist(), taken(run.model)[1] == Scaling()
    ([[3.0, 4.0]], True)
    """
    model = as_model(given)
    if model is given:
        return model, Scaling()
    return model, Scaling(getattr(given, "offset", None), getattr(given, "scale", None))


def unscaled(given: object, argument: str = "model") -> Any:
    """The model of a result, for what gives a model that reads rows itself; `InputError` for a run of
    standardised columns, whose standardisation would be lost."""
    model, scaling = taken(given)
    if scaling.scale is not None:
        remedy = "give run.model, and rows (x − run.offset)/run.scale here and wherever its result is used"
        raise fail(argument, "a machine of columns as they are", "a run of standardised columns", remedy)
    return model
