r"""Learning by optimal transport: `Wasserstein`, the debiased Sinkhorn divergence from model to data.

    L = S_ε(p, data)/ε + kl · KL(data ‖ p),        S_ε(p, q) = OT_ε(p, q) − ½ OT_ε(p, p) − ½ OT_ε(q, q)

The first variation of S_ε with respect to p is φ(v) = f_pq(v) − f_pp(v), a difference of potentials
(`geometry.transport.sinkhorn`), and p moves with λ as dp = p (O − ⟨O⟩)·dλ, O = ∂ ln Ψ/∂λ, so that

    ∂S_ε/∂λ = Cov_p(O, φ)

(Montavon, Müller & Cuturi, NeurIPS 2016): the gradient is that of the likelihood with samples of the model
weighed by φ in place of the data. For hidden units O may be that of a draw, or its mean given v, since φ
knows only v. Samples of the model come from persistent chains. With n of them, and in many dimensions, OT_ε
of the samples with themselves is nearly 0, each at its own place, and takes nothing off: a machine would
shrink to the middle of the data. So samples and batch are taken in halves x, x' and y, y',

    ½ OT_ε(x, y) + ½ OT_ε(x', y') − ½ OT_ε(x, x') − ½ OT_ε(y, y'),      φ = f_xy − f_xx' on x,

whose mean is least at p = q for any number of samples (the energy distance of batches: Salimans, Zhang,
Radford & Metaxas, ICLR 2018). `exact` sums over all visible configurations instead, S_ε itself.

Carrying p to the data costs as much as they are apart, so a model pays for what it makes far from all data,
which the likelihood hardly sees; what it does not make at all, it pays for by the distance only, and that is
what `kl` is for. Divided by ε potentials are logarithms of densities, in nats, and learning takes the rates
that the likelihood takes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._checks import fail, positive_int, positive_number
from intertwine.boltzmann.beginning import seen
from intertwine.boltzmann.defaults import CHAINS, STEPS
from intertwine.boltzmann.objectives.methods import PCD, Moments, Samples
from intertwine.geometry.transport.costs import (
    Metric,
    checked_metric,
    checked_order,
    hamming_scale,
    layer_cost,
    suited_metric,
)
from intertwine.geometry.transport.entropic import divergence_of
from intertwine.geometry.transport.sinkhorn import (
    Potentials,
    entropic_value,
    own_potential,
    potentials,
    smallest_epsilon,
    tolerance_of,
)
from intertwine.models.machines.unit_layer import UnitLayer

if TYPE_CHECKING:
    from intertwine.learning.batches import Batches
    from intertwine.models.machines.rbm import RBM

MOST_EXACT = 2**12
"""Visible configurations that `exact` sums over, at most."""
SAMPLED_TOLERANCE = 1e-3
"""Error of the marginals in an update with chains, whose own noise is far above it."""
SHARE = 0.1
"""ε in units of the mean cost between two rows of the data, where nothing is said."""
_ROWS = 500
"""Rows of the data that this mean is taken over."""


@dataclass(frozen=True)
class Wasserstein:
    """A method of learning (`methods`): the divergence of optimal transport in place of the likelihood.

    epsilon: in the unit of the cost; None: a tenth of the mean cost between two rows of the data. metric:
    "hamming", "euclidean" or a function of two configurations; None: hamming of discrete units, euclidean of
    others. order: the cost is the distance, or its square (2). kl: weight of KL(data ‖ p), in nats, beside
    S_ε/ε; 0 for transport alone. unit: what S_ε is divided by instead of ε.
    chains, steps, warm_up: of the persistent chains (`PCD`). turns: of Sinkhorn's iteration, at most, in an
    update. exact: sum over all visible configurations, at most 2^12, in place of chains. tolerance: of the
    marginals; None: 1e-3 with chains, else what the type of the numbers allows.

    The history has `divergence`, S_ε between the chains and the batch last seen, in the unit of the cost; by
    halves, unless exact, so that it may be negative.

    Raises InputError for settings out of range.

    >>> Wasserstein(epsilon=0.5, kl=0.1).metric is None
    True
    """

    epsilon: float | None = None
    metric: Metric | None = None
    order: int = 1
    kl: float = 0.0
    unit: float | None = None
    chains: int = CHAINS
    steps: int = STEPS
    warm_up: int = 0
    turns: int = 500
    exact: bool = False
    tolerance: float | None = None

    def __post_init__(self) -> None:
        for name in ("epsilon", "unit"):
            if getattr(self, name) is not None:
                positive_number(name, getattr(self, name), "in the unit of the cost, or None")
        checked_metric(self.metric)
        checked_order(self.order)
        if isinstance(self.kl, bool) or not 0 <= self.kl < float("inf"):
            raise fail("kl", "a finite weight ≥ 0", self.kl, "0 for transport alone")
        positive_int("turns", self.turns, "500 is usual")
        if self.sampler().chains < 2:
            raise fail(
                "chains",
                "two or more, to take in halves",
                self.chains,
                "about as many as the rows of a batch",
            )

    def sampler(self) -> PCD:
        """The persistent chains."""
        return PCD(self.chains, self.steps, self.warm_up)

    def suited(self, layer: UnitLayer, batches: Batches, dtype: DTypeLike) -> Wasserstein:
        """With metric and ε for these data, where they are not given. layer: of the visible units.
        dtype: of the machine.

        Raises InputError for a metric that the units have not, and an ε that the type of the numbers cannot
        resolve.
        """
        metric = suited_metric(layer) if self.metric is None else self.metric
        if metric == "hamming":
            hamming_scale(layer)
        rows = np.asarray(seen(batches, _ROWS)[0], np.float64)
        if np.isnan(rows).any():
            rows = np.where(np.isnan(rows), np.nanmean(rows, 0), rows)
        if batches.binarise:
            rows = (np.random.default_rng(0).random(rows.shape) < rows).astype(np.float64)
        with jax.enable_x64(True):
            table = np.asarray(layer_cost(layer, metric, self.order, jnp.asarray(rows), jnp.asarray(rows)))
        if not (np.isfinite(table).all() and table.min() >= 0):
            raise fail("metric", "finite distances ≥ 0", f"{table.min()} to {table.max()} between the data")
        mean = float(table.sum() / max(1, len(rows) * (len(rows) - 1))) or 1.0
        epsilon = SHARE * mean if self.epsilon is None else self.epsilon
        least = smallest_epsilon(max(float(table.max()), mean), dtype, self._tolerance(dtype))
        if epsilon < least:
            expected = f"at least {least:.2g} for costs up to {table.max():.4g} in {np.dtype(dtype)}"
            raise fail("epsilon", expected, epsilon, f"{SHARE * mean:.2g} is a tenth of the mean cost")
        return replace(self, metric=metric, epsilon=epsilon)

    def init(self, model: RBM, *, key: Array) -> Any:
        """The chains; nothing where all configurations are summed over."""
        if not self.exact:
            return self.sampler().init(model, key=key)
        if model.visible_layer.state_count > MOST_EXACT:
            got = f"{model.visible_layer.state_count:.3g}"
            raise fail("exact", f"at most {MOST_EXACT} visible configurations", got, "leave it out: chains")
        return ()

    def negative(
        self, model: RBM, state: PyTree, v: Array, *, key: Array
    ) -> tuple[Samples, Any, dict[str, Array]]:
        _, samples, state, scalars = self.paired(model, state, v[:0], key=key)
        return samples, state, scalars

    def paired(
        self, model: RBM, state: PyTree, v: Array, *, key: Array
    ) -> tuple[Array, Samples, Any, dict[str, Array]]:
        """E[h|v] of the data, the model's samples, the chains."""
        if not self.exact:
            return self.sampler().paired(model, state, v, key=key)
        rows = jnp.asarray(model.visible_layer.states(), v.dtype)
        p = jax.nn.softmax(-model.free_energy(rows))
        return model.hidden_given_visible(v), Samples(rows, model.hidden_given_visible(rows), p), state, {}

    def pulled(
        self,
        layer: UnitLayer,
        v: Array,
        weights: Array | None,
        negative: Samples,
        difference: Moments,
        carried: tuple[UnitLayer, Array, Array] | None = None,
    ) -> Moments:
        """What takes the place of the moments of data less model: kl times these, less Cov(O, φ)/ε.

        carried: (layer, rows of the data, rows that the samples became) where the distance is measured on
        other units than those of the machine: below it, in a deep network.
        """
        there, data, model_v = (layer, v, negative.v) if carried is None else carried
        share = self.shares(there, model_v, negative.weights, data, weights)
        columns = None if layer.log_variance is None else layer.gaussian_columns
        pull = Moments(
            share @ negative.v, share @ negative.h, (negative.v * share[:, None]).T @ negative.h,
            None if columns is None else share @ jnp.square(negative.v[:, columns]),
        )  # fmt: skip
        return jax.tree.map(lambda x, y: self.kl * x - y, difference, pull)

    def shares(
        self, layer: UnitLayer, model_v: Array, p: Array | None, data: Array, q: Array | None
    ) -> Array:
        """p_s (φ_s − ⟨φ⟩)/ε of configurations of the model (S,): Σ_s of that times O_s is ∂S_ε/∂λ over ε.
        p: their probabilities; None for samples, of which φ comes from halves (see the head of this file)."""
        q = _probabilities(len(data), q, data.dtype)
        unit = jnp.asarray(self._epsilon if self.unit is None else self.unit, data.dtype)
        if p is None:
            (first, second), own = self._halves(layer, model_v, data, q)
            parts = [first[1].f - own[1].f, second[1].f - own[1].g]
            apart = jnp.concatenate([phi - phi.mean() for phi in parts])
            return jax.lax.stop_gradient(apart) / (max(1, len(apart) - 2) * unit)
        p = p / p.sum()
        phi = self._joint(layer, model_v, p, data, q)[1].f - self._alone(layer, model_v, p)[1].f
        return p * (phi - p @ phi) / unit

    def divergence(
        self, layer: UnitLayer, model_v: Array, p: Array | None, data: Array, q: Array | None
    ) -> Array:
        """S_ε, in the unit of the cost; of samples (p None) from their halves, 0 on average where the laws
        are the same, and then also below 0."""
        q = _probabilities(len(data), q, data.dtype)
        if p is None:
            (x1, x2), (y1, y2) = _two(model_v), _two(data)
            (q1, q2), equal = _two(q), (_equal(x1), _equal(x2))
            pairs = [
                (x1, equal[0], y1, q1),
                (x2, equal[1], y2, q2),
                (x1, equal[0], x2, equal[1]),
                (y1, q1, y2, q2),
            ]
            return sum(  # type: ignore[return-value]
                sign * self._value(layer, a, u / u.sum(), b, v / v.sum())
                for sign, (a, u, b, v) in zip((0.5, 0.5, -0.5, -0.5), pairs, strict=True)
            )
        p = p / p.sum()
        sides = (model_v, p), (data, q)
        joint, *alone = self._joint(layer, *sides[0], *sides[1]), *(self._alone(layer, *x) for x in sides)
        costs, found = zip(joint, *alone, strict=True)
        return divergence_of(costs, (p, q), found, self._epsilon)

    def _halves(self, layer: UnitLayer, x: Array, y: Array, q: Array) -> tuple:
        """Potentials of each half of the samples with a half of the data, and of both halves."""
        (x1, x2), (y1, y2), (q1, q2) = _two(x), _two(y), _two(q)
        p1, p2 = _equal(x1), _equal(x2)
        joint = [
            self._joint(layer, a, u, b, v / v.sum()) for a, u, b, v in ((x1, p1, y1, q1), (x2, p2, y2, q2))
        ]
        return joint, self._joint(layer, x1, p1, x2, p2)

    def _value(self, layer: UnitLayer, x: Array, p: Array, y: Array, q: Array) -> Array:
        cost, found = self._joint(layer, x, p, y, q)
        return entropic_value(cost, p, q, found, self._epsilon)

    def observed(
        self, model: RBM, state: PyTree, v: Array, weights: Array | None, *, key: Array
    ) -> dict[str, Array]:
        """`divergence` between the chains, moved on once, and rows of the data."""
        found, _, _ = self.negative(model, state, v, key=key)
        return {"divergence": self.divergence(model.visible_layer, found.v, found.weights, v, weights)}

    def _joint(self, layer: UnitLayer, x: Array, p: Array, y: Array, q: Array) -> tuple[Array, Potentials]:
        cost = self._cost(layer, x, y)
        log_p, log_q, tolerance = jnp.log(p), jnp.log(q), self._tolerance(cost.dtype)
        return cost, potentials(cost, log_p, log_q, self._epsilon, tolerance=tolerance, most=self.turns)

    def _alone(self, layer: UnitLayer, x: Array, p: Array) -> tuple[Array, Potentials]:
        cost = self._cost(layer, x, x)
        tolerance = self._tolerance(cost.dtype)
        return cost, own_potential(cost, jnp.log(p), self._epsilon, tolerance=tolerance, most=self.turns)

    def _cost(self, layer: UnitLayer, x: Array, y: Array) -> Array:
        metric = suited_metric(layer) if self.metric is None else self.metric
        return layer_cost(layer, metric, self.order, x, y)

    def _tolerance(self, dtype: DTypeLike) -> float:
        if self.tolerance is not None:
            return self.tolerance
        return tolerance_of(dtype) if self.exact else SAMPLED_TOLERANCE

    @property
    def _epsilon(self) -> float:
        if self.epsilon is None:
            raise fail("epsilon", "a number, where no data choose it", None, "give epsilon=…")
        return self.epsilon


def _two(rows: Array) -> tuple[Array, Array]:
    """Both halves; of one row alone that row, twice."""
    middle = len(rows) // 2
    return (rows[:middle], rows[middle:]) if middle else (rows, rows)


def _equal(rows: Array) -> Array:
    return jnp.full(len(rows), 1 / len(rows), rows.dtype)


def _probabilities(count: int, given: Array | None, dtype: DTypeLike) -> Array:
    return jnp.full(count, 1 / count, dtype) if given is None else given / given.sum()
