r"""One more hidden unit that never lowers the likelihood (Le Roux & Bengio 2008, Theorem 1, step by step).

A new unit with the field θ(v) = λ − a·d(v, v̂), d the number of units in which v differs from v̂, changes the
mean log-likelihood of data with shares P̂ by

    gain = ⟨ln(1 + e^θ)⟩_P̂ − ln(1 + ⟨e^θ⟩_p)   →   P̂ ln(1 + e^λ) − ln(1 + p e^λ)        (a → ∞, P̂ and p at v̂)

whose maximum over λ, at 1 + e^λ = [P̂(1 − p)]/[p(1 − P̂)], is the divergence of two coins, P̂ ln P̂/p +
(1 − P̂) ln (1 − P̂)/(1 − p): positive wherever P̂ > p. v̂ is the configuration where it is largest.

No estimate of Z enters. Where Z can be enumerated p is exact; where not, p ≤ p̄ = Ψ(v̂)/Σ_data Ψ, the sum over
the distinct examples, and P̂ > p̄ somewhere, because both add up to 1 over them. The gain is then a lower
bound, and the likelihood rises by at least that. What is returned is computed from the stored parameters,
leaks of θ on the neighbours of v̂ included: e^θ is e^λ at v̂ and at most e^{λ − a} elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.objectives.exact import exact_log_partition, exact_log_unnormalised, is_enumerable
from intertwine.learning.batches import host_array
from intertwine.models.machines.layered import LayeredMachine
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.results import as_model

_SURE = 1 - 1e-12
"""A share above which v̂ counts as the only example."""
_LEAK = 1e-3
"""Of the gain, what the leak to other configurations may cost at most."""
_MOST_FOR_EXACT = 2**20
_ATTEMPTS = 10
_BUCKET = 4
_ROUNDING = 1e-12
"""A smaller gain is none: sums in float64 err by as much."""


class AddedUnit(NamedTuple):
    """model: with the new unit, its last hidden one. configuration: v̂ (N,). gain: nats per example by which
    the mean log-likelihood rises, exact or at least that much; 0 where P is reached to rounding, and then the
    new unit has no links. exact: which of the two."""

    model: RBM
    configuration: np.ndarray
    gain: float
    exact: bool


def add_hidden_unit(
    rbm: RBM, data: ArrayLike | None = None, *, probabilities: ArrayLike | None = None
) -> AddedUnit:
    """The machine with one more hidden unit, and by how much the likelihood rises at least.

    data: examples (rows, N) in the machine's units; or probabilities: of all configurations, in the order of
        `rbm.visible_layer.states()`. The new unit is binary, or ±1 where the hidden units are.

    Raises InputError for visible units that are not discrete, data that they cannot be, numbers that are no
    distribution, and for neither or both of the two.

    >>> import jax
    >>> rbm = RBM(3, hidden=1, units="binary", hidden_units="binary", key=jax.random.key(0))
    >>> added = add_hidden_unit(rbm, [[1, 0, 1], [1, 0, 1], [0, 1, 1]])
    >>> added.model.hidden, added.configuration.tolist(), added.gain > 0.5
    (2, [1.0, 0.0, 1.0], True)
    """
    rbm = as_model(rbm)
    if not isinstance(rbm, RBM) or rbm.kind != "real" or not rbm.visible_layer.is_discrete:
        got = f"units {rbm.units!r}, {rbm.kind} parameters" if isinstance(rbm, RBM) else rbm
        raise fail("rbm", "an RBM with real parameters and discrete visible units", got)
    rows, shares = _distribution(rbm, data, probabilities)
    machine = _padded(rbm)
    log_psi = exact_log_unnormalised(machine, rows)
    exact = is_enumerable(machine, _MOST_FOR_EXACT)
    log_z = exact_log_partition(machine) if exact else np.logaddexp.reduce(log_psi)
    p = np.exp(np.minimum(log_psi - log_z, 0.0))
    gains = np.where(shares > p, coin_divergence(shares, p), 0.0)
    best = int(np.argmax(gains))
    distance = (rows != rows[best]) @ _per_unit(rbm.visible_layer)
    if gains[best] > _ROUNDING:
        for attempt in range(_ATTEMPTS):
            model, theta = _with_unit(rbm, rows[best], shares[best], p[best], gains[best] * 4.0**-attempt)
            if exact:
                gain = _exact_gain(machine, model, rows, shares, log_z)
            else:
                gain = _gain(theta, distance, shares, p[best]) - _rounding(rbm, model)
            if gain > _ROUNDING:
                return AddedUnit(model, rows[best], float(gain), exact)
    return AddedUnit(_appended(rbm, np.zeros(rbm.size), 0.0), rows[best], 0.0, exact)


def coin_divergence(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """KL of a coin with probability a from one with probability b, nats.

    >>> coin_divergence(np.array([0.5, 1.0]), np.array([0.5, 0.5])).round(3).tolist()
    [0.0, 0.693]
    """
    tiny = np.finfo(float).tiny
    back = np.where(a < 1, (1 - a) * (np.log(np.maximum(1 - a, tiny)) - np.log1p(-np.minimum(b, _SURE))), 0)
    return a * (np.log(np.maximum(a, tiny)) - np.log(np.maximum(b, tiny))) + back


def _distribution(
    rbm: RBM, data: ArrayLike | None, probabilities: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    """(distinct rows, their shares)."""
    if (data is None) == (probabilities is None):
        raise fail("data", "either examples, or probabilities=", "both" if data is not None else "neither")
    if data is not None:
        examples = host_array(data)
        rbm.visible_layer.check(examples)
        rows, counts = np.unique(examples.astype(np.float64), axis=0, return_counts=True)
        return rows, counts / counts.sum()
    rows = rbm.visible_layer.states().astype(np.float64)
    p = np.asarray(probabilities, np.float64)
    if p.shape != (len(rows),) or not (np.isfinite(p).all() and (p >= 0).all() and abs(p.sum() - 1) < 1e-6):
        expected = f"{len(rows)} numbers ≥ 0 that add up to 1, one per configuration"
        raise fail("probabilities", expected, f"shape {p.shape}, sum {p.sum():.6g}")
    return rows, p / p.sum()


def _per_unit(layer: UnitLayer) -> np.ndarray:
    """What a column that differs counts: 1, or ½ for the two that differ in a Potts unit."""
    return np.concatenate(
        [np.full(columns, 0.5 if unit_kind(kind).columns > 1 else 1.0) for kind, columns in layer.parts]
    )


def _towards(layer: UnitLayer, configuration: np.ndarray) -> tuple[np.ndarray, float]:
    """(w, c) with w·v + c = −d(v, v̂) on every configuration v."""
    w, begin = np.zeros(layer.size), 0
    for kind, columns in layer.parts:
        part = configuration[begin : begin + columns]
        if kind == "binary":
            w[begin : begin + columns] = 2 * part - 1
        elif kind == "spin":
            w[begin : begin + columns] = part / 2
        else:  # one-hot
            w[begin : begin + columns] = part
        begin += columns
    return w, -float(w @ configuration)


def _with_unit(
    rbm: RBM, configuration: np.ndarray, share: float, p: float, gain: float
) -> tuple[RBM, tuple[float, float]]:
    """The machine with the unit for v̂, and (λ, a) as they are in the stored parameters."""
    ratio = np.log(share) - np.log(max(p, 1e-300))
    rest = np.log1p(-min(p, _SURE)) - np.log(max(1 - share, 1 - _SURE))
    lift = np.log(np.expm1(ratio + rest)) if ratio + rest < 30 else ratio + rest
    scale = max(lift - np.log(_LEAK * gain), 1.0)
    w, c = _towards(rbm.visible_layer, configuration)
    model = _appended(rbm, scale * w, lift + scale * c)
    stored, bias = _field(model)
    direction = stored / np.where(w == 0, 1, w)
    return model, (float(stored @ configuration + bias), float(direction[w != 0].min()))


def _appended(rbm: RBM, w: np.ndarray, c: float) -> RBM:
    """With a hidden unit that multiplies Ψ by 1 + e^{w·v + c}, but for a constant."""
    a, spec = np.asarray(rbm.visible_bias), rbm.hidden_layer.parts
    kind = "spin" if all(part == "spin" for part, _ in spec) else "binary"
    if kind == "spin":  # 2cosh((w·v + c)/2) = e^{−(w·v + c)/2} (1 + e^{w·v + c})
        w, c, a = w / 2, c / 2, a + w / 2
    units = ((kind, rbm.hidden + 1),) if len(spec) == 1 and spec[0][0] == kind else (*spec, (kind, 1))
    dtype = rbm.weights.dtype
    return RBM.from_parameters(
        jnp.asarray(a, dtype),
        jnp.append(rbm.hidden_bias, jnp.asarray(c, dtype)),
        jnp.concatenate([rbm.weights, jnp.asarray(w, dtype)[:, None]], axis=1),
        units=rbm.units,
        hidden_units=units[0][0] if len(units) == 1 else units,
    )


def _field(model: RBM) -> tuple[np.ndarray, float]:
    """(w, c) of the last unit in float64, as stored."""
    w, c = np.asarray(model.weights[:, -1], np.float64), float(model.hidden_bias[-1])
    return (2 * w, 2 * c) if model.hidden_layer.parts[-1][0] == "spin" else (w, c)


def _gain(theta: tuple[float, float], distance: np.ndarray, shares: np.ndarray, p: float) -> float:
    """A lower bound of the gain: ⟨e^θ⟩_p ≤ p e^λ + (1 − p) e^{λ − a}."""
    lift, scale = theta
    mine = shares @ np.logaddexp(0, lift - scale * distance)
    return float(mine - np.logaddexp(0, np.logaddexp(np.log(max(p, 1e-300)) + lift, lift - scale)))


def _exact_gain(
    machine: LayeredMachine, model: RBM, rows: np.ndarray, shares: np.ndarray, log_z: float
) -> float:
    """The gain by ln Z: with Ψ (1 + e^{w·v + c}), Z becomes Z(a) + e^c Z(a + w), of machines of one shape."""
    w, c = _field(model)
    a, later = machine.biases[0], np.asarray(model.visible_bias, np.float64)
    later = later - w / 2 if model.hidden_layer.parts[-1][0] == "spin" else later
    unmoved = np.array_equal(a, later)
    plain = log_z if unmoved else exact_log_partition(_with_field(machine, later))
    lifted = c + exact_log_partition(_with_field(machine, later + w))
    mine = shares @ (rows @ (later - a) + np.logaddexp(0, rows @ w + c))
    return float(mine - (np.logaddexp(plain, lifted) - log_z))


def _with_field(machine: LayeredMachine, field: np.ndarray) -> LayeredMachine:
    return LayeredMachine((field, machine.biases[1]), machine.weights, machine.layers)  # type: ignore[arg-type]


def _padded(rbm: RBM) -> LayeredMachine:
    """The machine in float64 with up to three idle hidden units of the last kind, which change ln Ψ and ln Z
    alike: a machine that grows is compiled once every four units."""
    *parts, (kind, columns) = rbm.hidden_layer.parts
    more = -columns % _BUCKET if kind in ("binary", "spin") else 0
    a, b, w = (np.asarray(x, np.float64) for x in (rbm.visible_bias, rbm.hidden_bias, rbm.weights))
    b, w = np.pad(b, (0, more)), np.pad(w, ((0, 0), (0, more)))
    hidden = UnitLayer((*parts, (kind, columns + more)))
    return LayeredMachine((a, b), (w,), (rbm.visible_layer, hidden))  # type: ignore[arg-type]


def _rounding(before: RBM, after: RBM) -> float:
    """What the rounding of the visible biases costs at most; they move only for a hidden spin."""
    a, later = (np.asarray(m.visible_bias, np.float64) for m in (before, after))
    if after.hidden_layer.parts[-1][0] != "spin":
        return 0.0
    return float(2 * np.abs(later - a - np.asarray(after.weights[:, -1], np.float64)).sum())
