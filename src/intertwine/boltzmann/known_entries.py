r"""ln Ψ of the known entries of a row: the missing ones summed over, row by row.

    ln Σ_{v_m} Ψ(v_k, v_m) = ln Σ_h e^{f_1(h)},
    f_β(h) = b·h + Σ_known [(a + W h)_i v_i − base(v_i)] + Σ_missing A_i(a_i + β (W h)_i),

exactly over the hidden units where these have few states, else by annealed importance sampling (Neal 2001)
from β = 0, where the hidden units are independent given what is known, to β = 1; a sweep at β draws the
missing entries and then the hidden units, and is reversible for e^{f_β}. The couplings to what is missing are
all that is annealed, so that few temperatures suffice; `ess` says whether they do.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._caveats import caveat, tell
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

FEW_STATES = 256
CHAINS, TEMPERATURES = 16, 100
LEAST_ESS = 4.0
_VALUES = 2**22


def log_known(model: RBM, rows: np.ndarray) -> np.ndarray:
    """ln Σ_{v_m} Ψ(v_k, v_m) in nats of every row (rows, N), nan being missing: float64 (rows,).

    Tells a `Caveat` where annealing is not to be trusted for some rows.
    """
    if model.has_widths:
        width = np.sqrt(np.asarray(model.visible_layer.variance(), np.float64))
        volume = np.isnan(rows) @ np.log(width)
        return log_known(model.at_unit_widths(), rows / width) + volume
    layer = model.hidden_layer
    exact = layer.is_discrete and layer.state_count <= FEW_STATES
    count = int(layer.state_count) if exact else CHAINS
    step = max(1, min(len(rows), _VALUES // (count * model.size)))
    found, worth = [], []
    for begin in range(0, len(rows), step):
        part = np.asarray(rows[begin : begin + step])
        padded = np.concatenate([part, np.repeat(part[-1:], step - len(part), axis=0)])
        values = jnp.asarray(padded, model.weights.dtype)
        if exact:
            states = jnp.asarray(layer.states(), model.weights.dtype)
            found.append(np.asarray(_summed(model, values, states), np.float64)[: len(part)])
            continue
        log_w = np.asarray(_annealed(model, values, jax.random.key(begin)), np.float64)[:, : len(part)]
        top = log_w.max(0)
        weights = np.exp(log_w - top)
        found.append(top + np.log(weights.mean(0)))
        worth.append(weights.sum(0) ** 2 / (weights**2).sum(0))
    if worth and (poor := int((np.concatenate(worth) < LEAST_ESS).sum())):
        words = f"the likelihood of {poor} of {len(rows)} rows with missing entries rests on fewer than"
        tell([caveat("untrusted", f"{words} {LEAST_ESS:.0f} of {CHAINS} annealed chains")])
    return np.concatenate(found)


@jax.jit
def _summed(model: RBM, v: Array, states: Array) -> Array:
    linked = model.visible_angles(states)  # (K, N)
    gone = jnp.isnan(v)
    known = jnp.where(gone, 0, v)
    own = known @ linked.T + states @ model.hidden_bias - model.visible_layer.base(known)[:, None]
    of_missing = _missing_partition(model.visible_layer, linked[None], gone[:, None])
    return jax.nn.logsumexp(own + of_missing - model.hidden_layer.base(states), axis=1)


@jax.jit
def _annealed(model: RBM, v: Array, key: Array) -> Array:
    """ln w of every chain, (CHAINS, rows)."""
    gone = jnp.isnan(v)
    known = jnp.where(gone, 0, v)
    field = model.angles(known)
    layer, bias = model.visible_layer, model.visible_bias
    first, rest = jax.random.split(key)
    h = model.hidden_layer.sample(jnp.broadcast_to(field, (CHAINS, *field.shape)), key=first)
    own = known @ bias - layer.base(known)
    start = own + model.hidden_layer.log_partition(field) + _missing_partition(layer, bias, gone)
    betas = jnp.linspace(0, 1, TEMPERATURES + 1, dtype=v.dtype)

    def step(k: Array, carry: tuple) -> tuple:
        h, total = carry
        linked = h @ model.weights.T
        now, later = bias + betas[k] * linked, bias + betas[k + 1] * linked
        total = total + _missing_partition(layer, later, gone) - _missing_partition(layer, now, gone)
        down, up = jax.random.split(jax.random.fold_in(rest, k))
        drawn = jnp.where(gone, layer.sample(later, key=down), 0)
        h = model.hidden_layer.sample(field + betas[k + 1] * (drawn @ model.weights), key=up)
        return h, total

    zeros = jnp.zeros((CHAINS, len(v)), v.dtype)
    _, total = jax.lax.fori_loop(0, TEMPERATURES, step, (h, zeros))
    return start + total


def _missing_partition(layer: UnitLayer, theta: Array, gone: Array) -> Array:
    """Σ of A over the units whose columns are missing: theta and gone (..., N) → (...)."""
    total: Any = 0.0
    begin = 0
    for name, columns in layer.parts:
        kind = unit_kind(name)
        fields, absent = (x[..., begin : begin + columns] for x in (theta, gone))
        units = fields.reshape(*fields.shape[:-1], -1, kind.columns)
        one = absent.reshape(*absent.shape[:-1], -1, kind.columns)[..., 0]
        total = total + jnp.where(one, kind.log_partition(units), 0).sum(-1)
        begin += columns
    return total
