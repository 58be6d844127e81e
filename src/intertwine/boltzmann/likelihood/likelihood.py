r"""Log-likelihoods of data under a Boltzmann machine, and measures that need no ln Z.

    ln p(v) = ln Ψ(v) − ln Z            log-likelihood, nats per example
    Σ_i ln p(v_i | v_{−i})              pseudo-likelihood (Besag 1975), nats per example, free of Z
    ⟨F⟩_held out − ⟨F⟩_training         free-energy gap, free of Z: it grows with overfitting (Hinton 2012)
    Σ_v P(v) ln [P(v)/p(v)]             KL divergence from a known P, nats

Data may be arrays or memory maps, rows of `model.size` columns in any real type; they are read a few
megabytes at a time, and never converted as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.baseline import below_independent, independent_columns
from intertwine.boltzmann.beyond_columns import beyond_columns
from intertwine.boltzmann.known_entries import log_known
from intertwine.boltzmann.likelihood.densities import log_densities
from intertwine.boltzmann.objectives.exact import exact_log_unnormalised, exact_probabilities
from intertwine.boltzmann.partition.log_partition import LogPartition
from intertwine.learning.batches import check_known, has_missing, host_array
from intertwine.models.machines.layered import layered
from intertwine.models.machines.rbm import RBM
from intertwine.models.protocols import DrawsItself
from intertwine.models.results import as_model, taken
from intertwine.sampling.statistics.estimate import Estimate

if TYPE_CHECKING:
    from intertwine.models.machines.machine import Machine

BASELINE_ROWS = 10_000
"""Rows on which independent columns are compared."""

_ROWS = 1000
"""Rows that are looked at together."""


def log_likelihood(model: Machine, data: ArrayLike, log_z: LogPartition | float | None = None) -> Estimate:
    """The mean ln p(v) of the rows of `data`, nats per example.

    model: an RBM, or a machine of layers whose hidden units can be enumerated (deep machines beyond that have
    bounds instead); a fit or a loaded run stands for its model. data: (rows, N); nan is a missing entry, and
    ln p then that of what is known of the row (RBM). Of a run of standardised columns, rows and densities are
    those of the columns of its data. log_z: what `log_partition` found, or a number; None for a normalised
    density (an autoregressive network, a circuit), where it is 0.

    error: of the mean as an estimate for new data of the same kind: √(variance/rows + error(ln Z)²).
    warnings: an ln Z that is not to be trusted or that nothing judges, and a mean below that of independent
        columns (`baseline`), are told. The columns are fitted to these very rows, so that this says nothing
        of what was learned: rows of one mode of several always lie below.

    Raises InputError for data that the units cannot take, and a log_z that is not finite.

    >>> rbm = RBM.from_parameters(jnp.zeros(2), jnp.zeros(1), jnp.zeros((2, 1)), units="binary")
    >>> found = log_likelihood(rbm, [[0, 1], [1, 1]], 3 * np.log(2))
    >>> round(float(found.mean), 4)                                              # −2 ln 2
    -1.3863
    """
    model, scaling = taken(model)
    if isinstance(model, DrawsItself):
        return of_rows(log_densities(model, data))
    if log_z is None:
        remedy = "take it.log_partition(model, key=key)"
        raise fail("log_z", "a LogPartition for a machine that is not normalised", None, remedy)
    value = float(log_z)  # type: ignore[arg-type]
    if not np.isfinite(value):
        raise fail("log_z", "a finite number of nats, or a LogPartition", value)
    known = isinstance(log_z, LogPartition)
    error, said = (log_z.error, log_z.warnings) if known else (0.0, ())
    data, volume = scaling.inside(data), scaling.log_volume
    found = log_unnormalised(model, data) - value - volume
    layer, rows, judged = layered(model).layers[0], host_array(data)[:BASELINE_ROWS], found[:BASELINE_ROWS]
    columns = independent_columns(layer, rows) - volume
    nothing = beyond_columns(layer, rows, judged, columns, error)
    said = (*said, *(nothing or below_independent(judged, columns, error)))
    return of_rows(found, error).noted(said)


def log_unnormalised(model: Machine, data: ArrayLike) -> np.ndarray:
    """ln p*(v) = ln Σ_h e^{−E(v, h)}, nats, of every row of `data`: float64 (rows,); ln p(v) + ln Z. Of an
    RBM also where entries are missing (nan): summed over them (`known_entries`).

    Raises InputError for data that the units cannot take.
    """
    model, scaling = taken(model)
    return _log_unnormalised(model, scaling.inside(data)) - scaling.log_volume


def _log_unnormalised(model: Machine, data: ArrayLike) -> np.ndarray:
    """`log_unnormalised` of rows in the machine's own columns."""
    if isinstance(model, RBM):
        layered(model)
        array = host_array(data)
        if has_missing(array):
            check_known(array)
            model.visible_layer.check(array, "data", missing=True)
            return log_known(model, array)
        return by_rows(lambda rows: -_free_energies(model, rows), model, data)
    parts = [exact_log_unnormalised(model, rows)[:count] for rows, count in _chunks(model, data)]
    return np.concatenate(parts)


def free_energy_gap(model: Machine, train: ArrayLike, held_out: ArrayLike) -> Estimate:
    """⟨F⟩ of held-out data minus ⟨F⟩ of training data, nats: about 0 without overfitting, and growing with
    it; ln Z cancels.

    The same as the mean ln p(v) of training data minus that of held-out data.
    """
    seen, new = log_unnormalised(model, train), log_unnormalised(model, held_out)
    first, second = of_rows(seen), of_rows(new)
    error = np.hypot(first.error, second.error)
    nan, rows = np.float64(np.nan), np.int64(len(seen) + len(new))
    gap = np.float64(first.mean - second.mean)
    return Estimate(gap, error, error * error * rows, np.float64(1), nan, np.float64(rows), rows)


def kl_divergence(probabilities: ArrayLike, model: Machine) -> float:
    """Σ_v P(v) ln [P(v)/p(v)] in nats, by enumeration; ≥ 0.

    probabilities: P of every visible configuration in the order of `model.visible_layer.states()`, sum 1.

    Raises InputError for P of another length, negative, or not of sum 1, and machines too large to enumerate.

    >>> rbm = RBM.from_parameters(jnp.zeros(1), jnp.zeros(1), jnp.zeros((1, 1)), units="binary")
    >>> round(kl_divergence([1, 0], rbm), 4)                                     # ln 2
    0.6931
    """
    model = as_model(model)
    p = np.asarray(probabilities, np.float64)
    states = layered(model).layers[0].states()
    if p.shape != (len(states),):
        raise fail("probabilities", f"{len(states)} numbers, one per configuration", f"shape {p.shape}")
    if not ((p >= 0).all() and abs(p.sum() - 1) < 1e-6):
        raise fail("probabilities", "numbers >= 0 of sum 1", f"minimum {p.min():g} and sum {p.sum():g}")
    p = p / p.sum()
    seen = p > 0
    q = exact_probabilities(model)[seen]
    with np.errstate(divide="ignore"):
        return float(max(0.0, (p[seen] * (np.log(p[seen]) - np.log(q))).sum()))


def reconstruction_error(model: RBM, data: ArrayLike, *, key: Array) -> Estimate:
    """Mean squared error a column of E[v | h] for one draw h ~ p(h | v) of every row: a sign of life while
    training, not a likelihood. Of a run of standardised columns, in units of their widths."""
    model, scaling = taken(model)
    data = scaling.inside(data)
    keys = iter(jax.random.split(key, 1 + len(host_array(data)) // _ROWS))
    return of_rows(by_rows(lambda rows: _reconstruction(model, rows, next(keys)), model, data))


# ---------------------------------------------------------------------------------------------- row by row


@jax.jit
def _free_energies(model: RBM, rows: Float[Array, "B N"]) -> Float[Array, "B"]:
    return model.free_energy(rows)


@jax.jit
def _reconstruction(model: RBM, rows: Float[Array, "B N"], key: Array) -> Float[Array, "B"]:
    back = model.visible_given_hidden(model.sample_hidden(rows, key=key))
    return ((back - rows) ** 2).mean(-1)


def _chunks(model: Machine, data: ArrayLike) -> Iterator[tuple[np.ndarray, int]]:
    """(rows, how many of them count): all of _ROWS rows, the last ones repeated, so that nothing is compiled
    twice."""
    array = host_array(data)
    layer = layered(model).layers[0]
    size = min(_ROWS, len(array))
    for begin in range(0, len(array), size):
        rows = np.asarray(array[begin : begin + size])
        layer.check(rows, "data")
        count = len(rows)
        if count < size:
            rows = np.concatenate([rows, np.repeat(rows[-1:], size - count, axis=0)])
        yield rows, count


def by_rows(function: Callable[[Array], Array], model: Machine, data: ArrayLike) -> np.ndarray:
    """`function` of all rows, (rows,) float64."""
    dtype = layered(model).dtype
    parts = [np.asarray(function(jnp.asarray(rows, dtype)))[:count] for rows, count in _chunks(model, data)]
    return np.concatenate(parts).astype(np.float64)


def of_rows(values: np.ndarray, further_error: float = 0.0) -> Estimate:
    """The estimate of independent rows."""
    rows = len(values)
    variance = np.float64(values.var(ddof=1)) if rows > 1 else np.float64(np.nan)
    error = np.sqrt(variance / rows + further_error**2)
    nan = np.float64(np.nan)
    return Estimate(
        np.float64(values.mean()), error, variance, np.float64(1), nan, np.float64(rows), np.int64(rows)
    )
