r"""The whole variance of H in a sampled state, that of configurations without amplitude included.

Samples of |ψ|² never meet a configuration with next to no amplitude, and their variance ⟨|E_loc − E|²⟩ lacks
what H ψ has there: a state that has died out on a part of the configurations looks like an eigenstate. The
whole is a mean over |ψ|² as well, in which each sample s speaks for all configurations s' that H joins to it,

    ⟨(H − E)²⟩ = ⟨ f(s) ⟩,    f(s) = Re Σ_{s'} (H − E)_{ss'} φ(s')/ψ(s),    φ = (H − E) ψ,

with φ(s') = ψ(s') (E_loc(s') − E). The second moment of f is at most ⟨(H − E)⁴⟩, so that few samples tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._caveats import caveat
from intertwine.quantum.operators.traceless import traceless
from intertwine.quantum.vmc.at_rest import LARGEST_SCORE
from intertwine.quantum.vmc.energy import v_score
from intertwine.quantum.vmc.local_energy import local_values, log_amplitudes
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.sampling.sharding import on_host
from intertwine.sampling.statistics.estimate import Estimate

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

LEAST_SCORE, FACTOR = 0.01, 10.0
"""A whole V-score is told above 0.01 and 10 times the sampled one, and above `LARGEST_SCORE`, by 3 errors."""
ERRORS = 3.0
MOST, FEWEST = 64, 16
"""Samples that are asked: as many as keep the work below that of the sampled energy, within these."""
_NUMBERS = 1 << 24
"""Spins of connected configurations that are held at once."""


class Variance(NamedTuple):
    """mean: ⟨(H − E)²⟩. error: one standard deviation, 0 where all configurations were summed."""

    mean: float
    error: float


def full_variance(
    operator: AnyOperator,
    model: LogAmplitude,
    configurations: Array,
    energy: float,
    weights: Array | None = None,
    *,
    most: int = MOST,
    batch: int = 1024,
) -> Variance:
    """⟨(H − E)²⟩ in the state `model`, E = `energy`, over all configurations that H reaches.

    operator: Hermitian, P H P of the space that was sampled. configurations: (S, N) spins ±1 drawn from
    |ψ|², or all of them with `weights` (S,), their shares. most: of them that are taken, evenly spaced (by
    weight, where there are more than `most` that have one). batch: configurations that are evaluated at once.

    >>> import intertwine as it, jax.numpy as jnp
    >>> H = it.Operator.from_strings(1, [(3.0, {0: "X"}), (1.0, {0: "Z"})])
    >>> up = it.FunctionAmplitude(lambda p, s: jnp.where(s[0] > 0, p, -jnp.inf), 0.0, size=1)
    >>> full_variance(H, up, jnp.ones((8, 1), jnp.int8), 1.0).mean
    9.0
    """
    operator, constant = traceless(operator)
    energy -= float(np.real(constant))
    spins = on_host(configurations).astype(np.int8).reshape(-1, operator.size)
    chosen, shares = _chosen(len(spins), None if weights is None else on_host(weights).reshape(-1), most)
    values = np.concatenate(list(_values(operator, model, spins[chosen], energy, batch)))
    if shares is not None:
        return Variance(float(shares @ values), 0.0)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return Variance(float(values.mean()), float(error))


def not_met(
    operator: AnyOperator,
    model: LogAmplitude,
    configurations: Array,
    weights: Array,
    energy: Estimate,
    *,
    batch: int = 1024,
) -> tuple[str, ...]:
    """The caveat of a state whose V-score is large only with the configurations that were not sampled."""
    sampled = v_score(operator, energy)
    if not (sampled <= LARGEST_SCORE and np.isfinite(energy.variance)):
        return ()
    samples = np.size(configurations) // operator.size
    most = min(MOST, max(FEWEST, samples // (operator.n_connected + 1)))
    found = full_variance(
        operator, model, configurations, float(np.real(energy.mean)), weights, most=most, batch=batch
    )
    whole, least = (
        v_score(operator, energy._replace(variance=value))
        for value in (found.mean, found.mean - ERRORS * found.error)
    )
    if not least > min(LARGEST_SCORE, max(LEAST_SCORE, FACTOR * sampled)):
        return ()
    words = (
        f"the V-score is {whole:.2g}, not {sampled:.2g}, with the configurations that the Hamiltonian "
        "reaches and the samples do not: the amplitudes there have died out, and the state is near no "
        "eigenstate"
    )
    return (caveat("not-converged", f"{words}; take another key (--seed), more samples, or another model"),)


def _chosen(count: int, weights: np.ndarray | None, most: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The rows that are taken, and their shares where they are all that have weight."""
    places = (np.arange(most) + 0.5) / most
    if weights is None:
        return (places * count).astype(int) if count > most else np.arange(count), None
    there = np.flatnonzero(weights > 0)
    shares = weights[there] / np.sum(weights[there])
    if len(there) <= most:
        return there, shares
    upto = np.searchsorted(np.cumsum(shares), places)
    return there[np.minimum(upto, len(there) - 1)], None


def _values(
    operator: AnyOperator, model: LogAmplitude, spins: np.ndarray, energy: float, batch: int
) -> Iterator[np.ndarray]:
    """f of each configuration, group by group."""
    width = operator.n_connected + 1
    group = max(1, min(len(spins), _NUMBERS // (width * operator.size)))
    own = _padded(lambda rows: log_amplitudes(model, rows), spins, batch)
    for start in range(0, len(spins), group):
        here = spins[start : start + group]
        joined, elements, sample = _connected(operator, here, energy, group)
        shares = _residuals(operator, model, joined, own[start : start + group][sample], energy, batch)
        yield np.bincount(sample, np.real(elements * shares), len(here))


def _residuals(
    operator: AnyOperator, model: LogAmplitude, rows: np.ndarray, own: np.ndarray, energy: float, batch: int
) -> np.ndarray:
    """φ(s')/ψ(s) of each row s', `own` the log ψ(s) of the sample that it is joined to."""
    with np.errstate(over="ignore", invalid="ignore"):
        ratios = np.exp(_padded(lambda s: log_amplitudes(model, s), rows, batch) - own)
        local = _padded(lambda s: local_values(operator, model, s), rows, batch)
        found = ratios * (local - energy)
    lost = np.flatnonzero(~np.isfinite(local) | ~np.isfinite(found))  # as ψ(s') is 0, or nearly
    step = max(1, batch // (operator.n_connected + 1))
    for part in np.split(lost, np.arange(step, len(lost), step)):
        if len(part):
            joined, elements, row = _connected(operator, rows[part], energy, step)
            logs = _padded(lambda s: log_amplitudes(model, s), joined, batch)
            terms = elements * np.exp(logs - own[part][row])
            sums = np.bincount(row, np.real(terms), len(part)) + 0j
            found[part] = sums + 1j * np.bincount(row, np.imag(terms), len(part))
    return found


def _connected(
    operator: AnyOperator, spins: np.ndarray, energy: float, padded: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The configurations that H − E joins to `spins`, their elements, and to which of `spins` each belongs;
    `padded`: rows of the compiled shape."""
    rows = np.pad(spins, ((0, padded - len(spins)), (0, 0)), mode="edge")
    joined, elements = (on_host(x)[: len(spins)] for x in _all_connected(operator, rows))
    elements = elements.astype(complex)
    elements[:, 0] -= energy
    sample, which = np.nonzero(elements)
    return joined[sample, which], elements[sample, which], sample


@jax.jit
def _all_connected(operator: AnyOperator, spins: Array) -> tuple[Array, Array]:
    return jax.vmap(operator.connected)(spins)


def _padded(work: Callable[[Array], Array], rows: np.ndarray, batch: int) -> np.ndarray:
    """`work` on parts of `batch` rows each, the last one filled up: one shape to compile. complex128."""
    found = np.empty(len(rows), complex)
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        filled = np.pad(part, ((0, batch - len(part)), (0, 0)), mode="edge")
        found[start : start + batch] = on_host(work(jnp.asarray(filled)))[: len(part)]
    return found
