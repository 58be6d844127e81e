r"""Columns of any real numbers as units, for the scikit-learn estimators.

    0 ≤ x ≤ 1     binary units; values between 0 and 1 are probabilities
    otherwise     Gaussian units of (x − mean)/scale, mean and standard deviation of each column at `fit`
    "potts:q"     whole numbers 0 … q − 1, q columns of a machine each ("potts": q is found at `fit`)

nan is a missing value.

`Columns` remembers which. Machines are compiled for a multiple of 16 columns: `filled` puts columns of zeros
behind the data, and `resized` cuts them from a trained machine, which leaves the conditional distribution
given zeros there, or puts columns behind a machine that stay zero.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail, one_of
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM

UNITS = ("auto", "binary", "spin", "gaussian", "potts", "potts:q")
WIDTH = 16
_OFF = -40.0
"""The bias of a binary column that is never 1."""


class Columns(NamedTuple):
    """units: "binary", "spin", "gaussian" or "potts:q". mean, scale: (N,) of the data, or None where they are
    taken as they are."""

    units: str
    mean: np.ndarray | None
    scale: np.ndarray | None

    @classmethod
    def of(cls, units: str, X: np.ndarray) -> Columns:
        """What `units` ("auto": as the head of this file says) makes of the data.

        >>> Columns.of("auto", np.array([[0.0, 2.0], [4.0, 2.0]])).scale.tolist()
        [2.0, 1.0]
        """
        check_units(units)
        if X.dtype.kind == "f" and np.isnan(X).all(0).any():
            place = int(np.flatnonzero(np.isnan(X).all(0))[0])
            raise fail("X", "a value in every column", f"NaN alone in column {place}", "leave it out")
        if units == "auto":
            units = "binary" if np.nanmin(X) >= 0 and np.nanmax(X) <= 1 else "gaussian"
        if units == "potts":
            units = f"potts:{max(2, int(np.nanmax(X)) + 1)}"
        if units != "gaussian":
            found = cls(units, None, None)
            found.values(X)
            return found
        mean = np.asarray(np.nanmean(X, 0, dtype=np.float64))
        scale = np.asarray(np.nanstd(X, 0, dtype=np.float64))
        return cls(units, mean, np.where(scale > 1e-12 * np.maximum(1, np.abs(mean)), scale, 1.0))

    def values(self, X: np.ndarray) -> np.ndarray:
        """The units' values, or means of them, float64; raises InputError for what they cannot be."""
        if self.mean is not None:
            return (X - self.mean) / self.scale
        if self.states:
            return self._one_hot(np.asarray(X, np.float64))
        low, high = (0, 1) if self.units == "binary" else (-1, 1)
        known = X[~np.isnan(X)] if X.dtype.kind == "f" else X
        if known.size and not (known.min() >= low and known.max() <= high):
            remedy = "scale the columns, or use units='gaussian'"
            got = f"{known.min():.6g} to {known.max():.6g}"
            raise fail("X", f"values from {low} to {high}", got, remedy)
        return np.asarray(X, np.float64)

    @property
    def states(self) -> int:
        """q of Potts units, else 0."""
        return int(self.units.partition(":")[2]) if self.units.startswith("potts") else 0

    def count(self, columns: int) -> int:
        """How many columns a machine has for so many of the data."""
        return columns * (self.states or 1)

    def _one_hot(self, X: np.ndarray) -> np.ndarray:
        gone = np.isnan(X)
        levels = np.where(gone, 0, X)
        if not ((levels == np.rint(levels)) & (levels >= 0) & (levels < self.states)).all():
            got = f"{np.nanmin(X):.6g} to {np.nanmax(X):.6g}"
            raise fail("X", f"whole numbers from 0 to {self.states - 1}", got, "number the states")
        found = np.eye(self.states)[levels.astype(np.intp)]
        return np.where(gone[..., None], np.nan, found).reshape(len(X), -1)

    def data(self, V: np.ndarray) -> np.ndarray:
        """The columns of the data that are units' values V; of Potts units the most probable states."""
        if self.states:
            return V.reshape(len(V), -1, self.states).argmax(-1).astype(np.float64)
        return V if self.mean is None else V * self.scale + self.mean

    @property
    def log_volume(self) -> float:
        """Σ ln scale: what a density in the units' values is higher than in the data's."""
        return 0.0 if self.scale is None else float(np.log(self.scale).sum())

    def log_volume_of(self, missing: np.ndarray) -> np.ndarray:
        """`log_volume` of rows without the columns that are missing, (rows,)."""
        return np.zeros(len(missing)) if self.scale is None else (~missing) @ np.log(self.scale)

    def width(self, count: int) -> int:
        """How many columns a machine for `count` of them is compiled for; only binary ones can be filled up
        with zeros that tell nothing."""
        return -(-count // WIDTH) * WIDTH if self.units == "binary" else count


def check_units(units: Any) -> None:
    """Raise InputError for units that columns of data cannot be taken for."""
    head, _, count = units.partition(":") if isinstance(units, str) else ("", "", "")
    if head == "potts" and count.isdecimal() and 2 <= int(count) <= 256:
        return
    one_of("units", units, UNITS[:-1])


def filled(values: np.ndarray, width: int) -> np.ndarray:
    """`values` (rows, n) with columns of zeros up to `width`."""
    return np.pad(values, ((0, 0), (0, width - values.shape[1])))


def repeated(values: np.ndarray, batch: int) -> np.ndarray:
    """`values`, repeated as a whole until there are at least `batch` rows."""
    return values if len(values) >= batch else np.tile(values, (-(-batch // len(values)), 1))


def resized(model: PyTree, width: int) -> Any:
    """The machine with `width` visible columns: further ones that are 0, or the first ones given that the
    others are 0.

    >>> import jax
    >>> rbm = RBM(3, hidden=2, units="binary", hidden_units="binary", key=jax.random.key(0))
    >>> bool((resized(resized(rbm, 5), 3).weights == rbm.weights).all())
    True
    """
    units = model.visible_layer.spec
    if width == model.size:
        return model
    if isinstance(model, RBM):
        a, w = _bias(model.visible_bias, width, units), _rows(model.weights, width)
        return RBM.from_parameters(
            a, model.hidden_bias, w, units=units, hidden_units=model.hidden_units,
            log_variance=_widths(model.visible_layer.log_variance, width),
        )  # fmt: skip
    if isinstance(model, DBM):
        return DBM.from_parameters(
            (_bias(model.biases[0], width, units), *model.biases[1:]),
            (_rows(model.weights[0], width), *model.weights[1:]),
            units=units,
            hidden_units=model.hidden_units,
        )
    if not model.generative:
        return DBN.from_rbms([resized(model.top, width)])
    down, up = model.generative[0], model.recognition[0]
    layer = type(down.layer).of(units, width)
    down = DirectedLayer(_rows(down.weights.T, width).T, _bias(down.bias, width, units), layer)
    up = DirectedLayer(_rows(up.weights, width), up.bias, up.layer)
    return DBN.from_parts((down, *model.generative[1:]), (up, *model.recognition[1:]), model.top)


def added_log_partition(units: str, more: int) -> float:
    """What `more` further columns add to ln Z."""
    return more * 0.5 * math.log(2 * math.pi) if units == "gaussian" else more * math.log1p(math.exp(_OFF))


def _bias(bias: Array, width: int, units: str) -> Any:
    value = _OFF if units == "binary" else 0.0
    more = max(0, width - len(bias))
    return jnp.pad(jnp.asarray(bias)[:width], (0, more), constant_values=value)


def _widths(log_variance: Array | None, width: int) -> Any:
    return (
        0.0 if log_variance is None else jnp.pad(log_variance[:width], (0, max(0, width - len(log_variance))))
    )


def _rows(weights: Array, width: int) -> Any:
    return jnp.pad(jnp.asarray(weights)[:width], ((0, max(0, width - len(weights))), (0, 0)))
