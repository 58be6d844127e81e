r"""The likelihood of a deep belief network: bounds from its recognition pass.

For h = (h¹, …, hᴸ⁻¹) drawn from q(h|v), every draw has the weight w = p(v, h)/q(h|v), whose mean is p(v):

    E_q[ln w] = ln p(v) − KL(q‖p(h|v)) ≤ ln p(v)                  the variational bound
    E_q[ln (1/K) Σ_k w_k] ≤ ln p(v), rising with K                the importance-weighted bound

(Hinton, Osindero & Teh 2006; Salakhutdinov & Murray, ICML 2008, with E_q[ln p(v, h)] + H(q); Burda, Grosse &
Salakhutdinov, ICLR 2016). Both hold exactly in expectation given ln Z of the RBM on top, which annealed
importance sampling estimates; its error is kept apart. E_q[ln w] is averaged as it stands, not as
E_q[ln p(v, h)] plus the exact entropy: the fluctuations of ln p and ln q cancel, wholly where q is the
posterior, so that a second RBM that starts as the transpose of the first has the first one's likelihood
without noise.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.learning.batches import host_array
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.parameters import check_key
from intertwine.models.results import taken
from intertwine.sampling.statistics.estimate import Estimate, estimate


class LikelihoodBound(NamedTuple):
    """Lower bounds on the mean of ln p(v) over a data set, nats per example.

    bound: of E_q[ln w]. importance: of E_q[ln mean w], at least as high but for noise. Their errors are one
        standard deviation over the examples and the draws, with the error of ln Z.
    draws_error: what the draws of q alone add to the error of `bound`, for the data set as it is.
    log_z_error: what ln Z adds.
    """

    bound: Estimate
    importance: Estimate
    draws_error: float
    log_z_error: float

    def __str__(self) -> str:
        return f"{self.bound} nats at least; importance-weighted {self.importance} nats at least"


def belief_bound(
    model: DBN, data: ArrayLike, log_z: Estimate | float, *, draws: int = 100, key: Array, block: int = 1000
) -> LikelihoodBound:
    """Lower bounds on the mean log-likelihood of `data` (examples, N) under a deep belief network.

    log_z: ln Z of `model.top`: a number, or what `it.log_partition(model.top)` gives (its error is added).
    draws: of q(h|v) for each example. block: examples at a time.

    Raises InputError for data that the visible units cannot have.

    >>> dbn = DBN((4, 3, 4), key=jax.random.key(0))
    >>> found = belief_bound(dbn, dbn.visible_layer.states(), dbn.log_partition(), key=jax.random.key(1))
    >>> exact = dbn.log_probability(dbn.visible_layer.states()).mean()
    >>> bool(found.bound.mean < exact), bool(abs(found.importance.mean - exact) < 0.01)
    (True, True)
    """
    model, scaling = taken(model)
    rows = host_array(scaling.inside(data))
    model.visible_layer.check(rows)
    draws = positive_int("draws", draws, "give how many draws of q an example has")
    value, log_z_error = _log_z(log_z)
    weights = log_weights(model, rows, draws=draws, key=check_key(key), block=block) - value
    weights = weights - scaling.log_volume
    bound = weights.mean(1)
    top = weights.max(1, keepdims=True)
    importance = np.log(np.exp(weights - top).mean(1)) + top[:, 0]
    spread = weights.var(1, ddof=1) if draws > 1 else np.full(len(rows), np.nan)
    return LikelihoodBound(
        bound=_with_error(estimate(bound[:, None]), log_z_error),
        importance=_with_error(estimate(importance[:, None]), log_z_error),
        draws_error=float(np.sqrt(spread.sum() / draws) / len(rows)),
        log_z_error=log_z_error,
    )


def log_weights(
    model: DBN, data: ArrayLike, *, draws: int, key: Array, block: int = 1000
) -> Float[np.ndarray, "examples draws"]:
    """ln w + ln Z of every example and draw, float64."""
    rows = host_array(data)
    found = np.empty((len(rows), draws))
    for number, begin in enumerate(range(0, len(rows), block)):
        part = np.asarray(rows[begin : begin + block])
        filled = np.concatenate([part, np.repeat(part[-1:], min(block, len(rows)) - len(part), axis=0)])
        values = _log_weights(model, filled, jax.random.fold_in(key, number), draws=draws)
        found[begin : begin + len(part)] = np.asarray(values, np.float64).T[: len(part)]
    return found


@partial(jax.jit, static_argnames="draws")
def _log_weights(model: DBN, v: Array, key: Array, *, draws: int) -> Float[Array, "draws B"]:
    v = jnp.asarray(v).astype(model.top.weights.dtype)

    def one(_: None, number: Array) -> tuple[None, Array]:
        states = model.recognise(v, key=jax.random.fold_in(key, number))
        return None, model.log_joint(states) - model.log_recognition(states)

    return jax.lax.scan(one, None, jnp.arange(draws))[1]


def _log_z(log_z: Any) -> tuple[float, float]:
    value, error = (log_z.mean, log_z.error) if hasattr(log_z, "error") else (log_z, 0.0)
    try:
        value, error = float(value), float(error)
    except (TypeError, ValueError):
        value = error = float("nan")
    if not np.isfinite(value):
        remedy = "give it.log_partition(model.top, key=key)"
        raise fail("log_z", "ln Z of the RBM on top, a finite number or its estimate", log_z, remedy)
    return value, error


def _with_error(found: Estimate, more: float) -> Estimate:
    return found._replace(error=np.sqrt(found.error**2 + more**2))
