"""All configurations of a small spin model with their exact probabilities: the truth of samplers and RG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int8

from intertwine._checks import fail
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem

_MOST_STATES = 2**22
_BATCH = 2**14


class Enumerated(NamedTuple):
    """configurations: int8 (n, N), the first site varying slowest, spins +1 before −1. probabilities: float64
    (n,). log_z: ln Z in nats."""

    configurations: Int8[np.ndarray, "n N"]
    probabilities: Float[np.ndarray, " n"]
    log_z: float


def enumerate_distribution(model: Ising | Potts | Clock) -> Enumerated:
    """The exact distribution of an `Ising`, `Potts` or `Clock` model of up to 2²² configurations.

    Raises InputError for larger ones, and what has no lattice.

    >>> from intertwine.spaces.lattices import Chain
    >>> p = enumerate_distribution(Ising(Chain(4), K=0.5))
    >>> ring = 4 * math.log(2 * math.cosh(0.5)) + math.log(1 + math.tanh(0.5) ** 4)
    >>> p.configurations.shape, abs(p.log_z - ring) < 1e-12
    ((16, 4), True)
    """
    model = as_model(model)
    if not isinstance(model, Ising | Potts | Clock):
        raise fail("model", "an Ising, Potts or Clock model", type(model).__name__)
    states, sites = 2 if isinstance(model, Ising) else model.states, model.size
    if sites * math.log(states) > math.log(_MOST_STATES) + 1e-9:
        expected = f"at most 2^22 configurations, N ≤ {int(math.log(_MOST_STATES) / math.log(states))}"
        raise fail("model", expected, f"{states}^{sites}", "sample larger systems")
    numbers = np.arange(states**sites, dtype=np.int64)
    digits = np.empty((len(numbers), sites), np.int8)
    for i in range(sites):
        digits[:, i] = numbers // states ** (sites - 1 - i) % states
    rows = (1 - 2 * digits).astype(np.int8) if isinstance(model, Ising) else digits
    weight = _log_weights(model, rows)
    top = float(weight.max())
    p = np.exp(weight - top)
    total = float(p.sum())
    return Enumerated(rows, p / total, top + math.log(total))


def _log_weights(model: SpinSystem, rows: np.ndarray) -> np.ndarray:
    """ln Ψ of all rows, float64, in batches of one shape."""
    found = [
        np.asarray(_batch(model, jnp.asarray(rows[k : k + _BATCH]))) for k in range(0, len(rows), _BATCH)
    ]
    return np.concatenate(found).astype(np.float64)


@jax.jit
def _batch(model: SpinSystem, rows: Array) -> Any:
    return jax.vmap(model)(rows)
