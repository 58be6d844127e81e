r"""Lower bounds on the likelihood of a deep Boltzmann machine, from the tightness of a product to exact.

    B(v) − ln Z                          variational bound: all layers independent given v
    E ln w − ln Z                        structured bound: the layers 2, 4, ... follow the odd ones
    E ln (1/K) Σ_k w_k − ln Z            importance-weighted bound

with w = p*(v, x_1, x_3, ...)/q(x_1, x_3, ...), the layers 2, 4, ... summed out exactly, and x drawn from the
mean-field posterior q (`mean_field`). Each is never below the one above it and never above ln p(v); the last
rises with K to ln p(v) (Burda, Grosse & Salakhutdinov, ICLR 2016). A deep belief network's bound is of the
second kind (Hinton, Osindero & Teh 2006). The last two are means over draws: unbiased for what they bound.

All need ln Z (`log_partition`). Its standard error is part of the error bar; a bound that holds with the
confidence of ln Z's bracket is `found.mean − (log_z.upper − log_z.mean)`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import positive_int
from intertwine.boltzmann.objectives.mean_field import mean_field_posterior
from intertwine.learning.batches import host_array
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.layered import sample_layers
from intertwine.models.parameters import check_key
from intertwine.models.results import taken
from intertwine.sampling.statistics.estimate import Estimate, estimate

ROWS = 1000
"""Rows looked at at once."""


def variational_bound(
    model: DBM, data: ArrayLike, log_z: Estimate | float, *, sweeps: int = 100, tolerance: float = 1e-3
) -> Estimate:
    """The mean over `data` (rows, N) of the variational lower bound on ln p(v), nats per example.

    log_z: a `LogPartition`, or ln Z as a number. sweeps, tolerance: of the mean field (nats).

    The error bar counts the spread of the rows and the error of ln Z.

    >>> from intertwine.boltzmann.partition.log_partition import Exact, log_partition
    >>> model = DBM((4, 3, 2), scale=0.5, key=jax.random.key(0))
    >>> log_z = log_partition(model, Exact())
    >>> data = model.visible_layer.states()
    >>> exact = np.mean([model(jnp.asarray(v)) for v in data]) - log_z.mean
    >>> bool(variational_bound(model, data, log_z).mean <= exact)
    True
    """
    model, scaling = taken(model)
    values = bound_values(model, scaling.inside(data), sweeps=sweeps, tolerance=tolerance)
    return _over_rows(values - scaling.log_volume, log_z)


def bound_values(
    model: DBM, data: ArrayLike, *, sweeps: int = 100, tolerance: float = 1e-3
) -> Float[np.ndarray, "rows"]:
    """B(v) of each row: the variational bound on ln p*(v), nats, without ln Z."""
    found = [
        mean_field_posterior(model, part, sweeps=sweeps, tolerance=tolerance).bound[:count]
        for part, count in _parts(model, data)
    ]
    return np.concatenate([np.asarray(x, np.float64) for x in found])


def structured_bound(
    model: DBM,
    data: ArrayLike,
    log_z: Estimate | float,
    *,
    draws: int = 10,
    sweeps: int = 100,
    tolerance: float = 1e-3,
    key: Array,
) -> Estimate:
    """The mean over `data` of the structured bound, by `draws` draws per row, nats per example.

    >>> model = DBM((4, 3, 2), scale=0.5, key=jax.random.key(0))
    >>> int(structured_bound(model, np.ones((2, 4)), 0.0, draws=10, key=jax.random.key(1)).samples)
    2
    """
    model, scaling = taken(model)
    values = _weighed(model, scaling.inside(data), draws, sweeps, tolerance, key)[0]
    return _over_rows(values - scaling.log_volume, log_z)


def importance_bound(
    model: DBM,
    data: ArrayLike,
    log_z: Estimate | float,
    *,
    draws: int = 100,
    sweeps: int = 100,
    tolerance: float = 1e-3,
    key: Array,
) -> Estimate:
    """The mean over `data` of the importance-weighted bound with `draws` draws per row, nats per example.

    >>> model = DBM((4, 3, 2), scale=0.5, key=jax.random.key(0))
    >>> int(importance_bound(model, np.ones((2, 4)), 0.0, draws=10, key=jax.random.key(1)).samples)
    2
    """
    model, scaling = taken(model)
    values = _weighed(model, scaling.inside(data), draws, sweeps, tolerance, key)[1]
    return _over_rows(values - scaling.log_volume, log_z)


def _weighed(
    model: DBM, data: ArrayLike, draws: int, sweeps: int, tolerance: float, key: Array
) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the mean of ln w, and the logarithm of the mean of w."""
    positive_int("draws", draws, "give the draws per row, for example 100")
    found: list[list[np.ndarray]] = [[], []]
    for number, (part, count) in enumerate(_parts(model, data)):
        posterior = mean_field_posterior(model, part, sweeps=sweeps, tolerance=tolerance)
        v, of_part = jnp.asarray(part, model.dtype), jax.random.fold_in(check_key(key), number)
        for total, values in zip(
            found, _weights(model, v, posterior.fields[0::2], draws, of_part), strict=True
        ):
            total.append(np.asarray(values, np.float64)[:count])
    return np.concatenate(found[0]), np.concatenate(found[1])


@jax.jit
def _weights(model: DBM, v: Array, fields: tuple, draws: Array, key: Array) -> tuple[Array, Array]:
    layers = model.layers[1::2]
    log_norm = sum(layer.log_partition(f) for layer, f in zip(layers, fields, strict=True))

    def one(k: Array, totals: tuple[Array, Array]) -> tuple[Array, Array]:
        x = sample_layers(layers, fields, key=jax.random.fold_in(key, k))
        own = sum((f * y).sum(-1) - layer.base(y) for layer, f, y in zip(layers, fields, x, strict=True))
        log_w = model.log_weight_of_odd(v, x) - own + log_norm
        return totals[0] + log_w, jnp.logaddexp(totals[1], log_w)

    none = jnp.zeros(len(v), v.dtype), jnp.full(len(v), -jnp.inf, v.dtype)
    summed, joined = jax.lax.fori_loop(0, draws, one, none)
    count = jnp.asarray(draws, v.dtype)
    return summed / count, joined - jnp.log(count)


def _parts(model: DBM, data: ArrayLike) -> list[tuple[np.ndarray, int]]:
    """Parts of as many rows each, the last one filled up, and how many rows of each count."""
    rows = host_array(data)
    model.visible_layer.check(rows, "data")
    size, found = min(ROWS, len(rows)), []
    for begin in range(0, len(rows), size):
        part = rows[begin : begin + size]
        count = len(part)
        found.append((np.concatenate([part, np.repeat(part[-1:], size - count, axis=0)]), count))
    return found


def _over_rows(values: np.ndarray, log_z: Estimate | float) -> Estimate:
    found = estimate(values[:, None])
    error = float(np.hypot(found.error, getattr(log_z, "error", 0.0)))
    return found._replace(mean=found.mean - float(log_z), error=np.float64(error))
