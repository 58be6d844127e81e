r"""Real-space mutual information of a block's coarse variables and its environment, exactly.

    I(H; E) = Σ_{h,e} p(h, e) ln [p(h, e)/(p(h) p(e))],      p(h, e) = Σ_v p(h|v) p(v, e)      (nats)

H are one or more coarse spins of a block V, E the environment beyond a buffer (`BlockWindow`). The rule that
keeps the most of it is the one to coarse-grain with (Koch-Janusz & Ringel, Nature Physics 14, 578, 2018;
Lenggenhager, Gökmen, Ringel, Huber & Koch-Janusz, Phys. Rev. X 10, 011037, 2020). Each coarse spin has a
filter of weights Λ, one per spin of the block:

    p(h|v) = e^{hΛ·v}/(2 cosh Λ·v) = σ(2hΛ·v)      (a hidden spin of an RBM)

Of the environment only the spins that V reaches first matter: the others add nothing once these are known
(Markov), so that p(v, e) is a table of few spins, found by summing out all the rest (`marginal`).

I(H; E) is convex in p(h|v), hence largest for rules without chance, and the best weights have no finite
length. What is optimised is their direction, at a fixed root mean square `sharpness`. At sharpness 1 the
best 2×2 filter at K_c is uniform, I = 0.4083 on the 4×5 torus with a buffer of 1; beyond 2 to 2.5 others win
that break ties of ± by one spin, up to 0.41427 against 0.41424 of the majority with random ties.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.rg.blocks.marginal import marginal, spin_factors
from intertwine.rg.information.block_window import BlockWindow
from intertwine.sampling.enumeration import all_configurations

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem

MOST_HIDDEN = 4
"""Coarse spins of a block, at most."""
SHARPEST = 20.0
"""The largest root mean square of a filter's weights: beyond, probabilities leave the range of float64."""


def mutual_information(
    model: Ising, rule: PyTree = None, *, block: int = 2, buffer: int = 1, environment: int | None = None
) -> float:
    """The exact I(H; E), in nats, for the block at the first cell.

    model: an `Ising` model on a periodic lattice, narrow enough to be summed exactly. rule: weights Λ (n,) or
    (hidden, n) for the n spins of the block, row-major; a table p(h|v), (2^hidden, 2^n), spins +1 before −1,
    the first spin varying slowest; a blocking rule with separate blocks, such as `Majority(2)`; or None for
    the whole block, I(V; E). block, buffer, environment: see `BlockWindow`; environment None is everything
    beyond the buffer.

    Raises InputError for rules of another shape, tables that are no probabilities, and models too wide.

    >>> from intertwine.spaces.lattices import Square
    >>> ising = Ising(Square(4, 6), K=0.4406867935)
    >>> round(mutual_information(ising, np.ones(4)), 6), round(mutual_information(ising), 6)
    (0.395283, 0.463526)
    """
    model = as_model(model)
    window = BlockWindow(_lattice(model), block, buffer, environment)
    joint = block_environment(model, window)
    return table_information(joint if rule is None else window_table(rule, window) @ joint)


def table_information(joint: Float[np.ndarray, "a b"]) -> float:
    """Σ p ln [p/(p_a p_b)] of a table of probabilities, in nats.

    >>> round(table_information(np.eye(2) / 2), 6)                     # ln 2: two copies of one bit
    0.693147
    """
    product = joint.sum(1, keepdims=True) * joint.sum(0)
    held = joint > 0
    return float(np.sum(joint[held] * np.log(joint[held] / product[held])))


def block_environment(model: Ising, window: BlockWindow) -> Float[np.ndarray, "v e"]:
    """p(v, e): one row per configuration of the block, one column per configuration of the environment spins
    that it reaches first."""
    inside, outside = window.inside[0].tolist(), window.outside[0].tolist()
    near = _first_met(model, set(inside), set(outside))
    return marginal(model, inside + near).table.reshape(2 ** len(inside), -1)


def window_table(rule: PyTree, window: BlockWindow) -> Float[np.ndarray, "h v"]:
    """`rule_table` for the window's block. Raises InputError for a rule of blocks of another size."""
    if getattr(rule, "block", window.block) != window.block:
        raise fail("block", f"{rule.block}, as the rule's blocks", window.block)
    return rule_table(rule, window.inside.shape[1])


def rule_table(rule: PyTree, spins: int) -> Float[np.ndarray, "h v"]:
    """p(h|v), float64 (2^hidden, 2^spins), of weights, of a table that is checked, or of a blocking rule.

    >>> rule_table([0.0, 50.0], 2).round(6)                            # decimation
    array([[1., 0., 1., 0.],
           [0., 1., 0., 1.]])
    """
    if hasattr(rule, "probability_up"):
        up = rule.probability_up(all_configurations(spins))
        return np.stack([up, 1 - up])
    try:
        given = np.asarray(rule, np.float64)
    except (TypeError, ValueError):
        expected = "weights, a table of probabilities or a rule with separate blocks"
        raise fail("rule", expected, type(rule).__name__) from None
    if given.ndim == 2 and given.shape[1] == 2**spins and spins > 0:
        if not (np.isfinite(given).all() and (given >= 0).all() and np.allclose(given.sum(0), 1)):
            raise fail("rule", "columns p(h|v) that sum to 1", f"column sums {given.sum(0)[:8]}")
        return given
    weights = np.atleast_2d(given)
    if weights.shape[1:] != (spins,) or not np.isfinite(weights).all():
        expected = f"finite weights ({spins},) or (hidden, {spins}), or a table (2^hidden, {2**spins})"
        raise fail("rule", expected, f"shape {given.shape}" if given.shape[-1:] != (spins,) else given)
    if len(weights) > MOST_HIDDEN:
        raise fail("rule", f"at most {MOST_HIDDEN} coarse spins", len(weights))
    table = np.ones((1, 2**spins))
    for angle in weights @ all_configurations(spins).T.astype(float):
        both = np.exp(-np.logaddexp(0, np.stack([-2 * angle, 2 * angle])))
        table = (table[:, None] * both).reshape(-1, 2**spins)
    return table


class OptimalFilter(NamedTuple):
    """weights: float64 (hidden, n), of root mean square `sharpness`. information: I(H; E) there, in nats.
    found: the information at the end of every start, sorted, largest first."""

    weights: Float[np.ndarray, "h n"]
    information: float
    found: Float[np.ndarray, " starts"]


def optimal_filter(
    model: Ising,
    *,
    block: int = 2,
    buffer: int = 1,
    environment: int | None = None,
    hidden: int = 1,
    sharpness: float = 1.0,
    starts: int = 8,
    key: Array,
) -> OptimalFilter:
    """The filters that maximise the exact I(H; E), by BFGS from several random starts.

    hidden: coarse spins of the block. sharpness: root mean square of each filter's weights. The sign of a
    filter is free; its first weight of largest magnitude is made positive.

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> best = optimal_filter(Ising(Square(4, 4), K=0.44), buffer=0, key=jax.random.key(0))
    >>> best.weights.round(3), round(best.information, 4)
    (array([[1., 1., 1., 1.]]), 0.5252)
    """
    from scipy.optimize import minimize

    model = as_model(model)
    hidden, starts = positive_int("hidden", hidden), positive_int("starts", starts)
    sharpness = checked_sharpness(sharpness)
    joint = block_environment(model, BlockWindow(_lattice(model), block, buffer, environment))
    spins = int(math.log2(len(joint)))
    rng = np.random.default_rng(key_words(check_key(key)))
    ends = []
    for _ in range(starts):
        first = rng.normal(size=hidden * spins)
        end = minimize(_minus_information, first, (joint, hidden, sharpness), jac=True, tol=1e-12)
        ends.append((-float(end.fun), _scaled(end.x.reshape(hidden, spins), sharpness)))
    best = max(ends, key=lambda end: end[0])
    return OptimalFilter(turned(best[1]), best[0], np.sort([value for value, _ in ends])[::-1])


def checked_sharpness(sharpness: float) -> float:
    """A number above 0 and at most `SHARPEST`, or the error that says so."""
    number = isinstance(sharpness, int | float | np.number) and not isinstance(sharpness, bool)
    if not (number and 0 < float(sharpness) <= SHARPEST):
        raise fail("sharpness", f"a number above 0, up to {SHARPEST:g}", sharpness)
    return float(sharpness)


def turned(filters: Float[np.ndarray, "h n"]) -> Float[np.ndarray, "h n"]:
    """Each filter with the sign that makes its largest weight positive (the first one, of equals)."""
    size = np.abs(filters)
    place = (size >= size.max(1, keepdims=True) * (1 - 1e-6)).argmax(1)
    return filters * np.sign(np.take_along_axis(filters, place[:, None], 1))


def _minus_information(x: np.ndarray, joint: np.ndarray, hidden: int, sharpness: float) -> tuple:
    """−I and its gradient in the weights before they are scaled."""
    raw = x.reshape(hidden, -1)
    weights = _scaled(raw, sharpness)
    spins = all_configurations(raw.shape[1]).astype(float)
    table = rule_table(weights, raw.shape[1])
    coarse = np.maximum(table @ joint, np.finfo(float).tiny)
    score = np.log(coarse / (coarse.sum(1, keepdims=True) * coarse.sum(0)))
    by_table = table * (score @ joint.T)  # p(h|v) ∂I/∂p(h|v), up to what is common to all h
    signs = all_configurations(hidden).astype(float)
    slope = 2 / (1 + np.exp(2 * signs[:, :, None] * (weights @ spins.T)))  # ∂ ln p(h|v)/∂(h_k Λ_k·v)
    by_weights = np.einsum("hv,hk,hkv,vn->kn", by_table, signs, slope, spins)
    length = np.sqrt(np.mean(raw**2, 1, keepdims=True))
    along = np.mean(by_weights * raw, 1, keepdims=True) * raw / length**2
    gradient = sharpness * (by_weights - along) / length
    return -float(np.sum(coarse * score)), -gradient.ravel()


def _scaled(weights: np.ndarray, sharpness: float) -> np.ndarray:
    """Each row with root mean square `sharpness`."""
    return sharpness * weights / np.sqrt(np.mean(weights**2, 1, keepdims=True))


def _first_met(model: Ising, inside: set[int], outside: set[int]) -> list[int]:
    """The environment spins on paths from the block through unobserved spins, sorted."""
    around: dict[int, set[int]] = {}
    for sites, _ in spin_factors(model):
        for i in sites:
            around.setdefault(i, set()).update(sites)
    seen, front, met = set(inside), list(inside), set()
    while front:
        for i in around.get(front.pop(), ()):
            if i in outside:
                met.add(i)
            elif i not in seen:
                seen.add(i)
                front.append(i)
    return sorted(met)


def _lattice(model: SpinSystem) -> Any:
    if not isinstance(model, Ising):
        raise fail("model", "an Ising model", type(model).__name__)
    return model.lattice
