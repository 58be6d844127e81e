r"""Pseudo-likelihood (Besag 1975): how well every unit is predicted by all others, without ln Z.

    PL(v) = Σ_i ln p(v_i | v_{−i}),
    p(v_i = s | v_{−i}) ∝ e^{s a_i − base(s)} Π_k e^{A_k(θ_k + (s − v_i) W_ik)}

over the units i (not the columns) of an RBM, in nats per example: no factor N for units drawn at random, and
no factor 2 between 0/1 and ±1. Discrete units are summed over their states. The density of a Gaussian unit
given the others is a mixture of normal densities of variance 1/(1 − Σ W²_ik over Gaussian hidden units), one
for each hidden configuration: for such a function the trapezoidal rule at half a standard deviation is exact
to e^{−8π²}, that is, to rounding (Trefethen & Weideman, SIAM Rev. 56, 385, 2014).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.likelihood.likelihood import by_rows, of_rows
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.results import taken
from intertwine.sampling.statistics.estimate import Estimate

_STEP = 0.5
_TAIL = 9.0
"""Standard deviations beyond the outermost mean of the mixture: e^{−40}."""
_MOST_POINTS = 10_000


def pseudo_likelihood(model: RBM, data: ArrayLike) -> Estimate:
    """The mean over the rows of `data` (rows, N) of Σ_i ln p(v_i | v_{−i}), nats per example.

    Raises InputError for models other than an RBM with real parameters, for rectified units that are visible
    or beside Gaussian visible ones, and for data that the units cannot take.

    >>> rbm = RBM.from_parameters(jnp.zeros(3), jnp.zeros(1), jnp.zeros((3, 1)), units="spin")
    >>> round(float(pseudo_likelihood(rbm, [[1, 1, -1]]).mean), 4)               # −3 ln 2
    -2.0794
    """
    model, scaling = taken(model)
    if not isinstance(model, RBM) or model.kind != "real":
        raise fail("model", "an RBM with real parameters", type(model).__name__)
    width = np.sqrt(np.asarray(model.visible_layer.variance(model.weights.dtype)))
    narrow = model.at_unit_widths()
    points, volume = _grid_points(narrow), float(np.log(width).sum()) + scaling.log_volume
    rows = scaling.inside(data)
    return of_rows(by_rows(lambda part: _of_rows(narrow, part / width, points) - volume, model, rows))


@partial(jax.jit, static_argnames="points")
def _of_rows(model: RBM, rows: Float[Array, "B N"], points: int) -> Float[Array, "B"]:
    total, begin, theta = jnp.zeros(len(rows), rows.dtype), 0, model.angles(rows)
    for kind, columns in model.visible_layer.parts:
        part, begin = slice(begin, begin + columns), begin + columns
        width = unit_kind(kind).columns
        units = columns // width
        values = rows[:, part].reshape(-1, units, width).swapaxes(0, 1)
        bias = model.visible_bias[part].reshape(units, width)
        weights = model.weights[part].reshape(units, width, -1)
        if kind == "gaussian":
            one = partial(_log_density, model, theta, points)
        else:
            one = partial(_log_probability, model, theta, jnp.asarray(unit_kind(kind).states, rows.dtype))

        def add(total: Array, unit: tuple, one: Callable[..., Array] = one) -> tuple[Array, None]:
            return total + one(*unit), None

        total = jax.lax.scan(add, total, (values, bias, weights))[0]
    return total


def _log_probability(
    model: RBM, theta: Array, states: Array, value: Array, bias: Array, weights: Array
) -> Float[Array, "B"]:
    """ln p of a unit's `value` (B, q) among its `states` (K, q)."""

    def log_weight(state: Array) -> Array:
        moved = theta + (state - value) @ weights
        return state @ bias + model.hidden_layer.log_partition(moved)

    scores = jax.lax.map(log_weight, states)
    own = value @ bias + model.hidden_layer.log_partition(theta)
    return own - jax.nn.logsumexp(scores, axis=0)


def _log_density(
    model: RBM, theta: Array, points: int, value: Array, bias: Array, weights: Array
) -> Float[Array, "B"]:
    """ln of the density of a Gaussian unit's `value` (B, 1)."""
    w, x = weights[0], value[:, 0]
    rest = theta - x[:, None] * w
    low, high, precision = _means(model, w)
    mask = jnp.asarray(_is_gaussian(model), rest.dtype)
    shift = (rest * (w * mask)).sum(-1)
    sigma = 1 / jnp.sqrt(precision)
    first = (bias[0] + low + shift) / precision - _TAIL * sigma
    span = (high - low) / precision + 2 * _TAIL * sigma
    step = span / (points - 1)

    def log_weight(at: Array) -> Array:
        fields = rest + at[:, None] * w
        return bias[0] * at - 0.5 * at * at + model.hidden_layer.log_partition(fields)

    def add(total: Array, index: Array) -> tuple[Array, None]:
        return jnp.logaddexp(total, log_weight(first + index * step)), None

    total = jax.lax.scan(add, jnp.full(len(x), -jnp.inf, x.dtype), jnp.arange(points, dtype=x.dtype))[0]
    return log_weight(x) - total - jnp.log(step)


def _is_gaussian(model: RBM) -> np.ndarray:
    parts = model.hidden_layer.parts
    return np.repeat([kind == "gaussian" for kind, _ in parts], [columns for _, columns in parts])


def _means(model: RBM, w: Array) -> tuple[Array, Array, Array]:
    """The least and greatest Σ_k W_k h_k over the discrete hidden units, and the precision that the Gaussian
    ones leave, for weights w (..., M)."""
    low = high = jnp.zeros(w.shape[:-1], w.dtype)
    precision, begin = 1 + low, 0
    for kind, columns in model.hidden_layer.parts:
        part, begin = w[..., begin : begin + columns], begin + columns
        if kind == "gaussian":
            precision = precision - (part * part).sum(-1)
            continue
        row = unit_kind(kind)
        pulls = part.reshape(*part.shape[:-1], -1, row.columns) @ jnp.asarray(row.states, w.dtype).T
        low, high = low + pulls.min(-1).sum(-1), high + pulls.max(-1).sum(-1)
    return low, high, precision


def _grid_points(model: RBM) -> int:
    """Points of the trapezoidal rule for the Gaussian visible units; 0 without any."""
    visible = model.visible_layer.parts
    kinds = {kind for kind, _ in visible}
    hidden = {kind for kind, _ in model.hidden_layer.parts}
    if "rectified" in kinds or ("gaussian" in kinds and "rectified" in hidden):
        raise fail(
            "model",
            "units whose conditional probabilities can be summed",
            f"units {model.units!r} and hidden_units {model.hidden_units!r}",
            "use log_likelihood with an estimate of log Z",
        )
    if "gaussian" not in kinds:
        return 0
    rows = np.repeat([kind == "gaussian" for kind, _ in visible], [columns for _, columns in visible])
    low, high, precision = (np.asarray(x, np.float64) for x in _means(model, model.weights[rows]))
    if not (precision > 0).all():
        raise fail("model", "weights for which the density can be normalised", "Σ W² ≥ 1 to Gaussian units")
    points = int(np.ceil(np.max((high - low) / np.sqrt(precision) + 2 * _TAIL) / _STEP)) + 1
    if points > _MOST_POINTS:
        raise fail("model", "smaller weights", f"conditional densities over {points / 2:.3g} deviations")
    return points
