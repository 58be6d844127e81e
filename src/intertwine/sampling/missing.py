r"""Rows of which not every entry is known: the missing ones drawn given the others, row by row.

A row is v = (v_k, v_m), known and missing entries, which are other columns in every row (nan stands for a
missing one). Where what is missing does not depend on what it would have been (missing at random: Rubin,
Biometrika 63, 581 (1976)), a machine learns from the likelihood of what is there,

    ln p(v_k) = ln Σ_{v_m} p(v_k, v_m),      ∂ ln p(v_k) = ⟨∂ ln Ψ⟩_{v_m | v_k} − ⟨∂ ln Ψ⟩_model,

so that the data's average of learning is taken over v_m ~ p(v_m | v_k): block Gibbs sampling with the known
entries of each row put back after every draw of the visible layer (`completed`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, positive_int
from intertwine.data.arrays import as_array
from intertwine.models.machines.layered import LayeredMachine, State, layered
from intertwine.models.parameters import check_key
from intertwine.models.results import taken
from intertwine.sampling.gibbs.clamped import Clamp
from intertwine.sampling.gibbs.sweeps import strongest_direction, sweep

if TYPE_CHECKING:
    from intertwine.models.machines.layered import Layers

SWEEPS = 10
"""Sweeps of the missing entries at every visit of a row in learning."""

CHAINS = 4
"""Chains a row of `complete`."""

ROW_R_HAT = 1.1
"""R-hat of a row above which its chains are said to disagree: there are many rows, and few draws of each."""

_ROWS = 1000


class Completed(NamedTuple):
    """mean: (rows, N) E[v | what is known of the row], what is known being kept. draws: (chains, rows, N)
    rows with the missing entries drawn, a draw a chain. r_hat: (rows,) over the chains of each row, the
    larger of those of the free energy and of the projection on the strongest direction of the weights; nan
    where nothing is missing. warnings: caveats."""

    mean: np.ndarray
    draws: np.ndarray
    r_hat: np.ndarray
    warnings: tuple[str, ...] = ()


def complete(
    model: Layers, rows: ArrayLike, *, chains: int = CHAINS, steps: int = 200, burn_in: int = 200, key: Array
) -> Completed:
    """The missing entries of rows given the known ones: conditional means and draws, each row by itself.

    model: an RBM or DBM, a fit or a loaded run. rows: (rows, N) in the machine's units, of a run of
    standardised columns in the units of its data, nan (or masked) where missing; all columns of a Potts unit
    are missing or none. chains: of every row, at least 2; burn_in: sweeps before the means
    are taken over `steps` sweeps.

    The result's `warnings`, told as a `Caveat`, say for how many rows the chains disagree.

    Raises InputError for values that the units cannot have and for models without layers.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> weights = 2 * jnp.array([[1.0], [1.0], [-1.0]])
    >>> rbm = RBM.from_parameters(jnp.zeros(3), jnp.zeros(1), weights, units="spin", hidden_units="spin")
    >>> found = complete(rbm, [[1, np.nan, np.nan], [np.nan, -1, np.nan]], key=jax.random.key(0))
    >>> exact = np.array([1, np.tanh(2.0) ** 2, -np.tanh(2.0) ** 2])
    >>> bool(np.allclose(found.mean[0], exact, atol=0.1))
    True
    """
    model, scaling = taken(model)
    machine = layered(model)
    given = as_array(rows, "rows")
    array = np.asarray(scaling.inside(given))
    if array.ndim != 2:
        raise fail("rows", f"an array (rows, {machine.size})", f"shape {array.shape}")
    machine.layers[0].check(array, "rows", missing=True)
    if positive_int("chains", chains) < 2:
        raise fail("chains", "at least 2, which can be compared", chains, "4 are usual")
    positive_int("steps", steps, "sweeps that the means are taken over")
    check_key(key)
    known = array.astype(np.float64)
    means, draws, spread = [], [], []
    for begin in range(0, len(known), _ROWS):
        part = known[begin : begin + _ROWS]
        wide = jnp.asarray(np.tile(part, (chains, 1)), machine.dtype)
        of_part = jax.random.fold_in(key, begin)
        mean, last, watched = _conditional(machine, wide, of_part, int(burn_in), steps=int(steps))
        mean = np.asarray(mean, np.float64).reshape(chains, *part.shape).mean(0)
        means.append(np.where(np.isnan(part), mean, part))
        draws.append(np.asarray(last).reshape(chains, *part.shape))
        seen = [np.asarray(x, np.float64).reshape(steps, chains, len(part)) for x in watched]
        found = np.max([_r_hat(x) for x in seen], axis=0)
        spread.append(np.where(np.isnan(part).any(1), found, np.nan))
    r_hat, drawn = np.concatenate(spread), np.concatenate(draws, 1)
    apart = int((r_hat > ROW_R_HAT).sum())
    lines: tuple[str, ...] = ()
    if apart:
        words = f"the chains of {apart} of {len(known)} rows disagree (R-hat up to {np.nanmax(r_hat):.2f})"
        lines = (caveat("chains-disagree", f"{words}: give more steps"),)
    tell(lines)
    mean = np.concatenate(means)
    if scaling.scale is not None:
        mean, drawn = (np.where(np.isnan(known), scaling.outside(x), given) for x in (mean, drawn))
    stored = drawn.astype(np.int8) if machine.layers[0].is_discrete else drawn
    return Completed(mean, stored, r_hat, lines)


def completed(
    model: Layers, v: Float[Array, "B N"], start: Float[Array, "N"], *, sweeps: int, key: Array
) -> Float[Array, "B N"]:
    """Rows whose nan are replaced by draws given the rest, after `sweeps` sweeps that begin with the means
    `start` there; pure, for the loops of learning."""
    machine = layered(model)
    gone = jnp.isnan(v)
    clamp = Clamp(~gone, jnp.where(gone, 0, v))
    first, rest = jax.random.split(key)
    state = _started(machine, jnp.where(gone, start, v), first)
    state = jax.lax.fori_loop(
        0, sweeps, lambda i, x: sweep(machine, clamp, x, key=jax.random.fold_in(rest, i))[0], state
    )
    return state[0]


def filled(values: np.ndarray, replacement: ArrayLike) -> np.ndarray:
    """`values` with `replacement` (N,) where they are nan."""
    return np.where(np.isnan(values), replacement, values)


def _started(machine: LayeredMachine, v: Array, key: Array) -> State:
    """The even side with the visible layer `v`; deeper layers drawn in their biases."""
    keys = jax.random.split(key, len(machine.side(0)))
    above = [
        layer.sample(jnp.broadcast_to(bias, (len(v), layer.size)), key=k)
        for layer, bias, k in list(zip(machine.side(0), machine.biases[0::2], keys, strict=True))[1:]
    ]
    return (v, *above)


@partial(jax.jit, static_argnames=("steps",))
def _conditional(
    machine: LayeredMachine, v: Array, key: Array, burn_in: Array, *, steps: int
) -> tuple[Array, Array, tuple[Array, Array]]:
    """(E[v|known] over `steps` sweeps, the last v, what is watched at every sweep: (steps, rows) each)."""
    gone: Bool[Array, "rows N"] = jnp.isnan(v)
    clamp = Clamp(~gone, jnp.where(gone, 0, v))
    begin, warm, run = jax.random.split(key, 3)
    start = machine.layers[0].sample(jnp.zeros_like(v), key=begin)
    state = _started(machine, jnp.where(gone, start, v), begin)
    state = jax.lax.fori_loop(
        0, burn_in, lambda i, x: sweep(machine, clamp, x, key=jax.random.fold_in(warm, i))[0], state
    )

    def step(carry: tuple, k: Array) -> tuple[tuple, tuple[Array, Array]]:
        state, total = carry
        up, down = jax.random.split(k)
        odd = machine.sample_side(machine.fields(state, 1), 1, key=up)
        fields = machine.fields(odd, 0)
        mean = machine.layers[0].mean(fields[0])
        even = machine.sample_side(fields, 0, key=down)
        after = (clamp.hold(even[0]), *even[1:])
        return (after, total + mean), (machine.log_weight(after), after[0] @ direction)

    direction = strongest_direction(machine)
    (state, total), watched = jax.lax.scan(step, (state, jnp.zeros_like(v)), jax.random.split(run, steps))
    return total / steps, state[0], watched


def _r_hat(values: np.ndarray) -> np.ndarray:
    """R-hat of every row: (steps, chains, rows) → (rows,), from the halves of each chain."""
    half = max(1, len(values) // 2)
    parts = np.concatenate([values[:half], values[-half:]], axis=1)
    within = parts.var(0, ddof=1).mean(0) if half > 1 else np.zeros(values.shape[2])
    between = parts.mean(0).var(0, ddof=1)
    rounding = 1e-9 * (1 + (parts**2).mean((0, 1)))  # of values that do not change
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt((half - 1) / half + between / within)
    return np.where(within > rounding, found, np.where(between > rounding, np.inf, 1.0))
