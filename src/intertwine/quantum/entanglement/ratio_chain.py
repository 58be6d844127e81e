r"""Rényi-2 entropies of large regions by ratios: a growing region, each step a ratio of two purities.

    P(A_K) = P(A_1) Π_{k>1} P(A_k)/P(A_{k−1}),      ∅ ⊂ A_1 ⊂ … ⊂ A_K = A

P(A) falls exponentially with the boundary, and a swap of the whole region hardly ever finds an amplitude. A
ratio is of order one: with Z_k(s, t) = ψ*(s) ψ*(t) ψ(s_k) ψ(t_k), (s_k, t_k) being (s, t) with A_k swapped,

    P(A_k)/P(A_{k−1}) = ⟨Z_k/W⟩ / ⟨Z_{k−1}/W⟩      over pairs (s, t) drawn from W = |Z_{k−1}| + |Z_k|

(after Hastings, González, Kallin & Melko, PRL 104, 157201 (2010), who draw from |Z_{k−1}|). W is above both,
so that no term exceeds 1; and it has the pairs of both, which differ where Σ s is fixed: Z_k needs equal
magnetizations of A_k in s and t. The first step is the swap estimator over all pairs; the others sample two
replicas at once, as one configuration of 2N spins. In a state of one magnetization the moves exchange two
spins of one replica, or the same two in both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Complex, Float, Int, PyTree, Shaped

from intertwine._caveats import caveat
from intertwine._checks import fail, positive_int
from intertwine.models.protocols import Kind
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.entanglement.sampled_entropy import SampledEntropy
from intertwine.quantum.entanglement.swap_estimator import RELATIVE_ERROR, swapped_entropy
from intertwine.quantum.vmc.energy import qualified
from intertwine.sampling.metropolis.metropolis import ChainState, Metropolis
from intertwine.sampling.metropolis.rules import (
    GlobalFlip,
    Magnetization,
    Mixture,
    MoveTable,
    Rule,
    SingleFlip,
)
from intertwine.sampling.sharding import on_host
from intertwine.sampling.statistics.estimate import Estimate, estimate
from intertwine.sampling.thermalise import thermalise

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler

SMALLEST_SIGN = 0.1
"""Average sign below which a ratio is called untrusted."""
_LEAST_CHAINS = 16


class TwoReplicas(eqx.Module):
    """½ ln W of a configuration (s, t) of 2N spins, for swaps of the sites `old` and `new`; configurations of
    another Σ s than `kept` have no amplitude."""

    model: Any
    old: Bool[Array, "N"]
    new: Bool[Array, "N"]
    kept: Int[Array, ""] | None

    @property
    def size(self) -> int:
        return 2 * self.old.shape[0]

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "2N"]) -> Float[Array, ""]:
        before, after = self.terms(s)
        return 0.5 * jnp.logaddexp(jnp.real(before), jnp.real(after))

    def terms(self, pair: Shaped[Array, "2N"]) -> tuple[Complex[Array, ""], Complex[Array, ""]]:
        """ln Z of the old and of the new swap."""
        s, t = jnp.split(pair, 2)
        six = jnp.stack([s, t, *(jnp.where(a, *x) for a in (self.old, self.new) for x in ((t, s), (s, t)))])
        logs = jax.vmap(self.model)(six) + 0j
        if self.kept is not None:
            inside = six.sum(axis=1, dtype=jnp.int32) == self.kept
            logs = jnp.where(inside, logs, -jnp.inf + 0j)
        own = jnp.conj(logs[0] + logs[1])
        return own + logs[2] + logs[3], own + logs[4] + logs[5]


class _InBoth(Rule):
    """Exchanges that keep the magnetization of two replicas of `size` spins: two spins of one of them, or the
    same two of both."""

    def __init__(self, size: int):
        self.size = size

    @property
    def magnetization(self) -> Magnetization:
        return "free"  # of the 2N spins together: what leaves the space has no amplitude

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        pairs = np.stack(np.triu_indices(self.size, 1), axis=1)
        other = pairs + self.size
        return (
            (_moves(np.concatenate([pairs, other]), exchange=True), 0.5),
            (_moves(np.concatenate([pairs, other], axis=1), exchange=False), 0.5),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InBoth) and self.size == other.size

    def __hash__(self) -> int:
        return hash(("InBoth", self.size))


def _moves(sites: np.ndarray, *, exchange: bool) -> MoveTable:
    count = len(sites)
    return MoveTable(sites.astype(np.int32), np.full(count, 1 / count), np.full(count, exchange))


def ratio_steps(
    model: PyTree,
    region: tuple[int, ...],
    samples: int,
    steps: int,
    *,
    key: Array,
    sampler: Sampler | None = None,
) -> SampledEntropy:
    """S₂ of `region` in `steps` steps of about equal size, in its own order; `samples` pairs for each."""
    steps = min(positive_int("steps", steps, "give the number of ratios, for example 4"), len(region))
    keys = jax.random.split(key, steps + 1)
    drawn = draw(model, samples, keys[0], sampler)
    if drawn.model is None:
        raise fail("steps", "None for a vector of amplitudes", steps, "its entropy is known exactly")
    kept = drawn.magnetizations
    if drawn.hilbert is not None:
        got = repr(drawn.hilbert)
        raise fail("steps", "None for a state in a Hilbert space", got, "take more samples")
    if kept is not None and len(kept) > 1:
        raise fail("steps", "a state of one magnetization, or of all", f"Σ s in {kept}", "leave out steps")
    cuts = [region[: len(region) * (k + 1) // steps] for k in range(steps)]
    first = swapped_entropy(drawn, cuts[0])
    logs, errors2 = [first.mean], [first.error**2]
    notes, pairs, found = list(first.warnings), first.pairs, [first.purity]
    for k in range(1, steps):
        ratio, sign = _ratio(drawn, cuts[k - 1], cuts[k], samples, keys[k + 1])
        value, error = float(ratio.mean), float(ratio.error)
        notes += ratio.notes
        if not value > 0 or error > RELATIVE_ERROR * value:
            words = f"the ratio of purities of step {k + 1} is {value:.2g} ± {error:.1g}"
            notes.append(caveat("untrusted", f"{words}; take more samples or more steps"))
        if sign < SMALLEST_SIGN:
            words = f"the average sign of step {k + 1} is {sign:.2g}: the amplitudes' phases cancel"
            notes.append(caveat("untrusted", f"{words}; the error may be too small"))
        logs.append(-np.log(value) if value > 0 else np.nan)
        errors2.append((error / value) ** 2 if value > 0 else np.nan)
        found.append(ratio)
        pairs += int(ratio.samples)
    mean, error = float(np.sum(logs)), float(np.sqrt(np.sum(errors2)))
    total = _joined(found, mean, error)
    purity = total._replace(mean=np.exp(-mean), error=np.exp(-mean) * error)
    bias = float(np.sum(errors2)) / 2
    return SampledEntropy(total.noted(notes), purity, 2.0, region, bias, pairs)


def _joined(parts: list[Estimate], mean: float, error: float) -> Estimate:
    """The diagnostics of the worst of several estimates."""

    def worst(name: str, choose: Callable[[list[float]], float]) -> Any:
        values = [float(getattr(part, name)) for part in parts]
        return np.float64(choose([v for v in values if np.isfinite(v)] or [np.nan]))

    samples = np.int64(sum(int(part.samples) for part in parts))
    variance = np.float64(error**2 * float(samples))
    return Estimate(
        np.float64(mean),
        np.float64(error),
        variance,
        worst("tau", max),
        worst("r_hat", max),
        worst("ess", min),
        samples,
    )


def _ratio(
    drawn: Drawn, before: tuple[int, ...], after: tuple[int, ...], samples: int, key: Array
) -> tuple[Estimate, float]:
    """P(after)/P(before) and the average sign of the denominator."""
    N, kept = drawn.size, drawn.magnetizations
    rule: Rule = Mixture([(SingleFlip(), 0.9), (GlobalFlip(), 0.1)]) if kept is None else _InBoth(N)
    old, new = (jnp.asarray(np.isin(np.arange(N), part)) for part in (before, after))
    total = None if kept is None else jnp.asarray(kept[0], jnp.int32)
    pair = TwoReplicas(drawn.model, old, new, total)
    rows = drawn.configurations
    chains = max(len(rows), _LEAST_CHAINS)
    starts = rows.reshape(-1, N)[np.linspace(0, rows.shape[0] * rows.shape[1] - 1, chains).astype(int)]
    state = ChainState(jnp.asarray(np.concatenate([starts, starts], axis=1)))
    walkers = Metropolis(rule, chains=chains, backend="jax")
    warm, run = jax.random.split(key)
    state, report = thermalise(walkers, pair, state, key=warm, warn=False)
    configurations, _ = walkers.sample(pair, state, -(-samples // chains), key=run)
    below, above = (on_host(x) for x in _shares(pair, configurations.configurations))
    R, average = above.mean() / below.mean(), below.mean()
    series = np.real((above - R * below) / average) + np.real(R)
    found = qualified(estimate(series), series)
    notes = [] if report.converged else [caveat("not-converged", f"the chains of pairs began {report}")]
    sign = float(abs(above.mean() + average))
    return found._replace(mean=np.float64(np.real(R))).noted([*found.notes, *notes]), sign


@jax.jit
def _shares(pair: TwoReplicas, configurations: Array) -> tuple[Array, Array]:
    """Z_old/W and Z_new/W of pairs (chains, draws, 2N)."""

    def one(configuration: Array) -> tuple[Array, Array]:
        before, after = pair.terms(configuration)
        weight = jnp.logaddexp(jnp.real(before), jnp.real(after))
        return _exp(before - weight), _exp(after - weight)

    flat = configurations.reshape(-1, configurations.shape[-1])
    below, above = jax.lax.map(one, flat, batch_size=min(len(flat), 1024))
    return below.reshape(configurations.shape[:2]), above.reshape(configurations.shape[:2])


def _exp(log: Array) -> Array:
    """e^log, 0 where there is no amplitude."""
    there = jnp.isfinite(jnp.real(log))
    return jnp.where(there, jnp.exp(jnp.where(there, log, 0)), 0)
