r"""Principal modes of data, measured against units by themselves, and the weights of a machine in them.

Before anything is learned the visible units are independent, of variance D_i: the data's own for discrete
units at the data's means, σ² for Gaussian ones. Weights grow along eigenvectors u of the data's correlations

    D^{−1/2} C D^{−1/2} u = c u,      where c > 1,

since the flow begins as dW/dt = (C − D) W Var(h) (Decelle, Fissore & Furtlehner 2018). In the same units

    W̃ = D^{1/2} W Var(h)^{1/2},      strength of a mode |W̃ᵀu|,

and a mode of the machine becomes unstable, the ferromagnetic transition of Bachtis et al. (2024), where a
singular value of W̃ is 1: mean field, m_v = D W Var(h) Wᵀ m_v, for units of any kind. Of a Gaussian machine W̃
is W, and 1 is where its integral ends.

Correlations of n rows of N independent columns reach (1 + √(N/n))² by chance (Marchenko & Pastur 1967).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.training.rows import batches_of
from intertwine.data.dataset import Dataset
from intertwine.learning.batches import host_array
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.models.results import as_model

MODES = 12
"""Modes that are followed where nothing is said."""

MOST_ROWS = 200_000
MOST_COLUMNS = 5_000


class PrincipalModes(NamedTuple):
    """Of data of n rows and N columns, float64.

    eigenvalues: (k,) c of the largest modes, in decreasing order. vectors: (N, k), orthonormal, of columns
    divided by `scale`. mean: (N,). scale: (N,) √D, 0 of columns that are constant. above: how many of all
    modes have c > 1. noise: the largest c of independent columns of so many different rows, nan where
    scale is given. rows: how many were looked at; different: of them.
    """

    eigenvalues: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "N k"]
    mean: Float[np.ndarray, " N"]
    scale: Float[np.ndarray, " N"]
    above: int
    noise: float
    rows: int
    different: int

    def projected(self, v: ArrayLike) -> np.ndarray:
        """Magnetisations m = Σ_i u_i (v_i − mean_i)/scale_i / √N of configurations (..., N): (..., k)."""
        rows = np.asarray(v, np.float64) - self.mean
        return rows @ (self.vectors * _inverse(self.scale)[:, None]) / np.sqrt(len(self.scale))


def principal_modes(data: Any, *, modes: int = MODES, scale: ArrayLike | None = None) -> PrincipalModes:
    """The principal modes of `data`: rows (n, N), a `Dataset` (grey values: probabilities), (rows, weights).

    modes: how many. scale: √D of the columns; their own standard deviations by default, 1 for Gaussian units
    whose widths are not learned. nan counts as the mean of its column. Of more than 200,000 rows every k-th
    is looked at.

    Raises InputError for no numbers, more than 5,000 columns, and data without any variance.

    >>> rows = np.random.default_rng(0).integers(0, 2, (500, 1)) * np.ones((1, 6))
    >>> found = principal_modes(rows)
    >>> found.eigenvalues.round(6)[:2].tolist(), found.above, abs(found.vectors[:, 0]).round(3).tolist()
    ([6.0, 0.0], 1, [0.408, 0.408, 0.408, 0.408, 0.408, 0.408])
    """
    rows, weights, grey = _rows(data)
    if rows.shape[1] > MOST_COLUMNS:
        raise fail("data", f"at most {MOST_COLUMNS} columns", rows.shape[1], "look at fewer of them")
    share = weights / weights.sum()
    mean, covariance = _moments(rows, share)
    if grey:  # every visit draws a binary value
        np.fill_diagonal(covariance, mean * (1 - mean))
    variance = np.diag(covariance)
    own = scale is None
    given = np.sqrt(variance) if own else np.broadcast_to(np.asarray(scale, np.float64), mean.shape)
    if not np.isfinite(given).all() or (given < 0).any():
        raise fail("scale", "finite numbers ≥ 0, one a column", scale)
    if not (variance > 0).any():
        raise fail("data", "rows that differ", "the same row everywhere", "there is nothing to learn")
    constant = variance <= 1e-12 * np.maximum(mean * mean, 1e-12)
    given = np.where(constant, 0.0, given)
    inverse = _inverse(given)
    c, u = np.linalg.eigh(covariance * inverse[:, None] * inverse)
    order = np.argsort(-c, kind="stable")
    kept = order[: min(modes, len(c))]
    vectors = u[:, kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(kept))])
    distinct = len({row.tobytes() for row in np.ascontiguousarray(rows)})
    active = int((given > 0).sum())
    noise = (1 + np.sqrt(active / max(1, distinct))) ** 2 if own else np.nan
    return PrincipalModes(
        np.maximum(c[kept], 0.0), vectors * signs, mean, given, int((c > 1 + 1e-9).sum()), float(noise),
        len(rows), distinct,
    )  # fmt: skip


def can_differ(rows: np.ndarray) -> bool:
    """Whether some of the first rows differ: there are modes."""
    some = np.asarray(rows[:1000])
    return len(some) > 1 and bool((some != some[:1]).any())


def modes_for(model: Any, data: Any, modes: int = MODES) -> PrincipalModes:
    """The modes of the data as a machine meets them: Gaussian columns of fixed width by themselves, others by
    their own deviations."""
    layer = visible_layer_of(model)
    fixed = layer.spec == "gaussian" and layer.log_variance is None
    return principal_modes(data, modes=modes, scale=1.0 if fixed else None)


def scaled_weights(model: Any, modes: PrincipalModes) -> Float[np.ndarray, "N M"]:
    """W̃ of a machine (of a deep one, of its first layer), float64."""
    machine = as_model(model)
    layer, hidden, bias, weights = _first(machine)
    w = np.asarray(weights, np.float64)
    if w.shape[0] != len(modes.mean):
        raise fail("run", f"machines of {len(modes.mean)} columns, as the data have", f"{w.shape[0]}")
    deviation = modes.scale.copy()
    gaussian = layer.gaussian_columns
    if len(gaussian):
        deviation[gaussian] = np.sqrt(np.asarray(layer.variance(), np.float64))[gaussian]
    field = jnp.asarray(np.asarray(bias, np.float64) + modes.mean @ w, jnp.result_type(float))
    _, variance = jax.jvp(hidden.mean, (field,), (jnp.ones_like(field),))
    return deviation[:, None] * w * np.sqrt(np.maximum(np.asarray(variance, np.float64), 0.0))


def visible_layer_of(model: Any) -> Any:
    """The visible units of a machine."""
    return _first(as_model(model))[0]


def _first(machine: Any) -> tuple[Any, Any, Any, Any]:
    """(visible layer, first hidden layer, its biases, the weights between)."""
    if isinstance(machine, DBN):
        up = machine.recognition[0]
        return machine.visible_layer, up.layer, up.bias, up.weights
    if isinstance(machine, DBM):
        return machine.layers[0], machine.layers[1], machine.biases[1], machine.weights[0]
    if isinstance(machine, RBM) and machine.kind == "real":
        return machine.visible_layer, machine.hidden_layer, machine.hidden_bias, machine.weights
    what = type(machine).__name__ + (" of complex parameters" if isinstance(machine, RBM) else "")
    raise fail("run", "machines (RBM, DBM, DBN with real parameters) along a training", what)


def _rows(data: Any) -> tuple[np.ndarray, np.ndarray, bool]:
    """(rows, weights, whether they are probabilities of binary values), float64."""
    grey = bool(isinstance(data, Dataset) and data.grey)
    if isinstance(data, Dataset | tuple):
        batches = batches_of(data, 1, seed=0, binarise=False)
        arrays, grey = batches.arrays, bool(batches.binarise)
    else:
        arrays = (host_array(data),)
    every = -(-len(arrays[0]) // MOST_ROWS)
    rows = np.asarray(arrays[0][::every])
    if grey and rows.dtype == np.uint8:
        rows = rows / np.float32(255)
    weights = np.ones(len(rows)) if len(arrays) < 2 else np.asarray(arrays[1], np.float64)[::every]
    if rows.ndim != 2 or len(rows) < 2 or np.isinf(rows).any() or not np.isfinite(rows).any():
        raise fail("data", "finite rows (n, N), at least two", f"shape {rows.shape}")
    return rows, weights, grey


def _moments(rows: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(means, covariances) float64, a block of rows at a time; nan counts as the mean of its column."""
    step = max(1, 2**23 // rows.shape[1])
    blocks = [slice(begin, begin + step) for begin in range(0, len(rows), step)]
    total, seen = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for at in blocks:
        known = np.isfinite(rows[at])
        total += share[at] @ np.where(known, rows[at], 0.0)
        seen += share[at] @ known
    mean = total / np.where(seen > 0, seen, 1)
    covariance = np.zeros((rows.shape[1],) * 2)
    for at in blocks:
        centred = np.where(np.isfinite(rows[at]), rows[at] - mean, 0.0)
        covariance += (centred * share[at, None]).T @ centred
    return mean, covariance


def _inverse(scale: np.ndarray) -> np.ndarray:
    return np.where(scale > 0, 1 / np.where(scale > 0, scale, 1), 0.0)
