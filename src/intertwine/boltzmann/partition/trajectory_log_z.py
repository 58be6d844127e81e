r"""ln Z along a training, from the chains that training keeps anyway.

From one model λ_t of the trajectory to the next, chains v_i of p_t say (Krause, Fischer & Igel 2020; Béreux,
Decelle, Furtlehner & Seoane 2025)

    Z_{t+1}/Z_t = ⟨Ψ_{t+1}(v)/Ψ_t(v)⟩_{p_t},     ln w_i ← ln w_i + ln Ψ_{t+1}(v_i) − ln Ψ_t(v_i),

and then the chains move by λ_{t+1}: annealed importance sampling whose path is the training. When the weights
are worth fewer than half the chains, their mean goes into ln Z and the chains are resampled by their weights,
which also keeps persistent chains with the model. With PCD the fields that this needs are those of its own
Gibbs step. Error bars count chains as independent from one resampling to the next; they are not quite, so the
estimate drifts slowly, and AIS now and then sets it right (`reset`).

    log Z known ─► init ─► [advance with the chains, before they move] per update ─► estimate per epoch
                                    └── rows: which chains go on              reset ◄── AIS
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, PyTree

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.partition.annealing import effective_size
from intertwine.boltzmann.partition.bracket import log_mean_exp
from intertwine.boltzmann.partition.log_partition import LogPartition
from intertwine.models.machines.layered import layered


class TrajectoryState(NamedTuple):
    """A pytree of arrays, fit for a checkpoint and for a compiled loop.

    log_z, rest: ln Z at the last resampling, in two pieces. variance: of it. log_weights (C,): since then.
    resamplings: how many, int32.
    """

    log_z: Float[Array, ""]
    rest: Float[Array, ""]
    variance: Float[Array, ""]
    log_weights: Float[Array, "C"]
    resamplings: Int[Array, ""]


@dataclass(frozen=True)
class TrajectoryLogZ:
    """ln Z carried along; hashable, with pure functions that JAX can compile.

    threshold: chains are resampled when their weights are worth less than this share of them.

    >>> from intertwine.models.machines.rbm import RBM
    >>> kinds = {"units": "binary", "hidden_units": "binary"}
    >>> rbm = RBM.from_parameters(jnp.zeros(3), jnp.zeros(2), jnp.zeros((3, 2)), **kinds)
    >>> live = TrajectoryLogZ()
    >>> state = live.init(5 * np.log(2), chains=100)
    >>> later = RBM.from_parameters(jnp.zeros(3), jnp.ones(2), jnp.zeros((3, 2)), **kinds)
    >>> v = jnp.zeros((100, 3))
    >>> state, rows = live.update(state, rbm, later, v, key=jax.random.key(0))
    >>> print(f"{live.estimate(state).mean:.3f}")                        # 3 ln 2 + 2 ln(1 + e)
    4.706
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise fail("threshold", "a share of the chains, 0 to 1", self.threshold)

    def init(self, log_z: LogPartition | float, chains: int, dtype: DTypeLike = float) -> TrajectoryState:
        """The state at a model whose ln Z is known; `chains` are samples of that model."""
        value = float(log_z)  # type: ignore[arg-type]
        if not np.isfinite(value):
            raise fail("log_z", "a finite number of nats, or a LogPartition", value)
        error = log_z.error if isinstance(log_z, LogPartition) else 0.0
        high = jnp.asarray(value, dtype)
        return TrajectoryState(
            high,
            jnp.asarray(value - float(high), dtype),
            jnp.asarray(error**2, dtype),
            jnp.zeros(positive_int("chains", chains), dtype),
            jnp.zeros((), jnp.int32),
        )

    def advance(
        self, state: TrajectoryState, change: Float[Array, "C"], *, key: Array
    ) -> tuple[TrajectoryState, Int[Array, "C"]]:
        """The state at the next model, and which chains go on.

        change: ln Ψ_{t+1}(v_i) − ln Ψ_t(v_i) of the chains (samples of p_t) before they move by the next
        model. Keep the chains `chains[rows]`; rows is 0, 1, …, C − 1 unless they are resampled.
        """
        weights = state.log_weights + change
        count = weights.shape[0]
        p = jax.nn.softmax(weights)
        share = 1 / (count * (p * p).sum())
        poor = share < self.threshold
        places = (jnp.arange(count) + jax.random.uniform(key, (), weights.dtype)) / count
        drawn = jnp.minimum(jnp.searchsorted(jnp.cumsum(p), places), count - 1)
        rows = jnp.where(poor, drawn, jnp.arange(count)).astype(jnp.int32)
        gain = jnp.where(poor, jax.nn.logsumexp(weights) - jnp.log(count), 0)
        total = state.log_z + gain
        back = total - state.log_z
        lost = (state.log_z - (total - back)) + (gain - back)
        variance = state.variance + jnp.where(poor, (1 / share - 1) / count, 0)
        return (
            TrajectoryState(
                total,
                state.rest + lost,
                variance.astype(state.variance.dtype),
                jnp.where(poor, 0, weights),
                state.resamplings + poor.astype(jnp.int32),
            ),
            rows,
        )

    def update(
        self,
        state: TrajectoryState,
        before: PyTree,
        after: PyTree,
        chains: Float[Array, "C N"],
        *,
        key: Array,
    ) -> tuple[TrajectoryState, Int[Array, "C"]]:
        """`advance` for two models, RBMs or machines of layers, and visible samples of `before`.

        For machines of more than two layers, `chains` are the even layers, a tuple of (C, n).
        """
        values = chains if isinstance(chains, tuple) else (chains,)
        change = layered(after).log_weight(values) - layered(before).log_weight(values)
        return self.advance(state, change, key=key)

    def estimate(self, state: TrajectoryState) -> LogPartition:
        """ln Z at the model of now, without bounds."""
        weights = np.asarray(state.log_weights, np.float64)
        mean = float(state.log_z) + float(state.rest) + float(log_mean_exp(weights))
        ess, count = effective_size(weights), len(weights)
        error = float(np.sqrt(float(state.variance) + (count / ess - 1) / count))
        infinite = float("inf")
        method = f"along the trajectory, {count} chains"
        reason = "" if np.isfinite(mean) else "training has diverged"
        return LogPartition(mean, error, ess, -infinite, infinite, not reason, method, reason, weights)

    def reset(self, state: TrajectoryState, log_z: LogPartition | float) -> TrajectoryState:
        """The state with ln Z of the model of now as AIS found it."""
        fresh = self.init(log_z, len(state.log_weights), state.log_weights.dtype)
        return fresh._replace(resamplings=state.resamplings)
