r"""Data of several modes, and what they ask of the learning.

Chains of Gibbs sampling follow a machine only while they cross between its modes. What those of data are is
seen before, by two statistics of a mixture of products of columns (`models.product_mixture`) that is fitted
to half of the rows:

    modes       it explains the other half by more than half, and by 20 nats per row, better than independent
                columns do. Chains then jump between its products (`methods.ModeJumps`). Of modes that are
                apart, 10 nats are enough, where learning can begin at them.
    apart       products are joined where some of the other rows lie in both, within `MARGIN` nats. What is
                joined is one cluster; of two and more, no row lies between.

The first does not tell a transition from clusters: at its critical point, an Ising model has two lobes of
magnetisation and every row between. Such modes are learned from anywhere. In a machine that has to find
clusters that are apart, sums of two of them become modes as well, which no row lies near and no chain comes
by, so that their weight is not held down: half of a machine of 16 units and more was seen there. Therefore
learning begins where each cluster has a hidden unit of its own (`at_clusters`).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from intertwine.boltzmann.baseline import independent_columns
from intertwine.boltzmann.beginning import seen
from intertwine.learning.batches import Batches
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.product_mixture import ProductMixture, fitted_mixture
from intertwine.models.machines.unit_layer import UnitLayer

MODES, ROWS = 16, 2000
"""Of the mixture, and rows that it is fitted to and judged by."""
LEAST_NATS, APART_NATS, LEAST_SHARE = 20.0, 10.0, 0.5
MARGIN, BETWEEN = 5.0, 2e-3
"""Nats within which a row lies in two products, and the share of such rows that joins them."""
LEAST_CLUSTER, FLOOR = 0.01, 0.005
"""Share of the rows, at least; how near the ends the means of a cluster may lie."""
MOST_ELSEWHERE = -3.0
"""ln of the weight of all that is no cluster where learning begins, at most."""


class Clusters(NamedTuple):
    """mixture: of the modes. apart: one product for each cluster, where there are two and more with no row
    between; else None. far: whether they are modes also for a machine that cannot begin at them."""

    mixture: ProductMixture
    apart: ProductMixture | None
    far: bool


def clusters(layer: UnitLayer, batches: Batches) -> Clusters | None:
    """The modes of the data, or None where there is one, or data are continuous, or have missing entries.

    >>> rng = np.random.default_rng(0)
    >>> rows = rng.integers(0, 2, (3, 100))[rng.integers(0, 3, 400)] ^ (rng.random((400, 100)) < 0.03)
    >>> clusters(UnitLayer.of("binary", 100), Batches(rows.astype(np.uint8), 100)).apart.count
    3
    """
    if not layer.is_discrete or batches.missing or batches.rows < 8 * MODES:
        return None
    rows = seen(batches, ROWS)[0]
    if batches.binarise:
        rows = (rows > np.random.default_rng(0).random(rows.shape)).astype(np.float64)
    half = len(rows) // 2
    order = np.random.default_rng(1).permutation(len(rows))
    train, test = rows[order[:half]], rows[order[half:]]
    mixture = fitted_mixture(layer, train, MODES)
    together = float(np.asarray(mixture.log_probability(jnp.asarray(test, jnp.float32))).mean())
    alone = float(independent_columns(layer, test, train).mean())
    gain = together - alone
    if gain < max(APART_NATS, -LEAST_SHARE * alone):
        return None
    apart, far = _apart(mixture, rows, test), gain >= LEAST_NATS
    return Clusters(fitted_mixture(layer, rows, MODES), apart, far) if far or apart is not None else None


def _apart(mixture: ProductMixture, rows: np.ndarray, between: np.ndarray) -> ProductMixture | None:
    """The products of `mixture` joined where rows of `between` lie in two of them."""
    log_p = np.asarray(mixture.log_joint(jnp.asarray(between, jnp.float32)), np.float64)
    near = (log_p > log_p.max(1, keepdims=True) - MARGIN).astype(float)
    joined = near.T @ near >= max(1.0, BETWEEN * len(between))
    first = np.arange(mixture.count)
    for _ in first:
        first = np.array([min(first[k], first[to].min(initial=first[k])) for k, to in enumerate(joined)])
    label = first[np.asarray(mixture.log_joint(jnp.asarray(rows, jnp.float32))).argmax(1)]
    parts = [rows[label == k] for k in np.unique(label)]
    parts = [part for part in parts if len(part) >= LEAST_CLUSTER * len(rows)]
    if len(parts) < 2:
        return None
    mean, count = rows.mean(0), np.array([len(part) for part in parts])
    means = [(part.sum(0) + mean) / (len(part) + 1) for part in parts]
    fields = np.stack([base_rate(mixture.layer, m, floor=FLOOR) for m in means])
    shares = jnp.asarray(np.log(count / count.sum()), jnp.float32)
    return ProductMixture(jnp.asarray(fields, jnp.float32), shares, mixture.layer)


def at_clusters(model: PyTree, apart: ProductMixture) -> Any:
    r"""`model`, an RBM, with biases and weights at which it has the distribution of the mixture `apart`, one
    two-state hidden unit per cluster; None where it cannot have it. The other hidden units stay as they are.

    With fields θ_k, a = ⟨θ⟩, W_k = θ_k − a, b_k = ln π_k + L − A(θ_k), the cluster k weighs e^L π_k, none of
    them e^{A(a)}, two of them e^{2L} π_j π_k e^{A(θ_j + θ_k − a) − A(θ_j) − A(θ_k)}; L is chosen half-way
    between where the one and the other would matter.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> apart = ProductMixture(jnp.array([[3.0] * 20, [-3.0] * 20]), jnp.log(jnp.array([0.25, 0.75])),
    ...     UnitLayer.of("binary", 20))
    >>> rbm = RBM(20, hidden=2, units="binary", hidden_units="binary", scale=0.0, key=jax.random.key(0))
    >>> log_p = -at_clusters(rbm, apart).free_energy(jnp.array([[1.0] * 20, [0.0] * 20]))
    >>> round(float(jnp.exp(log_p[0] - log_p[1])), 3)
    0.333
    """
    layer, hidden, count = model.visible_layer, model.hidden_layer, apart.count
    if not hidden.is_two_state or count > model.hidden:
        return None
    fields, shares = np.asarray(apart.fields, np.float64), np.asarray(apart.log_shares, np.float64)
    middle = fields.mean(0)

    def level(theta: np.ndarray) -> np.ndarray:
        return np.asarray(layer.log_partition(jnp.asarray(theta, jnp.float32)), np.float64)

    sets = [np.zeros((1, count))]
    for size in (2, 3, count):
        chosen = [np.isin(np.arange(count), some) for some in combinations(range(count), size)]
        sets.append(np.asarray(chosen, float).reshape(-1, count))
    none, pairs, *more = sets
    alone = level(fields)
    low, high = level(middle[None])[0], -level(middle + pairs @ (fields - middle)) + pairs @ alone
    lift = 0.5 * (low + float(high.min()))
    biases = shares + lift - alone
    others = np.concatenate([none, pairs, *more] if count > 2 else [none, pairs])
    weight = others @ biases + level(middle + others @ (fields - middle)) - lift
    if np.logaddexp.reduce(weight) > MOST_ELSEWHERE:
        return None
    own = (fields - middle).T
    if hidden.spec == "spin":
        middle, own, biases = middle + 0.5 * own.sum(1), 0.5 * own, 0.5 * biases
    b, w = np.array(model.hidden_bias), np.array(model.weights)
    b[:count], w[:, :count] = biases, own
    parts = tuple(jnp.asarray(x, model.weights.dtype) for x in (middle, b, w))
    return eqx.tree_at(lambda m: (m.visible_bias, m.hidden_bias, m.weights), model, parts)
